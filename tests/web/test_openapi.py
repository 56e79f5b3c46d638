"""Checks web/openapi.json against the programs' tables, and responses against it."""

import json
import subprocess
import uuid
from contextlib import nullcontext

import jsonschema
import pytest

from conftest import PASSWORD
from stand.site import ROOT


@pytest.fixture(scope="module")
def document():
    return json.loads((ROOT / "web" / "openapi.json").read_text())


def test_it_is_what_the_tables_say_now(build):
    done = subprocess.run([ROOT / "tools" / "make-openapi", "--check", build], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr


def test_the_site_serves_it(make_site, console, document):
    site = make_site(root=console)
    answer = site.client().get("/api/openapi.json")
    assert (answer.status_code, answer.json()) == (200, document)
    assert answer.headers["Content-Type"].startswith("application/json")


class Checker:
    """Sends requests as one user, and checks requests and responses against the document."""

    def __init__(self, document, client):
        self.document = document
        self.client = client
        self.seen = set()

    def __call__(self, method, path, body=None, status=200, query="", **parameters):
        operation = self.document["paths"][path][method]
        if body is not None:
            sent = operation["requestBody"]["content"]["application/json"]["schema"]
            with pytest.raises(jsonschema.ValidationError) if status == 400 else nullcontext():
                self.check(body, sent)
        answer = getattr(self.client, method)(path.format(**parameters) + query,
                                              *([] if body is None else [body]))
        assert answer.status_code == status, answer.text
        told = operation["responses"]["200" if status == 200 else "default"]["content"]
        media = answer.headers["Content-Type"].split(";")[0]
        assert media in told
        self.check(answer.json(), told[media]["schema"])
        self.seen.add((method, path))
        return answer.json()

    def check(self, value, schema):
        """References are resolved in the whole document."""
        whole = {**self.document, **schema} if "$ref" in schema else schema
        jsonschema.Draft202012Validator(
            {**whole, "components": self.document["components"]},
            format_checker=jsonschema.FormatChecker()).validate(value)


PROJECT = "/api/projects/{projectId}"
SANDBOX = PROJECT + "/sandboxes/{sandboxId}"
VARIABLE = PROJECT + "/environment/{envId}"
CONFIG = "/api/user/config"
PERSON = "/api/admin/users/{userId}"


def keep_in_trash(web, project):
    """As a deletion does on a site with a trash; the stand has none."""
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE projects SET deleted_at = now(), trash_until = now() + interval '1 day'"
                       " WHERE id = %s", (project,))


def members(do, user, project):
    """Everything about members, each request by who may send it."""
    guest, path = user(), f"{PROJECT}/invitations"
    as_guest = Checker(do.document, guest)
    made = do("post", path, {"role": "viewer", "name": guest.name}, **project)["id"]
    as_guest("get", "/api/invitations")
    as_guest("delete", "/api/invitations/{invitationId}", invitationId=made)
    made = do("post", path, {"role": "viewer", "name": guest.name}, **project)["id"]
    do("get", f"{PROJECT}/members", **project)
    as_guest("post", "/api/invitations/{invitationId}/accept", invitationId=made)
    as_guest("get", "/api/projects")
    as_guest("get", f"{PROJECT}/members", **project)
    do("patch", f"{PROJECT}/members/{{memberId}}", {"role": "editor"}, memberId=guest.id, **project)
    do("delete", f"{PROJECT}/members/{{memberId}}", memberId=guest.id, **project)
    link = do("post", path, {"role": "editor"}, **project)["link"]
    as_guest("post", "/api/invitations/accept", {"token": link.rsplit("/", 1)[1]})
    as_guest("delete", f"{PROJECT}/membership", **project)
    do("delete", f"{path}/{{invitationId}}", invitationId=do("post", path, {"role": "viewer"}, **project)["id"],
       **project)
    answers = {(method, path) for path, methods in do.document["paths"].items() for method in methods
               if path.startswith("/api/invitations")}
    assert as_guest.seen >= answers
    do.seen |= as_guest.seen - answers


def test_answers_are_as_written(web, document, user, make_kubeconfig):
    do = Checker(document, user())
    made = do("post", "/api/projects", {"name": "My App", "description": "d"})["id"]
    project = {"projectId": made}
    do("get", "/api/projects")
    do("get", "/api/projects", query="?limit=1")
    do("get", PROJECT, **project)
    do("patch", PROJECT, {"description": None}, **project)
    do("put", f"{PROJECT}/lifetime", {"hours": 1}, **project)
    do("put", f"{PROJECT}/idle", {"minutes": 30}, **project)
    do("post", f"{PROJECT}/keep", {"hours": 1}, **project)
    trashed = {"projectId": do("post", "/api/projects", {"name": "Trashed"})["id"]}
    keep_in_trash(web, trashed["projectId"])
    do("get", "/api/projects", query="?trash=true")
    do("post", f"{PROJECT}/restore", {"name": "Restored"}, **trashed)
    for request in ("stop", "start", "restart"):
        do("post", f"{PROJECT}/{request}", **project)
    for method in ("get", "post", "delete"):
        do(method, f"{PROJECT}/database", **project)
    do("get", f"{PROJECT}/events", **project)
    do("get", "/api/sandbox/{projectId}", **project)
    do("post", "/api/sandbox/{projectId}", {"envVars": {"A": "b"}}, **project)
    do("patch", "/api/sandbox/{projectId}", {"size": None}, **project)
    do("post", "/api/sandbox/{projectId}/tokens", {"scopes": ["exec"]}, **project)
    with web.connect() as db, db.cursor() as cursor:  # the default is too little for an agent
        cursor.execute("UPDATE sandboxes SET memory_limit = '512Mi' WHERE resource_id IN"
                       " (SELECT id FROM resources WHERE project_id = %s)", (made,))
    do("post", f"{PROJECT}/agent", {"prompt": "Do it."}, **project)
    do("post", f"{PROJECT}/environment", {"key": "A", "value": "b", "isSecret": True}, **project)
    variable = do("get", f"{PROJECT}/environment", **project)["general"][0]["id"]
    do("get", VARIABLE, envId=variable, **project)
    do("patch", VARIABLE, {"value": "c"}, envId=variable, **project)
    do("put", VARIABLE, {"value": "d"}, envId=variable, **project)
    do("delete", VARIABLE, envId=variable, **project)
    do("patch", f"{PROJECT}/environment", {"variables": [{"key": "A", "value": "b"}]}, **project)
    do("delete", "/api/sandbox/{projectId}", **project)
    sandbox = do("post", f"{PROJECT}/sandboxes", {"displayName": "Worker"}, **project)["id"]
    do("get", f"{PROJECT}/sandboxes", **project)
    do("get", SANDBOX, sandboxId=sandbox, **project)
    do("patch", SANDBOX, {"size": None}, sandboxId=sandbox, **project)
    opened = do("post", f"{SANDBOX}/ports", {"port": 5173, "access": "public"}, sandboxId=sandbox, **project)
    do("get", f"{SANDBOX}/ports", sandboxId=sandbox, **project)
    do("post", f"{SANDBOX}/ports", {"port": 5173, "access": "token"}, sandboxId=sandbox, **project)
    do("post", f"{SANDBOX}/ports/{{portId}}/links", {"expiresIn": 60}, portId=opened["items"][0]["id"],
       sandboxId=sandbox, **project)
    do("post", "/api/visits", {"host": opened["items"][0]["url"].split("//")[1].split(":")[0]})
    do("delete", f"{SANDBOX}/ports/{{portId}}", portId=opened["items"][0]["id"], sandboxId=sandbox, **project)
    members(do, user, project)
    do("get", "/api/sizes")
    do("get", "/api/images")
    do("get", "/api/templates")
    do("post", f"{SANDBOX}/tokens", {"scopes": ["exec"]}, sandboxId=sandbox, **project)
    for request in ("stop", "start", "restart"):
        do("post", f"{SANDBOX}/{request}", sandboxId=sandbox, **project)
    do("delete", SANDBOX, sandboxId=sandbox, **project)
    for method in ("post", "put"):
        do(method, CONFIG, {"configs": [{"key": "A", "value": "b"}]})
        do(method, f"{CONFIG}/anthropic", {"apiKey": "k"})
        do(method, f"{CONFIG}/system-prompt", {"systemPrompt": None})
        do(method, f"{CONFIG}/kc", {"kubeconfig": make_kubeconfig()})
    do("get", CONFIG, query="?keys=A,B")
    do("get", f"{CONFIG}/anthropic")
    do("get", f"{CONFIG}/system-prompt")
    do("get", f"{CONFIG}/kc")
    do("get", "/api/user/limits")
    do("post", f"{CONFIG}/kc/check")
    do("get", "/api/user/audit", query="?limit=3")
    do("post", f"{PROJECT}/delete", **project)
    do("delete", PROJECT, projectId=do("post", "/api/projects", {"name": "Other"})["id"])
    do("get", PROJECT, status=404, projectId=str(uuid.uuid4()))
    do("post", "/api/projects", {"name": "9"}, status=400)
    ours = {(method, path) for path, methods in document["paths"].items() for method in methods
            if path.startswith(("/api/projects", "/api/sandbox", CONFIG, "/api/user/audit",
                             "/api/user/limits", "/api/sizes", "/api/images", "/api/templates", "/api/visits"))}
    assert do.seen == ours  # all routes were requested


def test_administration_is_as_written(document, web, user, project):
    client = user()
    web.programs.fsactl("user", "role", client.name, "admin")
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE resources SET cause_kind = 'POD_IMAGE', cause_since = now()"
                       " WHERE project_id = %s", (project.id,))
    do = Checker(document, client)
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("INSERT INTO host_health (host, in_order, findings) VALUES ('h', 3, %s)", (json.dumps(
            [{"health": "FAILED", "check": "keys", "subject": "s", "message": "m", "advice": None}]),))
    for path in ("state", "health", "samples", "stuck", "users"):
        do("get", f"/api/admin/{path}")
    other = {"userId": user().id}
    do("get", f"{PERSON}/limits", **other)
    do("put", f"{PERSON}/limits", {"kind": "projects", "limit": None}, **other)
    for word in ("disable", "enable"):
        do("post", f"{PERSON}/{word}", **other)
    made = do("post", "/api/admin/invitations", {"name": "invited"})
    do("delete", f"{PERSON}/invitation", userId=made["id"])
    assert do.seen == {(method, path) for path, methods in document["paths"].items()
                       for method in methods if path.startswith("/api/admin")}


def test_logging_in_and_out_is_as_written(document, web):
    do = Checker(document, web.client())
    person = {"name": "openapi", "password": PASSWORD}
    for path in ("/healthz", "/readyz", "/api/auth/providers", "/api/auth/ready"):
        do("get", path)
    do("post", "/api/auth/register", person)
    do("post", "/api/auth/login", {**person, "bearer": True})
    do("get", "/api/auth/session")
    do("get", "/api/auth/sessions")
    identity = do("get", "/api/auth/identities")["items"][0]["id"]
    do("post", "/api/auth/identities/{identityId}/primary", identityId=identity)
    do("delete", "/api/auth/identities/{identityId}", status=409, identityId=identity)
    do("delete", "/api/auth/sessions", query="?others=true")
    token = do("post", "/api/user/tokens", {"name": "CI", "scope": "write"})["id"]
    do("get", "/api/user/tokens")
    do("delete", "/api/user/tokens/{tokenId}", tokenId=token)
    do("post", "/api/auth/logout")
    do("get", "/api/auth/session", status=401)
