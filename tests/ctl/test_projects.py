"""Tests fsactl project …: what administrators see of projects, and what they do for their owners."""

import re

import pytest

FAILED = ("UPDATE resources SET status = 'ERROR', status_since = now() - interval '1 hour',"
          " cause_kind = 'POD_IMAGE', cause_code = 'ImagePullBackOff',"
          " cause_message = 'the image cannot be pulled', cause_since = now() - interval '1 hour',"
          " attempts = 9, due_at = now() + interval '2 minutes' WHERE project_id = %s")


@pytest.fixture
def failed(person, rows):
    """A project whose resources are in ERROR."""
    rows(FAILED, person.project)
    rows("UPDATE projects SET status = 'ERROR' WHERE id = %s", person.project)
    return person


def test_projects_of_all_and_of_one(fsactl, person):
    assert person.project in [p["id"] for p in fsactl("project", "list")]
    row, = fsactl("project", "list", "--user", person.name)
    assert (row["id"], row["owner"], row["status"]) == (person.project, person.name, "CREATING")


@pytest.mark.parametrize("form", ["id", "name", "object"])
def test_a_project_is_found_by_id_by_name_and_by_its_objects(fsactl, person, rows, form):
    (name,), = rows("SELECT name FROM resources WHERE project_id = %s AND kind = 'SANDBOX'",
                    person.project)
    reference = {"id": person.project, "name": person.project_name.lower(), "object": name}[form]
    shown = fsactl("project", "show", reference)
    assert shown["id"] == person.project
    assert {r["kind"] for r in shown["resources"]} == {"SANDBOX", "DATABASE"}
    assert [e["status"] for e in shown["events"]] == ["CREATING"]


def test_variables_are_shown_without_their_values(fsactl, person):
    variable = {"key": "API_KEY", "value": "hunter2secret", "category": "secret", "isSecret": True}
    answer = person.client.post(f"/api/projects/{person.project}/environment",
                                {"variables": [variable]})
    assert answer.status_code == 200, answer.text
    shown = fsactl("project", "show", person.project)
    assert [v["key"] for v in shown["variables"]] == ["API_KEY"]
    text = fsactl("project", "show", person.project, json_=False)
    assert "API_KEY" in text and "hunter2" not in str(shown) + text


def test_retry_gives_a_failed_project_another_chance(fsactl, failed, rows):
    assert fsactl("project", "retry", failed.project)["status"] == "STARTING"
    for status, attempts, cause, due, young in rows(
            "SELECT status, attempts, cause_kind, due_at <= now(),"
            " status_since > now() - interval '1 minute' FROM resources WHERE project_id = %s",
            failed.project):
        assert (status, attempts, cause, due, young) == ("STARTING", 0, None, True, True)


def test_retry_of_a_working_project_only_makes_it_due(fsactl, person, rows):
    rows("UPDATE resources SET due_at = now() + interval '1 hour',"
         " status_since = now() - interval '1 hour' WHERE project_id = %s", person.project)
    fsactl("project", "retry", person.project)
    assert rows("SELECT DISTINCT status, due_at <= now(), status_since < now() - interval '59 min'"
                " FROM resources WHERE project_id = %s", person.project) == [
                    ("CREATING", True, True)]


def test_stop_does_what_the_owner_could(fsactl, person):
    assert fsactl("project", "stop", person.project)["status"] == "STOPPING"
    assert person.client.get(f"/api/projects/{person.project}").json()["status"] == "STOPPING"
    assert fsactl("audit", "--limit", "1")[0]["action"] == "admin.project.stop"


def test_start_does_what_the_owner_could(fsactl, person, rows):
    fsactl("project", "stop", person.project)
    rows("UPDATE resources SET status = 'STOPPED' WHERE project_id = %s", person.project)
    assert fsactl("project", "start", person.project)["status"] == "STARTING"
    assert person.client.get(f"/api/projects/{person.project}").json()["status"] == "STARTING"
    assert fsactl("audit", "--limit", "1")[0]["action"] == "admin.project.start"


def test_delete_shows_first_and_deletes_with_yes(fsactl, person):
    assert "by --yes" in fsactl("project", "delete", person.project, json_=False)
    assert fsactl("project", "show", person.project)["deletedAt"] is None
    assert fsactl("project", "delete", person.project, "--yes")["status"] == "TERMINATING"
    assert fsactl("project", "list", "--user", person.name) == []
    assert len(fsactl("project", "list", "--user", person.name, "--all")) == 1
    assert fsactl("project", "retry", person.project)["status"] == "TERMINATING"


def test_a_project_without_objects_is_deleted_at_once(fsactl, person, rows):
    rows("DELETE FROM resources WHERE project_id = %s", person.project)
    assert fsactl("project", "delete", person.project, "--yes") is None
    assert fsactl("project", "list", "--user", person.name, "--all") == []


def test_forget_needs_a_previous_deletion(fsactl, person, rows):
    done = fsactl("project", "forget", person.project, "--yes", status=1)
    assert "fsactl project delete" in done.stderr
    fsactl("project", "delete", person.project, "--yes")
    assert "by --yes" in fsactl("project", "forget", person.project, json_=False)
    assert rows("SELECT count(*) FROM resources WHERE project_id = %s", person.project) == [(2,)]
    assert fsactl("project", "forget", person.project, "--yes") is None
    assert rows("SELECT count(*) FROM projects WHERE id = %s", person.project) == [(0,)]
    assert fsactl("audit", "--limit", "1")[0]["action"] == "admin.project.forget"


def test_an_unknown_project_is_an_error_with_advice(fsactl, quiet):
    assert "fsactl project list" in fsactl("project", "show", "nothing", status=1).stderr


# ---- explain ------------------------------------------------------------------------------------


def explained(fsactl, person, kind="SANDBOX"):
    resources = fsactl("project", "explain", person.project)["resources"]
    return next(r for r in resources if r["kind"] == kind)


def possible(row):
    return {one["observed"]: one for one in row["mayBeObserved"]}


def test_explain_a_failure(fsactl, failed):
    row = explained(fsactl, failed)
    assert list(possible(row)) == ["BROKEN"]
    broken = possible(row)["BROKEN"]
    assert (broken["action"], broken["status"], broken["errorInMs"]) == ("DIAGNOSE", "ERROR", None)
    assert 0 < row["dueInMs"] <= 120000 and "runtime_image" in row["advice"]
    text = fsactl("project", "explain", failed.project, json_=False)
    assert row["headline"] in text and row["action"] in text
    for part in ("ERROR for 1h 0m, desired RUNNING", "ImagePullBackOff", "what to do"):
        assert part in text
    assert re.search(r"next +in 1m \d+s", text)


def test_explain_a_slow_start(fsactl, person, rows):
    rows("UPDATE resources SET status = 'STARTING', status_since = now() - interval '9 minutes'"
         " WHERE project_id = %s", person.project)
    observations = possible(explained(fsactl, person))
    assert {"PROGRESSING", "STOPPED", "OUTDATED"} <= set(observations)
    assert "READY" not in observations and "ABSENT" not in observations
    assert 0 < observations["PROGRESSING"]["errorInMs"] <= 60000


def test_explain_a_cluster_that_does_not_answer(fsactl, person, rows):
    rows("UPDATE resources SET status = 'RUNNING', attempts = 3, cause_kind = 'KUBE_TIMEOUT',"
         " cause_code = 'KUBE_TIMEOUT', cause_message = 'no answer', cause_since = now(),"
         " due_at = now() + interval '8 seconds' WHERE project_id = %s", person.project)
    observations = possible(explained(fsactl, person))
    assert list(observations) == ["UNREACHABLE"]
    # A running sandbox stays RUNNING however long this lasts.
    unreachable = observations["UNREACHABLE"]
    assert (unreachable["status"], unreachable["errorInMs"]) == ("RUNNING", None)
    assert unreachable["thenAfterMs"] == 6000  # 8 s minus the jitter


def test_explain_says_that_the_schema_keeps_every_pass_from_beginning(fsactl, person, rows):
    """This happens when programs were installed by hand without running the migrations."""
    rows("CREATE TABLE kept AS SELECT * FROM schema_migrations ORDER BY version DESC LIMIT 1")
    rows("DELETE FROM schema_migrations WHERE version = (SELECT version FROM kept)")
    try:
        assert "run fsactl migrate" in explained(fsactl, person)["halted"]
        text = fsactl("project", "explain", person.project, json_=False)
    finally:
        rows("INSERT INTO schema_migrations SELECT * FROM kept")
        rows("DROP TABLE kept")
    assert "no pass begins" in text and "the next pass takes it" not in text
    assert explained(fsactl, person)["halted"] is None


def test_explain_names_the_worker(fsactl, person, rows):
    rows("UPDATE resources SET leased_by = 'host/7', leased_until = now() + interval '20 s',"
         " due_at = now() + interval '20 s' WHERE project_id = %s", person.project)
    assert "being worked on now, by host/7" in fsactl("project", "explain", person.project,
                                                      json_=False)


def test_explain_notices_that_no_reconciler_runs(fsactl, person, rows):
    rows("UPDATE resources SET due_at = now() - interval '5 minutes' WHERE project_id = %s",
         person.project)
    assert explained(fsactl, person)["forgotten"] is True
    assert "is fsa-reconcile running?" in fsactl("project", "explain", person.project, json_=False)
