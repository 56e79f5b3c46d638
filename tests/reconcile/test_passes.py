"""Where one pass ends and the next one begins, nobody waits for longer than within one."""

import pytest
from people import eventually
from stand.site import Site

# Passes are short, and what begins one is a row that is due: nothing else does for an hour, and a
# lease lasts longer than anybody here waits.
OPTIONS = {"pass_time": "1s", "lease_time": "10m", "resync": "1h"}


@pytest.fixture
def site(workspace, build, postgres):
    with Site(workspace / "passes", build, postgres, database="passes", options=OPTIONS,
              every="1h") as running:
        yield running


def test_a_start_goes_on_in_the_next_pass_when_a_pass_has_ended_in_the_middle_of_it(site, kubesim,
                                                                                    person):
    # Each observation ends after the time of the pass that has begun it.
    kubesim.fault(fault="latency", ms=1500, verb="list", resource="statefulsets", count=4)
    project = person.create("Shop")
    eventually(lambda: project.status() == "RUNNING", last=project.get)
