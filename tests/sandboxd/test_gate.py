"""Tests addresses of ports that are private: who gets through, and what the program at the port gets."""

import base64
import contextlib
import hashlib
import http.client
import re
import socket
import socketserver
import struct
import threading
import time

import pytest
import websocket

from server import PATIENCE, SECRET, SITE, Client, make_token

LETTERS = "abcdefghijkl"
DOMAIN = "sandboxes.example"
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: own=1\r\n\r\nhello"


class Program(socketserver.ThreadingTCPServer):
    """A program of the sandbox: keeps what each connection brings, and answers with the bytes of `answer`, or lets
    a function have the connection."""

    allow_reuse_address = daemon_threads = True

    class RequestHandlerClass(socketserver.BaseRequestHandler):
        def handle(self):
            seen = bytearray()
            self.server.seen.append(seen)
            while b"\r\n\r\n" not in seen:
                part = self.request.recv(65536)
                if not part:
                    return
                seen += part
            if callable(self.server.answer):
                self.server.answer(self.request, seen)
                return
            self.request.sendall(self.server.answer)
            with contextlib.suppress(OSError):
                while part := self.request.recv(65536):
                    seen += part

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.RequestHandlerClass)
        self.seen = []
        self.answer = HELLO
        self.port = self.server_address[1]
        self.host = f"{LETTERS}-{self.port}.{DOMAIN}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def head(self):
        """Returns the request line and the headers of the only request, names in lower case."""
        (seen,) = self.seen
        line, *headers = bytes(seen).partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        return line, [(name.lower(), value) for name, _, value in (h.partition(": ") for h in headers)]

    def header(self, name):
        return [value for found, value in self.head()[1] if found == name]


@pytest.fixture
def program():
    with Program() as running:
        yield running
        running.shutdown()


def visit_token(host, **claims):
    return make_token(aud=f"port {host}", scope="", **claims)


@pytest.fixture
def browse(server, program):
    """browse(path, cookie=…, Name=…): a request at the program's address without a token of a program."""
    def request(path="/", method="GET", body=None, host=None, **headers):
        with Client(server.port, None) as client:
            return client.send(method, path, body, Host=host or program.host, **headers)
    return request


def cookie_of(answer):
    """Returns the cookie that an answer sets, as a browser sends it."""
    return answer.headers["Set-Cookie"].partition(";")[0]


@pytest.fixture
def cookie(browse, program):
    return cookie_of(browse(f"/?fsa_token={visit_token(program.host)}"))


# ---- who gets through -------------------------------------------------------------------------------


def test_without_a_token_nothing_reaches_the_program(browse, program):
    for path, method in [("/", "GET"), ("/v1/health", "GET"), ("/ws", "GET"), ("/", "OPTIONS"), ("/x", "POST")]:
        answer = browse(path, method, Origin="https://elsewhere.example")
        assert answer.status == 401 and answer.json["errorCode"] == "UNAUTHORIZED"
    assert not program.seen


def other_hosts(program):
    return [program.host.replace(LETTERS, "z" * 12), program.host.replace(DOMAIN, "elsewhere.example"),
            f"{LETTERS}-{program.port + 1}.{DOMAIN}", program.host + ".elsewhere.example"]


def wrong_tokens(program):
    yield from (visit_token(host) for host in other_hosts(program))
    yield from ("x", "", make_token(secret="x" * 24), make_token(expires_in=-1), visit_token(program.host, exp=1),
                visit_token(program.host, secret="x" * 24), make_token(header={"alg": "none"}),
                visit_token(program.host, header={"alg": "none"}), make_token(aud="port "), "a" * 5000,
                visit_token(f"port {program.host}"))


def test_a_wrong_token_reaches_nothing_wherever_it_is(browse, program):
    for token in wrong_tokens(program):
        for headers in [{"Authorization": f"Bearer {token}"}, {"X_Sandboxd_Token": token},
                        {"Cookie": f"fsa-port={token}"}, {"Cookie": f"__Host-fsa-port={token}; fsa-port="}]:
            assert browse(**headers).status == 401, (token, headers)
        assert browse(f"/?fsa_token={token}").status == 401
    assert not program.seen


def test_a_token_needs_the_scope_ports(browse, program):
    token = make_token(scope="exec files:read usage terminal")
    for headers in [{"Authorization": f"Bearer {token}"}, {"X_Sandboxd_Token": token}]:
        answer = browse(**headers)
        assert answer.status == 403 and answer.json["errorCode"] == "MISSING_SCOPE"
    assert browse(f"/?fsa_token={token}").status == 403
    assert not program.seen


def test_the_token_of_an_address_opens_nothing_else(server, program):
    with Client(server.port, visit_token(program.host)) as client:
        for path in ("/v1/ports", "/v1/processes", "/v1/files?path=."):
            assert client.get(path).status == 401
    with Client(server.port, None) as client:
        assert client.send("GET", "/v1/ports", Cookie=f"fsa-port={visit_token(program.host)}").status == 401


@pytest.mark.parametrize("make", [lambda host: make_token(scope="ports"), visit_token])
def test_a_program_sends_a_token_and_the_application_does_not_see_it(browse, program, make):
    for name in ("Authorization", "X_Sandboxd_Token"):
        program.seen.clear()
        token = make(program.host)
        answer = browse("/a?b=c", **{name: f"Bearer {token}" if name == "Authorization" else token})
        assert (answer.status, answer.body) == (200, b"hello")
        assert program.head()[0] == "GET /a?b=c HTTP/1.1"
        assert token.encode() not in program.seen[0]


def test_the_applications_own_authorization_reaches_it(browse, program, cookie):
    assert browse(Cookie=cookie, Authorization="Bearer of-the-application").status == 200
    assert program.header("authorization") == ["Bearer of-the-application"]


def test_a_port_with_another_number_is_reached_only_by_its_own_address(browse, cookie, program):
    for host in other_hosts(program):
        assert browse(host=host, Cookie=cookie).status == 401
    assert not program.seen


@pytest.mark.parametrize("host", ["abcdefghijk-80.x.example", "abcdefghijkl-0.x.example", "abcdefghijkl-65536.x.example",
                                  "abcdefghijkl-.x.example", "ABCDEFGHIJKL-80.x.example", "abcdefghijkl-+8.x.example",
                                  "abcdefghijkl-ttyd.x.example", "abcdefghijklm-80.x.example", ""])
def test_other_names_are_no_addresses_of_ports(server, host):
    with Client(server.port, None) as client:
        assert client.send("GET", "/v1/health", Host=host).status == 200


def test_the_terminal_has_no_such_address(server):
    with Client(server.port, make_token(scope="ports")) as client:
        assert client.send("GET", "/", Host=f"{LETTERS}-7681.{DOMAIN}").status == 404


def test_a_port_without_a_listener_is_reported(server):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with Client(server.port, make_token(scope="ports")) as client:
        answer = client.send("GET", "/", Host=f"{LETTERS}-{port}.{DOMAIN}")
        assert answer.status == 502 and answer.json["errorCode"] == "NOT_LISTENING"


# ---- a browser --------------------------------------------------------------------------------------


def test_a_browser_exchanges_a_token_for_a_cookie_and_loses_it_from_its_address(browse, program):
    token = visit_token(program.host)
    answer = browse(f"/a/b?x=1&fsa_token={token}&y=2")
    assert (answer.status, answer.headers["Location"]) == (303, "/a/b?x=1&y=2")
    assert answer.headers["Referrer-Policy"] == "no-referrer" and answer.headers["Cache-Control"] == "no-store"
    assert re.fullmatch(r"fsa-port=[\w.-]+; Path=/; Max-Age=(59\d|600); HttpOnly; SameSite=Lax",
                        answer.headers["Set-Cookie"])
    assert token not in answer.headers["Set-Cookie"] and not program.seen
    assert browse("/a/b", Cookie=f"a=1; {cookie_of(answer)}; b=2").body == b"hello"
    assert program.header("cookie") == ["a=1; b=2"]


def test_by_tls_the_cookie_is_for_tls_and_one_host(browse, program):
    answer = browse(f"/?fsa_token={visit_token(program.host)}", X_Forwarded_Proto="https")
    assert re.fullmatch(r"__Host-fsa-port=[\w.-]+; Path=/; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure",
                        answer.headers["Set-Cookie"])
    assert browse(Cookie=cookie_of(answer)).status == 200
    assert not program.header("cookie")


def test_a_cookie_of_a_neighbour_does_not_keep_ours_from_working(browse, program, cookie):
    assert browse(Cookie=f"fsa-port=tossed; {cookie}; fsa-port={visit_token('other.example')}").status == 200
    assert not program.header("cookie")


@pytest.mark.parametrize("path", ["//evil.example/", "/\\evil.example/", "//evil.example/..", "/"])
def test_a_link_with_a_token_leads_nowhere_else(browse, program, path):
    answer = browse(f"{path}?fsa_token={visit_token(program.host)}")
    assert (answer.status, answer.headers["Location"]) == (303, "/")


def test_an_old_link_works_for_whoever_has_a_cookie(browse, program, cookie):
    answer = browse(f"/a?fsa_token={visit_token(program.host, exp=1)}", Cookie=cookie)
    assert (answer.status, answer.headers["Location"], answer.headers["Set-Cookie"]) == (303, "/a", None)


def test_a_token_in_a_query_admits_nothing_but_a_visit(browse, program):
    path = f"/?fsa_token={visit_token(program.host)}"
    assert browse(path, "POST", b"x").status == 401
    assert browse(path, Upgrade="websocket", Connection="Upgrade").status == 401
    assert browse(path + path[1:].replace("?", "&")).status == 401  # twice
    assert not program.seen


def test_a_cookie_ends_with_its_token_and_with_the_sandboxs_secret(make_server, program):
    server = make_server()
    with Client(server.port, None) as client:
        made = client.send("GET", f"/?fsa_token={visit_token(program.host, expires_in=1000)}", Host=program.host)
        assert client.send("GET", "/", Host=program.host, Cookie=cookie_of(made)).status == 200
    server.secret = SECRET[::-1]  # the site has raised the access generation
    server.restart()
    with Client(server.port, None) as client:
        assert client.send("GET", "/", Host=program.host, Cookie=cookie_of(made)).status == 401


# ---- by way of the site ------------------------------------------------------------------------------

NAVIGATION = {"Sec_Fetch_Site": "none", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}


def test_a_browser_without_a_token_is_sent_to_the_site(browse, program):
    answer = browse("/a/b?x=1&y", **NAVIGATION)
    assert (answer.status, answer.headers["Location"]) == (303, f"{SITE}/visit#{program.host}/a/b?x=1&y")
    assert answer.headers["Referrer-Policy"] == "no-referrer" and answer.headers["Set-Cookie"] is None
    for method, headers in [("POST", NAVIGATION), ("HEAD", NAVIGATION), ("GET", {}),
                            ("GET", {**NAVIGATION, "Sec_Fetch_Dest": "iframe"}),
                            ("GET", {**NAVIGATION, "Sec_Fetch_Mode": "cors"}),
                            ("GET", {**NAVIGATION, "Upgrade": "websocket", "Connection": "Upgrade"})]:
        assert browse("/", method, **headers).status == 401, (method, headers)
    assert not program.seen


def test_the_sites_token_is_used_once_and_its_cookie_lasts_longer(browse, program):
    token = visit_token(program.host, expires_in=60, until=int(time.time()) + 7200, jti="once-" + program.host[:40])
    for headers in [{"Authorization": f"Bearer {token}"}, {"X_Sandboxd_Token": token}, {"Cookie": f"fsa-port={token}"}]:
        assert browse(**headers).status == 401, headers
    entered = browse(f"/a?fsa_token={token}")
    assert (entered.status, entered.headers["Location"]) == (303, "/a")
    assert re.search(r"Max-Age=7[12]\d\d;", entered.headers["Set-Cookie"])
    assert browse(Cookie=cookie_of(entered)).body == b"hello"
    again = browse(f"/a?fsa_token={token}")
    assert again.status == 401 and again.headers["Set-Cookie"] is None
    with_cookie = browse(f"/a?fsa_token={token}", Cookie=cookie_of(entered))
    assert (with_cookie.status, with_cookie.headers["Set-Cookie"]) == (303, None)


def test_the_sites_token_is_for_one_host_and_has_an_id(browse, program):
    until = int(time.time()) + 7200
    for host in other_hosts(program):
        assert browse(f"/?fsa_token={visit_token(host, until=until, jti='y' + host[:40])}").status == 401
    assert browse(f"/?fsa_token={visit_token(program.host, until=until, jti='')}").status == 401
    assert browse(f"/?fsa_token={visit_token(program.host, until=until, jti='z' * 60)}").status == 401


# ---- pages of other sites ---------------------------------------------------------------------------

FOREIGN = {
    "another origin": {"Origin": f"https://zzzzzzzzzzzz-5173.{DOMAIN}"},
    "the site": {"Origin": SITE},
    "a frame without an origin": {"Origin": "null"},
    "an image": {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image"},
    "a fetch": {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "cors", "Sec_Fetch_Dest": "empty"},
    "a frame": {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"},
}
FORM = {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}


@pytest.mark.parametrize("case", FOREIGN)
def test_a_page_of_another_address_cannot_use_the_cookie(browse, program, cookie, case):
    answer = browse(Cookie=cookie, **FOREIGN[case])
    assert answer.status == 403 and answer.json["errorCode"] == "CROSS_SITE"
    assert browse("/", "POST", b"x", Cookie=cookie, **FORM).status == 403
    assert not program.seen


def test_a_link_from_another_page_and_the_applications_own_pages_work(browse, program, cookie):
    assert browse(Cookie=cookie, **FORM).status == 200
    own = {"Origin": f"https://{program.host}", "Sec_Fetch_Site": "same-origin", "Sec_Fetch_Mode": "cors",
           "Sec_Fetch_Dest": "empty"}
    assert browse("/", "POST", b"x", Cookie=cookie, **own).status == 200
    assert browse(Cookie=cookie, Sec_Fetch_Site="none", Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="document").status == 200


def test_a_websocket_of_another_origin_is_refused(server, program, cookie):
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        websocket.create_connection(f"ws://127.0.0.1:{server.port}/", host=program.host, cookie=cookie,
                                    origin=f"https://zzzzzzzzzzzz-80.{DOMAIN}", timeout=PATIENCE)
    assert refused.value.status_code == 403 and not program.seen


# ---- what the program gets --------------------------------------------------------------------------


def raw(server, program, request, cookie):
    """Sends bytes, and returns all that is answered."""
    with server.connect() as connection:
        connection.sendall(request.replace(b"COOKIE", f"Host: {program.host}\r\nCookie: {cookie}".encode()))
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer


def test_a_second_request_on_the_connection_is_not_passed_on(server, program, cookie):
    request = b"POST /one HTTP/1.1\r\nCOOKIE\r\nContent-Length: 3\r\n\r\nabc"
    answer = raw(server, program, request + b"GET /two HTTP/1.1\r\nHost: x\r\n\r\n", cookie)
    assert answer.endswith(b"hello") and b"\r\nConnection: close\r\n" in answer
    (seen,) = program.seen
    assert seen.endswith(b"\r\n\r\nabc") and b"/two" not in seen


SMUGGLING = {
    "two lengths": b"Content-Length: 3\r\nContent-Length: 30",
    "length and chunks": b"Content-Length: 3\r\nTransfer-Encoding: chunked",
    "two hosts": b"Host: zzzzzzzzzzzz-80.sandboxes.example",
    "two cookies": b"Cookie: a=b",
    "a negative length": b"Content-Length: -3",
    "a name with a blank": b"Content-Length : 3",
}


@pytest.mark.parametrize("case", SMUGGLING)
def test_an_ambiguous_request_is_refused(server, program, cookie, case):
    answer = raw(server, program, b"POST / HTTP/1.1\r\nCOOKIE\r\n" + SMUGGLING[case] + b"\r\n\r\nabc", cookie)
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert not program.seen


def test_headers_of_the_connection_are_not_passed_on(server, program, cookie):
    raw(server, program, b"GET / HTTP/1.1\r\nCOOKIE\r\nConnection: keep-alive, X-Secret, Upgrade\r\nX-Secret: 1\r\n"
        b"Upgrade: h2c\r\nTE: trailers\r\nProxy-Connection: close\r\nX-Kept: 2\r\n\r\n", cookie)
    assert program.head() == ("GET / HTTP/1.1", [("host", program.host), ("x-kept", "2"), ("connection", "close")])


def test_a_body_in_chunks_arrives_in_chunks_and_ends(server, program, cookie):
    def answer(connection, seen):
        while not seen.endswith(b"0\r\n\r\n"):
            seen += connection.recv(65536)
        connection.sendall(HELLO)

    program.answer = answer
    request = b"POST / HTTP/1.1\r\nCOOKIE\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: x\r\n\r\n"
    assert raw(server, program, request, cookie).endswith(b"hello")
    body = bytes(program.seen[0]).partition(b"\r\n\r\n")[2]
    assert b"Trailer" not in body and body.replace(b"\r\n", b"|") == b"3|abc|2|de|0||"


def test_a_trailer_changes_nothing_of_what_was_decided(server, program):
    request = (f"GET /?fsa_token={visit_token(program.host)} HTTP/1.1\r\nHost: {program.host}\r\n"
               "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nUpgrade: x\r\nA: b\r\n\r\n").encode()
    assert raw(server, program, request, "").startswith(b"HTTP/1.1 303 ")
    assert not program.seen


def test_a_large_upload_and_a_large_download_stream(server, program, cookie):
    size = 20 << 20

    def answer(connection, seen):
        got = len(bytes(seen).partition(b"\r\n\r\n")[2])
        while got < size:
            got += len(connection.recv(65536))
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode() + bytes(size))

    program.answer = answer
    before = server.memory()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection.request("POST", "/", bytes(size), {"Host": program.host, "Cookie": cookie})
    assert len(connection.getresponse().read()) == size
    connection.close()
    assert server.memory() - before < 4 << 20


ANSWERS = {
    "with a length": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello", 200, b"hello"),
    "in chunks": (b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", 201, b"hello"),
    "after others": (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + HELLO, 200, b"hello"),
    "without a body": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    "and a second one": (HELLO + b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo", 200, b"hello"),
    "that is no HTTP": (b"SSH-2.0-OpenSSH\r\n", 502, None),
    "of an upgrade that was not asked for": (b"HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", 502, None),
    "with two lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello", 502, None),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_an_answer_has_one_end(browse, program, cookie, case):
    program.answer, status, body = ANSWERS[case]
    answer = browse(Cookie=cookie)
    assert answer.status == status and answer.headers["Connection"] == "close"
    assert body is None or answer.body == body


def test_an_answer_without_a_length_ends_with_the_connection(browse, program, cookie):
    program.answer = lambda connection, _: connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nhello")
    assert browse(Cookie=cookie).body == b"hello"


def test_an_answer_that_is_cut_off_is_cut_off(browse, program, cookie):
    program.answer = lambda connection, _: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel")
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        browse(Cookie=cookie)


def test_a_head_has_no_body(browse, program, cookie):
    program.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    answer = browse(method="HEAD", Cookie=cookie)
    assert (answer.status, answer.headers["Content-Length"], answer.body) == (200, "5", b"")


# ---- WebSockets -------------------------------------------------------------------------------------

ACCEPT = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          b"Sec-WebSocket-Accept: %s\r\n\r\n")


def accept_and_echo(connection, seen):
    """Accepts a WebSocket, and sends its client's frames back as they come, without their masks."""
    key = re.search(rb"Sec-WebSocket-Key: (\S+)", seen).group(1)
    digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    connection.sendall(ACCEPT % base64.b64encode(digest))
    with connection.makefile("rb") as frames:
        while len(head := frames.read(2)) == 2:
            mask, data = frames.read(4), frames.read(head[1] & 0x7f)
            connection.sendall(struct.pack("BB", head[0], len(data)) + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))


def connect(server, program, cookie):
    return websocket.create_connection(f"ws://127.0.0.1:{server.port}/live?x=1", host=program.host, cookie=cookie,
                                       origin=f"http://{program.host}", timeout=PATIENCE)


def test_a_websocket_passes(server, program, cookie):
    program.answer = accept_and_echo
    made = connect(server, program, cookie)
    for text in ("hello", "again"):
        made.send(text)
        assert made.recv() == text
    assert program.head()[0] == "GET /live?x=1 HTTP/1.1"
    assert "cookie" not in dict(program.head()[1])
    made.close()


def test_a_websocket_ends_with_the_token(server, program):
    program.answer = accept_and_echo
    made = connect(server, program, f"fsa-port={visit_token(program.host, expires_in=10)}")
    made.send("hello")
    assert made.recv() == "hello"
    with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionError)):
        made.recv()


def test_a_request_to_a_port_is_activity(make_server, program):
    server = make_server()
    with server.client() as client:
        assert client.get("/v1/activity").json["lastInputAt"] is None
        assert client.send("GET", "/", Host=program.host).body == b"hello"
        assert client.get("/v1/activity").json["lastInputAt"] is not None
