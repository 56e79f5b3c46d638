"""Who may speak to whom is what the NetworkPolicies say, tried with packets; the node is nobody's."""

import pytest

LISTEN = "exec node -e \"for (const p of [8000, 9000]) require('net').createServer().listen(p)\""
POLICY = "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies/policy"


@pytest.fixture
def two(pods):
    """Two pods that listen at ports 8000 and 9000, without any policy."""
    for name in ("one", "two"):
        pods.make(name, LISTEN, readinessProbe={"periodSeconds": 1, "tcpSocket": {"port": 9000}})
    for name in ("one", "two"):
        pods.wait(name, lambda status: status["ready"])
    return pods


def reaches(pods, name, address, port):
    script = f"timeout 2 bash -c 'echo >/dev/tcp/{address}/{port}' 2>/dev/null && echo yes || echo no"
    return pods.run(name, script).strip() == "yes"


def settles(pods, name, address, port, wanted):
    """A policy takes effect in its own time."""
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
