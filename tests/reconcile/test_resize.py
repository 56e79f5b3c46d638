"""Tests that a sandbox restarts when it gets another size, and keeps its files."""

import subprocess

import pytest
from people import SLOW, eventually, expect
from quiet import uid


@pytest.fixture
def large(site):
    command = [site.programs.program("fsactl"), "--config", site.programs.config()]
    subprocess.run([*command, "size", "set", "large", "100m:1", "64Mi:512Mi", "2Gi"], check=True)


def resources(person, sandbox):
    pod = person.namespace.pod(sandbox["name"])
    return pod and pod["spec"]["containers"][0]["resources"]


def resize(project, size):
    return expect(project.person.client.patch(project.sandbox_path, {"size": size}))


def test_a_running_sandbox_restarts_with_its_new_size(person, large):
    project = person.create("Growing")
    project.wait("RUNNING")
    sandbox = project.sandbox()
    before, claims = resources(person, sandbox), person.namespace.items("PersistentVolumeClaim")

    assert resize(project, "large")["status"] == "UPDATING"
    eventually(lambda: (resources(person, sandbox) or {}).get("limits") ==
               {"cpu": "1", "memory": "512Mi", "ephemeral-storage": "2Gi"}, SLOW)
    project.wait("RUNNING")
    pod = uid(person.namespace.pod(sandbox["name"]))
    assert resize(project, "large")["size"] == "large"  # its present size: nothing is replaced
    project.wait("RUNNING")
    assert uid(person.namespace.pod(sandbox["name"])) == pod

    resize(project, None)
    eventually(lambda: resources(person, sandbox) == before, SLOW)
    project.wait("RUNNING")
    assert [uid(claim) for claim in person.namespace.items("PersistentVolumeClaim")] == list(map(uid, claims))


def test_a_stopped_sandbox_has_its_size_at_the_next_start(person, large):
    project = person.create("Resting")
    project.wait("RUNNING")
    project.stop()
    project.wait("STOPPED")
    assert resize(project, "large")["status"] == "STOPPED"
    project.start()
    project.wait("RUNNING")
    assert resources(person, project.sandbox())["requests"]["memory"] == "64Mi"
