"""Measures sandboxd: how soon it serves, how long a command takes, and how fast a file is uploaded and downloaded."""

import filecmp
import os
import subprocess
import time

from carriers import Bare, Nginx, Sandboxd, Scp
from load import BenchError
from rows import make_row
from server import Client, Server
from web import interleave, median

TRUE = ["/bin/true"]
WAYS = ("upload", "download")
FLOORS = {"": "bare", "_nginx": "nginx", "_scp": "scp"}  # the rest of a row's name → the program compared with


def measure_sandboxd(scene, options):
    folder = scene.folder("sandboxd")
    server = Server(options.build / "runtime" / "sandboxd" / "sandboxd", folder / "server")
    server.start()
    try:
        idle = server.memory()
        runs, spawns = _run_true(server, options.runs)
        rates = _transfer_rates(folder, server, options)
        loaded = server.memory()
    finally:
        server.stop()
    starts = interleave(options.rounds, ours=lambda: _start(server), floor=_spawn)
    return [
        make_row("sandboxd_start", 1000 * median(starts["ours"]), 1000 * median(starts["floor"])),
        make_row("run_true", 1000 * median(runs), 1000 * median(spawns)),
        *(make_row(way + rest, rates[way, "sandboxd"], rates[way, other])
          for way in WAYS for rest, other in FLOORS.items()),
        make_row("sandboxd_idle", idle / 1e6),
        make_row("sandboxd_loaded", loaded / 1e6),
    ]


def _start(server):
    """Returns the seconds from exec until sandboxd has answered a request."""
    began = time.monotonic()
    with subprocess.Popen(server.command(), env=server.environment(), stdout=subprocess.PIPE, text=True) as started:
        try:
            port = int(next(line for line in started.stdout if " port " in line).split()[-1])
            with Client(port, None) as client:
                assert client.get("/v1/health").status == 200
            return time.monotonic() - began
        finally:
            started.terminate()


def _spawn():
    """Returns the seconds that a program takes to start and end."""
    began = time.monotonic()
    os.waitpid(os.posix_spawn(TRUE[0], TRUE, os.environ), 0)
    return time.monotonic() - began


def _run_true(server, count):
    runs, spawns = [], []
    with server.socket() as opened:
        for _ in range(count):
            began = time.monotonic()
            assert opened.run(TRUE)[0] == 0
            runs.append(time.monotonic() - began)
            spawns.append(_spawn())
    return runs, spawns


def _transfer_rates(folder, server, options):
    """Returns (way, program) → MB a second. In each round every program carries the same file both ways."""
    content = folder / "content"
    content.write_bytes(os.urandom(options.file_mb * 1_000_000))
    with Nginx(folder / "nginx") as nginx, Scp(folder / "scp") as scp:
        programs = {"sandboxd": Sandboxd(server), "nginx": nginx, "scp": scp, "bare": Bare(folder / "bare")}
        results = {(way, name): [] for way in WAYS for name in programs}
        for number in range(options.rounds):
            for name in _turned(list(programs), number):
                for way in WAYS:
                    results[way, name].append(_seconds(way, programs[name], content, folder / "received"))
    return {key: options.file_mb / median(seconds) for key, seconds in results.items()}


def _turned(names, number):
    """Returns the names beginning with another one in each round."""
    first = number % len(names)
    return names[first:] + names[:first]


def _seconds(way, program, content, received):
    """Returns the seconds that one copy takes, and checks it."""
    stored = program.files / "file"
    target = stored if way == "upload" else received
    target.unlink(missing_ok=True)
    began = time.monotonic()
    if way == "upload":
        program.upload(content)
    else:
        program.download(received)
    seconds = time.monotonic() - began
    if not filecmp.cmp(content, target, shallow=False):
        raise BenchError(f"{way} by {type(program).__name__}: {target} is not {content}")
    return seconds
