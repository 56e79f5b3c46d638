"""Runs sandboxd itself on a loopback socket, without a container."""

import itertools
import os

import pytest

from server import Server

_numbers = itertools.count(1)


@pytest.fixture
def make_server(build, workspace):
    """Starts servers for one test, each with its own home directory."""
    program = build / "runtime" / "sandboxd" / "sandboxd"
    if not program.exists():
        pytest.skip("sandboxd was not built: tools/install-packages build")
    started = []

    def make(wait=True, **options):
        if options.get("home_size") and os.geteuid() != 0:
            pytest.skip("mounting needs root")
        server = Server(program, workspace / f"sandboxd{next(_numbers)}", **options)
        started.append(server)
        return server.start(wait)

    yield make
    for server in started:
        server.stop()


@pytest.fixture(scope="module")
def server(build, workspace):
    """One server for the tests of a file that do not harm it."""
    program = build / "runtime" / "sandboxd" / "sandboxd"
    if not program.exists():
        pytest.skip("sandboxd was not built: tools/install-packages build")
    running = Server(program, workspace / f"sandboxd{next(_numbers)}").start()
    yield running
    running.stop()


@pytest.fixture
def client(server):
    with server.client() as connected:
        yield connected
