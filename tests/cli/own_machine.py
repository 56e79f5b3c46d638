"""A user's own machine, with fsa on it."""

import contextlib
import json
import os
import subprocess
from types import SimpleNamespace

from stand.kubesim import KubeSim
from stand.process import free_port
from stand.site import Site

PASSWORD = "correct horse battery"


@contextlib.contextmanager
def serve(workspace, build, postgres):
    """Starts a site whose reconciler observes often, its cluster, and the port that stands for the cluster's
    ingress."""
    ingress = free_port()
    options = {"changes_burst": 100000, "ingress_domain": "apps.localhost",
               "ingress_scheme": "http", "ingress_port": ingress}
    with Site(workspace / "cli-site", build, postgres, database="cli", every="100ms",
              options=options) as site, \
            KubeSim(workspace / "cli-cluster", build) as cluster:
        yield SimpleNamespace(site=site, cluster=cluster, url=site.url, ingress=ingress)


def register(served, name):
    """Registers a user with a kubeconfig; returns their client, and an API token that may write."""
    client = served.site.client()
    assert client.register(name, PASSWORD).ok
    assert client.put("/api/user/config/kc", {"kubeconfig": served.cluster.create_user(name)}).ok
    made = client.post("/api/user/tokens", {"name": "fsa", "scope": "write"})
    return client, made.json()["token"]


class Home:
    """The home of one user, with its own configuration of fsa."""

    def __init__(self, build, folder):
        self.program = build / "fsa"
        self.folder = folder
        self.env = {"PATH": os.environ["PATH"], "HOME": str(folder)}

    @property
    def sites(self):
        return self.folder / ".config" / "fsa" / "sites.json"

    def __call__(self, *words, input="", status=0, env=None):
        """Runs fsa and checks its exit code; returns the outcome."""
        done = subprocess.run([str(self.program), *map(str, words)], input=input, text=True,
                              capture_output=True, env={**self.env, **(env or {})}, timeout=120)
        assert status is None or done.returncode == status, (words, done.stdout, done.stderr)
        assert done.returncode >= 0, "it crashed"
        return done

    def json(self, *words, **rest):
        return json.loads(self(*words, "--json", **rest).stdout)


class OpenSSH:
    """OpenSSH's programs with fsa's configuration: machine("rsync", …) runs one, as git and rsync do, too.

    OpenSSH takes its user's home from the system, so the path of the configuration is passed to it.

    user  the user to log in as, instead of the image's"""

    def __init__(self, home, user=None):
        folder = home.folder / ".ssh"
        folder.mkdir(mode=0o700)
        self.config = folder / "config"
        self.config.write_text("Host *\n\tCompression no\n")
        assert "NAME.fsa" in home("config-ssh").stdout
        options = ["-F", str(self.config), "-o", "BatchMode=yes", *(["-o", f"User={user}"] if user else [])]
        self.ssh, self.scp = ("ssh", *options), ("scp", *options)
        command = " ".join(self.ssh)
        self.env = {**home.env, "GIT_SSH_COMMAND": command, "RSYNC_RSH": command, "GIT_AUTHOR_NAME": "ada",
                    "GIT_AUTHOR_EMAIL": "ada@example.com", "GIT_COMMITTER_NAME": "ada",
                    "GIT_COMMITTER_EMAIL": "ada@example.com"}
        self.keys = home.folder / ".config" / "fsa" / "ssh"

    def __call__(self, *words, status=0, **rest):
        done = subprocess.run([*map(str, words)], env=self.env, capture_output=True, timeout=300, **rest)
        assert done.returncode == status, (words, done.stdout[-500:], done.stderr[-2000:])
        return done
