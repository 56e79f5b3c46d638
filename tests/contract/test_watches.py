"""Tests that kubesim and the real API server send the same watch events at the same moments."""

import itertools
import socket
import ssl
from urllib.parse import urlencode

import pytest
import yaml
from stand.kube.api import Api, ApiError

_numbers = itertools.count(1)
JSON = "application/json"
METADATA = JSON + ";as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
LONG = "30"  # seconds; a client that has received what it waits for ends earlier


class Watched:
    """A user's Secrets, which no controller changes."""

    def __init__(self, server):
        name = f"watched{next(_numbers)}"
        kubeconfig = server.create_user(name)
        self.api = Api.from_kubeconfig(kubeconfig)
        self.token = yaml.safe_load(kubeconfig)["users"][0]["user"]["token"]
        self.path = f"/api/v1/namespaces/ns-{name}/secrets"

    def put(self, name, value="a", **labels):
        return self.api.apply(f"{self.path}/{name}", {
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "labels": labels},
            "stringData": {"A": value}})["metadata"]

    def delete(self, name):
        self.api("DELETE", f"{self.path}/{name}")

    def version(self):
        return self.api("GET", self.path)["metadata"]["resourceVersion"]

    def watch(self, accept=JSON, **query):
        return self.api.watch(f"{self.path}?{urlencode({'watch': 'true', **query})}", accept)


def short(event):
    metadata = event["object"]["metadata"]
    return event["type"], metadata.get("name"), metadata.get("labels", {})


def first(events, count):
    taken = [short(event) for event in itertools.islice(events, count)]
    events.close()
    return taken


@pytest.fixture
def secrets(cluster):
    return Watched(cluster)


def test_a_watch_sends_the_present_objects_and_then_each_change(secrets):
    secrets.put("a")
    events = secrets.watch(timeoutSeconds=LONG)
    assert short(next(events)) == ("ADDED", "a", {})
    secrets.put("b", x="1")
    secrets.put("a", value="b")
    secrets.delete("b")
    assert first(events, 3) == [("ADDED", "b", {"x": "1"}), ("MODIFIED", "a", {}),
                                ("DELETED", "b", {"x": "1"})]


def test_an_event_has_the_object_with_the_version_of_the_change(secrets):
    applied = secrets.put("a")
    events = secrets.watch(timeoutSeconds=LONG)
    event = next(events)
    assert event["object"]["metadata"]["resourceVersion"] == applied["resourceVersion"]
    assert (event["object"]["kind"], event["object"]["data"]) == ("Secret", {"A": "YQ=="})
    secrets.delete("a")
    gone = next(events)["object"]["metadata"]
    assert gone["uid"] == applied["uid"]
    assert int(gone["resourceVersion"]) > int(applied["resourceVersion"])
    events.close()


def test_a_watch_of_metadata_shows_nothing_else(secrets):
    secrets.put("a")
    events = secrets.watch(METADATA, timeoutSeconds=LONG)
    shown = next(events)["object"]
    events.close()
    assert (shown["kind"], shown["apiVersion"]) == ("PartialObjectMetadata", "meta.k8s.io/v1")
    assert set(shown) == {"kind", "apiVersion", "metadata"}


def test_a_watch_continues_from_a_list_or_another_watch(secrets):
    secrets.put("a")
    version = secrets.version()
    applied = secrets.put("b")
    secrets.delete("a")
    events = secrets.watch(resourceVersion=version, timeoutSeconds=LONG)
    assert first(events, 2) == [("ADDED", "b", {}), ("DELETED", "a", {})]
    events = secrets.watch(resourceVersion=applied["resourceVersion"], timeoutSeconds=LONG)
    assert first(events, 1) == [("DELETED", "a", {})]


def test_an_object_no_longer_selected_counts_as_deleted(secrets):
    version = secrets.version()
    secrets.put("a", x="1")
    secrets.put("a", x="2")
    secrets.put("b", x="2")
    query = {"resourceVersion": version, "timeoutSeconds": "1"}
    one = list(map(short, secrets.watch(labelSelector="x=1", **query)))
    assert one == [("ADDED", "a", {"x": "1"}), ("DELETED", "a", {"x": "1"})]
    two = list(map(short, secrets.watch(labelSelector="x=2", **query)))
    assert two == [("ADDED", "a", {"x": "2"}), ("ADDED", "b", {"x": "2"})]
    named = list(map(short, secrets.watch(fieldSelector="metadata.name=b", **query)))
    assert named == [("ADDED", "b", {"x": "2"})]


def test_a_bookmark_says_how_far_a_watch_has_come(secrets):
    applied = secrets.put("a")
    events = list(secrets.watch(METADATA, timeoutSeconds="3", allowWatchBookmarks="true"))
    assert [event["type"] for event in events] == ["ADDED", "BOOKMARK"]
    mark = events[-1]["object"]
    assert int(mark["metadata"].pop("resourceVersion")) >= int(applied["resourceVersion"])
    assert mark == {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {
        "annotations": {"k8s.io/initial-events-end": "true"}}}


def refused(secrets, **query):
    with pytest.raises(ApiError) as e:
        list(secrets.watch(**query))
    return e.value.status, e.value.body


@pytest.mark.parametrize("query", [{"resourceVersion": "abc"}, {"timeoutSeconds": "x"}],
                         ids=["version", "time"])
def test_a_watch_that_cannot_be_is_refused_alike(kubesim, real, query):
    ours, theirs = refused(Watched(kubesim), **query), refused(Watched(real), **query)
    assert ours == theirs


def test_a_watch_needs_its_own_right(cluster):
    mine, other = Watched(cluster), Watched(cluster)
    mine.path = other.path
    status, body = refused(mine, timeoutSeconds="1")
    assert (status, body["reason"]) == (403, "Forbidden")
    assert "cannot watch resource" in body["message"]


# ---- what the real server does only after minutes or under a flood: kubesim does it on demand -----


def test_resuming_from_a_forgotten_version_is_410(kubesim):
    secrets = Watched(kubesim)
    version = secrets.version()
    secrets.put("a")
    kubesim.order("POST", "/compaction")
    (event,) = secrets.watch(resourceVersion=version, timeoutSeconds=LONG)
    assert event["type"] == "ERROR"
    status = event["object"]
    assert (status["code"], status["reason"]) == (410, "Expired")
    assert status["message"].startswith(f"too old resource version: {version} (")
    events = secrets.watch(resourceVersion=secrets.version(), timeoutSeconds=LONG)
    secrets.put("b")
    assert first(events, 1) == [("ADDED", "b", {})]


def test_a_client_that_does_not_read_is_cut_off(kubesim):
    secrets = Watched(kubesim)
    context = ssl.create_default_context(cafile=kubesim.admin_access()["ca"])
    with socket.create_connection(("127.0.0.1", kubesim.port)) as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as slow:
            slow.settimeout(60)
            slow.sendall(f"GET {secrets.path}?watch=true HTTP/1.1\r\nHost: kubesim\r\n"
                         f"Authorization: Bearer {secrets.token}\r\n\r\n".encode())
            assert slow.recv(16).startswith(b"HTTP/1.1 200")
            large = "x" * 500_000
            for number in range(12):  # more than the socket buffers hold
                secrets.put("a", value=f"{number}{large}")
            taken = 0
            try:
                while part := slow.recv(65536):
                    taken += len(part)
            except (ssl.SSLError, OSError):
                pass
    assert taken < 12 * 500_000
    assert secrets.put("b")["name"] == "b"
