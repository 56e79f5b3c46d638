"""What tests do with pods: make them, wait for statuses, run commands in them."""

import itertools
import time

from stand.containers import SANDBOX
from stand.process import PATIENCE

_numbers = itertools.count(1)


class Pods:
    """The pods of one namespace. Each is named like that of a StatefulSet with one replica."""

    def __init__(self, kubesim, containers):
        self._admin, self._containers = kubesim.admin, containers
        self.namespace = f"ns-{next(_numbers)}"
        kubesim.create_user(self.namespace.removeprefix("ns-"), namespace=self.namespace)
        self._path = f"/apis/apps/v1/namespaces/{self.namespace}/statefulsets"
        self._names = []

    def make(self, name, script="sleep infinity", image=SANDBOX, claim=False, **container):
        """Makes a pod with one container, which runs a shell script."""
        mounts = [{"name": "home", "mountPath": "/home/agent"}] if claim else []
        spec = {
            "terminationGracePeriodSeconds": 2,
            "securityContext": {"runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000},
            "containers": [{"name": "main", "image": image, "command": ["sh", "-c", script],
                            "volumeMounts": mounts, **container}],
        }
        claims = [{"metadata": {"name": "home"}, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]
        self.apply(f"{self._path}/{name}", "apps/v1", "StatefulSet", name, {
            "serviceName": name, "replicas": 1, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": spec},
            "volumeClaimTemplates": claims if claim else []})
        self._names.append(name)

    def apply(self, path, version, kind, name, spec):
        self._admin.apply(path, {"apiVersion": version, "kind": kind, "metadata": {"name": name},
                                 "spec": spec})

    def scale(self, name, replicas):
        self._admin.patch(f"{self._path}/{name}", {"spec": {"replicas": replicas}})

    def wait(self, name, check):
        """Waits until check(status of the only container) is true; returns that status."""
        end = time.monotonic() + PATIENCE
        while True:
            pod = self.get(name)
            statuses = pod["status"].get("containerStatuses", []) if pod else []
            if statuses and check(statuses[0]):
                return statuses[0]
            assert time.monotonic() < end, pod
            time.sleep(0.1)

    def wait_gone(self, name):
        end = time.monotonic() + PATIENCE
        while pod := self.get(name):
            assert time.monotonic() < end, pod
            time.sleep(0.1)

    def get(self, name):
        return self._admin.get(f"/api/v1/namespaces/{self.namespace}/pods/{name}-0")

    def address(self, name):
        return self.get(name)["status"]["podIP"]

    def run(self, name, script):
        """Runs a script beside the container's own; returns its output."""
        return self._containers.run_in(self.get(name)["metadata"]["uid"], ["sh", "-c", script])

    def log(self, name):
        return (self._containers.directory / "output" / f"{self.namespace}_{name}-0_main.log").read_text()

    def read_log(self, name, check, query=""):
        """Returns pods/log of the only container, once check(text) is true."""
        end = time.monotonic() + PATIENCE
        while True:
            text = self._admin("GET", f"/api/v1/namespaces/{self.namespace}/pods/{name}-0/log?{query}")["message"]
            if check(text):
                return text
            assert time.monotonic() < end, text
            time.sleep(0.1)

    def end(self):
        for name in self._names:
            self.scale(name, 0)
        for name in self._names:
            self.wait_gone(name)
