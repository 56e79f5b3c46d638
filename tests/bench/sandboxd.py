"""Measures sandboxd: how long a command takes, and how fast a file is uploaded and downloaded."""

import os
import socket
import threading
import time

from rows import make_row
from server import Server
from web import median

PART = 1 << 18


def measure_sandboxd(scene, options):
    server = Server(options.build / "runtime" / "sandboxd" / "sandboxd", scene.directory / "sandboxd")
    content = os.urandom(options.file_mb * 1_000_000)
    server.start()
    try:
        idle = server.memory()
        runs, spawns = _run_true(server, options.runs)
        ups, downs, floor_ups, floor_downs = [], [], [], []
        for number in range(options.rounds):
            floor_ups.append(_bare_upload(scene.directory / "bare-file", content))
            ups.append(_upload(server, f"file{number}", content))
            floor_downs.append(_bare_download(scene.directory / "bare-file"))
            downs.append(_download(server, f"file{number}"))
            os.unlink(server.home / f"file{number}")
        loaded = server.memory()
    finally:
        server.stop()
    return [
        make_row("run_true", 1000 * median(runs), 1000 * median(spawns)),
        make_row("upload", options.file_mb / median(ups), options.file_mb / median(floor_ups)),
        make_row("download", options.file_mb / median(downs), options.file_mb / median(floor_downs)),
        make_row("sandboxd_idle", idle / 1e6),
        make_row("sandboxd_loaded", loaded / 1e6),
    ]


def _run_true(server, count):
    runs, spawns = [], []
    with server.socket() as opened:
        for _ in range(count):
            began = time.monotonic()
            assert opened.run(["true"])[0] == 0
            runs.append(time.monotonic() - began)
            began = time.monotonic()
            os.waitpid(os.posix_spawn("/bin/true", ["true"], os.environ), 0)
            spawns.append(time.monotonic() - began)
    return runs, spawns


def _upload(server, name, content):
    with server.client() as client:
        began = time.monotonic()
        made = client.send("POST", "/v1/uploads", query={"path": name},
                           Upload_Length=str(len(content)))
        done = client.send("PATCH", made.headers["Location"], content, Upload_Offset="0")
        assert done.status == 204 and done.headers["ETag"]
        return time.monotonic() - began


def _download(server, name):
    with server.client() as client:
        began = time.monotonic()
        size = len(client.read(name).body)
        assert size == os.path.getsize(server.home / name)
        return time.monotonic() - began


def _against(serve, use):
    """Returns the seconds that use(connection) takes when serve() handles the other end."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        def accept():
            with listening.accept()[0] as connection:
                serve(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        began = time.monotonic()
        with socket.create_connection(listening.getsockname()) as connection:
            use(connection)
            thread.join()
        return time.monotonic() - began


def _bare_upload(path, content):
    def serve(connection):
        with open(path, "wb", buffering=0) as file:
            while part := connection.recv(PART):
                file.write(part)

    def use(connection):
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)

    return _against(serve, use)


def _bare_download(path):
    def serve(connection):
        with open(path, "rb") as file:
            connection.sendfile(file)

    def use(connection):
        received = bytearray()
        while len(received) < os.path.getsize(path):
            received += connection.recv(PART)

    return _against(serve, use)
