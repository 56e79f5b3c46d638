"""Tests that accounts with slow API servers together take a quarter of the places, and no more."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from people import Person, eventually
from stand.kubesim import KubeSim
from stand.site import Site
from test_tenants import query

SLOW_ACCOUNTS, PLACES = 48, 16
LATE_MS = 4500  # of the five seconds that a request may take


@pytest.fixture
def site(workspace, build, postgres):
    options = {"rows_in_flight": str(PLACES)}
    with Site(workspace / "slow", build, postgres, database="slow", options=options) as running:
        yield running


@pytest.fixture
def slow_kubesim(workspace, kubesim_build):
    with KubeSim(workspace / "kubesim-slow", kubesim_build) as running:
        yield running


def names(people):
    return [f"ns-{person.name}" for person in people]


def looks(site, people):
    """Returns how often rows of these people were claimed."""
    ((count,),) = query(site, "SELECT sum(lease_epoch)::bigint FROM resources"
                              " WHERE namespace = ANY (%s)", names(people))
    return count


def under_way(site, people):
    ((count,),) = query(site, "SELECT count(*) FROM resources WHERE leased_until > now()"
                              " AND namespace = ANY (%s)", names(people))
    return count


def test_many_slow_accounts_leave_the_places_to_the_others(site, kubesim, slow_kubesim):
    with ThreadPoolExecutor(4) as pool:
        slow = list(pool.map(lambda _: Person(site, slow_kubesim), range(SLOW_ACCOUNTS)))
        slow_kubesim.fault(fault="latency", ms=LATE_MS)
        list(pool.map(lambda p: p.create("Slow"), slow))
    # The first observation of each shows how slow it is.
    eventually(lambda: len(query(site, "SELECT FROM resources WHERE took_ms >= 2000")) ==
               SLOW_ACCOUNTS)
    victim = Person(site, kubesim)
    before = looks(site, slow)
    most = 0
    project = victim.create("Shop")
    while project.status() != "RUNNING":
        most = max(most, under_way(site, slow))
    assert 0 < most <= PLACES // 4, most
    # While one project started, all of the slow ones waited: it did not have to queue with them.
    assert looks(site, slow) - before <= SLOW_ACCOUNTS, looks(site, slow) - before
