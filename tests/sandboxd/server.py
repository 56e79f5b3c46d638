"""A running sandboxd, its tokens, and its clients."""

import base64
import hashlib
import hmac
import http.client
import json
import os
import socket
import struct
import subprocess
import time
from urllib.parse import quote, urlencode

import websocket

from stand.process import PATIENCE, Process

SECRET = "abcDEF0123456789abcDEF01"
SITE = "https://site.example"
SCOPES = "terminal exec files:read files:write ports usage"


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def key_of(secret):
    """Derives the key of tokens from the terminal's secret, as sandboxd and the site do."""
    return hmac.digest(secret.encode(), b"fullstack-agent sandboxd v1", "sha256")


def make_token(scope=SCOPES, secret=SECRET, expires_in=600, header=None, **claims):
    now = int(time.time())
    body = {"iss": SITE, "aud": "sandboxd", "sub": "ada", "scope": scope, "iat": now,
            "exp": now + expires_in, "jti": "x", **claims}
    parts = [encode(json.dumps(part).encode())
             for part in (header or {"alg": "HS256", "typ": "JWT"}, body)]
    signature = hmac.digest(key_of(secret), ".".join(parts).encode(), "sha256")
    return ".".join([*parts, encode(signature)])


def eventually(check):
    """Waits until check() returns something true."""
    end = time.monotonic() + PATIENCE
    while not check():
        assert time.monotonic() < end, f"not within {PATIENCE} s: {check}"
        time.sleep(0.02)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)


class Client:
    """One connection with a token."""

    def __init__(self, port, token):
        self.port = port
        self.token = token
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def send(self, method, path, body=None, query=None, **headers):
        if query:
            path += "?" + urlencode(query, quote_via=quote)
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        self.connection.request(method, path, body,
                                {name.replace("_", "-"): v for name, v in headers.items()})
        return Answer(self.connection.getresponse())

    def get(self, path, /, **query):
        return self.send("GET", path, query=query)

    def start(self, command, key=None, **members):
        headers = {"Idempotency_Key": key} if key else {}
        answer = self.send("POST", "/v1/processes", {"command": command, **members}, **headers)
        assert answer.status == 201, answer.body
        return answer.json

    def ended(self, process):
        """Waits until the process has ended; returns it."""
        while process["status"] == "running":
            process = self.get(f"/v1/processes/{process['id']}", wait=30).json
        return process

    def output(self, process, stream="stdout"):
        """Returns all of a stream, read as it arrives."""
        content = bytearray()
        while True:
            answer = self.get(f"/v1/processes/{process['id']}/{stream}", offset=len(content),
                              wait=30)
            assert answer.status == 200, answer.body
            assert int(answer.headers["Output-Offset"]) == len(content)
            content += answer.body
            if answer.headers["Output-End"] == "true":
                return bytes(content)

    def run(self, command, **members):
        """Runs a command; returns (exit code or signal's name, output, errors)."""
        process = self.start(command, **members)
        out, err = self.output(process), self.output(process, "stderr")
        done = self.ended(process)
        return done["signal"] or done["exitCode"], out, err

    def write(self, path, content, **headers):
        return self.send("PUT", "/v1/files", content, {"path": path}, **headers)

    def read(self, path, **headers):
        return self.send("GET", "/v1/files", query={"path": path}, **headers)


class Socket:
    """A WebSocket, by default of /v1/attach."""

    def __init__(self, port, path="/v1/attach", token=None, **options):
        if token is not None:
            options["header"] = [f"Authorization: Bearer {token}"]
        options.setdefault("suppress_origin", True)
        self.raw = websocket.create_connection(f"ws://127.0.0.1:{port}{path}", timeout=PATIENCE,
                                               **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.raw.shutdown()

    def send(self, **message):
        self.raw.send(json.dumps(message))

    def send_bytes(self, data):
        self.raw.send_binary(data)

    def receive(self):
        """Receives a message: JSON, or bytes; None at the end."""
        opcode, data = self.raw.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            self.code = struct.unpack("!H", data[:2])[0] if data else None
            return None
        return json.loads(data) if opcode == websocket.ABNF.OPCODE_TEXT else data

    def expect(self, kind):
        message = self.receive()
        assert isinstance(message, dict) and message["type"] == kind, message
        return message

    def follow(self, streams=None, acknowledge=True, until=None):
        """Reads to the end of a process, or until until(streams) is true; returns (last message, streams)."""
        streams = streams if streams is not None else {1: bytearray(), 2: bytearray()}
        while True:
            message = self.receive()
            assert message is not None, "closed"
            if isinstance(message, bytes):
                which, offset = message[0], struct.unpack("!Q", message[1:9])[0]
                assert offset == len(streams[which]), "a byte was lost or doubled"
                streams[which] += message[9:]
                if acknowledge:
                    self.send(type="ack", stdout=len(streams[1]), stderr=len(streams[2]))
                if until is not None and until(streams):
                    return None, streams
            elif message["type"] in ("exit", "error", "lost"):
                return message, streams

    def run(self, command, **members):
        self.send(type="start", command=command, **members)
        self.expect("process")
        end, streams = self.follow()
        assert end["type"] == "exit", end
        return end["signal"] or end["exitCode"], bytes(streams[1]), bytes(streams[2])


class Server:
    """home_size: the home directory is a file system of that size, which takes root; options, variables: more of
    them; files: by their names, in the home directory."""

    def __init__(self, program, directory, secret=SECRET, home_size=None, terminal=False, options=(), variables=None,
                 files=None):
        self.program = program
        self.home_size = home_size
        self.terminal = terminal
        self.options = options
        self.variables = variables or {}
        self.files = files or {}
        self.directory = directory
        self.home = directory / "home"
        self.secret = secret
        self.process = None
        self.port = None

    def start(self, wait=True):
        self.home.mkdir(parents=True)
        (self.directory / "run").mkdir()
        if self.home_size:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.home_size}", "none", self.home],
                           check=True)
        for name, content in self.files.items():
            (self.home / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        self.run()
        return self.wait() if wait else self

    def run(self):
        self.process = Process(self.directory, "sandboxd")
        self.process.start(self.command(), env=self.environment())

    def command(self):
        return [self.program, "--port", "0", "--address", "127.0.0.1", "--run", self.directory / "run",
                *([] if self.terminal else ["--no-terminal"]), *self.options]

    def environment(self):
        return {**os.environ, "HOME": str(self.home), "TTYD_ACCESS_TOKEN": self.secret, "FSA_SITE": SITE,
                **self.variables}

    def wait(self):
        self.process.wait_ready(lambda: self.process.has_logged("port "))
        (line,) = [line for line in self.log().splitlines() if line.startswith("sandboxd: port ")]
        self.port = int(line.split()[-1])
        return self

    def restart(self):
        self.process.stop()
        self.process.log.unlink()
        self.run()
        self.wait()

    def stop(self):
        self.process.stop()
        if self.home_size:
            subprocess.run(["umount", self.home])

    def log(self):
        return self.process.log.read_text()

    @property
    def pid(self):
        return self.process.pid

    def memory(self):
        """Returns its resident memory in bytes."""
        with open(f"/proc/{self.pid()}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def peak(self):
        """Returns its peak of resident memory in bytes."""
        with open(f"/proc/{self.pid()}/status") as file:
            return 1024 * int(next(line for line in file if line.startswith("VmHWM:")).split()[1])

    def client(self, token=None, **claims):
        return Client(self.port, token or make_token(**claims))

    def socket(self, path="/v1/attach", **claims):
        return Socket(self.port, path, make_token(**claims))

    def connect(self):
        made = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        return made
