"""Somebody who uses the site over HTTP, with cookies as a browser keeps them."""

import time

import requests

from .process import PATIENCE


class Client:
    """One browser. Every method returns a requests.Response."""

    def __init__(self, url, timeout=PATIENCE):
        self.url = url
        self.timeout = timeout
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy: the stand is on loopback
        # What a browser sends with every change, and what the site's CSRF check asks for.
        self.session.headers["Origin"] = url

    def request(self, method, path, json=None, **rest):
        rest.setdefault("timeout", self.timeout)
        return self.session.request(method, self.url + path, json=json, **rest)

    def get(self, path, **rest):
        return self.request("GET", path, **rest)

    def post(self, path, json=None, **rest):
        return self.request("POST", path, json=json, **rest)

    def put(self, path, json=None, **rest):
        return self.request("PUT", path, json=json, **rest)

    def patch(self, path, json=None, **rest):
        return self.request("PATCH", path, json=json, **rest)

    def delete(self, path, **rest):
        return self.request("DELETE", path, **rest)

    def register(self, name, password):
        return self.post("/api/auth/register", {"name": name, "password": password})

    def login(self, name, password):
        return self.post("/api/auth/login", {"name": name, "password": password})

    def wait(self, path, check, seconds=PATIENCE, every=0.2):
        """Asks for `path` until check(JSON of the answer) is true, and returns that JSON.

        TimeoutError holds the last answer.
        """
        end = time.monotonic() + seconds
        while True:
            answer = self.get(path)
            if answer.ok and check(answer.json()):
                return answer.json()
            if time.monotonic() > end:
                raise TimeoutError(
                    f"GET {path}: after {seconds:.0f} s still {answer.status_code} {answer.text}"
                )
            time.sleep(every)
