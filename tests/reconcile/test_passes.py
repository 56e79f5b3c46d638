"""Tests that where one pass ends and the next begins, nobody waits longer than within one."""

import pytest
from people import eventually
from stand.site import Site

# Passes are short. The only thing that begins one is a due row: nothing else does for an hour, and leases outlast the
# tests.
OPTIONS = {"pass_time": "1s", "lease_time": "10m", "resync": "1h"}


@pytest.fixture
def site(workspace, build, postgres):
    with Site(workspace / "passes", build, postgres, database="passes", options=OPTIONS,
              every="1h") as running:
        yield running


def test_a_start_continues_in_the_next_pass(site, kubesim,
                                                                                    person):
    # Each observation takes longer than is left of the pass that began it.
    kubesim.fault(fault="latency", ms=1500, verb="list", resource="statefulsets", count=4)
    project = person.create("Shop")
    eventually(lambda: project.status() == "RUNNING", last=project.get)
