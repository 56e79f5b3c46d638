"""Tests fsactl backup and restore: a backup is private, complete, and sufficient."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from stand.site import SQL

PARTS = {"data": {"SHA256SUMS", "database.dump", "files.tar", "manifest.json"},
         "keys": {"SHA256SUMS", "files.tar", "manifest.json"}}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "backup"


@pytest.fixture
def restore(quiet, fsactl, folder):
    """Restores the backup without fsa-setup, which belongs to an installed site and would stop and start its
    programs."""

    def run(*options, **outcome):
        done = fsactl("restore", folder, "--no-start", "--sql-dir", SQL, *options, **outcome)
        if outcome.get("status", 0) == 0:
            for program in ("api.fcgi", "auth.fcgi"):
                quiet.programs.stop(program)
                quiet.programs.start(program)
        return done

    return run


def tree(folder):
    return {path: path.lstat().st_mode & 0o7777 for path in [folder, *folder.rglob("*")]}


def listing(archive):
    done = subprocess.run(["tar", "-tvf", archive], capture_output=True, text=True, check=True)
    return done.stdout


def test_a_backup_is_in_two_parts_that_nobody_else_can_read(fsactl, person, folder, quiet):
    old = os.umask(0)
    try:
        made = fsactl("backup", f"{folder}/")
    finally:
        os.umask(old)
    assert made["folder"] == str(folder) and made["keysMissing"] is False
    assert {p.name: {f.name for f in p.iterdir()} for p in folder.iterdir()} == PARTS
    for path, mode in tree(folder).items():
        assert mode == (0o700 if path.is_dir() else 0o600), path
    assert not Path(f"{folder}.part").exists()
    # The private keys are only in the other part.
    assert "owner.key" in listing(folder / "keys/files.tar")
    assert ".key" not in listing(folder / "data/files.tar")
    assert "fsa.conf" in listing(folder / "data/files.tar")
    for secret in (quiet.programs.config().parent / "owner.key").read_text().split():
        if len(secret) > 30:
            for path in (folder / "data").iterdir():
                assert secret.encode() not in path.read_bytes()


def test_it_is_never_more_open_than_that_while_it_is_written(quiet, person, folder):
    """Checks the mode of every file and folder from the moment a program creates it."""
    command = [quiet.programs.program("fsactl"), "--config", quiet.programs.config(), "backup", folder]
    trace = folder.parent / "trace"
    if not shutil.which("strace"):
        pytest.skip("needs strace")
    subprocess.run(["strace", "-f", "-e", "trace=openat,open,creat,mkdir,mkdirat,chmod,fchmod,umask",
                    "-o", trace, *map(str, command)], check=True, capture_output=True)
    lines = trace.read_text().splitlines()
    first = next(i for i, line in enumerate(lines) if "umask(077)" in line)
    made = [line for line in lines if str(folder) in line and ("O_CREAT" in line or "mkdir" in line)]
    assert len(made) >= 8 and all(lines.index(line) > first for line in made)
    for line in lines[first + 1:]:
        assert "umask(" not in line or re.search(r"umask\(0?77\)", line), line


def test_sha256sum_agrees(fsactl, person, folder):
    fsactl("backup", folder)
    for part in PARTS:
        done = subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=folder / part,
                              capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout.count(": OK") == len(PARTS[part]) - 1


def empty(quiet, rows):
    """Empties the site, like a new host: no keys, and nobody in the database."""
    kept = {}
    for name in ("owner", "cluster"):
        for end in ("key", "pub"):
            path = quiet.programs.config().parent / f"{name}.{end}"
            kept[path] = (path.read_text(), path.stat())
            path.unlink()
    rows("TRUNCATE users CASCADE")
    return kept


def test_a_restore_on_an_empty_host_brings_back_everything(quiet, fsactl, person, folder, restore, rows):
    path = f"/api/projects/{person.project}/environment"
    secret = {"key": "KEY", "value": "sealed world", "isSecret": True}
    assert person.client.post(path, secret).ok
    config = quiet.programs.config()
    config.chmod(0o640)
    before = (config.read_text(), fsactl("user", "list"), fsactl("keys", "list"))
    fsactl("backup", folder)
    kept = empty(quiet, rows)
    config.write_text(config.read_text().replace("session_idle", "#session_idle") + "\n# changed\n")
    config.chmod(0o600)
    try:
        assert restore()["started"] is False
        assert (config.read_text(), fsactl("user", "list"), fsactl("keys", "list")) == before
        assert config.stat().st_mode & 0o777 == 0o640
        for file, (text, was) in kept.items():
            now = file.stat()
            assert file.read_text() == text
            assert (now.st_mode, now.st_uid, now.st_gid) == (was.st_mode, was.st_uid, was.st_gid)
        [variable] = person.client.get(path).json()["general"]
        assert person.client.get(f"{path}/{variable['id']}").json()["value"] == "sealed world"
    finally:
        config.chmod(0o644)
        for file, (text, was) in kept.items():
            file.write_text(text)
    assert rows("SELECT count(*) FROM pg_namespace WHERE nspname = 'fsa_before_restore'") == [(0,)]
    done = [line["action"] for line in fsactl("audit", "--limit", "2")]
    assert done == ["admin.restore", "admin.backup"]


def test_a_restore_does_not_take_the_place_of_anything_unasked(quiet, fsactl, person, folder, restore,
                                                               rows):
    fsactl("backup", folder)
    later = person.client.post("/api/projects", {"name": "Made later"}).json()["id"]
    assert "--replace" in restore(status=1).stderr  # keys already exist
    keys = empty_keys(quiet)
    try:
        assert "the database is in use" in restore(status=1).stderr
        assert not any(path.exists() for path in keys)
    finally:
        for path, text in keys.items():
            path.write_text(text)
            path.chmod(0o600)
    assert later in [p["id"] for p in fsactl("project", "list")]
    restore("--replace")
    assert later not in [p["id"] for p in fsactl("project", "list")]
    assert person.project in [p["id"] for p in fsactl("project", "list")]
    assert person.client.get(f"/api/projects/{person.project}").ok


def empty_keys(quiet):
    kept = {}
    for name in ("owner", "cluster"):
        path = quiet.programs.config().parent / f"{name}.key"
        kept[path] = path.read_text()
        path.unlink()
    return kept


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("file", sorted(f"{part}/{name}" for part in PARTS for name in PARTS[part]))
def test_one_flipped_bit_is_found_before_anything_is_changed(fsactl, person, folder, restore, file):
    fsactl("backup", folder)
    before = fsactl("audit", "--limit", "1")
    flip(folder / file)
    told = restore("--replace", status=1).stderr
    assert "is not what was written" in told and file.split("/")[0] in told
    assert fsactl("audit", "--limit", "1") == before


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_missing_is_named(fsactl, person, folder, restore, part):
    fsactl("backup", folder)
    shutil.rmtree(folder / part)
    assert f"the part {part} is missing" in restore("--replace", status=1).stderr


def test_keys_of_another_time_do_as_long_as_they_open_the_data(quiet, fsactl, person, folder, restore):
    """The keys of a later backup open an older one, but not vice versa."""
    person.client.post(f"/api/projects/{person.project}/environment", {"key": "A", "value": "old"})
    fsactl("backup", folder)
    fsactl("keys", "add", "owner")
    fsactl("keys", "rotate", "owner")
    later = folder.parent / "later"
    fsactl("backup", later)
    old = folder.parent / "old-keys"
    (folder / "keys").rename(old)
    shutil.copytree(later / "keys", folder / "keys")
    restore("--replace")
    assert all(key["state"] != "missing" for key in fsactl("keys", "list"))
    shutil.rmtree(folder / "keys")
    old.rename(folder / "keys")
    shutil.rmtree(folder / "data")
    shutil.copytree(later / "data", folder / "data")
    fsactl("keys", "rotate", "owner")
    assert "lacks key" in restore("--replace", status=1).stderr


def test_unreadable_values_are_named_and_the_rest_is_kept(fsactl, person, folder, rows):
    person.client.post(f"/api/projects/{person.project}/environment",
                       {"key": "LOST", "value": "x", "isSecret": True})
    rows("UPDATE environment SET value_sealed = overlay(value_sealed placing '\\x0102030405060708'"
         " from 5) WHERE project_id = %s", person.project)
    done = fsactl("backup", folder, status=1, json_=False)
    assert "fsactl keys list" in done.stdout and (folder / "keys/SHA256SUMS").exists()
    rows("DELETE FROM environment WHERE project_id = %s", person.project)


def test_nothing_is_written_over_something_else(fsactl, person, folder):
    folder.mkdir()
    (folder / "precious").write_text("mine")
    assert "exists" in fsactl("backup", folder, status=1).stderr
    assert [p.name for p in folder.iterdir()] == ["precious"]


def test_a_backup_that_failed_leaves_nothing_that_looks_like_one(quiet, fsactl, person, folder, tmp_path):
    """pg_dump dies halfway, as on a full disk."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "pg_dump").write_text("#!/bin/sh\nfor last; do :; done\necho half >\"$last\"\nexit 1\n")
    (bin_ / "pg_dump").chmod(0o755)
    command = [quiet.programs.program("fsactl"), "--config", quiet.programs.config(), "backup", folder]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          env={**os.environ, "PATH": f"{bin_}:{os.environ['PATH']}"})
    assert done.returncode == 1 and "pg_dump failed" in done.stderr
    assert not folder.exists() and not Path(f"{folder}.part").exists()


def test_a_backup_removes_the_remains_of_a_killed_one(fsactl, person, folder):
    left = Path(f"{folder}.part")
    (left / "data").mkdir(parents=True)
    (left / "data/database.dump").write_text("half")
    fsactl("backup", folder)
    assert not left.exists() and {p.name for p in folder.iterdir()} == set(PARTS)


def test_a_restore_that_fails_leaves_the_database_as_it_was(quiet, fsactl, person, folder, restore,
                                                            tmp_path):
    fsactl("backup", folder)
    before = fsactl("project", "list")
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "pg_restore").write_text("#!/bin/sh\nexit 1\n")
    (bin_ / "pg_restore").chmod(0o755)
    command = [quiet.programs.program("fsactl"), "--config", quiet.programs.config(), "restore", folder,
               "--replace", "--no-start", "--sql-dir", SQL]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          env={**os.environ, "PATH": f"{bin_}:{os.environ['PATH']}"})
    assert done.returncode == 1 and "the database is as it was before" in done.stderr
    assert fsactl("project", "list") == before
    assert person.client.get(f"/api/projects/{person.project}").ok
