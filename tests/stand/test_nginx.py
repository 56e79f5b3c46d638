"""Tests the shipped nginx files: what nginx answers itself, and what it passes to the programs."""

import http.client
import json
import shutil
import socket
import struct
import threading
import time
from pathlib import Path

import pytest
import requests

from stand.nginx import Nginx
from stand.process import PATIENCE, run

NGINX = Path(__file__).resolve().parents[2] / "nginx"


class Responder:
    """A FastCGI program that answers with the parameters it got, or as told."""

    def __init__(self, path):
        self.reply = None
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self._socket.close()

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self._answer(connection.makefile("rwb"))

    def _answer(self, stream):
        params, body = b"", b""
        while True:
            _, kind, request, length, padding, _ = struct.unpack(">BBHHBB", stream.read(8))
            content = stream.read(length)
            stream.read(padding)
            if kind == 4:
                params += content
            elif kind == 5 and length:
                body += content
            elif kind == 5:
                break
        reply = self.reply or b"Content-Type: application/json\r\n\r\n" + json.dumps(
            {**decode(params), "length": len(body)}
        ).encode()
        stream.write(struct.pack(">BBHHBB", 1, 6, request, len(reply), 0, 0) + reply)
        stream.write(struct.pack(">BBHHBBIB3x", 1, 3, request, 8, 0, 0, 0, 0))
        stream.flush()


def decode(data):
    """Decodes FastCGI name-value pairs."""
    pairs, at = {}, 0
    while at < len(data):
        lengths = []
        for _ in range(2):
            if data[at] < 128:
                lengths.append(data[at])
                at += 1
            else:
                lengths.append(struct.unpack(">I", data[at : at + 4])[0] & 0x7FFFFFFF)
                at += 4
        name = data[at : at + lengths[0]].decode()
        pairs[name] = data[at + lengths[0] : at + sum(lengths)].decode()
        at += sum(lengths)
    return pairs


@pytest.fixture(scope="module")
def folder(workspace):
    path = workspace / "nginx"
    path.mkdir()
    yield path


@pytest.fixture(scope="module")
def api(folder):
    responder = Responder(folder / "api.sock")
    yield responder
    responder.close()


@pytest.fixture(scope="module")
def nginx(folder, api):
    root = folder / "root"
    root.mkdir()
    (root / "index.html").write_text("<p>hello</p>")
    missing = folder / "nobody.sock"
    with Nginx(folder / "server", api=folder / "api.sock", auth=missing, root=root) as server:
        yield server


def raw(nginx, request):
    """Sends bytes verbatim; returns the status and the body."""
    with socket.create_connection(("127.0.0.1", nginx.port), timeout=PATIENCE) as s:
        s.sendall(request)
        answer = http.client.HTTPResponse(s)
        answer.begin()
        return answer.status, answer.read()


def is_problem(status, body, code):
    problem = json.loads(body)
    assert problem["status"] == status
    assert problem["errorCode"] == code
    assert problem["requestId"]
    return True


@pytest.mark.parametrize("path", ["/api/projects", "/healthz", "/readyz", "/api/sandbox/x"])
def test_the_api_gets_its_paths_with_the_request_as_it_was(nginx, path):
    answer = requests.post(nginx.url + path + "?a=1&b=%20", data="x" * 70000)
    got = answer.json()
    assert got["REQUEST_METHOD"] == "POST"
    assert got["REQUEST_URI"] == path + "?a=1&b=%20"
    assert got["QUERY_STRING"] == "a=1&b=%20"
    assert got["CONTENT_LENGTH"] == "70000"
    assert got["length"] == 70000
    assert got["REMOTE_ADDR"] == "127.0.0.1"


def test_the_request_id_is_nginxs_and_is_sent_once(nginx, api):
    answer = requests.get(nginx.url + "/api/x", headers={"X-Request-Id": "forged\\x00"})
    told = answer.headers["X-Request-Id"]
    assert answer.json()["HTTP_X_REQUEST_ID"] == told
    assert "forged" not in told
    api.reply = b"Status: 204\r\nX-Request-Id: mine\r\nX-Content-Type-Options: nosniff\r\n\r\n"
    answer = requests.get(nginx.url + "/api/x")
    api.reply = None
    assert "," not in answer.headers["X-Request-Id"] + answer.headers["X-Content-Type-Options"]


def test_a_proxy_header_does_not_become_a_variable_that_libraries_obey(nginx):
    answer = requests.get(nginx.url + "/api/x", headers={"Proxy": "http://evil"})
    assert answer.json().get("HTTP_PROXY", "") == ""


def test_an_error_of_the_program_is_passed_on_as_it_is(nginx, api):
    policy = "default-src 'none'"
    api.reply = (
        "Status: 503\r\nContent-Type: application/problem+json\r\nRetry-After: 9\r\n"
        f"Content-Security-Policy: {policy}\r\n\r\n{{}}"
    ).encode()
    answer = requests.get(nginx.url + "/api/x")
    api.reply = None
    assert (answer.status_code, answer.text) == (503, "{}")
    assert answer.headers["Retry-After"] == "9"
    assert answer.headers["Content-Security-Policy"] == policy


def test_a_program_that_is_away_is_a_503_that_says_when_to_come_back(nginx):
    answer = requests.post(nginx.url + "/api/auth/login?code=geheim", json={})
    assert answer.status_code == 503
    assert answer.headers["Content-Type"].startswith("application/json")
    assert int(answer.headers["Retry-After"]) > 0
    assert is_problem(503, answer.content, "UNAVAILABLE")
    assert answer.json()["requestId"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "request_bytes, status, code",
    [
        (b"GET /%00 HTTP/1.0\r\n\r\n", 400, "INVALID"),
        (b"nonsense\r\n\r\n", 400, "INVALID"),
        (b"GET /nowhere HTTP/1.0\r\n\r\n", 404, "NOT_FOUND"),
        (b"POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n", 405, "METHOD_NOT_ALLOWED"),
        (b"POST /api/x HTTP/1.0\r\nContent-Length: 9999999\r\n\r\n", 413, "TOO_LARGE"),
        (b"GET /" + b"a" * 70000 + b" HTTP/1.0\r\n\r\n", 414, "TOO_LARGE"),
        (b"GET / HTTP/1.0\r\nA: " + b"b" * 70000 + b"\r\n\r\n", 431, "TOO_LARGE"),
        (b"GET / HTTP/1.0\r\n" + b"A: b\r\n" * 20000 + b"\r\n", 431, "TOO_LARGE"),
    ],
    ids=["nul", "no-http", "unknown", "post-to-file", "body", "uri", "header", "headers"],
)
def test_nginx_refuses_with_problem_details(nginx, request_bytes, status, code):
    got, body = raw(nginx, request_bytes)
    assert got == status
    assert is_problem(status, body, code)


def test_files_are_served_with_the_security_headers(nginx):
    answer = requests.get(nginx.url + "/")
    assert answer.text == "<p>hello</p>"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors" in answer.headers["Content-Security-Policy"]
    assert "Retry-After" not in answer.headers
    assert requests.get(nginx.url + "/../nginx.conf").status_code == 404


def logged(nginx, request_id):
    """Returns the log line of a request, which nginx writes after its response."""
    end = time.monotonic() + PATIENCE
    while True:
        complete, _, _ = nginx.access_log.read_text().rpartition("\n")
        for line in map(json.loads, complete.splitlines()):
            if line["requestId"] == request_id:
                return line
        assert time.monotonic() < end, f"{request_id} is not in {nginx.access_log}"
        time.sleep(0.02)


def test_query_strings_are_not_logged(nginx):
    answer = requests.get(nginx.url + "/api/callback?code=topsecret")
    line = logged(nginx, answer.headers["X-Request-Id"])
    assert line["path"] == "/api/callback"
    assert "topsecret" not in nginx.access_log.read_text()


def test_the_site_file_for_debian_is_valid(workspace):
    """sites-available/fullstack-agent.conf is put where an administrator puts it."""
    etc = workspace / "etc-nginx"
    shutil.copytree(NGINX, etc)
    site = etc / "fullstack-agent.conf"
    site.write_text(site.read_text().replace("/var/log/nginx/", f"{etc}/"))
    config = etc / "nginx.conf"
    config.write_text(
        f"pid {etc}/pid; error_log {etc}/error.log; events {{}}\n"
        "http { include fullstack-agent.conf; }\n"
    )
    run(["/usr/sbin/nginx", "-t", "-q", "-e", etc / "error.log", "-c", config], "nginx -t")


def test_nginx_sends_problem_details_on_request(nginx):
    answer = requests.get(nginx.url + "/nowhere", headers={"Accept": "application/problem+json"})
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert is_problem(404, answer.content, "NOT_FOUND")


def test_a_405_lists_the_allowed_methods(nginx):
    answer = requests.post(nginx.url + "/", data=b"")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"
