"""A stream of live updates, like that of an open page.

    with Stream(client) as stream:
        stream.wait(lambda event: event.name == "project")

"""

import json
import socket
import threading
import time
from typing import NamedTuple

import requests

from .process import PATIENCE


class Event(NamedTuple):
    name: str
    data: dict
    id: str
    at: float  # time.monotonic() at its arrival


class Stream:
    """One `GET /api/events` by a Client, read by a thread until it ends.

    status   of the response
    answer   the requests.Response; only its head may be used
    events   those received, in order
    headers  additional request headers, such as `Last-Event-ID` to get missed events
    """

    def __init__(self, client, headers=None, timeout=300):
        self.events = []
        self._changed = threading.Condition()
        self._ended = False
        self.answer = client.get(
            "/api/events",
            headers={"Accept": "text/event-stream", **_same_origin(headers)},
            stream=True,
            timeout=timeout,
        )
        self.status = self.answer.status_code
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Closes the stream, as a page does."""
        connection = self.answer.raw._fp.fp  # a read is in progress, for which close() would wait
        if connection is not None:
            _shut_down(connection)
        self._thread.join(10)
        self.answer.close()

    def named(self, name):
        return [event for event in self.events if event.name == name]

    def wait(self, check, seconds=PATIENCE):
        """Returns the first event, including earlier ones, for which check(event) is true."""

        def found():
            return next((event for event in self.events if check(event)), None)

        return self._wait(found, seconds, "no such event")

    def wait_end(self, seconds=PATIENCE):
        """Waits until the server ends the stream."""
        self._wait(lambda: self._ended, seconds, "the stream goes on")

    def ended(self):
        return self._ended

    def _wait(self, check, seconds, what):
        with self._changed:
            if not self._changed.wait_for(check, seconds):
                raise TimeoutError(f"{what} within {seconds} s; events: {self.events}")
            return check()

    def _read(self):
        fields = {}
        try:
            for line in self.answer.iter_lines(chunk_size=1, decode_unicode=True):
                if line == "":
                    self._take(fields)
                    fields = {}
                elif not line.startswith(":"):
                    name, _, value = line.partition(": ")
                    fields[name] = value
        except json.JSONDecodeError:
            raise  # an event that no page could parse is an error, not the end of the stream
        except (requests.RequestException, AttributeError, ValueError):
            pass  # the connection was cut, or we closed it
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _take(self, fields):
        if "data" not in fields:
            return
        event = Event(fields.get("event", "message"), json.loads(fields["data"]),
                      fields.get("id"), time.monotonic())
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()


def _same_origin(headers):
    """Removes Origin: a browser sends none with a GET to the page's own site, but requests would send Client's."""
    return {"Origin": None, **(headers or {})}


def _shut_down(connection):
    try:
        connection.raw._sock.shutdown(socket.SHUT_RDWR)
    except (OSError, AttributeError):
        pass
