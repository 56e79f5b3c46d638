"""An API server that cannot keep up is waited for: what is not sent yet has not failed."""

from concurrent.futures import ThreadPoolExecutor

from people import Person, eventually
from stand.site import Site

PEOPLE, PROJECTS = 30, 5


def test_a_queue_is_no_timeout(workspace, build, postgres, kubesim):
    """Requests for longer than one may take, all at once: each has its turn, and none is blamed."""
    options = {"kube_request_timeout": "3s"}
    slow = kubesim.fault(fault="latency", ms=1700, verb="list")
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
                       120, last=lambda: ask("SELECT status, count(*) FROM projects GROUP BY 1"))
            assert ask("SELECT code, message FROM events WHERE code IS NOT NULL") == []
    kubesim.end_fault(slow)
