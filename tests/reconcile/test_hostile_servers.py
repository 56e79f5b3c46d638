"""Tests that API servers which send data without responding cost their owners something, and nobody else."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from hostile import KINDS_OF_HOSTILITY, hostile_server
from people import Person, eventually
from prometheus_client.parser import text_string_to_metric_families
from stand.site import Site

ACCOUNTS, STARTS = 4, 5
CAUSES = {"certificates": "COSTLY_CERTIFICATES", "constraints": "COSTLY_CERTIFICATES",
          "connections": "TOO_MANY_CONNECTIONS",
          # Stopped by limits in libnghttp2 and libcurl.
          "settings": "NOT_HTTP", "compressed-heads": "NOT_HTTP"}
# CPU seconds per request to them: normally some milliseconds; without limits, seconds.
MOST = 0.1
TICKS = 100  # per second, in /proc


@pytest.fixture(params=KINDS_OF_HOSTILITY)
def hostile(kubesim, request):
    with hostile_server(request.param, kubesim) as server:
        yield server


@pytest.fixture(scope="module")
def site(workspace, build, postgres):
    with Site(workspace / "hostile", build, postgres, database="hostile") as running:
        yield running


def ticks(pid):
    """Returns the CPU ticks of a process and its descendants, including those that it has waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    except OSError:  # it has just ended; its time now counts for its parent
        return 0
    return sum(map(int, fields[11:15])) + sum(map(ticks, children))


def processor_seconds(site):
    """Returns the CPU seconds that the reconciler has used."""
    return ticks(site.programs.pid("fsa-reconcile")) / TICKS


def requests_to(site, port):
    text = requests.get(site.nginx.metrics_url, timeout=120).text
    samples = (sample for family in text_string_to_metric_families(text)
               for sample in family.samples)
    return sum(s.value for s in samples if s.name == "fsa_kube_requests_total" and
               s.labels["server"] == f"127.0.0.1:{port}")


def test_floods_cost_nobody_else(site, kubesim, hostile):
    with ThreadPoolExecutor(4) as pool:
        good = Person(site, kubesim)
        bad = list(pool.map(lambda _: Person(site, kubesim), range(ACCOUNTS)))
        alone = processor_seconds(site)
        for number in range(STARTS):
            good.create(f"Alone {number}").wait("RUNNING")
        begin = processor_seconds(site)
        for person in bad:
            person.put_kubeconfig(hostile.divert(person.kubeconfig))
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
