"""The terminal and sandboxd in images that know nothing of them: `runtime/build tools`, mounted as a volume."""

import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import BUILD, TOKEN
from container import Container, unpack
from test_image import eventually, get, terminal  # its path leads to server
from server import Client, make_token  # noqa: E402


OURS = "usr/lib/fullstack-agent"
MUSL = "/lib/ld-musl-x86_64.so.1"
GREET = '#include <stdio.h>\nint main(void) { puts("greetings from musl"); return 0; }\n'
FOLDERS = ("dev", "etc", "home/agent", "proc", "sys", "tmp", OURS)


@pytest.fixture(scope="module")
def tools(image, workspace):
    """The folder that the init container copies into the volume."""
    built = subprocess.run([BUILD, "tools"], stdout=subprocess.PIPE, text=True)
    assert built.returncode == 0, "runtime/build failed, see above"
    root = workspace / "tools"
    root.mkdir()
    assert unpack(built.stdout.splitlines()[0], root)["Entrypoint"] == [f"/{OURS}/bin/busybox"]
    return root / OURS


def add_busybox(root, tools):
    (root / "bin").mkdir()
    shutil.copy(tools / "bin" / "busybox", root / "bin")
    for applet in ("sh", "ls", "cat", "echo", "sleep"):
        (root / "bin" / applet).symlink_to("busybox")


def busybox(root, tools):
    """A static shell and little else."""
    add_busybox(root, tools)


def musl(root, tools):
    """As Alpine: busybox, and programs of another C library."""
    add_busybox(root, tools)
    (root / "lib").mkdir()
    source = root / "greet.c"
    source.write_text(GREET)
    subprocess.run(["musl-gcc", "-o", root / "bin" / "greet", source], check=True)
    shutil.copy(Path(MUSL).resolve(), root / MUSL[1:])


def nothing(root, tools):
    """Not even a shell."""


def bookworm(root, tools):
    """An older Debian, whose C library is older than ours."""
    built = subprocess.run([BUILD, "postgres"], stdout=subprocess.PIPE, text=True, check=True)
    unpack(built.stdout.splitlines()[0], root)


@pytest.fixture(scope="module", params=[busybox, musl, nothing, bookworm], ids=lambda make: make.__name__)
def sandbox(request, tools, workspace):
    name = request.param.__name__
    root = workspace / f"other-{name}"
    root.mkdir()
    request.param(root, tools)
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    config = {"Entrypoint": [f"/{OURS}/start"], "Env": ["PATH=/usr/bin:/bin"], "WorkingDir": "/"}
    environment = {"TTYD_ACCESS_TOKEN": TOKEN, "PROJECT_NAME": "shop", "GREETING": "hello"}
    with Container(workspace / f"in-{name}", root, config, environment, workspace / f"home-{name}",
                   volumes={f"/{OURS}": tools}) as container:
        container.image = name
        yield container.wait_ready()


@pytest.fixture
def client(sandbox):
    """A client of its sandboxd."""
    made = Client(7681, make_token(secret=TOKEN))
    made.connection.sock = sandbox.connect(7681)
    with made:
        yield made


def test_it_has_a_terminal(sandbox):
    with terminal(sandbox) as opened:
        assert opened.ask("echo $GREETING $((6 * 7))") == "hello 42"
        assert opened.ask("pwd") == "/home/agent"
        # What our own programs need does not concern others.
        assert opened.ask("echo ${LOCPATH-none} ${LD_LIBRARY_PATH-none} ${TTYD_ACCESS_TOKEN-none}") == "none none none"


def test_terminals_are_sessions_that_stay(sandbox):
    with terminal(sandbox, "work") as opened:
        opened.ask("kept=yes")
    with terminal(sandbox, "work") as again:
        assert again.ask("echo $kept") == "yes"


def test_terminals_take_any_letter(sandbox):
    with terminal(sandbox) as opened:
        assert opened.ask("printf %s Grüße-✓") == "Grüße-✓"


def test_programs_are_run_by_sandboxd(client):
    assert client.run("echo $GREETING; exit 3") == (3, b"hello\n", b"")
    assert client.run(["sh", "-c", "echo also by words"]) == (0, b"also by words\n", b"")


def test_the_images_own_programs_come_first(sandbox, client):
    code, found, _ = client.run("type -p sh")
    assert code == 0
    assert (found == b"/usr/lib/fullstack-agent/bin/sh\n") == (sandbox.image == "nothing")


def test_programs_of_the_image_run_with_its_own_library(sandbox, client):
    if sandbox.image == "musl":
        assert client.run("greet") == (0, b"greetings from musl\n", b"")
    if sandbox.image == "bookworm":
        assert client.run("ldd --version | head -n 1")[1].startswith(b"ldd (Debian GLIBC 2.36")


def test_directories_are_sent_and_received(client):
    client.run("mkdir -p ~/folder && echo content >~/folder/a")
    packed = client.send("GET", "/v1/files/tar", query={"path": "/home/agent/folder"})
    assert packed.status == 200
    sent = client.send("PUT", "/v1/files/tar", packed.body, query={"path": "/home/agent/copy"},
                       Content_Type="application/x-tar")
    assert sent.status in (200, 201), sent.body
    assert client.read("/home/agent/copy/a").body == b"content\n"


def test_the_apps_port_has_a_page_until_the_app_listens(sandbox):
    eventually(lambda: "Nothing listens" in get(sandbox, "/", port=3000)[2])
