"""A user's clusters: what may be known of them, which projects are where, and what is refused."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest


@pytest.fixture
def add(make_kubeconfig):
    """add(client, name, …): adds a cluster and returns the response."""

    def made(client, name, namespace="ns-far", **more):
        return client.post("/api/clusters", {"name": name, "kubeconfig": make_kubeconfig(namespace), **more})

    return made


def listed(client):
    return client.get("/api/clusters").json()["items"]


def error(answer):
    return answer.status_code, answer.json()["errorCode"]


def test_the_stored_kubeconfig_is_the_default_cluster(user):
    client = user()
    cluster, = listed(client)
    kubeconfig = client.get("/api/user/config/kc").json()
    assert (cluster["id"], cluster["name"], cluster["region"]) == (client.id, "default", None)
    assert {name: cluster[name] for name in kubeconfig} == kubeconfig
    assert listed(user(kubeconfig=False)) == []


def test_a_project_is_created_in_one_of_several(user, add):
    client = user()
    made = add(client, "tokyo", region="Asia 1").json()
    assert (made["name"], made["region"], made["namespace"]) == ("tokyo", "Asia 1", "ns-far")
    near = client.post("/api/projects", {"name": "Near"}).json()
    far = client.post("/api/projects", {"name": "Far", "cluster": "tokyo"}).json()
    named = client.post("/api/projects", {"name": "Named", "cluster": "default"}).json()
    assert [p["cluster"] for p in (near, far, named)] == ["default", "tokyo", "default"]
    project = client.get(f"/api/projects/{far['id']}").json()
    assert {r["k8sNamespace"] for r in project["sandboxes"] + project["databases"]} == {"ns-far"}
    assert [(c["name"], c["projects"], c["awaySince"]) for c in listed(client)] == [
        ("default", 2, None), ("tokyo", 1, None)]


def test_what_is_added_later_is_where_its_project_is(user, make_kubeconfig):
    client = user()
    project = client.post("/api/projects", {"name": "App", "database": False}).json()["id"]
    before = client.get(f"/api/projects/{project}").json()["sandboxes"][0]["k8sNamespace"]
    assert client.put("/api/user/config/kc", {"kubeconfig": make_kubeconfig("ns-elsewhere")}).ok
    assert client.post(f"/api/projects/{project}/sandboxes", {"displayName": "worker"}).ok
    assert client.post(f"/api/projects/{project}/database").ok
    parts = client.get(f"/api/projects/{project}").json()
    assert [r["k8sNamespace"] for r in parts["sandboxes"] + parts["databases"]] == [before] * 3


def test_a_cluster_that_is_not_ones_own_cannot_be_named(user, add):
    owner, other = user(), user()
    cluster = add(owner, "tokyo").json()
    for name in ("tokyo", "nowhere"):
        assert error(other.post("/api/projects", {"name": "X", "cluster": name})) == (422, "CLUSTER_UNKNOWN")
    for name in (cluster["id"], "Tokyo", "", "-", "a" * 33):
        assert other.post("/api/projects", {"name": "X", "cluster": name}).status_code == 400
    assert other.get("/api/projects").json() == []
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/check")):
        answer = other.request(method, f"/api/clusters/{cluster['id']}{path}")
        assert error(answer) == (404, "CLUSTER_NOT_FOUND")
    assert [c["name"] for c in listed(owner)] == ["default", "tokyo"]


def test_a_cluster_is_changed(user, add, make_kubeconfig):
    client = user()
    cluster = add(client, "tokyo", region="Asia 1").json()
    path = f"/api/clusters/{cluster['id']}"
    changed = client.put(path, {"kubeconfig": make_kubeconfig("ns-new")}).json()
    assert (changed["namespace"], changed["region"]) == ("ns-new", "Asia 1")
    changed = client.put(path, {"region": None}).json()
    assert (changed["namespace"], changed["region"]) == ("ns-new", None)
    assert client.put(f"/api/clusters/{client.id}", {"region": "Home"}).json()["region"] == "Home"
    assert client.put(path, {"region": "Home"}).ok and client.get(path).json()["region"] == "Home"


@pytest.mark.parametrize("body, code", [
    ({"name": "Tokyo"}, "INVALID_CLUSTER"), ({"name": "tokyo-"}, "INVALID_CLUSTER"),
    ({"name": "tokyo", "region": "-"}, "INVALID_REGION"),
    ({"name": "tokyo", "region": "a\u202eb"}, "INVALID_REGION"),
    ({"name": "tokyo", "kubeconfig": "x"}, "KUBECONFIG_SYNTAX"),
])
def test_what_is_none_is_refused(user, make_kubeconfig, body, code):
    client = user()
    answer = client.post("/api/clusters", {"kubeconfig": make_kubeconfig(), **body})
    assert answer.status_code == 400 and answer.json()["errorCode"] == code, answer.text
    assert [c["name"] for c in listed(client)] == ["default"]


def test_a_name_is_taken_once(user, add):
    client = user()
    assert add(client, "tokyo").ok
    assert error(add(client, "tokyo")) == (409, "CLUSTER_EXISTS")
    assert error(add(client, "default")) == (422, "CLUSTER_IS_DEFAULT")
    assert add(user(), "tokyo").ok


def test_a_cluster_with_projects_is_not_removed(user, add):
    client = user()
    cluster = add(client, "tokyo").json()["id"]
    for number in range(4):
        assert client.post("/api/projects", {"name": f"App {number}", "cluster": "tokyo"}).ok
    refused = client.delete(f"/api/clusters/{cluster}")
    assert error(refused) == (409, "CLUSTER_IN_USE")
    assert "(App 0, App 1, App 2, …)" in refused.json()["error"]
    assert client.get(f"/api/clusters/{cluster}").json()["projects"] == 4


def test_a_cluster_without_projects_is_removed(user, add):
    client = user()
    cluster = add(client, "tokyo").json()["id"]
    assert client.delete(f"/api/clusters/{cluster}").ok
    assert error(client.get(f"/api/clusters/{cluster}")) == (404, "CLUSTER_NOT_FOUND")
    assert client.delete(f"/api/clusters/{client.id}").ok
    assert listed(client) == [] and client.get("/api/user/config/kc").status_code == 404
    assert error(client.post("/api/projects", {"name": "X"})) == (422, "KUBECONFIG_MISSING")


@pytest.mark.parametrize("name", ["default", "tokyo"])
def test_no_project_is_left_without_its_cluster(user, add, name):
    """One that is created while its cluster is removed either keeps the cluster or is refused."""
    for _ in range(15):
        client = user()
        add(client, "tokyo")
        cluster, = [c["id"] for c in listed(client) if c["name"] == name]
        with ThreadPoolExecutor(2) as pool:
            made = pool.submit(client.post, "/api/projects", {"name": "App", "cluster": name})
            removed = pool.submit(client.delete, f"/api/clusters/{cluster}").result()
        made = made.result()
        assert (made.ok, removed.ok) in ((True, False), (False, True)), (made.text, removed.text)
        assert (removed if made.ok else made).status_code in (409, 422)


def test_parallel_additions_do_not_pass_the_limit(user, add):
    client = user()
    barrier = threading.Barrier(8)

    def attempt(number):
        barrier.wait()
        return add(client, f"c{number}").status_code

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(attempt, range(8)))
    assert codes == [200] * 4 + [429] * 4
    assert error(add(client, "more")) == (429, "CLUSTER_QUOTA")
    limits = client.get("/api/user/limits").json()["items"]
    assert [(i["limit"], i["used"]) for i in limits if i["kind"] == "clusters"] == [(5, 5)]


def test_at_the_limit_kubeconfigs_are_still_replaced(user, add, make_kubeconfig):
    client = user()
    clusters = [add(client, f"c{number}").json()["id"] for number in range(4)]
    body = {"kubeconfig": make_kubeconfig("ns-new")}
    assert client.put("/api/user/config/kc", body).ok
    assert client.put(f"/api/clusters/{clusters[0]}", body).json()["namespace"] == "ns-new"


def test_an_addition_that_is_repeated_adds_one(user, make_kubeconfig):
    client = user()
    body = {"name": "tokyo", "kubeconfig": make_kubeconfig()}
    first, again = (client.post("/api/clusters", body, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert first.json() == again.json() and len(listed(client)) == 2


def test_what_was_done_is_in_the_audit_without_the_kubeconfig(user, add):
    client = user()
    cluster = add(client, "tokyo").json()["id"]
    assert client.put(f"/api/clusters/{cluster}", {"region": "Asia"}).ok
    assert client.delete(f"/api/clusters/{cluster}").ok
    lines = client.get("/api/user/audit").json()["items"]
    assert [(line["action"], line["objectType"]) for line in lines[:3]] == [
        ("cluster.remove", "cluster"), ("cluster.change", "cluster"), ("cluster.create", "cluster")]
    assert {line["objectId"] for line in lines[:3]} == {cluster}
    assert "some.secret.token" not in str(lines)
