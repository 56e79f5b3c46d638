"""API servers that send without answering cost their owners' rows something, and nobody else."""

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import costly_certificates as costly
import pytest
import requests
import yaml
from cryptography.hazmat.primitives.asymmetric import ec
from hostile import KINDS_OF_HOSTILITY, Hostile
from people import Person, eventually
from prometheus_client.parser import text_string_to_metric_families
from stand.site import Site
from test_tenants import elsewhere

ACCOUNTS, STARTS = 4, 5
CAUSES = {"certificates": "COSTLY_CERTIFICATES", "constraints": "COSTLY_CERTIFICATES",
          "connections": "TOO_MANY_CONNECTIONS",
          # What libnghttp2 and libcurl have bounds of their own for.
          "settings": "NOT_HTTP", "compressed-heads": "NOT_HTTP"}
# Of processor time, a request to them: some milliseconds. Without bounds it is seconds.
MOST = 0.1
TICKS = 100  # a second, in /proc


@pytest.fixture(scope="module")
def costly_chain(workspace):
    """A root, and the files of a server: its key, its certificate and sixty that take long."""
    return server_of(workspace, "costly", costly.chain(40, costly.costly_key()))


@pytest.fixture(scope="module")
def constrained_chain(workspace):
    """As many names, and constraints on them, as fit into what is read of a chain."""
    made = costly.chain(7, ec.generate_private_key(ec.SECP256R1()), 250, 2000)
    return server_of(workspace, "constrained", made)


def server_of(workspace, name, chain):
    root, leaf, leaf_key, cas = chain
    key, cert = workspace / f"{name}.key", workspace / f"{name}.crt"
    key.write_bytes(costly.key_pem(leaf_key))
    cert.write_bytes(costly.pem(leaf, *cas))
    return costly.pem(root), key, cert


@pytest.fixture(params=KINDS_OF_HOSTILITY)
def hostile(kubesim, costly_chain, constrained_chain, request):
    """The server, and how a kubeconfig comes to name it."""
    pki = kubesim.directory / "pki"
    root, key, cert = None, pki / "server.key", pki / "server.crt"
    if request.param == "certificates":
        root, key, cert = costly_chain
    if request.param == "constraints":
        root, key, cert = constrained_chain

    def divert(kubeconfig, port):
        config = yaml.safe_load(elsewhere(kubeconfig, port))
        if root is not None:
            config["clusters"][0]["cluster"]["certificate-authority-data"] = base64.b64encode(
                root).decode()
        return yaml.safe_dump(config)

    with Hostile(key, cert, request.param) as server:
        server.kind, server.divert = request.param, divert
        yield server


@pytest.fixture(scope="module")
def site(workspace, build, postgres):
    with Site(workspace / "hostile", build, postgres, database="hostile") as running:
        yield running


def ticks(pid):
    """Of a process and all below it, those that it has waited for included."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    except OSError:  # it has just ended: its parent's, from now on
        return 0
    return sum(map(int, fields[11:15])) + sum(map(ticks, children))


def processor_seconds(site):
    """What the reconciler has taken."""
    return ticks(site.programs.pid("fsa-reconcile")) / TICKS


def requests_to(site, port):
    text = requests.get(site.nginx.metrics_url, timeout=120).text
    samples = (sample for family in text_string_to_metric_families(text)
               for sample in family.samples)
    return sum(s.value for s in samples if s.name == "fsa_kube_requests_total" and
               s.labels["server"] == f"127.0.0.1:{port}")


def test_what_they_send_costs_nobody_else(site, kubesim, hostile):
    with ThreadPoolExecutor(4) as pool:
        good = Person(site, kubesim)
        bad = list(pool.map(lambda _: Person(site, kubesim), range(ACCOUNTS)))
        alone = processor_seconds(site)
        for number in range(STARTS):
            good.create(f"Alone {number}").wait("RUNNING")
        begin = processor_seconds(site)
        for person in bad:
            person.put_kubeconfig(hostile.divert(person.kubeconfig, hostile.port))
        projects = list(pool.map(lambda p: p.create("Bad"), bad))
    for number in range(STARTS):
        good.create(f"Beside {number}").wait("RUNNING")
    code = CAUSES.get(hostile.kind, "ANSWER_WITHOUT_CONTENT")
    for project in projects:
        eventually(lambda p=project: any(c["code"] == code for c in p.causes()),
                   last=project.causes)
    spent = processor_seconds(site) - begin - (begin - alone)
    sent = requests_to(site, hostile.port)
    print(f"{hostile.kind}: {spent:.2f} s for {sent:.0f} requests, "
          f"{1000 * spent / sent:.1f} ms each")
    assert sent >= ACCOUNTS
    assert spent / sent < MOST
