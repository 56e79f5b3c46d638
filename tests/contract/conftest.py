"""One suite, run against kubesim and the real API server: it tests what we rely on Kubernetes for.

Where they differ, kubesim is wrong. `-k kubesim` runs it on kubesim only, in seconds.
"""

import importlib.util
import sys
from pathlib import Path

import pytest
from stand.cluster import Cluster
from stand.kubesim import KubeSim

KUBE = Path(__file__).resolve().parents[1] / "kube"


def load(name):
    """Loads a module of tests/kube under a different name."""
    spec = importlib.util.spec_from_file_location(f"kube_{name}", KUBE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


sys.path.append(str(KUBE))  # for its manifests
_kube = load("conftest")
new_user, user, eventually = _kube.new_user, _kube.user, _kube.eventually


@pytest.fixture(scope="session")
def kubesim(workspace, kubesim_build):
    with KubeSim(workspace / "kubesim", kubesim_build) as running:
        yield running


@pytest.fixture(scope="session")
def real(workspace):
    """The real API server; it is started only when needed."""
    with Cluster(workspace / "cluster") as running:
        yield running


@pytest.fixture(scope="session", params=["kubesim", "real"])
def cluster(request):
    """Each of the two clusters in turn."""
    return request.getfixturevalue(request.param)
