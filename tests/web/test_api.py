"""Tests what api.fcgi answers and stores, without a cluster."""

import re
import urllib.parse
import base64
import threading
import uuid

import costly_certificates as costly
import pytest

PROJECT = {"id", "name", "description", "userId", "githubRepo", "status", "createdAt", "updatedAt",
           "expiresAt", "deletesAt", "trashUntil", "idleMinutes", "keepUntil", "idleStopsAt",
           "wake", "warnings", "cluster"}
SANDBOX = {"id", "projectId", "name", "k8sNamespace", "sandboxName", "publicUrl", "ttydUrl",
           "fileBrowserUrl", "status", "lockedUntil", "runtimeImage", "cpuRequest", "cpuLimit",
           "memoryRequest", "memoryLimit", "createdAt", "updatedAt"}
DATABASE = {"id", "projectId", "name", "k8sNamespace", "databaseName", "host", "port", "database",
            "username", "password", "connectionUrl", "status", "lockedUntil", "storageSize",
            "cpuRequest", "cpuLimit", "memoryRequest", "memoryLimit", "createdAt", "updatedAt"}
VARIABLE = {"id", "projectId", "key", "value", "category", "isSecret", "createdAt", "updatedAt"}


def test_a_project_is_made_with_what_belongs_to_it(project):
    made = project.client.get(f"/api/projects/{project.id}").json()
    assert set(made) == PROJECT | {"owner", "role", "sandboxes", "databases", "environments"}
    assert (made["name"], made["status"], made["userId"]) == ("My App", "CREATING",
                                                              project.client.id)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made["createdAt"])
    [sandbox], [database] = made["sandboxes"], made["databases"]
    assert SANDBOX <= set(sandbox) and DATABASE <= set(database)
    assert re.fullmatch("my-app-agentruntime-[a-z]{6}", sandbox["sandboxName"])
    assert re.fullmatch(r"https://[a-z]{12}\.apps\.localhost", sandbox["publicUrl"])
    assert sandbox["k8sNamespace"].startswith("ns-user")
    assert database["host"] is None and database["password"] is None


def test_addresses_have_the_scheme_and_port_at_which_the_ingress_controller_is_reached(make_site,
                                                                                 make_kubeconfig):
    client = make_site(options={"ingress_scheme": "http", "ingress_port": "8080"}).client()
    client.register("ada", "correct horse battery")
    client.put("/api/user/config/kc", {"kubeconfig": make_kubeconfig()})
    made = client.post("/api/projects", {"name": "shop"}).json()
    sandbox = client.get(f"/api/sandbox/{made['id']}").json()
    assert re.fullmatch(r"http://[a-z]{12}\.apps\.localhost:8080", sandbox["publicUrl"])
    assert re.fullmatch(r"http://[a-z]{12}-ttyd\.apps\.localhost:8080\?authorization=.+",
                        sandbox["ttydUrl"])


def test_a_project_may_have_no_database(user):
    client = user()
    made = client.post("/api/projects", {"name": "Bare", "database": False}).json()
    assert set(made) == PROJECT
    assert client.get(f"/api/projects/{made['id']}").json()["databases"] == []
    answer = client.get(f"/api/projects/{made['id']}/database")
    assert (answer.status_code, answer.json()["errorCode"]) == (404, "DATABASE_NOT_FOUND")


def test_the_terminal_is_for_its_owner_and_not_in_lists(project):
    client = project.client
    url = urllib.parse.urlparse(client.get(f"/api/sandbox/{project.id}").json()["ttydUrl"])
    secret = urllib.parse.parse_qs(url.query, strict_parsing=True)["authorization"][0]
    assert re.fullmatch("user:[A-Za-z0-9]{24}", base64.b64decode(secret, validate=True).decode())
    listed = client.get("/api/projects")
    assert "authorization" not in listed.text
    assert listed.json()[0]["sandboxes"][0]["ttydUrl"] == f"https://{url.netloc}"


def test_a_sandbox_shows_its_progress(project):
    shown = project.client.get(f"/api/sandbox/{project.id}").json()
    assert [s["name"] for s in shown["progress"]["stages"]] == [
        "database", "container", "network", "terminal", "ready"]
    assert shown["progress"]["stages"][0]["state"] == "active"
    assert (shown["status"], shown["databaseStatus"], shown["cause"]) == ("CREATING", "CREATING",
                                                                          None)


def test_a_project_without_a_database_has_no_such_stage(user):
    client = user()
    made = client.post("/api/projects", {"name": "Alone", "database": False}).json()
    shown = client.get(f"/api/sandbox/{made['id']}").json()
    assert [s["name"] for s in shown["progress"]["stages"]] == [
        "container", "network", "terminal", "ready"]
    assert shown["progress"]["stages"][0]["state"] == "active"


def test_without_a_kubeconfig_nothing_is_made(user):
    client = user(kubeconfig=False)
    answer = client.post("/api/projects", {"name": "My App"})
    assert (answer.status_code, answer.json()["errorCode"]) == (422, "KUBECONFIG_MISSING")
    assert client.get("/api/projects").json() == []


def test_a_name_is_taken_once_whatever_its_case(project):
    answer = project.client.post("/api/projects", {"name": "MY APP"})
    assert (answer.status_code, answer.json()["errorCode"]) == (409, "PROJECT_EXISTS")
    assert project.client.delete(f"/api/projects/{project.id}").status_code == 200
    assert project.client.post("/api/projects", {"name": "My App"}).status_code == 200


def test_start_stop_and_delete_say_what_was_asked_for(project):
    client, path = project.client, f"/api/projects/{project.id}"
    for verb, status in [("stop", "STOPPING"), ("stop", "STOPPING"), ("start", "STARTING"),
                         ("start", "STARTING"), ("restart", "STARTING")]:
        answer = client.post(f"{path}/{verb}")
        assert answer.status_code == 200
        assert answer.json()["project"]["status"] == status, verb
        assert set(answer.json()["project"]) == {"id", "status", "updatedAt", "trashUntil"}
    assert client.post(f"{path}/delete").json()["project"]["status"] == "TERMINATING"
    assert client.delete(path).status_code == 200  # again: no error
    assert client.post(f"{path}/start").status_code == 404


def test_a_change_wakes_the_reconciler(web, project):
    wake = web.programs.socket("api.fcgi").parent / "wake"
    before = wake.stat().st_mtime_ns
    assert project.client.get(f"/api/projects/{project.id}").ok
    assert project.client.patch(f"/api/projects/{project.id}", {"description": "x"}).ok
    assert wake.stat().st_mtime_ns == before  # it has nothing to do
    assert project.client.post(f"/api/projects/{project.id}/stop").ok
    assert wake.stat().st_mtime_ns > before


def test_a_project_is_renamed(project):
    client, path = project.client, f"/api/projects/{project.id}"
    assert client.patch(path, {"name": "Other", "description": "d"}).json()["name"] == "Other"
    assert client.patch(path, {"name": "Third"}).json()["description"] == "d"
    assert not client.patch(path, {"description": None}).json()["description"]
    assert client.get(path).json()["name"] == "Third"


def test_lists_are_filtered_and_paged(user):
    client = user()
    names = [f"App {letter}" for letter in "ABCDE"]
    ids = [client.post("/api/projects", {"name": n, "database": False}).json()["id"] for n in names]
    assert [p["name"] for p in client.get("/api/projects").json()] == names[::-1]
    assert [p["name"] for p in client.get("/api/projects?keyword=app%20c").json()] == ["App C"]
    assert client.get("/api/projects?keyword=%25").json() == []  # not a SQL pattern
    assert client.get("/api/projects?createdFrom=2999-01-01").json() == []
    assert len(client.get("/api/projects?createdTo=2999-01-01").json()) == 5
    pages, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/api/projects?limit=2{cursor}").json()
        pages.append([p["name"] for p in page["items"]])
        cursor = page["nextCursor"] and "&cursor=" + urllib.parse.quote(page["nextCursor"])
    assert pages == [names[:2:-1], names[2:0:-1], names[:1]]
    assert client.delete(f"/api/projects/{ids[0]}").ok
    leaving, = (p for p in client.get("/api/projects").json() if p["id"] == ids[0])
    assert leaving["status"] == "TERMINATING"


def test_there_is_a_quota(make_site, make_kubeconfig):
    client = make_site(options={"projects_per_user": "2"}).client()
    client.register("ada", "correct horse battery")
    client.put("/api/user/config/kc", {"kubeconfig": make_kubeconfig()})
    codes = [client.post("/api/projects", {"name": f"App {n}"}).status_code for n in "ABC"]
    assert codes == [200, 200, 429]


def test_variables_are_grouped_and_secret_ones_hidden(project):
    client, path = project.client, f"/api/projects/{project.id}/environment"
    variables = [{"key": "FOO", "value": "bar"},
                 {"key": "API_KEY", "value": "s3cret", "category": "auth", "isSecret": True},
                 {"key": "EMPTY", "value": "", "category": "payment"}]
    assert client.post(path, {"variables": variables}).json() == {"success": True, "count": 3}
    groups = client.get(path).json()
    assert set(groups) == {"auth", "payment", "ttyd", "file_browser", "general", "secret"}
    assert set(groups["general"][0]) == VARIABLE
    assert groups["general"][0]["value"] == "bar"
    assert groups["payment"][0]["value"] == ""
    assert groups["auth"][0]["value"] is None
    assert "s3cret" not in client.get(f"/api/projects/{project.id}").text
    assert client.get(f"{path}/{groups['auth'][0]['id']}").json()["value"] == "s3cret"


def test_a_variable_is_changed_and_deleted(project):
    client, path = project.client, f"/api/projects/{project.id}/environment"
    assert client.post(path, {"key": "FOO", "value": "bar"}).ok
    one = f"{path}/{client.get(path).json()['general'][0]['id']}"
    assert client.patch(one, {"category": "secret", "isSecret": True}).json()["value"] is None
    assert client.get(one).json()["value"] == "bar"
    assert client.put(one, {"value": "é" * 1000, "isSecret": False}).json()["value"] == "é" * 1000
    assert client.post(path, {"key": "FOO", "value": "again"}).ok  # replaces the value
    assert client.get(one).json()["value"] == "again"
    assert client.delete(one).json() == {"success": True}
    assert client.delete(one).status_code == 404
    assert not any(client.get(path).json().values())


def test_nothing_secret_is_stored_readably(web, project, make_kubeconfig):
    client = project.client
    assert client.post(f"/api/projects/{project.id}/environment",
                       {"key": "K", "value": "findme-variable", "isSecret": True}).ok
    started = client.post(f"/api/sandbox/{project.id}", {"envVars": {"K2": "findme-request"}},
                          headers={"Idempotency-Key": "k"})  # so this response is kept
    terminal = started.json()["ttydUrl"].partition("?authorization=")[2]
    assert len(terminal) > 24
    again = client.post(f"/api/sandbox/{project.id}", {"envVars": {"K2": "findme-request"}},
                        headers={"Idempotency-Key": "k"})
    assert again.json() == started.json() and again.headers["Idempotent-Replayed"] == "true"
    bare = base64.b64decode(urllib.parse.unquote(terminal)).decode().split(":")[1]
    assert client.post("/api/user/config/anthropic", {"apiKey": "findme-setting"}).ok
    assert client.post("/api/projects", {"name": "B"},
                       headers={"Idempotency-Key": "findme-key"}).ok
    secrets = ("findme-variable", "findme-request", "findme-setting", "some.secret.token",
               client.session.cookies["fsa"], "correct horse battery", terminal, bare)
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables"
                       " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'")
        tables = [name for name, in cursor.fetchall()]
        cursor.execute("SELECT count(*) FROM kubeconfigs")
        assert cursor.fetchone()[0] > 0
        for table in tables:
            cursor.execute(f"SELECT encode(convert_to(t::text, 'UTF8'), 'hex') FROM {table} t")
            stored = "".join(row for row, in cursor.fetchall())
            for secret in secrets:
                # As text, and in the hex form of a bytea as text.
                for form in (secret.encode().hex(), secret.encode().hex().encode().hex()):
                    assert form not in stored, (table, secret)
    logs = web.programs.log("api.fcgi").read_text() + web.programs.log("auth.fcgi").read_text()
    for secret in secrets:
        assert secret not in logs


def test_a_sandbox_is_terminated_and_comes_back(project):
    client, path = project.client, f"/api/sandbox/{project.id}"
    assert client.delete(path).status_code == 200
    assert client.get(path).json()["status"] == "TERMINATING"
    assert client.get(f"/api/projects/{project.id}/database").json()["desired"] == "RUNNING"
    back = client.post(path, {"envVars": {"A": "b"}})
    assert back.status_code == 200
    assert back.json()["desired"] == "RUNNING"
    assert client.post(path).status_code == 200  # a second start joins the first


def test_a_database_is_shown_to_its_owner(web, project, build):
    """Its password is sealed, as the reconciler stores it; here a value sealed by the program itself is used."""
    shown = project.client.get(f"/api/projects/{project.id}/database").json()
    assert DATABASE <= set(shown)
    assert shown["connectionUrl"] is None and shown["status"] == "CREATING"


def test_a_database_is_added_later_and_removed(user):
    client = user()
    made = client.post("/api/projects", {"name": "Bare", "database": False}).json()
    path = f"/api/projects/{made['id']}/database"
    added = client.post(path)
    assert added.status_code == 200 and added.json()["status"] == "CREATING"
    assert DATABASE <= set(added.json())
    assert client.post(path).json()["id"] == added.json()["id"]  # again: the same one
    stages = client.get(f"/api/sandbox/{made['id']}").json()["progress"]["stages"]
    assert stages[0]["name"] == "database"

    removed = client.delete(path)
    assert removed.status_code == 200 and set(removed.json()["project"]) == {
        "id", "status", "updatedAt", "trashUntil"}
    assert client.get(path).json()["status"] == "TERMINATING"
    assert client.delete(path).status_code == 200  # again: no error
    refused = client.post(path)
    assert (refused.status_code, refused.json()["errorCode"]) == (409, "DATABASE_GOING")
    assert client.get(path).json()["desired"] == "GONE"
    # The sandbox does not wait for a database that is being deleted.
    sandbox = client.get(f"/api/sandbox/{made['id']}").json()
    assert sandbox["databaseStatus"] is None
    assert sandbox["progress"]["stages"][0]["name"] == "container"
    actions = [line["action"] for line in client.get("/api/user/audit").json()["items"]]
    assert {"database.create", "database.delete"} <= set(actions)


def test_a_database_added_to_a_stopped_project_does_not_start_it(user):
    client = user()
    made = client.post("/api/projects", {"name": "Asleep", "database": False}).json()
    path = f"/api/projects/{made['id']}"
    assert client.post(f"{path}/stop").status_code == 200
    before = client.get(path).json()["status"]
    added = client.post(f"{path}/database").json()
    assert (added["desired"], added["status"]) == ("STOPPED", "STOPPED")
    assert client.post(f"{path}/database").json()["id"] == added["id"]
    assert client.get(path).json()["status"] == before == "STOPPING"
    assert client.post(f"{path}/start").status_code == 200
    assert client.get(f"{path}/database").json()["desired"] == "RUNNING"


def test_a_database_is_its_owners(user, project):
    stranger, path = user(), f"/api/projects/{project.id}/database"
    for answer in (stranger.post(path), stranger.delete(path)):
        assert (answer.status_code, answer.json()["errorCode"]) == (404, "PROJECT_NOT_FOUND")
    assert project.client.get(path).json()["desired"] == "RUNNING"
    bare = stranger.post("/api/projects", {"name": "Bare", "database": False}).json()
    answer = stranger.delete(f"/api/projects/{bare['id']}/database")
    assert (answer.status_code, answer.json()["errorCode"]) == (404, "DATABASE_NOT_FOUND")
    assert stranger.post(f"/api/projects/{bare['id']}/database", {"name": "x"}).status_code == 400
    stranger.delete(f"/api/projects/{bare['id']}")
    assert stranger.post(f"/api/projects/{bare['id']}/database").status_code == 404


def test_events_are_listed_newest_first(project):
    client, path = project.client, f"/api/projects/{project.id}/events"
    for verb in ("stop", "start", "stop"):
        assert client.post(f"/api/projects/{project.id}/{verb}").ok
    events = client.get(path).json()
    ids = [event["id"] for event in events["items"]]
    assert ids == sorted(ids, reverse=True) and len(ids) > 3
    assert events["nextCursor"] is None
    assert {"id", "at", "kind", "resourceId", "status", "stage", "code",
            "message"} == set(events["items"][0])
    walked, cursor = [], ""
    while cursor is not None:
        page = client.get(f"{path}?limit=2{cursor}").json()
        walked += [event["id"] for event in page["items"]]
        cursor = page["nextCursor"] and f"&cursor={page['nextCursor']}"
    assert walked == ids


def test_a_kubeconfig_is_described_and_never_shown(user, make_kubeconfig):
    client = user(kubeconfig=False)
    put = client.put("/api/user/config/kc", {"kubeconfig": make_kubeconfig("ns-mine")})
    shown = client.get("/api/user/config/kc")
    assert put.json() == {"success": True, **shown.json()}
    assert set(shown.json()) == {"namespace", "server", "account", "expiresAt", "expired",
                                 "updatedAt", "check"}
    assert shown.json()["namespace"] == "ns-mine"
    assert shown.json()["server"] == "https://127.0.0.1:6443"
    assert "some.secret.token" not in put.text + shown.text


def test_a_kubeconfig_whose_certificates_cost_too_much_is_refused_with_what_to_do(
        user, make_kubeconfig):
    """Each of these would cost half a second of CPU time at every connection."""
    client, key = user(kubeconfig=False), costly.costly_key()
    *_, cas = costly.chain(20, key)
    for count in (1, 20):
        data = base64.b64encode(costly.pem(*cas[:count])).decode()
        text = make_kubeconfig(cluster={"certificate-authority-data": data})
        put = client.put("/api/user/config/kc", {"kubeconfig": text})
        assert (put.status_code, put.json()["errorCode"]) == (400, "KUBECONFIG_CA")
        assert "usual exponent, 65537" in put.json()["details"]["message"]
    assert client.get("/api/user/config/kc").status_code == 404


def test_settings_are_kept_and_removed(user):
    client, path = user(kubeconfig=False), "/api/user/config"
    configs = [{"key": "THEME", "value": "dark"}, {"key": "LANGUAGE", "value": "de"}]
    assert client.post(path, {"configs": configs}).json()["count"] == 2
    assert client.get(f"{path}?keys=THEME,OTHER").json() == {"configs": {"THEME": "dark"}}
    assert client.put(path, {"configs": [{"key": "THEME", "value": None}]}).ok
    assert client.get(f"{path}?keys=THEME,LANGUAGE").json() == {"configs": {"LANGUAGE": "de"}}
    assert client.get(f"{path}?keys=theme").status_code == 400
    assert client.put(path, {"configs": [{"key": "KUBECONFIG", "value": "x"}]}).status_code == 400


def test_the_members_of_the_original_are_settings(user):
    client, path = user(kubeconfig=False), "/api/user/config"
    nothing = {"apiKey": None, "apiBaseUrl": None, "model": None, "smallFastModel": None}
    assert client.get(f"{path}/anthropic").json() == nothing
    given = {**nothing, "apiKey": "sk-test", "model": "m"}
    assert client.post(f"{path}/anthropic", {"apiKey": "sk-test", "model": "m"}).json() == given
    assert client.put(f"{path}/anthropic", {"model": None}).json() == {**given, "model": None}
    assert client.get(f"{path}?keys=ANTHROPIC_API_KEY").json() == {
        "configs": {"ANTHROPIC_API_KEY": "sk-test"}}
    assert client.get(f"{path}/system-prompt").json() == {"systemPrompt": None}
    assert client.post(f"{path}/system-prompt", {"systemPrompt": "Be brief"}).ok
    assert client.get(f"{path}/system-prompt").json() == {"systemPrompt": "Be brief"}
    assert user(kubeconfig=False).get(f"{path}/anthropic").json() == nothing


class TestIdempotency:
    def create(self, client, key, name="My App"):
        return client.post("/api/projects", {"name": name}, headers={"Idempotency-Key": key})

    def test_the_same_request_is_done_once(self, user):
        client, key = user(), str(uuid.uuid4())
        first, second = self.create(client, key), self.create(client, f'"{key}"')
        assert (first.status_code, second.status_code) == (200, 200)
        assert first.json() == second.json()
        assert "Idempotent-Replayed" not in first.headers
        assert second.headers["Idempotent-Replayed"] == "true"
        assert len(client.get("/api/projects").json()) == 1

    def test_another_request_with_the_same_key_is_422(self, user):
        client = user()
        assert self.create(client, "k").ok
        answer = self.create(client, "k", "Other")
        assert (answer.status_code, answer.json()["errorCode"]) == (422, "IDEMPOTENCY_KEY_REUSED")

    def test_keys_are_each_users_own(self, user):
        assert self.create(user(), "k").ok
        assert "Idempotent-Replayed" not in self.create(user(), "k").headers

    def test_a_refused_request_leaves_the_key_free(self, user, make_kubeconfig):
        client = user(kubeconfig=False)
        assert self.create(client, "k").status_code == 422
        client.put("/api/user/config/kc", {"kubeconfig": make_kubeconfig()})
        assert self.create(client, "k").status_code == 200

    def test_at_the_same_moment_too(self, user):
        client, answers = user(), []

        def run():
            answers.append(client.session.post(
                client.url + "/api/projects", json={"name": "My App"},
                headers={"Idempotency-Key": "k"}, timeout=30))

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [a.status_code for a in answers] == [200] * 4
        assert len({a.json()["id"] for a in answers}) == 1
        assert sum("Idempotent-Replayed" in a.headers for a in answers) == 3

    @pytest.mark.parametrize("key", ["", '""', "a b", "x" * 256])
    def test_a_key_must_be_a_key(self, user, key):
        answer = self.create(user(), key)
        assert (answer.status_code, answer.json()["errorCode"]) == (400, "INVALID_IDEMPOTENCY_KEY")


def test_who_did_what_is_in_the_audit(web, project):
    assert project.client.post(f"/api/projects/{project.id}/stop").ok
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT action, object_type, host(address) FROM audit WHERE user_id = %s"
                       " ORDER BY id", (project.client.id,))
        assert cursor.fetchall() == [
            ("session.create", "session", "127.0.0.1"),
            ("kubeconfig.put", "kubeconfig", "127.0.0.1"),
            ("project.create", "project", "127.0.0.1"),
            ("project.stop", "project", "127.0.0.1"),
        ]
        cursor.execute("SELECT object_id FROM audit WHERE action LIKE 'project.%%' AND user_id = %s",
                       (project.client.id,))
        assert set(cursor.fetchall()) == {(project.id,)}
