"""Tests what an agent on a user's own machine can do with `fsa mcp`."""

import json

import pytest


def test_an_agent_runs_a_project_from_its_beginning_to_its_stop(agent, ada):
    tools, results = agent(
        ["create_project", {"name": "By an agent", "database": False, "branch": "main",
                            "repository": "https://git.example.org/shop.git"}],
        ["list_projects", {}],
        ["set_environment", {"project": "By an agent", "variables": {"A": "1", "B": "two\nlines"}}],
        ["set_environment", {"project": "By an agent", "variables": {"KEY": "s3cr3t"}, "secret": True}],
        ["unset_environment", {"project": "By an agent", "names": ["A"]}],
        ["list_environment", {"project": "By an agent"}],
        ["explain_project", {"project": "By an agent"}],
        ["stop_project", {"project": "By an agent"}],
    )
    assert [r["text"] for r in results if r["error"]] == []
    found = [r["found"] for r in results]
    assert found[0]["status"] == "RUNNING" and found[7]["status"] == "STOPPED"
    assert {"shop", "By an agent"} <= {p["name"] for p in found[1]["projects"]}
    values = {v["key"]: v["value"] for v in found[5]["variables"]}
    assert values == {"B": "two\nlines", "KEY": None, "FSA_REPOSITORY_BRANCH": "main",
                      "FSA_REPOSITORY_URL": "https://git.example.org/shop.git"}
    assert found[6]["events"] and found[6]["problems"] == []
    assert json.loads(results[0]["text"]) == found[0]  # for clients that only know text
    assert {t["name"] for t in tools} >= {"start_project", "restart_project", "project_status"}
    ada("delete", "By an agent", "--yes", "--wait")


def test_a_model_reads_no_secret(agent, ada):
    whole = ada.json("status", "shop")
    secrets = [whole["databases"][0]["password"], whole["sandboxes"][0]["ttydUrl"].split("=")[-1]]
    assert all(secrets)
    _, results = agent(["list_projects", {}], ["project_status", {"project": "shop"}],
                       ["explain_project", {"project": "shop"}])
    assert not any(secret in json.dumps(results) for secret in [*secrets, ada.token])


def test_the_model_gets_errors(agent):
    _, results = agent(["project_status", {"project": "nothing"}], ["project_status", {}],
                       ["project_status", {"project": 7}], ["list_projects", {"more": True}],
                       ["create_project", {"name": "9 lives"}],
                       ["create_project", {"name": "Lives", "branch": "main"}],
                       ["set_environment", {"project": "shop", "variables": {"A": 1}}])
    assert all(result["error"] for result in results)
    assert results[0]["found"]["errorCode"] == "PROJECT_NOT_FOUND"
    assert "project is missing" in results[1]["text"]


def talk(ada, *lines):
    """Sends lines verbatim; returns the responses."""
    text = "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines)
    done = ada("mcp", input=text)
    return [json.loads(line) for line in done.stdout.splitlines()]


def request(number, method, **params):
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


@pytest.mark.parametrize("asked, answered", [
    ("2024-11-05", "2024-11-05"), ("2025-11-25", "2025-11-25"), ("1999-01-01", "2025-11-25"),
])
def test_the_version_is_negotiated(ada, asked, answered):
    (told,) = talk(ada, request(1, "initialize", protocolVersion=asked, capabilities={}))
    assert told["result"]["protocolVersion"] == answered


def test_an_invalid_request_is_refused_and_the_next_one_answered(ada):
    told = talk(ada, "{\n", "[]\n", "\n", "x" * (17 << 20) + "\n", {"jsonrpc": "2.0", "id": 1},
                {"jsonrpc": "2.0", "method": "notifications/initialized"},
                {"jsonrpc": "2.0", "id": 5, "result": {}}, request({"no": "id"}, "ping"),
                request(2, "no/such"), request("three", "tools/call", name="no_such"),
                "[" * 100000 + "\n", request(4, "ping"))
    codes = [t.get("error", {}).get("code") for t in told]
    assert codes == [-32700, -32600, -32600, -32600, -32600, -32601, -32602, -32700, None]
    assert [t["id"] for t in told[-4:]] == [2, "three", None, 4]


def test_without_a_login_it_says_so_and_ends(home):
    assert "fsa login" in home("mcp", status=3).stderr
