-- As in 0044, but a project is stopped only by a look that was made after the time that its owner was told: what happened
-- between a look and that time would not be seen.
CREATE OR REPLACE FUNCTION stop_idle_projects() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    warning interval := operator_duration('idle_warning');
    project record;
    state record;
    stops timestamptz;
BEGIN
    FOR project IN
        SELECT p.id, p.keep_until, p.idle_stops_at, idle_limit(p.idle_after) AS allowed FROM public.projects p
        WHERE p.id IN (SELECT r.project_id FROM sandboxes s JOIN resources r ON r.id = s.resource_id
                       WHERE s.looked_at > now() - interval '1 minute'
                       UNION ALL SELECT c.id FROM projects c WHERE c.idle_stops_at IS NOT NULL)
            AND p.deleted_at IS NULL
        ORDER BY p.id FOR NO KEY UPDATE SKIP LOCKED
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

-- Whether a sandbox is to be asked at its next observation: what happened last there does not show any more that it is
-- not idle. So one in which somebody works is asked once in its idle time, and not at each resync.
CREATE FUNCTION is_look_due(idle_after interval, active_at timestamptz) RETURNS boolean
LANGUAGE sql STABLE
RETURN idle_limit(idle_after) > '0' AND coalesce(
    now() >= active_at + greatest(idle_limit(idle_after) - operator_duration('idle_warning'), '0'), true);
