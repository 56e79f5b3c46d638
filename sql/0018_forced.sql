-- 0017 gave api.fcgi anew what it may write of a resource, and not this (0015).
GRANT UPDATE (verify) ON resources TO fsa_api;

-- The owner insists on what was asked for last, although files are lost by it. The reconciler takes it
-- back when that has been done.
ALTER TABLE resources ADD COLUMN forced boolean NOT NULL DEFAULT false;
GRANT UPDATE (forced) ON resources TO fsa_api, fsa_reconcile;
