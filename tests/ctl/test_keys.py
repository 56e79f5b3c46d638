"""Tests fsactl keys: making, listing and changing the keys that secrets are sealed to."""

import base64
import ctypes
import signal
import subprocess
import time

import pytest


@pytest.fixture
def owner_of_secrets(quiet, person):
    """A user with data in every place that the web side seals to the owner key."""
    client, path = person.client, f"/api/projects/{person.project}"
    assert client.post(f"{path}/environment", {"key": "KEY", "value": "of-project",
                                               "isSecret": True}).ok
    assert client.post(f"/api/sandbox/{person.project}", {"envVars": {"REQUEST": "of-request"}}).ok
    assert client.post("/api/user/config", {"configs": [{"key": "SETTING", "value": "mine"}]}).ok
    key = {"Idempotency-Key": "kept"}
    person.kept = client.post("/api/projects", {"name": "Kept"}, headers=key).json()
    return person


def read_all(person):
    """Returns what the owner can read again, and whether the response was a stored one."""
    client, path = person.client, f"/api/projects/{person.project}/environment"
    [variable] = client.get(path).json()["general"]
    again = client.post("/api/projects", {"name": "Kept"}, headers={"Idempotency-Key": "kept"})
    return (client.get(f"{path}/{variable['id']}").json()["value"],
            client.get("/api/user/config?keys=SETTING").json()["configs"]["SETTING"],
            "authorization=" in client.get(f"/api/sandbox/{person.project}").json()["ttydUrl"],
            again.json() == person.kept)


ALL = ("of-project", "mine", True, True)


def restart(site):
    site.programs.stop("api.fcgi")
    site.programs.start("api.fcgi")


def by_ring(rows, ring):
    return [(row["state"], row["sealed"]) for row in rows if row["ring"] == ring]


def test_the_places_are_all_that_is_sealed(rows, build):
    stored = rows("SELECT table_name || '.' || column_name FROM information_schema.columns"
                  " JOIN information_schema.tables USING (table_schema, table_name)"
                  " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
                  " AND data_type = 'bytea' AND column_name LIKE '%%sealed'")
    source = subprocess.run(["strings", build / "fsactl"], capture_output=True, text=True,
                            check=True).stdout.splitlines()
    assert len(stored) >= 5
    for place, in stored:
        assert place in source, place


def test_everything_moves_to_the_new_key_and_stays_readable(quiet, fsactl, owner_of_secrets):
    before = by_ring(fsactl("keys", "list"), "owner")
    assert before[0][0] == "newest" and before[0][1] >= 5
    assert read_all(owner_of_secrets) == ALL
    added = fsactl("keys", "add", "owner")["id"]
    restart(quiet)
    assert read_all(owner_of_secrets) == ALL  # old values can be read while both keys exist
    done = fsactl("keys", "rotate", "owner")
    assert done["id"] == added and done["failed"] == [] and done["resealed"] >= 5
    listed = fsactl("keys", "list")
    assert [count for state, count in by_ring(listed, "owner") if state == "old"] == [0] * (
        len(by_ring(listed, "owner")) - 1)
    assert read_all(owner_of_secrets) == ALL
    assert fsactl("keys", "rotate", "owner")["resealed"] == 0  # nothing is left to reseal


def seal_to_public(line, context, secret):
    """Seals a secret as anybody with the public key can (crypto/seal.h, FSA1)."""
    sodium = ctypes.CDLL("libsodium.so.23")
    key_id, key = line.split()
    framed = len(context).to_bytes(2, "big") + context.encode() + secret
    box = ctypes.create_string_buffer(len(framed) + 48)
    assert sodium.crypto_box_seal(box, framed, ctypes.c_ulonglong(len(framed)),
                                  base64.b64decode(key)) == 0
    return b"FSA1" + bytes.fromhex(key_id) + box.raw


def test_the_public_key_makes_no_terminals_token(quiet, fsactl, owner_of_secrets, rows):
    """Write access to the database and the public key do not give access to a terminal."""
    folder = quiet.programs.config().parent
    newest = (folder / "owner.pub").read_text().splitlines()[0]
    url = f"/api/sandbox/{owner_of_secrets.project}"
    honest = owner_of_secrets.client.get(url).json()["ttydUrl"]
    ((sandbox, sealed),) = rows("SELECT resource_id, terminal_token_sealed FROM sandboxes s JOIN"
                               " resources r ON r.id = resource_id WHERE project_id = %s",
                               owner_of_secrets.project)
    forged = seal_to_public(newest, f"terminal:{sandbox}", b"chosen0by0the0attacker00")
    change = "UPDATE sandboxes SET terminal_token_sealed = %s WHERE resource_id = %s RETURNING true"
    rows(change, forged, sandbox)
    refused = owner_of_secrets.client.get(url)
    assert refused.status_code == 500 and "ttydUrl" not in refused.json()
    assert "sealed as FSA1 and not as FSA2" in refused.json()["error"]
    # Rotating the keys converts values that an older version sealed like that.
    assert fsactl("keys", "rotate", "owner")["resealed"] == 1
    assert owner_of_secrets.client.get(url).status_code == 200
    rows(change, bytes(sealed), sandbox)
    assert owner_of_secrets.client.get(url).json()["ttydUrl"] == honest


def test_the_clusters_keys_move_too(quiet, fsactl, person, rows):
    fsactl("keys", "add", "cluster")
    done = fsactl("keys", "rotate", "cluster")
    assert done["resealed"] >= 1 and done["failed"] == []
    for state, count in by_ring(fsactl("keys", "list"), "cluster"):
        assert (state == "newest") == (count > 0)
    # The only program that opens it still can, with just the newest key.
    folder = quiet.programs.config().parent
    private = (folder / "cluster.key").read_text()
    try:
        (folder / "cluster.key").write_text(private.splitlines()[0] + "\n")
        assert fsactl("keys", "rotate", "cluster") == {**done, "resealed": 0}
        assert fsactl("keys", "list")[0]["state"] == "newest"
    finally:
        (folder / "cluster.key").write_text(private)


def test_new_keys_and_rotations_are_in_the_audit(fsactl, person):
    added = fsactl("keys", "add", "owner")["id"]
    fsactl("keys", "rotate", "owner")
    lines = fsactl("audit", "--action", "admin.keys", "--limit", "2")
    assert [line["action"] for line in lines] == ["admin.keys.rotate", "admin.keys.add"]
    assert {(line["objectType"], line["objectId"]) for line in lines} == {("owner key", added)}
    assert all(line["detail"]["administrator"] for line in lines)


def test_a_rotation_may_be_interrupted(quiet, fsactl, owner_of_secrets, rows):
    client = owner_of_secrets.client
    many = [{"key": f"V{i}", "value": f"value {i}", "isSecret": True} for i in range(200)]
    for at in range(0, len(many), 100):
        assert client.patch(f"/api/projects/{owner_of_secrets.project}/environment",
                            {"variables": many[at:at + 100]}).ok
    fsactl("keys", "add", "owner")
    restart(quiet)
    command = [quiet.programs.program("fsactl"), "--config", quiet.programs.config(), "keys",
               "rotate", "owner"]
    moved = "SELECT count(DISTINCT substr(value_sealed, 5, 8)) FROM environment"
    running = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while rows(moved) != [(2,)] and running.poll() is None and time.monotonic() < end:
        pass
    running.send_signal(signal.SIGINT)
    running.wait(120)
    variables = client.get(f"/api/projects/{owner_of_secrets.project}/environment").json()
    assert len(variables["general"]) == 201
    assert fsactl("keys", "rotate", "owner")["failed"] == []
    assert rows(moved) == [(1,)]
    id_ = next(v["id"] for v in variables["general"] if v["key"] == "V199")
    shown = client.get(f"/api/projects/{owner_of_secrets.project}/environment/{id_}")
    assert shown.json()["value"] == "value 199"


def test_unreadable_values_are_named_and_left_alone(fsactl, owner_of_secrets, rows):
    rows("UPDATE environment SET value_sealed = set_byte(value_sealed, 60,"
         " get_byte(value_sealed, 60) # 1) WHERE project_id = %s", owner_of_secrets.project)
    [(before,)] = rows("SELECT value_sealed FROM environment WHERE project_id = %s",
                       owner_of_secrets.project)
    fsactl("keys", "add", "owner")
    answer = fsactl("keys", "rotate", "owner", status=1, json_=False)
    assert "environment.value_sealed" in answer.stdout and "altered" in answer.stdout
    assert rows("SELECT value_sealed FROM environment WHERE project_id = %s",
                owner_of_secrets.project) == [(before,)]
    rows("DELETE FROM environment WHERE project_id = %s", owner_of_secrets.project)


def test_a_value_whose_key_is_gone_is_found(fsactl, owner_of_secrets, rows):
    rows("UPDATE environment SET value_sealed = overlay(value_sealed placing '\\x0102030405060708'"
         " from 5) WHERE project_id = %s", owner_of_secrets.project)
    answer = fsactl("keys", "list", status=1, json_=False)
    assert "missing" in answer.stdout and "0102030405060708" in answer.stdout
    rows("DELETE FROM environment WHERE project_id = %s", owner_of_secrets.project)


def test_a_ring_must_be_one_of_the_two(fsactl):
    assert "neither cluster nor owner" in fsactl("keys", "rotate", "other", status=2).stderr
