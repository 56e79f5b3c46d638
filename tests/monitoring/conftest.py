"""A whole site at work on kubesim, for tests of what it counts and logs."""

import pytest
from stand.kubesim import KubeSim
from stand.site import Site

# With level debug, everything that could be logged is.
OPTIONS = {"log_level": "debug", "resync": "2s", "lease_time": "8s", "kube_request_timeout": "2s",
           "mode": "production"}


@pytest.fixture(scope="module")
def cluster(workspace, build):
    with KubeSim(workspace / "kubesim", build) as running:
        yield running


@pytest.fixture(scope="module")
def site(workspace, build, postgres):
    with Site(workspace / "watched", build, postgres, database="watched",
              options=OPTIONS) as made:
        yield made
