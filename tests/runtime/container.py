"""Runs the sandbox's image with runc, like a pod of ours: as user 1000 without capabilities, with a read-only root
file system, and only the home directory and /tmp writable. Its network leads nowhere."""

import contextlib
import ctypes
import json
import os
import shutil
import socket
import subprocess
import tarfile
import time
from pathlib import Path

from stand.process import PATIENCE

RUNC = shutil.which("runc") or "/usr/sbin/runc"
UID = 1000
CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


def unpack(archive, target):
    """Unpacks the root file system of an archive; returns the image's configuration."""
    with tarfile.open(archive) as outer:
        (entry,) = json.load(outer.extractfile("manifest.json"))
        for layer in entry["Layers"]:
            tar = subprocess.Popen(["tar", "-x", "-C", target], stdin=subprocess.PIPE)
            shutil.copyfileobj(outer.extractfile(layer), tar.stdin, 1 << 20)
            tar.stdin.close()
            assert tar.wait() == 0
        return json.load(outer.extractfile(entry["Config"]))["config"]


class Container:
    """One container of an unpacked image.

    environment  variables, as the pod gets them from its Secret
    home         the home directory's volume: a folder that outlives the container
    volumes      read-only volumes: their places in the container → folders
    """

    def __init__(self, directory, rootfs, config, environment, home, volumes=None):
        self.directory = Path(directory)
        self.home = Path(home)
        self._rootfs = rootfs
        self._config = config
        self._environment = environment
        self._volumes = volumes or {}
        self._name = f"fsa-{os.getpid()}-{self.directory.name}"
        self._runc = [RUNC, "--root", str(self.directory / "runc")]
        self._process = None
        self.log = self.directory / "log"

    def __enter__(self):
        self.directory.mkdir()
        self.home.mkdir(exist_ok=True)
        os.chown(self.home, UID, UID)
        (self.directory / "config.json").write_text(json.dumps(self._spec()))
        with open(self.log, "wb") as log:
            self._process = subprocess.Popen(
                [*self._runc, "run", "--bundle", str(self.directory), self._name],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
        return self

    def __exit__(self, *_):
        subprocess.run([*self._runc, "delete", "--force", self._name], capture_output=True)
        self._process.wait(timeout=PATIENCE)

    def terminate(self):
        """Sends SIGTERM, as the kubelet does first; returns the exit code."""
        subprocess.run([*self._runc, "kill", self._name, "TERM"], check=True)
        return self._process.wait(timeout=PATIENCE)

    def exited(self):
        return self._process.poll()

    def pid(self):
        """Returns the pid, outside, of the container's first process."""
        state = subprocess.run([*self._runc, "state", self._name], capture_output=True)
        return json.loads(state.stdout)["pid"] if state.returncode == 0 else None

    def connect(self, port):
        """Connects to a port of the container."""
        with self.network():
            made = socket.socket()
        made.settimeout(PATIENCE)
        made.connect(("127.0.0.1", port))
        return made

    def wait_ready(self, seconds=PATIENCE):
        """Waits until the terminal's port accepts connections, as the pod's probe does."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.exited() is not None:
                raise AssertionError(f"the container has ended:\n{self.log.read_text()}")
            with contextlib.suppress(OSError):
                self.connect(7681).close()
                return self
            time.sleep(0.02)
        raise AssertionError(f"not ready after {seconds} s:\n{self.log.read_text()}")

    def run(self, *command):
        """Runs a command in the container, as the same user; returns the completed process."""
        return subprocess.run([*self._runc, "exec", self._name, *command], capture_output=True,
                              text=True, timeout=PATIENCE)

    @contextlib.contextmanager
    def network(self):
        """Sockets that this thread opens in the block belong to the container's network."""
        pid = self.pid()
        if not pid:
            raise OSError("the container does not run")
        with open("/proc/thread-self/ns/net") as ours, open(f"/proc/{pid}/ns/net") as theirs:
            _set_network(theirs.fileno())
            try:
                yield
            finally:
                _set_network(ours.fileno())

    def _spec(self):
        mount = ["nosuid", "nodev", "noexec"]
        return {
            "ociVersion": "1.0.2",
            "process": {
                "user": {"uid": UID, "gid": UID},
                "args": self._config["Entrypoint"],
                "env": [*self._config["Env"], "HOME=/home/agent",
                        *(f"{k}={v}" for k, v in self._environment.items())],
                "cwd": self._config["WorkingDir"],
                "capabilities": {},
                "noNewPrivileges": True,
            },
            "root": {"path": str(self._rootfs), "readonly": True},
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
                 "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
                {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
                 "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
                {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
                 "options": [*mount, "mode=1777", "size=65536k"]},
                {"destination": "/tmp", "type": "tmpfs", "source": "tmp",
                 "options": ["nosuid", "nodev", "mode=1777"]},
                {"destination": "/home/agent", "type": "bind", "source": str(self.home),
                 "options": ["rbind", "rw", "nosuid", "nodev"]},
                *({"destination": place, "type": "bind", "source": str(folder),
                   "options": ["rbind", "ro", "nosuid", "nodev"]} for place, folder in self._volumes.items()),
            ],
            "linux": {
                "namespaces": [{"type": kind}
                               for kind in ("pid", "mount", "ipc", "uts", "network")],
                "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"],
                "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"],
            },
        }


def _set_network(fd):
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
