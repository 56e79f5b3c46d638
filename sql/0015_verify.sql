-- What an owner asks for is answered by what is observed after that. A row that runs already is
-- STARTING until such an observation has confirmed it.
CREATE OR REPLACE FUNCTION told_status(wanted desired, told status) RETURNS status
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE wanted
    WHEN 'GONE' THEN 'TERMINATING'::status
    WHEN 'STOPPED' THEN CASE told WHEN 'STOPPED' THEN told ELSE 'STOPPING' END
    ELSE CASE
        WHEN told IN ('RUNNING', 'STOPPED', 'STOPPING', 'ERROR') THEN 'STARTING'
        WHEN told IN ('TERMINATING', 'TERMINATED') THEN 'CREATING'
        ELSE told
    END
END;

-- The next look at the row is at all that belongs to it, as at a resync: somebody has asked for what
-- was told already. The reconciler takes it back when it has looked.
ALTER TABLE resources ADD COLUMN verify boolean NOT NULL DEFAULT false;
GRANT UPDATE (verify) ON resources TO fsa_api, fsa_reconcile;
