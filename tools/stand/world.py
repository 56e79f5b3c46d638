"""Isolates programs that change the machine: in namespaces with their own processes, mounts and network.

    with World(directory) as world:
        with world.network():          # what this thread starts and opens here is in the world's network
            ...
        Process(directory, "x").start(world.inside(["x", "--option"]))

One process holds the world. When it ends, which the kernel ensures when this Python process ends, everything in the
world ends with it: processes, mounts, links, nftables rules.

"""

import contextlib
import ctypes
import os
import signal
from pathlib import Path

from . import cgroups
from .process import Process, StandError
from .server import Server

_CLONE_NEWNET = 0x40000000
_CGROUPS = Path("/sys/fs/cgroup")
_libc = ctypes.CDLL(None, use_errno=True)


class World(Server):
    """One set of namespaces.

    hidden  folders that are empty inside, and whose new contents are lost with the world
    values  files of /proc/sys → values that they appear to have inside. For settings of the whole
            machine that a program insists on changing: the machine's own values stay as they are
    """

    def __init__(self, directory, hidden=(), values=None):
        super().__init__(directory, "world", stop_signal=signal.SIGKILL)
        self._hidden = tuple(hidden)
        self._values = values or {}
        self._pid = None  # the first process's pid, outside

    def start(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        ready = self.directory / "world.ready"
        ready.unlink(missing_ok=True)
        unshare = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
                   "--propagation", "private"]
        self.process().start([*unshare, "sh", "-euc", self._script(ready)])
        self.process().wait_ready(ready.exists)
        children = Path(f"/proc/{self.process().pid()}/task/{self.process().pid()}/children")
        self._pid = int(children.read_text().split()[0])

    def stop(self):
        super().stop()
        remove_cgroups(self.cgroup)

    @property
    def cgroup(self):
        """The name of the world's cgroups; they are removed at the end."""
        return f"fsa-{os.getpid()}-{self.directory.name}"

    def inside(self, command):
        """Returns the command line that runs a command in the world."""
        if not self._pid:
            raise StandError("the world has not been started")
        return ["nsenter", "--target", str(self._pid), "--mount", "--net", "--pid", "--", *command]

    @contextlib.contextmanager
    def network(self):
        """Puts this thread into the world's network, and only into that, for the duration of the block."""
        with open("/proc/thread-self/ns/net") as ours, \
                open(f"/proc/{self._pid}/ns/net") as theirs:
            _enter(theirs)
            try:
                yield
            finally:
                _enter(ours)

    def _script(self, ready):
        lines = ["ip link set lo up"]
        for folder in self._hidden:
            Path(folder).mkdir(parents=True, exist_ok=True)
            lines.append(f"mount -t tmpfs tmpfs {folder}")
        for number, (path, value) in enumerate(self._values.items()):
            file = self.directory / f"value{number}"
            file.write_text(f"{value}\n")
            lines.append(f"mount --bind {file} /proc/sys/{path}")
        return "\n".join([*lines, f": >{ready}", "exec sleep infinity"])


def make_cgroups(name):
    """Makes the cgroup in each hierarchy of version 1, and removes those that killed runs have left. Returns False if
    this machine has no such hierarchy."""
    made = False
    for hierarchy in _CGROUPS.iterdir():
        if (hierarchy / "cgroup.procs").exists():
            (hierarchy / name).mkdir(exist_ok=True)
            made = True
        for other in hierarchy.glob("fsa-*-*"):
            owner = other.name.split("-")[1]
            if owner.isdigit() and not Path("/proc", owner).exists():
                remove_cgroups(other.name, seconds=0)
    return made


def remove_cgroups(name, seconds=10.0):
    """Removes the cgroups; waits for processes that are still ending. The next run removes what is left after that."""
    cgroups.remove(lambda: list(_CGROUPS.glob(f"*/{name}")), seconds)


def _enter(namespace):
    if _libc.setns(namespace.fileno(), _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
