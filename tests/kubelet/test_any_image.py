"""Sandboxes of images that know nothing of them, on the node: their terminals, and what sandboxd does in them."""

import time
from urllib.parse import urlsplit

import pytest

from other_images import ALPINE, EMPTY
from stand.containers import TOOLS
from stand.process import PATIENCE
from stand.site import Site
from stand.terminal import Terminal, connect

DEBIAN = "example.com/postgresql:15"  # Debian 12, whose C library is older than that of our programs


@pytest.fixture(scope="module")
def project(node, workspace, build, postgres):
    """A project that runs the site's own image: (client, its sandbox's path)."""
    kubesim, containers = node
    with Site(workspace / "images-site", build, postgres, database="images", every="100ms",
              options={**containers.options, "tools_image": TOOLS}) as site:
        for name, image, *more in (("alpine", ALPINE, "--run-as", "image"), ("empty", EMPTY), ("debian", DEBIAN),
                                   ("missing", "example.com/missing:1")):
            site.programs.fsactl("image", "set", name, image, *more)
        client = site.client()
        assert client.register("ida", "correct horse battery").ok
        assert client.put("/api/user/config/kc", {"kubeconfig": kubesim.create_user("ida")}).ok
        made = client.post("/api/projects", {"name": "shop", "database": False}).json()["id"]
        path = f"/api/sandbox/{made}"
        until(lambda: client.get(path).json(), runs)
        yield client, path
        client.delete(f"/api/projects/{made}")
        until(lambda: client.get(f"/api/projects/{made}").status_code, lambda status: status == 404)


def until(read, check):
    end = time.monotonic() + PATIENCE
    while not check(value := read()):
        assert time.monotonic() < end, value
        time.sleep(0.1)
    return value


def runs(sandbox):
    return sandbox["status"] == "RUNNING"


def change(project, image):
    """Changes the image, and waits until the sandbox runs in it."""
    client, path = project
    answer = client.patch(path, {"image": image})
    assert answer.status_code == 200, answer.text
    return until(lambda: client.get(path).json(), runs)


def ask(sandbox, *commands):
    """What commands print in the sandbox's terminal."""
    address = urlsplit(sandbox["ttydUrl"])
    with Terminal(connect("127.0.0.1", address.port), f"?{address.query}", host=address.netloc) as opened:
        return [opened.ask(command) for command in commands]


def test_an_image_of_another_c_library_has_a_terminal_as_its_own_user(project):
    sandbox = change(project, "alpine")
    assert sandbox["runtimeImage"] == ALPINE
    assert ask(sandbox, "greet", "id -u", "pwd", "echo kept >~/kept; echo $HOME") == [
        "greetings from musl", "1234", "/srv", "/home/agent"]


def test_an_image_without_a_shell_has_ours(project):
    assert ask(change(project, "empty"), "id -u", "pwd", "cat ~/kept") == ["1000", "/home/agent", "kept"]


def test_an_older_debian_runs_its_own_programs(project):
    sandbox = change(project, "debian")
    assert ask(sandbox, "ldd --version | head -n 1 | cut -c 1-11", "cat ~/kept") == ["ldd (Debian", "kept"]


def test_an_image_that_is_not_there_is_told_and_going_back_heals(project):
    client, path = project
    assert client.patch(path, {"image": "missing"}).status_code == 200
    told = until(lambda: client.get(path).json(), lambda it: it["cause"] and it["cause"]["kind"] == "POD_IMAGE")
    assert "example.com/missing:1" in told["cause"]["message"]
    sandbox = change(project, None)
    assert sandbox["image"] is None and sandbox["cause"] is None
    assert ask(sandbox, "cat ~/kept") == ["kept"]
