"""Tests access to a sandbox's ports and logs: fsa forward and fsa logs."""

import json
import os
import signal
import socket
import socketserver
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlparse

import pytest
import requests

from inside import Line
from stand.process import free_port

DATA = os.urandom(1 << 20)


class Echo(socketserver.ThreadingTCPServer):
    """Sends everything back, and closes when the client has."""

    allow_reuse_address = daemon_threads = True

    class RequestHandlerClass(socketserver.BaseRequestHandler):
        def handle(self):
            while part := self.request.recv(65536):
                self.request.sendall(part)

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.RequestHandlerClass)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Program(ThreadingHTTPServer):
    """A program of the sandbox that says hello."""

    class RequestHandlerClass(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"hello")

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.RequestHandlerClass)
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.fixture
def echo():
    with Echo() as server:
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def forward(fsa):
    """forward(words): returns the local port and the process."""
    running = []

    def start(*words):
        running.append(subprocess.Popen([fsa.program, "forward", "--json", "shop", *map(str, words)],
                                        env=fsa.env, text=True, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE))
        return json.loads(running[-1].stdout.readline())["port"], running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def exchange(port, data):
    """Sends all data and ends it; returns everything received until the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        def send():
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)

        sending = threading.Thread(target=send)
        sending.start()
        came = b""
        while part := connection.recv(65536):
            came += part
        sending.join()
        return came


def test_every_byte_of_many_connections_goes_there_and_back(forward, echo):
    port, process = forward(f"0:{echo}")
    with ThreadPoolExecutor(8) as pool:
        assert all(came == DATA for came in pool.map(lambda _: exchange(port, DATA), range(8)))
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0


def visit(session, inside, url, **options):
    """Opens the address of a port, which the cluster leads to sandboxd."""
    address = urlparse(url)
    return session.get(f"http://127.0.0.1:{inside.sandbox.port}{address.path}?{address.query}", timeout=60,
                       headers={"Host": address.netloc}, allow_redirects=False, **options)


def test_a_private_port_is_reached_by_a_link_and_not_without(fsa, ada, inside, echo):
    with Program() as program, requests.Session() as browser:
        port = program.server_address[1]
        opened, = json.loads(fsa("port", "open", "shop", str(port), "--private", "--json").stdout)
        assert opened["access"] == "token"
        assert visit(browser, inside, opened["url"]).status_code == 401
        link = fsa("port", "link", "shop", str(port), "--expires", "2h").stdout.decode().strip()
        entered = visit(browser, inside, link)
        assert (entered.status_code, entered.headers["Location"]) == (303, "/")
        cookie = entered.headers["Set-Cookie"].partition(";")[0].split("=", 1)
        assert visit(browser, inside, opened["url"], cookies=dict([cookie])).text == "hello"
        program.shutdown()
    token = ada.client.post("/api/visits", {"host": urlparse(opened["url"]).hostname}).json()["token"]
    path = opened["url"] + "/?fsa_token=" + token
    assert [visit(requests, inside, path).status_code for _ in range(2)] == [303, 401]
    assert b"at most 7d" in fsa("port", "link", "shop", str(port), "--expires", "8d", status=2).stderr
    fsa("port", "open", "shop", str(port))
    assert b"needs no link" in fsa("port", "link", "shop", str(port), status=1).stderr
    fsa("port", "close", "shop", str(port))
    assert b"is not open" in fsa("port", "link", "shop", str(port), status=4).stderr


def test_a_port_without_a_listener_is_reported_and_the_next_one_served(forward, echo, fsa):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        silent = taken.getsockname()[1]
    port, process = forward(f"0:{silent}")
    assert exchange(port, b"") == b""
    assert "nothing listens" in process.stderr.readline()
    with socket.create_server(("127.0.0.1", silent)) as server:
        with socket.create_connection(("127.0.0.1", port)) as near:
            far, _ = server.accept()
            far.sendall(b"hello")
            assert near.recv(5) == b"hello"
            far.close()


def test_a_port_in_use_is_reported(fsa, echo):
    assert b"Choose another" in fsa("forward", "shop", f"{echo}:3000", status=6).stderr


@pytest.mark.parametrize("word", ["0", "x", "1:2:3", "70000", "3000:", ":3000", "-1"])
def test_an_invalid_port_is_refused(fsa, word):
    assert b"no port" in fsa("forward", "--", "shop", word, status=2).stderr


CLOCK = r"""
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *ret)
{
	struct stat minutes;
	int status = syscall(SYS_clock_gettime, clock, ret);
	if (clock == CLOCK_BOOTTIME && stat(getenv("MINUTES"), &minutes) == 0)
		ret->tv_sec += minutes.st_size * 60;
	return status;
}
"""


@pytest.fixture
def later(tmp_path):
    """later(minutes): sets the clock ahead for programs that run with the environment later.env."""
    (tmp_path / "clock.c").write_text(CLOCK)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "clock.so", tmp_path / "clock.c"], check=True)
    minutes = tmp_path / "minutes"

    def set_clock(number):
        minutes.write_bytes(b"x" * number)

    set_clock.env = {"LD_PRELOAD": str(tmp_path / "clock.so"), "MINUTES": str(minutes)}
    return set_clock


def test_a_token_is_used_as_long_as_it_is_good_while_the_site_is_away(forward, fsa, ada, served, echo, later):
    here, site = free_port(), ("127.0.0.1", urlparse(served.url).port)
    way = Line(here, lambda: socket.create_connection(site))
    fsa.env = {**fsa.env, **later.env, "FSA_SITE": f"http://127.0.0.1:{here}", "FSA_TOKEN": ada.token}
    port, process = forward(f"0:{echo}")
    way.close()
    later(55)
    assert exchange(port, b"still good") == b"still good"
    later(61)
    assert exchange(port, b"") == b""
    assert "cannot be reached" in process.stderr.readline()


# ---- logs ---------------------------------------------------------------------------------------


@pytest.fixture
def app(inside, ada):
    """app("echo hello"): starts an application in the sandbox, as a client of sandboxd's API."""
    started = []

    def start(command):
        made = ada.client.post(f"/api/sandbox/{ada.project['id']}/tokens",
                               {"scopes": ["exec"]}).json()
        head = {"Authorization": f"Bearer {made['token']}"}
        base = f"http://127.0.0.1:{inside.sandbox.port}/v1/processes"
        body = {"command": command, "name": "app", "overflow": "drop"}
        started.append((base + "/" + requests.post(base, json=body, headers=head, timeout=60)
                        .json()["id"], head))
        return started[-1]

    yield start
    for url, head in started:
        requests.delete(url, headers=head, timeout=60)


def test_the_applications_log_is_printed_and_followed(fsa, app, inside):
    assert b"name app" in fsa("logs", "shop", status=4).stderr
    app("echo one; until [ -e go-on ]; do sleep 0.05; done; seq 2 20000; echo the end")
    assert fsa("logs", "shop").stdout == b"one\n"
    with subprocess.Popen([fsa.program, "logs", "shop", "--follow"], env=fsa.env,
                          stdout=subprocess.PIPE) as following:
        assert following.stdout.readline() == b"one\n"
        with inside.line.that_breaks():
            (inside.home / "go-on").touch()
            shown = following.stdout.read()
    assert following.returncode == 0
    assert shown == b"".join(b"%d\n" % n for n in range(2, 20001)) + b"the end\n"


def test_missing_output_is_reported(fsa, app):
    url, head = app("yes | head -c 1000000")
    requests.get(url + "?wait=60", headers=head, timeout=70)
    done = fsa("logs", "shop")
    assert b"bytes before this are not kept" in done.stderr
    missing = int(done.stderr.split(b"fsa: ")[1].split()[0])
    assert missing + len(done.stdout) == 1000000


def test_the_log_of_the_start_is_separate(fsa, inside):
    (inside.home.parent / "run" / "start.log").write_text("filling the home directory\n")
    assert fsa("logs", "shop", "start").stdout == b"filling the home directory\n"
    assert b"app is the" in fsa("logs", "shop", "nothing", status=2).stderr
