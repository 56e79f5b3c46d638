-- A link by which somebody sets their password and is logged in, once. Of the token in it only the hash is
-- here. One a user: another one takes its place.
CREATE TABLE invitations (
    user_id    uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32), -- SHA-256
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
-- Only administrators make them.
GRANT SELECT, DELETE ON invitations TO fsa_auth;
