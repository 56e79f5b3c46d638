"""Tests the faults and effects of kubesim: each does what it says, and stops when it is ended."""

import http.client
import ssl
import time
import urllib.error

import pytest
from cases import secret, web
from manifests import database, stateful_set
from stand.kube.api import Api, ApiError
from stand.kubesim import AdminError, KubeSim

APPS = "apps/v1"


@pytest.fixture
def cluster(kubesim):
    """kubesim only."""
    yield kubesim
    kubesim.heal()


def refusal(call, *args):
    with pytest.raises(ApiError) as e:
        call(*args)
    return e.value


@pytest.mark.parametrize("name, code, reason", [
    ("unauthorized", 401, "Unauthorized"),
    ("forbidden", 403, "Forbidden"),
    ("quota", 403, "Forbidden"),
    ("billing", 403, "Forbidden"),
    ("not-found", 404, "NotFound"),
    ("conflict", 409, "Conflict"),
    ("expired", 410, "Expired"),
    ("invalid", 422, "Invalid"),
    ("too-many-requests", 429, "TooManyRequests"),
    ("internal", 500, "InternalError"),
    ("unavailable", 503, "ServiceUnavailable"),
])
def test_a_code(cluster, user, name, code, reason):
    cluster.fault(fault=name, namespace=user.namespace, count=1)
    e = refusal(user.items, APPS, "statefulsets")
    assert (e.status, e.reason, e.body["kind"]) == (code, reason, "Status")
    assert user.items(APPS, "statefulsets") == []


def test_a_status_fault_is_not_executed_by_default(cluster, user):
    cluster.fault(fault="internal", namespace=user.namespace, verb="apply", count=1)
    assert refusal(user.apply, "statefulsets", web()).status == 500
    assert user.get(APPS, "statefulsets", "web") is None
    cluster.fault(fault="internal", namespace=user.namespace, verb="apply", count=1, executed=True)
    assert refusal(user.apply, "statefulsets", web()).status == 500
    assert user.get(APPS, "statefulsets", "web")


def test_retry_after(cluster, user):
    cluster.fault(fault="too-many-requests", namespace=user.namespace, retryAfter=7)
    assert refusal(user.items, "v1", "pods").body["details"]["retryAfterSeconds"] == 7


def test_a_rule_chooses_by_verb_resource_and_name(cluster, user):
    cluster.fault(fault="internal", verb="get|list", resource="secrets", name="e*",
                  namespace=user.namespace)
    user.apply("secrets", secret())
    assert user.items("v1", "secrets")
    assert refusal(user.get, "v1", "secrets", "env").status == 500
    assert user.items("v1", "pods") == []


def test_a_rule_chooses_by_user(cluster, user, new_user):
    other = new_user()
    cluster.fault(fault="internal", user=f"*:{user.name}")
    assert refusal(user.items, "v1", "pods").status == 500
    assert other.items("v1", "pods") == []


def test_probability_follows_the_seed(kubesim_build, tmp_path):
    def run(directory):
        with KubeSim(directory, kubesim_build, seed=7) as sim:
            api = Api.from_kubeconfig(sim.create_user("ada"))
            sim.fault(fault="internal", probability=0.5, namespace="ns-ada")
            return [attempt(api) for _ in range(40)]

    def attempt(api):
        try:
            api("GET", "/api/v1/namespaces/ns-ada/pods")
            return True
        except ApiError:
            return False

    first = run(tmp_path / "a")
    assert first == run(tmp_path / "b")
    assert 5 < sum(first) < 35


def test_latency(cluster, user):
    cluster.fault(fault="latency", ms=400, namespace=user.namespace, count=1)
    start = time.monotonic()
    assert user.items("v1", "pods") == []
    assert time.monotonic() - start >= 0.4


def test_a_hang_blocks_nobody_else(cluster, user, new_user):
    other = new_user()
    cluster.fault(fault="hang", namespace=user.namespace, count=1)
    with pytest.raises(TimeoutError):
        user.api("GET", user.path("v1", "pods"), timeout=5)
    assert other.items("v1", "pods") == []


def test_a_reset(cluster, user):
    cluster.fault(fault="reset", namespace=user.namespace, count=1)
    with pytest.raises((OSError, http.client.HTTPException)):
        user.items("v1", "pods")
    assert user.items("v1", "pods") == []


def test_a_body_cut_off(cluster, user):
    user.apply("secrets", secret())
    cluster.fault(fault="truncate", namespace=user.namespace, count=1)
    with pytest.raises((http.client.IncompleteRead, ssl.SSLError)):
        user.items("v1", "secrets")


def test_a_body_without_end(cluster, user):
    cluster.fault(fault="oversize", bytes=5_000_000, namespace=user.namespace, count=1)
    assert len(user.api("GET", user.path("v1", "pods"))["message"]) == 5_000_000


@pytest.mark.parametrize("name", ["not-json", "bad-json"])
def test_a_body_that_is_no_object(cluster, user, name):
    cluster.fault(fault=name, namespace=user.namespace, count=1)
    answer = user.api("GET", user.path("v1", "pods"))
    assert "items" not in answer


def test_a_stale_list(cluster, user):
    user.apply("secrets", secret())
    number = cluster.fault(fault="stale", verb="list", namespace=user.namespace)
    user.delete("v1", "secrets", "env")
    assert [o["metadata"]["name"] for o in user.items("v1", "secrets")] == ["env"]
    cluster.end_fault(number)
    assert user.items("v1", "secrets") == []


def test_an_outage_loses_nothing(cluster, user):
    user.apply("secrets", secret())
    cluster.stop_apiserver()
    with pytest.raises(urllib.error.URLError):
        user.items("v1", "secrets")
    cluster.start_apiserver()
    assert user.items("v1", "secrets")


def test_an_expired_token(cluster, user):
    api = Api.from_kubeconfig(cluster.create_user(user.name, lifetime=0))
    assert refusal(api, "GET", user.path("v1", "pods")).status == 401
    assert user.items("v1", "pods") == []


def test_a_rotated_kubeconfig(cluster, user):
    cluster.delete_user(user.name)
    assert refusal(user.items, "v1", "pods").status == 401
    renewed = Api.from_kubeconfig(cluster.create_user(user.name))
    assert renewed("GET", user.path("v1", "pods"))["items"] == []


def test_debt(cluster, user):
    user.apply("statefulsets", stateful_set("web"))
    cluster.suspend(user.namespace)
    assert "40001" in refusal(user.apply, "statefulsets", stateful_set("web")).message
    assert user.get(APPS, "statefulsets", "web")["spec"]["replicas"] == 0
    user.delete(APPS, "statefulsets", "web")
    cluster.resume(user.namespace)
    user.apply("statefulsets", stateful_set("web"))


def pod_reason(user):
    pod = user.get("v1", "pods", "web-0") or {}
    for status in pod.get("status", {}).get("containerStatuses", []):
        return status["state"].get("waiting", {}).get("reason")
    for condition in pod.get("status", {}).get("conditions", []):
        if condition["status"] == "False":
            return condition.get("reason")
    return None


def is_ready(user):
    return user.get(APPS, "statefulsets", "web")["status"].get("readyReplicas") == 1


@pytest.mark.parametrize("name, reason", [
    ("crash", "CrashLoopBackOff"),
    ("image", "ImagePullBackOff"),
    ("unschedulable", "Unschedulable"),
    ("unbound", "Unschedulable"),
])
def test_an_effect_shows_and_passes(cluster, user, eventually, name, reason):
    number = cluster.effect(effect=name, namespace=user.namespace)
    user.apply("statefulsets", stateful_set("web"))
    eventually(lambda: pod_reason(user) == reason)
    assert not is_ready(user)
    cluster.end_effect(number)
    eventually(lambda: is_ready(user))


def test_a_running_pod_begins_to_crash(cluster, user, eventually):
    user.apply("statefulsets", stateful_set("web"))
    eventually(lambda: is_ready(user))
    cluster.effect(effect="crash", namespace=user.namespace)
    eventually(lambda: pod_reason(user) == "CrashLoopBackOff")
    cluster.heal()
    eventually(lambda: is_ready(user))


def test_a_pod_that_does_not_end(cluster, user, eventually):
    user.apply("statefulsets", stateful_set("web"))
    eventually(lambda: is_ready(user))
    cluster.effect(effect="stuck", namespace=user.namespace)
    user.apply("statefulsets", stateful_set("web", replicas=0))
    eventually(lambda: user.get("v1", "pods", "web-0")["metadata"].get("deletionTimestamp"))
    time.sleep(1)
    assert user.get("v1", "pods", "web-0")
    cluster.heal()
    eventually(lambda: user.get("v1", "pods", "web-0") is None)


def test_a_database_that_fails_and_comes_back(cluster, user, eventually):
    def phase():
        return user.get("apps.kubeblocks.io/v1alpha1", "clusters", "db").get("status", {}).get("phase")

    user.apply("clusters", database("db"))
    eventually(lambda: phase() == "Running")
    cluster.effect(effect="database-failed", namespace=user.namespace, name="db")
    eventually(lambda: phase() == "Failed")
    cluster.heal()
    eventually(lambda: phase() == "Running")


def test_writes_are_logged_once(cluster, user):
    since = cluster.writes()["next"]
    user.apply("secrets", secret())
    user.apply("secrets", secret())
    ours = [w for w in cluster.writes(since)["writes"] if w["namespace"] == user.namespace]
    assert [(w["effect"], w["resource"], w["name"]) for w in ours] == [("created", "secrets", "env")]


def test_requests_are_counted(cluster, user):
    def count():
        return cluster.counters()["by"].get("list secrets 200", 0)

    before = count()
    user.items("v1", "secrets")
    assert count() == before + 1


def test_a_wrong_rule_is_refused(cluster):
    with pytest.raises(AdminError, match="no such fault"):
        cluster.fault(fault="earthquake")
    with pytest.raises(AdminError, match="no such effect"):
        cluster.effect(effect="earthquake")


def test_pages_of_a_list(cluster, user):
    for number in range(5):
        user.apply("secrets", secret(**{"metadata.name": f"s{number}"}))
    seen, token = [], ""
    while True:
        page = user.api("GET", user.path("v1", "secrets") + f"?limit=2&continue={token}")
        seen += [o["metadata"]["name"] for o in page["items"]]
        token = page["metadata"].get("continue", "")
        if not token:
            break
    assert seen == [f"s{n}" for n in range(5)]
