"""Sends the same requests to both servers, and compares the responses: codes, Status, objects."""

import difflib
import itertools
import json
import re

import pytest
from cases import CASES, JSON
from stand.kube.api import Api, ApiError

_numbers = itertools.count(1)
VOLATILE = re.compile(r"in record \(\d+\)|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:]+Z")
# Members that the real controllers change at any time, or that are random.
IGNORED = {"uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "time",
           "clusterIP", "clusterIPs", "status", "managedFields"}


class Person:
    def __init__(self, server):
        name = f"case{next(_numbers)}"
        self.namespace = f"ns-{name}"
        self.api = Api.from_kubeconfig(server.create_user(name))
        self.name = name

    def path(self, text):
        if text.startswith("/"):
            return text
        group, rest = text.split(" ")
        prefix = "/api/v1" if group == "v1" else f"/apis/{group}"
        return f"{prefix}/namespaces/{self.namespace}/{rest}"

    def ask(self, method, path, body, content_type, accept=JSON):
        try:
            return 200, self.api(method, self.path(path), body, content_type, accept=accept)
        except ApiError as e:
            return e.status, e.body


def simplify(value, person):
    """Removes what differs from run to run; replaces managers by what they own."""
    if isinstance(value, dict):
        return {k: simplify(v, person) for k, v in value.items() if k not in IGNORED
                and not k.startswith("kubernetes.io/")}
    if isinstance(value, list):
        return _once(simplify(v, person) for v in value)
    if isinstance(value, str):
        text = value.partition("\n@@")[0]  # the rest differs, as it shows internal structures of the real server
        text = VOLATILE.sub("<volatile>", text)
        text = text.replace(person.namespace, "<namespace>").replace(person.name, "<user>")
        return text
    return value


def _once(values):
    """Removes duplicates: the real server sometimes repeats a cause."""
    found = []
    for value in values:
        if value not in found:
            found.append(value)
    return found


def owned(answer):
    """Returns manager → the fields that it has applied."""
    entries = answer.get("metadata", {}).get("managedFields", [])
    return {e["manager"]: e["fieldsV1"] for e in entries if e["operation"] == "Apply"}


def outcome(server, steps):
    person = Person(server)
    for step in steps[:-1]:
        code, answer = person.ask(*step)
        assert code == 200, answer
    code, answer = person.ask(*steps[-1])
    seen = {"code": code, "answer": simplify(answer, person), "owned": owned(answer)}
    if code < 400 and "metadata" in answer:
        seen["generation"] = answer["metadata"].get("generation")
    return seen


@pytest.mark.parametrize("name", CASES)
def test_answers_are_the_same(kubesim, real, name):
    ours, theirs = outcome(kubesim, CASES[name]), outcome(real, CASES[name])
    if ours != theirs:
        pytest.fail(f"{name}\n{difference(ours, theirs)}", pytrace=False)


def difference(ours, theirs):
    """Returns the difference between kubesim (-) and the real server (+)."""
    lines = [json.dumps(o, indent=1, sort_keys=True).splitlines() for o in (ours, theirs)]
    return "\n".join(difflib.unified_diff(*lines, "kubesim", "real", n=1, lineterm=""))
