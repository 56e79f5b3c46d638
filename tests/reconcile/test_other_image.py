"""A sandbox of another image: what brings the terminal along, and what its owner sees when there is no such image."""

import subprocess

import pytest
from people import SLOW, eventually, expect
from quiet import uid

TOOLS = "registry.example.com/tools:1"
SITE_OPTIONS = {"tools_image": TOOLS}


@pytest.fixture
def offer(site):
    command = [site.programs.program("fsactl"), "--config", site.programs.config()]

    def run(name, reference, *more):
        subprocess.run([*command, "image", "set", name, reference, *more], check=True)

    return run


def choose(project, image):
    return expect(project.person.client.patch(project.sandbox_path, {"image": image}))


def pod_of(person, project):
    pod = person.namespace.pod(project.sandbox()["name"])
    return pod and pod["spec"]


def image_of(spec):
    return spec and spec["containers"][0]["image"]


def test_a_running_sandbox_starts_anew_in_another_image_and_keeps_its_files(person, offer):
    offer("python", "registry.example.com/python:3.13")
    project = person.create("Snake")
    project.wait("RUNNING")
    before, claims = pod_of(person, project), person.namespace.items("PersistentVolumeClaim")
    assert "initContainers" not in before

    assert choose(project, "python")["status"] == "UPDATING"
    eventually(lambda: image_of(pod_of(person, project)) == "registry.example.com/python:3.13", SLOW)
    project.wait("RUNNING")
    spec = pod_of(person, project)
    assert [c["image"] for c in spec["initContainers"]] == [TOOLS]
    assert spec["containers"][0]["command"] == ["/usr/lib/fullstack-agent/start"]
    assert {"name": "tools", "mountPath": "/usr/lib/fullstack-agent", "readOnly": True} in \
        spec["containers"][0]["volumeMounts"]

    choose(project, None)
    eventually(lambda: image_of(pod_of(person, project)) == image_of(before), SLOW)
    project.wait("RUNNING")
    assert "initContainers" not in pod_of(person, project)
    assert [uid(claim) for claim in person.namespace.items("PersistentVolumeClaim")] == list(map(uid, claims))


def test_an_image_that_has_all_is_run_as_it_is_by_the_user_that_it_names(person, offer):
    offer("own", "registry.example.com/own:1", "--complete", "--run-as", "image")
    project = person.create("Own")
    project.wait("RUNNING")
    choose(project, "own")
    eventually(lambda: image_of(pod_of(person, project)) == "registry.example.com/own:1", SLOW)
    project.wait("RUNNING")
    spec = pod_of(person, project)
    assert "initContainers" not in spec and "command" not in spec["containers"][0]
    assert "runAsUser" not in spec["securityContext"] and spec["securityContext"]["runAsNonRoot"] is True


def test_an_image_that_cannot_be_pulled_is_told_and_another_heals(person, kubesim, offer):
    offer("missing", "registry.example.com/missing:1")
    project = person.create("Missing")
    project.wait("RUNNING")
    effect = kubesim.effect(effect="image", namespace=person.namespace.name)
    choose(project, "missing")
    project.wait_cause("POD_IMAGE", SLOW)
    kubesim.end_effect(effect)
    choose(project, None)
    project.wait("RUNNING")
    project.wait_no_cause(SLOW)
