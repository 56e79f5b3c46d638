"""The demo user, who uses what the quick start has printed: addresses, and the site's password."""

import re
import time
from urllib.parse import urlsplit

import requests

from stand.client import Client
from stand.process import PATIENCE
from stand.terminal import Terminal, connect


class Demo:
    """The demo user of one quick start; the machine's loopback is ours."""

    def __init__(self, shown, status):
        self._printed = dict(re.findall(r"^(application|terminal) +(http://\S+)$", shown, re.M))
        self._client = Client(status["site"])
        assert self._client.login(status["user"], status["password"]).ok
        self.project = self._read(status["project"])

    def printed(self, name):
        """Returns the address that was printed as application or terminal."""
        return self._printed[name]

    def ask(self, command):
        """Returns what a command prints in the terminal."""
        address = urlsplit(self._read(self.project["id"])["sandboxes"][0]["ttydUrl"])
        assert address.netloc == urlsplit(self._printed["terminal"]).netloc
        with Terminal(connect("127.0.0.1", address.port), f"?{address.query}&arg=main",
                      host=address.netloc) as opened:
            return opened.ask(command)

    def get(self, name):
        """Returns the page at a printed address. Unlike browsers, not every resolver knows *.localhost."""
        address = urlsplit(self._printed[name])
        return requests.get(f"http://127.0.0.1:{address.port}/", headers={"Host": address.netloc},
                            timeout=PATIENCE).text

    def address(self, pod):
        """Returns a pod's address, as the demo's sandbox resolves it."""
        return self.ask(f"getent hosts {pod}").split()[0]

    def change(self, what, until):
        assert self._client.post(f"/api/projects/{self.project['id']}/{what}").ok
        self._wait(self.project["id"], until)

    def make(self, name):
        """Creates another project and waits until it runs."""
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
