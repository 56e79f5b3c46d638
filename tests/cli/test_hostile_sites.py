"""Malicious sites, and sites that are not what they claim to be: a real HTTP server that sends what a test wants."""

import http.server
import io
import json
import os
import signal
import socket
import ssl
import subprocess
import tarfile
import threading

import pytest

from stand.kube.pki import Authority
from terminal import Terminal

ID = "0b6edea4-9104-46d7-91ce-c8b72c504e95"
TOKEN = "fsa_" + "T" * 43
ESCAPES = "\x1b]0;owned\x07\x1b[2J\u009b31mname\r"


class Hostile(http.server.ThreadingHTTPServer):
    """Answers every request with answer(path) → (status, headers, chunks), and records what was sent."""

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
        pass  # hanging up on it is the right thing to do


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
    """Makes malicious servers."""
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


@pytest.mark.parametrize("words", [["projects"], ["status", ID], ["explain", ID]], ids=" ".join)
def test_json_has_every_control_character_escaped(home, hostile, words):
    name = ESCAPES + "\x7f\u0080\u009f ünï"
    bad = {**project(), "name": name}
    server = hostile(lambda path: told([bad] if path == "/api/projects" else bad))
    done = home(*words, "--json", env=at(server))
    found = json.loads(done.stdout)
    assert is_clean(done.stdout) and "ünï" in done.stdout
    assert (found[0] if words == ["projects"] else found)["name"] == name


def test_what_a_crashed_sandbox_printed_is_explained_without_its_escape_sequences(home, hostile):
    there = project()
    there["sandboxes"][0] |= {"id": ID, "projectId": ID, "cause": {"kind": "POD_CRASH"}}
    crashed = {"cause": {"kind": "POD_CRASH", "log": {"text": f"Error:\n{ESCAPES}\n"}}}
    site = hostile(lambda path: told(crashed if path.endswith(f"/sandboxes/{ID}") else there))
    text = home("explain", ID, env=at(site)).stdout
    assert "before it ended\nError:\n" in text and is_clean(text)


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


def test_a_name_that_begins_like_this_machine_is_not_it(home):
    done = home("login", "http://127.site.invalid", "--token", input=TOKEN, status=1)
    assert "reached by https" in done.stderr


def test_a_proxy_does_not_get_what_goes_without_tls(home, hostile):
    proxy, site = hostile(lambda path: told([])), hostile(lambda path: told([]))
    home("projects", env={**at(site), "http_proxy": proxy.url, "ALL_PROXY": proxy.url})
    assert len(site.requests) == 1 and proxy.requests == []


# ---- a malicious sandbox -------------------------------------------------------------------------

DEFAULT = {"stdout": b"", "token": "t", "exitCode": None, "signal": "KILL"}


def sandbox_of(site, url=None, **rest):
    """Returns the answer() of a site and of a sandbox whose process prints something and ends."""
    known = {**DEFAULT, **rest}

    def answer(path):
        if path.endswith("/tokens"):
            return told({"token": known["token"], "url": url or site[0].url}, 201)
        if "/stdout" in path or "/stderr" in path:
            output = known["stdout"] if "/stdout" in path else b""
            return 200, {"Output-Offset": "0", "Output-End": "true"}, [output]
        if path.startswith("/v1/processes"):
            return told({"id": "a" * 16, "status": "ended", "exitCode": known["exitCode"],
                         "signal": known["signal"]})
        if path.startswith("/v1/files/stat"):
            return told({"type": "directory"})
        return told(project())

    return answer


def make_sandbox(hostile, tls=None, **rest):
    made = []
    made.append(hostile(sandbox_of(made, **rest), tls=tls))
    return made[0]


def test_a_site_elsewhere_has_no_requests_made_to_this_machine(home, hostile, tmp_path):
    here = hostile(lambda path: told({}))
    authority = Authority(tmp_path / "ca", "somebody")
    site = make_sandbox(hostile, url=here.url,
                        tls=authority.issue("s", "site", hosts=["127.0.0.1"]))
    env = {**at(site), "FSA_CA_FILE": str(authority.cert)}
    assert "on this machine" in home("run", ID, "--", "true", env=env, status=255).stderr
    assert here.requests == []


def test_a_token_is_not_a_way_to_write_a_request(home, hostile):
    site = make_sandbox(hostile, token="t\r\nEvil: yes")
    home("run", ID, "--", "true", env=at(site), status=255)
    assert not any("Evil" in headers for _, headers in site.requests)


def test_a_token_that_ends_meanwhile_is_renewed(home, hostile):
    """After the first request, the token is refused."""
    made, tokens, requests = [], [], []
    there = sandbox_of(made, exitCode=0, signal=None, stdout=b"all of it\n")

    def answer(path):
        if path.endswith("/tokens"):
            tokens.append(f"token-{len(tokens)}")
            return told({"token": tokens[-1], "url": made[0].url}, 201)
        if path.startswith("/v1/"):
            token = next(headers["Authorization"] for asked, headers in reversed(made[0].requests)
                         if asked == path)
            requests.append(token)
            if requests.count(token) > 1 and len(tokens) < 3:
                return told({"error": "expired", "errorCode": "UNAUTHORIZED"}, 401)
        return there(path)

    made.append(hostile(answer))
    assert home("run", "--no-input", ID, "--", "true", env=at(made[0])).stdout == "all of it\n"
    assert len(tokens) == 3 and requests[-1] == f"Bearer {tokens[-1]}"


def test_a_word_that_cannot_be_sent_is_not_left_out(home, hostile):
    site = make_sandbox(hostile)
    done = home("run", ID, "--", "rm", os.fsdecode(b"\xff"), "x", env=at(site), status=255)
    assert "word 2" in done.stderr and "UTF-8" in done.stderr
    assert not any(path == "/v1/processes" for path, _ in site.requests)


def test_a_sandboxd_that_is_older_has_terminals_too(home, hostile):
    """It does not support hanging up unattended processes, and says so."""
    made, starts = [], []
    there = sandbox_of(made, exitCode=0, signal=None, stdout=b"in the shell\r\n")

    def answer(path):
        if path == "/v1/processes":
            starts.append(made[0].requests[-1][1]["Content-Length"])
            if len(starts) == 1:
                return told({"error": "unknown: unattended", "errorCode": "INVALID_REQUEST"}, 400)
        return there(path)

    made.append(hostile(answer))
    terminal = Terminal(home.program, "shell", ID, env={**home.env, **at(made[0])})
    terminal.until("in the shell")
    assert terminal.end() == 0 and int(starts[0]) > int(starts[1])


@pytest.mark.parametrize("words", [["run", ID, "--", "true"], ["cp", f"{ID}:x", "to"]], ids=" ".join)
def test_output_that_is_lost_is_told_whatever_the_exit_code(home, hostile, tmp_path, words):
    made = []
    there = sandbox_of(made, exitCode=0, signal=None)

    def answer(path):
        if "/stdout" in path:
            return 200, {"Output-Offset": "100", "Output-End": "true"}, [b"the rest"]
        return there(path)

    made.append(hostile(answer))
    words = [str(tmp_path / word) if word == "to" else word for word in words]
    done = home(*words, env=at(made[0]), status=None)
    assert done.returncode in (1, 255) and "100 bytes of stdout are lost" in done.stderr


def test_half_a_folder_is_not_taken_for_all_of_it(home, hostile, tmp_path):
    site = make_sandbox(hostile, stdout=bytes(10240))  # the end of an archive
    done = home("cp", f"{ID}:x", tmp_path / "x", env=at(site), status=1)
    assert "killed" in done.stderr
    site = make_sandbox(hostile, stdout=bytes(10240), exitCode=0, signal=None)
    home("cp", f"{ID}:x", tmp_path / "x", env=at(site))


def test_a_folder_comes_to_lie_where_it_was_wanted(home, hostile, tmp_path):
    """The first archive contains a link, through which tar would write the second."""
    outside, to = tmp_path / "outside", tmp_path / "to"
    outside.mkdir()
    home("cp", f"{ID}:x", to, env=at(make_sandbox(
        hostile, exitCode=0, signal=None, stdout=archive("x", link=str(outside)))))
    assert (to / "x").is_symlink()
    second = make_sandbox(hostile, exitCode=0, signal=None, stdout=archive("x/evil"))
    done = home("cp", f"{ID}:x", to, env=at(second), status=1)
    assert str(to / "x") in done.stderr and list(outside.iterdir()) == []
    (to / "x").unlink()
    home("cp", f"{ID}:x", to, env=at(second))
    assert (to / "x" / "evil").stat().st_mode & 0o7000 == 0


def archive(name, link=None):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.mode = 0o4755
        if link:
            member.type, member.linkname = tarfile.SYMTYPE, link
        tar.addfile(member)
    return file.getvalue()


def test_who_interrupts_while_the_sandbox_is_away_is_let_go(home, hostile):
    made = []
    there = sandbox_of(made)

    def answer(path):
        if "stdout?offset=0" in path:
            return 200, {"Output-Offset": "0", "Output-End": "false"}, [b"ready\n"]
        if path.startswith("/v1/processes/"):
            return told({"error": "away"}, 503)
        return there(path)

    made.append(hostile(answer))
    with subprocess.Popen([home.program, "run", ID, "--", "sleep", "60"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**home.env, **at(made[0])}) as running:
        assert running.stdout.readline() == b"ready\n"
        running.send_signal(signal.SIGINT)
        assert b"may go on without you" in running.stderr.read()
    assert running.returncode == 255


def test_a_full_disk_is_not_told_as_a_site_out_of_reach(home, hostile, tmp_path):
    made = []
    there = sandbox_of(made)

    def answer(path):
        if path.startswith("/v1/files/stat"):
            return told({"type": "file"})
        return (200, {}, [bytes(1 << 20)]) if path.startswith("/v1/files") else there(path)

    made.append(hostile(answer))
    to = tmp_path / "to"
    done = in_shell(home, f"trap '' XFSZ; ulimit -f 1; exec \"$0\" cp {ID}:x {to}", made[0])
    assert done.returncode == 1 and "space" in done.stderr and not to.exists()


def test_a_closed_standard_input_is_an_empty_one(home, hostile):
    made, ended = [], []
    there = sandbox_of(made, exitCode=0, signal=None)

    def answer(path):
        if "/stdin" in path:
            ended.append("end=true" in path)
            return told({"stdinOffset": 0})
        if "/stdout" in path and not ended:
            return 200, {"Output-Offset": "0", "Output-End": "false"}, []
        return there(path)

    made.append(hostile(answer))
    assert in_shell(home, f"exec \"$0\" run {ID} -- cat <&-", made[0]).returncode == 0
    assert ended == [True]


def test_an_error_is_json_whatever_it_is_about(home, hostile):
    done = home("cp", "--json", os.fsdecode(b"/no/\xff"), f"{ID}:x",
                env=at(make_sandbox(hostile)), status=1)
    assert "/no/" in json.loads(done.stderr)["error"]


def test_who_waits_for_a_project_outlasts_a_site_that_is_away_for_a_moment(home, hostile):
    asked = []

    def answer(path):
        asked.append(path)
        if len(asked) == 2:
            return told({"error": "a moment, please"}, 503)
        return told({"id": ID, "name": "x", "status": "RUNNING" if len(asked) > 2 else "CREATING"})

    assert "RUNNING" in home("create", "x", "--wait", env=at(hostile(answer))).stdout
    assert len(asked) == 3


def in_shell(home, script, site):
    return subprocess.run(["sh", "-c", script, home.program], env={**home.env, **at(site)}, text=True,
                          capture_output=True, timeout=120)


def test_a_response_that_ends_among_its_headers_is_none(home):
    """libcurl takes it for a complete, empty response; fsa repeats the request."""
    answers = [b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n",
               b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]"]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            for answer in answers:
                connection, _ = listener.accept()
                with connection, connection.makefile("rb") as request:
                    while request.readline().strip():
                        pass
                    connection.sendall(answer)

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        env = {"FSA_SITE": f"http://127.0.0.1:{listener.getsockname()[1]}", "FSA_TOKEN": TOKEN}
        assert home.json("projects", env=env) == []
        serving.join()
