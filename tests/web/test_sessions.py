"""Tests a user's sessions: listing and ending them, and attacks on them. Through nginx."""

import re
import threading
import time

import fastcgi
import pytest

from stand.process import PATIENCE

PASSWORD = "correct horse battery"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@pytest.fixture
def client(user):
    return user(kubeconfig=False)


def another(web, client, **headers):
    """Logs the same person in from another browser."""
    made = web.client()
    made.session.headers.update(headers)
    assert made.login(client.name, PASSWORD).ok
    return made


def sessions(client):
    answer = client.get("/api/auth/sessions")
    assert answer.status_code == 200
    return answer.json()["items"]


def is_in(client):
    return client.get("/api/auth/session").status_code == 200


def test_sessions_are_listed_to_their_owner(web, client, user):
    another(web, client, **{"User-Agent": "Phone/1.0"})
    user(kubeconfig=False)
    items = sessions(client)
    assert [item["current"] for item in items] == [False, True]
    phone = items[0]
    assert set(phone) == {"id", "provider", "createdAt", "lastSeenAt", "expiresAt", "address",
                          "userAgent", "current"}
    assert (phone["provider"], phone["address"], phone["userAgent"]) == (
        "PASSWORD", "127.0.0.1", "Phone/1.0")
    assert all(re.fullmatch(TIME, phone[name]) for name in ("createdAt", "lastSeenAt",
                                                            "expiresAt"))
    token = client.session.cookies["fsa"]
    assert token not in str(items)


def test_sessions_end_one_by_one(web, client):
    phone, laptop = another(web, client), another(web, client)
    by_newest = sessions(client)
    assert len(by_newest) == 3
    assert client.delete(f"/api/auth/sessions/{by_newest[1]['id']}").status_code == 200
    assert (is_in(phone), is_in(laptop), is_in(client)) == (False, True, True)
    again = client.delete(f"/api/auth/sessions/{by_newest[1]['id']}")
    assert (again.status_code, again.json()["errorCode"]) == (404, "SESSION_NOT_FOUND")


def test_sessions_end_all_at_once(web, client, user):
    somebody_else = user(kubeconfig=False)
    phone = another(web, client)
    answer = client.delete("/api/auth/sessions?others=true")
    assert (answer.status_code, answer.json()["count"]) == (200, 1)
    assert (is_in(client), is_in(phone)) == (True, False)
    another(web, client)
    kept = client.session.cookies["fsa"]
    answer = client.delete("/api/auth/sessions")
    assert (answer.status_code, answer.json()["count"]) == (200, 2)
    assert "fsa" not in client.session.cookies
    client.session.cookies["fsa"] = kept
    assert not is_in(client)
    assert is_in(somebody_else)


def test_a_new_login_ends_the_session_whose_cookie_it_replaces(web, client):
    old = client.session.cookies["fsa"]
    assert client.login(client.name, PASSWORD).ok
    assert client.session.cookies["fsa"] != old
    assert len(sessions(client)) == 1
    client.session.cookies.clear()
    client.session.cookies["fsa"] = old
    assert not is_in(client)


def test_a_user_has_so_many_sessions_and_no_more(web, client):
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("INSERT INTO sessions (id_hash, user_id, identity_id, expires_at,"
                       "  last_seen_at)"
                       " SELECT sha256(i::text::bytea || s.id_hash), s.user_id, s.identity_id,"
                       "  s.expires_at, s.last_seen_at - i * interval '1 second'"
                       " FROM sessions s, generate_series(1, 150) i WHERE s.user_id = %s",
                       (client.id,))
    another(web, client)
    assert len(sessions(client)) == 100
    assert is_in(client)  # the oldest one was ended


# ---- attacks --------------------------------------------------------------------------------------


def test_fixation_a_cookie_that_was_planted_is_not_logged_in(web, client):
    victim = web.client()
    victim.session.headers["Cookie"] = "fsa=" + "A" * 43
    answer = victim.login(client.name, PASSWORD)
    assert answer.ok and answer.cookies["fsa"] != "A" * 43
    attacker = web.client()
    attacker.session.cookies["fsa"] = "A" * 43
    assert not is_in(attacker)


def test_fixation_an_attackers_own_session_does_not_become_the_victims(web, client, user):
    attacker = user(kubeconfig=False)
    planted = attacker.session.cookies["fsa"]
    victim = web.client()
    victim.session.cookies["fsa"] = planted
    assert victim.login(client.name, PASSWORD).ok
    attacker.session.cookies.clear()
    attacker.session.cookies["fsa"] = planted
    assert not is_in(attacker)


def test_replay_after_logout(web, client):
    bearer = web.client().post("/api/auth/login", {"name": client.name, "password": PASSWORD,
                                                   "bearer": True}).json()["token"]
    program = web.client()
    program.session.headers["Authorization"] = "Bearer " + bearer
    assert is_in(program)
    assert program.post("/api/auth/logout").status_code == 200
    for replay in ({"Authorization": "Bearer " + bearer}, {"Cookie": "fsa=" + bearer}):
        assert web.client().get("/api/auth/session", headers=replay).status_code == 401


def test_a_stored_hash_is_no_session(web, client):
    """Read access to the table does not let anybody log in."""
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT encode(id_hash, 'base64'), id FROM sessions WHERE user_id = %s",
                       (client.id,))
        hashed, id = cursor.fetchone()
    for token in (hashed, hashed.rstrip("=").translate(str.maketrans("+/", "-_")), id):
        for headers in ({"Cookie": "fsa=" + token}, {"Authorization": "Bearer " + token}):
            assert web.client().get("/api/auth/session", headers=headers).status_code == 401


def test_bearer_and_cookie_are_not_mixed_up(web, client, user):
    """A header that claims to be a bearer is judged as one, without falling back to the cookie."""
    other = user(kubeconfig=False)
    theirs = other.session.cookies["fsa"]
    for bad in ("Bearer " + "A" * 43, "Bearer", "Bearer  ", "bearer x", "Bearer " + theirs + "x"):
        answer = client.get("/api/auth/session", headers={"Authorization": bad})
        assert answer.status_code == 401, bad
    both = client.get("/api/auth/session", headers={"Authorization": "Bearer " + theirs})
    assert both.json()["user"]["id"] == other.id
    # An unknown scheme does not exempt the cookie from the CSRF check.
    for scheme in ("Basic eDp5", "Digest x"):
        answer = client.post("/api/auth/logout", headers={"Authorization": scheme,
                                                          "Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403
    assert is_in(client)


CSRF = [
    # Sec-Fetch-Site, Origin, allowed with a cookie
    ("same-origin", None, True),
    ("none", None, True),
    ("same-site", None, False),
    ("cross-site", None, False),
    ("cross-site", "SITE", False),
    ("same-origin", "https://evil.example", True),  # a page cannot set Sec-Fetch-Site
    ("", None, False),
    ("Same-Origin", None, False),
    ("same-origin, cross-site", None, False),
    (None, "SITE", True),
    (None, "https://evil.example", False),
    (None, "SITE.evil.example", False),
    (None, "SITE/", False),
    (None, "null", False),
    (None, "", False),
    (None, None, False),
]


@pytest.mark.parametrize("fetch_site, origin, allowed", CSRF)
def test_csrf(web, client, fetch_site, origin, allowed):
    """The whole matrix, for a change with a cookie. With a bearer token, which no page can send, it is always
    allowed."""
    headers = {"Sec-Fetch-Site": fetch_site, "Origin": origin and origin.replace("SITE", web.url)}
    answer = client.delete("/api/auth/sessions?others=true", headers=headers)
    assert answer.status_code == (200 if allowed else 403), answer.text
    if not allowed:
        assert answer.json()["errorCode"] == "CSRF"
    bearer = {"Authorization": "Bearer " + client.session.cookies["fsa"]}
    answer = web.client().delete("/api/auth/sessions?others=true", headers={**headers, **bearer})
    assert answer.status_code == 200


def test_preflights_from_other_sites_are_refused(web):
    answer = web.client().request("OPTIONS", "/api/auth/login", headers={
        "Origin": "https://evil.example", "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization"})
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("agent, stored", [
    ("Evil\tTab", "Evil\tTab"),
    ("x" * 1000, "x" * 256),
    ("caf\u00e9 \u2603".encode(), "caf\u00e9 \u2603"),
    (b"\xff\xfe", None),
    ("'; DROP TABLE sessions; --", "'; DROP TABLE sessions; --"),
])
def test_a_user_agent_is_only_text(web, client, agent, stored):
    phone = another(web, client, **{"User-Agent": agent})
    item = next(item for item in sessions(phone) if item["current"])
    assert item["userAgent"] == stored


def test_the_clients_address_is_nginxs_word(web, client):
    forged = {name: "203.0.113.9" for name in (
        "X-Forwarded-For", "X-Real-IP", "Forwarded", "Remote-Addr", "REMOTE_ADDR", "X-Client-IP")}
    phone = another(web, client, **forged)
    assert {item["address"] for item in sessions(phone)} == {"127.0.0.1"}


@pytest.mark.parametrize("value", [b"a\r\nSet-Cookie: fsa=x", b"a\nb", b"a\0b"])
def test_a_header_cannot_be_smuggled_past_nginx(web, client, value):
    """Even if nginx let it through, no response contains anything of a request's headers."""
    body = {"name": client.name, "password": PASSWORD}
    answer = fastcgi.request(web.programs.socket("auth.fcgi"), "POST", "/api/auth/login", body,
                             headers={"User-Agent": value, "X-Forwarded-For": value})
    assert answer.status == 200
    assert re.fullmatch(r"fsa=[\w-]{43}; .*", answer.headers["Set-Cookie"])
    assert len(sessions(client)) == 2


def test_a_session_that_is_ended_while_it_is_used(web, client):
    """No request succeeds after the end was confirmed."""
    phone = another(web, client)
    stop, late = threading.Event(), []

    def use():
        while not stop.is_set():
            began = time.monotonic()
            late.append((began, is_in(phone)))

    def wait_for_use(after):
        """Waits until the session has been used several times since `after`."""
        end = time.monotonic() + PATIENCE
        while sum(began > after for began, _ in list(late)) < 5:
            assert time.monotonic() < end, late
            time.sleep(0.02)

    thread = threading.Thread(target=use)
    thread.start()
    try:
        wait_for_use(0)
        assert client.delete("/api/auth/sessions?others=true").ok
        ended = time.monotonic()
        wait_for_use(ended)
    finally:
        stop.set()
        thread.join()
    assert any(good for _, good in late)
    assert not any(good for began, good in late if began > ended)
