"""An API server that cannot keep up is waited for: what is not sent yet has not failed; and whoever
shares it with somebody who wants a thousand things is served all the same."""

import time
from concurrent.futures import ThreadPoolExecutor

from people import SLOW, Person, eventually
from stand.site import Site

PEOPLE, PROJECTS = 30, 5
MANY = 1000  # projects of one person
LIMIT = 3  # times as long as alone


def test_a_queue_is_no_timeout(workspace, build, postgres, kubesim):
    """Requests for longer than one may take, all at once: each has its turn, and none is blamed."""
    options = {"kube_request_timeout": "6s"}  # twice what an answer takes: this machine may be busy
    slow = kubesim.fault(fault="latency", ms=3000, verb="list")
    with Site(workspace / "busy", build, postgres, database="busy", options=options) as site:
        site.programs.stop("fsa-reconcile")
        people = [Person(site, kubesim) for _ in range(PEOPLE)]
        with ThreadPoolExecutor(4) as pool:
            for number in range(PROJECTS):
                list(pool.map(lambda p, n=number: p.create(f"Queued {n}"), people))
        site.programs.start("fsa-reconcile")
        with site.connect() as connection, connection.cursor() as cursor:

            def ask(words):
                cursor.execute(words)
                return cursor.fetchall()

            eventually(lambda: ask("SELECT DISTINCT status::text FROM projects") == [("RUNNING",)],
                       SLOW, last=lambda: ask("SELECT status, count(*) FROM projects GROUP BY 1"))
            assert ask("SELECT code, message FROM events WHERE code IS NOT NULL") == []
    kubesim.end_fault(slow)


def seconds_to_running(person, name):
    begin = time.monotonic()
    person.create(name).wait("RUNNING")
    return time.monotonic() - begin


def test_a_thousand_projects_of_one_hold_up_nobody(workspace, build, postgres, kubesim):
    """All of them are due at once, on the API server of both, which takes its time."""
    options = {"projects_per_user": str(MANY), "rows_in_flight": "600", "rows_per_user": "500"}
    slow = kubesim.fault(fault="latency", ms=100)
    with Site(workspace / "crowd", build, postgres, database="crowd", options=options) as site:
        crowd, single = Person(site, kubesim), Person(site, kubesim)
        alone = [seconds_to_running(single, f"Alone {n}") for n in range(3)]
        site.programs.stop("fsa-reconcile")
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda n: crowd.create(f"One of {n}"), range(MANY)))
        site.programs.start("fsa-reconcile")
        time.sleep(1)  # it is in the middle of them
        beside = [seconds_to_running(single, f"Beside {n}") for n in range(3)]
        with site.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM resources WHERE status <> 'RUNNING'")
            left = cursor.fetchone()[0]
        print(f"alone {alone}, beside {beside}, {left} are left")
        assert left > MANY / 10, left
        assert max(beside) < LIMIT * max(alone), (alone, beside)
    kubesim.end_fault(slow)
