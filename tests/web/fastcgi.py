"""A small FastCGI client (FastCGI specification 1.0), to reach a program without nginx and to send what nginx never
would."""

import json
import socket
import struct
from typing import NamedTuple

BEGIN, END, PARAMS, STDIN, STDOUT = 1, 3, 4, 5, 6
RESPONDER, KEEP_CONNECTION = 1, 1
CONTENT_MAX = 65528


class Answer(NamedTuple):
    status: int
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)


def record(kind, content=b""):
    return struct.pack("!BBHHBx", 1, kind, 1, len(content), 0) + content


def stream(kind, content):
    """Returns records of one kind, ended by an empty one."""
    parts = (content[at:at + CONTENT_MAX] for at in range(0, len(content), CONTENT_MAX))
    return b"".join(record(kind, part) for part in parts) + record(kind)


def _length(n):
    return bytes([n]) if n < 128 else struct.pack("!I", n | 0x80000000)


def params(pairs):
    text = b""
    for name, value in pairs:
        name, value = (part if isinstance(part, bytes) else part.encode() for part in (name, value))
        text += _length(len(name)) + _length(len(value)) + name + value
    return text


def variables(method, url, body=b"", headers=()):
    """Returns the variables that nginx would send for a request."""
    pairs = [
        ("REQUEST_METHOD", method),
        ("REQUEST_URI", url),
        ("QUERY_STRING", url.partition("?")[2]),
        ("REMOTE_ADDR", "192.0.2.7"),
        ("GATEWAY_INTERFACE", "CGI/1.1"),
    ]
    if body:
        pairs += [("CONTENT_LENGTH", str(len(body))), ("CONTENT_TYPE", "application/json")]
    return pairs + [("HTTP_" + n.upper().replace("-", "_"), v) for n, v in dict(headers).items()]


def connect(where, timeout=120):
    """Connects to a unix socket's path, or a TCP (host, port)."""
    if isinstance(where, tuple):
        return socket.create_connection(where, timeout)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(timeout)
    connection.connect(str(where))
    return connection


def read_answer(connection):
    """Reads the response up to the end of the request; returns None if the connection ended before it."""
    out, end = b"", False
    with connection.makefile("rb") as file:
        while not end:
            head = file.read(8)
            if len(head) < 8:
                return None
            _, kind, _, length, padding = struct.unpack("!BBHHBx", head)
            content = file.read(length + padding)[:length]
            out += content if kind == STDOUT else b""
            end = kind == END
    return parse(out)


def parse(out):
    """Parses the output of a CGI program."""
    head, _, body = out.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
    return Answer(int(headers.get("Status", "200").split()[0]), headers, body)


def send(connection, pairs, body=b"", flags=0):
    begin = record(BEGIN, struct.pack("!HB5x", RESPONDER, flags))
    connection.sendall(begin + stream(PARAMS, params(pairs)) + stream(STDIN, body))


def request(where, method, url, body=b"", headers=(), pairs=None, flags=0, timeout=120):
    """Sends one request on its own connection."""
    if not isinstance(body, bytes):
        body = json.dumps(body, ensure_ascii=False).encode()
    with connect(where, timeout) as connection:
        send(connection, pairs or variables(method, url, body, headers), body, flags)
        return read_answer(connection)
