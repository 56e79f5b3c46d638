"""GitHub's side of a login, over TLS: as strict as GitHub, unless it is told to misbehave.

    github.person = {"id": 7, "login": "ada"}
    github.answers["/user"] = lambda request: …    # instead of the correct response
"""

import base64
import hashlib
import json
import secrets
import time
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlencode, urlsplit

from tls_server import TlsServer

HANGS_S = 40  # for a client that waits a few seconds, this is endless
CLIENT, SECRET = "our-client-id", "our-client-secret"


def options(directory, provider):
    """Returns the options of a site that uses it as its provider."""
    secret = directory / "github-secret"
    secret.write_text(SECRET + "\n")
    return {"github_client_id": CLIENT, "github_client_secret_file": secret,
            "github_url": provider.url, "github_api_url": provider.url, **trust(provider)}


def trust(provider):
    """Returns the options of a site that may connect to this stand-in."""
    return {"provider_ca_file": provider.ca, "provider_allow_addresses": "127.0.0.0/8"}


class Github:
    def __init__(self, key, cert):
        self.person = {"id": 7, "login": "ada"}
        self.answers = {}
        self.requests = []  # (path, headers, form)
        self.codes = {}  # code → the request it was issued for
        self.tokens = {}
        github = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                github.serve(self, {})

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                github.serve(self, dict(parse_qs(body, strict_parsing=True)))

            def log_message(self, *_):
                pass

        server = TlsServer(Handler, key, cert)
        self.url = f"https://127.0.0.1:{server.server_port}"
        self.stop = server.stop

    def behave(self):
        self.answers.clear()
        self.person = {"id": 7, "login": "ada"}

    def consent(self, url):
        """Does what a browser does whose user agrees; returns the URL that it is redirected to."""
        parts = urlsplit(url)
        assert self.routes()[parts.path] == self.authorize
        asked = {name: value for name, [value] in parse_qs(parts.query).items()}
        assert asked["client_id"] == CLIENT and asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_hex(10)
        self.codes[code] = (asked, dict(self.person))
        return asked["redirect_uri"] + "?" + urlencode({"code": code, "state": asked["state"]})

    def serve(self, request, form):
        path = urlsplit(request.path).path
        self.requests.append((path, dict(request.headers), form))
        answer = self.answers.get(path) or self.routes()[path]
        reply = answer(request)
        if reply is not None:
            send(request, *reply)

    def routes(self):
        return {"/login/oauth/authorize": self.authorize,
                "/login/oauth/access_token": self.exchange,
                "/user": self.user}

    def authorize(self, request):
        request.send_response(302)
        request.send_header("Location", self.consent(self.url + request.path))
        request.send_header("Content-Length", "0")
        request.end_headers()

    def exchange(self, request):
        _, _, form = self.requests[-1]
        form = {name: value for name, [value] in form.items()}
        if (form["client_id"], form["client_secret"]) != (CLIENT, SECRET):
            return 200, {"error": "incorrect_client_credentials"}
        asked, person = self.codes.pop(form["code"], (None, None))
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge or (
                asked["redirect_uri"] != form["redirect_uri"]):
            return 200, {"error": "bad_verification_code", "error_description": "The code …"}
        token = "gho_" + secrets.token_hex(18)
        self.tokens[token] = person
        return 200, {"access_token": token, "token_type": "bearer", "scope": asked["scope"]}

    def user(self, request):
        token = request.headers["Authorization"].removeprefix("Bearer ")
        if token not in self.tokens:
            return 401, {"message": "Bad credentials"}
        return 200, {**self.tokens[token], "type": "User", "avatar_url": "https://a.example/7"}


def send(request, status, body, headers=()):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request.send_response(status)
    for name, value in dict(headers).items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(data)))
    request.end_headers()
    request.wfile.write(data)


# ---- misbehaviour: each function is an answer ----------------------------------------------------

def says(status, body, headers=()):
    return lambda request: (status, body, headers)


def hangs(request):
    time.sleep(HANGS_S)


def drips(request):
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    for _ in range(10 * HANGS_S):
        request.wfile.write(b" ")
        request.wfile.flush()
        time.sleep(0.1)


def hangs_up(request):
    request.connection.close()


def breaks_off(request):
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    request.wfile.write(b'{"access_token": "')
    request.wfile.flush()
    request.connection.close()
