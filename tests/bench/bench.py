#!/usr/bin/python3
"""Measures what this software promises; prints a table and writes bench.json.

    make bench [BENCH_FLAGS="--only get --quick"]

Everything runs on this machine: PostgreSQL, nginx, our programs, a Kubernetes API server, and the load. So
figures of different machines or days cannot be compared, but ratios within one run can.
docs/benchmarks.md describes each row.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tests" / "runtime"), str(ROOT / "tests" / "sandboxd"), str(ROOT / "tools")]

from claims import measure_claim  # noqa: E402
from flood import (  # noqa: E402
    measure_in_flight, measure_resync, measure_transitions, measure_wake)
from image import measure_image  # noqa: E402
from load import BenchError  # noqa: E402
from paint import measure_paint  # noqa: E402
from rows import table  # noqa: E402
from running import measure_running  # noqa: E402
from sandboxd import measure_sandboxd  # noqa: E402
from scene import Scene  # noqa: E402
from streams import measure_streams  # noqa: E402
from stand.process import StandError  # noqa: E402
from web import (  # noqa: E402
    measure_get, measure_idle_pass, measure_logins, measure_memory, measure_post, measure_start)

GROUPS = {
    "get": measure_get,
    "post": measure_post,
    "logins": measure_logins,
    "streams": measure_streams,
    "memory": measure_memory,
    "start": measure_start,
    "idle_pass": measure_idle_pass,
    "first_paint": measure_paint,
    "running": measure_running,
    "image": measure_image,
    "sandboxd": measure_sandboxd,
    "transitions": measure_transitions,
    "wake": measure_wake,
    "in_flight": measure_in_flight,
    "resync": measure_resync,
    "claim": measure_claim,  # comes last: it leaves traces in the large site
}


# Full and quick.
SIZES = {
    "rounds": (5, 1),
    "seconds": (3, 1),
    "projects": (100_000, 1000),  # in the tables of the large site
    "listed": (500, 50),  # projects in the list of the console
    "streams": (5000, 80),
    "changes": (300, 5),
    "running": (200, 4),
    "running_rounds": (2, 1),
    "flood": (1000, 20),
    "flood_rounds": (3, 1),
    "wakes": (300, 3),
    "runs": (500, 10),
    "file_mb": (256, 8),
    "in_flight": (1000, 20),
    "stable": ((10_000, 30_000), (20, 40)),
    "resync": (300, 4),  # seconds between observations
    "resync_seconds": (20, 4),
    "claim_seconds": (10, 2),
}


def main():
    options = parse()
    directory = Path(tempfile.mkdtemp(prefix="fsab-", dir="/tmp"))  # short, because it contains sockets
    directory.chmod(0o711)
    rows, seconds = [], {}
    try:
        with Scene(directory, options.build, options.projects, options.workers) as scene:
            for name in options.only or GROUPS:
                progress(name)
                begin = time.monotonic()
                rows += GROUPS[name](scene, options)
                seconds[name] = time.monotonic() - begin
    except (BenchError, StandError, OSError) as e:
        print(f"bench: {e}\nlogs of the servers: {directory}", file=sys.stderr)
        return 1
    finally:
        options.out.write_text(json.dumps(rows, indent=1) + "\n")
        print(table(rows))
        print("seconds:", ", ".join(f"{name} {took:.0f}" for name, took in seconds.items()))
    scene.remove()
    return 0


def progress(name):
    if sys.stderr.isatty():
        print(f"{name} ...", end="\r", file=sys.stderr)


def parse():
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.split("\n")[0])
    parser.add_argument("--only", action="append", choices=GROUPS, metavar="NAME",
                        help=f"only this group of rows: {', '.join(GROUPS)}")
    parser.add_argument("--quick", action="store_true",
                        help="shows that it runs; the figures mean little")
    parser.add_argument("--workers", type=int, default=max(6, 3 * os.cpu_count()),
                        help="workers of api.fcgi and of the floor")
    parser.add_argument("--build", type=lambda path: Path(path).resolve(),
                        default=Path(os.environ.get("FSA_BUILD", ROOT)),
                        help="where the programs are built")
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    options = parser.parse_args()
    for name, sizes in SIZES.items():
        setattr(options, name, sizes[options.quick])
    return options


if __name__ == "__main__":
    sys.exit(main())
