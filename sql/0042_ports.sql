-- Ports of a sandbox that are open to the internet, each at an address of its own, besides those of the application
-- (3000) and of the terminal (7681).
CREATE TABLE ports (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    resource_id uuid NOT NULL REFERENCES sandboxes ON DELETE CASCADE,
    port integer NOT NULL CHECK (port BETWEEN 1 AND 65535 AND port NOT IN (3000, 7681)),
    -- What its owner calls it; NULL: nothing in particular.
    name text CHECK (name ~ '^[A-Za-z]([A-Za-z0-9 -]{0,62}[A-Za-z0-9])?$'),
    -- Who may connect.
    access text NOT NULL CHECK (access IN ('public')),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (resource_id, port)
);
GRANT SELECT, DELETE, INSERT (resource_id, port, name, access), UPDATE (name, access) ON ports TO fsa_api;
GRANT SELECT ON ports TO fsa_reconcile;

-- As in 0030, with the ports of the sandbox that has most.
CREATE OR REPLACE FUNCTION limit_used(of_user uuid, of_kind text) RETURNS bigint
LANGUAGE sql STABLE
RETURN CASE of_kind
    WHEN 'projects' THEN (SELECT count(*) FROM projects p WHERE p.user_id = of_user)
    -- A limit of each project: of the one that has most.
    WHEN 'sandboxes' THEN (SELECT coalesce(max(p.count), 0) FROM (
        SELECT count(*) FROM resources r WHERE r.user_id = of_user AND r.kind = 'SANDBOX'
        GROUP BY r.project_id) AS p)
    WHEN 'ports' THEN (SELECT coalesce(max(s.count), 0) FROM (
        SELECT count(*) FROM resources r JOIN ports p ON p.resource_id = r.id WHERE r.user_id = of_user
        GROUP BY r.id) AS s)
END;

-- As enforce_limit() (0023), for the ports of one sandbox. One that is open already is not a further one.
CREATE FUNCTION enforce_port_limit() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    owner uuid;
BEGIN
    IF public.is_operator() THEN
        RETURN NEW;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('limit ' || TG_ARGV[0] || ' ' || NEW.resource_id, 0));
    SELECT r.user_id INTO owner FROM public.resources r WHERE r.id = NEW.resource_id;
    IF (SELECT count(*) FROM public.ports p WHERE p.resource_id = NEW.resource_id AND p.port <> NEW.port)
        >= public.limit_of(owner, TG_ARGV[0], TG_ARGV[1]) THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER limited BEFORE INSERT ON ports
    FOR EACH ROW EXECUTE FUNCTION enforce_port_limit('ports', 'ports_per_sandbox');
