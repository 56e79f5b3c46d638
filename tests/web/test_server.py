"""Tests the process model with a small program (echo.c) without nginx: workers, signals, sockets, CGI."""

import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fastcgi
import pytest

from stand.process import PATIENCE


PATIENCE_S = 10  # SERVER_PATIENCE_S: how long a request may continue after SIGTERM


def wait_for(check, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := check():
            return found
        time.sleep(0.02)
    raise AssertionError("did not happen in time")


def children(pid):
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture
def program(build):
    return build / "tests" / "web" / "echo.fcgi"


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "fsa.conf"
    path.write_text("database = host=/nonexistent dbname=none\ningress_domain = a.example\n")
    return path


class Server:
    def __init__(self, program, config, directory, *options, **popen):
        self.socket = directory / "s"
        self.log = directory / "log"
        where = [] if "stdin" in popen else ["--socket", self.socket]
        ready = self.logged("msg=ready")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([program, "--config", config, *where, *options],
                                            stderr=log, **popen)
        wait_for(lambda: self.logged("msg=ready") > ready or self.process.poll() is not None)

    def logged(self, words):
        """Returns how often these words are in the log, which all servers of one test share."""
        return self.log.read_text().count(words) if self.log.exists() else 0

    def get(self, url, **rest):
        return fastcgi.request(self.socket, "GET", url, **rest)

    def stop(self, patience=PATIENCE):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(patience)


@pytest.fixture
def serve(program, config):
    directory = Path(tempfile.mkdtemp(prefix="fsa-", dir="/tmp"))  # a socket's path must be short
    servers = []

    def start(*options, **popen):
        servers.append(Server(program, config, directory, *options, **popen))
        return servers[-1]

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()
    for file in directory.iterdir():
        file.unlink()
    directory.rmdir()


def test_workers_share_one_socket(serve):
    server = serve("--workers", "3")
    workers = set(wait_for(lambda: len(found := children(server.process.pid)) == 3 and found))
    seen = {server.get("/pid").json()["pid"] for _ in range(20)}
    assert seen <= workers
    assert os.stat(server.socket).st_mode & 0o777 == 0o660


def test_a_worker_is_replaced_after_its_requests(serve):
    server = serve("--workers", "1", "--requests", "3")
    pids = [server.get("/pid").json()["pid"] for _ in range(9)]
    assert [pids.count(p) for p in dict.fromkeys(pids)] == [3, 3, 3]
    assert "worker ended" not in server.log.read_text()


def test_a_worker_that_crashes_is_replaced_at_once(serve):
    server = serve("--workers", "1")
    assert server.get("/crash") is None
    assert server.get("/pid").status == 200
    assert "exit=3" in server.log.read_text()


def test_crashes_in_a_row_are_no_fork_storm(serve):
    server = serve("--workers", "2")
    begun = time.monotonic()
    crashes = 0
    while crashes < 8:
        crashes += server.get("/crash") is None
    # after the first two, starts are 100 ms, 200 ms, 400 ms, … apart; each worker may be the first to be served
    assert time.monotonic() - begun > 1
    assert wait_for(lambda: server.get("/pid")).status == 200


def test_sigterm_lets_a_request_end(serve):
    server = serve("--workers", "2")
    answers = []
    thread = threading.Thread(target=lambda: answers.append(server.get("/slow?ms=1000")))
    thread.start()
    wait_for(lambda: server.logged("msg=asleep"))
    begun = time.monotonic()
    assert server.stop() == 0
    thread.join()
    assert answers[0].status == 200
    assert time.monotonic() - begun < PATIENCE_S
    assert not server.socket.exists()


def test_idle_workers_end_at_once(serve):
    """Repeated, because it concerns the moment between checking for a signal and accept()."""
    for _ in range(15):
        server = serve("--workers", "4")
        begun = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begun < PATIENCE_S


def test_a_request_that_does_not_end_is_cut_off(serve):
    server = serve("--workers", "1")
    with fastcgi.connect(server.socket, 30) as connection:
        fastcgi.send(connection, fastcgi.variables("GET", "/slow?ms=60000"))
        wait_for(lambda: server.logged("msg=asleep"))
        begun = time.monotonic()
        assert server.stop() == 0
        assert PATIENCE_S - 1 < time.monotonic() - begun < 50


def test_a_request_that_hangs_ends_its_worker_and_no_other(serve):
    server = serve("--workers", "1")
    begun = time.monotonic()
    assert server.get("/hang") is None
    assert time.monotonic() - begun < 30
    assert server.get("/pid").status == 200
    assert "a request took too long" in server.log.read_text()


def test_on_tcp_too_a_connection_that_says_nothing_is_left(serve):
    """As with a host that has been cut off, the end of the connection never arrives."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        where = listening.getsockname()
        server = serve("--workers", "3", stdin=listening.fileno())
        workers = wait_for(lambda: len(found := children(server.process.pid)) == 3 and found)
        with fastcgi.connect(where) as silent, fastcgi.connect(where) as halting:
            pairs = [*fastcgi.variables("POST", "/echo", b"{}"), ("CONTENT_LENGTH", "99")]
            halting.sendall(fastcgi.record(fastcgi.BEGIN, b"\0\1\0\0\0\0\0\0")
                            + fastcgi.stream(fastcgi.PARAMS, fastcgi.params(pairs)))
            silent.sendall(b"\1")
            time.sleep(17)  # the third worker has nobody to serve for as long
            with ThreadPoolExecutor() as pool:
                # So slow that for two seconds no worker is free, even if one starts late.
                slow = [pool.submit(fastcgi.request, where, "GET", "/slow?ms=5000")
                        for _ in range(3)]
                assert {s.result().json()["pid"] for s in slow} == set(workers)
        assert "level=error" not in server.log.read_text()
        assert server.stop() == 0


def test_the_master_tells_systemd_that_it_is_alive(serve, tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        server = serve("--workers", "1")
        alive = 0
        while alive < 2:
            alive += manager.recv(2000) == b"WATCHDOG=1"
        server.process.send_signal(signal.SIGSTOP)
        manager.setblocking(False)
        while True:
            try:
                manager.recv(2000)
            except BlockingIOError:
                break
        time.sleep(6)
        with pytest.raises(BlockingIOError):
            manager.recv(2000)
        server.process.send_signal(signal.SIGCONT)


# ---- configuration ------------------------------------------------------------------------------


WRONG = "database = host=/nonexistent\nresync = soon\npublic_url = agent.example.org\n"


@pytest.fixture
def manager(tmp_path, monkeypatch):
    """The service manager's end of the socket: manager() waits for the next Status: that satisfies a check."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(tmp_path / "notify"))
        end.settimeout(PATIENCE)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))

        def status(words):
            while words not in (told := end.recv(2000).decode()):
                pass
            return told.removeprefix("STATUS=")

        yield status


def reload(server):
    """Sends SIGHUP; returns when the server has logged the result."""
    before = server.logged("msg=reloaded") + server.logged("reload failed")
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: server.logged("msg=reloaded") + server.logged("reload failed") > before)


def test_all_that_is_wrong_with_the_configuration_is_logged_and_it_does_not_start(serve, config, manager):
    config.write_text(WRONG)
    server = serve("--workers", "1")
    assert server.process.wait(PATIENCE) == 78
    log = server.log.read_text()
    for error in ("line=2 error=\"resync: ", "line=3 error=\"public_url: ", "ingress_domain: is not set"):
        assert error in log
    assert manager("cannot start").startswith("cannot start: 3 errors")


def test_the_check_of_a_configuration_starts_nothing(program, config):
    command = [program, "--config", config, "--check"]
    assert subprocess.run(command).returncode == 0
    config.write_text(WRONG)
    assert subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 78


def test_no_request_is_lost_while_the_configuration_is_reloaded(serve):
    server = serve("--workers", "3")
    done = threading.Event()

    def ask():
        answers = []
        while not done.is_set():
            answers.append(server.get("/pid"))
        return answers

    with ThreadPoolExecutor(6) as pool:
        asking = [pool.submit(ask) for _ in range(6)]
        for _ in range(25):
            reload(server)
        done.set()
        answers = [answer for some in asking for answer in some.result()]
    assert all(answer is not None and answer.status == 200 for answer in answers)
    assert len({answer.json()["pid"] for answer in answers}) > 3
    assert "worker ended" not in server.log.read_text()


def test_a_reload_lets_a_request_end_and_takes_over_the_level_of_the_log(serve, config):
    right = config.read_text()
    server = serve("--workers", "1")
    pid = server.get("/pid").json()["pid"]
    config.write_text(right + "log_level = error\n")
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: server.get("/pid").json()["pid"] != pid)
    assert server.get("/slow?ms=1").status == 200
    assert server.logged("msg=asleep") == 0
    config.write_text(right)
    reload(server)
    # A former worker may still take one request.
    wait_for(lambda: server.get("/slow?ms=1").status == 200 and server.logged("msg=asleep"))
    with ThreadPoolExecutor() as pool:
        asked = server.logged("msg=asleep")
        slow = pool.submit(server.get, "/slow?ms=1000")
        wait_for(lambda: server.logged("msg=asleep") > asked)
        reload(server)
        assert slow.result().status == 200


def test_a_reload_of_a_wrong_file_changes_nothing_and_says_so(serve, config, manager):
    server = serve("--workers", "1")
    right, pid = config.read_text(), server.get("/pid").json()["pid"]
    config.write_text(WRONG)
    reload(server)
    assert server.get("/pid").json()["pid"] == pid
    assert server.logged("msg=\"invalid configuration\"") == 3
    assert manager("not reloaded").startswith("not reloaded, running as before: 3 errors")
    config.write_text(right)
    reload(server)
    wait_for(lambda: server.get("/pid").json()["pid"] != pid)
    assert manager("1 workers").startswith("1 workers")


def test_options_that_need_a_restart_are_reported(serve, config, tmp_path):
    server = serve("--workers", "1")
    config.write_text(config.read_text() + f"metrics_dir = {tmp_path}\n")
    reload(server)
    assert server.logged("msg=\"takes effect after a restart\" option=metrics_dir") == 1


def test_the_status_tells_of_workers_requests_and_the_last_error(serve, manager):
    server = serve("--workers", "2")
    assert manager("workers") == "2 workers, 0 requests served; no errors"
    assert server.get("/pid").status == 200
    assert server.get("/crash") is None
    # The end of one worker may be reported before what the other has served.
    told = manager("1 requests served; last error ")
    assert "worker ended" in told and "exit=3" in told


def test_workers_do_not_outlive_their_master(serve):
    server = serve("--workers", "3")
    workers = wait_for(lambda: len(found := children(server.process.pid)) == 3 and found)
    time.sleep(0.2)
    server.process.kill()
    server.process.wait()
    wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers))


def test_a_kept_connection_does_not_keep_its_worker(serve):
    """This is nginx with fastcgi_keep_conn: after the response, the connection ends."""
    server = serve("--workers", "1")
    with fastcgi.connect(server.socket) as kept:
        fastcgi.send(kept, fastcgi.variables("GET", "/pid"), flags=fastcgi.KEEP_CONNECTION)
        assert fastcgi.read_answer(kept).status == 200
        assert server.get("/pid", timeout=12).status == 200  # SERVER_PEER_S is 15


def test_a_connection_that_says_nothing_is_left(serve):
    server = serve("--workers", "1")
    with fastcgi.connect(server.socket):
        time.sleep(0.1)
        assert server.get("/pid").status == 200


def test_nonsense_on_the_socket_harms_nobody(serve):
    server = serve("--workers", "1")
    for junk in (b"GET / HTTP/1.1\r\n\r\n", b"\0" * 64, b"\xff" * 4096,
                 fastcgi.record(fastcgi.BEGIN, b"\0\1\0\0\0\0\0\0"),
                 fastcgi.record(fastcgi.PARAMS, b"\xff\xff\xff\xff")):
        with fastcgi.connect(server.socket) as connection:
            connection.sendall(junk)
    assert server.get("/pid").status == 200
    assert "worker ended" not in server.log.read_text()


def test_headers_are_capped_without_harm(serve):
    server = serve("--workers", "1")
    pid = server.get("/pid").json()["pid"]
    base = fastcgi.variables("GET", "/pid")
    many = [(f"HTTP_X_{n}", "x") for n in range(10_000)]
    assert fastcgi.request(server.socket, "", "", pairs=base + many).status == 413
    giant = [("HTTP_COOKIE", "a" * 1_000_000)]
    assert fastcgi.request(server.socket, "", "", pairs=base + giant).status == 413
    assert fastcgi.request(server.socket, "", "", pairs=[("A", "b")]).status == 400
    assert fastcgi.request(server.socket, "", "", pairs=[("REQUEST_URI", b"/\xff\xfe")]).status == 400
    assert server.get("/pid").json()["pid"] == pid


def test_bodies_come_whole(serve):
    server = serve("--workers", "1")
    text = "é" * 300_000
    answer = fastcgi.request(server.socket, "POST", "/echo", {"text": text})
    assert answer.json() == {"text": text}
    pairs = [(n, "999" if n == "CONTENT_LENGTH" else v)
             for n, v in fastcgi.variables("POST", "/echo", b'{"text":""}')]
    truncated = fastcgi.request(server.socket, "", "", b'{"text":""}', pairs=pairs)
    assert (truncated.status, truncated.json()["errorCode"]) == (400, "TRUNCATED_BODY")


def test_a_client_that_goes_away_harms_nobody(serve):
    server = serve("--workers", "1")
    pid = server.get("/pid").json()["pid"]
    for _ in range(5):
        with fastcgi.connect(server.socket) as connection:
            fastcgi.send(connection, fastcgi.variables("GET", "/slow?ms=50"))
    assert server.get("/pid").json()["pid"] == pid


def test_descriptor_0_may_be_the_socket(serve, tmp_path):
    """systemd passes the socket like this."""
    path = Path(f"/tmp/fsa-{os.getpid()}.sock")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        try:
            server = serve("--workers", "2", stdin=listening.fileno())
            assert fastcgi.request(path, "GET", "/pid").status == 200
            begun = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - begun < PATIENCE_S
            assert path.exists()  # it belongs to systemd
        finally:
            path.unlink()


def test_a_stale_socket_is_replaced_and_a_used_one_is_not(serve):
    first = serve("--workers", "1")
    second = serve("--workers", "1")
    assert second.process.wait(PATIENCE) == 1
    assert "another program listens there" in first.log.read_text()
    first.process.kill()
    first.process.wait()
    third = serve("--workers", "1")
    assert first.logged("msg=ready") == 2
    assert third.get("/pid").status == 200


def cgi(program, config, pairs, body=b"", arguments=()):
    environment = {**dict(pairs), "FSA_CONFIG": str(config)}
    return subprocess.run([program, *arguments], input=body, env=environment,
                          capture_output=True, timeout=PATIENCE, check=False)


def test_the_same_program_is_plain_cgi(program, config):
    body = b'{"text":"\xc3\xa9"}'
    done = cgi(program, config, fastcgi.variables("POST", "/echo", body), body)
    assert fastcgi.parse(done.stdout).json() == {"text": "é"}
    assert done.returncode == 0


def test_a_query_gives_cgi_no_options(program, config):
    """RFC 3875: words of a query without '=' may be passed as arguments."""
    done = cgi(program, config, fastcgi.variables("GET", "/pid?--routes"), arguments=["--routes"])
    assert done.stdout.startswith(b"Status: ")


@pytest.mark.parametrize("options, code", [
    (["--workers", "0"], 64),
    (["--workers", "x"], 64),
    (["--nonsense"], 64),
    (["--config", "/nonexistent"], 78),
    ([], 1),
])
def test_wrong_usage_says_so(program, config, options, code):
    options = options if options else ["--config", config]
    done = subprocess.run([program, *options], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=PATIENCE, check=False)
    assert done.returncode == code
    assert done.stderr
