-- What the site was like in the last day, for the plots of the console's administration: a row a minute, as long as
-- any host carries out what users ask for.
CREATE TABLE site_samples (
    at            timestamptz PRIMARY KEY,
    due           integer NOT NULL, -- resources that wait for a pass
    oldest_due_ms bigint NOT NULL,  -- for how long the oldest of them has
    running       integer NOT NULL,
    failed        integer NOT NULL
);
GRANT SELECT ON site_samples TO fsa_api;

-- A host announces each pass in pass_hosts: the first one in a minute takes the sample.
CREATE FUNCTION take_site_sample() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this_minute timestamptz := date_trunc('minute', now());
BEGIN
    IF EXISTS (SELECT FROM public.site_samples WHERE at = this_minute) THEN
        RETURN NULL;
    END IF;
    INSERT INTO public.site_samples (at, due, oldest_due_ms, running, failed)
        SELECT this_minute, count(*) FILTER (WHERE r.waits_since IS NOT NULL),
            coalesce((extract(epoch FROM now() - min(r.waits_since)) * 1000)::bigint, 0),
            count(*) FILTER (WHERE r.status = 'RUNNING'), count(*) FILTER (WHERE r.status = 'ERROR')
        FROM (SELECT status, CASE WHEN greatest(due_at, leased_until) <= now() THEN greatest(due_at, leased_until) END
                AS waits_since FROM public.resources) AS r
        ON CONFLICT DO NOTHING;
    DELETE FROM public.site_samples WHERE at < now() - interval '1 day';
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION take_site_sample FROM PUBLIC;

CREATE TRIGGER take_site_sample AFTER INSERT OR UPDATE OF last_pass_at ON pass_hosts
    FOR EACH ROW EXECUTE FUNCTION take_site_sample();
