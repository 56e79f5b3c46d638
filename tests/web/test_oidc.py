"""Tests logging in by OpenID Connect: the requirements for the ID token. What it shares with GitHub (states, cookies,
bindings) is tested there."""

import itertools
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from stand.site import Site

from fake_github import CLIENT, SECRET, hangs, says, trust
from fake_oidc import Oidc
from test_github import PAGE, arrive, begin, counts, refused
from tls_server import certified
from tokens import encode, sign

LOGIN = "/api/auth/oidc/login"
_subjects = itertools.count(1)


@pytest.fixture(scope="module")
def server(workspace):
    with certified(Oidc, workspace, "oidc") as made:
        yield made


@pytest.fixture(scope="module")
def options(workspace, server):
    secret = workspace / "oidc-secret"
    secret.write_text(SECRET)
    return {"oidc_client_id": CLIENT, "oidc_client_secret_file": secret,
            "oidc_issuer": server.url, "oidc_name": "The Example",
            "provider_timeout": "5s", **trust(server)}


@pytest.fixture(scope="module")
def site(workspace, build, postgres, options):
    with Site(workspace / "oidc", build, postgres, database="oidc", options=options) as made:
        yield made


@pytest.fixture
def oidc(server):
    server.behave()
    server.person["sub"] = f"subject{next(_subjects)}"
    yield server
    server.behave()


def log_in(client, oidc, **rest):
    return arrive(client, oidc.consent(begin(client, LOGIN)), **rest)


@pytest.mark.parametrize("key", ["rsa", "ec"])
def test_a_login_makes_a_user_and_finds_it_again(web, oidc, key):
    oidc.key = getattr(oidc, key)
    first, second = web.client(), web.client()
    answer = log_in(first, oidc)
    assert (answer.status_code, answer.headers.get("Location")) == (303, "/"), answer.text
    user = first.get("/api/auth/session").json()["user"]
    assert user["name"] == "jane"
    oidc.person["preferred_username"] = "jane.married"
    assert log_in(second, oidc).status_code == 303
    assert second.get("/api/auth/session").json()["user"] == user
    [identity] = second.get("/api/auth/identities").json()["items"]
    assert (identity["provider"], identity["providerUserId"], identity["name"]) == (
        "GOOGLE", f"{oidc.url}#{oidc.person['sub']}", "jane.married")


def test_the_authorization_request(web, oidc):
    client = web.client()
    asked = {n: v for n, [v] in parse_qs(urlsplit(begin(client, LOGIN)).query).items()}
    assert asked["scope"] == "openid profile"
    assert asked["redirect_uri"] == f"{web.url}/api/auth/oidc/callback"
    assert len(asked["nonce"]) == 43 and asked["nonce"] != asked["code_challenge"]
    assert client.session.cookies["fsa-login"] not in asked.values()
    offered = web.client().get("/api/auth/providers").json()["oidc"]
    assert (offered["name"], offered["type"]) == ("The Example", "oidc")


NOW = int(time.time())


def hmac_with_the_public_key(oidc, claims):
    """Makes a token by algorithm confusion, with the public key as the HMAC key."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    pem = oidc.rsa.private.public_key().public_bytes(Encoding.PEM,
                                                     PublicFormat.SubjectPublicKeyInfo)
    return sign(claims, pem.decode(), {"alg": "HS256", "kid": "rsa-1"})


@pytest.mark.parametrize("lie", [pytest.param(lie, id=name) for name, lie in {
    "another issuer": {"iss": "https://accounts.google.com"},
    "no issuer": {"iss": ...},
    "issuer in a list": lambda o, c: o.key.sign({**c, "iss": [c["iss"]]}),
    "for another client": {"aud": "somebody-else"},
    "no audience": {"aud": ...},
    "for others too": {"aud": [CLIENT, "somebody-else"]},
    "for us among others, meant for them": {"aud": [CLIENT, "b"], "azp": "b"},
    "meant for another": {"azp": "somebody-else"},
    "another login's": {"nonce": "A" * 43},
    "no nonce": {"nonce": ...},
    "expired": {"exp": NOW - 1000},
    "no expiry": {"exp": ...},
    "expiry as a string": {"exp": str(NOW + 1000)},
    "no time of making": {"iat": ...},
    "made tomorrow": {"iat": NOW + 86400},
    "not valid yet": {"nbf": NOW + 86400},
    "no subject": {"sub": ...},
    "empty subject": {"sub": ""},
    "subject a number": {"sub": 7},
    "long subject": {"sub": "x" * 300},
    "subject with line end": {"sub": "a\nb"},
    "unsigned": lambda o, c: encode({"alg": "none"}) + "." + encode(c) + ".",
    "signed by another key": lambda o, c: o.stranger.sign(c),
    "an HMAC with the public key": hmac_with_the_public_key,
    "an HMAC with our secret": lambda o, c: sign(c, SECRET),
    "an unknown key": lambda o, c: o.rsa.sign(c, {"alg": "RS256", "kid": "nobody"}),
    "the other key's name": lambda o, c: o.rsa.sign(c, {"alg": "RS256", "kid": "ec-1"}),
    "the other algorithm": lambda o, c: o.rsa.sign(c, {"alg": "ES256", "kid": "ec-1"}),
    "a critical extension": lambda o, c: o.rsa.sign(c, {"alg": "RS256", "kid": "rsa-1",
                                                        "crit": ["x"]}),
    "claims changed afterwards": lambda o, c: ".".join(
        [o.rsa.sign(c).split(".")[0], encode({**c, "sub": "root"}), o.rsa.sign(c).split(".")[2]]),
    "no ID token": lambda o, c: None,
    "ID token a number": lambda o, c: 7,
    "ID token empty": lambda o, c: "",
}.items()])
def test_an_id_token_that_lies_stores_nothing(web, oidc, lie):
    client, before = web.client(), counts(web)
    oidc.claims = (lambda claims: lie(oidc, claims)) if callable(lie) else lie
    refused(log_in(client, oidc), 502, "PROVIDER_ANSWER")
    assert counts(web) == before and client.get("/api/auth/session").status_code == 401


def test_our_client_id_may_be_among_others_if_it_is_meant(web, oidc):
    oidc.claims = {"aud": [CLIENT, "b"], "azp": CLIENT}
    assert log_in(web.client(), oidc).status_code == 303


def test_another_issuer_is_only_described_to_the_operator(web, oidc):
    oidc.document = {"issuer": oidc.url + "/"}
    answer = web.client().get(LOGIN, allow_redirects=False, headers=PAGE)
    assert answer.status_code == 502 and "Location" not in answer.headers
    assert "PROVIDER_ISSUER" in answer.text and "administrator" in answer.text
    assert oidc.url not in answer.text
    log = web.programs.log("auth.fcgi").read_text()
    assert f"expected={oidc.url} received={oidc.url}/" in log


@pytest.mark.parametrize("issuer", ["https://evil.example", None, 7])
def test_a_foreign_discovery_document_is_refused(web, oidc, issuer):
    oidc.document = {"issuer": issuer}
    answer = web.client().get(LOGIN, allow_redirects=False, headers=PAGE)
    assert answer.status_code == 502 and "Location" not in answer.headers
    assert "PROVIDER_ISSUER" in answer.text and "The Example" in answer.text


@pytest.mark.parametrize("methods, way", [
    (..., "basic"),
    (["client_secret_basic"], "basic"),
    (["client_secret_post"], "post"),
    (["private_key_jwt", "client_secret_post", "client_secret_basic"], "basic"),
    (["none"], "post"), ([], "post"), ([7, None], "post"),
])
def test_the_secret_is_shown_as_the_provider_wants_it(web, oidc, methods, way):
    oidc.document = {} if methods is ... else {"token_endpoint_auth_methods_supported": methods}
    oidc.authentication = way
    answer = log_in(web.client(), oidc)
    assert answer.status_code == 303, answer.text


@pytest.mark.parametrize("more", [{"access_token": "a" * 9000}, {"access_token": None},
                                  {"token_type": "DPoP"}])
def test_the_unused_access_token_may_be_anything(web, oidc, more):
    oidc.more = more
    assert log_in(web.client(), oidc).status_code == 303


def test_a_user_with_seven_hundred_groups_can_log_in(web, oidc):
    oidc.claims = {"groups": [f"{n:08x}-0a1b-2c3d-4e5f-0123456789ab" for n in range(700)]}
    assert log_in(web.client(), oidc).status_code == 303


@pytest.mark.parametrize("document", [
    {"authorization_endpoint": "http://127.0.0.1/authorize"},
    {"authorization_endpoint": "javascript:alert(1)"},
    {"authorization_endpoint": "https://a.example/\r\nSet-Cookie: x=y"},
    {"token_endpoint": None}, {"jwks_uri": "file:///etc/passwd"}, {"jwks_uri": []},
])
def test_a_false_discovery_document_is_refused(web, oidc, document):
    oidc.document = document
    answer = web.client().get(LOGIN, allow_redirects=False, headers=PAGE)
    assert answer.status_code == 502 and "Location" not in answer.headers
    assert "PROVIDER_ANSWER" in answer.text and "The Example" in answer.text


@pytest.mark.parametrize("path, code", [
    ("/.well-known/openid-configuration", "PROVIDER_TIMEOUT"),
    ("/token", "PROVIDER_TIMEOUT"),
    ("/keys", "PROVIDER_TIMEOUT"),
])
def test_a_slow_provider_is_not_waited_for(web, oidc, path, code):
    client, before = web.client(), counts(web)
    back = oidc.consent(begin(client, LOGIN))
    oidc.answers[path] = hangs
    refused(arrive(client, back), 502, code)
    assert counts(web) == before


def test_keys_may_have_changed_since_the_last_login(web, oidc):
    assert log_in(web.client(), oidc).status_code == 303
    kept = oidc.rsa
    try:
        oidc.key = oidc.rsa = type(kept)("RS256", "rsa-2")
        assert log_in(web.client(), oidc).status_code == 303
        oidc.key = kept  # the key was withdrawn
        refused(log_in(web.client(), oidc), 502, "PROVIDER_ANSWER")
    finally:
        oidc.key = oidc.rsa = kept


@pytest.mark.parametrize("keys", [{}, {"keys": {}}, {"keys": []}, {"keys": [7, None]},
                                  {"keys": [{"kty": "RSA", "kid": "rsa-1", "n": "AQ", "e": "AQ"}]}])
def test_a_key_set_without_the_key(web, oidc, keys):
    client = web.client()
    back = oidc.consent(begin(client, LOGIN))
    oidc.answers["/keys"] = says(200, keys)
    refused(arrive(client, back), 502, "PROVIDER_ANSWER")


def test_a_code_that_the_provider_does_not_know(web, oidc):
    client = web.client()
    state = parse_qs(urlsplit(begin(client, LOGIN)).query)["state"][0]
    back = f"{web.url}/api/auth/oidc/callback?" + urlencode(
        {"state": state, "code": "made-up", "session_state": "x", "iss": oidc.url})
    refused(arrive(client, back), 400, "CODE_REFUSED")


def test_a_github_state_is_not_for_the_other_provider(web, oidc):
    client = web.client()
    back = oidc.consent(begin(client, LOGIN)).replace("/oidc/", "/github/")
    refused(arrive(client, back), 400, "LOGIN_STATE")


def test_it_can_be_bound(web, user, oidc):
    client = user(kubeconfig=False)
    begun = client.post("/api/auth/oidc/bind").json()
    query = {n: v for n, [v] in parse_qs(urlsplit(oidc.consent(begun["url"])).query).items()}
    answer = client.post("/api/auth/oidc/finish", {**query, "verifier": begun["verifier"]})
    assert answer.status_code == 200, answer.text
    other = web.client()
    assert log_in(other, oidc).status_code == 303
    assert other.get("/api/auth/session").json()["user"]["id"] == client.id
