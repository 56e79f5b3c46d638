"""Sites for the tests of the request layer: nginx, PostgreSQL and our programs, but no reconciler, so that desired
states stay as requested."""

import base64
import itertools
import json
import subprocess
from types import SimpleNamespace

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from stand.kube.pki import Authority

PASSWORD = "correct horse battery"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def ca(workspace):
    return Authority(workspace / "web-ca", "test").cert.read_bytes()


@pytest.fixture(scope="session")
def make_kubeconfig(ca):
    """Makes valid kubeconfigs; the arguments change members of the cluster and the user."""

    def make(namespace="ns-test", cluster=None, user=None, **top):
        entry = {
            "server": "https://127.0.0.1:6443",
            "certificate-authority-data": base64.b64encode(ca).decode(),
        }
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {**entry, **(cluster or {})}}],
            "users": [{"name": "u", "user": user or {"token": "some.secret.token"}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u",
                                                   "namespace": namespace}}],
            "current-context": "x",
        }
        return json.dumps({**document, **top})

    return make


@pytest.fixture(scope="module")
def web(site):
    """The module's site, without a reconciler."""
    site.programs.stop("fsa-reconcile")
    return site


@pytest.fixture
def user(web, make_kubeconfig):
    """user(): makes people; returns a client that is logged in and has a kubeconfig."""

    def make(kubeconfig=True):
        number = next(_numbers)
        client = web.client()
        client.name = f"user{number}"
        answer = client.register(client.name, PASSWORD)
        assert answer.status_code == 200, answer.text
        client.id = answer.json()["user"]["id"]
        if kubeconfig:
            config = {"kubeconfig": make_kubeconfig(f"ns-user{number}")}
            assert client.put("/api/user/config/kc", config).status_code == 200
        return client

    return make


@pytest.fixture
def project(user):
    """A new user with a project: client, id."""
    client = user()
    answer = client.post("/api/projects", {"name": "My App"})
    assert answer.status_code == 200, answer.text
    return SimpleNamespace(client=client, id=answer.json()["id"])


@pytest.fixture
def counted(web):
    """counted("fsa_logins_total", provider="github", …): returns the sum of a metric's series."""

    def total(name, **labels):
        text = requests.get(web.nginx.metrics_url, timeout=120).text
        return sum(sample.value for family in text_string_to_metric_families(text)
                   for sample in family.samples
                   if sample.name == name and labels.items() <= sample.labels.items())

    return total


@pytest.fixture(scope="session")
def routes(build):
    """The route tables as the programs print them."""
    rows = []
    for program in ("api.fcgi", "auth.fcgi"):
        done = subprocess.run([build / program, "--routes"], capture_output=True, check=True,
                              timeout=120)
        rows += [json.loads(line) for line in done.stdout.splitlines()]
    return rows
