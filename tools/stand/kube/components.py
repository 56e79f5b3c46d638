"""The command line of every component of the cluster. All of them listen on 127.0.0.1 only."""

import json
from pathlib import Path

import yaml

from .pki import Authority, signing_key

SOURCES = Path(__file__).resolve().parents[2] / "cluster"

# In the order of starting; they are stopped in reverse order.
NAMES = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kwok",
    "kubeblocks",
)

SERVICES = "10.96.0.0/16"  # the addresses of Services; the API server has the first

HOSTS = ("127.0.0.1", "localhost", "kubernetes", "kubernetes.default.svc", "10.96.0.1")


class Setup:
    """What the command lines share: the directory, the ports, keys and kubeconfigs."""

    def __init__(self, directory, ports, kubeblocks_args=()):
        self.directory = Path(directory)
        self.ports = ports
        self.kubeblocks_args = kubeblocks_args
        self.server = f"https://127.0.0.1:{ports['kube-apiserver']}"
        self._make_keys(self.directory / "pki")
        self.admin_kubeconfig = self.kubeconfig("admin")

    def _make_keys(self, pki):
        # etcd has its own CA: a certificate for the API server must not give access to etcd.
        self.etcd_ca = Authority(pki, "etcd-ca")
        self.etcd_pair = self.etcd_ca.issue("etcd", "etcd", hosts=HOSTS[:2])
        self.ca = Authority(pki, "ca")
        self.server_pair = self.ca.issue("kube-apiserver", "kube-apiserver", hosts=HOSTS)
        self.account_private, self.account_public = signing_key(pki, "service-accounts")
        manager, scheduler = "kube-controller-manager", "kube-scheduler"
        self.clients = {
            "admin": self.ca.issue("admin", "admin", "system:masters"),
            manager: self.ca.issue(f"{manager}-client", f"system:{manager}"),
            scheduler: self.ca.issue(f"{scheduler}-client", f"system:{scheduler}"),
        }

    def ca_data(self):
        return self.ca.cert.read_text()

    def kubeconfig(self, client):
        """Returns the path of a kubeconfig that uses the client's certificate."""
        key, cert = self.clients[client]
        user = {"client-certificate": str(cert), "client-key": str(key)}
        cluster = {"server": self.server, "certificate-authority": str(self.ca.cert)}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "stand", "cluster": cluster}],
            "users": [{"name": client, "user": user}],
            "contexts": [{"name": "stand", "context": {"cluster": "stand", "user": client}}],
            "current-context": "stand",
        }
        return self._write(f"{client}.kubeconfig", config)

    def command(self, name):
        """Returns the arguments of the program."""
        return _COMMANDS[name](self)

    def _write(self, name, content):
        """Writes the file atomically: a program from an earlier start may be reading it."""
        path = self.directory / name
        temp = path.with_suffix(".tmp")
        temp.write_text(yaml.safe_dump(content, sort_keys=False))
        return temp.rename(path)

    def _etcd(self):
        client = f"https://127.0.0.1:{self.ports['etcd']}"
        peer = f"https://127.0.0.1:{self.ports['etcd-peer']}"
        key, cert = self.etcd_pair
        return [
            f"--data-dir={self.directory / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            f"--cert-file={cert}",
            f"--key-file={key}",
            f"--trusted-ca-file={self.etcd_ca.cert}",
            "--client-cert-auth",
            f"--peer-cert-file={cert}",
            f"--peer-key-file={key}",
            f"--peer-trusted-ca-file={self.etcd_ca.cert}",
            "--peer-client-cert-auth",
            # Data survives kill -9 but not a power cut: enough for the stand, and much faster on slow disks.
            "--unsafe-no-fsync",
            "--log-level=warn",
        ]

    def _apiserver(self):
        key, cert = self.server_pair
        etcd_key, etcd_cert = self.etcd_pair
        return [
            "--bind-address=127.0.0.1",
            f"--secure-port={self.ports['kube-apiserver']}",
            # A loopback address is refused as an endpoint of the Service "kubernetes", so it gets none.
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            f"--tls-cert-file={cert}",
            f"--tls-private-key-file={key}",
            f"--client-ca-file={self.ca.cert}",
            f"--etcd-servers=https://127.0.0.1:{self.ports['etcd']}",
            f"--etcd-cafile={self.etcd_ca.cert}",
            f"--etcd-certfile={etcd_cert}",
            f"--etcd-keyfile={etcd_key}",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self.account_public}",
            f"--service-account-signing-key-file={self.account_private}",
            f"--service-cluster-ip-range={SERVICES}",
            "--profiling=false",
        ]

    def _controller_manager(self):
        config = self.kubeconfig("kube-controller-manager")
        return [
            *self._serving("kube-controller-manager", config),
            f"--kubeconfig={config}",
            "--leader-elect=false",
            "--use-service-account-credentials",
            f"--service-account-private-key-file={self.account_private}",
            f"--root-ca-file={self.ca.cert}",
            # The default of 20 requests a second would be the bottleneck of every load test.
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
            "--concurrent-statefulset-syncs=20",
        ]

    def _scheduler(self):
        config = self.kubeconfig("kube-scheduler")
        settings = {
            "apiVersion": "kubescheduler.config.k8s.io/v1",
            "kind": "KubeSchedulerConfiguration",
            "leaderElection": {"leaderElect": False},
            "clientConnection": {"kubeconfig": str(config), "qps": 500, "burst": 1000},
            "podMaxBackoffSeconds": 2,
        }
        return [
            *self._serving("kube-scheduler", config),
            f"--config={self._write('kube-scheduler.yaml', settings)}",
        ]

    def _serving(self, name, config):
        return [
            "--bind-address=127.0.0.1",
            f"--secure-port={self.ports[name]}",
            f"--cert-dir={self.directory / 'pki' / name}",
            f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}",
            # Our API server has no aggregation layer from which to look up the rest.
            "--authentication-skip-lookup",
        ]

    def _kwok(self):
        stages = [f"--config={path}" for path in sorted((SOURCES / "kwok").glob("*.yaml"))]
        return [
            f"--kubeconfig={self.admin_kubeconfig}",
            "--manage-all-nodes=true",
            "--cidr=10.244.0.1/16",
            # Without Leases, nodes would count as lost every 50 s, and their pods as not ready.
            "--node-lease-duration-seconds=40",
            *stages,
        ]

    def _kubeblocks(self):
        return [f"--kubeconfig={self.admin_kubeconfig}", *self.kubeblocks_args]


_COMMANDS = {
    "etcd": Setup._etcd,
    "kube-apiserver": Setup._apiserver,
    "kube-controller-manager": Setup._controller_manager,
    "kube-scheduler": Setup._scheduler,
    "kwok": Setup._kwok,
    "kubeblocks": Setup._kubeblocks,
}


def node(name, cpu, memory):
    """A Node of a size; kwok keeps it Ready."""
    size = {"cpu": cpu, "memory": memory, "ephemeral-storage": "100Gi", "pods": "1000"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "status": {"capacity": size, "allocatable": size},
    }


def storage_class(simulated=True):
    """The default class. Its volumes are provisioned by the Stages in tools/cluster/kwok/ if `simulated`, else by
    nobody."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": "standard",
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "stand.fullstackagent.io/volume" if simulated
        else "kubernetes.io/no-provisioner",
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
    }


def cluster_definition():
    """The CustomResourceDefinition of the KubeBlocks Cluster."""
    return yaml.safe_load((SOURCES / "kubeblocks" / "crd.yaml").read_text())


def save_ports(path, ports):
    path.write_text(json.dumps(ports))


def load_ports(path):
    return json.loads(path.read_text()) if path.exists() else {}
