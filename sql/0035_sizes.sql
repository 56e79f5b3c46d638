-- Sizes that a site offers for sandboxes: a table of the administrator (fsactl size), from which owners choose. What a
-- size gives is copied into the sandbox's row, so a size that is changed or removed later changes no sandbox.
CREATE TABLE sizes (
    name text PRIMARY KEY CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$'),
    description text NOT NULL CHECK (length(description) <= 200),
    cpu_request text NOT NULL CHECK (length(cpu_request) BETWEEN 1 AND 32),
    cpu_limit text NOT NULL CHECK (length(cpu_limit) BETWEEN 1 AND 32),
    memory_request text NOT NULL CHECK (length(memory_request) BETWEEN 1 AND 32),
    memory_limit text NOT NULL CHECK (length(memory_limit) BETWEEN 1 AND 32),
    storage_limit text NOT NULL CHECK (length(storage_limit) BETWEEN 1 AND 32)
);
GRANT SELECT ON sizes TO fsa_api;

-- NULL: what fsa.conf says of new sandboxes.
ALTER TABLE sandboxes ADD COLUMN size text;
GRANT INSERT (size), UPDATE (size) ON sandboxes TO fsa_api;

-- Runs after the trigger `complete`: triggers run in the order of their names.
CREATE FUNCTION apply_size() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NEW.size IS NOT NULL THEN
        SELECT s.cpu_request, s.cpu_limit, s.memory_request, s.memory_limit, s.storage_limit
            INTO NEW.cpu_request, NEW.cpu_limit, NEW.memory_request, NEW.memory_limit, NEW.storage_limit
            FROM public.sizes s WHERE s.name = NEW.size;
        IF NOT FOUND THEN
            RAISE foreign_key_violation USING MESSAGE = 'there is no such size', CONSTRAINT = 'sandboxes_size';
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        NEW.cpu_request := public.operator_option('sandbox_cpu_request');
        NEW.cpu_limit := public.operator_option('sandbox_cpu_limit');
        NEW.memory_request := public.operator_option('sandbox_memory_request');
        NEW.memory_limit := public.operator_option('sandbox_memory_limit');
        NEW.storage_limit := public.operator_option('sandbox_storage_limit');
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER sized BEFORE INSERT OR UPDATE OF size ON sandboxes
    FOR EACH ROW EXECUTE FUNCTION apply_size();
