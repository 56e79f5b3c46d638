"""A database takes the form that its cluster has for it, and keeps it: with each release of KubeBlocks, and without.

Each form is lived through from creation to deletion, with the same fields for its owner."""

import pytest
from namespace import PLACES as PLACES_OF_KINDS
from people import SLOW, Person, eventually, expect
from quiet import SITE_OPTIONS, sql  # noqa: F401
from stand.kubesim import KubeSim

FORMS = {"0.8": "KUBEBLOCKS_0_8", "0.9": "KUBEBLOCKS_0_9", "1.0": "KUBEBLOCKS_1_0", "none": "PLAIN"}
# Where KubeBlocks has a database's Secret and Service, by the name of the Cluster; as ours has.
PLACES = {"0.8": ("conn-credential", "postgresql"), "0.9": ("conn-credential", "postgresql"),
          "1.0": ("postgresql-account-postgres", "postgresql-postgresql"),
          "none": ("conn-credential", "postgresql")}
CLUSTERS = {"0.8": "Cluster", "0.9": "Cluster", "1.0": "Cluster v1"}


@pytest.fixture(params=FORMS)
def release(request):
    return request.param


@pytest.fixture
def owner(site, workspace, kubesim_build, release):
    with KubeSim(workspace / f"kubesim-forms-{release}", kubesim_build,
                 args=[f"--kubeblocks={release}"]) as cluster:
        yield Person(site, cluster, enforce="restricted" if release == "none" else "baseline")


def form(site, project):
    (found,), = sql(site, "SELECT form FROM databases WHERE resource_id = %s", project.database()["id"])
    return found


def anchor(project, release):
    kind = CLUSTERS.get(release, "StatefulSet")
    return project.person.namespace.get(kind, project.database()["databaseName"])


def claims(project):
    """The uids of the volumes of its database."""
    name = project.database()["databaseName"]
    return {item["metadata"]["uid"] for item in project.person.namespace.items("PersistentVolumeClaim")
            if name in item["metadata"]["name"]}


def left(person):
    """What there still is of anybody's databases and sandboxes; KubeBlocks' garbage goes a moment later."""
    return [(kind, item["metadata"]["name"]) for kind in PLACES_OF_KINDS for item in person.namespace.items(kind)
            if "shop-" in item["metadata"]["name"]]


def test_from_creation_to_deletion(site, owner, release):
    project = owner.create("Shop", database=True)
    project.wait("RUNNING")
    assert form(site, project) == FORMS[release]
    name = project.database()["databaseName"]
    secret, service = PLACES[release]
    connection = project.connection()
    assert connection["host"] == f"{name}-{service}.{owner.namespace.name}.svc"
    assert (connection["port"], connection["database"], connection["username"]) == (5432, "postgres", "postgres")
    assert connection["password"] == owner.namespace.secret(f"{name}-{secret}")["password"]
    assert owner.namespace.get("Service", f"{name}-{service}")
    environment = owner.namespace.secret(f"{project.sandbox()['name']}-env")
    assert environment["DATABASE_URL"] == connection["connectionUrl"]

    volumes = claims(project)
    assert volumes
    project.stop()
    project.wait("STOPPED")
    assert not [pod for pod in owner.namespace.items("Pod") if pod["metadata"]["name"].startswith(name)]
    project.start()
    project.wait("RUNNING")
    assert claims(project) == volumes
    assert project.connection() == connection

    project.delete()
    project.wait_gone()
    eventually(lambda: not left(owner), SLOW, last=lambda: left(owner))


def test_a_database_stays_what_it_is(site, owner, release):
    """Whatever is installed, or removed, later: the data would not move along."""
    project = owner.create("Shop", database=True)
    project.wait("RUNNING")
    owner.cluster.fault(fault="not-found", verb="discover",
                        message="the server could not find the requested resource")
    project.set_variable("CHANGED", "yes")
    project.wait("RUNNING")
    project.stop()
    project.wait("STOPPED")
    assert form(site, project) == FORMS[release]
    assert anchor(project, release)


def test_nothing_is_made_while_the_cluster_does_not_tell(site, owner, release):
    rule = owner.cluster.fault(fault="unavailable", verb="discover")
    project = owner.create("Shop", database=True)
    project.wait_cause("KUBE_SERVER")
    assert form(site, project) == "UNDECIDED"
    assert not owner.namespace.owned(project.database()["id"])
    owner.cluster.end_fault(rule)
    project.wait("RUNNING", SLOW)
    assert form(site, project) == FORMS[release]


@pytest.mark.parametrize("release", ["0.9"])
def test_an_upgrade_of_kubeblocks_takes_its_databases_along(site, owner, release):
    """From 0.8 to 0.9, which is stopped in another way: found out when somebody stops it."""
    project = owner.create("Shop", database=True)
    project.wait("RUNNING")
    sql(site, "UPDATE databases SET form = 'KUBEBLOCKS_0_8' WHERE resource_id = %s", project.database()["id"])
    project.stop()
    project.wait("STOPPED")
    assert form(site, project) == "KUBEBLOCKS_0_9"
    component, = anchor(project, release)["spec"]["componentSpecs"]
    assert (component["stop"], component["replicas"]) == (True, 1)


def test_a_plain_database_is_its_own(site, workspace, kubesim_build):
    """Each has a password of its own; its pod passes Pod Security "restricted" and is reached by sandboxes only."""
    with KubeSim(workspace / "kubesim-plain", kubesim_build, args=["--kubeblocks=none"]) as cluster:
        person = Person(site, cluster, enforce="restricted")
        projects = [person.create(name, database=True) for name in ("Shop", "Blog")]
        for project in projects:
            project.wait("RUNNING")
        assert len({project.connection()["password"] for project in projects}) == 2
        name = projects[0].database()["databaseName"]
        policy = person.namespace.get("NetworkPolicy", name)["spec"]
        peer, = policy["ingress"][0]["from"]
        assert peer["podSelector"]["matchLabels"] == {"project.fullstackagent.io/name": "shop"}
        expect(person.client.delete(f"{projects[0].path}/database"))
        eventually(lambda: projects[0].database() is None, SLOW, last=projects[0].get)
        eventually(lambda: not [item for kind in ("Pod", "PersistentVolumeClaim", "Secret", "Service")
                                for item in person.namespace.items(kind)
                                if name in item["metadata"]["name"]], SLOW)
