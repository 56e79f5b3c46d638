"""Tests each set of tools/install-packages, alone or with those that it names, and then its purpose."""

import re

import pytest

from readme import commands

CLONE = "cd fullstack-agent; "


@pytest.fixture(scope="module")
def build_set(make_cloned):
    """The packages of the set "build", installed once, as a layer."""
    machine = make_cloned("build-set")
    machine.run(CLONE + "tools/install-packages build")
    return machine.layer()


@pytest.fixture(scope="module")
def packaged(make_cloned, build_set):
    """A machine on which our Debian package was made as the README says."""
    machine = make_cloned("packaged", build_set)
    machine.run(CLONE + commands()["Build and install by hand"][1])
    return machine


def test_the_set_build_suffices_for_building_by_hand(make_cloned, build_set):
    machine = make_cloned("built", build_set)
    shown = machine.run(CLONE + commands()["Build and install by hand"][0])
    assert re.search(r"^# FAIL: +0$", shown, re.M)
    assert "Usage: fsactl" in machine.run("fsactl --help")


def test_the_sets_package_and_build_suffice_for_our_debian_package(packaged):
    contents = packaged.run(CLONE + "dpkg-deb --contents deb/fullstack-agent_*.deb")
    documents = {path.name for path in packaged.path("/root/fullstack-agent/docs").glob("*.md")}
    packaged = set(re.findall(r" ./usr/share/doc/fullstack-agent/docs/(\S+\.md)$", contents, re.M))
    assert packaged == documents


def test_the_set_cluster_suffices_to_begin_building_kubernetes(make_cloned):
    machine = make_cloned("cluster")
    machine.run(CLONE + "tools/install-packages cluster")
    assert "kube-apiserver" in machine.run(CLONE + "tools/cluster/build --list")


NEXT = r"""
dpkg-deb --raw-extract deb/fullstack-agent_*.deb /tmp/next
cd /tmp/next
sed -i 's/^Version: /Version: 9:/' DEBIAN/control
for file in fsa.conf nginx/fullstack-agent/http.conf nginx/fullstack-agent/site.conf; do
    sed -i '1i # of the next version' usr/share/fullstack-agent/$file
done
dpkg-deb --build --root-owner-group -Zgzip /tmp/next /tmp/next.deb
"""


def test_an_unattended_upgrade_keeps_changed_files_and_renews_the_rest(packaged):
    install = "DEBIAN_FRONTEND= apt-get install -y --no-install-recommends "
    packaged.run(CLONE + install + "./deb/fullstack-agent_*.deb")
    changed = ("/etc/fullstack-agent/fsa.conf", "/etc/nginx/fullstack-agent/http.conf")
    for file in changed:
        packaged.run(f"echo '# ours' >>{file}")
    packaged.run(CLONE + NEXT)
    packaged.run(install + "/tmp/next.deb")
    for file in changed:
        text = packaged.path(file).read_text()
        assert text.endswith("# ours\n") and not text.startswith("# of the next version"), file
    for site in ("/etc/nginx/fullstack-agent/site.conf", "/usr/share/fullstack-agent/fsa.conf"):
        assert packaged.path(site).read_text().startswith("# of the next version"), site
    packaged.run("apt-get purge -y fullstack-agent")
    assert not packaged.path("/etc/fullstack-agent").exists()
    assert not packaged.path("/etc/nginx/fullstack-agent").exists()
