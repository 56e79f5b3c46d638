-- What a database is in its cluster: a Cluster of KubeBlocks, of the API of that release, or a StatefulSet of ours. The
-- reconciler decides it by what the cluster serves, before it makes the first object, and it stays. All that are there
-- are KubeBlocks' of 0.8 or 0.9, which differ in how they are stopped: a look at the cluster tells.
CREATE TYPE database_form AS ENUM ('UNDECIDED', 'KUBEBLOCKS_0_8', 'KUBEBLOCKS_0_9', 'KUBEBLOCKS_1_0', 'PLAIN');
ALTER TABLE databases ADD COLUMN form database_form NOT NULL DEFAULT 'KUBEBLOCKS_0_8';
ALTER TABLE databases ALTER COLUMN form SET DEFAULT 'UNDECIDED';
GRANT UPDATE (form) ON databases TO fsa_reconcile;
