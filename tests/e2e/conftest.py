"""Tests the whole system on real servers: nginx, our programs, PostgreSQL, a Kubernetes API server.

One cluster serves all tests; every person has their own namespace in it. A failed test shows the
ends of its site's logs.
"""

import itertools

import pytest

from people import Person
from stand.site import Site

# Stable states are observed often, so that drift and healing are noticed soon; a silent API server does not hold a
# lease for long.
OPTIONS = {"resync": "2s", "lease_time": "8s", "kube_request_timeout": "2s", "pass_time": "10s"}

LOG_LINES = 40

_numbers = itertools.count(1)


def _site(workspace, build, postgres, options=None, **rest):
    name = f"e2e{next(_numbers)}"
    options = {**OPTIONS, **(options or {})}
    return Site(workspace / name, build, postgres, database=name, options=options, **rest)


@pytest.fixture(scope="module")
def site(workspace, build, postgres):
    """A site for the tests of one file."""
    with _site(workspace, build, postgres) as made:
        yield made


@pytest.fixture
def new_site(workspace, build, postgres):
    """Makes sites for one test: new_site(options={…}, …), see stand.site.Site."""
    sites = []

    def make(build=build, postgres=postgres, **rest):
        made = _site(workspace, build, postgres, **rest)
        sites.append(made)
        made.start()
        return made

    make.sites = sites
    yield make
    for made in sites:
        made.stop()


@pytest.fixture
def new_person(request, cluster):
    """Makes people: new_person(quota={"pods": "1"}, …); site=… for another site than the file's."""

    def make(site=None, **options):
        site = site or request.getfixturevalue("site")
        make.sites.append(site)
        return Person(site, cluster, **options)

    make.sites = []
    return make


@pytest.fixture
def person(new_person):
    return new_person()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if not report.failed:
        return
    sites = [item.funcargs["site"]] if "site" in item.funcargs else []
    for name in ("new_site", "new_person"):
        sites += item.funcargs[name].sites if name in item.funcargs else []
    for site in dict.fromkeys(sites):
        logs = sorted(site.directory.glob("*/logs/*.log"))
        for log in (log for log in logs if log.name != "access.log"):
            lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
            report.sections.append((f"the end of {log}", "\n".join(lines)))
