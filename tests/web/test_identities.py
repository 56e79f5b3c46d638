"""Tests that one person can have many identities: how they are listed and unbound, and which is primary."""

import threading
import uuid

import pytest
from stand.site import Site

from test_sealos import SECRET, claims
from tokens import sign


@pytest.fixture(scope="module")
def site(workspace, build, postgres):
    secret = workspace / "identities-jwt"
    secret.write_text(SECRET)
    with Site(workspace / "identities", build, postgres, database="identities",
              options={"sealos_jwt_secret_file": secret}) as made:
        yield made


@pytest.fixture
def both(user, make_kubeconfig):
    """A user with a password and a Sealos account: the client, and the account's name."""
    client = user(kubeconfig=False)
    client.account = f"sealos-{client.name}"
    client.body = {"token": sign(claims(client.account), SECRET),
                   "kubeconfig": make_kubeconfig(f"ns-{client.account}")}
    answer = client.post("/api/auth/sealos/bind", client.body)
    assert answer.status_code == 200, answer.text
    return client


def identities(client):
    return {row["provider"]: row for row in client.get("/api/auth/identities").json()["items"]}


def test_a_bound_account_comes_with_its_kubeconfig(web, both):
    listed = identities(both)
    assert set(listed) == {"PASSWORD", "SEALOS"}
    assert (listed["PASSWORD"]["isPrimary"], listed["SEALOS"]["isPrimary"]) == (True, False)
    assert listed["PASSWORD"]["name"] == both.name
    assert listed["SEALOS"]["providerUserId"] == both.account
    assert set(listed["SEALOS"]) == {"id", "provider", "providerUserId", "name", "isPrimary",
                                     "createdAt", "updatedAt"}
    assert both.get("/api/user/config/kc").json()["namespace"] == f"ns-{both.account}"
    other = web.client()
    assert other.post("/api/auth/sealos", both.body).status_code == 200
    assert other.get("/api/auth/session").json()["user"]["id"] == both.id


def test_another_users_account_is_not_taken(web, both, user):
    other = user(kubeconfig=False)
    answer = other.post("/api/auth/sealos/bind", both.body)
    assert (answer.status_code, answer.json()["errorCode"]) == (409, "IDENTITY_TAKEN")
    assert set(identities(other)) == {"PASSWORD"}
    assert other.get("/api/user/config/kc").status_code == 404


def test_a_wrong_token_binds_nothing(both, user):
    other = user(kubeconfig=False)
    answer = other.post("/api/auth/sealos/bind", {**both.body, "token": "x.y.z"})
    assert answer.status_code == 401 and set(identities(other)) == {"PASSWORD"}


def test_an_unbound_identity_is_refused(web, both):
    by_account = web.client()
    assert by_account.post("/api/auth/sealos", both.body).status_code == 200
    path = f"/api/auth/identities/{identities(both)['SEALOS']['id']}"
    assert both.delete(path).json() == {"success": True}
    assert by_account.get("/api/auth/session").status_code == 401  # it began with this identity
    assert both.get("/api/auth/session").status_code == 200
    assert both.delete(path).status_code == 404
    again = web.client()  # the account is free now, so this is a new user
    assert again.post("/api/auth/sealos", both.body).status_code == 200
    assert again.get("/api/auth/session").json()["user"]["id"] != both.id


def test_the_last_one_stays(both):
    listed = identities(both)
    assert both.delete(f"/api/auth/identities/{listed['SEALOS']['id']}").status_code == 200
    answer = both.delete(f"/api/auth/identities/{listed['PASSWORD']['id']}")
    assert (answer.status_code, answer.json()["errorCode"]) == (409, "LAST_IDENTITY")
    assert set(identities(both)) == {"PASSWORD"}


def test_two_at_once_do_not_unbind_both(web, both):
    listed, answers = identities(both), []
    clients = []
    for _ in listed:
        client = web.client()
        client.session.cookies.update(both.session.cookies)
        clients.append(client)

    def run(client, row):
        answers.append(client.delete(f"/api/auth/identities/{row['id']}").status_code)

    threads = [threading.Thread(target=run, args=pair) for pair in zip(clients, listed.values())]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT count(*), count(*) FILTER (WHERE is_primary) FROM identities"
                       " WHERE user_id = %s", (both.id,))
        assert cursor.fetchone() == (1, 1)
    assert sorted(answers) in ([200, 401], [200, 409])


def test_another_one_becomes_the_primary(both):
    listed = identities(both)
    path = f"/api/auth/identities/{listed['SEALOS']['id']}/primary"
    assert both.post(path).json() == {"success": True}
    assert both.post(path).status_code == 200
    assert {p: row["isPrimary"] for p, row in identities(both).items()} == {
        "PASSWORD": False, "SEALOS": True}
    assert both.delete(f"/api/auth/identities/{listed['SEALOS']['id']}").status_code == 200
    assert identities(both)["PASSWORD"]["isPrimary"] is True  # it takes over


def test_strangers_have_no_say(both, user):
    stranger, own = user(kubeconfig=False), identities(both)
    for row in own.values():
        path = f"/api/auth/identities/{row['id']}"
        assert stranger.delete(path).status_code == 404
        assert stranger.post(f"{path}/primary").status_code == 404
    assert stranger.post(f"/api/auth/identities/{uuid.uuid4()}/primary").status_code == 404
    assert identities(both) == own
    assert identities(stranger)["PASSWORD"]["isPrimary"] is True


def test_the_audit_has_all_of_it(web, both):
    identity = identities(both)["SEALOS"]["id"]
    both.post(f"/api/auth/identities/{identity}/primary")
    both.delete(f"/api/auth/identities/{identity}")
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT action FROM audit WHERE object_id = %s ORDER BY id", (identity,))
        assert [action for action, in cursor.fetchall()] == [
            "identity.bind", "identity.primary", "identity.unbind"]
