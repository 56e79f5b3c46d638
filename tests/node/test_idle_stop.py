"""A quiet sandbox on a real cluster is stopped; one in which a program works is not. The reconciler asks each sandbox
through the API server's proxy."""

import pytest

from people import eventually, expect
from shell import shell

IDLE_S = 60  # the least that can be chosen


@pytest.fixture(scope="module")
def person(new_person):
    return new_person()


def running(person, name):
    """A project that is stopped after a minute in which nothing happens."""
    project = person.create(name)
    project.wait("RUNNING")
    expect(person.client.put(f"{project.path}/idle", {"minutes": IDLE_S // 60}))
    return project


def test_a_quiet_sandbox_is_stopped_and_one_that_works_is_not(person):
    quiet, working = running(person, "Quiet"), running(person, "Working")
    with shell(working) as opened:
        opened.ask("(setsid sh -c 'while :; do :; done' </dev/null >/dev/null 2>&1 &)")
    quiet.wait("STOPPED", 4 * IDLE_S)
    kept = working.get()
    assert (kept["status"], kept["sandboxes"][0]["lastActivity"]) == ("RUNNING", "work of a program: sh")
    assert "PROJECT_IDLE_STOPPED" in [event["code"] for event in quiet.events()]
    for project in (quiet, working):
        project.delete()
    for project in (quiet, working):
        eventually(project.gone)
