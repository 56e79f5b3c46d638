"""Tests the cluster itself: its parts, the rights of its users, an outage."""

import os
import urllib.error
from pathlib import Path

import pytest
from manifests import stateful_set
from stand.cluster import Cluster, ClusterError
from stand.kube import billing
from stand.kube.api import Api, ApiError


def status_of(call, *args):
    with pytest.raises(ApiError) as e:
        call(*args)
    return e.value.status


def test_is_the_pinned_kubernetes(cluster):
    version = cluster.api("GET", "/version")
    assert version["gitVersion"].startswith("v1.")


def test_every_component_runs(cluster):
    assert all(cluster.status().values())


def test_listens_on_loopback_only(cluster):
    addresses = {a for pid in cluster.status().values() for a in listening_addresses(pid)}
    assert addresses == {"0100007F"}  # 127.0.0.1 in the notation of /proc


def test_the_nodes_stay_alive(cluster, eventually):
    """Their Leases keep them alive: otherwise their pods become not ready after 50 s, permanently."""
    path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
    nodes = {node["metadata"]["name"] for node in cluster.api("GET", "/api/v1/nodes")["items"]}
    eventually(lambda: nodes <= {x["metadata"]["name"] for x in cluster.api("GET", path)["items"]})


def listening_addresses(pid):
    """Returns the addresses, in hexadecimal, on which a process listens."""
    sockets = {os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir()}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and f"socket:[{words[9]}]" in sockets:
                yield words[1].partition(":")[0]


def test_a_user_has_no_right_outside_the_namespace(user, new_user):
    other = new_user()
    assert status_of(user.api, "GET", "/api/v1/nodes") == 403
    assert status_of(user.api, "GET", "/api/v1/namespaces") == 403
    assert status_of(user.api, "GET", other.path("v1", "pods")) == 403
    assert status_of(user.api, "GET", "/api/v1/namespaces/user-system/serviceaccounts") == 403


def test_a_user_may_give_away_their_own_rights(user):
    rbac = "rbac.authorization.k8s.io/v1"
    role = {"apiVersion": rbac, "kind": "Role", "metadata": {"name": "database"},
            "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}
    assert user.apply("roles", role)["metadata"]["uid"]


def test_a_developer_only_reads(new_user):
    developer = new_user(role="developer")
    assert developer.items("v1", "pods") == []
    assert status_of(developer.apply, "statefulsets", stateful_set("s")) == 403


def test_a_deleted_users_token_is_refused(cluster, user, eventually):
    """Not at once: the API server caches accounts and tokens."""
    cluster.delete_user(user.name)

    def refused():
        try:
            user.items("v1", "pods")
        except ApiError as e:
            return e.status == 401

    eventually(refused)


def test_the_namespace_is_as_sealos_makes_it(cluster, user):
    namespace = cluster.api("GET", f"/api/v1/namespaces/{user.namespace}")
    labels = namespace["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert user.items("v1", "limitranges")[0]["spec"]["limits"][0]["default"]["cpu"] == "50m"
    assert user.items("v1", "resourcequotas")


def test_an_outage_loses_nothing(cluster, user):
    server = cluster.server
    cluster.stop_apiserver()
    with pytest.raises(urllib.error.URLError):
        user.items("v1", "pods")
    cluster.start_apiserver()
    assert cluster.server == server
    assert user.items("v1", "pods") == []


def test_another_process_finds_the_cluster(cluster):
    again = Cluster(cluster.directory)
    assert again.status() == cluster.status()
    found = Api.from_kubeconfig(again.create_user("found"))
    assert found("GET", "/api/v1/namespaces/ns-found/pods")["items"] == []


def test_a_component_that_cannot_start_is_named_with_its_log(tmp_path):
    cluster = Cluster(tmp_path, kubeblocks_args=["--no-such-flag"])
    with pytest.raises(ClusterError, match="(?s)kubeblocks ended.*kubeblocks.log.*no-such-flag"):
        cluster.start()
    assert not any(cluster.status().values())


def test_a_start_that_fails_leaves_a_running_cluster_alone(cluster):
    with pytest.raises(ClusterError, match="already runs on"):
        Cluster(cluster.directory, port=19999).start()
    assert all(cluster.status().values())


def test_a_second_start_changes_nothing(cluster):
    before = cluster.status()
    Cluster(cluster.directory).start()
    assert cluster.status() == before


def test_a_cluster_in_use_elsewhere_keeps_its_port(cluster, tmp_path):
    port = int(cluster.server.rpartition(":")[2])
    with pytest.raises(ClusterError, match=f"port {port} is in use"):
        Cluster(tmp_path, port=port).start()


def test_debt_forbids_changes_and_allows_deletion(cluster, user, eventually):
    user.apply("statefulsets", stateful_set("web"))
    cluster.suspend(user.namespace)

    def denied():
        try:
            user.apply("statefulsets", stateful_set("web"))
        except ApiError as e:
            return e.status == 403 and billing.MESSAGE in e.message

    eventually(denied)
    assert user.get("apps/v1", "statefulsets", "web")["spec"]["replicas"] == 0
    user.delete("apps/v1", "statefulsets", "web")
    cluster.resume(user.namespace)
    eventually(lambda: not denied())
