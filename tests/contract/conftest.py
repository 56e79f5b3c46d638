"""One suite, run against kubesim and against the real API server: what we rely on Kubernetes for.

Where they differ, kubesim is wrong. `-k kubesim` runs it without the real one, in seconds.
"""

import importlib.util
import sys
from pathlib import Path

import pytest
from stand.cluster import Cluster
from stand.kubesim import KubeSim

KUBE = Path(__file__).resolve().parents[1] / "kube"


def load(name):
    """A module of tests/kube, under a name of its own."""
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
    """The real one; it is started only for those who ask."""
    with Cluster(workspace / "cluster") as running:
        yield running


@pytest.fixture(scope="session", params=["kubesim", "real"])
def cluster(request):
    """Each of the two in turn."""
    return request.getfixturevalue(request.param)
