"""Tests that a start is followed by a watch, and continues without one if the API server's watches fail."""

import itertools
import threading

import pytest
from people import eventually
from test_reads import reads

# So that only requests of the start are counted.
SITE_OPTIONS = {"resync": "1h"}

TROUBLES = {
    "refused": {"fault": "forbidden"},
    "expired": {"fault": "expired"},
    "unavailable": {"fault": "unavailable"},
    "never-a-byte": {"fault": "hang", "ms": 60_000},
    "reset": {"fault": "reset"},
    "no-lines": {"fault": "not-json"},
    "no-events": {"fault": "bad-json"},
    "without-end": {"fault": "oversize", "bytes": 100_000_000},
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_start_continues_without_watches(kubesim, person, trouble):
    kubesim.fault(verb="watch", user=f"*{person.name}*", **TROUBLES[trouble])
    project = person.create("Shop")
    project.wait("RUNNING")
    project.wait_no_cause()


def test_a_watch_ends_with_its_transition(kubesim, person):
    person.create("Shop").wait("RUNNING")
    eventually(lambda: kubesim.order("GET", "/state")["watches"] == 0)


@pytest.fixture
def slow_pods(kubesim):
    kubesim.order("POST", "/settings", {"readyAfter": 5000})
    yield
    kubesim.order("POST", "/settings", {"readyAfter": 300})


def test_endless_changes_cause_few_more_observations(kubesim, person, slow_pods):
    project = person.create("Restless")
    name = project.sandbox()["name"]
    eventually(lambda: person.namespace.get("StatefulSet", name))
    kubesim.order("DELETE", "/counters")
    over = threading.Event()

    def change():
        for number in itertools.takewhile(lambda _: not over.is_set(), itertools.count()):
            person.namespace.patch("StatefulSet", name, {
                "metadata": {"annotations": {"example.com/number": str(number)}}})

    changing = threading.Thread(target=change)
    changing.start()
    try:
        project.wait("RUNNING")
    finally:
        over.set()
        changing.join()
    asked = reads(kubesim)
    changes = sum(count for key, count in kubesim.counters()["by"].items() if key.startswith("patch "))
    # Sixteen observations because of changes, and those that are due anyway.
    assert asked["list statefulsets 200"] < 40 < changes, (asked, changes)
