"""Tests ports, usage, activity and logs of a sandbox, against the OpenAPI document."""

import socket
import threading
from pathlib import Path

import jsonschema
import pytest
import yaml

from stand.process import PATIENCE

DOCUMENT = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "runtime/sandboxd/openapi.yaml").read_text())


def check(answer, path, method="get"):
    """Checks a response against the document."""
    response = DOCUMENT["paths"][path][method]["responses"].get(str(answer.status))
    response = response or {"$ref": "#/components/responses/Problem"}
    name = response["$ref"].rsplit("/", 1)[1]
    (content,) = DOCUMENT["components"]["responses"][name]["content"].values()
    schema = {**content["schema"], "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(schema).validate(answer.json)
    return answer.json


def listener():
    made = socket.create_server(("127.0.0.1", 0))
    made.settimeout(PATIENCE)
    return made


def test_ports_that_listen_are_listed(client):
    process = client.start(["/usr/bin/python3", "-c",
                            "import socket, time; open('/proc/self/comm', 'w').write('its own name');"
                            " s = socket.create_server(('127.0.0.1', 0));"
                            "print(s.getsockname()[1], flush=True); time.sleep(1000)"])
    port = int(client.get(f"/v1/processes/{process['id']}/stdout", wait=30).body)
    (found,) = [p for p in check(client.get("/v1/ports"), "/v1/ports")["ports"] if p["port"] == port]
    assert (found["address"], found["pid"]) == ("127.0.0.1", process["pid"])
    assert found["program"] == Path("/usr/bin/python3").resolve().name
    client.send("DELETE", f"/v1/processes/{process['id']}")


def test_a_connection_to_a_port_carries_bytes_both_ways_and_their_ends(server):
    content = bytes(range(256)) * 8192
    with listener() as listening:
        def echo():
            connection, _ = listening.accept()
            with connection:
                received = bytearray()
                while part := connection.recv(65536):
                    received += part
                connection.sendall(received)

        thread = threading.Thread(target=echo)
        thread.start()
        with server.socket(f"/v1/ports/{listening.getsockname()[1]}") as opened:
            opened.expect("connected")
            for at in range(0, len(content), 50000):
                opened.send_bytes(content[at:at + 50000])
            opened.send(type="end")
            received = bytearray()
            while isinstance(message := opened.receive(), bytes):
                received += message
            assert message["type"] == "end" and opened.receive() is None
        thread.join()
    assert received == content


def test_a_port_where_nobody_listens_says_so(server):
    with listener() as listening:
        port = listening.getsockname()[1]
    with server.socket(f"/v1/ports/{port}") as opened:
        assert opened.expect("error")["errorCode"] == "NOT_LISTENING"
        assert opened.receive() is None


def test_usage_is_reported(client):
    usage = check(client.get("/v1/usage"), "/v1/usage")
    assert usage["disks"][0]["limit"] >= usage["disks"][0]["used"] > 0
    assert usage["processes"] > 1


def test_activity_is_reported(client):
    client.start("true")
    check(client.get("/v1/activity"), "/v1/activity")
    process = client.start("while :; do :; done")
    while True:
        activity = check(client.get("/v1/activity"), "/v1/activity")
        if any(p["pid"] == process["pid"] for p in activity["busy"]):
            break
    assert activity["idleSeconds"] == 0 and activity["connections"] >= 1
    client.send("DELETE", f"/v1/processes/{process['id']}")


def test_the_apps_log_is_read(client):
    assert client.get("/v1/logs/app").status == 404
    process = client.start("echo 'app is up'; sleep 1000", name="app", overflow="drop")
    assert client.get("/v1/logs/app", wait=30).body == b"app is up\n"
    assert client.get("/v1/logs/start").status == 200
    client.send("DELETE", f"/v1/processes/{process['id']}")


def test_answers_are_as_the_document_says(client):
    process = client.send("POST", "/v1/processes", {"command": "exit 3"}, {"wait": 30})
    check(process, "/v1/processes", "post")
    check(client.get(f"/v1/processes/{process.json['id']}"), "/v1/processes/{id}")
    check(client.get("/v1/processes"), "/v1/processes")
    check(client.get("/v1/processes/nothing"), "/v1/processes/{id}")
    check(client.write("entry", b"x"), "/v1/files", "put")
    check(client.get("/v1/files/stat", path="entry"), "/v1/files/stat")
    check(client.get("/v1/files/list", path="."), "/v1/files/list")
    check(client.get("/v1/health"), "/v1/health")


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_each_operation_of_the_document_is_there_and_wants_its_scope(server, path):
    for method, operation in DOCUMENT["paths"][path].items():
        if method == "parameters" or "x-scope" not in operation:
            continue
        concrete = path.replace("{id}", "a" * 16).replace("{port}", "1").replace("{name}", "app")
        scope = " ".join({"terminal", "exec", "files:read", "files:write", "ports", "usage"}
                         - {operation["x-scope"]})
        with server.client(scope=scope) as client:
            answer = client.send(method.upper(), concrete)
        assert (answer.status, answer.json["errorCode"]) == (403, "MISSING_SCOPE"), answer.body
        assert operation["x-scope"] in answer.json["error"]
