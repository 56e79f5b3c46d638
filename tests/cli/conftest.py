"""Fixtures of a user's own machine: a home, fsa, and a site on kubesim."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from inside import Line, Sandbox  # noqa: E402
from own_machine import Home, register, serve  # noqa: E402
from stand import pypi  # noqa: E402


@pytest.fixture(scope="session")
def served(workspace, build, postgres):
    with serve(workspace, build, postgres) as served:
        yield served


@pytest.fixture
def home(build, tmp_path):
    return Home(build, tmp_path)


@pytest.fixture(scope="session")
def ada(build, served, tmp_path_factory):
    """A user who is logged in and has a running project."""
    client, token = register(served, "ada")
    fsa = Home(build, tmp_path_factory.mktemp("ada"))
    fsa("login", served.url, "--token", input=token + "\n")
    fsa.client, fsa.token = client, token
    fsa.project = fsa.json("create", "shop", "--wait")
    return fsa


@pytest.fixture(scope="session")
def agent(ada):
    """agent([tool, arguments], …): returns the list of tools and the result of each call."""
    packages = str(pypi.packages(HERE / "requirements.txt"))

    def run(*calls, env=ada.env):
        done = subprocess.run([sys.executable, HERE / "agent.py", ada.program], text=True,
                              input=json.dumps(calls), capture_output=True, timeout=120,
                              env={**env, "PYTHONPATH": packages})
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        return told["tools"], told["results"]

    return run


@pytest.fixture(scope="module")
def inside(request, build, workspace, ada, served):
    """The project's sandbox and the network to it. It has the current secret, which changes when access is revoked."""
    program = build / "runtime" / "sandboxd" / "sandboxd"
    if not program.exists():
        pytest.skip("sandboxd was not built: tools/install-packages build")
    sandbox = Sandbox(program, workspace / f"cli-{request.module.__name__}", ada.json("status", "shop"))
    line = Line(served.ingress, sandbox.connect)
    yield SimpleNamespace(sandbox=sandbox, line=line, home=sandbox.home)
    line.close()
    sandbox.stop()


@pytest.fixture
def fsa(ada, inside):
    """fsa("run", …, data=b""): returns the outcome, with output as bytes."""
    def run(*words, data=b"", status=0):
        done = subprocess.run([ada.program, *map(str, words)], input=data, capture_output=True,
                              env=ada.env, timeout=120)
        assert done.returncode == status, (words, done.stdout[-500:], done.stderr[-500:])
        return done

    run.env = ada.env
    run.program = ada.program
    return run
