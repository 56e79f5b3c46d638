"""An Ethernet between machines, which can be cut off from it.

Its bridge is in the first machine's network namespace; nothing of it is in ours.
"""

from stand.process import run

BRIDGE = "lan"


class Network:
    """A network of running machines; a machine that reboots has to join again."""

    def __init__(self, hub, address):
        self._hub = hub
        self._ip(hub, f"link add {BRIDGE} type bridge")
        self._ip(hub, f"addr add {address}/24 dev {BRIDGE}")
        self._ip(hub, f"link set {BRIDGE} up")

    def join(self, machine, address):
        port = self._port(address)
        self._ip(self._hub, f"link add {port} type veth peer name eth0 netns {machine.leader()}")
        self._ip(machine, f"addr add {address}/24 dev eth0")
        self._ip(machine, "link set eth0 up")
        self._ip(self._hub, f"link set {port} up")
        self.mend(address)

    def cut(self, address):
        """Cuts off a machine as if a switch had failed: its link is up, and nothing arrives."""
        self._ip(self._hub, f"link set {self._port(address)} nomaster")

    def mend(self, address):
        self._ip(self._hub, f"link set {self._port(address)} master {BRIDGE}")

    @staticmethod
    def _port(address):
        return "port" + address.rpartition(".")[2]

    @staticmethod
    def _ip(machine, words):
        run(["nsenter", f"--target={machine.leader()}", "--net", "ip", *words.split()], "ip")
