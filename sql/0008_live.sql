-- Live updates: every change of what a page shows is told to fsa-events, which hands it to the
-- browsers. Triggers do it, so that no program and no administrator can forget to.
--
-- They do not notify: PostgreSQL lets one transaction at a time commit that does, and holds the next
-- up until the first one is on disk (seen: 1,300 commits a second instead of 4,500). They leave a row
-- here, which costs next to nothing, and fsa-events makes notifications of those many times a second.
-- A row says whom it concerns, and never what has changed: fsa-events reads that, so that the last
-- state of a project is as good as all of them.
--
-- Unlogged: after a crash of PostgreSQL it is empty, and then every page reads again anyway.
CREATE UNLOGGED TABLE live_changes (
    user_id    uuid NOT NULL,
    project_id uuid, -- NULL: who acts as that user may no longer be allowed to
    at         timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE FUNCTION tell_of_project() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO live_changes (user_id, project_id)
        VALUES (coalesce(NEW.user_id, OLD.user_id), coalesce(NEW.id, OLD.id));
    RETURN NULL;
END
$$;

CREATE FUNCTION tell_of_resource() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO live_changes (user_id, project_id)
        VALUES (coalesce(NEW.user_id, OLD.user_id), coalesce(NEW.project_id, OLD.project_id));
    RETURN NULL;
END
$$;

-- Of a row that belongs to a user and lets somebody act as that user. A table of such rows that is
-- added later needs this trigger as well.
CREATE FUNCTION tell_of_lost_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO live_changes (user_id) VALUES (OLD.user_id);
    RETURN NULL;
END
$$;

CREATE FUNCTION tell_of_disabled_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO live_changes (user_id) VALUES (OLD.id);
    RETURN NULL;
END
$$;

-- The columns of UPDATE OF only spare the look at the others: a claim writes none of them. The
-- condition is what decides.
CREATE TRIGGER live_row AFTER INSERT OR DELETE ON projects
    FOR EACH ROW EXECUTE FUNCTION tell_of_project();
CREATE TRIGGER live_change AFTER UPDATE OF name, status ON projects
    FOR EACH ROW WHEN ((OLD.name, OLD.status) IS DISTINCT FROM (NEW.name, NEW.status))
    EXECUTE FUNCTION tell_of_project();

CREATE TRIGGER live_row AFTER INSERT OR DELETE ON resources
    FOR EACH ROW EXECUTE FUNCTION tell_of_resource();
CREATE TRIGGER live_change
    AFTER UPDATE OF desired, status, status_since, stage, cause_kind, cause_code, cause_message
    ON resources FOR EACH ROW
    WHEN ((OLD.desired, OLD.status, OLD.status_since, OLD.stage,
           OLD.cause_kind, OLD.cause_code, OLD.cause_message) IS DISTINCT FROM
          (NEW.desired, NEW.status, NEW.status_since, NEW.stage,
           NEW.cause_kind, NEW.cause_code, NEW.cause_message))
    EXECUTE FUNCTION tell_of_resource();

CREATE TRIGGER live_access AFTER DELETE ON sessions
    FOR EACH ROW EXECUTE FUNCTION tell_of_lost_access();
CREATE TRIGGER live_access AFTER DELETE ON api_tokens
    FOR EACH ROW EXECUTE FUNCTION tell_of_lost_access();
CREATE TRIGGER live_access AFTER UPDATE OF disabled_at ON users
    FOR EACH ROW WHEN (NEW.disabled_at IS NOT NULL AND OLD.disabled_at IS NULL)
    EXECUTE FUNCTION tell_of_disabled_user();

-- fsa-events: reads what it tells, and nothing that is secret. (The other roles: 0002_roles.sql.)
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fsa_events') THEN
        CREATE ROLE fsa_events LOGIN;
        ALTER ROLE fsa_events SET client_connection_check_interval = '1s';
        ALTER ROLE fsa_events SET idle_in_transaction_session_timeout = '1min';
    END IF;
EXCEPTION
    -- Roles belong to the whole server: another database's migration was faster.
    WHEN duplicate_object OR unique_violation THEN
        NULL;
END
$$;

GRANT INSERT ON live_changes TO fsa_api, fsa_auth, fsa_reconcile;
-- Those that nobody has fetched go with the other housekeeping.
GRANT SELECT (at), DELETE ON live_changes TO fsa_reconcile;

GRANT USAGE ON SCHEMA public TO fsa_events;
GRANT SELECT, DELETE ON live_changes TO fsa_events;
GRANT SELECT ON schema_migrations TO fsa_events;
GRANT SELECT (id) ON users TO fsa_events;
GRANT SELECT (id, user_id, name, status, updated_at) ON projects TO fsa_events;
GRANT SELECT (id, project_id, kind, desired, status, status_since, stage, cause_kind, cause_code,
              cause_message, cause_since) ON resources TO fsa_events;
