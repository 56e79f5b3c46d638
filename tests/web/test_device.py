"""A program on a machine without a browser gets an API token, when somebody allows it in the console."""

import pytest

from test_tokens import program, refused

ASKED = {"name": "fsa on a machine", "scope": "write"}


@pytest.fixture
def client(user):
    return user()


@pytest.fixture
def machine(web):
    """A program without a session."""
    made = web.client()
    made.session.headers.pop("Origin")
    yield made
    execute(web, "DELETE FROM device_logins")


@pytest.fixture
def asked(machine):
    answer = machine.post("/api/auth/device", ASKED)
    assert answer.status_code == 200, answer.text
    return answer.json()


def execute(web, statement, *values):
    connection = web.connect()
    with connection, connection.cursor() as cursor:
        cursor.execute(statement, values)
    connection.close()


def collect(web, machine, asked):
    """Asks for the token as if some time had passed since the last time."""
    execute(web, "UPDATE device_logins SET polled_at = polled_at - interval '10 seconds'")
    return machine.post("/api/auth/device/token", {"deviceCode": asked["deviceCode"]})


def answer(client, asked, allow, **more):
    return client.post("/api/auth/device/answer", {"userCode": asked["userCode"], "allow": allow, **more})


def test_what_asks_is_shown_before_it_is_allowed_and_gets_its_token_once(web, client, machine, asked):
    refused(collect(web, machine, asked), 400, "AUTHORIZATION_PENDING")
    shown = client.get(f"/api/auth/device?code={asked['userCode']}").json()
    assert (shown["name"], shown["scope"], shown["address"]) == ("fsa on a machine", "write", "127.0.0.1")
    assert answer(client, asked, True).status_code == 200
    made = collect(web, machine, asked).json()
    assert made["name"] == "fsa on a machine" and made["scope"] == "write"
    assert program(web, made["token"]).get("/api/projects").status_code == 200
    assert [token["name"] for token in client.get("/api/user/tokens").json()["items"]] == ["fsa on a machine"]
    refused(collect(web, machine, asked), 400, "EXPIRED_TOKEN")


@pytest.mark.parametrize("write", [str.lower, lambda code: code.replace("-", ""), str])
def test_a_code_is_read_as_people_write_it(client, asked, write):
    assert client.get(f"/api/auth/device?code={write(asked['userCode'])}").status_code == 200


@pytest.mark.parametrize("code", ["BCDF-GHJ", "AEIO-UUUU", "BCDFG-HJK", "BCDF--GHJ", "BCDFGHJKL", ""])
def test_what_is_no_code_is_told_so(client, code):
    assert client.get(f"/api/auth/device?code={code}").status_code == 400


def test_what_is_refused_gets_nothing(web, client, machine, asked):
    assert answer(client, asked, False).status_code == 200
    refused(collect(web, machine, asked), 403, "ACCESS_DENIED")
    refused(answer(client, asked, True), 404, "DEVICE_CODE_NOT_FOUND")
    assert client.get("/api/user/tokens").json()["items"] == []


def test_it_is_answered_once(web, client, machine, asked):
    assert answer(client, asked, True).status_code == 200
    for allow in (True, False):
        refused(answer(client, asked, allow), 404, "DEVICE_CODE_NOT_FOUND")
    refused(client.get(f"/api/auth/device?code={asked['userCode']}"), 404, "DEVICE_CODE_NOT_FOUND")


def test_who_logged_in_long_ago_gives_the_password(web, client, machine, asked):
    execute(web, "UPDATE sessions SET created_at = created_at - interval '11 minutes'")
    refused(answer(client, asked, True), 403, "LOGIN_NOT_RECENT")
    refused(collect(web, machine, asked), 400, "AUTHORIZATION_PENDING")
    assert answer(client, asked, False).status_code == 200  # to refuse takes none


def test_a_permission_ends_with_the_session_that_gave_it(web, client, machine, asked):
    assert answer(client, asked, True).status_code == 200
    assert client.post("/api/auth/logout").status_code == 200
    refused(collect(web, machine, asked), 400, "EXPIRED_TOKEN")


def test_a_permission_ends_with_all_other_access(web, client, machine, asked):
    assert answer(client, asked, True).status_code == 200
    assert client.delete("/api/auth/sessions?others=true").ok  # its own session stays
    assert client.get("/api/auth/sessions").ok
    refused(collect(web, machine, asked), 400, "EXPIRED_TOKEN")


def test_a_code_lets_nobody_in(web, client, machine, asked):
    refused(machine.post("/api/auth/device/token", {"deviceCode": "x" * 43}), 400, "EXPIRED_TOKEN")
    assert machine.post("/api/auth/device/token", {"deviceCode": asked["userCode"]}).status_code == 400
    refused(machine.get(f"/api/auth/device?code={asked['userCode']}"), 401, "UNAUTHENTICATED")
    refused(answer(machine, asked, True), 401, "UNAUTHENTICATED")
    token = client.post("/api/user/tokens", {"name": "CI", "scope": "write"}).json()["token"]
    assert answer(program(web, token), asked, True).status_code in (401, 403)  # a token makes no token


def test_codes_are_not_guessed(client, asked):
    client.session.headers["X-Forwarded-For"] = "192.0.2.78"  # a client that is not on the site's own machine
    answers = [client.get("/api/auth/device?code=BBBB-BBBB")]
    assert answers[0].status_code == 404
    while answers[-1].status_code == 404 and len(answers) < 500:  # on a slow machine, some of it is allowed again
        answers.append(client.get("/api/auth/device?code=BBBB-BBBB"))
    refused(answers[-1], 429, "TOO_MANY_ATTEMPTS")
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_a_code_expires(web, client, machine, asked):
    execute(web, "UPDATE device_logins SET expires_at = now()")
    refused(client.get(f"/api/auth/device?code={asked['userCode']}"), 404, "DEVICE_CODE_NOT_FOUND")
    refused(answer(client, asked, True), 404, "DEVICE_CODE_NOT_FOUND")
    refused(collect(web, machine, asked), 400, "EXPIRED_TOKEN")


def test_who_asks_too_often_is_told_to_wait(web, machine, asked):
    refused(collect(web, machine, asked), 400, "AUTHORIZATION_PENDING")
    hurried = machine.post("/api/auth/device/token", {"deviceCode": asked["deviceCode"]})
    refused(hurried, 429, "SLOW_DOWN")
    assert hurried.headers["Retry-After"] == "5"


def test_programs_that_wait_are_limited(web, machine, asked):
    execute(web, "INSERT INTO device_logins (device_hash, user_code, name, can_write, network)"
            " SELECT sha256(n::text::bytea), translate(lpad(n::text, 8, '0'), '0123456789', 'BCDFGHJKLM'), 'x', true,"
            " '::ffff:' || address FROM device_logins, generate_series(1, 10) AS n")
    machine.session.headers["X-Forwarded-For"] = "192.0.2.77"  # a client that is not on the site's own machine
    refused(machine.post("/api/auth/device", ASKED), 429, "TOO_MANY_DEVICES")
    execute(web, "UPDATE device_logins SET expires_at = now() - interval '1 second'")
    assert machine.post("/api/auth/device", ASKED).status_code == 200
