-- Logging in by a provider: what auth.fcgi may do beyond passwords.

-- A login or binding that has gone to the provider and has not come back. Neither column is a
-- secret: what opens it are the state (in the URL) and the verifier (in the browser's cookie).
CREATE TABLE pending_logins (
    state_hash    bytea PRIMARY KEY CHECK (octet_length(state_hash) = 32),
    verifier_hash bytea NOT NULL CHECK (octet_length(verifier_hash) = 32),
    provider      auth_provider NOT NULL,
    user_id       uuid REFERENCES users ON DELETE CASCADE, -- who binds; NULL: a login
    return_to     text CHECK (length(return_to) <= 512),
    expires_at    timestamptz NOT NULL
);
CREATE INDEX ON pending_logins (expires_at);
CREATE INDEX ON pending_logins (user_id) WHERE user_id IS NOT NULL;
GRANT SELECT, INSERT, DELETE ON pending_logins TO fsa_auth;

-- Sealos brings a kubeconfig with every login. As api.fcgi, auth.fcgi stores it and cannot read it.
GRANT SELECT (user_id, server, namespace, account, expires_at, version, updated_at)
    ON kubeconfigs TO fsa_auth;
GRANT INSERT, UPDATE ON kubeconfigs TO fsa_auth;

-- After a change of somebody's kubeconfig: the next pass looks at all they have with the new one.
-- A function of the owner's, so that auth.fcgi needs no right to see what people have. Projects are
-- locked first, in the order of their ids, as everywhere.
CREATE FUNCTION make_resources_due(of_user uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM FROM public.projects p WHERE p.user_id = of_user ORDER BY p.id FOR NO KEY UPDATE;
    UPDATE public.resources r SET due_at = now(), attempts = 0
        FROM public.projects p WHERE p.user_id = of_user AND r.project_id = p.id;
END
$$;
REVOKE ALL ON FUNCTION make_resources_due FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_resources_due TO fsa_api, fsa_auth;
