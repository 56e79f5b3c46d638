-- Administrators invite new people in the console, by functions as those of 0038. They make links only for who has no
-- password yet: with a link for somebody else, an administrator could take over what is theirs.

-- Of those who were invited and have not set a password; see PASSWORD_NONE of src/crypto/password.h.
CREATE FUNCTION has_no_password(of_user uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM public.identities i WHERE i.user_id = of_user AND i.password_hash = '!')
$$;

CREATE FUNCTION administrate_invitation(token text, new_name text, link_hash bytea, lifetime interval, client inet,
                                        request text)
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
    SELECT u.* INTO person FROM public.users u JOIN public.identities i ON i.user_id = u.id
        WHERE i.provider = 'PASSWORD' AND i.provider_user_id = lower(new_name) FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        INSERT INTO public.users (name) VALUES (new_name) RETURNING * INTO person;
        INSERT INTO public.identities (user_id, provider, provider_user_id, password_hash, is_primary)
            VALUES (person.id, 'PASSWORD', lower(new_name), '!', true);
    ELSIF person.role = 'admin' THEN
        RETURN 'USER_IS_ADMIN';
    ELSIF NOT public.has_no_password(person.id) OR person.disabled_at IS NOT NULL THEN
        RETURN 'USER_EXISTS';
    END IF;
    INSERT INTO public.invitations (user_id, token_hash, expires_at)
        VALUES (person.id, link_hash, now() + least(lifetime, interval '30 days'))
        ON CONFLICT (user_id) DO UPDATE SET token_hash = excluded.token_hash, created_at = now(),
            expires_at = excluded.expires_at;
    PERFORM public.note_administrator(caller, 'admin.user.invite', person.id, '{}', client, request);
    RETURN NULL;
EXCEPTION WHEN unique_violation THEN
    RETURN 'USER_EXISTS'; -- somebody registered it meanwhile, or it differs in form
END
$$;

CREATE FUNCTION administrate_withdrawal(token text, of_user uuid, client inet, request text)
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
    ELSIF EXISTS (SELECT FROM public.users u WHERE u.id = of_user AND u.role = 'admin') THEN
        RETURN 'USER_IS_ADMIN';
    END IF;
    DELETE FROM public.invitations i WHERE i.user_id = of_user;
    IF NOT FOUND THEN
        RETURN 'NO_INVITATION';
    END IF;
    PERFORM public.note_administrator(caller, 'admin.user.withdraw', of_user, '{}', client, request);
    RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION has_no_password, administrate_invitation, administrate_withdrawal FROM PUBLIC;
GRANT EXECUTE ON FUNCTION has_no_password, administrate_invitation, administrate_withdrawal TO fsa_api;
