"""Tests deletion of a namespace: its contents go, except what a finalizer holds, and nothing can be created in it."""

import pytest
from stand.kube.api import ApiError

FINALIZER = "example.com/kept"


def secret(name, **metadata):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, **metadata}}


def refused(cluster, method, path, body=None):
    with pytest.raises(ApiError) as refusal:
        cluster.api(method, path, body)
    return refusal.value


def test_a_namespace_is_deleted_with_its_contents(cluster, user, eventually):
    path = f"/api/v1/namespaces/{user.namespace}"
    secrets = f"{path}/secrets"
    cluster.api("POST", secrets, secret("plain"))
    cluster.api("POST", secrets, secret("held", finalizers=[FINALIZER]))

    going = cluster.api("DELETE", path)
    assert going["kind"] == "Namespace" and going["status"]["phase"] == "Terminating"
    assert going["spec"]["finalizers"] == ["kubernetes"]
    assert "deletionTimestamp" in going["metadata"]
    assert "deletionGracePeriodSeconds" not in going["metadata"]

    eventually(lambda: cluster.admin.get(f"{secrets}/plain") is None)
    held = eventually(lambda: (found := cluster.admin.get(f"{secrets}/held"))
                      and "deletionTimestamp" in found["metadata"] and found)
    assert held["metadata"]["finalizers"] == [FINALIZER]
    assert cluster.admin.get(path)["status"]["phase"] == "Terminating"

    refusal = refused(cluster, "POST", secrets, secret("late"))
    assert (refusal.status, refusal.body["reason"]) == (403, "Forbidden")
    assert refusal.body["message"] == (
        f'secrets "late" is forbidden: unable to create new content in namespace {user.namespace}'
        " because it is being terminated")
    assert refusal.body["details"]["causes"] == [{
        "reason": "NamespaceTerminating", "field": "metadata.namespace",
        "message": f"namespace {user.namespace} is being terminated"}]
    again = cluster.api("DELETE", path)  # it is being deleted already
    assert again["metadata"]["deletionTimestamp"] == going["metadata"]["deletionTimestamp"]

    cluster.admin.patch(f"{secrets}/held", {"metadata": {"finalizers": None}})
    eventually(lambda: cluster.admin.get(path) is None)
    assert cluster.admin.get(f"{secrets}/held") is None
    refusal = refused(cluster, "POST", secrets, secret("later"))
    assert (refusal.status, refusal.body["reason"]) == (404, "NotFound")


def test_a_workload_ends_with_its_namespace(cluster, user, eventually):
    from manifests import stateful_set
    user.apply("statefulsets", stateful_set("web"))
    eventually(lambda: user.items("v1", "pods"))
    cluster.api("DELETE", f"/api/v1/namespaces/{user.namespace}")
    eventually(lambda: cluster.admin.get(f"/api/v1/namespaces/{user.namespace}") is None)
    for kind in ("pods", "persistentvolumeclaims"):
        assert cluster.api("GET", f"/api/v1/namespaces/{user.namespace}/{kind}")["items"] == []
