-- Programs on machines without a browser that ask for an API token (RFC 8628). Somebody who is logged in elsewhere sees
-- what asks and from where, and allows or refuses it; the program then collects the token, which is made only then.
CREATE TABLE device_logins (
    device_hash  bytea PRIMARY KEY CHECK (octet_length(device_hash) = 32), -- SHA-256 of what only the program has
    user_code    text NOT NULL UNIQUE CHECK (user_code ~ '^[BCDFGHJKLMNPQRSTVWXZ]{8}$'),
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 64), -- as it calls itself
    can_write    boolean NOT NULL,
    address      text CHECK (length(address) <= 64),
    network      text CHECK (length(network) <= 64), -- as one client counts: an IPv4 address or an IPv6 /64
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL DEFAULT now() + interval '10 minutes',
    polled_at    timestamptz,
    refused      boolean NOT NULL DEFAULT false,
    -- Which allowed it: the permission ends with that session, and so with whatever ends that.
    session_hash bytea REFERENCES sessions (id_hash) ON DELETE CASCADE
);
CREATE INDEX ON device_logins (expires_at);
CREATE INDEX ON device_logins (network);
CREATE INDEX ON device_logins (session_hash) WHERE session_hash IS NOT NULL;
GRANT SELECT, DELETE ON device_logins TO fsa_auth;
GRANT INSERT (device_hash, user_code, name, can_write, address, network) ON device_logins TO fsa_auth;
GRANT UPDATE (polled_at, refused, session_hash) ON device_logins TO fsa_auth;
