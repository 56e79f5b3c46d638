"""Tests logging in by GitHub and binding an account: as it should go, and every way in which a provider, a browser or
a stranger can make it go wrong."""

import itertools
import re
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from stand.kube.pki import Authority
from stand.process import StandError
from stand.site import Site

import fake_github
from fake_github import HANGS_S, SECRET, Github, breaks_off, drips, hangs, hangs_up, says
from tls_server import certified

TOKEN, USER = "/login/oauth/access_token", "/user"
PAGE = {"Accept": "text/html,application/xhtml+xml"}
_ids = itertools.count(1000)


@pytest.fixture(scope="module")
def provider(workspace):
    with certified(Github, workspace, "github") as made:
        yield made


@pytest.fixture(scope="module")
def options(workspace, provider):
    return {**fake_github.options(workspace, provider), "provider_timeout": "5s"}


@pytest.fixture(scope="module")
def site(workspace, build, postgres, options):
    with Site(workspace / "github", build, postgres, database="github", options=options) as made:
        yield made


@pytest.fixture
def github(provider):
    provider.behave()
    number = next(_ids)
    provider.person = {"id": number, "login": f"octo{number}"}
    yield provider
    provider.behave()


def begin(client, path="/api/auth/github/login", **rest):
    """Begins a login; returns the provider's URL that the browser is redirected to."""
    answer = client.get(path, allow_redirects=False, **rest)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def arrive(client, url, **rest):
    """Returns to the site, as a browser that the provider has redirected to `url`."""
    assert url.startswith(client.url)
    return client.get(url.removeprefix(client.url), allow_redirects=False, **rest)


def log_in(client, github, path="/api/auth/github/login", **rest):
    return arrive(client, github.consent(begin(client, path)), **rest)


def counts(web):
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM identities),"
                       " (SELECT count(*) FROM sessions)")
        return cursor.fetchone()


# ---- as it should be -------------------------------------------------------------------------------

def test_a_login_makes_a_user_the_first_time_and_finds_it_the_next(web, github):
    first, second = web.client(), web.client()
    answer = log_in(first, github)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    name = first.get("/api/auth/session").json()["user"]
    assert name["name"] == github.person["login"]
    github.person["login"] = "renamed"  # the id identifies the person
    assert log_in(second, github).status_code == 303
    assert second.get("/api/auth/session").json()["user"] == name
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT provider, metadata, is_primary FROM identities WHERE user_id = %s",
                       (name["id"],))
        assert cursor.fetchall() == [("GITHUB", {"name": "renamed"}, True)]


def test_logins_are_counted(web, github, counted):
    before = [counted("fsa_logins_total", provider="github", result=result)
              for result in ("ok", "refused")]
    assert log_in(web.client(), github).status_code == 303
    url = github.consent(begin(web.client(), "/api/auth/github/login"))
    assert arrive(web.client(), url).status_code == 403  # another browser
    assert [counted("fsa_logins_total", provider="github", result=result)
            for result in ("ok", "refused")] == [count + 1 for count in before]


def test_the_request_asks_for_little_and_is_bound(web, github):
    client = web.client()
    url = begin(client)
    asked = {name: value for name, [value] in parse_qs(urlsplit(url).query).items()}
    assert set(asked) == {"response_type", "client_id", "redirect_uri", "scope", "state",
                          "code_challenge", "code_challenge_method"}
    assert asked["redirect_uri"] == f"{web.url}/api/auth/github/callback"
    assert asked["scope"] == "read:user"
    verifier = client.session.cookies["fsa-login"]
    assert verifier not in url
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT array_agg(p::text) FROM pending_logins p")
        stored = "".join(cursor.fetchone()[0])
    for secret in (verifier, asked["state"]):
        assert secret not in stored and secret.encode().hex() not in stored


def test_the_cookie_of_a_login_is_as_safe_as_the_site_allows(make_site, options):
    site = make_site(options={**options, "public_url": "https://fsa.example"})
    answer = site.client().get("/api/auth/github/login", allow_redirects=False)
    assert re.fullmatch(r"__Host-fsa-login=[\w-]{43}; Path=/; Max-Age=600; HttpOnly; SameSite=Lax;"
                        " Secure", answer.headers["Set-Cookie"])


def test_the_token_is_kept_sealed_for_the_cluster_side(web, github):
    client = web.client()
    log_in(client, github)
    [token] = [t for t, who in github.tokens.items() if who["id"] == github.person["id"]]
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT i::text, token_sealed IS NOT NULL FROM identities i"
                       " WHERE provider_user_id = %s", (str(github.person["id"]),))
        row, sealed = cursor.fetchone()
        assert sealed and token not in row and token.encode().hex() not in row
    log = web.programs.log("auth.fcgi").read_text()
    assert token not in log and SECRET not in log


def test_the_browser_returns_to_where_it_began(web, github):
    client = web.client()
    answer = log_in(client, github, "/api/auth/github/login?" + urlencode(
        {"return_to": "/projects?tab=all&q=a%20b#top"}))
    assert answer.headers["Location"] == "/projects?tab=all&q=a%20b#top"
    assert "fsa-login" not in client.session.cookies


@pytest.mark.parametrize("where", [
    "//evil.example", "/\\evil.example", "\\/evil.example", "///evil.example",
    "https://evil.example", "https:evil.example", "javascript:alert(1)", "evil.example", "",
    "/\tevil", "/\t/evil.example", "/\n/evil.example", "/a\r\nSet-Cookie: x=y", " //evil.example",
    "/%2F/evil.example", "/%2f%2fevil.example", "%2F%2Fevil.example", "/%5Cevil.example",
    "/%09/evil.example", "/%252F/evil.example", "/.//evil.example", "/..//evil.example",
    "/a/..//evil.example", "/%2e/x", "/a%00b", "/a%0d%0aX: y", "/%zz", "/%", "/" + "a" * 600,
    "/@evil.example\x7f", "/ü", "/<script>",
])
def test_the_browser_is_not_sent_to_strangers(web, where):
    answer = web.client().get("/api/auth/github/login?" + urlencode({"return_to": where}),
                              allow_redirects=False)
    assert answer.status_code == 400 and "Location" not in answer.headers


# ---- a browser or a stranger that goes wrong -------------------------------------------------------

def refused(answer, status, code):
    assert answer.status_code == status, answer.text
    assert answer.json()["errorCode"] == code
    assert "fsa=" not in answer.headers.get("Set-Cookie", "")


def test_a_state_is_used_once(web, github):
    client = web.client()
    back = github.consent(begin(client))
    assert arrive(client, back).status_code == 303
    before = counts(web)
    refused(arrive(client, back), 400, "LOGIN_STATE")
    assert counts(web) == before


def test_a_state_is_spent_also_when_the_login_failed(web, github):
    client = web.client()
    back = github.consent(begin(client))
    github.answers[TOKEN] = says(500, b"oops")
    assert arrive(client, back).status_code == 502
    github.answers.clear()
    refused(arrive(client, back), 400, "LOGIN_STATE")


@pytest.mark.parametrize("state", ["x", "A" * 43, "' OR 1=1 --", "%00", "a" * 129])
def test_a_made_up_state_is_refused(web, github, state):
    client = web.client()
    begin(client)
    answer = client.get("/api/auth/github/callback?" + urlencode({"state": state, "code": "c"}))
    assert answer.status_code == 400
    assert client.get("/api/auth/session").status_code == 401


def test_a_login_must_come_back_to_the_browser_that_began_it(web, github):
    """Otherwise strangers could log others in as themselves."""
    stranger, victim = web.client(), web.client()
    back = github.consent(begin(stranger))
    refused(arrive(victim, back), 403, "LOGIN_BROWSER")  # without a cookie
    begin(victim)
    refused(arrive(victim, back), 403, "LOGIN_BROWSER")  # with the cookie of another login
    assert victim.get("/api/auth/session").status_code == 401
    assert arrive(stranger, back).status_code == 303  # and the other's login still works


def test_a_code_of_another_login_fits_no_verifier(web, github):
    """PKCE: a stolen code is used in a login of the thief's own."""
    thief, victim = web.client(), web.client()
    stolen = parse_qs(urlsplit(github.consent(begin(victim))).query)["code"][0]
    state = parse_qs(urlsplit(begin(thief)).query)["state"][0]
    back = f"{web.url}/api/auth/github/callback?" + urlencode({"state": state, "code": stolen})
    refused(arrive(thief, back), 400, "CODE_REFUSED")


def test_a_login_ends_after_ten_minutes(web, github):
    client = web.client()
    back = github.consent(begin(client))
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE pending_logins SET expires_at = now()")
    refused(arrive(client, back), 400, "LOGIN_EXPIRED")
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE pending_logins SET expires_at = now() - interval '2 hours'")
    begin(client)
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pending_logins WHERE expires_at < now()")
        assert cursor.fetchone() == (0,)  # removed by housekeeping


def test_denied_consent_is_a_clear_page_and_stores_nothing(web, github):
    client, before = web.client(), counts(web)
    state = parse_qs(urlsplit(begin(client)).query)["state"][0]
    query = urlencode({"state": state, "error": "access_denied", "error_description":
                       "<script>alert(1)</script>", "error_uri": "https://evil.example"})
    answer = arrive(client, f"{web.url}/api/auth/github/callback?{query}", headers=PAGE)
    assert answer.status_code == 403
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "was not allowed to tell us who you are" in answer.text
    assert "LOGIN_DENIED" in answer.text and answer.headers["X-Request-Id"] in answer.text
    assert "alert" not in answer.text and "evil" not in answer.text
    assert counts(web) == before


def test_pages_run_nothing_and_are_in_no_frame(web):
    answer = web.client().get("/api/auth/github/callback?state=%3Cscript%3Ealert(1)%3C/script%3E",
                              headers=PAGE)
    assert answer.status_code == 400 and "<script" not in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert web.client().get("/api/auth/github/callback", headers=PAGE).status_code == 400


def test_a_program_gets_json(web):
    refused(web.client().get("/api/auth/github/callback?state=x"), 400, "LOGIN_STATE")


def test_a_disabled_user_stays_out(web, github):
    log_in(web.client(), github)
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE users SET disabled_at = now() WHERE name = %s",
                       (github.person["login"],))
    refused(log_in(web.client(), github), 401, "USER_DISABLED")


def test_a_user_deleted_during_a_login_stays_out(web, github, make_kubeconfig):
    client = web.client()
    log_in(client, github)
    user = client.get("/api/auth/session").json()["user"]["id"]
    assert client.put("/api/user/config/kc", {"kubeconfig": make_kubeconfig()}).ok
    assert client.post("/api/projects", {"name": "App"}).ok
    back_at = web.client()
    url = github.consent(begin(back_at))
    web.programs.fsactl("user", "delete", user, "--yes")
    refused(arrive(back_at, url), 401, "USER_DISABLED")
    refused(log_in(web.client(), github), 401, "USER_DISABLED")
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM users WHERE name = %s AND deleted_at IS NULL",
                       (github.person["login"],))
        assert cursor.fetchone() == (0,)


def test_strangers_may_be_kept_out(make_site, options, github):
    site = make_site(options={**options, "provider_registration": "closed"})
    refused(log_in(site.client(), github), 403, "REGISTRATION_CLOSED")
    assert counts(site) == (0, 0, 0)


def test_it_is_offered_where_it_is_configured(web, make_site):
    offered = web.client().get("/api/auth/providers").json()["github"]
    assert offered == {"id": "github", "name": "GitHub", "type": "oauth",
                       "signinUrl": f"{web.url}/api/auth/github/login",
                       "callbackUrl": f"{web.url}/api/auth/github/callback"}
    bare = make_site()
    assert "github" not in bare.client().get("/api/auth/providers").json()
    refused(bare.client().get("/api/auth/github/login"), 404, "PROVIDER_OFF")


# ---- a provider that goes wrong --------------------------------------------------------------------

GOOD = {"access_token": "gho_x", "token_type": "bearer"}


@pytest.mark.parametrize("path, answer, code", [
    pytest.param(path, answer, code, id=f"{path.rsplit('/')[-1]} {name}")
    for path, name, answer, code in [
        (TOKEN, "hangs", hangs, "PROVIDER_TIMEOUT"),
        (TOKEN, "drips", drips, "PROVIDER_TIMEOUT"),
        (TOKEN, "hangs up", hangs_up, "PROVIDER_UNREACHABLE"),
        (TOKEN, "breaks off", breaks_off, "PROVIDER_ANSWER"),
        (TOKEN, "500", says(500, b"<html>"), "PROVIDER_ANSWER"),
        (TOKEN, "500 with a token", says(500, GOOD), "PROVIDER_ANSWER"),
        (TOKEN, "no JSON", says(200, b"access_token=gho_x&token_type=bearer"), "PROVIDER_ANSWER"),
        (TOKEN, "a list", says(200, [GOOD]), "PROVIDER_ANSWER"),
        (TOKEN, "twice", says(200, b'{"access_token":"a","access_token":"b","token_type":"bearer"}'),
         "PROVIDER_ANSWER"),
        (TOKEN, "nothing", says(200, {}), "PROVIDER_ANSWER"),
        (TOKEN, "a number", says(200, {**GOOD, "access_token": 7}), "PROVIDER_ANSWER"),
        (TOKEN, "empty", says(200, {**GOOD, "access_token": ""}), "PROVIDER_ANSWER"),
        (TOKEN, "line end", says(200, {**GOOD, "access_token": "a\r\nX-Evil: 1"}),
         "PROVIDER_ANSWER"),
        (TOKEN, "not ASCII", says(200, {**GOOD, "access_token": "ä"}), "PROVIDER_ANSWER"),
        (TOKEN, "long token", says(200, {**GOOD, "access_token": "a" * 9000}), "PROVIDER_ANSWER"),
        (TOKEN, "another type", says(200, {**GOOD, "token_type": "mac"}), "PROVIDER_ANSWER"),
        (TOKEN, "token and error", says(200, {**GOOD, "error": "x"}), "PROVIDER_ANSWER"),
        (TOKEN, "huge", says(200, b" " * 300_000 + b"{}"), "PROVIDER_ANSWER"),
        (TOKEN, "deep", says(200, b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
         "PROVIDER_ANSWER"),
        (TOKEN, "redirect", says(302, b"", {"Location": "https://127.0.0.1:1/"}),
         "PROVIDER_ANSWER"),
        (TOKEN, "our secret is wrong", says(200, {"error": "incorrect_client_credentials"}),
         "PROVIDER_REFUSED"),
        (TOKEN, "an odd error", says(400, {"error": ["\u0000", 7]}), "PROVIDER_ANSWER"),
        (USER, "hangs", hangs, "PROVIDER_TIMEOUT"),
        (USER, "401", says(401, {"message": "Bad credentials"}), "PROVIDER_ANSWER"),
        (USER, "500 with a user", says(500, {"id": 1, "login": "root"}), "PROVIDER_ANSWER"),
        (USER, "no id", says(200, {"login": "x"}), "PROVIDER_ANSWER"),
        (USER, "id as a string", says(200, {"id": "1", "login": "x"}), "PROVIDER_ANSWER"),
        (USER, "id zero", says(200, {"id": 0, "login": "x"}), "PROVIDER_ANSWER"),
        (USER, "id negative", says(200, {"id": -1, "login": "x"}), "PROVIDER_ANSWER"),
        (USER, "id fraction", says(200, {"id": 1.5, "login": "x"}), "PROVIDER_ANSWER"),
        (USER, "id huge", says(200, {"id": 2 ** 70, "login": "x"}), "PROVIDER_ANSWER"),
        (USER, "id twice", says(200, b'{"id":1,"id":2,"login":"x"}'), "PROVIDER_ANSWER"),
        (USER, "no login", says(200, {"id": 1}), "PROVIDER_ANSWER"),
        (USER, "login with line end", says(200, {"id": 1, "login": "a\nb"}), "PROVIDER_ANSWER"),
        (USER, "login too long", says(200, {"id": 1, "login": "a" * 101}), "PROVIDER_ANSWER"),
        (USER, "login with NUL", says(200, b'{"id":1,"login":"a\\u0000b"}'), "PROVIDER_ANSWER"),
        (USER, "not UTF-8", says(200, b'{"id":1,"login":"\xff"}'), "PROVIDER_ANSWER"),
    ]])
def test_a_provider_that_fails_or_lies_stores_nothing(web, github, path, answer, code):
    client, before = web.client(), counts(web)
    back = github.consent(begin(client))
    github.answers[path] = answer
    if path == USER:
        github.tokens["gho_x"] = github.person
    began = time.monotonic()
    refused(arrive(client, back), 502, code)
    assert time.monotonic() - began < HANGS_S / 2
    assert counts(web) == before and client.get("/api/auth/session").status_code == 401


def test_a_provider_with_a_foreign_certificate_gets_nothing(make_site, options, workspace,
                                                                      github):
    other = Authority(workspace / "other-ca", "other")
    site = make_site(options={**options, "provider_ca_file": other.cert})
    client = site.client()
    back = github.consent(begin(client))
    asked = len(github.requests)
    refused(arrive(client, back), 502, "PROVIDER_UNREACHABLE")
    assert len(github.requests) == asked


def test_a_provider_on_our_own_network_must_be_allowed(make_site, options, github):
    site = make_site(options={**options, "provider_allow_addresses": None})
    client = site.client()
    back = github.consent(begin(client))
    refused(arrive(client, back), 502, "PROVIDER_UNREACHABLE")


def test_a_provider_that_is_not_there(make_site, options, github):
    gone = "https://127.0.0.1:1"
    site = make_site(options={**options, "github_url": gone, "github_api_url": gone})
    client = site.client()
    back = github.consent(begin(client))
    refused(arrive(client, back), 502, "PROVIDER_UNREACHABLE")


# ---- binding ---------------------------------------------------------------------------------------

def bind(client, github, person=None):
    """Binds an account as our page does; returns the response of the last step."""
    begun = client.post("/api/auth/github/bind")
    assert begun.status_code == 200, begun.text
    back = github.consent(begun.json()["url"])
    handed = requests.get(back, headers=PAGE, timeout=120)  # the popup: a browser without a session
    assert handed.status_code == 200 and "/auth/callback.js" in handed.text
    query = {name: value for name, [value] in parse_qs(urlsplit(back).query).items()}
    return client.post("/api/auth/github/finish",
                       {**query, "verifier": begun.json()["verifier"]})


def test_an_account_is_bound_and_logs_in_as_its_user(web, user, github):
    client = user(kubeconfig=False)
    answer = bind(client, github)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["provider"], answer.json()["name"]) == ("GITHUB", github.person["login"])
    other = web.client()
    log_in(other, github)
    assert other.get("/api/auth/session").json()["user"]["id"] == client.id
    assert bind(client, github).json()["id"] == answer.json()["id"]  # again: renewed
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT object_id, object_type FROM audit WHERE action = 'identity.bind'"
                       " AND user_id = %s", (client.id,))
        assert cursor.fetchall() == [(answer.json()["id"], "identity")] * 2


def test_an_account_bound_to_another_user_stays_theirs(web, user, github):
    owner, other = user(kubeconfig=False), user(kubeconfig=False)
    assert bind(owner, github).status_code == 200
    answer = bind(other, github)
    refused(answer, 409, "IDENTITY_TAKEN")
    assert "another user" in answer.json()["error"]
    client = web.client()
    log_in(client, github)
    assert client.get("/api/auth/session").json()["user"]["id"] == owner.id


def test_only_the_user_who_began_a_binding_can_finish_it(web, user, github):
    """A stranger's URL, opened by the victim, must not bind the victim's account to the stranger, nor vice versa."""
    stranger, victim = user(kubeconfig=False), user(kubeconfig=False)
    begun = stranger.post("/api/auth/github/bind").json()
    query = parse_qs(urlsplit(github.consent(begun["url"])).query)
    query = {name: value for name, [value] in query.items()}
    with_verifier = {**query, "verifier": begun["verifier"]}
    refused(victim.post("/api/auth/github/finish", with_verifier), 403, "LOGIN_BROWSER")
    refused(stranger.post("/api/auth/github/finish", {**query, "verifier": "A" * 43}), 403,
            "LOGIN_BROWSER")
    assert web.client().post("/api/auth/github/finish", with_verifier).status_code == 401
    # The state of a login cannot be used for a binding, nor vice versa.
    assert stranger.post("/api/auth/github/finish", with_verifier).status_code == 200
    refused(stranger.post("/api/auth/github/finish", with_verifier), 400, "LOGIN_STATE")


def test_a_login_cannot_be_finished_as_a_binding(web, user, github):
    client = user(kubeconfig=False)
    back = github.consent(begin(client))
    query = {name: value for name, [value] in parse_qs(urlsplit(back).query).items()}
    verifier = client.session.cookies["fsa-login"]
    refused(client.post("/api/auth/github/finish", {**query, "verifier": verifier}), 403,
            "LOGIN_BROWSER")


@pytest.mark.parametrize("path", ["bind", "finish"])
def test_another_sites_page_binds_nothing(user, path):
    body = {"state": "s", "code": "c", "verifier": "A" * 43} if path == "finish" else None
    answer = user(kubeconfig=False).post(f"/api/auth/github/{path}", body,
                                         headers={"Sec-Fetch-Site": "cross-site"})
    refused(answer, 403, "CSRF")


def test_the_log_has_no_codes(web, github):
    client = web.client()
    back = github.consent(begin(client))
    code = parse_qs(urlsplit(back).query)["code"][0]
    arrive(client, back)
    for log in (web.programs.log("auth.fcgi"), web.nginx.access_log):
        assert code not in log.read_text()


def test_a_url_of_the_configuration_may_end_in_a_slash(make_site, options, github):
    slash = github.url + "/"
    site = make_site(options={**options, "github_url": slash, "github_api_url": slash})
    assert log_in(site.client(), github).status_code == 303


@pytest.mark.parametrize("changes, message", [
    ({"github_client_secret_file": None}, "github_client_secret_file is not"),
    ({"github_client_secret_file": "/nowhere"}, "github_client_secret_file: /nowhere"),
    ({"github_url": "http://github.example"}, "github_url: "),
    ({"github_api_url": "github.example"}, "github_api_url: "),
])
def test_a_wrong_configuration_is_said_in_the_log(make_site, options, changes, message):
    programs = make_site(options=options).programs
    programs.stop("auth.fcgi")
    programs.configure(**changes)
    with pytest.raises(StandError, match="auth.fcgi ended right after its start"):
        programs.start("auth.fcgi")
    assert message in (log := programs.log("auth.fcgi").read_text())
    assert SECRET not in log
