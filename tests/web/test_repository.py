"""A project that begins with a git repository: which addresses are accepted, and what becomes of them."""

import pytest

from test_agent import refused, variables

URL = "https://git.example.org/team/shop.git"


def create(client, name="Shop", **repository):
    return client.post("/api/projects", {"name": name, "repository": repository})


def test_the_sandbox_learns_of_the_repository_by_variables(user):
    client = user()
    made = create(client, url=URL, branch="feature/#7", folder="my-shop").json()
    assert variables(client, made["id"]) == {"FSA_REPOSITORY_URL": URL, "FSA_REPOSITORY_BRANCH": "feature/#7",
                                             "FSA_REPOSITORY_FOLDER": "my-shop"}
    made = create(client, "Other", url="http://127.0.0.1:8418/x").json()
    assert variables(client, made["id"]) == {"FSA_REPOSITORY_URL": "http://127.0.0.1:8418/x"}


WRONG = {
    "no address": {}, "an empty one": {"url": ""}, "a file": {"url": "file:///etc/passwd"},
    "ssh": {"url": "ssh://git@example.org/x"}, "scp": {"url": "git@example.org:x"},
    "a program": {"url": "ext::sh -c id"}, "an option": {"url": "--upload-pack=id"},
    "http": {"url": "http://git.example.org/x"}, "http by another name": {"url": "http://127.0.0.1.example.org/x"},
    "a user": {"url": "https://ada@example.org/x"}, "a password": {"url": "https://ada:secret@example.org/x"},
    "a query": {"url": "https://example.org/x?token=secret"}, "a fragment": {"url": "https://example.org/x#y"},
    "no path": {"url": "https://example.org"}, "a line break": {"url": URL + "\nx"}, "a blank": {"url": URL + " -u x"},
    "too long": {"url": "https://example.org/" + "x" * 500}, "no text": {"url": 7},
    "an option as branch": {"url": URL, "branch": "--config=x"}, "an empty branch": {"url": URL, "branch": ""},
    "a branch with a blank": {"url": URL, "branch": "a b"}, "a path as folder": {"url": URL, "folder": "a/b"},
    "a folder above": {"url": URL, "folder": ".."}, "a hidden folder": {"url": URL, "folder": ".ssh"},
    "an unknown member": {"url": URL, "depth": 1},
}


@pytest.mark.parametrize("case", WRONG)
def test_other_repositories_are_refused(user, case):
    client = user()
    answer = create(client, **WRONG[case])
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"].startswith(("repository: ", "no such field")), answer.text
    assert "secret" not in answer.text
    assert client.get("/api/projects").json() == []


def test_a_list_is_no_repository(user):
    refused(user().post("/api/projects", {"name": "Shop", "repository": [URL]}), 400, "WRONG_TYPE")
