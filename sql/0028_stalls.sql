-- Users whose API server has kept a process of the reconciler busy until it was ended from outside. None
-- of their rows is claimed before that time, whatever they change meanwhile.
CREATE TABLE stalls (
    user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    count   integer NOT NULL DEFAULT 1 CHECK (count > 0), -- without a day's rest between
    at      timestamptz NOT NULL DEFAULT now(),
    until   timestamptz NOT NULL
);
GRANT SELECT, INSERT (user_id, until), UPDATE (count, at, until) ON stalls TO fsa_reconcile;

-- What the owner of a row changes cancels its backoff, but not again within 15 seconds: else who changes
-- something each second has their API server asked each second, however often it fails.
ALTER TABLE resources ADD COLUMN hurried_at timestamptz; -- when a change last did

CREATE FUNCTION keep_backoff() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF OLD.hurried_at > now() - interval '15 seconds' THEN
        NEW.due_at := OLD.due_at;
        NEW.attempts := OLD.attempts;
    ELSE
        NEW.hurried_at := now();
    END IF;
    RETURN NEW;
END
$$;
-- The owner's changes come by the programs of the web side; the reconciler and the operator know why
-- they hurry.
CREATE TRIGGER keep_backoff BEFORE UPDATE OF due_at ON resources
    FOR EACH ROW
    WHEN (session_user IN ('fsa_api', 'fsa_auth') AND OLD.attempts > 0 AND NEW.due_at < OLD.due_at)
    EXECUTE FUNCTION keep_backoff();
