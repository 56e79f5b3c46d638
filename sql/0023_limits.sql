-- How much one user may have of something. A kind of limit is a row in src/store/limit.c, a line in
-- limit_used() and a trigger enforce_limit(kind, option) on what is counted. The default is the operator's,
-- an option of fsa.conf in operator_options; exceptions are the administrator's.
CREATE TABLE user_limits (
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    kind       text NOT NULL CHECK (length(kind) BETWEEN 1 AND 32),
    value      bigint NOT NULL CHECK (value >= 0),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, kind)
);
GRANT SELECT ON user_limits TO fsa_api;

-- NULL: no host has said yet what the option is.
CREATE FUNCTION limit_of(of_user uuid, of_kind text, option text) RETURNS bigint
LANGUAGE sql STABLE
RETURN coalesce(
    (SELECT l.value FROM user_limits l WHERE l.user_id = of_user AND l.kind = of_kind),
    (SELECT o.value::bigint FROM operator_options o WHERE o.name = option));

-- Projects count until their last resource has gone, because that is what the cluster bears.
CREATE FUNCTION limit_used(of_user uuid, of_kind text) RETURNS bigint
LANGUAGE sql STABLE
RETURN CASE of_kind
    WHEN 'projects' THEN (SELECT count(*) FROM projects p WHERE p.user_id = of_user)
END;

-- At the limit nothing is inserted, and who inserts sees that from RETURNING. One user's insertions of a
-- kind wait for each other until they are committed, so that two at once cannot pass the limit; the
-- statement after the lock sees those that were waited for.
CREATE FUNCTION enforce_limit() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF public.is_operator() THEN
        RETURN NEW;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('limit ' || TG_ARGV[0] || ' ' || NEW.user_id, 0));
    IF public.limit_used(NEW.user_id, TG_ARGV[0])
        >= public.limit_of(NEW.user_id, TG_ARGV[0], TG_ARGV[1]) THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER limited BEFORE INSERT ON projects
    FOR EACH ROW EXECUTE FUNCTION enforce_limit('projects', 'projects_per_user');
