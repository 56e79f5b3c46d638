"""Users with two clusters: what happens in one does not concern what is in the other."""

import pytest
from namespace import Namespace
from people import Project, eventually, expect
from stand.kubesim import KubeSim


@pytest.fixture(scope="module")
def other_kubesim(workspace, kubesim_build):
    with KubeSim(workspace / "kubesim-other", kubesim_build) as running:
        yield running


@pytest.fixture
def far(person, other_kubesim):
    """Adds the cluster `far` for the person, and returns it as it is listed."""
    body = {"name": "far", "region": "Far away", "kubeconfig": other_kubesim.create_user(person.name)}
    yield expect(person.client.post("/api/clusters", body))
    other_kubesim.start_apiserver()


def create(person, name, **more):
    made = expect(person.client.post("/api/projects", {"name": name, **more}))
    return Project(person, made["id"])


def owned(cluster, project):
    """Returns the names of the StatefulSets of a project's sandbox in a cluster."""
    sandbox = project.sandbox()
    return Namespace(cluster, sandbox["k8sNamespace"]).owned(sandbox["id"]).get("StatefulSet", [])


def clusters(person):
    return {c["name"]: c for c in expect(person.client.get("/api/clusters"))["items"]}


def test_each_project_runs_in_its_cluster(person, far, kubesim, other_kubesim):
    here = create(person, "Here", database=False)
    there = create(person, "There", database=True, cluster="far")
    here.wait("RUNNING")
    there.wait("RUNNING")
    assert (len(owned(kubesim, here)), len(owned(other_kubesim, here))) == (1, 0)
    assert (len(owned(kubesim, there)), len(owned(other_kubesim, there))) == (0, 1)
    eventually(lambda: {c["check"]["state"] for c in clusters(person).values()} == {"done"})
    assert {c["check"]["checks"][0]["status"] for c in clusters(person).values()} == {"ok"}
    there.delete()
    there.wait_gone()
    assert expect(person.client.delete(f"/api/clusters/{far['id']}"))["success"]
    assert here.status() == "RUNNING"


def test_a_cluster_that_is_away_concerns_its_projects_only(person, far, other_kubesim):
    here, there = create(person, "Here", database=False), create(person, "There", database=False, cluster="far")
    here.wait("RUNNING")
    there.wait("RUNNING")
    other_kubesim.stop_apiserver()
    there.restart()
    there.wait_cause("KUBE_UNREACHABLE")
    here.stop()
    here.wait("STOPPED")
    here.start()
    here.wait("RUNNING")
    assert here.causes() == []
    seen = clusters(person)
    assert seen["default"]["awaySince"] is None and seen["far"]["awaySince"] is not None
    other_kubesim.start_apiserver()
    there.wait("RUNNING")
    there.wait_no_cause()
    assert clusters(person)["far"]["awaySince"] is None


def test_what_is_added_later_runs_where_its_project_is(person, far, other_kubesim):
    there = create(person, "There", database=False, cluster="far")
    there.wait("RUNNING")
    expect(person.client.post(f"{there.path}/sandboxes", {"displayName": "worker"}))
    expect(person.client.post(f"{there.path}/database"))
    eventually(lambda: there.database() and there.database()["status"] == "RUNNING")
    there.wait("RUNNING")
    assert len(there.get()["sandboxes"]) == 2 and there.causes() == []


def test_a_replaced_kubeconfig_is_used_by_its_cluster(person, far, other_kubesim):
    there = create(person, "There", database=False, cluster="far")
    there.wait("RUNNING")
    other_kubesim.delete_user(person.name)
    there.restart()
    there.wait_cause("KUBE_UNAUTHORIZED")
    body = {"kubeconfig": other_kubesim.create_user(person.name)}
    expect(person.client.put(f"/api/clusters/{far['id']}", body))
    there.wait("RUNNING")
    there.wait_no_cause()


def test_what_the_operator_says_of_a_cluster_holds_there(site, person, far, kubesim, other_kubesim):
    site.programs.fsactl("cluster", "set", other_kubesim.server, "--ingress-class", "traefik",
                         "--ingress-domain", "far.example", "--storage-class", "fast")
    here, there = create(person, "Here", database=False), create(person, "There", database=False, cluster="far")
    site.programs.fsactl("cluster", "remove", other_kubesim.server)
    for project, cluster, is_far in ((here, kubesim, False), (there, other_kubesim, True)):
        project.wait("RUNNING")
        sandbox = project.sandbox()
        namespace = Namespace(cluster, sandbox["k8sNamespace"])
        ingress = namespace.get("Ingress", f"{sandbox['name']}-app-ingress")
        claim, = namespace.get("StatefulSet", sandbox["name"])["spec"]["volumeClaimTemplates"]
        assert (ingress["spec"]["ingressClassName"] == "traefik") == is_far
        assert (claim["spec"].get("storageClassName") == "fast") == is_far
        assert ingress["spec"]["rules"][0]["host"].endswith(".far.example") == is_far
