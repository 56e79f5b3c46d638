"""Tests uploads that continue after a lost connection."""

import hashlib
import os
import socket
import stat
import struct
import time

import pytest

from server import Client, make_token
from test_status import check

PART = 1 << 20


def begin(client, path, length, query=None, **headers):
    answer = client.send("POST", "/v1/uploads", query={"path": path, **(query or {})},
                         Upload_Length=str(length), Tus_Resumable="1.0.0", **headers)
    return answer, answer.headers["Location"]


def send(client, where, offset, body, **headers):
    return client.send("PATCH", where, body, Upload_Offset=str(offset), Tus_Resumable="1.0.0",
                       Content_Type="application/offset+octet-stream", **headers)


def offset_of(client, where):
    answer = client.send("HEAD", where)
    assert answer.status == 200, answer.status
    return int(answer.headers["Upload-Offset"])


def await_part(server, where, size):
    part = server.home / ".fsa-uploads" / (where.rsplit("/", 1)[1] + ".part")
    while part.stat().st_size < size:
        os.sched_yield()


def cut(server, where, offset, length, body):
    """Sends only `body` of the announced `length` bytes, and resets the connection once all of it has arrived: what
    was received is kept."""
    head = (f"PATCH {where} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {make_token()}\r\n"
            f"Upload-Offset: {offset}\r\nContent-Length: {length}\r\n\r\n")
    with server.connect() as raw:
        raw.sendall(head.encode() + body)
        await_part(server, where, offset + len(body))
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_an_upload_that_is_cut_twice_arrives_whole(client, server):
    content = os.urandom(24 * PART)
    (server.home / "model.bin").write_bytes(b"the old one")
    answer, where = begin(client, "model.bin", len(content))
    assert answer.status == 201 and check(answer, "/v1/uploads", "post")["finished"] is False
    for length in (7 * PART + 3, 9 * PART + 1):
        offset = offset_of(client, where)
        cut(server, where, offset, len(content) - offset, content[offset:offset + length])
        assert offset_of(client, where) == offset + length
        assert (server.home / "model.bin").read_bytes() == b"the old one"
    offset = offset_of(client, where)
    answer = send(client, where, offset, content[offset:])
    assert answer.status == 204 and int(answer.headers["Upload-Offset"]) == len(content)
    arrived = client.read("model.bin")
    assert hashlib.sha256(arrived.body).digest() == hashlib.sha256(content).digest()
    assert arrived.headers["ETag"] == answer.headers["ETag"]
    assert check(client.get(where), "/v1/uploads/{id}")["finished"] is True


def test_an_upload_outlives_sandboxd(make_server):
    server = make_server()
    with server.client() as client:
        _, where = begin(client, "kept", 6)
        cut(server, where, 0, 6, b"abc")
    server.restart()
    with server.client() as client:
        assert offset_of(client, where) == 3
        assert send(client, where, 3, b"def").status == 204
    assert (server.home / "kept").read_bytes() == b"abcdef"


def test_a_client_that_missed_the_last_answer_learns_that_it_has_finished(client, server):
    _, where = begin(client, "done", 3)
    assert send(client, where, 0, b"abc").status == 204
    assert offset_of(client, where) == 3
    assert send(client, where, 3, b"").status == 204
    late = send(client, where, 0, b"abc")
    assert (late.status, late.json["errorCode"]) == (409, "WRONG_OFFSET")
    assert (server.home / "done").read_bytes() == b"abc"


def test_a_connection_that_its_client_has_lost_is_not_in_the_way(client, server):
    """The server still has the old connection when the client continues on a new one."""
    _, where = begin(client, "taken-over", 6)
    with server.connect() as lost:
        lost.sendall(f"PATCH {where} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {client.token}\r\n"
                     "Upload-Offset: 0\r\nContent-Length: 6\r\n\r\nabc".encode())
        await_part(server, where, 3)
        assert offset_of(client, where) == 3
        assert lost.recv(1) == b""
        assert send(client, where, 3, b"def").status == 204
    assert (server.home / "taken-over").read_bytes() == b"abcdef"


def test_an_empty_file_is_there_at_once(client, server):
    answer, _ = begin(client, "empty", 0)
    assert answer.status == 201, answer.body
    assert answer.json["finished"] and answer.headers["ETag"]
    assert (server.home / "empty").read_bytes() == b""


def test_a_new_file_gets_its_mode_and_directories(client, server):
    _, where = begin(client, "new/bin/tool", 1, {"mode": "755", "parents": "true"})
    assert send(client, where, 0, b"#").status == 204
    assert stat.S_IMODE((server.home / "new/bin/tool").stat().st_mode) == 0o755


def test_a_file_that_has_changed_meanwhile_stays(client, server):
    etag = client.write("watched", b"1").json["etag"]
    _, where = begin(client, "watched", 1, If_Match=etag)
    assert client.write("watched", b"22").status == 200
    answer = send(client, where, 0, b"3")
    assert (answer.status, answer.json["errorCode"]) == (412, "CHANGED")
    assert (server.home / "watched").read_bytes() == b"22"
    assert client.get(where).status == 404
    answer, _ = begin(client, "watched", 1, If_None_Match="*")
    assert (answer.status, answer.json["errorCode"]) == (412, "CHANGED")


@pytest.mark.parametrize("wrong, status, code", [
    ({"Upload_Length": "x"}, 400, "INVALID_REQUEST"),
    ({"Upload_Length": "-1"}, 400, "INVALID_REQUEST"),
    ({}, 400, "INVALID_REQUEST"),
    ({"Upload_Length": "1", "Tus_Resumable": "0.2.2"}, 412, "WRONG_VERSION"),
    ({"Upload_Length": str(1 << 60)}, 507, "DISK_FULL"),
    ({"Upload_Length": "1", "If_None_Match": '"x"'}, 400, "INVALID_REQUEST"),
])
def test_a_wrong_beginning_is_refused(client, server, wrong, status, code):
    answer = client.send("POST", "/v1/uploads", query={"path": "refused"}, **wrong)
    assert (answer.status, answer.json["errorCode"]) == (status, code)


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "up/x", "a/../../x", "/proc/self/mem"])
def test_an_upload_leads_nowhere_outside(client, server, path):
    if not (server.home / "up").is_symlink():
        (server.home / "up").symlink_to("..")
    answer, _ = begin(client, path, 1)
    assert answer.status in (403, 404), answer.body


def test_a_directory_swapped_for_a_link_meanwhile_leads_nowhere(client, server, workspace):
    outside = workspace / "upload-outside"
    outside.mkdir()
    (server.home / "swapped").mkdir()
    _, where = begin(client, "swapped/file", 1)
    (server.home / "swapped").rmdir()
    (server.home / "swapped").symlink_to(outside)
    answer = send(client, where, 0, b"x")
    assert (answer.status, answer.json["errorCode"]) == (403, "OUTSIDE")
    assert not list(outside.iterdir())


def test_bytes_beyond_the_length_or_from_elsewhere_are_refused(client, server):
    _, where = begin(client, "exact", 3)
    answer = send(client, where, 0, b"abcd")
    assert (answer.status, answer.json["errorCode"]) == (413, "TOO_LARGE")
    with server.client() as again:
        answer = send(again, where, 1, b"ab")
        assert (answer.status, answer.json["errorCode"]) == (409, "WRONG_OFFSET")
    with server.client() as again:
        assert again.send("PATCH", where, b"ab").json["errorCode"] == "INVALID_REQUEST"
    with server.client() as again:
        assert offset_of(again, where) == 0
        assert send(again, where, 0, b"abc").status == 204


def test_an_upload_is_given_up(client, server):
    _, where = begin(client, "given-up", 3)
    assert client.send("DELETE", where).status == 204
    assert client.get(where).status == 404 and not (server.home / "given-up").exists()
    assert client.get("/v1/uploads/..").status == 404
    assert client.get("/v1/uploads/" + "g" * 16).status == 404


def test_leftovers_are_limited_and_removed_after_a_day(make_server):
    server = make_server()
    kept = server.home / ".fsa-uploads"
    with server.client() as client:
        where = [begin(client, f"many{n}", 2)[1] for n in range(64)]
        answer, _ = begin(client, "one-more", 2)
        assert (answer.status, answer.json["errorCode"]) == (429, "TOO_MANY")
        assert send(client, where[0], 0, b"ab").status == 204  # a finished upload no longer counts
        assert begin(client, "one-more", 2)[0].status == 201
        assert len(list(kept.glob("*.part"))) == 64
        for file in kept.iterdir():
            os.utime(file, (time.time() - 90000,) * 2)
        fresh, _ = begin(client, "fresh", 2)
        assert fresh.status == 201
        assert sorted(f.stem for f in kept.iterdir()) == [fresh.json["id"]] * 2
    for file in kept.iterdir():
        os.utime(file, (time.time() - 90000,) * 2)
    server.restart()
    assert not list(kept.iterdir())


def test_a_full_disk_is_reported_and_the_upload_can_continue(make_server):
    """Uses a home of two megabytes, where root may mount one."""
    server = make_server(home_size="2m")
    with server.client() as client:
        client.write("file", b"old")
        _, where = begin(client, "file", 1_500_000)
        (server.home / "filler").write_bytes(bytes(1_200_000))
        answer = send(client, where, 0, b"x" * 1_500_000)
        assert (answer.status, answer.json["errorCode"]) == (507, "DISK_FULL")
    with server.client() as client:
        assert client.read("file").body == b"old"
        (server.home / "filler").unlink()
        offset = offset_of(client, where)
        assert 0 < offset < 1_500_000
        assert send(client, where, offset, b"x" * (1_500_000 - offset)).status == 204
        assert client.read("file").body == b"x" * 1_500_000


def test_uploads_need_the_right_to_write(server):
    with Client(server.port, make_token(scope="files:read exec")) as client:
        assert client.send("POST", "/v1/uploads", query={"path": "x"}, Upload_Length="1").status == 403
