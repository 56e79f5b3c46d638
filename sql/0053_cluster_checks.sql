-- A check for each cluster. See 0052.
LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE;
ALTER TABLE kubeconfig_checks RENAME TO cluster_checks;
ALTER TABLE cluster_checks RENAME COLUMN user_id TO cluster_id;
ALTER TABLE cluster_checks ADD COLUMN user_id uuid REFERENCES users ON DELETE CASCADE;
UPDATE cluster_checks SET user_id = cluster_id;
ALTER TABLE cluster_checks ALTER COLUMN user_id SET NOT NULL;
CREATE INDEX ON cluster_checks (user_id);

-- What programs of the former version see: those of the default clusters.
CREATE VIEW kubeconfig_checks AS
    SELECT cluster_id AS user_id, generation, due_at, begun_at, lease_epoch, leased_until, leased_of, took_ms,
        checked_at, findings
    FROM cluster_checks WHERE cluster_id = user_id;
GRANT SELECT ON kubeconfig_checks TO fsa_api, fsa_reconcile, fsa_events;
GRANT UPDATE (due_at, begun_at, lease_epoch, leased_until, leased_of, took_ms, checked_at, findings)
    ON kubeconfig_checks TO fsa_reconcile;

CREATE OR REPLACE FUNCTION check_new_kubeconfig() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO public.cluster_checks AS c (cluster_id, user_id) VALUES (NEW.id, NEW.user_id)
        ON CONFLICT (cluster_id) DO UPDATE
        SET generation = c.generation + 1, findings = NULL, checked_at = NULL,
            due_at = greatest(now(), c.begun_at + interval '1 minute');
    RETURN NULL;
END
$$;

-- Somebody wants to know again. What is under way, or about to be, will do.
CREATE FUNCTION check_cluster(of_cluster uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE public.cluster_checks
        SET generation = generation + 1, due_at = greatest(now(), begun_at + interval '1 minute')
        WHERE cluster_id = of_cluster AND due_at IS NULL
$$;
CREATE OR REPLACE FUNCTION check_kubeconfig(of_user uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT public.check_cluster(of_user)
$$;
REVOKE ALL ON FUNCTION check_cluster FROM PUBLIC;
GRANT EXECUTE ON FUNCTION check_cluster TO fsa_api;
