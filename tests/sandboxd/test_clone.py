"""A repository is cloned once into the home directory, whatever interrupts it, and its packages are installed."""

import itertools
import os
import socket
from pathlib import Path

import pytest

from git_server import GitServer, git
from server import eventually
from test_status import check

PROGRAM = Path(__file__).resolve().parents[2] / "runtime/sandbox/usr/lib/fullstack-agent/import"
FILES = {"README.md": b"a shop\n"}
UNDER_WAY = ("cloning", "installing")

_numbers = itertools.count(1)


@pytest.fixture
def repositories(workspace):
    with GitServer(workspace / f"repositories{next(_numbers)}") as started:
        yield started


@pytest.fixture
def begin(make_server):
    """begin(url, branch=…, folder=…): starts a sandboxd that imports."""
    def make(url, home_size=None, **others):
        variables = {"FSA_REPOSITORY_URL": url, "GIT_CONFIG_NOSYSTEM": "1",
                     **{f"FSA_REPOSITORY_{name.upper()}": value for name, value in others.items()}}
        return make_server(options=("--import", PROGRAM), variables=variables, home_size=home_size)
    return make


def read(server):
    with server.client() as client:
        return client.get("/v1/import").json


def finished(server):
    """Waits for the end of the import's process; returns what is reported."""
    def process():
        with server.client() as client:
            (found,) = [p for p in client.get("/v1/processes").json["processes"] if p["name"] == "import"]
        return found["status"] == "ended"
    eventually(process)
    return read(server)


def log(server):
    with server.client() as client:
        return client.get("/v1/logs/import").body.decode()


def test_a_repository_is_cloned_once(repositories, begin):
    repositories.make("team/shop", FILES)
    server = begin(f"{repositories.url}/team/shop.git")
    found = finished(server)
    assert found == {"status": "done", "message": None, "url": f"{repositories.url}/team/shop.git",
                     "branch": None, "folder": "shop"}
    clone = server.home / "shop"
    assert (clone / "README.md").read_bytes() == FILES["README.md"]
    assert git(clone, "remote", "get-url", "origin") == found["url"]
    assert not (server.home / ".fsa-import").exists()
    # What its owner does with it afterwards is theirs: it does not come back.
    clone.rename(server.home / "elsewhere")
    server.restart()
    assert finished(server)["status"] == "done"
    assert not clone.exists()


def test_the_report_is_as_the_document_says(repositories, begin):
    repositories.make("shop", FILES)
    server = begin(f"{repositories.url}/shop.git", branch="main", folder="my-shop")
    assert finished(server)["folder"] == "my-shop"
    with server.client() as client:
        check(client.get("/v1/import"), "/v1/import")
    assert git(server.home / "my-shop", "branch", "--show-current") == "main"


def test_a_branch_that_is_not_there_is_named_as_the_cause(repositories, begin):
    repositories.make("shop", FILES)
    server = begin(f"{repositories.url}/shop.git", branch="nothing")
    found = finished(server)
    assert (found["status"], found["branch"]) == ("failed", "nothing")
    assert found["message"].startswith("there is no such branch (fatal: ")
    assert found["message"] in log(server)
    assert not (server.home / "shop").exists() and not (server.home / ".fsa-import").exists()
    # Once it is there, the next start brings it.
    repositories.commit(repositories.root / "shop.git", FILES, "nothing")
    server.restart()
    assert finished(server)["status"] == "done"


@pytest.mark.parametrize("name", ["missing", "private/shop"])
def test_a_repository_that_cannot_be_had_is_missing_or_private(repositories, begin, name):
    repositories.make("private/shop", FILES)
    found = finished(begin(f"{repositories.url}/{name}.git"))
    assert found["status"] == "failed"
    assert found["message"].startswith("there is no such repository, or it is private")


def test_a_network_that_comes_later_is_waited_for(begin, workspace):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))  # and refuses connections until it listens
        server = begin(f"http://127.0.0.1:{listening.getsockname()[1]}/shop.git")
        eventually(lambda: read(server)["status"] == "cloning")
        repositories = GitServer(workspace / "later", listening)
        repositories.make("shop", FILES)  # before anybody is answered
        with repositories:
            assert finished(server)["status"] == "done"
    assert (server.home / "shop/README.md").exists()


def test_what_is_killed_in_the_middle_leaves_nothing_half(repositories, begin):
    repositories.make("shop", FILES)
    repositories.gate.clear()
    server = begin(f"{repositories.url}/shop.git")
    assert repositories.arrived.wait(60)
    assert read(server)["status"] == "cloning" and (server.home / ".fsa-import").exists()
    with server.client() as client:
        (process,) = client.get("/v1/processes").json["processes"]
        assert client.send("POST", f"/v1/processes/{process['id']}/signal", {"signal": "KILL"}).status == 204
    found = finished(server)
    assert found["status"] == "failed" and "interrupted" in found["message"]
    assert not (server.home / "shop").exists()
    repositories.gate.set()
    server.restart()
    assert finished(server)["status"] == "done"
    assert (server.home / "shop/README.md").exists() and not (server.home / ".fsa-import").exists()


def test_a_folder_of_the_owners_is_not_touched(repositories, make_server, begin):
    repositories.make("shop", FILES)
    server = begin(f"{repositories.url}/missing.git", folder="shop")
    finished(server)
    (server.home / "shop").mkdir()
    (server.home / ".local/state/fullstack-agent/import").unlink()
    server.variables["FSA_REPOSITORY_URL"] = f"{repositories.url}/shop.git"
    server.restart()
    found = finished(server)
    assert (found["status"], found["message"]) == ("failed", "there is a ~/shop already")
    assert list((server.home / "shop").iterdir()) == []


REFUSED = {
    "a file": "file:///etc", "a path": "/etc", "ssh": "ssh://git@example.org/shop", "scp": "git@example.org:shop",
    "a program": "ext::sh -c id", "an option": "--upload-pack=id", "a password": "https://ada:secret@example.org/shop",
    "a query": "https://example.org/shop?token=secret", "plain http": "http://example.org/shop",
    "a line break": "https://example.org/shop\nfile:///etc",
}


@pytest.mark.parametrize("case", REFUSED)
def test_other_addresses_do_not_reach_git(begin, case):
    found = finished(begin(REFUSED[case]))
    assert found["status"] == "failed"
    assert found["message"].startswith("the address must be https://")


def test_python_packages_are_installed_beside_it(repositories, begin):
    repositories.make("shop", {**FILES, "requirements.txt": b"# none yet\n"})
    server = begin(f"{repositories.url}/shop.git")
    assert finished(server)["status"] == "done"
    assert (server.home / "shop/.venv/bin/pip").exists()
    assert "requirements.txt: python3 -m venv" in log(server)


def test_packages_that_cannot_be_installed_leave_the_clone(repositories, begin):
    repositories.make("shop", {**FILES, "requirements.txt": b"./not-there\n"})
    server = begin(f"{repositories.url}/shop.git")
    found = finished(server)
    assert found["status"] == "failed" and found["message"].startswith("~/shop is there, but `python3")
    assert (server.home / "shop/README.md").exists()
    server.restart()  # what is left to do is its owner's
    assert finished(server) == found


def entry(repository, content):
    return git(repository, "hash-object", "-w", "--stdin", input=content)


def hostile_link(repository, mark):
    """.git as a link to where the owner's files are."""
    return f"120000 blob {entry(repository, '/')}\t.git\n"


def hostile_hook(repository, mark):
    script = entry(repository, f"#!/bin/sh\ntouch {mark}\n")
    hooks = git(repository, "mktree", input=f"100755 blob {script}\tpost-checkout\n")
    return f"040000 tree {hooks}\thooks\n040000 tree {hooks}\t.githooks\n"


def hostile_filter(repository, mark):
    attributes = entry(repository, "* filter=lfs diff=lfs\n")
    config = entry(repository, f'[filter "lfs"]\n\tsmudge = touch {mark}\n')
    return f"100644 blob {attributes}\t.gitattributes\n100644 blob {config}\t.gitconfig\n"


def hostile_submodule(repository, mark):
    modules = entry(repository, f'[submodule "x"]\n\tpath = x\n\turl = ext::touch% {mark}\n')
    return f"100644 blob {modules}\t.gitmodules\n160000 commit {'1' * 40}\tx\n"


@pytest.mark.parametrize("hostile", [hostile_link, hostile_hook, hostile_filter, hostile_submodule],
                         ids=lambda f: f.__name__)
def test_a_clone_runs_nothing_of_what_it_brings(repositories, begin, workspace, hostile):
    mark = workspace / f"{hostile.__name__}-ran"
    repository = repositories.make("shop", FILES)
    repositories.commit_tree(repository, hostile(repository, mark))
    server = begin(f"{repositories.url}/shop.git")
    found = finished(server)
    assert found["status"] not in UNDER_WAY
    assert not mark.exists()
    if hostile in (hostile_link, hostile_submodule):
        assert found["status"] == "failed", found
    if hostile is hostile_link:
        assert not (server.home / "shop").exists()


def test_a_repository_that_does_not_fit_says_so(repositories, begin):
    repositories.make("shop", {"large": os.urandom(4 << 20)})
    server = begin(f"{repositories.url}/shop.git", home_size="2m")
    found = finished(server)
    assert found["status"] == "failed"
    assert found["message"].startswith("there is no room in the home directory"), found
    assert not (server.home / ".fsa-import").exists()


@pytest.mark.parametrize("content", [b"", b"done", b"\xff\nx", b"unknown\n", b"done\n" + b"x" * 100000])
def test_whatever_the_state_file_has_is_answered(begin, content):
    server = begin("/")
    finished(server)
    (server.home / ".local/state/fullstack-agent/import").write_bytes(content)
    with server.client() as client:
        found = check(client.get("/v1/import"), "/v1/import")
    assert found["status"] == ("done" if content.startswith(b"done") else "none")
