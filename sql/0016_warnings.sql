-- What is worth a word although the status is as wanted, and what the reconciler keeps of what it has
-- observed.

-- warnings: [{"code", "message", "since"}], in the order in which they are shown; told by the reconciler.
-- observed: of the last look, what the next one is compared with; the reconciler's own.
ALTER TABLE resources
    ADD COLUMN warnings jsonb NOT NULL DEFAULT '[]'
        CHECK (jsonb_typeof(warnings) = 'array' AND octet_length(warnings::text) <= 16384),
    ADD COLUMN observed jsonb NOT NULL DEFAULT '{}'
        CHECK (jsonb_typeof(observed) = 'object' AND octet_length(observed::text) <= 16384);
GRANT UPDATE (warnings, observed) ON resources TO fsa_reconcile;
GRANT SELECT (warnings) ON resources TO fsa_events;

-- The new warnings, each with since when it holds: what was told before goes on.
CREATE FUNCTION told_warnings(new jsonb, old jsonb) RETURNS jsonb
LANGUAGE sql STABLE
RETURN (
    SELECT coalesce(jsonb_agg(n.warning || jsonb_build_object('since', coalesce(
        (SELECT o.warning ->> 'since' FROM jsonb_array_elements(old) AS o (warning)
         WHERE o.warning ->> 'code' = n.warning ->> 'code'), iso8601(now()))) ORDER BY n.place), '[]')
    FROM jsonb_array_elements(new) WITH ORDINALITY AS n (warning, place));

DROP TRIGGER live_change ON resources;
CREATE TRIGGER live_change
    AFTER UPDATE OF desired, status, status_since, stage, cause_kind, cause_code, cause_message,
        warnings
    ON resources FOR EACH ROW
    WHEN ((OLD.desired, OLD.status, OLD.status_since, OLD.stage,
           OLD.cause_kind, OLD.cause_code, OLD.cause_message, OLD.warnings) IS DISTINCT FROM
          (NEW.desired, NEW.status, NEW.status_since, NEW.stage,
           NEW.cause_kind, NEW.cause_code, NEW.cause_message, NEW.warnings))
    EXECUTE FUNCTION tell_of_resource();
