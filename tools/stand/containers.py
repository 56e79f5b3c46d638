"""Real containers for kubesim's pods, on machines that allow them; see stand/kubelet."""

import contextlib
import hashlib
import json
import os
import shlex
import signal
import shutil
import subprocess
from pathlib import Path

from .kubelet import limits
from .kubelet.network import DNS
from .process import Process, StandError, make_directory, port_is_free

ROOT = Path(__file__).resolve().parents[2]
IMAGES = {"sandbox": ("sandbox", "--small"), "postgres": ("postgres",)}  # the names that runtime/build gives them
MORE = {"sandbox-with-agent": ("sandbox", "--with-agent"), "tools": ("tools",)}
SANDBOX = "localhost/fullstack-agent/sandbox:here"
WITH_AGENT = "localhost/fullstack-agent/sandbox-with-agent:here"
TOOLS = "localhost/fullstack-agent/tools:here"
NAMES = {SANDBOX: "sandbox", TOOLS: "tools", WITH_AGENT: "sandbox-with-agent", "example.com/postgresql:": "postgres"}
PROGRAMS = ("runc", "nft", "ip", "unshare", "nsenter", "setpriv", "mmdebstrap", "nginx")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation",
              "private")
# Makes everything that a pod's network consists of, in namespaces that end with this command.
TRIAL = "unshare --user true && ip link add name a type veth peer name b && nft add table ip a && nft add chain ip a b " \
        "'{ type nat hook postrouting priority 100; }' && nft add rule ip a b ct state new masquerade"


def why_not():
    """Returns a line that says why this machine cannot run our containers; None if it can."""
    if os.geteuid() != 0:
        return "real containers need root"
    if missing := missing_program():
        return missing
    trial = [*NAMESPACES, "--net", "sh", "-c", TRIAL]
    done = subprocess.run(trial, capture_output=True, text=True, env={"PATH": PATH})
    if done.returncode != 0:
        lines = (done.stderr.strip() or "no reason told").splitlines()
        return f"this machine does not let us make namespaces and networks: {lines[0]}"
    return None


def missing_program():
    """Returns a line that names a missing program; None if all are installed."""
    missing = next((program for program in PROGRAMS if not shutil.which(program, path=PATH)), None)
    return missing and f"{missing} is not installed"


class ImageError(Exception):
    """The images cannot be built; the message says why, in a line."""


class ImageBuild:
    """The build of the images, in its own process."""

    def __init__(self, script, env, log):
        self._log = log
        with open(log, "wb") as out:
            self._process = subprocess.Popen(["sh", "-c", script], stdin=subprocess.DEVNULL, stdout=out,
                                             stderr=out, env=env, start_new_session=True)

    def finish(self):
        if self._process.wait() != 0:
            raise ImageError(f"the images could not be built, see {self._log}")

    def end(self):
        """Ends the build if it is still running; mmdebstrap then removes what it has made so far."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)
            self._process.wait()


class Containers:
    """The images and the node of one KubeSim.

    port     of loopback, where sandboxes' addresses are served
    images   the folder that they are unpacked into
    all_     whether WITH_AGENT and TOOLS are among them
    given    images that are not built: name → folder, with the configuration in FOLDER.json
    """

    def __init__(self, directory, kubesim, port, outlive=False, images=None, all_=False):
        self.directory = Path(directory)
        self.port = port
        self.images = Path(images or self.directory / "images")
        self._builds = {**IMAGES, **MORE} if all_ else IMAGES
        self.given = {}
        self._kubesim = kubesim
        self._outlive = outlive
        self._process = Process(self.directory, "kubelet", stop_signal=signal.SIGKILL)
        self.cgroup = f"fullstack-agent-{hashlib.sha256(str(self.directory).encode()).hexdigest()[:12]}"

    @property
    def options(self):
        """The fsa.conf options that these containers need."""
        return {"runtime_image": SANDBOX, "ingress_scheme": "http", "ingress_port": self.port,
                "dns_networks": f"{DNS}/32"}

    @property
    def log(self):
        return self._process.log

    def pid(self):
        return self._process.pid()

    def build(self, log):
        """Starts the build of the images; returns its ImageBuild."""
        return ImageBuild(*self.build_script(), log)

    def build_script(self):
        """Returns the shell script that builds the images, and its environment."""
        make_directory(self.directory, mode=0o711)
        make_directory(self.images, mode=0o700)  # with setuid programs that get no updates
        build = ROOT / "runtime" / "build"
        script = " && ".join(shlex.join([str(build), *words, "--unpack", str(self.images / name)])
                             for name, words in self._builds.items())
        return script, {**os.environ, **self._cache()}

    def start(self):
        if self._process.running():
            return
        self._end_rest()
        if not port_is_free(self.port):
            raise StandError(f"port {self.port}, where the sandboxes' addresses are, is taken")
        make_directory(self.directory, mode=0o711)
        ready = self.directory / "ready"
        ready.unlink(missing_ok=True)
        config = self.directory / "config.json"
        config.write_text(json.dumps({
            **self._kubesim.admin_access(),
            "directory": str(self.directory),
            "images": {**{name: str(self.images / folder) for name, folder in NAMES.items()
                          if folder in self._builds},
                       **{name: str(folder) for name, folder in self.given.items()}},
            "cgroup": self.cgroup,
            "port": self.port,
        }))
        env = {**os.environ, "PATH": PATH, "PYTHONPATH": str(ROOT / "tools"),
               "PYTHONDONTWRITEBYTECODE": "1"}
        self._process.start([*NAMESPACES, "/usr/bin/python3", "-P", "-m", "stand.kubelet", config], env=env,
                            outlive=self._outlive)
        self._process.wait_ready(ready.exists)

    def run_in(self, uid, command, data=b""):
        """Runs a command in the container of the pod with this uid; returns its output."""
        runc = ["runc", "--root", str(self.directory / "runc")]
        first = self._first()
        if first is None:
            raise StandError(f"the node does not run; see {self.log}")
        inside = ["nsenter", "--target", first, "--mount", "--pid", "--", *runc]
        names = subprocess.run([*inside, "list", "--quiet"], capture_output=True, text=True, check=True,
                               env={"PATH": PATH}).stdout.split()
        name = next((name for name in names if uid in name), None)
        if name is None:
            raise StandError(f"the container of {uid} does not run; see {self.log}")
        done = subprocess.run([*inside, "exec", name, *command], input=data, capture_output=True,
                              env={"PATH": PATH})
        if done.returncode != 0:
            raise StandError(f"in the sandbox: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout.decode(errors="replace")

    def stop(self, patience=20):
        """Gives pods their grace period, then ends the rest; only files stay."""
        first = self._first()
        if first:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(first), signal.SIGTERM)
            self._process.wait_gone(patience)
        self._process.stop()
        self._end_rest()

    def need_root(self, removal=False):
        """Does nothing: we are root already. See stand/sudo.py."""

    def remove(self):
        """Removes all files of a node that was stopped."""
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self.directory)

    def _first(self):
        """Returns the pid, outside its namespaces, of the node's first process; None if the node is not running or is
        just ending."""
        try:
            pid = self._process.pid()
            return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0]
        except (OSError, IndexError):
            return None

    def _end_rest(self):
        limits.remove(self.cgroup)

    def _cache(self):
        """Returns {} to use the developer's cache if there is one; otherwise a folder that --purge removes."""
        usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "fullstack-agent", "runtime")
        if os.environ.get("FSA_CACHE") or usual.exists():
            return {}
        return {"FSA_CACHE": str(self.directory / "cache")}
