"""Tests every fault that kubesim has: what the user sees, what the cluster contains, how it heals.

A fault of the API server affects three projects at once: one that starts, one that runs, one that is being
deleted. All show it in the same way: the status stays, and the cause says what is wrong, since when, and
when the next attempt is. Soon after the fault has ended, everything is as requested, and nothing was
created twice.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

import pytest
from people import Person, eventually

SOON = 240  # seconds: the backoff after the last failed attempt, and some passes
BACKOFF = timedelta(seconds=150)  # the longest time until the next attempt


class Fault(NamedTuple):
    """A kind of failed request, and the kind of the cause that the user sees."""

    kind: str
    words: str = ""  # part of the cause's message
    rule: dict = {}  # further parameters of the fault
    stopped: bool = False  # the cause says that attempts have stopped


FAULTS = {
    "unauthorized": Fault("KUBE_UNAUTHORIZED"),
    "forbidden": Fault("KUBE_FORBIDDEN"),
    "quota": Fault("KUBE_QUOTA", "quota"),
    "billing": Fault("KUBE_BILLING", "40001", stopped=True),
    "not-found": Fault("KUBE_NOT_FOUND"),
    "conflict": Fault("KUBE_CONFLICT"),
    "exists": Fault("KUBE_CONFLICT"),
    "expired": Fault("KUBE_CONFLICT"),
    "invalid": Fault("KUBE_INVALID"),
    "too-many-requests": Fault("KUBE_RATE_LIMITED", rule={"retryAfter": 1}),
    "internal": Fault("KUBE_SERVER"),
    "unavailable": Fault("KUBE_SERVER"),
    "timeout": Fault("KUBE_SERVER"),
    "latency": Fault("KUBE_TIMEOUT", rule={"ms": 3000}),
    "hang": Fault("KUBE_TIMEOUT", rule={"ms": 60000}),
    "reset": Fault("KUBE_UNREACHABLE"),
    "truncate": Fault("KUBE_PROTOCOL"),
    "oversize": Fault("KUBE_PROTOCOL", "larger", {"bytes": 20_000_000}),
    "not-json": Fault("KUBE_PROTOCOL", "JSON"),
    "bad-json": Fault("KUBE_PROTOCOL"),
}


# Problems of a pod, and the cause that the owner sees: it stays STARTING, as they may pass.
EFFECTS = {
    "crash": Fault("POD_CRASH", "exit code"),
    "image": Fault("POD_IMAGE"),
    "mount": Fault("POD_MOUNT"),
    "unschedulable": Fault("POD_UNSCHEDULABLE"),
    "unbound": Fault("POD_UNSCHEDULABLE", "unbound"),
}


def now():
    return datetime.now(timezone.utc)


def sandbox_told(project, fault, status, begin, verb=""):
    """Waits until the project's sandbox has the cause, of a request with this verb; returns the sandbox."""

    def told():
        """the cause is shown"""
        sandbox = project.sandbox()
        cause = sandbox["cause"]
        return cause and cause["kind"] == fault.kind and verb in cause["message"] and sandbox

    found = eventually(told, last=project.sandbox)
    cause = found["cause"]
    assert found["status"] == status, found
    assert cause["code"] and fault.words in cause["message"], found
    assert begin <= datetime.fromisoformat(cause["since"]) <= now()
    assert abs(datetime.fromisoformat(cause["nextAttemptAt"]) - now()) < BACKOFF
    return cause


def told_again(project, cause):
    """Waits until there is a cause after another attempt; returns it. In between there may be none: a crash-looping
    container runs for moments."""
    def told():
        """there is a cause after another attempt"""
        found = project.causes()
        return found and found[0]["attempts"] > cause["attempts"] and found[0]

    return eventually(told, last=project.sandbox)


def began(project, cause):
    """Returns when a cause may have begun: at its first time, or again after another cause, such as a timeout on a
    busy machine."""
    again = [event["at"] for event in project.events()
             if event["code"] == cause["code"] and event["at"] > cause["since"]]
    others = [event["at"] for event in project.events()
              if event["code"] not in (None, cause["code"]) and event["at"] > cause["since"]]
    return {cause["since"], *(at for at in again if any(other < at for other in others))}


def creations(kubesim, namespace, since):
    """Returns how often each object of ours was created since then."""
    return Counter(
        (write["resource"], write["name"])
        for write in kubesim.writes(since)["writes"]
        if write["namespace"] == namespace and write["effect"] == "created"
        and write["resource"] not in ("pods", "events")
    )


def meet_fault(person, kubesim, name):
    """One person's three projects meet the fault, and recover from it."""
    fault, namespace, theirs = FAULTS[name], person.namespace.name, f"*:{person.name}"
    running, leaving = person.create("Running"), person.create("Leaving")
    for project in (running, leaving):
        project.wait("RUNNING")
    left, first_write = leaving.sandbox()["id"], kubesim.writes()["next"]

    begin = now() - timedelta(milliseconds=50)
    reads = kubesim.fault(fault=name, verb="list", user=theirs, **fault.rule)
    rising = person.create("Rising")
    leaving.delete()
    for project, status in ((running, "RUNNING"), (rising, "CREATING"), (leaving, "TERMINATING")):
        stopped = fault.stopped and project is not leaving
        sandbox_told(project, fault, "STOPPED" if stopped else status, begin, "list")
    assert person.namespace.owned(rising.sandbox()["id"]) == {}  # without observations, it does nothing

    changes = kubesim.fault(fault=name, verb="apply|delete", user=theirs, **fault.rule)
    kubesim.end_fault(reads)
    status = "STOPPED" if fault.stopped else "CREATING"
    cause = sandbox_told(rising, fault, status, begin, "apply")
    if not fault.stopped:
        told_again(rising, cause)
    assert sandbox_told(rising, fault, status, begin)["since"] in began(rising, cause)
    running.wait_no_cause(SOON)

    kubesim.end_fault(changes)
    for project in (running, rising):
        project.wait("RUNNING", SOON)
        project.wait_no_cause(SOON)
    leaving.wait_gone(SOON)
    assert person.namespace.owned(left) == {}
    made = creations(kubesim, namespace, first_write)
    assert len(made) >= 6 and set(made.values()) == {1}, made


def meet_effect(person, kubesim, name):
    """The objects all exist; the problem is shown; when it passes, the same sandbox runs."""
    begin = now() - timedelta(milliseconds=50)
    effect = kubesim.effect(effect=name, namespace=person.namespace.name)
    project = person.create("Troubled")
    cause = sandbox_told(project, EFFECTS[name], "STARTING", begin)
    held = person.namespace.owned(project.sandbox()["id"])
    assert held["StatefulSet"] == [project.sandbox()["name"]] and len(held["Ingress"]) == 2
    later = told_again(project, cause)  # by then, a container that ended is in a crash loop
    assert later["since"] == cause["since"] or later["code"] != cause["code"]
    kubesim.end_effect(effect)
    project.wait("RUNNING", SOON)
    project.wait_no_cause(SOON)
    assert person.namespace.owned(project.sandbox()["id"]).items() >= held.items()


@pytest.fixture(scope="module")
def meetings(site, kubesim):
    """name → result of all faults and effects, tried at once, as most of the time is spent waiting."""
    meet = {**dict.fromkeys(FAULTS, meet_fault), **dict.fromkeys(EFFECTS, meet_effect)}
    people = {name: Person(site, kubesim) for name in meet}
    with ThreadPoolExecutor(len(meet)) as pool:
        return {name: pool.submit(meet[name], people[name], kubesim, name) for name in meet}


@pytest.mark.parametrize("name", [*FAULTS, *EFFECTS])
def test_a_fault_is_reported_and_passes(meetings, name):
    meetings[name].result()


def test_a_database_that_fails_and_comes_back(person, kubesim):
    project = person.create("Shaken", database=True)
    project.wait("RUNNING")
    claims = person.namespace.items("PersistentVolumeClaim")
    kubesim.effect(effect="database-failed", namespace=person.namespace.name)
    assert project.wait_cause("DATABASE_FAILED")["nextAttemptAt"]
    assert (project.database()["status"], project.sandbox()["status"]) == ("STARTING", "RUNNING")
    kubesim.heal()
    project.wait("RUNNING", SOON)
    project.wait_no_cause(SOON)
    assert person.namespace.items("PersistentVolumeClaim") == claims


def test_a_pod_that_does_not_end_holds_up_the_end_and_nothing_else(person, kubesim):
    project, other = person.create("Stuck"), person.create("Other")
    project.wait("RUNNING")
    kubesim.effect(effect="stuck", namespace=person.namespace.name,
                   name=f"{project.sandbox()['name']}*")
    project.delete()
    other.wait("RUNNING")
    other.stop()
    other.wait("STOPPED")
    assert project.status() == "TERMINATING"
    kubesim.heal()
    project.wait_gone(SOON)


def test_stale_lists_undo_nothing(person, kubesim):
    """A list from before a start shows no objects: those that were made are neither lost nor made twice."""
    since = kubesim.writes()["next"]
    kubesim.fault(fault="stale", verb="list", user=f"*:{person.name}")
    project = person.create("Seen late")
    eventually(lambda: kubesim.order("GET", "/faults")["faults"][0]["hits"] >= 6)  # three passes
    assert project.status() in ("CREATING", "STARTING")
    assert person.namespace.items("StatefulSet")
    kubesim.heal()
    project.wait("RUNNING", SOON)
    made = creations(kubesim, person.namespace.name, since)
    assert len(made) >= 6 and set(made.values()) == {1}, made


def test_a_token_that_expires_and_a_kubeconfig_that_is_rotated(person, kubesim):
    project = person.create("Locked out")
    project.wait("RUNNING")
    begin = now() - timedelta(milliseconds=50)
    kubesim.delete_user(person.name)
    sandbox_told(project, Fault("KUBE_UNAUTHORIZED"), "RUNNING", begin)
    project.stop()
    person.put_kubeconfig(kubesim.create_user(person.name, lifetime=0))
    sandbox_told(project, Fault("KUBE_UNAUTHORIZED"), "STOPPING", begin)
    person.put_kubeconfig(person.new_kubeconfig())
    project.wait("STOPPED", SOON)
    project.wait_no_cause(SOON)


def test_a_namespace_in_debt(person, kubesim):
    project = person.create("In debt")
    project.wait("RUNNING")
    kubesim.suspend(person.namespace.name)
    project.wait("STOPPED")
    assert "40001" in project.wait_cause("KUBE_BILLING")["message"]
    kubesim.resume(person.namespace.name)
    project.wait("RUNNING", SOON)
    project.wait_no_cause(SOON)


def test_an_outage(person, kubesim):
    running, rising = person.create("Running"), None
    running.wait("RUNNING")
    kubesim.stop_apiserver()
    try:
        rising = person.create("Rising")
        assert running.wait_cause("KUBE_UNREACHABLE")["nextAttemptAt"]
        rising.wait_cause("KUBE_UNREACHABLE")
        assert (running.status(), rising.status()) == ("RUNNING", "CREATING")
    finally:
        kubesim.start_apiserver()
    for project in (running, rising):
        project.wait("RUNNING", SOON)
        project.wait_no_cause(SOON)
