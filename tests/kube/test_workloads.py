"""Tests what a program can observe of pods and volumes."""

import pytest
from manifests import stateful_set
from stand.kube.api import ApiError

APPS = "apps/v1"


def start(user, name="web", **options):
    return user.apply("statefulsets", stateful_set(name, **options))


def status(user, name="web"):
    return user.get(APPS, "statefulsets", name)["status"]


def ready(user, name="web"):
    return lambda: status(user, name).get("readyReplicas", 0) == 1


def pod(user, name="web-0"):
    return user.get("v1", "pods", name)


def container(user):
    """Returns the status of the only container, or {} if there is none yet."""
    statuses = (pod(user) or {}).get("status", {}).get("containerStatuses")
    return statuses[0] if statuses else {}


def waits_for(user, reason):
    return lambda: container(user).get("state", {}).get("waiting", {}).get("reason") == reason


def events(user, reason):
    return [e for e in user.items("v1", "events") if e["reason"] == reason]


def test_becomes_ready_under_restricted_with_a_volume(user, eventually):
    start(user)
    eventually(ready(user))
    assert pod(user)["status"]["podIP"]
    assert user.get("v1", "persistentvolumeclaims", "home-web-0")["status"]["phase"] == "Bound"


def test_ready_after_the_annotated_delay(user, eventually):
    start(user, annotations={"stand.fullstackagent.io/ready-after": "5s"})
    eventually(waits_for(user, "ContainerCreating"))
    eventually(ready(user))


def test_scales_to_zero_and_back(user, eventually):
    start(user)
    eventually(ready(user))
    first = pod(user)["metadata"]["uid"]
    start(user, replicas=0)
    eventually(lambda: status(user).get("replicas", 0) == 0 and pod(user) is None)
    start(user)
    eventually(ready(user))
    assert pod(user)["metadata"]["uid"] != first


def test_a_deleted_pod_comes_back(user, eventually):
    start(user)
    eventually(ready(user))
    first = pod(user)["metadata"]["uid"]
    user.delete("v1", "pods", "web-0")
    eventually(lambda: (pod(user) or {}).get("metadata", {}).get("uid", first) != first)
    eventually(ready(user))


def test_a_changed_template_replaces_the_pod(user, eventually):
    start(user)
    eventually(ready(user))
    start(user, annotations={"checksum": "2"})
    eventually(lambda: ((pod(user) or {}).get("metadata", {}).get("annotations") or {})
               .get("checksum") == "2")
    eventually(ready(user))


def test_a_volume_goes_with_its_claim(cluster, user, eventually):
    start(user)
    eventually(ready(user))
    volume = user.get("v1", "persistentvolumeclaims", "home-web-0")["spec"]["volumeName"]
    user.delete(APPS, "statefulsets", "web")
    user.delete("v1", "persistentvolumeclaims", "home-web-0")
    eventually(lambda: user.get("v1", "persistentvolumeclaims", "home-web-0") is None)
    eventually(lambda: cluster.admin.get(f"/api/v1/persistentvolumes/{volume}") is None)


def test_a_claim_in_use_is_kept(user, eventually):
    start(user)
    eventually(ready(user))
    user.delete("v1", "persistentvolumeclaims", "home-web-0")
    claim = user.get("v1", "persistentvolumeclaims", "home-web-0")
    assert claim["metadata"]["deletionTimestamp"]


def test_an_image_that_cannot_be_pulled(user, eventually):
    image = "registry.invalid/sandbox:1"
    start(user, image=image)
    eventually(waits_for(user, "ImagePullBackOff"))
    assert image in container(user)["state"]["waiting"]["message"]
    assert pod(user)["status"]["phase"] == "Pending"
    assert image in eventually(lambda: events(user, "Failed"))[0]["message"]
    eventually(lambda: events(user, "BackOff"))


def test_a_repaired_image_heals(user, eventually):
    start(user, image="registry.invalid/sandbox:1")
    eventually(waits_for(user, "ImagePullBackOff"))
    start(user)
    user.delete("v1", "pods", "web-0")  # a StatefulSet does not replace a pod that is not ready
    eventually(ready(user))


def test_a_crash_loop(user, eventually):
    start(user, image="example.com/sandbox:crash-loop")
    eventually(waits_for(user, "CrashLoopBackOff"))
    seen = container(user)
    assert seen["restartCount"] >= 1
    assert seen["lastState"]["terminated"]["exitCode"] == 1
    assert pod(user)["status"]["phase"] == "Running"
    assert not status(user).get("readyReplicas")
    told = eventually(lambda: events(user, "BackOff"))[0]["message"]
    assert "Back-off restarting failed container sandbox" in told
    eventually(lambda: container(user)["restartCount"] > seen["restartCount"])


def test_a_volume_that_does_not_mount(user, eventually):
    start(user, image="example.com/sandbox:mount-failure")
    eventually(lambda: events(user, "FailedMount"))
    assert waits_for(user, "ContainerCreating")()


def test_a_pod_too_large_for_every_node(new_user, eventually):
    """The cause is reliably in the condition: the scheduler's events form one series per pod, which may keep its
    first message, that the volume was not bound yet."""
    user = new_user(enforce="restricted", quota={"limits.cpu": "100"})
    start(user, cpu="90")

    def unschedulable():
        conditions = (pod(user) or {}).get("status", {}).get("conditions", [])
        return [c for c in conditions if c["type"] == "PodScheduled" and c["status"] == "False"
                and "Insufficient cpu" in c["message"]]

    assert eventually(unschedulable)[0]["reason"] == "Unschedulable"
    eventually(lambda: events(user, "FailedScheduling"))


def test_a_quota_is_reported_on_the_stateful_set(new_user, eventually):
    user = new_user(quota={"limits.cpu": "100m"})
    start(user)
    eventually(lambda: any("exceeded quota" in e["message"] for e in events(user, "FailedCreate")))


def test_pod_security_is_reported_on_the_stateful_set(user, eventually):
    plain = stateful_set("web")
    del plain["spec"]["template"]["spec"]["securityContext"]
    user.apply("statefulsets", plain)
    eventually(lambda: any("violates PodSecurity" in e["message"]
                           for e in events(user, "FailedCreate")))


def test_an_unknown_field_is_refused(user):
    wrong = stateful_set("web")
    wrong["spec"]["replica"] = 1
    with pytest.raises(ApiError, match="field not declared in schema") as e:
        user.apply("statefulsets", wrong)
    assert e.value.status == 500
