#!/usr/bin/python3
"""Measures what this software promises; prints a table and writes bench.json.

    make bench [BENCH_FLAGS="--only get --quick"]

Everything runs here: PostgreSQL, nginx, our programs, a Kubernetes API server, and the load. So
figures of two machines, or of two days, cannot be compared; ratios of one run can.
docs/benchmarks.md tells what each row means.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tools")]

from load import BenchError  # noqa: E402
from rows import table  # noqa: E402
from running import measure_running  # noqa: E402
from scene import Scene  # noqa: E402
from stand.process import StandError  # noqa: E402
from web import (  # noqa: E402
    measure_get, measure_idle_pass, measure_logins, measure_memory, measure_post, measure_start)

GROUPS = {
    "get": measure_get,
    "post": measure_post,
    "logins": measure_logins,
    "memory": measure_memory,
    "start": measure_start,
    "idle_pass": measure_idle_pass,
    "running": measure_running,
}


def main():
    options = parse()
    directory = Path(tempfile.mkdtemp(prefix="fsab-", dir="/tmp"))  # short: it holds sockets
    directory.chmod(0o711)
    rows = []
    try:
        with Scene(directory, options.build, options.projects, options.workers) as scene:
            for name in options.only or GROUPS:
                progress(name)
                rows += GROUPS[name](scene, options)
    except (BenchError, StandError, OSError) as e:
        print(f"bench: {e}\nlogs of the servers: {directory}", file=sys.stderr)
        return 1
    finally:
        options.out.write_text(json.dumps(rows, indent=1) + "\n")
        print(table(rows))
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
    parser.add_argument("--workers", type=int, default=max(4, 2 * os.cpu_count()),
                        help="workers of api.fcgi and of the floor")
    parser.add_argument("--build", type=lambda path: Path(path).resolve(),
                        default=Path(os.environ.get("FSA_BUILD", ROOT)),
                        help="where the programs are built")
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    options = parser.parse_args()
    full, quick = (5, 3, 100_000, 200, 2), (1, 1, 1000, 4, 1)
    sizes = quick if options.quick else full
    (options.rounds, options.seconds, options.projects, options.running,
     options.running_rounds) = sizes
    return options


if __name__ == "__main__":
    sys.exit(main())
