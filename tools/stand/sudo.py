"""The node of a user who may use sudo. Only this module, called again through sudo, runs as root.

    python3 -m stand.sudo ACTION [WORDS...]

The first line of its standard input names the node. The build of the images ends when its input ends, because a
user cannot signal root's processes.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

from .containers import ROOT, Containers, ImageError, missing_program, why_not
from .kubelet import limits
from .process import StandError

WHY = "containers need root: sudo starts them, and everything else runs as you"
REFUSED = "real containers need root, and sudo does not let you become that"
NODES = Path("/var/lib")  # root's: nobody else can create or rename anything in it
# Variables of this machine that a build needs and sudo drops. They are not passed as arguments, which everybody can
# read.
PASSED = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "CC",
          "FSA_CACHE", "FSA_DEBIAN_MIRROR", "npm_config_registry", "NODE_EXTRA_CA_CERTS")


def node_of(*arguments, **options):
    """Returns the node for the current user: root or another."""
    return (Containers if os.geteuid() == 0 else SudoContainers)(*arguments, **options)


def why_simulated(console):
    """Returns a line that says why this user cannot have real containers here; None if they can."""
    if os.geteuid() == 0:
        return why_not()
    if not shutil.which("sudo"):
        return "real containers need root, and there is no sudo"
    if missing := missing_program():
        return missing
    console.line(WHY)
    if not may_sudo():
        return REFUSED
    return _run("why-not").decode().strip() or None


def may_sudo():
    """Whether sudo works from now on without asking; asks for the password now if there is a terminal."""
    if subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return True
    return sys.stdin.isatty() and subprocess.run(["sudo", "-v"]).returncode == 0


class SudoContainers(Containers):
    """Like Containers. Call need_root() before a step: sudo's question could not be read during one.

    Its files are not in the user's directory, where the user could replace what root is about to use by other files or
    links.
    """

    def __init__(self, directory, *arguments, **options):
        digest = hashlib.sha256(str(directory).encode()).hexdigest()[:12]
        super().__init__(NODES / f"fullstack-agent-node-{digest}", *arguments, **options)

    def build(self, log):
        return SudoBuild(self._about(), log)

    def start(self):
        if not self._process.running():
            self._run("start", access=self._kubesim.admin_access())

    def run_in(self, uid, command, data=b""):
        return self._run("run-in", uid, *command, data=data).decode(errors="replace")

    def stop(self, patience=20):
        if self._leaves():
            self._run("stop", str(patience))

    def remove(self):
        if self.directory.exists():
            self._run("remove")

    def need_root(self, removal=False):
        """To be called before stop(), and with `removal` before remove()."""
        if (self._leaves() or (removal and self.directory.exists())) and not may_sudo():
            raise StandError(f"the node in {self.directory} runs as root and has files of root's, and sudo does not "
                             "let you become that; run it again in a terminal")

    def _leaves(self):
        """Whether any process of it may be left."""
        return self._process.running() or limits.exists(self.cgroup)

    def _about(self, **more):
        return {"directory": str(self.directory), "port": self.port, "images": str(self.images), **more}

    def _run(self, action, *words, data=b"", **more):
        return _run(action, *words, data=data, about=self._about(**more))


class SudoBuild:
    """Like ImageBuild."""

    def __init__(self, about, log):
        self._log = log
        with open(log, "wb") as out:
            # Not in a new session: sudo remembers a password per terminal and session.
            self._process = subprocess.Popen(_command("build"), stdin=subprocess.PIPE, stdout=out, stderr=out,
                                             process_group=0)
        self._process.stdin.write(_first_line(about))
        self._process.stdin.flush()

    def finish(self):
        if self._process.wait() != 0:
            raise ImageError(f"the images could not be built, see {self._log}")

    def end(self):
        self._process.stdin.close()
        self._process.wait()


def _command(action, *words):
    return ["sudo", "-n", "-H", "--", "/usr/bin/env", f"PYTHONPATH={ROOT / 'tools'}", "PYTHONDONTWRITEBYTECODE=1",
            "/usr/bin/python3", "-P", "-m", "stand.sudo", action, *words]


def _first_line(about):
    environment = {name: os.environ[name] for name in PASSED if name in os.environ}
    return json.dumps({"environment": environment, **about}).encode() + b"\n"


def _run(action, *words, data=b"", about=None):
    done = subprocess.run(_command(action, *words), input=_first_line(about or {}) + data, capture_output=True)
    if done.returncode != 0:
        raise StandError(done.stderr.decode(errors="replace").strip() or f"sudo: {action} failed")
    return done.stdout


# ---- as root --------------------------------------------------------------------------------------


def _build(node):
    script, env = node.build_script()
    build = subprocess.Popen(["sh", "-c", script], stdin=subprocess.DEVNULL, env=env, start_new_session=True)

    def end_with_input():
        os.read(sys.stdin.fileno(), 1)  # not through sys.stdin, which Python cannot close during a read
        os.killpg(build.pid, signal.SIGINT)

    threading.Thread(target=end_with_input, daemon=True).start()
    return build.wait()


def _run_in(node, uid, *command):
    sys.stdout.write(node.run_in(uid, command, sys.stdin.buffer.read()))


ACTIONS = {
    "build": _build,
    "start": lambda node: node.start(),
    "run-in": _run_in,
    "stop": lambda node, patience: node.stop(float(patience)),
    "remove": lambda node: node.remove(),
}


def main(action, *words):
    about = json.loads(sys.stdin.buffer.readline())
    os.environ.update(about["environment"])
    os.umask(0o022)
    if action == "why-not":
        print(why_not() or "")
        return 0
    cluster = SimpleNamespace(admin_access=lambda: about["access"])
    node = Containers(about["directory"], cluster, about["port"], outlive=True, images=about["images"])
    try:
        return ACTIONS[action](node, *words)
    except (StandError, OSError) as e:
        return str(e)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
