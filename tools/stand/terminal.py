"""A client of ttyd's terminal protocol, like the page in the browser."""

import itertools
import json
import re
import socket
import time

import websocket

from .process import PATIENCE

_numbers = itertools.count(1)
_ESCAPES = re.compile(rb"\x1b(\[[0-9;?]*[a-zA-Z]|\][^\x07]*\x07|[()][A-Z0-9]|[=>])")


def connect(host, port, seconds=PATIENCE):
    return socket.create_connection((host, port), seconds)


class Terminal:
    """An open terminal over a connected socket.

    query   of its address, such as "?authorization=…"
    header  additional headers of the handshake, as (name, value)
    host    the Host header, where several hosts are behind one address
    """

    def __init__(self, connection, query="", header=(), host="sandbox"):
        self._socket = websocket.create_connection(
            f"ws://{host}/ws{query}",
            socket=connection,
            subprotocols=["tty"],
            header=[f"{name}: {value}" for name, value in header],
            suppress_origin=True,
        )
        self._socket.send_binary(json.dumps({"AuthToken": "", "columns": 120, "rows": 30}).encode())
        self.seen = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._socket.close()

    def type(self, text):
        self._socket.send_binary(b"0" + text.encode())

    def wait_for(self, pattern, seconds=PATIENCE):
        """Waits until the output, without escape sequences, matches; returns the match."""
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.text())):
            left = end - time.monotonic()
            if left <= 0:
                raise AssertionError(f"no {pattern!r} within {seconds} s in: {self.text()!r}")
            self._receive(left)
        return found

    def text(self):
        return _ESCAPES.sub(b"", self.seen).decode(errors="replace")

    def ask(self, command, seconds=PATIENCE):
        """Runs a command in the shell; returns its output, stripped."""
        self.seen = b""
        # Matches this command's output only, as a screen may show older output again, and from the last start mark, as
        # it may be redrawn. The quotes keep the marks from matching the echo of the command itself.
        number = next(_numbers)
        self.type(f"clear; echo 'BE''GIN{number}'; {command}; echo 'E''ND{number}'\r")
        return self.wait_for(rf"(?s).*BEGIN{number}\s(.*?)END{number}", seconds)[1].strip()

    def closed(self, seconds=PATIENCE):
        """Whether the server closes the connection within that time."""
        end = time.monotonic() + seconds
        try:
            while (left := end - time.monotonic()) > 0:
                self._receive(left)
        except (websocket.WebSocketException, OSError):
            return True
        return False

    def _receive(self, seconds):
        self._socket.settimeout(max(seconds, 0.01))
        try:
            # Pings must not extend the deadline, as recv() would let them.
            code, data = self._socket.recv_data(control_frame=True)
        except websocket.WebSocketTimeoutException:
            return
        if code in (websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_BINARY) and data[:1] == b"0":
            self.seen += data[1:]
