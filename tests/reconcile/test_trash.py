"""A deleted project can be brought back with its files, until it goes for good."""

from people import SLOW, eventually, expect
from quiet import uid

SITE_OPTIONS = {"trash_time": "7d"}


def volumes(person):
    return {uid(claim) for claim in person.namespace.items("PersistentVolumeClaim")}


def trash(person):
    return [project["id"] for project in expect(person.client.get("/api/projects?trash=true"))]


def restore(project, name=None):
    return project.person.client.post(f"{project.path}/restore", {"name": name} if name else {})


def test_a_project_comes_back_with_its_volumes(site, person):
    project = person.create("Treasure", database=True)
    project.wait("RUNNING")
    host, kept = project.view()["publicUrl"], volumes(person)
    assert kept
    deleted = project.delete()["project"]
    assert deleted["trashUntil"] and deleted["status"] == "STOPPING"
    site.programs.kill("fsa-reconcile")
    site.programs.start("fsa-reconcile")
    project.wait("STOPPED")
    assert person.namespace.items("Pod") == [] and volumes(person) == kept
    assert person.projects() == [] and trash(person) == [project.id]
    assert person.client.post(f"{project.path}/start").status_code == 404
    project.delete()  # repeated: it stays in the trash
    assert trash(person) == [project.id]

    assert expect(restore(project))["trashUntil"] is None
    assert restore(project).status_code == 404
    project.start()
    project.wait("RUNNING")
    assert (project.view()["publicUrl"], volumes(person)) == (host, kept)


def test_it_goes_for_good_when_it_is_asked_for(person):
    project = person.create("Rubbish")
    project.wait("RUNNING")
    project.delete()
    project.wait("STOPPED")
    expect(person.client.delete(project.path, json={"permanent": True}))
    project.wait_gone()
    eventually(lambda: volumes(person) == set(), SLOW)
    assert trash(person) == []


def test_it_goes_for_good_when_its_time_is_over(site, person):
    project = person.create("Forgotten")
    project.wait("RUNNING")
    project.delete()
    with site.connect() as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE projects SET trash_until = now() WHERE id = %s", (project.id,))
    project.wait_gone()
    eventually(lambda: volumes(person) == set(), SLOW)


def test_a_taken_name_is_said_and_another_serves(person):
    project = person.create("Twice")
    project.delete()
    person.create("Twice")
    refused = restore(project)
    assert (refused.status_code, refused.json()["errorCode"]) == (409, "PROJECT_EXISTS"), refused.text
    assert restore(project, "9 lives").status_code == 400
    assert expect(restore(project, "Thrice"))["name"] == "Thrice"
