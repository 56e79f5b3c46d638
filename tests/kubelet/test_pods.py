"""Tests the status of a pod's container, and what the container can do."""

import json
import os
import pwd
from pathlib import Path

import pytest

from server import SECRET, make_token
from stand.kubelet import limits, users
from stand.process import StandError

# Numbers of system calls, for clone with a new user namespace, and to find whether clone3 exists.
CLONE = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
BECOME_ROOT = (f"perl -e 'exit(syscall({CLONE}, 0x10000011, 0, 0, 0, 0) < 0)'",
               "perl -e 'syscall(435, 0, 0); exit($! == 38)'")
SANDBOXD = "/usr/lib/fullstack-agent/sandboxd"
LISTEN = "exec node -e \"require('net').createServer().listen(8000)\""


def is_ready(status):
    return status["ready"]


def test_a_failed_container_is_restarted_and_its_exit_code_reported(pods):
    pods.make("fails", "echo it was me; exit 3")
    status = pods.wait("fails", lambda s: s["restartCount"] >= 2 and "waiting" in s["state"])
    assert status["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    ended = status["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (3, "Error")
    assert "it was me" in pods.log("fails")
    assert pods.read_log("fails", len, "previous=true") == "it was me\n"


def test_a_containers_output_is_in_pods_log(pods):
    pods.make("talks", "cd /home/agent; seq 5; until [ -e go ]; do sleep 0.1; done; "
              "head -c 100000 /dev/zero | tr '\\0' x; echo; echo end; sleep infinity", claim=True)
    pods.wait("talks", is_ready)
    assert pods.read_log("talks", lambda text: text.count("\n") == 5) == "1\n2\n3\n4\n5\n"
    assert pods.read_log("talks", len, "tailLines=2&container=main") == "4\n5\n"
    assert pods.read_log("talks", len, "limitBytes=3") == "1\n2"
    pods.run("talks", "touch /home/agent/go")
    text = pods.read_log("talks", lambda text: text.endswith("end\n"))
    assert 60000 < len(text) <= 65536


@pytest.fixture
def limited():
    """Skips a test of limits where there are none."""
    found = limits.available("fullstack-agent-test-limits")
    limits.remove("fullstack-agent-test-limits")
    if {"memory", "cpu"} - found:
        pytest.skip("there are no cgroups that can be written to here")


def test_a_sandbox_reads_its_usage_and_its_limits(pods, limited):
    pods.make("used", f"TTYD_ACCESS_TOKEN={SECRET} exec {SANDBOXD} --port 8000 --run /tmp --no-terminal",
              resources={"limits": {"memory": "64Mi", "cpu": "500m"}},
              readinessProbe={"periodSeconds": 1, "tcpSocket": {"port": 8000}})
    pods.wait("used", is_ready)
    usage = json.loads(pods.run("used", f"curl -s -H 'Authorization: Bearer {make_token('usage')}' "
                                "http://127.0.0.1:8000/v1/usage"))
    assert usage["memory"]["limit"] == 64 << 20 > usage["memory"]["used"] > 0
    assert usage["memory"]["oomKills"] == 0
    assert usage["cpu"]["limitCores"] == 0.5 and usage["cpu"]["usedSeconds"] > 0
    shown = pods.run("used", "for file in $(find /sys/fs/cgroup/ -name cgroup.procs); do "
                     "{ echo $$ >$file; } 2>/dev/null && echo moved || echo refused; done")
    assert set(shown.split()) == {"refused"}


def test_exceeding_the_memory_limit_is_reported(pods, limited):
    pods.make("greedy", "tail /dev/zero", resources={"limits": {"memory": "32Mi", "cpu": "500m"}})
    status = pods.wait("greedy", lambda s: s.get("lastState"))
    assert status["lastState"]["terminated"]["reason"] == "OOMKilled"
    assert status["lastState"]["terminated"]["exitCode"] == 137


def test_a_pod_is_ready_when_its_probe_is_answered_and_not_any_more_when_it_is_not(pods):
    probe = {"periodSeconds": 1, "failureThreshold": 1, "tcpSocket": {"port": 8000}}
    pods.make("late", f"while :; do [ -e /tmp/go ] && ({LISTEN}); sleep 0.1; done", readinessProbe=probe)
    assert not pods.wait("late", lambda s: "running" in s["state"])["ready"]
    pods.run("late", "touch /tmp/go")
    pods.wait("late", is_ready)
    pods.run("late", "rm /tmp/go; pkill -f '^node -e'")
    pods.wait("late", lambda s: not s["ready"])


def test_a_missing_image_is_reported(pods):
    pods.make("strange", image="registry.invalid/strange:1")
    status = pods.wait("strange", lambda s: s["state"].get("waiting", {}).get("reason") == "ImagePullBackOff")
    assert "registry.invalid/strange:1" in status["state"]["waiting"]["message"]


def test_a_name_leads_nowhere_else(pods):
    """It must not lead to another namespace's Secret, by the node's own rights."""
    pods.make("nosy", envFrom=[{"secretRef": {"name": "../../default/secrets/x"}}])
    status = pods.wait("nosy", lambda s: s["state"].get("waiting", {}).get("reason")
                       == "CreateContainerConfigError")
    assert "is not a name" in status["state"]["waiting"]["message"]


def test_a_volumes_files_survive_the_pod(pods):
    pods.make("keeper", claim=True)
    pods.wait("keeper", is_ready)
    pods.run("keeper", "echo precious >/home/agent/kept")
    pods.scale("keeper", 0)
    pods.wait_gone("keeper")
    pods.scale("keeper", 1)
    pods.wait("keeper", is_ready)
    assert pods.run("keeper", "cat /home/agent/kept") == "precious\n"


def test_its_program_gets_a_signal_and_time_to_end(pods):
    pods.make("polite", "trap 'echo good bye; exit 0' TERM; while :; do sleep 0.1; done")
    pods.wait("polite", is_ready)
    pods.scale("polite", 0)
    pods.wait_gone("polite")
    assert "good bye" in pods.log("polite")


def test_it_has_no_rights_and_cannot_write_to_its_image(pods):
    pods.make("plain")
    pods.wait("plain", is_ready)
    assert pods.run("plain", "id -u; grep CapEff /proc/self/status").split() == [
        "1000", "CapEff:", "0" * 16]
    for refused in ("touch /usr/x", "unshare --user true", "mount -t tmpfs x /tmp", "cat /proc/kcore",
                    *BECOME_ROOT):
        with pytest.raises(StandError):
            pods.run("plain", refused)


def test_a_containers_users_and_file_owners_do_not_exist_on_the_machine(pods, node):
    _, containers = node
    pods.make("shifted", "touch /home/agent/mine; exec sleep 4711", claim=True)
    pods.wait("shifted", is_ready)
    home = containers.directory / "volumes" / pods.namespace / "home-shifted-0"
    (process,) = [path.parent for path in Path("/proc").glob("[0-9]*/cmdline") if words_of(path) == b"sleep\0004711\0"]
    image = containers.images / "sandbox" / "usr" / "bin" / "env"
    for found, inside in ((home, 1000), (home / "mine", 1000), (process, 1000), (image, 0)):
        assert found.stat().st_uid == users.FIRST + inside, found
        with pytest.raises(KeyError):
            pwd.getpwuid(found.stat().st_uid)
    assert pods.run("shifted", "stat -c %u /home/agent/mine /usr/bin/env").split() == ["1000", "0"]


def words_of(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_probes_run_beside_each_other(pods):
    """Each of the two succeeds only while the other is running."""
    meet = "const n = require('net'); const end = () => process.exit(0); {}; setTimeout(() => process.exit(1), 4000)"
    listens = meet.format("n.createServer(end).listen(7000)")
    calls = meet.format("(function again() {{ n.connect(7000, '{}', end).on('error', () => setTimeout(again, 50)) }})()")
    probe = {"periodSeconds": 1, "timeoutSeconds": 5}
    pods.make("one", readinessProbe={**probe, "exec": {"command": ["node", "-e", listens]}})
    pods.wait("one", lambda status: "running" in status["state"])
    pods.make("two", readinessProbe={**probe, "exec": {"command": ["node", "-e", calls.format(pods.address("one"))]}})
    pods.wait("two", is_ready)


def test_a_pod_that_the_node_does_not_understand_is_not_the_end_of_others(pods):
    pods.make("odd", envFrom=[{"configMapRef": {"name": "x"}}])
    pods.make("plain")
    pods.wait("plain", is_ready)
    assert not pods.wait("odd", lambda status: True)["ready"]


def test_other_users_of_the_machine_find_nothing_in_the_nodes_folders(node):
    _, containers = node
    for folder in (*(containers.directory / name for name in ("bundles", "scratch", "output", "volumes")),
                   containers.images):
        assert folder.stat().st_mode & 0o77 == 0, folder
    assert (containers.directory / "ingress").stat().st_uid == 0  # root writes to it
