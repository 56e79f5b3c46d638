"""Tests the deletion of users, and with them of their objects in the cluster, with their own kubeconfig."""

import json

from namespace import PLACES
from people import PASSWORD, SLOW, eventually


def fsactl(site, *words):
    return json.loads(site.programs.fsactl(*words, "--json"))


def is_there(site, person):
    return any(user["name"] == person.name for user in fsactl(site, "user", "list"))


def wait_gone(site, person):
    def gone():
        """the user is gone"""
        return not is_there(site, person)

    eventually(gone, SLOW, last=lambda: fsactl(site, "user", "show", person.name))


def ours(person):
    """Returns (kind, name) of our objects in the person's namespace."""
    found = {(kind, item["metadata"]["name"])
             for kind in PLACES for item in person.namespace.items(kind)}
    return {(kind, name) for kind, name in found if "agentruntime" in name or "-db-" in name}


def test_they_leave_nothing_in_the_cluster_and_then_no_row(site, person):
    person.create("Shop", database=True).wait("RUNNING")
    person.create("Blog").wait("RUNNING")
    assert ours(person)
    assert fsactl(site, "user", "delete", person.name, "--yes")["gone"] is False
    assert site.client().login(person.name, PASSWORD).status_code == 401
    wait_gone(site, person)
    assert ours(person) == set()


def test_while_their_cluster_is_away_they_are_shown_and_go_when_it_is_back(site, person, kubesim):
    person.create("Shop").wait("RUNNING")
    kubesim.stop_apiserver()
    try:
        fsactl(site, "user", "delete", person.name, "--yes")

        def told():
            """the reason why they still exist is shown"""
            return [p for p in fsactl(site, "user", "show", person.name)["projectList"] if p["causes"]]

        eventually(told)
        assert fsactl(site, "user", "show", person.name)["deletedAt"]
        assert site.client().login(person.name, PASSWORD).status_code == 401
    finally:
        kubesim.start_apiserver()
    wait_gone(site, person)
    assert ours(person) == set()


def test_a_reconciler_that_was_away_does_it_when_it_is_back(site, person):
    person.create("Shop").wait("RUNNING")
    site.programs.stop("fsa-reconcile")
    try:
        fsactl(site, "user", "delete", person.name, "--yes")
        assert is_there(site, person) and ours(person)
    finally:
        site.programs.start("fsa-reconcile")
    wait_gone(site, person)
    assert ours(person) == set()


def test_with_a_kubeconfig_that_is_no_good_any_more_they_can_be_forgotten(site, person, kubesim):
    project = person.create("Shop")
    project.wait("RUNNING")
    before = ours(person)
    kubesim.delete_user(person.name)
    fsactl(site, "user", "delete", person.name, "--yes")

    def told():
        """the cause is shown"""
        shown = fsactl(site, "user", "show", person.name)
        return "KUBE_UNAUTHORIZED" in str(shown["projectList"]) or "Unauthorized" in str(shown)

    eventually(told, last=lambda: fsactl(site, "user", "show", person.name))
    named = fsactl(site, "user", "delete", person.name, "--forget")["places"]
    assert {place["namespace"] for place in named} == {person.namespace.name}
    done = fsactl(site, "user", "delete", person.name, "--forget", "--yes")
    assert done["gone"] is True and not is_there(site, person)
    assert ours(person) == before
    assert all(any(name.startswith(place["name"]) for _, name in before) for place in named)
