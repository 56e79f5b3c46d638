-- Projects with an end: their owner is warned before it, they are stopped at it, and deleted after a grace that begins
-- when they were stopped. So nobody loses anything because the site was down when it should have warned them.
ALTER TABLE projects
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN deletes_at timestamptz, -- set when the project was stopped at its end
    -- Of the project as a whole, in the form of those of its resources (0016).
    ADD COLUMN warnings jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(warnings) = 'array');
CREATE INDEX projects_expire ON projects (expires_at) WHERE expires_at IS NOT NULL AND deleted_at IS NULL;
GRANT INSERT (expires_at), UPDATE (expires_at) ON projects TO fsa_api;
GRANT SELECT (expires_at, deletes_at, warnings) ON projects TO fsa_events;

CREATE FUNCTION without_warning(warnings jsonb, code text) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN (SELECT coalesce(jsonb_agg(w.warning ORDER BY w.place), '[]')
    FROM jsonb_array_elements(warnings) WITH ORDINALITY AS w (warning, place)
    WHERE w.warning ->> 'code' <> code);

-- Another end begins from the beginning: the warnings of the previous one no longer hold.
CREATE FUNCTION begin_lifetime() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.deletes_at := NULL;
    NEW.warnings := public.without_warning(public.without_warning(NEW.warnings, 'PROJECT_ENDING'), 'PROJECT_ENDED');
    RETURN NEW;
END
$$;
CREATE TRIGGER lifetime BEFORE UPDATE OF expires_at ON projects
    FOR EACH ROW EXECUTE FUNCTION begin_lifetime();

-- An option of fsa.conf that is a duration; NULL: no host has said yet what it is.
CREATE FUNCTION operator_duration(option text) RETURNS interval
LANGUAGE sql STABLE
RETURN (SELECT o.value::interval FROM operator_options o WHERE o.name = option);

-- As resources_set_desired of src/store/project_desired.c, for the whole of a project that the caller has locked. It is
-- never forced: where a volume is going, the reconciler waits, as for every change that nobody insisted on.
CREATE FUNCTION set_desired_for_owner(of_project uuid, asked desired) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    WITH old AS (
        SELECT r.id, r.status, told_status(asked, r.status) AS shown FROM public.resources r
        WHERE r.project_id = of_project AND r.desired NOT IN (asked, 'GONE')
    ), changed AS (
        UPDATE public.resources r SET desired = asked, status = old.shown, generation = r.generation + 1,
            verify = r.verify OR old.status = 'RUNNING',
            status_since = CASE WHEN r.status = old.shown THEN r.status_since ELSE now() END,
            cause_kind = NULL, cause_code = NULL, cause_message = NULL, cause_since = NULL,
            attempts = 0, due_at = now(), updated_at = now()
        FROM old WHERE r.id = old.id
        RETURNING r.project_id, r.kind, r.id, r.status, r.stage
    ) INSERT INTO public.events (project_id, kind, resource_id, status, stage)
        SELECT c.project_id, c.kind, c.id, c.status, c.stage FROM changed c JOIN old USING (id)
        WHERE c.status <> old.status;
    WITH changed AS (
        UPDATE public.projects p SET status = aggregated.status, updated_at = now()
        FROM (SELECT aggregate_status(array_agg(r.status)) AS status
              FROM public.resources r WHERE r.project_id = of_project) AS aggregated
        WHERE p.id = of_project AND p.status <> aggregated.status
        RETURNING p.id, p.status
    ) INSERT INTO public.events (project_id, status) SELECT changed.id, changed.status FROM changed;
END
$$;

-- Adds the warning, in the place of the one that it replaces, which is an event, too.
CREATE FUNCTION warn_project(of_project uuid, code text, message text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    WITH warned AS (
        UPDATE public.projects p SET updated_at = now(), warnings = jsonb_build_array(
            jsonb_build_object('code', code, 'message', message, 'since', iso8601(now())))
            || without_warning(CASE code WHEN 'PROJECT_ENDED' THEN without_warning(p.warnings, 'PROJECT_ENDING')
                                         ELSE p.warnings END, code)
        WHERE p.id = of_project RETURNING p.status
    ) INSERT INTO public.events (project_id, status, code, message)
        SELECT of_project, warned.status, code, message FROM warned;
END
$$;

REVOKE ALL ON FUNCTION set_desired_for_owner, warn_project FROM PUBLIC;
