-- While the site is under maintenance nobody but an administrator changes anything: what is asked for is
-- answered by the operator's text. In the database, so that all hosts follow at once.
CREATE TABLE maintenance (
    is_on   boolean PRIMARY KEY DEFAULT true CHECK (is_on), -- one row, or none
    message text NOT NULL CHECK (octet_length(message) BETWEEN 1 AND 500),
    since   timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT ON maintenance TO fsa_api, fsa_auth;

-- The first statement of a transaction that changes something: the operator's text when it may not, or
-- NULL. The lock is held until the transaction ends, by as many as like; who has begun maintenance waits
-- for all of them by taking it alone (end_changes). Two statements, so that the second one sees what was
-- committed while the first one waited.
CREATE FUNCTION begin_change() RETURNS text
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('fsa maintenance', 0));
    RETURN (SELECT message FROM public.maintenance);
END
$$;

CREATE FUNCTION end_changes() RETURNS void
LANGUAGE sql VOLATILE
AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('fsa maintenance', 0))
$$;
