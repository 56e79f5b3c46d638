"""kubesim: a Kubernetes API server in memory that starts at once and can be told to fail.

    with KubeSim(directory, build) as cluster:
        kubeconfig = cluster.create_user("ada")
        cluster.fault(fault="unavailable", verb="apply", resource="statefulsets", count=3)
        cluster.effect(effect="crash", namespace="ns-ada")

It replaces stand.cluster.Cluster in tests that work with either; docs/kubesim.md lists the
faults and effects. Its contents are lost when it ends.
"""

import http.client
import json
import socket
from pathlib import Path

from .kube import billing, users
from .kube.api import Api
from .kube.pki import Authority
from .process import StandError, becomes_free, free_port
from .server import Server


class AdminError(StandError):
    """The admin socket refused a request; the message says why."""


def program(build):
    """Returns where a build directory has the program; it may not be built."""
    return Path(build) / "kubesim" / "kubesim"


class KubeSim(Server):
    """One kubesim in one directory.

    build    the directory with the program
    port     chosen when None; stable over an outage, and over restarts in the same directory
    outlive  the process survives this one
    seed     of everything in it that is random
    args     further flags, such as "--creating=5s"
    """

    def __init__(self, directory, build, port=None, outlive=False, seed=1, args=()):
        super().__init__(directory, "kubesim", outlive=outlive)
        self.port = port
        self.seed = seed
        self._program = program(build)
        self._args = tuple(args)
        self._socket = self.directory / "admin.sock"
        self._ca = None
        self._api = None

    @property
    def server(self):
        """The API server's URL, https://127.0.0.1:PORT."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def admin(self):
        """The cluster administrator's Api, with its get, apply and patch."""
        return self._api

    def api(self, method, path, body=None, **options):
        """Sends one request as cluster administrator; see Api."""
        return self._api(method, path, body, **options)

    def admin_access(self):
        """Returns how the administrator reaches it: its addresses, and the files of CA, certificate and key."""
        key, cert = self._authority().issue("admin", "admin", organization="system:masters")
        return {"server": self.server, "ca": str(self._ca.cert), "certificate": str(cert), "key": str(key)}

    def _authority(self):
        self._ca = self._ca or Authority(self.directory / "pki", "kubesim-ca")
        return self._ca

    def start(self):
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._choose_port()
        self._ca = Authority(self.directory / "pki", "kubesim-ca")
        key, cert = self._ca.issue("server", "kubesim", hosts=["127.0.0.1", "localhost"])
        admin = self._ca.issue("admin", "admin", organization="system:masters")
        self.process().start(
            [self._program, f"--port={self.port}", f"--seed={self.seed}", f"--tls-cert={cert}",
             f"--tls-key={key}", f"--client-ca={self._ca.cert}", f"--admin={self._socket}",
             *self._args],
            outlive=self._outlive,
        )
        self._api = Api(self.server, self._ca_data(), client_cert=admin)
        self.process().wait_ready(self._answers)
        self.admin.apply("/api/v1/namespaces/default", {
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})

    def stop_apiserver(self):
        """Begins an outage: connections are refused until start_apiserver(); no data is lost."""
        self.order("POST", "/outage")

    def start_apiserver(self):
        self.order("DELETE", "/outage")

    def create_user(self, name, namespace=None, enforce="baseline", quota=None, role="owner",
                    lifetime=7 * 24 * 3600):
        """Makes what is missing and returns the user's kubeconfig (YAML) with a fresh token. Like
        Cluster.create_user, but any lifetime is possible, even 0."""
        namespace = namespace or f"ns-{name}"
        users.make_namespace(self.admin, namespace, enforce, quota)
        order = {"name": user_name(name), "namespace": namespace, "role": role,
                 "lifetimeSeconds": lifetime}
        token = self.order("POST", "/users", order)["token"]
        return users.kubeconfig(self.server, self._ca_data(), name, namespace, token)

    def delete_user(self, name):
        """Deletes the user: their tokens answer 401 from then on, as after a rotation of the kubeconfig;
        create_user() gives a new one. The namespace stays."""
        self.order("DELETE", f"/users/{user_name(name)}")

    def suspend(self, namespace):
        """Does what Sealos does when the owner is in debt: users' changes are refused with 403 and code 40001."""
        billing.suspend(self.admin, namespace)

    def resume(self, namespace):
        billing.resume(self.admin, namespace)

    def fault(self, **rule):
        """Adds a fault of the API server and returns its id."""
        return self.order("POST", "/faults", rule)["id"]

    def effect(self, **rule):
        """Adds a fault inside the cluster, such as a crash, and returns its id."""
        return self.order("POST", "/effects", rule)["id"]

    def answer(self, namespace, answer):
        """What pods of that namespace answer to a GET through pods/proxy; None: nothing listens there."""
        self.order("POST", "/answers", {"namespace": namespace, "answer": answer})

    def end_fault(self, number):
        self.order("DELETE", f"/faults/{number}")

    def end_effect(self, number):
        self.order("DELETE", f"/effects/{number}")

    def heal(self):
        """Ends all faults and effects."""
        self.order("DELETE", "/faults")
        self.order("DELETE", "/effects")

    def counters(self):
        """Returns request counts: {"requests": total, "by": {"list pods 200": n}}."""
        return self.order("GET", "/counters")

    def writes(self, since=0):
        """Returns all creations, changes and deletions: {"next": n, "writes": [...]}."""
        return self.order("GET", f"/writes?since={since}")

    def order(self, method, path, body=None):
        """Sends one request to the admin socket; returns its JSON."""
        connection = _UnixConnection(self._socket)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status >= 400:
            raise AdminError(f"{method} {path}: {answer.status} {text.decode()}")
        return json.loads(text)

    def _choose_port(self):
        """Reuses the port of an earlier start, which kubeconfigs and the database contain."""
        known = self.directory / "port"
        if not self.port and known.exists():
            self.port = int(known.read_text())
            if not self.process().running() and not becomes_free(self.port):
                self.port = None
        self.port = self.port or free_port()
        known.write_text(f"{self.port}\n")

    def _ca_data(self):
        return self._ca.cert.read_text()

    def _answers(self):
        try:
            return self.order("GET", "/state")["serving"]
        except OSError:
            return False


def user_name(name):
    """The API server's name for a user."""
    return f"system:serviceaccount:{users.HOME}:{name}"


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("kubesim", timeout=60)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
