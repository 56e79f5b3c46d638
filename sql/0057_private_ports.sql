-- A port that only they reach who have a token or a link of its owner.
ALTER TABLE ports DROP CONSTRAINT ports_access_check,
    ADD CONSTRAINT ports_access_check CHECK (access IN ('public', 'token'));
