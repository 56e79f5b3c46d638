"""kubesim's API, over one connection that stays open."""

import requests

MERGE = "application/merge-patch+json"
TIMEOUT = 10


class Api:
    """kubesim's API, with the cluster administrator's rights."""

    def __init__(self, server, ca, certificate, key):
        self._server = server
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy: it is on loopback
        self._session.verify = ca
        self._session.cert = (certificate, key)

    def list(self, path):
        return self._ask("GET", path)

    def get(self, path):
        """Returns None if the object does not exist."""
        answer = self._session.get(self._server + path, timeout=TIMEOUT)
        return None if answer.status_code == 404 else self._json(answer)

    def tell_status(self, path, status):
        """Returns whether the object still exists."""
        answer = self._session.patch(f"{self._server}{path}/status", json={"status": status},
                                     headers={"Content-Type": MERGE}, timeout=TIMEOUT)
        return answer.status_code != 404 and self._json(answer) is not None

    def tell_log(self, path, container, text, ended):
        """Reports the end of what this run of a container has printed; `ended`: whether the run has ended."""
        answer = self._session.put(f"{self._server}{path}/log", data=text, timeout=TIMEOUT,
                                   params={"container": container, "ended": "true" if ended else "false"},
                                   headers={"Content-Type": "text/plain"})
        if answer.status_code != 404 and not answer.ok:
            self._json(answer)

    def remove(self, path, uid):
        """Removes an object that has ended, but not another one that has replaced it."""
        body = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}}
        answer = self._session.delete(self._server + path, json=body, timeout=TIMEOUT)
        if answer.status_code not in (404, 409):
            self._json(answer)

    def _ask(self, method, path):
        return self._json(self._session.request(method, self._server + path, timeout=TIMEOUT))

    @staticmethod
    def _json(answer):
        if not answer.ok:
            raise requests.RequestException(
                f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text[:300]}")
        return answer.json()
