"""The node's network: an address for each pod, names for services, and a way out to the internet.

Each pod has its own link to the node, so that every packet between pods is routed and passes the
rules that policy.py makes. Outgoing connections go through slirp4netns, an ordinary program that opens
them as the machine's own, so the machine's network configuration is not changed.
"""

import contextlib
import ctypes
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

from . import policy, users

GATEWAY = "10.244.0.1"
OUTSIDE = "10.246.0.0/24"
DNS = "10.246.0.3"  # slirp4netns answers DNS queries here, using the machine's resolver
FIRST = 16  # number of the first pod's address
CLONE_NEWNET = 0x40000000
LOOPBACK = "127."

_libc = ctypes.CDLL(None, use_errno=True)


class Network:
    """The node's own network namespace, and one for each pod."""

    def __init__(self, directory):
        self._directory = Path(directory)
        self._spaces = self._directory / "net"
        self._hosts = self._directory / "hosts"
        self._addresses = {}  # (namespace, pod) → number; never reused, so that a name always means the same address
        self._rules = None
        self._guarded = set()  # pod addresses that the rules in force know
        self._outside = None

    def start(self):
        self._spaces.mkdir(exist_ok=True)
        run("mount", "-n", "-t", "tmpfs", "-o", "mode=755,size=1m", "tmpfs", self._spaces)
        self._hosts.mkdir(exist_ok=True)
        (self._directory / "resolv.conf").write_text(f"nameserver {DNS}\noptions timeout:2\n")
        users.make(self._spaces / users.FILE)
        self._make_space("node")
        self.inside("ip", "link", "set", "lo", "up")
        self.inside("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
        self._open_outside()

    @property
    def node(self):
        return self._spaces / "node"

    @property
    def resolver(self):
        return self._directory / "resolv.conf"

    def hosts(self, namespace):
        """Returns the hosts file for the pods of a namespace."""
        file = self._hosts / namespace
        if not file.exists():
            file.write_text("127.0.0.1 localhost\n")
        return file

    def inside(self, *command, stdin=None):
        return run("nsenter", f"--net={self.node}", *command, stdin=stdin)

    def add(self, namespace, name, uid):
        """Makes the pod's network; returns (its path, its address)."""
        number = self._addresses.setdefault((namespace, name), FIRST + len(self._addresses))
        address = f"10.244.{number // 256}.{number % 256}"
        link, space = f"pod{number}", self._spaces / uid
        users.make_network(self._spaces / users.FILE, space)
        with contextlib.suppress(subprocess.CalledProcessError):
            self.inside("ip", "link", "del", link)  # left by the previous pod with this number
        self.inside("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", space)
        self.inside("sh", "-euc", f"""
            ip addr add {GATEWAY}/32 dev {link}
            ip link set {link} up
            ip route replace {address}/32 dev {link}
        """)
        run("nsenter", f"--net={space}", "sh", "-euc", f"""
            ip link set lo up
            ip addr add {address}/32 dev eth0
            ip link set eth0 up
            ip route add {GATEWAY} dev eth0
            ip route add default via {GATEWAY}
            echo 0 2147483647 >/proc/sys/net/ipv4/ping_group_range
        """)
        return space, address

    def remove(self, uid):
        """Removes the pod's network, including its link unless another pod has taken that over."""
        space = self._spaces / uid
        if space.exists():
            run("umount", "-n", "--lazy", space)
            space.unlink()

    def name(self, services, pods):
        """Writes the names of services to the hosts files that the pods of each namespace have mounted."""
        lines = {}
        for pod in pods:
            if pod.address:
                lines.setdefault(pod.namespace, []).append(f"{pod.address} {pod.name}")
        for service in services:
            name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
            for pod in backends(service, pods):
                names = (name, f"{name}.{namespace}", f"{name}.{namespace}.svc",
                         f"{name}.{namespace}.svc.cluster.local")
                lines.setdefault(namespace, []).append(f"{pod.address} {' '.join(names)}")
        for namespace, found in lines.items():
            text = "\n".join(["127.0.0.1 localhost", *found, ""])
            file = self.hosts(namespace)
            if file.read_text() != text:
                file.write_text(text)  # in place, because pods have this file mounted

    def enforce(self, desired, pods):
        """Enforces the NetworkPolicies by nftables rules."""
        rules = policy.rules(desired["policies"], desired["namespaces"], pods, machine_addresses())
        if rules != self._rules:
            self.inside("nft", "-f", "-", stdin=rules)
            self._rules = rules
        self._guarded = {pod.address for pod in pods}

    def guards(self, address):
        """Whether the policies are in force for a pod; nothing may run in it before they are."""
        return address in self._guarded

    def accepts(self, address, port):
        """Whether a port of a pod accepts connections."""
        with self._entered(), socket.socket() as s:
            s.settimeout(1)
            return s.connect_ex((address, port)) == 0

    @contextlib.contextmanager
    def _entered(self):
        with open("/proc/thread-self/ns/net") as ours, open(self.node) as theirs:
            _enter(theirs)
            try:
                yield
            finally:
                _enter(ours)

    def _make_space(self, name):
        path = self._spaces / name
        path.touch()
        run("unshare", f"--net={path}", "true")
        return path

    def _open_outside(self):
        """Opens the way to the internet. Without slirp4netns or /dev/net/tun, pods can only reach each other."""
        program = shutil.which("slirp4netns")
        if not program or not os.path.exists("/dev/net/tun"):
            print("no way to the internet: slirp4netns or /dev/net/tun is not here", flush=True)
            return
        self._outside = subprocess.Popen(
            [program, "--configure", "--mtu=65520", "--disable-host-loopback", "--enable-sandbox",
             f"--cidr={OUTSIDE}", "--netns-type=path", str(self.node), "tap0"], stdin=subprocess.DEVNULL)


def machine_addresses():
    """Returns the machine's own addresses, including those of other programs' bridges; they may change while we run.
    We are in the machine's network."""
    table = Path("/proc/self/net/fib_trie").read_text()
    found = set(re.findall(r"\|-- (\S+)\n\s+/32 host LOCAL", table))
    return {address for address in found if not address.startswith(LOOPBACK)}


def backends(service, pods):
    """Returns the pods behind a Service."""
    selector = (service["spec"].get("selector") or {}).items()
    return [pod for pod in pods
            if pod.namespace == service["metadata"]["namespace"] and selector and pod.address
            and selector <= pod.labels.items()]


def run(*command, stdin=None):
    words = [str(word) for word in command]
    return subprocess.run(words, check=True, capture_output=True, text=True, input=stdin or "").stdout


def _enter(namespace):
    if _libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
