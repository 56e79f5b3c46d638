"""Members of projects in the console: inviting and removing, joining by a link, and what a viewer sees."""

import itertools

from test_page import PASSWORD, create, enter, register

_numbers = itertools.count(1)


def somebody(site, cluster=None):
    """Another person, who uses the API."""
    client = site.client()
    client.name = f"member{next(_numbers)}"
    client.id = client.register(client.name, PASSWORD).json()["user"]["id"]
    if cluster:
        assert client.put("/api/user/config/kc", {"kubeconfig": cluster.create_user(client.name)}).ok
    return client


def test_an_owner_invites_and_removes_somebody(page, cluster, site):
    enter(page, cluster)
    create(page, "Shared")
    project = page.driver.current_url.rsplit("/", 1)[1]
    guest = somebody(site)
    page.press("Members", "nav a")
    page.fill(name=guest.name)
    page.press("Invite")
    page.see("td", "viewer, invited")
    invitation = guest.get("/api/invitations").json()["items"][0]["id"]
    assert guest.post(f"/api/invitations/{invitation}/accept").ok
    page.driver.refresh()
    page.press("Make an editor")
    page.see("td", "editor")
    assert guest.patch(f"/api/projects/{project}", {"description": "by a guest"}).ok
    page.press("Remove")
    page.press("Remove them")
    page.wait(lambda: not page.find("td", "editor"), "the member is gone")
    assert guest.get(f"/api/projects/{project}").status_code == 404
    page.press("Invite")
    link = page.text(".made code")
    token = link.rsplit("/", 1)[1]
    assert link.startswith(f"{page.url}/#/join/")
    assert guest.post("/api/invitations/accept", {"token": token}).ok
    assert page.complaints() == []


def test_a_viewer_joins_by_a_link_sees_the_project_and_leaves(page, cluster, site):
    owner = somebody(site, cluster)
    project = owner.post("/api/projects", {"name": "Theirs", "database": False}).json()["id"]
    link = owner.post(f"/api/projects/{project}/invitations", {"role": "viewer"}).json()["link"]
    page.driver.get(link)
    register(page)
    page.press("Join the project")
    page.see("h1", "Theirs")
    page.wait_status("RUNNING")
    assert [tab.text for tab in page.find("nav.tabs a")] == ["Overview", "History", "Members"]
    assert not page.find("button", "Stop") and not page.find("a", "Open terminal")
    page.see("a", "Open application")
    page.driver.get(f"{page.url}/projects/{project}/settings")
    page.see("h1", "Nothing here")
    page.driver.get(f"{page.url}/projects")
    page.see(".shared", f"shared by {owner.name}")
    page.press("Theirs")
    page.press("Members", "nav a")
    page.press("Leave this project")
    page.press("Leave")
    page.wait(lambda: page.find("h1", "Projects") and not page.find("a", "Theirs"), "it is gone from the list")
    assert page.complaints() == []


def test_an_invitation_waits_above_the_projects(page, cluster, site):
    name = enter(page, cluster)
    owner = somebody(site, cluster)
    for number in ("One", "Two"):
        project = owner.post("/api/projects", {"name": number, "database": False}).json()["id"]
        assert owner.post(f"/api/projects/{project}/invitations", {"role": "editor", "name": name}).ok
    page.driver.refresh()
    page.see(".invitations p", f"{owner.name} invites you to One, as an editor.")
    one, two = (f"[aria-label='{verb} the invitation to {project} of {owner.name}']"
                for verb, project in (("Accept", "One"), ("Decline", "Two")))
    page.press("Accept", one)
    page.see("a", "One")
    page.press("Decline", two)
    page.wait(lambda: not page.find(".invitations"), "both are answered")
    assert sorted(p["name"] for p in owner.get("/api/projects").json()) == ["One", "Two"]
    page.press("One")
    page.see("nav.tabs a", "Terminal")
    assert page.complaints() == []
