"""Tests what clients of the former version (0.4) send and read, response by response."""

import json
import uuid

import pytest

KINDS = ("auth", "payment", "ttyd", "file_browser", "general", "secret")


@pytest.fixture
def project(user):
    client = user()
    client.project = client.post("/api/projects", {"name": "Shape test"}).json()["id"]
    client.path = f"/api/projects/{client.project}/environment"
    return client


def variables(client):
    """Returns {category: {key: value}} of the variables, without empty categories."""
    groups = client.get(client.path).json()
    assert tuple(groups) == KINDS
    return {category: {v["key"]: v["value"] for v in group}
            for category, group in groups.items() if group}


def variable(key, value="1", category="general"):
    return {"key": key, "value": value, "category": category, "isSecret": False}


@pytest.mark.parametrize("accept, kind", [
    (None, "application/json"),
    ("*/*", "application/json"),
    ("application/json, text/plain, */*", "application/json"),
    ("application/problem+json", "application/problem+json"),
    ("application/json, application/problem+json", "application/problem+json"),
])
def test_errors_are_json_unless_problem_details_are_asked_for(user, accept, kind):
    answer = user().get(f"/api/projects/{uuid.uuid4()}", headers={"Accept": accept})
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].split(";")[0] == kind
    assert answer.headers["Vary"] == "Accept"
    assert (answer.json()["error"], answer.json()["errorCode"]) == (
        "Project not found", "PROJECT_NOT_FOUND")


def test_a_stored_kubeconfig_is_a_success(user, make_kubeconfig):
    answer = user(kubeconfig=False).post("/api/user/config/kc", {"kubeconfig": make_kubeconfig()})
    assert answer.json()["success"] is True
    assert answer.json()["namespace"] == "ns-test"


def test_a_batch_replaces_the_category_it_is_of(project):
    assert project.post(project.path, variable("KEY", category="auth")).ok
    first = [variable("FOO"), variable("BAR")]
    assert project.post(project.path, {"variables": first}).json() == {"success": True, "count": 2}
    assert project.post(project.path, {"variables": [variable("FOO", "2")]}).ok
    assert variables(project) == {"auth": {"KEY": "1"}, "general": {"FOO": "2"}}


def test_a_batch_moves_a_variable_to_another_category(project):
    assert project.post(project.path, {"variables": [variable("A"), variable("B")]}).ok
    assert project.post(project.path, {"variables": [variable("A", "2", "secret")]}).ok
    assert variables(project) == {"general": {"B": "1"}, "secret": {"A": "2"}}


def test_an_empty_batch_removes_nothing_that_it_does_not_name(project):
    assert project.post(project.path, {"variables": [variable("A"), variable("B", "1", "auth")]}).ok
    assert project.post(project.path, {"variables": []}).json() == {"success": True, "count": 0}
    assert variables(project) == {"general": {"A": "1"}, "auth": {"B": "1"}}
    empty = {"variables": [], "category": "auth"}
    assert project.post(project.path, empty).json() == {"success": True, "count": 0}
    assert variables(project) == {"general": {"A": "1"}}


def test_a_merge_leaves_the_others(project):
    assert project.post(project.path, {"variables": [variable("A"), variable("B")]}).ok
    assert project.patch(project.path, {"variables": [variable("B", "2"), variable("C")]}).ok
    assert variables(project) == {"general": {"A": "1", "B": "2", "C": "1"}}


def test_too_many_variables_replace_nothing(project):
    for category in ("general", "auth"):
        batch = [variable(f"{category.upper()}{n}", "1", category) for n in range(200)]
        answer = project.post(project.path, {"variables": batch})
    assert (answer.status_code, answer.json()["errorCode"]) == (422, "TOO_MANY_VARIABLES")
    assert [len(group) for group in variables(project).values()] == [200]


def test_settings_are_read_and_written_as_configs(user):
    client, path = user(kubeconfig=False), "/api/user/config"
    given = {"key": "ANTHROPIC_API", "value": "https://model.example", "category": "anthropic",
             "isSecret": False}
    answer = client.post(path, {"configs": [given]}).json()
    assert answer["success"] is True
    assert answer["configs"] == [given]
    assert client.get(f"{path}?keys=ANTHROPIC_API,%20OTHER").json() == {
        "configs": {"ANTHROPIC_API": "https://model.example"}}
    assert client.get(path).status_code == 400


def test_a_list_has_the_variables_of_its_projects_and_of_no_others(project, user):
    other = user()
    other.post("/api/projects", {"name": "Other"})
    assert project.post(project.path, {"variables": [
        variable("FOO", "bar"), {**variable("KEY", "hidden"), "isSecret": True}]}).ok
    second = project.post("/api/projects", {"name": "Second"}).json()["id"]
    for listed in (project.get("/api/projects").json(),
                   project.get("/api/projects?limit=10").json()["items"]):
        shown = {p["id"]: {v["key"]: v["value"] for v in p["environments"]} for p in listed}
        assert shown == {project.project: {"FOO": "bar", "KEY": None}, second: {}}
    assert [p["environments"] for p in other.get("/api/projects").json()] == [[]]


def test_the_list_begins_with_what_changed_last(user):
    client = user()
    ids = [client.post("/api/projects", {"name": name}).json()["id"] for name in ("One", "Two")]
    assert [p["id"] for p in client.get("/api/projects").json()] == ids[::-1]
    assert client.patch(f"/api/projects/{ids[0]}", {"description": "changed"}).ok
    assert [p["id"] for p in client.get("/api/projects").json()] == ids


def test_a_project_that_is_being_deleted_stays_in_the_list(project):
    assert project.post(f"/api/projects/{project.project}/delete").ok
    listed, = project.get("/api/projects").json()
    assert (listed["id"], listed["status"]) == (project.project, "TERMINATING")


def test_a_failure_in_development_tells_the_way_it_took(make_site):
    site = make_site(options={"mode": "development"})
    answer = site.client().get("/api/projects")
    assert answer.json()["details"]["stack"] == answer.json()["details"]["message"]


def test_a_large_body_is_refused_while_it_is_sent(user):
    client = user()
    body = json.dumps({"name": "x", "description": "\u00e9" * 20000})
    answer = client.session.post(client.url + "/api/projects", data=body,
                                 headers={"Content-Type": "application/json"}, timeout=30)
    assert answer.status_code == 413
    assert answer.json()["error"] == (
        "the body is larger than 16 KiB as it is sent, JSON escapes included")
