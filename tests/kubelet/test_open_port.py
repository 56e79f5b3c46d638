"""Tests ports that a sandbox's owner opens, with packets: to their addresses, and from another pod."""

import time
from urllib.parse import urlsplit

import pytest
import requests

from stand.process import PATIENCE
from stand.site import Site

LISTEN = ("for (const port of [5173, 8080]) require('http').createServer((_, answer) => answer.end('at ' + port))"
          ".listen(port)")


@pytest.fixture
def sandbox(node, workspace, build, postgres):
    """A running sandbox in which programs listen at ports 5173 and 8080: (client, path of its ports, pod)."""
    kubesim, containers = node
    with Site(workspace / "ports-site", build, postgres, database="ports", every="100ms",
              options=containers.options) as site:
        client = site.client()
        assert client.register("ada", "correct horse battery").ok
        assert client.put("/api/user/config/kc", {"kubeconfig": kubesim.create_user("ada")}).ok
        project = client.post("/api/projects", {"name": "shop", "database": False}).json()["id"]
        shown = until(lambda: client.get(f"/api/sandbox/{project}").json(), lambda it: it["status"] == "RUNNING")
        pod = kubesim.admin.get(f"/api/v1/namespaces/{shown['k8sNamespace']}/pods/{shown['sandboxName']}-0")
        start = f"node -e \"{LISTEN}\" >/dev/null 2>&1 &"
        containers.run_in(pod["metadata"]["uid"], ["bash", "-c", start])
        yield client, f"/api/projects/{project}/sandboxes/{shown['id']}/ports", pod
        client.delete(f"/api/projects/{project}")
        until(lambda: client.get(f"/api/projects/{project}").status_code, lambda status: status == 404)


def until(read, check):
    end = time.monotonic() + PATIENCE
    while not check(value := read()):
        assert time.monotonic() < end, value
        time.sleep(0.1)
    return value


def test_an_open_port_answers_at_its_address_and_no_other_port_does(sandbox, pods):
    client, path, pod = sandbox
    address = pod["status"]["podIP"]
    pods.make("stranger")
    pods.wait("stranger", lambda status: status["ready"])

    def reaches(port):
        script = f"timeout 2 bash -c 'echo >/dev/tcp/{address}/{port}' 2>/dev/null && echo yes || echo no"
        return pods.run("stranger", script).strip() == "yes"

    def answer_at(host):
        return requests.get(f"http://127.0.0.1:{pods._containers.port}/", headers={"Host": host}, timeout=PATIENCE)

    # Both listen: only the policy keeps strangers out.
    for port in (5173, 8080):
        here = ["bash", "-c", f"echo >/dev/tcp/127.0.0.1/{port} && echo yes"]
        until(lambda: pods._containers.run_in(pod["metadata"]["uid"], here), lambda said: said.strip() == "yes")
    assert not reaches(5173) and not reaches(8080)

    opened, = client.post(path, {"port": 5173, "access": "public"}).json()["items"]
    host = urlsplit(opened["url"]).hostname
    until(lambda: answer_at(host), lambda answer: answer.text == "at 5173")
    assert until(lambda: reaches(5173), bool)
    assert not reaches(8080)
    assert answer_at(host.replace("-5173.", "-8080.")).status_code == 404

    assert client.delete(f"{path}/{opened['id']}").json() == {"items": []}
    until(lambda: reaches(5173), lambda reached: not reached)
    until(lambda: answer_at(host), lambda answer: answer.status_code == 404)
