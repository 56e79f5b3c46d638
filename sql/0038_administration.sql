-- What administrators change in the console. api.fcgi has no right to any of it but by these functions, which get
-- the token of the caller's session: of that api.fcgi can read only the hash, so it acts for an administrator only
-- while one is calling it. Each change writes its own line of the audit.

CREATE FUNCTION administrator_session(token text) RETURNS public.sessions
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s FROM public.sessions s JOIN public.users u ON u.id = s.user_id
    WHERE s.id_hash = sha256(convert_to(token, 'UTF8')) AND s.expires_at > now()
        AND u.role = 'admin' AND u.disabled_at IS NULL
$$;

CREATE FUNCTION note_administrator(caller public.sessions, action text, of_user uuid, more jsonb, client inet,
                                   request text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO public.audit (user_id, identity_id, action, object_type, object_id, address, request_id, detail)
    SELECT (caller).user_id, (caller).identity_id, action, 'user', of_user::text, client, request,
        jsonb_build_object('administrator', u.name) || more
    FROM public.users u WHERE u.id = (caller).user_id
$$;

-- An exception for one user; NULL: back to the default. Returns what is wrong, as an error's code; NULL: done.
CREATE FUNCTION administrate_limit(token text, of_user uuid, of_kind text, allowed bigint, client inet, request text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    caller public.sessions := public.administrator_session(token);
BEGIN
    IF caller.user_id IS NULL THEN
        RETURN 'NOT_ADMINISTRATOR';
    ELSIF NOT EXISTS (SELECT FROM public.users u WHERE u.id = of_user FOR KEY SHARE) THEN
        RETURN 'USER_NOT_FOUND';
    ELSIF allowed IS NULL THEN
        DELETE FROM public.user_limits l WHERE l.user_id = of_user AND l.kind = of_kind;
    ELSE
        INSERT INTO public.user_limits (user_id, kind, value) VALUES (of_user, of_kind, allowed)
            ON CONFLICT (user_id, kind) DO UPDATE SET value = excluded.value, updated_at = now();
    END IF;
    PERFORM public.note_administrator(caller, 'admin.user.limit', of_user, jsonb_build_object(
        'limit', of_kind, 'to', coalesce(allowed::text, 'default')), client, request);
    RETURN NULL;
END
$$;

-- As admin_set_disabled() of src/store/admin_user.c. Administrators are the operator's: first the role is taken.
CREATE FUNCTION administrate_access(token text, of_user uuid, disable boolean, client inet, request text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    caller public.sessions := public.administrator_session(token);
    person public.users;
BEGIN
    IF caller.user_id IS NULL THEN
        RETURN 'NOT_ADMINISTRATOR';
    END IF;
    SELECT * INTO person FROM public.users u WHERE u.id = of_user FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN 'USER_NOT_FOUND';
    ELSIF person.role = 'admin' THEN
        RETURN 'USER_IS_ADMIN';
    ELSIF person.deleted_at IS NOT NULL THEN
        RETURN 'USER_DELETED';
    END IF;
    DELETE FROM public.sessions s WHERE s.user_id = of_user;
    DELETE FROM public.invitations i WHERE i.user_id = of_user;
    UPDATE public.users u SET disabled_at = CASE WHEN disable THEN coalesce(u.disabled_at, now()) END
        WHERE u.id = of_user;
    IF disable THEN
        PERFORM public.renew_terminals(of_user);
    END IF;
    PERFORM public.note_administrator(caller, CASE WHEN disable THEN 'admin.user.disable' ELSE 'admin.user.enable' END,
                                      of_user, '{}', client, request);
    RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION administrator_session, note_administrator, administrate_limit, administrate_access FROM PUBLIC;
GRANT EXECUTE ON FUNCTION administrate_limit, administrate_access TO fsa_api;
