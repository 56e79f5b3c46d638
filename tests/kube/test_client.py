"""Tests the C client (src/kube) on the real API server: that it is understood, and classifies responses as
src/kube/status.c says."""

import json
import subprocess

import pytest
from manifests import stateful_set


@pytest.fixture
def client(build, tmp_path):
    """client(user)(request, …): returns responses in the order of the requests, and the driver's own line."""

    def connect(user):
        kubeconfig = tmp_path / f"{user.name}.kubeconfig"
        kubeconfig.write_text(user.kubeconfig)

        def run(*requests):
            done = subprocess.run(
                [build / "tests/kube/client_driver", kubeconfig], capture_output=True, text=True,
                input="".join("\n" if r is None else json.dumps(r) + "\n" for r in requests),
                timeout=120)
            assert done.returncode == 0, done.stderr
            return [json.loads(line) for line in done.stdout.splitlines()]

        return run

    return connect


def secret(name, **labels):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "labels": labels},
            "stringData": {"password": "hidden"}}


def what(answer):
    return answer["kind"], answer["code"], answer["status"]


def test_apply_get_list_delete(client, user):
    run = client(user)
    applied, _ = run({"apply": stateful_set("one")})
    assert applied["ok"], applied
    assert applied["status"] == 201
    assert applied["body"]["spec"]["replicas"] == 1  # the stored object
    managed = applied["body"]["metadata"]["managedFields"]
    assert managed and not any("fieldsV1" in m for m in managed)  # half of the response, omitted
    managers = user.get("apps/v1", "statefulsets", "one")["metadata"]["managedFields"]
    # The controller may have written the status already.
    ours = [m["operation"] for m in managers if m["manager"] == "fullstack-agent"]
    assert ours == ["Apply"]
    again, got, listed, _ = run({"apply": stateful_set("one")}, {"get": ["statefulsets", "one"]},
                                {"list": "statefulsets", "fields": "metadata.name=one"})
    assert again["status"] == 200
    assert got["body"]["metadata"]["uid"] == applied["body"]["metadata"]["uid"]
    assert [i["metadata"]["name"] for i in listed["body"]["items"]] == ["one"]
    uid = applied["body"]["metadata"]["uid"]
    wrong, _ = run({"delete": ["statefulsets", "one", "00000000-0000-0000-0000-000000000000"]})
    assert what(wrong) == ("KUBE_CONFLICT", "UID_MISMATCH", 409), wrong
    assert user.get("apps/v1", "statefulsets", "one")
    right, _ = run({"delete": ["statefulsets", "one", uid]})
    assert right["ok"], right
    gone, gone_already, _ = run({"get": ["statefulsets", "one"]},
                                {"delete": ["statefulsets", "one", uid]})
    assert what(gone) == what(gone_already) == ("KUBE_NOT_FOUND", "OBJECT_NOT_FOUND", 404)
    assert gone["message"] == ('get statefulsets/one: HTTP 404: '
                               'statefulsets.apps "one" not found')


def test_a_foreign_manager_does_not_stop_an_apply(client, user):
    user.apply("statefulsets", stateful_set("taken", replicas=0))
    applied, _ = client(user)({"apply": stateful_set("taken", replicas=1)})
    assert applied["ok"], applied
    assert user.get("apps/v1", "statefulsets", "taken")["spec"]["replicas"] == 1


def test_a_list_has_all_pages(client, user):
    run = client(user)
    # In batches, because the API server limits a user's concurrent requests.
    for start in range(0, 600, 200):
        made = run(*({"apply": secret(f"s{i}", app="many")} for i in range(start, start + 200)))
        assert all(answer["ok"] for answer in made[:-1])
    listed, few, end = run({"list": "secrets", "labels": "app=many"},
                           {"list": "secrets", "labels": "app in (many),app!=many"})
    names = {item["metadata"]["name"] for item in listed["body"]["items"]}
    assert names == {f"s{i}" for i in range(600)}
    assert "continue" not in listed["body"]["metadata"]
    assert few["body"]["items"] == []
    assert end["requests"] == 3


def test_metadata_only_has_no_values(client, user):
    listed, _ = client(user)({"apply": secret("hush", app="x")}, None,
                             {"list": "secrets", "labels": "app=x", "metadataOnly": True})[2:]
    assert listed["body"]["kind"] == "PartialObjectMetadataList"
    assert [i["metadata"]["name"] for i in listed["body"]["items"]] == ["hush"]
    assert set(listed["body"]["items"][0]) == {"kind", "apiVersion", "metadata"}


def test_requests_at_once_share_one_connection(client, user):
    requests = [{"get": ["secrets", f"none{i}"]} for i in range(80)]
    *answers, end = client(user)(*requests)
    assert {what(a) for a in answers} == {("KUBE_NOT_FOUND", "OBJECT_NOT_FOUND", 404)}
    assert end == {"sockets": 1, "requests": 80}


@pytest.mark.parametrize("spec, kind, code", [
    ({"replicaz": 1}, "KUBE_INVALID", "UNKNOWN_FIELD"),
    ({"replicas": "many"}, "KUBE_INVALID", "WRONG_TYPE"),
    ({"selector": {"matchLabels": {"app": "other"}}}, "KUBE_INVALID", "KUBE_INVALID"),
])
def test_problems_of_an_object(client, user, spec, kind, code):
    obj = stateful_set("wrong")
    obj["spec"].update(spec)
    answer, _ = client(user)({"apply": obj})
    assert (answer["kind"], answer["code"]) == (kind, code), answer


def pod(name, **container):
    spec = stateful_set(name)["spec"]["template"]["spec"]
    spec["containers"][0].pop("volumeMounts")
    spec["containers"][0].update(container)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def test_why_a_pod_is_refused(client, new_user):
    run = client(new_user(enforce="restricted", quota={"pods": "0"}))
    quota, security, _ = run({"apply": pod("p")}, {"apply": pod("q", securityContext={})})
    assert what(quota) == ("KUBE_QUOTA", "QUOTA_EXCEEDED", 403), quota
    assert what(security) == ("KUBE_ADMISSION", "POD_SECURITY", 403), security


def test_debt_is_distinguished_from_other_refusals(client, cluster, user):
    cluster.suspend(user.namespace)
    try:
        answer, _ = client(user)({"apply": secret("poor")})
    finally:
        cluster.resume(user.namespace)
    assert (answer["kind"], answer["status"]) == ("KUBE_BILLING", 403), answer


def test_a_reader_may_not_write(client, new_user):
    applied, listed, _ = client(new_user(role="developer"))({"apply": secret("no")},
                                                            {"list": "pods"})
    assert what(applied) == ("KUBE_FORBIDDEN", "KUBE_FORBIDDEN", 403)
    assert listed["ok"]


def test_a_dry_run_stores_nothing(client, user):
    tried, listed, _ = client(user)({"dryRun": stateful_set("one")}, {"list": "statefulsets"})
    assert tried["ok"] and tried["body"]["metadata"]["name"] == "one"
    assert listed["body"]["items"] == []


def test_a_namespace_and_the_rights_in_it(client, user):
    namespace, review, _ = client(user)({"namespace": True}, {"review": True})
    assert namespace["body"]["metadata"]["name"] == user.namespace
    assert any("*" in rule["verbs"] for rule in review["body"]["status"]["resourceRules"])


def test_a_withdrawn_token(client, cluster, user):
    cluster.delete_user(user.name)
    answer, _ = client(user)({"list": "pods"})
    assert what(answer) == ("KUBE_UNAUTHORIZED", "KUBE_UNAUTHORIZED", 401)


def test_an_api_server_that_is_away(client, cluster, user):
    cluster.stop_apiserver()
    try:
        answer, _ = client(user)({"list": "pods"})
    finally:
        cluster.start_apiserver()
    assert what(answer) == ("KUBE_UNREACHABLE", "KUBE_UNREACHABLE", 0), answer
    assert client(user)({"list": "pods"})[0]["ok"]
