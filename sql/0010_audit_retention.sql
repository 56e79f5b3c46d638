-- The audit is kept for audit_retention: the reconciler removes the oldest lines. It has no right to
-- do so, with which somebody who had taken it over could hide that, but this function of the owner's,
-- which leaves the last 30 days alone whatever it is asked.
CREATE FUNCTION prune_audit(keep interval) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    DELETE FROM public.audit WHERE id IN (SELECT id FROM public.audit ORDER BY id LIMIT 1000)
        AND at < now() - greatest(keep, interval '30 days')
$$;
REVOKE ALL ON FUNCTION prune_audit FROM PUBLIC;
GRANT EXECUTE ON FUNCTION prune_audit TO fsa_reconcile;
