"""Tests what is shown when something takes too long. The clock is moved, not waited for."""

import pytest
from people import eventually
from quiet import SITE_OPTIONS, resync, sql  # noqa: F401


@pytest.fixture
def slow_pods(kubesim):
    kubesim.order("POST", "/settings", {"readyAfter": 3_600_000})
    yield
    kubesim.order("POST", "/settings", {"readyAfter": 300})


def late(site, project):
    sql(site, "UPDATE resources SET status_since = now() - interval '20 minutes'"
        " WHERE project_id = %s", project.id)
    resync(site, project)


def wait_until_it_stands(person, project):
    """Waits until the sandbox's pod is on a node, where it gets no further."""
    def stands():
        """the pod waits for its containers, and the sandbox is shown as STARTING"""
        sandbox = project.sandbox()
        pod = person.namespace.pod(sandbox["name"])
        conditions = pod["status"].get("conditions", []) if pod else []
        return sandbox["status"] == "STARTING" and any(
            condition.get("reason") == "ContainersNotReady" for condition in conditions)

    eventually(stands, last=project.get)


def test_a_slow_start_shows_what_its_pod_waits_for(site, person, slow_pods, explained):
    project = person.create("Slow")
    wait_until_it_stands(person, project)
    late(site, project)
    cause = project.wait_cause("DEADLINE")
    assert project.status() == "ERROR"
    assert f"pod {project.sandbox()['name']}-0: phase Pending; " in cause["message"]
    assert "is False (ContainersNotReady)" in cause["message"]
    explained(project, "start-past-its-deadline")


def test_a_database_that_takes_too_long_says_its_phase(site, person, slow_pods, explained):
    project = person.create("Slower", database=True)
    name = project.database()["databaseName"]
    wait_until_it_stands(person, project)  # its database has published its address
    eventually(lambda: project.database()["status"] == "STARTING", last=project.get)
    eventually(lambda: person.namespace.get("Cluster", name).get("status", {}).get("phase"))
    late(site, project)
    eventually(lambda: [c["kind"] for c in project.causes()] == ["DEADLINE"] * 2, last=project.get)
    assert project.database()["cause"]["message"] == f"cluster {name}: phase Creating"
    explained(project, "database-past-its-deadline")
