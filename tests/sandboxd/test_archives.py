"""Tests transfers of directories as tar archives: complete or not at all, and never outside the home directory."""

import io
import os
import stat
import tarfile

import pytest

from server import eventually, make_token

TAR = "/v1/files/tar"


def member(name, content=b"", **attributes):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info, content


def archive(*members):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return made.getvalue()


def link(name, target, kind=tarfile.SYMTYPE):
    return member(name, type=kind, linkname=target)


def put(client, path, body, **query):
    return client.send("PUT", TAR, body, {"path": path, **query})


def get(client, path):
    answer = client.get(TAR, path=path)
    assert answer.status == 200, answer.body
    with tarfile.open(fileobj=io.BytesIO(answer.body)) as tar:
        return {entry.name: tar.extractfile(entry).read() if entry.isfile() else entry.linkname
                for entry in tar}


def nothing_is_left(server):
    """Waits until the directory for unpacking archives is empty."""
    eventually(lambda: not any((server.home / ".fsa-unpack").glob("*")))


def test_a_directory_goes_there_and_back(client, server):
    large = os.urandom(3_000_000)
    body = archive(member("./", type=tarfile.DIRTYPE, mode=0o755), member("./ä/run.sh", b"#!", mode=0o755),
                   member("large", large), link("ä/link", "run.sh"), link("same", "large", tarfile.LNKTYPE))
    made = put(client, "new/folder", body, parents="true")
    assert (made.status, made.json["type"]) == (201, "directory")
    folder = server.home / "new" / "folder"
    assert (folder / "large").read_bytes() == (folder / "same").read_bytes() == large
    assert stat.S_IMODE((folder / "ä/run.sh").stat().st_mode) == 0o755
    found = get(client, "new/folder")
    assert found["./ä/link"] == "run.sh" and found["./ä/run.sh"] == b"#!"
    assert large in (found["./large"], found["./same"])
    nothing_is_left(server)


def test_its_length_need_not_be_known(client, server):
    body = archive(member("a", b"x" * 300_000))
    chunks = (body[at:at + 7777] for at in range(0, len(body), 7777))
    client.connection.request("PUT", f"{TAR}?path=chunked", chunks, encode_chunked=True, headers={
        "Authorization": f"Bearer {client.token}", "Transfer-Encoding": "chunked"})
    assert client.connection.getresponse().status == 201
    assert (server.home / "chunked" / "a").stat().st_size == 300_000


def test_an_existing_target_is_kept_by_default(client, server):
    assert put(client, "here", archive(member("a", b"1"), member("sub/kept", b"2"))).status == 201
    again = put(client, "here", archive(member("a", b"3")))
    assert (again.status, again.json["errorCode"]) == (409, "EXISTS")
    assert (server.home / "here" / "a").read_bytes() == b"1"
    merged = put(client, "here", archive(member("a", b"4"), member("sub/new", b"5")), merge="true")
    assert merged.status == 200
    assert get(client, "here").items() >= {"./a": b"4", "./sub/kept": b"2", "./sub/new": b"5"}.items()
    mixed = put(client, "here", archive(member("a", b"6"), member("sub", b"no directory")), merge="true")
    assert (mixed.status, mixed.json["errorCode"]) == (409, "EXISTS") and "sub" in mixed.json["error"]
    assert (server.home / "here" / "a").read_bytes() == b"4"
    client.write("file", b"x")
    assert put(client, "file", archive(), merge="true").json["errorCode"] == "NOT_DIRECTORY"
    nothing_is_left(server)


@pytest.mark.parametrize("members", [
    [member("../outside", b"x")], [member("a/../../outside", b"x")],
    [link("up", "../.."), member("up/outside", b"x")],
    [link("root", "/tmp"), member("root/outside", b"x")],
    [link("hard", "../../../outside-secret", tarfile.LNKTYPE)],
    [member("zero", type=tarfile.CHRTYPE, devmajor=1, devminor=5)],
    [member("disk", type=tarfile.BLKTYPE, devmajor=7, devminor=0)],
])
def test_a_hostile_archive_is_refused_and_nothing_of_it_stays(client, server, members):
    secret = server.directory / "outside-secret"
    secret.write_text("secret")
    answer = put(client, "hostile", archive(*members))
    assert (answer.status, answer.json["errorCode"]) == (422, "CANNOT_UNPACK"), answer.body
    assert "tar" in answer.json["error"]
    assert not (server.home / "hostile").exists()
    assert not list(server.directory.rglob("outside")) and not os.path.exists("/tmp/outside")
    nothing_is_left(server)


def test_links_that_are_there_do_not_lead_out(client, server):
    (server.directory / "target").mkdir()
    (server.home / "trap").mkdir()
    (server.home / "trap" / "way").symlink_to(server.directory / "target")
    (server.home / "linked").symlink_to(server.directory / "target")
    answer = put(client, "trap", archive(member("way/in", b"x")), merge="true")
    assert (answer.status, answer.json["errorCode"]) == (409, "EXISTS")
    assert put(client, "linked", archive(member("in", b"x")), merge="true").status == 409
    assert put(client, "linked/in", archive(member("in", b"x"))).status == 403
    assert client.get(TAR, path="linked").status == 403
    assert not any((server.directory / "target").iterdir())
    assert get(client, "trap") == {".": "", "./way": str(server.directory / "target")}


def test_sandboxds_own_files_are_no_part_of_it(client, server):
    names = get(client, str(server.directory))
    assert "./home/trap" in names or "./home" in names
    assert not [name for name in names if name.startswith("./run")]
    answer = put(client, str(server.directory), archive(member("run/start.log", b"x")), merge="true")
    assert (answer.status, answer.json["errorCode"]) == (403, "NOT_PERMITTED")


def test_incomplete_uploads_are_not_in_archives(make_server):
    server = make_server()
    for name in (".fsa-uploads", ".fsa-unpack", ".fsa-unpack-old", ".fsa-unpacked", "deep/.fsa-unpack"):
        (server.home / name).mkdir(parents=True)
        (server.home / name / "in").touch()
    others = {"./.fsa-unpacked/in", "./deep/.fsa-unpack/in"}  # these only have similar names
    with server.client() as client:
        assert {name for name in get(client, ".") if name.endswith("/in")} == others
        whole = get(client, str(server.directory))
        assert {name for name in whole if name.endswith("/in")} == {name.replace("./", "./home/", 1) for name in others}


def test_setuid_bits_and_closed_directories(client, server):
    body = archive(member("closed", type=tarfile.DIRTYPE, mode=0o555), member("closed/in", b"x", mode=0o4755))
    assert put(client, "modes", body).status == 201
    assert stat.S_IMODE((server.home / "modes/closed/in").stat().st_mode) == 0o755
    assert put(client, "modes", body + b"x").json["errorCode"] == "EXISTS"


@pytest.mark.parametrize("body", [b"no archive", os.urandom(70_000), archive(member("a", b"x" * 90_000))[:50_000]],
                         ids=["short", "random", "truncated"])
def test_an_invalid_archive_is_refused(client, server, body):
    answer = put(client, "broken", body)
    assert (answer.status, answer.json["errorCode"]) == (422, "CANNOT_UNPACK"), answer.body
    assert not (server.home / "broken").exists()
    nothing_is_left(server)


def test_an_upload_that_is_cut_off_changes_nothing(server):
    """The archive is complete, but the request is not."""
    body = archive(member("a", b"x" * 100_000))
    for framing, sent in [(f"Content-Length: {len(body) + 1}", body),
                          ("Transfer-Encoding: chunked", b"%x\r\n%s\r\n" % (len(body), body))]:
        with server.connect() as raw:
            raw.sendall(f"PUT {TAR}?path=cut HTTP/1.1\r\nHost: x\r\n{framing}\r\n"
                        f"Authorization: Bearer {make_token()}\r\n\r\n".encode() + sent)
            eventually(lambda: any((server.home / ".fsa-unpack").glob("*/a")))
        nothing_is_left(server)
        assert not (server.home / "cut").exists()


@pytest.mark.parametrize("strict, end", [("false", b"\r\n0\r\nArchive-Changed: true\r\n\r\n"), ("true", None)])
def test_a_changing_file_is_reported_by_a_trailer_or_ends_the_archive(server, strict, end):
    folder = server.home / f"changing-{strict}"
    folder.mkdir()
    with (folder / "a").open("wb") as file:
        file.truncate(100 << 20)  # more than is in transit
    with server.connect() as raw:
        raw.sendall(f"GET {TAR}?path={folder.name}&strict={strict} HTTP/1.1\r\nHost: x\r\n"
                    f"Authorization: Bearer {make_token()}\r\nConnection: close\r\n\r\n".encode())
        received = raw.recv(65536)
        assert received.startswith(b"HTTP/1.1 200")
        with (folder / "a").open("ab") as file:
            file.write(b"more")
        last = received
        while received := raw.recv(1 << 20):
            last = (last + received)[-64:]
    assert last.endswith(end) if end else not last.endswith(b"\r\n\r\n")


def test_a_client_that_does_not_read_holds_nothing_but_its_place(server):
    folder = server.home / "endless"
    folder.mkdir()
    with (folder / "a").open("wb") as file:
        file.truncate(1 << 40)
    before = server.memory()
    ask = (f"GET {TAR}?path=endless HTTP/1.1\r\nHost: x\r\n"
           f"Authorization: Bearer {make_token()}\r\n\r\n").encode()
    held = []
    for _ in range(4):
        held.append(server.connect())
        held[-1].sendall(ask)
        assert held[-1].recv(12) == b"HTTP/1.1 200"
    with server.client() as other:
        full = other.get(TAR, path="endless")
        assert (full.status, full.json["errorCode"]) == (429, "TOO_MANY")
        assert server.memory() - before < 2 << 20
        (server.home / "to-remove" / "deep").mkdir(parents=True)
        assert other.send("DELETE", "/v1/files", query={"path": "to-remove", "recursive": "true"}).status == 204
        assert put(other, "beside", archive(member("a", b"x"))).status == 201  # each client has its own limit
        for raw in held:
            raw.close()
        eventually(lambda: other.get(TAR, path="beside").status == 200)  # until the other transfers no longer count
        assert other.send("DELETE", "/v1/files", query={"path": "endless", "recursive": "true"}).status == 204


def test_a_full_disk_is_reported_and_nothing_of_the_archive_stays(make_server):
    server = make_server(home_size="8m")
    with server.client() as client:
        answer = put(client, "large", archive(member("a", os.urandom(20 << 20))))
        assert (answer.status, answer.json["errorCode"]) == (507, "DISK_FULL"), answer.body
        nothing_is_left(server)
        assert put(client, "small", archive(member("a", b"x" * 1_000_000))).status == 201


def test_remains_of_a_sandbox_that_ended_at_once_are_removed(make_server):
    server = make_server()
    (server.home / ".fsa-unpack" / "0123" / "deep").mkdir(parents=True)
    (server.home / ".fsa-unpack" / "0123").chmod(0o500)
    server.restart()
    eventually(lambda: not list(server.home.glob(".fsa-unpack*")))


def test_programs_in_the_home_directory_are_not_run(make_server, monkeypatch):
    """A sandbox's PATH begins in the home directory."""
    server = make_server()
    monkeypatch.setenv("PATH", f"{server.home}/.local/bin:{os.environ['PATH']}")
    server.restart()
    with server.client(scope="files:read files:write") as client:
        for name in ("tar", "chmod", "rm"):
            script = f"#!/bin/sh\ntouch '{server.home}/ran-{name}'\n"
            written = client.send("PUT", "/v1/files", script, {
                "path": f".local/bin/{name}", "mode": "755", "parents": "true"})
            assert written.status == 201, written.body
        assert put(client, "made", archive(member("a", b"x"))).status == 201
        nothing_is_left(server)
        assert put(client, "broken", b"no archive").status == 422
        nothing_is_left(server)
        assert get(client, "made")["./a"] == b"x"
    assert not list(server.home.glob("ran-*"))


@pytest.mark.parametrize("path, status", [("no/such", 404), ("file-here", 409), ("/etc", 403), ("../..", 403)])
def test_a_directory_that_is_not_there(client, path, status):
    client.write("file-here", b"x")
    assert client.get(TAR, path=path).status == status
