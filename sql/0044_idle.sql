-- Projects in which nothing happens are stopped. The reconciler asks sandboxd, at the resync of a sandbox that runs, what
-- has happened there last; the countdown is decided here, by the database's clock.
ALTER TABLE projects
    ADD COLUMN idle_after interval CHECK (idle_after >= '0'), -- NULL: idle_time of fsa.conf; 0: never
    ADD COLUMN keep_until timestamptz,                        -- not before
    ADD COLUMN idle_stops_at timestamptz;                     -- as its owner was warned; NULL: no countdown
ALTER TABLE sandboxes
    ADD COLUMN active_at timestamptz,                       -- when something last happened in it,
    ADD COLUMN activity text CHECK (length(activity) <= 200), -- and what
    ADD COLUMN looked_at timestamptz;                       -- the last time that sandboxd answered
CREATE INDEX projects_countdown ON projects (idle_stops_at) WHERE idle_stops_at IS NOT NULL;
CREATE INDEX sandboxes_looked ON sandboxes (looked_at) WHERE looked_at IS NOT NULL;
GRANT UPDATE (idle_after, keep_until) ON projects TO fsa_api;
GRANT UPDATE (active_at, activity, looked_at) ON sandboxes TO fsa_reconcile;
GRANT SELECT (keep_until, idle_stops_at) ON projects TO fsa_events;

CREATE FUNCTION idle_limit(idle_after interval) RETURNS interval
LANGUAGE sql STABLE
RETURN coalesce(idle_after, operator_duration('idle_time'), '0');

-- What its owner changes ends the countdown: the next one begins from the beginning.
CREATE FUNCTION end_countdown() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.idle_stops_at := NULL;
    NEW.warnings := public.without_warning(NEW.warnings, 'PROJECT_IDLE');
    RETURN NEW;
END
$$;
CREATE TRIGGER countdown BEFORE UPDATE OF idle_after, keep_until ON projects
    FOR EACH ROW EXECUTE FUNCTION end_countdown();

DROP TRIGGER live_change ON projects;
CREATE TRIGGER live_change
    AFTER UPDATE OF name, status, expires_at, deletes_at, warnings, deleted_at, trash_until, idle_after, keep_until,
        idle_stops_at ON projects
    FOR EACH ROW WHEN ((OLD.name, OLD.status, OLD.expires_at, OLD.deletes_at, OLD.warnings, OLD.deleted_at,
                        OLD.trash_until, OLD.idle_after, OLD.keep_until, OLD.idle_stops_at) IS DISTINCT FROM
                       (NEW.name, NEW.status, NEW.expires_at, NEW.deletes_at, NEW.warnings, NEW.deleted_at,
                        NEW.trash_until, NEW.idle_after, NEW.keep_until, NEW.idle_stops_at))
    EXECUTE FUNCTION tell_of_project();

-- What is known of the sandboxes of a project that are to run: how many, since when nothing happens in any of them, and
-- whether all of them were looked at a moment ago. One that starts or is replaced is not known.
CREATE FUNCTION idle_state(of_project uuid, OUT running bigint, OUT since timestamptz, OUT known boolean)
LANGUAGE sql STABLE
AS $$
    SELECT count(*), max(greatest(s.active_at, r.status_since)),
        coalesce(bool_and(r.status = 'RUNNING' AND s.looked_at > now() - interval '1 minute'
            AND s.looked_at > r.status_since), false)
    FROM resources r JOIN sandboxes s ON s.resource_id = r.id
    WHERE r.project_id = of_project AND r.desired = 'RUNNING'
$$;

-- Called again and again; only what there is something to do about is locked. Only a project whose sandboxes were looked at
-- in the last minute is stopped, so nothing is decided by what was true before an outage; and it was warned before, for
-- idle_warning, and looked at again after the time of which its owner was warned: what happened between a look and that time
-- would not be seen.
CREATE FUNCTION stop_idle_projects() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    warning interval := operator_duration('idle_warning');
    project record;
    state record;
    stops timestamptz;
BEGIN
    IF EXISTS (SELECT FROM public.maintenance) THEN
        RETURN; -- its owner could not keep it
    END IF;
    FOR project IN
        SELECT p.id, p.keep_until, p.idle_stops_at, idle_limit(p.idle_after) AS allowed
        FROM public.projects p CROSS JOIN LATERAL idle_state(p.id) AS s
        WHERE p.id IN (SELECT r.project_id FROM sandboxes s JOIN resources r ON r.id = s.resource_id
                       WHERE s.looked_at > now() - interval '1 minute'
                       UNION ALL SELECT c.id FROM projects c WHERE c.idle_stops_at IS NOT NULL)
            AND p.deleted_at IS NULL
            AND CASE WHEN s.running = 0 OR idle_limit(p.idle_after) = '0'
                          OR now() < greatest(s.since + idle_limit(p.idle_after), p.keep_until) - warning
                     THEN p.idle_stops_at IS NOT NULL
                     WHEN NOT s.known THEN false
                     ELSE p.idle_stops_at IS NULL OR p.idle_stops_at <= now() END
        ORDER BY p.id LIMIT 100 FOR NO KEY UPDATE OF p SKIP LOCKED
    LOOP
        state := idle_state(project.id);
        stops := greatest(state.since + project.allowed, project.keep_until);
        IF state.running = 0 OR project.allowed = '0' OR now() < stops - warning THEN
            UPDATE public.projects p SET idle_stops_at = NULL, warnings = without_warning(p.warnings, 'PROJECT_IDLE')
                WHERE p.id = project.id AND p.idle_stops_at IS NOT NULL;
        ELSIF NOT state.known THEN
            CONTINUE;
        ELSIF project.idle_stops_at IS NULL THEN
            stops := greatest(stops, now() + warning);
            UPDATE public.projects p SET idle_stops_at = stops WHERE p.id = project.id;
            PERFORM warn_project(project.id, 'PROJECT_IDLE', format('Nothing has happened in it since %s. It stops at %s.',
                iso8601(state.since), iso8601(stops)));
        ELSIF greatest(stops, project.idle_stops_at) <= (SELECT min(s.looked_at)
                FROM sandboxes s JOIN resources r ON r.id = s.resource_id
                WHERE r.project_id = project.id AND r.desired = 'RUNNING') THEN
            PERFORM set_desired_for_owner(project.id, 'STOPPED');
            UPDATE public.projects p SET idle_stops_at = NULL, warnings = without_warning(p.warnings, 'PROJECT_IDLE')
                WHERE p.id = project.id;
            INSERT INTO public.events (project_id, status, code, message)
                SELECT p.id, p.status, 'PROJECT_IDLE_STOPPED', format('Nothing had happened in it since %s.',
                    iso8601(state.since)) FROM public.projects p WHERE p.id = project.id;
        END IF;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION idle_state, stop_idle_projects FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stop_idle_projects TO fsa_reconcile;

-- Whether a sandbox is to be asked at its next observation: what happened last there does not show any more that it is
-- not idle. So one in which somebody works is asked once in its idle time, and not at each resync.
CREATE FUNCTION is_look_due(idle_after interval, active_at timestamptz) RETURNS boolean
LANGUAGE sql STABLE
RETURN idle_limit(idle_after) > '0' AND coalesce(
    now() >= active_at + greatest(idle_limit(idle_after) - operator_duration('idle_warning'), '0'), true);
