"""Tests that no data is lost without a warning when the claim of a home or a database is deleted.

A claim stays while a pod uses it, and goes with the pod. The next resync is ten minutes away.
"""

import pytest
from people import eventually, expect
from quiet import SITE_OPTIONS, resync, sql, uid  # noqa: F401

RISK = "DATA_AT_RISK"


def claim(project):
    """Returns the claim of the sandbox's home, or None."""
    name = project.sandbox()["name"]
    found = [c for c in project.person.namespace.items("PersistentVolumeClaim")
             if c["metadata"]["name"].endswith(f"{name}-0")]
    return found[0] if found else None


def pod(project):
    return project.person.namespace.pod(project.sandbox()["name"])


def warned(project):
    return [w["code"] for w in project.sandbox()["warnings"]]


def delete_claim(project):
    """Deletes the claim, which stays while the pod runs; returns its UID."""
    old = claim(project)
    project.person.namespace.delete("PersistentVolumeClaim", old["metadata"]["name"])
    assert claim(project)["metadata"]["deletionTimestamp"]
    return uid(old)


@pytest.fixture
def project(person):
    made = person.create("Precious")
    made.wait("RUNNING")
    return made


@pytest.fixture
def doomed(site, project):
    """A project whose files will go with its pod, observed since."""
    delete_claim(project)
    resync(site, project)
    eventually(lambda: warned(project) == ["HOME_VOLUME_GOING"], last=project.get)
    return project


def test_the_owner_is_warned_while_it_runs(site, doomed, explained):
    sandbox = doomed.sandbox()
    assert sandbox["status"] == "RUNNING" and sandbox["cause"] is None
    warning = sandbox["warnings"][0]
    assert claim(doomed)["metadata"]["name"] in warning["message"]
    assert warning["headline"] and warning["action"] and warning["since"]
    resync(site, doomed)
    assert warned(doomed) == ["HOME_VOLUME_GOING"]
    assert doomed.sandbox()["warnings"][0]["since"] == warning["since"]
    explained(doomed, "home-volume-going")


ASK = {
    "stop": lambda p, **force: ("POST", f"{p.path}/stop", force),
    "restart": lambda p, **force: ("POST", f"{p.path}/restart", force),
    "start with variables": lambda p, **force: (
        "POST", p.sandbox_path, {"envVars": {"COLOR": "red"}} | force),
    "a variable": lambda p, **force: (
        "POST", f"{p.path}/environment",
        {"key": "COLOR", "value": "red", "category": "general"} | force),
    "variables": lambda p, **force: (
        "POST", f"{p.path}/environment", {"variables": [{"key": "COLOR", "value": "red"}]} | force),
    "added variables": lambda p, **force: (
        "PATCH", f"{p.path}/environment", {"variables": [{"key": "COLOR", "value": "red"}]} | force),
    "a changed variable": lambda p, **force: (
        "PATCH", f"{p.path}/environment/{p.variables()['BEFORE']['id']}", {"value": "new"} | force),
    "a setting of the user": lambda p, **force: (
        "PUT", "/api/user/config/anthropic", {"model": "large"} | force),
    "a removed variable": lambda p, **force: (
        "DELETE", f"{p.path}/environment/{p.variables()['BEFORE']['id']}", force),
}


def send(project, ask, **force):
    method, path, body = ASK[ask](project, **force)
    return project.person.client.request(method, path, json=body)


@pytest.mark.parametrize("ask", ASK)
def test_ending_the_pod_needs_a_confirmation(site, project, ask):
    project.set_variable("BEFORE", "old")
    eventually(lambda: uid(claim(project)))
    project.wait("RUNNING")
    volume = delete_claim(project)
    resync(site, project)
    eventually(lambda: warned(project))
    before, running = project.get(), uid(pod(project))

    refused = send(project, ask)
    assert refused.status_code == 409, refused.text
    assert refused.json()["errorCode"] == RISK
    assert "force" in refused.json()["details"]["remedy"]
    after = project.get()
    assert after["status"] == "RUNNING" and after["environments"] == before["environments"]
    assert (uid(pod(project)), uid(claim(project))) == (running, volume)

    expect(send(project, ask, force=True))
    eventually(lambda: uid(pod(project)) != running)
    project.wait("STOPPED" if ask == "stop" else "RUNNING")
    eventually(lambda: uid(claim(project)) != volume)
    eventually(lambda: warned(project) == [], last=project.get)


def test_changes_that_end_no_pod_need_no_confirmation(doomed):
    running = uid(pod(doomed))
    doomed.start()
    doomed.wait("RUNNING")
    expect(doomed.person.client.post(doomed.sandbox_path))
    doomed.wait("RUNNING")
    assert uid(pod(doomed)) == running and warned(doomed) == ["HOME_VOLUME_GOING"]


def test_a_request_before_the_loss_was_observed_is_held_up(project, explained):
    """The claim was deleted after the last observation: the reconciler finds out, and keeps the pod."""
    volume, running = delete_claim(project), uid(pod(project))
    project.restart()
    cause = project.wait_cause(RISK)
    assert claim(project)["metadata"]["name"] in cause["message"] and cause["headline"]
    assert (uid(pod(project)), uid(claim(project))) == (running, volume)
    explained(project, "restart-that-would-lose-the-home")
    assert project.person.client.post(f"{project.path}/restart").status_code == 409
    expect(project.person.client.post(f"{project.path}/restart", {"force": True}))
    eventually(lambda: uid(pod(project)) not in (None, running))
    project.wait("RUNNING")
    assert uid(claim(project)) != volume and project.causes() == []


def test_a_stop_before_the_loss_was_observed_is_held_up_and_can_be_undone(project):
    volume, running = delete_claim(project), uid(pod(project))
    project.stop()
    project.wait_cause(RISK)
    assert project.status() == "STOPPING"
    project.start()
    project.wait("RUNNING")
    assert (uid(pod(project)), uid(claim(project))) == (running, volume)


def test_the_operators_new_settings_do_not_cost_files(site, doomed):
    running = uid(pod(doomed))
    sql(site, "UPDATE sandboxes SET memory_limit = '300Mi' WHERE resource_id = %s",
        doomed.sandbox()["id"])
    resync(site, doomed)
    doomed.wait_cause(RISK)
    assert doomed.status() == "RUNNING" and uid(pod(doomed)) == running
    # Changes that end no pod are still made.
    namespace, name = doomed.person.namespace, f"{doomed.sandbox()['name']}-service"
    sql(site, "UPDATE sandboxes SET memory_limit = '256Mi' WHERE resource_id = %s",
        doomed.sandbox()["id"])
    namespace.delete("Service", name)
    resync(site, doomed)
    eventually(lambda: namespace.get("Service", name))
    doomed.wait_no_cause()
    assert uid(pod(doomed)) == running


def test_a_confirmation_holds_for_one_request(site, project):
    expect(project.person.client.post(f"{project.path}/restart", {"force": True}))
    project.wait("RUNNING")
    volume = delete_claim(project)
    resync(site, project)
    eventually(lambda: warned(project))
    assert project.person.client.post(f"{project.path}/stop").status_code == 409
    assert uid(claim(project)) == volume


def test_deletion_needs_only_the_request(doomed):
    doomed.delete()
    doomed.wait_gone()


def test_an_administrator_is_asked_too(site, doomed):
    with pytest.raises(Exception, match="--yes"):
        site.programs.fsactl("project", "stop", doomed.id)
    assert doomed.status() == "RUNNING"
    site.programs.fsactl("project", "stop", "--yes", doomed.id)
    doomed.wait("STOPPED")


# ---- the volume of a database


@pytest.fixture
def shop(person):
    """A project with its database, which has been observed while it runs."""
    project = person.create("Shop", database=True)
    project.wait("RUNNING")
    project.start()
    project.wait("RUNNING")
    return project


def data_claim(project):
    """Returns the claim of the database's data, or None."""
    name = f"data-{project.database()['databaseName']}-postgresql-0"
    return project.person.namespace.get("PersistentVolumeClaim", name)


def data_pod(project):
    return project.person.namespace.pod(f"{project.database()['databaseName']}-postgresql")


def data_warned(project):
    return [w["code"] for w in project.database()["warnings"]]


def delete_data_claim(project):
    old = data_claim(project)
    project.person.namespace.delete("PersistentVolumeClaim", old["metadata"]["name"])
    return uid(old)


@pytest.fixture
def doomed_shop(site, shop):
    """A project whose data will go with its database's pod, observed since."""
    delete_data_claim(shop)
    assert data_claim(shop)["metadata"]["deletionTimestamp"]
    resync(site, shop)
    eventually(lambda: data_warned(shop) == ["DATABASE_VOLUME_GOING"], last=shop.get)
    return shop


def test_the_owner_is_warned_that_the_databases_volume_goes(site, doomed_shop, explained):
    database = doomed_shop.database()
    assert database["status"] == "RUNNING" and database["cause"] is None
    assert data_claim(doomed_shop)["metadata"]["name"] in database["warnings"][0]["message"]
    assert warned(doomed_shop) == []
    explained(doomed_shop, "database-volume-going")


def test_stopping_the_database_needs_a_confirmation(doomed_shop):
    shop, running, volume = doomed_shop, uid(data_pod(doomed_shop)), uid(data_claim(doomed_shop))
    refused = send(shop, "stop")
    assert refused.status_code == 409 and refused.json()["errorCode"] == RISK, refused.text
    assert "database" in refused.json()["error"]
    assert shop.status() == "RUNNING"
    # What only ends the sandbox's pod needs no confirmation, and leaves the database alone.
    for ask in ("restart", "a variable"):
        before = uid(pod(shop))
        expect(send(shop, ask))
        eventually(lambda: uid(pod(shop)) not in (None, before))
        shop.wait("RUNNING")
    assert (uid(data_pod(shop)), uid(data_claim(shop))) == (running, volume)
    expect(send(shop, "stop", force=True))
    shop.wait("STOPPED")
    eventually(lambda: data_claim(shop) is None)
    shop.start()  # after a confirmation, nothing more is asked
    shop.wait("RUNNING")
    assert uid(data_claim(shop)) not in (None, volume)
    assert shop.causes() == [] and data_warned(shop) == []


def test_a_stop_before_the_loss_was_observed_leaves_the_database_running(shop, explained):
    """The claim was deleted after the last observation: the reconciler finds out, and ends nothing."""
    volume, running = delete_data_claim(shop), uid(data_pod(shop))
    shop.stop()
    cause = shop.wait_cause(RISK)
    assert cause["code"] == "DATABASE_VOLUME_GOING" and cause["headline"]
    eventually(lambda: shop.sandbox()["status"] == "STOPPED", last=shop.get)
    explained(shop, "stop-that-would-lose-a-database")
    shop.start()
    shop.wait("RUNNING")
    assert (uid(data_pod(shop)), uid(data_claim(shop))) == (running, volume)
    refused = send(shop, "stop")
    assert refused.status_code == 409, refused.text


def test_the_operators_new_sizes_do_not_cost_a_databases_data(site, doomed_shop):
    running, cluster = uid(data_pod(doomed_shop)), doomed_shop.database()["databaseName"]
    sql(site, "UPDATE databases SET memory_limit = '2Gi' WHERE resource_id = %s",
        doomed_shop.database()["id"])
    resync(site, doomed_shop)
    assert doomed_shop.wait_cause(RISK)["code"] == "DATABASE_VOLUME_GOING"
    assert doomed_shop.status() == "RUNNING" and uid(data_pod(doomed_shop)) == running
    # Changes that end no pod are still made.
    sql(site, "UPDATE databases SET memory_limit = '1Gi' WHERE resource_id = %s",
        doomed_shop.database()["id"])
    doomed_shop.person.namespace.delete("Role", cluster)
    resync(site, doomed_shop)
    eventually(lambda: doomed_shop.person.namespace.get("Role", cluster))
    doomed_shop.wait_no_cause()
    assert uid(data_pod(doomed_shop)) == running


def test_a_project_whose_volumes_go_is_deleted_like_any_other(doomed_shop):
    doomed_shop.delete()
    doomed_shop.wait_gone()


# ---- a volume that is gone while nothing runs


GONE = {
    "home": (claim, warned, "HOME_VOLUME_GONE"),
    "database": (data_claim, data_warned, "DATABASE_VOLUME_GONE"),
}
STARTS = {
    "start": lambda p, **force: ("POST", f"{p.path}/start", force),
    "restart": lambda p, **force: ("POST", f"{p.path}/restart", force),
    "POST /api/sandbox": lambda p, **force: ("POST", p.sandbox_path, force),
}


def ask_start(project, ask, **force):
    method, path, body = STARTS[ask](project, **force)
    return project.person.client.request(method, path, json=body)


@pytest.fixture
def stopped(shop):
    shop.stop()
    shop.wait("STOPPED")
    return shop


def lose(project, what):
    """Deletes the claim; returns its UID when it is gone."""
    find = GONE[what][0]
    old = find(project)
    project.person.namespace.delete("PersistentVolumeClaim", old["metadata"]["name"])
    eventually(lambda: find(project) is None)
    return uid(old)


@pytest.mark.parametrize("ask", STARTS)
@pytest.mark.parametrize("what", GONE)
def test_a_start_without_the_files_that_were_there_asks_first(site, stopped, what, ask, explained):
    find, told, code = GONE[what]
    volume = lose(stopped, what)
    resync(site, stopped)
    eventually(lambda: told(stopped) == [code], last=stopped.get)
    if ask == "start":
        explained(stopped, f"{what}-volume-gone")
    refused = ask_start(stopped, ask)
    assert refused.status_code == 409, refused.text
    assert refused.json()["errorCode"] == RISK and "empty" in refused.json()["error"]
    assert stopped.status() == "STOPPED" and find(stopped) is None
    stopped.person.client.post(f"{stopped.path}/stop")  # costs nothing, so it needs no confirmation
    expect(ask_start(stopped, ask, force=True))
    stopped.wait("RUNNING")
    assert uid(find(stopped)) not in (None, volume)
    assert told(stopped) == [] and stopped.causes() == []


@pytest.mark.parametrize("what", GONE)
def test_a_start_before_the_loss_was_observed_begins_nothing_empty(stopped, what, explained):
    find, told, code = GONE[what]
    lose(stopped, what)
    stopped.start()
    assert stopped.wait_cause(RISK)["code"] == code
    assert find(stopped) is None and told(stopped) == [code]
    explained(stopped, f"start-without-the-{what}")
    assert ask_start(stopped, "start").status_code == 409
    expect(ask_start(stopped, "start", force=True))
    stopped.wait("RUNNING")
    assert find(stopped) and told(stopped) == [] and stopped.causes() == []


def test_a_start_that_is_held_up_can_be_undone(stopped):
    lose(stopped, "home")
    stopped.start()
    stopped.wait_cause(RISK)
    expect(stopped.person.client.post(f"{stopped.path}/stop"))
    stopped.wait("STOPPED")
    assert warned(stopped) == ["HOME_VOLUME_GONE"] and stopped.causes() == []


def test_a_stateful_set_that_is_deleted_while_stopped_takes_the_files_with_it(site, stopped):
    name = stopped.sandbox()["name"]
    stopped.person.namespace.delete("StatefulSet", name)
    eventually(lambda: claim(stopped) is None)
    resync(site, stopped)
    eventually(lambda: warned(stopped) == ["HOME_VOLUME_GONE"], last=stopped.get)
    assert ask_start(stopped, "start").status_code == 409
    expect(ask_start(stopped, "start", force=True))
    stopped.wait("RUNNING")
    assert warned(stopped) == []


def test_a_first_start_does_not_ask(site, person):
    """It is stopped before it has a volume."""
    person.cluster.fault(fault="unavailable", verb="apply", resource="statefulsets")
    project = person.create("Hurried")
    project.wait_cause("KUBE_SERVER")
    project.stop()
    project.wait("STOPPED")
    person.cluster.heal()
    assert claim(project) is None and warned(project) == []
    project.start()
    project.wait("RUNNING")
    assert warned(project) == []


def test_a_volume_that_was_restored_is_just_used(site, stopped):
    old = claim(stopped)
    lose(stopped, "home")
    resync(site, stopped)
    eventually(lambda: warned(stopped) == ["HOME_VOLUME_GONE"])
    restored = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": {
        key: old["spec"][key] for key in ("accessModes", "resources")},
        "metadata": {key: old["metadata"][key] for key in ("name", "labels")}}
    path = stopped.person.namespace.path("PersistentVolumeClaim")
    stopped.person.cluster.api("POST", path, restored)
    new = uid(claim(stopped))
    resync(site, stopped)
    eventually(lambda: warned(stopped) == ["HOME_VOLUME_REPLACED"], last=stopped.get)
    stopped.start()
    stopped.wait("RUNNING")
    assert uid(claim(stopped)) == new != uid(old) and warned(stopped) == []


@pytest.mark.parametrize("what", GONE)
def test_lost_files_are_reported_to_their_owner(site, shop, what,
                                                                           explained):
    """An object that is deleted while it should run is made again without a confirmation, but this is reported."""
    find, told, _ = GONE[what]
    before = uid(find(shop))
    kind, name = (("StatefulSet", shop.sandbox()["name"]) if what == "home"
                  else ("Cluster", shop.database()["databaseName"]))
    shop.person.namespace.delete(kind, name)
    eventually(lambda: find(shop) is None)
    resync(site, shop)
    eventually(lambda: uid(find(shop)) not in (None, before))
    replaced = f"{'HOME' if what == 'home' else 'DATABASE'}_VOLUME_REPLACED"
    eventually(lambda: told(shop) == [replaced], last=shop.get)
    shop.wait("RUNNING")
    resync(site, shop)
    assert told(shop) == [replaced]
    explained(shop, f"{what}-volume-replaced")
    shop.restart()
    eventually(lambda: told(shop) == [], last=shop.get)
