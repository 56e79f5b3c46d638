"""Limits of containers by cgroups, of version 1 or 2, where they can be written to."""

import contextlib
import re
from decimal import Decimal
from pathlib import Path

from .. import cgroups

CGROUPS = Path("/sys/fs/cgroup")
NEEDED = ("memory", "cpu", "pids")
PERIOD = 100_000  # microseconds
PROCESSES = 1024
UNITS = {"": 1, "m": Decimal("0.001"), "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
         "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def _tops(name):
    """The paths of a cgroup of that name in each hierarchy that matters; it need not exist."""
    if _unified():
        return [CGROUPS / name]
    return [CGROUPS / controller / name for controller in NEEDED]


def available(name):
    """Makes the cgroup of all containers; returns which of NEEDED hold in it. Those of version 2 are what the
    machine's root group gives its children, which is the machine's to say."""
    try:
        for top in _tops(name):
            top.mkdir(exist_ok=True)
    except OSError:
        return set()
    if _unified():
        return {*NEEDED} & {*(CGROUPS / name / "cgroup.controllers").read_text().split()}
    return {*NEEDED}


def _unified():
    """Whether this is version 2."""
    return (CGROUPS / "cgroup.controllers").exists()


def remove(name, seconds=10.0):
    """Removes it from all hierarchies; waits for processes that are still ending."""
    cgroups.remove(lambda: _existing(name), seconds)


def exists(name):
    return bool(_existing(name))


def _existing(name):
    return [*CGROUPS.glob(f"{name}*"), *CGROUPS.glob(f"*/{name}*")]


def oom_kills(name):
    """How many processes of a cgroup the kernel has killed for lack of memory."""
    for file in (CGROUPS / name / "memory.events", CGROUPS / "memory" / name / "memory.oom_control"):
        with contextlib.suppress(OSError):
            found = re.search(r"^oom_kill (\d+)", file.read_text(), re.M)
            return int(found[1]) if found else 0
    return 0


def resources(limits):
    """A container's limits in the OCI's form."""
    found = {"pids": {"limit": PROCESSES}}
    if "memory" in limits:
        found["memory"] = {"limit": int(quantity(limits["memory"])),
                           "swap": int(quantity(limits["memory"]))}
    if "cpu" in limits:
        found["cpu"] = {"quota": max(int(quantity(limits["cpu"]) * PERIOD), 1000), "period": PERIOD}
    return found


def quantity(text):
    number, unit = re.fullmatch(r"([0-9.]+)([a-zA-Z]*)", str(text)).groups()
    return Decimal(number) * UNITS[unit]
