-- What a sample can be compared with the one before it by: how many audit records and events there have been so far,
-- as their highest ids say, which are found without counting. NULL: a sample of before.
ALTER TABLE site_samples
    ADD last_audit_id bigint,
    ADD last_event_id bigint;

CREATE FUNCTION count_for_sample() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.last_audit_id := (SELECT max(id) FROM public.audit);
    NEW.last_event_id := (SELECT max(id) FROM public.events);
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION count_for_sample FROM PUBLIC;

CREATE TRIGGER count_for_sample BEFORE INSERT ON site_samples FOR EACH ROW EXECUTE FUNCTION count_for_sample();
