"""Tests API tokens, for curl and CI, and the audit, which records what was done with them. Through nginx."""

import base64
import hmac
import itertools
import json
import re
import urllib.parse

import pytest
from conftest import PASSWORD

import tokens

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
_numbers = itertools.count(1)


@pytest.fixture
def client(user):
    return user()


def make(client, **fields):
    answer = client.post("/api/user/tokens", {"name": "CI", **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


def program(web, token):
    """Returns a program's client: no cookie, no Origin."""
    made = web.client()
    made.session.headers.pop("Origin")
    made.session.headers["Authorization"] = "Bearer " + token
    return made


def refused(answer, status, code):
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)


def sql(web, words, *values):
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute(words, values)
        return cursor.fetchall() if cursor.description else None


def test_a_token_is_shown_once_and_stored_as_its_hash(web, client):
    made = make(client, name="CI of shop", scope="write", expiresInDays=7)
    assert re.fullmatch(r"fsa_[\w-]{43}", made["token"])
    listed = client.get("/api/user/tokens").json()["items"]
    shown = {key: value for key, value in made.items() if key != "token"}
    assert listed == [shown]
    assert (shown["name"], shown["scope"], shown["lastUsedAt"], shown["expired"]) == (
        "CI of shop", "write", None, False)
    assert re.fullmatch(TIME, shown["createdAt"]) and re.fullmatch(TIME, shown["expiresAt"])
    [(days, row)] = sql(web, "SELECT extract(day FROM expires_at - created_at), t::text"
                             " FROM api_tokens t WHERE id = %s", made["id"])
    assert days == 7
    assert made["token"] not in row and made["token"][4:] not in row


def test_a_token_that_may_write_does_the_work(web, client):
    ci = program(web, make(client, scope="write")["token"])
    project = ci.post("/api/projects", {"name": "By CI"})
    assert project.status_code == 200
    assert ci.post(f"/api/projects/{project.json()['id']}/stop").status_code == 200
    assert [p["name"] for p in client.get("/api/projects").json()] == ["By CI"]


def test_a_token_that_may_read_changes_nothing(web, client, routes):
    """On every route, the request is refused before anything is looked up."""
    reader = program(web, make(client)["token"])  # "read" is the default
    assert reader.get("/api/projects").status_code == 200
    checked = 0
    for row in routes:
        if not row["mutation"] or row["auth"] != "session":
            continue
        path = re.sub(r":\w+", "00000000-0000-4000-8000-000000000000", row["pattern"])
        answer = reader.request(row["method"], path, json={"name": "x"})
        own = row["pattern"].startswith(("/api/auth/", "/api/user/tokens"))
        refused(answer, 403, "SESSION_REQUIRED" if own else "SCOPE")
        checked += 1
    assert checked > 20


def test_a_token_that_may_read_sees_no_secret(web, client):
    """Otherwise it could do what it must not: use the terminal, write to the database."""
    made = client.post("/api/projects", {"name": "Mine"}).json()["id"]
    path = f"/api/projects/{made}"
    secret = {"key": "SECRET", "value": "findme", "isSecret": True}
    assert client.post(f"{path}/environment", secret).ok
    assert client.put("/api/user/config", {"configs": [{"key": "A", "value": "findme"}]}).ok
    one = f"{path}/environment/{client.get(path).json()['environments'][0]['id']}"
    reader = program(web, make(client)["token"])
    writer = program(web, make(client, scope="write")["token"])
    for url in (path, f"/api/sandbox/{made}", f"{path}/database", one, f"{path}/environment"):
        assert "?authorization=" not in reader.get(url).text
        assert "findme" not in reader.get(url).text
    assert reader.get(one).json()["value"] is None
    assert "?authorization=" in writer.get(f"/api/sandbox/{made}").json()["ttydUrl"]
    assert writer.get(one).json()["value"] == "findme"
    for url in ("/api/user/config?keys=A", "/api/user/config/anthropic",
                "/api/user/config/system-prompt"):
        refused(reader.get(url), 403, "SCOPE")
        assert writer.get(url).status_code == 200


def test_a_token_manages_no_credentials(web, client, routes):
    """Otherwise a leaked token would outlive its deletion."""
    writer = program(web, make(client, scope="write")["token"])
    checked = 0
    for row in routes:
        if row["auth"] != "session" or not row["pattern"].startswith(("/api/auth/",
                                                                      "/api/user/tokens")):
            continue
        path = re.sub(r":\w+", "00000000-0000-4000-8000-000000000000", row["pattern"])
        refused(writer.request(row["method"], path, json={"name": "x"}), 403, "SESSION_REQUIRED")
        checked += 1
    assert checked >= 8
    assert len(client.get("/api/user/tokens").json()["items"]) == 1


def test_a_token_ends(web, client):
    for end in (
        lambda made: client.delete(f"/api/user/tokens/{made['id']}"),
        lambda made: sql(web, "UPDATE api_tokens SET expires_at = now() WHERE id = %s",
                         made["id"]),
        lambda made: sql(web, "UPDATE users SET disabled_at = now() WHERE id = %s", client.id),
    ):
        made = make(client)
        ci = program(web, made["token"])
        assert ci.get("/api/projects").status_code == 200
        end(made)
        refused(ci.get("/api/projects"), 401, "UNAUTHENTICATED")


def test_a_token_survives_the_session_and_not_its_identity(web, client):
    ci = program(web, make(client)["token"])
    assert client.post("/api/auth/logout").status_code == 200
    assert ci.get("/api/projects").status_code == 200
    sql(web, "DELETE FROM identities WHERE user_id = %s", client.id)
    assert ci.get("/api/projects").status_code == 401


def test_an_expired_token_is_listed_as_such_and_removed_after_a_month(web, client):
    old, older = make(client), make(client)
    sql(web, "UPDATE api_tokens SET expires_at = now() - interval '1 day' WHERE id = %s",
        old["id"])
    sql(web, "UPDATE api_tokens SET expires_at = now() - interval '31 days' WHERE id = %s",
        older["id"])
    new = make(client)
    listed = client.get("/api/user/tokens").json()["items"]
    assert [(t["id"], t["expired"]) for t in listed] == [(new["id"], False), (old["id"], True)]


def test_the_last_use_is_shown(web, client):
    made = make(client)
    program(web, made["token"]).get("/api/projects")
    [listed] = client.get("/api/user/tokens").json()["items"]
    assert re.fullmatch(TIME, listed["lastUsedAt"])


def test_a_token_is_no_session_and_a_session_no_token(web, client):
    token = make(client, scope="write")["token"]
    session = client.session.cookies["fsa"]
    for headers in ({"Cookie": "fsa=" + token}, {"Cookie": "fsa=" + token[4:]},
                    {"Authorization": "Bearer " + token[4:]},
                    {"Authorization": "Bearer fsa_" + session},
                    {"Authorization": "Bearer " + token.upper()},
                    {"Authorization": "Basic " + token}):
        assert web.client().get("/api/projects", headers=headers).status_code == 401, headers


def test_a_bad_token_is_not_made_up_for_by_a_cookie(web, client):
    answer = client.get("/api/projects", headers={"Authorization": "Bearer fsa_" + "A" * 43})
    assert answer.status_code == 401


def test_a_page_cannot_use_a_token(web, client):
    """Browsers never send it by themselves, and no preflight lets a page send it."""
    answer = web.client().request("OPTIONS", "/api/projects", headers={
        "Origin": "https://evil.example", "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization"})
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_another_users_token_is_404(web, client, user):
    made = make(client)
    stranger = user()
    refused(stranger.delete(f"/api/user/tokens/{made['id']}"), 404, "TOKEN_NOT_FOUND")
    assert stranger.get("/api/user/tokens").json()["items"] == []
    assert program(web, made["token"]).get("/api/projects").status_code == 200


@pytest.mark.parametrize("fields, code", [
    ({}, "MISSING_FIELD"),
    ({"name": ""}, "INVALID_FIELD"),
    ({"name": "x" * 65}, "INVALID_FIELD"),
    ({"name": "x", "scope": "admin"}, "INVALID_SCOPE"),
    ({"name": "x", "scope": None}, "WRONG_TYPE"),
    ({"name": "x", "expiresInDays": 0}, "INVALID_FIELD"),
    ({"name": "x", "expiresInDays": 367}, "INVALID_FIELD"),
    ({"name": "x", "expiresInDays": 1e9}, "INVALID_FIELD"),
    ({"name": "x", "expiresInDays": 1.5}, "WRONG_TYPE"),
    ({"name": "x", "expiresInDays": "7"}, "WRONG_TYPE"),
    ({"name": "x", "token": "fsa_mine"}, "UNKNOWN_FIELD"),
])
def test_a_token_with_a_wrong_field_is_refused(client, fields, code):
    refused(client.post("/api/user/tokens", fields), 400, code)
    assert client.get("/api/user/tokens").json()["items"] == []


def test_there_is_a_limit(web, client):
    make(client)
    sql(web, "INSERT INTO api_tokens (token_hash, user_id, identity_id, name, can_write,"
             " expires_at) SELECT sha256(i::text::bytea || t.token_hash), user_id, identity_id,"
             " name, false, expires_at FROM api_tokens t, generate_series(1, 99) i"
             " WHERE user_id = %s", client.id)
    refused(client.post("/api/user/tokens", {"name": "one more"}), 409, "TOO_MANY_TOKENS")


def test_no_answer_with_a_token_is_remembered(web, client):
    """With an Idempotency-Key, the token would be stored."""
    made = [client.post("/api/user/tokens", {"name": "x"}, headers={"Idempotency-Key": "k"})
            for _ in range(2)]
    assert made[0].json()["token"] != made[1].json()["token"]
    [(kept,)] = sql(web, "SELECT count(*) FROM idempotency WHERE key = 'k' AND user_id = %s",
                    client.id)
    assert kept == 0


# ---- the audit ------------------------------------------------------------------------------------


def lines(client, **query):
    answer = client.get("/api/user/audit", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_audit_has_user_action_time_address_and_credential(web, client):
    made = make(client, scope="write")
    ci = program(web, made["token"])
    answer = ci.post("/api/projects", {"name": "By CI"})
    line = lines(client, limit=1)["items"][0]
    assert re.fullmatch(TIME, line.pop("at"))
    assert isinstance(line.pop("id"), int)
    assert line == {
        "action": "project.create", "objectType": "project", "objectId": answer.json()["id"],
        "address": "127.0.0.1", "requestId": answer.headers["X-Request-Id"],
        "provider": "PASSWORD", "identityId": line["identityId"], "by": None,
        "detail": {"apiToken": made["id"]},
    }
    actions = [item["action"] for item in lines(client)["items"]]
    assert actions == ["project.create", "token.create", "kubeconfig.put", "session.create"]


def test_the_audit_tells_of_attempts_to_log_in(web, client):
    assert web.client().login(client.name, "incorrect horse battery").status_code == 401
    line = lines(client, limit=1)["items"][0]
    assert (line["action"], line["address"]) == ("login.refused", "127.0.0.1")
    assert "incorrect" not in str(line)


def test_the_audit_is_ones_own(client, user):
    other = user()
    make(other, name="theirs")
    assert "token.create" not in [item["action"] for item in lines(client)["items"]]


def test_the_audit_comes_in_pages(client):
    for _ in range(5):
        make(client)
    everything = lines(client)["items"]
    cursor, found = None, []
    while True:
        page = lines(client, limit=3, **({"cursor": cursor} if cursor else {}))
        found += page["items"]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert found == everything
    for bad in ("0", "-1", "x", "9" * 20):
        assert client.get("/api/user/audit", params={"cursor": bad}).status_code == 400


def test_no_program_can_change_the_audit(web, client):
    for role in ("fsa_api", "fsa_auth"):
        [(rights,)] = sql(web, "SELECT array_agg(p) FROM unnest(ARRAY['UPDATE', 'DELETE',"
                               " 'TRUNCATE']) p WHERE has_table_privilege(%s, 'audit', p)", role)
        assert rights is None


# ---- access ends at once -------------------------------------------------------------------------


def terminal_of(client, project):
    return client.get(f"/api/sandbox/{project['id']}").json()["ttydUrl"]


def sandboxes(web, client):
    """Returns desired, status and generation of a user's sandboxes."""
    return sql(web, "SELECT desired, status, r.generation FROM resources r JOIN sandboxes s ON"
                    " s.resource_id = r.id WHERE user_id = %s ORDER BY r.created_at", client.id)


@pytest.fixture
def running(web, client):
    """A project that is running, according to its row."""
    project = client.post("/api/projects", {"name": "Runs", "database": False}).json()
    sql(web, "UPDATE resources SET status = 'RUNNING' WHERE project_id = %s", project["id"])
    sql(web, "UPDATE projects SET status = 'RUNNING' WHERE id = %s", project["id"])
    return project


@pytest.mark.parametrize("end", [
    lambda client, token, other: client.delete(f"/api/user/tokens/{token['id']}"),
    lambda client, token, other: client.delete("/api/auth/sessions?others=true"),
    lambda client, token, other: client.delete(f"/api/auth/sessions/{other}"),
    lambda client, token, other: client.put("/api/auth/password", {
        "password": PASSWORD, "newPassword": "another long battery staple"}),
], ids=["token withdrawn", "all ended", "session ended", "password changed"])
def test_the_terminals_token_ends_with_the_access_that_could_read_it(web, client, running, end):
    token = make(client, scope="write")
    seen = terminal_of(program(web, token["token"]), running)
    login = web.client()
    login.login(client.name, PASSWORD)
    other = next(s["id"] for s in client.get("/api/auth/sessions").json()["items"]
                 if not s["current"])
    answer = end(client, token, other)
    assert (answer.status_code, answer.json()["terminals"]) == (200, 1), answer.text
    assert terminal_of(client, running) != seen
    # The pod is replaced, because its environment has changed; the owner sees this.
    assert sandboxes(web, client) == [("RUNNING", "UPDATING", 2)]
    assert client.get(f"/api/projects/{running['id']}").json()["status"] == "UPDATING"


def test_every_start_gives_the_terminal_another_token(web, client, running):
    seen = [terminal_of(client, running)]
    for action in ("restart", "stop", "start", "restart"):
        assert client.post(f"/api/projects/{running['id']}/{action}").status_code == 200
        if action != "stop":
            seen.append(terminal_of(client, running))
    assert len(set(seen)) == len(seen) == 4
    # A second start joins the first: nothing restarts for it.
    assert client.post(f"/api/projects/{running['id']}/start").status_code == 200
    assert terminal_of(client, running) == seen[-1]


def test_a_token_that_could_not_see_a_terminal_ends_without_a_restart(web, client, running):
    reader, unused = make(client, scope="read"), make(client, scope="write")
    assert program(web, reader["token"]).get("/api/projects").status_code == 200
    for token in (reader, unused):
        assert client.delete(f"/api/user/tokens/{token['id']}").json()["terminals"] == 0
    assert sandboxes(web, client) == [("RUNNING", "RUNNING", 1)]


def test_one_action_ends_sessions_tokens_and_terminals(web, client, running):
    ci = program(web, make(client, scope="write")["token"])
    assert ci.get("/api/projects").status_code == 200
    answer = client.delete("/api/auth/sessions").json()
    assert answer == {"success": True, "count": 1, "tokens": 1, "terminals": 1}
    assert ci.get("/api/projects").status_code == 401
    assert client.get("/api/projects").status_code == 401


def test_a_changed_password_ends_the_api_tokens(web, client):
    ci = program(web, make(client, scope="write")["token"])
    answer = client.put("/api/auth/password", {
        "password": PASSWORD, "newPassword": "another long battery staple"})
    assert answer.json()["tokens"] == 1
    assert ci.get("/api/projects").status_code == 401


def test_no_other_users_terminal_restarts(web, client, user, running):
    other = user()
    assert other.delete("/api/auth/sessions?others=true").json()["terminals"] == 0
    assert sandboxes(web, client) == [("RUNNING", "RUNNING", 1)]


def test_making_a_token_needs_a_recent_login_or_the_password(web, client):
    sql(web, "UPDATE sessions SET created_at = now() - interval '11 minutes'")
    refused(client.post("/api/user/tokens", {"name": "CI"}), 403, "LOGIN_NOT_RECENT")
    refused(client.post("/api/user/tokens", {"name": "CI", "password": "a wrong guess"}),
            403, "WRONG_PASSWORD")
    assert client.get("/api/user/tokens").json()["items"] == []
    assert make(client, password=PASSWORD)["name"] == "CI"
    again = web.client()
    again.login(client.name, PASSWORD)
    assert make(again)["name"] == "CI"


def test_the_password_for_a_token_cannot_be_guessed_at_leisure(web, client):
    guesses = [client.post("/api/user/tokens", {"name": "CI", "password": f"guess {n}"})
               for n in range(12)]
    assert guesses[-1].status_code == 429 and int(guesses[-1].headers["Retry-After"]) > 0


# ---- tokens for sandboxd -------------------------------------------------------------------------


def sandboxd_token(client, project, **body):
    answer = client.post(f"/api/sandbox/{project['id']}/tokens", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def claims_of(token, terminal_url):
    """The claims of a token, checked as sandboxd does: by a key that follows from the terminal's
    secret. None if it is another one."""
    given = urllib.parse.unquote(terminal_url.partition("?authorization=")[2])
    secret = base64.b64decode(given).decode().partition(":")[2]
    key = hmac.digest(secret.encode(), b"fullstack-agent sandboxd v1", "sha256")
    signed, _, signature = token.rpartition(".")
    if signature != tokens.encode(hmac.digest(key, signed.encode(), "sha256")):
        return None
    return json.loads(base64.urlsafe_b64decode(signed.partition(".")[2] + "=="))


def test_a_token_for_sandboxd_has_scopes_and_an_expiry(web, client, running):
    made = sandboxd_token(client, running, scopes=["exec", "files:read"], expiresIn=600)
    url = terminal_of(client, running)
    claims = claims_of(made["token"], url)
    assert (claims["scope"], claims["aud"], claims["sub"]) == (
        "exec files:read", "sandboxd", client.id)
    assert claims["exp"] - claims["iat"] == 600 and claims["iss"] == web.url
    assert made["url"] == url.partition("?")[0] and made["scopes"] == ["exec", "files:read"]
    assert re.fullmatch(TIME, made["expiresAt"])
    [line] = [line for line in lines(client)["items"] if line["action"] == "sandbox.token"]
    assert made["token"] not in str(line)
    assert line["detail"] == {"scopes": ["exec", "files:read"], "expiresIn": 600}
    assert line["objectId"] == client.get(f"/api/sandbox/{running['id']}").json()["id"]


@pytest.mark.parametrize("body, code", [
    ({}, "MISSING_FIELD"),
    ({"scopes": []}, "INVALID_FIELD"),
    ({"scopes": ["root"]}, "INVALID_SCOPE"),
    ({"scopes": "exec"}, "WRONG_TYPE"),
    ({"scopes": [1]}, "WRONG_TYPE"),
    ({"scopes": ["exec"], "expiresIn": 3601}, "INVALID_FIELD"),
])
def test_a_token_for_sandboxd_has_known_scopes_and_an_hour_at_most(client, running, body, code):
    refused(client.post(f"/api/sandbox/{running['id']}/tokens", body), 400, code)


def test_a_token_that_may_only_read_makes_none_for_sandboxd(web, client, running):
    reader = program(web, make(client, scope="read")["token"])
    answer = reader.post(f"/api/sandbox/{running['id']}/tokens", {"scopes": ["files:read"]})
    assert answer.status_code == 403


def test_withdrawn_access_gives_sandboxd_another_key(client, running):
    before = sandboxd_token(client, running, scopes=["exec"])["token"]
    assert claims_of(before, terminal_of(client, running)) is not None
    assert client.delete("/api/auth/sessions?others=true").status_code == 200
    assert claims_of(before, terminal_of(client, running)) is None
