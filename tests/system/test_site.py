"""Tests the installed site: a sandbox that runs, before and after a reboot, and the units."""

import json
import re
import time

import pytest

from installation import browser, connect
from stand.process import PATIENCE

PASSWORD = "correct horse battery staple"
SLOW = 2 * PATIENCE
INACTIVE = "systemctl show fsa-reconcile --property=ActiveState | grep -qw inactive"
TIMER = "/org/freedesktop/systemd1/unit/fsa_2dreconcile_2etimer"


def journal(machine, unit, since=None):
    """Returns (seconds since the epoch, message) of each line of a unit."""
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
    ada.wait(path, runs, SLOW)
    machine.reboot()
    connect(machine, cluster)
    machine.wait("curl -sf http://127.0.0.1:8080/readyz")
    again = browser(machine)
    assert again.login("ada", PASSWORD).ok
    again.wait(path, runs, SLOW)
    # It is not only stored: a stop is carried out, and then a start.
    assert again.post(f"{path}/stop").ok
    again.wait(path, lambda p: p["status"] == "STOPPED", SLOW)
    assert again.post(f"{path}/start").ok
    again.wait(path, runs, SLOW)


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
    # It takes effect at the next start.
    machine.wait("journalctl -u fsa-reconcile -n 5 | grep level=debug")
    yield
    machine.run(f"rm -r {folder}; systemctl daemon-reload")


def ended_and_next(machine):
    """Returns when the last pass ended and when the timer will start the next one, in seconds of one clock; None
    during a pass."""
    ask = "fsa-reconcile", "InactiveEnterTimestampMonotonic", "ActiveState"
    before = machine.status(*ask)
    then = machine.run(f"busctl get-property org.freedesktop.systemd1 {TIMER} "
                       "org.freedesktop.systemd1.Timer NextElapseUSecMonotonic").split()[1]
    if before["ActiveState"] != "inactive" or machine.status(*ask) != before:
        return None
    return int(before["InactiveEnterTimestampMonotonic"]) / 1e6, int(then) / 1e6


def test_the_timer_starts_a_pass_every_three_seconds(machine):
    """This tests what systemd intends: when it actually starts a pass depends on the machine."""
    seen, end = {}, time.monotonic() + PATIENCE
    while len(seen) < 4:
        seen.update([found] if (found := ended_and_next(machine)) else [])
        assert time.monotonic() < end, seen
    assert all(abs(then - ended - 3) < 0.01 for ended, then in seen.items()), seen


@pytest.fixture
def without_timer(machine, every_pass_is_logged):
    machine.run("systemctl stop fsa-reconcile.timer")
    yield
    machine.run("systemctl start fsa-reconcile.timer")


def is_woken(machine):
    """Whether a change leads to a pass."""
    machine.wait(INACTIVE)
    since = time.time()
    machine.run("touch /run/fullstack-agent/wake")
    while time.time() < since + PATIENCE / 4:
        if any("msg=pass" in message and at > since
               for at, message in journal(machine, "fsa-reconcile", since - 1)):
            return True
        time.sleep(0.1)
    return False


def test_a_change_wakes_the_reconciler(machine, without_timer):
    """One change may fall between the end of a pass and the moment when systemd watches the file again."""
    woken = [is_woken(machine) for _ in range(5)]
    assert woken.count(True) >= 4, woken


def test_many_changes_do_not_wear_out_the_path_unit(machine):
    machine.run("for i in $(seq 60); do touch /run/fullstack-agent/wake; sleep 0.03; done")
    assert machine.status("fsa-reconcile.path", "ActiveState")["ActiveState"] == "active"
    machine.wait("systemctl show fsa-reconcile --property=Result | grep -qw success")


def test_systemctl_status_shows_a_failing_pass(machine):
    machine.run("systemctl stop postgresql@15-main.service")
    try:
        shown = machine.wait("systemctl status fsa-reconcile | grep 'Status:.*nothing is reconciled'")
        assert "connection" in shown, shown
        assert machine.status("fsa-reconcile.timer", "ActiveState")["ActiveState"] == "active"
        answer = machine.run("curl -si http://127.0.0.1:8080/readyz")
        assert " 503 " in answer and '"database":"failed"' in answer
    finally:
        machine.run("systemctl start postgresql@15-main.service")
    machine.wait("systemctl show fsa-reconcile --property=Result | grep -qw success")
    machine.wait("curl -sf http://127.0.0.1:8080/readyz")


def test_a_killed_program_comes_back_and_no_request_is_lost(machine, client):
    before = machine.main_pid("fsa-api")
    machine.run(f"kill -KILL {before}")
    assert client.get("/healthz").status_code == 200  # it waited in the socket's backlog
    assert machine.main_pid("fsa-api", instead_of=before)


def test_limits_and_users_are_those_of_the_units(machine):
    for unit, user in (("fsa-api", "fsa-api"), ("fsa-auth", "fsa-auth")):
        pid = machine.main_pid(unit)
        owner = machine.run(f"stat -c %U /proc/{pid}").strip()
        limits = machine.run(f"cat /proc/{pid}/limits")
        assert owner == user
        assert re.search(r"Max core file size +0 +0", limits)
        assert machine.status(unit, "MemoryMax", "TasksMax") == {
            "MemoryMax": str(1 << 30), "TasksMax": "512"}


@pytest.mark.parametrize("unit", ["fsa-api", "fsa-auth"])
def test_systemd_hears_that_a_program_is_alive(machine, unit):
    """The master notifies systemd every five seconds; the sandbox and NotifyAccess= allow it."""
    assert machine.status(unit, "WatchdogUSec")["WatchdogUSec"] == "30s"
    heard = machine.status(unit, "WatchdogTimestampMonotonic")["WatchdogTimestampMonotonic"]
    machine.wait(f"systemctl show -P WatchdogTimestampMonotonic {unit} | grep -vxE '0|{heard}'")


def test_the_target_stops_and_starts_all_of_it(machine):
    machine.run("systemctl stop fullstack-agent.target")
    # systemctl has waited for the target, but not for its parts.
    machine.wait("! systemctl list-units --state=active --plain --no-legend 'fsa-*' | grep .")
    assert " 503 " in machine.run("curl -si http://127.0.0.1:8080/readyz")
    machine.run("systemctl start fullstack-agent.target")
    machine.wait("curl -sf http://127.0.0.1:8080/readyz")
