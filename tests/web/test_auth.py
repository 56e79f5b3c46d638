"""Tests registration, login and sessions, through nginx."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stand.process import StandError

PASSWORD = "correct horse battery"


@pytest.fixture
def client(user):
    return user(kubeconfig=False)


def test_a_session_is_shown_to_its_owner(client):
    shown = client.get("/api/auth/session").json()
    assert shown["user"] == {"name": client.name, "id": client.id, "role": "user"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", shown["expires"])
    assert "token" not in shown


def test_a_name_is_taken_once_whatever_its_case(web, client):
    answer = web.client().register(client.name.upper(), PASSWORD)
    assert (answer.status_code, answer.json()["errorCode"]) == (409, "USER_EXISTS")
    assert web.client().login(client.name.upper(), PASSWORD).status_code == 200


def test_wrong_name_and_wrong_password_look_alike(web, client):
    wrong = web.client().login(client.name, "incorrect horse battery")
    unknown = web.client().login("nobody-at-all", PASSWORD)
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    same = ("error", "errorCode", "details", "title")
    assert [wrong.json()[k] for k in same] == [unknown.json()[k] for k in same]
    assert "Set-Cookie" not in wrong.headers


def test_a_disabled_user_is_out_at_once(web, client):
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE users SET disabled_at = now() WHERE id = %s", (client.id,))
    assert client.get("/api/projects").status_code == 401
    assert web.client().login(client.name, PASSWORD).status_code == 401


def test_each_login_is_a_session_of_its_own(web, client):
    other = web.client()
    assert other.login(client.name, PASSWORD).status_code == 200
    assert other.session.cookies["fsa"] != client.session.cookies["fsa"]
    kept = client.session.cookies["fsa"]
    assert client.post("/api/auth/logout").status_code == 200
    assert "fsa" not in client.session.cookies
    client.session.cookies["fsa"] = kept  # it ended on the server, too
    assert client.get("/api/auth/session").status_code == 401
    assert other.get("/api/auth/session").status_code == 200


def test_a_login_does_not_adopt_an_existing_session(web, client):
    """This would be session fixation."""
    victim = web.client()
    victim.session.cookies["fsa"] = "A" * 43
    assert victim.login(client.name, PASSWORD).status_code == 200
    assert victim.session.cookies.get("fsa", domain="127.0.0.1") != "A" * 43


def test_sessions_end(web, client):
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE sessions SET last_seen_at = now() - interval '25 hours'"
                       " WHERE user_id = %s", (client.id,))
    assert client.get("/api/auth/session").status_code == 401  # idle for too long
    assert client.login(client.name, PASSWORD).ok
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE sessions SET expires_at = now() WHERE user_id = %s", (client.id,))
    assert client.get("/api/auth/session").status_code == 401


def test_cookies_are_as_safe_as_the_site_allows(web, make_site, client):
    cookie = web.client().login(client.name, PASSWORD).headers["Set-Cookie"]
    assert re.fullmatch(r"fsa=[\w-]{43}; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax", cookie)
    site = make_site(options={"public_url": "https://fsa.example"})
    ada, origin = {"name": "ada", "password": PASSWORD}, {"Origin": "https://fsa.example"}
    answer = site.client().post("/api/auth/register", ada, headers=origin)
    assert re.fullmatch(
        r"__Host-fsa=[\w-]{43}; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax; Secure",
        answer.headers["Set-Cookie"])
    site.programs.stop("auth.fcgi")
    site.programs.configure(frame_ancestors="https://desktop.example")
    site.programs.start("auth.fcgi")
    answer = site.client().post("/api/auth/login", ada, headers=origin)
    assert re.fullmatch(
        r"__Host-fsa=[\w-]{43}; Path=/; Max-Age=604800; HttpOnly; SameSite=None; Partitioned;"
        r" Secure", answer.headers["Set-Cookie"])


def test_frames_of_others_need_https(make_site):
    with pytest.raises(StandError, match="frame_ancestors needs a public_url of https"):
        make_site(options={"frame_ancestors": "https://desktop.example"})


def test_login_from_another_site_is_refused(web, client):
    """Otherwise a page could log its visitors in as somebody else."""
    answer = web.client().post("/api/auth/login", {"name": client.name, "password": PASSWORD},
                               headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


def test_registration_may_be_closed(make_site):
    site = make_site(options={"registration": "closed"})
    answer = site.client().register("ada", PASSWORD)
    assert (answer.status_code, answer.json()["errorCode"]) == (403, "REGISTRATION_CLOSED")
    assert site.client().get("/api/auth/providers").json()["credentials"]["registration"] is False


def test_the_first_login_registers_where_the_site_wants_it(make_site):
    site = make_site(options={"registration": "at_login"})
    first = site.client().login("ada", PASSWORD)
    assert first.status_code == 200
    again = site.client().login("Ada", PASSWORD)
    assert again.json()["user"] == first.json()["user"]
    assert site.client().login("ada", "incorrect horse battery").status_code == 401
    weak = site.client().login("bob", "password")
    assert (weak.status_code, weak.json()["errorCode"]) == (400, "WEAK_PASSWORD")
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT name FROM users")
        assert cursor.fetchall() == [("ada",)]
    assert site.client().register("carl", PASSWORD).status_code == 200
    with ThreadPoolExecutor(2) as pool:  # as when a button is pressed twice
        answers = list(pool.map(lambda _: site.client().login("dora", PASSWORD), range(2)))
    assert [answer.status_code for answer in answers] == [200, 200]


def test_the_shipped_configuration_lets_nobody_register():
    shipped = Path(__file__).parents[2] / "packaging" / "fsa.conf"
    assert "registration = closed" in shipped.read_text().splitlines()


@pytest.mark.parametrize("password, status, code", [
    ("x" * (1 << 20), 413, "TOO_LARGE"),
    ("x" * 1025, 400, "INVALID_FIELD"),
    ("\u00e9" * 513, 400, "INVALID_FIELD"),  # bytes, not characters
    ("correct\0horse", 400, "INVALID_JSON"),
    ("1234567", 400, "WEAK_PASSWORD"),
    ("Password1", 400, "WEAK_PASSWORD"),
    ("aaaaaaaaaaaa", 400, "WEAK_PASSWORD"),
    ("weakling", 400, "WEAK_PASSWORD"),  # the user's name
])
def test_refused_passwords(web, password, status, code):
    answer = web.client().register("Weakling", password)
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)
    assert web.client().login("Weakling", password).status_code in (401, status)


@pytest.mark.parametrize("password", ["12345678"[::-1] + "x", "\u00e9" * 512, " " * 7 + "y",
                                      "x" * 1023 + "y"])
def test_accepted_passwords_are_not_altered(web, password):
    name = f"strong{abs(hash(password))}"
    assert web.client().register(name, password).status_code == 200
    assert web.client().login(name, password).status_code == 200
    assert web.client().login(name, password + " ").status_code in (400, 401)


def test_a_password_is_changed_and_the_other_sessions_end(web, client):
    other = web.client()
    assert other.login(client.name, PASSWORD).ok
    change = {"password": PASSWORD, "newPassword": "staple battery horse"}
    answer = client.put("/api/auth/password", change)
    assert (answer.status_code, answer.json()) == (200, {
        "success": True, "count": 1, "tokens": 0, "terminals": 0})
    assert other.get("/api/auth/session").status_code == 401
    assert client.get("/api/auth/session").status_code == 200
    assert web.client().login(client.name, PASSWORD).status_code == 401
    assert web.client().login(client.name, "staple battery horse").status_code == 200
    actions = [line["action"] for line in client.get("/api/user/audit").json()["items"]]
    assert actions[:3] == ["session.create", "login.refused", "password.change"]


@pytest.mark.parametrize("old, new, status, code", [
    ("incorrect horse", "staple battery horse", 403, "WRONG_PASSWORD"),
    (PASSWORD, "short", 400, "WEAK_PASSWORD"),
    (PASSWORD, "x" * 1025, 400, "INVALID_FIELD"),
    (PASSWORD, None, 400, "WRONG_TYPE"),
])
def test_a_password_is_not_changed(web, client, old, new, status, code):
    answer = client.put("/api/auth/password", {"password": old, "newPassword": new})
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)
    assert web.client().login(client.name, PASSWORD).status_code == 200


def test_a_user_without_a_password_cannot_change_one(web, client):
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE identities SET provider = 'GITHUB', password_hash = NULL"
                       " WHERE user_id = %s", (client.id,))
    answer = client.put("/api/auth/password", {"password": "x", "newPassword": "y" * 9})
    assert (answer.status_code, answer.json()["errorCode"]) == (404, "NO_PASSWORD")


def test_a_hash_follows_the_configuration(make_site):
    site = make_site()
    assert site.client().register("ada", PASSWORD).ok

    def stored():
        with site.connect() as db, db.cursor() as cursor:
            cursor.execute("SELECT password_hash FROM identities")
            return cursor.fetchone()[0]

    assert "$argon2id$v=19$m=19456,t=2,p=1$" in stored()
    assert site.client().login("ada", PASSWORD).ok
    before = stored()
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE identities SET password_hash ="
                       " '$argon2id$v=19$m=8192,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$' || repeat('A', 43)")
    assert site.client().login("ada", PASSWORD).status_code == 401
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE identities SET password_hash = %s", (before,))
    site.programs.stop("auth.fcgi")
    site.programs._options["password_passes"] = "3"
    site.programs.start("auth.fcgi")
    assert site.client().login("ada", PASSWORD).ok
    assert "t=3" in stored()
    assert site.client().login("ada", PASSWORD).ok
