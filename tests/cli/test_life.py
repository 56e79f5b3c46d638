"""Tests logging in and the life of a project with fsa."""

import json
import os
import re
import subprocess

import pytest

from own_machine import PASSWORD, register
from terminal import Terminal

CODE = re.compile("[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}")


# ---- logging in ---------------------------------------------------------------------------------


def test_a_token_is_kept_where_only_its_owner_may_read_it(home, served):
    _, token = register(served, "kay")
    home("login", served.url, "--token", input=token + "\n")
    assert home.sites.stat().st_mode & 0o777 == 0o600
    assert home.sites.parent.stat().st_mode & 0o777 == 0o700
    assert home("token").stdout == token + "\n"
    assert home.json("projects") == []
    home("logout")
    assert token not in home.sites.read_text()
    assert "fsa login" in home("projects", status=3).stderr


def test_a_password_becomes_a_token_of_its_own(home, served):
    client, _ = register(served, "lin")
    home("login", served.url, "--user", "lin", input=PASSWORD + "\n")
    names = [token["name"] for token in client.get("/api/user/tokens").json()["items"]]
    assert any(name.startswith("fsa on ") for name in names)
    assert PASSWORD not in home.sites.read_text()
    sessions = client.get("/api/auth/sessions").json()["items"]
    assert len(sessions) == 1  # the browser's; the session that made the token has ended


def test_what_is_refused_is_not_kept(home, served):
    wrong = home("login", served.url, "--token", input="fsa_" + "x" * 43, status=3)
    assert "x" * 43 not in wrong.stderr
    home("login", served.url, "--user", "nobody", input="not the password", status=3)
    home("login", served.url, "--token", input="", status=1)
    assert not home.sites.exists()


def test_a_file_that_others_can_read_is_not_used(ada, home, served):
    home("login", served.url, "--token", input=ada.token)
    home.sites.chmod(0o640)
    assert "chmod 600" in home("projects", status=1).stderr


@pytest.mark.parametrize("url", ["http://fsa.example.com", "ftp://127.0.0.1", "javascript:alert(1)",
                                 "https://user:pass@fsa.example.com", "http://localhost.evil.test"])
def test_a_token_goes_to_no_address_on_which_others_could_read_it(home, url):
    home("login", url, "--token", input="fsa_x", status=1)
    assert not home.sites.exists()


def test_several_sites_side_by_side(ada, home, served):
    home("login", served.url, "--token", input=ada.token)
    other = served.url.replace("127.0.0.1", "localhost")
    home("login", other, "--token", input=ada.token)
    assert [p["name"] for p in home.json("projects")] == ["shop"]
    assert home("token").stdout == home("--site", served.url, "token").stdout
    home("logout")
    assert set(json.loads(home.sites.read_text())["sites"]) == {served.url}
    assert [p["name"] for p in home.json("projects")] == ["shop"]


def test_a_program_may_bring_its_own_token(home, ada, served):
    env = {"FSA_SITE": served.url, "FSA_TOKEN": ada.token}
    assert [p["name"] for p in home.json("projects", env=env)] == ["shop"]
    assert not home.sites.exists()


def test_a_terminal_shows_no_token_while_it_is_pasted(served, ada, home):
    terminal = Terminal(home.program, "login", served.url, "--token", env=home.env)
    terminal.until("API token: ")
    terminal.type(ada.token + "\n")
    shown = terminal.until("Logged in to")
    assert terminal.end() == 0 and ada.token not in shown + terminal.text()


def enter_code(terminal, ada, allow):
    """What somebody does in the console with the code that a terminal shows."""
    with terminal.changed:
        assert terminal.changed.wait_for(lambda: CODE.search(terminal.text()), timeout=60), terminal.text()
    answer = ada.client.post("/api/auth/device/answer", {
        "userCode": CODE.search(terminal.text())[0], "allow": allow, "password": PASSWORD})
    assert answer.ok, answer.text


def test_a_code_entered_in_a_browser_logs_in_without_a_password_here(served, ada, home):
    """The browser is still running meanwhile: it ends only when the pipe is read."""
    os.mkfifo(home.folder / "opened")
    browser = home.folder / "browser"
    browser.write_text('#!/bin/sh\necho "$1" >"$HOME/opened"\n')
    browser.chmod(0o755)
    terminal = Terminal(home.program, "login", served.url, env={**home.env, "BROWSER": str(browser)})
    enter_code(terminal, ada, True)
    assert (home.folder / "opened").read_text().strip() == f"{served.url}/device"
    terminal.until("Logged in to")
    assert terminal.end() == 0
    assert [p["name"] for p in home.json("projects")] == ["shop"]


def test_a_code_that_is_refused_logs_nobody_in(served, ada, home):
    terminal = Terminal(home.program, "login", served.url, env={**home.env, "BROWSER": "true"})
    enter_code(terminal, ada, False)
    terminal.until("It was refused")
    assert terminal.end() != 0 and not home.sites.exists()


# ---- a project's life ---------------------------------------------------------------------------


def test_a_project_from_its_beginning_to_its_end(ada):
    made = ada.json("create", "Short lived", "--no-database", "--description", "for a test")
    assert (made["name"], made["description"]) == ("Short lived", "for a test")
    assert ada.json("start", "Short lived", "--wait")["status"] == "RUNNING"
    assert ada.json("stop", made["id"], "--wait")["status"] == "STOPPED"
    assert "Short lived: " in ada("restart", "Short lived").stdout
    refused = ada("delete", "Short lived", status=2)
    assert "say --yes" in refused.stderr and "files" in refused.stderr
    assert ada("delete", "Short lived", "--yes", "--wait").stdout == "Short lived: gone\n"
    ada("status", "Short lived", status=4)


def test_a_database_is_added_and_removed(ada):
    made = ada.json("create", "Bare", "--no-database", "--wait")
    refused = ada("database", "add", "Bare", status=2)
    assert "say --yes" in refused.stderr and "restarts" in refused.stderr
    assert ada.json("database", "add", "Bare", "--yes")["projectId"] == made["id"]
    ada("database", "remove", "Bare", status=2)
    assert "being removed" in ada("database", "remove", "Bare", "--yes").stdout
    ada("delete", "Bare", "--yes", "--wait")
    ada("database", "add", "Bare", "--yes", status=4)


def test_a_stopped_project_gets_a_database_and_stays_stopped(ada):
    ada("create", "Asleep", "--no-database", "--wait")
    ada("stop", "Asleep", "--yes", "--wait")
    assert "when the project is started" in ada("database", "add", "Asleep", "--yes").stdout
    assert ada.json("status", "Asleep")["status"] == "STOPPED"
    ada("delete", "Asleep", "--yes", "--wait")


def test_a_project_gets_another_size(ada, served):
    served.site.programs.fsactl("size", "set", "large", "1", "512Mi", "--description", "for builds")
    assert [size["name"] for size in ada.json("sizes")] == ["large"]
    assert "for builds" in ada("sizes").stdout
    ada("create", "Growing", "--no-database", "--size", "large", "--wait")
    assert ada.json("status", "Growing")["sandboxes"][0]["memoryLimit"] == "512Mi"
    refused = ada("resize", "Growing", "default", status=2)
    assert "say --yes" in refused.stderr and "starts anew" in refused.stderr
    assert "/api/sizes" in ada("resize", "Growing", "huge", "--yes", status=1).stderr
    assert ada.json("resize", "Growing", "default", "--yes", "--wait")["size"] is None
    assert "256Mi" in ada("resize", "Growing", "default", "--yes").stdout
    ada("delete", "Growing", "--yes", "--wait")


def test_a_project_is_created_in_another_cluster(ada, served):
    client = served.site.client()
    assert client.login("ada", PASSWORD).ok
    body = {"name": "tokyo", "region": "Asia", "kubeconfig": served.cluster.create_user("ada", "ns-ada-tokyo")}
    assert client.post("/api/clusters", body).ok
    assert [cluster["name"] for cluster in ada.json("clusters")] == ["default", "tokyo"]
    assert "ns-ada-tokyo" in ada("clusters").stdout
    assert "/api/clusters" in ada("create", "Nowhere", "--cluster", "osaka", status=1).stderr
    ada("create", "Far", "--no-database", "--cluster", "tokyo", "--wait")
    project = ada.json("status", "Far")
    assert (project["cluster"], project["sandboxes"][0]["k8sNamespace"]) == ("tokyo", "ns-ada-tokyo")
    ada("delete", "Far", "--yes", "--wait")


def test_a_project_gets_another_image(ada, served):
    served.site.programs.fsactl("image", "set", "own", "example.com/own:1", "--complete", "--description", "of ours")
    assert [image["name"] for image in ada.json("images")] == ["own"]
    assert "of ours" in ada("images").stdout
    assert ada.json("templates") == []
    assert "/api/templates" in ada("create", "None", "--template", "none", status=1).stderr
    ada("create", "Painted", "--no-database", "--image", "own", "--wait")
    assert ada.json("status", "Painted")["sandboxes"][0]["runtimeImage"] == "example.com/own:1"
    assert "say --yes" in ada("set-image", "Painted", "default", status=2).stderr
    assert "/api/images" in ada("set-image", "Painted", "none", "--yes", status=1).stderr
    assert ada.json("set-image", "Painted", "default", "--yes", "--wait")["image"] is None
    assert "example.com/own:1" in ada("set-image", "Painted", "own", "--yes").stdout
    ada("delete", "Painted", "--yes", "--wait")


def test_a_port_gets_an_address_and_loses_it(ada):
    ada("create", "Ports", "--no-database", "--wait")
    assert ada.json("port", "list", "Ports") == []
    opened, = ada.json("port", "open", "Ports", "5173", "--name", "Vite")
    assert (opened["port"], opened["name"]) == (5173, "Vite") and "-5173." in opened["url"]
    assert opened["url"] in ada("port", "list", "Ports").stdout
    assert "1 to 65535" in ada("port", "open", "Ports", "70000", status=2).stderr
    assert "terminal" in ada("port", "open", "Ports", "7681", status=1).stderr
    assert ada.json("port", "close", "Ports", "5173") == []
    assert "5173 is not open" in ada("port", "close", "Ports", "5173", status=4).stderr
    ada("delete", "Ports", "--yes", "--wait")


def test_status_says_what_a_project_is_doing(ada):
    text = ada("status", "shop").stdout
    assert "RUNNING" in text and "database" in text and "http://" in text
    assert ada.json("status", "shop")["id"] == ada.project["id"]
    assert ada.json("status", ada.project["id"])["name"] == "shop"


def test_status_watches_what_changes(ada):
    with subprocess.Popen([ada.program, "status", "shop", "--watch", "--json"], env=ada.env,
                          stdout=subprocess.PIPE, text=True) as watching:
        assert json.loads(watching.stdout.readline())["status"] == "RUNNING"
        ada("stop", "shop")
        seen = ""
        while seen != "STOPPED":
            seen = json.loads(watching.stdout.readline())["status"]
        watching.terminate()
    ada("start", "shop", "--wait")


def test_a_project_that_goes_wrong_is_explained(ada, served):
    made = ada.json("create", "Broken", "--no-database", "--wait")
    ada("stop", "Broken", "--wait")
    fault = served.cluster.fault(fault="forbidden", verb="apply", resource="statefulsets",
                                 user="*:ada")
    with subprocess.Popen([ada.program, "start", "Broken", "--wait"], env=ada.env,
                          stderr=subprocess.PIPE, text=True) as starting:
        assert "still waiting: " in starting.stderr.readline()
        with served.site.connect() as connection, connection.cursor() as cursor:
            cursor.execute("UPDATE resources SET due_at = now(),"
                           " status_since = now() - interval '1 day' WHERE project_id = %s",
                           [made["id"]])
        connection.commit()
        assert "fsa explain" in starting.stderr.read()
    assert starting.returncode == 7
    told = ada.json("explain", "Broken")
    assert told["status"] == "ERROR" and told["findings"][0]["action"]
    text = ada("explain", "Broken").stdout
    assert told["findings"][0]["headline"] in text and "what happened" in text
    served.cluster.end_fault(fault)
    ada("delete", "Broken", "--yes", "--wait")


def test_open_shows_the_page_and_no_secret(ada, served):
    shown = ada("open", "shop", "--print").stdout.strip()
    assert shown == f"{served.url}/projects/{ada.project['id']}"
    app = ada("open", "shop", "--app", "--print").stdout.strip()
    assert app == ada.project["sandboxes"][0]["publicUrl"]
    failed = ada("open", "shop", env={"BROWSER": "/nonexistent"}, status=1)
    assert shown in failed.stderr


# ---- variables ----------------------------------------------------------------------------------

ENV_FILE = """\
# how people write them
PLAIN=one two   # a comment
export EXPORTED=yes
EMPTY=
URL=postgres://u:p@h/d?x=1#fragment
SINGLE='as it $stands \\n'
DOUBLE="line\\nfeed \\"quoted\\" \\$HOME"
KEY="-----BEGIN KEY-----
abc=
-----END KEY-----
"
TICKS=`it's "both"`
TWICE=first
TWICE=second
"""
ENV_VALUES = {
    "PLAIN": "one two", "EXPORTED": "yes", "EMPTY": "", "URL": "postgres://u:p@h/d?x=1#fragment",
    "SINGLE": "as it $stands \\n", "DOUBLE": 'line\nfeed "quoted" $HOME',
    "KEY": "-----BEGIN KEY-----\nabc=\n-----END KEY-----\n", "TICKS": "it's \"both\"",
    "TWICE": "second",
}


def values(fsa, project="shop"):
    return {v["key"]: v["value"] for v in fsa.json("env", "list", project, "--show")}


@pytest.mark.parametrize("text", [ENV_FILE, "\ufeff" + ENV_FILE.replace("\n", "\r\n")],
                         ids=["unix", "windows"])
def test_a_whole_env_file_with_values_of_several_lines(ada, tmp_path, text):
    path = tmp_path / ".env"
    path.write_text(text, newline="")
    assert ada.json("env", "set", "shop", "--from", path) == {"count": len(ENV_VALUES)}
    found = {key: value.replace("\r\n", "\n") for key, value in values(ada).items()}
    assert found == ENV_VALUES
    ada("env", "unset", "shop", *ENV_VALUES)
    assert values(ada) == {}


@pytest.mark.parametrize("text, told", [
    ("A=1\nB", "line 2"), ("A=1\n\nB='x\n", "line 3"), ("1A=x", "line 1"), ('A="x" y', "line 1"),
    ("A=\udcff", "UTF-8"),
])
def test_a_file_that_cannot_be_read_changes_nothing(ada, tmp_path, text, told):
    path = tmp_path / ".env"
    path.write_bytes(text.encode(errors="surrogateescape"))
    assert told in ada("env", "set", "shop", "--from", path, status=1).stderr
    assert values(ada) == {}


def test_a_secret_is_read_from_standard_input_and_shown_only_when_asked(ada):
    ada("env", "set", "shop", "API_KEY", "--secret", input="s3cr3t\n")
    listed = ada("env", "list", "shop").stdout
    assert "API_KEY" in listed and "s3cr3t" not in listed
    assert values(ada) == {"API_KEY": "s3cr3t"}
    ada("env", "unset", "shop", "NOT_THERE", "API_KEY", status=4)
    assert values(ada) == {"API_KEY": "s3cr3t"}  # all or nothing
    ada("env", "unset", "shop", "API_KEY")


# ---- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize("words, status, told", [
    (["frobnicate"], 2, '"frobnicate" is no command'),
    (["status"], 2, "usage: status PROJECT"),
    (["status", "nothing"], 4, "fsa projects"),
    (["create", "9 lives"], 1, "name"),
    (["env", "set", "shop"], 2, "--from FILE"),
    (["env", "set", "shop", "A B=c"], 1, "key"),
])
def test_errors_say_what_to_do_and_have_their_exit_code(ada, words, status, told):
    done = ada(*words, status=status)
    assert told in done.stderr and done.stdout == ""


def test_errors_are_json_where_output_is(ada):
    told = json.loads(ada("status", "nothing", "--json", status=4).stderr)
    assert told["errorCode"] == "PROJECT_NOT_FOUND"


def test_a_token_that_may_only_read_is_told_so(ada, home, served):
    token = ada.client.post("/api/user/tokens", {"name": "r", "scope": "read"}).json()["token"]
    home("login", served.url, "--token", input=token)
    assert [p["name"] for p in home.json("projects")] == ["shop"]
    home("stop", "shop", status=5)


def test_a_site_that_is_away_is_told_as_such(home, served):
    env = {"FSA_SITE": "http://127.0.0.1:1", "FSA_TOKEN": "fsa_x"}
    assert "cannot be reached" in home("projects", env=env, status=75).stderr


def test_a_project_gets_an_end_and_more_time(ada):
    ada("create", "Brief", "--no-database", "--expires", "3d", "--wait")
    ends = ada.json("status", "Brief")["expiresAt"]
    assert ends and ends in ada("status", "Brief").stdout
    assert ada.json("expire", "Brief", "12h")["expiresAt"] < ends
    assert "never" in ada("expire", "Brief", "never").stdout
    assert ada.json("status", "Brief")["expiresAt"] is None
    for time in ("soon", "0h", "90m", "367d", ""):
        assert "whole hours" in ada("expire", "Brief", time, status=2).stderr
    ada("create", "Never", "--expires", "1", status=2)
    ada("expire", "Missing", "1d", status=4)
    ada("delete", "Brief", "--yes", "--wait")


def test_a_deleted_project_is_brought_back_from_the_trash(ada, served):
    ada("create", "Treasure", "--no-database", "--wait")
    with served.site.connect() as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE operator_options SET value = '7d' WHERE name = 'trash_time'")
    assert "in the trash until" in ada("delete", "Treasure", "--yes", "--wait").stdout
    assert "Treasure" not in ada("projects").stdout and "Treasure" in ada("trash").stdout
    ada("restore", "Missing", status=4)
    assert ada.json("restore", "Treasure", "Found")["name"] == "Found"
    assert ada.json("trash") == []
    ada("delete", "Found", "--yes")
    ada("create", "Found", "--no-database")
    assert "by its id" in ada("delete", "Found", "--permanent", "--yes", status=6).stderr
    (second,) = [project["id"] for project in ada.json("projects") if project["name"] == "Found"]
    ada("delete", second, "--permanent", "--yes", "--wait")
    assert "gone" in ada("delete", "Found", "--permanent", "--yes", "--wait").stdout
    with served.site.connect() as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE operator_options SET value = '0d' WHERE name = 'trash_time'")


def test_when_a_project_is_idle_is_its_owners_choice(ada):
    ada("create", "Lazy", "--no-database", "--wait")
    assert ada.json("idle", "Lazy", "30m")["idleMinutes"] == 30
    assert ada.json("idle", "Lazy", "never")["idleMinutes"] == 0
    assert ada.json("idle", "Lazy", "default")["idleMinutes"] is None
    assert "kept until" in ada("keep", "Lazy", "8h").stdout
    for time in ("soon", "0m", "90s", ""):
        ada("idle", "Lazy", time, status=2)
    ada("keep", "Lazy", "5m", status=2)
    for choice in ("members", "anyone"):
        assert ada.json("wake", "Lazy", choice)["wake"] == choice
    assert "owner" in ada("wake", "Lazy", "owner").stdout
    assert "never" in ada("wake", "Lazy", "everybody", status=1).stderr
    ada("delete", "Lazy", "--yes", "--wait")
