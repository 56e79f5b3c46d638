-- A terminal's token can be withdrawn: it is made of the sandbox's secret and this number, which every
-- start raises, and everything that ends somebody's access. 0: the secret itself, as it was before.
ALTER TABLE sandboxes ADD COLUMN access_generation bigint NOT NULL DEFAULT 0;
GRANT UPDATE (access_generation) ON sandboxes TO fsa_api;

-- All terminals of a user get other tokens; those that run restart with theirs. Returns how many there
-- are. A function of the owner's, so that auth.fcgi needs no right to see what people have. Projects are
-- locked first, in the order of their ids, as everywhere. With "public" in the path, which only the owner may
-- write to: the triggers of these tables name others without it.
CREATE FUNCTION renew_terminals(of_user uuid) RETURNS bigint
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
    ) INSERT INTO public.events (project_id, kind, status, stage)
        SELECT rolled.project_id, rolled.kind, rolled.status, rolled.stage
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
REVOKE ALL ON FUNCTION renew_terminals FROM PUBLIC;
GRANT EXECUTE ON FUNCTION renew_terminals TO fsa_auth;
