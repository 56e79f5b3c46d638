"""Installs our package on a machine, with the documents' own commands."""

import re
from pathlib import Path

from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from stand.client import Client

DOCUMENTS = Path(__file__).resolve().parents[2] / "docs"
PUBLIC_URL = "http://127.0.0.1:8080"
CONFIG = """\
registration = open
ingress_domain = sandboxes.example.org
# The cluster of the tests is on loopback.
kube_allow_addresses = 127.0.0.0/8
# So that every pass leaves a line in the journal.
log_level = debug
"""


def commands(document, heading):
    """Returns the shell commands (```sh) under a heading of a document, one script per block."""
    text = (DOCUMENTS / document).read_text()
    section = re.split(r"^## ", text.split(f"\n## {heading}\n", 1)[1], flags=re.M)[0]
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", section, flags=re.M | re.S)
    assert blocks, f"no commands under {heading}"
    return ["\n".join(line.strip() for line in block.splitlines()) for block in blocks]


def install(machine, deb):
    """Follows docs/installation.md: the package, the configuration, fsa-setup, readyz."""
    machine.copy_in(deb, "/root/fullstack-agent_0_all.deb")
    package, setup, ready = commands("installation.md", "One host")
    machine.run(f"cd /root; {package}")
    configure(machine, CONFIG)
    machine.run(setup)
    assert '"status":"ready"' in machine.run(ready)


def configure(machine, lines):
    """Sets options in fsa.conf, as an administrator does."""
    names = "|".join(re.findall(r"^(\w+) *=", lines, flags=re.M))
    machine.run(f"sed -Ei '/^({names}) *=/d' /etc/fullstack-agent/fsa.conf; "
                "cat >>/etc/fullstack-agent/fsa.conf", input=lines)


def browser(machine):
    """Returns a browser's client of the machine's port 8080."""
    client = Client(f"http://127.0.0.1:{machine.reach(8080)}")
    client.session.headers["Origin"] = PUBLIC_URL
    # As browsers do, requests are repeated on a connection that nginx closed during a reload.
    client.session.mount("http://", HTTPAdapter(max_retries=Retry(2, backoff_factor=0.1)))
    return client


def connect(machine, cluster):
    """Lets the machine reach the cluster, at the address in its kubeconfigs, until a reboot.

    Returns the Relay in between.
    """
    return machine.let_out(int(cluster.server.rpartition(":")[2]))
