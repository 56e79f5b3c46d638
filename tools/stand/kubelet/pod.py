"""A pod: starts its containers, the init containers first, probes and restarts them, and ends them after the grace period."""

import base64
import re
import shutil
import subprocess
import time
from datetime import datetime, timezone

from . import runtime
from .probe import Probe

LONGEST_BACKOFF = 300
FIRST_BACKOFF = 10
WELL_AFTER = 600  # seconds that a container must have run not to count as crash-looping


# Valid names for path components, here and in requests to the API server: names come from whoever made the pod.
NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


class NotYet(Exception):
    """A container cannot be started; .reason is for its status."""

    def __init__(self, reason, message):
        super().__init__(message)
        self.reason = reason


def _name(text):
    if not NAME.fullmatch(text):
        raise NotYet("CreateContainerConfigError", f"{text!r} is not a name")
    return text


class Pod:
    """One pod of this node, from its binding to the end of its last container.

    gone   whether nothing of it is left here
    """

    def __init__(self, wanted, api, network, images, volumes):
        self.uid = wanted["metadata"]["uid"]
        self.namespace, self.name = (wanted["metadata"][k] for k in ("namespace", "name"))
        self.spec = wanted["spec"]
        self.labels = wanted["metadata"].get("labels", {})
        self.address = None
        self.gone = False
        self._path = f"/api/v1/namespaces/{self.namespace}/pods/{self.name}"
        self._api, self._network, self._runtime, self._volumes = api, network, images, volumes
        self._space = None
        self._claims = []
        # One after the other, each until it has succeeded, before the containers begin.
        self._first = [Running(self, container, init=True) for container in self.spec.get("initContainers", [])]
        self._containers = [Running(self, container) for container in self.spec["containers"]]
        self._kill_at = None  # when the grace period ends
        self._tell_end = True
        self._told = None

    def desire(self, wanted):
        self.labels = wanted["metadata"].get("labels", {})
        if wanted["metadata"].get("deletionTimestamp"):
            self.end()

    def end(self, tell=True):
        """Begins to end the pod. `tell`: report it to kubesim, which waits for that."""
        self._tell_end = self._tell_end and tell
        if self._kill_at is None:
            self._kill_at = time.monotonic() + self.spec.get("terminationGracePeriodSeconds", 30)
            for container in self._all():
                container.signal("TERM")

    def turn(self):
        if self._kill_at is not None:
            self._turn_to_end()
            return
        try:
            self._prepare()
        except (OSError, subprocess.CalledProcessError) as e:
            print(f"{self.namespace}/{self.name}: {e} {getattr(e, 'stderr', '')}", flush=True)
            return
        if self._network.guards(self.address):
            waiting = next((container for container in self._first if not container.succeeded), None)
            for container in [waiting] if waiting else self._containers:
                container.turn()
        self._tell()

    def _all(self):
        return [*self._first, *self._containers]

    def mounts(self, container):
        """Returns the mounts of the pod's volumes in a container."""
        volumes = {volume["name"]: volume for volume in self.spec.get("volumes", [])}
        found = [runtime.bind(self._network.hosts(self.namespace), "/etc/hosts", "ro"),
                 runtime.bind(self._network.resolver, "/etc/resolv.conf", "ro")]
        for mount in container.get("volumeMounts", []):
            options = ["ro"] if mount.get("readOnly") else []
            found.append(runtime.bind(self._folder(volumes[mount["name"]]), mount["mountPath"], *options))
        return found

    def environment(self, container):
        found = {}
        for source in container.get("envFrom", []):
            found.update(self._secret(source["secretRef"]["name"]))
        for variable in container.get("env", []):
            found[variable["name"]] = variable.get("value", "")
            if reference := variable.get("valueFrom", {}).get("secretKeyRef"):
                found[variable["name"]] = self._secret(reference["name"])[reference["key"]]
        return found

    def start(self, container, number):
        """Starts a container; raises NotYet if that is not possible now."""
        image = self._runtime.image(container["image"])
        if image is None:
            raise NotYet("ImagePullBackOff", f"Back-off pulling image \"{container['image']}\": this "
                         "node has only the images of runtime/")
        spec = runtime.spec(self, container, image, self.environment(container),
                            self.mounts(container), self._space)
        return self._runtime.run(f"{self.uid}-{container['name']}-{number}", spec,
                                 self._runtime.log(self, container["name"]))

    def tell_log(self, container, text, ended):
        self._api.tell_log(self._path, container["name"], text, ended)

    def accepts(self, port):
        return self._network.accepts(self.address, port)

    def _prepare(self):
        if self.address is None:
            self._space, self.address = self._network.add(self.namespace, self.name, self.uid)

    def _folder(self, volume):
        security = self.spec.get("securityContext", {})
        owner = (security.get("runAsUser", 0), security.get("fsGroup", security.get("runAsUser", 0)))
        if claim := volume.get("persistentVolumeClaim"):
            folder = self._volumes.take(self.namespace, claim["claimName"], owner)
            self._claims.append(claim["claimName"])
            return folder
        if "emptyDir" not in volume:
            raise NotYet("CreateContainerConfigError", f"volume {volume['name']}: of a type that this "
                         "node does not have")
        folder = self._scratch / _name(volume["name"])
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o1777)
        return folder

    @property
    def _scratch(self):
        return self._network.hosts(self.namespace).parent.parent / "scratch" / self.uid

    def _secret(self, name):
        secret = self._api.get(f"/api/v1/namespaces/{self.namespace}/secrets/{_name(name)}")
        if secret is None:
            raise NotYet("CreateContainerConfigError", f'secret "{name}" not found')
        return {key: base64.b64decode(value).decode(errors="replace")
                for key, value in (secret.get("data") or {}).items()}

    def _turn_to_end(self):
        late = time.monotonic() > self._kill_at
        if not all(container.ended(late) for container in self._all()):
            return
        self._network.remove(self.uid)
        shutil.rmtree(self._scratch, ignore_errors=True)
        for claim in self._claims:
            self._volumes.release(self.namespace, claim)
        if self._tell_end:
            self._api.remove(self._path, self.uid)
        self.gone = True

    # ---- status --------------------------------------------------------------------------------

    def _tell(self):
        status = self._status()
        if status == self._told:
            return
        if self._api.tell_status(self._path, status):
            self._told = status

    def _status(self):
        statuses = [container.status() for container in self._containers]
        initialized = all(container.succeeded for container in self._first)
        if not initialized:
            for status in statuses:
                status["state"] = {"waiting": {"reason": "PodInitializing"}}
        ready = all(status["ready"] for status in statuses)
        ever_ran = all("running" in s["state"] or s["restartCount"] for s in statuses)
        return {
            "phase": "Running" if ever_ran else "Pending",
            "hostIP": "10.0.0.1",
            "podIP": self.address,
            "podIPs": [{"ip": self.address}],
            "conditions": self._conditions(ready, initialized),
            "initContainerStatuses": [container.status() for container in self._first],
            "containerStatuses": statuses,
        }

    def _conditions(self, ready, initialized):
        since = {c["type"]: c for c in (self._told or {}).get("conditions", [])}
        found = []
        for kind, holds in (("PodScheduled", True), ("Initialized", initialized), ("ContainersReady", ready),
                            ("Ready", ready)):
            status = "True" if holds else "False"
            before = since.get(kind, {})
            at = before["lastTransitionTime"] if before.get("status") == status else now()
            reason = {} if holds else {"reason": "ContainersNotReady"}
            found.append({"type": kind, "status": status, "lastTransitionTime": at, **reason})
        return found


class Running:
    """One of a pod's containers, over all of its runs."""

    def __init__(self, pod, container, init=False):
        self._pod, self._container, self._init = pod, container, init
        self._run = None
        self._restarts = 0
        self._backoff = 0
        self._start_at = 0.0
        self._started = None  # monotonic
        self._started_at = None  # for the status
        self._waiting = {"reason": "ContainerCreating"}
        self._last = {}
        self._probe = Probe(pod, container, None)
        self._is_up = False  # known later: runc takes a while
        self._ended_well = None  # the end of its last run, if it succeeded

    @property
    def succeeded(self):
        """Whether it has succeeded, as an init container must before the next one starts."""
        return self._ended_well is not None

    def turn(self):
        if self._run is None:
            if time.monotonic() >= self._start_at:
                self._try()
            return
        code = self._run.ended()
        self._tell_log(code is not None)
        if code is None:
            if not self._is_up:
                self._note_start()
            else:
                self._probe.turn()
            if self._probe.must_restart:
                self._run.signal("KILL")
        else:
            self._note_end(code)

    def signal(self, name):
        if self._run is not None:
            self._run.signal(name)

    def ended(self, late):
        if self._run is None:
            return True
        if self._run.ended() is not None:
            self._run = None
            return True
        if late:
            self._run.signal("KILL")
        return False

    def status(self):
        image = self._container["image"]
        state = {"running": {"startedAt": self._started_at}} if self._is_up else \
            {"terminated": self._ended_well} if self._init and self.succeeded else {"waiting": self._waiting}
        return {"name": self._container["name"], "image": image, "imageID": image,
                "ready": self._init and self.succeeded or self._is_up and self._probe.ready,
                "started": self._is_up and self._probe.started,
                "restartCount": self._restarts, "state": state, "lastState": self._last}

    def _tell_log(self, ended):
        if ended or self._run.has_news():
            self._pod.tell_log(self._container, self._run.output(), ended)

    def _try(self):
        try:
            self._run = self._pod.start(self._container, self._restarts)
        except NotYet as e:
            self._waiting = {"reason": e.reason, "message": str(e)}
            self._start_at = time.monotonic() + 1
            return
        self._is_up = False
        self._started, self._started_at = time.monotonic(), now()

    def _note_start(self):
        self._is_up = self._run.is_up()
        self._started, self._started_at = time.monotonic(), now()
        self._probe = Probe(self._pod, self._container, self._run)

    def _note_end(self, code):
        reason = "OOMKilled" if self._run.oom_killed else "Completed" if code == 0 else "Error"
        end = {"exitCode": code, "reason": reason, "startedAt": self._started_at, "finishedAt": now()}
        self._ended_well = end if code == 0 else None
        if self._init and self.succeeded:
            self._run, self._is_up = None, False
            return
        self._last = {"terminated": end}
        if time.monotonic() - self._started > WELL_AFTER:
            self._backoff = 0
        pod = self._pod
        self._waiting = {"reason": "CrashLoopBackOff",
                         "message": f"back-off {self._backoff}s restarting failed container="
                         f"{self._container['name']} pod={pod.name}_{pod.namespace}({pod.uid})"}
        self._run, self._is_up = None, False
        self._restarts += 1
        self._start_at = time.monotonic() + self._backoff
        self._backoff = min(max(self._backoff * 2, FIRST_BACKOFF), LONGEST_BACKOFF)


def now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
