"""Tests kubeconfigs written by other tools, from the settings to a running sandbox."""

import base64
import contextlib
import socket

import pytest
import yaml
from people import Person
from schedule import OPTIONS
from stand.site import Site


@pytest.fixture
def site_with(workspace, build, postgres):
    """site_with(name, **options): makes sites."""
    with contextlib.ExitStack() as stack:
        yield lambda name, **options: stack.enter_context(
            Site(workspace / name, build, postgres, database=name, options={**OPTIONS, **options},
                 every="200ms"))


def changed(kubeconfig, **cluster):
    """Returns the kubeconfig with changed members of its cluster; None removes one."""
    config = yaml.safe_load(kubeconfig)
    members = {**config["clusters"][0]["cluster"], **cluster}
    config["clusters"][0]["cluster"] = {k: v for k, v in members.items() if v is not None}
    return yaml.safe_dump(config)


def test_without_a_ca_the_api_servers_certificate_is_checked_by_the_sites_list(
        site_with, kubesim, workspace):
    someone = yaml.safe_load(kubesim.create_user("nobody-in-particular"))
    listed = workspace / "public-cas.crt"
    listed.write_bytes(base64.b64decode(
        someone["clusters"][0]["cluster"]["certificate-authority-data"]))
    person = Person(site_with("with_list", kube_ca_file=str(listed)), kubesim)
    person.put_kubeconfig(changed(person.kubeconfig, **{"certificate-authority-data": None}))
    person.create("Public").wait("RUNNING")


def test_without_a_ca_an_unknown_issuer_is_not_trusted(site_with, kubesim):
    person = Person(site_with("of_debian"), kubesim)
    person.put_kubeconfig(changed(person.kubeconfig, **{"certificate-authority-data": ""}))
    cause = person.create("Private").wait_cause("KUBE_TLS")
    assert cause["headline"] == "Your cluster's certificate cannot be verified"


def test_a_name_in_our_network_is_refused_without_its_address(
        site_with, kubesim):
    name = socket.gethostname()
    address = socket.gethostbyname(name)
    site = site_with("named", kube_allow_addresses="192.0.2.0/24")
    person = Person(site, kubesim, kubeconfig=False)
    person.put_kubeconfig(changed(person.kubeconfig, server=f"https://{name}:{kubesim.port}"))
    project = person.create("Nosy")
    cause = project.wait_cause("KUBE_UNREACHABLE")
    assert cause["code"] == "ADDRESS_FORBIDDEN"
    assert cause["headline"] == "Your cluster's address is not allowed here"
    told = "".join(person.client.get(path).text for path in (
        project.path, project.sandbox_path, f"{project.path}/events", "/api/user/config/kc"))
    assert address not in told and "loopback" not in told and "private" not in told
    log = site.programs.log("fsa-reconcile").read_text()
    assert f"address={address}" in log and f"https://{name}" in log
