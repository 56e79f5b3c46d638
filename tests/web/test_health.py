"""Tests that /readyz reports what users would experience: each part is really used."""

import os
import signal
import time
from pathlib import Path

import pytest
from stand.process import PATIENCE


def ready(site):
    answer = site.client().get("/readyz")
    assert (answer.status_code == 503) == (answer.json()["status"] == "not ready")
    return answer.json()


def failed(site):
    return {name for name, state in ready(site)["checks"].items() if state == "failed"}


def wait_failed(site, names):
    """Waits until exactly these checks fail; the result for the database's writes is cached for two seconds."""
    end = time.monotonic() + PATIENCE
    while (found := failed(site)) != names:
        assert time.monotonic() < end, found
        time.sleep(0.05)


@pytest.fixture
def whole(site):
    """A site that works, before and after; no worker remembers earlier results."""
    site.programs.stop("api.fcgi")
    site.programs.start("api.fcgi")
    wait_failed(site, set())
    yield site
    wait_failed(site, set())


def test_without_logins_it_is_not_ready(whole):
    whole.programs.stop("auth.fcgi")
    try:
        assert failed(whole) == {"logins"}
        assert ready(whole)["status"] == "not ready"
        assert 'auth.fcgi answers nginx with \\"502\\"' in whole.programs.log("api.fcgi").read_text()
    finally:
        whole.programs.start("auth.fcgi")


def test_hanging_logins_make_it_not_ready_at_once(whole):
    """The socket accepts connections, but no process serves them."""
    master = whole.programs.pid("auth.fcgi")
    workers = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    for pid in workers:
        os.kill(int(pid), signal.SIGSTOP)
    try:
        assert failed(whole) == {"logins"}
        assert whole.client().get("/healthz").status_code == 200
    finally:
        for pid in workers:
            os.kill(int(pid), signal.SIGCONT)


def test_readyz_tries_the_queries_of_a_login(whole):
    with whole.connect() as db, db.cursor() as cursor:
        cursor.execute("REVOKE INSERT ON sessions FROM fsa_auth")
    try:
        answer = whole.client().get("/api/auth/ready")
        assert (answer.status_code, answer.json()["errorCode"]) == (500, "INTERNAL")
        assert failed(whole) == {"logins"}
    finally:
        with whole.connect() as db, db.cursor() as cursor:
            cursor.execute("GRANT INSERT ON sessions TO fsa_auth")


def set_read_only(site, value):
    """Makes the database read-only, as a standby is or an administrator may do."""
    db = site.connect()
    db.set_session(readonly=False, autocommit=True)
    with db.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {site.database} SET default_transaction_read_only = {value}")
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                       " WHERE datname = %s AND pid <> pg_backend_pid()", (site.database,))
    db.close()


def test_where_the_database_only_reads_neither_changes_nor_the_reconciler_are_well(whole):
    set_read_only(whole, "on")
    try:
        wait_failed(whole, {"databaseWrites", "logins", "reconciler"})
        assert ready(whole)["status"] == "not ready"
    finally:
        set_read_only(whole, "off")


def test_a_right_that_is_missing_is_found_before_a_user_finds_it(whole):
    with whole.connect() as db, db.cursor() as cursor:
        cursor.execute("REVOKE INSERT ON audit FROM fsa_api")
    try:
        wait_failed(whole, {"databaseWrites", "reconciler"})
        assert "permission denied for table audit" in whole.programs.log("api.fcgi").read_text()
    finally:
        with whole.connect() as db, db.cursor() as cursor:
            cursor.execute("GRANT INSERT ON audit TO fsa_api")


def test_stopped_passes_are_reported_although_nothing_is_due(whole):
    whole.programs.stop("fsa-reconcile")
    try:
        assert ready(whole)["status"] == "ready"
        with whole.connect() as db, db.cursor() as cursor:
            cursor.execute("UPDATE pass_hosts SET last_pass_at = now() - interval '61 seconds'")
        assert (ready(whole)["status"], failed(whole)) == ("degraded", {"reconciler"})
    finally:
        whole.programs.start("fsa-reconcile")


def test_asking_often_leaves_nothing_behind_and_changes_nothing(whole):
    def tables():
        with whole.connect() as db, db.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_class")
            return cursor.fetchone()

    before = tables()
    for _ in range(50):
        assert ready(whole)["status"] == "ready"
    assert tables() == before


def test_strangers_learn_which_part_and_not_why(whole):
    whole.programs.stop("auth.fcgi")
    try:
        assert set(ready(whole)) == {"status", "checks", "maintenance"}
        assert set(ready(whole)["checks"].values()) <= {"ok", "failed", "off"}
    finally:
        whole.programs.start("auth.fcgi")
    # Clients cannot forge what auth.fcgi has said, nor reach nginx's internal locations.
    assert whole.client().get("/readyz", headers={"FSA-Logins": "502"}).json()["checks"]["logins"] == "ok"
    for path in ("/_logins_ready", "/_logins_answer"):
        assert whole.client().get(path).status_code == 404
