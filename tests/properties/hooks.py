"""Fills in what the OpenAPI document cannot say: which projects, variables and identities exist. schemathesis calls
before_call for each request (SCHEMATHESIS_HOOKS); an identifier of the right form is replaced by an existing one,
others are kept.
"""

import itertools
import os
import re

import requests
import schemathesis

URL = os.environ["PROPERTIES_URL"]
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
_numbers = itertools.count(1)  # new names, as a project that is being deleted keeps its own
_person = requests.Session()
_person.trust_env = False
_person.headers.update({"Origin": URL, "Authorization": f"Bearer {os.environ['PROPERTIES_TOKEN']}"})


def ask(method, path, **rest):
    answer = _person.request(method, URL + path, **rest)
    answer.raise_for_status()
    return answer.json()


def project(_):
    """Returns the id of the first project that is not being deleted."""
    there = [p["id"] for p in ask("GET", "/api/projects") if "TERMINAT" not in p["status"]]
    if there:
        return there[0]
    return ask("POST", "/api/projects", json={"name": f"Another {next(_numbers)}"})["id"]


def variable(parameters):
    path = f"/api/projects/{parameters['projectId']}/environment"
    there = [v["id"] for group in ask("GET", path).values() for v in group]
    if there:
        return there[0]
    ask("POST", path, json={"key": "ONE_MORE", "value": "x"})
    return variable(parameters)


def identity(_):
    return ask("GET", "/api/auth/identities")["items"][0]["id"]


FOUND = {"projectId": project, "envId": variable, "identityId": identity}


@schemathesis.hook
def before_call(context, case, kwargs):
    parameters = case.path_parameters
    if all(UUID.fullmatch(str(value)) for value in parameters.values()):
        for name in [name for name in FOUND if name in parameters]:
            parameters[name] = FOUND[name](parameters)
