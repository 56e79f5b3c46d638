"""Tests tools/quickstart as a person uses it: run, run again, also with dead servers, status, stop, purge.

Once with kubesim, the default, and once with the real API server.
"""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import psycopg2
import pytest
import requests

from stand.client import Client
from stand.containers import why_not
from stand.process import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
STEPS = ["packages", "build", "cluster", "postgresql", "site", "demo user", "kubeconfig", "project",
         "database", "container", "network", "terminal", "ready", "project"]
# Cluster → (arguments of the first run, its API server, its additional steps).
CLUSTERS = {
    "sim": ((), "kubesim", set() if why_not() else {"images", "node", "application"}),
    "real": (("--cluster", "real"), "kube-apiserver", {"cluster programs"}),
}


def runs(pid):
    """Whether the process is running; a zombie is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class QuickStart:
    def __init__(self, directory, cluster="sim"):
        self.directory = directory
        self.words, self.apiserver, self.more_steps = CLUSTERS[cluster]
        self.env = dict(os.environ, FSA_STATE=str(directory))

    def __call__(self, *words, expect=0):
        command = [ROOT / "tools" / "quickstart", *words]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=1500)
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr

    def status(self, expect=0):
        return json.loads(self("--status", "--json", expect=expect))


@pytest.fixture(scope="module", params=CLUSTERS)
def quickstart(request, workspace):
    start = QuickStart(workspace / f"quickstart-{request.param}", request.param)
    yield start
    if start.directory.exists():
        subprocess.run([ROOT / "tools" / "quickstart", "--stop"], env=start.env, check=False)


@pytest.fixture(scope="module")
def first(quickstart):
    """The output of the first run."""
    return quickstart(*quickstart.words)


def test_before_the_first_run_there_is_nothing_to_tell(workspace):
    start = QuickStart(workspace / "nothing")
    for action in ("--status", "--stop", "--purge"):
        assert "nothing has been started" in start(action, expect=1)


def test_status_without_a_start_leaves_no_trace(workspace):
    start = QuickStart(workspace / "nothing")
    start("--status", expect=1)
    assert not start.directory.exists()


@pytest.mark.parametrize("name", ["with a blank", "x" * 80])
def test_a_place_where_not_everything_can_lie_is_refused(workspace, name):
    start = QuickStart(workspace / name)
    assert "FSA_STATE must be a path of at most" in start("--status", expect=1)
    assert not start.directory.exists()


def test_it_prints_a_line_a_step_with_its_time(quickstart, first):
    lines = re.findall(r"^\+ +(\w+(?: \w+)*) +\d+\.\d s", first, re.M)
    assert [line for line in lines if line not in quickstart.more_steps] == STEPS
    assert quickstart.more_steps <= set(lines)
    assert "\r" not in first and "\033" not in first  # without a terminal, nothing is redrawn


def test_the_project_runs_and_its_addresses_are_printed(quickstart, first):
    about = quickstart.status()
    assert re.search(r"^project +demo, RUNNING$", first, re.M)
    assert about["site"] in first
    assert about["password"] in first
    client = Client(about["site"])
    assert client.login(about["user"], about["password"]).ok
    project = client.get(f"/api/projects/{about['project']}").json()
    assert project["status"] == "RUNNING"


def test_nothing_runs_as_root_that_need_not_and_nothing_listens_beyond_loopback(quickstart, first):
    processes = quickstart.status()["processes"]
    assert all(process["alive"] for process in processes.values())
    if os.geteuid() == 0:
        for name in ("postgres", "nginx", "api.fcgi", "auth.fcgi", "fsa-reconcile"):
            assert Path(f"/proc/{processes[name]['pid']}").stat().st_uid != 0, name
    listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
    ours = {str(process["pid"]) for process in processes.values()}
    lines = [l for l in listening.splitlines() if ours & set(re.findall(r"pid=(\d+)", l))]
    assert lines
    assert all(line.split()[3].startswith("127.0.0.1:") for line in lines)


def test_the_state_is_closed_to_others(quickstart, first):
    for name in ("state.json", "demo.kubeconfig"):
        assert (quickstart.directory / name).stat().st_mode & 0o077 == 0


def test_a_second_run_leaves_running_servers_alone(quickstart, first):
    before = quickstart.status()
    quickstart()
    assert quickstart.status() == before


def test_a_second_run_starts_dead_servers(quickstart, first):
    before = quickstart.status()["processes"]
    victims = ["nginx", "api.fcgi", "fsa-reconcile", "postgres", quickstart.apiserver]
    victims += ["node"] if "node" in before else []
    for name in victims:
        os.kill(before[name]["pid"], signal.SIGKILL)
    end = time.monotonic() + PATIENCE  # the kernel ends them a moment later
    while any(runs(before[name]["pid"]) for name in victims):
        assert time.monotonic() < end
        time.sleep(0.05)
    dead = quickstart.status(expect=1)["processes"]
    assert {name for name, process in dead.items() if not process["alive"]} >= set(victims)
    output = quickstart()
    assert "RUNNING" in output
    after = quickstart.status()["processes"]
    assert after["auth.fcgi"] == before["auth.fcgi"]
    assert all(after[name]["pid"] != before[name]["pid"] for name in victims)


def test_the_database_of_the_status_can_be_connected_to(quickstart, first):
    about = quickstart.status()
    with psycopg2.connect(about["database"]) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM projects WHERE id = %s", [about["project"]])
        assert cursor.fetchone() == (1,)


def test_fsactl_of_the_status_finds_the_site_in_order(quickstart, first):
    about = quickstart.status()
    done = subprocess.run([*about["fsactl"].split(), "doctor"], stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stdout
    assert f"fsactl      {about['fsactl']}" in quickstart("--status").splitlines()


def test_a_failure_names_the_step_and_the_cause_and_does_not_stay(quickstart, first):
    output = quickstart("--option", "no_such_option=1", expect=1)
    assert re.search(r"^x site .* FAILED$", output, re.M)
    assert "no_such_option: no such option" in output
    assert re.search(r"^still running: .*postgres.*\n +tools/quickstart --stop", output, re.M)
    quickstart()


def test_another_cluster_is_refused_while_there_is_one(quickstart, first):
    other = "real" if quickstart.apiserver == "kubesim" else "sim"
    assert "--purge starts over" in quickstart("--cluster", other, expect=1)
    assert quickstart.status()["project"]


def test_stop_ends_everything_and_a_start_brings_it_back(quickstart, first):
    before = quickstart.status()
    quickstart("--stop")
    stopped = quickstart.status(expect=1)
    assert not any(process["alive"] for process in stopped["processes"].values())
    assert "tools/quickstart starts what does not" in quickstart("--status", expect=1)
    for process in before["processes"].values():
        assert not runs(process["pid"])
    with pytest.raises(requests.ConnectionError):
        requests.get(before["site"], timeout=5)
    quickstart()
    after = quickstart.status()
    for same in ("site", "user", "password", "project"):
        assert after[same] == before[same]


def test_purge_leaves_nothing(quickstart, first):
    pids = [process["pid"] for process in quickstart.status()["processes"].values()]
    quickstart("--purge")
    assert not quickstart.directory.exists()
    assert not any(runs(pid) for pid in pids)
