"""Tests which causes are shown for faults, and which are not: each is about the present state.

golden/<fault>.txt is what `fsactl project explain` says meanwhile; see explained.py.
"""

import pytest
from people import Person, eventually
from schedule import OPTIONS

SOON = 240  # seconds: the backoff after the last failed attempt, and some passes


def looks(kubesim, person, resource, count):
    """Waits until the person's objects have been listed this many more times."""
    rule = kubesim.fault(fault="latency", ms=0, verb="list", resource=resource,
                         user=f"*:{person.name}")

    def hits():
        return next(f["hits"] for f in kubesim.order("GET", "/faults")["faults"] if f["id"] == rule)

    eventually(lambda: hits() >= count, 90)
    kubesim.end_fault(rule)


def is_diagnosed(kubesim, project):
    """Waits until evidence has been collected and the resulting cause is shown."""
    looks(kubesim, project.person, "events", 6)  # two observations, however many objects each asks about
    return project.sandbox()


@pytest.fixture
def slow_images(kubesim):
    """Makes image pulls take longer than expected, until the test ends."""
    begin, end = ({"readyAfter": ms} for ms in (3_600_000, 100))
    yield lambda: kubesim.order("POST", "/settings", begin)
    kubesim.order("POST", "/settings", end)


def test_a_former_pods_problem_is_not_shown(
        person, kubesim, slow_images, explained):
    mount = kubesim.effect(effect="mount", namespace=person.namespace.name)
    project = person.create("Mounted")
    project.wait_cause("POD_MOUNT")
    explained(project, "mount")
    kubesim.end_effect(mount)
    project.wait("RUNNING", SOON)
    project.stop()
    project.wait("STOPPED")
    slow_images()
    project.start()
    sandbox = is_diagnosed(kubesim, project)
    assert (sandbox["status"], sandbox["cause"]) == ("STARTING", None)
    explained(project, "slow-image-after-a-mount-fault")


def test_a_past_mount_fault_is_not_shown_during_the_pull(
        person, kubesim, slow_images):
    mount = kubesim.effect(effect="mount", namespace=person.namespace.name)
    project = person.create("Pulled")
    project.wait_cause("POD_MOUNT")
    slow_images()
    kubesim.end_effect(mount)
    project.wait_no_cause()
    assert is_diagnosed(kubesim, project)["cause"] is None


def test_a_raised_quota_is_not_the_cause_of_the_next_start(
        person, kubesim, slow_images, explained):
    project = person.create("Squeezed")
    project.wait("RUNNING")
    project.stop()
    project.wait("STOPPED")
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "pods"},
             "spec": {"hard": {"pods": "0"}}}
    path = f"/api/v1/namespaces/{person.namespace.name}/resourcequotas"
    kubesim.api("POST", path, quota)
    project.start()
    assert "exceeded quota" in project.wait_cause("KUBE_QUOTA")["message"]
    explained(project, "quota-on-pods")
    project.stop()
    project.wait("STOPPED")
    kubesim.api("DELETE", f"{path}/pods")
    slow_images()
    project.start()
    assert is_diagnosed(kubesim, project)["cause"] is None


# ---- deletions that do not finish ----------------------------------------------------------------


def shorten(site, project, minutes=20):
    """Makes the status older, so that a deadline need not be waited for."""
    with site.connect() as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE resources SET status_since = status_since - %s * interval '1 minute'"
                       " WHERE project_id = %s", (minutes, project.id))


def told(part, kind, status):
    """Waits until a part of a project has this status and cause; returns the cause."""

    def found():
        """the cause is shown"""
        shown = part()
        cause = shown["cause"]
        return cause and (shown["status"], cause["kind"]) == (status, kind) and cause

    return eventually(found, 90, last=part)


def test_a_stop_says_which_pod_does_not_end_and_error_says_so_until_it_does(
        site, person, kubesim, explained):
    project = person.create("Hung")
    project.wait("RUNNING")
    name = project.sandbox()["name"]
    stuck = kubesim.effect(effect="stuck", namespace=person.namespace.name)
    project.stop()
    shorten(site, project, 1)  # less than the deadline
    cause = told(project.sandbox, "POD_TERMINATING", "STOPPING")
    node = person.namespace.pod(name)["spec"]["nodeName"]
    assert f"pod {name}-0 on node {node} is being deleted since 20" in cause["message"]
    explained(project, "stop-waits-for-a-pod")
    shorten(site, project)
    told(project.sandbox, "POD_TERMINATING", "ERROR")
    since = kubesim.counters()["requests"]
    eventually(lambda: kubesim.counters()["requests"] > since + 10)
    assert told(project.sandbox, "POD_TERMINATING", "ERROR")["message"] == cause["message"]
    kubesim.end_effect(stuck)
    project.wait("STOPPED", SOON)
    project.wait_no_cause(SOON)


FOREIGN = "example.com/backup"


def finalizers(person, kind, name):
    return person.namespace.get(kind, name)["metadata"].get("finalizers") or []


def hold(person, kind, name, held=True):
    """Sets or removes a finalizer of another controller."""
    others = [each for each in finalizers(person, kind, name) if each != FOREIGN]
    change = {"metadata": {"finalizers": others + [FOREIGN] * held}}
    person.namespace.patch(kind, name, change)


def test_a_deletion_shows_the_databases_obstacle_before_the_deadline(
        site, person, kubesim, explained):
    project = person.create("Kept", database=True)
    project.wait("RUNNING")
    name = project.database()["databaseName"]
    hold(person, "Cluster", name)
    project.delete()
    shorten(site, project, 1)
    cause = told(project.database, "OBJECT_HELD", "TERMINATING")
    assert f"Cluster {name} is being deleted since 20" in cause["message"]
    assert FOREIGN in cause["message"]
    eventually(lambda: not project.sandbox())
    eventually(lambda: finalizers(person, "Cluster", name) == [FOREIGN])  # until KubeBlocks is done
    explained(project, "deletion-held-by-a-finalizer")
    shorten(site, project)
    told(project.database, "OBJECT_HELD", "ERROR")
    hold(person, "Cluster", name, held=False)
    project.wait_gone(SOON)


# ---- databases ------------------------------------------------------------------------------------


def test_a_database_whose_pods_are_refused_says_why(site, person, kubesim, explained):
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "pods"},
             "spec": {"hard": {"pods": "0"}}}
    path = f"/api/v1/namespaces/{person.namespace.name}/resourcequotas"
    kubesim.api("POST", path, quota)
    project = person.create("Refused", database=True)
    cause = told(project.database, "KUBE_QUOTA", "STARTING")
    assert "exceeded quota: pods" in cause["message"]
    explained(project, "quota-on-the-pods-of-a-database")
    kubesim.api("DELETE", f"{path}/pods")
    project.wait("RUNNING", SOON)
    project.wait_no_cause(SOON)


def test_a_database_that_cannot_be_scheduled_or_loaded_says_why(person, kubesim):
    image = kubesim.effect(effect="image", namespace=person.namespace.name)
    project = person.create("Unloaded", database=True)
    told(project.database, "POD_IMAGE", "STARTING")
    kubesim.end_effect(image)
    project.wait("RUNNING", SOON)


@pytest.fixture
def slow_databases(kubesim):
    """Makes Clusters keep their phase until the test has ended."""
    begin, end = ({"updating": ms} for ms in (3_600_000, 100))
    kubesim.order("POST", "/settings", begin)
    yield
    kubesim.order("POST", "/settings", end)


def test_a_foreign_stop_of_a_database_shows_as_starting(
        person, kubesim, slow_databases):
    project = person.create("Halted", database=True)
    project.wait("RUNNING")
    name = project.database()["databaseName"]
    parts = person.namespace.get("Cluster", name)["spec"]["componentSpecs"]
    person.namespace.patch("Cluster", name,
                           {"spec": {"componentSpecs": [{**parts[0], "replicas": 0}]}})
    eventually(lambda: project.database()["status"] == "STARTING", last=project.database)


def test_a_database_being_deleted_is_starting_with_the_obstacle(
        site, person, kubesim):
    project = person.create("Leaving", database=True)
    project.wait("RUNNING")
    name = project.database()["databaseName"]
    hold(person, "Cluster", name)
    person.namespace.delete("Cluster", name)
    eventually(lambda: project.database()["status"] == "STARTING", last=project.database)
    shorten(site, project, 1)
    told(project.database, "OBJECT_HELD", "STARTING")
    hold(person, "Cluster", name, held=False)
    project.wait("RUNNING", SOON)


# ---- what was observed sets the status -----------------------------------------------------------

DENIED = 'admission webhook "guard.example.com" denied the request: not on a Sunday'


@pytest.mark.parametrize("part,kind,resource", [
    ("sandbox", "StatefulSet", "statefulsets"), ("database", "Cluster", "clusters")])
def test_an_object_that_may_not_be_recreated_is_not_running(
        person, kubesim, explained, part, kind, resource):
    project = person.create("Denied", database=True)
    project.wait("RUNNING")
    denied = kubesim.fault(fault="forbidden", verb="apply", resource=resource, message=DENIED,
                           namespace=person.namespace.name)
    shown = getattr(project, part)
    person.namespace.delete(kind, shown()[f"{part}Name"])
    told(shown, "KUBE_ADMISSION", "CREATING")
    if part == "sandbox":
        explained(project, "apply-denied")
    kubesim.end_fault(denied)
    project.wait("RUNNING", SOON)
    project.wait_no_cause(SOON)


def delete_namespace(person):
    path = f"/api/v1/namespaces/{person.namespace.name}"
    person.cluster.api("DELETE", path)
    return path


def test_nothing_runs_in_a_namespace_that_is_gone(person, kubesim, explained):
    project = person.create("Homeless")
    project.wait("RUNNING")
    path = delete_namespace(person)
    eventually(lambda: kubesim.admin.get(path) is None)
    cause = told(project.sandbox, "KUBE_NOT_FOUND", "CREATING")
    assert cause["code"] == "NAMESPACE_NOT_FOUND"
    explained(project, "namespace-gone")
    person.put_kubeconfig(person.new_kubeconfig())  # this also makes the namespace again
    project.wait("RUNNING", SOON)
    project.wait_no_cause(SOON)


def test_nothing_is_made_in_a_namespace_that_is_being_deleted(person, kubesim, explained):
    held = {"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "held", "finalizers": ["example.com/kept"]}}
    kubesim.api("POST", person.namespace.path("Secret"), held)
    project = person.create("Leaving home")
    project.wait("RUNNING")
    path = delete_namespace(person)
    cause = told(project.sandbox, "KUBE_CONFLICT", "CREATING")
    assert cause["code"] == "NAMESPACE_TERMINATING"
    explained(project, "namespace-being-deleted")
    person.namespace.patch("Secret", "held", {"metadata": {"finalizers": None}})
    eventually(lambda: kubesim.admin.get(path) is None)
    person.put_kubeconfig(person.new_kubeconfig())
    project.wait("RUNNING", SOON)


# ---- admission -----------------------------------------------------------------------------------


def applies(kubesim, person, since):
    """Returns what was applied in the person's namespace since then: resource → how often."""
    written = kubesim.writes(since)["writes"]
    return [w["resource"] for w in written
            if w["namespace"] == person.namespace.name and w["verb"] == "apply"]


REQUESTS = {"spec.template.spec.containers.0.resources.requests": {"cpu": "200m", "memory": "256Mi"}}


@pytest.mark.parametrize("resource,change,words", [
    ("statefulsets", REQUESTS, "spec.template.spec.containers[0].resources.requests.cpu is "),
    ("ingresses", {"spec.ingressClassName": "theirs"},
     'spec.ingressClassName is "theirs" instead of "nginx"'),
    ("statefulsets", {"metadata.annotations": {"theirs": "only"}}, "metadata.annotations."),
])
def test_admissions_changes_are_accepted_with_a_warning(
        person, kubesim, explained, resource, change, words):
    kubesim.effect(effect="admission", resource=resource, namespace=person.namespace.name,
                   set=change)
    project = person.create("Changed")
    project.wait("RUNNING")
    warning, = project.sandbox()["warnings"]
    assert warning["code"] == "CHANGED_BY_ADMISSION" and words in warning["message"]
    if change == REQUESTS:
        explained(project, "admission-changes-requests")
    since = kubesim.writes()["next"]
    looks(kubesim, person, "statefulsets", 5)
    assert applies(kubesim, person, since) == []
    assert {event["status"] for event in project.events()} == {"CREATING", "STARTING", "RUNNING"}
    assert project.sandbox()["warnings"][0]["since"] == warning["since"]
    assert (project.status(), project.causes()) == ("RUNNING", [])


def test_drift_of_accepted_objects_is_corrected(person, kubesim):
    effect = kubesim.effect(effect="admission", resource="ingresses",
                            namespace=person.namespace.name,
                            set={"spec.ingressClassName": "theirs"})
    project = person.create("Meddled")
    project.wait("RUNNING")
    name = f"{project.sandbox()['sandboxName']}-app-ingress"

    def class_is(wanted):
        return person.namespace.get("Ingress", name)["spec"]["ingressClassName"] == wanted

    person.namespace.patch("Ingress", name, {"spec": {"ingressClassName": "stranger"}})
    eventually(lambda: class_is("theirs"))
    project.wait("RUNNING")
    assert len(project.sandbox()["warnings"]) == 1
    kubesim.end_effect(effect)
    person.namespace.patch("Ingress", name, {"spec": {"ingressClassName": "stranger"}})
    eventually(lambda: class_is("nginx"))
    eventually(lambda: len(project.sandbox()["warnings"]) <= 1)


def test_a_restarted_sandbox_is_accepted_as_admission_changes_it(person, kubesim):
    kubesim.effect(effect="admission", resource="statefulsets", namespace=person.namespace.name,
                   set=REQUESTS)
    project = person.create("Rolled")
    project.wait("RUNNING")
    project.set_variable("COLOUR", "blue")
    project.wait("RUNNING", SOON)
    since = kubesim.writes()["next"]
    looks(kubesim, person, "statefulsets", 5)
    assert applies(kubesim, person, since) == []


# ---- what takes long, and what ends --------------------------------------------------------------


def add_event(kubesim, person, pod, reason, message):
    """Adds an event like those that an autoscaler writes about a pod."""
    about = {"apiVersion": "v1", "kind": "Pod", "namespace": person.namespace.name,
             "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}
    event = {"apiVersion": "v1", "kind": "Event", "metadata": {"generateName": "autoscaler."},
             "involvedObject": about, "type": "Normal", "reason": reason, "message": message,
             "lastTimestamp": pod["metadata"]["creationTimestamp"]}
    kubesim.api("POST", f"/api/v1/namespaces/{person.namespace.name}/events", event)


def test_a_node_that_is_being_added_is_progress_and_not_an_error(
        site, person, kubesim, explained):
    kubesim.effect(effect="unschedulable", namespace=person.namespace.name)
    project = person.create("Crowded")
    told(project.sandbox, "POD_UNSCHEDULABLE", "STARTING")
    explained(project, "unschedulable")
    shorten(site, project, 3)  # longer than the two minutes that a broken start may take
    looks(kubesim, person, "statefulsets", 3)
    told(project.sandbox, "POD_UNSCHEDULABLE", "STARTING")
    pod = person.namespace.pod(project.sandbox()["sandboxName"])
    add_event(kubesim, person, pod, "TriggeredScaleUp",
              "pod triggered scale-up: [{pool-1 3->4 (max: 10)}]")
    shorten(site, project, 4)  # seven of the ten minutes that any start may take
    eventually(lambda: [c["code"] for c in project.causes()] == ["TriggeredScaleUp"],
               last=project.sandbox)
    assert project.sandbox()["status"] == "STARTING"
    explained(project, "unschedulable-and-a-node-is-added")
    shorten(site, project, 5)
    told(project.sandbox, "POD_UNSCHEDULABLE", "ERROR")


def test_a_sandbox_that_ends_soon_after_its_start_is_observed_before_the_resync(
        make_site, kubesim):
    """The resync interval is the default of five minutes."""
    made = Person(make_site(options={**OPTIONS, "resync": "5m"}), kubesim)
    project = made.create("Ending")
    project.wait("RUNNING")
    crash = kubesim.effect(effect="crash", namespace=made.namespace.name)
    told(project.sandbox, "POD_CRASH", "STARTING")
    kubesim.end_effect(crash)
    project.wait("RUNNING", SOON)
    warning, = project.sandbox()["warnings"]
    assert warning["code"] == "RESTARTED" and "exit code 1" in warning["message"]
