"""Tests fsactl user … and audit: what administrators see of users, and what they can end."""

import json
import subprocess

import pytest

PASSWORD = "correct horse battery"


def test_users_are_listed_with_what_they_have(fsactl, person):
    row = next(u for u in fsactl("user", "list") if u["id"] == person.id)
    assert (row["name"], row["providers"]) == (person.name, "PASSWORD")
    assert (row["projects"], row["sessions"], row["disabledAt"]) == (1, 1, None)
    table = fsactl("user", "list", json_=False).splitlines()
    assert table[0].split()[:3] == ["ID", "NAME", "LOGIN"]
    assert any(person.name in line and person.id in line for line in table)


def test_a_user_is_shown_whole_and_without_secrets(fsactl, person):
    shown = fsactl("user", "show", person.name.upper())
    assert shown["id"] == person.id
    assert [i["providerUserId"] for i in shown["identities"]] == [person.name]
    assert shown["clusters"][0]["namespace"] == f"ns-{person.name}"
    assert [p["id"] for p in shown["projectList"]] == [person.project]
    text = fsactl("user", "show", person.id, json_=False)
    for secret in ("some.secret.token", "argon2"):
        assert secret not in str(shown) + text
    assert f"ns-{person.name}" in text


def test_a_problem_of_a_kubeconfig_is_shown(fsactl, person, rows):
    rows("UPDATE kubeconfig_checks SET due_at = NULL, checked_at = now(), findings ="
         """ '[{"name": "credentials", "status": "failed", "kind": "KUBE_UNAUTHORIZED",
         "code": "KUBE_UNAUTHORIZED", "detail": "Unauthorized"}]' WHERE user_id = %s""", person.id)
    check = fsactl("user", "show", person.id)["kubeconfigCheck"]
    assert check["state"] == "done" and check["checks"][0]["action"]
    text = fsactl("user", "show", person.id, json_=False)
    assert "Your cluster does not accept the stored kubeconfig" in text


@pytest.fixture
def with_password(quiet):
    """with_password("create", name, password): returns the outcome of fsactl user with this password."""

    def run(word, name, password, status=0):
        command = [quiet.programs.program("fsactl"), "--config", quiet.programs.config(), "user", word,
                   name, "--password-stdin", "--json"]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              input=password, timeout=300)
        assert done.returncode == status, done.stderr
        return json.loads(done.stdout) if status == 0 else done.stderr

    return run


def test_a_script_makes_a_user_and_gives_a_new_password(fsactl, quiet, with_password):
    made = with_password("create", "Grace.Hopper", PASSWORD + "\n")
    assert set(made) == {"id", "name"}
    client = quiet.client()
    assert client.login("grace.hopper", PASSWORD).status_code == 200
    assert client.get("/api/auth/session").json()["user"]["id"] == made["id"]
    assert with_password("password", "Grace.Hopper", PASSWORD + "!")["id"] == made["id"]
    assert client.get("/api/auth/session").status_code == 401
    assert quiet.client().login("grace.hopper", PASSWORD).status_code == 401
    assert quiet.client().login("grace.hopper", PASSWORD + "!").status_code == 200
    actions = [line["action"] for line in fsactl("audit", "--user", "Grace.Hopper")]
    assert "session.create" in actions
    noted = [line["action"] for line in fsactl("audit") if line["objectId"] == made["id"]]
    assert {"admin.user.create", "admin.user.password"} <= set(noted)


@pytest.mark.parametrize("password, status, says", [
    ("", 2, "standard input"), ("x" * 1025, 2, "standard input"), ("password", 1, "common"),
    ("weak.one", 1, "name"),
])
def test_an_invalid_password_makes_no_user(fsactl, with_password, password, status, says):
    assert says in with_password("create", "weak.one", password, status=status)
    assert "fsactl user list" in fsactl("user", "show", "weak.one", status=1).stderr


def test_a_user_is_made_with_a_link_and_nobody_has_seen_a_password(fsactl, quiet):
    made = fsactl("user", "create", "Ada.Lovelace", "--days", "3")
    assert set(made) == {"id", "name", "link", "expiresAt"}
    assert made["link"].startswith(f"{quiet.url}/#/invite/Ada.Lovelace/")
    shown = fsactl("user", "show", made["id"])
    assert shown["invitedUntil"] == made["expiresAt"]
    assert made["link"].rsplit("/", 1)[1] not in str(shown)
    assert fsactl("user", "invite", "ada.lovelace", "--withdraw") == {
        "id": made["id"], "withdrawn": True}
    assert fsactl("user", "show", made["id"])["invitedUntil"] is None
    noted = [line["action"] for line in fsactl("audit", "--user", made["id"])]
    assert noted == ["admin.user.withdraw", "admin.user.create"]
    assert "taken" in fsactl("user", "create", "ada.lovelace", status=1).stderr


def test_an_ended_password_is_refused_until_the_link_is_used(fsactl, quiet, person):
    made = fsactl("user", "password", person.name)
    assert person.client.get("/api/projects").status_code == 401
    assert quiet.client().login(person.name, PASSWORD).status_code == 401
    answer = quiet.client().post("/api/auth/invitation", {
        "token": made["link"].rsplit("/", 1)[1], "password": PASSWORD + "?"})
    assert answer.status_code == 200, answer.text
    assert quiet.client().login(person.name, PASSWORD + "?").status_code == 200


@pytest.mark.parametrize("days", ["0", "31", "soon"])
def test_a_link_is_not_for_ever(fsactl, days):
    assert "--days" in fsactl("user", "invite", "for.ever", "--days", days, status=2).stderr
    assert "fsactl user list" in fsactl("user", "show", "for.ever", status=1).stderr


def test_a_user_without_a_password_gets_none(fsactl, rows):
    (id_,), = rows("INSERT INTO users (name) VALUES ('by.provider') RETURNING id")
    assert "provider" in fsactl("user", "invite", id_, status=1).stderr
    rows("DELETE FROM users WHERE id = %s", id_)


def test_a_renamed_user_is_the_same_user_under_another_name(fsactl, quiet, person):
    new = f"New-{person.name}"
    assert fsactl("user", "rename", person.name, new)["name"] == new
    assert person.client.get("/api/auth/session").json()["user"] == {
        "id": person.id, "name": new, "role": "user"}
    assert quiet.client().login(person.name, PASSWORD).status_code == 401
    client = quiet.client()
    assert client.login(new.lower(), PASSWORD).status_code == 200
    assert [p["id"] for p in client.get("/api/projects").json()] == [person.project]
    line, = fsactl("audit", "--user", new, "--action", "admin.user.rename")
    assert (line["detail"]["from"], line["detail"]["to"]) == (person.name, new)
    assert fsactl("user", "rename", new, new.upper())["name"] == new.upper()  # exactly as written


def test_an_invalid_or_taken_name_renames_nobody(fsactl, quiet, person, rows):
    other = fsactl("user", "create", f"other-{person.name}")
    assert "another user" in fsactl("user", "rename", person.name, other["name"].upper(),
                                    status=1).stderr
    rows("UPDATE users SET name = 'elsewhere' WHERE id = %s", other["id"])  # logs in as before
    assert "another user" in fsactl("user", "rename", person.name, other["name"], status=1).stderr
    assert "user name" in fsactl("user", "rename", person.name, "a b", status=1).stderr
    assert fsactl("user", "show", person.id)["name"] == person.name
    assert quiet.client().login(person.name, PASSWORD).status_code == 200


def test_a_disabled_user_is_out_at_once_and_can_come_back(fsactl, quiet, person):
    assert person.client.get("/api/projects").status_code == 200
    assert fsactl("user", "disable", person.name)["disabledAt"]
    assert person.client.get("/api/projects").status_code == 401
    assert quiet.client().login(person.name, PASSWORD).status_code == 401
    assert fsactl("user", "sessions", person.name) == []
    assert fsactl("user", "enable", person.name)["disabledAt"] is None
    assert person.client.get("/api/projects").status_code == 401  # the old session stays ended
    assert quiet.client().login(person.name, PASSWORD).status_code == 200


def test_a_session_made_in_the_moment_of_disabling_does_not_come_back(fsactl, person, rows):
    fsactl("user", "disable", person.name)
    rows("INSERT INTO sessions (id_hash, user_id, identity_id, expires_at)"
         " SELECT sha256('x'), user_id, id, now() + interval '1 day' FROM identities"
         " WHERE user_id = %s", person.id)
    fsactl("user", "enable", person.name)
    assert fsactl("user", "sessions", person.name) == []


def test_sessions_can_be_ended_without_disabling(fsactl, quiet, person):
    assert quiet.client().login(person.name, PASSWORD).status_code == 200
    assert len(fsactl("user", "sessions", person.id)) == 2
    assert fsactl("user", "sessions", person.id, "--end") == {"ended": 2, "tokens": 0, "terminals": 1}
    assert person.client.get("/api/projects").status_code == 401


@pytest.fixture
def program(quiet, person):
    """Returns a function that sends a request with a token of the user's, as a program would, and returns its
    status."""
    made = person.client.post("/api/user/tokens", {"name": "CI", "scope": "read"})
    assert made.ok, made.text
    client = quiet.client()
    client.session.headers["Authorization"] = f"Bearer {made.json()['token']}"
    return lambda: client.get("/api/projects").status_code


def test_a_disabled_user_has_no_programs_either(fsactl, person, program):
    assert program() == 200
    assert [t["name"] for t in fsactl("user", "show", person.id)["tokens"]] == ["CI"]
    fsactl("user", "disable", person.name)
    assert program() == 401
    fsactl("user", "enable", person.name)
    assert program() == 200


def test_ending_sessions_ends_the_programs(fsactl, person, program):
    assert fsactl("user", "sessions", person.id, "--end") == {"ended": 1, "tokens": 1, "terminals": 1}
    assert program() == 401


def test_administrators_actions_are_in_the_audit(fsactl, person):
    fsactl("user", "disable", person.name)
    fsactl("user", "enable", person.name)
    lines = fsactl("audit", "--action", "admin.user", "--limit", "2")
    assert [line["action"] for line in lines] == ["admin.user.enable", "admin.user.disable"]
    assert {line["objectId"] for line in lines} == {person.id}
    assert all(line["detail"]["administrator"] for line in lines)


def test_the_audit_of_one_user(fsactl, person):
    actions = [line["action"] for line in fsactl("audit", "--user", person.name)]
    assert "project.create" in actions
    assert all(line["userId"] == person.id for line in fsactl("audit", "--user", person.name))
    assert "AT" in fsactl("audit", json_=False).splitlines()[0]


def test_a_users_audit_includes_administrators_actions(fsactl, person):
    fsactl("user", "disable", person.name)
    fsactl("user", "enable", person.name)
    fsactl("project", "stop", person.project)
    fsactl("project", "delete", person.project, "--yes")
    other = fsactl("user", "create", f"not-{person.name}")
    done = [line["action"] for line in fsactl("audit", "--user", person.name, "--limit", "4")]
    assert done == ["admin.project.delete", "admin.project.stop", "admin.user.enable",
                    "admin.user.disable"]
    only = fsactl("audit", "--user", other["id"])
    assert [line["action"] for line in only] == ["admin.user.create"]


def test_the_audit_since_some_time(fsactl, person, rows):
    fsactl("user", "disable", person.name)
    rows("INSERT INTO audit (at, user_id, action) VALUES ('2020-02-29 12:00+00', %s, 'old')",
         person.id)

    def actions(*since):
        return [line["action"] for line in fsactl("audit", "--user", person.id, *since)]

    assert "old" in actions() and "old" in actions("--since", "2020-02-29T12:00Z")
    assert "old" in actions("--since", "2020-02-29")
    for since in ("1h", "2020-02-29T12:00:01Z", "2020-03-01"):
        assert "old" not in actions("--since", since) and "admin.user.disable" in actions(
            "--since", since)
    assert actions("--since", "9999-01-01") == []


@pytest.mark.parametrize("since", ["soon", "2020-02-30", "-1h", ""])
def test_an_invalid_time_is_answered_with_the_format(fsactl, since):
    told = fsactl("audit", "--since", since, status=2).stderr
    assert f'"{since}"' in told and "2h" in told and "2026-11-29" in told


def test_one_name_for_two_users_is_no_guess(fsactl, person, rows):
    (other,), = rows("INSERT INTO users (name) VALUES (%s) RETURNING id", person.name)
    done = fsactl("user", "disable", person.name, status=1)
    assert person.id in done.stderr and other in done.stderr
    assert fsactl("user", "show", person.id)["disabledAt"] is None
    rows("DELETE FROM users WHERE id = %s", other)


def test_control_characters_do_not_reach_the_terminal(fsactl, rows):
    rows("INSERT INTO users (name) VALUES (%s)", "ev\x1b[31mil\u009bname")
    text = fsactl("user", "list", json_=False)
    assert "ev?[31mil?name" in text and "\x1b" not in text and "\u009b" not in text


@pytest.mark.parametrize("words", [("show", "nobody"), ("disable", "nobody"), ("sessions", "'; --")])
def test_an_unknown_user_is_an_error_with_advice(fsactl, words):
    assert "fsactl user list" in fsactl("user", *words, status=1).stderr


@pytest.mark.parametrize("words", [
    ("user",), ("user", "show"), ("user", "list", "x"), ("user", "list", "--end"),
    ("audit", "--limit", "0"), ("audit", "--limit", "many"),
])
def test_a_wrong_command_line_exits_with_2(fsactl, words):
    assert fsactl(*words, status=2).stderr


def test_a_role_is_given_and_taken_and_in_the_audit(fsactl, person):
    assert fsactl("user", "role", person.name, "admin")["role"] == "admin"
    assert fsactl("user", "show", person.id)["role"] == "admin"
    assert "may not" in fsactl("user", "role", person.name, "user", json_=False)
    assert "there are: admin, user" in fsactl("user", "role", person.name, "root", status=2).stderr
    lines = fsactl("audit", "--user", person.id, "--action", "admin.user.role")
    assert [line["detail"]["to"] for line in lines] == ["user", "admin"]


def test_an_exception_is_shown_and_in_the_audit(fsactl, person):
    def by_kind(limits):
        return {limit["kind"]: limit for limit in limits}

    plain = by_kind(fsactl("user", "limit", person.name))
    assert plain["projects"] == {"kind": "projects", "limit": 50, "used": 1, "isException": False}
    assert plain["sandboxes"] == {"kind": "sandboxes", "limit": 5, "used": 1, "isException": False}
    assert plain["ports"] == {"kind": "ports", "limit": 8, "used": 0, "isException": False}
    raised = {**plain, "projects": {**plain["projects"], "limit": 100, "isException": True}}
    assert by_kind(fsactl("user", "limit", person.name, "projects", "100")) == raised
    assert by_kind(fsactl("user", "show", person.id)["limits"]) == raised
    assert "projects" in fsactl("user", "limit", person.name, json_=False)
    fsactl("user", "limit", person.name, "projects", "default")
    lines = fsactl("audit", "--user", person.id, "--action", "admin.user.limit")
    assert [line["detail"]["to"] for line in lines] == ["default", "100"]
    assert all(line["detail"]["limit"] == "projects" for line in lines)


@pytest.mark.parametrize("words, says", [
    (("projects",), "default"), (("projects", "many"), '"many" is neither'),
    (("projects", "-1"), "USAGE"), (("projects", "1000001"), "1000000"),
    (("dreams", "3"), "there are: projects"),
])
def test_an_invalid_limit_changes_nothing(fsactl, person, words, says):
    told = fsactl("user", "limit", person.name, *words, status=2).stderr
    assert says in told or says == "USAGE"
    assert not any(limit["isException"] for limit in fsactl("user", "limit", person.name))
