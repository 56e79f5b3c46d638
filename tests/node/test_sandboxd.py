"""Tests what programs do in a sandbox on the real node, through its ingress. The site is only asked for tokens."""

import hashlib
import random
import re
import socket
import statistics
import struct
import subprocess
import time

import pytest

from outside import Outside
from people import eventually
from server import make_token

RUNS = 1000
SIZE, PIECE = 1 << 30, 16 << 20
MIB = 1 << 20
# The promise is 20 ms, which `make bench` measures; the machine may be busy, and the pod has a fifth of a processor.
TRUE_SECONDS = 0.2


@pytest.fixture(scope="module")
def project(new_person):
    made = new_person().create("Programs")
    made.wait("RUNNING")
    return made


@pytest.fixture(scope="module")
def home(node, project):
    """The folder behind the project's home directory."""
    claim = project.person.namespace.get("PersistentVolumeClaim", f"home-{project.sandbox()['name']}-0")
    return node.folder(claim)


@pytest.fixture(scope="module")
def outside(project, authority):
    return Outside(project, authority)


@pytest.fixture(scope="module")
def token(outside):
    """A token with all scopes. The site is not needed after this, until access is withdrawn."""
    made = outside.token()
    with outside.client(made) as client:
        # An ingress controller learns of a new pod a moment after the API reports it ready.
        eventually(lambda: client.get("/v1/health").status == 200)
    return made


@pytest.fixture(scope="module")
def reader(outside):
    return outside.token("files:read")


@pytest.fixture(scope="module", autouse=True)
def packets(site, token, reader, home):
    """packets(): how many packets with data have come to the site's port since the tokens were made. Those that only
    open, acknowledge or close a connection, as of a browser's that was left open, have 60 bytes at most."""
    nft("add table inet counted; add chain inet counted input { type filter hook input priority 0; };"
        f"add rule inet counted input tcp dport {site.nginx.port} meta length > 60 counter")
    yield lambda: int(re.search(r"packets (\d+)", nft("list table inet counted"))[1])
    nft("delete table inet counted")


def nft(words):
    return subprocess.run(["/usr/sbin/nft", words], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def client(outside, token):
    with outside.client(token) as made:
        yield made


# ---- the tests, in an order: the site carries nothing before the last -----------------------------


def test_a_thousand_commands_have_the_right_bytes_and_codes(outside, token):
    """Each prints the same bytes as are computed here, on both streams, and ends with its own code."""
    with outside.socket(token) as opened:
        for number in range(RUNS):
            text = f"{number} ✓ " * (number % 50)
            command = ["sh", "-c", 'printf %s "$1"; printf %s "$2" >&2; exit "$3"', "sh", text, str(number),
                       str(number % 256)]
            assert opened.run(command) == (number % 256, text.encode(), str(number).encode())


def test_a_command_takes_little_time(outside, token):
    seconds = []
    with outside.socket(token) as opened:
        for _ in range(200):
            began = time.monotonic()
            assert opened.run(["true"]) == (0, b"", b"")
            seconds.append(time.monotonic() - began)
    assert statistics.median(seconds) < TRUE_SECONDS, f"median of {statistics.median(seconds)} s"


def test_an_upload_of_a_gibibyte_that_is_cut_twice_arrives_whole(outside, token, home, tmp_path):
    content = tmp_path / "content"
    digest = write_random(content, SIZE)
    with outside.client(token) as client:
        made = client.send("POST", "/v1/uploads", query={"path": "large"}, Upload_Length=str(SIZE))
    assert made.status == 201
    cuts = [SIZE // 3, 2 * SIZE // 3]
    with open(content, "rb") as file:
        while (offset := offset_of(outside, token, made.headers["Location"])) < SIZE:
            if cuts and offset >= cuts[0]:
                cut(outside, token, made.headers["Location"], offset, file)
                cuts.pop(0)
            else:
                send(outside, token, made.headers["Location"], offset, file)
    assert cuts == []
    with open(home / "large", "rb") as arrived:
        assert hashlib.file_digest(arrived, "sha256").digest() == digest


def write_random(path, size):
    """Writes that many bytes, which nobody can guess from others; returns their digest."""
    digest, source = hashlib.sha256(), random.Random(14)
    with open(path, "wb") as file:
        for _ in range(size // MIB):
            part = source.randbytes(MIB)
            digest.update(part)
            file.write(part)
    return digest.digest()


def offset_of(outside, token, where):
    with outside.client(token) as client:
        return int(client.send("HEAD", where).headers["Upload-Offset"])


def send(outside, token, where, offset, file):
    file.seek(offset)
    with outside.client(token) as client:
        answer = client.send("PATCH", where, file.read(PIECE), Upload_Offset=str(offset))
    assert answer.status == 204, answer.body


def cut(outside, token, where, offset, file):
    """Resets the connection in the middle of a piece."""
    file.seek(offset)
    head = (f"PATCH {where} HTTP/1.1\r\nHost: {outside.host}\r\nAuthorization: Bearer {token}\r\n"
            f"Upload-Offset: {offset}\r\nContent-Length: {PIECE}\r\n\r\n")
    with outside.connect() as raw:
        raw.sendall(head.encode() + file.read(PIECE // 2))
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_a_client_that_is_gone_continues_without_a_lost_or_doubled_byte(outside, token):
    whole = b"".join(b"%d\n" % number for number in range(200000))
    streams = {1: bytearray(), 2: bytearray()}
    with outside.socket(token) as opened:
        opened.send(type="start", command="seq 0 199999; exit 9")
        process = opened.expect("process")["id"]
        opened.follow(streams, until=lambda s: len(s[1]) > 100000)
        reset(opened)
    for goal in (400000, 800000, None):
        with outside.socket(token) as opened:
            opened.send(type="attach", id=process, stdout=len(streams[1]), stderr=0)
            opened.expect("process")
            end, _ = opened.follow(streams, until=goal and (lambda s: len(s[1]) > goal))
            if goal:
                reset(opened)
    assert end["type"] == "exit" and end["exitCode"] == 9
    assert streams[1] == whole


def reset(opened):
    """Makes the connection end as that of a killed program does which had not read everything."""
    opened.raw.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("wrong", [
    lambda outside: make_token(secret="x" * 24),
    lambda outside: make_token(secret=outside.secret, expires_in=-1),
    lambda outside: None,
], ids=["of another sandbox", "expired", "none"])
def test_a_token_that_is_not_valid_is_refused(outside, wrong):
    with outside.client(wrong(outside)) as client:
        answer = client.send("PUT", "/v1/files", b"x", {"path": "forbidden"})
        assert (answer.status, answer.json["errorCode"]) == (401, "UNAUTHORIZED")


def test_a_token_that_may_only_read_changes_nothing(outside, reader, client):
    assert client.write("kept", b"kept").status == 201
    with outside.client(reader) as reading:
        assert reading.read("kept").body == b"kept"
        for answer in (reading.write("kept", b"changed"),
                       reading.send("DELETE", "/v1/files", query={"path": "kept"}),
                       reading.send("POST", "/v1/processes", {"command": "rm kept"})):
            assert (answer.status, answer.json["errorCode"]) == (403, "MISSING_SCOPE")
    assert client.read("kept").body == b"kept"


def test_neither_dots_nor_links_lead_out_of_the_home_directory(client):
    assert client.run("ln -s /etc/passwd link; ln -s / root")[0] == 0
    for path in ("../../etc/passwd", "/etc/passwd", "link", "root/etc/passwd", "kept/../../../etc/passwd"):
        answer = client.read(path)
        assert 400 <= answer.status < 500 and b"root:" not in answer.body, (path, answer.status, answer.body)
    assert 400 <= client.write("root/tmp/x", b"x").status < 500
    assert client.run("cat /tmp/x")[0] != 0


def test_usage_is_reported_against_the_limits_of_the_pod(client):
    usage = client.get("/v1/usage").json
    assert usage["cpu"]["limitCores"] == 0.2 and usage["cpu"]["usedSeconds"] > 0
    assert usage["memory"]["limit"] == 256 * MIB > usage["memory"]["used"] > 0
    assert usage["memory"]["oomKills"] == 0


def test_its_memory_has_stayed_below_16_mib(client):
    code, status, _ = client.run('cat "/proc/$(pgrep -x sandboxd)/status"')
    peak = re.search(rb"VmHWM:\s+(\d+) kB", status)
    assert code == 0 and int(peak[1]) <= 16 * 1024, status


def test_the_site_carried_none_of_it(packets, project):
    assert packets() == 0
    project.get()
    assert packets() > 0  # so packets are counted


def test_a_withdrawn_token_is_refused(project, outside, token, authority):
    assert project.person.client.delete("/api/auth/sessions?others=true").ok

    def status(made):
        with outside.client(made) as client:
            answer = client.get("/v1/processes")
            return answer.status, answer.body

    eventually(lambda: status(token)[0] == 401, last=lambda: status(token))
    newer = outside.token()
    eventually(lambda: status(newer)[0] == 200, last=lambda: status(newer))
    assert status(token)[0] == 401
