"""Containers' users: a range of the machine's that nobody has, so that who gets out of a container is nobody.

All containers share the range; what is theirs on disk is shifted into it.
"""

import contextlib
import os
import subprocess
from pathlib import Path

SIZE = 1 << 16
# Among those that systemd keeps for containers ("Users, Groups, UIDs and GIDs on systemd Systems"), at their end.
FIRST = 0x6FFD0000
FILE = "users"  # where the node keeps the namespace
MAPPING = [{"containerID": 0, "hostID": FIRST, "size": SIZE}]


def make(path):
    """Makes their user namespace and keeps it at that path."""
    path.touch()
    with _waiting("unshare", "--user") as process:
        for name in ("uid_map", "gid_map"):
            process.joinpath(name).write_text(f"0 {FIRST} {SIZE}")
        _keep(process / "ns" / "user", path)


def make_network(users, path):
    """Makes a network namespace that belongs to the user namespace at `users`, or else runc could not enter both."""
    path.touch()
    with _waiting("nsenter", f"--user={users}", "unshare", "--net") as process:
        _keep(process / "ns" / "net", path)


@contextlib.contextmanager
def _waiting(*command):
    """The folder in /proc of a process that the command has put into new namespaces."""
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
    """Gives all in a folder to the same users of the range; the folder itself last, so that a shift that was
    interrupted begins again."""
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
        os.chmod(path, found.st_mode & 0o1777)  # no setuid program of theirs is anything on the machine


def owned(uid, gid):
    """(uid, gid) of a container as the machine has them."""
    return FIRST + uid, FIRST + gid
