"""Measures the sandbox's image: its size, how long it takes until the terminal accepts input, and its memory."""

import base64
import os
import shutil
import time
from pathlib import Path

from container import RUNC, Container, unpack
from load import BenchError
from rows import make_row
from stand.node import build_image
from stand.terminal import Terminal
from web import median

NAMES = ("image_size", "image_start", "sandbox_memory", "sandbox_memory_shell")
TOKEN = "0123456789abcdefghijABCD"
ENVIRONMENT = {"TTYD_ACCESS_TOKEN": TOKEN}
QUERY = f"?authorization={base64.b64encode(f'user:{TOKEN}'.encode()).decode()}"


def can_measure():
    """Whether this machine can run containers, which needs root and runc."""
    return os.geteuid() == 0 and os.access(RUNC, os.X_OK)


def measure_image(scene, options):
    if not can_measure():
        return []
    archive, _ = build_image("sandbox")
    rootfs = scene.directory / "rootfs"
    rootfs.mkdir()
    config = unpack(archive, rootfs)
    least = {**config, "Entrypoint": ["/usr/bin/true"]}
    starts, floors = [], []
    for number in range(options.rounds):
        floors.append(_seconds(scene.directory / f"true{number}", rootfs, least, _end))
        starts.append(_seconds(scene.directory / f"sandbox{number}", rootfs, config, _ready))
    idle, with_shell = _memory(scene.directory / "sandbox", rootfs, config)
    size = os.path.getsize(archive) / 1e6
    shutil.rmtree(rootfs)
    return [
        make_row("image_size", size),
        make_row("image_start", 1000 * median(starts), 1000 * median(floors)),
        make_row("sandbox_memory", idle),
        make_row("sandbox_memory_shell", with_shell),
    ]


def _seconds(directory, rootfs, config, wait):
    """Returns the seconds from the start of a container with an empty home until wait() returns."""
    began = time.monotonic()
    with Container(directory, rootfs, config, ENVIRONMENT, directory.with_suffix(".home")) as made:
        wait(made)
        return time.monotonic() - began


def _ready(container):
    container.wait_ready()


def _end(container):
    while container.exited() is None:
        time.sleep(0.005)


def _memory(directory, rootfs, config):
    """Returns the MiB of anonymous memory of a container's processes: idle, and with an open terminal."""
    with Container(directory, rootfs, config, ENVIRONMENT, directory.with_suffix(".home")) as made:
        _read_page(made.wait_ready())
        idle = _anonymous(made.pid())
        with Terminal(made.connect(7681), QUERY) as opened:
            opened.ask("true")
            return idle, _anonymous(made.pid())


def _read_page(container):
    """Returns when the terminal's page was answered, so all programs of the sandbox have started."""
    with container.connect(7681) as connection:
        connection.sendall(f"GET /{QUERY} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        with connection.makefile("rb") as answer:
            if b" 200 " not in answer.readline():
                raise BenchError("the terminal's page is not answered")
            answer.read()


def _anonymous(pid):
    """Returns the MiB that are not backed by files, of this process and all below it; shared pages count once."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    own = sum(int(line.split()[1]) for line in lines if line.startswith("Pss_Anon:")) / 1024
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(map(_anonymous, children))
