"""One whole life of a project with every program under valgrind: no error, no leak."""

import re
import time

import pytest

from stand.programs import PROGRAMS

VALGRIND = ["valgrind", "--leak-check=full", "--errors-for-leak-kinds=definite,possible",
            "--track-fds=no", "--quiet"]
SLOW = {"database_timeout": "60s", "kube_connect_timeout": "30s", "kube_request_timeout": "30s",
        "lease_time": "5m", "password_memory_kib": "8192", "password_passes": "1"}


@pytest.fixture
def slow_site(make_site, workspace):
    """A site whose programs run under valgrind, each process with a log of its own."""
    logs = workspace / "valgrind"
    logs.mkdir()
    wrap = [*VALGRIND, f"--log-file={logs}/%p.log"]
    site = make_site(wrap=wrap, workers=1, options=SLOW)
    yield site, logs


def reached(status):
    return lambda project: project["status"] == status


def test_the_life_of_a_project(slow_site, cluster):
    site, logs = slow_site
    client = site.client()
    client.timeout = 300
    live(client, cluster)
    site.stop()
    reports = sorted(logs.glob("*.log"))
    assert len(reports) >= len(PROGRAMS)
    found = {report.name: report.read_text() for report in reports}
    assert {name: text for name, text in found.items() if text.strip()} == {}


def live(client, cluster):
    password = "correct horse battery staple"
    assert client.register("ada", password).ok
    assert client.post("/api/auth/logout").ok
    assert client.login("ada", "wrong" + password).status_code == 401
    assert client.login("ada", password).ok
    kubeconfig = cluster.create_user("valgrind")
    assert client.post("/api/user/config/kc", {"kubeconfig": "exec: {}"}).status_code in (400, 422)
    assert client.post("/api/user/config/kc", {"kubeconfig": kubeconfig}).ok
    assert client.post("/api/projects", {"name": "9"}).status_code == 400
    made = client.post("/api/projects", {"name": "shop", "database": True})
    assert made.ok, made.text
    path = f"/api/projects/{made.json()['id']}"
    client.wait(path, reached("RUNNING"), 600)
    variables = {"variables": [{"key": "FOO", "value": "bar"}]}
    assert client.post(path + "/environment", variables).ok
    client.wait(path, reached("RUNNING"), 600)
    assert client.post(path + "/stop").ok
    client.wait(path, reached("STOPPED"), 600)
    assert client.post(path + "/start").ok
    client.wait(path, reached("RUNNING"), 600)
    for read in ("/environment", "/database", "/events"):
        assert client.get(path + read).ok
    assert re.search("shop", client.get("/api/projects?keyword=sho").text)
    assert client.delete(path).ok
    gone(client, path)


def gone(client, path):
    end = time.monotonic() + 600
    while client.get(path).status_code != 404:
        assert time.monotonic() < end, client.get(path).text
        time.sleep(0.5)
