"""Tests the scripts of an agent's task without a container, with a script in place of the agent."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "sandboxd"))

from server import eventually  # noqa: E402

TASK = Path(__file__).resolve().parents[2] / "runtime/sandbox/usr/lib/fullstack-agent/agent-task"
SESSION = "agent-test"


class Task:
    """A task whose agent runs the line `first`, prints `text`, and ends once the file `go` exists."""

    def __init__(self, folder, text, before, first):
        self.folder = folder
        folder.mkdir()
        before(folder)
        message = {"type": "assistant", "message": {"content": [{"type": "text", "text": text}]}}
        (folder / "message").write_text(json.dumps(message) + "\n")
        agent = folder / "claude"
        agent.write_text(f"#!/bin/bash\n{first}\necho $$ >{folder}/pid\ncat {folder}/message\n"
                         f"until [[ -e {folder}/go || ! -e {folder} ]]; do sleep 0.1; done\nexit 3\n")
        agent.chmod(0o755)
        self.env = {**os.environ, "HOME": str(folder), "TMUX_TMPDIR": str(folder), "LANG": "C.UTF-8",
                    "PATH": f"{folder}:{os.environ['PATH']}", "FSA_AGENT_PROMPT": "Wait."}
        self.env.pop("TMUX", None)
        self.process = subprocess.Popen([TASK, SESSION], env=self.env, stdout=subprocess.PIPE, process_group=0)
        self.first_line = self.process.stdout.readline().decode()

    def tmux(self, *words):
        return subprocess.run(["tmux", *words], env=self.env, capture_output=True, text=True)

    def watch(self):
        """Attaches a client to its session; the client leaves when its input is closed."""
        client = subprocess.Popen(["tmux", "-C", "attach-session", "-t", SESSION], env=self.env,
                                  stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        eventually(lambda: self.tmux("list-clients", "-t", SESSION).stdout)
        return client

    def go(self):
        (self.folder / "go").touch()
        return self.process.wait()

    def nothing_is_left(self):
        """Waits until its session and the folder with its prompt are gone."""
        eventually(lambda: self.tmux("has-session", "-t", SESSION).returncode != 0)
        eventually(lambda: not list(self.folder.glob("agent.*")))

    def journal(self):
        with open(self.folder / ".local/state/fullstack-agent/agent-tasks.jsonl") as file:
            return [json.loads(line) for line in file]

    def end(self):
        self.tmux("kill-server")
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def start_task(workspace):
    """Starts a task that ends with the test."""
    started = []

    def start(text="Waiting.", before=lambda _: None, first=""):
        started.append(Task(workspace / "task", text, before, first))
        return started[-1]

    yield start
    for task in started:
        task.end()
        subprocess.run(["rm", "-rf", task.folder], check=True)


def test_a_task_that_nobody_watches_leaves_no_shell(start_task):
    task = start_task()
    assert task.go() == 3
    task.nothing_is_left()


def test_a_watched_task_is_followed_by_a_shell(start_task):
    task = start_task()
    with task.watch() as watching:
        assert task.go() == 3
        eventually(lambda: task.tmux("display-message", "-p", "-t", SESSION, "#{pane_current_command}").stdout == "bash\n"
                   and not list(task.folder.glob("agent.*")))
        assert "exit code 3" in task.tmux("capture-pane", "-p", "-t", SESSION).stdout
        watching.stdin.close()


def test_a_task_that_is_killed_ends_its_agent(start_task):
    task = start_task()
    agent = Path("/proc") / (task.folder / "pid").read_text().strip()
    assert agent.exists()
    task.process.kill()
    eventually(lambda: not agent.exists())
    task.nothing_is_left()


def test_a_task_that_is_ended_is_an_interrupted_one(start_task):
    task = start_task(first="trap '' TERM")  # so it outlives the signal, as one that has something to put in order
    os.killpg(task.process.pid, signal.SIGTERM)  # as sandboxd does
    assert task.process.wait() == 130
    assert task.journal()[-1]["exitCode"] == 130
    (task.folder / "go").touch()
    task.nothing_is_left()


def test_tasks_are_listed_with_their_prompts_and_ends(start_task):
    task = start_task()
    (begun,) = task.journal()
    assert (begun.pop("at")[-1], begun) == ("Z", {"session": SESSION, "event": "started", "prompt": "Wait."})
    assert task.go() == 3
    _, ended = task.journal()
    assert ended.pop("at") and ended == {"session": SESSION, "event": "ended", "exitCode": 3}


def test_the_list_of_tasks_does_not_grow_for_ever(start_task, workspace):
    def fill(folder):
        file = folder / ".local/state/fullstack-agent/agent-tasks.jsonl"
        file.parent.mkdir(parents=True)
        file.write_text("".join(f'{{"session": "agent-{n}"}}\n' for n in range(20000)))

    task = start_task(before=fill)
    sessions = [line["session"] for line in task.journal()]
    assert sessions[-2:] == ["agent-19999", SESSION] and 1000 < len(sessions) < 10000


def test_an_agent_s_text_does_not_control_its_reader_s_terminal(start_task):
    task = start_task("a\x1b]52;c;ZWNobw==\x07\tb\x9bc\r✓")
    assert task.first_line == "a]52;c;ZWNobw==\tbc✓\n"
