-- The hosts that passes run on: when one was last at work there, by the database's clock, and with
-- which keys. So a host whose passes have stopped, or that has other keys than the rest, can be named,
-- and no pass takes what only another host can open.
CREATE TABLE pass_hosts (
    host         text PRIMARY KEY CHECK (length(host) BETWEEN 1 AND 255),
    version      text NOT NULL CHECK (length(version) <= 64),
    -- Ids of the private keys, the newest first: {"cluster": ["…"], "owner": ["…"]}
    keys         jsonb NOT NULL CHECK (pg_column_size(keys) <= 8192),
    last_pass_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE, DELETE ON pass_hosts TO fsa_reconcile;
-- For /readyz: whether any host is at work.
GRANT SELECT (last_pass_at) ON pass_hosts TO fsa_api;
