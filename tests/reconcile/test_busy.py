"""An API server that cannot keep up is waited for: what is not sent yet has not failed; and whoever
shares it with somebody who wants a thousand things is served all the same."""

from concurrent.futures import ThreadPoolExecutor

from people import SLOW, Person, eventually
from stand.site import Site

# Each claim takes a while, and is written down with its beginning and its end.
SLOW_CLAIMS = """
CREATE TABLE claims (began timestamptz, ended timestamptz);
CREATE FUNCTION claim_slowly() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM pg_sleep(0.05);
    INSERT INTO public.claims VALUES (now(), clock_timestamp());
    RETURN NULL;
END $$;
CREATE TRIGGER claim_slowly AFTER UPDATE OF lease_epoch ON resources
    FOR EACH ROW EXECUTE FUNCTION claim_slowly();
"""

PEOPLE, PROJECTS = 30, 3  # users with slow rows share a quarter of the places: all of these
MANY = 1000  # projects of one person


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


def count(site, condition):
    """How many rows there are of which this is true."""
    with site.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM resources WHERE {condition}")
        return cursor.fetchone()[0]


def test_a_thousand_projects_of_one_hold_up_nobody(workspace, build, postgres, kubesim):
    """All of them are due at once, on the API server of both, which takes its time. Who asks for one
    project after all of those has it while most of the others are still waited for."""
    options = {"projects_per_user": str(MANY), "rows_in_flight": "600", "rows_per_user": "500"}
    slow = kubesim.fault(fault="latency", ms=100)
    with Site(workspace / "crowd", build, postgres, database="crowd", options=options) as site:
        crowd, single = Person(site, kubesim), Person(site, kubesim)
        site.programs.stop("fsa-reconcile")
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda n: crowd.create(f"One of {n}"), range(MANY)))
        site.programs.start("fsa-reconcile")
        # It is in the middle of them.
        eventually(lambda: count(site, "status <> 'CREATING'"))
        left = []
        for number in range(3):
            single.create(f"Beside {number}").wait("RUNNING")
            left.append(count(site, "status <> 'RUNNING'"))
        print(f"left: {left}")
        assert left[0] > MANY / 2 and left[-1] > MANY / 10, left
    kubesim.end_fault(slow)


def test_a_claim_that_takes_long_is_not_made_for_every_place(workspace, build, postgres, kubesim):
    """With very many rows due a claim costs the database so much that it waits for more room."""
    # One row at a time, and one pass.
    options = {"rows_in_flight": "1", "pass_time": "1h"}
    with Site(workspace / "claims", build, postgres, database="claims", options=options) as site:
        site.programs.stop("fsa-reconcile")
        person = Person(site, kubesim)
        projects = [person.create(f"Claimed {number}") for number in range(5)]
        with site.connect() as connection, connection.cursor() as cursor:
            cursor.execute(SLOW_CLAIMS)
        site.programs.start("fsa-reconcile")
        for project in projects:
            project.wait("RUNNING")
        with site.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM ended - began)::float8,"
                           " extract(epoch FROM lead(began) OVER (ORDER BY began) - ended)::float8"
                           " FROM claims ORDER BY began")
            *claims, _ = cursor.fetchall()
    assert len(claims) >= 2 * len(projects) - 1
    assert all(rest > 3.9 * took for took, rest in claims), claims
