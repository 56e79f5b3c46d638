-- Of a project that changes all the time only the newest events are kept: the reconciler looks for
-- such projects.
GRANT SELECT (project_id) ON events TO fsa_reconcile;
