"""kubesim with its node, whose pods are containers on this machine. Needs root."""

import os
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "sandboxd"))

from other_images import OTHERS
from pods import Pods

from stand.containers import Containers, why_not
from stand.kubesim import KubeSim
from stand.process import free_port

# Writing and removing these takes a while, so they are kept, and remade only when they would differ.
LAID_OUT = Path(os.environ.get("FSA_CACHE") or
                Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "fullstack-agent"),
                "runtime", "laid-out")


@pytest.fixture(scope="session")
def node(workspace, kubesim_build):
    """(kubesim, its node), for tests that end neither."""
    if why := why_not():
        pytest.skip(why)
    with KubeSim(workspace / "kubesim", kubesim_build, args=["--kubelet=yes"]) as kubesim:
        containers = Containers(workspace / "node", kubesim, free_port(), images=LAID_OUT, all_=True)
        images = containers.build(workspace / "images.log")
        try:
            images.finish()
        finally:
            images.end()
        containers.given = {name: make(workspace / make.__name__, LAID_OUT / "tools")
                            for name, make in OTHERS.items()}
        containers.start()
        yield kubesim, containers
        containers.stop()


@pytest.fixture
def pods(node):
    """The pods of one test, in their own namespace; they end with the test."""
    made = Pods(*node)
    yield made
    made.end()
