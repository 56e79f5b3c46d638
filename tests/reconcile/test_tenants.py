"""Tests that one user's cluster cannot harm others, be it dead, slow, or lying."""

import contextlib
import socket
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hostile import elsewhere
from people import SLOW, Person, eventually
from stand.kubesim import KubeSim
from stand.process import free_port
from stand.site import Site

GOOD, BAD = 90, 10
BAD_PROJECTS = 3  # per round, of each bad user
ROUNDS, MOST_ROUNDS = 5, 15
LIMIT = 1.2

# What may be wrong with the requests of a user on another API server than the good ones'.
TROUBLES = (
    {"fault": "hang"}, {"fault": "latency", "ms": 3000}, {"fault": "not-json"},
    {"fault": "oversize", "bytes": 20_000_000}, {"fault": "stale", "verb": "list"},
    {"fault": "truncate"}, {"fault": "reset"},
)


@pytest.fixture
def sites(workspace, build, postgres):
    """Two sites with default times: one for the good users alone, one for all."""
    options = {"projects_per_user": "1000"}
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(
                Site(workspace / name, build, postgres, database=name, options=options))
            for name in ("alone", "beside")
        ]


@pytest.fixture
def silent_port():
    """The port of a server that accepts connections and never responds."""
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as server:
        yield server.getsockname()[1]


def make_people(site, kubesim, count):
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda _: Person(site, kubesim), range(count)))


def make_bad_people(site, bad_kubesim, silent_port):
    people = make_people(site, bad_kubesim, BAD)
    for person, trouble in zip(people, TROUBLES):
        bad_kubesim.fault(user=f"*:{person.name}", **trouble)
    for person, port in zip(people[len(TROUBLES):], (silent_port, silent_port, free_port())):
        person.put_kubeconfig(elsewhere(person.kubeconfig, port))
    return people


def query(site, words, *values):
    with site.connect() as connection, connection.cursor() as cursor:
        cursor.execute(words, values)
        return cursor.fetchall()


def seconds_to_running(site, good):
    """Creates a project for each; returns the seconds from the first request to the last RUNNING; then removes
    them."""
    begin = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        ids = [project.id for project in pool.map(lambda p: p.create("Good"), good)]
    words = "SELECT status::text, count(*) FROM projects WHERE id = ANY (%s::uuid[]) GROUP BY 1"
    eventually(lambda: query(site, words, ids) == [("RUNNING", len(ids))], SLOW, every=0.02,
               last=lambda: query(site, words, ids))
    took = time.monotonic() - begin
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda pair: pair[0].client.delete(f"/api/projects/{pair[1]}"),
                      zip(good, ids)))
    eventually(lambda: query(site, words, ids) == [], SLOW)
    return took


@pytest.fixture
def bad_kubesim(workspace, kubesim_build):
    with KubeSim(workspace / "bad", kubesim_build) as running:
        yield running


def test_ten_bad_clusters_cost_the_other_ninety_nothing(sites, kubesim, bad_kubesim, silent_port):
    """The sites take turns, so that a busy machine affects both. As load varies, rounds are added until their median
    is reliable."""
    alone, beside = sites
    good = {site: make_people(site, kubesim, GOOD) for site in sites}
    bad = make_bad_people(beside, bad_kubesim, silent_port)
    ratios, warmed_up = [], False
    while len(ratios) < ROUNDS or statistics.median(ratios) > LIMIT:
        assert len(ratios) < MOST_ROUNDS, ratios
        times = {}
        for site in sites:
            for person in bad if site is beside else ():
                for more in range(BAD_PROJECTS):
                    person.create(f"Bad {len(ratios) if warmed_up else 'first'} {more}")
            times[site] = seconds_to_running(site, good[site])
        ratios += [times[beside] / times[alone]] if warmed_up else []
        warmed_up = True
    told = query(beside, "SELECT cause_kind, count(*) FROM resources GROUP BY 1 ORDER BY 1")
    print(f"ratios {ratios}, causes {told}")
    assert len(told) >= 4, told  # each has problems of their own


def test_the_end_of_a_pass_waits_for_nobody(workspace, build, postgres, kubesim, silent_port):
    """Passes last one second, and each ends with requests that get no response for five."""
    with Site(workspace / "ends", build, postgres, database="ends",
              options={"pass_time": "1s"}) as site:
        good, bad = make_people(site, kubesim, 2)
        bad.put_kubeconfig(elsewhere(bad.kubeconfig, silent_port))
        project = good.create("Good")
        project.wait("RUNNING")
        for number in range(3):
            bad.create(f"Bad {number}").wait_cause("KUBE_TIMEOUT")
        times = []
        for status, ask in (("STOPPED", project.stop), ("RUNNING", project.start)) * 5:
            query(site, "UPDATE resources SET due_at = now() WHERE cause_kind IS NOT NULL"
                  " AND leased_until IS NULL RETURNING id")
            begin = time.monotonic()
            ask()
            project.wait(status)
            times.append(time.monotonic() - begin)
        # A wait for the bad ones takes five seconds, and would happen in most rounds.
        assert statistics.median(times) < 4, times
