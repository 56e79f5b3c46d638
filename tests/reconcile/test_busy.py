"""Tests that a busy API server is waited for: a request that was not sent yet has not failed, and users who share a
server with a thousand projects of another are still served."""

from concurrent.futures import ThreadPoolExecutor

from people import SLOW, Person, eventually
from stand.site import Site

# Makes each claim take a while, and records its beginning and its end.
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

PEOPLE, PROJECTS = 30, 3  # users with slow rows share a quarter of the places, and all of these are slow
MANY = 1000  # projects of one person


def test_a_queue_is_no_timeout(workspace, build, postgres, kubesim):
    """All requests together take longer than one may: each gets its turn, and none is blamed."""
    options = {"kube_request_timeout": "6s"}  # twice as long as a response: this machine may be busy
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
    """Returns the number of rows for which the condition is true."""
    with site.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM resources WHERE {condition}")
        return cursor.fetchone()[0]


def test_a_thousand_projects_of_one_user_delay_nobody(workspace, build, postgres, kubesim):
    """All of them are due at once, on the API server that both share, which is slow. A user who creates one project
    afterwards gets it while most of the others are still waiting."""
    options = {"projects_per_user": str(MANY), "rows_in_flight": "600", "rows_per_user": "500"}
    slow = kubesim.fault(fault="latency", ms=100)
    with Site(workspace / "crowd", build, postgres, database="crowd", options=options) as site:
        crowd, single = Person(site, kubesim), Person(site, kubesim)
        site.programs.stop("fsa-reconcile")
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda n: crowd.create(f"One of {n}"), range(MANY)))
        site.programs.start("fsa-reconcile")
        # Until some of them are done.
        eventually(lambda: count(site, "status <> 'CREATING'"))
        left = []
        for number in range(3):
            single.create(f"Beside {number}").wait("RUNNING")
            left.append(count(site, "status <> 'RUNNING'"))
        print(f"left: {left}")
        assert left[0] > MANY / 2 and left[-1] > MANY / 10, left
    kubesim.end_fault(slow)


def test_a_claim_that_takes_long_is_not_made_for_every_place(workspace, build, postgres, kubesim):
    """With very many rows due, a claim is so expensive that the reconciler first waits for more free places."""
    # One row at a time, in a single pass.
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
