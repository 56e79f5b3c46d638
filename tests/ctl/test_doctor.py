"""Tests that doctor finds what is wrong with a site as its users experience it, and says what to do."""

import datetime
import json
import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from stand.site import ROOT, SQL, Site

@pytest.fixture(scope="module")
def site(workspace, build, postgres, console):
    """A site with the console, like an installed one."""
    with Site(workspace / "doctor", build, postgres, database="doctor", root=console) as made:
        yield made


def examine(site, *checks, environment=None, config=None):
    """Returns (exit status, findings of these checks: (health, subject, message, advice))."""
    command = [site.programs.program("fsactl"), "--config", config or site.programs.config(), "doctor",
               "--sql-dir", SQL, "--json"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=300, env={**os.environ, **(environment or {})})
    assert done.stderr == ""
    findings = [f for f in json.loads(done.stdout) if f["check"] in checks]
    return done.returncode, findings


def found(findings):
    """Returns {subject: finding} of the findings that are not ok."""
    return {f["subject"]: f for f in findings if f["health"] != "ok"}


@pytest.fixture
def ready(site):
    site.client().wait("/readyz", lambda r: r["status"] == "ready")


def other_config(site, tmp_path, **options):
    lines = [line for line in site.programs.config().read_text().splitlines()
             if line.split(" =")[0] not in options]
    config = tmp_path / "fsa.conf"
    config.write_text("\n".join([*lines, *(f"{k} = {v}" for k, v in options.items()), ""]))
    return config


# ---- the site -----------------------------------------------------------------------------------


def test_a_working_site_reports_what_was_tried(site, ready):
    _, findings = examine(site, "site")
    assert [(f["health"], f["subject"]) for f in findings] == [("ok", site.url), ("ok", "/readyz")]
    assert findings[0]["message"] == "serves the page"


@pytest.mark.parametrize("port, health", [("visits_port", "ok"), ("port", "warning"), ("nobody", "warning")])
def test_visits_to_stopped_sandboxes_are_tried(site, ready, tmp_path, port, health):
    config = other_config(site, tmp_path, wake_service="site.localhost", wake_port=getattr(site.nginx, port, 1))
    _, findings = examine(site, "site", config=config)
    finding, = (f for f in findings if f["subject"] == "wake_service")
    assert finding["health"] == health, finding


def test_nginx_that_is_down_is_red(site):
    site.nginx.stop()
    try:
        status, findings = examine(site, "site")
    finally:
        site.nginx.start()
    assert (status, set(found(findings))) == (1, {site.url})
    assert "nobody answers" in findings[0]["message"]
    assert "systemctl status nginx" in findings[0]["advice"]


@pytest.mark.parametrize("options, says", [
    ({"public_url": "agent.example.org"}, "scheme, host and port"),
    ({"github_client_id": "of-an-app"}, "github_client_secret_file"),
])
def test_a_configuration_that_no_service_starts_with_is_red(site, tmp_path, options, says):
    config = other_config(site, tmp_path, **options)
    status, findings = examine(site, "settings", config=config)
    (finding,) = found(findings).values()
    assert (status, finding["health"]) == (1, "FAILED")
    assert finding["subject"].startswith(f"{config}:") and says in finding["message"]
    assert "fsactl config check" in finding["advice"]


def test_logins_that_fail_are_red(site, ready):
    site.programs.stop("auth.fcgi")
    try:
        status, findings = examine(site, "site")
    finally:
        site.programs.start("auth.fcgi")
    assert (status, set(found(findings))) == (1, {"logins"})
    assert "journalctl -u fsa-auth" in found(findings)["logins"]["advice"]


def test_a_page_that_is_not_there_is_red(make_site):
    site = make_site()  # the default nginx has no folder of files
    status, findings = examine(site, "site")
    assert status == 1
    assert "GET / answers 404" in found(findings)[site.url]["message"]
    assert "www-data read" in found(findings)[site.url]["advice"]


def test_an_api_that_is_down_is_red(make_site, console):
    site = make_site(root=console)
    site.programs.stop("api.fcgi")
    status, findings = examine(site, "site")
    assert (status, set(found(findings))) == (1, {"/readyz"})
    assert "fsa-api" in found(findings)["/readyz"]["advice"]


# ---- the certificate ----------------------------------------------------------------------------

HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def tls_site(make_site, console, tmp_path):
    """tls_site(begins, ends): makes a site on https://localhost with a certificate that it trusts, valid between
    these times from now."""

    def make(begins=-HOUR, ends=1000 * HOUR):
        now = datetime.datetime.utcnow()
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
        certificate = (
            x509.CertificateBuilder().subject_name(name).issuer_name(name)
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now + begins).not_valid_after(now + ends)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
            .sign(key, hashes.SHA256()))
        files = tmp_path / "tls.key", tmp_path / "tls.crt"
        files[0].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        files[1].write_bytes(certificate.public_bytes(Encoding.PEM))
        return make_site(root=console, host="localhost", tls=files,
                         options={"provider_ca_file": files[1]})

    return make


@pytest.mark.parametrize("begins, ends, health, says, advises", [
    (-90 * 24 * HOUR, -2 * HOUR, "FAILED", "has expired 2h 0m ago", "systemctl reload nginx"),
    (-87 * 24 * HOUR, 60 * HOUR, "warning", "expires in 2d", "renew the certificate"),
    (30 * HOUR, 900 * HOUR, "FAILED", "begins to be valid in 1d", "timedatectl"),
])
def test_a_certificate_is_judged_as_it_is_served(tls_site, begins, ends, health, says, advises):
    site = tls_site(begins, ends)
    status, findings = examine(site, "site")
    problem = next(f for f in findings if "certificate" in f["message"])
    assert problem["health"] == health
    assert says in problem["message"] and advises in problem["advice"]
    # The rest is checked nevertheless.
    assert {"ok"} == {f["health"] for f in findings if f["subject"] == "/readyz"}


def test_a_certificate_that_is_good_is_ok(tls_site, tmp_path):
    site = tls_site()
    assert found(examine(site, "site")[1]) == {}
    config = other_config(site, tmp_path, provider_ca_file="/etc/ssl/certs/ca-certificates.crt")
    stranger = examine(site, "site", config=config)[1]  # does not know the issuer
    assert "does not trust" in found(stranger)[site.url]["message"]


# ---- keys ---------------------------------------------------------------------------------------


@pytest.fixture
def keys(site, tmp_path):
    """The folder with fsactl's keys, which are restored after the test."""
    folder = site.programs.config().parent
    names = [f"{ring}.{half}" for ring in ("owner", "cluster") for half in ("pub", "key")]
    kept = {name: ((folder / name).read_bytes(), (folder / name).stat().st_mode) for name in names}
    yield folder
    for name, (content, mode) in kept.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(mode)


@pytest.fixture(scope="module")
def something_sealed(site):
    """A setting, which is sealed to the owner key."""
    client = site.client()
    assert client.register("keeper", "correct horse battery").ok
    assert client.put("/api/user/config", {"configs": [{"key": "SOME_KEY", "value": "x"}]}).ok


def test_a_lost_key_of_a_site_with_data_must_be_restored(site, keys, something_sealed):
    (keys / "owner.key").unlink()
    status, findings = examine(site, "keys")
    assert (status, set(found(findings))) == (1, {"owner"})
    assert "from the backup" in found(findings)["owner"]["advice"]
    assert "keys add" not in found(findings)["owner"]["advice"]


def test_a_key_that_was_never_made_is_made(site, keys):
    """Nothing is sealed to the cluster key, because nobody has stored a kubeconfig."""
    (keys / "cluster.key").unlink()
    (keys / "cluster.pub").unlink()
    _, findings = examine(site, "keys")
    assert "fsactl keys add cluster" in found(findings)["cluster"]["advice"]
    assert "backup" not in found(findings)["cluster"]["advice"]


def test_a_key_that_everybody_could_read_is_replaced(site, keys, something_sealed):
    (keys / "owner.key").chmod(0o666)
    _, findings = examine(site, "keys")
    advice = found(findings)["owner"]["advice"]
    assert "chmod 600" in advice and "fsactl keys rotate owner" in advice
    assert "backup" not in advice


def test_without_access_to_the_keys_root_is_recommended(site, keys, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root, to become somebody else")
    readable = [path for path in (site.directory, *site.directory.parents) if path.stat().st_mode & 1]
    assert readable
    config = other_config(site, tmp_path, owner_private_key_file=keys / "owner.key")
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "cat", config])
    if done.returncode != 0:
        tmp_path.chmod(0o755)
        for parent in tmp_path.parents:
            if not parent.stat().st_mode & 1:
                parent.chmod(0o711)
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
         site.programs.program("fsactl"), "--config", config, "doctor", "--json"],
        capture_output=True, text=True)
    findings = [f for f in json.loads(done.stdout) if f["check"] == "keys"]
    assert {f["advice"] for f in findings} == {
        "run fsactl doctor as root: the private keys are root's"}


@pytest.fixture
def service_users(tmp_path):
    """Runs a command where the services' users exist, as on an installed host."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"]).returncode != 0:
        pytest.skip("needs root, to become the services' users")
    passwd = tmp_path / "passwd"
    users = "".join(f"fsa-{name}:x:{61000 + i}:{61000 + i}::/:/bin/false\n"
                    for i, name in enumerate(("api", "auth", "reconcile")))
    passwd.write_text(Path("/etc/passwd").read_text() + users)
    passwd.chmod(0o644)

    def run(*command):
        script = 'mount --bind "$1" /etc/passwd; shift; exec "$@"'
        return subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh", passwd, *command],
                              capture_output=True, text=True)

    return run


def test_public_keys_that_only_root_can_read_are_red(site, service_users, tmp_path):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        names = {f"{ring}_{half}_key_file": f"{folder}/{ring}.{'pub' if half == 'public' else 'key'}"
                 for ring in ("owner", "cluster") for half in ("public", "private")}
        config = other_config(site, tmp_path, **names)
        for ring in ("owner", "cluster"):
            subprocess.run([site.programs.program("fsactl"), "--config", config, "keys", "add", ring],
                           check=True, capture_output=True)
        command = [site.programs.program("fsactl"), "--config", config, "doctor", "--json"]
        before = found(f for f in json.loads(service_users(*command).stdout) if f["check"] == "keys")
        for ring in ("owner", "cluster"):
            os.chmod(f"{folder}/{ring}.pub", 0o600)
        done = service_users(*command)
        after = found(f for f in json.loads(done.stdout) if f["check"] == "keys")
    assert before == {}
    assert (done.returncode, set(after)) == (1, {"fsa-api", "fsa-auth", "fsa-reconcile"})
    assert "Permission denied" in after["fsa-api"]["message"]
    assert f"chmod 644 {folder}/cluster.pub" in after["fsa-api"]["advice"]


# ---- the database -------------------------------------------------------------------------------


def test_a_database_that_only_reads_is_red(site):
    db = site.connect()
    db.set_session(readonly=False, autocommit=True)
    with db.cursor() as cursor:
        cursor.execute("ALTER DATABASE doctor SET default_transaction_read_only = on")
        try:
            status, findings = examine(site, "database")
        finally:
            cursor.execute("ALTER DATABASE doctor SET default_transaction_read_only = off")
    db.close()
    assert (status, set(found(findings))) == (1, {"writes"})
    assert "leads to a standby" in found(findings)["writes"]["advice"]


def test_free_space_for_the_database_is_shown(site):
    _, findings = examine(site, "disk")
    if os.geteuid() == 0:
        assert str(site.postgres.directory) in findings[0]["message"]
    assert all("MiB" in f["message"] for f in findings)


# ---- hosts --------------------------------------------------------------------------------------


def test_a_host_whose_passes_have_stopped_is_named(site, ready):
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("INSERT INTO pass_hosts (host, version, keys, last_pass_at)"
                       " SELECT 'gone', version, keys, now() - interval '2 hours' FROM pass_hosts")
    try:
        status, findings = examine(site, "hosts")
    finally:
        with site.connect() as db, db.cursor() as cursor:
            cursor.execute("DELETE FROM pass_hosts WHERE host = 'gone'")
    assert set(found(findings)) == {"gone"}  # the other one works
    assert "for 2h" in found(findings)["gone"]["message"]
    assert "fsa-reconcile.timer" in found(findings)["gone"]["advice"]


# ---- the clock ----------------------------------------------------------------------------------


def test_a_clock_that_is_behind_is_blamed_for_a_certificate(tls_site, shifted):
    site = tls_site()
    _, findings = examine(site, "site", environment=shifted(-10 * 365 * 86400))
    problem = next(f for f in findings if "certificate begins" in f["message"])
    assert "wrong clock" in problem["advice"] and "renew" not in problem["advice"]
