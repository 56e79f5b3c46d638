"""What takes too long says what the cluster says of it. The time is moved on, not waited for."""

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


def test_a_start_that_takes_too_long_says_what_its_pod_waits_for(site, person, slow_pods, explained):
    project = person.create("Slow")
    eventually(lambda: person.namespace.pod(project.sandbox()["name"]))
    eventually(lambda: project.status() == "STARTING")
    late(site, project)
    cause = project.wait_cause("DEADLINE")
    assert project.status() == "ERROR"
    assert f"pod {project.sandbox()['name']}-0: phase Pending; " in cause["message"]
    assert "is False (ContainersNotReady)" in cause["message"]
    explained(project, "start-past-its-deadline")


def test_a_database_that_takes_too_long_says_its_phase(site, person, slow_pods, explained):
    project = person.create("Slower", database=True)
    eventually(lambda: project.database()["status"] == "STARTING", last=project.get)
    late(site, project)
    causes = eventually(lambda: len(project.causes()) == 2 and project.causes(), last=project.get)
    assert {cause["kind"] for cause in causes} == {"DEADLINE"}
    name = project.database()["databaseName"]
    eventually(lambda: project.database()["cause"]["message"] == f"cluster {name}: phase Creating",
               last=project.database)  # of the next observation, if it had none yet
    assert project.sandbox()["cause"]["message"] == f"database {name} is not ready"
    explained(project, "database-past-its-deadline")
