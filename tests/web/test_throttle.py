"""Tests that guessing passwords is throttled, and that nobody is locked out by it. Requests bypass nginx, to come
from different addresses; time is moved in the table."""

import statistics
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import fastcgi
import pytest
from stand.site import Site

PASSWORD = "correct horse battery"
WRONG = "incorrect horse battery"
HOME, ATTACKER = "192.0.2.10", "203.0.113.66"
ACCOUNT_FREE, ADDRESS_FREE = 5, 100


@pytest.fixture
def person(web, user):
    return user(kubeconfig=False)


@pytest.fixture
def login(web):
    """login(name, password, address): makes one attempt."""

    def attempt(name, password, address=HOME, url="/api/auth/login", **headers):
        body = b'{"name": "%s", "password": "%s", "bearer": true}' % (
            name.encode(), password.encode())
        pairs = [(n, v) for n, v in fastcgi.variables("POST", url, body, headers)
                 if n != "REMOTE_ADDR"] + [("REMOTE_ADDR", address)]
        return fastcgi.request(web.programs.socket("auth.fcgi"), "POST", url, body, pairs=pairs)

    return attempt


@pytest.fixture(autouse=True)
def nothing_remembered(web):
    sql(web, "TRUNCATE login_throttle")


def sql(web, words, *values):
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute(words, values)
        return cursor.fetchall() if cursor.description else None


def pass_time(web, seconds):
    sql(web, "UPDATE login_throttle SET heals_at = heals_at - %s * interval '1 second',"
             " next_at = next_at - %s * interval '1 second'", seconds, seconds)


def refused(answer):
    assert answer.status == 429, answer
    assert answer.json()["errorCode"] == "TOO_MANY_ATTEMPTS"
    return int(answer.headers["Retry-After"])


def exhaust(login, name, address=ATTACKER):
    for _ in range(ACCOUNT_FREE + 1):
        assert login(name, WRONG, address).status == 401
    return refused(login(name, WRONG, address))


def test_the_wait_grows_with_each_failure_and_heals(web, login, person):
    assert exhaust(login, person.name) <= 2
    waits = []
    for _ in range(12):
        waits.append(refused(login(person.name, WRONG, ATTACKER)))
        pass_time(web, waits[-1])
        assert login(person.name, WRONG, ATTACKER).status == 401
    assert waits == sorted(waits)
    # The delay stops growing when guessing is hopeless: one attempt in ten minutes.
    assert 300 <= waits[-1] <= 1200
    pass_time(web, 4 * 3600)
    assert login(person.name, PASSWORD, ATTACKER).status == 200
    assert exhaust(login, person.name) <= 2  # everything is forgotten


def test_an_attempt_that_is_refused_does_not_prolong_the_wait(web, login, person):
    first = exhaust(login, person.name)
    for _ in range(20):
        assert refused(login(person.name, WRONG, ATTACKER)) <= first


def test_the_right_password_has_to_wait_too(web, login, person):
    """Otherwise the response would tell a guesser when to stop."""
    exhaust(login, person.name)
    refused(login(person.name, PASSWORD, ATTACKER))
    pass_time(web, 2)
    assert login(person.name, PASSWORD, ATTACKER).status == 200


def test_many_addresses_do_not_help_against_one_account(login, person):
    statuses = [login(person.name, WRONG, f"198.51.100.{i}").status for i in range(20)]
    assert statuses.count(401) == ACCOUNT_FREE + 1
    assert statuses.count(429) == 20 - ACCOUNT_FREE - 1


def test_many_at_once_do_not_help(login, person):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(login(person.name, WRONG).status))
               for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= answers.count(401) <= ACCOUNT_FREE + 1
    assert answers.count(429) == 30 - answers.count(401)


def test_free_attempts_can_be_concurrent(web, login, person):
    """However the transactions interleave."""
    for _ in range(20):
        sql(web, "TRUNCATE login_throttle")
        with ThreadPoolExecutor(ACCOUNT_FREE) as pool:
            answers = list(pool.map(lambda _: login(person.name, PASSWORD), range(ACCOUNT_FREE)))
        assert [answer.status for answer in answers] == [200] * ACCOUNT_FREE


def test_an_account_that_does_not_exist_is_slowed_alike(login, person):
    known = [login(person.name, WRONG, ATTACKER) for _ in range(8)]
    unknown = [login("nobody-there", WRONG, ATTACKER) for _ in range(8)]
    assert [a.status for a in known] == [a.status for a in unknown]
    for one, other in zip(known, unknown):
        for name in ("error", "errorCode", "title", "status", "details"):
            assert one.json().get(name) == other.json().get(name)


def test_one_address_may_fail_for_many_accounts_but_not_endlessly(web, login):
    # Nearly at the limit, as many attempts would have left it.
    login("somebody", WRONG, ATTACKER)
    sql(web, "UPDATE login_throttle SET heals_at = heals_at + %s * interval '30 seconds'",
        ADDRESS_FREE - 1)
    statuses = [login(f"name{i}", WRONG, ATTACKER).status for i in range(4)]
    assert statuses == [401, 429, 429, 429]
    assert login("name9", WRONG, HOME).status == 401  # other addresses are not affected


@pytest.mark.parametrize("one, other, same", [
    ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),  # a /64 counts as one household
    ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
    ("::ffff:203.0.113.66", "203.0.113.66", True),
    ("203.0.113.66", "203.0.113.67", False),
])
def test_which_addresses_count_as_one_client(web, login, one, other, same):
    login("somebody", WRONG, one)
    sql(web, "UPDATE login_throttle SET next_at = now() + interval '1 hour'")
    assert login("another", WRONG, other).status == (429 if same else 401)


def test_a_forged_address_counts_for_nothing(login, person):
    statuses = [login(person.name, WRONG, ATTACKER, X_Forwarded_For=f"10.0.0.{i}").status
                for i in range(10)]
    assert statuses.count(429) == 10 - ACCOUNT_FREE - 1


def test_nobody_is_locked_out_of_a_session_they_have(web, login, person):
    """The lockout attack: somebody fails on purpose, all the time, from everywhere."""
    exhaust(login, person.name)
    sql(web, "UPDATE login_throttle SET next_at = now() + interval '1 day',"
             " heals_at = now() + interval '2 days'")
    assert person.get("/api/auth/session").status_code == 200
    assert person.get("/api/auth/sessions").status_code == 200
    assert person.get("/api/projects").status_code == 200


def test_nobody_is_locked_out_where_they_are_logged_in(web, login, person):
    """Another browser at home can log in, although the account is under attack."""
    assert login(person.name, PASSWORD, HOME).status == 200
    exhaust(login, person.name)
    refused(login(person.name, PASSWORD, "192.0.2.11"))
    assert login(person.name, PASSWORD, HOME).status == 200
    # This does not help a guesser at the same address: attempts there count, too.
    exhaust(login, person.name, HOME)


def test_success_does_not_count_and_forgives_nothing(web, login, person):
    """Logging in to one's own account does not allow more guesses at others."""
    for _ in range(2 * ACCOUNT_FREE):
        assert login(person.name, PASSWORD).status == 200
    for _ in range(ACCOUNT_FREE):
        assert login(person.name, WRONG, ATTACKER).status == 401
        assert login(person.name, PASSWORD, ATTACKER).status == 200
    for _ in range(ACCOUNT_FREE + 1):
        login(person.name, WRONG, HOME)
    refused(login(person.name, WRONG, HOME))


def test_registering_is_counted_for_the_address(web, login, person):
    for _ in range(3):
        assert login(person.name, PASSWORD, ATTACKER, url="/api/auth/register").status == 409
    # It counts as an attempt and, separately, as a registration.
    assert len(sql(web, "SELECT key FROM login_throttle")) == 2
    sql(web, "UPDATE login_throttle SET next_at = now() + interval '1 hour'")
    refused(login("yet-another", PASSWORD, ATTACKER, url="/api/auth/register"))


def test_the_table_cleans_itself_and_tells_nothing(web, login):
    for i in range(20):
        login(f"name{i}", WRONG, f"198.51.100.{i}")
    pass_time(web, 3600)
    for i in range(6):
        login(f"other{i}", WRONG, "203.0.113.1")
    assert len(sql(web, "SELECT key FROM login_throttle")) < 15
    assert "name" not in str(sql(web, "SELECT login_throttle::text FROM login_throttle"))


def test_failures_are_in_the_audit_of_whom_they_concern(web, login, person):
    login(person.name, WRONG, ATTACKER)
    login("nobody-there", WRONG, ATTACKER)
    rows = sql(web, "SELECT user_id::text, host(address), detail::text FROM audit"
                    " WHERE action = 'login.refused' ORDER BY id DESC LIMIT 2")
    assert rows[1][:2] == (person.id, ATTACKER)
    assert rows[0][:2] == (None, ATTACKER)
    assert "nobody" not in str(rows) and "horse" not in str(rows)


def test_a_stolen_session_cannot_be_used_to_guess_the_password(web, person):
    """Guesses count like those at a login."""
    wrong = {"password": WRONG, "newPassword": "another good horse"}
    statuses = [person.put("/api/auth/password", wrong).status_code for _ in range(10)]
    assert statuses == [403] * (ACCOUNT_FREE + 1) + [429] * (9 - ACCOUNT_FREE)


# ---- user enumeration -----------------------------------------------------------------------------


def timed(login, name):
    began = time.perf_counter()
    assert login(name, WRONG).status == 401
    return time.perf_counter() - began


def compare(web, login, person, pairs=40):
    """Returns how much longer an unknown user takes, as a ratio of medians; the two alternate, so that a busy machine
    slows both."""
    known, unknown = [], []
    for i in range(pairs):
        sql(web, "TRUNCATE login_throttle")
        pair = [(known, person.name), (unknown, f"unknown{i}")]
        for times, name in pair if i % 2 else reversed(pair):
            times.append(timed(login, name))
    return statistics.median(unknown) / statistics.median(known)


def test_an_unknown_user_takes_as_long_as_a_wrong_password(web, login, person):
    """A real difference would show in every try, one caused by the machine does not."""
    ratios = []
    while not ratios or not 0.8 < ratios[-1] < 1.25:
        assert len(ratios) < 5, ratios
        ratios.append(compare(web, login, person))


def test_a_disabled_user_looks_like_a_wrong_password(web, login, person):
    wrong = login(person.name, WRONG)
    sql(web, "UPDATE users SET disabled_at = now() WHERE id = %s", person.id)
    disabled = login(person.name, PASSWORD)
    same = ("error", "errorCode", "title", "status", "details")
    assert [wrong.json().get(k) for k in same] == [disabled.json().get(k) for k in same]


# ---- who is one client, to every limit ------------------------------------------------------------


@pytest.fixture(scope="module")
def fronted(workspace, build, postgres):
    """A site behind a server that passes on X-Forwarded-For, whatever a client has written there."""
    with Site(workspace / "fronted", build, postgres, database="fronted", front=True) as site:
        site.programs.stop("fsa-reconcile")
        yield site


def from_address(site, address):
    client = site.client()
    client.session.headers["X-Forwarded-For"] = address
    return client


def statuses(site, addresses):
    """Returns status → number of logins with an unknown name, one from each address."""
    return Counter(from_address(site, address).login(f"nobody{n}", WRONG).status_code
                   for n, address in enumerate(addresses))


def test_a_whole_64_is_one_client_to_nginx_and_programs(fronted):
    one = statuses(fronted, [f"2001:db8:9:9:{n:x}::{n:x}" for n in range(1, 41)])
    assert one[429] >= 20, one
    many = statuses(fronted, [f"2001:db8:9:{n:x}00::1" for n in range(1, 41)])
    assert many == {401: 40}
    # IPv4 addresses written as IPv6 are individual clients, not one.
    assert statuses(fronted, [f"::ffff:198.51.100.{n}" for n in range(1, 41)]) == {401: 40}
    assert statuses(fronted, ["198.51.100.77", "::ffff:198.51.100.77"] * 20)[429] >= 20


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "127.8.9.1"])
def test_a_header_that_names_this_machine_lifts_no_limit(fronted, address):
    assert statuses(fronted, [address] * 40)[429] >= 20
    with fronted.connect() as db, db.cursor() as cursor:
        cursor.execute("TRUNCATE login_throttle")
        from_address(fronted, address).login("nobody", WRONG)
        cursor.execute("SELECT count(*) FROM login_throttle")
        assert cursor.fetchone()[0] in (0, 2)  # refused by nginx, or counted for name and address


def test_clients_on_this_machine_are_not_limited(fronted):
    anonymous = [fronted.client().login(f"nobody{n}", WRONG).status_code for n in range(40)]
    assert set(anonymous) == {401}


def register(web, number, address):
    body = b'{"name": "new%d", "password": "%s", "bearer": true}' % (number, PASSWORD.encode())
    pairs = [(n, v) for n, v in fastcgi.variables("POST", "/api/auth/register", body, {})
             if n != "REMOTE_ADDR"] + [("REMOTE_ADDR", address)]
    return fastcgi.request(web.programs.socket("auth.fcgi"), "POST", "/api/auth/register", body,
                           pairs=pairs)


def test_registrations_that_succeed_have_a_budget_too(web):
    """Unlike logins they are not forgiven, because each leaves a user behind."""
    done = [register(web, n, f"2001:db8:7:7::{n + 1:x}") for n in range(40)]
    assert [a.status for a in done[:30]] == [200] * 30
    assert [a.status for a in done[31:]] == [429] * 9
    assert done[-1].json()["errorCode"] == "TOO_MANY_REGISTRATIONS"
    assert int(done[-1].headers["Retry-After"]) >= 1
    assert register(web, 41, "2001:db8:7:8::1").status == 200  # neighbours are not affected
    pass_time(web, 12 * 3600)
    assert register(web, 42, "2001:db8:7:7::1").status == 200
