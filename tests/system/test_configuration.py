"""Tests errors in fsa.conf, and fsa-setup, on the machine: what an administrator is told, and that running services
continue."""

import acme
import pytest

from stand.process import PATIENCE

CONF = "/etc/fullstack-agent/fsa.conf"
READY = "curl -sf http://127.0.0.1:8080/readyz"


@pytest.fixture
def conf(machine):
    """conf(lines): appends lines to fsa.conf; afterwards it is restored, and everything works."""
    machine.run(f"cp -p {CONF} /root/fsa.conf.kept")

    def append(lines):
        machine.run(f"cat >>{CONF}", input=lines)

    yield append
    machine.run(f"cp -p /root/fsa.conf.kept {CONF}; systemctl restart fsa-api fsa-auth")
    machine.wait(READY)


def status_text(machine, unit, words):
    return machine.wait(f"systemctl show {unit} --property=StatusText | grep -F '{words}'")


def test_systemctl_status_tells_of_workers_requests_and_errors(machine):
    for unit in ("fsa-api", "fsa-auth"):
        assert "requests served" in status_text(machine, unit, " workers, ")


def test_a_reload_applies_the_file_and_no_request_fails(machine, conf):
    before = machine.main_pid("fsa-api")
    conf("projects_per_user = 7\n")
    asked = machine.run(
        "for i in $(seq 5); do systemctl reload fsa-api fsa-auth fsa-events & "
        "curl -s -o /dev/null -w '%{http_code}\\n' 'http://127.0.0.1:8080/healthz#[1-40]'; wait; done")
    assert set(asked.split()) == {"200"} and len(asked.split()) == 200
    assert machine.main_pid("fsa-api") == before
    assert "msg=reloaded" in machine.run("journalctl -u fsa-api -o cat")
    status_text(machine, "fsa-events", "Live updates flow")


def test_an_invalid_file_stops_nothing_and_is_reported(machine, conf):
    machine.wait("test -e /run/fsa-reconcile/fsa.conf")
    conf("resync = soon\nhome_sice = 1Gi\n")
    for unit in ("fsa-api", "fsa-auth", "fsa-events"):
        assert machine.run(f"systemctl reload {unit}", check=False).returncode != 0
        assert machine.status(unit, "ActiveState") == {"ActiveState": "active"}
        assert "2 errors" in status_text(machine, unit, "not reloaded, running as before")
        journal = machine.run(f"journalctl -u {unit} -o cat")
        assert "resync: " in journal and "did you mean home_size?" in journal
    assert "2 errors" in status_text(machine, "fsa-reconcile", "the last one that was right")
    since = machine.run("journalctl -u fsa-reconcile -o cat | grep -c msg=pass").strip()
    machine.wait(f"test $(journalctl -u fsa-reconcile -o cat | grep -c msg=pass) -gt {int(since) + 2}")
    # Once, not at every pass.
    logged = machine.run("journalctl -u fsa-reconcile -o cat | grep -c 'home_sice'")
    assert int(logged) == 1
    assert '"status":"ready"' in machine.run(READY)


def test_a_program_that_starts_with_a_wrong_file_fails_at_once_and_for_good(machine, conf):
    conf("public_url = agent.example.org\n")
    machine.run("systemctl restart fsa-auth", check=False)
    machine.wait("systemctl is-failed fsa-auth")
    assert "public_url" in status_text(machine, "fsa-auth", "cannot start")
    seen = machine.status("fsa-auth", "ExecMainStatus", "NRestarts")
    assert seen == {"ExecMainStatus": "78", "NRestarts": "0"}
    machine.run(f"cp -p /root/fsa.conf.kept {CONF}; systemctl restart fsa-auth")
    machine.wait("curl -sf http://127.0.0.1:8080/api/auth/session -o /dev/null || "
                 "test $(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/api/auth/session) = 401")


def test_the_level_of_the_log_reaches_the_journal(machine):
    """The installation has log_level = debug."""
    machine.wait("journalctl -u fsa-reconcile -o cat | grep -q level=debug")
    assert "Starting" not in machine.run("journalctl -u fsa-reconcile -o cat")


# ---- fsa-setup ----------------------------------------------------------------------------------


def refused(machine, command):
    done = machine.run(command, check=False, timeout=300)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stderr


def test_setup_begins_nothing_with_a_file_that_was_not_edited(machine, conf):
    machine.run(f"sed -i '/^ingress_domain/d' {CONF}; echo 'resync = soon' >>{CONF}")
    told = refused(machine, "fsa-setup")
    assert "ingress_domain: is not set" in told and "resync: " in told and "nothing was done" in told


def test_setup_run_again_asks_the_site_and_says_so(machine):
    for _ in range(2):
        told = machine.run("fsa-setup")
        assert "nginx serves the site at http://127.0.0.1:8080: the page was asked for" in told


def test_setup_names_the_program_that_has_the_port(machine):
    machine.run("systemctl stop nginx; mkdir -p /root/empty; cd /root/empty; "
                "systemd-run --unit=other-server python3 -m http.server 8080")
    machine.wait("curl -sf -o /dev/null http://127.0.0.1:8080/")
    try:
        told = refused(machine, "fsa-setup nginx")
        assert "Address already in use" in told
    finally:
        machine.run("systemctl stop other-server")
    assert "nginx serves the site" in machine.run("systemctl reset-failed nginx; fsa-setup nginx")


def test_setup_notices_a_removed_module(machine):
    there = "/etc/nginx/modules-enabled/50-mod-nchan.conf"
    machine.run(f"mv {there} {there}.removed")
    try:
        assert "no live updates" in machine.run("fsa-setup nginx")
        machine.run("test ! -e /etc/nginx/fullstack-agent/live")
    finally:
        machine.run(f"mv {there}.removed {there}")
    assert "no live updates" not in machine.run("fsa-setup nginx")
    status_text(machine, "fsa-events", "Live updates flow")


def test_setup_says_that_nginx_is_missing(machine):
    machine.run("mv /usr/sbin/nginx /usr/sbin/nginx.away")
    try:
        assert "apt install nginx" in refused(machine, "fsa-setup nginx")
        told = machine.run("fsa-setup")
        assert "nobody reaches the site" in told and "serves the site" not in told
    finally:
        machine.run("mv /usr/sbin/nginx.away /usr/sbin/nginx")


def test_setup_says_which_part_is_not_ready(machine):
    machine.run("systemctl mask --now fsa-auth.service fsa-auth.socket")
    try:
        told = refused(machine, "fsa-setup nginx")
        assert "not all is ready" in told and '"logins":"failed"' in told
    finally:
        machine.run("systemctl unmask fsa-auth.service fsa-auth.socket; "
                    "systemctl start fsa-auth.socket fsa-auth.service")
    machine.wait(READY)


# ---- the certificate ----------------------------------------------------------------------------


MAKE = ("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
        "-subj /CN=agent.example.org -addext subjectAltName=DNS:agent.example.org "
        "-keyout privkey.pem -out fullchain.pem 2>/dev/null")
SERVED = ("openssl s_client -connect 127.0.0.1:443 -servername agent.example.org </dev/null 2>/dev/null "
          "| openssl x509 -noout -serial")


def test_setup_wants_a_certificate_before_it_enables_tls(machine):
    told = refused(machine, "mv /etc/fullstack-agent/tls /root/ 2>/dev/null || true; fsa-setup nginx tls")
    assert "fullchain.pem is not there: fsa-setup certificate" in told
    assert '"status":"ready"' in machine.run(READY)


def test_there_is_nothing_to_certify_without_a_public_name(machine, conf):
    assert "it has to be https://NAME" in refused(machine, "fsa-setup certificate")


def test_before_there_is_a_certificate_challenges_are_served(machine):
    folder = "/var/lib/fullstack-agent/acme"
    assert machine.run(f"stat -c '%U %a' {folder}").strip() == "root 755"
    machine.run("rm -f /etc/nginx/sites-enabled/default; "
                "ln -sfn ../sites-available/fullstack-agent-acme.conf "
                "/etc/nginx/sites-enabled/fullstack-agent.conf; systemctl reload nginx; "
                f"mkdir -p {folder}/.well-known/acme-challenge; "
                f"echo proof >{folder}/.well-known/acme-challenge/x")
    machine.wait("curl -sf http://127.0.0.1/.well-known/acme-challenge/x | grep proof")
    assert machine.run("curl -so /dev/null -w '%{http_code}' http://127.0.0.1/") == "503"
    assert "nginx serves the site" in machine.run("fsa-setup nginx")


def test_a_renewed_certificate_is_served_at_once(machine, conf):
    conf("public_url = https://agent.example.org\n")
    machine.run(f"mkdir -p /etc/fullstack-agent/tls; cd /etc/fullstack-agent/tls; {MAKE}; "
                "rm -f /etc/nginx/sites-enabled/default")
    told = machine.run("fsa-setup nginx tls")
    assert "browsers will not accept the certificate" in told  # no CA has signed it
    assert "nginx serves the site at https://agent.example.org" in told
    before = machine.run(SERVED)
    machine.run(f"cd /etc/fullstack-agent/tls; {MAKE}; /usr/libexec/fullstack-agent/certificate-renewed")
    machine.wait(f"test '{before.strip()}' != \"$({SERVED})\"", seconds=PATIENCE)
    machine.run("fsa-setup nginx loopback; rm -r /etc/fullstack-agent/tls")


@pytest.fixture
def authority(machine):
    acme.start(machine, "agent.example.org")
    yield
    acme.stop(machine, "agent.example.org")
    machine.run("fsa-setup nginx loopback; rm -rf /etc/fullstack-agent/tls /etc/letsencrypt")


def test_the_first_certificate_comes_from_an_authority_and_is_renewed_by_itself(machine, conf, authority):
    conf("public_url = https://agent.example.org\n")
    machine.run("rm -rf /etc/fullstack-agent/tls /etc/nginx/sites-enabled/default")
    told = machine.run(f"{acme.TRUST} fsa-setup certificate --agree-tos --email admin@example.org "
                       f"--non-interactive --server {acme.DIRECTORY}", timeout=300)
    assert "nginx serves the site at https://agent.example.org" in told
    issuer = SERVED.replace("-serial", "-issuer")
    assert "Pebble" in machine.run(issuer)
    before = machine.run(SERVED).strip()
    machine.run(f"{acme.TRUST} certbot renew --force-renewal --no-random-sleep-on-renew", timeout=300)
    machine.wait(f"test '{before}' != \"$({SERVED})\"")
    # This time the site answered the challenge with TLS, and it still works.
    assert "nginx serves the site" in machine.run("fsa-setup")
