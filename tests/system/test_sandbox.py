"""Tests every service's sandbox by trying what it forbids.

The unit is as installed; only its program is replaced by tests/system/probe.py, which tries everything
it knows and reports what succeeded.
"""

import itertools
import json
import re
from pathlib import Path

import pytest

# What the probe can do in each service, of all that it tries; everything else must fail.
ALLOWED = {
    "fsa-api": {"touch the wake file", "own credential owner.key"},
    "fsa-auth": {"touch the wake file", "ipv4 socket", "tcp"},
    "fsa-reconcile": {"ipv4 socket", "tcp", "own credential owner.key", "own credential cluster.key"},
    "fsa-events": set(),
    "fsa-migrate": set(),
}
PROBE = "/usr/local/lib/probe.py"
OPEN = "/usr/local/open /etc/open /var/open /run/open"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def prepared(machine):
    machine.run("mkdir -p /home/ada; touch /home/ada/secret /tmp/outside; "
                f"mkdir -m 777 {OPEN}")
    machine.copy_in(Path(__file__).with_name("probe.py"), PROBE)
    machine.run("""
        cat >/etc/systemd/system/other.service <<-E
			[Service]
			Type=exec
			User=nobody
			LoadCredential=owner.key:/etc/fullstack-agent/keys/owner.key
			ExecStart=sleep infinity
		E
        systemctl daemon-reload; systemctl start other""")
    yield machine
    machine.run(f"systemctl stop other; rm /etc/systemd/system/other.service; rmdir {OPEN}")


def probe(machine, service, change=lambda unit: unit):
    """Runs the probe as that service; returns what it could do."""
    name = f"probe-{next(_numbers)}"
    other = machine.main_pid("other")
    unit = machine.run(f"cat /lib/systemd/system/{service}.service")
    unit = re.sub(r"^(ExecStart=).*", rf"\1python3 {PROBE} other.service {other}", unit, flags=re.M)
    unit = re.sub(r"^(Type=).*", r"\1oneshot", unit, flags=re.M)
    # Removes what needs the real program or would hide the probe's result, but nothing of the sandbox.
    unit = re.sub(r"^(StandardInput|Requires|Restart\w*|PartOf|LogLevelMax|ConditionPathExists)=.*\n", "", unit, flags=re.M)
    machine.run(f"cat >/run/systemd/system/{name}.service", input=change(unit))
    machine.run(f"systemctl daemon-reload; systemctl start {name}")
    line = machine.wait(f"journalctl -u {name} -o cat | grep ^probe:")
    return set(json.loads(line.strip().removeprefix("probe:")))


@pytest.mark.parametrize("service", ALLOWED)
def test_a_service_can_do_what_it_needs_and_nothing_else(prepared, service):
    assert probe(prepared, service) == ALLOWED[service]


def test_the_probe_finds_what_a_sandbox_does_not_forbid(prepared):
    """As root without a sandbox, nearly everything succeeds: this shows that the attempts are real."""
    def bare(unit):
        kept = re.findall(r"^\[.*\]$|^(?:Type|ExecStart)=.*$", unit, flags=re.M)
        return "\n".join(kept) + "\n"

    could = probe(prepared, "fsa-reconcile", bare)
    for attempt in ("tcp", "write /usr", "write /run", "trace others", "read cluster.key", "others' credentials", "outside /tmp",
                    "others' processes", "new user namespace", "writable and executable memory",
                    "set-user-id file", "mount", "chroot", "list /home/ada", "raw packets",
                    "PostgreSQL's data", "write the configuration"):
        assert attempt in could, attempt


@pytest.mark.parametrize("user, role", [
    ("fsa-api", "fsa_api"), ("fsa-auth", "fsa_auth"), ("fsa-reconcile", "fsa_reconcile"),
    ("fsa-events", "fsa_events"), ("fsa-owner", "fsa_owner"),
])
def test_a_user_is_its_own_role_and_no_other(machine, user, role):
    roles = ("fsa_api", "fsa_auth", "fsa_reconcile", "fsa_events", "fsa_owner", "postgres")
    may = [r for r in roles if machine.run(
        f"cd /; runuser -u {user} -- psql -XAtq -U {r} -d fsa -c 'SELECT 1'", check=False).returncode == 0]
    assert may == [role]


def test_strangers_reach_neither_the_sockets_nor_the_database(machine):
    code = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    for name in ("api", "auth"):
        command = f"python3 -c '{code}' /run/fullstack-agent/{name}.sock"
        assert machine.run(f"runuser -u nobody -- {command}", check=False).returncode != 0
        assert machine.run(f"runuser -u www-data -- {command}", check=False).returncode == 0
    denied = machine.run("cd /; runuser -u nobody -- psql -U fsa_owner -d fsa -c ''", check=False)
    assert denied.returncode != 0
