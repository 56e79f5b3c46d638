"""Tests attacks: requests that two parsers could read differently, forged headers, malicious text, and everything at
once."""

import json
import random
import socket
import threading

import pytest
import requests

PASSWORD = "correct horse battery"
HEAD = b"Host: x\r\nConnection: close\r\n"


def raw(site, request):
    """Sends nginx what no client library would; returns everything it answers."""
    with socket.create_connection(("127.0.0.1", site.nginx.port), 10) as connection:
        connection.sendall(request)
        return connection.makefile("rb").read()


def status(answer):
    return int(answer.split(b" ", 2)[1])


@pytest.fixture
def cookie(project):
    return b"Cookie: fsa=" + project.client.session.cookies["fsa"].encode() + b"\r\n"


# ---- requests -------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers, body", [
    (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"),
    (b"Content-Length: 5\r\nContent-Length: 6\r\n", b"abcdef"),
    (b"Content-Length: 5, 5\r\n", b"abcde"),
    (b"Content-Length: +5\r\n", b"abcde"),
    (b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
    (b"Transfer-Encoding: identity, chunked\r\n", b"0\r\n\r\n"),
    (b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n"),
    (b"X: y\r\n Transfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    (b"Transfer-Encoding: chunked\r\n", b"5\rabcde\r\n0\r\n\r\n"),
    (b"Transfer-Encoding: chunked\r\n", b"ffffffffffffffff1\r\nabc"),
])
def test_a_body_of_two_lengths_is_refused(web, headers, body):
    answer = raw(web, b"POST /api/auth/login HTTP/1.1\r\n" + HEAD + headers + b"\r\n" + body)
    assert status(answer) in (400, 501), answer
    assert answer.count(b"HTTP/1.1 ") == 1  # it contained no second request
    assert b"application/json" in answer


@pytest.mark.parametrize("line", [
    b"GET /api/auth/../projects HTTP/1.1", b"GET /api/projects;x=y HTTP/1.1",
    b"GET /api/projects%2f HTTP/1.1", b"GET //api/projects HTTP/1.1",
    b"GET /api/projects/. HTTP/1.1", b"GET /api/%2561uth/session HTTP/1.1",
    b"GET /api/projects#x HTTP/1.1", b"GET /api/projects\\ HTTP/1.1",
    b"GET /API/projects HTTP/1.1", b"GET /api/projects%20 HTTP/1.1",
    b"GET \xef\xbc\x8fapi/projects HTTP/1.1", b"GET /api/\xef\xbd\x90rojects HTTP/1.1",
])
def test_a_path_has_one_spelling(web, cookie, line):
    """nginx chooses between the programs by the same path that they read."""
    answer = raw(web, line + b"\r\n" + HEAD + cookie + b"\r\n")
    assert status(answer) in (400, 404), answer


def test_an_escaped_path_is_the_same_path_to_both(web, cookie):
    for path in (b"/api/%61uth/session", b"/api/auth/sess%69on", b"/%61pi/projects"):
        assert status(raw(web, b"GET " + path + b" HTTP/1.1\r\n" + HEAD + cookie + b"\r\n")) == 200


@pytest.mark.parametrize("name", ["X-Request-Id", "X_Request_Id", "x-request-id"])
def test_a_request_id_is_always_the_servers(web, name):
    answer = web.client().get("/api/auth/session", headers={name: "a" * 32})
    assert answer.headers["X-Request-Id"] != "a" * 32
    assert answer.json()["requestId"] == answer.headers["X-Request-Id"]
    assert "a" * 32 not in web.programs.log("auth.fcgi").read_text()


@pytest.mark.parametrize("headers", [
    {"X-HTTP-Method-Override": "DELETE"}, {"X-Method-Override": "DELETE"},
    {"X-Original-URL": "/api/user/config/kc"}, {"X-Rewrite-URL": "/api/user/config/kc"},
    {"Remote-Addr": "1.2.3.4"}, {"REMOTE_ADDR": "1.2.3.4"}, {"Request-Uri": "/api/user/config/kc"},
    {"Script-Name": "/x"}, {"Content-Length-": "5"}, {"Query-String": "limit=0"},
    {"Proxy": "http://evil.example"}, {"Forwarded": "for=1.2.3.4"},
])
def test_a_header_is_no_variable_of_the_server(project, headers):
    plain = project.client.get("/api/projects").json()
    assert project.client.get("/api/projects", headers=headers).json() == plain
    assert project.client.get(f"/api/projects/{project.id}").json()["status"] != "TERMINATING"


def test_a_clients_claim_of_its_address_is_ignored(web, project):
    project.client.post(f"/api/projects/{project.id}/stop",
                        headers={"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9"})
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT DISTINCT host(address) FROM audit WHERE user_id = %s",
                       (project.client.id,))
        assert cursor.fetchall() == [("127.0.0.1",)]


def test_a_host_header_is_in_no_answer(web):
    for path in ("/api/auth/providers", "/api/auth/github/login", "/healthz", "/nothing"):
        answer = web.client().get(path, headers={"Host": "evil.example"}, allow_redirects=False)
        assert "evil.example" not in answer.text + str(answer.headers)


# ---- text -----------------------------------------------------------------------------------------

ODD = ["", " ", "\u0001", "\u001b[2J", "\u0085", "\u00a0", "\u2028", "\ufeff", "\uffff", "\ud7ff",
       "\U0010ffff", "é" * 70, "ıİßﬀK", "\u202eabc", "a\u0301" * 40, "'", '"', "\\", "%s%n%p",
       "../../etc", "${jndi:x}", "{{7*7}}", "<script>alert(1)</script>", "a" * 5000, "1e999",
       "null", "-- ", "\r\nSet-Cookie: fsa=x", "\u0000"]

FIELDS = [
    ("POST", "/api/projects", {"name": "X"}, ["name", "description"]),
    ("PATCH", "/api/projects/{id}", {}, ["name", "description"]),
    ("POST", "/api/projects/{id}/environment", {"key": "A", "value": "b"},
     ["key", "value", "category"]),
    ("PUT", "/api/user/config/kc", {}, ["kubeconfig"]),
    ("POST", "/api/clusters", {"name": "a", "kubeconfig": "b"}, ["name", "region", "kubeconfig"]),
    ("POST", "/api/auth/register", {"name": "a", "password": "b"}, ["name", "password"]),
    ("POST", "/api/auth/login", {"name": "a", "password": "b"}, ["name", "password"]),
]


def taken_or_refused(answer, text):
    """Checks that text was stored or refused, without a server error, words of the database, or anything in a
    header."""
    assert answer.status_code < 500, (text, answer.text)
    assert "PostgreSQL" not in answer.text and "_check" not in answer.text, (text, answer.text)
    assert "\u001b" not in answer.text and answer.cookies.get("fsa") != "x"
    assert answer.headers["Content-Type"].startswith("application/")


@pytest.mark.parametrize("method, path, body, fields", FIELDS, ids=[row[1] for row in FIELDS])
def test_odd_text_in_every_field(web, project, method, path, body, fields):
    for field in fields:
        for text in ODD:
            with web.connect() as db, db.cursor() as cursor:  # so that each attempt is examined, and none delayed
                cursor.execute("TRUNCATE login_throttle")
            answer = project.client.request(method, path.format(id=project.id),
                                            {**body, field: text})
            assert answer.status_code != 429, (field, text)
            taken_or_refused(answer, (field, text))


def test_odd_text_in_names_queries_and_headers(project):
    client, path = project.client, f"/api/sandbox/{project.id}"
    for text in ODD:
        taken_or_refused(client.post(path, {"envVars": {text: "x"}}), text)
        taken_or_refused(client.post(path, {text: "x"}), text)
        taken_or_refused(client.put("/api/user/config",
                                    {"configs": [{"key": "A", "value": text}]}), text)
        quoted = requests.utils.quote(text, safe="")
        for query in ("keyword=", "createdFrom=", "cursor=", ""):
            taken_or_refused(client.get(f"/api/projects?{query}{quoted}"), text)
        taken_or_refused(client.get(f"/api/projects/{quoted}"), text)
        if text.strip() and not set(text) & set("\r\n\0"):
            for header in ("Idempotency-Key", "User-Agent", "Authorization"):
                taken_or_refused(client.post(f"/api/projects/{project.id}/start",
                                             headers={header: text.encode()}), (header, text))


def test_a_kubeconfig_with_a_long_url_is_refused(user, make_kubeconfig):
    client = user(kubeconfig=False)
    for server in ("https://1.1.1.1:6443/" + "x" * 480, "https://1.1.1.1/" + "x" * 600):
        answer = client.put("/api/user/config/kc",
                            {"kubeconfig": make_kubeconfig(cluster={"server": server})})
        assert (answer.status_code, answer.json()["errorCode"]) == (400, "KUBECONFIG_SERVER")
        taken_or_refused(answer, server)


# ---- other people's keys --------------------------------------------------------------------------


def test_a_kept_answer_is_its_owners_alone(web, user, project):
    """Neither the key nor the kept response is of use to anybody else, even if it is moved in the database."""
    key, body = {"Idempotency-Key": "mine"}, {"name": "Kept"}
    mine = project.client.post("/api/projects", body, headers=key)
    assert mine.ok
    stranger = user()
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE idempotency SET user_id = %s WHERE user_id = %s AND key = 'mine'",
                       (stranger.id, project.client.id))
        assert cursor.rowcount == 1
        db.commit()
    answer = stranger.post("/api/projects", body, headers=key)
    assert answer.status_code == 409 and mine.json()["id"] not in answer.text


def test_a_key_does_not_replay_what_was_answered_about_somebody_elses_project(user, project):
    path, key = f"/api/sandbox/{project.id}", {"Idempotency-Key": "mine"}
    assert project.client.post(path, headers=key).ok
    answer = user().post(path, headers=key)
    assert answer.status_code == 404 and "Idempotent-Replayed" not in answer.headers


# ---- everything at once ---------------------------------------------------------------------------


def test_start_stop_and_delete_at_the_same_moment(web, user):
    """The result is one of the requested states, and a deleted project stays deleted."""
    client = user()
    chance = random.Random(7)
    for number in range(4):
        made = client.post("/api/projects", {"name": f"Race {number}"}).json()
        project, answers = made["id"], []
        changes = [("POST", f"/api/projects/{project}/start"),
                  ("POST", f"/api/projects/{project}/stop"),
                  ("POST", f"/api/projects/{project}/restart"),
                  ("POST", f"/api/sandbox/{project}"),
                  ("DELETE", f"/api/sandbox/{project}"),
                  ("POST", f"/api/projects/{project}/environment"),
                  ("DELETE", f"/api/projects/{project}")]

        def ask(plan):
            session = requests.Session()
            session.cookies.update(client.session.cookies)
            for method, path in plan:
                body = {"key": "A", "value": "b"} if path.endswith("environment") else {}
                answers.append(session.request(method, client.url + path, json=body, timeout=30,
                                               headers={"Origin": client.url}))

        plans = [chance.choices(changes[:-1], k=12) for _ in range(7)] + [changes[-1:]]
        threads = [threading.Thread(target=ask, args=(plan,)) for plan in plans]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(answers) == 7 * 12 + 1
        assert {answer.status_code for answer in answers} <= {200, 404, 409}, [
            answer.text for answer in answers if answer.status_code not in (200, 404, 409)]
        assert client.post(f"/api/projects/{project}/start").status_code == 404
        assert client.post(f"/api/sandbox/{project}").status_code == 404
        with web.connect() as db, db.cursor() as cursor:
            cursor.execute("SELECT DISTINCT desired::text FROM resources WHERE project_id = %s",
                           (project,))
            assert cursor.fetchall() in ([("GONE",)], [])
            cursor.execute("SELECT status::text FROM projects WHERE id = %s", (project,))
            assert cursor.fetchall() in ([("TERMINATING",)], [])


def test_one_name_for_many_at_the_same_moment(web):
    answers = []

    def register(number):
        name = "Racer" if number % 2 else "rACER"
        answers.append(web.client().register(name, PASSWORD).status_code)

    threads = [threading.Thread(target=register, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(200) == 1 and set(answers) <= {200, 409, 429}


def test_nothing_of_all_this_was_our_fault(web):
    for name in ("api.fcgi", "auth.fcgi"):
        log = web.programs.log(name).read_text()
        assert "worker ended" not in log and "request failed" not in log
        assert "only a database constraint rejected this input" not in log


def test_errors_in_production_have_no_words_of_ours(make_site):
    """Neither a stack trace nor the database's location."""
    site = make_site(options={"mode": "production"})
    site.programs.stop("api.fcgi")
    site.programs.configure(database="host=/nowhere/secret-place dbname=hidden")
    site.programs.start("api.fcgi")
    client = site.client()
    client.session.cookies.set("fsa", "A" * 43)
    for path in ("/api/projects", "/readyz", "/api/user/config/kc"):
        answer = client.get(path)
        assert answer.status_code == 503
        for word in ("nowhere", "hidden", "PostgreSQL", "socket", "libpq"):
            assert word not in answer.text
    assert "secret-place" in site.programs.log("api.fcgi").read_text()
    assert json.loads(answer.text)["requestId"]
