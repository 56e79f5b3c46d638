"""The loop: reads the desired state, brings the node closer to it, and reports the result."""

import json
import shutil
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
from ..process import make_directory

PAUSE = 0.25
OF_A_RUN = ("bundles", "scratch", "ingress")  # left behind by a run that was killed; they contain variables
# another user of this machine may have the same uid as a container
PRIVATE = ("bundles", "scratch", "output", "volumes")
KINDS = {
    "pods": "/api/v1/pods",
    "services": "/api/v1/services",
    "claims": "/api/v1/persistentvolumeclaims",
    "namespaces": "/api/v1/namespaces",
    "policies": "/apis/networking.k8s.io/v1/networkpolicies",
    "ingresses": "/apis/networking.k8s.io/v1/ingresses",
}


class Kubelet:
    """The node: what runs on it, and what should."""

    def __init__(self, config):
        directory = Path(config["directory"])
        for name in OF_A_RUN:
            shutil.rmtree(directory / name, ignore_errors=True)
        for name in PRIVATE:
            make_directory(directory / name, mode=0o700)
        self._api = Api(config["server"], config["ca"], config["certificate"], config["key"])
        self._network = Network(directory)
        self._ingress = Ingress(directory / "ingress", config["port"], self._network)
        self._runtime = Runtime(directory, config["images"], config["cgroup"])
        self._volumes = Volumes(directory / "volumes")
        self._pods = {}  # uid → Pod
        self._desired = {kind: [] for kind in KINDS}
        self._version = None
        self._said = {}  # object → the error last printed about it
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
            self._try("what is desired", self._sync)
        for uid, pod in list(self._pods.items()):
            self._try(f"{pod.namespace}/{pod.name}", pod.turn)
            if pod.gone:
                del self._pods[uid]
        self._try("policies", self._network.enforce, self._desired, self._pods.values())
        if changed:
            self._try("ingress", self._ingress.serve, self._desired, self._pods.values())

    def stop(self):
        """Shuts the node down: pods get their grace period; they run again at the next start."""
        for pod in self._pods.values():
            pod.end(tell=False)
        while any(not pod.gone for pod in self._pods.values()):
            for pod in self._pods.values():
                pod.turn()
            time.sleep(0.05)
        self._ingress.stop()

    def _try(self, what, do, *arguments):
        """Prints errors instead of raising them: other objects are still handled, and this one is tried again."""
        try:
            do(*arguments)
            self._said.pop(what, None)
        except Exception as e:
            said = f"{what}: {e!r} {getattr(e, 'stderr', '')}"
            if self._said.get(what) != said:
                print(said, flush=True)
            self._said[what] = said

    def _read(self):
        """Returns whether anything has changed, by the list's resourceVersion."""
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
