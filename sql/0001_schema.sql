-- The schema. Applied by `fsactl migrate` in one transaction, as fsa_owner.
--
-- Three groups of tables: people (users, identities, sessions, configuration), what they want
-- (projects, resources with their sandboxes or databases, environment), and what happened (events,
-- audit, idempotency). The reconciler's queue is the table of resources itself.

CREATE TYPE auth_provider AS ENUM ('PASSWORD', 'GITHUB', 'SEALOS', 'GOOGLE');

-- The same words as in src/domain/types.h; a test compares them.
CREATE TYPE resource_kind AS ENUM ('SANDBOX', 'DATABASE');
CREATE TYPE desired AS ENUM ('RUNNING', 'STOPPED', 'GONE');
CREATE TYPE status AS ENUM ('CREATING', 'STARTING', 'RUNNING', 'UPDATING', 'STOPPING', 'STOPPED',
                            'TERMINATING', 'TERMINATED', 'ERROR', 'PARTIAL');
CREATE TYPE stage AS ENUM ('database', 'container', 'network', 'terminal', 'ready');

-- The time as clients see it: ISO 8601, UTC, milliseconds, whatever the session's settings.
CREATE FUNCTION iso8601(t timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

-- A project's status from those of its resources: the first rule that holds. The same as
-- status_aggregate() in src/domain/project.c; a test compares them for every set of statuses.
CREATE FUNCTION aggregate_status(statuses status[]) RETURNS status
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN coalesce(cardinality(statuses), 0) = 0 THEN 'TERMINATED'::status
    WHEN 'ERROR' = ANY (statuses) THEN 'ERROR'
    WHEN 'CREATING' = ANY (statuses) THEN 'CREATING'
    WHEN 'UPDATING' = ANY (statuses) THEN 'UPDATING'
    WHEN statuses <@ ARRAY[statuses[1]] THEN statuses[1]
    WHEN statuses <@ ARRAY['RUNNING', 'STARTING']::status[] THEN 'STARTING'
    WHEN statuses <@ ARRAY['STOPPED', 'STOPPING']::status[] THEN 'STOPPING'
    WHEN statuses <@ ARRAY['TERMINATED', 'TERMINATING']::status[] THEN 'TERMINATING'
    ELSE 'PARTIAL'
END;

-- What the owner of a resource is told at once when they ask for a state. Only what is not there
-- yet, or no more, is CREATING; STARTING is told when there is something to start.
CREATE FUNCTION told_status(wanted desired, told status) RETURNS status
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE wanted
    WHEN 'GONE' THEN 'TERMINATING'::status
    WHEN 'STOPPED' THEN CASE told WHEN 'STOPPED' THEN told ELSE 'STOPPING' END
    ELSE CASE
        WHEN told IN ('STOPPED', 'STOPPING', 'ERROR') THEN 'STARTING'
        WHEN told IN ('TERMINATING', 'TERMINATED') THEN 'CREATING'
        ELSE told
    END
END;

-- ---- people ---------------------------------------------------------------------------------

CREATE TABLE users (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    created_at  timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz
);

CREATE TABLE identities (
    id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id          uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    provider         auth_provider NOT NULL,
    -- PASSWORD: the lower-case user name; the others: the provider's own id of the user.
    provider_user_id text NOT NULL CHECK (length(provider_user_id) BETWEEN 1 AND 255),
    password_hash    text CHECK (length(password_hash) <= 256),
    token_sealed     bytea CHECK (octet_length(token_sealed) <= 16384),
    metadata         jsonb NOT NULL DEFAULT '{}',
    is_primary       boolean NOT NULL DEFAULT false,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    UNIQUE (provider, provider_user_id),
    CHECK ((provider = 'PASSWORD') = (password_hash IS NOT NULL))
);
CREATE INDEX ON identities (user_id);
CREATE UNIQUE INDEX identities_one_primary ON identities (user_id) WHERE is_primary;

CREATE TABLE sessions (
    id_hash      bytea PRIMARY KEY CHECK (octet_length(id_hash) = 32), -- SHA-256 of the token
    user_id      uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    identity_id  uuid NOT NULL REFERENCES identities ON DELETE CASCADE,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    address      inet,
    user_agent   text CHECK (length(user_agent) <= 256)
);
CREATE INDEX ON sessions (user_id);
CREATE INDEX ON sessions (expires_at);

-- Settings of a user that are not credentials.
CREATE TABLE user_config (
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    key        text NOT NULL CHECK (key ~ '^[A-Z][A-Z0-9_]{0,63}$'),
    value      text NOT NULL CHECK (length(value) <= 65536),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
);

-- A user's access to their cluster. The kubeconfig is sealed to the reconciler's key; what the user
-- may know about it stands beside it.
CREATE TABLE kubeconfigs (
    user_id    uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    sealed     bytea NOT NULL CHECK (octet_length(sealed) <= 131072),
    server     text NOT NULL CHECK (server LIKE 'https://%' AND length(server) <= 512),
    namespace  text NOT NULL CHECK (namespace ~ '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$'),
    account    text NOT NULL CHECK (length(account) <= 253), -- name of its user entry
    expires_at timestamptz,
    version    bigint NOT NULL DEFAULT 1, -- raised with every change
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- ---- what they want -------------------------------------------------------------------------

CREATE TABLE projects (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id     uuid NOT NULL REFERENCES users,
    name        text NOT NULL CHECK (name ~ '^[A-Za-z]([A-Za-z0-9 -]{0,62}[A-Za-z0-9])?$'),
    description text CHECK (length(description) <= 2000),
    kube_name   text NOT NULL CHECK (kube_name ~ '^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$'),
    github_repo text CHECK (length(github_repo) <= 255),
    status      status NOT NULL DEFAULT 'CREATING', -- aggregated from its resources
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    deleted_at  timestamptz, -- asked for; the row goes when the last resource has gone
    UNIQUE (id, user_id)
);
-- A name is free again as soon as its project's deletion has been asked for.
CREATE UNIQUE INDEX projects_name ON projects (user_id, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX projects_list ON projects (user_id, created_at DESC, id DESC);

-- A sandbox or database: what is wanted of it, what was last told about it, and its place in the
-- reconciler's queue.
CREATE TABLE resources (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    project_id      uuid NOT NULL,
    user_id         uuid NOT NULL,
    kind            resource_kind NOT NULL,
    -- Where its objects are. Fixed for life: a kubeconfig that points elsewhere does not move them.
    name            text NOT NULL CHECK (name ~ '^[a-z]([-a-z0-9]{0,51}[a-z0-9])?$'),
    namespace       text NOT NULL,
    server          text NOT NULL,
    -- What is wanted. Every change of it, by whatever route, raises the generation.
    desired         desired NOT NULL DEFAULT 'RUNNING',
    generation      bigint NOT NULL DEFAULT 1 CHECK (generation > 0),
    -- What is told.
    status          status NOT NULL DEFAULT 'CREATING' CHECK (status <> 'PARTIAL'),
    status_since    timestamptz NOT NULL DEFAULT now(),
    stage           stage NOT NULL DEFAULT 'database',
    cause_kind      text,
    cause_code      text CHECK (length(cause_code) <= 64),
    cause_message   text CHECK (length(cause_message) <= 1024),
    cause_since     timestamptz,
    -- The queue. Due when due_at has passed and no lease is held. A lease is held by a pass until
    -- leased_until, which due_at then equals unless the row was made due meanwhile; the epoch,
    -- raised by each claim, fences late writers.
    due_at          timestamptz NOT NULL DEFAULT now(),
    attempts        integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    lease_epoch     bigint NOT NULL DEFAULT 0,
    leased_until    timestamptz,
    leased_by       text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (server, namespace, name),
    UNIQUE (id, kind),
    UNIQUE (project_id, kind),
    FOREIGN KEY (project_id, user_id) REFERENCES projects (id, user_id),
    CHECK ((cause_kind IS NULL) = (cause_since IS NULL)),
    CHECK ((leased_until IS NULL) = (leased_by IS NULL))
);
CREATE INDEX resources_due ON resources (due_at);
CREATE INDEX resources_leased ON resources (user_id) WHERE leased_until IS NOT NULL;

CREATE TABLE sandboxes (
    resource_id           uuid PRIMARY KEY,
    kind                  resource_kind NOT NULL DEFAULT 'SANDBOX' CHECK (kind = 'SANDBOX'),
    app_host              text NOT NULL UNIQUE CHECK (length(app_host) <= 253),
    ttyd_host             text NOT NULL UNIQUE CHECK (length(ttyd_host) <= 253),
    terminal_token_sealed bytea NOT NULL CHECK (octet_length(terminal_token_sealed) <= 1024),
    request_env_sealed    bytea CHECK (octet_length(request_env_sealed) <= 1048576),
    image                 text NOT NULL CHECK (length(image) <= 512),
    home_size             text NOT NULL,
    cpu_request           text NOT NULL,
    cpu_limit             text NOT NULL,
    memory_request        text NOT NULL,
    memory_limit          text NOT NULL,
    storage_limit         text NOT NULL,
    restarts              bigint NOT NULL DEFAULT 0, -- asked for by the user; each rolls the pod
    FOREIGN KEY (resource_id, kind) REFERENCES resources (id, kind) ON DELETE CASCADE
);

CREATE TABLE databases (
    resource_id     uuid PRIMARY KEY,
    kind            resource_kind NOT NULL DEFAULT 'DATABASE' CHECK (kind = 'DATABASE'),
    version         text NOT NULL,
    storage_size    text NOT NULL,
    cpu_request     text NOT NULL,
    cpu_limit       text NOT NULL,
    memory_request  text NOT NULL,
    memory_limit    text NOT NULL,
    -- The connection, once KubeBlocks has made it; all of it or nothing.
    host            text,
    port            integer CHECK (port BETWEEN 1 AND 65535),
    database        text,
    username        text,
    password_sealed bytea CHECK (octet_length(password_sealed) <= 2048),
    FOREIGN KEY (resource_id, kind) REFERENCES resources (id, kind) ON DELETE CASCADE,
    CHECK (num_nulls(host, port, database, username, password_sealed) IN (0, 5))
);

CREATE TABLE environment (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    project_id   uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
    key          text NOT NULL CHECK (key ~ '^[A-Za-z_][A-Za-z0-9_]{0,127}$'),
    value_sealed bytea NOT NULL CHECK (octet_length(value_sealed) <= 65536),
    category     text NOT NULL DEFAULT 'general'
                 CHECK (category IN ('auth', 'payment', 'ttyd', 'file_browser', 'general', 'secret')),
    is_secret    boolean NOT NULL DEFAULT false,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, key)
);

-- ---- what happened --------------------------------------------------------------------------

-- For the owner: changes of what they are told about a project.
CREATE TABLE events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id  uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
    kind        resource_kind, -- NULL: the project itself
    at          timestamptz NOT NULL DEFAULT now(),
    status      status NOT NULL,
    stage       stage,
    code        text CHECK (length(code) <= 64),
    message     text CHECK (length(message) <= 1024)
);
CREATE INDEX events_project ON events (project_id, id DESC);

-- For the owner and the administrator: who did what. No program can change or remove a line.
CREATE TABLE audit (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT now(),
    user_id     uuid,
    identity_id uuid,
    action      text NOT NULL CHECK (length(action) <= 64),
    object_type text CHECK (length(object_type) <= 32),
    object_id   text CHECK (length(object_id) <= 128),
    address     inet,
    request_id  text CHECK (length(request_id) <= 64),
    detail      jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_user ON audit (user_id, id DESC);

CREATE TABLE idempotency (
    user_id     uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    key         text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32), -- of method, path and body
    http_status integer, -- NULL only inside the transaction that serves the first request
    body        text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
);
CREATE INDEX ON idempotency (created_at);
