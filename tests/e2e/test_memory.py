"""Runs a project's whole life with programs that check their own memory.

FSA_SANITIZED names the directory of a build with --enable-sanitizers.
"""

import os
import shutil
from pathlib import Path

import pytest
from people import PASSWORD, eventually
from stand.client import Client
from stand.programs import PROGRAMS

# These programs are far slower: that alone must not exceed a limit.
SLOW = {"lease_time": "60s", "kube_request_timeout": "15s", "database_timeout": "30s",
        "password_memory_kib": "8192", "password_passes": "1"}

LEAKS = "definite,indirect,possible"
VALGRIND = ("valgrind", "--quiet", "--error-exitcode=99", "--trace-children=yes", "--track-fds=no",
            "--leak-check=full", f"--show-leak-kinds={LEAKS}", f"--errors-for-leak-kinds={LEAKS}")


def live(person):
    """Takes a project through everything a program does for it: creation, stop, start, changes, refusals, deletion."""
    project = person.create("Watched closely", database=True)
    project.wait("RUNNING", 600)
    project.set_variable("A", "1")
    eventually(lambda: "A" in person.namespace.secret(f"{project.sandbox()['name']}-env"), 600)
    project.wait("RUNNING", 600)
    project.delete_variable("A")
    project.stop()
    project.wait("STOPPED", 600)
    project.start_sandbox(B="2")
    project.wait("RUNNING", 600)
    for path in ("/api/projects", project.sandbox_path, f"{project.path}/events",
                 f"{project.path}/database", f"{project.path}/environment",
                 "/api/user/config/kc", "/api/auth/session", "/api/auth/providers", "/readyz"):
        assert person.client.get(path).ok, path
    for body in ({"name": "9"}, {"name": []}, {"nam": "x"}, {"name": "Watched closely"}, None):
        assert 400 <= person.client.post("/api/projects", body).status_code < 500
    bad = "apiVersion: v1\nkind: Config\nusers: [{name: a, user: {exec: {command: sh}}}]\n"
    assert person.client.put("/api/user/config/kc", {"kubeconfig": bad}).status_code == 400
    project.delete()
    project.wait_gone(600)
    use_account(person)


def use_account(person):
    """Uses everything in auth.fcgi for a user with a password, refusals included."""
    client = person.client
    for body in ("{", '{"name":1}', '{"nam":1}'):
        answer = client.session.post(client.url + "/api/projects", data=body, timeout=client.timeout,
                                     headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
    token = client.post("/api/user/tokens", {"name": "CI"})
    assert token.ok, token.text
    bearer = {"Authorization": "Bearer " + token.json()["token"]}
    program = Client(client.url, client.timeout)
    assert program.get("/api/projects", headers=bearer).ok
    assert program.post("/api/projects", {"name": "x"}, headers=bearer).status_code == 403
    assert client.delete(f"/api/user/tokens/{token.json()['id']}").ok
    for url in ("/api/auth/sessions", "/api/user/tokens", "/api/user/audit?limit=3"):
        assert client.get(url).ok, url
    assert client.login(person.name, "a wrong password").status_code == 401
    change = {"password": PASSWORD, "newPassword": "another " + PASSWORD}
    assert client.put("/api/auth/password", change).ok
    assert client.delete("/api/auth/sessions?others=true").ok
    assert client.post("/api/auth/logout").ok


def stop_and_read_logs(site):
    """Stops the programs gracefully, so that leaks are checked; returns their logs."""
    site.nginx.stop()
    site.programs.stop()
    return {name: site.programs.log(name).read_text() for name in PROGRAMS}


def test_sanitizers(new_site, new_person):
    if "FSA_SANITIZED" not in os.environ:
        pytest.skip("FSA_SANITIZED does not name a build with --enable-sanitizers")
    site = new_site(build=Path(os.environ["FSA_SANITIZED"]), options=SLOW, workers=2)
    live(new_person(site=site))
    for name, log in stop_and_read_logs(site).items():
        for word in ("AddressSanitizer", "LeakSanitizer", "runtime error"):
            assert word not in log, f"{name}:\n{log[log.index(word) - 200:][:5000]}"


def test_valgrind(new_site, new_person):
    if not shutil.which("valgrind"):
        pytest.skip("valgrind is not installed")
    site = new_site(options=SLOW, workers=1, wrap=VALGRIND)
    for name in PROGRAMS:
        assert "valgrind" in os.readlink(f"/proc/{site.programs.pid(name)}/exe")
    live(new_person(site=site))
    for name, log in stop_and_read_logs(site).items():
        errors = [line for line in log.splitlines() if line.startswith("==")]
        assert not errors, f"{name}:\n" + "\n".join(errors[:60])
