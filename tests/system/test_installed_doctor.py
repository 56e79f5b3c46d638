"""Tests fsactl doctor on the installed site: each fault that users notice is red, with advice."""

import datetime
import json
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from installation import commands
from stand.process import PATIENCE

CONFIG = "/etc/fullstack-agent/fsa.conf"
KEYS = "/etc/fullstack-agent/keys"
ASK = "cd /; runuser -u postgres -- psql -qXAt fsa -c "
READY = "curl -sf http://127.0.0.1:8080/readyz | grep -w ready"


@pytest.fixture
def well(machine):
    """A machine that works, before and after; no worker of api.fcgi remembers that the database was away."""
    machine.run("systemctl restart fsa-api")
    machine.wait(READY)
    assert red(machine) == {}
    yield machine
    machine.wait(READY)
    machine.wait("fsactl doctor >/dev/null")


def red(machine):
    """Returns {(check, subject): (message, advice)} of what has failed."""
    done = machine.run("fsactl doctor --json", check=False)
    found = {(f["check"], f["subject"]): (f["message"], f["advice"])
             for f in json.loads(done.stdout) if f["health"] == "FAILED"}
    assert done.returncode == (1 if found else 0)
    return found


def red_with(machine, finding):
    """Waits until this finding is among those of red(), and returns them: a unit that keeps failing is up at times."""
    end = time.monotonic() + PATIENCE
    while finding not in (found := red(machine)):
        assert time.monotonic() < end, found
    return found


@pytest.fixture(scope="module", autouse=True)
def own_journal(machine):
    """Removes from the journal what these faults have left, for the tests after them."""
    yield
    machine.run("journalctl --rotate && journalctl --vacuum-time=1s")


def parts(found):
    return {subject for check, subject in found if check == "site"}


def test_all_parts_of_a_site_are_checked(well):
    findings = json.loads(well.run("fsactl doctor --json"))
    subjects = {(f["check"], f["subject"]) for f in findings}
    assert subjects >= {("units", f"{name}.service") for name in
                        ("fsa-api", "fsa-auth", "fsa-reconcile", "nginx", "postgresql")}
    assert subjects >= {("keys", "services"), ("disk", "database"), ("site", "/readyz"),
                        ("database", "writes"), ("hosts", well.run("uname -n").strip())}


def test_what_it_finds_is_recorded_every_hour(well):
    """By its timer, under which it finds what it does by hand."""
    assert well.status("fsa-doctor.timer", "ActiveState")["ActiveState"] == "active"
    well.run("systemctl stop fsa-auth.socket fsa-auth.service")
    try:
        by_hand = {subject for _, subject in red(well)}
        well.run(f"{ASK}'DELETE FROM host_health'; systemctl start fsa-doctor")
        assert well.status("fsa-doctor", "Result")["Result"] == "success"
        recorded = json.loads(well.run(f"{ASK}'SELECT findings FROM host_health'"))
        assert {one["subject"] for one in recorded if one["health"] == "FAILED"} == by_hand
    finally:
        well.run("systemctl start fsa-auth.socket fsa-auth.service")


@pytest.mark.parametrize("line, service", [
    ("github_client_id = of-an-app", "fsa-auth"),  # with an id but no secret
    ("public_url = agent.example.org", "fsa-api"),
])
def test_a_configuration_that_ends_the_services_is_red(well, line, service):
    well.run(f"cp -p {CONFIG} /root/fsa.conf; echo '{line}' >>{CONFIG}")
    try:
        warned = red(well)  # running services continue
        assert {check for check, _ in warned} == {"settings"}
        assert "fsactl config check" in next(iter(warned.values()))[1]
        well.run("systemctl restart fsa-api fsa-auth", check=False)
        found = red_with(well, ("units", f"{service}.service"))
        assert f"journalctl -u {service}" in found["units", f"{service}.service"][1]
        assert parts(found)
    finally:
        well.run(f"cp -p /root/fsa.conf {CONFIG}; systemctl reset-failed 'fsa-*'; "
                 "systemctl restart fsa-api fsa-auth")


def test_an_auth_that_is_stopped_is_red(well):
    well.run("systemctl stop fsa-auth.socket fsa-auth.service")
    try:
        found = red(well)
        assert found["units", "fsa-auth.service"][0].startswith("does not run")
        assert "journalctl -u fsa-auth" in found["site", "logins"][1]
        assert " 503 " in well.run("curl -si http://127.0.0.1:8080/readyz")
    finally:
        well.run("systemctl start fsa-auth.socket fsa-auth.service")


def test_an_nginx_that_is_stopped_is_red(well):
    well.run("systemctl stop nginx")
    try:
        found = red(well)
        assert "systemctl status nginx" in found["site", "http://127.0.0.1:8080"][1]
        assert ("units", "nginx.service") in found
    finally:
        well.run("systemctl start nginx")


DATA = "/var/lib/postgresql/15/main"


def test_a_disk_that_is_full_under_postgresql_is_red(well):
    well.run(f"""
        systemctl stop postgresql@15-main.service
        mv {DATA} {DATA}.kept; mkdir {DATA}
        mount -t tmpfs -o size=512m,mode=700,uid=$(id -u postgres),gid=$(id -g postgres) none {DATA}
        cp -a {DATA}.kept/. {DATA}
        systemctl start postgresql@15-main.service""")
    try:
        well.wait(READY)
        well.run(f"dd if=/dev/zero of={DATA}/fill bs=1M 2>/dev/null; dd if=/dev/zero bs=1 >>{DATA}/fill",
                 check=False)
        found = red(well)
        assert "make room" in found["database", "writes"][1]
        assert f"{DATA} has 0 MiB" in found["disk", "database"][0]
        assert "databaseWrites" in parts(found)
        assert " 503 " in well.wait("curl -si http://127.0.0.1:8080/readyz | grep ' 503 '")
    finally:
        well.run(f"""
            rm -f {DATA}/fill
            systemctl stop postgresql@15-main.service
            umount {DATA}; rmdir {DATA}; mv {DATA}.kept {DATA}
            systemctl start postgresql@15-main.service""")


SQL = "runuser -u postgres -- psql -qXd postgres -c "


def test_a_postgresql_that_only_reads_is_red(well):
    well.run(f"{SQL}'ALTER DATABASE fsa SET default_transaction_read_only = on'")
    try:
        well.run(f"{SQL}\"SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                 " WHERE datname = 'fsa'\"")
        found = red(well)
        assert "leads to a standby" in found["database", "writes"][1]
        well.wait("curl -s http://127.0.0.1:8080/readyz | grep '\"reconciler\":\"failed\"'")
    finally:
        well.run(f"{SQL}'ALTER DATABASE fsa RESET default_transaction_read_only'; "
                 f"{SQL}\"SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                 " WHERE datname = 'fsa'\"")


def test_public_keys_that_only_root_can_read_are_red(well):
    well.run(f"chmod 600 {KEYS}/*.pub")
    try:
        found = red(well)
        assert {subject for check, subject in found if check == "keys"} == {
            "fsa-api", "fsa-auth", "fsa-reconcile"}
        assert f"chmod 644 {KEYS}/cluster.pub" in found["keys", "fsa-api"][1]
    finally:
        well.run(f"chmod 644 {KEYS}/*.pub")


def test_private_keys_that_everybody_can_read_are_red(well):
    well.run(f"chmod 666 {KEYS}/owner.key")
    try:
        message, advice = red(well)["keys", "owner"]
        assert "mode 0666" in message
        assert "chmod 600" in advice and "fsactl keys add owner" in advice and "backup" not in advice
    finally:
        well.run(f"chmod 600 {KEYS}/owner.key")


def expired():
    """Returns (key, certificate), in PEM, of agent.example.org."""
    now, day = datetime.datetime.utcnow(), datetime.timedelta(days=1)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "agent.example.org")])
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - 90 * day)
        .not_valid_after(now - day).sign(key, hashes.SHA256()))
    return (key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
            certificate.public_bytes(Encoding.PEM).decode())


def test_a_certificate_that_has_expired_is_red(well):
    """The host cannot reach the public name, so the certificate that its nginx serves is checked."""
    key, certificate = expired()
    well.run("install -d /etc/fullstack-agent/tls")
    well.write("/etc/fullstack-agent/tls/privkey.pem", key, 0o600)
    well.write("/etc/fullstack-agent/tls/fullchain.pem", certificate)
    well.run(f"cp -p {CONFIG} /root/fsa.conf; sed -i '/^public_url/d' {CONFIG}; "
             f"echo 'public_url = https://agent.example.org' >>{CONFIG}")
    try:
        well.run(commands("installation.md", "TLS")[0])
        message, advice = red(well)["site", "https://agent.example.org"]
        assert message == "the certificate has expired 1d 0h ago"
        assert "renew" in advice and "systemctl reload nginx" in advice
    finally:
        well.run(f"cp -p /root/fsa.conf {CONFIG}; rm -r /etc/fullstack-agent/tls; "
                 "fsa-setup nginx loopback; systemctl restart fsa-api fsa-auth")
