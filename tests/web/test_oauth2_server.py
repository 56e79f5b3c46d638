"""Tests logging in with an OpenID Connect server written by others: npm's oauth2-mock-server."""

import json

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from stand import npm
from stand.kube.pki import Authority
from stand.process import Process, accepts, free_port
from stand.site import Site

from test_github import arrive, begin, counts, refused
from tokens import encode

LOGIN = "/api/auth/oidc/login"


def write_ec_key(path):
    """Writes a JWK that the server signs with."""
    numbers = ec.generate_private_key(ec.SECP256R1()).private_numbers()
    parts = {"d": numbers.private_value, "x": numbers.public_numbers.x, "y": numbers.public_numbers.y}
    encoded = {name: encode(n.to_bytes(32, "big")) for name, n in parts.items()}
    path.write_text(json.dumps({"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "e1", **encoded}))


@pytest.fixture(scope="module", params=["RS256", "ES256"])
def server(workspace, request):
    """Its URL and its certificate authority."""
    authority = Authority(workspace / "oauth2-ca", "oauth2-ca")
    key, cert = authority.issue("oauth2", "oauth2", hosts=["localhost", "127.0.0.1"])
    port = free_port()
    command = ["node", npm.modules() / "oauth2-mock-server/dist/oauth2-mock-server.js",
               "-a", "localhost", "-p", port, "-c", cert, "-k", key]
    if request.param == "ES256":
        write_ec_key(workspace / "oauth2-key.json")
        command += ["--jwk", workspace / "oauth2-key.json"]
    process = Process(workspace / f"oauth2-{request.param}", "oauth2-mock-server")
    process.start(command)
    process.wait_ready(lambda: accepts(("localhost", port)))
    yield f"https://localhost:{port}", authority.cert
    process.stop()


@pytest.fixture(scope="module")
def site(workspace, build, postgres, server):
    url, ca = server
    name = "oauth2" + url.rsplit(":")[-1]
    secret = workspace / f"{name}-secret"
    secret.write_text("any")
    options = {"oidc_client_id": "our-client", "oidc_client_secret_file": secret,
               "oidc_issuer": url, "provider_ca_file": ca,
               "provider_allow_addresses": "127.0.0.0/8 ::1/128"}
    with Site(workspace / name, build, postgres, database=name, options=options) as made:
        yield made


def consent(url, server):
    answer = requests.get(url, allow_redirects=False, verify=server[1], timeout=10)
    assert answer.status_code in (302, 303), answer.text
    return answer.headers["Location"]


def test_a_login_succeeds_twice(web, server):
    first, second = web.client(), web.client()
    for client in (first, second):
        answer = arrive(client, consent(begin(client, LOGIN), server))
        assert answer.status_code == 303, answer.text
    user = first.get("/api/auth/session").json()["user"]
    assert user["name"] == "johndoe" and second.get("/api/auth/session").json()["user"] == user
    [identity] = first.get("/api/auth/identities").json()["items"]
    assert identity["providerUserId"] == f"{server[0]}#johndoe"


def test_its_own_check_of_pkce_refuses_another_browsers_code(web, server):
    """The code of one login is used in another: the server compares verifier and challenge."""
    thief, victim = web.client(), web.client()
    stolen = consent(begin(victim, LOGIN), server).split("code=")[1].split("&")[0]
    back = consent(begin(thief, LOGIN), server)
    own = back.split("code=")[1].split("&")[0]
    before = counts(web)
    answer = arrive(thief, back.replace(own, stolen))
    assert answer.status_code in (400, 502), answer.text
    assert counts(web) == before


def test_a_binding(web, user, server):
    client = user(kubeconfig=False)
    begun = client.post("/api/auth/oidc/bind").json()
    back = consent(begun["url"], server)
    query = dict(pair.split("=") for pair in back.split("?")[1].split("&"))
    body = {"state": query["state"], "code": query["code"], "verifier": begun["verifier"]}
    answer = client.post("/api/auth/oidc/finish", body)
    refused(answer, 409, "IDENTITY_TAKEN")  # johndoe is the user of the first test
