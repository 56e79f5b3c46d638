"""Tests that a project's changes reach its members, for as long as they are members."""


def change(owner, project, word):
    """The name tells what a stream has heard from what it has not."""
    assert owner.client.patch(f"/api/projects/{project}", {"name": word}).ok


def test_members_hear_of_a_project_until_they_are_removed(live):
    ada, bob = live.person(), live.person()
    project = live.project(ada).id
    path = f"/api/projects/{project}"
    with bob.stream() as stream:
        link = ada.client.post(f"{path}/invitations", {"role": "viewer"}).json()["link"]
        assert bob.client.post("/api/invitations/accept", {"token": link.rsplit("/", 1)[1]}).ok
        stream.wait(lambda e: e.name == "project" and e.data["id"] == project)
        change(ada, project, "Heard")
        stream.wait(lambda e: e.name == "project" and e.data["name"] == "Heard")
        assert ada.client.delete(f"{path}/members/{bob.id}").ok
        stream.wait(lambda e: e.name == "gone" and e.data == {"id": project})
        change(ada, project, "Secret")
        own = live.project(bob).id
        stream.wait(lambda e: e.name == "project" and e.data["id"] == own)  # all that came before has arrived
        assert not [e for e in stream.events if e.name == "project" and e.data["name"] == "Secret"]
