"""Tests bad input, through nginx and directly: a clear 4xx, no changes, no dead process."""

import json
import socket

import fastcgi
import pytest

PATH = "/api/projects"


@pytest.fixture
def client(user):
    return user()


@pytest.fixture(autouse=True)
def nothing_changed(web, client):
    """Checks for every test of this file that no project was made, no worker has died, and nothing was a 500."""
    yield
    assert client.get(PATH).json() == []
    for name in ("api.fcgi", "auth.fcgi"):
        log = web.programs.log(name).read_text()
        assert "worker ended" not in log and "request failed" not in log


def post(client, body, **headers):
    headers = {"Content-Type": "application/json", **headers}
    return client.session.post(client.url + PATH, data=body, headers=headers, timeout=30)


def refused(answer, status, code):
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"].startswith("application/json")
    problem = answer.json()
    assert problem["errorCode"] == code
    assert problem["status"] == status
    assert problem["error"]
    assert problem["requestId"] == answer.headers["X-Request-Id"]
    return problem["error"]


@pytest.mark.parametrize("body", [
    b"{", b"{}}", b"[]", b"null", b'"name"', b"name=x", b"{'name': 'x'}",
    b'{"name": "x",}', b'{"name": "x"} {"name": "y"}', b'{"name": "x"',
    b'{"name": "My App", "name": "Other"}',
    b'{"name": "a\\u0000b"}', b'{"name": "a\0b"}',
    b'{"name": "\xff"}', b'{"name": "\xc0\xaf"}', b'{"name": "\xed\xa0\x80"}',
    b'{"name": "\\ud800"}', b'{"name": 1e999}', b'\xef\xbb\xbf{"name": "x"}',
    b'{"a":' * 17 + b"1" + b"}" * 17, b'{"name": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    b"[" * 16000,
])
def test_not_json(client, body):
    refused(post(client, body), 400, "INVALID_JSON")


@pytest.mark.parametrize("body, code, says", [
    ({}, "MISSING_FIELD", "name"),
    ({"name": None}, "WRONG_TYPE", "name"),
    ({"name": 7}, "WRONG_TYPE", "name"),
    ({"name": ["x"]}, "WRONG_TYPE", "name"),
    ({"name": {"x": 1}}, "WRONG_TYPE", "name"),
    ({"name": "x", "database": "yes"}, "WRONG_TYPE", "database"),
    ({"name": "x", "description": 1}, "WRONG_TYPE", "description"),
    ({"name": "x", "description": "d" * 2001}, "INVALID_FIELD", "description"),
    ({"name": "x", "status": "RUNNING"}, "UNKNOWN_FIELD", "status"),
    ({"name": "x", "k8sNamespace": "kube-system"}, "UNKNOWN_FIELD", "k8sNamespace"),
    ({"name": "x", "userId": "1"}, "UNKNOWN_FIELD", "userId"),
    ({"name": "x", "é" * 400: 1}, "UNKNOWN_FIELD", "é"),
    ({"name": "x" * 65}, "INVALID_FIELD", "name"),
    ({"name": ""}, "INVALID_PROJECT_NAME", "name"),
    ({"name": "9bad"}, "INVALID_PROJECT_NAME", "start with a letter"),
    ({"name": "a/b"}, "INVALID_PROJECT_NAME", "name"),
    ({"name": "a\nb"}, "INVALID_PROJECT_NAME", "name"),
    ({"name": "a'; DROP TABLE projects; --"}, "INVALID_PROJECT_NAME", "name"),
    ({"name": "ünï"}, "INVALID_PROJECT_NAME", "name"),
    ({"name": "trailing "}, "INVALID_PROJECT_NAME", "name"),
])
def test_invalid_fields(client, body, code, says):
    assert says in refused(post(client, json.dumps(body)), 400, code)


def test_an_oversized_body_is_413_wherever_it_is_noticed(client):
    refused(post(client, json.dumps({"name": "x" * 20_000})), 413, "TOO_LARGE")
    refused(post(client, b"x" * 3_000_000), 413, "TOO_LARGE")  # by nginx


@pytest.mark.parametrize("content_type", [
    "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "",
    "application/json; charset=utf-16",
])
def test_another_content_type_is_415(client, content_type):
    answer = post(client, b'{"name": "My App"}', **{"Content-Type": content_type})
    refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_chunked_body_is_read_like_any_other(client):
    answer = post(client, iter([b'{"na', b'me": "', b'9bad"}']))
    refused(answer, 400, "INVALID_PROJECT_NAME")


@pytest.mark.parametrize("query, code", [
    ("nonsense=1", "UNKNOWN_FIELD"),
    ("limit=0", "INVALID_FIELD"),
    ("limit=101", "INVALID_FIELD"),
    ("limit=-1", "WRONG_TYPE"),
    ("limit=1x", "WRONG_TYPE"),
    ("limit=99999999999999999999", "WRONG_TYPE"),
    ("limit=1&limit=2", "DUPLICATE_FIELD"),
    ("all=maybe", "WRONG_TYPE"),
    ("createdFrom=yesterday", "INVALID_FIELD"),
    ("createdFrom=2026-02-31", "INVALID_FIELD"),
    ("createdTo=2026-01-01T25:00:00Z", "INVALID_FIELD"),
    ("createdTo=2026-01-01T00:00:00", "INVALID_FIELD"),
    ("cursor=nonsense&limit=1", "INVALID_CURSOR"),
    ("cursor=%27%20OR%201=1&limit=1", "INVALID_CURSOR"),
    ("keyword=%00", "INVALID_URL"),
    ("keyword=%ff", "INVALID_URL"),
    ("keyword=" + "a" * 101, "INVALID_FIELD"),
    ("&".join(f"a{n}=1" for n in range(40)), "INVALID_URL"),
])
def test_bad_queries(client, query, code):
    refused(client.get(f"{PATH}?{query}"), 400, code)


def raw(site, request):
    """Sends nginx what a browser would not."""
    with socket.create_connection(("127.0.0.1", site.nginx.port), 15) as connection:
        connection.sendall(request)
        return connection.makefile("rb").read()


def test_ten_thousand_headers(web, client):
    lines = b"".join(b"X-%d: x\r\n" % n for n in range(10_000))
    answer = raw(web, b"GET /api/projects HTTP/1.1\r\nHost: x\r\n" + lines + b"\r\n")
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 431"))
    pairs = fastcgi.variables("GET", PATH) + [(f"HTTP_X_{n}", "x") for n in range(10_000)]
    answer = fastcgi.request(web.programs.socket("api.fcgi"), "", "", pairs=pairs)
    assert (answer.status, answer.json()["errorCode"]) == (413, "HEADERS_TOO_LARGE")


def test_requests_that_end_early(web, client):
    raw_head = (b"POST /api/projects HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b"Content-Length: 100\r\n\r\n{")
    with socket.create_connection(("127.0.0.1", web.nginx.port), 15) as connection:
        connection.sendall(raw_head)
    assert client.get("/healthz").status_code == 200


def test_requests_that_nginx_would_not_send(web, client):
    path = web.programs.socket("api.fcgi")
    cookie = {"Cookie": f"fsa={client.session.cookies['fsa']}", "Origin": web.url}
    for url, status in [("/api/projects%00", 400), ("/api%2Fprojects", 400), ("api/projects", 400),
                        ("/" + "a" * 2000, 400), ("/api/./projects", 404), ("//api/projects", 404),
                        ("/api/projects?a=%zz", 400)]:
        assert fastcgi.request(path, "GET", url, headers=cookie).status == status, url
    assert fastcgi.request(path, "GET", PATH, headers=cookie).status == 200
    for length in ("-1", "1e3", "9" * 30, "0x10"):
        pairs = [(n, length if n == "CONTENT_LENGTH" else v)
                 for n, v in fastcgi.variables("POST", PATH, b"{}", cookie)]
        assert fastcgi.request(path, "", "", b"{}", pairs=pairs).status in (400, 413)
    truncated = [(n, "4000" if n == "CONTENT_LENGTH" else v)
                 for n, v in fastcgi.variables("POST", PATH, b'{"name": "My App"}', cookie)]
    answer = fastcgi.request(path, "", "", b'{"name": "My App"}', pairs=truncated)
    assert (answer.status, answer.json()["errorCode"]) == (400, "TRUNCATED_BODY")


def kubeconfigs(make):
    user = {"exec": {"command": "/bin/sh", "apiVersion": "client.authentication.k8s.io/v1"}}
    return {
        "exec": make(user=user),
        "auth-provider": make(user={"auth-provider": {"name": "gcp"}}),
        "token-file": make(user={"tokenFile": "/etc/passwd"}),
        "key-file": make(user={"client-certificate": "/a", "client-key": "/b"}),
        "ca-file": make(cluster={"certificate-authority": "/etc/passwd"}),
        "proxy-url": make(cluster={"proxy-url": "http://127.0.0.1:1"}),
        "insecure": make(cluster={"insecure-skip-tls-verify": True}),
        "impersonate": make(user={"token": "t", "as": "admin"}),
        "http": make(cluster={"server": "http://127.0.0.1:6443"}),
        "metadata": make(cluster={"server": "https://169.254.169.254"}),
        "private": make(cluster={"server": "https://10.0.0.1"}),
        "mapped": make(cluster={"server": "https://[::ffff:10.0.0.1]"}),
        "namespace": make(namespace="../kube-system"),
        "alias": "a: &a [x, x]\nb: [*a, *a, *a]\n",
        "not yaml": "{[",
        "binary": "\u0001\u0002",
    }


def test_refused_kubeconfigs(web, user, make_kubeconfig):
    client = user(kubeconfig=False)
    for name, text in kubeconfigs(make_kubeconfig).items():
        answer = client.put("/api/user/config/kc", {"kubeconfig": text})
        assert answer.status_code == 400, (name, answer.text)
        assert "some.secret.token" not in answer.text
    too_large = client.put("/api/user/config/kc", {"kubeconfig": "#" * 65537})
    assert too_large.status_code == 400
    assert client.get("/api/user/config/kc").status_code == 404


@pytest.mark.parametrize("body, told", [
    ({"name": ""}, "Project name is required"),
    ({"name": "x" * 65}, "has 65 characters, and at most 64 are allowed"),
    ({"name": "\u00e4" * 40},
     "has 80 bytes (accented letters and emoji count as several), and at most 64 are allowed"),
    ({"name": 7}, "must be a text"),
    ({"name": "A", "database": "yes"}, "must be true or false"),
])
def test_a_projects_problem_is_described(user, body, told):
    answer = user().post(PATH, body)
    assert answer.status_code == 400 and told in answer.json()["error"], answer.text


@pytest.mark.parametrize("text, told", [
    ('{"name": "a\\u0000b"}', "it has the character U+0000 in it, which no text here may have"),
    ('{"name": "a", "name": "b"}', "a member is there twice"),
    ('{"name": "a"', "it ends too early"),
    ('{"name": "a"} {}', "something comes after its end"),
    ('{"name": hunter2}', "there is a mistake"),
])
def test_refused_json_is_answered_with_place_and_reason(user, text, told):
    answer = user().request("POST", PATH, data=text, headers={"Content-Type": "application/json"})
    error = answer.json()["error"]
    assert answer.status_code == 400 and told in error and "(line 1, column " in error, error
    assert "hunter2" not in error and "JSON_" not in error


def test_a_limit_out_of_range_is_refused_with_the_range(user):
    answer = user().get(f"{PATH}?limit=201")
    assert answer.json()["error"] == "limit: must be from 1 to 100"


def test_a_project_without_a_database_does_not_begin_with_one(user):
    client = user()
    for database, stage in ((False, "container"), (True, "database")):
        body = {"name": f"Stage {stage}", "database": database}
        project = client.post(PATH, body).json()["id"]
        assert client.get(f"/api/sandbox/{project}").json()["stage"] == stage


@pytest.mark.parametrize("name", ["exec", "ca-file", "insecure", "impersonate", "private"])
def test_a_refused_kubeconfig_comes_with_commands_that_make_a_valid_one(
        user, make_kubeconfig, name):
    answer = user(kubeconfig=False).put(
        "/api/user/config/kc", {"kubeconfig": kubeconfigs(make_kubeconfig)[name]})
    assert "kubectl " in answer.json()["details"]["remedy"]


def test_a_kubeconfig_of_rancher_is_accepted(user, make_kubeconfig):
    """It has api-version beside the server, no CA, and empty members."""
    text = make_kubeconfig(cluster={"api-version": "v1", "certificate-authority-data": "",
                                    "certificate-authority": "",
                                    "insecure-skip-tls-verify": False})
    answer = user(kubeconfig=False).put("/api/user/config/kc", {"kubeconfig": "\ufeff" + text})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("body, code", [
    ({"name": "a b", "password": "correct horse battery"}, "INVALID_USER_NAME"),
    ({"name": "-a", "password": "correct horse battery"}, "INVALID_USER_NAME"),
    ({"name": "x" * 65, "password": "correct horse battery"}, "INVALID_FIELD"),
    ({"name": "newcomer", "password": "short"}, "WEAK_PASSWORD"),
    ({"name": "newcomer", "password": "newcomer"}, "WEAK_PASSWORD"),
    ({"name": "newcomer", "password": "password123"}, "WEAK_PASSWORD"),
    ({"name": "newcomer", "password": "x" * 1025}, "INVALID_FIELD"),
    ({"name": "newcomer"}, "MISSING_FIELD"),
    ({"name": "newcomer", "password": "correct horse battery", "admin": True}, "UNKNOWN_FIELD"),
])
def test_refused_registrations(web, body, code):
    refused(web.client().post("/api/auth/register", body), 400, code)


@pytest.mark.parametrize("body, code", [
    ({}, "MISSING_FIELD"),
    ({"key": "A"}, "MISSING_FIELD"),
    ({"key": "1A", "value": ""}, "INVALID_ENVIRONMENT_KEY"),
    ({"key": "A=B", "value": ""}, "INVALID_ENVIRONMENT_KEY"),
    ({"key": "LD_PRELOAD", "value": ""}, "RESERVED_ENVIRONMENT_KEY"),
    ({"key": "TTYD_ACCESS_TOKEN", "value": ""}, "RESERVED_ENVIRONMENT_KEY"),
    ({"key": "A", "value": "x" * 32769}, "INVALID_FIELD"),
    ({"key": "A", "value": 1}, "WRONG_TYPE"),
    ({"key": "A", "value": "", "category": "other"}, "INVALID_FIELD"),
    ({"variables": [], "key": "A"}, "UNKNOWN_FIELD"),
    ({"variables": [{"key": "A", "value": ""}], "category": "auth"}, "UNKNOWN_FIELD"),
    ({"variables": [{"key": "A", "value": ""}], "key": "B"}, "UNKNOWN_FIELD"),
    ({"variables": [{"key": "A", "value": ""}, {"key": "A", "value": ""}]}, "DUPLICATE_FIELD"),
    ({"variables": [{"key": "A", "value": ""}] * 257}, "INVALID_FIELD"),
])
def test_refused_variables(user, body, code):
    owner = user()
    project = owner.post(PATH, {"name": "Env"}).json()["id"]
    path = f"{PATH}/{project}/environment"
    refused(owner.post(path, body), 400, code)
    assert not any(owner.get(path).json().values())
