"""Tests access rights: by tokens of the site, and from pages of other sites."""

import base64
import contextlib
import socket
import subprocess
import time

import pytest
import websocket

from server import SECRET, SITE, Client, Socket, encode, make_token

WRONG = {
    "of another sandbox": lambda: make_token(secret="x" * 24),
    "expired": lambda: make_token(expires_in=-1),
    "for something else": lambda: make_token(aud="other"),
    "unsigned": lambda: make_token(header={"alg": "none"}),
    "of another algorithm": lambda: make_token(header={"alg": "HS512"}),
    "without a signature": lambda: make_token().rpartition(".")[0] + ".",
    "cut short": lambda: make_token()[:-1],
    "changed": lambda: (lambda t: t[0] + "." + encode(b'{"aud":"sandboxd","scope":"exec",'
                                                      b'"exp":99999999999}') + "." + t[2])(
        make_token().split(".")),
    "no token": lambda: "x",
    "empty": lambda: "",
    "very long": lambda: "a." + "b" * 5000 + ".c",
    "without an expiry": lambda: make_token(exp=None),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_token_is_refused(server, case):
    with Client(server.port, WRONG[case]()) as client:
        answer = client.get("/v1/processes")
        assert answer.status == 401 and answer.json["errorCode"] == "UNAUTHORIZED"
        assert "token" in answer.json["error"]
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        Socket(server.port, token=WRONG[case]())
    assert refused.value.status_code == 401


def test_an_expired_token_says_that_it_has_expired(server):
    with Client(server.port, make_token(expires_in=-1)) as client:
        assert "expired" in client.get("/v1/processes").json["error"]


def test_without_a_token_there_is_only_health(server):
    with Client(server.port, None) as client:
        assert client.get("/v1/health").json == {"status": "ok", "version": 1}
        assert client.get("/v1/processes").status == 401
        assert client.send("PUT", "/v1/files", b"x", {"path": "a"}).status == 401
    assert not (server.home / "a").exists()


CALLS = {
    "exec": [("GET", "/v1/processes", None), ("POST", "/v1/processes", {"command": "true"})],
    "files:read": [("GET", "/v1/files/list?path=.", None)],
    "files:write": [("PUT", "/v1/files?path=scoped", b"x")],
}


@pytest.mark.parametrize("scope", CALLS)
def test_a_scope_lets_do_that_and_nothing_else(server, scope):
    for needed, calls in CALLS.items():
        for method, path, body in calls:
            with server.client(scope=scope) as client:
                answer = client.send(method, path, body)
            if needed == scope:
                assert answer.status < 300, answer.body
            else:
                assert (answer.status, answer.json["errorCode"]) == (403, "MISSING_SCOPE")


def test_a_read_only_token_changes_nothing(server):
    (server.home / "kept").write_text("kept")
    with server.client(scope="files:read usage") as client:
        for method, path, body in [
            ("PUT", "/v1/files?path=kept", b"changed"),
            ("DELETE", "/v1/files?path=kept", None),
            ("POST", "/v1/files/move", {"from": "kept", "to": "moved"}),
            ("POST", "/v1/files/directory", {"path": "made"}),
        ]:
            assert client.send(method, path, body).status == 403
    assert (server.home / "kept").read_text() == "kept"


def test_a_websockets_token_may_be_a_subprotocol_or_its_first_message(server):
    offered = ["fsa.v1", f"fsa.token.{make_token()}"]
    for protocols in (offered, offered[::-1]):
        with Socket(server.port, subprotocols=protocols) as opened:
            assert opened.raw.getsubprotocol() == "fsa.v1"
            assert opened.run("echo a")[1] == b"a\n"
    with Socket(server.port) as opened:
        opened.send(type="token", token=make_token())
        assert opened.run("echo b")[1] == b"b\n"


def test_a_websocket_without_a_token_runs_nothing(server):
    with Socket(server.port) as opened:
        opened.send(type="start", command="touch untold")
        assert opened.expect("error")["status"] == 401
        assert opened.receive() is None and opened.code == 4401
    with Socket(server.port) as opened:
        opened.send(type="token", token=make_token(secret="other"))
        assert opened.expect("error")["status"] == 401
        assert opened.receive() is None
    assert not (server.home / "untold").exists()


def has_taken_what_was_sent(server):
    """Waits until the server has read what was sent before: it reads in order of arrival."""
    with server.client() as other:
        assert other.get("/v1/health").status == 200


def test_a_head_may_come_in_any_pieces(server):
    (server.home / "pieces").write_text("hello")
    with server.connect() as stranger:
        stranger.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in ("GET /v1/files?path=pie", "ces HTTP/1.1\r\nHo", "st: x\r\nEmpty:\r\nAuthor",
                      f"ization: Bearer {make_token()}\r\nRan", "ge", ": bytes=", "1-2\r\nConn",
                      "ection: close\r\n\r\n"):
            stranger.sendall(piece.encode())
            has_taken_what_was_sent(server)
        answer = b"".join(iter(lambda: stranger.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 206 ") and answer.endswith(b"\r\n\r\nel")


def test_strangers_leave_a_place_to_those_with_a_token(make_server):
    server = make_server()
    with contextlib.ExitStack() as strangers:
        for _ in range(1250):
            strangers.enter_context(contextlib.closing(server.connect())).sendall(
                b"GET /v1/attach HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
        with server.client() as client:
            assert client.run("echo served")[1] == b"served\n"


def test_a_stranger_fills_no_memory_with_a_message(server):
    with Socket(server.port) as opened:
        opened.send(type="token", token="x" * 8192)
        assert opened.expect("error")["errorCode"] == "TOO_LARGE"
        assert opened.receive() is None and opened.code == 1009



def test_an_open_connection_ends_with_its_token_unless_it_has_a_newer_one(server):
    with server.socket(expires_in=2) as short, server.socket(expires_in=2) as renewed:
        renewed.send(type="token", token=make_token())
        assert short.expect("error")["errorCode"] == "UNAUTHORIZED"
        assert short.receive() is None and short.code == 4401
        assert renewed.run("echo c")[1] == b"c\n"


UPGRADE = ("GET {} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{}\r\n")


def test_a_terminal_opened_by_a_token_ends_with_it(make_server, workspace):
    """A terminal opened by the terminal's own address stays open."""
    server = make_server(terminal=True, wait=False)
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as ttyd:
        ttyd.bind(str(server.directory / "run" / "ttyd.sock"))
        ttyd.listen()
        server.wait()
        own = base64.b64encode(f"user:{SECRET}".encode()).decode()
        opened = []
        for path, header in ((f"/ws?authorization={own}", ""),
                             ("/ws", f"Authorization: Bearer {make_token(expires_in=2)}\r\n")):
            user = server.connect()
            user.sendall(UPGRADE.format(path, header).encode())
            terminal, _ = ttyd.accept()
            assert terminal.recv(65536).startswith(b"GET /ws HTTP/1.1\r\n")
            opened.append((user, terminal))
        (stays, its), (ends, other) = opened
        assert ends.recv(1) == b"" and other.recv(1) == b""
        stays.sendall(b"typed")
        assert its.recv(5) == b"typed"
        for connection in (stays, its, ends, other):
            connection.close()


def test_one_token_cannot_take_all_connections(make_server):
    server = make_server()
    with contextlib.ExitStack() as held:
        for _ in range(256):
            held.enter_context(server.socket(jti="greedy"))
        with pytest.raises(websocket.WebSocketBadStatusException) as refused:
            server.socket(jti="greedy")
        assert refused.value.status_code == 429
        late = held.enter_context(Socket(server.port))
        late.send(type="token", token=make_token(jti="greedy"))
        assert late.expect("error")["errorCode"] == "TOO_MANY"
        assert server.socket(jti="another").run("echo served")[1] == b"served\n"


def test_the_sites_pages_may_read_answers_and_others_may_not(server):
    with server.client() as client:
        answer = client.send("GET", "/v1/processes", Origin=SITE)
        assert answer.status == 200
        assert answer.headers["Access-Control-Allow-Origin"] == SITE
        answer = client.send("GET", "/v1/processes", Origin="https://evil.example")
        assert (answer.status, answer.json["errorCode"]) == (403, "CROSS_SITE")
        assert answer.headers["Access-Control-Allow-Origin"] is None
    with server.client() as client:
        answer = client.send("PUT", "/v1/files", b"x", {"path": "crossed"},
                             Origin="https://evil.example")
        assert answer.status == 403
    assert not (server.home / "crossed").exists()


def test_the_sites_pages_pass_the_preflight(server):
    asked = {"Origin": SITE, "Access_Control_Request_Method": "PUT",
             "Access_Control_Request_Headers": "authorization, if-match"}
    with Client(server.port, None) as client:
        answer = client.send("OPTIONS", "/v1/files", **asked)
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == SITE
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
    assert {"Authorization", "If-Match"} <= set(
        answer.headers["Access-Control-Allow-Headers"].split(", "))


@pytest.mark.parametrize("origin", ["https://evil.example", "null", SITE + ".evil.example"])
def test_a_websocket_of_another_site_is_refused(server, origin):
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        Socket(server.port, token=make_token(), origin=origin, suppress_origin=False)
    assert refused.value.status_code == 403
    with Socket(server.port, token=make_token(), origin=SITE, suppress_origin=False) as opened:
        assert opened.run("echo d")[1] == b"d\n"


def test_the_secret_and_tokens_are_in_no_log_and_in_no_list_of_processes(server):
    token = make_token()
    with Client(server.port, token) as client:
        _, environment, _ = client.run("env; tr '\\0' ' ' </proc/$PPID/environ")
        client.get("/v1/nothing", token=token)
    listed = subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, text=True).stdout
    for text in (server.log(), listed, environment.decode()):
        assert token not in text and SECRET not in text
        assert base64.b64encode(f"user:{SECRET}".encode()).decode() not in text


def test_tokens_are_checked_against_the_present(server):
    with Client(server.port, make_token(iat=int(time.time()) - 5)) as client:
        assert client.get("/v1/processes").status == 200
