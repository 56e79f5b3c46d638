"""The sandbox of a project, as far as fsa sees it: the real sandboxd at its address, and the way there."""

import base64
import hmac
import http.server
import json
import os
import random
import socket
import threading
import time
from urllib.parse import parse_qs, urlparse

import requests

from stand.process import Process


class Sandbox:
    """sandboxd with the secret that the project's pod has, on loopback."""

    def __init__(self, program, directory, project):
        terminal = urlparse(project["sandboxes"][0]["ttydUrl"])
        login = base64.b64decode(parse_qs(terminal.query)["authorization"][0]).decode()
        self.secret = login.split(":", 1)[1]
        self.home = directory / "home"
        self.home.mkdir(parents=True)
        (directory / "run").mkdir()
        self.process = Process(directory, "sandboxd")
        self.process.start([program, "--port", "0", "--address", "127.0.0.1", "--run",
                            directory / "run", "--no-terminal"],
                           env={**os.environ, "HOME": str(self.home),
                                "TTYD_ACCESS_TOKEN": self.secret})
        self.process.wait_ready(lambda: self.process.has_logged("port "))
        log = self.process.log.read_text()
        self.port = int(log.split("sandboxd: port ")[1].split()[0])

    def token(self, scope, seconds):
        def part(data):
            return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

        key = hmac.digest(self.secret.encode(), b"fullstack-agent sandboxd v1", "sha256")
        now = int(time.time())
        claims = {"aud": "sandboxd", "sub": "ada", "scope": scope, "iat": now, "exp": now + seconds,
                  "jti": "x"}
        text = ".".join(part(json.dumps(p).encode()) for p in ({"alg": "HS256", "typ": "JWT"}, claims))
        return f"{text}.{part(hmac.digest(key, text.encode(), 'sha256'))}"


class Door(http.server.ThreadingHTTPServer):
    """The site, with the one route that it does not have yet: tokens for a sandbox.

    seconds  how long its tokens are good for
    port     where sandboxd is said to be
    """

    def __init__(self, url, sandbox):
        super().__init__(("127.0.0.1", 0), Through)
        self.site, self.sandbox = url, sandbox
        self.port, self.seconds, self.made = sandbox.port, 3600, 0
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Through(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/api/sandbox/") and self.path.endswith("/tokens"):
            wanted = json.loads(body)
            server.made += 1
            token = server.sandbox.token(" ".join(wanted["scopes"]), server.seconds)
            answer = json.dumps({"token": token, "url": f"http://127.0.0.1:{server.port}"}).encode()
            status = 201
        else:
            headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
            found = requests.request(self.command, server.site + self.path, data=body,
                                     headers=headers, allow_redirects=False, timeout=60)
            answer, status = found.content, found.status_code
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_PATCH = do_DELETE = do_GET

    def log_message(self, *_):
        pass


class BadLine:
    """A network that ends connections after so many bytes, either way, always at other places."""

    def __init__(self, port, seed=1):
        self.target, self.random, self.cuts = port, random.Random(seed), 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        try:
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=(one, other), daemon=True).start()
        except OSError:
            pass  # closed

    def _pass(self, one, other):
        left = self.random.randrange(2000, 200000)
        try:
            while left > 0 and (data := one.recv(min(left, 65536))):
                other.sendall(data)
                left -= len(data)
        except OSError:
            pass
        self.cuts += left == 0
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
