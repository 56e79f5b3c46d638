"""fsa app: the application of a sandbox, controlled from one's own machine."""

import json
import time

import pytest

from stand.process import PATIENCE


@pytest.fixture
def procfile(fsa, inside):
    path = inside.home / "Procfile"
    path.write_text("web: echo hello; exec sleep 1000\n")
    yield path
    path.unlink()
    fsa("app", "stop", "shop")


def status(fsa):
    return json.loads(fsa("app", "status", "shop", "--json").stdout)


def eventually(check):
    end = time.monotonic() + PATIENCE
    while not check():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_an_application_is_started_restarted_and_stopped(fsa, procfile):
    started = json.loads(fsa("app", "start", "shop", "--json").stdout)
    assert (started["status"], started["source"]) == ("running", "Procfile")
    first = started["process"]
    fsa("app", "restart", "shop")
    eventually(lambda: status(fsa)["process"] not in (None, first))
    eventually(lambda: fsa("app", "log", "shop").stdout == b"hello\n")
    assert "echo hello" in fsa("app", "stop", "shop").stdout.decode()
    eventually(lambda: status(fsa)["status"] == "stopped")


def test_without_a_command_it_says_where_to_write_one(fsa):
    assert b"Procfile" in fsa("app", "start", "shop", status=6).stderr
    assert b"none" in fsa("app", "status", "shop").stdout
