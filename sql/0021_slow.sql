-- How long the last look at a row has taken one of a pass's places. Users with a row that was slow
-- share a quarter of the places, whatever they ask for.
ALTER TABLE resources ADD COLUMN took_ms integer NOT NULL DEFAULT 0 CHECK (took_ms >= 0);
CREATE INDEX resources_slow ON resources (user_id) WHERE took_ms >= 2000;
GRANT UPDATE (took_ms) ON resources TO fsa_reconcile;
