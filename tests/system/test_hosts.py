"""Tests two hosts with the programs and one with PostgreSQL and nginx, set up as docs/growing.md says.

One of the two is cut off in the middle of a pass: nothing is lost, and nothing is done twice.
"""

import time
from collections import Counter

import pytest
import requests

from installation import CONFIG, browser, commands, configure, connect
from network import Network
from repeated import Repeated
from stand.kubesim import KubeSim
from stand.process import PATIENCE

PKI = "/etc/fullstack-agent/postgresql"
PASSWORD = "correct horse battery staple"
DB, WEB, STANDBY = "10.77.0.10", ("10.77.0.11", "10.77.0.12"), "10.77.0.13"
# Short, to keep the test short: the leases of a host that was cut off end after lease_time.
HOST_CONFIG = CONFIG + f"""\
database = host={DB} dbname=fsa sslmode=verify-full sslrootcert={PKI}/ca.crt
lease_time = 20s
pass_time = 12s
kube_request_timeout = 5s
database_timeout = 5s
"""
ROLES = ("fsa_owner", "fsa_api", "fsa_auth", "fsa_reconcile")


@pytest.fixture(scope="module")
def kubesim(workspace, build):
    with KubeSim(workspace / "kubesim", build) as running:
        yield running


@pytest.fixture(scope="module")
def network(bare_machine, deb):
    """The machines by address, in one network, with the package but not set up."""
    machines = {address: bare_machine(f"h{address.rpartition('.')[2]}")
                for address in (DB, *WEB, STANDBY)}
    lan = Network(machines[DB], DB)
    lan.machines = machines
    for address, machine in machines.items():
        if address != DB:
            lan.join(machine, address)
        machine.copy_in(deb, "/root/fullstack-agent_0_all.deb")
        machine.run(f"cd /root; {commands('installation.md', 'One host')[0]}")
    return lan


@pytest.fixture(scope="module")
def hosts(network, kubesim):
    """The two hosts as (machine, relay to kubesim), working behind nginx."""
    db, *web = (network.machines[address] for address in (DB, *WEB))
    for script in commands("growing.md", "The database's host"):
        db.run(script)
    prepare, sockets, keys, start = commands("growing.md", "Each host of the programs")
    made = []
    for machine in web:
        configure(machine, HOST_CONFIG)
        copy(db, machine, "/root/fsa-pki", PKI,
             "ca.crt", *(f"{role}.{kind}" for role in ROLES for kind in ("crt", "key")))
        machine.run(f"{prepare}\n{sockets}")
        if not made:
            machine.run(keys)
        else:
            copy(web[0], machine, "/etc/fullstack-agent", "/etc/fullstack-agent", "keys")
        machine.run(start)
        made.append((machine, connect(machine, kubesim)))
    for script in commands("growing.md", "nginx before them"):
        db.run(script)
    db.wait("curl -sf http://127.0.0.1:8080/readyz")
    return made


def copy(source, target, source_folder, target_folder, *names):
    """Copies files or folders between machines, as scp would."""
    target.run(f"mkdir -p {target_folder}")
    packed = source.run(f"tar -C {source_folder} -c {' '.join(names)} | base64")
    target.run(f"base64 -d | tar -C {target_folder} -x", input=packed)


@pytest.fixture(scope="module")
def db(network, hosts):
    return network.machines[DB]


def query(db, statement):
    rows = db.run("cd /; runuser -u postgres -- psql -XAt fsa", input=statement)
    return rows.splitlines()


@pytest.fixture(scope="module")
def ada(db, kubesim):
    client = browser(db)
    assert client.register("ada", PASSWORD).ok
    assert client.post("/api/user/config/kc", {"kubeconfig": kubesim.create_user("ada")}).ok
    return client


def create(client, count):
    """Creates projects, each tried with the same key until it succeeds; returns how many tries failed."""
    failed = 0
    for number in range(count):
        name = f"p{number}-{time.monotonic_ns() % 100000}"
        end = time.monotonic() + PATIENCE
        while True:
            answer = client.post("/api/projects", {"name": name, "database": False},
                                 headers={"Idempotency-Key": name})
            if answer.ok:
                break
            assert time.monotonic() < end, answer.text
            failed += 1
            time.sleep(0.3)
    return failed


def wait_running(client, count, seconds=2 * PATIENCE):
    def done(listed):
        states = Counter(p["status"] for p in listed["items"])
        return states["RUNNING"] == count

    client.wait("/api/projects?all=true&limit=100", done, seconds)


def test_nginx_uses_both_hosts_and_roles_are_proven_by_certificates(db, ada, hosts):
    for _ in range(20):
        assert ada.get("/api/projects").ok and ada.get("/api/auth/session").ok
    rows = query(db, "SELECT DISTINCT usename, client_addr FROM pg_stat_activity JOIN pg_stat_ssl"
                     " USING (pid) WHERE ssl AND client_dn = '/CN=' || usename")
    for address in WEB:
        assert {f"fsa_api|{address}", f"fsa_auth|{address}"} <= set(rows), rows


def test_each_host_has_its_own_metrics(db, hosts):
    ask = "curl -sf http://127.0.0.1:%d/metrics | grep ^fsa_pass_seconds_sum"
    first, second = (db.wait(ask % port) for port in (9711, 9712))
    assert first != second


def test_a_certificate_is_for_one_role(db, hosts):
    machine, _ = hosts[0]
    ask = (f"cd /; psql -XAt 'host={DB} dbname=fsa sslmode=verify-full sslrootcert={PKI}/ca.crt"
           f" sslcert={PKI}/fsa_auth.crt sslkey={PKI}/fsa_auth.key user=%s' -c 'SELECT 1' 2>&1")
    assert machine.run(ask % "fsa_auth").strip() == "1"
    for role in ("fsa_api", "fsa_reconcile", "fsa_owner", "postgres"):
        assert machine.run(ask % role, check=False).returncode != 0, role


def test_a_second_host_does_not_make_keys_of_its_own(hosts):
    machine, _ = hosts[1]
    machine.run("mv /etc/fullstack-agent/keys /root/")
    try:
        done = machine.run("fsa-setup", check=False)
        assert done.returncode == 1 and "copy them from a host" in done.stderr
    finally:
        machine.run("rm -rf /etc/fullstack-agent/keys; mv /root/keys /etc/fullstack-agent/")


def creations(kubesim, since):
    """Returns (resource, name) → how often it was created, by the number of its UIDs."""
    objects = {(w["resource"], w["name"], w["uid"]) for w in kubesim.writes(since)["writes"]}
    return Counter((resource, name) for resource, name, _ in objects)


class Reader(Repeated):
    """Reads a page over and over."""

    def __init__(self, client, path):
        super().__init__(pause_s=0.02)
        self._client, self._path = client, path
        self.statuses = Counter()
        self.slowest = 0.0

    def step(self):
        begun = time.monotonic()
        try:
            status = self._client.get(self._path).status_code
        except requests.RequestException as e:
            status = type(e).__name__
        self.statuses[status] += 1
        self.slowest = max(self.slowest, time.monotonic() - begun)


def test_a_host_cut_off_in_a_pass_loses_and_doubles_nothing(db, network, hosts, ada, kubesim):
    (one, to_cluster), (other, _) = hosts
    create(ada, 3)
    wait_running(ada, 3)
    first = kubesim.writes()["next"]

    # Only the first host's reconciler works, in one pass. Its requests are executed, but the responses are late.
    for machine in (one, other):
        machine.run("systemctl stop fsa-reconcile.timer fsa-reconcile.path")
        machine.wait("systemctl show -P ActiveState fsa-reconcile | grep -qvw activating")
    kubesim.fault(fault="latency", verb="apply", ms=3500)
    create(ada, 10)
    one.run("systemctl start fsa-reconcile.timer fsa-reconcile.path")
    end = time.monotonic() + PATIENCE
    leased = "SELECT count(*) FROM resources WHERE leased_until > now()"
    while query(db, leased) != ["10"] or not creations(kubesim, first):
        assert time.monotonic() < end, "the first host does not take them"
        time.sleep(0.05)
    network.cut(WEB[0])
    to_cluster.hold()
    cut_at = time.monotonic()
    kubesim.heal()
    other.run("systemctl start fsa-reconcile.timer fsa-reconcile.path")
    with Reader(ada, "/api/projects") as reader:
        failed = create(ada, 5)
        wait_running(ada, 18)
    healed = time.monotonic() - cut_at
    # What the first has sent arrives only now, long after the other has done the work.
    to_cluster.go_on()
    time.sleep(2)
    network.mend(WEB[0])

    assert set(reader.statuses) == {200}, reader.statuses  # nginx used the other host
    assert reader.slowest < 15  # two seconds for the host that is cut off, then the other one
    print(f"healed after {healed:.1f} s, {failed} changes had to be sent again, "
          f"slowest read {reader.slowest:.1f} s")
    made = creations(kubesim, first)
    assert len([kind for kind, _ in made if kind == "statefulsets"]) == 15, made
    assert set(made.values()) == {1}, made
    path = "/apis/apps/v1/namespaces/ns-ada/statefulsets"
    sets = [s["metadata"] for s in kubesim.admin.get(path)["items"]]
    assert len(sets) == 18 and {s["generation"] for s in sets} == {1}, sets
    assert len(query(db, "SELECT id FROM projects")) == 18


def test_a_host_that_comes_back_works_again(db, network, hosts, ada):
    one, _ = hosts[0]
    one.wait("systemctl show fsa-reconcile -P Result | grep -qw success")
    time.sleep(12)  # for ten seconds, nginx does not use a host that did not respond
    other, _ = hosts[1]
    other.run("systemctl stop fullstack-agent.target 'fsa-*'")
    try:
        assert create(ada, 2) == 0  # requests refused by one host go to the other
        wait_running(ada, 20)
    finally:
        other.run("systemctl start fullstack-agent.target")


@pytest.fixture(scope="module")
def standby(db, network, hosts):
    """A standby of the first PostgreSQL; the hosts know both."""
    machine = network.machines[STANDBY]
    first, then, _ = commands("growing.md", "A standby of PostgreSQL")
    db.run(first)
    copy(db, machine, "/root/fsa-pki", "/root/fsa-pki", "ca.crt", "server2.crt", "server2.key",
         "fsa_standby.crt", "fsa_standby.key")
    machine.run(then)
    for host, _ in hosts:
        host.run(f"""
            sed -i 's/host={DB}/& target_session_attrs=read-write/; s/host={DB}/&,{STANDBY}/' \\
                /etc/fullstack-agent/fsa.conf
            sed -i 's/^IPAddressAllow=.*/& {STANDBY}/' /etc/systemd/system/fsa-*.service.d/database.conf
            systemctl daemon-reload; systemctl restart fsa-api fsa-auth""")
    end = time.monotonic() + PATIENCE
    while query(db, "SELECT sync_state FROM pg_stat_replication") != ["sync"]:
        assert time.monotonic() < end, "the standby does not follow"
        time.sleep(0.2)
    return machine


def test_a_standby_takes_over_from_a_server_that_hangs(db, standby, hosts, ada):
    """No confirmed change is lost. The first server does not even refuse connections."""
    create(ada, 3)
    listed = "/api/projects?all=true&limit=100"
    before = {p["name"] for p in ada.get(listed).json()["items"]}
    db.run("systemctl kill --signal=STOP postgresql@15-main")
    begun = time.monotonic()
    assert ada.get("/api/projects").status_code == 503
    (promote,) = commands("growing.md", "A standby of PostgreSQL")[2:]
    standby.run(f"cd /; {promote}")
    promoted = time.monotonic()
    create(ada, 3)
    print(f"promoted after {promoted - begun:.1f} s, works after {time.monotonic() - promoted:.1f} s")
    assert time.monotonic() - promoted < 60
    after = {p["name"] for p in ada.get(listed).json()["items"]}
    assert before < after and len(after) == len(before) + 3
    wait_running(ada, len(after))
    db.run("systemctl kill --signal=KILL postgresql@15-main")
