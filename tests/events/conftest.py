"""Sites with live updates."""

import itertools
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from stand.nginx import NCHAN  # noqa: E402
from stand.postgres import Postgres  # noqa: E402
from visitors import Live  # noqa: E402

_numbers = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def nchan():
    assert NCHAN.exists(), "libnginx-mod-nchan is missing: run tools/install-packages"


@pytest.fixture(scope="module")
def live(site):
    site.programs.stop("fsa-reconcile")
    return Live(site)


@pytest.fixture
def own(make_site, workspace):
    """A site with its own PostgreSQL, all of which may be stopped: a Live with the member `postgres`."""
    with Postgres(workspace / f"own{next(_numbers)}") as server:
        site = make_site(postgres=server)
        site.programs.stop("fsa-reconcile")
        own = Live(site)
        own.postgres = server
        yield own
