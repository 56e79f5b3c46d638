"""Tests that a user's settings for an agent are variables of all their sandboxes."""

import json

import pytest
from people import SLOW, eventually, expect

ANTHROPIC = "/api/user/config/anthropic"


@pytest.fixture
def shop(person):
    project = person.create("Shop")
    project.wait("RUNNING")
    return project


def environment(project):
    return project.person.namespace.secret(f"{project.sandbox()['name']}-env")


def stateful_set(project):
    return project.person.namespace.get("StatefulSet", project.sandbox()["name"])


def put(person, status=200, **members):
    return expect(person.client.put(ANTHROPIC, members), status)


def settle(project, status, **variables):
    """Waits until the project has this status, and its sandbox these variables."""

    def is_settled():
        """the project has the status, and the sandbox the variables"""
        found = environment(project)
        return project.status() == status and all(
            found.get(name) == value for name, value in variables.items())

    eventually(is_settled, SLOW, last=lambda: (project.status(), environment(project)))


def secrets_with(person, text):
    return [item["metadata"]["name"] for item in person.namespace.items("Secret")
            if text in json.dumps(person.namespace.secret(item["metadata"]["name"]))]


def test_a_saved_key_reaches_every_sandbox_and_a_replaced_one_rolls_each_once(person, shop):
    other = person.create("Other")
    other.wait("RUNNING")
    expect(person.client.post(f"{other.path}/stop"))
    other.wait("STOPPED")
    put(person, apiKey="sk-old", apiBaseUrl="https://models.example", model="large")
    settle(shop, "RUNNING", ANTHROPIC_API_KEY="sk-old", ANTHROPIC_MODEL="large",
           ANTHROPIC_BASE_URL="https://models.example")
    pod, made = person.namespace.pod(shop.sandbox()["name"]), stateful_set(shop)["metadata"]["generation"]
    put(person, apiKey="sk-new")
    settle(shop, "RUNNING", ANTHROPIC_API_KEY="sk-new", ANTHROPIC_MODEL="large")
    assert person.namespace.pod(shop.sandbox()["name"])["metadata"]["uid"] != pod["metadata"]["uid"]
    assert stateful_set(shop)["metadata"]["generation"] == made + 1
    assert secrets_with(person, "sk-old") == []
    expect(person.client.post(f"{other.path}/start"))
    settle(other, "RUNNING", ANTHROPIC_API_KEY="sk-new", ANTHROPIC_MODEL="large")

    put(person, apiKey=None)
    for project in (shop, other):
        settle(project, "RUNNING", ANTHROPIC_API_KEY=None, ANTHROPIC_MODEL="large")
    assert secrets_with(person, "sk-new") == []


def test_a_stopped_sandbox_stays_stopped_without_replaced_keys(person, shop):
    put(person, apiKey="sk-old")
    settle(shop, "RUNNING", ANTHROPIC_API_KEY="sk-old")
    expect(person.client.post(f"{shop.path}/stop"))
    shop.wait("STOPPED")
    events, made = shop.events(), stateful_set(shop)["metadata"]["generation"]
    put(person, apiKey="sk-new")
    settle(shop, "STOPPED", ANTHROPIC_API_KEY="sk-new")
    assert secrets_with(person, "sk-old") == []
    shop.set_variable("TOKEN", "1")
    settle(shop, "STOPPED", TOKEN="1")
    # It was applied once for each change, without starting a pod.
    eventually(lambda: stateful_set(shop)["metadata"]["generation"] == made + 2)
    assert stateful_set(shop)["spec"]["replicas"] == 0
    assert person.namespace.pod(shop.sandbox()["name"]) is None
    assert shop.events() == events


def test_a_projects_variable_overrides_a_setting(person, shop):
    put(person, model="large")
    expect(person.client.post(f"{shop.path}/environment",
                              {"key": "ANTHROPIC_MODEL", "value": "small"}))
    settle(shop, "RUNNING", ANTHROPIC_MODEL="small")
    variable = shop.variables()["ANTHROPIC_MODEL"]["id"]
    expect(person.client.delete(f"{shop.path}/environment/{variable}"))
    settle(shop, "RUNNING", ANTHROPIC_MODEL="large")


def test_settings_of_former_versions_count_under_their_old_names(person, shop):
    configs = [{"key": "ANTHROPIC_API", "value": "https://old.example"},
               {"key": "ANTHROPIC_AUTH_TOKEN", "value": "token"}]
    expect(person.client.post("/api/user/config", {"configs": configs}))
    settle(shop, "RUNNING", ANTHROPIC_BASE_URL="https://old.example", ANTHROPIC_AUTH_TOKEN="token")
    # Both names mean the same setting.
    assert expect(person.client.get(ANTHROPIC))["apiBaseUrl"] == "https://old.example"
    put(person, apiBaseUrl="https://new.example")
    settle(shop, "RUNNING", ANTHROPIC_BASE_URL="https://new.example")
    keys = "ANTHROPIC_API,ANTHROPIC_API_BASE_URL,ANTHROPIC_BASE_URL"
    assert set(expect(person.client.get(f"/api/user/config?keys={keys}"))["configs"].values()) == {
        "https://new.example"}
    put(person, apiBaseUrl=None)
    settle(shop, "RUNNING", ANTHROPIC_BASE_URL=None)


def test_the_settings_of_one_user_are_not_another_ones(site, kubesim, person, shop):
    put(person, apiKey="sk-mine")
    settle(shop, "RUNNING", ANTHROPIC_API_KEY="sk-mine")
    stranger = type(person)(site, kubesim)
    project = stranger.create("Shop")
    project.wait("RUNNING")
    assert "ANTHROPIC_API_KEY" not in environment(project)
    assert secrets_with(stranger, "sk-mine") == []


def test_settings_not_for_sandboxes_restart_nothing(person, shop):
    before = stateful_set(shop)["metadata"]["generation"]
    expect(person.client.post("/api/user/config", {"configs": [{"key": "THEME", "value": "dark"}]}))
    assert shop.status() == "RUNNING"
    put(person, model="large")
    settle(shop, "RUNNING", ANTHROPIC_MODEL="large")
    assert stateful_set(shop)["metadata"]["generation"] == before + 1
    assert "THEME" not in environment(shop)


def test_a_value_that_no_variable_can_have_is_refused(person, shop):
    before = environment(shop)
    answer = person.client.put("/api/user/config",
                               {"configs": [{"key": "ANTHROPIC_AUTH_TOKEN", "value": "x" * 4097}]})
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "INVALID_FIELD")
    assert shop.status() == "RUNNING" and environment(shop) == before


class TestOperator:
    """The operator has a key for everybody."""

    @pytest.fixture
    def everybodys(self, workspace, build, postgres):
        from schedule import OPTIONS
        from stand.site import Site

        file = workspace / "operator.env"
        file.write_text("ANTHROPIC_AUTH_TOKEN=operators\nANTHROPIC_BASE_URL=https://operator.example\n"
                        "ANTHROPIC_MODEL=operators\n")
        with Site(workspace / "everybodys", build, postgres, database="everybodys",
                  options=OPTIONS | {"operator_env_file": file}, every="200ms") as made:
            yield made

    def test_a_users_own_key_replaces_the_operators_settings(self, everybodys, kubesim, person):
        ada = type(person)(everybodys, kubesim)
        shop = ada.create("Shop")
        shop.wait("RUNNING")
        settle(shop, "RUNNING", ANTHROPIC_AUTH_TOKEN="operators",
               ANTHROPIC_BASE_URL="https://operator.example", ANTHROPIC_MODEL="operators")
        put(ada, model="mine")
        settle(shop, "RUNNING", ANTHROPIC_AUTH_TOKEN="operators", ANTHROPIC_MODEL="mine")
        put(ada, apiKey="sk-mine")
        settle(shop, "RUNNING", ANTHROPIC_API_KEY="sk-mine", ANTHROPIC_AUTH_TOKEN=None,
               ANTHROPIC_BASE_URL=None, ANTHROPIC_MODEL="mine")
