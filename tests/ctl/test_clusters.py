"""Tests the parts of doctor, orphans and explain --look that need users' clusters, on kubesim."""

import itertools
import json
import os
import subprocess
import time
from types import SimpleNamespace

import pytest
from stand.kubesim import KubeSim
from stand.process import PATIENCE, Process, StandError
from stand.site import ROOT, SQL, Site

PASSWORD = "correct horse battery"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def cluster(workspace, kubesim_build):
    with KubeSim(workspace / "ctl-kubesim", kubesim_build) as running:
        yield running


@pytest.fixture(scope="module")
def site(workspace, build, postgres):
    """A site with the console, like an installed one."""
    with Site(workspace / "ctl", build, postgres, database="ctl", root=ROOT / "web") as made:
        yield made


@pytest.fixture(autouse=True)
def healthy(cluster):
    yield
    cluster.heal()


@pytest.fixture
def live(site):
    """Waits until live updates work; fsa-events connects within moments."""
    site.client().wait("/readyz", lambda r: r["checks"]["liveUpdates"] == "ok")


@pytest.fixture
def owner(site, cluster):
    """A user with a namespace in the cluster; create() makes a running project."""
    name = f"owner{next(_numbers)}"
    client = site.client()
    assert client.register(name, PASSWORD).ok

    def store(**options):
        body = {"kubeconfig": cluster.create_user(name, **options)}
        assert client.put("/api/user/config/kc", body).ok

    def create(database=False):
        made = client.post("/api/projects", {"name": f"App of {name}", "database": database})
        assert made.ok, made.text
        path = f"/api/projects/{made.json()['id']}"
        client.wait(path, lambda p: p["status"] == "RUNNING")
        return made.json()["id"]

    store()
    return SimpleNamespace(client=client, name=name, namespace=f"ns-{name}", store=store,
                           create=create)


@pytest.fixture
def fsactl(site):
    """Runs fsactl --json; returns (exit status, JSON)."""

    def run(*words, env=None):
        command = [site.programs.program("fsactl"), "--config", site.programs.config(), *words]
        done = subprocess.run([*map(str, command), "--json"], capture_output=True, text=True,
                              timeout=300, env=env)
        # This is for the administrator only; the owner is told less.
        assert [line for line in done.stderr.splitlines()
                if 'msg="a kubeconfig cannot be decrypted"' not in line] == []
        return done.returncode, json.loads(done.stdout)

    run.text = lambda *words: subprocess.run(
        [site.programs.program("fsactl"), "--config", site.programs.config(), *map(str, words)],
        capture_output=True, text=True, timeout=300).stdout
    return run


# ---- doctor -------------------------------------------------------------------------------------


@pytest.fixture
def doctor(fsactl, owner, live):
    """Runs doctor for one user's cluster; returns (exit status, findings of one check)."""

    def run(check=None, env=None):
        status, findings = fsactl("doctor", "--sql-dir", SQL, "--user", owner.name, env=env)
        return status, [f for f in findings if check in (None, f["check"])]

    return run


def test_a_site_in_order_has_nothing_to_do(doctor):
    status, findings = doctor()
    # The disks are those of this machine, and the stand has no systemd units.
    others = [f for f in findings if f["check"] not in ("disk", "units")]
    assert (status, {f["health"] for f in others}) == (0, {"ok"}), findings
    assert {f["check"] for f in others} == {"database", "schema", "keys", "secrets", "settings",
                                            "sockets", "site", "hosts", "queue", "clusters"}


def test_what_is_found_is_kept_for_administrators(site, fsactl):
    status, findings = fsactl("doctor", "--sql-dir", SQL, "--record")
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT host, in_order, findings FROM host_health")
        host, in_order, kept = cursor.fetchone()
    assert host and in_order == sum(f["health"] == "ok" for f in findings) > 0
    assert kept == sorted((f for f in findings if f["health"] != "ok"), key=lambda f: f["health"] != "FAILED")


def test_what_concerns_one_user_is_not_kept_as_the_sites(site, owner):
    with pytest.raises(StandError, match="not with --user"):
        site.programs.fsactl("doctor", "--record", "--user", owner.name)


def test_for_people_there_is_a_line_each(fsactl, owner):
    text = fsactl.text("doctor", "--sql-dir", SQL, "--user", owner.name)
    assert text.splitlines()[0].split() == ["HEALTH", "CHECK", "OF", "FOUND"]
    assert owner.namespace in text


def test_a_program_that_is_down(site, doctor):
    site.programs.stop("auth.fcgi")
    try:
        status, findings = doctor("sockets")
    finally:
        site.programs.start("auth.fcgi")
    assert status == 1
    assert [f["health"] for f in findings] == ["ok", "FAILED", "ok"]
    assert "fsa-auth" in findings[1]["advice"]


def test_live_updates_that_do_not_flow_are_a_warning(site, doctor):
    site.programs.stop("fsa-events")
    try:
        status, findings = doctor("sockets")
    finally:
        site.programs.start("fsa-events")
    assert (status, [f["health"] for f in findings]) == (0, ["ok", "ok", "warning"])
    assert "nchan" in findings[2]["advice"]


def test_a_schema_that_is_behind(fsactl, owner, tmp_path):
    for file in SQL.glob("*.sql"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    number = len(list(SQL.glob("*.sql"))) + 1
    (tmp_path / f"{number:04}_next.sql").write_text("SELECT 1;")
    status, findings = fsactl("doctor", "--sql-dir", tmp_path, "--user", owner.name)
    failed = [f for f in findings if f["health"] == "FAILED"]
    assert status == 1
    assert [f["subject"] for f in failed] == [f"{number:04}_next.sql"]
    assert "fsactl migrate" in failed[0]["advice"]


def test_a_role_without_its_rights(site, doctor):
    """This happens after a restore into a server where the roles did not exist yet."""
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("REVOKE SELECT ON clusters FROM fsa_reconcile")
    try:
        status, findings = doctor("schema")
    finally:
        with site.connect() as db, db.cursor() as cursor:
            cursor.execute("GRANT SELECT ON clusters TO fsa_reconcile")
    assert (status, [f["subject"] for f in findings if f["health"] == "FAILED"]) == (
        1, ["fsa_reconcile"])


def test_keys_that_are_no_pair(site, doctor):
    public = site.programs.config().parent / "owner.pub"
    kept = public.read_text()
    public.write_text((site.programs.config().parent / "cluster.pub").read_text())
    try:
        status, findings = doctor("keys")
    finally:
        public.write_text(kept)
    assert status == 1
    assert [f["health"] for f in findings] == ["FAILED", "ok"]
    assert "no pair" in findings[0]["message"]


def test_a_key_that_was_lost(site, owner, doctor):
    """doctor finds what was sealed to it before its owner misses it."""
    owner.create()
    folder = site.programs.config().parent
    kept = {name: (folder / name).read_text() for name in ("owner.pub", "owner.key")}
    site.programs.fsactl("keys", "add", "owner")
    for name in kept:
        newest = (folder / name).read_text().splitlines()[0]
        (folder / name).write_text(f"{newest}\n")
    try:
        status, findings = doctor("secrets")
    finally:
        for name, text in kept.items():
            (folder / name).write_text(text)
    failed = [f for f in findings if f["health"] == "FAILED"]
    assert (status, [f["subject"] for f in failed]) == (1, ["owner"])
    assert kept["owner.key"].split()[0] in failed[0]["message"]


def test_a_reconciler_that_does_not_come(site, owner, doctor):
    project = owner.create()
    site.programs.stop("fsa-reconcile")
    try:
        with site.connect() as db, db.cursor() as cursor:
            cursor.execute("UPDATE resources SET due_at = now() - interval '5 minutes',"
                           " leased_until = NULL, leased_by = NULL WHERE project_id = %s",
                           (project,))
        status, findings = doctor("queue")
    finally:
        site.programs.start("fsa-reconcile")
    assert (status, findings[0]["health"]) == (1, "FAILED")
    assert "fsa-reconcile.timer" in findings[0]["advice"]


@pytest.fixture
def other_host(site, tmp_path):
    """A reconciler with other keys on a host called "other"."""
    if subprocess.run(["unshare", "--uts", "true"], capture_output=True).returncode != 0:
        pytest.skip("needs the right to give a process another host name")
    config = tmp_path / "fsa.conf"
    lines = [line for line in site.programs.config("fsa-reconcile").read_text().splitlines()
             if "_key_file =" not in line]
    for ring in ("owner", "cluster"):
        lines += [f"{ring}_public_key_file = {tmp_path}/{ring}.pub",
                  f"{ring}_private_key_file = {tmp_path}/{ring}.key"]
    config.write_text("\n".join([*lines, ""]))
    for ring in ("owner", "cluster"):
        subprocess.run([site.programs.program("fsactl"), "--config", config, "keys", "add", ring],
                       check=True, capture_output=True)
    process = Process(tmp_path, "other")
    process.start(["unshare", "--uts", "sh", "-c", 'hostname other; exec "$0" "$@"',
                   site.programs.program("fsa-reconcile"), "--config", config, "--every", "100ms"])
    yield process
    process.stop()
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("DELETE FROM pass_hosts WHERE host = 'other'")


def test_a_host_with_other_keys_is_named_and_leaves_what_it_cannot_open_alone(site, owner, other_host,
                                                                              fsactl):
    def ask(sql, *parameters):
        with site.connect() as db, db.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else None

    def wait(sql, *parameters):
        end = time.monotonic() + PATIENCE
        while not ask(sql, *parameters)[0][0]:
            assert time.monotonic() < end, sql
            time.sleep(0.05)

    wait("SELECT count(*) = 2 FROM pass_hosts WHERE last_pass_at > now() - interval '10 seconds'")
    project = owner.create(database=True)
    # Both keep claiming; each time, one of them gets the rows.
    for _ in range(10):
        ask("UPDATE resources SET due_at = now(), leased_until = NULL, leased_by = NULL"
            " WHERE project_id = %s", project)
        wait("SELECT bool_and(due_at > now() AND leased_until IS NULL) FROM resources"
             " WHERE project_id = %s", project)
    assert ask("SELECT DISTINCT code FROM events WHERE project_id = %s", project) == [(None,)]
    status, findings = fsactl("doctor", "--sql-dir", SQL, "--user", owner.name)
    failed = [f for f in findings if f["health"] == "FAILED"]
    assert status == 1
    assert {(f["check"], f["subject"]) for f in failed} == {("hosts", "other")}
    said = " ".join(f["message"] for f in failed)
    assert "do not have the cluster key" in said and "do not have the owner key" in said
    assert f"copy /etc/fullstack-agent/keys from {os.uname().nodename} to other" in failed[0]["advice"]


def test_a_cluster_that_does_not_answer_is_a_warning(cluster, doctor):
    cluster.stop_apiserver()
    try:
        status, findings = doctor("clusters")
    finally:
        cluster.start_apiserver()
    assert status == 0
    assert [f["health"] for f in findings] == ["warning"]
    assert "firewall" in findings[0]["advice"]


@pytest.mark.parametrize("fault, advice", [
    ({"fault": "unauthorized"}, "stores a new kubeconfig"),
    ({"fault": "forbidden"}, "Owner or Manager"),
])
def test_a_cluster_that_refuses(cluster, owner, doctor, fault, advice):
    cluster.fault(namespace=owner.namespace, **fault)
    _, findings = doctor("clusters")
    assert findings[-1]["health"] == "warning" and advice in findings[-1]["advice"]


@pytest.mark.parametrize("distance, message", [
    ("59 minutes", "the credentials expire in 5"),
    ("-90 minutes", "the credentials expired 1h 30m ago, and the API server takes them"),
])
def test_credentials_that_end(site, owner, doctor, distance, message):
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE kubeconfigs SET expires_at = now() + %s::interval"
                       " WHERE namespace = %s", (distance, owner.namespace))
    _, findings = doctor("clusters")
    assert [f["health"] for f in findings] == ["warning", "ok"]
    assert message in findings[0]["message"]


def test_a_clock_that_is_ahead_is_told_and_no_kubeconfig_blamed(cluster, owner, doctor, shifted):
    cluster.fault(namespace=owner.namespace, fault="unauthorized")
    status, findings = doctor("clusters", env=shifted(7200))
    assert status == 1
    assert (findings[0]["health"], findings[0]["subject"]) == ("FAILED", "clock")
    assert findings[0]["message"] == f"this host's clock is 2h 0m ahead of that of {cluster.server}"
    assert "timedatectl" in findings[0]["advice"]
    assert "a clock is wrong" in findings[1]["advice"]
    assert "stores a new kubeconfig" not in findings[1]["advice"]


def test_a_clock_that_is_behind_is_blamed_for_a_servers_certificate(doctor, shifted):
    """The cluster's certificate has just been made, so for this host it begins in the future."""
    _, findings = doctor("clusters", env=shifted(-7200))
    assert "not yet valid" in findings[-1]["message"]
    assert "a clock is wrong" in findings[-1]["advice"]


def test_a_kubeconfig_that_no_key_opens(site, owner, doctor):
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE kubeconfigs SET sealed = 'nonsense' WHERE namespace = %s",
                       (owner.namespace,))
    _, findings = doctor("clusters")
    assert [f["health"] for f in findings] == ["warning"]
    assert "store it again" in findings[0]["message"]


def test_without_a_database_the_rest_is_checked(site, tmp_path):
    config = tmp_path / "fsa.conf"
    lines = [line for line in site.programs.config().read_text().splitlines()
             if not line.startswith("database =")]
    config.write_text("\n".join([*lines, "database = host=/nonexistent", ""]))
    done = subprocess.run([site.programs.program("fsactl"), "--config", config, "doctor", "--json"],
                          capture_output=True, text=True)
    findings = json.loads(done.stdout)
    assert done.returncode == 1
    assert [f["check"] for f in findings if f["health"] == "FAILED"] == ["database"]
    assert {"keys", "sockets"} < {f["check"] for f in findings}


# ---- orphans ------------------------------------------------------------------------------------


def namespaced(cluster, namespace):
    """Returns the names of the objects in a namespace, by kind."""
    return {kind: {o["metadata"]["name"] for o in
                   cluster.api("GET", f"/{group}/namespaces/{namespace}/{kind}")["items"]}
            for group, kind in (("apis/apps/v1", "statefulsets"), ("api/v1", "services"),
                                ("api/v1", "secrets"))}


def test_no_orphans_where_all_is_in_order(fsactl, owner):
    owner.create(database=True)
    assert fsactl("orphans", "--user", owner.name) == (0, [])
    assert fsactl.text("orphans", "--user", owner.name) == "no orphans\n"
    assert [f for f in fsactl("orphans")[1] if f["owner"] == owner.name] == []


def test_objects_without_a_row_are_shown_and_deleted_when_asked(site, cluster, fsactl, owner):
    project, kept = owner.create(database=True), None
    site.programs.stop("fsa-reconcile")
    try:
        with site.connect() as db, db.cursor() as cursor:
            cursor.execute("DELETE FROM resources WHERE project_id = %s", (project,))
        status, shown = fsactl("orphans", "--user", owner.name)
        assert status == 1
        assert {o["kind"] for o in shown} >= {"StatefulSet", "Service", "Ingress", "Secret",
                                              "NetworkPolicy", "Cluster", "ServiceAccount"}
        assert {(o["finding"], o["state"]) for o in shown} == {
            ("object without a row", "left behind")}
        kept = namespaced(cluster, owner.namespace)
        assert kept["statefulsets"] and kept["services"]
        status, done = fsactl("orphans", "--user", owner.name, "--delete")
        assert (status, {o["state"] for o in done}) == (0, {"deleted"})
    finally:
        site.programs.start("fsa-reconcile")
    end = time.monotonic() + PATIENCE
    while (left := namespaced(cluster, owner.namespace))["services"] and time.monotonic() < end:
        time.sleep(0.2)  # until the database's own objects are gone with its Cluster
    assert not left["statefulsets"] and not left["services"]
    _, lines = fsactl("audit", "--action", "admin.orphan", "--user", owner.name)
    assert len(lines) == len(shown)


def test_what_is_not_ours_is_left_alone(cluster, fsactl, owner):
    cluster.api("POST", f"/api/v1/namespaces/{owner.namespace}/secrets",
                {"metadata": {"name": "theirs",
                              "labels": {"app.kubernetes.io/managed-by": "fullstack-agent"}}})
    assert fsactl("orphans", "--user", owner.name, "--delete") == (0, [])
    assert "theirs" in namespaced(cluster, owner.namespace)["secrets"]


def test_an_object_that_was_made_anew_meanwhile_is_not_deleted(site, cluster, fsactl, owner):
    """When the API server refuses a delete because the UID is another object's, that is reported and nothing else
    happens."""
    path = f"/api/v1/namespaces/{owner.namespace}/services"
    labels = {"project.fullstackagent.io/resource": "11111111-2222-3333-4444-555555555555"}
    body = {"metadata": {"name": "left", "labels": labels}, "spec": {"ports": [{"port": 80}]}}
    cluster.api("POST", path, body)
    cluster.fault(fault="conflict", verb="delete", resource="services", namespace=owner.namespace,
                  message="the UID in the precondition does not match")
    status, found = fsactl("orphans", "--user", owner.name, "--delete")
    assert status == 1
    assert "precondition" in found[0]["state"]
    assert "left" in namespaced(cluster, owner.namespace)["services"]


def test_a_row_whose_objects_are_gone(site, cluster, fsactl, owner):
    project = owner.create()
    site.programs.stop("fsa-reconcile")
    try:
        name, = namespaced(cluster, owner.namespace)["statefulsets"]
        cluster.api("DELETE", f"/apis/apps/v1/namespaces/{owner.namespace}/statefulsets/{name}")
        _, found = fsactl("orphans")
    finally:
        site.programs.start("fsa-reconcile")
    row = next(f for f in found if f.get("name") == name)
    assert (row["finding"], row["owner"]) == ("row without objects", owner.name)
    assert row["state"].startswith("gone from the cluster")
    assert project in str(fsactl("project", "show", row["name"])[1])


def test_a_row_whose_cluster_nobody_can_ask(cluster, fsactl, owner):
    owner.create()
    owner.store(namespace=f"{owner.namespace}-other")
    _, found = fsactl("orphans")
    row = next(f for f in found if f["owner"] == owner.name)
    assert "kubeconfig is for another place" in row["state"]
    owner.store()


def test_a_cluster_that_cannot_be_seen_is_said_and_nothing_concluded(cluster, fsactl, owner):
    owner.create()
    cluster.fault(fault="unavailable", verb="list", resource="statefulsets",
                  namespace=owner.namespace)
    status, found = fsactl("orphans", "--user", owner.name, "--delete")
    assert status == 1
    assert [(f["finding"], f["kind"]) for f in found] == [("cluster not seen", "StatefulSet")]


# ---- explain --look -----------------------------------------------------------------------------


def look(fsactl, project, kind="SANDBOX"):
    _, explained = fsactl("project", "explain", project, "--look")
    return next(r for r in explained["resources"] if r["kind"] == kind)["look"]


def test_looking_at_what_runs(fsactl, owner):
    project = owner.create(database=True)
    for kind in ("SANDBOX", "DATABASE"):
        found = look(fsactl, project, kind)
        assert (found["observed"], found["action"], found["status"]) == ("READY", "NONE", "RUNNING")
    assert "READY: as desired" in fsactl.text("project", "explain", project, "--look")


def test_looking_at_what_is_broken(cluster, fsactl, owner):
    project = owner.create()
    cluster.effect(effect="crash", namespace=owner.namespace)
    end = time.monotonic() + PATIENCE
    while (found := look(fsactl, project))["observed"] != "BROKEN" and time.monotonic() < end:
        time.sleep(0.2)
    assert found["observed"] == "BROKEN"
    assert found["cause"] is None or found["cause"]["kind"].startswith("POD_")


def test_looking_changes_nothing(cluster, fsactl, owner, site):
    project = owner.create()
    site.programs.stop("fsa-reconcile")
    try:
        before = cluster.writes()["next"]
        look(fsactl, project)
        writes = [w for w in cluster.writes(before)["writes"]
                  if w.get("namespace") == owner.namespace]
    finally:
        site.programs.start("fsa-reconcile")
    assert writes == []


def test_looking_where_nobody_answers(cluster, fsactl, owner):
    project = owner.create()
    cluster.stop_apiserver()
    try:
        assert look(fsactl, project)["kind"] == "KUBE_UNREACHABLE"
    finally:
        cluster.start_apiserver()
