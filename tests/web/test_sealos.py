"""Tests logging in from a Sealos desktop: its token, and the kubeconfig that comes with it."""

import itertools
import json
import threading
import time

import fastcgi
import pytest
from stand.kubesim import KubeSim
from stand.site import Site
from tokens import encode, sign

SECRET = "desktop-internal-secret-of-64-characters-" + "x" * 23
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def secret_file(workspace):
    path = workspace / "sealos-jwt"
    path.write_text(SECRET + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture(scope="module")
def site(workspace, build, postgres, secret_file):
    options = {"sealos_jwt_secret_file": secret_file}
    with Site(workspace / "sealos", build, postgres, database="sealos", options=options) as made:
        yield made


def claims(user="u1", **changes):
    now = int(time.time())
    made = {"userUid": f"uid-{user}", "userId": user, "regionUid": "r", "userCrUid": "c",
            "userCrName": user, "workspaceUid": "w", "workspaceId": f"ns-{user}", "iat": now,
            "exp": now + 7 * 86400, **changes}
    return {name: value for name, value in made.items() if value is not ...}


@pytest.fixture
def person():
    return f"someone{next(_numbers)}"


def log_in(client, token, kubeconfig, **more):
    return client.post("/api/auth/sealos", {"token": token, "kubeconfig": kubeconfig, **more})


def counts(web):
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM identities),"
                       " (SELECT count(*) FROM kubeconfigs), (SELECT count(*) FROM sessions)")
        return cursor.fetchone()


def test_the_first_login_makes_a_user_and_the_next_ones_find_it(web, person, make_kubeconfig):
    first, second = web.client(), web.client()
    kubeconfig = make_kubeconfig(f"ns-{person}")
    answer = log_in(first, sign(claims(person), SECRET), kubeconfig)
    assert answer.status_code == 200, answer.text
    assert answer.json()["user"]["name"] == person
    assert first.get("/api/user/config/kc").json()["namespace"] == f"ns-{person}"
    assert first.post("/api/projects", {"name": "App"}).status_code == 200
    assert log_in(second, sign(claims(person), SECRET), kubeconfig).status_code == 200
    assert second.get("/api/auth/session").json()["user"]["id"] == answer.json()["user"]["id"]
    assert [p["name"] for p in second.get("/api/projects").json()] == ["App"]


def test_logins_are_counted(web, person, make_kubeconfig, counted):
    before = [counted("fsa_logins_total", provider="sealos", result=result)
              for result in ("ok", "refused")]
    kubeconfig = make_kubeconfig(f"ns-{person}")
    assert log_in(web.client(), sign(claims(person), SECRET), kubeconfig).ok
    assert log_in(web.client(), sign(claims(person), "x" * 40), kubeconfig).status_code == 401
    assert [counted("fsa_logins_total", provider="sealos", result=result)
            for result in ("ok", "refused")] == [count + 1 for count in before]


def test_refusals_are_in_the_audit_up_to_a_limit(web, person, make_kubeconfig):
    kubeconfig = make_kubeconfig(f"ns-{person}")
    wrong = sign(claims(person), SECRET.upper())

    def lines():
        with web.connect() as db, db.cursor() as cursor:
            cursor.execute("SELECT user_id, object_id, host(address) FROM audit"
                           " WHERE action = 'login.refused'")
            return cursor.fetchall()

    def attempt(token):
        return fastcgi.request(web.programs.socket("auth.fcgi"), "POST", "/api/auth/sealos",
                               {"token": token, "kubeconfig": kubeconfig}).status

    before = lines()
    assert attempt(wrong) == 401
    assert lines()[len(before):] == [(None, "sealos", "192.0.2.7")]
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE login_throttle SET next_at = now() + interval '1 hour'")
    assert attempt(wrong) == 429
    assert len(lines()) == len(before) + 1
    assert attempt(sign(claims(person), SECRET)) == 200  # successful logins are not throttled


def test_a_page_in_a_frame_gets_the_session_as_a_token(web, person, make_kubeconfig):
    answer = log_in(web.client(), sign(claims(person), SECRET), make_kubeconfig(f"ns-{person}"),
                    bearer=True)
    assert "Set-Cookie" not in answer.headers
    headers = {"Authorization": f"Bearer {answer.json()['token']}"}
    shown = web.client().get("/api/auth/session", headers=headers)
    assert shown.json()["user"]["name"] == person


def test_a_renewed_kubeconfig_is_for_the_next_pass(web, person, make_kubeconfig):
    client = web.client()
    log_in(client, sign(claims(person), SECRET), make_kubeconfig(f"ns-{person}"))
    project = client.post("/api/projects", {"name": "App"}).json()["id"]
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE resources SET due_at = now() + interval '1 hour', attempts = 7"
                       " WHERE project_id = %s", (project,))
    wake = web.programs.socket("api.fcgi").parent / "wake"
    before = wake.stat().st_mtime_ns
    renewed = make_kubeconfig(f"ns-{person}", user={"token": "renewed.token.of.theirs"})
    assert log_in(client, sign(claims(person), SECRET), renewed).status_code == 200
    assert wake.stat().st_mtime_ns > before
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT bool_and(due_at <= now()), max(attempts) FROM resources"
                       " WHERE project_id = %s", (project,))
        assert cursor.fetchone() == (True, 0)
        cursor.execute("SELECT k.version, position('renewed' IN encode(k.sealed, 'escape'))"
                       " FROM kubeconfigs k JOIN users u ON u.id = k.user_id WHERE u.name = %s",
                       (person,))
        assert cursor.fetchone() == (2, 0)


def test_two_first_logins_at_once_are_one_user(web, person, make_kubeconfig):
    token, kubeconfig, answers = sign(claims(person), SECRET), make_kubeconfig(f"ns-{person}"), []

    def run(client):
        answers.append(log_in(client, token, kubeconfig))

    threads = [threading.Thread(target=run, args=(web.client(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [a.status_code for a in answers] == [200] * 4
    assert len({a.json()["user"]["id"] for a in answers}) == 1


def attacks():
    now = int(time.time())
    good = claims("victim")
    yield "unsigned", encode({"alg": "none"}) + "." + encode(good) + "."
    yield "signed with none", sign(good, SECRET, {"alg": "none"})
    yield "another algorithm", sign(good, SECRET, {"alg": "HS512"})
    yield "an asymmetric algorithm", sign(good, SECRET, {"alg": "RS256"})
    yield "algorithm twice", sign(good, SECRET, b'{"alg":"none","alg":"HS256"}')
    yield "another secret", sign(good, "y" * 64)
    yield "an empty secret", sign(good, "")
    yield "no expiry", sign(claims("victim", exp=...), SECRET)
    yield "expired", sign(claims("victim", exp=now - 1), SECRET)
    yield "expiry as a string", sign(claims("victim", exp=str(now + 99)), SECRET)
    yield "expiry as a fraction", sign(claims("victim", exp=now + 99.5), SECRET)
    yield "an endless expiry", sign(claims("victim", exp=2 ** 63 - 1), SECRET)
    yield "a huge expiry", sign(claims("victim", exp=10 ** 30), SECRET)
    yield "expiry twice", sign(json.dumps(claims("victim", exp=1)).encode()[:-1]
                               + b',"exp":%d}' % (now + 99), SECRET)
    yield "not yet valid", sign(claims("victim", nbf=now + 3600), SECRET)
    yield "made in the future", sign(claims("victim", iat=now + 3600), SECRET)
    for name in ("userId", "userUid", "workspaceId"):
        yield f"no {name}", sign(claims("victim", **{name: ...}), SECRET)
        yield f"{name} empty", sign(claims("victim", **{name: ""}), SECRET)
        yield f"{name} a number", sign(claims("victim", **{name: 7}), SECRET)
        yield f"{name} too long", sign(claims("victim", **{name: "x" * 256}), SECRET)
        yield f"{name} with a line end", sign(claims("victim", **{name: "a\nb"}), SECRET)
        yield f"{name} with NUL", sign(json.dumps(claims("victim", **{name: "a\0b"})).encode(),
                                       SECRET)
    yield "claims in a list", sign([good], SECRET)
    yield "no token", "x"
    yield "five parts", "a.b.c.d.e"


@pytest.mark.parametrize("token", [pytest.param(token, id=name) for name, token in attacks()])
def test_a_token_that_is_not_the_desktops_stores_nothing(web, token, make_kubeconfig):
    before = counts(web)
    answer = log_in(web.client(), token, make_kubeconfig("ns-victim"))
    assert answer.status_code == 401
    assert answer.json()["errorCode"] in ("INVALID_TOKEN", "EXPIRED_TOKEN")
    assert "Set-Cookie" not in answer.headers
    assert token not in answer.text and counts(web) == before
    assert token not in web.programs.log("auth.fcgi").read_text() or len(token) < 20


def test_a_kubeconfig_must_be_the_workspaces(web, person, make_kubeconfig):
    before = counts(web)
    answer = log_in(web.client(), sign(claims(person), SECRET), make_kubeconfig("ns-other"))
    assert (answer.status_code, answer.json()["errorCode"]) == (422, "WORKSPACE_MISMATCH")
    assert counts(web) == before


@pytest.mark.parametrize("changes, code", [
    ({"user": {"exec": {"command": "/bin/sh"}}}, "KUBECONFIG_EXEC"),
    ({"cluster": {"insecure-skip-tls-verify": True}}, "KUBECONFIG_INSECURE"),
    ({"cluster": {"server": "https://169.254.169.254"}}, "ADDRESS_FORBIDDEN"),
    ({"cluster": {"server": "http://127.0.0.1:6443"}}, "KUBECONFIG_SERVER"),
    ({"user": {"tokenFile": "/etc/passwd"}}, "KUBECONFIG_FILE"),
])
def test_a_hostile_kubeconfig_stores_nothing(web, person, make_kubeconfig, changes, code):
    before = counts(web)
    answer = log_in(web.client(), sign(claims(person), SECRET),
                    make_kubeconfig(f"ns-{person}", **changes))
    assert (answer.status_code, answer.json()["errorCode"]) == (400, code)
    assert counts(web) == before


def test_a_kubeconfig_as_the_desktop_writes_it(web, person, make_kubeconfig):
    """js-yaml folds long strings, such as certificate and token."""
    given = json.loads(make_kubeconfig(f"ns-{person}", user={"token": "t" * 900}))
    ca = given["clusters"][0]["cluster"]["certificate-authority-data"]
    folded = f"""apiVersion: v1
kind: Config
clusters:
  - name: sealos
    cluster:
      server: https://127.0.0.1:6443
      certificate-authority-data: >-
        {ca}
users:
  - name: {person}
    user:
      token: >-
        {"t" * 900}
contexts:
  - name: {person}@sealos
    context:
      cluster: sealos
      namespace: ns-{person}
      user: {person}
current-context: {person}@sealos
"""
    answer = log_in(web.client(), sign(claims(person), SECRET), folded)
    assert answer.status_code == 200, answer.text


def test_a_disabled_user_stays_out(web, person, make_kubeconfig):
    token, kubeconfig = sign(claims(person), SECRET), make_kubeconfig(f"ns-{person}")
    client = web.client()
    assert log_in(client, token, kubeconfig).status_code == 200
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE users SET disabled_at = now() WHERE name = %s", (person,))
    before = counts(web)
    answer = log_in(web.client(), token, kubeconfig)
    assert (answer.status_code, answer.json()["errorCode"]) == (401, "USER_DISABLED")
    assert counts(web) == before


def test_another_sites_page_cannot_log_anybody_in(web, person, make_kubeconfig):
    answer = web.client().post(
        "/api/auth/sealos",
        {"token": sign(claims(person), SECRET), "kubeconfig": make_kubeconfig(f"ns-{person}")},
        headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.json()["errorCode"]) == (403, "CSRF")


def test_strangers_may_be_kept_out(make_site, secret_file, person, make_kubeconfig):
    site = make_site(options={"sealos_jwt_secret_file": secret_file,
                              "provider_registration": "closed"})
    answer = log_in(site.client(), sign(claims(person), SECRET), make_kubeconfig(f"ns-{person}"))
    assert (answer.status_code, answer.json()["errorCode"]) == (403, "REGISTRATION_CLOSED")
    assert counts(site) == (0, 0, 0, 0)


def test_it_is_offered_where_there_is_a_secret_for_it(web, make_site, person, make_kubeconfig):
    offered = web.client().get("/api/auth/providers").json()
    assert offered["sealos"]["signinUrl"] == f"{web.url}/api/auth/sealos"
    bare = make_site()
    assert "sealos" not in bare.client().get("/api/auth/providers").json()
    answer = log_in(bare.client(), sign(claims(person), SECRET), make_kubeconfig(f"ns-{person}"))
    assert (answer.status_code, answer.json()["errorCode"]) == (404, "PROVIDER_OFF")


def test_a_sealos_account_is_listed_by_its_name(web, person, make_kubeconfig):
    client = web.client()
    log_in(client, sign(claims(person), SECRET), make_kubeconfig(f"ns-{person}"))
    identity, = client.get("/api/auth/identities").json()["items"]
    assert (identity["provider"], identity["name"]) == ("SEALOS", person)


def test_the_audit_records_logins_and_credentials(web, person, make_kubeconfig):
    client = web.client()
    log_in(client, sign(claims(person), SECRET), make_kubeconfig(f"ns-{person}"))
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT a.action, i.provider, i.provider_user_id, i.is_primary,"
                       " i.metadata->>'workspaceId' FROM audit a"
                       " JOIN identities i ON i.id = a.identity_id WHERE i.provider_user_id = %s",
                       (person,))
        assert cursor.fetchall() == [("session.create", "SEALOS", person, True, f"ns-{person}")]


def test_a_rotated_kubeconfig_is_used_without_a_restart(workspace, build, make_site, secret_file,
                                                        person):
    """The desktop may rotate its kubeconfigs at any time: the next login from it is enough."""
    with KubeSim(workspace / "sealos-kubesim", build) as cluster:
        site = make_site(options={"sealos_jwt_secret_file": secret_file, "resync": "1s"})
        client = site.client()
        log_in(client, sign(claims(person), SECRET), cluster.create_user(person))
        project = client.post("/api/projects", {"name": "App", "database": False}).json()["id"]
        client.wait(f"/api/projects/{project}", lambda p: p["status"] == "RUNNING")
        cluster.delete_user(person)
        path = f"/api/sandbox/{project}"
        client.wait(path, lambda s: s["cause"] and s["cause"]["kind"] == "KUBE_UNAUTHORIZED")
        log_in(client, sign(claims(person), SECRET), cluster.create_user(person))
        told = client.wait(path, lambda s: s["cause"] is None)
        assert told["status"] == "RUNNING"
