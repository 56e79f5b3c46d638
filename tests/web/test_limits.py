"""Tests how much one user may have: the operator's default, exceptions for one user, and that both are enforced."""

import json
import subprocess
import threading

import pytest


@pytest.fixture
def site(make_site):
    made = make_site(options={"projects_per_user": "2"})
    made.programs.stop("fsa-reconcile")
    return made


@pytest.fixture
def web(site):
    """Replaces the site for the fixture `user`."""
    return site


@pytest.fixture
def limit(site):
    """limit(user, …): runs fsactl user limit; returns the limits by kind."""

    def run(*words):
        command = [site.programs.program("fsactl"), "--config", site.programs.config(), "user",
                   "limit", *words, "--json"]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              check=True, timeout=300)
        return {row["kind"]: row for row in json.loads(done.stdout)}

    return run


def of_projects(client):
    """Returns the limit that the user is shown."""
    found, = [item for item in client.get("/api/user/limits").json()["items"] if item["kind"] == "projects"]
    return found


def create(client, name):
    return client.post("/api/projects", {"name": name, "database": False})


def test_the_default_is_the_operators_and_the_answer_names_it(user):
    client = user()
    assert [create(client, f"App {n}").status_code for n in "AB"] == [200, 200]
    refused = create(client, "App C")
    assert (refused.status_code, refused.json()["errorCode"]) == (429, "PROJECT_QUOTA")
    assert refused.headers["Retry-After"] == "30"
    assert refused.json()["error"].startswith("Your limit of 2 projects is reached")
    assert len(client.get("/api/projects").json()) == 2
    shown = {"kind": "projects", "limit": 2, "used": 2, "isException": False}
    assert of_projects(client) == shown


def test_a_project_has_so_many_sandboxes_and_no_more(site, user, limit):
    """The first one counts, as do those that are being deleted."""
    client = user()
    one, other = [create(client, f"App {n}").json()["id"] for n in "AB"]
    limit(client.name, "sandboxes", "2")
    made = client.post(f"/api/projects/{one}/sandboxes", {"displayName": "Worker"})
    assert made.status_code == 200, made.text
    refused = client.post(f"/api/projects/{one}/sandboxes")
    assert (refused.status_code, refused.json()["errorCode"]) == (429, "SANDBOX_QUOTA")
    assert refused.json()["error"].startswith("Your limit of 2 sandboxes of a project is reached")
    assert len(client.get(f"/api/projects/{one}").json()["sandboxes"]) == 2
    assert client.post(f"/api/projects/{other}/sandboxes").status_code == 200
    assert limit(client.name)["sandboxes"] == {
        "kind": "sandboxes", "limit": 2, "used": 2, "isException": True}
    with site.connect("fsa_api") as db, db.cursor() as cursor:  # an attacker in api.fcgi
        cursor.execute("INSERT INTO resources (project_id, user_id, kind, additional)"
                       " SELECT %s, %s, 'SANDBOX', true FROM generate_series(1, 3) RETURNING id",
                       [one, client.id])
        assert cursor.fetchall() == []


def test_a_project_is_made_whatever_the_limit_of_its_sandboxes(user, limit):
    client = user()
    limit(client.name, "sandboxes", "0")
    assert create(client, "App").status_code == 200


def test_an_exception_holds_for_one_user_and_at_once(user, limit):
    ada, bob = user(), user()
    assert limit(ada.name, "projects", "3")["projects"]["limit"] == 3
    assert [create(ada, f"App {n}").status_code for n in "ABCD"] == [200, 200, 200, 429]
    assert [create(bob, f"App {n}").status_code for n in "ABC"] == [200, 200, 429]
    limit(ada.name, "projects", "1")  # existing ones stay
    assert len(ada.get("/api/projects").json()) == 3
    assert of_projects(ada) == {
        "kind": "projects", "limit": 1, "used": 3, "isException": True}
    assert limit(ada.name, "projects", "default")["projects"] == {
        "kind": "projects", "limit": 2, "used": 3, "isException": False}


def test_nobody_creates_anything_with_a_limit_of_none(user, limit):
    client = user()
    limit(client.name, "projects", "0")
    assert create(client, "App").status_code == 429


def test_a_project_counts_until_it_is_gone(site, user):
    client = user()
    made = [create(client, f"App {n}").json()["id"] for n in "AB"]
    with site.connect() as db, db.cursor() as cursor:  # it has objects in a cluster
        cursor.execute("UPDATE resources SET status = 'RUNNING' WHERE project_id = %s", [made[0]])
    assert client.delete(f"/api/projects/{made[0]}").ok
    assert create(client, "App C").status_code == 429
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("DELETE FROM resources WHERE project_id = %s", [made[0]])
        cursor.execute("DELETE FROM projects WHERE id = %s", [made[0]])
    assert create(client, "App C").status_code == 200


def test_two_creations_at_once_cannot_pass_it(site, user):
    """The second waits for the first, which is not committed yet, and then counts it."""
    client = user()
    assert create(client, "App A").status_code == 200
    insert = "INSERT INTO projects (user_id, name, kube_name) VALUES (%s, %s, 'x') RETURNING id"
    answers = []
    with site.connect("fsa_api") as db, db.cursor() as cursor:
        cursor.execute(insert, [client.id, "App B"])
        assert cursor.fetchone() is not None
        second = threading.Thread(target=lambda: answers.append(create(client, "App C")))
        second.start()
        with site.connect() as other:
            other.autocommit = True
            with other.cursor() as look:
                waiting = 0
                while waiting == 0:
                    look.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
                                 " AND NOT granted")
                    (waiting,) = look.fetchone()
        db.commit()
    second.join()
    assert answers[0].status_code == 429
    assert of_projects(client)["used"] == 2


def test_it_holds_for_who_has_taken_over_the_api_too(site, user):
    client = user()
    with site.connect("fsa_api") as db, db.cursor() as cursor:
        cursor.execute("INSERT INTO projects (user_id, name, kube_name) SELECT %s, 'App ' || n, 'x'"
                       " FROM generate_series(1, 5) AS n RETURNING id", [client.id])
        assert len(cursor.fetchall()) == 2
