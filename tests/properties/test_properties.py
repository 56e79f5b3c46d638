"""Sends some thousand requests to the whole site, valid and invalid ones, which schemathesis generates from
web/openapi.json: none may cause a server error, and each response must match the document.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stand import pypi
from stand.kubesim import KubeSim
from stand.site import ROOT, Site

HERE = Path(__file__).resolve().parent
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def site(workspace, build, postgres):
    """A site with Sealos enabled. nginx does not limit requests from its own machine."""
    secret = workspace / "sealos-secret"
    secret.write_text("0123456789abcdef0123456789abcdef\n")
    secret.chmod(0o600)
    with Site(workspace / "properties", build, postgres, database="properties", every="200ms",
              options={"sealos_jwt_secret_file": secret, "changes_burst": 1000000}) as made:
        yield made


@pytest.fixture(scope="module")
def person(workspace, build, site):
    """A user with a kubeconfig, and a token of their session."""
    with KubeSim(workspace / "properties-cluster", build) as cluster:
        client = site.client()
        assert client.register("ada", PASSWORD).ok
        assert client.put("/api/user/config/kc", {"kubeconfig": cluster.create_user("ada")}).ok
        login = {"name": "ada", "password": PASSWORD, "bearer": True}
        client.token = client.post("/api/auth/login", login).json()["token"]
        yield client


def test_every_response_matches_the_document(site, person):
    env = {**os.environ, "PYTHONPATH": str(pypi.packages(HERE / "requirements.txt")),
           "SCHEMATHESIS_HOOKS": str(HERE / "hooks.py"), "PROPERTIES_URL": site.url,
           "PROPERTIES_TOKEN": person.token}
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", HERE / "schemathesis.toml",
               "run", ROOT / "web" / "openapi.json", "--url", site.url]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=env,
                          cwd=site.directory)
    assert done.returncode == 0, done.stdout + done.stderr
    sent = re.search(r"^ *(\d+) generated, \1 passed", done.stdout, re.M)
    assert sent and int(sent[1]) > 2000, done.stdout
    assert person.get("/api/projects").ok  # the session has lasted to the end
