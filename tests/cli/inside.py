"""The sandbox of a project as fsa reaches it: the real sandboxd, and the network up to its address."""

import base64
import contextlib
import os
import random
import socket
import subprocess
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlparse

from stand.process import Process

SCRIPTS = Path(__file__).resolve().parents[2] / "runtime/sandbox/usr/lib/fullstack-agent"
# The image's scripts and the sandbox's limits at their places, for this process and those below it.
AS_IN_ITS_IMAGE = """
place=$1 scripts=$2 cgroup=$3; shift 3
mount -t tmpfs tmpfs "$place" && mkdir "$place/upper" "$place/work" && ln -s "$scripts" "$place/upper/"
mount -t overlay overlay -o "lowerdir=/usr/lib,upperdir=$place/upper,workdir=$place/work" /usr/lib
mount --bind "$cgroup" /sys/fs/cgroup
exec "$@"
"""


class Sandbox:
    """sandboxd with the secret that the project's pod has, on loopback. What is in `bin` is found by PATH.

    image  the image's scripts are in /usr/lib, and the files in `cgroup` its limits, which takes root"""

    def __init__(self, program, directory, project, image=False):
        self.home, self.bin, self.cgroup = (directory / name for name in ("home", "bin", "cgroup"))
        self.bin.mkdir(parents=True)
        self.cgroup.mkdir()
        self.home.mkdir(parents=True)
        (directory / "run").mkdir()
        (directory / "tmp").mkdir()
        self.process = Process(directory, "sandboxd")
        (directory / "lib").mkdir()
        outside = ["unshare", "--mount", "sh", "-ec", AS_IN_ITS_IMAGE, "sh", directory / "lib", SCRIPTS, self.cgroup] if image else []
        self.process.start([*outside, program, "--port", "0", "--address", "127.0.0.1", "--run",
                            directory / "run", "--no-terminal"],
                           env={**os.environ, "HOME": str(self.home), "SHELL": "/bin/bash",
                                "PATH": f"{self.bin}:{os.environ['PATH']}",
                                "TMUX_TMPDIR": str(directory), "TMPDIR": str(directory / "tmp"),
                                "TTYD_ACCESS_TOKEN": terminal_token(project)})
        self.process.wait_ready(lambda: self.process.has_logged("port "))
        log = self.process.log.read_text()
        self.port = int(log.split("sandboxd: port ")[1].split()[0])

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port))

    def tmux(self, *words):
        """Returns tmux's output about the sandbox's sessions."""
        env = {**os.environ, "TMUX_TMPDIR": str(self.home.parent)}
        return subprocess.run(["tmux", *words], env=env, capture_output=True, text=True).stdout

    def stop(self):
        self.tmux("kill-server")
        self.process.stop()


def terminal_token(project):
    """Returns the secret of the project's first sandbox, which is part of the terminal's address."""
    terminal = urlparse(project["sandboxes"][0]["ttydUrl"])
    login = base64.b64decode(parse_qs(terminal.query)["authorization"][0]).decode()
    return login.split(":", 1)[1]


class Line:
    """The network between a port, which stands for the ingress, and a sandbox, to which connect() makes a
    connection."""

    def __init__(self, port, connect, seed=1):
        self.connect, self.random, self.cuts = connect, random.Random(seed), 0
        self.bad, self.ends = False, []
        self.answers = threading.Event()
        self.answers.set()
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        hang_up(self.listener)
        self.cut()

    @contextlib.contextmanager
    def that_breaks(self):
        """Ends connections after a number of bytes in either direction, which differs each time, for the duration of
        the block."""
        self.bad = True
        self.cut()
        try:
            yield self
        finally:
            self.bad = False

    @contextlib.contextmanager
    def that_holds_answers(self):
        """Holds back the sandbox's responses for the duration of the block; requests still arrive."""
        self.answers.clear()
        try:
            yield self
        finally:
            self.answers.set()

    def cut(self):
        """Ends all current connections."""
        ends, self.ends = self.ends, []
        for end in ends:
            hang_up(end)

    def _accept(self):
        try:
            while True:
                near, _ = self.listener.accept()
                try:
                    far = self.connect()
                except OSError:
                    near.close()
                    continue
                threading.Thread(target=self._carry, args=(near, far), daemon=True).start()
        except OSError:
            pass  # closed

    def _carry(self, near, far):
        """Forwards until both directions have ended."""
        self.ends += (near, far)
        ways = [threading.Thread(target=self._pass, args=each, daemon=True)
                for each in ((near, far, None), (far, near, self.answers))]
        for way in ways:
            way.start()
        for way in ways:
            way.join()
        for end in (near, far):
            end.close()
            with contextlib.suppress(ValueError):
                self.ends.remove(end)  # cut() may have removed it

    def _pass(self, one, other, allowed):
        left = self.random.randrange(2000, 200000) if self.bad else float("inf")
        try:
            while left > 0 and (data := one.recv(min(left, 65536))):
                if allowed:
                    allowed.wait()
                other.sendall(data)
                left -= len(data)
        except OSError:
            pass
        self.cuts += left == 0
        if left > 0:
            return end_of(one, other)
        hang_up(one)
        hang_up(other)


def end_of(one, other):
    """Passes on the end of the data from `one`; `other` may still be sending."""
    with contextlib.suppress(OSError):
        other.shutdown(socket.SHUT_WR)


def hang_up(end):
    """Closes the connection; data that still arrives is answered with a reset."""
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
