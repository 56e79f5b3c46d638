"""Tests metrics and logs after one person's day with everything that can go wrong: the figures are right, the lines
are readable, and they contain no secret."""

import base64
import json
import re
import time
import urllib.parse
from types import SimpleNamespace

import pytest
import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families

from stand.process import PATIENCE

PASSWORD = "findme-password-9"
FAULTS = {"internal": "KUBE_SERVER", "not-json": "KUBE_PROTOCOL", "bad-json": "KUBE_PROTOCOL",
          "reset": "KUBE_UNREACHABLE", "hang": "KUBE_TIMEOUT", "forbidden": "KUBE_FORBIDDEN"}
LINE = re.compile(r'(?:<\d>)?((?:[a-zA-Z_]+=(?:"(?:[^"\\]|\\.)*"|[^\s"=]*)(?: |$))+)')
PAIR = re.compile(r'([a-zA-Z_]+)=("(?:[^"\\]|\\.)*"|[^\s"=]*)')


def counted(site, name, **labels):
    """Returns labels → value of the series of a metric."""
    text = requests.get(site.nginx.metrics_url, timeout=PATIENCE).text
    return {tuple(sorted(s.labels.items())): s.value
            for family in text_string_to_metric_families(text) for s in family.samples
            if s.name == name and labels.items() <= s.labels.items()}


def total(site, name, **labels):
    return sum(counted(site, name, **labels).values())


def wait_status(client, project, status):
    client.wait(f"/api/projects/{project}", lambda p: p["status"] == status)


def wait_cause(client, project, kind):
    """Waits until the owner sees the cause; by then it has been counted."""
    client.wait(f"/api/projects/{project}", lambda p: kind in {
        r["cause"]["kind"] for r in p["sandboxes"] + p["databases"] if r["cause"]})


def live_secrets(client, project, secrets):
    """Returns the secrets that only the owner sees: terminal, database, cookie."""
    sandbox = client.get(f"/api/sandbox/{project}").json()
    query = urllib.parse.urlsplit(sandbox["ttydUrl"]).query
    encoded = urllib.parse.parse_qs(query)["authorization"][0]
    secrets["terminal"] = base64.b64decode(encoded).decode().split(":", 1)[1]
    secrets["terminal, as in the URL"] = encoded
    database = client.get(f"/api/projects/{project}/database").json()
    secrets["database"] = urllib.parse.urlsplit(database["connectionUrl"]).password
    secrets["cookie"] = client.session.cookies["fsa"]


def make_trouble(site, cluster, client, project, kubeconfig):
    """Causes errors of all kinds, ours and the cluster's; secrets are sent in places where error messages might quote
    them."""
    token = yaml.safe_load(kubeconfig)["users"][0]["user"]["token"]
    path = f"/api/projects/{project}"
    for fault, kind in FAULTS.items():
        # The server's message repeats the request, as a proxy's error page does.
        number = cluster.fault(fault=fault, message=f"bad request: Authorization: Bearer {token}",
                               probability=1)
        client.post(f"{path}/restart")
        wait_cause(client, project, kind)
        cluster.end_fault(number)
    client.get(f"/api/projects?keyword={PASSWORD}")
    client.get(f"/api/nothing?token={PASSWORD}")
    client.get("/x/%zz")
    client.post("/api/projects", {"name": PASSWORD, "unknown": PASSWORD})
    client.request("POST", path + "/environment", data='{"key": "A", "value": "' + PASSWORD,
                   headers={"Content-Type": "application/json"})
    client.put("/api/user/config/kc", {"kubeconfig": kubeconfig.replace("https:", "http:")})
    client.put("/api/user/config/kc", {"kubeconfig": kubeconfig + "\n  - " + PASSWORD})
    site.client().login("ada", PASSWORD + "x")
    site.client().login(PASSWORD, PASSWORD)


@pytest.fixture(scope="module")
def day(site, cluster):
    """Everything that happens, once; returns the secrets that were used."""
    secrets = {"password": PASSWORD, "variable": "findme-variable-7", "request": "findme-env-8"}
    client = site.client()
    assert client.register("ada", PASSWORD).ok
    kubeconfig = cluster.create_user("ada")
    secrets["kubeconfig"] = yaml.safe_load(kubeconfig)["users"][0]["user"]["token"]
    assert client.put("/api/user/config/kc", {"kubeconfig": kubeconfig}).ok
    bearer = client.post("/api/auth/login", {"name": "ada", "password": PASSWORD, "bearer": True})
    secrets["bearer"] = bearer.json()["token"]

    made = client.post("/api/projects", {"name": "My App", "database": True})
    project = made.json()["id"]
    variable = {"key": "KEY", "value": secrets["variable"], "isSecret": True}
    assert client.post(f"/api/projects/{project}/environment", variable).ok
    assert client.post(f"/api/sandbox/{project}", {"envVars": {"K": secrets["request"]}}).ok
    wait_status(client, project, "RUNNING")
    live_secrets(client, project, secrets)
    make_trouble(site, cluster, client, project, kubeconfig)
    wait_status(client, project, "RUNNING")
    assert client.post(f"/api/projects/{project}/stop").ok
    wait_status(client, project, "STOPPED")
    assert client.delete(f"/api/projects/{project}").ok
    client.wait("/api/projects?all=true", lambda projects: projects == [])
    assert client.post("/api/auth/logout").ok
    return SimpleNamespace(client=client, secrets=secrets, request=made.headers["X-Request-Id"])


def logs(site):
    """Returns file → text of all logs, including PostgreSQL's and nginx's."""
    files = [*site.directory.rglob("*.log"), *site.postgres.directory.rglob("*.log")]
    return {file: file.read_text(errors="replace") for file in files}


def test_no_secret_is_in_any_log(site, day):
    found = logs(site)
    assert {"api.fcgi.log", "auth.fcgi.log", "fsa-reconcile.log", "access.log", "error.log"} <= {
        file.name for file in found}
    for what, secret in day.secrets.items():
        assert len(secret) > 8, what
        forms = {secret, urllib.parse.quote(secret, safe=""), secret.encode().hex(),
                 base64.b64encode(secret.encode()).decode().rstrip("=")}
        for file, text in found.items():
            for form in forms:
                assert form not in text, (what, file, text[max(0, text.find(form) - 200):][:300])


def test_every_line_is_pairs(site, day):
    seen = 0
    for name in ("api.fcgi", "auth.fcgi", "fsa-reconcile"):
        for line in site.programs.log(name).read_text().splitlines():
            assert LINE.fullmatch(line), line
            pairs = dict(PAIR.findall(line))
            assert pairs["level"] in ("error", "warning", "info", "debug") and pairs["msg"]
            for value in pairs.values():
                assert not value.startswith('"') or isinstance(json.loads(value), str), line
            seen += 1
    assert seen > 50


def test_a_request_is_found_in_every_log_by_its_id(site, day):
    line = next(line for line in site.programs.log("api.fcgi").read_text().splitlines()
                if f"request={day.request}" in line)
    assert "route=/api/projects " in line and "status=200" in line and "method=POST" in line
    entries = map(json.loads, site.nginx.access_log.read_text().splitlines())
    assert [entry["path"] for entry in entries if entry["requestId"] == day.request] == [
        "/api/projects"]


def test_requests_to_the_api_server_are_counted_one_by_one(site, cluster, day):
    site.programs.stop("fsa-reconcile")  # or the counters would keep changing
    try:
        told = counted(site, "fsa_kube_requests_total")
        by_code = {}
        for labels, value in told.items():
            labels = dict(labels)
            assert labels["server"] == cluster.server.removeprefix("https://")
            by_code[labels["code"]] = by_code.get(labels["code"], 0) + value
        answered = {}
        for what, count in cluster.counters()["by"].items():  # the stand's own requests are among them
            answered[what.split()[-1]] = answered.get(what.split()[-1], 0) + count
        for code in ("200", "403", "500"):
            assert by_code[code] > 0
        assert by_code["403"] <= answered["403"] and by_code["500"] <= answered["500"]
        assert by_code["timeout"] > 0 and by_code["unreachable"] + by_code.get("cut-off", 0) > 0
        assert total(site, "fsa_kube_request_seconds_count") == sum(told.values())
        passes = [line for line in site.programs.log("fsa-reconcile").read_text().splitlines()
                  if "msg=pass " in line]
        assert sum(int(re.search(r"requests=(\d+)", line)[1]) for line in passes) == sum(
            told.values())
        assert total(site, "fsa_passes_total") == len(passes)
        assert total(site, "fsa_pass_seconds_count") == len(passes)
    finally:
        site.programs.start("fsa-reconcile")


def test_changes_of_status_and_causes_are_counted(site, day):
    def changes(**labels):
        return total(site, "fsa_transitions_total", **labels)

    assert changes(kind="DATABASE", to="RUNNING") >= 1
    assert changes(kind="SANDBOX", to="RUNNING") >= 1
    assert changes(kind="SANDBOX", to="STOPPED") == 1
    assert changes(kind="SANDBOX", to="TERMINATED") == 1
    kinds = {dict(labels)["kind"] for labels in counted(site, "fsa_causes_total")}
    assert {"KUBE_SERVER", "KUBE_TIMEOUT", "KUBE_PROTOCOL"} <= kinds
    assert total(site, "fsa_rows_total", result="cause") == total(site, "fsa_causes_total")


def test_the_end_of_a_pass_is_exported_at_once(site, day):
    """A pass ends every second, and its time is exported within moments."""
    since = time.time()
    while True:
        (end,) = counted(site, "fsa_last_pass_timestamp_seconds").values()
        if end > since:
            break
        assert time.time() < since + PATIENCE, end
        time.sleep(0.1)


def test_logins_of_the_day(site, day):
    assert total(site, "fsa_logins_total", result="registered") == 1
    assert total(site, "fsa_logins_total", result="ok") == 1
    assert total(site, "fsa_logins_total", result="refused") == 2
