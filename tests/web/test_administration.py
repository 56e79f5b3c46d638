"""Tests the console's administration: who can use it, and what it shows."""

import pytest

READS = ("/api/admin/state", "/api/admin/health", "/api/admin/samples", "/api/admin/stuck", "/api/admin/users")


@pytest.fixture
def administrator(web, user):
    client = user()
    web.programs.fsactl("user", "role", client.name, "admin")
    return client


def is_nothing(client, path):
    """Whether the response is the same as for a path that never existed."""
    answer, nothing = client.get(path), client.get("/api/nothing")
    return (answer.status_code, answer.json()["error"]) == (404, nothing.json()["error"])


def test_without_the_role_there_is_nothing(user, routes):
    client = user()
    assert client.get("/api/auth/session").json()["user"]["role"] == "user"
    assert all(is_nothing(client, path) for path in READS)
    theirs = {row["pattern"] for row in routes if row["pattern"].startswith("/api/admin/")}
    assert set(READS) <= theirs


def test_the_role_counts_from_the_next_request_on_and_so_does_its_end(web, administrator):
    assert administrator.get("/api/auth/session").json()["user"]["role"] == "admin"
    assert all(administrator.get(path).ok for path in READS)
    web.programs.fsactl("user", "role", administrator.name, "user")
    assert all(is_nothing(administrator, path) for path in READS)
    assert administrator.get("/api/auth/session").json()["user"]["role"] == "user"


def test_an_api_token_of_an_administrators_has_not_the_role(web, administrator):
    token = administrator.post("/api/user/tokens", {"name": "t", "scope": "write"}).json()["token"]
    program = web.client()
    program.session.headers["Authorization"] = f"Bearer {token}"
    assert program.get("/api/projects").ok
    assert all(is_nothing(program, path) for path in READS)


def test_users_are_found_by_a_part_of_their_names(administrator, user):
    other = user(kubeconfig=False)
    found = administrator.get(f"/api/admin/users?keyword={other.name.upper()}").json()
    assert found["total"] == len(found["items"]) >= 1
    shown = next(row for row in found["items"] if row["id"] == other.id)
    assert (shown["role"], shown["providers"], shown["projects"]) == ("user", "PASSWORD", 0)
    assert administrator.get("/api/admin/users?keyword=nobody%25").json() == {"items": [], "total": 0}
    assert administrator.get("/api/admin/users?all=1").status_code == 400


def test_stuck_resources_are_shown_with_cause_and_owner(web, administrator, project):
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute(
            "UPDATE resources SET status = 'ERROR', cause_kind = 'POD_IMAGE', cause_code ="
            " 'ErrImagePull', cause_message = 'no such image', cause_since = now()"
            " WHERE project_id = %s AND kind = 'SANDBOX'", (project.id,))
    shown = administrator.get("/api/admin/stuck").json()
    row, = (row for row in shown["items"] if row["projectId"] == project.id)
    assert (row["owner"], row["project"], row["kind"]) == (project.client.name, "My App", "SANDBOX")
    assert row["cause"]["message"] == "no such image"
    assert row["cause"]["headline"] and row["cause"]["action"]
    # What has just begun is not stuck.
    assert shown["total"] == len(shown["items"])
    assert not [row for row in shown["items"] if row["kind"] == "DATABASE"]


def test_the_state_is_the_databases(administrator, project):
    state = administrator.get("/api/admin/state").json()
    assert state["counts"]["projects"] >= 1 and state["counts"]["resources"] >= 2
    assert state["queue"]["dueCount"] >= 2  # no reconciler is running
    assert state["maintenance"] is None
    assert all(host["ageMs"] >= 0 and host["version"] for host in state["hosts"])


def test_a_pass_takes_a_sample_a_minute(web, administrator, project):
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("DELETE FROM site_samples")
        cursor.execute("INSERT INTO site_samples VALUES (now() - interval '2 days', 9, 9, 9, 9)")
        cursor.execute("UPDATE resources SET due_at = now() - interval '1 minute', leased_until = NULL,"
                       " status = 'ERROR' WHERE project_id = %s", (project.id,))
        for _ in range(2):  # two passes in a minute are one sample
            cursor.execute("INSERT INTO pass_hosts (host, version, keys) VALUES ('sampler', '1', '{}')"
                           " ON CONFLICT (host) DO UPDATE SET last_pass_at = now()")
        cursor.execute("DELETE FROM pass_hosts WHERE host = 'sampler'")
    sample, = administrator.get("/api/admin/samples").json()["items"]
    assert sample["due"] >= 2 and sample["failed"] >= 2 and sample["oldestDueMs"] >= 60000


def test_samples_say_how_much_was_done_between_them(web, administrator, project):
    sample = "INSERT INTO site_samples (at, due, oldest_due_ms, running, failed) VALUES (now() - %s * interval '1 minute', 0, 0, 0, 0)"
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("DELETE FROM site_samples")
        cursor.execute(sample, (20,))
        cursor.execute("INSERT INTO audit (action) SELECT 'login.refused' FROM generate_series(1, 7)")
        cursor.execute("INSERT INTO events (project_id, status) SELECT %s, 'RUNNING' FROM generate_series(1, 3)", (project.id,))
        cursor.execute(sample, (10,))
    first, second = administrator.get("/api/admin/samples").json()["items"]
    assert (first["changes"], first["events"]) == (0, 0)
    assert (second["changes"], second["events"]) == (7, 3)


# ---- changes ------------------------------------------------------------------------------------


def limit(client, of, value, kind="projects"):
    return client.put(f"/api/admin/users/{of}/limits", {"kind": kind, "limit": value})


def shown_limit(answer, kind="projects"):
    return next(row for row in answer.json()["items"] if row["kind"] == kind)


def noted(administrator):
    """Returns what the administrator's own audit records of their changes, newest first."""
    lines = administrator.get("/api/user/audit").json()["items"]
    return [line for line in lines if line["action"].startswith("admin.")]


def test_a_limit_is_an_exception_for_one_user_and_noted_once(administrator, user):
    other = user()
    assert shown_limit(limit(administrator, other.id, 1)) == {
        "kind": "projects", "limit": 1, "used": 0, "isException": True}
    assert other.post("/api/projects", {"name": "One"}).ok
    assert other.post("/api/projects", {"name": "Two"}).json()["errorCode"] == "PROJECT_QUOTA"
    assert shown_limit(limit(administrator, other.id, None))["isException"] is False
    assert other.post("/api/projects", {"name": "Two"}).ok
    last, first = noted(administrator)
    assert (first["action"], first["objectId"]) == ("admin.user.limit", other.id)
    assert (first["detail"]["to"], last["detail"]["to"]) == ("1", "default")
    assert first["detail"]["administrator"] == administrator.name and first["requestId"]


@pytest.mark.parametrize("body", [
    {"kind": "dreams", "limit": 1}, {"kind": "projects", "limit": -1}, {"kind": "projects"},
    {"kind": "projects", "limit": 1000001}, {"kind": "projects", "limit": "1"}, {"limit": 1},
])
def test_an_invalid_limit_is_refused(administrator, user, body):
    other = user(kubeconfig=False)
    path = f"/api/admin/users/{other.id}/limits"
    assert administrator.put(path, body).status_code == 400
    assert not shown_limit(administrator.get(path))["isException"] and noted(administrator) == []


def test_a_disabled_user_is_out_at_once_and_may_come_back(web, administrator, user):
    other = user()
    path = f"/api/admin/users/{other.id}"
    assert administrator.post(f"{path}/disable").ok
    assert other.get("/api/projects").status_code == 401
    assert web.client().login(other.name, "correct horse battery").status_code == 401
    shown = administrator.get(f"/api/admin/users?keyword={other.name}").json()["items"]
    assert [row["disabledAt"] is not None for row in shown if row["id"] == other.id] == [True]
    assert administrator.post(f"{path}/enable").ok
    assert web.client().login(other.name, "correct horse battery").ok
    assert [line["action"] for line in noted(administrator)] == ["admin.user.enable",
                                                               "admin.user.disable"]


def invite(client, name, **more):
    return client.post("/api/admin/invitations", {"name": name, **more})


def accept(client, link, password="their very own words"):
    return client.post("/api/auth/invitation", {"token": link.rsplit("/", 1)[1], "password": password})


def listed(administrator, name):
    row, = administrator.get(f"/api/admin/users?keyword={name}").json()["items"]
    return row


def test_a_new_user_is_invited_and_sets_a_password(web, administrator):
    made = invite(administrator, "Grace.Hopper", days=3).json()
    assert made["link"].startswith(f"{web.url}/#/invite/Grace.Hopper/")
    shown = listed(administrator, "grace.hopper")
    assert (shown["id"], shown["isNew"], shown["invitedUntil"]) == (made["id"], True, made["expiresAt"])
    # Nobody can log in before: the value stored instead of a hash is no password.
    for password in ("!", "their very own words"):
        assert web.client().login("grace.hopper", password).status_code == 401
    newcomer = web.client()
    assert accept(newcomer, made["link"]).ok
    assert newcomer.get("/api/projects").json() == []
    assert web.client().login("grace.hopper", "their very own words").ok
    assert accept(web.client(), made["link"]).json()["errorCode"] == "INVITATION_INVALID"
    shown = listed(administrator, "grace.hopper")
    assert (shown["isNew"], shown["invitedUntil"], shown["role"]) == (False, None, "user")
    line, = noted(administrator)
    assert (line["action"], line["objectId"]) == ("admin.user.invite", made["id"])


def test_another_link_replaces_the_first_and_a_withdrawn_one_is_worth_nothing(web, administrator):
    first = invite(administrator, "alan").json()
    second = invite(administrator, "ALAN").json()
    assert (second["id"], second["name"]) == (first["id"], "alan")
    assert accept(web.client(), first["link"]).status_code == 403
    path = f"/api/admin/users/{first['id']}/invitation"
    assert administrator.delete(path).ok
    assert accept(web.client(), second["link"]).status_code == 403
    assert administrator.delete(path).json()["errorCode"] == "NO_INVITATION"
    assert listed(administrator, "alan")["invitedUntil"] is None
    assert accept(web.client(), invite(administrator, "alan").json()["link"]).ok
    assert [line["action"].removeprefix("admin.user.") for line in noted(administrator)] == [
        "invite", "withdraw", "invite", "invite"]


def test_a_link_that_expired_is_worth_nothing(web, administrator):
    made = invite(administrator, "edsger").json()
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE invitations SET expires_at = now() WHERE user_id = %s", (made["id"],))
    assert accept(web.client(), made["link"]).json()["errorCode"] == "INVITATION_INVALID"


def test_the_console_makes_no_link_for_users_with_a_password_or_disabled_ones(web, administrator, user):
    other = user()
    web.programs.fsactl("user", "invite", other.name)  # the operator may
    web.programs.fsactl("user", "create", "barbara")
    assert invite(administrator, "barbara").ok  # has none yet, whoever made the first link
    web.programs.fsactl("user", "disable", "barbara")
    web.programs.fsactl("user", "create", "boss")
    web.programs.fsactl("user", "role", "boss", "admin")
    for name, code in ((other.name, "USER_EXISTS"), (other.name.upper(), "USER_EXISTS"), ("barbara", "USER_EXISTS"),
                       (administrator.name, "USER_IS_ADMIN"), ("boss", "USER_IS_ADMIN")):
        answer = invite(administrator, name)
        assert (answer.status_code, answer.json()["errorCode"]) == (409, code)
    assert web.client().login(other.name, "correct horse battery").ok
    assert len(noted(administrator)) == 1


@pytest.mark.parametrize("body", [
    {"name": ""}, {"name": "a b"}, {"name": "-x"}, {"name": "a" * 65}, {"name": "é"}, {"name": 7}, {"days": 3},
    {"name": "x", "days": 0}, {"name": "x", "days": 31}, {"name": "x", "role": "admin"},
])
def test_an_invalid_invitation_is_refused(administrator, body):
    assert administrator.post("/api/admin/invitations", body).status_code == 400
    assert noted(administrator) == []


def test_administrators_do_not_end_each_other(web, administrator, user):
    other = user()
    web.programs.fsactl("user", "role", other.name, "admin")
    for ours in (administrator.id, other.id):
        answer = administrator.post(f"/api/admin/users/{ours}/disable")
        assert (answer.status_code, answer.json()["errorCode"]) == (409, "USER_IS_ADMIN")
    assert other.get("/api/projects").ok and noted(administrator) == []


def test_changes_need_the_role(web, administrator, user):
    other, victim = user(), user()
    web.programs.fsactl("user", "role", administrator.name, "user")
    for client in (other, administrator):
        for word in ("disable", "enable"):
            assert client.post(f"/api/admin/users/{victim.id}/{word}").status_code == 404
        assert limit(client, victim.id, 0).status_code == 404
        assert invite(client, "friend").status_code == 404
        assert client.delete(f"/api/admin/users/{victim.id}/invitation").status_code == 404
    assert victim.post("/api/projects", {"name": "Still"}).ok


def test_a_user_whom_there_is_not_is_404(administrator):
    nobody = "00000000-0000-4000-8000-000000000000"
    path = f"/api/admin/users/{nobody}"
    for answer in (limit(administrator, nobody, 1), administrator.post(f"{path}/disable"),
                   administrator.delete(f"{path}/invitation"),
                   administrator.get(f"{path}/limits")):
        assert (answer.status_code, answer.json()["errorCode"]) == (404, "USER_NOT_FOUND")


def test_api_fcgi_alone_changes_nothing_of_this(web, administrator, user):
    """Even an attacker in api.fcgi cannot: it can read who has sessions, but their hashes are no tokens."""
    other = user()
    with web.connect("fsa_api") as db, db.cursor() as cursor:
        cursor.execute("SELECT encode(id_hash, 'hex') FROM sessions WHERE user_id = %s",
                       (administrator.id,))
        for guess in (cursor.fetchone()[0], administrator.id, ""):
            cursor.execute("SELECT administrate_limit(%s, %s, 'projects', 9, NULL, NULL)",
                           (guess, other.id))
            assert cursor.fetchone()[0] == "NOT_ADMINISTRATOR"
            cursor.execute("SELECT administrate_access(%s, %s, true, NULL, NULL)",
                           (guess, other.id))
            assert cursor.fetchone()[0] == "NOT_ADMINISTRATOR"
            cursor.execute("SELECT administrate_invitation(%s, 'friend', sha256('x'), interval '1 day',"
                           " NULL, NULL)", (guess,))
            assert cursor.fetchone()[0] == "NOT_ADMINISTRATOR"
            cursor.execute("SELECT administrate_withdrawal(%s, %s, NULL, NULL)", (guess, other.id))
            assert cursor.fetchone()[0] == "NOT_ADMINISTRATOR"
    assert other.get("/api/projects").ok
