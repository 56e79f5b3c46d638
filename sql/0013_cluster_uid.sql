-- A connection belongs to one Cluster object, and not to the next one of that name: whose it is. NULL
-- beside a connection: learnt by a version that did not ask, and read again at the next look.
ALTER TABLE databases ADD COLUMN cluster_uid text CHECK (length(cluster_uid) <= 128);
GRANT UPDATE (cluster_uid) ON databases TO fsa_reconcile;
