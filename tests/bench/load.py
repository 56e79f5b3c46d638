"""Generates the load: wrk for a site, pgbench for its database."""

import json
import subprocess
from pathlib import Path
from typing import NamedTuple

from stand.postgres import BIN

HERE = Path(__file__).resolve().parent
CONNECTIONS = 64


class BenchError(Exception):
    """A figure cannot be measured; the message says why."""


class Load(NamedTuple):
    rate: float  # successful requests per second
    p99_ms: float


def wrk(directory, url, script, arguments, seconds, connections=CONNECTIONS):
    """Runs a script of this folder once.

    Statuses other than 2xx and 3xx, and broken connections, are errors: they would make the figures too good.
    """
    joined = Path(directory, script)
    joined.write_text((HERE / script).read_text() + (HERE / "done.lua").read_text())
    printed = _run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout=60s",
                    "-s", joined, url, "--", *arguments])
    seen = json.loads(printed.splitlines()[-1])
    if seen["refused"] or seen["broken"] or not seen["requests"]:
        raise BenchError(f"{script}: {seen} from {url}")
    return Load(seen["requests"] / seen["us"] * 1e6, seen["p99"] / 1000)


def pgbench(directory, conninfo, statements, samples, clients, seconds):
    """Runs the statements in pgbench, prepared; returns transactions per second.

    Each sample has a script, whose parameters are pgbench variables.
    """
    words = []
    for number, sample in enumerate(samples):
        script = Path(directory, f"sample{number}.sql")
        script.write_text("".join(s.pgbench(f"_{number}") + ";\n" for s in statements))
        words += ["-f", script]
        for name, value in sample.values().items():
            words += ["-D", f"{name}_{number}={value}"]
    printed = _run([BIN / "pgbench", "-n", "-M", "prepared", "-c", clients, "-j1",
                    "-T", seconds, *words, conninfo])
    for line in printed.splitlines():
        if line.startswith("tps = "):
            return float(line.split()[2])
    raise BenchError(f"pgbench printed no tps: {printed}")


def _run(command):
    command = [str(word) for word in command]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise BenchError(f"{command[0]} exited with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout
