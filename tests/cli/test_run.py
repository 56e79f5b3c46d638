"""Tests running commands and copying files with fsa and the real sandboxd."""

import json
import os
import signal
import socket
import subprocess
from types import SimpleNamespace

import pytest
import requests

from ingress import Ingress

DATA = os.urandom(1 << 20) * 2


def test_a_command_runs_as_if_it_ran_here(fsa):
    done = fsa("run", "shop", "--", "sh", "-c", "echo out; echo err >&2; exit 7", status=7)
    assert (done.stdout, done.stderr) == (b"out\n", b"err\n")
    assert fsa("run", "shop", "printf", "%s|", "-a", "two words", "$HOME").stdout == \
        b"-a|two words|$HOME|"
    fsa("run", "shop", "sh", "-c", "kill -9 $$", status=137)


def test_every_byte_goes_in_and_comes_out(fsa):
    assert fsa("run", "shop", "--", "cat", data=DATA).stdout == DATA
    assert fsa("run", "shop", "--", "wc", "-c").stdout.strip() == b"0"  # only the end of the input


def test_a_command_ends_without_input_and_without_reading_it(fsa):
    assert fsa("run", "--no-input", "shop", "--", "cat", data=b"not sent").stdout == b""
    assert fsa("run", "--no-input", "shop", "--", "sh", "-c",
               "cat; sleep 0.3; echo still here").stdout == b"still here\n"
    assert fsa("run", "shop", "--", "echo", "done", data=DATA).stdout == b"done\n"
    assert fsa("run", "shop", "--", "head", "-c", "3", data=b"abcdef" * 50000).stdout == b"abc"


def test_no_byte_is_lost_or_doubled_when_connections_are_cut(fsa, inside):
    with inside.line.that_breaks() as line:
        done = fsa("run", "shop", "--", "tee", "/dev/stderr", data=DATA)
    assert done.stdout == DATA and done.stderr == DATA and line.cuts > 5


def test_an_interrupt_is_the_commands(fsa):
    command = "trap 'echo interrupted; exit 9' INT; echo ready; while :; do sleep 0.1; done"
    with subprocess.Popen([fsa.program, "run", "shop", "--", "sh", "-c", command], env=fsa.env,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as running:
        assert running.stdout.readline() == b"ready\n"
        running.send_signal(signal.SIGINT)
        assert running.stdout.read() == b"interrupted\n"
    assert running.returncode == 9


def test_a_signal_that_is_ignored_here_is_not_the_commands(fsa):
    command = "trap 'echo hung up' HUP; trap 'exit 9' INT; echo ready; while :; do sleep 0.1; done"
    with subprocess.Popen(["nohup", fsa.program, "run", "shop", "--", "sh", "-c", command], env=fsa.env,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as running:
        assert running.stdout.readline() == b"ready\n"
        running.send_signal(signal.SIGHUP)
        running.send_signal(signal.SIGINT)
        assert running.stdout.read() == b""
    assert running.returncode == 9


def test_a_command_whose_output_is_not_read_gets_sighup(fsa, inside):
    command = "trap 'touch hung-up; exit' HUP; while :; do echo more; done"
    with subprocess.Popen([fsa.program, "run", "shop", "--", "bash", "-c", command], env=fsa.env,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as running:
        running.stdout.readline()
        running.stdout.close()
    assert (inside.home / "hung-up").exists()


def test_the_result_as_json(fsa):
    done = json.loads(fsa("run", "--json", "shop", "--", "sh", "-c", "printf 'a\\377b'; exit 3",
                          status=3).stdout)
    assert done == {"exitCode": 3, "signal": None, "stdout": "a?b", "stderr": ""}


@pytest.mark.parametrize("words, told", [
    (["shop", "--", "no-such-program"], "no-such-program"),
    (["nothing", "--", "true"], "fsa projects"),
])
def test_a_command_that_cannot_run_has_its_own_exit_code(fsa, words, told):
    assert told in fsa("run", *words, status=255).stderr.decode()


def test_the_site_carries_nothing_of_it(fsa, inside, served):
    log = served.site.nginx.directory
    fsa("run", "shop", "--", "echo", "only-inside-the-sandbox")
    assert not any(b"only-inside" in path.read_bytes() for path in log.rglob("*.log"))


# ---- files --------------------------------------------------------------------------------------


def test_a_file_goes_there_and_back(fsa, inside, tmp_path):
    (tmp_path / "tool").write_bytes(DATA)
    (tmp_path / "tool").chmod(0o755)
    fsa("cp", tmp_path / "tool", "shop:new/folder/tool")
    there = inside.home / "new" / "folder" / "tool"
    assert there.read_bytes() == DATA and there.stat().st_mode & 0o777 == 0o755
    fsa("cp", tmp_path / "tool", "shop:new")  # into an existing folder
    fsa("cp", "shop:new/tool", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == DATA
    assert (tmp_path / "back").stat().st_mode & 0o111 == 0o111
    assert json.loads(fsa("cp", "--json", "shop:new/tool", tmp_path).stdout)["from"] == "shop:new/tool"


def test_a_file_arrives_whole_over_connections_that_are_cut(fsa, inside, tmp_path):
    content = os.urandom(3 << 20)
    (tmp_path / "large").write_bytes(content)
    with inside.line.that_breaks() as line:
        before = line.cuts
        fsa("cp", tmp_path / "large", "shop:large")
        assert (inside.home / "large").read_bytes() == content and line.cuts > before + 5
        before = line.cuts
        fsa("cp", "shop:large", tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == content and line.cuts > before + 5
    (tmp_path / "empty").touch()
    fsa("cp", tmp_path / "empty", "shop:large")
    assert (inside.home / "large").read_bytes() == b""


@pytest.fixture
def through_ingress(inside, workspace):
    """The way to the sandbox is by an ingress for the duration of the test."""
    direct = inside.line.connect
    with Ingress(workspace / "ingress", inside.sandbox.port) as ingress:
        inside.line.connect = lambda: socket.create_connection(("127.0.0.1", ingress.port))
        inside.line.cut()
        yield ingress
        inside.line.connect = direct
        inside.line.cut()


def test_an_ingress_that_limits_requests_limits_no_file(fsa, inside, tmp_path, through_ingress):
    content = os.urandom(40_000_000)
    (tmp_path / "large").write_bytes(content)
    url = f"http://127.0.0.1:{through_ingress.port}/"
    assert requests.put(url, content).status_code == 413  # it does
    fsa("cp", tmp_path / "large", "shop:large")
    assert (inside.home / "large").read_bytes() == content
    fsa("cp", "shop:large", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == content


def interrupted_once(fsa, begun, *words):
    """Interrupts fsa when begun() is true; returns its error output."""
    with subprocess.Popen([fsa.program, *map(str, words)], env=fsa.env, stdin=subprocess.DEVNULL,
                          stderr=subprocess.PIPE) as copying:
        while not begun():
            assert copying.poll() is None, copying.stderr.read()
            os.sched_yield()
        copying.send_signal(signal.SIGINT)
        said = copying.stderr.read()
    assert copying.returncode == 130
    return said


@pytest.fixture
def endless(tmp_path, inside):
    """A local and a remote file that take longer to copy than a test waits; they use no disk space."""
    paths = tmp_path / "endless" / "file", inside.home / "endless" / "file"
    for path in paths:
        path.parent.mkdir()
        with path.open("wb") as file:
            file.truncate(1 << 40)
    yield
    for path in paths:
        path.unlink()
        path.parent.rmdir()


def test_an_interrupted_copy_leaves_nothing(fsa, inside, tmp_path, endless):
    said = interrupted_once(fsa, lambda: list(tmp_path.glob("here.fsa-*")),
                            "cp", "shop:endless/file", tmp_path / "here")
    assert said == b"fsa: interrupted\n"
    assert [path.name for path in tmp_path.iterdir()] == ["endless"]
    there = inside.home / "there"
    interrupted_once(fsa, there.exists, "cp", tmp_path / "endless", "shop:there")
    running = json.loads(fsa("run", "--json", "shop", "--", "pgrep", "-cfx", "tar -xf - -C there",
                             status=1).stdout)
    assert running["stdout"] == "0\n"
    (there / "file").unlink(missing_ok=True)


def test_a_folder_goes_there_and_back(fsa, inside, tmp_path):
    source = tmp_path / "source"
    (source / "deep er").mkdir(parents=True)
    (source / "deep er" / "ünïcode").write_bytes(DATA[:5000])
    (source / "run.sh").write_text("#!/bin/sh\n")
    (source / "run.sh").chmod(0o750)
    (source / "link").symlink_to("run.sh")
    fsa("cp", source, "shop:it's here")
    assert (inside.home / "it's here" / "deep er" / "ünïcode").read_bytes() == DATA[:5000]
    fsa("cp", "shop:it's here", tmp_path / "back")
    back = tmp_path / "back"
    assert (back / "run.sh").stat().st_mode & 0o777 == 0o750
    assert os.readlink(back / "link") == "run.sh"
    assert (back / "deep er" / "ünïcode").read_bytes() == DATA[:5000]


@pytest.mark.parametrize("words, status, told", [
    (["shop:no/such", "x"], 4, "no/such"), (["x", "y"], 2, "PROJECT:PATH"),
    (["shop:a", "shop:b"], 2, "PROJECT:PATH"), (["/no/such", "shop:x"], 1, "/no/such"),
    (["shop:/etc/passwd", "x"], 5, ""), (["/dev/null", "shop:x"], 1, "neither"),
])
def test_a_failed_copy_is_reported_and_leaves_nothing(fsa, tmp_path, words, status, told):
    words = [str(tmp_path / word) if word in ("x", "y") else word for word in words]
    assert told in fsa("cp", *words, status=status).stderr.decode()
    assert list(tmp_path.iterdir()) == []


# ---- an agent -----------------------------------------------------------------------------------


def test_an_agent_edits_and_runs_a_program_and_reads_what_it_prints(agent, fsa, inside):
    program = "def greet(name):\n    return f'hello {name}'\n\n\nprint(greet('wörld'))\n"
    here = {"project": "shop"}
    tools, results = agent(
        ["write_file", {**here, "path": "app/main.py", "content": program}],
        ["run_command", {**here, "command": "python3 app/main.py"}],
        ["read_file", {**here, "path": "app/main.py"}],
        ["search_files", {**here, "pattern": "def [a-z]+", "path": "app"}],
        ["list_files", {**here, "path": "app"}],
        ["run_command", {**here, "command": "echo begun; sleep 60", "timeoutSeconds": 1}],
        ["run_command", {**here, "command": "head -c 200000 /dev/zero | tr '\\0' x"}],
        ["read_file", {**here, "path": "/etc/shadow"}],
        ["read_file", {**here, "path": "no/such"}],
        env=fsa.env,
    )
    found = [result["found"] for result in results]
    assert (inside.home / "app" / "main.py").read_text() == program
    assert found[1] == {"exitCode": 0, "signal": None, "stdout": "hello wörld\n", "stderr": ""}
    assert found[2]["content"] == program
    assert found[3]["stdout"] == "app/main.py:1:def greet(name):\n"
    assert [entry["name"] for entry in found[4]["entries"]] == ["main.py"]
    assert found[5]["timedOut"] and found[5]["stdout"] == "begun\n"
    assert found[6]["bytesNotShown"] == 200000 - len(found[6]["stdout"])
    assert [result["error"] for result in results] == [False] * 7 + [True] * 2
    assert {tool["name"] for tool in tools} >= {"list_ports", "read_log"}


def test_an_agent_sees_ports_and_logs(agent, fsa, inside):
    (inside.home.parent / "run" / "start.log").write_text("filling the home directory\n")
    here = {"project": "shop"}
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        _, results = agent(["list_ports", here], ["read_log", {**here, "log": "start"}],
                           ["read_log", here], ["read_log", {**here, "log": "../x"}], env=fsa.env)
    assert port in [listener["port"] for listener in results[0]["found"]["ports"]]
    assert results[1]["found"] == {"log": "start", "text": "filling the home directory\n"}
    assert [result["error"] for result in results] == [False, False, True, True]


def test_calls_of_an_agent_run_at_once(agent, fsa, inside):
    """Each call waits for what the other one does."""
    def command(mine, others):
        return ["run_command", {"project": "shop", "command":
                                f"touch {mine}; until [ -e {others} ]; do sleep 0.05; done; echo {mine}"}]

    _, results = agent([command("one", "two"), command("two", "one")], env=fsa.env)
    assert [result["found"]["stdout"] for result in results] == ["one\n", "two\n"]


SLEEP = "sleep 12345"


def call_message(number, command):
    return {"id": number, "method": "tools/call", "params": {
        "name": "run_command", "arguments": {"project": "shop", "command": command}}}


@pytest.fixture
def mcp(fsa):
    """A running fsa mcp, whose client sends messages: mcp.say(id=1, method="ping")."""
    with subprocess.Popen([fsa.program, "mcp"], env=fsa.env, text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as server:
        def say(**message):
            server.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
            server.stdin.flush()

        server.say = say
        yield server


@pytest.fixture
def begun(inside):
    """A command that sleeps for hours, and a function that waits until it has begun."""
    marker = inside.home / "begun"

    def wait():
        while not marker.exists():
            os.sched_yield()

    yield SimpleNamespace(command=f"touch {marker.name}; exec {SLEEP}", wait=wait)
    marker.unlink(missing_ok=True)


def nothing_sleeps(fsa):
    fsa("run", "shop", "--", "pgrep", "-fx", SLEEP, status=1)


def test_a_call_that_is_cancelled_ends_in_the_sandbox_too(fsa, mcp, begun):
    mcp.say(**call_message(1, begun.command))
    begun.wait()
    mcp.say(id=2, method="ping")
    assert json.loads(mcp.stdout.readline())["id"] == 2  # although the first is still running
    mcp.say(method="notifications/cancelled", params={"requestId": 1})
    mcp.say(**call_message(3, f"while pgrep -fx '{SLEEP}'; do sleep 0.1; done"))
    assert json.loads(mcp.stdout.readline())["id"] == 3


def test_calls_end_with_their_client_wherever_they_are(fsa, begun):
    """The client ends at once, while the calls find the project, get a token, or start or follow the command."""
    talk = "".join(json.dumps({"jsonrpc": "2.0", **call_message(number, begun.command)}) + "\n"
                   for number in range(4))
    for _ in range(5):
        done = subprocess.run([fsa.program, "mcp"], env=fsa.env, text=True, input=talk,
                              capture_output=True)
        assert (done.returncode, done.stdout) == (0, "")
        nothing_sleeps(fsa)


@pytest.mark.parametrize("leave", [lambda mcp: mcp.stdin.close(), lambda mcp: mcp.terminate()],
                         ids=["closes", "terminates"])
def test_a_client_that_ends_during_a_start_ends_the_command(fsa, inside, mcp, begun, leave):
    with inside.line.that_holds_answers():
        mcp.say(**call_message(1, begun.command))
        begun.wait()
        leave(mcp)
        with pytest.raises(subprocess.TimeoutExpired):
            mcp.wait(timeout=1.5)  # it first waits for the process that it has started
    assert mcp.stdout.read() == ""
    nothing_sleeps(fsa)


def test_a_command_that_ignores_its_end_is_killed(fsa, mcp, begun):
    mcp.say(**call_message(1, f"trap '' TERM; {begun.command}"))
    begun.wait()
    mcp.stdin.close()
    assert mcp.stdout.read() == ""
    nothing_sleeps(fsa)


def test_an_interrupt_while_a_command_is_starting_is_the_commands(fsa, inside, begun):
    with inside.line.that_holds_answers(), \
            subprocess.Popen([fsa.program, "run", "shop", "--", "sh", "-c", begun.command],
                             env=fsa.env, stdin=subprocess.DEVNULL) as running:
        begun.wait()
        running.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(timeout=1.5)
        inside.line.answers.set()
    assert running.returncode == 128 + signal.SIGINT
    nothing_sleeps(fsa)
