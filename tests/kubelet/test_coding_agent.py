"""The coding agent of npm in the image, from its owner's settings to a file that it changes; its model is model.py."""

import base64
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
import requests

from stand import pypi
from stand.containers import WITH_AGENT
from stand.process import PATIENCE
from stand.site import Site
from stand.terminal import Terminal, connect

CLI = Path(__file__).resolve().parents[1] / "cli"
sys.path.append(str(CLI))

from own_machine import Home  # noqa: E402

MODEL = Path(__file__).resolve().parent / "model.py"
MODEL_PORT = 4000
LIMIT = "512Mi"  # what docs/runtime.md says is enough


@pytest.fixture(scope="module")
def person(node, workspace, build, postgres):
    """Somebody whose key is saved, and whose sandboxes have the agent."""
    kubesim, containers = node
    options = {**containers.options, "runtime_image": WITH_AGENT, "sandbox_memory_limit": LIMIT,
               "sandbox_cpu_limit": "2", "changes_burst": 1000}
    with Site(workspace / "agent-site", build, postgres, database="agent", every="100ms", options=options) as site:
        client = site.client()
        assert client.register("grace", "correct horse battery").ok
        assert client.put("/api/user/config/kc", {"kubeconfig": kubesim.create_user("grace")}).ok
        assert client.put("/api/user/config/anthropic", {
            "apiKey": "sk-first", "apiBaseUrl": f"http://127.0.0.1:{MODEL_PORT}"}).ok
        yield client


@pytest.fixture(scope="module")
def shop(person, node):
    project = person.post("/api/projects", {"name": "shop", "database": False}).json()
    return Project(person, *node, project["id"])


class Project:
    """One that runs, and its sandbox."""

    def __init__(self, client, kubesim, containers, project_id):
        self.client, self.kubesim, self.containers, self.id = client, kubesim, containers, project_id
        self.wait_running()

    def wait_running(self):
        """Once its pod is another one than before, if there was one."""
        seen = self.pod["metadata"]["uid"] if hasattr(self, "pod") else None
        end = time.monotonic() + PATIENCE
        while True:
            sandbox = self.client.get(f"/api/sandbox/{self.id}").json()
            place = f"/api/v1/namespaces/{sandbox['k8sNamespace']}/pods/{sandbox['sandboxName']}-0"
            self.pod = self.kubesim.admin.get(place)
            if sandbox["status"] == "RUNNING" and self.pod and self.pod["metadata"]["uid"] != seen:
                self.sandbox = SimpleNamespace(**sandbox)
                return
            assert time.monotonic() < end, sandbox
            time.sleep(0.1)

    def run(self, *command, data=b""):
        return self.containers.run_in(self.pod["metadata"]["uid"], command, data)

    def start_model(self, command):
        """Has the agent run that command, whatever it is asked."""
        self.run("sh", "-c", "cat >/tmp/model.py", data=MODEL.read_bytes())
        self.run("sh", "-c", "[ ! -e /tmp/model.pid ] || while kill $(cat /tmp/model.pid) 2>/tmp/gone; do sleep 0.1; done;"
                 f" rm -f /tmp/asked; python3 /tmp/model.py {MODEL_PORT} /tmp/asked '{command}' >/tmp/model.log 2>&1 &"
                 " echo $! >/tmp/model.pid;"
                 f" until curl -sI http://127.0.0.1:{MODEL_PORT} >/tmp/head; do sleep 0.1; done")

    def asked(self):
        """What the model was asked."""
        return [json.loads(line) for line in self.run("cat", "/tmp/asked").splitlines()]

    def terminal(self, session="main"):
        address = urlsplit(self.sandbox.ttydUrl)
        return Terminal(connect("127.0.0.1", address.port), f"?{address.query}&arg={session}", host=address.netloc)

    def stateful_set(self):
        return self.kubesim.admin.get(
            f"/apis/apps/v1/namespaces/{self.sandbox.k8sNamespace}/statefulsets/{self.sandbox.sandboxName}")

    def secrets(self):
        """The values of all Secrets in its namespace."""
        found = self.kubesim.admin.get(f"/api/v1/namespaces/{self.sandbox.k8sNamespace}/secrets")
        return [base64.b64decode(value).decode() for secret in found["items"]
                for value in secret.get("data", {}).values()]


def test_a_saved_key_reaches_the_model_and_what_it_says_changes_a_file(shop):
    shop.start_model("echo changed >~/file")
    with shop.terminal() as opened:
        opened.type("claude -p 'Change the file.' --dangerously-skip-permissions\r")
        opened.wait_for(r"\nAll is done\.")
    assert shop.run("cat", "/home/agent/file") == "changed\n"
    asked = shop.asked()
    assert "Change the file." in asked[-1]["messages"] and {one["key"] for one in asked} == {"sk-first"}
    status = shop.kubesim.admin.get(
        f"/api/v1/namespaces/{shop.sandbox.k8sNamespace}/pods/{shop.sandbox.sandboxName}-0")["status"]
    assert status["containerStatuses"][0]["restartCount"] == 0  # it had enough memory


def test_a_replaced_key_rolls_the_pod_once_and_the_old_one_is_in_no_secret(person, shop):
    generation = shop.stateful_set()["metadata"]["generation"]
    assert "sk-first" in shop.secrets()
    assert person.put("/api/user/config/anthropic", {"apiKey": "sk-second"}).ok
    shop.wait_running()
    assert shop.stateful_set()["metadata"]["generation"] == generation + 1
    assert "sk-first" not in shop.secrets()
    shop.start_model("true")
    with shop.terminal() as opened:
        opened.type("claude -p 'Once more.' --dangerously-skip-permissions\r")
        opened.wait_for(r"\nAll is done\.")
    assert {one["key"] for one in shop.asked()} == {"sk-second"}


# ---- tasks ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fsa(person, shop, build, tmp_path_factory):
    """Their own machine."""
    home = Home(build, tmp_path_factory.mktemp("grace"))
    token = person.post("/api/user/tokens", {"name": "fsa", "scope": "write"}).json()["token"]
    home("login", person.url, "--token", input=token + "\n")
    return home


def start_task(person, shop, prompt):
    """Sends what the site answers, as any program can; returns (session, process, ask)."""
    task = person.post(f"/api/projects/{shop.id}/agent", {"prompt": prompt}).json()
    http, address = requests.Session(), urlsplit(task["url"])
    http.trust_env = False
    http.headers.update({"Authorization": f"Bearer {task['token']}", "Host": address.netloc})

    def ask(method, path, **rest):
        answer = http.request(method, f"http://127.0.0.1:{address.port}{path}", timeout=PATIENCE, **rest)
        assert answer.ok, answer.text
        return answer

    request = task["request"]
    (one, again) = (ask(request["method"], request["path"], headers=request["headers"], json=request["body"]).json()
                    for _ in range(2))
    assert one["id"] == again["id"]
    return task["session"], one["id"], ask


def test_a_task_runs_unattended_and_its_state_output_and_end_are_a_process_s(person, shop):
    shop.start_model("until [ -e ~/go ]; do sleep 0.1; done; echo by the agent >~/task")
    session, process, ask = start_task(person, shop, "Write ✓.")
    with shop.terminal(session) as watching:
        watching.wait_for("> Bash until")
        assert ask("GET", f"/v1/processes/{process}").json()["status"] == "running"
        shop.run("touch", "/home/agent/go")
        watching.wait_for("The agent has ended")
        assert watching.ask("cat ~/task") == "by the agent"  # who watched goes on in the same terminal
    ended = ask("GET", f"/v1/processes/{process}?wait=60").json()
    assert (ended["status"], ended["exitCode"], ended["name"]) == ("ended", 0, "agent")
    assert "> Bash until" in (told := ask("GET", f"/v1/processes/{process}/stdout").text) and "All is done." in told
    assert "Write \\u2713." in shop.asked()[-1]["messages"]


def test_who_watches_can_interrupt_the_agent_and_take_over(person, shop):
    shop.start_model("touch ~/interrupt; sleep 1000")
    session, process, ask = start_task(person, shop, "Wait.")
    with shop.terminal(session) as watching:
        watching.wait_for("> Bash touch")
        watching.type("\x03")
        watching.wait_for("The agent has ended")
        assert watching.ask("echo $((6*7))") == "42"
    ended = ask("GET", f"/v1/processes/{process}?wait=60").json()
    assert ended["status"] == "ended" and ended["exitCode"] != 0


def test_fsa_follows_a_task_and_ends_it_when_interrupted(shop, fsa):
    shop.start_model("echo by fsa >~/by-fsa")
    done = fsa("agent", "shop", "Write.")
    assert "All is done." in done.stdout and "fsa shell shop agent-" in done.stderr
    assert shop.run("cat", "/home/agent/by-fsa") == "by fsa\n"
    shop.start_model("sleep 1000")
    with subprocess.Popen([fsa.program, "agent", "shop", "Wait."], env=fsa.env, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as running:
        assert running.stdout.readline().startswith("> Bash sleep 1000")
        running.send_signal(signal.SIGINT)
        assert running.wait(PATIENCE) != 0
    shop.run("sh", "-c", "while pgrep -x sleep >/tmp/left; do sleep 0.1; done")  # the agent's command has ended, too


@pytest.fixture(scope="module")
def call(fsa):
    """call(tool, …): what an agent elsewhere gets from a tool of fsa mcp."""
    packages = str(pypi.packages(CLI / "requirements.txt"))

    def call(tool, **arguments):
        done = subprocess.run([sys.executable, CLI / "agent.py", fsa.program], capture_output=True, text=True,
                              input=json.dumps([[tool, {"project": "shop", **arguments}]]), timeout=PATIENCE,
                              env={**fsa.env, "PYTHONPATH": packages})
        (result,) = json.loads(done.stdout)["results"]
        assert not result["error"], result
        return result["found"]

    return call


def test_an_agent_elsewhere_gives_a_task_to_the_one_in_the_sandbox(shop, call):
    shop.start_model("echo by mcp >~/by-mcp")
    process = call("run_agent", prompt="Write.")["process"]
    found = call("agent_task", process=process)
    assert (found["status"], found["exitCode"]) == ("ended", 0) and "All is done." in found["output"]
    assert shop.run("cat", "/home/agent/by-mcp") == "by mcp\n"


WAITING = "cat /tmp/pipe"


def wait_until_it_works(shop, fsa):
    fsa("run", "--no-input", "shop", "--", "sh", "-c", f"until pgrep -fx '{WAITING}'; do sleep 0.1; done")


SESSIONS = "tmux list-sessions -F '#{session_name}' 2>/dev/null || true"


@pytest.fixture
def nothing_is_left(fsa):
    """Returns when the agent and its command have ended, and the sessions are those from before."""
    def run(script, *arguments):
        return fsa("run", "--no-input", "shop", "--", "sh", "-c", script, "sh", *arguments).stdout

    before = run(SESSIONS).rstrip("\n")

    def wait():
        run(f"while pgrep -fx '{WAITING}' || pgrep -x claude || [ \"$({SESSIONS})\" != \"$1\" ]; do sleep 0.1; done", before)

    return wait


def test_a_task_ends_when_its_call_is_cancelled(shop, fsa, nothing_is_left):
    shop.start_model(f"mkfifo /tmp/pipe; {WAITING}")
    arguments = {"project": "shop", "prompt": "Wait."}
    messages = [{"id": 1, "method": "tools/call", "params": {"name": "run_agent", "arguments": arguments}},
                {"method": "notifications/cancelled", "params": {"requestId": 1}}, {"id": 2, "method": "ping"}]
    with subprocess.Popen([fsa.program, "mcp"], env=fsa.env, text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as mcp:
        for message in messages:
            print(json.dumps({"jsonrpc": "2.0", **message}), file=mcp.stdin, flush=True)
            if "params" in message and message.get("id"):
                wait_until_it_works(shop, fsa)
        assert json.loads(mcp.stdout.readline())["id"] == 2  # and no answer to what was cancelled
        nothing_is_left()
        mcp.stdin.close()
        assert mcp.stdout.read() == ""


def test_an_agent_elsewhere_ends_a_task(shop, fsa, call, nothing_is_left):
    shop.start_model(f"mkfifo /tmp/pipe; {WAITING}")
    process = json.loads(fsa("agent", "--detach", "--json", "shop", "Wait.").stdout)["process"]
    wait_until_it_works(shop, fsa)
    ended = call("end_agent_task", process=process)
    assert ended["status"] == "ended" and ended["exitCode"] != 0
    nothing_is_left()
