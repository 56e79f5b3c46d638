"""Tests what the reconciler uses as evidence: times, objects' identities, and stored values."""

import itertools
from urllib.parse import quote

from cases import change, service, web
from stand.kubesim import KubeSim

APPS = "apps/v1"
_numbers = itertools.count(1)


def applied_at(obj):
    """Returns when the manager `test` last changed the object by applying it."""
    return next(m["time"] for m in obj["metadata"]["managedFields"]
                if (m["manager"], m["operation"]) == ("test", "Apply"))


def a_second_later(user, eventually, name):
    """Changes a value until the object's time, which has whole seconds, has changed."""
    obj = web(**{"metadata.name": name})
    first = applied_at(user.apply("statefulsets", obj))

    def changed():
        """the object has a new time"""
        turn = {"metadata.labels": {"turn": str(next(_numbers))}}
        user.apply("statefulsets", change(obj, turn))
        return applied_at(user.get(APPS, "statefulsets", name)) != first

    eventually(changed)


def test_an_apply_has_the_time_of_its_last_change(user, eventually):
    a_second_later(user, eventually, "web")  # a value was changed, so there is a new time
    before = user.get(APPS, "statefulsets", "web")
    a_second_later(user, eventually, "clock")
    again = {"metadata.labels": before["metadata"]["labels"]}
    user.apply("statefulsets", change(web(), again))
    assert applied_at(user.get(APPS, "statefulsets", "web")) == applied_at(before)


def test_events_are_found_by_the_uid_of_their_object(user):
    path = f"/api/v1/namespaces/{user.namespace}/events"
    for uid in ("one", "other"):
        about = {"kind": "Pod", "name": "same-0", "namespace": user.namespace, "uid": uid}
        user.api("POST", path, {
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": f"about.{uid}"},
            "involvedObject": about, "type": "Warning", "reason": "FailedMount", "message": uid})
    selector = quote("involvedObject.uid=one")
    found = user.api("GET", f"{path}?fieldSelector={selector}")["items"]
    assert [event["message"] for event in found] == ["one"]


def test_an_apply_answers_with_the_object_as_it_was_stored(user):
    stored = user.apply("services", service())
    assert stored["spec"]["type"] == "ClusterIP" and stored["spec"]["clusterIP"]  # values set by defaults


ADMISSION = "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolic"


def add_admission(cluster, namespace):
    """Makes Services in a namespace get the type NodePort; returns a function that ends that."""
    if isinstance(cluster, KubeSim):
        rule = cluster.effect(effect="admission", resource="services", namespace=namespace,
                              set={"spec.type": "NodePort"})
        return lambda: cluster.end_effect(rule)
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
              "resources": ["services"]}]
    where = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    mutation = {"patchType": "ApplyConfiguration", "applyConfiguration": {
        "expression": 'Object{spec: Object.spec{type: "NodePort"}}'}}
    cluster.api("POST", f"{ADMISSION}ies", {
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": namespace},
        "spec": {"matchConstraints": {"resourceRules": rules}, "failurePolicy": "Fail",
                 "reinvocationPolicy": "Never", "mutations": [mutation]}})
    cluster.api("POST", f"{ADMISSION}ybindings", {
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": namespace},
        "spec": {"policyName": namespace, "matchResources": where}})

    def end():
        for path in (f"{ADMISSION}ybindings", f"{ADMISSION}ies"):
            cluster.api("DELETE", f"{path}/{namespace}")

    return end


def test_admissions_changes_are_in_the_response_and_stay(cluster, user, eventually):
    end = add_admission(cluster, user.namespace)
    try:
        def stored():
            """admission applies, which may take a moment"""
            answer = user.apply("services", service(**{"spec.type": "ClusterIP"}))
            return answer["spec"]["type"] == "NodePort" and answer

        answer = eventually(stored)
        again = user.apply("services", service(**{"spec.type": "ClusterIP"}))
        assert again["metadata"]["resourceVersion"] == answer["metadata"]["resourceVersion"]
        assert user.get("v1", "services", "web")["spec"]["type"] == "NodePort"
    finally:
        end()
