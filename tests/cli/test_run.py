"""Commands and files in a sandbox: fsa, and the real sandboxd."""

import json
import os
import signal
import subprocess

import pytest

DATA = os.urandom(1 << 20) * 2


def test_a_command_runs_as_if_it_ran_here(fsa):
    done = fsa("run", "shop", "--", "sh", "-c", "echo out; echo err >&2; exit 7", status=7)
    assert (done.stdout, done.stderr) == (b"out\n", b"err\n")
    assert fsa("run", "shop", "printf", "%s|", "-a", "two words", "$HOME").stdout == \
        b"-a|two words|$HOME|"
    fsa("run", "shop", "sh", "-c", "kill -9 $$", status=137)


def test_every_byte_goes_in_and_comes_out(fsa):
    assert fsa("run", "shop", "--", "cat", data=DATA).stdout == DATA
    assert fsa("run", "shop", "--", "wc", "-c").stdout.strip() == b"0"  # the end of input alone


def test_a_command_ends_without_input_and_without_reading_it(fsa):
    assert fsa("run", "--no-input", "shop", "--", "cat", data=b"not sent").stdout == b""
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


def test_a_command_that_nobody_reads_is_told_to_hang_up(fsa, inside):
    command = "trap 'touch hung-up; exit' HUP; while :; do echo more; done"
    with subprocess.Popen([fsa.program, "run", "shop", "--", "bash", "-c", command], env=fsa.env,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as running:
        running.stdout.readline()
        running.stdout.close()
    assert (inside.home / "hung-up").exists()


def test_what_came_of_it_as_json(fsa):
    done = json.loads(fsa("run", "--json", "shop", "--", "sh", "-c", "printf 'a\\377b'; exit 3",
                          status=3).stdout)
    assert done == {"exitCode": 3, "signal": None, "stdout": "a?b", "stderr": ""}


@pytest.mark.parametrize("words, told", [
    (["shop", "--", "no-such-program"], "no-such-program"),
    (["nothing", "--", "true"], "fsa projects"),
])
def test_what_cannot_run_has_an_exit_code_of_its_own(fsa, words, told):
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
    fsa("cp", tmp_path / "tool", "shop:new")  # into a folder that is there
    fsa("cp", "shop:new/tool", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == DATA
    assert json.loads(fsa("cp", "--json", "shop:new/tool", tmp_path).stdout)["from"] == "shop:new/tool"


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
def test_what_cannot_be_copied_is_told_and_nothing_is_left(fsa, tmp_path, words, status, told):
    words = [str(tmp_path / word) if word in ("x", "y") else word for word in words]
    assert told in fsa("cp", *words, status=status).stderr.decode()
    assert list(tmp_path.iterdir()) == []


# ---- an agent -----------------------------------------------------------------------------------


def test_an_agent_edits_and_runs_a_program_and_reads_what_it_prints(agent, fsa, inside):
    program = "def greet(name):\n    return f'hello {name}'\n\n\nprint(greet('wörld'))\n"
    here = {"project": "shop"}
    _, results = agent(
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
