"""Runs the sandbox's image without a cluster; see container.py. Needs root and runc."""

import itertools
import os
import subprocess
from pathlib import Path

import pytest

from container import RUNC, Container, unpack

BUILD = Path(__file__).resolve().parents[2] / "runtime" / "build"
TOKEN = "abcDEF0123456789abcDEF01"

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def image(workspace):
    """(root file system, configuration) of the image, which is built if it is missing."""
    if os.geteuid() != 0 or not os.access(RUNC, os.X_OK):
        pytest.skip("a container needs root and runc")
    built = subprocess.run([BUILD, "sandbox"], stdout=subprocess.PIPE, text=True)
    assert built.returncode == 0, "runtime/build failed, see above"
    rootfs = workspace / "rootfs"
    rootfs.mkdir()
    return rootfs, unpack(built.stdout.splitlines()[0], rootfs)


@pytest.fixture
def start(image, workspace):
    """start(VARIABLE="value", home=folder): starts containers for one test."""
    with_containers = []

    def make(home=None, **environment):
        number = next(_numbers)
        environment = {"TTYD_ACCESS_TOKEN": TOKEN, "PROJECT_NAME": "shop", **environment}
        container = Container(workspace / f"container{number}", *image, environment,
                              home or workspace / f"home{number}")
        with_containers.append(container)
        return container.__enter__()

    yield make
    for container in with_containers:
        container.__exit__()


@pytest.fixture(scope="module")
def sandbox(image, workspace):
    """One container for tests that change nothing in it."""
    number = next(_numbers)
    environment = {
        "TTYD_ACCESS_TOKEN": TOKEN,
        "PROJECT_NAME": "shop",
        "GREETING": "hello 'world' ✓",
        "DATABASE_URL": "postgresql://us%40er:p%2Fw%3Ad@db-postgresql.ns-ada.svc:5433/postgres"
                        "?schema=public",
    }
    home = workspace / f"home{number}"
    with Container(workspace / f"container{number}", *image, environment, home) as container:
        yield container.wait_ready()
