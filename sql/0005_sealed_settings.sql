-- What only its owner may see lies sealed in two more places.

-- Settings: an API key may be among them. A version that does not seal yet writes `value`, which
-- counts where it is there; the next write by one that does takes it away.
ALTER TABLE user_config
    ALTER COLUMN value DROP NOT NULL,
    ADD COLUMN value_sealed bytea CHECK (octet_length(value_sealed) <= 66048),
    ADD CHECK (value IS NOT NULL OR value_sealed IS NOT NULL);

-- Answers that are kept for a repeated Idempotency-Key: a sandbox's tells its terminal's token.
ALTER TABLE idempotency ADD COLUMN body_sealed bytea;
UPDATE idempotency SET body = NULL;
