-- Several sandboxes a project. The first one is made with the project, and is what /api/sandbox/:projectId is
-- about for as long as it is there; the others are additional. A program of the version before, which knows
-- of no others, writes rows that are first ones, as before.
ALTER TABLE resources
    ADD COLUMN additional boolean NOT NULL DEFAULT false,
    ADD CHECK (kind = 'SANDBOX' OR NOT additional),
    DROP CONSTRAINT resources_project_id_kind_key;
CREATE UNIQUE INDEX resources_first ON resources (project_id, kind) WHERE NOT additional;
CREATE INDEX resources_project ON resources (project_id, kind);
GRANT INSERT (additional) ON resources TO fsa_api;
GRANT SELECT (additional, created_at) ON resources TO fsa_events;

-- What its owner calls it; NULL: nothing in particular.
ALTER TABLE sandboxes ADD COLUMN display_name text
    CHECK (display_name ~ '^[A-Za-z]([A-Za-z0-9 -]{0,62}[A-Za-z0-9])?$');
GRANT INSERT (display_name) ON sandboxes TO fsa_api;

-- Which sandbox or database an event is about. NULL: the project, or an event of the version before.
ALTER TABLE events ADD COLUMN resource_id uuid;
GRANT INSERT (resource_id) ON events TO fsa_api, fsa_reconcile;

-- How many sandboxes one project may have. The first one of a project is not refused: it counts, and comes with the
-- project, of which there is a limit. Otherwise as enforce_limit() (0023).
CREATE OR REPLACE FUNCTION limit_used(of_user uuid, of_kind text) RETURNS bigint
LANGUAGE sql STABLE
RETURN CASE of_kind
    WHEN 'projects' THEN (SELECT count(*) FROM projects p WHERE p.user_id = of_user)
    -- A limit of each project: of the one that has most.
    WHEN 'sandboxes' THEN (SELECT coalesce(max(p.count), 0) FROM (
        SELECT count(*) FROM resources r WHERE r.user_id = of_user AND r.kind = 'SANDBOX'
        GROUP BY r.project_id) AS p)
END;

CREATE FUNCTION enforce_project_limit() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF public.is_operator() THEN
        RETURN NEW;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('limit ' || TG_ARGV[0] || ' ' || NEW.project_id, 0));
    IF (SELECT count(*) FROM public.resources r
        WHERE r.project_id = NEW.project_id AND r.kind = NEW.kind)
        >= public.limit_of(NEW.user_id, TG_ARGV[0], TG_ARGV[1]) THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER limited BEFORE INSERT ON resources
    FOR EACH ROW WHEN (NEW.additional)
    EXECUTE FUNCTION enforce_project_limit('sandboxes', 'sandboxes_per_project');

-- As in 0027, with the event's resource.
CREATE OR REPLACE FUNCTION delete_projects(of_user uuid) RETURNS void
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
        RETURNING r.project_id, r.kind, r.id, r.status, r.stage
    ) INSERT INTO public.events (project_id, kind, resource_id, status, stage)
        SELECT going.project_id, going.kind, going.id, going.status, going.stage FROM going;
    WITH changed AS (
        UPDATE public.projects p SET deleted_at = now(), updated_at = now(), status = 'TERMINATING'
        WHERE p.user_id = of_user AND p.deleted_at IS NULL
        RETURNING p.id, p.status
    ) INSERT INTO public.events (project_id, status) SELECT id, status FROM changed;
    DELETE FROM public.projects p WHERE p.user_id = of_user
        AND NOT EXISTS (SELECT FROM public.resources r WHERE r.project_id = p.id);
END
$$;

-- As in 0019, with the event's resource.
CREATE OR REPLACE FUNCTION renew_terminals(of_user uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    renewed bigint;
BEGIN
    PERFORM FROM public.projects p WHERE p.user_id = of_user ORDER BY p.id FOR NO KEY UPDATE;
    UPDATE public.sandboxes s SET access_generation = s.access_generation + 1
        FROM public.resources r JOIN public.projects p ON p.id = r.project_id
        WHERE p.user_id = of_user AND s.resource_id = r.id AND r.desired <> 'GONE';
    GET DIAGNOSTICS renewed = ROW_COUNT;
    WITH old AS (
        SELECT r.id, r.status, CASE WHEN r.desired <> 'RUNNING' THEN r.status
                WHEN r.status = 'RUNNING' THEN 'UPDATING'
                WHEN r.status = 'ERROR' THEN 'STARTING' ELSE r.status END AS told
        FROM public.resources r JOIN public.projects p ON p.id = r.project_id
        WHERE p.user_id = of_user AND r.kind = 'SANDBOX' AND r.desired <> 'GONE'
    ), rolled AS (
        UPDATE public.resources r SET generation = r.generation + 1, attempts = 0, due_at = now(),
            updated_at = now(), status = old.told,
            status_since = CASE WHEN r.status = old.told THEN r.status_since ELSE now() END,
            cause_kind = NULL, cause_code = NULL, cause_message = NULL, cause_since = NULL
        FROM old WHERE r.id = old.id
        RETURNING r.id, r.project_id, r.kind, r.status, r.stage
    ) INSERT INTO public.events (project_id, kind, resource_id, status, stage)
        SELECT rolled.project_id, rolled.kind, rolled.id, rolled.status, rolled.stage
        FROM rolled JOIN old USING (id) WHERE rolled.status <> old.status;
    WITH changed AS (
        UPDATE public.projects p SET status = told.status, updated_at = now()
        FROM (SELECT r.project_id, public.aggregate_status(array_agg(r.status)) AS status
            FROM public.resources r JOIN public.projects o ON o.id = r.project_id
            WHERE o.user_id = of_user GROUP BY r.project_id) AS told
        WHERE p.id = told.project_id AND p.status <> told.status
        RETURNING p.id, p.status
    ) INSERT INTO public.events (project_id, status) SELECT id, status FROM changed;
    RETURN renewed;
END
$$;
