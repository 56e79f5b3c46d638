-- fsa-events looked for rows in live_changes every 30 ms, day and night. At rest it waits for a
-- notification now. Notifying is dear where many commit (0008_live.sql), so who leaves a row does it
-- only while nobody looks: the first one in a while wakes fsa-events, which says until when it
-- looks by itself.
CREATE TABLE live_relay (
    one         boolean PRIMARY KEY DEFAULT true CHECK (one),
    looks_until timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO live_relay DEFAULT VALUES;

CREATE FUNCTION wake_live_relay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF clock_timestamp() > (SELECT looks_until FROM public.live_relay) THEN
        NOTIFY fsa_live_left;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER live_wake AFTER INSERT ON live_changes
    FOR EACH STATEMENT EXECUTE FUNCTION wake_live_relay();

GRANT SELECT ON live_relay TO fsa_api, fsa_auth, fsa_reconcile, fsa_events;
GRANT UPDATE (looks_until) ON live_relay TO fsa_events;
