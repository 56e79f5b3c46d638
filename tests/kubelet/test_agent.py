"""The coding agent of npm in the image, from its owner's settings to a file that it changes; its model is model.py."""

import base64
import json
import time
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from stand.containers import WITH_AGENT
from stand.process import PATIENCE
from stand.site import Site
from stand.terminal import Terminal, connect

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
        self.run("sh", "-c", f"python3 /tmp/model.py {MODEL_PORT} /tmp/asked '{command}' >/tmp/model.log 2>&1 &"
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
