"""A real Kubernetes cluster on loopback: for the tests, and for the quick start.

From Python:

    with Cluster(directory) as cluster:
        kubeconfig = cluster.create_user("ada")
        cluster.api("GET", "/api/v1/namespaces/ns-ada/pods")

From a shell, with PYTHONPATH=tools, for a cluster that outlives the command:

    python3 -m stand.cluster --dir DIR start [--port N]
    python3 -m stand.cluster --dir DIR user NAME [--namespace NS] > kubeconfig
    python3 -m stand.cluster --dir DIR status [--json]
    python3 -m stand.cluster --dir DIR stop

etcd, API server, controller manager and scheduler are the real ones, kwok plays the nodes and
tools/cluster/kubeblocks plays KubeBlocks. Everything lies in DIR: keys, data, pids, logs/.
"""

import argparse
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from .kube import billing, components, users
from .kube.api import Api, ApiError
from .process import PATIENCE, StandError, free_port, port_is_free
from .server import Server

NODES = {"node-1": ("64", "256Gi"), "node-2": ("64", "256Gi")}
PORTS = ("etcd", "etcd-peer", "kube-apiserver", "kube-controller-manager", "kube-scheduler")


class ClusterError(StandError):
    """The cluster cannot be started or used; the message names the component, the cause and its log."""


class Cluster(Server):
    """One cluster in one directory.

    port     the API server's, stable over restarts in the same directory; chosen when None
    outlive  the processes survive this one; otherwise the kernel ends them with it
    nodes    name → (cpu, memory): what does not fit is unschedulable
    kubeblocks_args  flags of the KubeBlocks stand-in, such as "--creating=5s"
    simulated  nodes and volumes are kwok's; otherwise there are none, see Node
    """

    def __init__(self, directory, port=None, outlive=False, nodes=None, kubeblocks_args=(),
                 simulated=True):
        # All components survive crashes. SIGTERM is worse: after it, an API server that has lost its etcd lingers for
        # a minute and blocks the next start.
        super().__init__(directory, *components.NAMES, stop_signal=signal.SIGKILL, outlive=outlive)
        self.admin_kubeconfig = self.directory / "admin.kubeconfig"
        self._port = port
        self._simulated = simulated
        self._nodes = (NODES if nodes is None else nodes) if simulated else {}
        self._kubeblocks_args = tuple(kubeblocks_args)
        self._launched = []
        self._setup = None
        self._programs = None
        self._admin = None

    @property
    def server(self):
        """The API server's URL, https://127.0.0.1:PORT."""
        return self._configured().server

    def api(self, method, path, body=None, **options):
        """Sends one request as cluster administrator; see Api."""
        return self.admin(method, path, body, **options)

    @property
    def admin(self):
        """The administrator's Api, with its get, apply and patch."""
        if not self._admin:
            setup = self._configured()
            self._admin = Api(setup.server, setup.ca_data(), client_cert=setup.clients["admin"])
        return self._admin

    @property
    def ca_file(self):
        """The CA that signs the certificates of the cluster's programs."""
        return self._configured().ca.cert

    def start(self):
        """Starts what is not running; returns when everything works.

        A start that fails ends only what it has started itself.
        """
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._locked():
            try:
                self._start()
            except BaseException:
                self._end(self._launched)
                raise

    def _start(self):
        self._launched = []
        self._programs = build()
        self._choose_ports()
        self._launch("etcd", "kube-apiserver")
        self._wait("kube-apiserver", self._serves)
        self._launch("kube-controller-manager", "kube-scheduler")
        if self._simulated:
            self._launch("kwok")
        self._install()
        self._launch("kubeblocks")
        self._wait("kwok", self._nodes_ready)
        self._wait("kube-controller-manager", self._default_account)
        kubeblocks = self._processes["kubeblocks"]
        self._wait("kubeblocks", lambda: kubeblocks.has_logged("watching clusters"))

    def stop(self):
        """Ends all processes of this directory, including those of earlier runs."""
        if self.directory.exists():
            with self._locked():
                self._end(components.NAMES)

    def _end(self, names):
        for name in reversed(names):
            self._processes[name].stop()

    @contextlib.contextmanager
    def _locked(self):
        """Lets only one process at a time start or stop the servers of this directory."""
        with open(self.directory / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def stop_apiserver(self):
        """Begins an outage: connections are refused until start_apiserver(); no data is lost."""
        self._processes["kube-apiserver"].stop()

    def start_apiserver(self):
        """Ends the outage: the API server has the same port and data as before."""
        self._launched = []
        self._programs = self._programs or build()
        self._launch("kube-apiserver")
        self._wait("kube-apiserver", self._serves)
        # A scheduler that missed deletions during the outage may find its cache corrupted and exit a moment later. A
        # kubelet would restart it; here it is restarted at once.
        self._processes["kube-scheduler"].stop()
        self._launch("kube-scheduler")

    def create_user(self, name, namespace=None, enforce="baseline", quota=None, role="owner",
                    lifetime=7 * 24 * 3600):
        """Makes what is missing and returns the user's kubeconfig (YAML) with a fresh token.

        namespace  ns-<name> when None
        enforce    Pod Security level: privileged, baseline or restricted
        quota      changes of users.QUOTA, such as {"pods": "2"}
        role       owner (everything in the namespace) or developer (reads only)
        lifetime   seconds the token is good for, at least 600
        """
        namespace = namespace or f"ns-{name}"
        users.make_namespace(self.admin, namespace, enforce, quota)
        users.make_user(self.admin, name, namespace, role)
        token = users.issue_token(self.admin, name, lifetime)
        setup = self._configured()
        return users.kubeconfig(setup.server, setup.ca_data(), name, namespace, token)

    def delete_user(self, name):
        """Deletes the user: their tokens answer 401 from then on. The namespace stays."""
        users.delete_user(self.admin, name)

    def suspend(self, namespace):
        """Does what Sealos does when the owner is in debt: users' changes are refused with 403 and code 40001."""
        billing.suspend(self.admin, namespace)

    def resume(self, namespace):
        """Lifts the suspension: changes are allowed again; nothing is scaled back up."""
        billing.resume(self.admin, namespace)

    def _configured(self):
        """Returns the ports and keys, from this process's start or from an earlier one."""
        if not self._setup:
            ports = components.load_ports(self._ports_file)
            if not ports:
                raise ClusterError(f"no cluster has been started in {self.directory}")
            self._setup = components.Setup(self.directory, ports, self._kubeblocks_args)
        return self._setup

    @property
    def _ports_file(self):
        return self.directory / "ports.json"

    def _choose_ports(self):
        """Reuses the ports of an earlier start, except those that another program has taken."""
        ports = components.load_ports(self._ports_file)
        if self._port and ports.get("kube-apiserver") != self._port:
            if self._processes["kube-apiserver"].running():
                raise ClusterError(f"the cluster already runs on {ports['kube-apiserver']}")
            ports["kube-apiserver"] = self._port
        for name in PORTS:
            owner = self._processes["etcd" if name == "etcd-peer" else name]
            usable = name in ports and (owner.running() or port_is_free(ports[name]))
            if not usable:
                ports[name] = self._new_port(name, ports.values())
        components.save_ports(self._ports_file, ports)
        self._setup = self._admin = None

    def _new_port(self, name, taken):
        if name == "kube-apiserver" and self._port:
            raise ClusterError(f"port {self._port} is in use by another program")
        while (port := free_port()) in taken:
            pass
        return port

    def _launch(self, *names):
        setup = self._configured()
        env = dict(os.environ, KWOK_WORKDIR=str(self.directory / "kwok"))
        for name in names:
            if not self._processes[name].running():
                self._launched.append(name)
                command = [self._programs / name, *setup.command(name)]
                self._processes[name].start(command, env=env, outlive=self._outlive)

    def _install(self):
        """Installs what a cluster has before its first user: nodes, volumes, billing, KubeBlocks."""
        for name, (cpu, memory) in self._nodes.items():
            node = components.node(name, cpu, memory)
            self.admin.apply(f"/api/v1/nodes/{name}", node)
            self.admin.apply(f"/api/v1/nodes/{name}/status", node)
        storage = components.storage_class(self._simulated)
        path = "/apis/storage.k8s.io/v1/storageclasses/"
        self.admin.apply(path + storage["metadata"]["name"], storage)
        billing.install(self.admin)
        crd = components.cluster_definition()
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/" + crd["metadata"]["name"]
        self.admin.apply(path, crd)
        self._wait("kube-apiserver", lambda: _condition(self.admin.get(path), "Established"))

    def _wait(self, component, check, seconds=PATIENCE):
        """Waits until check() is true; fails early if a component that was just launched has died."""
        end = time.monotonic() + seconds
        while not self._holds(check):
            for name in self._launched:
                if not self._processes[name].running():
                    self._fail(name, "ended")
            if time.monotonic() > end:
                self._fail(component, f"is not ready after {seconds} s")
            time.sleep(0.05)

    @staticmethod
    def _holds(check):
        try:
            return check()
        except (OSError, ApiError):  # not created yet, or without some of its roles
            return False

    def _fail(self, name, what):
        process = self._processes[name]
        tail = process.log_tail(15)
        raise ClusterError(f"{name} {what}; see {process.log}, which ends:\n{tail}")

    def _serves(self):
        return self.admin("GET", "/readyz", timeout=10)["message"] == "ok"

    def _nodes_ready(self):
        nodes = self.admin("GET", "/api/v1/nodes")["items"]
        return len(nodes) >= len(self._nodes) and all(_condition(n, "Ready") for n in nodes)

    def _default_account(self):
        """Whether the controller manager has created the default ServiceAccount; pods are refused before that."""
        return self.admin.get("/api/v1/namespaces/default/serviceaccounts/default") is not None


def build():
    """Returns the directory of the programs, and builds them first if they are not cached."""
    command = [components.SOURCES / "build"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise ClusterError(f"{command[0]} failed, see above")
    return Path(done.stdout.splitlines()[-1])


def _condition(obj, name):
    conditions = obj.get("status", {}).get("conditions") if obj else None
    return any(c["type"] == name and c["status"] == "True" for c in conditions or [])


def main(args=None):
    options = _parser().parse_args(args)
    cluster = Cluster(options.dir, port=getattr(options, "port", None), outlive=True)
    try:
        return _ACTIONS[options.action](cluster, options)
    except (ClusterError, ApiError, OSError) as e:
        print(f"cluster: {e}", file=sys.stderr)
        return 1


def _parser():
    parser = argparse.ArgumentParser(prog="stand.cluster", description=__doc__.split("\n")[0])
    parser.add_argument("--dir", required=True, help="where everything of the cluster lies")
    actions = parser.add_subparsers(dest="action", required=True)
    start = actions.add_parser("start", help="start what does not run")
    start.add_argument("--port", type=int, help="the API server's port")
    actions.add_parser("stop", help="end every process of the cluster")
    status = actions.add_parser("status", help="say what runs; 1 unless everything does")
    status.add_argument("--json", action="store_true")
    user = actions.add_parser("user", help="make a user, print the kubeconfig")
    user.add_argument("name")
    user.add_argument("--namespace")
    user.add_argument("--enforce", default="baseline", help="Pod Security level")
    return parser


def _start(cluster, _options):
    cluster.start()
    print(f"{cluster.server}  admin: {cluster.admin_kubeconfig}")
    return 0


def _stop(cluster, _options):
    cluster.stop()
    return 0


def _status(cluster, options):
    status = cluster.status()
    if options.json:
        print(json.dumps({"directory": str(cluster.directory), "components": status}))
    else:
        for name, pid in status.items():
            print(f"{name:24} {pid or 'not running'}")
    return 0 if all(status.values()) else 1


def _user(cluster, options):
    print(cluster.create_user(options.name, options.namespace, options.enforce), end="")
    return 0


_ACTIONS = {"start": _start, "stop": _stop, "status": _status, "user": _user}

if __name__ == "__main__":
    sys.exit(main())
