"""Tests that during maintenance people can read, log in and end access, and change nothing else."""

import re
import subprocess
import threading
import uuid

import pytest
from conftest import PASSWORD
from test_routes import BODIES as CHANGES

MESSAGE = "We are moving house – back at about 14:00 UTC"
# What lets people in, and what ends access: a stolen session must not outlive the maintenance.
ALWAYS = {
    ("POST", "/api/auth/login"), ("POST", "/api/auth/logout"), ("POST", "/api/auth/sealos"),
    ("DELETE", "/api/auth/sessions"), ("DELETE", "/api/auth/sessions/:sessionId"),
    ("DELETE", "/api/user/tokens/:tokenId"),
}


@pytest.fixture
def fsactl(web):
    def run(*words):
        command = [web.programs.program("fsactl"), "--config", web.programs.config(), *words]
        return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              check=True, timeout=300).stdout

    return run


@pytest.fixture
def maintenance(fsactl):
    """Begins maintenance when called; it ends with the test."""
    yield lambda: fsactl("maintenance", "on", "--message", MESSAGE)
    fsactl("maintenance", "off")


def stored(site):
    """Returns everything that people can change."""
    with site.connect() as db, db.cursor() as cursor:
        found = []
        for table in ("projects", "resources", "environment", "user_config", "clusters", "users",
                      "identities", "idempotency"):
            cursor.execute(f"SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} t")
            found.append((table, cursor.fetchone()))
        return found


BODIES = {
    **CHANGES,
    ("POST", "/api/auth/register"): {"name": "newcomer", "password": PASSWORD},
    ("POST", "/api/auth/invitation"): {"token": "A" * 43, "password": PASSWORD},
    ("POST", "/api/auth/device"): {"name": "New"},
    ("POST", "/api/auth/device/token"): {"deviceCode": "A" * 43},
    ("POST", "/api/auth/device/answer"): {"userCode": "BCDF-GHJK", "allow": True, "password": PASSWORD},
    ("PUT", "/api/auth/password"): {"password": PASSWORD, "newPassword": PASSWORD + "!"},
    ("POST", "/api/user/tokens"): {"name": "t"},
    ("POST", "/api/projects"): {"name": "New"},
    ("PUT", "/api/user/config"): {"configs": [{"key": "A", "value": "b"}]},
    ("POST", "/api/user/config"): {"configs": [{"key": "A", "value": "b"}]},
    ("PUT", "/api/user/config/anthropic"): {"apiKey": "k"},
    ("POST", "/api/user/config/anthropic"): {"apiKey": "k"},
    ("PUT", "/api/user/config/system-prompt"): {"systemPrompt": "x"},
    ("POST", "/api/user/config/system-prompt"): {"systemPrompt": "x"},
    ("PUT", "/api/user/config/kc"): {"kubeconfig": "x"},
    ("POST", "/api/user/config/kc"): {"kubeconfig": "x"},
    ("POST", "/api/invitations/accept"): {"token": "t" * 43},
    ("POST", "/api/projects/:projectId/invitations"): {"role": "viewer"},
    ("PATCH", "/api/projects/:projectId/members/:memberId"): {"role": "viewer"},
    ("POST", "/api/wake"): {"host": "abcdefghijkl.apps.localhost"},
    ("POST", "/api/visits"): {"host": "abcdefghijkl-5173.apps.localhost"},
    ("POST", "/api/clusters"): {"name": "tokyo", "kubeconfig": "x"},
    **{("POST", f"/api/auth/{provider}/finish"): {"state": "s", "code": "c", "verifier": "v" * 43}
       for provider in ("github", "oidc")},
    ("POST", "/api/auth/sealos/bind"): {"token": "t", "kubeconfig": "k"},
}


def test_every_change_is_503_with_the_operators_text(web, routes, project, maintenance):
    maintenance()
    before, checked = stored(web), 0
    for row in routes:
        where = (row["method"], row["pattern"])
        if not row["mutation"] or where in ALWAYS or row["pattern"].startswith("/api/admin/"):
            continue  # administration does not exist for users without the role
        path = re.sub(r":projectId", project.id, row["pattern"])
        path = re.sub(r":\w+", str(uuid.uuid4()), path)
        answer = project.client.request(row["method"], path, json=BODIES.get(where))
        assert (answer.status_code, answer.json().get("error")) == (503, MESSAGE), (where, answer.text)
        assert answer.json()["errorCode"] == "MAINTENANCE"
        assert answer.headers["Retry-After"] == "60"
        checked += 1
    assert checked > 25
    assert stored(web) == before


def test_reads_logins_and_the_end_of_access_work(web, user, maintenance):
    client = user()
    token = client.post("/api/user/tokens", {"name": "CI"}).json()["id"]
    maintenance()
    assert client.get("/api/projects").status_code == 200
    other = web.client()
    assert other.login(client.name, PASSWORD).status_code == 200
    assert client.delete(f"/api/user/tokens/{token}").status_code == 200
    assert client.delete("/api/auth/sessions?others=true").json()["count"] == 1
    assert other.get("/api/projects").status_code == 401
    assert client.post("/api/auth/logout").status_code == 200


def test_a_login_makes_no_new_user(make_site):
    """The first login would also register them."""
    site = make_site(options={"registration": "at_login"})
    assert site.client().login("known", PASSWORD).status_code == 200
    command = [site.programs.program("fsactl"), "--config", site.programs.config(), "maintenance"]
    subprocess.run([*command, "on", "--message", MESSAGE], check=True)
    assert site.client().login("known", PASSWORD).status_code == 200
    refused = site.client().login("unknown", PASSWORD)
    assert (refused.status_code, refused.json()["errorCode"]) == (503, "MAINTENANCE")
    subprocess.run([*command, "off"], check=True)
    assert site.client().login("unknown", PASSWORD).status_code == 200


def test_an_answer_that_was_given_before_is_given_again(user, maintenance):
    client = user()
    key = {"Idempotency-Key": "once"}
    made = client.post("/api/projects", {"name": "Once"}, headers=key).json()
    maintenance()
    assert client.post("/api/projects", {"name": "Once"}, headers=key).json()["id"] == made["id"]
    late = {"Idempotency-Key": "late"}
    assert client.post("/api/projects", {"name": "Late"}, headers=late).status_code == 503


def test_a_refused_request_can_be_repeated_with_its_key(user, maintenance, fsactl):
    client, key = user(), {"Idempotency-Key": "again"}
    maintenance()
    assert client.post("/api/projects", {"name": "Again"}, headers=key).status_code == 503
    fsactl("maintenance", "off")
    assert client.post("/api/projects", {"name": "Again"}, headers=key).status_code == 200


def test_everybody_can_see_it_and_the_site_stays_ready(web, maintenance, counted):
    stranger = web.client()
    assert stranger.get("/api/site").json() == {"maintenance": None}
    assert counted("fsa_maintenance") == 0
    maintenance()
    told = stranger.get("/api/site").json()["maintenance"]
    assert told["message"] == MESSAGE and told["since"].endswith("Z")
    answer = stranger.get("/readyz")
    assert (answer.status_code, answer.json()["maintenance"]) == (200, told)
    assert counted("fsa_maintenance") == 1


def test_once_it_is_on_earlier_changes_are_finished(web, user, maintenance, fsactl):
    """It waits for transactions that are in the middle of a change."""
    client = user()
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT begin_change()")
        cursor.execute("INSERT INTO projects (user_id, name, kube_name) VALUES (%s, 'Begun', 'begun')",
                       [client.id])
        on = threading.Thread(target=maintenance)
        on.start()
        client.wait("/api/site", lambda site: site["maintenance"] is not None)
        with web.connect() as other, other.cursor() as look:
            look.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            while look.fetchone() == (0,):
                look.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
                             " AND NOT granted")
        assert on.is_alive()
        db.commit()
        on.join()
    assert client.post("/api/projects", {"name": "Later"}).status_code == 503
