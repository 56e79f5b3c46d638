-- What is different in some clusters from what fsa.conf says: a table of the administrator (fsactl cluster), by the
-- addresses of API servers. As with sizes (0035), what it says is copied into the rows of what is created there, so a
-- later change moves nothing. NULL: as in fsa.conf.
CREATE TABLE cluster_settings (
    server text PRIMARY KEY CHECK (server LIKE 'https://_%' AND length(server) <= 512),
    ingress_domain text CHECK (length(ingress_domain) <= 200
                               AND ingress_domain ~ '^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$'),
    ingress_class text CHECK (length(ingress_class) <= 253 AND ingress_class ~ '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$'),
    storage_class text CHECK (length(storage_class) <= 253 AND storage_class ~ '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$')
);
GRANT SELECT ON cluster_settings TO fsa_api;

ALTER TABLE resources
    ADD COLUMN ingress_class text,
    ADD COLUMN storage_class text;

-- These run after the triggers `complete`: triggers run in the order of their names.
CREATE FUNCTION apply_cluster_settings() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    SELECT s.ingress_class, s.storage_class INTO NEW.ingress_class, NEW.storage_class
        FROM public.cluster_settings s WHERE s.server = NEW.server;
    RETURN NEW;
END
$$;
CREATE TRIGGER placed BEFORE INSERT ON resources
    FOR EACH ROW EXECUTE FUNCTION apply_cluster_settings();

CREATE FUNCTION apply_cluster_domain() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    domain text;
BEGIN
    SELECT s.ingress_domain INTO domain FROM public.resources r JOIN public.cluster_settings s ON s.server = r.server
        WHERE r.id = NEW.resource_id;
    IF domain IS NOT NULL THEN
        NEW.app_host := split_part(NEW.app_host, '.', 1) || '.' || domain;
        NEW.ttyd_host := split_part(NEW.ttyd_host, '.', 1) || '.' || domain;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER placed BEFORE INSERT ON sandboxes
    FOR EACH ROW EXECUTE FUNCTION apply_cluster_domain();
