"""Tests the processes of a pass: an attack that no limit stops costs its owner, and others only a moment."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from people import Person, eventually
from stand.site import Site
from test_tenants import query

SOURCE = Path(__file__).with_name("trap.c")
SHARDS = 2
# A process that sleeps is ended after four times that.
OPTIONS = {"shards": str(SHARDS), "stall_time": "1s"}


@pytest.fixture(scope="module")
def trap(workspace):
    library = workspace / "trap.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, SOURCE,
                    "-ldl"], check=True)
    return library


@pytest.fixture
def site(workspace, build, postgres, trap, request):
    name = f"shards_{abs(hash(request.node.name))}"
    with Site(workspace / name, build, postgres, database=name, options=OPTIONS, every="100ms",
              wrap=("env", f"LD_PRELOAD={trap}")) as running:
        yield running


def shard(site, person):
    ((number,),) = query(site, "SELECT (uuid_hash(user_id) & 2147483647) %% %s FROM kubeconfigs"
                               " WHERE namespace = %s", SHARDS, f"ns-{person.name}")
    return number


def neighbour(site, kubesim, person):
    """Returns a user whose rows are in the same shard."""
    for _ in range(40):
        found = Person(site, kubesim)
        if shard(site, found) == shard(site, person):
            return found
    raise AssertionError("nobody is in that shard")


@pytest.mark.parametrize("kind", ["spin", "sleep", "crash"])
def test_a_stall_costs_its_user_and_others_continue(site, kubesim, kind):
    hostile = Person(site, kubesim)
    victim = neighbour(site, kubesim, hostile)
    shop = victim.create("Shop")
    shop.wait("RUNNING")
    trap = hostile.create(f"trap-{kind}")

    eventually(lambda: query(site, "SELECT FROM stalls"))
    ((user, namespace, count),) = query(site, "SELECT user_id::text, namespace, count FROM stalls"
                                              " JOIN kubeconfigs USING (user_id)")
    assert (namespace, count) == (f"ns-{hostile.name}", 1)
    eventually(lambda: trap.sandbox()["cause"])
    cause = trap.sandbox()["cause"]
    assert cause["code"] == "KUBE_STALLED", cause
    assert "nothing is asked of it for" in cause["detail"]
    # None of its rows is leased any more, and its owner's requests have to wait.
    trap.set_variable("A", "1")
    epoch = query(site, "SELECT lease_epoch FROM resources WHERE user_id = %s", user)

    shop.set_variable("A", "1")
    eventually(lambda: "A" in victim.namespace.secret(f"{shop.sandbox()['name']}-env"))
    victim.create("Another").wait("RUNNING")
    assert query(site, "SELECT lease_epoch FROM resources WHERE user_id = %s", user) == epoch

    # It is tried again when its time has come, and then left alone for twice as long.
    query(site, "UPDATE stalls SET until = now() RETURNING 1")
    eventually(lambda: query(site, "SELECT FROM stalls WHERE count = 2 AND until > now()"
                                   " + interval '20 s'"))
    assert query(site, "SELECT count(*) FROM stalls") == [(1,)]


def children(pid):
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def waits(pid):
    """Whether a process has been idle since the previous call."""
    text = Path(f"/proc/{pid}/status").read_text("ascii")
    switches = re.search(r"^voluntary_ctxt_switches:\s+(\d+)$", text, re.M)[1]
    before, waits.known[pid] = waits.known.get(pid), switches
    return switches == before


waits.known = {}


def test_a_killed_process_gives_its_rows_back_at_once(site, kubesim):
    """Otherwise its leases would last for half a minute."""
    kubesim.fault(fault="latency", ms=1500)
    try:
        project = Person(site, kubesim).create("Slow")
        parent = site.programs.pid("fsa-reconcile")
        held = "SELECT leased_by FROM resources WHERE leased_until > now()"
        ((worker,),) = eventually(lambda: query(site, held))
        process = int(worker.rpartition("/")[2])
        assert process in children(parent)
        eventually(lambda: waits(process))
        os.kill(process, signal.SIGKILL)
        eventually(lambda: [(worker,)] != query(site, held))
        assert query(site, "SELECT FROM resources WHERE leased_by = %s", worker) == []
    finally:
        kubesim.heal()
    project.wait("RUNNING")
    assert site.programs.pid("fsa-reconcile") == parent
    assert query(site, "SELECT FROM stalls") == []


def test_nothing_of_a_pass_outlives_its_parent(site, kubesim):
    kubesim.fault(fault="latency", ms=1500)
    try:
        Person(site, kubesim).create("Slow")
        parent = site.programs.pid("fsa-reconcile")
        processes = eventually(lambda: children(parent))
        site.programs.process("fsa-reconcile").kill()
        eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in processes))
    finally:
        kubesim.heal()
        site.programs.start("fsa-reconcile")


def test_a_host_with_nothing_to_do_has_one_process(site, kubesim):
    Person(site, kubesim).create("Shop").wait("RUNNING")
    parent = site.programs.pid("fsa-reconcile")
    eventually(lambda: children(parent) == [])


def refuse_rows(site):
    """Makes PostgreSQL refuse and count each claim of a project called "refused"."""
    query(site, "CREATE SEQUENCE refusals; SELECT 1")
    query(site, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
                " $$BEGIN PERFORM nextval('refusals'); RAISE 'refused'; END$$; SELECT 1")
    query(site, "CREATE TRIGGER refuse BEFORE UPDATE OF lease_epoch ON resources FOR EACH ROW"
                " WHEN (OLD.name LIKE 'refused-%%') EXECUTE FUNCTION refuse(); SELECT 1")


def test_a_pass_that_fails_in_one_shard_continues_in_the_others(site, kubesim):
    """PostgreSQL refuses one user's row. The process of another user's shard keeps claiming, although the pass will
    have failed: it is not told to end, which would delay the next row until its last is done."""
    refused = Person(site, kubesim)
    other = next(p for p in (Person(site, kubesim) for _ in range(40))
                 if shard(site, p) != shard(site, refused))
    holder = "SELECT leased_by FROM resources WHERE name LIKE %s AND leased_until > now()"
    refuse_rows(site)
    kubesim.fault(user=f"*:{other.name}", fault="hang")
    try:
        other.create("Slow")
        ((worker,),) = eventually(lambda: query(site, holder, "slow-%"))
        row = refused.create("refused")
        eventually(lambda: query(site, "SELECT is_called FROM refusals") == [(True,)])
        eventually(lambda: children(site.programs.pid("fsa-reconcile")) == [
            int(worker.rpartition("/")[2])])
        another = other.create("Another")
        assert eventually(lambda: query(site, holder, "another-%"), every=0.01) == [(worker,)]
    finally:
        kubesim.heal()
    another.wait("RUNNING")
    log = site.programs.process("fsa-reconcile").log
    eventually(lambda: "refused (P0001)" in log.read_text())  # logged at the end of the pass
    query(site, "DROP TRIGGER refuse ON resources; SELECT 1")
    row.wait("RUNNING")
