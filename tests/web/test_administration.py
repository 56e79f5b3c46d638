"""The console's administration: for whom it is there, and what it shows."""

import pytest

READS = ("/api/admin/state", "/api/admin/stuck", "/api/admin/users")


@pytest.fixture
def administrator(web, user):
    client = user()
    web.programs.fsactl("user", "role", client.name, "admin")
    return client


def is_nothing(client, path):
    """Whether there is nothing at the path, as at one that nobody has ever had."""
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


def test_what_is_stuck_is_shown_with_its_cause_and_its_owner(web, administrator, project):
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
    # What has only just begun is not stuck.
    assert shown["total"] == len(shown["items"])
    assert not [row for row in shown["items"] if row["kind"] == "DATABASE"]


def test_the_state_is_the_databases(administrator, project):
    state = administrator.get("/api/admin/state").json()
    assert state["counts"]["projects"] >= 1 and state["counts"]["resources"] >= 2
    assert state["queue"]["dueCount"] >= 2  # no reconciler is at work here
    assert state["maintenance"] is None
    assert all(host["ageMs"] >= 0 and host["version"] for host in state["hosts"])
