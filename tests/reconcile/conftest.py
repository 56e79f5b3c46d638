"""The reconciler on kubesim, which fails on demand: no real API server is needed."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "e2e"))  # for people.py

from explained import Explained  # noqa: E402
from people import Person  # noqa: E402
from schedule import OPTIONS  # noqa: E402
from stand.kubesim import KubeSim  # noqa: E402
from stand.site import Site  # noqa: E402


@pytest.fixture(scope="module")
def kubesim(workspace, kubesim_build, request):
    with KubeSim(workspace / f"kubesim-{request.module.__name__}", kubesim_build) as running:
        yield running


@pytest.fixture(scope="module")
def site(workspace, build, postgres, request):
    """A site with the options of the module's SITE_OPTIONS, if it has any."""
    name = request.module.__name__
    options = OPTIONS | getattr(request.module, "SITE_OPTIONS", {})
    with Site(workspace / name, build, postgres, database=name, options=options,
              every="200ms") as made:
        yield made


@pytest.fixture
def person(site, kubesim):
    """A user with their own namespace; all faults end with the test."""
    yield Person(site, kubesim)
    kubesim.heal()


@pytest.fixture
def explained(site, request):
    """Compares what fsactl explains about a project with golden/<fault>.txt."""
    return Explained(site, request.config.getoption("--rewrite", default=False))


def pytest_addoption(parser):
    parser.addoption("--rewrite", action="store_true", help="write golden/*.txt anew")
    parser.addoption("--seed", type=int, help="test_schedules: only the schedule of this seed")
    parser.addoption("--steps", type=int, help="test_schedules: so many steps")
