"""Tests fsactl config: the values in fsa.conf, and errors in it. This needs no database."""

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RIGHT = "ingress_domain = apps.example.org\n"


@pytest.fixture
def config(build, tmp_path):
    """Runs `fsactl config …` on a file with the given text; returns the outcome, or its JSON."""
    path = tmp_path / "fsa.conf"

    def run(text, *words, status=0, json_=False):
        path.write_text(text)
        command = [build / "fsactl", "--config", path, "config", *words]
        done = subprocess.run([*command, "--json"] if json_ else command, capture_output=True,
                              text=True)
        assert done.returncode == status, done.stdout + done.stderr
        return json.loads(done.stdout) if json_ else done.stdout

    run.path = path
    return run


def test_a_file_that_is_right_is_said_to_be(config):
    assert config(RIGHT, "check") == f"{config.path} is right\n"


def test_every_problem_is_listed_with_its_place_and_advice(config):
    lines = config("registration = sometimes\ngithub_client_id = x\nresnc = 3s\n", "check",
                   status=1).splitlines()
    assert lines == [
        f"{config.path}: error: ingress_domain: is not set, and has no default: "
        "Sandboxes get <12 letters>.<this domain>.",
        f'{config.path}:1: error: registration: "sometimes" is not one of: open closed at_login',
        f"{config.path}:2: error: github_client_id is set, and github_client_secret_file is not: "
        "set it, or leave both out",
        f"{config.path}:3: error: resnc: no such option; did you mean resync?",
    ]


def test_the_shipped_file_says_what_has_to_be_edited(config):
    (found,) = config((ROOT / "packaging/fsa.conf").read_text(), "check", status=1, json_=True)
    assert found["severity"] == "error" and "ingress_domain" in found["message"]


def test_a_warning_alone_is_no_failure(config):
    (found,) = config(f"{RIGHT}public_url = http://agent.example.org\n", "check", json_=True)
    assert found["severity"] == "warning" and found["line"] == 2


def test_files_that_are_named_and_not_there_or_readable_for_all_are_found(config, tmp_path):
    (tmp_path / "open").write_text("x" * 40)
    (tmp_path / "open").chmod(0o644)
    found = config(f"{RIGHT}operator_env_file = {tmp_path}/none\n"
                   f"sealos_jwt_secret_file = {tmp_path}/open\n"
                   f"provider_ca_file = {tmp_path}\n", "check", status=1, json_=True)
    by_line = {f["line"]: (f["severity"], f["message"]) for f in found}
    assert by_line[2] == ("error", f"operator_env_file: {tmp_path}/none: No such file or directory")
    assert by_line[3][0] == "warning" and f"chmod o-rwx {tmp_path}/open" in by_line[3][1]
    assert by_line[4] == ("error", f"provider_ca_file: {tmp_path} is not a file")


def test_another_file_is_tried_before_it_takes_the_place_of_the_first(config, tmp_path):
    (tmp_path / "new").write_text("nonsense\n")
    assert f"{tmp_path}/new:1: error: not a line of" in config(RIGHT, "check", "--file",
                                                               tmp_path / "new", status=1)


def test_every_value_is_shown_with_its_source(config):
    rows = {row["option"]: row for row in config(f"# x\n{RIGHT}", "show", json_=True)}
    assert rows["ingress_domain"] == {"option": "ingress_domain", "value": "apps.example.org",
                                      "from": f"{config.path}:2"}
    assert rows["resync"] == {"option": "resync", "value": "5m", "from": "default"}
    assert rows["storage_class"]["value"] is None


def test_one_value_is_shown_alone(config):
    assert config(RIGHT, "show", "ingress_domain") == "apps.example.org\n"
    assert config(RIGHT, "show", "storage_class") == ""
    config(RIGHT, "show", "no_such", status=1)


def test_a_password_is_never_shown(config):
    text = f"{RIGHT}database = postgresql://u:geheim@h/d\n"
    assert "geheim" not in config(text, "show")
    assert config(text, "show", "database") == "user=u password=(set) dbname=d host=h\n"


def test_other_commands_end_with_the_status_of_a_wrong_configuration(build, config):
    config.path.write_text("nonsense\n")
    done = subprocess.run([build / "fsactl", "--config", config.path, "user", "list"],
                          capture_output=True, text=True)
    assert done.returncode == 78
    assert "fsactl config check" in done.stderr
