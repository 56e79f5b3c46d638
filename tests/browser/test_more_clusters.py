"""Somebody with two clusters: adds one, creates a project there, and removes it."""

import pytest
from test_page import enter

from stand.kubesim import KubeSim


@pytest.fixture
def tokyo(workspace, build):
    with KubeSim(workspace / "kubesim-tokyo", build) as running:
        yield running


def add(page, kubeconfig, **fields):
    page.press("Add a cluster")
    for name, value in {**fields, "kubeconfig": kubeconfig}.items():
        page.see(f"dialog [name={name}]").send_keys(value)
    page.press("Add")


def test_a_project_is_created_in_another_cluster(page, cluster, tokyo):
    name = enter(page, cluster)
    page.press("New project")
    page.see("dialog [name=name]")
    assert page.find("dialog [name=cluster]") == []  # there is nothing to choose from
    page.press("Cancel")
    page.press("Settings")
    add(page, "no kubeconfig", name="tokyo", region="Asia")
    assert "not a mapping" in page.text("dialog p.failure")
    page.press("Cancel")
    add(page, tokyo.create_user(name, f"ns-{name}-tokyo"), name="tokyo", region="Asia")
    page.see("[data-cluster=tokyo] h3", "tokyo Asia")
    page.see("[data-cluster=tokyo] dd", f"ns-{name}-tokyo")
    page.wait(lambda: [e.get_attribute("data-status") for e in page.find("[data-cluster=tokyo] .checks li")]
              == ["ok"] * 7, "its test")
    assert page.findings() == []

    page.press("Projects")
    page.press("New project")
    page.fill(name="Far")
    page.see("dialog [name=cluster]").send_keys("tokyo")
    page.press("Create")
    page.wait_status("RUNNING")
    page.see("p", "In the cluster tokyo.")
    page.press("Settings")
    page.see("[data-cluster=tokyo] p", "1 project is in it.")
    assert page.find("[data-cluster=tokyo] button", "Remove") == []
    assert page.complaints() == []


def test_a_cluster_without_projects_is_removed(page, cluster, tokyo):
    name = enter(page, cluster)
    page.press("Settings")
    add(page, tokyo.create_user(name), name="tokyo")
    page.see("[data-cluster=tokyo] p", "0 projects are in it.")
    page.press("Remove")
    page.wait(lambda: page.find("[data-cluster]") == [], "it is gone")
    assert page.complaints() == []


def test_a_cluster_that_is_away_says_since_when(page, cluster, tokyo):
    name = enter(page, cluster)
    page.press("Settings")
    add(page, tokyo.create_user(name), name="tokyo")
    page.see("[data-cluster=tokyo]")
    page.press("Projects")
    page.press("New project")
    page.fill(name="Far")
    page.see("dialog [name=cluster]").send_keys("tokyo")
    page.press("Create")
    page.wait_status("RUNNING")
    tokyo.stop_apiserver()
    page.press("Stop")
    page.see(".cause")
    page.press("Settings")
    assert page.text("[data-cluster=tokyo] .warning").startswith("It has not been reached since")
