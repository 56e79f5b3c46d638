"""A client of the site over HTTP, with cookies as a browser keeps them."""

import time

import requests

from .process import PATIENCE

# nginx ends a connection that was idle for 30 s (nginx/fullstack-agent/site.conf). A request sent on it at that moment
# is lost: a browser sends it again, requests does not. So no connection is reused after this many seconds.
IDLE = 15


class Client:
    """One browser. Every method returns a requests.Response."""

    def __init__(self, url, timeout=PATIENCE):
        self.url = url
        self.timeout = timeout
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy: the stand is on loopback
        # A browser sends this with every change, and the site's CSRF check requires it.
        self.session.headers["Origin"] = url
        self.used_at = time.monotonic()

    def request(self, method, path, json=None, **rest):
        rest.setdefault("timeout", self.timeout)
        if time.monotonic() > self.used_at + IDLE:
            self.session.close()  # closes connections only: the cookies stay, and the next request opens a new one
        try:
            return self.session.request(method, self.url + path, json=json, **rest)
        finally:
            self.used_at = time.monotonic()

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
        """Gets `path` until check(the response's JSON) is true; returns that JSON.

        TimeoutError contains the last response.
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
