"""Tests that a World isolates what happens in it, and ends it when it ends."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from stand.process import PATIENCE, Process, accepts
from stand.world import World, make_cgroups

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a World needs root")

TOOLS = Path(__file__).resolve().parents[2] / "tools"
PANIC = Path("/proc/sys/kernel/panic")


@pytest.fixture
def world(tmp_path):
    with World(tmp_path / "world", hidden=["/var/log/pods"], values={"kernel/panic": 77}) as made:
        yield made


def inside(world, script):
    command = world.inside(["sh", "-euc", script])
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_links_mounts_and_settings_are_its_own(world, tmp_path):
    before = PANIC.read_text()
    inside(world, "ip link add seen0 type bridge; mount -t tmpfs tmpfs /mnt; : >/mnt/x")
    assert inside(world, "cat /proc/sys/kernel/panic; ls /mnt") == "77\nx"
    assert PANIC.read_text() == before
    assert "seen0" not in subprocess.run(["ip", "link"], capture_output=True, text=True).stdout
    assert not Path("/mnt/x").exists()


def test_its_network_is_entered_and_left(world):
    server = Process(world.directory, "server")
    listen = "import socket, time; s = socket.create_server(('127.0.0.1', 7)); time.sleep(600)"
    with world.network():
        server.start([sys.executable, "-c", listen])
        server.wait_ready(lambda: accepts(("127.0.0.1", 7)))
    assert not accepts(("127.0.0.1", 7))
    server.stop()


def alive(marker):
    """Whether a process with this word on its command line is running."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker in path.read_bytes().decode(errors="replace").split("\0"):
                return True
        except OSError:
            pass
    return False


def test_all_of_it_ends_with_a_run_that_is_killed(tmp_path):
    marker = f"98765.{os.getpid()}"
    owner = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(f"""
            import sys, time
            sys.path.insert(0, {str(TOOLS)!r})
            from stand.process import Process
            from stand.world import World, make_cgroups
            world = World({str(tmp_path / "world")!r})
            world.start()
            make_cgroups(world.cgroup)
            script = "setsid sleep {marker} & wait"
            Process(world.directory, "x").start(world.inside(["sh", "-c", script]))
            print(world.cgroup, flush=True)
            time.sleep(600)
        """)],
        stdout=subprocess.PIPE, text=True,
    )
    cgroup = owner.stdout.readline().strip()
    end = time.monotonic() + PATIENCE
    while not alive(marker):
        assert time.monotonic() < end, "it never started"
        time.sleep(0.05)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    end = time.monotonic() + PATIENCE
    while alive(marker):
        assert time.monotonic() < end, "a process has outlived its world"
        time.sleep(0.05)
    with World(tmp_path / "next") as world:  # removes what the killed one could not
        make_cgroups(world.cgroup)
        assert not list(Path("/sys/fs/cgroup").glob(f"*/{cgroup}"))
    assert not list(Path("/sys/fs/cgroup").glob(f"*/{world.cgroup}"))
