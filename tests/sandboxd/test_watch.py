"""Tests watching directories over a WebSocket."""

import os

import pytest

WATCH = "/v1/files/watch"


def changes(opened, until):
    """Returns {name: its changes in order}, up to the one about `until`."""
    seen = {}
    while until not in seen:
        message = opened.expect("change")
        seen.setdefault(message["name"], []).append(message["change"])
    return seen


def test_changes_in_a_directory_are_reported(server, client):
    watched = server.home / "watched-dir"
    (watched / "below").mkdir(parents=True)
    (watched / "gone").touch()
    with server.socket(WATCH) as opened:
        opened.send(type="watch", path="watched-dir")
        assert opened.expect("watching")["path"] == "watched-dir"
        client.write("watched-dir/written", b"x")  # its temporary file is not reported
        (watched / "gone").unlink()
        (watched / "below" / "unseen").touch()
        os.rename(watched / "written", watched / "renamed")
        seen = changes(opened, "renamed")
        assert seen == {"written": ["created", "removed"], "gone": ["removed"],
                        "renamed": ["created"]}
        opened.send(type="unwatch", path="watched-dir")
        assert opened.expect("ended")["path"] == "watched-dir"
        opened.send(type="watch", path="watched-dir")
        opened.expect("watching")
        client.send("DELETE", "/v1/files", query={"path": "watched-dir", "recursive": "true"})
        while (message := opened.receive())["type"] == "change":
            pass
        assert message == {"type": "ended", "path": "watched-dir"}


@pytest.mark.parametrize("path, code", [
    ("/etc", "OUTSIDE"), ("../..", "OUTSIDE"), ("leads-out", "OUTSIDE"), ("nothing", "NOT_FOUND"),
    ("a-file", "NOT_DIRECTORY")])
def test_only_directories_inside_are_watched(server, path, code):
    (server.home / "a-file").touch()
    if not (server.home / "leads-out").is_symlink():
        (server.home / "leads-out").symlink_to("/etc")
    with server.socket(WATCH) as opened:
        opened.send(type="watch", path=path)
        assert opened.expect("error")["errorCode"] == code


def test_watching_is_bounded(make_server):
    server = make_server()
    for n in range(33):
        (server.home / str(n)).mkdir()
    opened = [server.socket(WATCH) for _ in range(16)]
    for n in range(32):
        opened[0].send(type="watch", path=str(n))
        opened[0].expect("watching")
    opened[0].send(type="watch", path="32")
    assert opened[0].expect("error")["errorCode"] == "TOO_MANY"
    assert server.socket(WATCH).expect("error")["errorCode"] == "TOO_MANY"
    opened[1].send(type="unwatch", path="1")
    assert opened[1].expect("error")["errorCode"] == "NOT_FOUND"
    for watcher in opened:
        watcher.raw.shutdown()
