"""Tests many connections at once: memory stays small, and the end of sandboxd ends them all."""

import contextlib
import os
import signal

from server import make_token

MIB = 1 << 20
LARGE = 64 * MIB


def test_memory_stays_below_16_mib_under_all_of_it(make_server):
    """1,000 connections, endless output that nobody reads, readers that stop, a large upload, and commands run
    meanwhile, which give the right bytes and codes."""
    server = make_server()
    (server.home / "large").write_bytes(bytes(LARGE))
    with contextlib.ExitStack() as held, server.client(jti="worker") as client:
        for n in range(900):
            held.enter_context(server.socket(jti=f"idle{n // 200}"))
        for n in range(20):
            printing = held.enter_context(server.socket(jti="printing"))
            printing.send(type="start", command=["yes"])
        for n in range(80):
            reader = held.enter_context(contextlib.closing(server.connect()))
            reader.sendall(f"GET /v1/files?path=large HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                           f"{make_token()}\r\n\r\n".encode())
        made = client.send("POST", "/v1/uploads", query={"path": "up"}, Upload_Length=str(LARGE))
        done = client.send("PATCH", made.headers["Location"], os.urandom(LARGE), Upload_Offset="0")
        assert done.status == 204
        for n in range(50):
            assert client.run(f"echo {n}; exit {n}") == (n, b"%d\n" % n, b"")
        assert client.get("/v1/activity").json["connections"] >= 1000
        assert server.peak() <= 16 * MIB


def test_the_end_of_sandboxd_ends_every_connection_at_once(make_server):
    """This happens when access is revoked and the pod is replaced: a program that is slow to end, or refuses to,
    keeps no connection open."""
    server = make_server()
    with server.socket() as attached, server.client() as waiting:
        attached.send(type="start", command="trap '' TERM; echo up; sleep 1000")
        process = attached.expect("process")
        attached.follow(until=lambda streams: b"up" in streams[1])
        try:
            waiting.get("/v1/health")
            os.kill(server.pid(), signal.SIGTERM)
            assert attached.raw.sock.recv(1) == b"" and waiting.connection.sock.recv(1) == b""
            os.kill(process["pid"], 0)  # it is still running
        finally:
            os.killpg(process["pid"], signal.SIGKILL)
