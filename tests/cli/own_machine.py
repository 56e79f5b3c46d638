"""Somebody's own machine, with fsa on it."""

import json
import os
import subprocess

PASSWORD = "correct horse battery"


def register(served, name):
    """Somebody with a kubeconfig; their client, and an API token that may write."""
    client = served.site.client()
    assert client.register(name, PASSWORD).ok
    assert client.put("/api/user/config/kc", {"kubeconfig": served.cluster.create_user(name)}).ok
    made = client.post("/api/user/tokens", {"name": "fsa", "scope": "write"})
    return client, made.json()["token"]


class Home:
    """One machine's user: fsa with a configuration of its own."""

    def __init__(self, build, folder):
        self.program = build / "fsa"
        self.folder = folder
        self.env = {"PATH": os.environ["PATH"], "HOME": str(folder)}

    @property
    def sites(self):
        return self.folder / ".config" / "fsa" / "sites.json"

    def __call__(self, *words, input="", status=0, env=None):
        """Runs it; the outcome, whose exit code is `status`."""
        done = subprocess.run([str(self.program), *map(str, words)], input=input, text=True,
                              capture_output=True, env={**self.env, **(env or {})}, timeout=120)
        assert status is None or done.returncode == status, (words, done.stdout, done.stderr)
        assert done.returncode >= 0, "it crashed"
        return done

    def json(self, *words, **rest):
        return json.loads(self(*words, "--json", **rest).stdout)
