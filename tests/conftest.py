"""Fixtures for the tests that use real servers, which tools/stand/ starts.

FSA_BUILD names the directory where the programs were built; the default is that of the sources, or
its folder build/.
"""

import itertools
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from stand.cluster import Cluster  # noqa: E402
from stand.kubesim import program as kubesim_program  # noqa: E402
from stand.postgres import PgBouncer, Postgres  # noqa: E402
from stand.site import Site  # noqa: E402

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def build():
    """The directory in which the programs were built."""
    places = [Path(os.environ["FSA_BUILD"])] if "FSA_BUILD" in os.environ else []
    for place in places or [ROOT, ROOT / "build"]:
        if (place / "config.status").exists():
            return place.resolve()
    pytest.fail("nothing is built here: run make, or set FSA_BUILD to the build directory")


@pytest.fixture(scope="session")
def console(build):
    """The console as built, which nginx serves."""
    return build / "web" / "dist"


@pytest.fixture(scope="session")
def kubesim_build(build):
    """The build directory, if it has kubesim."""
    if not kubesim_program(build).exists():
        pytest.skip("kubesim is not built: it needs libmicrohttpd-dev and libgnutls28-dev")
    return build


@pytest.fixture(scope="session")
def workspace(request):
    """A directory for the whole run, which other users can traverse to reach their sockets.

    Its path is short, because a unix socket's path may have 107 bytes. If a test fails, it is kept for
    its logs.
    """
    path = Path(tempfile.mkdtemp(prefix="fsa-", dir="/tmp"))
    path.chmod(0o711)
    yield path
    if request.session.testsfailed:
        print(f"\nlogs of the servers: {path}")
    else:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(workspace):
    """A PostgreSQL server for the whole run. A test that stops it must start it again."""
    with Postgres(workspace / "postgres") as server:
        yield server


@pytest.fixture(scope="session")
def pgbouncer(workspace, postgres):
    """pgbouncer in transaction mode in front of it."""
    with PgBouncer(workspace / "pgbouncer", postgres) as bouncer:
        yield bouncer


@pytest.fixture(scope="session")
def cluster(workspace):
    """A Kubernetes API server for the whole run; building it the first time takes minutes."""
    with Cluster(workspace / "cluster") as running:
        yield running


@pytest.fixture(scope="module")
def site(workspace, build, postgres):
    """A site with its own database, shared by the tests of one file."""
    number = next(_numbers)
    with Site(workspace / f"site{number}", build, postgres, database=f"site{number}") as made:
        yield made


@pytest.fixture
def make_site(workspace, build, postgres):
    """Makes sites for one test: make_site(options={…}, …), see stand.site.Site."""
    sites = []

    def make(**options):
        number = next(_numbers)
        made = Site(workspace / f"site{number}", build, options.pop("postgres", postgres),
                    database=f"site{number}", **options)
        sites.append(made)
        made.start()
        return made

    yield make
    for made in sites:
        made.stop()
