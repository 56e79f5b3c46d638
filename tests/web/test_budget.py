"""Tests what one user can make grow: changes, limited by a token bucket, and kept responses, by number and size."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import PASSWORD
from test_tokens import make, program, sql

BURST = 5
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def limited(workspace, build, postgres):
    """A site that allows BURST changes at once, and then one per minute."""
    from stand.site import Site

    options = {"changes_burst": BURST, "changes_per_minute": 1}
    with Site(workspace / "budgets", build, postgres, database="budgets",
              options=options) as made:
        made.programs.stop("fsa-reconcile")
        yield made


@pytest.fixture
def person(limited):
    """Makes people who are logged in, with full budgets."""

    def new():
        client = limited.client()
        client.name = f"spender{next(_numbers)}"
        client.register(client.name, PASSWORD)
        return client

    return new


def change(client, key=None, setting="NAME"):
    headers = {"Idempotency-Key": key} if key else {}
    return client.post("/api/user/config", {"configs": [{"key": setting, "value": "x"}]},
                       headers=headers)


def spend(client):
    for _ in range(BURST):
        assert change(client).ok
    return client


def refill(limited, client, minutes=1):
    """Moves the bucket's clock."""
    sql(limited, "UPDATE budgets SET refilled_at = refilled_at - %s * interval '1 minute'"
                 " WHERE user_id = %s", minutes, user_id(client))


def user_id(client):
    return client.get("/api/auth/session").json()["user"]["id"]


def check_refused(answer):
    assert (answer.status_code, answer.json()["errorCode"]) == (429, "TOO_MANY_CHANGES")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert f"{BURST} changes at once" in answer.json()["error"]


def test_only_the_user_with_too_many_changes_waits(person):
    ada, bob = spend(person()), person()
    check_refused(change(ada))
    assert ada.get("/api/projects").ok
    assert change(bob).ok


def test_time_gives_back_one_change_after_the_other(limited, person):
    ada = spend(person())
    check_refused(change(ada))
    refill(limited, ada)
    assert change(ada).ok
    check_refused(change(ada))
    refill(limited, ada, minutes=1000)  # no more than a full bucket
    spend(ada)
    check_refused(change(ada))


def test_a_refusal_leaves_no_trace(limited, person):
    ada = spend(person())
    mine = user_id(ada)

    def traces():
        return sql(limited, "SELECT (SELECT count(*) FROM audit WHERE user_id = %s),"
                            " (SELECT count(*) FROM idempotency WHERE user_id = %s)", mine, mine)

    before = traces()
    check_refused(change(ada, key="mine", setting="REFUSED"))
    assert traces() == before
    assert sql(limited, "SELECT key FROM user_config WHERE user_id = %s", mine) == [("NAME",)]
    refill(limited, ada)
    late = change(ada, key="mine", setting="LATE")  # the key can be used as if it were new
    assert late.ok and "Idempotent-Replayed" not in late.headers
    assert traces() == [(before[0][0] + 1, before[0][1] + 1)]


def test_api_tokens_share_the_bucket_of_their_user(limited, person):
    ada = person()
    ci = program(limited, make(ada, scope="write")["token"])  # this counts as a change
    for _ in range(BURST - 1):
        assert change(ci).ok
    check_refused(change(ci))
    check_refused(change(ada))


def test_many_changes_at_the_same_moment_take_no_more(person):
    ada = person()
    with ThreadPoolExecutor(4 * BURST) as threads:
        answers = list(threads.map(lambda _: change(ada).status_code, range(4 * BURST)))
    assert sorted(answers) == [200] * BURST + [429] * 3 * BURST


def test_access_is_ended_however_much_was_changed(limited, person):
    ada = person()
    thief = limited.client()
    assert thief.login(ada.name, PASSWORD).ok
    spend(thief)
    check_refused(change(ada))
    assert ada.delete("/api/auth/sessions?others=true").ok
    assert thief.get("/api/projects").status_code == 401


def test_a_changed_password_ends_a_thiefs_session(limited, person):
    """Ending sessions all the time uses a thief's budget too, and the thief does not know the password."""
    ada = person()
    thief = limited.client()
    assert thief.login(ada.name, PASSWORD).ok
    nobody = "01890a5d-ac96-774b-bcce-b302099a8057"
    for _ in range(BURST):
        assert thief.delete(f"/api/auth/sessions/{nobody}").status_code == 404
    check_refused(thief.delete("/api/auth/sessions?others=true"))
    changed = ada.put("/api/auth/password", {"password": PASSWORD, "newPassword": PASSWORD + "!"})
    assert changed.ok, changed.text
    assert thief.get("/api/projects").status_code == 401


# ---- kept responses -------------------------------------------------------------------------------


def keep(site, client, count, size):
    """Inserts kept responses, each a second older than the next."""
    sql(site, "INSERT INTO idempotency (user_id, key, fingerprint, http_status, body_sealed,"
              " created_at) SELECT %s, 'old ' || n, sha256(''), 200, sha256(''), now()"
              "  - n * interval '1 second' FROM generate_series(1, %s) AS n",
        user_id(client), count)
    sql(site, "UPDATE idempotency SET body_sealed = convert_to(repeat('x', %s), 'UTF8')"
              " WHERE user_id = %s", size, user_id(client))


def kept(site, client):
    return [key for key, in sql(site, "SELECT key FROM idempotency WHERE user_id = %s"
                                      " ORDER BY created_at DESC", user_id(client))]


def test_the_oldest_of_many_kept_answers_go(limited, person):
    ada, bob = person(), person()
    keep(limited, ada, 300, 100)
    keep(limited, bob, 300, 100)
    assert change(ada, key="new").ok
    assert kept(limited, ada) == ["new", *(f"old {n}" for n in range(1, 256))]
    assert len(kept(limited, bob)) == 300
    again = change(ada, key="new")
    assert again.ok and again.headers["Idempotent-Replayed"] == "true"


def test_the_oldest_of_large_kept_answers_go(limited, person):
    ada = person()
    keep(limited, ada, 10, 1024 * 1024)
    assert change(ada, key="new").ok
    assert kept(limited, ada) == ["new", "old 1", "old 2", "old 3"]


def test_an_answer_that_is_being_fetched_stays(limited, person):
    """Nor does anybody wait: another request has locked it."""
    ada = person()
    keep(limited, ada, 300, 100)
    mine = user_id(ada)
    with limited.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT FROM idempotency WHERE user_id = %s AND key = 'old 300' FOR UPDATE",
                       (mine,))
        assert change(ada, key="new").ok
    assert kept(limited, ada)[-1] == "old 300"
    assert len(kept(limited, ada)) == 257
