-- Deleted projects stay in the trash for `trash_time`: stopped, with their volumes, and without their name, which is free
-- again. A project with deleted_at and trash_until is in the trash; with deleted_at alone it is on its way out. What it
-- holds counts like that of any other.
ALTER TABLE projects
    ADD COLUMN trash_until timestamptz,
    ADD CHECK (trash_until IS NULL OR deleted_at IS NOT NULL);
CREATE INDEX projects_trash ON projects (trash_until) WHERE trash_until IS NOT NULL;
GRANT UPDATE (trash_until) ON projects TO fsa_api;
GRANT SELECT (trash_until) ON projects TO fsa_events;

-- Deletes a project that the caller has locked: into the trash, if the site keeps one and it is not there already.
CREATE FUNCTION delete_for_owner(of_project uuid) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    kept interval := nullif(operator_duration('trash_time'), '0');
    until timestamptz;
BEGIN
    UPDATE public.projects p SET deleted_at = now(), updated_at = now(),
        trash_until = CASE WHEN p.deleted_at IS NULL THEN now() + kept END
        WHERE p.id = of_project RETURNING p.trash_until INTO until;
    PERFORM set_desired_for_owner(of_project, CASE WHEN until IS NULL THEN 'GONE'::desired ELSE 'STOPPED' END);
    DELETE FROM public.projects p WHERE p.id = of_project AND p.trash_until IS NULL
        AND NOT EXISTS (SELECT FROM public.resources r WHERE r.project_id = p.id);
END
$$;

-- What there is to do about the ends of projects, and about what was long enough in the trash; called again and again.
-- Each row is read once more under its lock, so an owner who extends it at this moment is either seen or waits.
CREATE FUNCTION end_projects() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    warning interval := operator_duration('end_warning');
    grace interval := operator_duration('end_grace');
    project record;
BEGIN
    IF EXISTS (SELECT FROM public.maintenance) THEN
        RETURN; -- its owner could neither give it more time nor bring it back
    END IF;
    FOR project IN
        SELECT p.id, p.expires_at, p.deletes_at, p.expires_at <= now() AS ended FROM public.projects p
        WHERE p.deleted_at IS NULL AND p.expires_at <= now() + warning
            AND CASE WHEN p.expires_at > now() THEN NOT p.warnings @> '[{"code": "PROJECT_ENDING"}]'
                     ELSE coalesce(p.deletes_at <= now(), true) END
        ORDER BY p.id LIMIT 100 FOR NO KEY UPDATE SKIP LOCKED
    LOOP
        IF NOT project.ended THEN
            PERFORM warn_project(project.id, 'PROJECT_ENDING', format('It stops at %s. It is deleted at %s.',
                iso8601(project.expires_at), iso8601(project.expires_at + grace)));
        ELSIF project.deletes_at IS NULL THEN
            PERFORM set_desired_for_owner(project.id, 'STOPPED');
            UPDATE public.projects p SET deletes_at = now() + grace WHERE p.id = project.id;
            PERFORM warn_project(project.id, 'PROJECT_ENDED', format('It ended at %s. It is deleted at %s.',
                iso8601(project.expires_at), iso8601(now() + grace)));
        ELSE
            PERFORM delete_for_owner(project.id);
        END IF;
    END LOOP;
    FOR project IN
        SELECT p.id FROM public.projects p WHERE p.trash_until <= now()
        ORDER BY p.id LIMIT 100 FOR NO KEY UPDATE SKIP LOCKED
    LOOP
        PERFORM delete_for_owner(project.id);
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION delete_for_owner, end_projects FROM PUBLIC;
GRANT EXECUTE ON FUNCTION end_projects TO fsa_reconcile;
