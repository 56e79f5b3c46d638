"""The installed site: a sandbox that runs, before and after a reboot; the units at their work."""

import json
import re
import statistics
import time

import pytest

from installation import browser, connect

PASSWORD = "correct horse battery staple"


def journal(machine, unit, since=None):
    """(seconds since the epoch, message) of each line of a unit."""
    after = f"--since=@{since:.0f}" if since else ""
    lines = machine.run(f"journalctl --unit={unit} --output=short-unix --no-pager {after}")
    found = re.findall(r"^(\d+\.\d+) \S+ [^:]+: (.*)$", lines, flags=re.M)
    return [(float(at), message) for at, message in found]


@pytest.fixture(scope="module")
def ada(machine, cluster):
    """A user with a project, on a cluster that the machine reaches."""
    connect(machine, cluster)
    client = browser(machine)
    assert client.register("ada", PASSWORD).ok
    kubeconfig = {"kubeconfig": cluster.create_user("ada")}
    assert client.post("/api/user/config/kc", kubeconfig).ok
    made = client.post("/api/projects", {"name": "first", "database": True})
    assert made.ok, made.text
    client.project = made.json()["id"]
    return client


def runs(project):
    return project["status"] == "RUNNING"


def test_a_project_runs_and_still_does_after_a_reboot(machine, cluster, ada):
    path = f"/api/projects/{ada.project}"
    ada.wait(path, runs, 120)
    machine.reboot()
    connect(machine, cluster)
    machine.wait("curl -sf http://127.0.0.1:8080/readyz")
    again = browser(machine)
    assert again.login("ada", PASSWORD).ok
    again.wait(path, runs)
    # It is not only remembered: a stop is carried out, and then a start.
    assert again.post(f"{path}/stop").ok
    again.wait(path, lambda p: p["status"] == "STOPPED", 120)
    assert again.post(f"{path}/start").ok
    again.wait(path, runs, 120)


def test_the_doctor_finds_nothing_to_do(machine, ada):
    findings = json.loads(machine.run("fsactl doctor --json"))
    assert [f for f in findings if f["health"] == "FAILED"] == []
    assert {f["check"] for f in findings} >= {"database", "keys", "sockets", "queue", "clusters"}


def test_a_pass_that_does_something_is_logged_and_no_start_is(machine, ada):
    lines = [message for _, message in journal(machine, "fsa-reconcile")]
    assert any("level=info msg=pass claimed=" in line for line in lines)
    assert [line for line in lines if not line.startswith("level=")] == []


def test_without_a_kubeconfig_a_project_says_what_is_missing(client):
    assert client.register("bob", PASSWORD).ok
    answer = client.post("/api/projects", {"name": "second"})
    assert answer.status_code in (409, 422), answer.text
    assert "kubeconfig" in answer.json()["error"].lower()


@pytest.fixture
def every_pass_is_logged(machine):
    folder = "/run/systemd/system/fsa-reconcile.service.d"
    machine.run(f"mkdir -p {folder}; printf '[Service]\\nLogLevelMax=debug\\n' >{folder}/debug.conf; "
                "systemctl daemon-reload")
    # It takes effect with the next start.
    machine.wait("journalctl -u fsa-reconcile -n 5 | grep level=debug", 10)
    yield
    machine.run(f"rm -r {folder}; systemctl daemon-reload")


def test_the_timer_starts_a_pass_every_three_seconds(machine, every_pass_is_logged):
    since = time.time()
    time.sleep(14)
    passes = [at for at, message in journal(machine, "fsa-reconcile", since) if "msg=pass" in message]
    gaps = [b - a for a, b in zip(passes, passes[1:])]
    assert len(gaps) >= 3, passes
    assert max(gaps) < 4, gaps
    assert 2.5 < statistics.median(gaps), gaps  # a wake-up from before may have shortened one


def test_a_change_wakes_the_reconciler(machine, every_pass_is_logged):
    """From the touch to the end of the pass; the timer alone would take 1.5 s on average."""
    taken = []
    for _ in range(5):
        machine.wait("systemctl show fsa-reconcile --property=ActiveState | grep -qw inactive")
        before = time.time()
        machine.run("touch /run/fullstack-agent/wake")
        while True:
            found = [at for at, message in journal(machine, "fsa-reconcile", before - 1)
                     if "msg=pass" in message and at > before]
            if found:
                break
            assert time.time() < before + 5, "it was not woken"
        taken.append(found[0] - before)
        time.sleep(0.3)
    assert sorted(taken)[2] < 0.5, taken


def test_many_changes_do_not_wear_out_the_path_unit(machine):
    machine.run("for i in $(seq 60); do touch /run/fullstack-agent/wake; sleep 0.03; done")
    assert machine.status("fsa-reconcile.path", "ActiveState")["ActiveState"] == "active"
    machine.wait("systemctl show fsa-reconcile --property=Result | grep -qw success")


def test_a_failing_pass_is_told_by_systemctl_status(machine):
    machine.run("systemctl stop postgresql@15-main.service")
    try:
        shown = machine.wait("systemctl status fsa-reconcile | grep 'Status:'", 20)
        assert "nothing is reconciled" in shown and "connection" in shown, shown
        assert machine.status("fsa-reconcile.timer", "ActiveState")["ActiveState"] == "active"
        answer = machine.run("curl -si http://127.0.0.1:8080/readyz")
        assert " 503 " in answer and '"database":"failed"' in answer
    finally:
        machine.run("systemctl start postgresql@15-main.service")
    machine.wait("systemctl show fsa-reconcile --property=Result | grep -qw success", 20)
    machine.wait("curl -sf http://127.0.0.1:8080/readyz", 20)


def test_a_wrong_configuration_heals_with_the_file(machine):
    machine.run("echo 'resync = never' >>/etc/fullstack-agent/fsa.conf; systemctl restart fsa-api")
    try:
        time.sleep(8)  # some attempts
        assert "is not a duration" in machine.run("journalctl -u fsa-api -n 20 --no-pager")
        shown = machine.wait("systemctl status fsa-reconcile | grep 'Status:'", 20)
        assert "resync" in shown
    finally:
        machine.run("sed -i /^resync/d /etc/fullstack-agent/fsa.conf")
    machine.wait("curl -sf --max-time 5 http://127.0.0.1:8080/readyz", 20)


def test_a_killed_program_comes_back_and_no_request_is_lost(machine, client):
    before = machine.status("fsa-api", "MainPID")["MainPID"]
    machine.run(f"kill -KILL {before}")
    assert client.get("/healthz").status_code == 200  # it waited in the socket's backlog
    machine.wait(f"systemctl show -P MainPID fsa-api | grep -vxE '0|{before}'", 10)


def test_limits_and_users_are_those_of_the_units(machine):
    for unit, user in (("fsa-api", "fsa-api"), ("fsa-auth", "fsa-auth")):
        pid = machine.status(unit, "MainPID")["MainPID"]
        owner = machine.run(f"stat -c %U /proc/{pid}").strip()
        limits = machine.run(f"cat /proc/{pid}/limits")
        assert owner == user
        assert re.search(r"Max core file size +0 +0", limits)
        assert machine.status(unit, "MemoryMax", "TasksMax") == {
            "MemoryMax": str(1 << 30), "TasksMax": "512"}


@pytest.mark.parametrize("unit", ["fsa-api", "fsa-auth"])
def test_systemd_hears_that_a_program_is_alive(machine, unit):
    """The master says so every five seconds; the sandbox and NotifyAccess= let it."""
    assert machine.status(unit, "WatchdogUSec")["WatchdogUSec"] == "30s"
    heard = machine.status(unit, "WatchdogTimestampMonotonic")["WatchdogTimestampMonotonic"]
    machine.wait(f"systemctl show -P WatchdogTimestampMonotonic {unit} | grep -vxE '0|{heard}'", 10)


def test_the_target_stops_and_starts_all_of_it(machine):
    machine.run("systemctl stop fullstack-agent.target")
    # systemctl has waited for the target, not for its parts.
    machine.wait("! systemctl list-units --state=active --plain --no-legend 'fsa-*' | grep .")
    assert " 503 " in machine.run("curl -si http://127.0.0.1:8080/readyz")
    machine.run("systemctl start fullstack-agent.target")
    machine.wait("curl -sf http://127.0.0.1:8080/readyz")
