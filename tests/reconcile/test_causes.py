"""What is told of what goes wrong, and what is not: each cause is about what is there now.

golden/<fault>.txt is what `fsactl project explain` says meanwhile; see explained.py.
"""

import pytest
from people import eventually

SOON = 240  # seconds: the backoff after the last failed attempt, and some passes


def diagnoses(kubesim):
    """How often somebody has looked for evidence."""
    by = kubesim.counters()["by"]
    return sum(count for what, count in by.items() if what.startswith("list events "))


def is_diagnosed(kubesim, project):
    """Waits until evidence has been looked for and what was concluded from it is told."""
    before = diagnoses(kubesim)
    eventually(lambda: diagnoses(kubesim) >= before + 6)  # of two looks, whatever is asked about
    return project.sandbox()


@pytest.fixture
def slow_images(kubesim):
    """Images are pulled for longer than is expected, until the test ends."""
    begin, end = ({"readyAfter": ms} for ms in (3_600_000, 100))
    yield lambda: kubesim.order("POST", "/settings", begin)
    kubesim.order("POST", "/settings", end)


def test_what_was_wrong_with_the_pod_before_is_not_told_of_this_one(
        person, kubesim, slow_images, explained):
    mount = kubesim.effect(effect="mount", namespace=person.namespace.name)
    project = person.create("Mounted")
    project.wait_cause("POD_MOUNT")
    explained(project, "mount")
    kubesim.end_effect(mount)
    project.wait("RUNNING", SOON)
    project.stop()
    project.wait("STOPPED")
    slow_images()
    project.start()
    sandbox = is_diagnosed(kubesim, project)
    assert (sandbox["status"], sandbox["cause"]) == ("STARTING", None)
    explained(project, "slow-image-after-a-mount-fault")


def test_a_mount_fault_that_has_passed_is_not_told_while_the_image_is_pulled(
        person, kubesim, slow_images):
    mount = kubesim.effect(effect="mount", namespace=person.namespace.name)
    project = person.create("Pulled")
    project.wait_cause("POD_MOUNT")
    slow_images()
    kubesim.end_effect(mount)
    project.wait_no_cause()
    assert is_diagnosed(kubesim, project)["cause"] is None


def test_a_quota_that_was_raised_is_not_told_of_the_next_start(
        person, kubesim, slow_images, explained):
    project = person.create("Squeezed")
    project.wait("RUNNING")
    project.stop()
    project.wait("STOPPED")
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "pods"},
             "spec": {"hard": {"pods": "0"}}}
    path = f"/api/v1/namespaces/{person.namespace.name}/resourcequotas"
    kubesim.api("POST", path, quota)
    project.start()
    assert "exceeded quota" in project.wait_cause("KUBE_QUOTA")["message"]
    explained(project, "quota-on-pods")
    project.stop()
    project.wait("STOPPED")
    kubesim.api("DELETE", f"{path}/pods")
    slow_images()
    project.start()
    assert is_diagnosed(kubesim, project)["cause"] is None
