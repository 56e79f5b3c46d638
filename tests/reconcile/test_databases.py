"""A database that a project gets later, and one that it loses: its sandbox is with it, or without."""

from people import SLOW, eventually, expect
from quiet import sql


def environment(person, sandbox):
    """The names and values of the variables that its pod is started with."""
    secret, = (item for item in person.namespace.items("Secret")
               if item["metadata"]["name"] == f"{sandbox}-env")
    return secret["data"]


def pods(person, sandbox):
    """The uids of its pods."""
    return {item["metadata"]["uid"] for item in person.namespace.items("Pod")
            if item["metadata"]["name"].startswith(sandbox)}


def wait_replaced(project, before):
    """Until the sandbox runs again, by another pod than these."""
    name = project.sandbox()["name"]

    def replaced():
        """the sandbox runs by another pod"""
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

    # Another one is a database of its own.
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
    # Passes that have looked at it have left it as it is: no event tells of anything else.
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
    # Removed again, it has cost the sandbox nothing.
    kubesim.end_fault(denied)
    expect(person.client.delete(f"{project.path}/database"))
    eventually(lambda: project.database() is None, SLOW, last=project.get)
    project.wait("RUNNING")
    assert pods(person, sandbox) == before
