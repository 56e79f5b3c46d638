"""Tests several sandboxes of one project, from creation to deletion."""

from urllib.parse import urlsplit

from namespace import PLACES
from people import SLOW, eventually, expect


def add(project, **body):
    return expect(project.person.client.post(f"{project.path}/sandboxes", body))


def ask(project, sandbox, action):
    path = f"{project.path}/sandboxes/{sandbox['id']}"
    client = project.person.client
    return expect(client.delete(path) if action == "delete" else client.post(f"{path}/{action}"))


def statuses(project):
    """Returns name → status of the project's sandboxes."""
    found = expect(project.person.client.get(f"{project.path}/sandboxes"))["items"]
    return {sandbox["name"]: sandbox["status"] for sandbox in found}


def wait(project, expected):
    def reached():
        """every sandbox has the requested status"""
        return statuses(project) == expected

    eventually(reached, SLOW, last=lambda: (statuses(project), project.causes()))


def objects_of(person, name):
    return {(kind, item["metadata"]["name"]) for kind in PLACES
            for item in person.namespace.items(kind) if name in item["metadata"]["name"]}


def test_two_sandboxes_of_a_project_live_and_go_on_their_own(site, person):
    project = person.create("Shop", database=True)
    project.wait("RUNNING")
    first = project.view()
    second = add(project, displayName="Worker", envVars={"ROLE": "worker"})
    a, b = first["name"], second["name"]
    wait(project, {a: "RUNNING", b: "RUNNING"})

    # Each has its own names, addresses and terminal password; the project shows both.
    first, second = project.get()["sandboxes"]
    assert (first["name"], second["name"], second["displayName"]) == (a, b, "Worker")
    assert len({urlsplit(sandbox[url]).hostname for sandbox in (first, second)
                for url in ("publicUrl", "ttydUrl")}) == 4
    assert urlsplit(first["ttydUrl"]).query != urlsplit(second["ttydUrl"]).query
    # Both have the same kinds of objects, and the same database.
    assert {(kind, name.replace(a, "x")) for kind, name in objects_of(person, a)} == {
        (kind, name.replace(b, "x")) for kind, name in objects_of(person, b)}
    secrets = {item["metadata"]["name"]: item["data"] for item in person.namespace.items("Secret")}
    assert secrets[f"{a}-env"]["DATABASE_URL"] == secrets[f"{b}-env"]["DATABASE_URL"]
    assert "ROLE" in secrets[f"{b}-env"] and "ROLE" not in secrets[f"{a}-env"]

    explained = site.programs.fsactl("project", "explain", project.id)
    assert f"SANDBOX {a}: RUNNING" in explained and f"SANDBOX {b}: RUNNING" in explained

    ask(project, second, "stop")
    wait(project, {a: "RUNNING", b: "STOPPED"})
    ask(project, second, "restart")
    wait(project, {a: "RUNNING", b: "RUNNING"})
    told = [event["status"] for event in project.events() if event["resourceId"] == second["id"]]
    assert {"CREATING", "STOPPING", "STOPPED", "STARTING", "RUNNING"} <= set(told)

    # The first one is deleted; /api/sandbox/:projectId does not mistake the other one for it.
    expect(person.client.delete(project.sandbox_path))
    wait(project, {b: "RUNNING"})
    assert objects_of(person, a) == set()
    expect(person.client.delete(project.sandbox_path), 404)
    assert statuses(project) == {b: "RUNNING"}

    # Without its last sandbox, the project still exists with its database.
    ask(project, second, "delete")
    wait(project, {})
    assert objects_of(person, b) == set()
    assert project.database()["status"] == "RUNNING"
    anew = expect(person.client.post(project.sandbox_path))["name"]
    wait(project, {anew: "RUNNING"})

    add(project)
    expect(person.client.delete(project.path))
    eventually(project.gone, SLOW)
    assert objects_of(person, "-agentruntime-") == set()
