"""Tests that a client cannot tell the KubeBlocks stand-in from the real one."""

import base64
import time

import pytest
from manifests import database
from stand.kube.api import ApiError

GROUP = "apps.kubeblocks.io/v1alpha1"
CLAIM = "data-db-postgresql-0"
HELD = "example.com/held"  # a finalizer of ours, so that a deleted object stays until it was checked


def apply(user, **options):
    return user.apply("clusters", database("db", **options))


def cluster_of(user):
    return user.get(GROUP, "clusters", "db")


def phase(user):
    return (cluster_of(user) or {}).get("status", {}).get("phase", "")


def is_in(user, name):
    """Returns a check that the newest generation has this phase."""

    def check():
        seen = cluster_of(user)
        status = seen.get("status", {})
        current = status.get("observedGeneration") == seen["metadata"]["generation"]
        return current and status.get("phase") == name

    check.__doc__ = f"phase {name}"
    return check


def phases_until(user, last, seconds=120):
    """Returns the reported phases, in order, up to the last; a short one may be missed on a busy machine."""
    told = [phase(user)]
    end = time.monotonic() + seconds
    while told[-1] != last:
        assert time.monotonic() < end, f"{last} was not told, only {told}"
        now = phase(user)
        if now != told[-1]:
            told.append(now)
        time.sleep(0.02)
    return told


def are_in_order(told, phases):
    """Whether the reported phases are in this order and include the last."""
    rest = iter(phases)
    return told[-1] == phases[-1] and all(phase in rest for phase in told)


def set_finalizers(user, names):
    user.api.patch(user.path(GROUP, "clusters", "db"), {"metadata": {"finalizers": names}})


def secret(user):
    data = user.get("v1", "secrets", "db-conn-credential")["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def test_a_new_one_passes_its_phases(user):
    apply(user)
    assert are_in_order(phases_until(user, "Running"), ["", "Creating", "Running"])
    assert cluster_of(user)["metadata"]["finalizers"] == ["cluster.kubeblocks.io/finalizer"]


def test_credentials_exist_before_the_phase_creating(user, eventually):
    apply(user)
    eventually(lambda: phase(user))
    seen = secret(user)
    assert set(seen) == {"endpoint", "host", "password", "port", "username"}
    assert (seen["username"], seen["host"], seen["port"]) == ("postgres", "db-postgresql", "5432")


def test_stops_and_starts_with_the_same_password(user, eventually):
    apply(user)
    eventually(is_in(user, "Running"))
    before = secret(user)
    apply(user, replicas=0)
    assert are_in_order(phases_until(user, "Stopped"), ["Running", "Stopping", "Stopped"])
    assert user.items("v1", "pods") == []
    assert user.get("v1", "persistentvolumeclaims", CLAIM)
    apply(user)
    assert are_in_order(phases_until(user, "Running"), ["Stopped", "Updating", "Running"])
    assert secret(user) == before


def test_the_status_lags_behind_the_spec(user, eventually):
    apply(user)
    eventually(is_in(user, "Running"))
    changed = apply(user, replicas=0)
    assert changed["status"]["phase"] == "Running"
    assert changed["status"]["observedGeneration"] < changed["metadata"]["generation"]


def test_its_pods_and_claims_carry_the_instance_label(user, eventually):
    apply(user)
    eventually(is_in(user, "Running"))
    for resource in ("pods", "persistentvolumeclaims"):
        assert [o["metadata"]["labels"]["app.kubernetes.io/instance"]
                for o in user.items("v1", resource)] == ["db"]


def test_deletion_takes_everything(user, eventually):
    apply(user)
    eventually(is_in(user, "Running"))
    set_finalizers(user, cluster_of(user)["metadata"]["finalizers"] + [HELD])
    user.delete(GROUP, "clusters", "db")
    eventually(is_in(user, "Deleting"))
    eventually(lambda: cluster_of(user)["metadata"]["finalizers"] == [HELD])
    set_finalizers(user, [])
    eventually(lambda: cluster_of(user) is None)
    assert user.get("v1", "persistentvolumeclaims", CLAIM) is None
    eventually(lambda: user.get("v1", "secrets", "db-conn-credential") is None)
    eventually(lambda: user.get("v1", "services", "db-postgresql") is None)


def test_halt_keeps_the_volume(user, eventually):
    apply(user, policy="Halt")
    eventually(is_in(user, "Running"))
    user.delete(GROUP, "clusters", "db")
    eventually(lambda: cluster_of(user) is None)
    assert user.get("v1", "persistentvolumeclaims", CLAIM)


def test_do_not_terminate_blocks_until_it_is_changed(user, eventually):
    apply(user, policy="DoNotTerminate")
    eventually(is_in(user, "Running"))
    user.delete(GROUP, "clusters", "db")
    time.sleep(1)
    assert phase(user) == "Running"
    apply(user)
    eventually(lambda: cluster_of(user) is None)


def test_a_failure_is_reported_and_heals(user, eventually):
    apply(user)
    eventually(is_in(user, "Running"))
    path = user.path(GROUP, "clusters", "db")
    annotation = "stand.fullstackagent.io/phase"
    user.api.patch(path, {"metadata": {"annotations": {annotation: "Failed"}}})
    eventually(is_in(user, "Failed"))
    user.api.patch(path, {"metadata": {"annotations": {annotation: None}}})
    eventually(is_in(user, "Running"))


@pytest.mark.parametrize("change", [
    {"terminationPolicy": None},
    {"terminationPolicy": "Never"},
    {"clusterVersionRef": "PostgreSQL 14"},
    {"affinity": {"tenancy": "None"}},
    {"affinity": {"podAntiAffinity": "Maybe"}},
    {"componentSpecs": [{"name": "postgresql", "replicas": 1, "switchPolicy": {"type": "Any"}}]},
    {"componentSpecs": [{"name": "p" * 23, "replicas": 1}]},
], ids=str)
def test_a_wrong_spec_is_refused(user, change):
    wrong = database("db", **change)
    wrong["spec"] = {k: v for k, v in wrong["spec"].items() if v is not None}
    with pytest.raises(ApiError) as e:
        user.apply("clusters", wrong)
    assert e.value.status == 422


def test_the_definition_is_immutable(user):
    apply(user)
    with pytest.raises(ApiError, match="immutable") as e:
        apply(user, clusterDefinitionRef="mysql")
    assert e.value.status == 422


def test_an_unknown_field_is_refused(user):
    with pytest.raises(ApiError, match="field not declared in schema"):
        apply(user, backups=True)


def test_a_patched_component_loses_the_rest(user):
    """The list is atomic: a patch of one of its members must contain all of it."""
    apply(user)
    component = {"name": "postgresql", "replicas": 0}
    path = user.path(GROUP, "clusters", "db")
    changed = user.api.patch(path, {"spec": {"componentSpecs": [component]}})
    assert "resources" not in changed["spec"]["componentSpecs"][0]
