"""Tests files over HTTP: written completely or not at all, and never outside the home directory."""

import os
import stat
from pathlib import Path

import pytest


def test_a_file_is_written_and_read(client, server):
    written = client.write("dir/a ✓.txt", b"content", )
    assert (written.status, written.json["errorCode"]) == (404, "NOT_FOUND")
    written = client.send("PUT", "/v1/files", b"content", {"path": "dir/a ✓.txt", "parents": "true"})
    assert written.status == 201
    assert written.json["path"] == f"{server.home}/dir/a ✓.txt" and written.json["size"] == 7
    answer = client.read("dir/a ✓.txt")
    assert answer.status == 200 and answer.body == b"content"
    assert answer.headers["ETag"] == written.json["etag"]
    assert client.write("dir/a ✓.txt", b"").status == 200
    assert client.read("dir/a ✓.txt").body == b""


@pytest.mark.parametrize("asked, status, part", [
    ("bytes=2-4", 206, b"234"), ("bytes=7-", 206, b"789"), ("bytes=-2", 206, b"89"),
    ("bytes=8-99", 206, b"89"), ("bytes=10-", 416, None), ("bytes=4-2", 200, b"0123456789"),
    ("lines=1-2", 200, b"0123456789"), ("bytes=x-", 200, b"0123456789"),
])
def test_a_range_is_read(client, asked, status, part):
    client.write("digits", b"0123456789")
    answer = client.read("digits", Range=asked)
    assert answer.status == status
    if part is not None:
        assert answer.body == part


def test_a_large_file_arrives_complete_both_ways(client, server):
    content = os.urandom(20_000_000)
    assert client.write("large", content).status == 201
    assert (server.home / "large").read_bytes() == content
    assert client.read("large").body == content


def test_a_file_is_replaced_only_if_it_is_still_the_same(client, server):
    first = client.write("guarded", b"1").json["etag"]
    assert client.read("guarded", If_None_Match=first).status == 304
    second = client.write("guarded", b"2", If_Match=first)
    assert second.status == 200
    late = client.write("guarded", b"3", If_Match=first)
    assert (late.status, late.json["errorCode"]) == (412, "CHANGED")
    new = client.write("guarded", b"4", If_None_Match="*")
    assert (new.status, new.json["errorCode"]) == (412, "CHANGED")
    assert (server.home / "guarded").read_bytes() == b"2"
    assert client.write("guarded-new", b"5", If_None_Match="*").status == 201


def test_a_file_keeps_its_mode_and_a_new_one_gets_the_requested(client, server):
    client.send("PUT", "/v1/files", b"x", {"path": "script", "mode": "755"})
    client.write("script", b"y")
    assert stat.S_IMODE((server.home / "script").stat().st_mode) == 0o755


def test_a_write_that_is_cut_off_leaves_the_old_file(client, server):
    client.write("old", b"old")
    with server.connect() as raw:
        raw.sendall(b"PUT /v1/files?path=old HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                    + client.token.encode() + b"\r\nContent-Length: 1000\r\n\r\nnew")
    while any(server.home.glob(".fsa-draft-*")):
        os.sched_yield()
    assert (server.home / "old").read_bytes() == b"old"


def test_directories_are_listed_in_parts(client, server):
    many = server.home / "many"
    many.mkdir()
    names = sorted(f"{n:05d}" for n in range(2500))
    for name in names:
        (many / name).touch()
    seen, after = [], ""
    while after is not None:
        page = client.get("/v1/files/list", path="many", after=after, limit=999).json
        seen += [e["name"] for e in page["entries"]]
        after = page["next"]
    assert seen == names


def test_a_list_too_large_to_be_answered_says_so(client, server):
    deep = server.home / "/".join(["d" * 200] * 4)
    deep.mkdir(parents=True)
    for n in range(1000):
        (deep / f"{n:04}{'n' * 100}").touch()
    refused = client.get("/v1/files/list", path=str(deep))
    assert (refused.status, refused.json["errorCode"]) == (413, "TOO_LARGE")
    assert len(client.get("/v1/files/list", path=str(deep), limit=500).json["entries"]) == 500


def test_names_that_are_not_utf8_are_listed_like_others(client, server):
    odd = server.home / "odd"
    odd.mkdir()
    for name in (b"a", b"b\xff", b"c\xc3\xa4\xff", b"d"):
        os.close(os.open(os.fsencode(odd) + b"/" + name, os.O_CREAT))
    seen, after = [], ""
    while after is not None:
        page = client.get("/v1/files/list", path="odd", after=after, limit=1).json
        seen += [e["name"] for e in page["entries"]]
        after = page["next"]
    assert seen == ["a", "b?", "c\u00e4?", "d"]


@pytest.mark.parametrize("query", ["path=%ff", "path=x&%ff=1", "path=" + "x%c3%a4" * 99])
def test_a_path_with_any_bytes_is_answered(client, query):
    answer = client.send("GET", "/v1/files?" + query)
    assert answer.status in (400, 404) and answer.json["error"]



def test_files_are_made_moved_and_removed(client, server):
    assert client.send("POST", "/v1/files/directory", {"path": "d/e", "parents": True}).status == 201
    assert client.send("POST", "/v1/files/directory", {"path": "d/e"}).json["errorCode"] == "EXISTS"
    client.write("d/e/f", b"f")
    client.write("g", b"g")
    taken = client.send("POST", "/v1/files/move", {"from": "g", "to": "d/e/f"})
    assert (taken.status, taken.json["errorCode"]) == (409, "EXISTS")
    moved = client.send("POST", "/v1/files/move", {"from": "g", "to": "d/e/f", "overwrite": True})
    assert moved.status == 200 and (server.home / "d/e/f").read_text() == "g"
    assert client.send("DELETE", "/v1/files", query={"path": "d"}).json["errorCode"] == "NOT_EMPTY"
    assert client.send("DELETE", "/v1/files", query={"path": "d", "recursive": "true"}).status == 204
    assert not (server.home / "d").exists()
    assert client.send("DELETE", "/v1/files", query={"path": ".", "recursive": "true"}).status == 403


def test_a_large_tree_is_removed_while_others_are_served(client, server):
    """Other requests are answered meanwhile, and the removal finishes whether its client stays or not."""
    tree = server.home / "forest"
    for d in range(40):
        (tree / f"{d}").mkdir(parents=True)
        for n in range(50):
            os.close(os.open(tree / f"{d}/{n}", os.O_CREAT))
    with server.connect() as raw:
        raw.sendall(f"DELETE /v1/files?path=forest&recursive=true HTTP/1.1\r\nHost: x\r\n"
                    f"Authorization: Bearer {client.token}\r\n\r\n".encode())
        between = 0
        while len(os.listdir(tree)) == 40:
            assert client.get("/v1/health").status == 200
        while tree.exists():
            assert client.get("/v1/health").status == 200
            between += tree.exists()
        assert between > 0
        assert raw.recv(65536).startswith(b"HTTP/1.1 204 ")
    gone = client.send("DELETE", "/v1/files", query={"path": "forest", "recursive": "true"})
    assert (gone.status, gone.json["errorCode"]) == (404, "NOT_FOUND")


def test_a_link_is_removed_and_its_target_stays(client, server, workspace):
    outside = workspace / "outside-removed"
    outside.mkdir()
    (outside / "precious").touch()
    (server.home / "tree").mkdir()
    (server.home / "tree" / "link").symlink_to(outside)
    assert client.send("DELETE", "/v1/files", query={"path": "tree", "recursive": "true"}).status == 204
    assert (outside / "precious").exists()


@pytest.fixture(scope="module")
def traps(server, workspace):
    """Links that lead out of the home directory."""
    secret = workspace / "secret"
    secret.mkdir()
    (secret / "file").write_text("secret")
    home = server.home
    (home / "to-root").symlink_to("/")
    (home / "to-secret").symlink_to(secret)
    (home / "to-file").symlink_to(secret / "file")
    (home / "up").symlink_to("..")
    (home / "proc").symlink_to("/proc/self/root/etc")
    os.mkfifo(home / "fifo")
    return secret


OUTSIDE = ["/etc/passwd", "../secret/file", "to-root/etc/passwd", "to-secret/file", "to-file",
           "up/secret/file", "proc/passwd", "/proc/self/environ", "a/../../secret/file", "/",
           "/root/x", "..", "../run/x"]


@pytest.mark.parametrize("path", OUTSIDE)
def test_nothing_outside_is_reached(client, server, traps, path):
    (server.home / "a").mkdir(exist_ok=True)
    for answer in (
        client.read(path),
        client.get("/v1/files/list", path=path),
        client.send("PUT", "/v1/files", b"x", {"path": path, "parents": "true"})
        if path != "to-file" else client.read(path),
        client.send("POST", "/v1/files/directory", {"path": path + "/new", "parents": True}),
        client.send("DELETE", "/v1/files", query={"path": path + "/file", "recursive": "true"}),
        client.send("POST", "/v1/files/move", {"from": path + "/file", "to": "stolen"}),
    ):
        assert answer.status in (400, 403, 404, 409), (answer.status, answer.body)
        assert b"root:" not in answer.body and b'"secret"' not in answer.body
    assert (traps / "file").read_text() == "secret"
    assert not (server.home / "stolen").exists() and sorted(os.listdir(traps)) == ["file"]


def test_writing_to_a_link_replaces_the_link(client, server, traps):
    (server.home / "leading").symlink_to(traps / "file")
    assert client.write("leading", b"mine").status in (200, 201)
    assert not (server.home / "leading").is_symlink()
    assert (traps / "file").read_text() == "secret"


def test_sandboxds_own_files_are_hidden(client, server):
    own = server.directory / "run"
    (own / "ttyd.conf").write_text("own")
    (Path("/tmp") / f"to-own-{os.getpid()}").symlink_to(own)
    try:
        for path in (str(own), f"{own}/ttyd.conf", f"/tmp/to-own-{os.getpid()}/ttyd.conf"):
            assert client.read(path).status in (403, 404)
            assert client.send("DELETE", "/v1/files",
                               query={"path": path, "recursive": "true"}).status in (403, 204)
    finally:
        (Path("/tmp") / f"to-own-{os.getpid()}").unlink(missing_ok=True)
    assert (own / "ttyd.conf").read_text() == "own"


def test_a_pipe_holds_nobody_up(client, traps):
    answer = client.read("fifo")
    assert (answer.status, answer.json["errorCode"]) == (409, "NOT_FILE")


def test_a_full_disk_is_reported_and_the_old_file_stays(client, server):
    """Uses a file system of a megabyte, where root may mount one."""
    small = server.home / "small"
    small.mkdir()
    if os.system(f"mount -t tmpfs -o size=1m none {small} 2>/dev/null") != 0:
        pytest.skip("mounting needs root")
    try:
        assert client.write("small/file", b"old").status == 201
        answer = client.write("small/file", b"x" * 3_000_000)
        assert (answer.status, answer.json["errorCode"]) == (507, "DISK_FULL")
        assert (small / "file").read_bytes() == b"old" and os.listdir(small) == ["file"]
    finally:
        os.system(f"umount {small}")
