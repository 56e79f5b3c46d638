"""A real node, and people with sandboxes on it, which are reached by their addresses.

All of it, Chromium included, is in its own network (stand.world), and nothing of it is left on the
machine afterwards, however the run ends.
"""

import base64
import os
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
for folder in ("browser", "e2e", "runtime", "sandboxd"):
    sys.path.insert(0, str(ROOT / "tests" / folder))

from chromium import Browser  # noqa: E402
from people import Person  # noqa: E402
from stand.cluster import Cluster  # noqa: E402
from stand.kube.pki import Authority  # noqa: E402
from stand.node import ADDRESS, Node, build_image  # noqa: E402
from stand.site import Site  # noqa: E402
from stand.world import World  # noqa: E402

DOMAIN = "sandboxes.test"
PROGRAMS = ("containerd", "ctr", "runc", "nft", "iptables", "ipset", "ip", "nsenter", "unshare",
            "mmdebstrap")


def obstacle():
    """Returns why this machine cannot be a node, or None."""
    if os.geteuid() != 0:
        return "a node needs root"
    missing = [p for p in PROGRAMS if not shutil.which(p, path=os.environ["PATH"] + ":/usr/sbin")]
    if missing:
        return f"missing: {', '.join(missing)}; see tools/install-packages"
    if not Path("/sys/fs/cgroup/memory/cgroup.procs").exists():
        return "the test node needs cgroups of version 1"
    if "overlay" not in Path("/proc/filesystems").read_text():
        return "the kernel has no overlay file system"
    return None


@pytest.fixture(scope="session")
def world(workspace):
    """The network of the tests and of everything they start."""
    if reason := obstacle():
        pytest.skip(reason)
    with World(workspace / "world", **Node.WORLD) as made, made.network():
        yield made


@pytest.fixture(scope="session")
def database_image(world):
    return build_image("postgres")


@pytest.fixture(scope="session")
def sandbox_image(world):
    return build_image("sandbox", "--small")


@pytest.fixture(scope="session")
def cluster(workspace, world, database_image):
    arguments = [f"--image={database_image[1]}"]
    with Cluster(workspace / "cluster", simulated=False, kubeblocks_args=arguments) as running:
        yield running


@pytest.fixture(scope="session")
def node(workspace, world, cluster, database_image, sandbox_image):
    images = [database_image[0], sandbox_image[0]]
    with Node(workspace / "node", world, cluster, images, build_image("pause"),
              volumes=16) as running:
        yield running


@pytest.fixture(scope="session")
def site(workspace, build, postgres, node, sandbox_image, console):
    options = {
        "ingress_domain": DOMAIN,
        "runtime_image": sandbox_image[1],
        "resync": "2s",
        "idle_warning": "5s",
        "dns_networks": ADDRESS,
    }
    with Site(workspace / "site", build, postgres, database="node", root=console, options=options) as made:
        yield made


@pytest.fixture(scope="session")
def authority(workspace):
    """The CA that signs the certificate of all addresses."""
    return Authority(workspace / "authority", "addresses")


@pytest.fixture(scope="session")
def certificate(authority):
    """(key, certificate) of all addresses."""
    return authority.issue("wildcard", "wildcard", hosts=(f"*.{DOMAIN}",))


@pytest.fixture(scope="session")
def new_person(site, cluster, certificate):
    """new_person(): makes people, in namespaces that enforce Pod Security "restricted"."""

    def make():
        person = Person(site, cluster, enforce="restricted")
        data = dict(zip(("tls.key", "tls.crt"), certificate))
        cluster.admin.apply(person.namespace.path("Secret", "wildcard-cert"), {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "wildcard-cert", "namespace": person.namespace.name},
            "type": "kubernetes.io/tls",
            "data": {k: base64.b64encode(v.read_bytes()).decode() for k, v in data.items()},
        })
        return person

    return make


@pytest.fixture(scope="session")
def new_browser(world, workspace, certificate):
    """new_browser(): opens browsers that resolve every address to the node."""
    opened = []

    def make():
        browser = Browser(workspace / f"browser{len(opened)}", f"MAP *.{DOMAIN} {ADDRESS}",
                          certificate[1])
        opened.append(browser)
        return browser

    yield make
    for browser in opened:
        browser.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if not report.failed:
        return
    if "workspace" in item.funcargs:
        logs = sorted(item.funcargs["workspace"].glob("*/**/logs/*.log"))
        for log in logs:
            lines = log.read_text(errors="replace").splitlines()[-25:]
            report.sections.append((f"the end of {log}", "\n".join(lines)))
