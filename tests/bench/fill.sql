-- A site that has been used: %(projects)s projects of RUNNING sandboxes and databases, 50 a user,
-- with what such a project leaves behind. Nothing of it is due. Run as superuser.

-- Foreign keys hold by construction.
SET session_replication_role = replica;

INSERT INTO users (id, name)
SELECT md5('user' || i)::uuid, 'filler ' || i FROM generate_series(0, %(projects)s / 50) i;

INSERT INTO identities (id, user_id, provider, provider_user_id, password_hash, is_primary)
SELECT md5('identity' || i)::uuid, md5('user' || i)::uuid, 'PASSWORD', 'filler ' || i, 'x', true
FROM generate_series(0, %(projects)s / 50) i;

INSERT INTO sessions (id_hash, user_id, identity_id, expires_at)
SELECT sha256(('session' || i)::bytea), md5('user' || i)::uuid, md5('identity' || i)::uuid,
    now() + interval '7 days'
FROM generate_series(0, %(projects)s / 50) i;

INSERT INTO clusters (id, user_id, sealed, server, namespace, account)
SELECT md5('user' || i)::uuid, md5('user' || i)::uuid, decode(repeat(md5('kubeconfig' || i), 150), 'hex'),
    'https://kubernetes.example:6443', 'ns-' || i, 'filler'
FROM generate_series(0, %(projects)s / 50) i;

INSERT INTO projects (id, user_id, name, kube_name, status, created_at, updated_at)
SELECT md5('project' || i)::uuid, md5('user' || i / 50)::uuid, 'Filler ' || i, 'filler-' || i,
    'RUNNING', at, at
FROM generate_series(1, %(projects)s) i, LATERAL (SELECT now() - i * interval '1 minute' AS at) t;

INSERT INTO resources (id, project_id, user_id, kind, name, namespace, server, status, stage,
    status_since, due_at, created_at, updated_at)
SELECT md5(kind::text || i)::uuid, md5('project' || i)::uuid, md5('user' || i / 50)::uuid, kind,
    'filler-' || i || CASE kind WHEN 'SANDBOX' THEN '-agentruntime-' ELSE '-' END || 'abcdef',
    'ns-' || i / 50, 'https://kubernetes.example:6443', 'RUNNING', 'ready',
    now() - interval '1 hour', now() + interval '1 day' + i * interval '1 millisecond',
    now() - i * interval '1 minute', now() - interval '1 hour'
FROM generate_series(1, %(projects)s) i, unnest(enum_range(NULL::resource_kind)) kind;

INSERT INTO sandboxes (resource_id, app_host, ttyd_host, terminal_token_sealed, image, home_size,
    cpu_request, cpu_limit, memory_request, memory_limit, storage_limit)
SELECT md5('SANDBOX' || i)::uuid, md5('host' || i) || '.apps.example',
    md5('host' || i) || '-ttyd.apps.example', decode(repeat(md5('token' || i), 6), 'hex'),
    'fullstackagent/fullstack-web-runtime:v0.0.1-alpha.12', '1Gi', '20m', '200m', '25Mi', '256Mi',
    '1Gi'
FROM generate_series(1, %(projects)s) i;

INSERT INTO databases (resource_id, version, storage_size, cpu_request, cpu_limit, memory_request,
    memory_limit, host, port, database, username, password_sealed)
SELECT md5('DATABASE' || i)::uuid, 'postgresql-14.8.0', '3Gi', '100m', '1000m', '102Mi', '1024Mi',
    'filler-' || i || '-postgresql.ns.svc', 5432, 'postgres', 'postgres',
    decode(repeat(md5('password' || i), 6), 'hex')
FROM generate_series(1, %(projects)s) i;

INSERT INTO environment (project_id, key, value_sealed)
SELECT md5('project' || i)::uuid, key, decode(repeat(md5(key || i), 8), 'hex')
FROM generate_series(1, %(projects)s) i, unnest(ARRAY['API_KEY', 'MODE']) key;

INSERT INTO events (project_id, kind, status, stage)
SELECT md5('project' || i)::uuid, kind, status, 'container'
FROM generate_series(1, %(projects)s) i,
    unnest(enum_range(NULL::resource_kind)) kind,
    unnest(ARRAY['CREATING', 'STARTING', 'RUNNING']::status[]) status;

INSERT INTO audit (user_id, identity_id, action, object_type, object_id)
SELECT md5('user' || i / 50)::uuid, md5('identity' || i / 50)::uuid, 'project.create', 'project',
    md5('project' || i)::uuid
FROM generate_series(1, %(projects)s) i;

RESET session_replication_role;
