-- Events are kept for event_retention: the reconciler removes the oldest. The audit stays.
GRANT SELECT (id, at) ON events TO fsa_reconcile;
GRANT DELETE ON events TO fsa_reconcile;
