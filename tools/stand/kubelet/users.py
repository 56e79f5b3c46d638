"""The users of containers: a range of uids that nobody on the machine has, so that a process that escapes from a
container has no rights.

All containers share the range; the owners of their files are shifted into it.
"""

import contextlib
import os
import subprocess
from pathlib import Path

SIZE = 1 << 16
# At the end of the range that systemd reserves for containers ("Users, Groups, UIDs and GIDs on systemd Systems").
FIRST = 0x6FFD0000
FILE = "users"  # where the node keeps the namespace
MAPPING = [{"containerID": 0, "hostID": FIRST, "size": SIZE}]


def make(path):
    """Makes the containers' user namespace and keeps it at that path."""
    path.touch()
    with _waiting("unshare", "--user") as process:
        for name in ("uid_map", "gid_map"):
            process.joinpath(name).write_text(f"0 {FIRST} {SIZE}")
        _keep(process / "ns" / "user", path)


def make_network(users, path):
    """Makes a network namespace that belongs to the user namespace at `users`; otherwise runc could not enter both."""
    path.touch()
    with _waiting("nsenter", f"--user={users}", "unshare", "--net") as process:
        _keep(process / "ns" / "net", path)


@contextlib.contextmanager
def _waiting(*command):
    """Yields the /proc folder of a process that the command has put into new namespaces."""
    process = subprocess.Popen([*command, "sh", "-c", "echo; read end"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    try:
        if not process.stdout.readline():
            raise OSError(process.stderr.read().strip())
        yield Path(f"/proc/{process.pid}")
    finally:
        process.communicate("\n")


def _keep(namespace, path):
    subprocess.run(["mount", "-n", "--bind", namespace, path], check=True, capture_output=True, text=True)


def shift(folder):
    """Shifts the owners of a folder and all in it into the range. The folder itself comes last, so that an
    interrupted shift is done again."""
    folder = Path(folder)
    if folder.lstat().st_uid >= FIRST:
        return
    for place, folders, files in os.walk(folder, topdown=False):
        for name in (*folders, *files):
            _shift(os.path.join(place, name))
    _shift(folder)


def _shift(path):
    found = os.lstat(path)
    if found.st_uid >= FIRST:
        return
    os.lchown(path, FIRST + found.st_uid, FIRST + found.st_gid)
    if not os.path.islink(path):
        os.chmod(path, found.st_mode & 0o1777)  # no setuid bits: these files are also reachable on the machine


def owned(uid, gid):
    """Returns the machine's (uid, gid) for a container's."""
    return FIRST + uid, FIRST + gid
