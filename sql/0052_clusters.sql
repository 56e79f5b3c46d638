-- Any number of clusters per user, each with a name. What was a user's kubeconfig is their cluster `default`. Its id is
-- the user's, because that is the id to which the kubeconfig is sealed; others have ids of their own. A project is in
-- one cluster for life.
--
-- The locks of 0052 to 0054 are taken first, and in the order in which claims and requests take them: the programs of
-- the former version are at work.
LOCK TABLE users, kubeconfigs IN ACCESS EXCLUSIVE MODE;
ALTER TABLE kubeconfigs RENAME TO clusters;
ALTER TABLE clusters RENAME COLUMN user_id TO id;
ALTER TABLE clusters
    DROP CONSTRAINT kubeconfigs_user_id_fkey,
    ADD COLUMN user_id uuid REFERENCES users ON DELETE CASCADE,
    ADD COLUMN name text NOT NULL DEFAULT 'default' CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$'),
    ADD COLUMN region text CHECK (length(region) BETWEEN 1 AND 64);
UPDATE clusters SET user_id = id;
ALTER TABLE clusters
    ALTER COLUMN user_id SET NOT NULL,
    ADD CONSTRAINT clusters_name UNIQUE (user_id, name),
    ADD UNIQUE (id, user_id),
    ADD CHECK ((id = user_id) = (name = 'default'));

-- A program of the former version says only whose it is.
CREATE FUNCTION complete_cluster() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.user_id := coalesce(NEW.user_id, NEW.id);
    RETURN NEW;
END
$$;
CREATE TRIGGER complete BEFORE INSERT ON clusters FOR EACH ROW EXECUTE FUNCTION complete_cluster();

-- What programs of the former version see: the default one.
CREATE VIEW kubeconfigs AS
    SELECT id AS user_id, sealed, server, namespace, account, expires_at, version, updated_at
    FROM clusters WHERE id = user_id;
GRANT SELECT (user_id, server, namespace, account, expires_at, version, updated_at),
    INSERT (user_id, sealed, server, namespace, account, expires_at),
    UPDATE (sealed, server, namespace, account, expires_at, version, updated_at)
    ON kubeconfigs TO fsa_api, fsa_auth;
GRANT SELECT ON kubeconfigs TO fsa_reconcile;
GRANT SELECT (user_id, name, region), INSERT (user_id, name) ON clusters TO fsa_api, fsa_auth;
GRANT INSERT (region), UPDATE (region), DELETE ON clusters TO fsa_api;
