"""Tests what owners are shown about a stored kubeconfig before anything is made with it."""

import contextlib

import pytest
import yaml
from people import Person, eventually, expect
from schedule import OPTIONS
from stand.kubesim import user_name
from stand.process import free_port
from stand.site import Site

ALL = ["reachable", "certificate", "credentials", "namespace", "permissions", "quota", "databases"]


@pytest.fixture
def site_with(workspace, build, postgres):
    """site_with(name, **options): makes sites for one test."""
    with contextlib.ExitStack() as stack:
        yield lambda name, every="200ms", **options: stack.enter_context(
            Site(workspace / name, build, postgres, database=name, options={**OPTIONS, **options},
                 every=every))


@pytest.fixture
def newcomer(site, kubesim):
    """newcomer(role="developer", quota=…): makes a user with a namespace but no stored kubeconfig."""
    yield lambda **options: Person(site, kubesim, kubeconfig=False, **options)
    kubesim.heal()


def shown(person):
    return expect(person.client.get("/api/user/config/kc"))["check"]


def state(person):
    return shown(person)["state"]


def checked(person):
    """Returns name → finding, once the check is done."""
    def done():
        """the kubeconfig is checked"""
        check = shown(person)
        return check["state"] == "done" and check

    check = eventually(done, last=lambda: shown(person))
    assert check["checkedAt"]
    assert [found["name"] for found in check["checks"]] == ALL
    return {found["name"]: found for found in check["checks"]}


def found(person, text=None):
    """Stores a kubeconfig; returns its findings."""
    person.put_kubeconfig(text)
    return checked(person)


def statuses(checks):
    return [checks[name]["status"] for name in ALL]


def changed(kubeconfig, **cluster):
    """Returns the kubeconfig with changed members of its cluster; None removes one."""
    config = yaml.safe_load(kubeconfig)
    members = {**config["clusters"][0]["cluster"], **cluster}
    config["clusters"][0]["cluster"] = {k: v for k, v in members.items() if v is not None}
    return yaml.safe_dump(config)


def rest_is_unknown(checks, after):
    """Checks that what could not be tested is shown as unknown, not as wrong."""
    later = [checks[name] for name in ALL[ALL.index(after) + 1:]]
    return all((c["status"], c["kind"], c["action"]) == ("unknown", None, None)
               and c["headline"].endswith("is not known") for c in later)


def sql(site, statement, *parameters):
    with contextlib.closing(site.connect()) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchone()


def test_of_a_good_kubeconfig_everything_is_told_and_nothing_is_made(newcomer, kubesim):
    person = newcomer()
    checks = found(person)
    assert statuses(checks) == ["ok"] * 7
    assert all(c["headline"] and c["kind"] is c["detail"] is c["action"] is None
               for c in checks.values())
    written = [w["user"] for w in kubesim.writes()["writes"]]
    assert written and user_name(person.name) not in written


def test_a_wrong_token_is_told_at_once(newcomer):
    person = newcomer()
    checks = found(person, person.kubeconfig.replace("token: ", "token: x"))
    assert statuses(checks)[:3] == ["ok", "ok", "failed"]
    refused = checks["credentials"]
    assert (refused["kind"], refused["detail"]) == ("KUBE_UNAUTHORIZED", "Unauthorized")
    assert refused["headline"] == "Your cluster does not accept the stored kubeconfig"
    assert "Store a new kubeconfig" in refused["action"]
    assert rest_is_unknown(checks, "credentials")


def test_an_expired_token_is_told_at_once(newcomer):
    person = newcomer(lifetime=0)
    checks = found(person)
    assert statuses(checks)[:3] == ["ok", "ok", "failed"]
    assert rest_is_unknown(checks, "credentials")


def test_a_namespace_that_does_not_exist(newcomer, kubesim):
    person = newcomer()
    token = kubesim.order("POST", "/users", {
        "name": user_name(person.name), "namespace": "nowhere", "role": "owner",
        "lifetimeSeconds": 3600})["token"]
    config = yaml.safe_load(person.kubeconfig)
    config["contexts"][0]["context"]["namespace"] = "nowhere"
    config["users"][0]["user"] = {"token": token}
    checks = found(person, yaml.safe_dump(config))
    assert statuses(checks)[:4] == ["ok", "ok", "ok", "failed"]
    assert checks["namespace"]["code"] == "NAMESPACE_NOT_FOUND"
    assert checks["namespace"]["headline"] == "Your kubeconfig's namespace does not exist"
    assert rest_is_unknown(checks, "namespace")


def test_what_a_role_lacks_is_named(newcomer):
    checks = found(newcomer(role="developer"))
    assert statuses(checks) == ["ok", "ok", "ok", "ok", "failed", "unknown", "warning"]
    lacking = checks["permissions"]
    assert lacking["headline"] == (
        "Your kubeconfig's account lacks a permission in its namespace")
    assert lacking["detail"].startswith("not allowed: statefulsets: create, patch, delete; ")
    assert "pods: delete" in lacking["detail"] and "list" not in lacking["detail"]
    assert "clusters: create, patch, delete" in checks["databases"]["detail"]


def test_a_quota_that_is_used_up_is_a_warning(newcomer):
    checks = found(newcomer(quota={"pods": "0"}))
    assert statuses(checks) == ["ok", "ok", "ok", "ok", "ok", "warning", "ok"]
    assert checks["quota"]["headline"] == "Your namespace's quota is used up"
    assert "exceeded quota" in checks["quota"]["detail"]


def test_a_policy_that_refuses_sandboxes(newcomer):
    checks = found(newcomer(enforce="restricted"))
    assert statuses(checks) == ["ok"] * 7  # our objects satisfy the policy
    person = newcomer()
    person.cluster.fault(
        fault="forbidden", verb="apply", resource="statefulsets", namespace=person.namespace.name,
        message='admission webhook "policy.example.com" denied the request: not here')
    checks = found(person)
    assert checks["permissions"]["status"] == "failed"
    assert checks["permissions"]["headline"] == "A policy of your cluster refuses this"


def test_a_webhook_that_cannot_be_asked_has_refused_nothing(newcomer):
    person = newcomer()
    person.cluster.fault(
        fault="invalid", code=400, reason="BadRequest", verb="apply", resource="statefulsets",
        namespace=person.namespace.name,
        message='admission webhook "old.example.com" does not support dry run')
    assert statuses(found(person)) == ["ok"] * 7


def test_an_account_in_debt(newcomer):
    person = newcomer()
    person.cluster.suspend(person.namespace.name)
    checks = found(person)
    assert checks["permissions"]["kind"] == "KUBE_BILLING"
    assert checks["permissions"]["headline"] == "Your cluster account is in debt"


def test_a_kubeblocks_that_takes_no_database(newcomer):
    person = newcomer()
    person.cluster.fault(fault="invalid", verb="apply", resource="clusters", namespace=person.namespace.name)
    checks = found(person)
    assert statuses(checks) == ["ok", "ok", "ok", "ok", "ok", "ok", "warning"]
    assert checks["databases"]["kind"] == "KUBE_INVALID"


def test_a_cluster_that_cannot_be_reached(newcomer):
    person = newcomer()
    checks = found(person, changed(person.kubeconfig, server=f"https://127.0.0.1:{free_port()}"))
    assert checks["reachable"]["status"] == "failed"
    assert checks["reachable"]["headline"] == "Your cluster cannot be reached"
    assert rest_is_unknown(checks, "reachable")


def test_a_cluster_with_another_certificate(newcomer):
    person = newcomer()
    checks = found(person, changed(person.kubeconfig, **{"certificate-authority-data": None}))
    assert statuses(checks)[:2] == ["ok", "failed"]
    assert checks["certificate"]["kind"] == "KUBE_TLS"
    assert rest_is_unknown(checks, "certificate")


def test_what_is_no_kubernetes(newcomer):
    person = newcomer()
    person.cluster.fault(fault="not-json", user=user_name(person.name))
    checks = found(person)
    assert checks["reachable"]["status"] == "failed"
    assert checks["reachable"]["headline"] == (
        "What answers at your cluster's address is not Kubernetes")


def test_a_kubeconfig_is_checked_as_soon_as_it_is_stored(site_with, kubesim):
    site = site_with("woken", every="1h")
    assert statuses(found(Person(site, kubesim, kubeconfig=False))) == ["ok"] * 7


def test_two_stored_quickly_are_checked_a_minute_apart(newcomer, site):
    person = newcomer()
    assert statuses(found(person)) == ["ok"] * 7
    person.put_kubeconfig(person.kubeconfig.replace("token: ", "token: x"))
    assert shown(person) == {"state": "pending", "checkedAt": None, "checks": []}
    assert sql(site, "SELECT due_at - begun_at = interval '1 minute' FROM kubeconfig_checks"
               " WHERE user_id = (SELECT id FROM users WHERE name = %s)", person.name) == (True,)
    pass_a_minute(site, person)
    assert statuses(checked(person))[:3] == ["ok", "ok", "failed"]


def pass_a_minute(site, person):
    """Pretends that the last check was a minute ago."""
    sql(site, "UPDATE kubeconfig_checks SET due_at = now(), begun_at = begun_at - interval '1 min'"
        " WHERE user_id = (SELECT id FROM users WHERE name = %s) RETURNING 1", person.name)


def test_whoever_has_mended_it_asks_again(newcomer, site):
    person = newcomer(role="developer")
    assert found(person)["permissions"]["status"] == "failed"
    person.cluster.create_user(person.name, role="owner")
    asked = expect(person.client.post("/api/user/config/kc/check", {}))["check"]
    assert asked["state"] == "pending"
    assert [c["name"] for c in asked["checks"]] == ALL  # until then, the previous findings are shown
    pass_a_minute(site, person)
    assert statuses(checked(person)) == ["ok"] * 7


def test_a_reconciler_that_is_killed_meanwhile_loses_nothing(site_with, kubesim):
    site = site_with("killed", lease_time="5s", kube_request_timeout="1s")
    person = Person(site, kubesim, kubeconfig=False)
    kubesim.fault(fault="hang", ms=600000, user=user_name(person.name))
    person.put_kubeconfig()
    eventually(lambda: state(person) == "running")
    site.programs.kill("fsa-reconcile")
    kubesim.heal()
    site.programs.start("fsa-reconcile")
    assert statuses(checked(person)) == ["ok"] * 7


def test_what_a_project_needs_is_not_held_up_by_a_check(newcomer):
    """A cluster that hangs never responds; the check ends by itself."""
    person = newcomer()
    person.cluster.fault(fault="hang", ms=600000, resource="pods", verb="apply",
                         namespace=person.namespace.name)
    person.put_kubeconfig()
    person.create("Meanwhile").wait("RUNNING")
    assert checked(person)["quota"]["status"] == "unknown"


def test_nobody_elses_check_is_shown(newcomer, site, kubesim):
    person = newcomer(role="developer")
    found(person)
    other = Person(site, kubesim, kubeconfig=False)
    assert other.client.get("/api/user/config/kc").status_code == 404
    assert other.client.post("/api/user/config/kc/check", {}).status_code == 404
