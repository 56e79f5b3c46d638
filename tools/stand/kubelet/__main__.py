"""The loop: what is desired is read, what is there is brought closer to it, what became of it is told."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import requests

from .api import Api
from .ingress import Ingress
from .network import Network
from .pod import Pod
from .runtime import Runtime
from .volumes import Volumes

PAUSE = 0.25
KINDS = {
    "pods": "/api/v1/pods",
    "services": "/api/v1/services",
    "claims": "/api/v1/persistentvolumeclaims",
    "namespaces": "/api/v1/namespaces",
    "policies": "/apis/networking.k8s.io/v1/networkpolicies",
    "ingresses": "/apis/networking.k8s.io/v1/ingresses",
}


class Kubelet:
    """What runs on this node, and what it is to be."""

    def __init__(self, config):
        directory = Path(config["directory"])
        self._api = Api(config["server"], config["ca"], config["certificate"], config["key"])
        self._network = Network(directory)
        self._ingress = Ingress(directory / "ingress", config["port"], self._network)
        self._runtime = Runtime(directory, config["images"], config["cgroup"])
        self._volumes = Volumes(directory / "volumes")
        self._pods = {}  # uid → Pod
        self._desired = {kind: [] for kind in KINDS}
        self._version = None
        self._ready = directory / "ready"

    def start(self):
        self._network.start()
        self._ingress.start()
        self._ready.touch()

    def turn(self):
        try:
            changed = self._read()
        except requests.RequestException as e:
            print(f"kubesim does not answer: {e}", flush=True)
            return
        if changed:
            self._sync()
        for uid, pod in list(self._pods.items()):
            self._turn(pod)
            if pod.gone:
                del self._pods[uid]
        if changed:
            self._network.enforce(self._desired, self._pods.values())
            self._ingress.serve(self._desired, self._pods.values())

    def stop(self):
        """As at a shutdown: pods get their grace, and are what they were at the next start."""
        for pod in self._pods.values():
            pod.end(tell=False)
        while any(not pod.gone for pod in self._pods.values()):
            for pod in self._pods.values():
                pod.turn()
            time.sleep(0.05)
        self._ingress.stop()

    @staticmethod
    def _turn(pod):
        try:
            pod.turn()
        except requests.RequestException as e:  # it is tried again at the next turn
            print(f"{pod.namespace}/{pod.name}: {e}", flush=True)

    def _read(self):
        """Whether anything has changed: a list names the version of all there is."""
        pods = self._api.list(KINDS["pods"])
        if pods["metadata"]["resourceVersion"] == self._version:
            return False
        self._desired = {kind: pods["items"] if kind == "pods" else self._api.list(path)["items"]
                         for kind, path in KINDS.items()}
        self._version = pods["metadata"]["resourceVersion"]
        return True

    def _sync(self):
        mine = {pod["metadata"]["uid"]: pod for pod in self._desired["pods"]
                if pod["spec"].get("nodeName")}
        for uid, pod in self._pods.items():
            if uid not in mine:
                pod.end(tell=False)
        for uid, wanted in mine.items():
            if uid not in self._pods:
                self._pods[uid] = Pod(wanted, self._api, self._network, self._runtime, self._volumes)
            self._pods[uid].desire(wanted)
        self._volumes.sync(self._desired["claims"])
        self._network.name(self._desired["services"], self._pods.values())


def main():
    config = json.loads(Path(sys.argv[1]).read_text())
    ended = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.append(True))
    kubelet = Kubelet(config)
    try:
        kubelet.start()
    except (OSError, subprocess.CalledProcessError) as e:
        sys.exit(f"kubelet: {e}: {getattr(e, 'stderr', '') or ''}")
    while not ended:
        kubelet.turn()
        time.sleep(PAUSE)
    kubelet.stop()


main()
