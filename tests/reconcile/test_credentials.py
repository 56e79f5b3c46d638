"""Tests that a database's credentials are always those of the current Cluster, never of a former one.

The next resync is ten minutes away: all results follow from the observation that was requested.
"""

import base64

import pytest
from people import eventually, expect
from quiet import SITE_OPTIONS, resync, sql  # noqa: F401
from quiet import uid as uid_of


@pytest.fixture
def shop(person):
    """A project with its database, running."""
    project = person.create("Shop", database=True)
    project.wait("RUNNING")
    assert url_in_cluster(project) == project.connection()["connectionUrl"]
    return project


def name_of(project):
    return project.database()["databaseName"]


def uid(project):
    """Returns the UID of the project's Cluster; None if there is none."""
    return uid_of(project.person.namespace.get("Cluster", name_of(project)))


def said(project):
    """Returns the contents of the Secret in the cluster."""
    return project.person.namespace.secret(f"{name_of(project)}-conn-credential")


def url_in_cluster(project):
    """Returns the DATABASE_URL of the sandbox's pod."""
    env = project.person.namespace.secret(f"{project.sandbox()['name']}-env")
    return env.get("DATABASE_URL")


def change_secret(project, **values):
    """Changes the Secret in place, as a rotation of the password does."""
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    project.person.namespace.patch("Secret", f"{name_of(project)}-conn-credential",
                                   {"data": data})


def end_cluster(project):
    """Deletes the Cluster; returns its UID when it is gone."""
    old = uid(project)
    project.person.namespace.delete("Cluster", name_of(project))
    eventually(lambda: uid(project) is None)
    return old


def follow(project, old):
    """Waits until the project runs on another Cluster. Once the old one was reported gone, RUNNING must come with the
    new one's credentials. Before that, a changed variable alone leaves the database RUNNING."""
    reported = set()

    def runs():
        """the project is running with a new Cluster"""
        database = project.database()
        reported.add(database["status"])
        now, password = uid(project), said(project).get("password")
        runs_again = reported != {"RUNNING"} and database["status"] == "RUNNING"
        if runs_again and now not in (None, old):
            connection = project.connection()
            assert connection["password"] == password, connection
        return now not in (None, old) and project.status() == "RUNNING"

    eventually(runs, 240, every=0.05)


def holds_new_credentials(project, before):
    """Checks that the owner, the Secret and the pod have the credentials of the current Cluster."""
    connection = project.connection()
    assert connection["password"] == said(project)["password"] != before["password"]
    assert url_in_cluster(project) == connection["connectionUrl"] != before["connectionUrl"]


def test_a_recreated_database_shows_its_own_password(site, shop):
    before, pod = shop.connection(), shop.person.namespace.pod(shop.sandbox()["name"])
    old = end_cluster(shop)
    resync(site, shop, "DATABASE")
    follow(shop, old)
    eventually(lambda: url_in_cluster(shop) == shop.connection()["connectionUrl"])
    shop.wait("RUNNING")
    holds_new_credentials(shop, before)
    now = shop.person.namespace.pod(shop.sandbox()["name"])
    assert now["metadata"]["uid"] != pod["metadata"]["uid"]  # it has the new variables


def test_there_is_no_connection_while_there_is_no_database(site, shop, explained):
    shop.person.cluster.fault(fault="unavailable", verb="apply", resource="clusters")
    end_cluster(shop)
    pod = shop.person.namespace.pod(shop.sandbox()["name"])
    resync(site, shop, "DATABASE")
    eventually(lambda: shop.connection()["connectionUrl"] is None, last=shop.get)
    connection = shop.connection()
    assert [connection[key] for key in ("host", "password", "connectionUrl")] == [None] * 3
    resync(site, shop, "SANDBOX")
    explained(shop, "database-deleted")
    # Until there is a new address, the pod is left alone.
    assert shop.person.namespace.pod(shop.sandbox()["name"])["metadata"] == pod["metadata"]


def test_stop_delete_start_runs_with_the_credentials_of_the_new_database(shop):
    before = shop.connection()
    shop.stop()
    shop.wait("STOPPED")
    old = end_cluster(shop)
    # Its data is gone; test_volume tests what is shown about that.
    expect(shop.person.client.post(f"{shop.path}/start", {"force": True}))
    follow(shop, old)
    eventually(lambda: url_in_cluster(shop) == shop.connection()["connectionUrl"])
    shop.wait("RUNNING")
    holds_new_credentials(shop, before)


def test_a_rotated_password_is_used_after_the_next_resync(site, shop):
    before = shop.connection()
    change_secret(shop, password="rotated/by:somebody")
    resync(site, shop, "DATABASE")
    eventually(lambda: shop.connection()["password"] == "rotated/by:somebody")
    eventually(lambda: url_in_cluster(shop) == shop.connection()["connectionUrl"])
    shop.wait("RUNNING")
    holds_new_credentials(shop, before)


def test_a_secret_that_names_a_database_is_believed(site, shop):
    assert shop.connection()["database"] == "postgres"  # the database that exists if the Secret names none
    change_secret(shop, database="shop & co")
    resync(site, shop, "DATABASE")
    eventually(lambda: shop.connection()["database"] == "shop & co")
    assert "/shop%20%26%20co?" in shop.connection()["connectionUrl"]
    eventually(lambda: url_in_cluster(shop) == shop.connection()["connectionUrl"])


def test_credentials_of_a_version_that_did_not_ask_whose_they_are_are_read_again(site, shop):
    before = shop.connection()
    sql(site, "UPDATE databases SET cluster_uid = NULL, port = 1 WHERE resource_id = %s",
        before["id"])
    resync(site, shop, "DATABASE")
    eventually(lambda: shop.connection() == before)
    known = sql(site, "SELECT cluster_uid FROM databases WHERE resource_id = %s", before["id"])
    assert known == [(uid(shop),)]


# ---- the response to a request follows from an observation after it


ASK = {
    "POST /api/sandbox": lambda project: project.start_sandbox(),
    "start": lambda project: project.start(),
    "restart": lambda project: project.restart(),
    "a variable": lambda project: project.set_variable("COLOR", "red"),
}


@pytest.mark.parametrize("ask", ASK)
def test_every_request_notices_the_deleted_database(shop, ask):
    """No resync is due soon: the status follows from the request."""
    before, old = shop.connection(), end_cluster(shop)
    ASK[ask](shop)
    follow(shop, old)
    eventually(lambda: url_in_cluster(shop) == shop.connection()["connectionUrl"])
    shop.wait("RUNNING")
    holds_new_credentials(shop, before)


@pytest.mark.parametrize("ask", ASK)
@pytest.mark.parametrize("kind", ["StatefulSet", "Ingress"])
def test_every_request_notices_a_deleted_object(shop, ask, kind):
    namespace, sandbox = shop.person.namespace, shop.sandbox()
    name = namespace.owned(sandbox["id"])[kind][0]
    old = namespace.get(kind, name)["metadata"]["uid"]
    namespace.delete(kind, name)
    eventually(lambda: namespace.get(kind, name) is None)
    ASK[ask](shop)

    def told():
        return shop.status() == "RUNNING"

    eventually(told, 120)  # by then the new one exists
    assert namespace.get(kind, name)["metadata"]["uid"] != old


def test_a_running_sandbox_is_starting_until_it_is_observed(site, shop):
    generation = "SELECT sum(generation) FROM resources WHERE project_id = %s"
    before = sql(site, generation, shop.id)
    told = shop.start()
    assert told["project"]["status"] == "STARTING"
    shop.wait("RUNNING")
    assert sql(site, generation, shop.id) > before
    told = expect(shop.person.client.post(shop.sandbox_path))
    assert told["status"] == told["databaseStatus"] == "STARTING"
    assert told["progress"]["stages"][-1]["state"] == "pending"
    shop.wait("RUNNING")


def test_a_terminated_sandbox_does_not_run_without_its_database(shop):
    before = shop.connection()
    shop.delete_sandbox()
    eventually(lambda: shop.sandbox() is None, 120)
    old = end_cluster(shop)
    shop.start_sandbox()

    def runs():
        found = shop.get()
        statuses = {found[kind][0]["status"] for kind in ("sandboxes", "databases")}
        if found["sandboxes"][0]["status"] == "RUNNING":
            assert uid(shop) not in (None, old)
            assert statuses == {"RUNNING"}, found
        return statuses == {"RUNNING"}

    eventually(runs, 240, every=0.05)
    holds_new_credentials(shop, before)


def test_a_stage_is_done_when_it_is(shop):
    assert set(shop.stages().values()) == {"done"}
    effect = shop.person.cluster.effect(effect="database-failed",
                                        namespace=shop.person.namespace.name)
    shop.start()
    eventually(lambda: shop.database()["cause"], last=shop.get)
    assert shop.stages()["database"] in ("active", "failed")
    assert shop.stages()["ready"] == "pending"
    shop.person.cluster.end_effect(effect)
    shop.wait("RUNNING", 240)
    assert set(shop.stages().values()) == {"done"}
