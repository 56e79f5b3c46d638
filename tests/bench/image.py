"""Measures the sandbox's image: its size, and how long it takes until the terminal accepts input."""

import os
import shutil
import time

from container import RUNC, Container, unpack
from rows import make_row
from stand.node import build_image
from web import median

NAMES = ("image_size", "image_start")
ENVIRONMENT = {"TTYD_ACCESS_TOKEN": "0123456789abcdefghijABCD"}


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
    size = os.path.getsize(archive) / 1e6
    shutil.rmtree(rootfs)
    return [
        make_row("image_size", size),
        make_row("image_start", 1000 * median(starts), 1000 * median(floors)),
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
