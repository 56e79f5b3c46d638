"""Tests running commands in a sandbox: each byte and each code is right, whatever breaks."""

import contextlib
import hashlib
import os
import signal

import pytest

from server import Socket, eventually, make_token
from stand.process import PATIENCE


def test_a_command_gives_its_output_and_its_code(client):
    assert client.run("echo out; echo err >&2; exit 3") == (3, b"out\n", b"err\n")
    assert client.run(["printf", "%s|", "a b", "", "$HOME"]) == (0, b"a b||$HOME|", b"")


def test_a_command_that_is_killed_says_by_what(client):
    assert client.run("kill -9 $$") == ("KILL", b"", b"")
    assert client.run("kill -TERM $$")[0] == "TERM"


def test_it_runs_in_the_requested_folder_and_environment(client, server):
    (server.home / "work").mkdir(exist_ok=True)
    code, out, _ = client.run("pwd; echo $A-$B-${HOME+set}-${TTYD_ACCESS_TOKEN+set}",
                              directory=str(server.home / "work"),
                              environment={"A": "1 2", "B": "✓", "HOME": None})
    assert (code, out.decode()) == (0, f"{server.home}/work\n1 2-✓--\n")


@pytest.mark.parametrize("members, status, code", [
    ({"command": ["no-such-program"]}, 404, "NO_SUCH_PROGRAM"),
    ({"command": "true", "directory": "/nowhere"}, 404, "NO_SUCH_DIRECTORY"),
    ({"command": []}, 400, "INVALID_REQUEST"),
    ({"command": [1]}, 400, "INVALID_REQUEST"),
    ({"command": ""}, 400, "INVALID_REQUEST"),
    ({"command": "a\0b"}, 400, "INVALID_REQUEST"),
    ({"command": "true", "comand": "x"}, 400, "INVALID_REQUEST"),
    ({"command": "true", "terminal": {"columns": 0, "rows": 5}}, 400, "INVALID_REQUEST"),
    ({"command": "true", "environment": {"A=B": "x"}}, 400, "INVALID_REQUEST"),
    ({"command": "true", "overflow": "lose"}, 400, "INVALID_REQUEST"),
    ({"command": "true", "name": "A"}, 400, "INVALID_REQUEST"),
    ({"command": "true", "unattended": 0}, 400, "INVALID_REQUEST"),
    ({"command": "true", "unattended": 604801}, 400, "INVALID_REQUEST"),
    ({"command": "true", "unattended": "600"}, 400, "INVALID_REQUEST"),
    ({}, 400, "INVALID_REQUEST"),
])
def test_a_failed_start_says_why(client, members, status, code):
    answer = client.send("POST", "/v1/processes", members)
    assert (answer.status, answer.json["errorCode"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert client.run("true")[0] == 0  # on the same connection


def test_without_input_a_program_reads_nothing_and_ends_by_itself(client):
    assert client.run("cat; echo done") == (0, b"done\n", b"")


def test_a_program_that_never_reads_its_input_runs_to_its_end(client):
    assert client.run("echo done", stdin=True) == (0, b"done\n", b"")


def test_standard_input_is_closed_by_itself(client):
    process = client.start("cat; echo done", stdin=True)
    written = client.send("POST", f"/v1/processes/{process['id']}/stdin", b"abc",
                          {"offset": 0, "wait": 10})
    assert written.json["stdinOffset"] == 3 and written.json["status"] == "running"
    # When the response is lost, a repeated request has no second effect.
    client.send("POST", f"/v1/processes/{process['id']}/stdin", b"abcdef", {"offset": 0, "wait": 10})
    client.send("POST", f"/v1/processes/{process['id']}/stdin", b"",
                {"offset": 6, "end": "true", "wait": 10})
    assert client.output(process) == b"abcdefdone\n"
    late = client.send("POST", f"/v1/processes/{process['id']}/stdin", b"x", {"offset": 6})
    assert (late.status, late.json["errorCode"]) == (409, "STDIN_CLOSED")


def test_input_beyond_what_was_written_is_refused(client):
    process = client.start("cat", stdin=True)
    answer = client.send("POST", f"/v1/processes/{process['id']}/stdin", b"x", {"offset": 5})
    assert (answer.status, answer.json["errorCode"]) == (409, "WRONG_OFFSET")
    assert client.send("DELETE", f"/v1/processes/{process['id']}").status == 204
    assert client.get(f"/v1/processes/{process['id']}").status == 404


def test_a_retry_never_runs_twice(client, server):
    first = client.start("echo x >>twice", key="a-key")
    again = client.start("echo x >>twice", key="a-key")
    assert first["id"] == again["id"]
    client.ended(first)
    assert (server.home / "twice").read_text() == "x\n"
    other = client.send("POST", "/v1/processes", {"command": "true"}, Idempotency_Key="a-key")
    assert (other.status, other.json["errorCode"]) == (409, "IDEMPOTENCY_MISMATCH")


def test_a_retry_after_the_first_was_forgotten_does_not_run_either(client, server):
    first = client.start("echo x >>forgotten", key="long-ago")
    client.ended(first)
    assert client.send("DELETE", f"/v1/processes/{first['id']}").status == 204
    again = client.send("POST", "/v1/processes", {"command": "echo x >>forgotten"},
                        Idempotency_Key="long-ago")
    assert (again.status, again.json["errorCode"]) == (410, "FORGOTTEN")
    assert (server.home / "forgotten").read_text() == "x\n"


def test_a_thousand_commands_have_the_right_bytes_and_codes(server):
    with server.socket() as opened:
        for i in range(1000):
            text = f"{i} " * (i % 50)
            code, out, err = opened.run(["sh", "-c", f'printf "%s" "{text}"; printf {i} >&2; '
                                                     f"exit {i % 256}"])
            assert (code, out, err) == (i % 256, text.encode(), str(i).encode())


@pytest.mark.parametrize("terminal", [None, {"columns": 80, "rows": 24}])
def test_the_last_words_of_a_program_are_not_cut_off(server, terminal):
    with server.socket() as opened:
        for _ in range(100):
            code, out, _ = opened.run("seq 1 1000; exit 7", terminal=terminal)
            lines = out.replace(b"\r\n", b"\n").split()
            assert code == 7 and lines == [b"%d" % n for n in range(1, 1001)]


def test_much_output_arrives_whole(server):
    with server.socket() as opened:
        code, out, _ = opened.run("head -c 30000000 /dev/zero | tr '\\0' x; exit 5")
    assert code == 5 and len(out) == 30000000 and out.count(b"x") == len(out)


def test_output_of_a_child_that_stays_does_not_hold_up_the_end(client):
    assert client.run("sleep 100 & echo started; exit 4")[:2] == (4, b"started\n")


def test_a_killed_client_continues_where_it_stopped(server):
    """The connection is cut repeatedly in the middle, once with much unacknowledged output."""
    whole = b"".join(b"%d\n" % n for n in range(200000))
    streams = {1: bytearray(), 2: bytearray()}
    with server.socket() as opened:
        opened.send(type="start", command="seq 0 199999; exit 9")
        process = opened.expect("process")["id"]
        opened.follow(streams, until=lambda s: len(s[1]) > 100000)
    for goal in (300000, 700000, 1000000, None):
        with server.socket() as opened:
            opened.send(type="attach", id=process, stdout=len(streams[1]), stderr=0)
            opened.expect("process")
            end, _ = opened.follow(streams, acknowledge=goal != 300000,
                                   until=goal and (lambda s: len(s[1]) > goal))
    assert end["type"] == "exit" and end["exitCode"] == 9
    assert streams[1] == whole


def test_unacknowledged_output_waits_and_is_not_lost(server, client):
    with server.socket() as opened:
        opened.send(type="start", command="seq 0 199999")
        process = opened.expect("process")
        opened.follow(acknowledge=False, until=lambda s: len(s[1]) > 200000)
    assert client.get(f"/v1/processes/{process['id']}").json["status"] == "running"
    whole = client.output(process)
    assert whole == b"".join(b"%d\n" % n for n in range(200000))


def test_dropped_output_is_reported(server, client):
    process = client.ended(client.start("seq 0 199999", overflow="drop"))
    assert process["status"] == "ended"
    answer = client.get(f"/v1/processes/{process['id']}/stdout", offset=0)
    offset = int(answer.headers["Output-Offset"])
    assert offset > 0 and offset + len(answer.body) == process["stdoutSize"]
    assert answer.body.endswith(b"199998\n199999\n")
    with server.socket() as opened:
        opened.send(type="attach", id=process["id"], stdout=0, stderr=0)
        opened.expect("process")
        lost = opened.expect("lost")
        assert (lost["stream"], lost["from"], lost["to"]) == ("stdout", 0, offset)


# ---- terminals -----------------------------------------------------------------------------------


def test_a_terminal_is_one_and_changes_its_size(server):
    with server.socket() as opened:
        opened.send(type="start", command="tty; stty size; read line; stty size; exit 6",
                    terminal={"columns": 100, "rows": 30})
        opened.expect("process")
        _, streams = opened.follow(until=lambda s: b"30 100" in s[1])
        opened.send(type="size", columns=70, rows=20)
        opened.send_bytes(b"\r")
        end, streams = opened.follow(streams)
    assert b"/dev/pts/" in streams[1] and b"20 70" in streams[1] and end["exitCode"] == 6


def test_control_c_and_signals_reach_the_program(server):
    with server.socket() as opened:
        opened.send(type="start", command="trap 'echo caught; exit 8' INT; echo up; "
                                          "while :; do read -t 1 x; done",
                    terminal={"columns": 80, "rows": 24})
        opened.expect("process")
        _, streams = opened.follow(until=lambda s: b"up" in s[1])
        opened.send_bytes(b"\x03")
        end, streams = opened.follow(streams)
        assert end["exitCode"] == 8 and b"caught" in streams[1]
        opened.send(type="start", command=["sleep", "1000"])
        opened.expect("process")
        opened.send(type="signal", signal="TERM")
        assert opened.follow()[0]["signal"] == "TERM"


def test_a_paste_of_100_kilobytes_into_a_terminal_arrives(server):
    lines = b"".join(b"%06d" % n + b"x" * 93 + b"\n" for n in range(1024))
    with server.socket() as opened:
        opened.send(type="start", command="stty -echo; echo up; head -n 1024 | sha256sum",
                    terminal={"columns": 80, "rows": 24})
        opened.expect("process")
        _, streams = opened.follow(until=lambda s: b"up" in s[1])
        sent = taken = 0
        while taken < len(lines):
            part = lines[sent:taken + 65536]
            opened.send_bytes(part)
            sent += len(part)
            message = opened.receive()
            if isinstance(message, dict) and message["type"] == "stdin":
                taken = message["stdinOffset"]
        end, streams = opened.follow(streams)
    assert hashlib.sha256(lines).hexdigest().encode() in streams[1]


def test_more_input_than_announced_ends_the_connection_and_not_the_process(server, client):
    with server.socket() as opened:
        opened.send(type="start", command=["sleep", "1000"], stdin=True)
        process = opened.expect("process")
        for _ in range(5):
            opened.send_bytes(b"x" * 60000)
        while (message := opened.receive())["type"] == "stdin":
            pass
        assert message["errorCode"] == "TOO_LARGE"
        assert opened.receive() is None
    assert client.get(f"/v1/processes/{process['id']}").json["status"] == "running"
    client.send("DELETE", f"/v1/processes/{process['id']}")


def test_much_input_goes_through_a_filter(server):
    data = os.urandom(1 << 20)
    with server.socket() as opened:
        opened.send(type="start", command=["cat"], stdin=True)
        opened.expect("process")
        sent = taken = 0
        out = bytearray()
        while len(out) < len(data):
            while sent < min(len(data), taken + 65536):
                part = data[sent:min(sent + 16384, taken + 65536)]
                opened.send_bytes(part)
                sent += len(part)
            message = opened.receive()
            if isinstance(message, bytes):
                out += message[9:]
                opened.send(type="ack", stdout=len(out), stderr=0)
            else:
                taken = message["stdinOffset"]
        opened.send(type="end")
        end, _ = opened.follow({1: out, 2: bytearray()})
    assert out == data and end["exitCode"] == 0


def test_a_removed_process_is_gone_with_its_children(client):
    process = client.start("sleep 1000 & echo $!; wait")
    answer = client.get(f"/v1/processes/{process['id']}/stdout", wait=30)
    child = int(answer.body)
    assert client.send("DELETE", f"/v1/processes/{process['id']}").status == 204
    end = 0
    while end < PATIENCE * 100:
        try:
            with open(f"/proc/{child}/stat") as file:
                if file.read().split(") ")[1][0] == "Z":
                    return
        except FileNotFoundError:
            return
        end += 1
        os.sched_yield()
    raise AssertionError("the child still runs")


def is_gone(pid):
    """Whether a process has ended, reaped or not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(") ")[2][0] == "Z"
    except FileNotFoundError:
        return True


def start_with_a_child_that_stays(client):
    """A process that has ended, and the child in its group that ignores TERM."""
    process = client.start("(trap '' TERM; echo $BASHPID; exec sleep 1000) & read -t 1 <&1; exit 4")
    child = int(client.get(f"/v1/processes/{process['id']}/stdout", wait=30).body)
    assert client.ended(process)["exitCode"] == 4 and not is_gone(child)
    return f"/v1/processes/{process['id']}", child


def test_processes_left_running_can_be_ended(client):
    path, child = start_with_a_child_that_stays(client)
    for name in ("TERM", "KILL"):
        assert client.send("POST", f"{path}/signal", {"signal": name}).status == 204
        assert name == "KILL" or not is_gone(child)
    eventually(lambda: is_gone(child))
    late = client.send("POST", f"{path}/signal", {"signal": "KILL"})
    assert (late.status, late.json["errorCode"]) == (409, "PROCESS_ENDED")


def test_removing_a_process_ends_what_it_left_running(client, server):
    path, child = start_with_a_child_that_stays(client)
    assert client.send("DELETE", path).status == 204
    eventually(lambda: is_gone(child))
    assert client.get(path).status == 404


# ---- unattended ----------------------------------------------------------------------------------


def test_a_terminal_that_was_left_is_hung_up(server, client):
    terminal = {"columns": 80, "rows": 24}
    with server.socket() as opened:
        opened.send(type="start", command="echo up; exec sleep 1000", terminal=terminal, unattended=1)
        process = opened.expect("process")
        opened.follow(until=lambda s: b"up" in s[1])
    # Without waiting, which would count as attendance.
    eventually(lambda: client.get(f"/v1/processes/{process['id']}").json["status"] == "ended")
    ended = client.get(f"/v1/processes/{process['id']}").json
    assert (ended["signal"], ended["unattended"]) == ("HUP", True)


def test_an_attended_terminal_is_kept(server, client):
    with server.socket() as opened:
        opened.send(type="start", command="sleep 4; echo over", unattended=1)
        opened.expect("process")
        end, streams = opened.follow()
    assert (end["exitCode"], end["unattended"], streams[1]) == (0, False, b"over\n")


def test_a_process_that_nobody_attends_runs_to_its_end(client, server):
    """Its output is longer than what is kept, and it must not be hung up."""
    process = client.start("seq 0 199999; touch alone", overflow="drop")
    eventually(lambda: (server.home / "alone").exists())
    ended = client.ended(process)
    assert (ended["exitCode"], ended["unattended"]) == (0, False)


def test_waiters_hear_once_of_a_removed_process(server, client):
    process = client.start(["sleep", "1000"])
    path = f"/v1/processes/{process['id']}"
    head = f" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {make_token()}\r\n\r\n"
    with contextlib.closing(server.connect()) as first, contextlib.closing(server.connect()) as second:
        for waiting, more in ((first, ""), (second, f"DELETE {path}{head}")):
            waiting.sendall(f"GET {path}?wait=60{head}{more}".encode())
            assert client.get("/v1/health").status == 200  # by now the wait has begun
        assert client.send("POST", f"{path}/signal", {"signal": "KILL"}).status == 204
        first.sendall(b"GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answers = b"".join(iter(lambda: first.recv(65536), b""))
    assert [part[:3] for part in answers.split(b"HTTP/1.1 ")[1:]] == [b"404", b"200"]


def test_a_signal_that_there_is_not_is_refused(client):
    process = client.start(["sleep", "1000"])
    path = f"/v1/processes/{process['id']}/signal"
    assert client.send("POST", path, {"signal": "SEGV"}).status == 400
    assert client.send("POST", path, {"signal": "KILL"}).status == 204
    assert client.ended(process)["signal"] == signal.Signals.SIGKILL.name.removeprefix("SIG")
    assert client.send("POST", path, {"signal": "KILL"}).json["errorCode"] == "PROCESS_ENDED"


def test_processes_are_listed(client):
    process = client.start(["sleep", "1000"], name="worker")
    listed = client.get("/v1/processes").json["processes"]
    assert [p for p in listed if p["id"] == process["id"]][0]["name"] == "worker"
    client.send("DELETE", f"/v1/processes/{process['id']}")


def test_unknown_names_are_reported(server, client):
    long = "x" + "\u00e4" * 200
    refused = client.send("POST", "/v1/processes", {"command": "true", long: 1})
    assert (refused.status, refused.json["errorCode"]) == (400, "INVALID_REQUEST")
    with server.socket() as opened:
        opened.send(type=long)
        assert opened.expect("error")["status"] == 400
        opened.send(type="start", command="true", idempotencyKey=1)
        assert opened.expect("error")["status"] == 400
        assert opened.run("echo on")[1] == b"on\n"



def test_too_many_processes_are_refused(make_server):
    """The limits are 128 in all, and 64 per token."""
    server = make_server()
    with contextlib.ExitStack() as clients:
        first, second = [clients.enter_context(server.client(jti=jti)) for jti in "ab"]
        for client, most, why in ((first, 64, "64 processes of this token"),
                                  (second, 64, "128 processes")):
            for n in range(most + 1):
                answer = client.send("POST", "/v1/processes", {"command": ["sleep", "1000"]})
                assert answer.status == (201 if n < most else 429), answer.body
            assert why in answer.json["error"] and answer.headers["Retry-After"]
    assert Socket(server.port, token=make_token()).raw.connected
