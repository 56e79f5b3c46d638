-- One role a program, with only the rights it needs. They log in without a password: pg_hba.conf
-- decides which system user may be which (peer), or an administrator sets one.

DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['fsa_api', 'fsa_auth', 'fsa_reconcile'] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = role);
        BEGIN
            EXECUTE format('CREATE ROLE %I LOGIN', role);
            -- A program drops its connection when a statement's time is up. This is how the server
            -- learns of it while it still works on the statement, or waits for a lock.
            EXECUTE format('ALTER ROLE %I SET client_connection_check_interval = %L', role, '1s');
            -- Nothing but statements happens inside a transaction of ours.
            EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = %L', role,
                           '1min');
        EXCEPTION
            -- Roles belong to the whole server: another database's migration was faster.
            WHEN duplicate_object OR unique_violation THEN
                NULL;
        END;
    END LOOP;
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO fsa_api, fsa_auth, fsa_reconcile;
GRANT SELECT ON schema_migrations TO fsa_api, fsa_auth, fsa_reconcile;

-- api.fcgi: desired state. Of the queue it may write what a user's wish changes, never a lease; it
-- may store a kubeconfig and cannot read it back.
GRANT SELECT ON users, sessions, projects, resources, sandboxes, databases, environment, events,
    audit, user_config, idempotency TO fsa_api;
GRANT UPDATE (last_seen_at) ON sessions TO fsa_api;
GRANT INSERT, UPDATE, DELETE ON user_config TO fsa_api;
GRANT INSERT, UPDATE, DELETE ON idempotency TO fsa_api;
GRANT SELECT (user_id, server, namespace, account, expires_at, version, updated_at)
    ON kubeconfigs TO fsa_api;
GRANT INSERT, UPDATE, DELETE ON kubeconfigs TO fsa_api;
GRANT INSERT (user_id, name, description, kube_name, github_repo) ON projects TO fsa_api;
GRANT UPDATE (name, description, github_repo, status, updated_at, deleted_at) ON projects TO fsa_api;
GRANT DELETE ON projects TO fsa_api;
GRANT INSERT (id, project_id, user_id, kind, name, namespace, server, desired, status, stage)
    ON resources TO fsa_api;
GRANT UPDATE (desired, generation, status, status_since, stage, cause_kind, cause_code,
              cause_message, cause_since, due_at, attempts, updated_at) ON resources TO fsa_api;
GRANT INSERT, UPDATE ON sandboxes TO fsa_api;
GRANT INSERT ON databases TO fsa_api;
GRANT INSERT, UPDATE, DELETE ON environment TO fsa_api;
GRANT INSERT ON events, audit TO fsa_api;

-- auth.fcgi: people.
GRANT SELECT, INSERT ON users TO fsa_auth;
GRANT SELECT, INSERT, UPDATE, DELETE ON identities, sessions TO fsa_auth;
GRANT INSERT ON audit TO fsa_auth;

-- fsa-reconcile: the queue, what is told, and the rows that go.
GRANT SELECT ON users, projects, resources, sandboxes, databases, environment, kubeconfigs
    TO fsa_reconcile;
GRANT UPDATE (status, updated_at) ON projects TO fsa_reconcile;
GRANT DELETE ON projects, resources, idempotency, sessions TO fsa_reconcile;
GRANT SELECT (id_hash, expires_at, last_seen_at) ON sessions TO fsa_reconcile;
GRANT SELECT (user_id, key, created_at) ON idempotency TO fsa_reconcile;
GRANT UPDATE (status, status_since, stage, cause_kind, cause_code, cause_message, cause_since,
              due_at, attempts, lease_epoch, leased_until, leased_by, updated_at)
    ON resources TO fsa_reconcile;
GRANT UPDATE (host, port, database, username, password_sealed) ON databases TO fsa_reconcile;
GRANT INSERT ON events TO fsa_reconcile;
