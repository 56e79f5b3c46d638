"""Measures the reconciler: how long projects take to become RUNNING on the real API server, and the reconciler's own
limit."""

import copy
import json
import ssl
import subprocess
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from load import BenchError
from rows import make_row
from stand.kube.api import Api
from web import interleave, median

PROJECTS_PER_USER = 10
PATIENCE = 300  # seconds

# Kinds of objects of a sandbox → path of their API group.
_KINDS = {
    "secrets": "/api/v1",
    "services": "/api/v1",
    "networkpolicies": "/apis/networking.k8s.io/v1",
    "ingresses": "/apis/networking.k8s.io/v1",
    "statefulsets": "/apis/apps/v1",
}
_OURS = "labelSelector=cloud.sealos.io/app-deploy-manager"


def measure_running(scene, options):
    """Measures sandboxes without databases, whose time would be mostly that of KubeBlocks."""
    scene.large
    cluster = scene.cluster
    runner = Runner(scene, options.running)
    sites = {"small": scene.small, "large": scene.large}
    for site in sites.values():
        site.programs.start("fsa-reconcile")
    objects = runner.objects_of(runner.to_running(scene.small, projects=1))
    results = interleave(
        options.running_rounds,
        small=lambda: runner.time_site(scene.small),
        raw=lambda: runner.time_raw(objects),
        large=lambda: runner.time_site(scene.large),
    )
    for site in sites.values():
        site.programs.stop("fsa-reconcile")
    del cluster
    return [
        make_row("running", median(results["small"]), median(results["raw"])),
        make_row("running_100k", median(results["large"]), median(results["small"])),
    ]


class Runner:
    """Measures `count` projects at a time, each time with new users and namespaces."""

    def __init__(self, scene, count):
        self._scene = scene
        self._cluster = scene.cluster
        self._count = count
        self._users = 0

    def _add_users(self, count):
        """Returns kubeconfigs by the names of their namespaces."""
        made = {}
        for _ in range(-(-count // PROJECTS_PER_USER)):
            self._users += 1
            name = f"bench{self._users}"
            made[f"ns-{name}"] = self._cluster.create_user(name)
        return made

    def time_site(self, site):
        """Returns the seconds from the first POST to the last RUNNING."""
        return self.to_running(site, self._count, timed=True)

    def to_running(self, site, projects, timed=False):
        """Creates projects over HTTP and waits for RUNNING; returns the seconds, or the namespaces."""
        kubeconfigs = self._add_users(projects)
        people = site.add_people(len(kubeconfigs))
        for person, kubeconfig in zip(people, kubeconfigs.values()):
            answer = site.client().put("/api/user/config/kc", {"kubeconfig": kubeconfig},
                                       headers=person.headers)
            if not answer.ok:
                raise BenchError(f"PUT kubeconfig: {answer.status_code} {answer.text}")
        owners = [people[n % len(people)] for n in range(projects)]
        begin = time.monotonic()
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda p: site.create_project(p, database=False), owners))
        self._wait_running(site, made)
        return time.monotonic() - begin if timed else list(kubeconfigs)

    def _wait_running(self, site, projects):
        end = time.monotonic() + PATIENCE
        query = "SELECT status, count(*) FROM projects WHERE id = ANY (%s::uuid[]) GROUP BY status"
        with site.cursor() as cursor:
            while True:
                cursor.execute(query, (projects,))
                seen = dict(cursor.fetchall())
                if seen == {"RUNNING": len(projects)}:
                    return
                if time.monotonic() > end:
                    raise BenchError(f"after {PATIENCE} s: {seen}, see {site.directory}")
                time.sleep(0.1)

    def objects_of(self, namespaces):
        """Returns the objects in the namespace of one project, as (path below the namespace, object)."""
        found = []
        for kind, group in _KINDS.items():
            path = f"{group}/namespaces/{namespaces[0]}/{kind}?{_OURS}"
            listed = self._cluster.api("GET", path)
            for item in listed["items"]:
                found.append((group, kind, _sent({**item, **_type(listed)})))
        if not any(kind == "statefulsets" for _, kind, _ in found):
            raise BenchError(f"no StatefulSet in {namespaces[0]}")
        return found

    def time_raw(self, objects):
        """Sends the same objects by curl; returns the seconds from the first request until the last sandbox is
        ready."""
        kubeconfigs = self._add_users(self._count)
        folder = self._scene.folder("raw")
        config = folder / "curl"
        config.write_text("next\n".join(self._requests(folder, kubeconfigs, objects)))
        begin = time.monotonic()
        _curl(config)
        self._wait_ready(list(kubeconfigs))
        return time.monotonic() - begin

    def _requests(self, folder, kubeconfigs, objects):
        """Returns a curl request for each object of each project."""
        namespaces = list(kubeconfigs.items())
        ca = folder / "ca.crt"
        for number in range(self._count):
            namespace, text = namespaces[number % len(namespaces)]
            server, token = _access(text, ca)
            for group, kind, original in objects:
                obj = _renamed(original, number, namespace)
                body = folder / f"{number}-{kind}-{obj['metadata']['name']}"
                body.write_text(json.dumps(obj))
                path = f"{group}/namespaces/{namespace}/{kind}/{obj['metadata']['name']}"
                yield (
                    f'url = "{server}{path}?fieldManager=bench&force=true"\n'
                    'request = "PATCH"\n'
                    f'header = "Authorization: Bearer {token}"\n'
                    'header = "Content-Type: application/apply-patch+yaml"\n'
                    f'data-binary = "@{body}"\ncacert = "{ca}"\n'
                    'output = "/dev/null"\nwrite-out = "%{http_code}\\n"\n'
                )

    def _wait_ready(self, namespaces):
        """Waits until all StatefulSets of these namespaces have their pod, with the cheapest possible requests."""
        end = time.monotonic() + PATIENCE
        while True:
            ready = self._ready_count(set(namespaces))
            if ready == self._count:
                return
            if time.monotonic() > end:
                raise BenchError(f"after {PATIENCE} s {ready} of {self._count} are ready")
            time.sleep(0.25)

    def _ready_count(self, namespaces):
        listed = self._cluster.api("GET", f"/apis/apps/v1/statefulsets?{_OURS}")
        return sum(
            item["metadata"]["namespace"] in namespaces
            and item["status"].get("readyReplicas", 0) >= 1
            for item in listed["items"]
        )


def _type(listed):
    return {"apiVersion": listed["apiVersion"], "kind": listed["kind"].removesuffix("List")}


def _sent(item):
    """Returns an object without what the server has added."""
    item = copy.deepcopy(item)
    item.pop("status", None)
    keep = ("name", "labels", "annotations")
    item["metadata"] = {k: v for k, v in item["metadata"].items() if k in keep}
    for member in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        item.get("spec", {}).pop(member, None)
    return item


def _renamed(original, number, namespace):
    """Returns a copy of the object for another project: names end in its number."""
    name = original["metadata"]["labels"]["cloud.sealos.io/app-deploy-manager"]
    text = json.dumps(original).replace(name, f"{name[:-4]}{number:04d}")
    obj = json.loads(text)
    obj["metadata"]["namespace"] = namespace
    return obj


def _access(kubeconfig, ca):
    """Returns server and token; writes the CA to the file `ca`."""
    import base64

    config = yaml.safe_load(kubeconfig)
    cluster = config["clusters"][0]["cluster"]
    ca.write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
    return cluster["server"], config["users"][0]["user"]["token"]


def _curl(config):
    """Sends the requests over one HTTP/2 connection, as many at once as the server allows."""
    command = ["curl", "-sS", "--http2", "--parallel", "--parallel-max", "200", "-K", str(config)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    codes = set(done.stdout.split())
    if done.returncode != 0 or not codes <= {"200", "201"}:
        raise BenchError(f"curl exited with {done.returncode}, answers {codes}: {done.stderr}")
