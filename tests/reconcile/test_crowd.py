"""Tests twenty hostile accounts of each kind at once, which keep changing something: another user's start takes about
as long as without them, and they get a small share of the CPU time."""

import contextlib
import itertools
import os
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hostile import KINDS_OF_HOSTILITY, hostile_server
from people import SLOW, Person, eventually
from quiet import sql
from stand.site import Site
from test_hostile_servers import processor_seconds

ACCOUNTS = 20  # of each kind
STARTS, ROUNDS = 12, 7
RATIO = 1.2  # a start's time with them to its time without
STALL_TIME = 3  # seconds, as configured: one start may wait this much longer
PART = 0.1  # of the machine's CPU time
PAUSE = 0.05  # seconds between two changes


@pytest.fixture(scope="module")
def site(workspace, build, postgres):
    with Site(workspace / "crowd", build, postgres, database="crowd",
              options={"projects_per_user": "1000"}) as running:
        yield running


@pytest.fixture(scope="module")
def servers(kubesim):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(hostile_server(kind, kubesim)) for kind in KINDS_OF_HOSTILITY]


class Crowd:
    """The hostile accounts. They only act within a `with` block."""

    def __init__(self, site, kubesim, servers):
        self._site = site
        with ThreadPoolExecutor(4) as pool:
            self._members = list(pool.map(lambda server: self._member(kubesim, server),
                                          servers * ACCOUNTS))
        self._ids = [row[0] for row in sql(site, "SELECT user_id::text FROM kubeconfigs")]
        self._over = threading.Event()
        self._tried = set()
        with self:
            eventually(self._all_tried, SLOW)

    def _member(self, kubesim, server):
        person = Person(self._site, kubesim, kubeconfig=False)
        diverted = server.divert(person.kubeconfig)
        person.put_kubeconfig(diverted)
        return person, diverted, person.create("Bad")

    def _all_tried(self):
        """Whether the reconciler has tried each one's server. Not all are charged: on a fast machine some kinds cost
        less than what every server may."""
        self._tried.update(row[0] for row in sql(self._site, """
            SELECT user_id::text FROM resources WHERE attempts > 0
            UNION SELECT user_id::text FROM stalls UNION SELECT user_id::text FROM spending"""))
        return self._tried.issuperset(self._ids)

    def __enter__(self):
        self._over.clear()
        self._make_due("now()")
        self._thread = threading.Thread(target=self._change)
        self._thread.start()

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        self._calm()

    def _calm(self):
        """Makes all of their rows due in an hour, once those in progress are done."""
        eventually(lambda: self._make_due("now() + interval '1 hour'") == 0, SLOW)

    def _make_due(self, when):
        """Makes their rows due at this time; returns how many are in progress and could not be changed."""
        return sum(len(sql(self._site, f"""
            WITH told AS (UPDATE {table} SET due_at = {when} WHERE user_id = ANY (%s::uuid[])
                AND due_at IS NOT NULL AND (leased_until IS NULL OR leased_until < now()))
            SELECT 1 FROM {table} WHERE user_id = ANY (%s::uuid[]) AND leased_until > now()""",
                           self._ids, self._ids)) for table in ("resources", "kubeconfig_checks"))

    def _change(self):
        """Makes changes for one account after another, of a different kind each time."""
        changes = (lambda person, text, _: person.put_kubeconfig(text),
                   lambda _p, _t, project: project.set_variable("A", str(time.monotonic())),
                   lambda _p, _t, project: project.stop(),
                   lambda _p, _t, project: project.start())
        for change in itertools.cycle(changes):
            for member in self._members:
                if self._over.wait(PAUSE):
                    return
                change(*member)


class Phase:
    """Starts one user's projects, one after the other."""

    def __init__(self, site, person, name):
        began, cpu = time.monotonic(), processor_seconds(site)
        started = [start(site, person, f"{name} {number}") for number in range(STARTS)]
        self.took = time.monotonic() - began
        self.cpu = processor_seconds(site) - cpu
        self.starts = [seconds for _, seconds in started]
        for project, _ in started:
            project.delete()
        for project, _ in started:
            project.wait_gone()

    @property
    def median(self):
        return statistics.median(self.starts)


def start(site, person, name):
    """Creates a project; returns it and the seconds from its POST to RUNNING."""
    began = time.monotonic()
    project = person.create(name)
    eventually(lambda: sql(site, "SELECT status::text FROM projects WHERE id = %s",
                           project.id) == [("RUNNING",)], SLOW, every=0.01)
    return project, time.monotonic() - began


def test_a_crowd_of_every_kind_costs_others_little(site, kubesim, servers):
    """Rounds with and without the crowd alternate, so that a busy machine affects both. As load varies between
    rounds, the medians are compared."""
    crowd = Crowd(site, kubesim, servers)
    person = Person(site, kubesim)
    Phase(site, person, "First")
    rounds = []
    for number in range(ROUNDS):
        alone = Phase(site, person, f"Alone {number}")
        with crowd:
            rounds.append((alone, Phase(site, person, f"Beside {number}")))
    part = (sum(b.cpu - a.cpu for a, b in rounds) /
            (os.cpu_count() * sum(b.took for _, b in rounds)))
    print([(round(a.median, 2), round(b.median, 2)) for a, b in rounds], f"{part:.1%} of the machine")
    assert statistics.median(b.median / a.median for a, b in rounds) < RATIO
    assert part < PART
    longest = [max(seconds for phase in phases for seconds in phase.starts) for phases in zip(*rounds)]
    assert longest[1] < RATIO * longest[0] + STALL_TIME, longest
