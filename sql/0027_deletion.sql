-- Users who are to go: disabled from that moment on, their projects deleted with the users' own kubeconfigs,
-- and the rows of the user gone when nothing of them is left in a cluster. While the row is there, nobody can
-- log in or register by any of their identities.
ALTER TABLE users
    ADD COLUMN deleted_at timestamptz, -- asked for
    ADD CHECK (deleted_at IS NULL OR disabled_at IS NOT NULL);
CREATE INDEX users_deleted ON users (deleted_at) WHERE deleted_at IS NOT NULL;

-- Deletion has been asked for of all projects of a user: as project_want() with GONE does it for one
-- (src/store/project_want.c). Those without anything in a cluster go at once.
CREATE FUNCTION delete_projects(of_user uuid) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM FROM public.projects p WHERE p.user_id = of_user ORDER BY p.id FOR NO KEY UPDATE;
    WITH going AS (
        UPDATE public.resources r SET desired = 'GONE', generation = r.generation + 1, attempts = 0,
            due_at = now(), updated_at = now(), status = 'TERMINATING', status_since = now(),
            cause_kind = NULL, cause_code = NULL, cause_message = NULL, cause_since = NULL
        FROM public.projects p
        WHERE p.user_id = of_user AND r.project_id = p.id AND r.desired <> 'GONE'
        RETURNING r.project_id, r.kind, r.status, r.stage
    ) INSERT INTO public.events (project_id, kind, status, stage)
        SELECT going.project_id, going.kind, going.status, going.stage FROM going;
    WITH changed AS (
        UPDATE public.projects p SET deleted_at = now(), updated_at = now(), status = 'TERMINATING'
        WHERE p.user_id = of_user AND p.deleted_at IS NULL
        RETURNING p.id, p.status
    ) INSERT INTO public.events (project_id, status) SELECT id, status FROM changed;
    DELETE FROM public.projects p WHERE p.user_id = of_user
        AND NOT EXISTS (SELECT FROM public.resources r WHERE r.project_id = p.id);
END
$$;

-- What there is to do about users who are to go; called again and again. A request that was let in before
-- its user was deleted may still have made a project: that goes, too. The row is locked against such
-- requests first, so that the statements after it see all of them.
CREATE FUNCTION finish_deletions() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    going record;
BEGIN
    FOR going IN
        SELECT u.id FROM public.users u WHERE u.deleted_at IS NOT NULL
        ORDER BY u.deleted_at LIMIT 100 FOR UPDATE SKIP LOCKED
    LOOP
        PERFORM public.delete_projects(going.id);
        IF NOT EXISTS (SELECT FROM public.projects p WHERE p.user_id = going.id) THEN
            INSERT INTO public.audit (action, object_type, object_id, detail)
                SELECT 'admin.user.gone', 'user', u.id::text, jsonb_build_object('name', u.name)
                FROM public.users u WHERE u.id = going.id;
            DELETE FROM public.users u WHERE u.id = going.id;
        END IF;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION delete_projects, finish_deletions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION finish_deletions TO fsa_reconcile;
