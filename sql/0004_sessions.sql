-- Sessions that their owner can name, and the memory of failed logins.

-- What the owner calls a session by: its hash is for looking up what a cookie carries.
ALTER TABLE sessions ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE sessions ADD UNIQUE (id);

-- Attempts to log in, counted for each account and each address (src/store/throttle.h). A key is a
-- SHA-256: people type passwords into the field for their name.
CREATE TABLE login_throttle (
    key      bytea PRIMARY KEY CHECK (octet_length(key) = 32),
    heals_at timestamptz NOT NULL, -- when all is forgotten; further away with every failure
    next_at  timestamptz NOT NULL  -- nothing is tried before
);
CREATE INDEX ON login_throttle (heals_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON login_throttle TO fsa_auth;

-- The audit names the way in by which somebody did something; never a password or a token.
GRANT SELECT (id, user_id, provider) ON identities TO fsa_api;
