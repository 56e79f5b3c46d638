"""Tests that the stand ends exactly what it has started, and says why something did not start."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stand.process import PATIENCE, Process, StandError, free_port, port_is_free

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture
def sleeper(tmp_path):
    process = Process(tmp_path, "sleeper")
    yield process
    process.stop()


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until(check, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not check() and time.monotonic() < end:
        time.sleep(0.02)
    return check()


def test_a_started_program_is_found_again_and_ended(tmp_path, sleeper):
    sleeper.start(["sleep", "100"])
    pid = sleeper.pid()
    assert Process(tmp_path, "sleeper").pid() == pid  # as a later command does
    sleeper.start(["sleep", "100"])
    assert sleeper.pid() == pid  # no second one was started
    sleeper.stop()
    assert not alive(pid)
    assert sleeper.pid() is None


def test_a_program_that_ignores_its_signal_is_killed(sleeper):
    sleeper.start(["bash", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"])
    sleeper.wait_ready(lambda: "ready" in sleeper.log_tail())
    pid = sleeper.pid()
    sleeper.stop(patience=0.3)
    assert not alive(pid)


def test_a_reused_pid_is_not_signalled(tmp_path, sleeper):
    sleeper.start(["sleep", "100"])
    pid = sleeper.pid()
    known = tmp_path / "pids" / "sleeper.json"
    record = json.loads(known.read_text())
    known.write_text(json.dumps({**record, "started": record["started"] - 1}))
    sleeper.stop()
    assert alive(pid)
    known.write_text(json.dumps(record))


@pytest.mark.parametrize("again", ["start", "stop"])
def test_children_that_a_crash_has_left_are_ended(sleeper, again):
    sleeper.start(["sh", "-c", "sleep 100 & echo $!; wait"])
    assert wait_until(lambda: sleeper.log_tail())
    child = int(sleeper.log_tail())
    sleeper.kill()
    assert alive(child)
    sleeper.start(["sleep", "100"]) if again == "start" else sleeper.stop()
    assert wait_until(lambda: not alive(child))


def test_a_strangers_session_of_the_same_number_is_left_alone(tmp_path, sleeper):
    """After a reboot, the recorded number may belong to another session, whose leader has ended."""
    command = ["setsid", "-w", "sh", "-c", "sleep 100 >/dev/null 2>&1 & echo $$ $!"]
    session, stranger = map(int, subprocess.check_output(command, text=True).split())
    record = tmp_path / "pids" / "sleeper.json"
    record.parent.mkdir()
    record.write_text(json.dumps({"pid": session, "started": 1}))
    sleeper.stop()
    assert alive(stranger)
    os.kill(stranger, 9)


def test_a_program_that_dies_at_once_is_reported_with_its_log(sleeper):
    sleeper.start(["sh", "-c", "echo no such luck >&2; exit 3"])
    with pytest.raises(StandError, match="(?s)sleeper ended.*no such luck"):
        sleeper.wait_ready(lambda: False)


def test_a_program_that_is_never_ready_is_reported(sleeper):
    sleeper.start(["sleep", "100"])
    with pytest.raises(StandError, match="not ready after"):
        sleeper.wait_ready(lambda: False, seconds=0.2)


@pytest.mark.parametrize("outlive", [False, True])
def test_the_kernel_ends_a_program_with_its_stand_unless_it_may_outlive(tmp_path, outlive):
    user = "nobody" if os.geteuid() == 0 else None  # a change of user must not lose the signal
    script = (
        "import os, sys\nfrom stand.process import Process\n"
        f"p = Process({str(tmp_path)!r}, 'orphan')\n"
        f"p.start(['sleep', '100'], outlive={outlive}, user={user!r})\n"
        # The signal is set once setpriv has become sleep.
        "while b'sleep' not in open(f'/proc/{p.pid()}/cmdline', 'rb').read()[:6]: pass\n"
        "print(p.pid(), flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    env = dict(os.environ, PYTHONPATH=str(TOOLS))
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True)
    pid = int(done.stdout)
    assert wait_until(lambda: not alive(pid), 0.5 if outlive else PATIENCE) is not outlive
    Process(tmp_path, "orphan").stop()
    assert not alive(pid)


def test_a_free_port_is_free():
    port = free_port()
    assert port_is_free(port)
    assert port < 32768  # below the kernel's ephemeral range


def test_a_port_is_handed_out_once(monkeypatch):
    """The port is bound later than it is handed out."""
    numbers = iter([20001, 20001, 20002])
    monkeypatch.setattr("stand.process.random.randrange", lambda *_: next(numbers))
    monkeypatch.setattr("stand.process.port_is_free", lambda _: True)
    monkeypatch.setattr("stand.process._given", set())
    assert (free_port(), free_port()) == (20001, 20002)
