"""Tests fsactl user delete: it first says what will be lost; access ends at once; rows are deleted when the cluster
is empty. (tests/reconcile/test_departures.py tests the cluster.)"""

import json
import os
import pty
import subprocess

import pytest

PASSWORD = "correct horse battery"


@pytest.fixture
def finish(quiet):
    """Finishes deletions as each pass of the reconciler does, with its role."""

    def run():
        with quiet.connect("fsa_reconcile") as db, db.cursor() as cursor:
            cursor.execute("SELECT finish_deletions()")

    return run


@pytest.fixture
def gone_from_cluster(rows):
    """gone_from_cluster(person): records that all of their resources are gone."""

    def run(person):
        rows("DELETE FROM resources WHERE user_id = %s", person.id)

    return run


def test_without_yes_it_shows_the_losses_and_does_nothing(fsactl, person):
    cost = fsactl("user", "delete", person.name)
    assert {k: cost[k] for k in ("id", "name", "projects", "sandboxes", "databases", "sessions",
                                 "deletedAt")} == {
        "id": person.id, "name": person.name, "projects": 1, "sandboxes": 1, "databases": 1,
        "sessions": 1, "deletedAt": None}
    assert {place["kind"] for place in cost["places"]} == {"SANDBOX", "DATABASE"}
    assert {place["namespace"] for place in cost["places"]} == {f"ns-{person.name}"}
    assert all(place["volume"] for place in cost["places"])
    text = fsactl("user", "delete", person.name, json_=False)
    assert "--yes" in text and cost["places"][0]["name"] in text
    assert person.client.get("/api/projects").status_code == 200
    assert fsactl("user", "show", person.id)["deletedAt"] is None


def test_access_ends_at_once_and_for_good(fsactl, quiet, person):
    token = person.client.post("/api/user/tokens", {"name": "CI", "scope": "write"}).json()["token"]
    link = fsactl("user", "invite", person.name)["link"]
    done = fsactl("user", "delete", person.name, "--yes")
    assert done["gone"] is False
    assert person.client.get("/api/projects").status_code == 401
    program = quiet.client()
    program.session.headers["Authorization"] = f"Bearer {token}"
    assert program.get("/api/projects").status_code == 401
    assert quiet.client().login(person.name, PASSWORD).status_code == 401
    answer = quiet.client().post("/api/auth/invitation", {"token": link.rsplit("/", 1)[1],
                                                          "password": PASSWORD})
    assert answer.status_code == 403
    assert "being deleted" in fsactl("user", "enable", person.name, status=1).stderr
    assert "disabled" in fsactl("user", "invite", person.name, status=1).stderr
    taken = quiet.client().register(person.name, PASSWORD)  # the name stays taken until the user is gone
    assert (taken.status_code, taken.json()["errorCode"]) == (409, "USER_EXISTS")


def test_it_is_shown_until_the_last_object_is_gone(fsactl, person, finish, rows, gone_from_cluster):
    fsactl("user", "delete", person.name, "--yes")
    finish()
    shown = fsactl("user", "show", person.id)
    assert shown["deletedAt"] and shown["disabledAt"]
    assert [p["status"] for p in shown["projectList"]] == ["TERMINATING"]
    assert next(u for u in fsactl("user", "list") if u["id"] == person.id)["deletedAt"]
    wanted = rows("SELECT desired, status, due_at <= now() FROM resources WHERE user_id = %s", person.id)
    assert wanted == [("GONE", "TERMINATING", True)] * 2
    assert rows("SELECT count(*) FROM kubeconfigs WHERE user_id = %s", person.id) == [(1,)]
    gone_from_cluster(person)
    finish()
    assert "fsactl user list" in fsactl("user", "show", person.id, status=1).stderr
    for table in ("kubeconfigs", "identities", "sessions", "projects", "user_config"):
        assert rows(f"SELECT count(*) FROM {table} WHERE user_id = %s", person.id) == [(0,)], table


def test_the_audit_outlives_them(fsactl, quiet, person, finish, gone_from_cluster):
    fsactl("user", "delete", person.name, "--yes")
    gone_from_cluster(person)
    finish()
    lines = {line["action"]: line for line in fsactl("audit", "--user", person.id.upper())}
    assert lines["admin.user.delete"]["detail"]["name"] == person.name
    assert lines["admin.user.gone"]["detail"]["name"] == person.name
    assert "project.create" in lines
    again = quiet.client().register(person.name, PASSWORD)  # a different user, who has nothing of the first
    assert again.status_code == 200 and again.json()["user"]["id"] != person.id


def test_a_user_without_objects_is_deleted_at_once(fsactl):
    made = fsactl("user", "create", "short.lived")
    assert fsactl("user", "delete", "short.lived", "--yes")["gone"] is True
    assert fsactl("user", "show", made["id"], status=1).stderr


def test_deleting_twice_is_deleting_once(fsactl, person):
    fsactl("user", "delete", person.name, "--yes")
    since = fsactl("user", "show", person.id)["deletedAt"]
    again = fsactl("user", "delete", person.name, "--yes")
    assert (again["gone"], again["deletedAt"]) == (False, since)


def test_a_project_created_at_that_moment_is_deleted_too(fsactl, person, finish, rows):
    fsactl("user", "delete", person.name, "--yes")
    rows("INSERT INTO projects (user_id, name, kube_name) VALUES (%s, 'Late', 'late')", person.id)
    finish()
    assert rows("SELECT name FROM projects WHERE user_id = %s AND deleted_at IS NULL", person.id) == []


def test_a_creation_that_has_begun_is_waited_for(fsactl, quiet, person, rows):
    """Its project is deleted with the others, not left behind."""
    command = [quiet.programs.program("fsactl"), "--config", quiet.programs.config(), "user",
               "delete", person.name, "--yes", "--json"]
    with quiet.connect("fsa_api") as db, db.cursor() as cursor:
        cursor.execute("INSERT INTO projects (user_id, name, kube_name) VALUES (%s, 'Begun', 'b')",
                       [person.id])
        deleting = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE)
        while not rows("SELECT 1 FROM pg_stat_activity WHERE application_name = 'fsactl'"
                       " AND wait_event_type = 'Lock' AND datname = current_database()"):
            assert deleting.poll() is None
        db.commit()
    assert deleting.wait(60) == 0
    deleting.stdout.close()
    assert rows("SELECT count(*) FROM projects WHERE user_id = %s AND deleted_at IS NULL",
                person.id) == [(0,)]


def test_forget_names_objects_that_cannot_be_deleted(fsactl, person, rows):
    early = fsactl("user", "delete", person.name, "--forget", "--yes", status=1).stderr
    assert "only a user who is being deleted" in early
    assert person.client.get("/api/projects").status_code == 200
    fsactl("user", "delete", person.name, "--yes")
    left = fsactl("user", "delete", person.name, "--forget")["places"]
    assert fsactl("user", "show", person.id)["deletedAt"]  # only requested so far
    assert "left behind" in fsactl("user", "delete", person.name, "--forget", json_=False)
    assert fsactl("user", "delete", person.name, "--forget", "--yes")["gone"] is True
    line = next(line for line in fsactl("audit", "--user", person.id)
                if line["action"] == "admin.user.forget")
    assert [place["name"] for place in line["detail"]["leftBehind"]] == [p["name"] for p in left]
    assert rows("SELECT count(*) FROM users WHERE id = %s", person.id) == [(0,)]


@pytest.mark.parametrize("typed, deleted", [("{name}", True), ("yes", False), ("", False)])
def test_at_a_terminal_the_name_has_to_be_typed(fsactl, quiet, person, typed, deleted):
    master, terminal = pty.openpty()
    command = [quiet.programs.program("fsactl"), "--config", quiet.programs.config(), "user",
               "delete", person.name]
    os.write(master, (typed.format(name=person.name) + "\n").encode())
    done = subprocess.run([str(word) for word in command], stdin=terminal, capture_output=True,
                          text=True, timeout=300)
    os.close(terminal)
    os.close(master)
    assert done.returncode == 0 and "Type the user's name" in done.stdout
    assert bool(fsactl("user", "show", person.id)["deletedAt"]) is deleted


def test_other_users_lose_nothing(fsactl, person, quiet, kubeconfig, finish, rows):
    other = quiet.client()
    name = f"friend-of-{person.name}"
    other_id = other.register(name, PASSWORD).json()["user"]["id"]
    assert other.put("/api/user/config/kc", {"kubeconfig": kubeconfig(f"ns-{name}"[:63])}).ok
    project = other.post("/api/projects", {"name": "Stays"}).json()["id"]
    fsactl("user", "delete", person.name, "--yes")
    fsactl("user", "delete", person.name, "--forget", "--yes")
    finish()
    assert [p["id"] for p in other.get("/api/projects").json()] == [project]
    assert rows("SELECT DISTINCT desired FROM resources WHERE user_id = %s", other_id) == [("RUNNING",)]
    assert json.loads(other.get("/api/auth/session").text)["user"]["id"] == other_id


def test_every_table_about_users_cascades(rows):
    """The exception is projects, which have to be gone first."""
    kept = rows("SELECT DISTINCT conrelid::regclass::text FROM pg_constraint WHERE contype = 'f'"
                " AND confrelid IN ('users'::regclass, 'identities'::regclass, 'clusters'::regclass)"
                " AND confdeltype <> 'c'")
    assert kept == [("projects",)]
