"""A minimal client of a Kubernetes API server: one request, JSON in and out."""

import base64
import json
import ssl
import urllib.error
import urllib.request

import yaml

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"


class ApiError(Exception):
    """The API server refused; .status is the HTTP status, .body the Status object it sent."""

    def __init__(self, method, path, status, body):
        self.status = status
        self.body = body
        self.reason = body.get("reason", "")
        self.message = body.get("message", "")
        super().__init__(f"{method} {path}: {status} {self.reason}: {self.message}")


class Api:
    """Credentials for one server: its address, its CA and a token or a certificate."""

    def __init__(self, server, ca_data, token=None, client_cert=None):
        self._server = server
        self._token = token
        context = ssl.create_default_context(cadata=ca_data)
        if client_cert:
            key, cert = client_cert
            context.load_cert_chain(cert, key)
        # No proxy: the stand is on loopback, whatever the environment says.
        self._open = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        ).open

    @classmethod
    def from_kubeconfig(cls, text):
        """Makes an Api from a kubeconfig with one cluster and one user with a token, as Sealos writes it."""
        config = yaml.safe_load(text)
        cluster = config["clusters"][0]["cluster"]
        ca = base64.b64decode(cluster["certificate-authority-data"]).decode()
        return cls(cluster["server"], ca, token=config["users"][0]["user"]["token"])

    def __call__(self, method, path, body=None, content_type="application/json", timeout=60,
                 accept="application/json"):
        """Returns the parsed response; raises ApiError, or OSError if there is no response."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Accept": accept, "Content-Type": content_type}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(self._server + path, data, headers, method=method)
        try:
            with self._open(request, timeout=timeout) as answer:
                return _parse(answer.read())
        except urllib.error.HTTPError as e:
            with e:
                raise ApiError(method, path, e.code, _parse(e.read())) from None

    def watch(self, path, accept="application/json", timeout=60):
        """Yields each event of a watch until the server ends it: close() the generator to end it.

        Returns once the response has begun; raises ApiError and OSError like a request.
        """
        headers = {"Accept": accept}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(self._server + path, headers=headers)
        try:
            answer = self._open(request, timeout=timeout)
        except urllib.error.HTTPError as e:
            with e:
                raise ApiError("GET", path, e.code, _parse(e.read())) from None
        return _events(answer)

    def apply(self, path, obj, manager="stand"):
        """Server-side apply of one object to its path."""
        return self("PATCH", f"{path}?fieldManager={manager}&force=true", obj, APPLY)

    def patch(self, path, change):
        return self("PATCH", path, change, MERGE)

    def get(self, path):
        """Like a GET, but returns None if the object does not exist."""
        try:
            return self("GET", path)
        except ApiError as e:
            if e.status == 404:
                return None
            raise


def _events(answer):
    with answer:
        for line in answer:
            yield json.loads(line)


def _parse(data):
    """Parses JSON; wraps anything else, such as the "ok" of /readyz, as a message."""
    try:
        return json.loads(data)
    except ValueError:
        return {"message": data.decode(errors="replace")}
