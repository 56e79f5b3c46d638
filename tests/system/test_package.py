"""Tests the life of an installation: upgrade under load, backup and restore, remove, purge.

It has its own machine. The order matters: each test continues from the state that the previous one has left.
"""

import itertools
import subprocess
import time

import pytest
import requests

from installation import browser, commands, connect, install
from repeated import Repeated

PASSWORD = "correct horse battery staple"
MIGRATION = """\
ALTER TABLE projects ADD COLUMN of_the_next_version integer;
CREATE TABLE next_version (project_id uuid REFERENCES projects);
SELECT pg_sleep(3);
"""


@pytest.fixture(scope="module")
def machine(bare_machine, deb):
    machine = bare_machine("package")
    install(machine, deb)
    return machine


@pytest.fixture(scope="module")
def ada(machine, cluster):
    """A user with a project that has a variable."""
    connect(machine, cluster)
    client = browser(machine)
    assert client.register("ada", PASSWORD).ok
    assert client.post("/api/user/config/kc", {"kubeconfig": cluster.create_user("eve")}).ok
    made = client.post("/api/projects", {"name": "first"})
    assert made.ok, made.text
    client.project = made.json()["id"]
    variable = {"key": "GREETING", "value": "hello, sealed world"}
    answer = client.post(f"/api/projects/{client.project}/environment", variable)
    assert answer.ok, answer.text
    return client


@pytest.fixture(scope="module")
def next_deb(deb, workspace):
    """The same package with a higher version and one more migration."""
    tree = workspace / "next"
    subprocess.run(["dpkg-deb", "--raw-extract", deb, tree], check=True)
    control = tree / "DEBIAN" / "control"
    control.write_text(control.read_text().replace("Version: ", "Version: 9:"))
    sql = tree / "usr" / "share" / "fullstack-agent" / "sql"
    number = len(list(sql.glob("*.sql"))) + 1
    (sql / f"{number:04}_next.sql").write_text(MIGRATION)
    return build(tree, workspace / "next.deb")


def build(tree, package):
    """Builds a package from an unpacked one; its migrations are in preinst, too."""
    sql = tree / "usr" / "share" / "fullstack-agent" / "sql"
    names = sorted(path.name for path in sql.glob("*.sql"))
    subprocess.run(["tar", "-cf", tree / "DEBIAN" / "migrations.tar", "-C", sql, *names], check=True)
    command = ["dpkg-deb", "--build", "--root-owner-group", "-Zgzip", tree, package]
    subprocess.run(command, check=True, capture_output=True)
    return package


class Load(Repeated):
    """Sends one request after the other; each that fails is tried again, and has to succeed soon.

    ask(n, client) sends the n-th request, always the same for the same n.
    """

    def __init__(self, client, ask):
        super().__init__()
        self.client, self.ask = client, ask
        self.answered = self.retried = 0
        self.lost = []
        self._numbers = itertools.count()

    def step(self):
        number = next(self._numbers)
        for _ in range(10):
            failure = self._ask_once(number)
            if failure is None:
                self.answered += 1
                return
            self.retried += 1
            time.sleep(0.5)
        self.lost.append(failure)

    def _ask_once(self, number):
        try:
            answer = self.ask(self.client, number)
        except requests.RequestException as e:
            return str(e)
        return None if answer.ok else answer.text


def test_fsa_setup_again_changes_nothing(machine):
    before = machine.run("cat /etc/postgresql/15/main/pg_*.conf; cat /etc/fullstack-agent/keys/*.pub")
    machine.run("fsa-setup")
    after = machine.run("cat /etc/postgresql/15/main/pg_*.conf; cat /etc/fullstack-agent/keys/*.pub")
    assert before == after


def test_a_backup_is_made_while_the_site_is_used(machine, ada):
    (backup,) = commands("operation.md", "Backup")
    machine.run(backup)
    modes = machine.run("stat -c '%U:%G %a' /var/backups/fsa /var/backups/fsa/* /var/backups/fsa/*/*")
    assert set(modes.splitlines()) == {"root:root 700", "root:root 600"}
    machine.run("mv /var/backups/fsa /root/older")


def test_a_backup_has_all_that_an_administrator_has_changed(machine, ada):
    """Certificates and their keys, linked ones too; nginx's files; units; secrets of providers."""
    machine.run("""
        install -d -m 700 /root/acme
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=site \
            -keyout /root/acme/privkey.pem -out /root/acme/fullchain.pem 2>/dev/null
        chmod 644 /root/acme/privkey.pem
        install -d /etc/fullstack-agent/tls
        ln -sf /root/acme/privkey.pem /root/acme/fullchain.pem /etc/fullstack-agent/tls/
        install -m 640 -g fsa-auth /dev/null /etc/fullstack-agent/github-secret
        echo secret >/etc/fullstack-agent/github-secret
        echo '# of an administrator' >>/etc/nginx/fullstack-agent/http.conf
        install -d /etc/systemd/system/fsa-api.service.d
        printf '[Service]\\nNice=1\\n' >/etc/systemd/system/fsa-api.service.d/nice.conf
        rm -f /etc/nginx/sites-enabled/default
        fsa-setup nginx tls
        fsactl backup /root/changed/
        fsa-setup nginx loopback
    """)
    data = machine.run("tar -tf /root/changed/data/files.tar").splitlines()
    keys = machine.run("tar -tf /root/changed/keys/files.tar").splitlines()
    open_ = {"etc/fullstack-agent/fsa.conf", "etc/fullstack-agent/tls/fullchain.pem",
             "etc/nginx/fullstack-agent/http.conf", "var/lib/fullstack-agent/site",
             "etc/nginx/sites-available/fullstack-agent-tls.conf",
             "etc/systemd/system/fsa-api.service.d/nice.conf"}
    secret = {"etc/fullstack-agent/tls/privkey.pem", "etc/fullstack-agent/github-secret",
              "etc/fullstack-agent/keys/owner.key", "etc/fullstack-agent/keys/cluster.key"}
    assert open_ <= set(data) and not open_ & set(keys)
    assert secret <= set(keys) and not secret & set(data)


def test_this_versions_programs_work_on_the_next_versions_schema(machine, ada, next_deb, workspace):
    """This happens on hosts of a site that are not upgraded yet."""
    tree = workspace / "next"
    (migration,) = (tree / "usr/share/fullstack-agent/sql").glob("*_next.sql")
    machine.run(f"cp -r /usr/share/fullstack-agent/sql /root/next-sql; cat >/root/next-sql/{migration.name}",
                input=migration.read_text())
    machine.run("fsactl migrate --sql-dir /root/next-sql; systemctl restart fsa-api fsa-auth")
    try:
        machine.wait("curl -sf http://127.0.0.1:8080/readyz")
        path = f"/api/projects/{ada.project}/environment"
        assert ada.post(path, {"key": "ON_THE_NEXT_SCHEMA", "value": "x"}).ok
        assert ada.login("ada", PASSWORD).ok
        machine.run("systemctl start fsa-reconcile")  # fails if the pass does
        assert machine.status("fsa-reconcile", "Result")["Result"] == "success"
    finally:  # the next test applies it again
        number = int(migration.name[:4])
        machine.run("cd /; runuser -u postgres -- psql -q -v ON_ERROR_STOP=1 fsa", input=(
            "ALTER TABLE projects DROP COLUMN of_the_next_version; DROP TABLE next_version;"
            f"DELETE FROM schema_migrations WHERE version = {number};"))


def test_an_upgrade_with_a_migration_loses_no_request(machine, ada, next_deb):
    pids = {u: machine.main_pid(u) for u in ("fsa-api", "fsa-auth")}
    machine.run("rm /root/*.deb")
    machine.copy_in(next_deb, "/root/fullstack-agent_9_all.deb")
    (upgrade,) = commands("operation.md", "Upgrade")
    path = f"/api/projects/{ada.project}"

    def add_variable(client, n):
        time.sleep(0.2)  # a project may have 256 variables, and a busy machine takes long
        return client.post(f"{path}/environment", {"key": f"DURING_{n:03}", "value": "x"},
                           headers={"Idempotency-Key": f"during-{n}"})

    loads = [Load(ada, lambda client, n: client.get(path)),
             Load(ada, lambda client, n: client.get("/api/auth/session")),
             Load(ada, add_variable)]
    with loads[0], loads[1], loads[2]:
        machine.run(f"cd /root; {upgrade}")
    for load in loads:
        assert load.answered > 20 and not load.lost, (load.answered, load.retried, load.lost)
    # Each change was made once, even if a lost response made the client send it twice.
    there = [v["key"] for group in ada.get(f"{path}/environment").json().values() for v in group]
    during = sorted(key for key in there if key.startswith("DURING_"))
    assert during == [f"DURING_{n:03}" for n in range(loads[2].answered)]
    columns = machine.run("cd /; runuser -u postgres -- psql fsa -c '\\d projects'")
    assert "of_the_next_version" in columns
    for unit, pid in pids.items():
        assert machine.main_pid(unit, instead_of=pid)


def test_an_upgrade_from_a_version_without_the_maps_lets_the_console_reach_sandboxes(machine, ada):
    """Without the maps, nginx serves the page, too, but with a policy that blocks all sandboxes."""
    machine.run("rm -f /etc/nginx/fullstack-agent/*.map; systemctl restart nginx")
    policy = "curl -sf -o /dev/null -D - http://127.0.0.1:8080/ | grep -i ^content-security-policy: | grep -F "
    machine.wait(f"{policy} \"connect-src 'self';\"")
    machine.run("dpkg -i /root/fullstack-agent_9_all.deb")
    domain = "*.sandboxes.example.org"
    # nginx's former workers still answer for a moment.
    machine.wait(f"{policy} \"connect-src 'self' https://{domain} wss://{domain};\"")


PROGRAMS = "cat /usr/libexec/fullstack-agent/* /usr/sbin/fsactl | sha256sum; dpkg -s fullstack-agent"


@pytest.fixture(scope="module")
def broken(next_deb, workspace):
    """A version after the next, whose migration fails; mend() returns the corrected package."""
    tree = workspace / "broken"
    subprocess.run(["dpkg-deb", "--raw-extract", next_deb, tree], check=True)
    control = tree / "DEBIAN" / "control"
    control.write_text(control.read_text().replace("Version: 9:", "Version: 10:"))
    with open(tree / "usr" / "libexec" / "fullstack-agent" / "fsa-reconcile", "ab") as program:
        program.write(b"of the version after the next")
    sql = tree / "usr" / "share" / "fullstack-agent" / "sql"
    migration = sql / f"{len(list(sql.glob('*.sql'))) + 1:04}_after.sql"
    migration.write_text("CREATE TABLE after_next (n integer);\nSELECT 1 / 0;\n")

    def mend():
        migration.write_text("CREATE TABLE after_next (n integer);\n")
        return build(tree, workspace / "mended.deb")

    return build(tree, workspace / "broken.deb"), mend


def test_a_migration_that_fails_leaves_the_old_version_whole_until_it_is_mended(machine, ada, broken):
    package, mend = broken
    before = machine.run(PROGRAMS)
    machine.copy_in(package, "/root/broken.deb")
    done = machine.run("dpkg -i /root/broken.deb 2>&1", check=False)
    assert done.returncode != 0, done.stdout
    assert "_after.sql: PostgreSQL: division by zero" in done.stdout, done.stdout
    assert "the old version goes on" in done.stdout
    assert machine.run(PROGRAMS) == before and "\nStatus: install ok installed\n" in before
    # Everything keeps working: requests, passes, a complete restart.
    machine.run("systemctl start fsa-reconcile")
    assert machine.status("fsa-reconcile", "Result")["Result"] == "success"
    machine.run("systemctl restart fullstack-agent.target fsa-migrate fsa-api fsa-auth")
    machine.wait("curl -sf http://127.0.0.1:8080/readyz")
    assert ada.get(f"/api/projects/{ada.project}").ok
    assert not machine.path("/run/fullstack-agent/next-sql").exists()
    machine.copy_in(mend(), "/root/mended.deb")
    machine.run("dpkg -i /root/mended.deb")
    assert machine.run(PROGRAMS) != before
    machine.run("systemctl start fsa-reconcile")
    assert ada.get(f"/api/projects/{ada.project}").ok


def test_an_upgrade_while_postgresql_is_away_is_completed_when_it_is_back(machine, ada, broken, workspace):
    tree = workspace / "broken"
    control = tree / "DEBIAN" / "control"
    control.write_text(control.read_text().replace("Version: 10:", "Version: 11:"))
    sql = tree / "usr" / "share" / "fullstack-agent" / "sql"
    name = f"{len(list(sql.glob('*.sql'))) + 1:04}_late.sql"
    (sql / name).write_text("CREATE TABLE late (n integer);\n")
    machine.copy_in(build(tree, workspace / "late.deb"), "/root/late.deb")
    machine.run("systemctl stop postgresql")
    try:
        told = machine.run("dpkg -i /root/late.deb 2>&1")
    finally:
        machine.run("systemctl start postgresql")
    assert "PostgreSQL is away" in told
    machine.wait(f"fsactl migrate --status | grep {name} | grep -v 'not applied'")
    machine.wait("curl -sf http://127.0.0.1:8080/readyz")


TLS = "curl -skf --resolve site:443:127.0.0.1 https://site/readyz"
STATE = """
    stat -c '%n %U:%G %a' /etc/fullstack-agent/* /etc/fullstack-agent/*/*
    sha256sum /etc/fullstack-agent/fsa.conf /etc/fullstack-agent/*/* /etc/fullstack-agent/github-secret \
        /etc/nginx/fullstack-agent/*.conf /etc/systemd/system/fsa-api.service.d/*
"""


def test_remove_and_reinstall_keep_the_data_and_tls(machine, ada):
    remove, _ = commands("operation.md", "Removing it")
    machine.run("fsa-setup nginx tls")
    machine.wait(TLS)
    machine.run(remove)
    assert machine.run("systemctl list-units --plain --no-legend 'fsa-*'") == ""
    machine.run("nginx -t; test -e /etc/fullstack-agent/keys/owner.key")
    machine.run("dpkg -i /root/late.deb; fsa-setup")
    machine.wait(TLS)
    machine.run("fsa-setup nginx loopback")
    assert ada.get(f"/api/projects/{ada.project}").ok  # the session is still valid, too


def test_a_backup_restores_a_purged_site(machine, ada):
    """One command restores everything on a then empty host, including TLS, units and secrets."""
    path = f"/api/projects/{ada.project}/environment"
    machine.run("fsa-setup nginx tls")
    # A certificate that was a link is restored as a file, because the backup contains what was read.
    machine.run("cd /etc/fullstack-agent/tls; for f in *; do cp --remove-destination $(readlink $f) $f; done; "
                "chmod 600 privkey.pem")
    before = machine.run(STATE)
    (backup,) = commands("operation.md", "Backup")
    machine.run(backup)
    _, purge = commands("operation.md", "Removing it")
    machine.run(purge)
    machine.run("rm -r /etc/systemd/system/fsa-api.service.d /root/acme")
    for gone in ("/etc/fullstack-agent", "/var/lib/fullstack-agent", "/run/fullstack-agent"):
        assert not machine.path(gone).exists(), gone
    rest = machine.run("cd /; runuser -u postgres -- psql -XAtc "
                       "\"SELECT datname FROM pg_database WHERE datname = 'fsa' UNION ALL "
                       "SELECT rolname FROM pg_roles WHERE rolname LIKE 'fsa%'\"; "
                       "grep -rl fullstack-agent /etc/postgresql /etc/nginx || true")
    assert rest == ""
    machine.run("dpkg -i /root/late.deb")
    restore, _ = commands("operation.md", "Restore")
    told = machine.run(restore)
    assert "fsactl doctor" in told
    machine.wait(TLS)
    assert machine.run(STATE) == before
    assert machine.status("fsa-api", "Nice")["Nice"] == "1"
    machine.run("fsa-setup nginx loopback")
    machine.wait("curl -sf http://127.0.0.1:8080/readyz")
    assert '"value":"hello, sealed world"' in ada.get(path).text.replace(": ", ":")
    machine.run("systemctl start fsa-reconcile")
    assert machine.status("fsa-reconcile", "Result")["Result"] == "success"


def test_a_restore_asks_before_it_takes_the_place_of_a_site(machine, ada):
    restore, _ = commands("operation.md", "Restore")
    done = machine.run(restore, check=False)
    assert done.returncode == 1 and "--replace" in done.stderr
    assert ada.get(f"/api/projects/{ada.project}").ok


def test_the_backup_of_an_older_version_is_brought_up_to_date(machine, ada):
    machine.run("rm -r /var/backups/fsa; cp -r /root/older /var/backups/fsa")
    _, replace = commands("operation.md", "Restore")
    machine.run(replace)
    machine.wait("curl -sf http://127.0.0.1:8080/readyz")
    assert "of_the_next_version" in machine.run(
        "cd /; runuser -u postgres -- psql fsa -c '\\d projects'")
    assert ada.login("ada", PASSWORD).ok  # the session was made after the backup
    there = ada.get(f"/api/projects/{ada.project}/environment").text
    assert "hello, sealed world" in there and "DURING_" not in there


def test_new_keys_are_refused_while_the_database_is_in_use(machine, ada):
    machine.run("mv /etc/fullstack-agent/keys /root/")
    try:
        done = machine.run("fsa-setup keys", check=False)
        assert done.returncode == 1 and "copy the keys" in done.stderr
        assert not machine.path("/etc/fullstack-agent/keys/owner.key").exists()
    finally:
        machine.run("rm -rf /etc/fullstack-agent/keys; mv /root/keys /etc/fullstack-agent/")
