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
