"""Tests that external faults are shown with their causes, and heal when the causes go."""

import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from people import eventually, expect
from stand.kube import components
from stand.postgres import Postgres

GOOD_IMAGE = "example.com/sandbox:1"


def use_image(site, image):
    """Configures another image for sandboxes that are made from now on, as an operator does."""
    site.programs.configure(runtime_image=image)
    site.programs.migrate()  # starting fsa-reconcile would do as well


def pod_uid(project):
    pod = project.person.namespace.pod(project.sandbox()["name"])
    return pod and pod["metadata"]["uid"]


def the_pull_succeeds(project):
    """Makes the pull succeed: sets the status that a kubelet then reports."""
    namespace, name = project.person.namespace, project.sandbox()["name"]
    pod = namespace.pod(name)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    (status,) = pod["status"]["containerStatuses"]
    status.update(ready=True, started=True, state={"running": {"startedAt": now}})
    ready = [
        {"type": kind, "status": "True", "lastTransitionTime": now}
        for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")
    ]
    change = {"phase": "Running", "podIP": "10.244.7.7", "containerStatuses": [status],
              "conditions": ready}
    namespace.patch("Pod", f"{name}-0/status", {"status": change})


def check_cause(cause, kind, *words):
    """Checks that a cause says what is wrong, since when, and in words that a person can act on."""
    assert cause["kind"] == kind
    assert cause["code"] and cause["since"]
    for word in words:
        assert word in cause["message"], cause


# ---- pods that do not come up --------------------------------------------------------------------


@pytest.fixture
def image_site(new_site):
    """Makes sites whose sandboxes use this image; see tools/cluster/kwok/pod.yaml."""
    return lambda image, **options: new_site(options={"runtime_image": image, **options})


def test_an_image_that_cannot_be_pulled(image_site, new_person):
    image = "registry.invalid/sandbox:1"
    site = image_site(image)
    person = new_person(site=site)
    waiting, stopped = person.create("Waiting"), person.create("Stopped")
    for project in (waiting, stopped):
        check_cause(project.wait_cause("POD_IMAGE"), "POD_IMAGE", image)
        assert project.status() == "STARTING"  # many faults pass by themselves
        assert project.stages()["container"] == "active"
    event = next(e for e in waiting.events() if e["code"])
    assert (event["kind"], event["code"]) == ("SANDBOX", "ImagePullBackOff"), event

    # A failed start holds up neither the next start nor the sandbox's end.
    use_image(site, GOOD_IMAGE)
    other = person.create("Other")
    other.wait("RUNNING")
    stopped.stop()
    stopped.wait("STOPPED")
    stopped.wait_no_cause()
    assert person.namespace.pod(stopped.sandbox()["name"]) is None

    the_pull_succeeds(waiting)
    waiting.wait("RUNNING")
    waiting.wait_no_cause()


def test_an_error_is_observed_on_and_heals(image_site, new_person):
    """A failed start becomes an ERROR after its deadline; when the same pod recovers, the ERROR ends."""
    site = image_site("registry.invalid/sandbox:1")
    project = new_person(site=site).create("Late")
    project.wait_cause("POD_IMAGE")
    age(site, project, seconds=300)
    project.wait("ERROR")
    check_cause(project.wait_cause("POD_IMAGE"), "POD_IMAGE", "registry.invalid")
    assert project.stages()["container"] == "failed"
    project.start()  # a new request is allowed, and begins again
    assert project.status() == "STARTING"
    age(site, project, seconds=300)
    project.wait("ERROR")
    the_pull_succeeds(project)
    make_due(site, project)
    project.wait("RUNNING")
    project.wait_no_cause()


def age(site, project, seconds):
    """Makes a project's status older, and its resources due."""
    with site.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE resources SET status_since = now() - make_interval(secs => %s), due_at = now() "
            "WHERE project_id = %s", (seconds, project.id))


def make_due(site, project):
    """Skips the backoff, which has reached its maximum by now."""
    with site.connect() as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE resources SET due_at = now() WHERE project_id = %s", (project.id,))


def test_a_crash_loop(image_site, new_person):
    site = image_site("example.com/sandbox:crash-loop")
    project = new_person(site=site).create("Crashing")
    cause = project.wait_cause("POD_CRASH")
    check_cause(cause, "POD_CRASH", "exit code 1")
    # Changing what may be wrong replaces the pod, although it is broken.
    first = pod_uid(project)
    project.set_variable("FIX", "1")
    eventually(lambda: pod_uid(project) not in (None, first))
    project.wait_cause("POD_CRASH")
    # So does a new sandbox from a repaired image.
    use_image(site, GOOD_IMAGE)
    project.delete_sandbox()
    eventually(lambda: project.sandbox() is None)
    project.start_sandbox()
    project.wait("RUNNING")


def test_a_pod_that_no_node_can_take(image_site, new_person, cluster):
    site = image_site(GOOD_IMAGE, sandbox_cpu_request="90", sandbox_cpu_limit="90")
    project = new_person(site=site, quota={"limits.cpu": "200"}).create("Large")
    cause = project.wait_cause("POD_UNSCHEDULABLE")
    check_cause(cause, "POD_UNSCHEDULABLE", "Insufficient cpu")
    assert project.status() == "STARTING"
    with_node(cluster, "node-large", lambda: project.wait("RUNNING"))


def with_node(cluster, name, use):
    """Calls use() while the cluster has one more node, large enough for anything."""
    node = components.node(name, "128", "512Gi")
    cluster.admin.apply(f"/api/v1/nodes/{name}", node)
    cluster.admin.apply(f"/api/v1/nodes/{name}/status", node)
    try:
        use()
    finally:
        cluster.api("DELETE", f"/api/v1/nodes/{name}")


def test_a_volume_that_does_not_mount(image_site, new_person):
    site = image_site("example.com/sandbox:mount-failure")
    project = new_person(site=site).create("Mounting")
    check_cause(project.wait_cause("POD_MOUNT"), "POD_MOUNT", "MountVolume.SetUp failed")
    assert project.status() == "STARTING"
    project.delete()
    project.wait_gone()


def test_a_quota(new_person, cluster):
    person = new_person(quota={"pods": "1"})
    first, second = person.create("First"), None
    first.wait("RUNNING")
    second = person.create("Second")
    check_cause(second.wait_cause("KUBE_QUOTA"), "KUBE_QUOTA", "exceeded quota")
    assert first.status() == "RUNNING"
    cluster.create_user(person.name, quota={"pods": "5"})
    second.wait("RUNNING")
    second.wait_no_cause()


def test_a_database_in_trouble(person):
    """KubeBlocks sometimes reports Failed for a moment: this is shown but not acted on, and disappears with it."""
    project = person.create("Troubled", database=True)
    project.wait("RUNNING")
    name, namespace = project.database()["name"], person.namespace
    forced = "stand.fullstackagent.io/phase"
    namespace.patch("Cluster", name, {"metadata": {"annotations": {forced: "Failed"}}})
    check_cause(project.wait_cause("DATABASE_FAILED"), "DATABASE_FAILED")
    namespace.patch("Cluster", name, {"metadata": {"annotations": {forced: None}}})
    project.wait("RUNNING")
    project.wait_no_cause()


# ---- access to the cluster -----------------------------------------------------------------------


def test_a_revoked_token_and_a_renewed_kubeconfig(person, cluster):
    project = person.create("Locked out")
    project.wait("RUNNING")
    cluster.delete_user(person.name)
    check_cause(project.wait_cause("KUBE_UNAUTHORIZED"), "KUBE_UNAUTHORIZED")
    assert project.status() == "RUNNING"  # as far as is known
    project.stop()
    project.wait_cause("KUBE_UNAUTHORIZED")
    assert project.status() == "STOPPING"

    person.put_kubeconfig(person.new_kubeconfig())
    project.wait("STOPPED")
    project.wait_no_cause()


def test_a_kubeconfig_for_elsewhere(person, cluster):
    """What it shows is not about the project, so nothing of the project is deleted."""
    project = person.create("At home", database=True)
    project.wait("RUNNING")
    sandbox = project.sandbox()
    person.put_kubeconfig(person.new_kubeconfig(f"{person.namespace.name}-other"))
    cause = project.wait_cause("KUBECONFIG")
    check_cause(cause, "KUBECONFIG", person.namespace.name, f"{person.namespace.name}-other")
    assert cause["code"] == "KUBECONFIG_ELSEWHERE"
    project.delete()
    project.wait_cause("KUBECONFIG")
    assert not project.gone()
    assert person.namespace.owned(sandbox["id"])["StatefulSet"] == [sandbox["name"]]

    person.put_kubeconfig(person.kubeconfig)
    project.wait_gone()
    assert person.namespace.owned(sandbox["id"]) == {}


def test_billing(person, cluster):
    """An account in debt: Sealos stops the sandbox, which is shown and not fought; it runs again once the debt is
    paid."""
    project = person.create("In debt")
    project.wait("RUNNING")
    sandbox = project.sandbox()["name"]
    cluster.suspend(person.namespace.name)
    project.wait("STOPPED")
    check_cause(project.wait_cause("KUBE_BILLING"), "KUBE_BILLING", "40001")
    assert person.namespace.get("StatefulSet", sandbox)["spec"]["replicas"] == 0
    # Changes made meanwhile are stored, and shown as impossible for now.
    project.set_variable("PAID", "soon")
    project.wait_cause("KUBE_BILLING")

    cluster.resume(person.namespace.name)
    project.wait("RUNNING")
    project.wait_no_cause()
    ingress = person.namespace.get("Ingress", f"{sandbox}-app-ingress")
    assert ingress["spec"]["ingressClassName"] == "nginx"
    assert person.namespace.secret(f"{sandbox}-env")["PAID"] == "soon"


def test_billing_allows_deletion(person, cluster):
    project = person.create("Written off", database=True)
    project.wait("RUNNING")
    cluster.suspend(person.namespace.name)
    project.delete()
    project.wait_gone()
    assert person.namespace.items("PersistentVolumeClaim") == []


# ---- changes by others ---------------------------------------------------------------------------


def test_drift_is_repaired(person):
    project = person.create("Tampered", database=True)
    project.wait("RUNNING")
    namespace, name = person.namespace, project.sandbox()["name"]
    database = project.database()["name"]

    namespace.delete("Service", f"{name}-service")
    eventually(lambda: namespace.get("Service", f"{name}-service"))
    namespace.patch("Ingress", f"{name}-app-ingress", {"spec": {"ingressClassName": "other"}})
    namespace.delete("RoleBinding", database)
    eventually(lambda: namespace.get("Ingress", f"{name}-app-ingress")["spec"]
               ["ingressClassName"] == "nginx")
    eventually(lambda: namespace.get("RoleBinding", database))
    namespace.delete("Secret", f"{name}-env")
    eventually(lambda: namespace.secret(f"{name}-env").get("TTYD_ACCESS_TOKEN"))

    namespace.patch("StatefulSet", name, {"spec": {"replicas": 0}})
    eventually(lambda: namespace.pod(name) is None, every=0.02)
    eventually(lambda: namespace.pod(name))
    project.wait("RUNNING")
    namespace.delete("StatefulSet", name)
    eventually(lambda: namespace.get("StatefulSet", name))
    project.wait("RUNNING")


def test_foreign_additions_are_kept(person):
    """Annotations and labels added by a webhook or the owner are left alone."""
    project = person.create("Decorated")
    project.wait("RUNNING")
    namespace, name = person.namespace, project.sandbox()["name"]
    foreign = {"metadata": {"annotations": {"example.com/theirs": "1"}}}
    namespace.patch("Ingress", f"{name}-app-ingress", foreign)
    project.set_variable("ANY", "1")
    eventually(lambda: "ANY" in namespace.secret(f"{name}-env"))
    project.wait("RUNNING")
    annotations = namespace.get("Ingress", f"{name}-app-ingress")["metadata"]["annotations"]
    assert annotations["example.com/theirs"] == "1"


# ---- servers that go away ------------------------------------------------------------------------


def test_an_api_server_outage(site, new_person, cluster):
    """Causes are shown while it lasts; afterwards everything continues by itself."""
    person = new_person()
    running, changed = person.create("Running on"), person.create("Changed meanwhile")
    for project in (running, changed):
        project.wait("RUNNING")
    cluster.stop_apiserver()
    try:
        check_cause(running.wait_cause("KUBE_UNREACHABLE"), "KUBE_UNREACHABLE")
        assert running.status() == "RUNNING"
        changed.stop()
        started = person.create("Begun meanwhile", database=True)
        for project, status in ((changed, "STOPPING"), (started, "CREATING")):
            project.wait_cause("KUBE_UNREACHABLE")
            assert project.status() == status
    finally:
        cluster.start_apiserver()
    changed.wait("STOPPED")
    started.wait("RUNNING")
    for project in (running, changed, started):
        project.wait_no_cause()


def children(pid):
    """Returns the pids of a process's children."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return {int(word) for word in text.split()}


class Load:
    """People who keep sending requests, in threads, and count the responses."""

    def __init__(self, site, person, project):
        self.answers = Counter()
        self.wrong = []
        self.created = []
        self.since_normal = Counter()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(site, person, project, index))
            for index in range(6)
        ]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, site, person, project, index):
        client = site.client()
        client.session.cookies.update(person.client.session.cookies)
        for number in range(1_000_000):
            if self._stop.wait(0.02):
                return
            name = f"Load {index}-{number}"
            try:
                if index % 2 == 0:
                    answer = client.post("/api/projects", {"name": name, "database": False})
                else:
                    answer = client.get(project.sandbox_path)
            except OSError as e:
                self.wrong.append(repr(e))
                continue
            self._count(answer, index)

    def _count(self, answer, index):
        self.answers[answer.status_code] += 1
        if answer.ok and index % 2 == 0:
            self.created.append(answer.json()["id"])
        elif answer.status_code == 503:
            if not answer.headers.get("Retry-After", "").isdigit():
                self.wrong.append(f"503 without Retry-After: {dict(answer.headers)}")
            if answer.headers["Content-Type"].split(";")[0] != "application/json":
                self.wrong.append(f"503 as {answer.headers['Content-Type']}")
        elif not answer.ok:
            self.wrong.append(f"{answer.status_code} {answer.text}")


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_postgresql_outage_under_load(workspace, new_site, new_person, cluster, how):
    """Meanwhile the site answers 503 with Retry-After, then normally; no worker dies and nothing is lost."""
    with Postgres(workspace / f"outage-{how}") as postgres:
        site = new_site(postgres=postgres, options={"projects_per_user": "100000"})
        watched = new_person(site=site).create("Watched", database=True)
        person = new_person(site=site)
        # The load must not reach the cluster, so its kubeconfig names a server that does not exist.
        person.put_kubeconfig(person.kubeconfig.replace(cluster.server, "https://127.0.0.1:9"))
        project = person.create("Asked for")
        parents = {n: site.programs.pid(n) for n in ("api.fcgi", "auth.fcgi", "fsa-reconcile")}
        workers = children(parents["api.fcgi"])
        assert len(workers) == 4

        with Load(site, person, project) as load:
            eventually(lambda: len(load.created) > 20, last=lambda: load.answers)
            for _ in range(2):
                getattr(postgres, how)()
                seen = load.answers[503]
                eventually(lambda seen=seen: load.answers[503] > seen + 20,
                           last=lambda: (load.answers, load.wrong[:3]))
                assert site.client().get("/healthz").status_code == 200
                assert site.client().get("/readyz").status_code == 503
                postgres.start()
                created = len(load.created)
                eventually(lambda created=created: len(load.created) > created + 20,
                           last=lambda: (load.answers, load.wrong[:3]))
        assert load.wrong == []
        assert set(load.answers) == {200, 503}

        assert children(parents["api.fcgi"]) == workers
        assert {n: site.programs.pid(n) for n in parents} == parents
        answer = expect(person.client.get("/api/projects"))
        assert set(load.created) <= {p["id"] for p in answer}
        # The reconciler has recovered, too.
        watched.wait("RUNNING")
        watched.set_variable("AFTER", "1")
        sandbox = watched.sandbox()["name"]
        eventually(lambda: "AFTER" in watched.person.namespace.secret(f"{sandbox}-env"))


def test_a_worker_that_crashes_is_replaced(new_site, new_person):
    site = new_site()
    project = new_person(site=site).create("Patient")
    parent = site.programs.pid("api.fcgi")
    workers = children(parent)
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    eventually(lambda: len(children(parent) - workers) == len(workers),
               last=lambda: children(parent))
    project.wait("RUNNING")
