-- How much each user may still change (store/budget.h): a bucket is full at refilled_at. Two rows a user at
-- most. What is lost with a crash of PostgreSQL is a full bucket again, and a commit that writes nothing else
-- waits for no disk.
CREATE UNLOGGED TABLE budgets (
    user_id     uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    kind        smallint NOT NULL, -- enum budget
    refilled_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, kind)
) WITH (fillfactor = 50);
GRANT SELECT ON budgets TO fsa_api, fsa_auth;
GRANT INSERT (user_id, kind, refilled_at) ON budgets TO fsa_api, fsa_auth;
GRANT UPDATE (refilled_at) ON budgets TO fsa_api, fsa_auth;

-- Of the answers that are kept for a repeated Idempotency-Key, a user has the newest 256, and 4 MiB at most; the
-- oldest go first, and the one that is just being kept does not. Those that another request is at are left alone.
CREATE FUNCTION limit_answers() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM public.idempotency USING (
        SELECT i.user_id, i.key FROM public.idempotency i
        WHERE i.user_id = NEW.user_id AND i.key <> NEW.key AND i.key IN (
            SELECT key FROM (
                SELECT key, row_number() OVER newest AS number,
                    sum(coalesce(octet_length(body_sealed), 0)) OVER newest AS bytes
                FROM public.idempotency WHERE user_id = NEW.user_id
                WINDOW newest AS (ORDER BY created_at DESC, key)
            ) AS kept
            WHERE number > 256 OR bytes > 4 * 1024 * 1024)
        FOR UPDATE SKIP LOCKED
    ) AS oldest
    WHERE idempotency.user_id = oldest.user_id AND idempotency.key = oldest.key;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION limit_answers FROM PUBLIC;
CREATE TRIGGER limit_answers AFTER UPDATE OF http_status ON idempotency
    FOR EACH ROW WHEN (NEW.http_status IS NOT NULL) EXECUTE FUNCTION limit_answers();
