"""Tests that a node leaves nothing behind, whether it was stopped or killed."""

import os
from pathlib import Path

import pytest

from pods import Pods

from stand.containers import Containers
from stand.process import free_port


@pytest.mark.parametrize("how", ["told", "killed"])
def test_a_node_that_ends_leaves_no_process_no_mount_and_no_cgroup(node, workspace, how):
    kubesim, first = node
    assert traces(first.directory)
    first.stop()
    other = Containers(workspace / f"other-{how}", kubesim, free_port(), images=first.images)
    other.start()
    pods = Pods(kubesim, other)
    pods.make("busy", "sleep infinity & sleep infinity")
    pods.wait("busy", lambda status: status["ready"])
    if how == "killed":
        os.kill(other.pid(), 9)
    try:
        other.stop()
        assert traces(other.directory) == []
    finally:
        first.start()  # other tests need it
    pods.end()


def traces(directory):
    """Returns the processes whose command lines name the directory, and the mounts and cgroups of its node."""
    found = [path for path in Path("/proc").glob("[0-9]*/cmdline")
             if str(directory).encode() in _read(path)]
    found += [line for line in Path("/proc/mounts").read_text().splitlines() if str(directory) in line]
    name = Containers(directory, None, 0).cgroup
    return found + list(Path("/sys/fs/cgroup").glob(f"*/{name}*")) + list(
        Path("/sys/fs/cgroup").glob(f"{name}*"))


def _read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""
