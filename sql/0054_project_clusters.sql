-- The cluster that a project is in. See 0052.
LOCK TABLE clusters IN SHARE ROW EXCLUSIVE MODE;

-- NULL: in the user's default cluster.
ALTER TABLE projects
    ADD COLUMN cluster_id uuid CHECK (cluster_id <> user_id),
    ADD CONSTRAINT projects_cluster FOREIGN KEY (cluster_id, user_id) REFERENCES clusters (id, user_id);
CREATE INDEX ON projects (cluster_id) WHERE cluster_id IS NOT NULL;
GRANT INSERT (cluster_id) ON projects TO fsa_api;

-- As make_resources_due(), of the projects in one cluster.
CREATE FUNCTION make_cluster_due(of_cluster uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    ids uuid[];
BEGIN
    SELECT array_agg(p.id) INTO ids FROM public.clusters c JOIN public.projects p ON p.user_id = c.user_id
        WHERE c.id = of_cluster AND coalesce(p.cluster_id, p.user_id) = c.id;
    PERFORM FROM public.projects p WHERE p.id = ANY (ids) ORDER BY p.id FOR NO KEY UPDATE;
    UPDATE public.resources r SET due_at = now(), attempts = 0 WHERE r.project_id = ANY (ids);
END
$$;
REVOKE ALL ON FUNCTION make_cluster_due FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_cluster_due TO fsa_api, fsa_auth;

-- As in 0017, but what is added to a project later is placed where the rest of it is, and its first resource in its
-- cluster. The kubeconfig of that cluster may have been replaced by one for another place since.
CREATE OR REPLACE FUNCTION complete_resource() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    project public.projects;
BEGIN
    SELECT * INTO project FROM public.projects p WHERE p.id = NEW.project_id;
    IF NOT public.is_operator() THEN
        SELECT r.namespace, r.server INTO NEW.namespace, NEW.server FROM public.resources r
            WHERE r.project_id = NEW.project_id ORDER BY r.created_at, r.id LIMIT 1;
        IF NOT FOUND THEN
            SELECT c.namespace, c.server INTO NEW.namespace, NEW.server FROM public.clusters c
                WHERE c.id = coalesce(project.cluster_id, project.user_id);
        END IF;
        NEW.name := NULL;
    END IF;
    IF NEW.name IS NULL THEN
        NEW.name := project.kube_name || CASE NEW.kind WHEN 'SANDBOX' THEN '-agentruntime-' ELSE '-db-' END
            || public.random_letters(6);
    END IF;
    RETURN NEW;
END
$$;
