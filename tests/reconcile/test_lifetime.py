"""Tests a project with an end: its owner is warned, it is stopped, and deleted after its grace period, whatever is
killed meanwhile."""

from people import SLOW, eventually, expect

SITE_OPTIONS = {"resync": "1s"}


def lifetime(project, hours):
    return expect(project.person.client.put(f"{project.path}/lifetime", {"hours": hours}))


def run(site, statement, project):
    """Runs a statement that changes a project's times, as if time had passed."""
    with site.connect() as connection, connection.cursor() as cursor:
        cursor.execute(statement, (project.id,))


def expire(site, project):
    run(site, "UPDATE projects SET expires_at = now() WHERE id = %s", project)


def warned(project, code):
    """the owner is warned"""
    return [warning for warning in project.get()["warnings"] if warning["code"] == code]


def restart_reconciler(site):
    site.programs.kill("fsa-reconcile")
    site.programs.start("fsa-reconcile")


def test_from_the_warning_to_the_end(site, person):
    project = person.create("Brief", database=True)
    project.wait("RUNNING")
    assert project.get()["expiresAt"] is None
    assert lifetime(project, 2)["expiresAt"]
    warning, = eventually(lambda: warned(project, "PROJECT_ENDING"), SLOW)
    assert warning["headline"] and warning["action"] and project.get()["expiresAt"] in warning["message"]
    assert project.status() == "RUNNING"

    expire(site, project)
    restart_reconciler(site)
    stopped = project.wait("STOPPED")
    assert [warning["code"] for warning in stopped["warnings"]] == ["PROJECT_ENDED"]
    assert stopped["deletesAt"] in stopped["warnings"][0]["message"]
    assert person.namespace.items("Pod") == []
    claims = person.namespace.items("PersistentVolumeClaim")
    assert claims

    run(site, "UPDATE projects SET deletes_at = now() WHERE id = %s", project)
    restart_reconciler(site)
    project.wait_gone()
    eventually(lambda: person.namespace.items("PersistentVolumeClaim") == [], SLOW)


def test_one_action_gives_it_more_time(site, person):
    project = person.create("Extended")
    project.wait("RUNNING")
    expire(site, project)
    project.wait("STOPPED")
    refused = person.client.post(f"{project.path}/start")
    assert (refused.status_code, refused.json()["errorCode"]) == (409, "PROJECT_ENDED"), refused.text

    extended = lifetime(project, 72)
    assert (extended["warnings"], extended["deletesAt"]) == ([], None)
    project.start()
    project.wait("RUNNING")
    assert lifetime(project, None)["expiresAt"] is None
    assert [event["code"] for event in project.events() if event["kind"] is None and event["code"]] == ["PROJECT_ENDED"]


def test_an_invalid_lifetime_changes_nothing(person):
    project = person.create("Unchanged")
    lifetime(project, 5)
    before = project.get()["expiresAt"]
    for hours in (0, -1, 8785, 1.5, "5", True, [5]):
        answer = person.client.put(f"{project.path}/lifetime", {"hours": hours})
        assert answer.status_code == 400, hours
    assert person.client.put(f"{project.path}/lifetime", {}).status_code == 400
    refused = person.client.post("/api/projects", {"name": "Never", "lifetimeHours": 0})
    assert refused.status_code == 400
    assert project.get()["expiresAt"] == before


def test_a_project_is_created_with_its_end(person):
    made = expect(person.client.post("/api/projects", {"name": "Born", "lifetimeHours": 24, "database": False}))
    assert made["expiresAt"] > made["createdAt"]
