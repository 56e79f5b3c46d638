-- Who starts a stopped sandbox by visiting an address of it: its owner, its members, anyone, or nobody.
ALTER TABLE projects ADD COLUMN wake text NOT NULL DEFAULT 'owner'
    CHECK (wake IN ('owner', 'members', 'anyone', 'never'));
GRANT UPDATE (wake) ON projects TO fsa_api;
