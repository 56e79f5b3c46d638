"""Tests OpenSSH's programs over fsa ssh, into the image: the login is as the sandbox's user."""

import os
import sys
from pathlib import Path

import pytest

from container import Container

sys.path.append(str(Path(__file__).resolve().parents[1] / "cli"))

from inside import Line, terminal_token  # noqa: E402
from own_machine import Home, OpenSSH, register, serve  # noqa: E402

DATA = os.urandom(3 << 20)


@pytest.fixture(scope="module")
def machine(image, workspace, build, kubesim_build, postgres, tmp_path_factory):
    """Ada's machine, with a project whose container runs the image."""
    with serve(workspace, build, postgres) as served:
        home = Home(build, tmp_path_factory.mktemp("ada"))
        home("login", served.url, "--token", input=register(served, "ada")[1] + "\n")
        environment = {"TTYD_ACCESS_TOKEN": terminal_token(home.json("create", "shop", "--wait")), "GREETING": "hello"}
        with Container(workspace / "ssh", *image, environment, workspace / "ssh-home") as container:
            container.wait_ready()
            line = Line(served.ingress, lambda: container.connect(7681))
            yield OpenSSH(home)
            line.close()


@pytest.fixture
def inside(workspace):
    return workspace / "ssh-home"


def test_ssh_runs_a_command_as_the_sandboxs_user_with_its_environment(machine):
    done = machine(*machine.ssh, "shop.fsa", 'cat >/dev/null; echo "$(id -un) $PWD $GREETING"; exit 7', input=DATA,
                   status=7)
    assert done.stdout == b"agent /home/agent hello\n"
    assert machine(*machine.ssh, "shop.fsa", "cat", input=DATA).stdout == DATA


def test_scp_copies_there_and_back(machine, inside, tmp_path):
    (tmp_path / "data").write_bytes(DATA)
    machine(*machine.scp, tmp_path / "data", "shop.fsa:copied")
    assert (inside / "copied").read_bytes() == DATA and (inside / "copied").stat().st_uid == 1000
    machine(*machine.scp, "shop.fsa:copied", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == DATA


def test_rsync_copies_there_and_back(machine, tmp_path):
    (tmp_path / "tree" / "deep").mkdir(parents=True)
    (tmp_path / "tree" / "deep" / "file").write_bytes(DATA)
    machine("rsync", "-a", f"{tmp_path}/tree", "shop.fsa:")
    machine("rsync", "-a", "shop.fsa:tree/", tmp_path / "back")
    assert (tmp_path / "back" / "deep" / "file").read_bytes() == DATA


def test_git_pushes_and_clones(machine, tmp_path):
    machine(*machine.ssh, "shop.fsa", "git init -q --bare -b main repository.git")
    machine("git", "init", "-q", "-b", "main", tmp_path / "work")
    machine("git", "-C", tmp_path / "work", "commit", "-q", "--allow-empty", "-m", "first")
    machine("git", "-C", tmp_path / "work", "push", "-q", "shop.fsa:repository.git", "main")
    machine("git", "clone", "-q", "shop.fsa:repository.git", tmp_path / "clone")
    assert b"first" in machine("git", "-C", tmp_path / "clone", "log", "--format=%s").stdout
