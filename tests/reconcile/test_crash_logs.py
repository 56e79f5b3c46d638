"""What a container printed before it crashed: its owner reads it, and nobody else does."""

import json

import pytest
import requests
from people import Person, eventually, expect
from quiet import sql

PRINTED = "".join(f"line {n}\n" for n in range(30)) + "\x1b]52;c;eA==\x07password=hunter2 \u2713\u009b2J\r\n\0"
SHOWN = "".join(f"line {n}\n" for n in range(12, 30)) + "]52;c;eA==password=hunter2 \u27132J\n?"


def print_before_the_end(kubesim, person, project, text):
    """As the node does it, for the pod that there is."""
    access = kubesim.admin_access()
    pod = person.namespace.path("Pod", f"{project.sandbox()['sandboxName']}-0")
    answer = requests.put(f"{access['server']}{pod}/log?ended=true", data=text.encode(), verify=access["ca"],
                          cert=(access["certificate"], access["key"]), timeout=60, proxies={"https": ""})
    assert answer.ok, answer.text


def crash(kubesim, person, text=PRINTED):
    """A project whose container crashes again and again, and prints that."""
    kubesim.effect(effect="crash", namespace=person.namespace.name)
    project = person.create("Crashing")
    project.wait_cause("POD_CRASH")
    print_before_the_end(kubesim, person, project, text)
    return project


def log_of(project):
    return (project.view()["cause"] or {}).get("log")


@pytest.fixture
def crashing(person, kubesim):
    project = crash(kubesim, person)
    eventually(lambda: log_of(project), 240, last=project.view)
    return project


def test_its_owner_reads_its_last_lines_and_nothing_in_them_controls_a_terminal(crashing):
    assert log_of(crashing)["text"] == SHOWN and log_of(crashing)["readAt"].endswith("Z")


def test_nobody_else_reads_them(site, person, kubesim, crashing):
    """Neither in lists, nor in events, nor with a token that may only read, nor in the database."""
    for shown in (person.projects(), crashing.get(), crashing.events()):
        assert "hunter2" not in json.dumps(shown)
    made = expect(person.client.post("/api/user/tokens", {"name": "Reader", "scope": "read"}))
    reader = site.client()
    reader.session.headers["Authorization"] = f"Bearer {made['token']}"
    assert "log" not in expect(reader.get(crashing.sandbox_path))["cause"]
    assert Person(site, kubesim).client.get(crashing.sandbox_path).status_code == 404
    rows = sql(site, "SELECT row_to_json(r)::text, log_sealed FROM resources r JOIN crash_logs ON resource_id = id")
    assert rows and all("hunter2" not in row and b"hunter2" not in bytes(sealed) for row, sealed in rows)


def test_it_is_gone_with_the_cause(kubesim, crashing):
    kubesim.order("DELETE", "/effects")
    crashing.wait("RUNNING", 240)
    assert crashing.view()["cause"] is None


def test_who_may_not_read_logs_has_the_cause_without_them(person, kubesim):
    kubesim.fault(fault="forbidden", verb="get", resource="pods", user=f"*:{person.name}")
    project = crash(kubesim, person)
    since = project.causes()[0]["attempts"]
    eventually(lambda: project.causes()[0]["attempts"] > since + 1, 240, last=project.view)
    assert project.causes()[0]["kind"] == "POD_CRASH" and log_of(project) is None
