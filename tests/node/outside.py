"""Clients of sandboxd outside the cluster: over TLS, through the cluster's ingress, with a token of the site."""

import base64
import http.client
import socket
import ssl
from urllib.parse import parse_qs, urlsplit

import websocket

from people import expect
from server import SCOPES, Client, Socket
from stand.node import ADDRESS
from stand.process import PATIENCE


class Outside:
    """The way to the sandbox of a project."""

    def __init__(self, project, authority):
        self._project = project
        self._tls = ssl.create_default_context(cafile=authority.cert)
        terminal = urlsplit(project.sandbox()["ttydUrl"])
        self.host = terminal.hostname
        self.secret = base64.b64decode(parse_qs(terminal.query)["authorization"][0]).decode().partition(":")[2]

    def token(self, *scopes):
        """Has the site make a token, by default with all scopes."""
        body = {"scopes": scopes or SCOPES.split()}
        return expect(self._project.person.client.post(f"{self._project.sandbox_path}/tokens", body))["token"]

    def connect(self):
        return self._tls.wrap_socket(socket.create_connection((ADDRESS, 443), PATIENCE), server_hostname=self.host)

    def client(self, token):
        return _Client(self, token)

    def socket(self, token):
        return _Socket(self, token)


class _Connection(http.client.HTTPSConnection):
    def __init__(self, outside):
        super().__init__(outside.host, timeout=PATIENCE)
        self._outside = outside

    def connect(self):
        self.sock = self._outside.connect()


class _Client(Client):
    def __init__(self, outside, token):
        self.token = token
        self.connection = _Connection(outside)


class _Socket(Socket):
    def __init__(self, outside, token):
        self.raw = websocket.create_connection(
            f"wss://{outside.host}/v1/attach", socket=outside.connect(), suppress_origin=True,
            header=[f"Authorization: Bearer {token}"])
