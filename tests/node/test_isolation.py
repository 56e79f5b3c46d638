"""Tests by packets, not by the text of a policy, what a sandbox can reach.

kube-router enforces the policies; it is running before any pod. It learns of each change from the API
server a moment later: until then, a new pod is not restricted.
"""

import base64
import contextlib
import re
import socket
import socketserver
import subprocess
import threading

import pytest
import yaml

from people import eventually
from shell import pod, shell
from stand.kube.api import Api
from stand.node import ADDRESS
from stand.site import ROOT

METADATA = "169.254.169.254"
METADATA_AZURE = "168.63.129.16"  # one of the public addresses
PUBLIC = "192.31.196.10"  # AS112's (RFC 7535): public, and serving no one
RESOLVER = "10.153.0.53"  # another organization's, in a private network: not the cluster's
KUBELET, API_SERVER, REGISTRY, TIME, DNS = 10250, 6443, 5000, 123, 53
UNKNOWN = 8000  # a port on which the sandbox's owner listens, but which is not exposed

ALLOWED = {"own database", "the cluster's resolver", "the internet, 443", "the internet, 22",
           "the internet by UDP"}
# Its pods, and wherever an API server may be; see api_server_networks in fsa.conf(5).
ALLOWED_DATABASE = {"own database", "the cluster's resolver", "the internet, 443",
                    "the node's ingress controller", "the control plane"}
CLOSED = "another port of their sandbox"  # only the policy forbids it

# Shell commands that expect a response. A forbidden request is usually refused at once; the timeout is for slow
# machines.
TRIES = {
    "tcp": "timeout 10 bash -c '</dev/tcp/{}/{}' 2>/dev/null",
    "udp": "timeout 10 bash -c 'exec 3<>/dev/udp/{}/{}; for i in 1 2 3; do echo >&3 && "
           "read -t 2 -u 3 && exit; done; exit 1' 2>/dev/null",
}


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        data, answering = self.request
        answering.sendto(data, self.client_address)


@contextlib.contextmanager
def echo(place):
    """Answers requests to this address by UDP."""
    with socketserver.ThreadingUDPServer(place, Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


@pytest.fixture(scope="module")
def places(world, node):
    """Hosts outside the cluster, represented by addresses of the node, all of which answer."""
    for address in (METADATA, METADATA_AZURE, RESOLVER, PUBLIC):
        subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "node0"], check=True)
    with contextlib.ExitStack() as stack:
        for place in ((METADATA, 80), (METADATA_AZURE, 80), (PUBLIC, 443), (PUBLIC, 22),
                      (RESOLVER, DNS), (ADDRESS, API_SERVER), (ADDRESS, REGISTRY)):
            stack.enter_context(socket.create_server(place))
        for place in ((METADATA, TIME), (PUBLIC, TIME), (ADDRESS, TIME)):
            stack.enter_context(echo(place))
        yield


@pytest.fixture(scope="module")
def projects(new_person, places):
    """A project with a database for each of two people; the second listens on one more port."""
    made = [new_person().create(name, database=True) for name in ("Mine", "Theirs")]
    for project in made:
        project.wait("RUNNING")
    with shell(made[1]) as theirs:
        listen = f'require("net").createServer().listen({UNKNOWN}, "0.0.0.0")'
        theirs.ask(f"(setsid node -e '{listen}' </dev/null >/dev/null 2>&1 &)")
        attempt = TRIES["tcp"].format(pod(made[1])["status"]["podIP"], UNKNOWN)
        eventually(lambda: theirs.ask(f"{attempt} && echo yes") == "yes")
    return made


@pytest.fixture(scope="module")
def targets(projects):
    """Returns name → (protocol, host, port), as seen from the first project's sandbox."""
    mine, theirs = projects
    sandbox = service(theirs, f"{theirs.sandbox()['name']}-service")
    address = pod(theirs)["status"]["podIP"]
    return {
        "own database": ("tcp", mine.connection()["host"], 5432),
        "the cluster's resolver": ("tcp", ADDRESS, DNS),
        "another private resolver": ("tcp", RESOLVER, DNS),
        "the internet, 443": ("tcp", PUBLIC, 443),
        "the internet, 22": ("tcp", PUBLIC, 22),
        "the internet by UDP": ("udp", PUBLIC, TIME),
        "their sandbox's app": ("tcp", address, 3000),
        "their sandbox's terminal": ("tcp", address, 7681),
        "their sandbox by its Service": ("tcp", sandbox, 7681),
        CLOSED: ("tcp", address, UNKNOWN),
        "their database": ("tcp", theirs.connection()["host"], 5432),
        "their database by a port of the node": ("tcp", ADDRESS, published(theirs)),
        "the node's kubelet": ("tcp", ADDRESS, KUBELET),
        "the node's ingress controller": ("tcp", ADDRESS, 443),
        "another port of the node": ("tcp", ADDRESS, REGISTRY),
        "the node by UDP": ("udp", ADDRESS, TIME),
        "the control plane": ("tcp", ADDRESS, API_SERVER),
        "the metadata service": ("tcp", METADATA, 80),
        "the metadata service of Azure": ("tcp", METADATA_AZURE, 80),
        "the metadata service by UDP": ("udp", METADATA, TIME),
    }


def service(project, name):
    return project.person.namespace.get("Service", name)["spec"]["clusterIP"]


def published(project):
    """Returns the port on every node at which a user has published their project's database."""
    namespace = project.person.namespace
    project.person.cluster.admin.apply(namespace.path("Service", "published"), {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "published", "namespace": namespace.name},
        "spec": {
            "type": "NodePort",
            "selector": {"app.kubernetes.io/instance": project.database()["name"]},
            "ports": [{"port": 5432}],
        },
    })
    return namespace.get("Service", "published")["spec"]["ports"][0]["nodePort"]


def tries(targets):
    """Returns a line of shell that tries all targets at once."""
    return " ".join(
        f"{{ {TRIES[protocol].format(host, port)} && echo yes {number}; }} &"
        for number, (protocol, host, port) in enumerate(targets.values())
    ) + " wait"


def answered(shown, targets):
    numbers = {int(line.split()[1]) for line in shown.splitlines() if line.startswith("yes ")}
    return {name for number, name in enumerate(targets) if number in numbers}


def reached(project, targets):
    """Returns the names of the targets that the project's sandbox reaches."""
    with shell(project) as opened:
        opened.ask("set +m")
        return answered(opened.ask(tries(targets)), targets)


def reached_by_database(project, targets):
    """Returns the names of the targets that a program reaches which PostgreSQL starts for its superuser."""
    found = set()
    items = list(targets.items())
    with shell(project) as opened:
        for some in (dict(items[at:at + 5]) for at in range(0, len(items), 5)):
            script = base64.b64encode(tries(some).encode()).decode()
            shown = opened.ask(
                "psql -At -c 'create temp table t (x text)' "
                f"-c \"copy t from program 'echo {script} | base64 -d | bash'\" "
                "-c 'select x from t'")
            assert "COPY" in shown, shown
            found |= answered(shown, some)
    return found


def wait_reached(project, targets, wanted, reached=reached):
    """Waits until the project's sandbox, or its database, reaches exactly these targets."""
    last = set()

    def as_wanted():
        last.clear()
        last.update(reached(project, targets))
        return last == wanted

    eventually(as_wanted, every=0.5,
               last=lambda: f"too many: {last - wanted}, too few: {wanted - last}")


def test_a_sandbox_reaches_its_database_and_the_internet_and_nothing_else(projects, targets):
    wait_reached(projects[0], targets, ALLOWED)
    assert reached(projects[0], targets) == ALLOWED


def test_a_database_reaches_its_pods_dns_and_api_servers_and_nothing_else(projects, targets):
    wait_reached(projects[0], targets, ALLOWED_DATABASE, reached_by_database)
    assert reached_by_database(projects[0], targets) == ALLOWED_DATABASE


def test_names_are_resolved_and_both_terminals_work(projects):
    for project in projects:
        with shell(project) as opened:
            host = project.connection()["host"]
            assert service(project, host.split(".")[0]) in opened.ask(f"getent hosts {host}")
            assert opened.ask("psql -Atc 'select 6*7'") == "42"


def test_a_database_answers_only_its_own_sandbox(projects):
    mine, theirs = projects
    password = theirs.connection()["password"]
    address = service(theirs, theirs.connection()["host"].split(".")[0])
    command = (f"PGCONNECT_TIMEOUT=10 PGPASSWORD={password} "
               f"psql -h {address} -Atc 'select 6*7' 2>&1 | tail -2")
    with shell(theirs) as opened:
        assert opened.ask(command) == "42"
    with shell(mine) as opened:
        assert "Is the server running on that host" in opened.ask(command)


def test_a_recreated_pod_is_restricted_too(projects, targets):
    mine = projects[0]
    before = pod(mine)["metadata"]["uid"]
    mine.restart()
    eventually(lambda: (pod(mine) or {"metadata": {"uid": before}})["metadata"]["uid"] != before)
    mine.wait("RUNNING")
    wait_reached(mine, targets, ALLOWED)


def documented(sandbox):
    """Returns what moving.md says to owners of their own Ingress: (selector of our policy, their policy)."""
    text = (ROOT / "docs" / "moving.md").read_text().split("\n## An Ingress of your own\n", 1)[1]
    text = text.replace("<sandbox>", sandbox).replace("8080", str(UNKNOWN))
    selector = re.search(r"^    kubectl get networkpolicy -l (\S+)$", text, re.M)[1]
    manifest = re.search(r"^    kubectl apply -f - <<END\n(.*?)^    END$", text, re.M | re.S)[1]
    return selector, yaml.safe_load(manifest)


@pytest.fixture
def opened(projects):
    """The second project, with a port that its owner has opened with their own kubeconfig, as moving.md says."""
    theirs = projects[1]
    namespace, name = theirs.person.namespace, theirs.sandbox()["name"]
    selector, policy = documented(name)
    found = namespace.items("NetworkPolicy", selector.replace("=", "%3D"))
    assert [item["metadata"]["name"] for item in found] == [name]
    owner = Api.from_kubeconfig(theirs.person.kubeconfig)
    owner.apply(namespace.path("NetworkPolicy", policy["metadata"]["name"]), policy)
    yield theirs
    owner("DELETE", namespace.path("NetworkPolicy", policy["metadata"]["name"]))


@pytest.fixture
def stranger(projects, targets, site):
    """The first project, whose sandbox may go anywhere."""
    mine = projects[0]
    site.programs.stop("fsa-reconcile")
    mine.person.namespace.delete("NetworkPolicy", mine.sandbox()["name"])
    yield mine
    site.programs.start("fsa-reconcile")
    wait_reached(mine, targets, ALLOWED)


def test_a_port_that_its_owner_opens_is_reached_by_strangers(stranger, targets, request):
    wait_reached(stranger, targets, set(targets) - {CLOSED})
    request.getfixturevalue("opened")
    wait_reached(stranger, targets, set(targets))


def test_without_policies_everything_is_reached_until_they_are_back(projects, targets, site):
    """Otherwise the tests above could not fail."""
    mine, theirs = projects
    site.programs.stop("fsa-reconcile")
    try:
        mine.person.namespace.delete("NetworkPolicy", mine.sandbox()["name"])
        mine.person.namespace.delete("NetworkPolicy", mine.database()["name"])
        wait_reached(mine, targets, set(targets) - {CLOSED})
        wait_reached(mine, targets, set(targets) - {CLOSED}, reached_by_database)
        theirs.person.namespace.delete("NetworkPolicy", theirs.sandbox()["name"])
        wait_reached(mine, targets, set(targets))
    finally:
        site.programs.start("fsa-reconcile")
    wait_reached(mine, targets, ALLOWED)
