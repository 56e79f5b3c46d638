"""Tests with packets that exactly the NetworkPolicies' connections are possible, and that nobody reaches the node."""

import os
import re
import socket
import subprocess
import time
from pathlib import Path

import pytest
import requests

from stand.kubelet.network import machine_addresses
from stand.process import PATIENCE

LISTEN = "exec node -e \"for (const p of [8000, 9000]) require('net').createServer().listen(p)\""
needs_way_out = pytest.mark.skipif(not os.path.exists("/dev/net/tun"), reason="there is no way out here")
POLICY = "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies/policy"


@pytest.fixture
def two(pods):
    """Two pods that listen on ports 8000 and 9000, without any policy."""
    for name in ("one", "two"):
        pods.make(name, LISTEN, readinessProbe={"periodSeconds": 1, "tcpSocket": {"port": 9000}})
    for name in ("one", "two"):
        pods.wait(name, lambda status: status["ready"])
    return pods


def reaches(pods, name, address, port):
    script = f"timeout 2 bash -c 'echo >/dev/tcp/{address}/{port}' 2>/dev/null && echo yes || echo no"
    return pods.run(name, script).strip() == "yes"


def settles(pods, name, address, port, wanted):
    """Whether the port becomes reachable, or unreachable: a policy takes a while to have an effect."""
    return any(reaches(pods, name, address, port) == wanted for _ in range(30))


def enforce(pods, **spec):
    pods.apply(POLICY.format(pods.namespace), "networking.k8s.io/v1", "NetworkPolicy", "policy", spec)


def test_without_policies_pods_reach_each_other_and_never_the_node(two):
    assert reaches(two, "one", two.address("two"), 8000)
    assert not reaches(two, "one", "10.244.0.1", two._containers.port)


def test_a_pod_is_reached_at_the_ports_that_its_policy_names(two):
    enforce(two, podSelector={"matchLabels": {"app": "two"}}, policyTypes=["Ingress"],
            ingress=[{"ports": [{"port": 9000, "protocol": "TCP"}]}])
    address = two.address("two")
    assert settles(two, "one", address, 8000, False)
    assert reaches(two, "one", address, 9000)


def test_a_pod_reaches_whom_its_policy_names(two):
    enforce(two, podSelector={"matchLabels": {"app": "one"}}, policyTypes=["Egress"],
            egress=[{"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}]}])
    address = two.address("two")
    assert settles(two, "one", address, 8000, False)
    enforce(two, podSelector={"matchLabels": {"app": "one"}}, policyTypes=["Egress"],
            egress=[{"to": [{"podSelector": {"matchLabels": {"app": "two"}}}],
                     "ports": [{"port": 8000, "protocol": "TCP"}]}])
    assert settles(two, "one", address, 8000, True)
    assert not reaches(two, "one", address, 9000)
    assert reaches(two, "two", two.address("one"), 8000)


def test_a_policy_holds_from_a_pods_first_moment(two):
    enforce(two, podSelector={"matchLabels": {"app": "three"}}, policyTypes=["Egress"])
    address = two.address("two")
    two.make("three", f"timeout 2 bash -c 'echo >/dev/tcp/{address}/8000' && echo came || echo stayed; "
             "sleep infinity")
    two.wait("three", lambda status: status["ready"] and re.search("came|stayed", two.log("three")))
    assert two.log("three").split()[-1] == "stayed"


def test_an_ingress_leads_from_loopback_to_a_pod(pods):
    pods.make("web", "exec node -e \"require('http').createServer((q, a) => a.end('hello')).listen(8000)\"",
              readinessProbe={"periodSeconds": 1, "tcpSocket": {"port": 8000}})
    pods.apply(f"/api/v1/namespaces/{pods.namespace}/services/web", "v1", "Service", "web", {
        "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8000}]})
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    pods.apply(f"/apis/networking.k8s.io/v1/namespaces/{pods.namespace}/ingresses/web",
               "networking.k8s.io/v1", "Ingress", "web", {"rules": [{"host": "web.test", "http": {"paths": [
                   {"path": "/", "pathType": "Prefix", "backend": backend}]}}]})
    pods.wait("web", lambda status: status["ready"])
    end = time.monotonic() + PATIENCE
    while (answer := ask(pods, "web.test")).status_code != 200:
        assert time.monotonic() < end, answer.text
    assert answer.text == "hello"
    assert ask(pods, "other.test").status_code == 404


def ask(pods, host):
    return requests.get(f"http://127.0.0.1:{pods._containers.port}/", headers={"Host": host}, timeout=PATIENCE)


@needs_way_out
def test_a_pod_does_not_reach_the_machine_by_an_address_of_its_own(two, node):
    addresses = machine_addresses()
    if not addresses:
        pytest.skip("this machine has no address but loopback")
    for address in addresses:
        with socket.create_server((address, 0)) as listening:
            port = listening.getsockname()[1]
            carries(node, address, port)  # as it would for a pod
            assert not reaches(two, "one", address, port)


def carries(node, address, port):
    """Waits until the node itself, whose packets take the same way as the pods', reaches this port."""
    _, containers = node
    words = ["nsenter", "--target", containers._first(), "--mount", "nsenter",
             f"--net={containers.directory / 'net' / 'node'}", "timeout", "2", "bash", "-c",
             f"echo >/dev/tcp/{address}/{port}"]
    end = time.monotonic() + PATIENCE
    while (done := subprocess.run(words, capture_output=True, text=True)).returncode != 0:
        assert time.monotonic() < end, done.stderr


@needs_way_out
def test_programs_that_forward_pods_packets_have_no_rights(node):
    _, containers = node
    end = time.monotonic() + PATIENCE
    while not (found := [rights_of(path.parent) for path in Path("/proc").glob("[0-9]*/cmdline")
                         if is_way_out(path, containers)]) or any(found):
        assert time.monotonic() < end, found


def is_way_out(cmdline, containers):
    try:
        words = cmdline.read_bytes()
    except OSError:
        return False
    return b"slirp4netns" in words and str(containers.directory).encode() in words


def rights_of(process):
    """Returns the effective capabilities, without the one for using low ports."""
    return int(re.search(r"CapEff:\s*(\w+)", (process / "status").read_text())[1], 16) & ~(1 << 10)
