"""Processes of a stand: ended for certain, and never somebody else's."""

import json
import os
import subprocess
import sys
import time

import pytest
from stand.kube.process import Process

SLEEP = ["sleep", "600"]

STARTER = """
import sys
from stand.kube.process import Process
process = Process(sys.argv[1], "sleep")
process.start(["sleep", "600"], outlive=sys.argv[2] == "outlive")
"""


@pytest.fixture
def process(tmp_path):
    process = Process(tmp_path, "sleep")
    yield process
    process.stop()


def start_elsewhere(directory, mode):
    """Starts it from a process that ends right afterwards."""
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    command = [sys.executable, "-c", STARTER, str(directory), mode]
    subprocess.run(command, env=env, check=True)


def test_is_started_once_and_ended(process):
    assert process.start(SLEEP)
    assert not process.start(SLEEP)
    assert process.running()
    process.stop()
    assert not process.running()


def test_one_that_ignores_sigterm_is_killed(process):
    process.start(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"])
    while "ready" not in process.log_tail():
        time.sleep(0.01)
    process.stop(patience=0.2)
    assert not process.running()


def test_dies_with_the_process_that_started_it(process, tmp_path, eventually):
    start_elsewhere(tmp_path, "die")
    eventually(lambda: not process.running())


def test_outlives_it_when_told_so(process, tmp_path):
    start_elsewhere(tmp_path, "outlive")
    assert process.running()


def test_a_pid_that_now_is_somebody_elses_is_left_alone(process, tmp_path):
    with subprocess.Popen(SLEEP) as stranger:
        pids = tmp_path / "pids"
        pids.mkdir()
        (pids / "sleep.json").write_text(json.dumps({"pid": stranger.pid, "started": 1}))
        assert not process.running()
        process.stop()
        assert stranger.poll() is None
        stranger.kill()
