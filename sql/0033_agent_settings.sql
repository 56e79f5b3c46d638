-- A user's settings for an agent (domain/user.h) are variables of their sandboxes, above the operator's and below
-- those of a project: the reconciler reads them.
GRANT SELECT (user_id, key, value, value_sealed) ON user_config TO fsa_reconcile;
