"""Applies the golden files of the manifest layer to the real API server.

Every apply is strict and in a namespace that enforces Pod Security "restricted".
"""

import base64
import copy
import json
import subprocess
from pathlib import Path

import pytest
from stand.kube.api import APPLY, ApiError

GOLDEN = Path(__file__).resolve().parents[1] / "unit/golden"
RESOURCES = {
    "Secret": "secrets",
    "Service": "services",
    "Ingress": "ingresses",
    "NetworkPolicy": "networkpolicies",
    "StatefulSet": "statefulsets",
    "ServiceAccount": "serviceaccounts",
    "Role": "roles",
    "RoleBinding": "rolebindings",
    "Cluster": "clusters",
}


def golden(user, name):
    """Returns the objects of a golden file, in the user's namespace."""
    return json.loads((GOLDEN / f"{name}.json").read_text().replace("ns-ada", user.namespace))


def path(user, obj):
    return user.path(obj["apiVersion"], RESOURCES[obj["kind"]], obj["metadata"]["name"])


def apply(user, objects):
    query = "?fieldManager=fullstack-agent&force=true&fieldValidation=Strict"
    return [user.api("PATCH", path(user, obj) + query, obj, APPLY) for obj in objects]


def live(user, obj):
    return user.api.get(path(user, obj))


def listed(user, obj):
    """Returns the object as an item of a list, which is the form that the reconciler reads."""
    items = user.items(obj["apiVersion"], RESOURCES[obj["kind"]])
    return next(i for i in items if i["metadata"]["name"] == obj["metadata"]["name"])


@pytest.fixture
def driver(build, tmp_path):
    """driver("covers", live, wanted): calls the layer's own functions; returns the completed process."""

    def run(command, *objects):
        files = [tmp_path / name for name in ("live.json", "wanted.json")]
        for file, obj in zip(files, objects):
            file.write_text(json.dumps(obj))
        program = build / "tests/kube/manifest_driver"
        done = subprocess.run([program, command, *files], capture_output=True, text=True)
        assert done.returncode in (0, 1), done.stderr
        return done

    return run


@pytest.fixture
def covers(driver):
    return lambda live, wanted: driver("covers", live, wanted).returncode == 0


@pytest.fixture
def keep(driver):
    return lambda live, wanted: json.loads(driver("keep", live, wanted).stdout)


def is_ready(user, obj):
    def check():
        status = live(user, obj).get("status", {})
        return status.get("readyReplicas") == 1 or status.get("phase") == "Running"

    return check


def start(user, eventually, name="sandbox"):
    """Applies all objects and waits until the last one runs."""
    objects = golden(user, name)
    apply(user, objects)
    eventually(is_ready(user, objects[-1]))
    return objects


@pytest.mark.parametrize("name", ["sandbox", "database"])
def test_all_are_accepted_and_the_live_objects_cover_them(user, eventually, covers, name):
    for obj in start(user, eventually, name):
        assert covers(live(user, obj), obj), obj["kind"]
        assert covers(listed(user, obj), obj), obj["kind"]


@pytest.mark.parametrize("name", ["sandbox", "database"])
def test_a_second_apply_changes_nothing(user, eventually, name):
    objects = start(user, eventually, name)
    before = [live(user, obj)["metadata"] for obj in objects]
    for old, new in zip(before, apply(user, objects)):
        assert new["metadata"]["resourceVersion"] == old["resourceVersion"], old["name"]


@pytest.mark.parametrize("name", ["sandbox-stopped", "database-stopped"])
def test_the_stopped_ones_are_accepted_too(user, covers, name):
    objects = golden(user, name)
    apply(user, objects)
    assert all(covers(live(user, obj), obj) for obj in objects)


def test_the_pod_and_the_volume_are_found_by_the_label(user, eventually):
    objects = start(user, eventually)
    label = "project.fullstackagent.io/resource"
    wanted = objects[-1]["metadata"]["labels"][label]
    for resource in ("pods", "persistentvolumeclaims"):
        query = f"?labelSelector={label}%3D{wanted}"
        assert len(user.api("GET", user.path("v1", resource) + query)["items"]) == 1


def test_a_stop_keeps_the_volume_and_a_deletion_takes_it(user, eventually):
    objects = start(user, eventually)
    stopped = golden(user, "sandbox")
    stopped[-1]["spec"]["replicas"] = 0
    apply(user, stopped)
    eventually(lambda: not user.items("v1", "pods"))
    assert user.items("v1", "persistentvolumeclaims")
    user.api("DELETE", path(user, objects[-1]))
    eventually(lambda: not user.items("v1", "persistentvolumeclaims"))


def test_a_deleted_variable_leaves_the_secret(user, eventually, covers):
    secret = start(user, eventually)[0]
    fewer = copy.deepcopy(secret)
    del fewer["data"]["GREETING"]
    apply(user, [fewer])
    assert live(user, secret)["data"] == fewer["data"]
    assert not covers(live(user, secret), secret)
    assert base64.b64decode(fewer["data"]["TTYD_ACCESS_TOKEN"]).decode().isalpha()


@pytest.mark.parametrize("kind, change", [
    ("Service", {"spec": {"selector": {"app": "other"}}}),
    ("Ingress", {"spec": {"ingressClassName": "other"}}),
    ("NetworkPolicy", {"spec": {"egress": [{}]}}),
    ("StatefulSet", {"spec": {"template": {"spec": {"automountServiceAccountToken": None}}}}),
    ("StatefulSet", {"spec": {"replicas": 0}}),
])
def test_an_edit_is_noticed_and_undone(user, eventually, covers, kind, change):
    obj = next(o for o in start(user, eventually) if o["kind"] == kind)
    user.api.patch(path(user, obj), change)
    assert not covers(live(user, obj), obj)
    apply(user, [obj])
    assert covers(live(user, obj), obj)


def test_a_database_is_confined_by_a_policy_that_is_mended(user, eventually, covers):
    objects = start(user, eventually, "database")
    policy = next(o for o in objects if o["kind"] == "NetworkPolicy")
    user.api.patch(path(user, policy), {"spec": {"egress": [{}]}})
    assert not covers(live(user, policy), policy)
    apply(user, [policy])
    assert covers(live(user, policy), policy)


def test_foreign_additions_are_no_difference(user, eventually, covers):
    obj = next(o for o in start(user, eventually) if o["kind"] == "Ingress")
    user.api.patch(path(user, obj), {"metadata": {"annotations": {"webhook.example/added": "1"}}})
    assert covers(live(user, obj), obj)
    apply(user, [obj])
    assert live(user, obj)["metadata"]["annotations"]["webhook.example/added"] == "1"


def test_a_broken_pod_is_replaced_by_the_repaired_one(user, eventually):
    objects = golden(user, "sandbox")
    container = objects[-1]["spec"]["template"]["spec"]["containers"][0]
    good, container["image"] = container["image"], "registry.invalid/runtime:1"
    apply(user, objects)

    def waiting():
        statuses = [p["status"].get("containerStatuses", []) for p in user.items("v1", "pods")]
        return any("waiting" in s["state"] for pod in statuses for s in pod)

    eventually(waiting)
    container["image"] = good
    apply(user, objects[-1:])
    eventually(is_ready(user, objects[-1]))


def test_an_existing_volume_keeps_its_immutable_members(user, eventually, covers, keep):
    stateful_set = start(user, eventually)[-1]
    claim = stateful_set["spec"]["volumeClaimTemplates"][0]["spec"]
    claim["storageClassName"] = "another"
    stateful_set["spec"]["template"]["metadata"]["annotations"]["changed"] = "yes"
    with pytest.raises(ApiError) as refused:
        apply(user, [stateful_set])
    assert refused.value.status == 422
    kept = keep(live(user, stateful_set), stateful_set)
    apply(user, [kept])
    assert covers(live(user, stateful_set), kept)
    template = live(user, stateful_set)["spec"]["template"]
    assert template["metadata"]["annotations"]["changed"] == "yes"
    # The claims are still ours: a second apply changes nothing.
    apply(user, [keep(live(user, stateful_set), stateful_set)])
