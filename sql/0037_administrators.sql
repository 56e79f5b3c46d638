-- Who may use the console's administration. Given and taken by `fsactl user role` alone: no program has the right
-- to write this column.
ALTER TABLE users ADD COLUMN role text NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'admin'));

-- What the administration shows and api.fcgi could not read yet.
GRANT SELECT (is_primary, created_at) ON identities TO fsa_api;
GRANT SELECT (user_id, expires_at) ON invitations TO fsa_api;
GRANT SELECT (host, version) ON pass_hosts TO fsa_api;
