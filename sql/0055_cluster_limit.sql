-- As in 0030, with the ports of the sandbox that has most, the quotas (0045: millicores, MiB and GiB; what is stopped,
-- and what is in the trash, holds volumes), and the clusters.
CREATE OR REPLACE FUNCTION limit_used(of_user uuid, of_kind text) RETURNS bigint
LANGUAGE sql STABLE
RETURN CASE of_kind
    WHEN 'projects' THEN (SELECT count(*) FROM projects p WHERE p.user_id = of_user)
    WHEN 'clusters' THEN (SELECT count(*) FROM clusters c WHERE c.user_id = of_user)
    -- A limit of each project: of the one that has most.
    WHEN 'sandboxes' THEN (SELECT coalesce(max(p.count), 0) FROM (
        SELECT count(*) FROM resources r WHERE r.user_id = of_user AND r.kind = 'SANDBOX'
        GROUP BY r.project_id) AS p)
    WHEN 'ports' THEN (SELECT coalesce(max(s.count), 0) FROM (
        SELECT count(*) FROM resources r JOIN ports p ON p.resource_id = r.id WHERE r.user_id = of_user
        GROUP BY r.id) AS s)
    WHEN 'running' THEN (SELECT count(*) FROM resources r
        WHERE r.user_id = of_user AND r.kind = 'SANDBOX' AND r.desired = 'RUNNING')
    WHEN 'cpu' THEN (SELECT ceil(coalesce(sum(quantity(coalesce(s.cpu_limit, d.cpu_limit))), 0) * 1000)::bigint
        FROM resources r LEFT JOIN sandboxes s ON s.resource_id = r.id LEFT JOIN databases d ON d.resource_id = r.id
        WHERE r.user_id = of_user AND r.desired = 'RUNNING')
    WHEN 'memory' THEN (SELECT ceil(coalesce(sum(quantity(coalesce(s.memory_limit, d.memory_limit))), 0) / 1048576)::bigint
        FROM resources r LEFT JOIN sandboxes s ON s.resource_id = r.id LEFT JOIN databases d ON d.resource_id = r.id
        WHERE r.user_id = of_user AND r.desired = 'RUNNING')
    WHEN 'storage' THEN (SELECT ceil(coalesce(sum(quantity(coalesce(s.home_size, d.storage_size))), 0) / 1073741824)::bigint
        FROM resources r LEFT JOIN sandboxes s ON s.resource_id = r.id LEFT JOIN databases d ON d.resource_id = r.id
        WHERE r.user_id = of_user)
    WHEN 'starts' THEN (SELECT count(*) FROM sandbox_starts t
        WHERE t.user_id = of_user AND t.at > now() - interval '1 hour')
END;

-- As enforce_limit(), but a kubeconfig that is replaced is none that is added. The default cluster counts and is never
-- refused, as it comes with a login by Sealos.
CREATE FUNCTION enforce_cluster_limit() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF public.is_operator() OR EXISTS (SELECT FROM public.clusters c WHERE c.id = NEW.id) THEN
        RETURN NEW;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('limit ' || TG_ARGV[0] || ' ' || NEW.user_id, 0));
    IF public.limit_used(NEW.user_id, TG_ARGV[0])
        >= public.limit_of(NEW.user_id, TG_ARGV[0], TG_ARGV[1]) THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER limited BEFORE INSERT ON clusters
    FOR EACH ROW WHEN (NEW.id <> NEW.user_id) EXECUTE FUNCTION enforce_cluster_limit('clusters', 'clusters_per_user');
