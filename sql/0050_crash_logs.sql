-- What a sandbox's container printed before it crashed the last time, for its owner. It may contain their secrets, so it
-- is sealed like these, and never among the causes and events that others see, too.
CREATE TABLE crash_logs (
    resource_id uuid PRIMARY KEY REFERENCES resources ON DELETE CASCADE,
    log_sealed bytea NOT NULL CHECK (octet_length(log_sealed) <= 8192),
    read_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE ON crash_logs TO fsa_reconcile;
GRANT SELECT ON crash_logs TO fsa_api;
