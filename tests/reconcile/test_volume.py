"""Nobody's files are lost without a word: the claim of a home is deleted under a running sandbox.

It stays for as long as the pod runs, and goes with it. The next resync is ten minutes away.
"""

import contextlib
import subprocess

import pytest
from people import Person, eventually, expect
from schedule import OPTIONS
from stand.site import Site

RISK = "DATA_AT_RISK"


@pytest.fixture(scope="module")
def site(workspace, build, postgres):
    with Site(workspace / "test_volume", build, postgres, database="test_volume",
              options=OPTIONS | {"resync": "10m"}, every="200ms") as made:
        yield made


@pytest.fixture
def person(site, kubesim):
    yield Person(site, kubesim)
    kubesim.heal()


def sql(site, statement, *values):
    with contextlib.closing(site.connect()) as db, db, db.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else None


def resync(site, project):
    sql(site, "UPDATE resources SET due_at = now() WHERE project_id = %s", project.id)


def claim(project):
    """The claim of the sandbox's home, or None."""
    name = project.sandbox()["name"]
    found = [c for c in project.person.namespace.items("PersistentVolumeClaim")
             if c["metadata"]["name"].endswith(f"{name}-0")]
    return found[0] if found else None


def uid(thing):
    return thing and thing["metadata"]["uid"]


def pod(project):
    return project.person.namespace.pod(project.sandbox()["name"])


def warned(project):
    return [w["code"] for w in project.sandbox()["warnings"]]


def delete_claim(project):
    """Somebody deletes it; it stays while the pod runs. Returns its uid."""
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
    """Its files go with its pod, and it has been looked at since."""
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
    "a removed variable": lambda p, **force: (
        "DELETE", f"{p.path}/environment/{p.variables()['BEFORE']['id']}", force),
}


def send(project, ask, **force):
    method, path, body = ASK[ask](project, **force)
    return project.person.client.request(method, path, json=body)


@pytest.mark.parametrize("ask", ASK)
def test_what_would_end_the_pod_asks_first(site, project, ask):
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
    assert "force" in refused.json()["error"]
    after = project.get()
    assert after["status"] == "RUNNING" and after["environments"] == before["environments"]
    assert (uid(pod(project)), uid(claim(project))) == (running, volume)

    expect(send(project, ask, force=True))
    eventually(lambda: uid(pod(project)) != running)
    project.wait("STOPPED" if ask == "stop" else "RUNNING")
    eventually(lambda: uid(claim(project)) != volume)
    eventually(lambda: warned(project) == [], last=project.get)


def test_what_ends_no_pod_does_not_ask(doomed):
    running = uid(pod(doomed))
    doomed.start()
    doomed.wait("RUNNING")
    expect(doomed.person.client.post(doomed.sandbox_path))
    doomed.wait("RUNNING")
    assert uid(pod(doomed)) == running and warned(doomed) == ["HOME_VOLUME_GOING"]


def test_who_asks_before_anybody_knew_is_held_up(project, explained):
    """The claim was deleted since the last look: the reconciler finds out, and keeps the pod."""
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


def test_a_stop_before_anybody_knew_is_held_up_and_can_be_taken_back(project):
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
    # What ends no pod is put right all the same.
    namespace, name = doomed.person.namespace, f"{doomed.sandbox()['name']}-service"
    sql(site, "UPDATE sandboxes SET memory_limit = '256Mi' WHERE resource_id = %s",
        doomed.sandbox()["id"])
    namespace.delete("Service", name)
    resync(site, doomed)
    eventually(lambda: namespace.get("Service", name))
    doomed.wait_no_cause()
    assert uid(pod(doomed)) == running


def test_insisting_holds_for_what_was_asked_and_not_for_later(site, project):
    expect(project.person.client.post(f"{project.path}/restart", {"force": True}))
    project.wait("RUNNING")
    volume = delete_claim(project)
    resync(site, project)
    eventually(lambda: warned(project))
    assert project.person.client.post(f"{project.path}/stop").status_code == 409
    assert uid(claim(project)) == volume


def test_deletion_needs_no_more_than_being_asked_for(doomed):
    doomed.delete()
    doomed.wait_gone()


def test_an_administrator_is_asked_too(site, doomed):
    with pytest.raises(Exception, match="--yes"):
        site.programs.fsactl("project", "stop", doomed.id)
    assert doomed.status() == "RUNNING"
    site.programs.fsactl("project", "stop", "--yes", doomed.id)
    doomed.wait("STOPPED")
