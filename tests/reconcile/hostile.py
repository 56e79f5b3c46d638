"""API servers that keep their clients busy, below HTTP and beside it.

Each kind answers a request with endless bytes that are no response, until the client hangs up, or
with one or many expensive handshakes.
"""

import base64
import contextlib
import functools
import json
import multiprocessing
import socket
import ssl
import struct
import threading
from urllib.parse import parse_qs, urlsplit

import costly_certificates as costly
import yaml
from cryptography.hazmat.primitives.asymmetric import ec
from glutton import KINDS
from stand.process import free_port

ROUND = 64 * 1024  # bytes of a flood that are sent at once
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 4, 6, 8
ACK, END_HEADERS, PADDED = 1, 4, 8
OK, HINTS = b"\x88", b"\x08\x03103"  # :status 200, :status 103


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(
        ">I", stream) + payload


def bomb(stream):
    """Returns an interim response whose header names of 4,000 bytes take one byte each on the wire."""
    first = b"\x40\x01x" + b"\x7f" + b"\xa1\x1e" + b"v" * 4000  # a new entry of the table
    return frame(HEADERS, END_HEADERS, stream, HINTS + first + b"\xbe" * 12_000)


# Per kind, what is sent once on a stream, and then repeatedly.
FRAMES = {
    "empty-data": (lambda s: frame(HEADERS, END_HEADERS, s, OK), lambda s: frame(DATA, 0, s)),
    "padding": (lambda s: frame(HEADERS, END_HEADERS, s, OK),
                lambda s: frame(DATA, PADDED, s, b"\xff" + b"x" + bytes(255))),
    "ping-acks": (lambda s: b"", lambda s: frame(PING, ACK, 0, bytes(8))),
    "window-updates": (lambda s: b"", lambda s: frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\1")),
    "settings": (lambda s: b"", lambda s: frame(SETTINGS, 0, 0)),
    "compressed-heads": (lambda s: b"", bomb),
}
TEXTS = {
    "early-hints": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
               b"1;a=" + b"x" * 500 + b"\r\n \r\n"),
}
LISTS = ("connections",)
TICKETS = 10_000_000  # more than any client waits for
KINDS_OF_HOSTILITY = (*FRAMES, *TEXTS, *LISTS, "certificates", "constraints", "tickets",
                      "small-records")


def flood(connection, first, again):
    connection.sendall(first)
    many = again * max(ROUND // len(again), 1)
    while True:
        connection.sendall(many)


def read_exactly(connection, size):
    got = b""
    while len(got) < size:
        more = connection.recv(size - len(got))
        if not more:
            raise ConnectionError
        got += more
    return got


def answer_frames(connection, kind):
    """Serves HTTP/2 up to the first request."""
    assert read_exactly(connection, len(PREFACE)) == PREFACE
    connection.sendall(frame(SETTINGS, 0, 0))
    while True:
        head = read_exactly(connection, 9)
        read_exactly(connection, int.from_bytes(head[:3], "big"))
        if head[3] == HEADERS:
            break
    stream = int.from_bytes(head[5:9], "big")
    first, again = FRAMES[kind]
    flood(connection, first(stream), again(stream))


def read_head(connection):
    got = b""
    while b"\r\n\r\n" not in got:
        more = connection.recv(65536)
        if not more:
            raise ConnectionError
        got += more
    return got.decode("latin-1")


def answer_text(connection, kind):
    read_head(connection)
    flood(connection, *TEXTS[kind])


def answer_drops(connection, _kind):
    """Sends a body of the largest size in tiny TLS records."""
    read_head(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 7000000\r\n\r\n")
    while True:
        connection.sendall(b" " * 130)


def answer_page(connection, _kind):
    """Sends an endless list, with a new connection for each page."""
    where = urlsplit(read_head(connection).split(" ")[1])
    api, name = KINDS.get(where.path.rsplit("/", 1)[1], ("v1", "Secret"))
    page = int(parse_qs(where.query).get("continue", ["0"])[0]) + 1
    body = json.dumps({"apiVersion": api, "kind": f"{name}List", "items": [],
                       "metadata": {"continue": str(page)}})
    connection.sendall(f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n"
                       f"Content-Length: {len(body)}\r\n\r\n{body}".encode())


def serve_one(connection, context, kind):
    answer = (answer_frames if kind in FRAMES else answer_text if kind in TEXTS else
              answer_drops if kind == "small-records" else answer_page)
    try:
        with context.wrap_socket(connection, server_side=True) as tls:
            answer(tls, kind)
    except OSError:
        pass  # the client hung up


def serve(listener, key, cert, kind):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    if kind == "tickets":  # session tickets, which are sent at the end of the handshake
        context.num_tickets = TICKETS
    context.set_alpn_protocols(["h2"] if kind in FRAMES else ["http/1.1"])
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve_one, args=(connection, context, kind), daemon=True).start()


class Hostile:
    """A hostile server in its own process."""

    def __init__(self, key, cert, kind):
        self.port = free_port()
        listener = socket.create_server(("127.0.0.1", self.port), backlog=100)
        self._process = multiprocessing.Process(target=serve, args=(listener, key, cert, kind),
                                                daemon=True)
        self._listener = listener

    def __enter__(self):
        self._process.start()
        self._listener.close()
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.join()


@functools.cache
def costly_files(directory, kind):
    """Makes a root, and the files of a server: its key, and its certificate with costly ones."""
    if kind == "certificates":
        root, leaf, leaf_key, cas = costly.chain(40, costly.costly_key())
    else:  # as many names, and constraints on them, as fit into the part of a chain that is read
        root, leaf, leaf_key, cas = costly.chain(7, ec.generate_private_key(ec.SECP256R1()), 250, 2000)
    key, cert = directory / f"{kind}.key", directory / f"{kind}.crt"
    key.write_bytes(costly.key_pem(leaf_key))
    cert.write_bytes(costly.pem(leaf, *cas))
    return costly.pem(root), key, cert


def elsewhere(kubeconfig, port, root=None):
    """Returns the kubeconfig for an API server at another port, with another CA."""
    config = yaml.safe_load(kubeconfig)
    cluster = config["clusters"][0]["cluster"]
    cluster["server"] = f"https://127.0.0.1:{port}"
    if root is not None:
        cluster["certificate-authority-data"] = base64.b64encode(root).decode()
    return yaml.safe_dump(config)


@contextlib.contextmanager
def hostile_server(kind, kubesim):
    """Starts a server of this kind that kubesim's users trust; yields it, and a function that makes a kubeconfig name
    it."""
    pki = kubesim.directory / "pki"
    root, key, cert = None, pki / "server.key", pki / "server.crt"
    if kind in ("certificates", "constraints"):
        root, key, cert = costly_files(kubesim.directory, kind)
    with Hostile(key, cert, kind) as server:
        server.kind = kind
        server.divert = lambda kubeconfig: elsewhere(kubeconfig, server.port, root)
        yield server
