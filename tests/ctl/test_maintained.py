"""Tests fsactl maintenance …: users can only read, administrators can still act."""

import json

import pytest

MESSAGE = "We are moving house"


@pytest.fixture
def maintenance(fsactl):
    yield fsactl("maintenance", "on", "--message", MESSAGE)["maintenance"]
    fsactl("maintenance", "off")


def test_it_is_said_whether_it_is_on_and_since_when(fsactl, maintenance):
    assert maintenance["message"] == MESSAGE
    assert fsactl("maintenance", "status")["maintenance"] == maintenance
    text = fsactl("maintenance", "status", json_=False)
    assert MESSAGE in text and maintenance["since"] in text
    assert fsactl("maintenance", "off") == {"maintenance": None}
    assert fsactl("maintenance", "status", json_=False).startswith("off")


def test_another_text_leaves_it_on_since_the_same_time(fsactl, maintenance):
    told = fsactl("maintenance", "on", "--message", "It takes longer")["maintenance"]
    assert told == {"message": "It takes longer", "since": maintenance["since"]}


def test_an_administrator_still_acts(fsactl, person, maintenance):
    assert person.client.post("/api/projects", {"name": "Refused"}).json()["error"] == MESSAGE
    assert fsactl("project", "stop", person.project)["id"] == person.project
    assert fsactl("user", "disable", person.name)["disabledAt"]


def test_it_is_in_the_audit(fsactl, maintenance):
    fsactl("maintenance", "off")
    actions = [line["action"] for line in fsactl("audit", "--action", "admin.maintenance")]
    assert actions[:2] == ["admin.maintenance.off", "admin.maintenance.on"]


def test_doctor_says_so(fsactl, quiet, maintenance):
    told = json.loads(fsactl("doctor", status=1).stdout)
    (finding,) = [f for f in told if f["check"] == "maintenance"]
    assert finding["health"] == "warning" and MESSAGE in finding["message"]
    assert "fsactl maintenance off" in finding["advice"]


@pytest.mark.parametrize("words", [
    ("on",), ("on", "--message", ""), ("on", "--message", "two\nlines"),
    ("on", "--message", "x" * 501), ("on", "--message", "\udcff"), ("off", "--message", "x"),
])
def test_an_invalid_text_begins_nothing(fsactl, words):
    assert fsactl("maintenance", *words, status=2).stderr
    assert fsactl("maintenance", "status") == {"maintenance": None}
