"""The demo user, who goes by what the quick start has printed: addresses, and the site's password."""

import re
import time
from urllib.parse import urlsplit

import requests

from stand.client import Client
from stand.process import PATIENCE
from stand.terminal import Terminal, connect


class Demo:
    """One such person; the machine's loopback is ours."""

    def __init__(self, shown, status):
        self._printed = dict(re.findall(r"^(application|terminal) +(http://\S+)$", shown, re.M))
        self._client = Client(status["site"])
        assert self._client.login(status["user"], status["password"]).ok
        self.project = self._read(status["project"])

    def printed(self, name):
        """The address that was printed as application or terminal."""
        return self._printed[name]

    def ask(self, command):
        """What a command prints in the terminal."""
        address = urlsplit(self._read(self.project["id"])["sandboxes"][0]["ttydUrl"])
        assert address.netloc == urlsplit(self._printed["terminal"]).netloc
        with Terminal(connect("127.0.0.1", address.port), f"?{address.query}&arg=main",
                      host=address.netloc) as opened:
            return opened.ask(command)

    def get(self, name):
        """The page at a printed address. Not every resolver knows *.localhost, as browsers do."""
        address = urlsplit(self._printed[name])
        return requests.get(f"http://127.0.0.1:{address.port}/", headers={"Host": address.netloc},
                            timeout=PATIENCE).text

    def address(self, pod):
        """A pod's, as the demo's sandbox knows it."""
        return self.ask(f"getent hosts {pod}").split()[0]

    def change(self, what, until):
        assert self._client.post(f"/api/projects/{self.project['id']}/{what}").ok
        self._wait(self.project["id"], until)

    def make(self, name):
        """Another project of theirs, once it runs."""
        made = self._client.post("/api/projects", {"name": name, "database": True}).json()
        return self._wait(made["id"], "RUNNING")

    def remove(self, project):
        assert self._client.post(f"/api/projects/{project['id']}/delete").ok

    def _read(self, project):
        return self._client.get(f"/api/projects/{project}").json()

    def _wait(self, project, status):
        end = time.monotonic() + PATIENCE
        while (found := self._read(project))["status"] != status:
            assert time.monotonic() < end, found
            time.sleep(0.1)
        return found
