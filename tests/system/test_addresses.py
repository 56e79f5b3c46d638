"""Tests where a service can send packets, by its unit's IPAddressDeny and IPAddressAllow alone.

Services with these also have no network and cannot make sockets for one, which test_sandbox.py
tests. This test is for the day when somebody removes one of these restrictions.
"""

import re

import pytest

REACHES = {"fsa-api": False, "fsa-auth": True, "fsa-reconcile": True, "fsa-events": False,
           "fsa-migrate": False}
CONNECT = "import socket; socket.create_connection((\"127.0.0.1\", 8080), timeout=5)"


@pytest.fixture(scope="module")
def filtering(bare_machine):
    machine = bare_machine("filtering", filters=True)
    machine.run("systemd-run --quiet --unit=server python3 -m http.server 8080 --bind 127.0.0.1")
    machine.wait(f"python3 -c '{CONNECT}'")
    return machine


@pytest.mark.parametrize("service", REACHES)
def test_no_packet_leaves_a_service_that_needs_none(filtering, build, service):
    unit = (build / "systemd" / f"{service}.service").read_text()
    lines = re.findall(r"^IPAddress\w+=.*$", unit, re.M)
    words = " ".join(f"--property={line}" for line in lines)
    done = filtering.run(f"systemd-run --quiet --wait --pipe {words} python3 -c '{CONNECT}'",
                         check=False)
    assert (done.returncode == 0) == REACHES[service], done.stderr
    assert done.returncode == 0 or re.search("timed out|not permitted", done.stderr), done.stderr
