-- How much one user may have running, and how much their volumes may hold together. Kinds of limits as those of 0023,
-- but checked after a change, over all that the user has then, because a change can start several things at once. What
-- is used of each says limit_used() in 0055.

-- When sandboxes were started, of the last hour.
CREATE TABLE sandbox_starts (
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON sandbox_starts (user_id, at);

-- A quantity of Kubernetes (200m, 0.5, 256Mi, 1e3) as a number; 0 for what is none.
CREATE FUNCTION quantity(written text) RETURNS numeric
LANGUAGE sql IMMUTABLE
RETURN (SELECT coalesce(max(parts[1]::numeric * power(10::numeric, coalesce(parts[2], '0')::integer) * CASE parts[3]
        WHEN 'n' THEN 1e-9 WHEN 'u' THEN 1e-6 WHEN 'm' THEN 1e-3
        WHEN 'k' THEN 1e3 WHEN 'M' THEN 1e6 WHEN 'G' THEN 1e9 WHEN 'T' THEN 1e12 WHEN 'P' THEN 1e15 WHEN 'E' THEN 1e18
        WHEN 'Ki' THEN 1024 WHEN 'Mi' THEN 1048576 WHEN 'Gi' THEN 1073741824 WHEN 'Ti' THEN power(1024::numeric, 4)
        WHEN 'Pi' THEN power(1024::numeric, 5) WHEN 'Ei' THEN power(1024::numeric, 6) ELSE 1 END), 0)
    FROM regexp_match(written, '^([0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([+-]?[0-9]{1,2}))?([numkMGTPE]|[KMGTPE]i)?$') AS parts);

-- Refuses the change that went over a limit. One user's changes wait for each other here until they are committed, so
-- two at once cannot both pass; the statements after the lock see those that were waited for.
CREATE FUNCTION check_quotas(owner uuid, VARIADIC kinds text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    quota text;
    used bigint;
    allowed bigint;
BEGIN
    FOREACH quota IN ARRAY kinds LOOP
        used := public.limit_used(owner, quota);
        allowed := public.limit_of(owner, quota, quota || '_per_user');
        IF used > allowed THEN
            RAISE check_violation USING MESSAGE = format('%s of %s', used, allowed), CONSTRAINT = 'limit_' || quota;
        END IF;
    END LOOP;
END
$$;

CREATE FUNCTION enforce_quotas() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('quotas ' || NEW.user_id, 0));
    IF NEW.kind = 'SANDBOX' THEN
        DELETE FROM public.sandbox_starts t WHERE t.user_id = NEW.user_id AND t.at < now() - interval '1 hour';
        INSERT INTO public.sandbox_starts (user_id) VALUES (NEW.user_id);
    END IF;
    PERFORM public.check_quotas(NEW.user_id, 'running', 'cpu', 'memory', 'starts');
    IF TG_OP = 'INSERT' THEN
        PERFORM public.check_quotas(NEW.user_id, 'storage');
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER quotas AFTER INSERT ON resources
    FOR EACH ROW WHEN (NEW.desired = 'RUNNING' AND NOT is_operator()) EXECUTE FUNCTION enforce_quotas();
CREATE TRIGGER quotas_of_start AFTER UPDATE OF desired ON resources
    FOR EACH ROW WHEN (NEW.desired = 'RUNNING' AND OLD.desired <> 'RUNNING' AND NOT is_operator())
    EXECUTE FUNCTION enforce_quotas();

-- A sandbox that runs gets a larger size.
CREATE FUNCTION enforce_quotas_of_size() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    owner uuid;
BEGIN
    SELECT r.user_id INTO owner FROM public.resources r WHERE r.id = NEW.resource_id AND r.desired = 'RUNNING';
    IF FOUND THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('quotas ' || owner, 0));
        PERFORM public.check_quotas(owner, 'cpu', 'memory');
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER quotas AFTER UPDATE OF size ON sandboxes
    FOR EACH ROW WHEN (NOT is_operator() AND (quantity(NEW.cpu_limit) > quantity(OLD.cpu_limit)
                       OR quantity(NEW.memory_limit) > quantity(OLD.memory_limit)))
    EXECUTE FUNCTION enforce_quotas_of_size();

REVOKE ALL ON FUNCTION check_quotas, enforce_quotas, enforce_quotas_of_size FROM PUBLIC;
GRANT SELECT ON sandbox_starts TO fsa_api;
