"""Whom a sandbox can reach, and whom not: packets, not the text of a policy."""

import contextlib
import socket
import subprocess

import pytest

from policies import ruleset
from stand.node import ADDRESS
from terminal import Terminal, connect

METADATA = "169.254.169.254"
PUBLIC = "203.0.113.10"  # for documentation (RFC 5737): as good as public, and nobody's
KUBELET, API_SERVER, REGISTRY = 10250, 6443, 5000


@pytest.fixture(scope="module")
def places(world, node):
    """What is outside of the cluster, played by addresses of the node, each of which answers."""
    subprocess.run(["ip", "address", "add", f"{METADATA}/32", "dev", "node0"], check=True)
    subprocess.run(["ip", "address", "add", f"{PUBLIC}/32", "dev", "node0"], check=True)
    with contextlib.ExitStack() as stack:
        for place in ((METADATA, 80), (PUBLIC, 443), (PUBLIC, 22), (ADDRESS, API_SERVER),
                      (ADDRESS, REGISTRY)):
            stack.enter_context(socket.create_server(place))
        yield


@pytest.fixture(scope="module")
def projects(new_person, places):
    """A project with a database of each of two people."""
    made = [new_person().create(name, database=True) for name in ("Mine", "Theirs")]
    for project in made:
        project.wait("RUNNING", 120)
    return made


@pytest.fixture(scope="module")
def targets(projects, cluster):
    """Name → (host, port), as seen from the first project's sandbox."""
    mine, theirs = projects
    sandbox = service(theirs, f"{theirs.sandbox()['name']}-service")
    return {
        "own database": (mine.connection()["host"], 5432),
        "the internet, 443": (PUBLIC, 443),
        "the internet, 22": (PUBLIC, 22),
        "their sandbox's app": (pod(theirs)["status"]["podIP"], 3000),
        "their sandbox's terminal": (pod(theirs)["status"]["podIP"], 7681),
        "their sandbox by its Service": (sandbox, 7681),
        "their database": (theirs.connection()["host"], 5432),
        "the node's kubelet": (ADDRESS, KUBELET),
        "the node's ingress controller": (ADDRESS, 443),
        "another port of the node": (ADDRESS, REGISTRY),
        "the control plane": (ADDRESS, API_SERVER),
        "the metadata service": (METADATA, 80),
    }


ALLOWED = {"own database", "the internet, 443", "the internet, 22"}


def pod(project):
    return project.person.namespace.pod(project.sandbox()["name"])


def service(project, name):
    return project.person.namespace.get("Service", name)["spec"]["clusterIP"]


def reached(project, targets):
    """The names of those that accept a connection from the project's sandbox."""
    query = "?" + project.sandbox()["ttydUrl"].partition("?")[2]
    tries = "; ".join(
        f"timeout 3 bash -c '</dev/tcp/{host}/{port}' 2>/dev/null && echo yes {number} &"
        for number, (host, port) in enumerate(targets.values())
    ).replace("&;", "&")
    with Terminal(connect(pod(project)["status"]["podIP"], 7681), query) as opened:
        opened.ask("set +m")
        shown = opened.ask(f"{tries} wait", seconds=40)
    numbers = {int(line.split()[1]) for line in shown.splitlines() if line.startswith("yes ")}
    return {name for number, name in enumerate(targets) if number in numbers}


@pytest.fixture(scope="module")
def before(projects, targets):
    """What is reached while nobody enforces the policies."""
    return reached(projects[0], targets)


@pytest.fixture(scope="module")
def enforced(before, cluster, world):
    """The policies that the reconciler has made are enforced from here on."""
    policies = cluster.api("GET", "/apis/networking.k8s.io/v1/networkpolicies")["items"]
    pods = cluster.api("GET", "/api/v1/pods")["items"]
    assert policies
    subprocess.run(["nft", "-f", "-"], input=ruleset(policies, pods), text=True, check=True)
    yield
    subprocess.run(["nft", "delete", "table", "inet", "fsa_policies"], check=True)


def test_everything_is_there_to_be_reached(before, targets):
    """Otherwise the next test could not fail."""
    assert before == set(targets)


def test_a_sandbox_reaches_its_database_and_the_internet_and_nothing_else(
        enforced, projects, targets):
    assert reached(projects[0], targets) == ALLOWED


def test_names_are_resolved_and_both_terminals_work(enforced, projects):
    for project in projects:
        query = "?" + project.sandbox()["ttydUrl"].partition("?")[2]
        with Terminal(connect(pod(project)["status"]["podIP"], 7681), query) as opened:
            host = project.connection()["host"]
            assert service(project, host.split(".")[0]) in opened.ask(f"getent hosts {host}")
            assert opened.ask("psql -Atc 'select 6*7'") == "42"


def test_their_database_answers_nobody_elses_sandbox(enforced, projects):
    mine, theirs = projects
    password = theirs.connection()["password"]
    address = service(theirs, theirs.connection()["host"].split(".")[0])
    query = "?" + mine.sandbox()["ttydUrl"].partition("?")[2]
    with Terminal(connect(pod(mine)["status"]["podIP"], 7681), query) as opened:
        asked = (f"PGCONNECT_TIMEOUT=3 PGPASSWORD={password} "
                 f"psql -h {address} -Atc 'select 1' 2>&1 | tail -1")
        assert "timeout" in opened.ask(asked, seconds=30)
