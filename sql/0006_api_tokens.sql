-- Tokens with which programs act for a user: curl, CI.

CREATE TABLE api_tokens (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    token_hash   bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32), -- SHA-256
    user_id      uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    -- By which its owner was logged in when they made it: it goes with that.
    identity_id  uuid NOT NULL REFERENCES identities ON DELETE CASCADE,
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    can_write    boolean NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    last_used_at timestamptz
);
CREATE INDEX ON api_tokens (user_id);
CREATE INDEX ON api_tokens (identity_id);

-- auth.fcgi makes them; api.fcgi knows them again.
GRANT SELECT, INSERT, DELETE ON api_tokens TO fsa_auth;
GRANT SELECT ON api_tokens TO fsa_api;
GRANT UPDATE (last_used_at) ON api_tokens TO fsa_api;
