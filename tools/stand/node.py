"""A real node: containerd, kubelet, kube-proxy, cluster DNS, a policy agent, an ingress controller.

    with World(directory / "world", **Node.WORLD) as world, world.network():
        with Cluster(directory / "cluster", simulated=False) as cluster:
            with Node(directory / "node", world, cluster, images=[archive]) as node:
                ...

It belongs to a Cluster without simulated nodes, and everything that it changes about the machine is
confined to a World. For machines with cgroups of version 1.
"""

import json
import subprocess
from pathlib import Path

import yaml

from .cluster import ClusterError
from .kube.components import SERVICES
from .process import accepts, make_directory, run
from .server import Server
from .world import make_cgroups

ROOT = Path(__file__).resolve().parents[2]
NAME = "node-1"
ADDRESS = "10.250.0.1"
PODS = "10.244.0.0/16"
DOMAIN = "cluster.local"
PROXY_PORTS = {"http": 80, "https": 443}


class Node(Server):
    """The one node of a Cluster. Its containers run until the World ends: kubelet does not end them.

    images   archives of container images, as runtime/build makes them
    pause    (archive, name) of the image that keeps a pod's namespaces
    volumes  how many volumes there are for claims, each a folder
    hosts    name → address, additional names for cluster DNS
    """

    # Kernel settings that kubelet requires and would otherwise change for the whole machine.
    WORLD = {
        "hidden": ("/run/containerd", "/var/lib/cni", "/var/log/pods", "/var/log/containers"),
        "values": {
            "vm/overcommit_memory": 1,
            "vm/panic_on_oom": 0,
            "kernel/panic": 10,
            "kernel/panic_on_oops": 1,
            "kernel/keys/root_maxkeys": 1000000,
            "kernel/keys/root_maxbytes": 25000000,
        },
    }

    def __init__(self, directory, world, cluster, images, pause, volumes=8, hosts=None):
        super().__init__(directory, "containerd", "kubelet", "kube-proxy", "coredns", "traefik",
                         "kube-router", patience=2)
        self._world = world
        self._cluster = cluster
        self._images = [*images, pause[0]]
        self._pause = pause[1]
        self._volumes = volumes
        self._hosts = hosts or {}
        self._programs = None
        self._socket = self.directory / "containerd.sock"

    def start(self):
        """Returns when pods can be scheduled and reached by an Ingress's address, and the NetworkPolicies are
        enforced."""
        make_directory(self.directory)
        if not make_cgroups(self._world.cgroup):
            raise ClusterError("a node needs cgroups of version 1 here")
        self._programs = build()
        self._make_network()
        self._start("containerd", "/usr/bin/containerd", "--config", self._containerd())
        self._processes["containerd"].wait_ready(lambda: self._ctr("version", check=False))
        for archive in self._images:
            self._ctr("--namespace", "k8s.io", "images", "import", archive)
        self._start("kubelet", self._programs / "kubelet", *self._kubelet())
        self._start("kube-proxy", self._programs / "kube-proxy", *self._kube_proxy())
        self._start("coredns", self._programs / "coredns", "-conf", self._coredns())
        self._make_volumes()
        self._make_ingress_class()
        self._start("traefik", self._programs / "traefik", *self._traefik(),
                    env={"KUBECONFIG": str(self._cluster.admin_kubeconfig)})
        self._processes["kubelet"].wait_ready(self._ready)
        self._start("kube-router", self._programs / "kube-router", *self._kube_router())
        self._processes["kube-router"].wait_ready(self._enforces)
        self._processes["coredns"].wait_ready(lambda: accepts((ADDRESS, 53)))
        for port in PROXY_PORTS.values():
            self._processes["traefik"].wait_ready(lambda at=port: accepts((ADDRESS, at)))

    def pid(self, name):
        """Returns the pid of the program itself, not of the nsenter that waits for it."""
        waiting = self._processes[name].pid()
        return int(Path(f"/proc/{waiting}/task/{waiting}/children").read_text().split()[0])

    def run(self, *command):
        """Runs a command in the node's namespaces; returns its output."""
        return run(self._world.inside(command), " ".join(map(str, command)))

    # ---- containerd ------------------------------------------------------------------------------

    def _containerd(self):
        cri = "io.containerd.grpc.v1.cri"
        unwanted = ("snapshotter.v1.devmapper", "snapshotter.v1.btrfs", "snapshotter.v1.zfs",
                    "snapshotter.v1.aufs", "internal.v1.tracing", "tracing.processor.v1.otlp")
        return self._write("containerd.toml", f"""\
version = 2
root = "{self.directory}/containerd"
state = "/run/containerd/state"
disabled_plugins = {json.dumps([f"io.containerd.{name}" for name in unwanted])}
[grpc]
address = "{self._socket}"
[plugins."io.containerd.internal.v1.opt"]
path = "{self.directory}/opt"
[plugins."{cri}"]
sandbox_image = "{self._pause}"
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
[plugins."{cri}".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."{cri}".containerd.runtimes.runc.options]
SystemdCgroup = false
[plugins."{cri}".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{self._cni()}"
""")

    def _cni(self):
        """Configures the pods' network: each pod is routed, so that all of its packets pass the node's rules."""
        folder = make_directory(self.directory / "cni")
        (folder / "10-pods.conflist").write_text(json.dumps({
            "cniVersion": "0.4.0",
            "name": "pods",
            "plugins": [{
                "type": "ptp",
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    "dataDir": "/var/lib/cni/addresses",
                    "ranges": [[{"subnet": PODS}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            }],
        }))
        return folder

    def _ctr(self, *words, check=True):
        command = self._world.inside(["ctr", "--address", str(self._socket), *map(str, words)])
        done = subprocess.run(command, capture_output=True, text=True)
        if check and done.returncode != 0:
            raise ClusterError(f"ctr {words[0]}: {done.stderr.strip()}")
        return done.stdout if done.returncode == 0 else None

    # ---- the network -----------------------------------------------------------------------------

    def _make_network(self):
        """Makes a bridge without ports, which holds the node's address: not every machine has dummy devices."""
        run(self._world.inside(["sh", "-euc", f"""
            ip link add node0 type bridge
            ip addr add {ADDRESS}/24 dev node0
            ip link set node0 up
            ip route add default dev node0 src {ADDRESS}
            echo 1 >/proc/sys/net/ipv4/ip_forward
        """]), "the node's network")

    def _kube_proxy(self):
        config = {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "nftables",
            "clientConnection": {"kubeconfig": str(self._cluster.admin_kubeconfig)},
            "hostnameOverride": NAME,
            "clusterCIDR": PODS,
            # The connection table belongs to the whole machine, so its size is not changed.
            "conntrack": {"maxPerCore": 0, "min": 0},
        }
        return [f"--config={self._write_yaml('kube-proxy.yaml', config)}"]

    def _coredns(self):
        hosts = "\n".join(f"\t\t{address} {name}" for name, address in self._hosts.items())
        return self._write("Corefile", f"""\
.:53 {{
	bind {ADDRESS}
	errors
	hosts {{
{hosts}
		fallthrough
	}}
	kubernetes {DOMAIN} {{
		kubeconfig {self._cluster.admin_kubeconfig} stand
	}}
	cache 5
}}
""")

    def _traefik(self):
        """Traefik, which understands the annotations of ingress-nginx that our manifests use."""
        return [
            *(f"--entrypoints.{name}.address={ADDRESS}:{port}"
              for name, port in PROXY_PORTS.items()),
            "--providers.kubernetesingressnginx=true",
            f"--providers.kubernetesingressnginx.publishstatusaddress={ADDRESS}",
            "--global.checknewversion=false",
            "--global.sendanonymoususage=false",
            "--log.level=INFO",
        ]

    def _kube_router(self):
        """kube-router with all features off but NetworkPolicies, which it enforces by iptables and ipset."""
        return [
            "--run-firewall=true",
            "--run-router=false",
            "--run-service-proxy=false",
            f"--kubeconfig={self._cluster.admin_kubeconfig}",
            f"--hostname-override={NAME}",
            f"--service-cluster-ip-range={SERVICES}",
            "--health-port=0",
        ]

    def _enforces(self):
        """Whether the packets of pods pass the policy agent's rules yet."""
        command = self._world.inside(["/usr/sbin/iptables", "--list-rules", "FORWARD"])
        done = subprocess.run(command, capture_output=True, text=True)
        return "-j KUBE-ROUTER-FORWARD" in done.stdout

    def _make_ingress_class(self):
        self._cluster.admin.apply("/apis/networking.k8s.io/v1/ingressclasses/nginx", {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {"name": "nginx"},
            "spec": {"controller": "k8s.io/ingress-nginx"},
        })

    # ---- kubelet ---------------------------------------------------------------------------------

    def _kubelet(self):
        config = {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": ADDRESS,
            "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": False},
                               "x509": {"clientCAFile": str(self._cluster.ca_file)}},
            "authorization": {"mode": "AlwaysAllow"},
            "containerRuntimeEndpoint": f"unix://{self._socket}",
            "cgroupRoot": f"/{self._world.cgroup}",
            "cgroupDriver": "cgroupfs",
            "failCgroupV1": False,
            "failSwapOn": False,
            "oomScoreAdj": 0,
            "protectKernelDefaults": True,
            "makeIPTablesUtilChains": False,
            "resolvConf": str(self._write("resolv.conf", "")),
            "clusterDNS": [ADDRESS],
            "clusterDomain": DOMAIN,
            "maxPods": 250,
            "volumePluginDir": str(make_directory(self.directory / "plugins")),
            "evictionHard": {"memory.available": "0%", "nodefs.available": "0%",
                             "nodefs.inodesFree": "0%", "imagefs.available": "0%"},
            "imageGCHighThresholdPercent": 100,
            "kubeAPIQPS": 100,
            "kubeAPIBurst": 200,
        }
        return [
            f"--config={self._write_yaml('kubelet.yaml', config)}",
            f"--kubeconfig={self._cluster.admin_kubeconfig}",
            f"--root-dir={self.directory / 'kubelet'}",
            f"--cert-dir={self.directory / 'kubelet-pki'}",
            f"--hostname-override={NAME}",
            f"--node-ip={ADDRESS}",
        ]

    def _ready(self):
        try:
            node = self._cluster.admin.get(f"/api/v1/nodes/{NAME}")
        except OSError:  # the API server is busy
            return False
        conditions = node["status"].get("conditions", []) if node else []
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

    # ---- volumes ---------------------------------------------------------------------------------

    def _make_volumes(self):
        """Makes volumes of the default class, of any size: each is a folder of the node."""
        for number in range(self._volumes):
            folder = make_directory(self.directory / "volumes" / str(number))
            name = f"volume-{number}"
            self._cluster.admin.apply(f"/api/v1/persistentvolumes/{name}", {
                "apiVersion": "v1",
                "kind": "PersistentVolume",
                "metadata": {"name": name},
                "spec": {
                    "capacity": {"storage": "100Gi"},
                    "accessModes": ["ReadWriteOnce"],
                    "persistentVolumeReclaimPolicy": "Retain",
                    "storageClassName": "standard",
                    "local": {"path": str(folder)},
                    "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
                        {"key": "kubernetes.io/hostname", "operator": "In", "values": [NAME]},
                    ]}]}},
                },
            })

    def folder(self, claim):
        """Returns the folder of a PersistentVolumeClaim."""
        number = claim["spec"]["volumeName"].removeprefix("volume-")
        return self.directory / "volumes" / number

    # ---- the rest --------------------------------------------------------------------------------

    def _start(self, name, *command, env=None):
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        env = {"PATH": path, "HOME": "/root", **(env or {})}
        self._processes[name].start(self._world.inside(list(map(str, command))), env=env)

    def _write(self, name, text):
        path = self.directory / name
        path.write_text(text)
        return path

    def _write_yaml(self, name, content):
        return self._write(name, yaml.safe_dump(content))


def build():
    """Returns the directory of the node's programs, and builds them first if they are not cached."""
    return Path(_last_line([ROOT / "tools" / "cluster" / "build", "--node"]))


def build_image(*words):
    """Returns (archive, name) of an image of runtime/, and builds it first if it is not cached."""
    done = subprocess.run([ROOT / "runtime" / "build", *words], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise ClusterError(f"runtime/build {' '.join(words)} failed, see above")
    archive, tag = done.stdout.split()
    return archive, tag


def _last_line(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise ClusterError(f"{command[0]} failed, see above")
    return done.stdout.splitlines()[-1]
