"""What one user may have running, and what their volumes may hold, whatever comes at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest


@pytest.fixture
def site(make_site):
    made = make_site(options={"trash_time": "1d"})
    made.programs.stop("fsa-reconcile")
    return made


@pytest.fixture
def web(site):
    """For the fixture `user`: people of that site."""
    return site


@pytest.fixture
def allow(site):
    """allow(user, kind, value): an exception for one user."""
    return lambda client, kind, value: site.programs.fsactl("user", "limit", client.name, kind, str(value))


def create(client, name, **more):
    return client.post("/api/projects", {"name": name, "database": False, **more})


def used(client, kind):
    found, = [item for item in client.get("/api/user/limits").json()["items"] if item["kind"] == kind]
    return found["used"]


def refused(answer, code):
    assert (answer.status_code, answer.json()["errorCode"]) == (429, code), answer.text
    assert answer.headers["Retry-After"] == "30"
    return answer.json()["error"]


def test_parallel_creations_do_not_pass_the_limit(user, allow):
    client = user()
    allow(client, "running", 3)
    barrier = threading.Barrier(8)

    def attempt(number):
        barrier.wait()
        return create(client, f"App {number}").status_code

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(attempt, range(8)))
    assert codes == [200] * 3 + [429] * 5
    assert used(client, "running") == 3 and len(client.get("/api/projects").json()) == 3


def test_parallel_starts_do_not_pass_the_limit(user, allow):
    client = user()
    ids = [create(client, f"App {number}").json()["id"] for number in range(6)]
    for project in ids:
        assert client.post(f"/api/projects/{project}/stop").ok
    assert used(client, "running") == 0
    allow(client, "running", 2)
    barrier = threading.Barrier(len(ids))

    def attempt(project):
        barrier.wait()
        return client.post(f"/api/projects/{project}/start").status_code

    with ThreadPoolExecutor(len(ids)) as pool:
        codes = sorted(pool.map(attempt, ids))
    assert codes == [200] * 2 + [429] * 4
    assert used(client, "running") == 2


def test_what_is_refused_changes_nothing_and_says_what_is_allowed(user, allow):
    client = user()
    project = create(client, "One").json()["id"]
    allow(client, "running", 1)
    message = refused(client.post(f"/api/projects/{project}/sandboxes"), "RUNNING_QUOTA")
    assert message.startswith("Your limit is 1 running sandboxes, and this would make it 2")
    assert len(client.get(f"/api/projects/{project}/sandboxes").json()["items"]) == 1
    assert client.post(f"/api/projects/{project}/start").ok  # it runs already


def test_cpu_and_memory_are_those_of_what_runs(site, user, allow):
    client = user()
    site.programs.fsactl("size", "set", "large", "2", "4Gi")
    project = create(client, "Sized").json()["id"]
    assert (used(client, "cpu"), used(client, "memory")) == (200, 256)
    allow(client, "cpu", 2000)
    allow(client, "memory", 4000)
    refused(client.patch(f"/api/sandbox/{project}", {"size": "large"}), "MEMORY_QUOTA")
    allow(client, "memory", 4096)
    assert client.patch(f"/api/sandbox/{project}", {"size": "large"}).ok
    assert (used(client, "cpu"), used(client, "memory")) == (2000, 4096)
    refused(create(client, "Another"), "CPU_QUOTA")
    assert client.post(f"/api/projects/{project}/stop").ok
    assert (used(client, "cpu"), used(client, "memory")) == (0, 0)


def test_volumes_count_until_they_are_gone(user, allow):
    client = user()
    allow(client, "storage", 4)
    project = create(client, "Full", database=True).json()["id"]
    assert used(client, "storage") == 4
    refused(create(client, "More"), "STORAGE_QUOTA")
    assert client.delete(f"/api/projects/{project}").ok  # into the trash, where it holds its volumes
    refused(create(client, "More"), "STORAGE_QUOTA")


def test_starts_of_the_last_hour_are_counted(site, user, allow):
    client = user()
    allow(client, "starts", 2)
    project = create(client, "Restless").json()["id"]
    for expected in (200, 429):
        assert client.post(f"/api/projects/{project}/stop").ok
        assert client.post(f"/api/projects/{project}/start").status_code == expected
    assert used(client, "starts") == 2
    with site.connect() as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE sandbox_starts SET at = at - interval '61 minutes'")
    assert client.post(f"/api/projects/{project}/start").ok
    assert used(client, "starts") == 1
