-- What api.fcgi may put into a new row, if somebody takes it over: what a user asks for, and not what
-- the operator decides. Image, sizes and the domain of hosts come from a table that the operator's
-- programs write; names and hosts are made here; the namespace is that of the owner's kubeconfig.

-- What fsa.conf says about new sandboxes and databases, by the names of its options. Written by
-- `fsactl migrate` and by fsa-reconcile when it starts (src/store/operator.c).
CREATE TABLE operator_options (
    name  text PRIMARY KEY CHECK (length(name) <= 64),
    value text NOT NULL CHECK (length(value) BETWEEN 1 AND 1024)
);
GRANT SELECT ON operator_options TO fsa_api;
GRANT SELECT, INSERT, UPDATE ON operator_options TO fsa_reconcile;

CREATE FUNCTION operator_option(option text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found text;
BEGIN
    SELECT value INTO found FROM public.operator_options WHERE name = option;
    IF found IS NULL THEN
        RAISE EXCEPTION '% is not set in fsa.conf, or fsa-reconcile has not started with it', option;
    END IF;
    RETURN found;
END
$$;

-- Up to twelve random letters, each from a byte of its own that is random in such a UUID.
CREATE FUNCTION random_letters(count integer) RETURNS text
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(chr(ascii('a') + get_byte(random.bytes, place) % 26), '')
    FROM (SELECT uuid_send(gen_random_uuid()) AS bytes) AS random,
        unnest((ARRAY[0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15])[:count]) AS place
$$;

-- The schema's owner may say otherwise, as an import does that keeps a database's name.
CREATE FUNCTION is_operator() RETURNS boolean
LANGUAGE sql STABLE
RETURN pg_has_role(current_user, 'fsa_owner', 'USAGE');

CREATE FUNCTION complete_resource() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    kube_name text;
BEGIN
    IF NOT public.is_operator() THEN
        SELECT k.namespace, k.server INTO NEW.namespace, NEW.server
            FROM public.kubeconfigs k WHERE k.user_id = NEW.user_id;
        NEW.name := NULL;
    END IF;
    IF NEW.name IS NULL THEN
        SELECT p.kube_name INTO kube_name FROM public.projects p WHERE p.id = NEW.project_id;
        NEW.name := kube_name || CASE NEW.kind WHEN 'SANDBOX' THEN '-agentruntime-' ELSE '-db-' END
            || public.random_letters(6);
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION complete_sandbox() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    domain text;
    letters text;
BEGIN
    IF NEW.app_host IS NULL OR NOT public.is_operator() THEN
        domain := public.operator_option('ingress_domain');
        letters := public.random_letters(12);
        NEW.app_host := letters || '.' || domain;
        NEW.ttyd_host := letters || '-ttyd.' || domain;
        NEW.image := public.operator_option('runtime_image');
        NEW.home_size := public.operator_option('home_size');
        NEW.cpu_request := public.operator_option('sandbox_cpu_request');
        NEW.cpu_limit := public.operator_option('sandbox_cpu_limit');
        NEW.memory_request := public.operator_option('sandbox_memory_request');
        NEW.memory_limit := public.operator_option('sandbox_memory_limit');
        NEW.storage_limit := public.operator_option('sandbox_storage_limit');
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION complete_database() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NEW.version IS NULL OR NOT public.is_operator() THEN
        NEW.version := public.operator_option('postgres_version');
        NEW.storage_size := public.operator_option('postgres_storage');
        NEW.cpu_request := public.operator_option('postgres_cpu_request');
        NEW.cpu_limit := public.operator_option('postgres_cpu_limit');
        NEW.memory_request := public.operator_option('postgres_memory_request');
        NEW.memory_limit := public.operator_option('postgres_memory_limit');
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER complete BEFORE INSERT ON resources
    FOR EACH ROW EXECUTE FUNCTION complete_resource();
CREATE TRIGGER complete BEFORE INSERT ON sandboxes
    FOR EACH ROW EXECUTE FUNCTION complete_sandbox();
CREATE TRIGGER complete BEFORE INSERT ON databases
    FOR EACH ROW EXECUTE FUNCTION complete_database();

-- Column by column what each program's statements write, and no more: no line of the audit with a time
-- of its own, no row given to another owner, no database with a connection that nobody made. The columns
-- that the triggers above write anyway are still there for api.fcgi of the version before.
-- tests/store/golden/rights.txt is the whole of it.
REVOKE INSERT ON sandboxes, databases, projects, resources, environment, user_config, idempotency,
    kubeconfigs, events, audit, live_changes FROM fsa_api;
REVOKE UPDATE ON environment, user_config, idempotency, kubeconfigs, projects, resources FROM fsa_api;
REVOKE DELETE ON kubeconfigs, idempotency FROM fsa_api;
GRANT INSERT (user_id, name, description, kube_name) ON projects TO fsa_api;
GRANT UPDATE (name, description, status, updated_at, deleted_at) ON projects TO fsa_api;
GRANT INSERT (id, project_id, user_id, kind, name, namespace, server) ON resources TO fsa_api;
GRANT UPDATE (desired, generation, status, status_since, stage, cause_kind, cause_code,
              cause_message, cause_since, due_at, attempts, verify, updated_at)
    ON resources TO fsa_api;
GRANT INSERT (resource_id, app_host, ttyd_host, terminal_token_sealed, request_env_sealed, image,
              home_size, cpu_request, cpu_limit, memory_request, memory_limit, storage_limit)
    ON sandboxes TO fsa_api;
GRANT INSERT (resource_id, version, storage_size, cpu_request, cpu_limit, memory_request,
              memory_limit) ON databases TO fsa_api;
GRANT INSERT (project_id, key, category, is_secret, value_sealed) ON environment TO fsa_api;
GRANT UPDATE (category, is_secret, value_sealed, updated_at) ON environment TO fsa_api;
GRANT INSERT (user_id, key, value_sealed) ON user_config TO fsa_api;
GRANT UPDATE (value, value_sealed, updated_at) ON user_config TO fsa_api;
GRANT INSERT (user_id, key, fingerprint) ON idempotency TO fsa_api;
GRANT UPDATE (fingerprint, http_status, body, body_sealed, created_at) ON idempotency TO fsa_api;
GRANT INSERT (user_id, sealed, server, namespace, account, expires_at) ON kubeconfigs TO fsa_api;
GRANT UPDATE (sealed, server, namespace, account, expires_at, version, updated_at)
    ON kubeconfigs TO fsa_api;
GRANT INSERT (project_id, kind, status, stage) ON events TO fsa_api;
GRANT INSERT (user_id, identity_id, action, object_type, object_id, address, request_id, detail)
    ON audit TO fsa_api;
GRANT INSERT (user_id, project_id) ON live_changes TO fsa_api;

REVOKE INSERT ON users, identities, sessions, api_tokens, pending_logins, kubeconfigs, audit,
    live_changes FROM fsa_auth;
REVOKE UPDATE ON identities, sessions, kubeconfigs FROM fsa_auth;
GRANT INSERT (name) ON users TO fsa_auth;
GRANT INSERT (user_id, provider, provider_user_id, password_hash, token_sealed, metadata,
              is_primary) ON identities TO fsa_auth;
GRANT UPDATE (password_hash, token_sealed, metadata, is_primary, updated_at)
    ON identities TO fsa_auth;
GRANT INSERT (id_hash, user_id, identity_id, expires_at, address, user_agent)
    ON sessions TO fsa_auth;
GRANT UPDATE (last_seen_at) ON sessions TO fsa_auth;
GRANT INSERT (user_id, identity_id, name, token_hash, can_write, expires_at)
    ON api_tokens TO fsa_auth;
GRANT INSERT (state_hash, verifier_hash, provider, user_id, return_to, expires_at)
    ON pending_logins TO fsa_auth;
GRANT INSERT (user_id, sealed, server, namespace, account, expires_at) ON kubeconfigs TO fsa_auth;
GRANT UPDATE (sealed, server, namespace, account, expires_at, version, updated_at)
    ON kubeconfigs TO fsa_auth;
GRANT INSERT (user_id, identity_id, action, object_type, object_id, address, request_id, detail)
    ON audit TO fsa_auth;
GRANT INSERT (user_id, project_id) ON live_changes TO fsa_auth;

REVOKE INSERT ON events, live_changes FROM fsa_reconcile;
GRANT INSERT (project_id, kind, status, stage, code, message) ON events TO fsa_reconcile;
GRANT INSERT (user_id, project_id) ON live_changes TO fsa_reconcile;
