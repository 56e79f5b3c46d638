"""The servers of the quick start: builds, starts, inspects and stops them, one line per step."""

import hashlib
import ipaddress
import os
import re
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from . import pypi
from .cluster import Cluster
from .containers import ImageError
from .kubesim import KubeSim
from .postgres import Postgres
from .process import StandError, becomes_free, free_port, make_directory
from .programs import PROGRAMS
from .site import Site
from .sudo import node_of, why_simulated

ROOT = Path(__file__).resolve().parents[2]
DATABASE = "fsa"
WORKERS = 8
QUICK = "-O1"  # compiles in little more than half the time of -O2 -g


class Machine:
    """Everything that runs: the cluster (unless the user has one), PostgreSQL, the site.

    The servers outlive this process, and the next one finds them again.

    emptied   whether the cluster was started anew, and so has lost its contents
    why_simulated   a line that says why pods are not real containers; None if they are
    """

    def __init__(self, state, console):
        self._state = state
        self._console = console
        self._prefix = state.directory / "program"
        self._logs = state.directory / "logs"
        self.emptied = False
        self.why_simulated = None
        self.containers = None
        self.cluster = self._make_cluster()
        self.kubeconfig = Path(
            state.settings["kubeconfig"] or state.directory / "demo.kubeconfig"
        )
        self.site = self._make_site()

    def start(self):
        images = self._begin_images()
        try:
            with self._console.step("build") as step:
                self._build(step)
            if images:
                self._finish_images(images)
        finally:
            if images:
                images.end()
        if isinstance(self.cluster, Cluster):
            with self._console.step("cluster programs") as step:
                self._build_cluster(step)
        if self.cluster:
            with self._console.step("cluster") as step:
                self._start_cluster(step)
        if self.containers:
            with self._console.step("node") as step:
                self.containers.start()
                step.result = f"containers; their addresses at port {self.containers.port}"
        with self._console.step("postgresql") as step:
            self._postgres.start()
            self._postgres.create_database(DATABASE)
            step.result = f"socket in {self._postgres.sockets}"
        with self._console.step("site") as step:
            self._start_site()
            step.result = self.site.url

    def stop(self, purge=False):
        """Stops everything; `purge` also removes what may be root's (the rest belongs to the user, who can remove
        it)."""
        node = self._node()
        if node:
            node.need_root(removal=purge)
        for name, server in (
            ("site", self.site),
            ("postgresql", self._postgres),
            ("node", node),
            ("cluster", self.cluster),
        ):
            if server:
                with self._console.step(name) as step:
                    step.note = "stopping"
                    server.stop()
                    step.result = "stopped"
        if node and purge:
            node.remove()

    def running(self):
        """Returns the names of the running programs."""
        return [name for name, pid, _ in self._processes() if pid]

    def about(self):
        """Returns what --status prints, as JSON has it."""
        settings = self._state.settings
        processes = {name: (pid, log) for name, pid, log in self._processes()}
        return {
            "site": self.site.url,
            "user": settings["user"],
            "password": settings["password"],
            "project": settings["project"],
            "database": self._postgres.conninfo(DATABASE, "fsa_owner"),
            "kubeconfig": str(self.kubeconfig),
            "adminKubeconfig": self._admin_kubeconfig(),
            "fsactl": f"{self._prefix}/sbin/fsactl --config {self.site.programs.config()}",
            "fsa": f"{self._prefix}/bin/fsa",
            "state": str(self._state.directory),
            "logs": str(self._logs),
            "processes": {
                name: {"pid": pid, "alive": pid is not None, "log": str(log)}
                for name, (pid, log) in processes.items()
            },
        }

    def _admin_kubeconfig(self):
        return str(self.cluster.admin_kubeconfig) if isinstance(self.cluster, Cluster) else None

    def _make_cluster(self):
        settings = self._state.settings
        if settings["kubeconfig"]:
            return None
        if settings["cluster"] == "real":
            return Cluster(self._state.directory / "cluster", outlive=True)
        if settings["containers"]:
            args = ["--kubelet=yes"]
        else:
            args = []
        kubesim = KubeSim(self._state.directory / "kubesim", self._state.directory / "build",
                          outlive=True, args=args)
        self.containers = self._node(kubesim) if settings["containers"] else None
        return kubesim

    def _node(self, kubesim=None):
        """Returns the node, running or not; None if there never was one."""
        port = self._state.settings["sandboxes_port"]
        if not port:
            return None
        return node_of(self._state.directory / "node", kubesim or self.cluster, port, outlive=True)

    def _make_site(self):
        settings = self._state.settings
        self._postgres = Postgres(self._state.directory / "postgres", outlive=True)
        site = Site(
            self._state.directory / "site",
            self._prefix,
            self._postgres,
            database=DATABASE,
            port=settings["port"],
            options={**self._addresses(), **(self.containers.options if self.containers else {}),
                     **settings["options"]},
            root=self._prefix / "share" / "fullstack-agent" / "web",
            sql_dir=ROOT / "sql",
            workers=WORKERS,
            drop_root=True,
            outlive=True,
        )
        self._postgres.grant(site.programs.grants())
        return site

    def _processes(self):
        programs, nginx = self.site.programs, self.site.nginx
        if self.cluster:
            for name, pid in self.cluster.status().items():
                yield name, pid, self.cluster.directory / "logs" / f"{name}.log"
        if self.containers:
            yield "node", self.containers.pid(), self.containers.log
        yield "postgres", self._postgres.pid(), self._postgres.log()
        for name in PROGRAMS:
            yield name, programs.pid(name), programs.log(name)
        yield "nginx", nginx.pid(), nginx.error_log

    # ---- containers ------------------------------------------------------------------------------

    def _begin_images(self):
        """Starts the build of the images, which runs beside ours; returns None if there will be no containers."""
        if not isinstance(self.cluster, KubeSim):
            return None
        self.why_simulated = why_simulated(self._console)
        if self.why_simulated and self._state.settings["containers"] and os.geteuid() != 0:
            raise StandError(f"{self.why_simulated}; what is in {self._state.directory} has them")
        if self.why_simulated:
            self._console.line(f"pods will only be simulated: {self.why_simulated}")
        self._choose_containers(self.why_simulated is None)
        if not self.containers:
            return None
        make_directory(self._logs)
        return self.containers.build(self._logs / "images.log")

    def _finish_images(self, images):
        try:
            with self._console.step("images") as step:
                step.note = "mmdebstrap"
                images.finish()
                step.result = f"in {self.containers.directory}"
        except ImageError as e:
            self.why_simulated = str(e)
            self._choose_containers(False)

    def _choose_containers(self, real):
        """Chooses real or simulated containers. After a change, the pods of the other kind are forgotten."""
        settings = self._state.settings
        if settings["containers"] == real:
            return
        self.cluster.stop()
        if real and not settings["sandboxes_port"]:
            settings["sandboxes_port"] = free_port()
        if not real and (node := self._node()):
            node.stop()
        settings["containers"] = real
        self._state.save()
        self.cluster = self._make_cluster()
        self.site = self._make_site()

    # ---- building -------------------------------------------------------------------------------

    def _build(self, step):
        """Builds from a copy of the sources in the state directory: the tree is not changed, and the servers need not
        be able to read the user's home."""
        make_directory(self._logs)
        source, build = self._state.directory / "src", self._state.directory / "build"
        log = self._logs / "build.log"
        log.unlink(missing_ok=True)
        run = _Runner(log, step)
        run([ROOT / "tools" / "copy-sources", source], "copying the sources")
        make_directory(build)
        # After an interrupted build, generated files may be incomplete, so configuring starts over. Objects are
        # complete: make removes those at which it is interrupted.
        complete = build / ".complete"
        if not complete.exists():
            run(["autoreconf", "-fi"], "autoreconf", cwd=source)
            run([source / "configure", f"--prefix={self._prefix}", f"CFLAGS={QUICK}"], "configure", cwd=build)
        complete.unlink(missing_ok=True)
        run(["make", f"-j{os.cpu_count()}"], "make", cwd=build, env=self._cache())
        run(["make", "install"], "make install", cwd=build, env=self._cache())
        complete.touch()
        step.result = f"installed in {self._prefix}"

    def _cache(self):
        """Returns an environment with a cache for building the console: a developer's, or else one that --purge
        removes."""
        own = {} if any(pypi.CACHE.glob("npm-*")) else {"FSA_CACHE": str(self._state.directory / "cache")}
        return {**os.environ, **own}

    def _build_cluster(self, step):
        """Builds the cluster's programs: the first time this takes minutes, later they come from a cache."""
        make_directory(self._logs)
        log = self._logs / "cluster-build.log"
        log.unlink(missing_ok=True)
        run = _Runner(log, step)
        output = run([ROOT / "tools" / "cluster" / "build"], "building Kubernetes (once)")
        step.result = f"in {output.splitlines()[-1]}"

    def _start_cluster(self, step):
        ran = any(self.cluster.status().values())
        self.cluster.start()
        self.emptied = isinstance(self.cluster, KubeSim) and not ran
        what = "kubesim" if isinstance(self.cluster, KubeSim) else "Kubernetes"
        step.result = f"{what} at {self.cluster.server}"

    # ---- the site -------------------------------------------------------------------------------

    def _start_site(self):
        self._choose_port()
        digest = self._digest()
        if self._state.settings["running"] != digest:
            self.site.stop()
        self.site.start()
        self._state.save(running=digest)

    def _choose_port(self):
        """Keeps the port of an earlier run unless another program has taken it since."""
        port = self._state.settings["port"]
        if not self.site.nginx.pid():
            self.site.nginx.stop()  # a killed nginx leaves workers, which hold the port
        if not port or (not self.site.nginx.pid() and not becomes_free(port)):
            self._state.settings["port"] = free_port()
            self.site = self._make_site()

    def _digest(self):
        """Returns a digest of everything whose change requires a restart of the site: programs, nginx's files,
        options."""
        digest = hashlib.sha256(repr(self.site.programs.options()).encode())
        for folder in (self._prefix / "libexec", self._prefix / "sbin", ROOT / "nginx"):
            for file in sorted(p for p in folder.rglob("*") if p.is_file()):
                digest.update(str(file).encode() + file.read_bytes())
        return digest.hexdigest()

    def _addresses(self):
        """Returns the option that lets the reconciler connect to this cluster's networks only."""
        if not self._state.settings["kubeconfig"]:
            return {}
        return {"kube_allow_addresses": " ".join(_private_networks(self.kubeconfig)) or None}


class _Runner:
    """Runs the commands of one step, with their output in its log and its last line beside the indicator."""

    def __init__(self, log, step):
        self._log = log
        self._step = step

    def __call__(self, command, what, cwd=None, env=None):
        """Runs a command; returns what it wrote to standard output."""
        self._step.note = what
        printed = []
        with open(self._log, "a") as log:
            process = subprocess.Popen(
                [str(word) for word in command],
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
            try:
                for line in process.stdout:
                    log.write(line)
                    log.flush()
                    printed.append(line)
                    if line.strip():
                        self._step.note = f"{what}: {line.strip()}"
            except KeyboardInterrupt:  # a terminal signals all processes, `kill` only us
                process.terminate()
                process.wait()
                raise
        if process.wait() != 0:
            tail = "".join(printed[-15:])
            raise StandError(f"{what} failed; see {self._log}, which ends:\n{tail}")
        return "".join(printed)


def _private_networks(kubeconfig):
    """Returns the non-public addresses of a kubeconfig's servers, as networks of one address each."""
    config = yaml.safe_load(kubeconfig.read_text())
    hosts = [urlsplit(entry["cluster"]["server"]).hostname for entry in config["clusters"]]
    for host in hosts:
        for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM):
            address = ipaddress.ip_address(re.sub("%.*", "", found[4][0]))
            if not address.is_global:
                yield f"{address}/{address.max_prefixlen}"
