"""Walks the route tables: tests what must hold for every route, whatever it does."""

import re
import uuid

import pytest


# Routes of auth.fcgi, whose responses contain credentials, and so must not be kept.
AUTH = ("/api/auth/", "/api/user/tokens")
# A kept response would be a stored link.
LINKS = {("POST", "/api/admin/invitations"), ("POST", "/api/projects/:projectId/invitations")}
VISIT = "/api/wake/visit"  # from the cluster's ingress
WAKE = "/api/wake"  # also for people without a session


def concrete(pattern, ids):
    """Returns the pattern with an id for each parameter."""
    return re.sub(r":(\w+)", lambda m: ids.get(m.group(1)) or str(uuid.uuid4()), pattern)


def names(pattern):
    return re.findall(r":(\w+)", pattern)


@pytest.fixture
def ids(project, user):
    """Ids of things that exist, owned by project.client."""
    client, path = project.client, f"/api/projects/{project.id}/environment"
    assert client.post(path, {"key": "SECRET", "value": "s3cret", "isSecret": True}).ok
    variable = client.get(path).json()["general"][0]["id"]
    session = client.get("/api/auth/sessions").json()["items"][0]["id"]
    token = client.post("/api/user/tokens", {"name": "t"}).json()["id"]
    sandbox = client.post(f"/api/projects/{project.id}/sandboxes", {"displayName": "Worker"})
    ports = f"/api/projects/{project.id}/sandboxes/{sandbox.json()['id']}/ports"
    port = client.post(ports, {"port": 5173, "access": "public"}).json()["items"][0]["id"]
    guest = user()
    invite = f"/api/projects/{project.id}/invitations"
    invitation = client.post(invite, {"role": "viewer", "name": guest.name}).json()["id"]
    assert guest.post(f"/api/invitations/{invitation}/accept").ok
    waiting = client.post(invite, {"role": "editor", "name": user().name}).json()["id"]
    return {"memberId": guest.id, "invitationId": waiting,
            "projectId": project.id, "envId": variable, "sandboxId": sandbox.json()["id"],
            "sessionId": session, "tokenId": token, "portId": port,
            "clusterId": client.id}


@pytest.fixture
def public_routes(routes):
    """Those that the site's public server passes on."""
    return [row for row in routes if row["auth"] != "local"]


def everything(site):
    """Returns what is stored, except for what reading may change."""
    with site.connect() as db, db.cursor() as cursor:
        found = []
        for table in ("projects", "resources", "sandboxes", "databases", "environment", "events",
                      "ports", "user_config", "clusters", "idempotency", "audit", "users", "sessions",
                      "api_tokens", "project_members", "project_invitations"):
            cursor.execute(f"SELECT * FROM {table} ORDER BY 1, 2")
            found.append((table, [[bytes(v) if isinstance(v, memoryview) else v for v in row]
                                  for row in cursor.fetchall()]))
        return found


def test_the_tables_are_what_they_should_be(routes):
    rows = {(r["method"], r["pattern"]) for r in routes}
    assert len(rows) == len(routes)
    for row in routes:
        assert (row["pattern"].startswith("/api/")
                or row["pattern"] in ("/healthz", "/readyz", "/metrics"))
        assert (row["auth"] == "local") == (row["pattern"] in ("/metrics", VISIT))
        assert row["mutation"] == (row["method"] != "GET")
        # Every audit line has a user, and everything that api.fcgi changes may be repeated.
        assert not row["transaction"] or row["auth"] == "session"
        assert row["transaction"] or not row["idempotent"]
        assert (row["idempotent"] == row["mutation"] or row["pattern"].startswith((*AUTH, WAKE))
                or (row["method"], row["pattern"]) in LINKS)
        # Nothing of a user's is public.
        assert row["auth"] == "session" or not names(row["pattern"])


def test_every_session_route_is_401_without_one(web, routes, ids):
    stranger = web.client()
    forged = {"Cookie": "fsa=" + "A" * 43}
    before = everything(web)
    checked = 0
    for row in routes:
        if row["auth"] != "session":
            continue
        path = concrete(row["pattern"], ids)
        for headers in ({}, forged, {"Authorization": "Bearer " + "A" * 43}):
            answer = stranger.request(row["method"], path, headers=headers)
            assert answer.status_code == 401, (row, headers)
            assert answer.json()["errorCode"] == "UNAUTHENTICATED"
        checked += 1
    assert checked > 20
    assert everything(web) == before


# Bodies that each route accepts, so that ownership is tested and not the body.
BODIES = {
    ("PATCH", "/api/projects/:projectId"): {"name": "Stolen"},
    ("POST", "/api/projects/:projectId/environment"): {"key": "STOLEN", "value": "1"},
    ("PATCH", "/api/projects/:projectId/environment"): {
        "variables": [{"key": "STOLEN", "value": "1"}]},
    ("PATCH", "/api/projects/:projectId/environment/:envId"): {"value": "stolen"},
    ("PUT", "/api/projects/:projectId/environment/:envId"): {"value": "stolen"},
    ("PUT", "/api/projects/:projectId/lifetime"): {"hours": 1},
    ("PUT", "/api/projects/:projectId/idle"): {"minutes": 30},
    ("POST", "/api/projects/:projectId/keep"): {"hours": 1},
    ("PUT", "/api/clusters/:clusterId"): {"region": "Stolen"},
    ("POST", "/api/sandbox/:projectId"): {"envVars": {"STOLEN": "1"}},
    ("POST", "/api/projects/:projectId/sandboxes"): {"displayName": "Stolen"},
    ("POST", "/api/sandbox/:projectId/tokens"): {"scopes": ["exec"]},
    ("POST", "/api/projects/:projectId/agent"): {"prompt": "Do it."},
    ("PATCH", "/api/projects/:projectId/members/:memberId"): {"role": "editor"},
    ("POST", "/api/projects/:projectId/invitations"): {"role": "editor"},
    ("POST", "/api/projects/:projectId/sandboxes/:sandboxId/ports"): {"port": 4000, "access": "public"},
    ("POST", "/api/projects/:projectId/sandboxes/:sandboxId/ports/:portId/links"): {"expiresIn": 60},
    ("POST", "/api/projects/:projectId/sandboxes/:sandboxId/tokens"): {"scopes": ["exec"]},
}


# Of an invitation that is none, or not yours, nothing is said but that it is not valid.
ANSWERS = ("/api/invitations/:invitationId/accept",)


def test_every_id_route_is_404_to_a_stranger(web, routes, ids, user):
    stranger = user()
    before = everything(web)
    checked = 0
    for row in routes:
        if not names(row["pattern"]):
            continue
        body = BODIES.get((row["method"], row["pattern"]))
        theirs = stranger.request(row["method"], concrete(row["pattern"], ids), json=body)
        nobodys = stranger.request(row["method"], concrete(row["pattern"], {}), json=body)
        assert theirs.status_code == nobodys.status_code == (403 if row["pattern"] in ANSWERS else 404), row
        # The response does not reveal whether it exists.
        assert theirs.json()["error"] == nobodys.json()["error"]
        assert "s3cret" not in theirs.text
        checked += 1
    assert checked > 15
    assert everything(web) == before


def test_another_projects_variable_is_404_in_mine(ids, user):
    """Both ids of a path must belong to the same project."""
    stranger = user()
    mine = stranger.post("/api/projects", {"name": "Mine"}).json()["id"]
    path = f"/api/projects/{mine}/environment/{ids['envId']}"
    assert stranger.get(path).status_code == 404
    assert stranger.patch(path, {"value": "x"}).status_code == 404
    assert stranger.delete(path).status_code == 404


def test_another_projects_sandbox_is_404_in_mine(web, ids, user):
    stranger = user()
    mine = stranger.post("/api/projects", {"name": "Mine"}).json()["id"]
    path = f"/api/projects/{mine}/sandboxes/{ids['sandboxId']}"
    before = everything(web)
    assert stranger.get(path).status_code == 404
    assert stranger.delete(path).status_code == 404
    for action in ("start", "stop", "restart"):
        for body in (None, {"force": True}):
            assert stranger.post(f"{path}/{action}", body).status_code == 404
    assert everything(web) == before


@pytest.mark.parametrize("headers", [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "SITE"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": None},
])
def test_every_mutation_refuses_another_site(web, routes, ids, project, headers):
    headers = {name: web.url if value == "SITE" else value for name, value in headers.items()}
    before = everything(web)
    checked = 0
    for row in routes:
        if not row["mutation"] or row["auth"] != "session":
            continue
        answer = project.client.request(row["method"], concrete(row["pattern"], ids),
                                        headers=headers)
        assert answer.status_code == 403, row
        assert answer.json()["errorCode"] == "CSRF"
        checked += 1
    assert checked > 15
    assert everything(web) == before


def test_bearer_needs_no_origin(web, user):
    client = user()
    login = {"name": client.name, "password": "correct horse battery", "bearer": True}
    answer = web.client().post("/api/auth/login", login)
    assert "Set-Cookie" not in answer.headers
    program = web.client()
    program.session.headers.pop("Origin")
    program.session.headers["Authorization"] = "Bearer " + answer.json()["token"]
    assert program.post("/api/projects", {"name": "By Program"}).status_code == 200
    assert program.post("/api/auth/logout").status_code == 200
    assert program.get("/api/projects").status_code == 401
    assert client.get("/api/projects").status_code == 200  # another session


def test_every_path_tells_its_methods(web, public_routes, ids, project):
    by_path = {}
    for row in public_routes:
        by_path.setdefault(row["pattern"], set()).add(row["method"])
    for pattern, methods in by_path.items():
        path = concrete(pattern, ids)
        wanted = methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
        answer = project.client.request("OPTIONS", path)
        assert answer.status_code == 204
        assert set(answer.headers["Allow"].split(", ")) == wanted
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - methods:
            answer = project.client.request(method, path)
            assert answer.status_code == 405, (method, pattern)
            assert set(answer.headers["Allow"].split(", ")) == wanted
        assert project.client.get(path + "/").status_code == 404


def test_every_answer_is_private(web, public_routes, ids, project):
    for row in public_routes:
        if row["mutation"]:
            continue
        answer = project.client.get(concrete(row["pattern"], ids))
        head = project.client.request("HEAD", concrete(row["pattern"], ids))
        assert (head.status_code, head.content) == (answer.status_code, b"")
        for headers in (answer.headers, head.headers):
            assert headers["Cache-Control"] == "no-store"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
            assert re.fullmatch("[0-9a-f]{32}", headers["X-Request-Id"])


def test_ids_that_are_none_are_404(routes, project):
    for row in routes:
        for bad in ("1", "nope", "..", "%00", "a" * 36, project.id + "x", "%2e%2e"):
            if names(row["pattern"]):
                path = re.sub(r":\w+", bad, row["pattern"])
                answer = project.client.request(row["method"], path)
                # The client resolves "..", which leads to other routes.
                elsewhere = answer.url.endswith(("/api/events", "/api/invitations"))
                assert elsewhere or answer.status_code in (400, 404), (row, bad)
