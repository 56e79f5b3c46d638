"""Tests members of projects: what each role may do, on every route; how people join and leave; what is withdrawn."""

import threading
import uuid

import pytest
from test_routes import BODIES, concrete, everything

PROJECT = "/api/projects/:projectId"
SANDBOX = "/api/sandbox/:projectId"
ANOTHER = f"{PROJECT}/sandboxes/:sandboxId"
VARIABLE = f"{PROJECT}/environment/:envId"
# Who may, written down a second time: a route that nobody thought about is its owner's.
VIEWERS = {
    *(("GET", path) for path in (
        PROJECT, f"{PROJECT}/environment", VARIABLE, f"{PROJECT}/database", f"{PROJECT}/events",
        f"{PROJECT}/sandboxes", f"{PROJECT}/members", SANDBOX, ANOTHER, f"{ANOTHER}/ports")),
    ("POST", f"{SANDBOX}/tokens"), ("POST", f"{ANOTHER}/tokens"), ("DELETE", f"{PROJECT}/membership"),
}
EDITORS = {
    ("PATCH", PROJECT), ("PUT", f"{PROJECT}/idle"), ("POST", f"{PROJECT}/keep"),
    *(("POST", f"{path}/{word}") for path in (PROJECT, ANOTHER) for word in ("start", "stop", "restart")),
    ("POST", f"{PROJECT}/environment"), ("PATCH", f"{PROJECT}/environment"),
    ("PATCH", VARIABLE), ("PUT", VARIABLE), ("DELETE", VARIABLE),
    ("POST", f"{PROJECT}/database"), ("POST", SANDBOX), ("PATCH", SANDBOX), ("POST", f"{PROJECT}/sandboxes"),
    ("PATCH", ANOTHER), ("POST", f"{ANOTHER}/ports"), ("DELETE", f"{ANOTHER}/ports/:portId"),
    ("POST", f"{ANOTHER}/ports/:portId/links"),
    ("POST", f"{PROJECT}/agent"),
}


def join(project, member, role):
    """Invites somebody by name, who accepts."""
    invited = project.client.post(f"/api/projects/{project.id}/invitations", {"role": role, "name": member.name})
    assert invited.ok, invited.text
    assert member.post(f"/api/invitations/{invited.json()['id']}/accept").ok
    return member


@pytest.fixture
def team(project, user):
    """The people of a project, by role."""
    return {"owner": project.client, "editor": join(project, user(), "editor"),
            "viewer": join(project, user(), "viewer")}


@pytest.fixture
def ids(project, user):
    client, path = project.client, f"/api/projects/{project.id}"
    assert client.post(f"{path}/environment", {"key": "SECRET", "value": "s3cret", "isSecret": True}).ok
    variable = client.get(f"{path}/environment").json()["general"][0]["id"]
    sandbox = client.post(f"{path}/sandboxes", {"displayName": "Worker"}).json()["id"]
    port = client.post(f"{path}/sandboxes/{sandbox}/ports", {"port": 5173, "access": "token"})
    waiting = client.post(f"{path}/invitations", {"role": "editor", "name": user().name}).json()["id"]
    return {"projectId": project.id, "envId": variable, "sandboxId": sandbox,
            "portId": port.json()["items"][0]["id"], "memberId": join(project, user(), "viewer").id,
            "invitationId": waiting}


def generation(web, project):
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT sum(access_generation) FROM sandboxes s JOIN resources r ON r.id = s.resource_id"
                       " WHERE r.project_id = %s", [project.id])
        return cursor.fetchone()[0]


# ---- every role on every route -----------------------------------------------------------------


def test_the_roles_of_the_routes_are_as_decided(routes):
    roles = {(row["method"], row["pattern"]): row["role"] for row in routes if "role" in row}
    assert {route for route, role in roles.items() if role == "viewer"} == VIEWERS
    assert {route for route, role in roles.items() if role == "editor"} == EDITORS
    assert all(":projectId" in pattern for _, pattern in roles)
    assert {(row["method"], row["pattern"]) for row in routes
            if ":projectId" in row["pattern"]} == set(roles)


@pytest.mark.parametrize("role, allowed", [("viewer", VIEWERS), ("editor", VIEWERS | EDITORS)])
def test_a_member_is_refused_what_is_beyond_their_role_and_changes_nothing(web, routes, ids, team, role, allowed):
    before, refused = everything(web), 0
    for row in routes:
        route = (row["method"], row["pattern"])
        if "role" not in row or route in allowed:
            continue
        answer = team[role].request(row["method"], concrete(row["pattern"], ids), json=BODIES.get(route))
        assert (answer.status_code, answer.json()["errorCode"]) == (403, "PROJECT_ROLE"), row
        refused += 1
    assert refused > 10
    assert everything(web) == before


@pytest.mark.parametrize("role, allowed", [("viewer", VIEWERS), ("editor", VIEWERS | EDITORS)])
def test_a_member_may_do_what_their_role_gives(web, routes, ids, team, role, allowed):
    with web.connect() as db, db.cursor() as cursor:  # the default is too little for an agent
        cursor.execute("UPDATE sandboxes SET memory_limit = '512Mi'")
    bodies = {**BODIES, ("POST", f"{SANDBOX}/tokens"): {"scopes": ["usage"]},
              ("POST", f"{ANOTHER}/tokens"): {"scopes": ["usage"]}}
    # What takes away what others need comes last.
    late = ("stop", "DELETE", "DELETE membership")
    for route in sorted(allowed, key=lambda route: [all(word in "/".join(route) for word in words.split())
                                                    for words in reversed(late)]):
        answer = team[role].request(route[0], concrete(route[1], ids), json=bodies.get(route))
        assert answer.ok, (route, answer.text)
        assert "s3cret" not in answer.text


def test_who_was_removed_is_a_stranger_again(web, routes, ids, project, team):
    guest = team["editor"]
    path = f"/api/projects/{project.id}"
    started = guest.post(f"{path}/start", headers={"Idempotency-Key": "once"})
    assert started.ok
    assert project.client.delete(f"{path}/members/{guest.id}").ok
    before = everything(web)
    for row in routes:
        if "role" not in row:
            continue
        body = BODIES.get((row["method"], row["pattern"]))
        assert guest.request(row["method"], concrete(row["pattern"], ids), json=body).status_code == 404, row
    # What was answered before is not answered again.
    assert guest.post(f"{path}/start", headers={"Idempotency-Key": "once"}).status_code == 404
    assert project.id not in [p["id"] for p in guest.get("/api/projects").json()]
    assert everything(web) == before


def test_ids_of_another_project_are_not_found_in_ones_own(project, team, user):
    other = user()
    mine = other.post("/api/projects", {"name": "Mine"}).json()["id"]
    theirs = f"/api/projects/{mine}"
    invitation = project.client.post(f"/api/projects/{project.id}/invitations", {"role": "viewer"}).json()["id"]
    assert other.patch(f"{theirs}/members/{team['viewer'].id}", {"role": "editor"}).status_code == 404
    assert other.delete(f"{theirs}/members/{team['viewer'].id}").status_code == 404
    assert other.delete(f"{theirs}/invitations/{invitation}").status_code == 404
    roles = {m["name"]: m["role"] for m in project.client.get(f"/api/projects/{project.id}/members").json()["items"]}
    assert roles == {person.name: role for role, person in team.items()}


def test_private_ports_are_for_who_works_in_the_project(ids, project, team, user):
    path = f"/api/projects/{project.id}/sandboxes/{ids['sandboxId']}/ports"
    port, = project.client.get(path).json()["items"]
    host = port["url"].split("//")[1].split(":")[0]
    answers = {role: person.post("/api/visits", {"host": host}).status_code
               for role, person in (*team.items(), ("stranger", user()))}
    assert answers == {"owner": 200, "editor": 200, "viewer": 404, "stranger": 404}
    made = [line for line in project.client.get("/api/user/audit").json()["items"] if line["action"] == "port.visit"]
    assert [line["by"] for line in made] == [team["editor"].name, None]


# ---- secrets -----------------------------------------------------------------------------------


def test_secrets_are_the_owners(ids, project, team):
    variable = f"/api/projects/{project.id}/environment/{ids['envId']}"
    assert project.client.get(variable).json()["value"] == "s3cret"
    for role in ("editor", "viewer"):
        assert team[role].get(variable).json()["value"] is None
    reveal = team["editor"].patch(variable, {"isSecret": False})
    assert (reveal.status_code, reveal.json()["errorCode"]) == (403, "PROJECT_ROLE")
    assert team["editor"].patch(variable, {"isSecret": False, "value": "new"}).json()["value"] == "new"


def test_the_way_into_the_terminal_is_for_owner_and_editors(project, team):
    urls = {role: client.get(f"/api/sandbox/{project.id}").json()["ttydUrl"] for role, client in team.items()}
    assert "authorization=" in urls["owner"]
    assert urls["editor"] == urls["owner"]
    assert urls["viewer"] == urls["owner"].split("?")[0]


@pytest.mark.parametrize("scopes", [["terminal"], ["exec"], ["files:read"], ["files:write"], ["ports"],
                                    ["usage", "exec"]])
def test_a_viewers_token_lets_nobody_in(project, team, scopes):
    path = f"/api/sandbox/{project.id}/tokens"
    answer = team["viewer"].post(path, {"scopes": scopes})
    assert (answer.status_code, answer.json()["errorCode"]) == (403, "PROJECT_ROLE")
    assert team["editor"].post(path, {"scopes": scopes}).ok


# ---- joining -----------------------------------------------------------------------------------


def test_nobody_is_put_into_a_project_without_accepting(project, user):
    guest = user()
    made = project.client.post(f"/api/projects/{project.id}/invitations", {"role": "editor", "name": guest.name})
    assert made.json()["link"] is None
    assert guest.get(f"/api/projects/{project.id}").status_code == 404
    waiting = guest.get("/api/invitations").json()["items"]
    assert [(i["id"], i["project"], i["owner"], i["role"]) for i in waiting] == [
        (made.json()["id"], "My App", project.client.name, "editor")]
    stranger = user()
    assert stranger.post(f"/api/invitations/{waiting[0]['id']}/accept").status_code == 403
    assert stranger.delete(f"/api/invitations/{waiting[0]['id']}").status_code == 404
    assert guest.post(f"/api/invitations/{waiting[0]['id']}/accept").json() == {
        "projectId": project.id, "role": "editor"}
    assert guest.get("/api/invitations").json() == {"items": []}
    listed = {p["id"]: (p["role"], p["owner"]) for p in guest.get("/api/projects").json()}
    assert listed == {project.id: ("editor", project.client.name)}
    assert [p["role"] for p in project.client.get("/api/projects").json()] == ["owner"]


def test_an_invitation_can_be_declined_or_withdrawn(project, user):
    guest, path = user(), f"/api/projects/{project.id}/invitations"
    first = project.client.post(path, {"role": "viewer", "name": guest.name}).json()["id"]
    assert guest.delete(f"/api/invitations/{first}").ok
    second = project.client.post(path, {"role": "viewer", "name": guest.name}).json()["id"]
    assert project.client.delete(f"{path}/{second}").ok
    for gone in (first, second):
        answer = guest.post(f"/api/invitations/{gone}/accept")
        assert (answer.status_code, answer.json()["errorCode"]) == (403, "INVITATION_INVALID")


def accept_link(client, link):
    return client.post("/api/invitations/accept", {"token": link.rsplit("/", 1)[1]})


def test_a_link_works_once_also_for_two_at_a_time(web, project, user):
    link = project.client.post(f"/api/projects/{project.id}/invitations", {"role": "viewer"}).json()["link"]
    assert link.startswith(f"{web.url}/#/join/")
    own = accept_link(project.client, link)
    assert (own.status_code, own.json()["errorCode"]) == (409, "ALREADY_MEMBER")
    guests, answers = [user() for _ in range(4)], []
    threads = [threading.Thread(target=lambda g=guest: answers.append(accept_link(g, link))) for guest in guests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200, 403, 403, 403]
    assert len(project.client.get(f"/api/projects/{project.id}/members").json()["items"]) == 2


def test_of_a_link_only_the_hash_is_stored(web, project):
    link = project.client.post(f"/api/projects/{project.id}/invitations", {"role": "viewer"},
                               headers={"Idempotency-Key": "k"}).json()["link"]
    listed = project.client.get(f"/api/projects/{project.id}/members").json()["invitations"]
    assert "link" not in listed[0]
    token = link.rsplit("/", 1)[1]
    with web.connect() as db, db.cursor() as cursor:
        for table in ("project_invitations", "audit"):
            cursor.execute(f"SELECT query_to_xml('SELECT * FROM {table}', true, false, '')::text")
            assert token not in cursor.fetchone()[0]
        cursor.execute("SELECT count(*) FROM idempotency WHERE user_id = %s AND key = 'k'", [project.client.id])
        assert cursor.fetchone()[0] == 0


def test_an_invitation_ends(web, project, user):
    link = project.client.post(f"/api/projects/{project.id}/invitations", {"role": "viewer"}).json()["link"]
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE project_invitations SET expires_at = now() WHERE project_id = %s", [project.id])
    assert accept_link(user(), link).status_code == 403
    assert project.client.get(f"/api/projects/{project.id}/members").json()["invitations"] == []


def test_who_cannot_be_invited(project, team):
    path = f"/api/projects/{project.id}/invitations"
    for body, status, code in [
            ({"role": "viewer", "name": "nobody-of-this-name"}, 404, "USER_NOT_FOUND"),
            ({"role": "viewer", "name": project.client.name}, 409, "ALREADY_MEMBER"),
            ({"role": "editor", "name": team["viewer"].name}, 409, "ALREADY_MEMBER"),
            ({"role": "owner", "name": team["viewer"].name}, 400, "INVALID_FIELD"),
            ({"name": team["viewer"].name}, 400, "MISSING_FIELD")]:
        answer = project.client.post(path, body)
        assert (answer.status_code, answer.json()["errorCode"]) == (status, code), body


def test_a_project_has_so_many_members_and_no_more(web, project):
    path = f"/api/projects/{project.id}/invitations"
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("INSERT INTO project_invitations (project_id, role, token_hash) SELECT %s, 'viewer',"
                       " sha256(n::text::bytea) FROM generate_series(1, 49) n", [project.id])
    assert project.client.post(path, {"role": "viewer"}).ok
    answer = project.client.post(path, {"role": "viewer"})
    assert (answer.status_code, answer.json()["errorCode"]) == (429, "MEMBER_QUOTA")
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE project_invitations SET expires_at = now() WHERE project_id = %s", [project.id])
    assert project.client.post(path, {"role": "viewer"}).ok


# ---- leaving -----------------------------------------------------------------------------------


def test_a_member_can_leave_and_the_owner_stays(project, team):
    path = f"/api/projects/{project.id}"
    assert team["viewer"].delete(f"{path}/membership").ok
    assert team["viewer"].get(path).status_code == 404
    assert project.client.delete(f"{path}/membership").status_code == 404
    assert project.client.get(path).ok


@pytest.mark.parametrize("how", ["remove", "leave", "lower"])
def test_an_editors_tokens_are_withdrawn(web, project, team, how):
    path, before = f"/api/projects/{project.id}", generation(web, project)
    if how == "remove":
        assert project.client.delete(f"{path}/members/{team['editor'].id}").ok
    elif how == "leave":
        assert team["editor"].delete(f"{path}/membership").ok
    else:
        assert project.client.patch(f"{path}/members/{team['editor'].id}", {"role": "viewer"}).ok
    assert generation(web, project) > before


def test_a_viewer_who_holds_no_token_leaves_the_sandboxes_alone(web, project, team):
    path, before = f"/api/projects/{project.id}", generation(web, project)
    assert project.client.patch(f"{path}/members/{team['viewer'].id}", {"role": "viewer"}).ok
    assert project.client.delete(f"{path}/members/{team['viewer'].id}").ok
    assert generation(web, project) == before


def test_a_viewers_token_is_withdrawn(web, project, team):
    assert team["viewer"].post(f"/api/sandbox/{project.id}/tokens", {"scopes": ["usage"]}).ok
    before = generation(web, project)
    assert project.client.delete(f"/api/projects/{project.id}/members/{team['viewer'].id}").ok
    assert generation(web, project) > before


def test_who_ends_all_their_sessions_ends_what_they_hold_in_others_projects(web, project, team):
    assert team["viewer"].post(f"/api/sandbox/{project.id}/tokens", {"scopes": ["usage"]}).ok
    before = generation(web, project)
    assert team["viewer"].delete("/api/auth/sessions").ok
    assert generation(web, project) == before  # it lets nobody in, and a viewer restarts nothing
    assert team["editor"].delete("/api/auth/sessions").ok
    assert generation(web, project) > before


def test_a_deleted_user_is_no_member(web, project, team):
    before = generation(web, project)
    web.programs.fsactl("user", "delete", team["editor"].name, "--yes")
    assert generation(web, project) > before
    roles = {m["role"] for m in project.client.get(f"/api/projects/{project.id}/members").json()["items"]}
    assert roles == {"owner", "viewer"}


def test_the_trash_is_the_owners(web, project, team):
    with web.connect() as db, db.cursor() as cursor:  # as a deletion does on a site with a trash
        cursor.execute("UPDATE projects SET deleted_at = now(), trash_until = now() + interval '1 day'"
                       " WHERE id = %s", [project.id])
    path = f"/api/projects/{project.id}"
    for role in ("editor", "viewer"):
        assert team[role].get(path).status_code == 404
        assert team[role].get("/api/projects?trash=true").json() == []
        assert team[role].post(f"{path}/restore").status_code == 404
    assert project.client.post(f"{path}/restore").ok
    assert team["viewer"].get(path).ok


# ---- who did it, and who hears of it -----------------------------------------------------------


def test_members_act_under_their_own_names_and_the_owner_sees_it(project, team):
    path = f"/api/projects/{project.id}"
    assert team["editor"].patch(path, {"description": "edited"}).ok
    theirs = team["editor"].get("/api/user/audit").json()["items"][0]
    seen = project.client.get("/api/user/audit").json()["items"][0]
    assert (theirs["action"], theirs["by"]) == ("project.change", None)
    assert (seen["id"], seen["by"], seen["address"]) == (theirs["id"], team["editor"].name, None)
    assert project.client.patch(path, {"description": "mine"}).ok
    assert team["editor"].get("/api/user/audit").json()["items"][0]["id"] == theirs["id"]


def test_quotas_are_the_owners(project, team):
    def used(client):
        return {limit["kind"]: limit["used"] for limit in client.get("/api/user/limits").json()["items"]}

    before = {role: used(client) for role, client in team.items()}
    assert team["editor"].post(f"/api/projects/{project.id}/sandboxes", {"displayName": "Worker"}).ok
    after = {role: used(client) for role, client in team.items()}
    assert after["editor"] == before["editor"]
    assert after["owner"] != before["owner"]


def test_changes_are_announced_to_members_and_no_longer_to_who_was_removed(web, project, team):
    def live_changes_of(change):
        with web.connect() as db, db.cursor() as cursor:
            cursor.execute("DELETE FROM live_changes")
            db.commit()
            assert change().ok
            cursor.execute("SELECT DISTINCT user_id::text FROM live_changes WHERE project_id = %s", [project.id])
            return {row[0] for row in cursor.fetchall()}

    path = f"/api/projects/{project.id}"
    web.programs.stop("fsa-events")
    assert live_changes_of(lambda: project.client.patch(path, {"name": "Renamed"})) == {c.id for c in team.values()}
    removed = live_changes_of(lambda: project.client.delete(f"{path}/members/{team['viewer'].id}"))
    assert team["viewer"].id in removed  # the project is gone for them
    assert live_changes_of(lambda: project.client.patch(path, {"name": "Again"})) == {
        project.client.id, team["editor"].id}


def test_a_read_only_token_of_an_editor_shows_no_way_in(web, project, team):
    token = team["editor"].post("/api/user/tokens", {"name": "CI", "scope": "read"}).json()["token"]
    program = web.client()
    program.session.headers["Authorization"] = f"Bearer {token}"
    assert "authorization=" not in program.get(f"/api/sandbox/{project.id}").json()["ttydUrl"]
    assert program.patch(f"/api/projects/{project.id}", {"description": "x"}).status_code == 403


def test_of_two_removals_at_once_each_is_answered(project, team, user):
    guests = [join(project, user(), "editor") for _ in range(3)]
    answers = []
    threads = [threading.Thread(target=lambda g=guest: answers.append(
        g.delete(f"/api/projects/{project.id}/membership"))) for guest in guests for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [404] * 3
    assert project.client.delete(f"/api/projects/{project.id}/members/{uuid.uuid4()}").status_code == 404
