"""Tests what users find in a sandbox: the terminal behind its token, sessions, the app's port."""

import base64
import http.client
import json
import os
import shlex
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest
import websocket

from conftest import TOKEN
from stand.process import PATIENCE
from stand.terminal import Terminal

sys.path.append(str(Path(__file__).resolve().parents[1] / "sandboxd"))

from server import make_token  # noqa: E402


def authorization(token=TOKEN, user="user"):
    return base64.b64encode(f"{user}:{token}".encode()).decode()


def query(token=TOKEN, session=None):
    """Returns the query of the terminal's address as the API makes it, with a session's name as the page adds it."""
    arg = "" if session is None else f"&arg={quote(session, safe='')}"
    return f"?authorization={quote(authorization(token), safe='')}{arg}"


def get(sandbox, path, port=7681, method="GET", **headers):
    """Sends one request; returns (status, headers, body)."""
    connection = http.client.HTTPConnection("sandbox", timeout=PATIENCE)
    connection.sock = sandbox.connect(port)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, body


def terminal(sandbox, session=None, **rest):
    return Terminal(sandbox.connect(7681), query(session=session), **rest)


def eventually(check, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not (result := check()):
        assert time.monotonic() < end, f"not within {seconds} s: {check}"
        time.sleep(0.05)
    return result


# ---- the token -----------------------------------------------------------------------------------


def test_the_terminals_page_opens_with_its_token(sandbox):
    status, headers, body = get(sandbox, "/" + query())
    assert status == 200 and "<title>" in body
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


WRONG = {
    "none": "",
    "empty": "?authorization=",
    "of another": query("x" * 24),
    "shorter": query(TOKEN[:-1]),
    "longer": query(TOKEN + "0"),
    "of another user": f"?authorization={authorization(user='root')}",
    "not base64": f"?authorization=user:{TOKEN}",
    "no list": f"{query()}&authorization=x",
    "in another parameter": f"?token={authorization()}",
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("path", ["/", "/ws"])
def test_a_wrong_token_is_refused(sandbox, path, case):
    status, headers, body = get(sandbox, path + WRONG[case])
    assert status == 401
    # With Basic, the browser would open a password dialog over the page that contains the terminal.
    assert not headers["WWW-Authenticate"].lower().startswith("basic")
    assert "token" in body


def test_the_token_in_a_header_works_too(sandbox):
    status, _, _ = get(sandbox, "/", Authorization=f"Basic {authorization()}")
    assert status == 200
    with Terminal(sandbox.connect(7681),
                  header=[("Authorization", f"Basic {authorization()}")]) as opened:
        assert opened.ask("echo $((6*7))") == "42"
    status, _, _ = get(sandbox, "/", Authorization=f"Basic {authorization('x' * 24)}")
    assert status == 401


def test_no_websocket_without_the_token(sandbox):
    for wrong in ("", query("x" * 24)):
        with pytest.raises(websocket.WebSocketBadStatusException) as refused:
            Terminal(sandbox.connect(7681), wrong)
        assert refused.value.status_code == 401


@pytest.mark.parametrize("path", ["/favicon.ico", "/ws/", "/etc/passwd", "//ws", "/auth"])
def test_nothing_else_is_served(sandbox, path):
    assert get(sandbox, path + query())[0] in (401, 404)
    assert get(sandbox, path)[0] in (401, 404)


def test_the_token_is_in_no_log_and_in_no_list_of_processes(sandbox):
    with terminal(sandbox, "secrets") as opened:
        opened.ask("true")
        get(sandbox, "/" + query())
        get(sandbox, "/" + query("x" * 24))
        listed = sandbox.run("ps", "-eww", "-o", "args").stdout
        assert "ttyd" in listed and "sandboxd" in listed
        shell = opened.ask("env")
    written = sandbox.log.read_text()
    for text in (listed, shell, written):
        assert TOKEN not in text and authorization() not in text
    assert "PROJECT_NAME=shop" in shell


def test_no_program_in_the_sandbox_finds_the_token_in_another_process(sandbox):
    with terminal(sandbox, "readers") as opened:
        # Copies everything that a program of the same user can read of all processes, including process 1.
        opened.ask("cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline /proc/1/fd/0 >/tmp/found 2>/dev/null")
        assert opened.ask("tr '\\0' '\\n' </tmp/found | grep -c '^PROJECT_NAME=shop'") != "0"
        assert opened.ask(f"grep -ac {TOKEN} /tmp/found") == "0"
        assert opened.ask("cat /proc/$(pgrep -x sandboxd)/environ >/dev/null 2>&1 || echo refused") == "refused"
        assert opened.ask("cat /proc/$(pgrep -x sandboxd)/mem >/dev/null 2>&1 || echo refused") == "refused"


# ---- sessions ------------------------------------------------------------------------------------


def test_a_session_continues_while_nobody_is_attached(sandbox):
    with terminal(sandbox, "work") as opened:
        opened.ask("COLOUR=red; cd /tmp")
        first = opened.ask("echo $$")
    with terminal(sandbox, "work") as again:
        assert again.ask("echo $COLOUR $PWD $$") == f"red /tmp {first}"


def test_each_session_has_its_own_shell(sandbox):
    with terminal(sandbox, "one") as one, terminal(sandbox, "two") as two, \
            terminal(sandbox) as unnamed:
        shells = {opened.ask("echo $$") for opened in (one, two, unnamed)}
        assert len(shells) == 3
        one.ask("MINE=1")
        assert two.ask("echo =$MINE=") == "=="


BAD = {
    "empty": "",
    "a path": "../x",
    "an option": "-L",
    "a command": "a;id",
    "a substitution": "$(id)",
    "tmux's own syntax": "a:0.1",
    "a space": "a b",
    "too long": "a" * 65,
    "no ASCII": "é",
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_session_name_is_refused(sandbox, case):
    with terminal(sandbox, BAD[case]) as opened:
        opened.wait_for("The name of a session has")
        assert opened.closed()


def test_a_line_break_reaches_no_shell(sandbox):
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        terminal(sandbox, "a\nb")
    assert refused.value.status_code == 400


def test_more_than_one_argument_is_refused(sandbox):
    with Terminal(sandbox.connect(7681), query(session="a") + "&arg=b") as opened:
        opened.wait_for("The name of a session has")
        assert opened.closed()


def test_the_longest_name_works(sandbox):
    with terminal(sandbox, "a" * 64) as opened:
        assert opened.ask("echo ok") == "ok"


# ---- what a shell contains ------------------------------------------------------------------------


def test_the_projects_variables_are_in_every_shell(sandbox):
    with terminal(sandbox, "variables") as opened:
        assert opened.ask('echo "$GREETING|$HOME|$PWD"') == \
            "hello 'world' ✓|/home/agent|/home/agent"
        # The parts of DATABASE_URL, unescaped, for psql; its own parameter `schema` is Prisma's.
        assert opened.ask('echo "$PGUSER|$PGPASSWORD|$PGHOST|$PGPORT|$PGDATABASE"') == \
            "us@er|p/w:d|db-postgresql.ns-ada.svc|5433|postgres"
        assert "schema=public" in opened.ask("echo $DATABASE_URL")


VERSION = {"ssh": "-V", "tmux": "-V"}  # all others: --version


@pytest.mark.parametrize("program", [
    "git", "node", "npm", "pnpm", "python3", "pip", "gcc", "g++", "make", "rg", "jq", "psql", "tmux", "curl", "rsync",
    "less", "gh", "vim", "nano", "ps", "ssh"])
def test_a_developers_programs_are_there(sandbox, program):
    ran = sandbox.run(program, VERSION.get(program, "--version"))
    assert ran.returncode == 0, ran.stderr


def test_python_makes_an_environment_with_pip(sandbox):
    made = sandbox.run("sh", "-c", "python3 -m venv /tmp/venv && /tmp/venv/bin/python -m pip --version")
    assert made.returncode == 0 and "/tmp/venv" in made.stdout, made.stderr


def test_a_program_is_compiled_and_runs(sandbox):
    made = sandbox.run("sh", "-c", "cd /tmp && echo 'int puts(const char *); int main(void) { puts(\"compiled\"); }' "
                       ">answer.c && make -s answer && ./answer")
    assert made.stdout == "compiled\n", made.stderr


def test_no_host_key_is_in_the_image(image):
    """Everybody who has the image would have the key."""
    rootfs, _ = image
    assert (rootfs / "usr/sbin/sshd").exists() and not list((rootfs / "etc/ssh").glob("ssh_host_*"))


def test_it_is_a_user_without_rights_on_a_read_only_system(sandbox):
    with terminal(sandbox, "rights") as opened:
        assert opened.ask("id -un; id -u") in ("agent\r\n1000", "agent\n1000")
        assert opened.ask("grep -c '^CapEff:.*0000000000000000$' /proc/self/status") == "1"
        assert "Read-only" in opened.ask("touch /usr/x")
        assert opened.ask("touch /tmp/x ~/x && echo ok") == "ok"


def test_npm_installs_into_the_home_directory(sandbox):
    with terminal(sandbox, "npm") as opened:
        opened.ask("mkdir -p /tmp/tool && cd /tmp/tool && printf '%s' "
                   "'{\"name\":\"tool\",\"version\":\"1.0.0\",\"bin\":\"t.js\"}' > package.json; "
                   "printf '#!/usr/bin/env node\\nconsole.log(6*7)\\n' > t.js; "
                   "npm install -g --offline . >/tmp/npm.log 2>&1")
        assert opened.ask("cd; tool") == "42"


def test_npm_compiles_native_code_without_the_internet(sandbox):
    source = """
        #include <node_api.h>
        NAPI_MODULE_INIT() { napi_value n; napi_create_int32(env, 42, &n); return n; }
    """
    files = {"native.c": source,
             "package.json": json.dumps({"name": "native", "version": "1.0.0", "gypfile": True}),
             "binding.gyp": json.dumps({"targets": [{"target_name": "native", "sources": ["native.c"]}]})}
    written = "".join(f"printf %s {shlex.quote(content)} >{name} && " for name, content in files.items())
    made = sandbox.run("sh", "-c", f"mkdir /tmp/native && cd /tmp/native && {written}"
                       "npm install --offline >&2 && node -p 'require(\"./build/Release/native\")'")
    assert made.stdout == "42\n", made.stderr


# ---- the home directory --------------------------------------------------------------------------


def test_home_is_filled_once_and_never_overwritten(start, workspace):
    home = workspace / "kept-home"
    first = start(home=home).wait_ready()
    assert (home / "README.md").exists() and (home / ".bashrc").exists()
    assert first.terminate() == 0
    (home / "README.md").unlink()
    (home / ".bashrc").write_text("GREETING=mine\n")
    os.chown(home / ".bashrc", 1000, 1000)
    second = start(home=home).wait_ready()
    assert not (home / "README.md").exists()
    with terminal(second) as opened:
        assert opened.ask("echo $GREETING") == "mine"


def test_a_first_start_that_was_cut_short_is_completed(start, workspace):
    home = workspace / "half-home"
    home.mkdir()
    (home / ".bashrc").write_text("mine")
    start(home=home).wait_ready()
    assert (home / ".bashrc").read_text() == "mine"
    assert (home / "README.md").exists()


def memory(home):
    return home / ".claude" / "CLAUDE.md"


def test_the_system_prompt_is_the_agents_memory_and_in_no_environment(start, workspace):
    home = workspace / "memory-home"

    def begin(prompt):
        sandbox = start(home=home, FSA_SYSTEM_PROMPT=prompt).wait_ready()
        assert sandbox.run("sh", "-c", "cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -c ^HOME=").stdout > "1"
        with terminal(sandbox) as opened:
            assert opened.ask("env | grep -c FSA_SYSTEM_PROMPT") == "0"
        assert sandbox.terminate() == 0

    begin("Be brief.\nSpeak Latin.")
    assert memory(home).read_text() == "Be brief.\nSpeak Latin.\n"
    begin("Be verbose.")
    assert memory(home).read_text() == "Be verbose.\n"
    memory(home).write_text("Mine.\n")
    begin("Be brief.")
    assert memory(home).read_text() == "Mine.\n"
    memory(home).unlink()
    begin("Be verbose.")  # removed after being written last
    assert not memory(home).exists()
    begin("Be exact.")
    assert memory(home).read_text() == "Be exact.\n"
    begin("")
    assert not memory(home).exists()


def test_no_terminal_without_a_token(start):
    container = start(TTYD_ACCESS_TOKEN="")
    eventually(lambda: container.exited() is not None)
    assert container.exited() != 0
    assert "TTYD_ACCESS_TOKEN is not set" in container.log.read_text()


# ---- sandboxd ------------------------------------------------------------------------------------


def sandboxd(container, method, path, body=None, token=None):
    connection = http.client.HTTPConnection("sandbox")
    connection.sock = container.connect(7681)
    connection.request(method, path, body,
                       {"Authorization": f"Bearer {token or make_token(secret=TOKEN)}"})
    response = connection.getresponse()
    return response.status, json.loads(response.read() or b"null")


def test_a_program_runs_a_command_in_the_sandbox_and_writes_a_file(sandbox):
    status, process = sandboxd(sandbox, "POST", "/v1/processes?wait=30", json.dumps({
        "command": 'test "$PROJECT_NAME" = shop && test -z "$TTYD_ACCESS_TOKEN" && id -u >number'}))
    assert (status, process["exitCode"]) == (201, 0)
    assert (sandbox.home / "number").read_text() == "1000\n"
    assert sandboxd(sandbox, "PUT", "/v1/files?path=/home/agent/told", b"told")[0] == 201
    assert (sandbox.home / "told").read_text() == "told"
    assert sandboxd(sandbox, "PUT", "/v1/files?path=/etc/told", b"told")[0] == 403


def test_a_token_of_another_secret_does_nothing_in_the_sandbox(sandbox):
    status, problem = sandboxd(sandbox, "POST", "/v1/processes",
                               '{"command": "touch /tmp/other"}', make_token(secret="x" * 24))
    assert (status, problem["errorCode"]) == (401, "UNAUTHORIZED")
    assert sandbox.run("test", "-e", "/tmp/other").returncode != 0


def test_sandboxd_is_small(sandbox):
    status = sandbox.run("sh", "-c", "grep VmRSS /proc/$(pgrep -x sandboxd)/status").stdout
    assert int(status.split()[1]) <= 4096, status


# ---- the app's port ------------------------------------------------------------------------------

APP = ("require('http').createServer((q, s) => s.end('mine ' + q.url))"
       ".listen(3000, () => console.log('up'))")


def app_page(sandbox, path="/x"):
    try:
        return get(sandbox, path, port=3000)[2]
    except (OSError, http.client.HTTPException):
        return ""


def test_the_apps_port_shows_a_page_until_the_app_listens(start):
    sandbox = start().wait_ready()
    status, headers, body = get(sandbox, "/any/path", port=3000)
    assert status == 200 and "Your app will be here" in body
    assert headers["Content-Type"].startswith("text/html")
    assert get(sandbox, "/", port=3000, method="HEAD")[2] == ""
    with terminal(sandbox) as opened:
        opened.type(f'node -e "{APP}"\r')
        opened.wait_for(r"\nup")  # at the first attempt: the port can be bound again at once
        assert app_page(sandbox) == "mine /x"
        opened.type("\x03")
        eventually(lambda: "Your app will be here" in app_page(sandbox))
        # And once more, so that this does not depend on the start.
        opened.seen = b""
        opened.type(f'node -e "{APP}"\r')
        opened.wait_for(r"\nup")
        eventually(lambda: app_page(sandbox) == "mine /x")


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::"])
def test_the_port_is_given_up_for_any_address(sandbox, address):
    eventually(lambda: "Your app will be here" in app_page(sandbox))
    script = (f"require('net').createServer().listen(3000, '{address}', "
              "function () { console.log('up'); this.close() })")
    with terminal(sandbox, "app") as opened:
        assert opened.ask(f'node -e "{script}"') == "up"


def test_slow_and_many_visitors_do_no_harm(start):
    sandbox = start().wait_ready()
    idle = [sandbox.connect(3000) for _ in range(40)]
    eventually(lambda: "Your app will be here" in app_page(sandbox))
    with terminal(sandbox) as opened:
        assert opened.ask("echo ok") == "ok"
    for connection in idle:
        connection.close()


def test_a_starter_runs_if_it_is_asked_for_and_ones_own_is_kept(start, workspace):
    home = workspace / "starter-home"
    sandbox = start(home=home, FSA_STARTER="yes").wait_ready()
    eventually(lambda: "<title>Notes</title>" in app_page(sandbox, "/"))
    assert sandbox.terminate() == 0
    (home / "starter" / "index.html").write_text("mine")
    again = start(home=home, FSA_STARTER="yes").wait_ready()
    eventually(lambda: app_page(again, "/") == "mine")


def test_a_first_terminal_without_its_agent_says_why(start):
    sandbox = start(FSA_AGENT_AT_START="yes").wait_ready()
    with terminal(sandbox) as first, terminal(sandbox, "other") as other:
        first.wait_for("there is none in this sandbox's image")
        assert first.ask("echo $((6*7))") == "42"
        assert other.ask("echo $((6*7))") == "42" and "No agent" not in other.text()


# ---- the end -------------------------------------------------------------------------------------


def test_it_ends_at_once_on_sigterm(start):
    sandbox = start().wait_ready()
    with terminal(sandbox) as opened:
        opened.ask("sleep 1000 & true")
        began = time.monotonic()
        assert sandbox.terminate() == 0
    assert time.monotonic() - began < 10  # the grace period of our pods


@pytest.mark.parametrize("service", ["ttyd", "sandboxd"])
def test_it_ends_with_its_services(start, service):
    sandbox = start().wait_ready()
    sandbox.run("pkill", "-KILL", "-o", "-x", service)  # it may be ended itself by what follows
    eventually(lambda: sandbox.exited() is not None)
    assert sandbox.exited() == 1
    assert "has ended with signal 9" in sandbox.log.read_text()
