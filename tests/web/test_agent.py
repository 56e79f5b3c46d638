"""Tests starting an agent's task: the response has a token and a request for sandboxd, which tests/kubelet sends."""

import base64
import json

import pytest


@pytest.fixture
def path(web, project):
    """Returns the path for a project whose sandbox has enough memory for an agent."""
    give_memory(web, project, "512Mi")
    return f"/api/projects/{project.id}/agent"


def give_memory(web, project, limit):
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE sandboxes SET memory_limit = %s WHERE resource_id IN"
                       " (SELECT id FROM resources WHERE project_id = %s)", (limit, project.id))


def refused(answer, status, code):
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code), answer.text


def test_the_answer_is_the_request_that_starts_the_task_and_a_token_for_it(project, path):
    prompt = "Say 'hello'; $(date)\nand ✓."
    one, other = (project.client.post(path, {"prompt": prompt}).json() for _ in range(2))
    assert one["session"] != other["session"]
    assert one["request"] == {
        "method": "POST", "path": "/v1/processes", "headers": {"Idempotency-Key": one["session"]},
        "body": {"command": ["/usr/lib/fullstack-agent/agent-task", one["session"]], "name": "agent",
                 "environment": {"FSA_AGENT_PROMPT": prompt}, "overflow": "drop"}}
    claims = json.loads(base64.urlsafe_b64decode(one["token"].split(".")[1] + "=="))
    assert claims["scope"] == "exec" and one["scopes"] == ["exec"]
    sandbox = project.client.get(f"/api/sandbox/{project.id}").json()
    assert one["url"] == sandbox["ttydUrl"].partition("?")[0]
    lines = [line for line in project.client.get("/api/user/audit").json()["items"] if line["action"] == "agent.start"]
    assert [line["objectId"] for line in lines] == [sandbox["id"]] * 2
    assert "hello" not in json.dumps(lines)  # prompts are private


@pytest.mark.parametrize("body, code", [
    ({}, "MISSING_FIELD"), ({"prompt": ""}, "INVALID_FIELD"), ({"prompt": 1}, "WRONG_TYPE"),
    ({"prompt": "x" * 16385}, "INVALID_FIELD"), ({"prompt": "x", "command": "id"}, "UNKNOWN_FIELD"),
])
def test_a_prompt_is_text_of_some_length(project, path, body, code):
    refused(project.client.post(path, body), 400, code)


def test_a_prompt_cannot_end_in_its_middle(project, path):
    answer = project.client.request("POST", path, data=b'{"prompt": "a\\u0000b"}',
                                    headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


def test_too_little_memory_is_refused_with_the_amount_needed(web, project, path):
    give_memory(web, project, "511Mi")
    answer = project.client.post(path, {"prompt": "x"})
    refused(answer, 422, "TOO_LITTLE_MEMORY")
    assert "512Mi" in answer.json()["error"] and "511Mi" in answer.json()["error"]


def test_a_stopped_sandbox_runs_no_agent(project, path):
    assert project.client.post(f"/api/projects/{project.id}/stop").ok
    refused(project.client.post(path, {"prompt": "x"}), 409, "SANDBOX_NOT_RUNNING")


def test_a_token_that_may_only_read_starts_none(web, project, path):
    token = project.client.post("/api/user/tokens", {"name": "CI", "scope": "read"}).json()["token"]
    program = web.client()
    program.session.headers["Authorization"] = f"Bearer {token}"
    assert program.post(path, {"prompt": "x"}).status_code == 403


# ---- the start of a new project ------------------------------------------------------------------


def variables(client, project_id):
    groups = client.get(f"/api/projects/{project_id}/environment").json()
    return {variable["key"]: variable["value"] for group in groups.values() for variable in group}


def test_a_project_begins_with_a_starter_on_request(user):
    client = user()
    made = client.post("/api/projects", {"name": "One", "starter": True}).json()
    assert variables(client, made["id"]) == {"FSA_STARTER": "yes"}
    made = client.post("/api/projects", {"name": "Other", "starter": False, "agentAtStart": False}).json()
    assert variables(client, made["id"]) == {}
    assert client.post("/api/projects", {"name": "Third", "starter": "yes"}).status_code == 400


def test_no_project_is_made_for_an_agent_that_could_not_run(user):
    client = user()
    refused(client.post("/api/projects", {"name": "One", "agentAtStart": True}), 422, "TOO_LITTLE_MEMORY")
    assert client.get("/api/projects").json() == []


def test_an_agent_begins_where_there_is_memory_for_it(make_site, make_kubeconfig):
    site = make_site(options={"sandbox_memory_limit": "512Mi"})
    client = site.client()
    assert client.register("grace", "correct horse battery").ok
    assert client.put("/api/user/config/kc", {"kubeconfig": make_kubeconfig()}).ok
    made = client.post("/api/projects", {"name": "One", "agentAtStart": True})
    assert made.ok, made.text
    assert variables(client, made.json()["id"]) == {"FSA_AGENT_AT_START": "yes"}
