-- Processor time that a user's API server costs the reconciler for nothing is charged to the user. All users who
-- owe some stand back together: when one of their rows has been worked on, none is claimed until as much time has
-- passed as makes all of them take a small part of the machine's, however many they are.
CREATE TABLE spending (
    user_id    uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    owed_us    bigint NOT NULL CHECK (owed_us >= 0), -- paid by what later costs little
    charged_us bigint NOT NULL CHECK (charged_us >= 0), -- in all: for the operator
    at         timestamptz NOT NULL DEFAULT now() -- of the last charge
);
CREATE INDEX spending_at ON spending (at);

CREATE TABLE spending_pause (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    until  timestamptz NOT NULL DEFAULT now()
);
INSERT INTO spending_pause DEFAULT VALUES;

GRANT SELECT, INSERT (user_id, owed_us, charged_us), UPDATE (owed_us, charged_us, at) ON spending TO fsa_reconcile;
GRANT SELECT, UPDATE (until) ON spending_pause TO fsa_reconcile;

-- What has to stand back is not late: the queue's length and age leave it out.
GRANT SELECT (user_id, until) ON stalls TO fsa_api;
GRANT SELECT (user_id, owed_us, at) ON spending TO fsa_api;
