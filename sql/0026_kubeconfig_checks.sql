-- What the reconciler finds out about a stored kubeconfig: whether the cluster answers, and what its
-- account may do there. A row a kubeconfig, made due by storing it, whoever does; the same queue as
-- resources are: a claim raises the epoch, and a result names it and the generation that it is of.
CREATE TABLE kubeconfig_checks (
    user_id      uuid PRIMARY KEY REFERENCES kubeconfigs ON DELETE CASCADE,
    generation   bigint NOT NULL DEFAULT 1 CHECK (generation > 0), -- raised whenever it is asked for
    due_at       timestamptz DEFAULT now(), -- NULL: nothing is asked for
    begun_at     timestamptz,               -- the last one; the next is a minute later at the earliest
    lease_epoch  bigint NOT NULL DEFAULT 0,
    leased_until timestamptz,
    leased_of    bigint, -- the generation that was claimed last
    took_ms      integer NOT NULL DEFAULT 0 CHECK (took_ms >= 0),
    checked_at   timestamptz,
    findings     jsonb CHECK (pg_column_size(findings) <= 16384)
);
CREATE INDEX kubeconfig_checks_due ON kubeconfig_checks (due_at) WHERE due_at IS NOT NULL;

-- Those that are there already, one after the other and not all at once.
INSERT INTO kubeconfig_checks (user_id, due_at)
    SELECT user_id, now() + random() * interval '1 hour' FROM kubeconfigs;

-- What was found of the former kubeconfig says nothing about this one.
CREATE FUNCTION check_new_kubeconfig() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO public.kubeconfig_checks AS c (user_id) VALUES (NEW.user_id)
        ON CONFLICT (user_id) DO UPDATE
        SET generation = c.generation + 1, findings = NULL, checked_at = NULL,
            due_at = greatest(now(), c.begun_at + interval '1 minute');
    RETURN NULL;
END
$$;
CREATE TRIGGER check_new AFTER INSERT ON kubeconfigs
    FOR EACH ROW EXECUTE FUNCTION check_new_kubeconfig();
CREATE TRIGGER check_changed AFTER UPDATE OF version ON kubeconfigs
    FOR EACH ROW WHEN (NEW.version <> OLD.version) EXECUTE FUNCTION check_new_kubeconfig();

-- Somebody wants to know again. What is under way, or about to be, will do.
CREATE FUNCTION check_kubeconfig(of_user uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE public.kubeconfig_checks
        SET generation = generation + 1,
            due_at = greatest(now(), begun_at + interval '1 minute')
        WHERE user_id = of_user AND due_at IS NULL
$$;
REVOKE ALL ON FUNCTION check_kubeconfig FROM PUBLIC;
GRANT EXECUTE ON FUNCTION check_kubeconfig TO fsa_api;

GRANT SELECT ON kubeconfig_checks TO fsa_api, fsa_reconcile, fsa_events;
GRANT UPDATE (due_at, begun_at, lease_epoch, leased_until, leased_of, took_ms, checked_at, findings)
    ON kubeconfig_checks TO fsa_reconcile;

-- The live stream tells it as it tells projects. Whom the row concerns, and what: NULL for what
-- project_id says.
ALTER TABLE live_changes ADD COLUMN topic text CHECK (topic = 'kubeconfig');
GRANT INSERT (topic) ON live_changes TO fsa_api, fsa_auth, fsa_reconcile;

CREATE FUNCTION tell_of_kubeconfig_check() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.live_changes (user_id, topic) VALUES (NEW.user_id, 'kubeconfig');
    RETURN NULL;
END
$$;
CREATE TRIGGER live_row AFTER INSERT ON kubeconfig_checks
    FOR EACH ROW EXECUTE FUNCTION tell_of_kubeconfig_check();
CREATE TRIGGER live_change AFTER UPDATE OF generation, due_at ON kubeconfig_checks
    FOR EACH ROW WHEN ((OLD.generation, OLD.due_at) IS DISTINCT FROM (NEW.generation, NEW.due_at))
    EXECUTE FUNCTION tell_of_kubeconfig_check();
