"""Tests an invitation's link: it works once, for a limited time, and only for those who have it."""

import json
import subprocess
import threading

import pytest
from conftest import PASSWORD

OWN = "a password of my own"


@pytest.fixture
def fsactl(web):
    def run(*words):
        command = [web.programs.program("fsactl"), "--config", web.programs.config(), *words, "--json"]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              check=True, timeout=300)
        return json.loads(done.stdout)

    return run


def token_of(link):
    return link.rsplit("/", 1)[1]


def accept(client, link, password=OWN, **more):
    return client.post("/api/auth/invitation",
                       {"token": token_of(link), "password": password, **more})


def refused(answer):
    return (answer.status_code, answer.json()["errorCode"]) == (403, "INVITATION_INVALID")


@pytest.fixture
def invited(fsactl, request):
    """A new user with a link."""
    return fsactl("user", "invite", f"guest-{abs(hash(request.node.name)) % 10**9}")


def test_it_leads_to_the_page_sets_a_password_and_logs_in(web, invited):
    assert invited["link"].startswith(f"{web.url}/#/invite/{invited['name']}/")
    client = web.client()
    assert client.login(invited["name"], OWN).status_code == 401
    answer = accept(client, invited["link"])
    assert answer.status_code == 200, answer.text
    assert answer.json()["user"] == {"id": invited["id"], "name": invited["name"],
                                     "role": "user"}
    assert client.get("/api/projects").status_code == 200
    assert web.client().login(invited["name"], OWN).status_code == 200
    actions = [line["action"] for line in client.get("/api/user/audit").json()["items"]]
    assert {"invitation.accept", "session.create"} <= set(actions)


def test_it_works_once(web, invited):
    assert accept(web.client(), invited["link"]).ok
    assert refused(accept(web.client(), invited["link"], "another password"))
    assert web.client().login(invited["name"], OWN).ok


def test_of_two_at_once_only_one_is_accepted(web, invited):
    answers = []
    both = [threading.Thread(target=lambda n=n: answers.append(
        accept(web.client(), invited["link"], f"{OWN} {n}"))) for n in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(answer.status_code for answer in answers)[0] == 200
    assert len([answer for answer in answers if answer.ok]) == 1


def test_an_expired_invitation_is_refused(web, invited):
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE invitations SET expires_at = now() WHERE user_id = %s",
                       [invited["id"]])
    assert refused(accept(web.client(), invited["link"]))


def test_a_new_link_replaces_it(web, fsactl, invited):
    other = fsactl("user", "invite", invited["name"])
    assert other["id"] == invited["id"]
    assert refused(accept(web.client(), invited["link"]))
    assert accept(web.client(), other["link"]).ok


@pytest.mark.parametrize("words", [("invite", "--withdraw"), ("disable",), ("sessions", "--end")])
def test_it_is_withdrawn_with_all_other_access(web, fsactl, invited, words):
    fsactl("user", words[0], invited["name"], *words[1:])
    if words[0] == "disable":
        assert refused(accept(web.client(), invited["link"]))
        fsactl("user", "enable", invited["name"])
    assert refused(accept(web.client(), invited["link"]))


def test_a_weak_password_leaves_it_usable(web, invited):
    for weak in ("short", "password", invited["name"]):
        answer = accept(web.client(), invited["link"], weak)
        assert (answer.status_code, answer.json()["errorCode"]) == (400, "WEAK_PASSWORD"), weak
    assert accept(web.client(), invited["link"]).ok


def test_only_its_hash_is_stored_and_no_log_has_it(web, invited):
    token = token_of(invited["link"])
    assert accept(web.client(), invited["link"]).ok
    assert refused(accept(web.client(), invited["link"]))
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT query_to_xml('SELECT * FROM audit', true, false, '')::text")
        assert token not in cursor.fetchone()[0]
    logs = [web.programs.log(name) for name in ("api.fcgi", "auth.fcgi")]
    logs += [path for path in web.nginx.directory.rglob("*.log")]
    assert all(token not in path.read_text(errors="replace") for path in logs)


def test_an_existing_user_gets_a_new_password(web, user, fsactl):
    client = user(kubeconfig=False)
    link = fsactl("user", "invite", client.name)["link"]
    assert web.client().login(client.name, PASSWORD).ok  # until the link is used
    assert accept(web.client(), link).ok
    assert client.get("/api/auth/session").status_code == 401  # all other access has ended
    assert web.client().login(client.name, PASSWORD).status_code == 401
    assert web.client().login(client.name, OWN).ok


def test_guesses_are_refused_and_in_the_end_slowed_down(web):
    guess = {"token": "A" * 43, "password": OWN}
    seen = set()
    for _ in range(130):
        answer = web.client().post("/api/auth/invitation", guess,
                                   headers={"X-Forwarded-For": "192.0.2.77"})
        seen.add(answer.status_code)
    assert seen == {403, 429}


@pytest.mark.parametrize("body", [
    {"token": "A" * 42, "password": OWN}, {"token": "A" * 43}, {"password": OWN},
    {"token": ["A" * 43], "password": OWN}, {"token": "A" * 43, "password": OWN, "name": "root"},
])
def test_an_invalid_acceptance_is_400(web, body):
    assert web.client().post("/api/auth/invitation", body).status_code == 400


def test_another_site_cannot_use_one(web, invited):
    answer = web.client().post("/api/auth/invitation", {
        "token": token_of(invited["link"]), "password": OWN},
        headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.json()["errorCode"]) == (403, "CSRF")
    assert accept(web.client(), invited["link"]).ok
