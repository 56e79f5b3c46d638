"""Limits containers by cgroups, version 1 or 2, where these are writable."""

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
    """The paths of a cgroup in each relevant hierarchy; they may not exist."""
    if _unified():
        return [CGROUPS / name]
    return [CGROUPS / controller / name for controller in NEEDED]


def available(name):
    """Makes the cgroup of all containers; returns which of NEEDED it can limit. In version 2, that depends on what
    the machine's root group delegates to its children."""
    try:
        for top in _tops(name):
            top.mkdir(exist_ok=True)
    except OSError:
        return set()
    if _unified():
        return {*NEEDED} & {*(CGROUPS / name / "cgroup.controllers").read_text().split()}
    return {*NEEDED}


def _unified():
    """Whether the machine uses cgroups version 2."""
    return (CGROUPS / "cgroup.controllers").exists()


def remove(name, seconds=10.0):
    """Removes the cgroup from all hierarchies; waits for processes that are still ending."""
    cgroups.remove(lambda: _existing(name), seconds)


def exists(name):
    return bool(_existing(name))


def _existing(name):
    return [*CGROUPS.glob(f"{name}*"), *CGROUPS.glob(f"*/{name}*")]


def oom_kills(name):
    """Returns how many processes of a cgroup the kernel has killed for lack of memory."""
    for file in (CGROUPS / name / "memory.events", CGROUPS / "memory" / name / "memory.oom_control"):
        with contextlib.suppress(OSError):
            found = re.search(r"^oom_kill (\d+)", file.read_text(), re.M)
            return int(found[1]) if found else 0
    return 0


def resources(limits):
    """Returns a container's limits as OCI resources."""
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
