"""How many sandboxes fit on a node: python3 tests/node/density.py --build DIR [--count 50] [--cpu 20m]

Starts the whole system with a real node, creates `count` projects, and prints what each costs. This is
not a test: the figures depend on the machine. docs/benchmarks.md describes them.
"""

import argparse
import contextlib
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
for folder in (HERE.parents[1] / "tools", HERE.parent / "e2e", HERE.parent / "runtime"):
    sys.path.insert(0, str(folder))

from people import Person, eventually, expect  # noqa: E402
from stand.cluster import Cluster  # noqa: E402
from stand.node import Node, build_image  # noqa: E402
from stand.postgres import Postgres  # noqa: E402
from stand.site import Site  # noqa: E402
from stand.world import World  # noqa: E402
from stand.terminal import Terminal, connect  # noqa: E402

CGROUPS = Path("/sys/fs/cgroup")
MIB = 1 << 20


class Pods:
    """Measures by the cgroups of a world's pods."""

    def __init__(self, world):
        self._top = f"{world.cgroup}/kubepods"

    def memory(self):
        """Returns the median, over all pods, of the bytes of memory not backed by files."""
        return statistics.median(
            int(_stat(pod / "memory.stat")["total_rss"]) for pod in self._folders("memory")
        )

    def cpu(self, seconds=20):
        """Returns the share of a core that all idle pods use together."""
        before = self._cpu_time()
        time.sleep(seconds)
        return (self._cpu_time() - before) / seconds

    def _cpu_time(self):
        return int((CGROUPS / "cpuacct" / self._top / "cpuacct.usage").read_text()) / 1e9

    def _folders(self, controller):
        return (CGROUPS / controller / self._top).glob("burstable/pod*")


class Programs:
    """Measures the CPU time of the node's own programs, including children that they have waited for."""

    NAMES = ("kubelet", "containerd", "kube-router", "kube-proxy", "traefik")

    def __init__(self, node):
        self._node = node
        self._before = self._cpu_times()
        self._since = time.monotonic()

    def cpu(self):
        """Yields (program, share of a core since the last call)."""
        now, seconds = self._cpu_times(), time.monotonic() - self._since
        shares = [(name, (now[name] - self._before[name]) / seconds) for name in now]
        self._before, self._since = now, time.monotonic()
        return shares

    def _cpu_times(self):
        return {name: _cpu_time(self._node.pid(name)) for name in self.NAMES}


def _cpu_time(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _stat(path):
    return dict(line.split() for line in path.read_text().splitlines())


def available():
    """Returns the machine's available memory in bytes."""
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024


def measure(person, world, node, count):
    """Yields rows (name, value, unit)."""
    free, began = available(), time.monotonic()
    programs = Programs(node)
    projects = [person.create(f"Project {number}") for number in range(count)]
    for part in [*range(50, count, 50), count]:
        eventually(lambda least=part: running(person) >= least, 60 + 20 * count, every=0.5,
                   last=lambda: running(person))
        yield f"running_{part}", time.monotonic() - began, "s"
    for name, share in programs.cpu():
        yield f"starting_{name}", share * 1000, "m"
    time.sleep(30)  # until everything has started and is idle
    pods = Pods(world)
    programs.cpu()
    yield "machine_memory", (free - available()) / count / MIB, "MiB a sandbox"
    yield "memory_idle", pods.memory() / MIB, "MiB a sandbox"
    yield "cpu_idle", pods.cpu() / count * 1000, "m a sandbox"
    for name, share in programs.cpu():
        yield f"idle_{name}", share * 1000, "m"
    with contextlib.ExitStack() as stack:
        for project in projects:
            name = f"{project.sandbox()['name']}-0"
            address = person.namespace.get("Pod", name)["status"]["podIP"]
            query = "?" + project.sandbox()["ttydUrl"].partition("?")[2]
            opened = stack.enter_context(Terminal(connect(address, 7681), query))
            opened.ask("true", seconds=60)
        time.sleep(5)
        yield "memory_with_shell", pods.memory() / MIB, "MiB a sandbox"
        yield "cpu_with_shell", pods.cpu() / count * 1000, "m a sandbox"


def running(person):
    """Returns how many of a person's projects are shown as RUNNING."""
    projects = expect(person.client.get("/api/projects?all=true"))
    return sum(project["status"] == "RUNNING" for project in projects)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", required=True, type=Path)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--cpu", default="20m", help="what each requests of the processors")
    options = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="fsa-", dir="/tmp"))
    directory.chmod(0o711)
    sandbox, pause = build_image("sandbox", "--small"), build_image("pause")
    print(f"{'image':20} {os.path.getsize(sandbox[0]) / MIB:10.0f} MiB", flush=True)
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        world = enter(World(directory / "world", **Node.WORLD))
        enter(world.network())
        cluster = enter(Cluster(directory / "cluster", simulated=False))
        node = enter(Node(directory / "node", world, cluster, [sandbox[0]], pause, options.count))
        postgres = enter(Postgres(directory / "postgres"))
        site = enter(Site(directory / "site", options.build.resolve(), postgres,
                          options={"runtime_image": sandbox[1],
                                   "sandbox_cpu_request": options.cpu,
                                   "projects_per_user": str(options.count)}))
        person = Person(site, cluster, quota={"requests.storage": "10Ti", "limits.cpu": "100",
                                              "limits.memory": "1Ti", "pods": "1000"})
        for name, value, unit in measure(person, world, node, options.count):
            print(f"{name:20} {value:10.1f} {unit}", flush=True)
    shutil.rmtree(directory)


if __name__ == "__main__":
    main()
