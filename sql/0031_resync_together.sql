-- A user's stable rows are looked at together: one process, one connection and one list serve all of
-- them, where each would need its own at a moment of its own. Each user has a place of their own in
-- the period, so that the work of all is spread over it.

-- The next time of `of_user` in a period of `every_ms`, half a period from now at least.
CREATE FUNCTION next_resync(of_user uuid, every_ms bigint) RETURNS timestamptz
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    earliest bigint := extract(epoch FROM now()) * 1000 + every_ms / 2;
    place    bigint := (uuid_hash(of_user) & 2147483647) % every_ms;
    beyond   bigint := (earliest - place) % every_ms;
BEGIN
    RETURN to_timestamp((earliest + CASE WHEN beyond = 0 THEN 0 ELSE every_ms - beyond END)
                        / 1000.0);
END
$$;
