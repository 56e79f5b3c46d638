"""A site that means harm, or is not who it says it is: a real HTTP server that answers what a test wants."""

import http.server
import json
import ssl
import threading

import pytest

from stand.kube.pki import Authority

ID = "0b6edea4-9104-46d7-91ce-c8b72c504e95"
TOKEN = "fsa_" + "T" * 43
ESCAPES = "\x1b]0;owned\x07\x1b[2J\u009b31mname\r"


class Hostile(http.server.ThreadingHTTPServer):
    """Answers every request by answer(path) → (status, headers, chunks), and keeps what was sent."""

    def __init__(self, answer, tls=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer, self.requests, self.tls = answer, [], tls
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls[1], tls[0])
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        pass  # whoever hangs up on it does well


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append((self.path, dict(self.headers)))
        status, headers, chunks = self.server.answer(self.path)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        for chunk in chunks:
            self.wfile.write(chunk)

    do_POST = do_PATCH = do_DELETE = do_GET

    def log_message(self, *_):
        pass


@pytest.fixture
def hostile():
    """Makes such servers."""
    made = []

    def make(answer, **rest):
        made.append(Hostile(answer, **rest))
        return made[-1]

    yield make
    for server in made:
        server.shutdown()
        server.server_close()


def told(value, status=200):
    return status, {"Content-Type": "application/json"}, [json.dumps(value).encode()]


def at(server):
    return {"FSA_SITE": server.url, "FSA_TOKEN": TOKEN}


def is_clean(text):
    return not any(ord(c) < 32 and c not in "\n\t" or 127 <= ord(c) < 160 for c in text)


def project():
    cause = {"headline": ESCAPES, "message": ESCAPES, "action": ESCAPES, "detail": ESCAPES,
             "since": ESCAPES, "nextAttemptAt": None}
    sandbox = {"status": ESCAPES, "stage": ESCAPES, "statusSince": ESCAPES, "cause": cause,
               "warnings": [cause], "publicUrl": "https://x.test/" + ESCAPES}
    return {"id": ID, "name": ESCAPES, "status": ESCAPES, "description": ESCAPES,
            "createdAt": ESCAPES, "sandboxes": [sandbox], "databases": [], "items": [
                {"at": ESCAPES, "kind": ESCAPES, "status": ESCAPES, "message": ESCAPES}]}


@pytest.mark.parametrize("words", [
    ["projects"], ["status", ID], ["explain", ID], ["stop", ID], ["env", "list", ID],
    ["open", ID, "--app", "--print"], ["create", "x"],
])
def test_no_escape_sequence_reaches_the_terminal(home, hostile, words):
    def answer(path):
        if path == "/api/projects":
            return told([project()])
        if path.endswith("/environment"):
            return told({"general": [{"key": ESCAPES, "value": ESCAPES, "category": ESCAPES}]})
        if path.endswith("/stop"):
            return told({"project": project()})
        return told(project())

    done = home(*words, env=at(hostile(answer)))
    assert is_clean(done.stdout + done.stderr) and len(done.stdout) > 5


def test_no_escape_sequence_comes_by_an_error(home, hostile):
    server = hostile(lambda path: told({"error": ESCAPES, "errorCode": ESCAPES}, 422))
    done = home("projects", env=at(server), status=1)
    assert is_clean(done.stderr) and "name" in done.stderr


def test_an_address_that_is_none_is_not_opened(home, hostile):
    bad = project()
    bad["sandboxes"][0]["publicUrl"] = "file:///etc/passwd"
    server = hostile(lambda path: told(bad))
    done = home("open", ID, "--app", env={**at(server), "BROWSER": "/bin/true"}, status=1)
    assert "not an address for a browser" in done.stderr


def test_a_token_follows_no_redirect(home, hostile):
    other = hostile(lambda path: told([]))
    first = hostile(lambda path: (307, {"Location": other.url + "/api/projects"}, []))
    done = home("projects", env=at(first), status=1)
    assert other.url in done.stderr and other.requests == []
    assert first.requests[0][1]["Authorization"] == f"Bearer {TOKEN}"


def test_an_answer_without_end_is_cut(home, hostile):
    def endless():
        while True:
            yield b" " * 65536

    done = home("projects", env=at(hostile(lambda path: (200, {}, endless()))), status=1)
    assert "16 MiB" in done.stderr


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1, {\"a\":", b"\xff\xfe", b"[" * 100000])
def test_what_is_no_json_is_told_as_such(home, hostile, body):
    done = home("projects", env=at(hostile(lambda path: (200, {}, [body]))), status=1)
    assert "is it a FullStack Agent site?" in done.stderr


@pytest.mark.parametrize("words", [["projects"], ["status", "x"], ["explain", ID], ["stop", ID],
                                   ["env", "list", ID, "--show"], ["env", "unset", ID, "A"],
                                   ["create", "x"], ["open", ID, "--print"]], ids=" ".join)
def test_answers_of_a_wrong_shape_end_it_in_order(home, hostile, words):
    for value in (None, 1, {}, [], [None, 1, {}], {"sandboxes": 3, "id": []},
                  [{"name": "x", "id": "../../evil"}]):
        server = hostile(lambda path: told(value))
        assert home(*words, env=at(server), status=None).returncode in (0, 1, 4)
        assert not any("evil" in path for path, _ in server.requests)


def test_a_certificate_counts_only_when_somebody_vouches_for_it(home, hostile, tmp_path):
    authority = Authority(tmp_path / "ca", "somebody")
    server = hostile(lambda path: told({"items": []}),
                     tls=authority.issue("s", "site", hosts=["127.0.0.1"]))
    refused = home("login", server.url, "--token", input=TOKEN, status=75)
    assert "certificate" in refused.stderr and server.requests == []
    home("login", server.url, "--token", "--ca-file", authority.cert, input=TOKEN)
    assert server.requests[-1][1]["Authorization"] == f"Bearer {TOKEN}"
