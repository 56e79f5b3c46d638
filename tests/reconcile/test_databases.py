"""Tests databases that are added to a project, or removed: the sandbox gets or loses its variables."""

from people import SLOW, eventually, expect
from quiet import sql


def environment(person, sandbox):
    """Returns the names and values of the variables in its Secret."""
    secret, = (item for item in person.namespace.items("Secret")
               if item["metadata"]["name"] == f"{sandbox}-env")
    return secret["data"]


def pods(person, sandbox):
    """Returns the UIDs of its pods."""
    return {item["metadata"]["uid"] for item in person.namespace.items("Pod")
            if item["metadata"]["name"].startswith(sandbox)}


def wait_replaced(project, before):
    """Waits until the sandbox runs again, in a pod that is not one of these."""
    name = project.sandbox()["name"]

    def replaced():
        """the sandbox runs in a new pod"""
        now = pods(project.person, name)
        return now and not now & before and project.sandbox()["status"] == "RUNNING"

    eventually(replaced, SLOW, last=project.get)


def test_a_database_is_added_later_and_removed_and_the_sandbox_follows(person):
    project = person.create("Shop")
    project.wait("RUNNING")
    sandbox = project.sandbox()["name"]
    without = pods(person, sandbox)
    assert "DATABASE_URL" not in environment(person, sandbox)

    expect(person.client.post(f"{project.path}/database"))
    wait_replaced(project, without)
    project.wait("RUNNING")
    assert "DATABASE_URL" in environment(person, sandbox)
    assert project.connection()["connectionUrl"]

    within = pods(person, sandbox)
    expect(person.client.delete(f"{project.path}/database"))
    wait_replaced(project, within)
    eventually(lambda: project.database() is None, SLOW, last=project.get)
    project.wait("RUNNING")
    assert "DATABASE_URL" not in environment(person, sandbox)
    assert not [name for kind in ("Cluster", "PersistentVolumeClaim")
                for name in (item["metadata"]["name"] for item in person.namespace.items(kind))
                if "-db-" in name]

    # A second database is a new one.
    before = pods(person, sandbox)
    expect(person.client.post(f"{project.path}/database"))
    wait_replaced(project, before)
    project.wait("RUNNING")
    assert "DATABASE_URL" in environment(person, sandbox)


def test_a_stopped_project_gets_its_database_when_it_is_started(person, site):
    project = person.create("Shop")
    project.wait("RUNNING")
    project.stop()
    project.wait("STOPPED")
    added = expect(person.client.post(f"{project.path}/database"))
    # Passes have observed it and left it alone: no event says otherwise.
    eventually(lambda: sql(site, "SELECT due_at > now() FROM resources WHERE id = %s",
                           added["id"]) == [(True,)], SLOW)
    found = project.get()
    assert (found["status"], project.database()["status"]) == ("STOPPED", "STOPPED")
    assert project.causes() == [] and project.database()["warnings"] == []
    assert {event["status"] for event in project.events()
            if event["resourceId"] == added["id"]} == {"STOPPED"}
    assert person.namespace.items("Cluster") == []

    project.start()
    project.wait("RUNNING")
    assert "DATABASE_URL" in environment(person, project.sandbox()["name"])
    assert project.connection()["connectionUrl"]


def test_a_sandbox_runs_on_while_its_new_database_cannot_be_made(person, kubesim):
    project = person.create("Shop")
    project.wait("RUNNING")
    sandbox = project.sandbox()["name"]
    before = pods(person, sandbox)
    denied = kubesim.fault(fault="forbidden", verb="apply", resource="clusters",
                           user=f"*:{person.name}")
    expect(person.client.post(f"{project.path}/database"))
    project.wait_cause("KUBE_FORBIDDEN")
    assert project.sandbox()["status"] == "RUNNING"
    # It is removed again; the sandbox was not affected.
    kubesim.end_fault(denied)
    expect(person.client.delete(f"{project.path}/database"))
    eventually(lambda: project.database() is None, SLOW, last=project.get)
    project.wait("RUNNING")
    assert pods(person, sandbox) == before
