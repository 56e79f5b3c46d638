"""Tests PostgreSQL's absence and missing keys: no program dies, and the response says what is missing."""

import threading
import time

import pytest
from stand.postgres import Postgres
from stand.process import PATIENCE


def wait_until(check):
    end = time.monotonic() + PATIENCE
    while not check():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.05)


@pytest.fixture
def own_postgres(workspace):
    """A PostgreSQL that may be stopped."""
    with Postgres(workspace / "own-postgres") as server:
        yield server


def test_postgres_away_is_503_and_then_all_is_well(make_site, make_kubeconfig, own_postgres):
    site = make_site(postgres=own_postgres, options={"projects_per_user": "1000000"})
    client = site.client()
    assert client.register("ada", "correct horse battery").ok
    assert client.put("/api/user/config/kc", {"kubeconfig": make_kubeconfig()}).ok
    pids = {name: site.programs.pid(name) for name in ("api.fcgi", "auth.fcgi")}
    statuses, created, stop = [], [], threading.Event()

    def load(number):
        mine, count = site.client(), 0
        mine.session.cookies.update(client.session.cookies)
        while not stop.is_set():
            count += 1
            answer = mine.post("/api/projects", {"name": f"App {number} {count}"})
            statuses.append((answer.status_code, answer.headers.get("Retry-After")))
            if answer.status_code == 200:
                created.append(answer.json()["id"])
                mine.delete(f"/api/projects/{created[-1]}")

    threads = [threading.Thread(target=load, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(created) > 10)
    own_postgres.stop()
    wait_until(lambda: 503 in dict(statuses))
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["checks"]["database"]) == (503, "failed")
    assert ready.json()["checks"]["clusterPublicKey"] == "ok"
    away = client.get("/api/projects")
    assert (away.status_code, away.json()["errorCode"]) == (503, "UNAVAILABLE")
    assert away.headers["Retry-After"]
    own_postgres.start()
    client.wait("/readyz", lambda ready: ready["status"] == "ready")
    healed = len(statuses)
    wait_until(lambda: {status for status, _ in statuses[healed:][-20:]} == {200})
    stop.set()
    for thread in threads:
        thread.join()
    assert {status for status, _ in statuses} <= {200, 503}
    assert (503 in dict(statuses)) and all(after for status, after in statuses if status == 503)
    # Everything confirmed with 200 exists, before and after.
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT object_id FROM audit WHERE action = 'project.create'")
        assert set(created) <= {found for found, in cursor.fetchall()}
    for name, pid in pids.items():
        assert site.programs.pid(name) == pid
        assert "worker ended" not in site.programs.log(name).read_text()


def test_a_key_that_is_missing_is_named(make_site):
    site = make_site()
    site.programs.stop("api.fcgi")
    (site.programs.directory / "api.fcgi" / "owner.key").unlink()
    site.programs._options["mode"] = "production"
    write = site.programs._write_config
    site.programs._write_config = lambda name, user, keys: write(
        name, user, [key for key in keys if key != "owner.key"])
    site.programs.start("api.fcgi")
    ready = site.client().get("/readyz")
    assert ready.status_code == 503
    assert {name for name, state in ready.json()["checks"].items() if state == "failed"} == {
        "ownerPrivateKey"}
    assert "owner.key" not in ready.text  # the path is in the log only
    assert "owner.key" in site.programs.log("api.fcgi").read_text()


def test_migrations_that_are_missing_are_named(make_site):
    site = make_site()
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("DELETE FROM schema_migrations WHERE version ="
                       " (SELECT max(version) FROM schema_migrations)")
    ready = site.client().get("/readyz")
    assert (ready.status_code, ready.json()["checks"]["migrations"]) == (503, "failed")
