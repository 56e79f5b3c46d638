"""Tests the requests that check a stored kubeconfig: what its account may do, and what would be accepted."""

import pytest
from cases import change, claim, web
from manifests import database
from stand.kube.api import APPLY, Api, ApiError

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
DRY_RUN = "?fieldManager=us&force=true&fieldValidation=Strict&dryRun=All"


def review(namespace):
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": namespace}}


def rules(user):
    """Returns the rules of a complete review."""
    status = user.api("POST", REVIEWS, review(user.namespace))["status"]
    assert status["incomplete"] is False
    return status["resourceRules"]


def allows(rules, group, resource, verb):
    return any({verb, "*"} & set(rule["verbs"]) and {group, "*"} & set(rule["apiGroups"])
               and {resource, "*"} & set(rule["resources"]) for rule in rules)


def pod(**changes):
    """Returns the pod of a StatefulSet."""
    template = web()["spec"]["template"]
    spec = {**template["spec"], "volumes": [{"name": "home", "emptyDir": {}}]}
    return change({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": spec},
                  changes)


def dry_run(user, resource, obj):
    """Returns the code, and the object or the Status."""
    path = user.path(obj["apiVersion"], resource, obj["metadata"]["name"])
    try:
        return 200, user.api("PATCH", path + DRY_RUN, obj, APPLY)
    except ApiError as e:
        return e.status, e.body


def test_an_owner_may_change_everything_in_the_namespace(user):
    found = rules(user)
    for verb in ("get", "list", "create", "patch", "delete"):
        assert allows(found, "apps", "statefulsets", verb) and allows(found, "", "secrets", verb)


def test_a_developer_only_reads(new_user):
    found = rules(new_user(role="developer"))
    assert allows(found, "apps", "statefulsets", "list")
    assert not any(allows(found, "apps", "statefulsets", verb)
                   for verb in ("create", "patch", "delete"))


def test_another_namespace_is_not_disclosed(user, new_user):
    other = new_user()
    found = user.api("POST", REVIEWS, review(other.namespace))["status"]["resourceRules"]
    assert not allows(found, "apps", "statefulsets", "list")


def test_a_review_of_no_namespace_is_refused(user):
    with pytest.raises(ApiError) as refused:
        user.api("POST", REVIEWS, review(""))
    assert refused.value.status == 400
    assert refused.value.body["message"] == "no namespace on request"


def test_a_wrong_token_is_reported_first(user):
    stranger = Api.from_kubeconfig(user.kubeconfig.replace("token: ", "token: x"))
    with pytest.raises(ApiError) as refused:
        stranger("POST", REVIEWS, review(user.namespace))
    assert (refused.value.status, refused.value.body["reason"]) == (401, "Unauthorized")


@pytest.mark.parametrize("resource, obj", [
    ("statefulsets", web()), ("pods", pod()), ("persistentvolumeclaims", claim()),
    ("clusters", database("db"))], ids=lambda value: value if isinstance(value, str) else "")
def test_a_dry_run_answers_with_the_object_and_stores_nothing(user, resource, obj):
    code, answer = dry_run(user, resource, obj)
    assert code == 200, answer
    assert answer["metadata"]["uid"] and answer["kind"] == obj["kind"]
    assert user.items(obj["apiVersion"], resource) == []


def test_a_dry_run_needs_the_right(new_user):
    code, answer = dry_run(new_user(role="developer"), "statefulsets", web())
    assert code == 403 and "cannot patch resource" in answer["message"]


def test_a_dry_run_checks_the_quota(new_user):
    user = new_user(quota={"pods": "1"})
    code, answer = dry_run(user, "pods", pod())
    assert code == 200, answer
    user.apply("pods", pod(**{"metadata.name": "first"}))
    code, answer = dry_run(user, "pods", pod())
    assert code == 403
    assert "exceeded quota" in answer["message"] and "limited: pods=1" in answer["message"]


def test_a_dry_run_is_refused_by_pod_security(user):
    code, answer = dry_run(user, "pods", pod(**{"spec.containers.0.securityContext": None}))
    assert code == 403 and "violates PodSecurity" in answer["message"]


def test_a_namespace_tells_its_owner_that_it_is_there(user):
    found = user.api("GET", f"/api/v1/namespaces/{user.namespace}")
    assert found["kind"] == "Namespace" and found["status"]["phase"] == "Active"
