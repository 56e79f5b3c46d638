-- Projects have members besides their owner: editors and viewers. Nobody becomes one without accepting: an invitation
-- names a user, or has a link, of which only the hash is here.
CREATE TYPE project_role AS ENUM ('owner', 'editor', 'viewer');

CREATE TABLE project_members (
    project_id  uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
    user_id     uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    role        project_role NOT NULL CHECK (role <> 'owner'),
    added_at    timestamptz NOT NULL DEFAULT now(),
    token_until timestamptz NOT NULL DEFAULT '-infinity', -- the end of the last token for a sandbox that they got
    PRIMARY KEY (project_id, user_id)
);
CREATE INDEX ON project_members (user_id);

CREATE TABLE project_invitations (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    project_id uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
    role       project_role NOT NULL CHECK (role <> 'owner'),
    user_id    uuid REFERENCES users ON DELETE CASCADE,
    token_hash bytea UNIQUE CHECK (octet_length(token_hash) = 32), -- SHA-256
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL DEFAULT now() + interval '7 days',
    UNIQUE (project_id, user_id),
    CHECK (num_nulls(user_id, token_hash) = 1)
);
CREATE INDEX ON project_invitations (user_id) WHERE user_id IS NOT NULL;

CREATE INDEX ON users (lower(name)); -- they are invited by it

-- Who may do what: the only place where that is decided. A project that is deleted, or in the trash, is its owner's only,
-- and so is one whose owner was disabled.
CREATE VIEW project_access AS
    SELECT p.user_id, p.id AS project_id, p.user_id AS owner_id, 'owner'::project_role AS role FROM projects p
    UNION ALL
    SELECT m.user_id, m.project_id, p.user_id, m.role
        FROM project_members m JOIN projects p ON p.id = m.project_id JOIN users o ON o.id = p.user_id
        WHERE p.deleted_at IS NULL AND o.disabled_at IS NULL;

-- All terminals of these projects get other tokens; those that run restart with theirs. Returns how many there are. As
-- renew_terminals() in 0030, which now calls it. Projects are locked first, in the order of their ids, as everywhere.
CREATE FUNCTION renew_terminals_of(of_projects uuid[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    renewed bigint;
BEGIN
    PERFORM FROM public.projects p WHERE p.id = ANY (of_projects) ORDER BY p.id FOR NO KEY UPDATE;
    UPDATE public.sandboxes s SET access_generation = s.access_generation + 1 FROM public.resources r
        WHERE r.project_id = ANY (of_projects) AND s.resource_id = r.id AND r.desired <> 'GONE';
    GET DIAGNOSTICS renewed = ROW_COUNT;
    WITH old AS (
        SELECT r.id, r.status, CASE WHEN r.desired <> 'RUNNING' THEN r.status
                WHEN r.status = 'RUNNING' THEN 'UPDATING'
                WHEN r.status = 'ERROR' THEN 'STARTING' ELSE r.status END AS shown
        FROM public.resources r
        WHERE r.project_id = ANY (of_projects) AND r.kind = 'SANDBOX' AND r.desired <> 'GONE'
    ), rolled AS (
        UPDATE public.resources r SET generation = r.generation + 1, attempts = 0, due_at = now(),
            updated_at = now(), status = old.shown,
            status_since = CASE WHEN r.status = old.shown THEN r.status_since ELSE now() END,
            cause_kind = NULL, cause_code = NULL, cause_message = NULL, cause_since = NULL
        FROM old WHERE r.id = old.id
        RETURNING r.id, r.project_id, r.kind, r.status, r.stage
    ) INSERT INTO public.events (project_id, kind, resource_id, status, stage)
        SELECT rolled.project_id, rolled.kind, rolled.id, rolled.status, rolled.stage
        FROM rolled JOIN old USING (id) WHERE rolled.status <> old.status;
    WITH changed AS (
        UPDATE public.projects p SET status = shown.status, updated_at = now()
        FROM (SELECT r.project_id, public.aggregate_status(array_agg(r.status)) AS status
            FROM public.resources r WHERE r.project_id = ANY (of_projects) GROUP BY r.project_id) AS shown
        WHERE p.id = shown.project_id AND p.status <> shown.status
        RETURNING p.id, p.status
    ) INSERT INTO public.events (project_id, status) SELECT id, status FROM changed;
    RETURN renewed;
END
$$;

-- Whether a member may have something that lets them into a sandbox: an editor has read the terminal's token, or could
-- have, and a viewer has only what they were given and has not expired.
CREATE FUNCTION may_hold_token(member project_members) RETURNS boolean
LANGUAGE sql STABLE
RETURN member.role = 'editor' OR member.token_until > now();

-- Whatever a user may know a terminal's token of: their own projects, and those that they are an editor of. A viewer's
-- tokens let nobody in, and end in an hour: a viewer does not cause a restart by this again and again.
CREATE OR REPLACE FUNCTION renew_terminals(of_user uuid) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT renew_terminals_of(ARRAY(
        SELECT p.id FROM projects p WHERE p.user_id = of_user
        UNION ALL
        SELECT m.project_id FROM project_members m WHERE m.user_id = of_user AND m.role = 'editor'))
$$;

-- A member who is removed, leaves, is deleted or gets a smaller role: what they hold is withdrawn in the same transaction.
CREATE FUNCTION withdraw_from_member() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF may_hold_token(OLD) THEN
        PERFORM renew_terminals_of(ARRAY[OLD.project_id]);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER withdraw AFTER DELETE ON project_members
    FOR EACH ROW EXECUTE FUNCTION withdraw_from_member();
CREATE TRIGGER withdraw_lowered AFTER UPDATE OF role ON project_members
    FOR EACH ROW WHEN (NEW.role > OLD.role) EXECUTE FUNCTION withdraw_from_member();

-- Live updates reach members, too, and a member's own list changes with the membership.
CREATE OR REPLACE FUNCTION tell_of_project() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO live_changes (user_id, project_id)
        SELECT coalesce(NEW.user_id, OLD.user_id), coalesce(NEW.id, OLD.id)
        UNION ALL
        SELECT m.user_id, m.project_id FROM project_members m WHERE m.project_id = NEW.id;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION tell_of_resource() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO live_changes (user_id, project_id)
        SELECT coalesce(NEW.user_id, OLD.user_id), coalesce(NEW.project_id, OLD.project_id)
        UNION ALL
        SELECT m.user_id, m.project_id FROM project_members m
            WHERE m.project_id = coalesce(NEW.project_id, OLD.project_id);
    RETURN NULL;
END
$$;

CREATE FUNCTION tell_member() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    INSERT INTO live_changes (user_id, project_id)
        VALUES (coalesce(NEW.user_id, OLD.user_id), coalesce(NEW.project_id, OLD.project_id));
    RETURN NULL;
END
$$;
CREATE TRIGGER live_member AFTER INSERT OR DELETE OR UPDATE OF role ON project_members
    FOR EACH ROW EXECUTE FUNCTION tell_member();

-- What a member did in somebody's project is shown to both.
ALTER TABLE audit ADD COLUMN owner_id uuid;
CREATE INDEX audit_owner ON audit (owner_id, id DESC) WHERE owner_id IS NOT NULL;
GRANT INSERT (owner_id) ON audit TO fsa_api, fsa_auth;

REVOKE ALL ON FUNCTION renew_terminals_of, withdraw_from_member, tell_member FROM PUBLIC;
GRANT SELECT ON project_access TO fsa_api, fsa_events;
GRANT SELECT (project_id, user_id) ON project_members TO fsa_reconcile;
GRANT SELECT, DELETE ON project_members TO fsa_api;
GRANT INSERT (project_id, user_id, role) ON project_members TO fsa_api;
GRANT UPDATE (role, token_until) ON project_members TO fsa_api;
GRANT SELECT, DELETE ON project_invitations TO fsa_api;
GRANT INSERT (project_id, role, user_id, token_hash) ON project_invitations TO fsa_api;
GRANT UPDATE (role, created_at, expires_at) ON project_invitations TO fsa_api;
