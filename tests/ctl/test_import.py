"""fsactl import: people and projects of the TypeScript original, from its own tables."""

import json
import time
import warnings

import psycopg2.extras
import pytest
from stand.kubesim import KubeSim

PASSWORD = "correct horse battery"

# The tables of its Prisma schema, as PostgreSQL has them.
ORIGINAL = """
CREATE TYPE "AuthProvider" AS ENUM ('PASSWORD', 'GITHUB', 'GOOGLE', 'SEALOS');
CREATE TYPE "ResourceStatus" AS ENUM ('CREATING', 'STARTING', 'RUNNING', 'STOPPING', 'STOPPED',
    'TERMINATING', 'TERMINATED', 'ERROR', 'UPDATING');
CREATE TABLE "User" (id text PRIMARY KEY, name text,
    "createdAt" timestamp(3) NOT NULL DEFAULT '2025-10-11 12:00', "updatedAt" timestamp(3));
CREATE TABLE "UserIdentity" (id text PRIMARY KEY, "userId" text NOT NULL REFERENCES "User",
    provider "AuthProvider" NOT NULL, "providerUserId" text NOT NULL,
    metadata jsonb NOT NULL DEFAULT '{}', "isPrimary" boolean NOT NULL DEFAULT true,
    "createdAt" timestamp(3) NOT NULL DEFAULT now(), UNIQUE (provider, "providerUserId"));
CREATE TABLE "UserConfig" (id text PRIMARY KEY, "userId" text NOT NULL REFERENCES "User",
    key text NOT NULL, value text NOT NULL, category text, "isSecret" boolean NOT NULL DEFAULT false,
    "createdAt" timestamp(3) NOT NULL DEFAULT now(), UNIQUE ("userId", key));
CREATE TABLE "Project" (id text PRIMARY KEY, "userId" text NOT NULL REFERENCES "User",
    name text NOT NULL, description text, "githubRepo" text,
    status "ResourceStatus" NOT NULL DEFAULT 'RUNNING',
    "createdAt" timestamp(3) NOT NULL DEFAULT '2025-10-12 12:00');
CREATE TABLE "Environment" (id text PRIMARY KEY, "projectId" text NOT NULL REFERENCES "Project",
    key text NOT NULL, value text NOT NULL, category text, "isSecret" boolean NOT NULL DEFAULT false,
    "createdAt" timestamp(3) NOT NULL DEFAULT now(), UNIQUE ("projectId", key));
CREATE TABLE "Sandbox" (id text PRIMARY KEY, "projectId" text NOT NULL REFERENCES "Project",
    name text NOT NULL DEFAULT 'main', "k8sNamespace" text NOT NULL, "sandboxName" text NOT NULL,
    status "ResourceStatus" NOT NULL DEFAULT 'RUNNING', "createdAt" timestamp(3) DEFAULT now());
CREATE TABLE "Database" (id text PRIMARY KEY, "projectId" text NOT NULL REFERENCES "Project",
    name text NOT NULL DEFAULT 'main', "k8sNamespace" text NOT NULL, "databaseName" text NOT NULL,
    status "ResourceStatus" NOT NULL DEFAULT 'RUNNING', "storageSize" text DEFAULT '3Gi',
    "cpuRequest" text DEFAULT '100m', "cpuLimit" text DEFAULT '1000m',
    "memoryRequest" text DEFAULT '102Mi', "memoryLimit" text DEFAULT '1024Mi',
    "createdAt" timestamp(3) DEFAULT now());
"""


def bcrypt(password):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # removed in Python 3.13
        import crypt

        return crypt.crypt(password, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))


class Original:
    """The database of version 0.4: add("Project", id="p1", …)."""

    def __init__(self, connection, conninfo):
        self.conninfo = conninfo
        self._connection = connection
        self.run(ORIGINAL)

    def run(self, sql, values=()):
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values)

    def add(self, table, **values):
        values = {k: psycopg2.extras.Json(v) if isinstance(v, dict) else v
                  for k, v in values.items()}
        columns = ", ".join(f'"{column}"' for column in values)
        self.run(f'INSERT INTO "{table}" ({columns}) VALUES ({", ".join(["%s"] * len(values))})',
                 tuple(values.values()))

    def close(self):
        self._connection.close()


@pytest.fixture
def original(postgres):
    name = f"original{time.monotonic_ns()}"
    postgres.create_database(name)
    connection = postgres.connect(name)
    connection.autocommit = True
    made = Original(connection, f"{postgres.conninfo(name)} user=postgres")
    yield made
    made.close()


@pytest.fixture
def ada(original, kubeconfig):
    """A user with every kind of data, under names unique to the test."""
    name = f"ada{time.monotonic_ns()}"
    original.add("User", id=name, name=name.title())
    original.add("UserIdentity", id=f"i1-{name}", userId=name, provider="PASSWORD", providerUserId=name,
                 metadata={"passwordHash": bcrypt(PASSWORD)})
    original.add("UserIdentity", id=f"i2-{name}", userId=name, provider="GITHUB",
                 providerUserId=str(time.monotonic_ns()), metadata={"token": "gho_secret"})
    original.add("UserConfig", id=f"c1-{name}", userId=name, key="KUBECONFIG", isSecret=True,
                 value=kubeconfig(f"ns-{name}"))
    original.add("UserConfig", id=f"c2-{name}", userId=name, key="ANTHROPIC_MODEL", value="a-model")
    original.add("UserConfig", id=f"c3-{name}", userId=name, key="ANTHROPIC_API_KEY", value="sk-secret",
                 isSecret=True)
    original.add("UserConfig", id=f"c4-{name}", userId=name, key="ANTHROPIC_API",
                 value="https://models.example")
    original.add("Project", id=f"p-{name}", userId=name, name="My Shop", description="sells",
                 githubRepo="ada/shop")
    original.add("Environment", id=f"e1-{name}", projectId=f"p-{name}", key="STRIPE", value="s3cret",
                 category="payment", isSecret=True)
    original.add("Environment", id=f"e2-{name}", projectId=f"p-{name}", key="TTYD_ACCESS_TOKEN",
                 value="old", category="ttyd")
    original.add("Sandbox", id=f"s-{name}", projectId=f"p-{name}", k8sNamespace=f"ns-{name}",
                 sandboxName="myshop-abcdefgh")
    original.add("Database", id=f"d-{name}", projectId=f"p-{name}", k8sNamespace=f"ns-{name}",
                 databaseName="myshop-abcdefgh", storageSize="5Gi")
    return name


@pytest.fixture
def imported(fsactl, original):
    """Runs the import; returns {(what, result): [(name, reason)]}."""

    def run(*words, status=0):
        done = fsactl("import", original.conninfo, *words, status=status)
        lines = json.loads(done.stdout) if status else done
        found = {}
        for line in lines:
            found.setdefault((line["what"], line["result"]), []).append(
                (line["name"], line["reason"]))
        return found

    return run


def results(found):
    return {key: len(lines) for key, lines in found.items()}


EVERYTHING = {
    ("user", "imported"): 1, ("identity", "imported"): 2, ("kubeconfig", "imported"): 1,
    ("setting", "imported"): 3, ("project", "imported"): 1,
    ("variable", "imported"): 1, ("variable", "skipped"): 1, ("sandbox", "imported"): 1,
    ("database", "imported"): 1,
}


def test_without_yes_nothing_is_changed(imported, ada, fsactl):
    assert results(imported()) == EVERYTHING
    assert ada not in str(fsactl("user", "list"))


def test_a_user_continues_here_with_the_same_data(imported, ada, quiet, fsactl):
    assert results(imported("--yes")) == EVERYTHING
    client = quiet.client()
    assert client.login(ada.upper(), PASSWORD).status_code == 200
    project, = client.get("/api/projects").json()
    assert (project["name"], project["description"], project["githubRepo"], project["status"]) == (
        "My Shop", "sells", "ada/shop", "STOPPED")
    assert project["createdAt"] == "2025-10-12T12:00:00.000Z"
    groups = client.get(f"/api/projects/{project['id']}/environment").json()
    assert [v["key"] for v in groups["payment"]] == ["STRIPE"]
    one = client.get(f"/api/projects/{project['id']}/environment/{groups['payment'][0]['id']}")
    assert one.json()["value"] == "s3cret"
    shown = fsactl("project", "show", project["id"])
    database, = (r for r in shown["resources"] if r["kind"] == "DATABASE")
    assert (database["name"], database["namespace"]) == ("myshop-abcdefgh", f"ns-{ada}")
    assert client.get("/api/user/config?keys=ANTHROPIC_MODEL,ANTHROPIC_API_KEY").json() == {
        "configs": {"ANTHROPIC_MODEL": "a-model", "ANTHROPIC_API_KEY": "sk-secret"}}
    assert client.get("/api/user/config/anthropic").json() == {
        "apiKey": "sk-secret", "apiBaseUrl": "https://models.example", "model": "a-model",
        "smallFastModel": None}


def test_a_bcrypt_hash_is_replaced_at_the_first_login(imported, ada, quiet, rows):
    imported("--yes")
    assert quiet.client().login(ada, "incorrect horse").status_code == 401
    assert quiet.client().login(ada, PASSWORD).status_code == 200
    (hash,), = rows("SELECT password_hash FROM identities WHERE provider_user_id = %s", ada)
    assert hash.startswith("$argon2id$")
    assert quiet.client().login(ada, PASSWORD).status_code == 200


def test_no_secret_is_stored_in_the_open(imported, ada, rows):
    imported("--yes")
    for table in ("identities", "kubeconfigs", "environment", "user_config"):
        for secret in ("gho_secret", "some.secret.token", "s3cret", "sk-secret"):
            found, = rows(f"SELECT count(*) FROM {table} t WHERE strpos(t::text, %s) > 0"
                          f" OR strpos(t::text, encode(%s::bytea, 'hex')) > 0",
                          secret, secret.encode())
            assert found == (0,), (table, secret)


def test_a_second_run_adds_nothing(imported, ada, rows):
    imported("--yes")
    count = ("SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM identities),"
             " (SELECT count(*) FROM projects), (SELECT count(*) FROM resources),"
             " (SELECT count(*) FROM environment), (SELECT sum(version) FROM kubeconfigs)")
    before = rows(count)
    again = imported("--yes")
    assert {result for _, result in again} == {"there already"}
    assert rows(count) == before


def test_a_users_later_changes_are_kept(imported, ada, quiet, fsactl):
    imported("--yes")
    client = quiet.client()
    client.login(ada, PASSWORD)
    project, = client.get("/api/projects").json()
    variable = client.get(f"/api/projects/{project['id']}/environment").json()["payment"][0]["id"]
    assert client.patch(f"/api/projects/{project['id']}", {"name": "Renamed"}).ok
    assert client.delete(f"/api/projects/{project['id']}/environment/{variable}").ok
    imported("--yes")
    project, = client.get("/api/projects").json()
    assert project["name"] == "Renamed"
    assert client.get(f"/api/projects/{project['id']}/environment").json()["payment"] == []


def test_invalid_rows_are_reported_and_the_rest_is_imported(imported, ada, original, fsactl):
    original.add("UserIdentity", id=f"i3-{ada}", userId=ada, provider="GOOGLE", providerUserId="g")
    original.add("UserIdentity", id=f"i4-{ada}", userId=ada, provider="PASSWORD",
                 providerUserId="a name with blanks", metadata={"passwordHash": bcrypt("x")})
    original.add("UserIdentity", id=f"i5-{ada}", userId=ada, provider="PASSWORD", providerUserId="plain",
                 metadata={"passwordHash": "secret in the open"})
    original.add("Project", id=f"p2-{ada}", userId=ada, name="9lives")
    original.add("Project", id=f"p3-{ada}", userId=ada, name="my shop")
    original.add("Project", id=f"p4-{ada}", userId=ada, name="Gone", status="TERMINATING")
    original.add("Environment", id=f"e3-{ada}", projectId=f"p-{ada}", key="NOT-A-NAME", value="x")
    original.add("Environment", id=f"e4-{ada}", projectId=f"p-{ada}", key="LONG", value="x" * 40000)
    original.add("Database", id=f"d2-{ada}", projectId=f"p-{ada}", name="second", k8sNamespace=f"ns-{ada}",
                 databaseName="second")
    found = imported("--yes", status=1)
    assert [reason for _, reason in found["identity", "refused"]] == [
        "there is no login with Google here",
        "nobody can log in with this name here: letters, digits and ._@- only",
        "its password hash is not bcrypt's",
    ]
    assert [name for name, _ in found["project", "refused"]] == ["9lives", "my shop"]
    assert found["project", "skipped"] == [("Gone", "it was being deleted")]
    assert len(found["variable", "refused"]) == 2
    assert found["database", "refused"] == [("My Shop: second", "a project has one of them here")]
    assert {key: n for key, n in results(found).items() if key[1] == "imported"} == {
        key: n for key, n in EVERYTHING.items() if key[1] == "imported"}
    assert "secret in the open" not in str(found)


@pytest.mark.parametrize("text, reason", [
    ("nonsense: [", "line 2"),
    (json.dumps({"apiVersion": "v1", "kind": "Config", "users": [
        {"name": "u", "user": {"exec": {"command": "sh"}}}]}), "exec"),
])
def test_a_kubeconfig_that_is_refused_keeps_its_projects_back(imported, ada, original, text, reason):
    original.run('UPDATE "UserConfig" SET value = %s WHERE key = %s', (text, "KUBECONFIG"))
    found = imported("--yes", status=1)
    (_, refusal), = found["kubeconfig", "refused"]
    assert reason in refusal
    (_, refusal), = found["project", "refused"]
    assert "No kubeconfig is stored" in refusal


def test_the_kubeconfig_of_a_sealos_login(imported, original, kubeconfig):
    original.add("User", id="s1", name=None)
    original.add("UserIdentity", id="si1", userId="s1", provider="SEALOS", providerUserId="sealos7",
                 metadata={"sealosId": "sealos7", "sealosKubeconfig": kubeconfig("ns-sealos7")})
    found = imported()
    assert found["user", "imported"] == [("sealos7", None)]
    assert len(found["kubeconfig", "imported"]) == 1


def test_an_existing_identity_is_not_taken(imported, ada, quiet):
    client = quiet.client()
    assert client.register(ada, PASSWORD).ok
    found = imported("--yes", status=1)
    assert found["identity", "refused"][0][1] == "somebody else logs in with it here already"
    assert client.get("/api/projects").json() == []


def test_a_database_in_another_namespace_is_refused(imported, ada, original):
    original.run('UPDATE "Database" SET "k8sNamespace" = %s', ("ns-elsewhere",))
    found = imported(status=1)
    assert "another namespace" in found["database", "refused"][0][1]


def test_another_database_is_not_imported(fsactl, postgres):
    name = f"empty{time.monotonic_ns()}"
    postgres.create_database(name)
    done = fsactl("import", f"{postgres.conninfo(name)} user=postgres", status=1)
    assert "the database of version 0.4" in done.stderr and "User" in done.stderr


def test_people_see_counts_and_omissions(fsactl, original, ada):
    text = fsactl("import", original.conninfo, json_=False)
    assert "1  database, imported" in text and "nothing was changed" in text
    assert "TTYD_ACCESS_TOKEN is set by the system" in text


# ---- taking over a database that runs -----------------------------------------------------------


def test_a_database_is_taken_over_with_its_volume(make_site, workspace, kubesim_build, original,
                                                  fsactl):
    """The project that is started here runs the existing Cluster, not a new one."""
    site = make_site()
    with KubeSim(workspace / "import-kubesim", kubesim_build) as cluster:
        # Makes what version 0.4 left: a database of another site, without our label.
        maker = site.client()
        assert maker.register("maker", PASSWORD).ok
        kubeconfig = cluster.create_user("maker")
        assert maker.put("/api/user/config/kc", {"kubeconfig": kubeconfig}).ok
        made = maker.post("/api/projects", {"name": "Old", "database": True}).json()["id"]
        old = maker.wait(f"/api/projects/{made}", lambda p: p["status"] == "RUNNING")
        name = old["databases"][0]["databaseName"]
        path = f"/apis/apps.kubeblocks.io/v1alpha1/namespaces/ns-maker/clusters/{name}"
        site.programs.stop("fsa-reconcile")
        cluster.api("PATCH", path, {"metadata": {"labels": {
            "project.fullstackagent.io/resource": None}}},
            content_type="application/merge-patch+json")
        with site.connect() as db, db.cursor() as cursor:
            cursor.execute("TRUNCATE users, projects, resources CASCADE")
        uid = cluster.api("GET", path)["metadata"]["uid"]

        original.add("User", id="u", name="maker")
        original.add("UserIdentity", id="i", userId="u", provider="PASSWORD",
                     providerUserId="maker", metadata={"passwordHash": bcrypt(PASSWORD)})
        original.add("UserConfig", id="c", userId="u", key="KUBECONFIG", value=kubeconfig)
        original.add("Project", id="p", userId="u", name="Old")
        original.add("Database", id="d", projectId="p", k8sNamespace="ns-maker", databaseName=name)
        site.programs.fsactl("import", original.conninfo, "--yes")
        site.programs.start("fsa-reconcile")

        client = site.client()
        assert client.login("maker", PASSWORD).ok
        project, = client.get("/api/projects").json()
        assert client.post(f"/api/projects/{project['id']}/start").ok
        client.wait(f"/api/projects/{project['id']}", lambda p: p["status"] == "RUNNING")
        assert cluster.api("GET", path)["metadata"]["uid"] == uid
