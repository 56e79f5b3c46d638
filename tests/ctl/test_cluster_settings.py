"""Tests fsactl cluster: what differs in some clusters from fsa.conf."""

import pytest

SERVER = "https://tokyo.example:6443"
SETTING = {"server": SERVER, "ingressDomain": "tokyo.example", "ingressClass": "traefik", "storageClass": "fast"}
WORDS = ("--ingress-domain", "tokyo.example", "--ingress-class", "traefik", "--storage-class", "fast")


@pytest.fixture
def tokyo(fsactl):
    fsactl("cluster", "set", SERVER, *WORDS, json_=False)
    yield SERVER
    if fsactl("cluster", "list"):
        fsactl("cluster", "remove", SERVER, json_=False)


def sandbox_in(person, kubeconfig, server, name):
    """Adds a cluster at that server, and returns the host of a new project's sandbox there."""
    body = {"name": name, "kubeconfig": kubeconfig(f"ns-{name}").replace("https://127.0.0.1:6443", server)}
    assert person.client.post("/api/clusters", body).ok
    made = person.client.post("/api/projects", {"name": name, "cluster": name})
    return person.client.get(f"/api/projects/{made.json()['id']}").json()["sandboxes"][0]


def test_what_is_set_is_listed(fsactl, tokyo):
    assert fsactl("cluster", "list") == [SETTING]
    assert "traefik" in fsactl("cluster", "list", json_=False)
    fsactl("cluster", "set", SERVER, "--ingress-class", "nginx", json_=False)
    assert fsactl("cluster", "list") == [
        {"server": SERVER, "ingressDomain": None, "ingressClass": "nginx", "storageClass": None}]


@pytest.mark.parametrize("words", [
    ("http://tokyo.example",), ("tokyo",), ("https://",), ("https://" + "a" * 512,), (),
    (SERVER, "--ingress-domain", "Tokyo"), (SERVER, "--ingress-domain", "a..b"), (SERVER, "--ingress-domain", ""),
    (SERVER, "--ingress-class", "a b"), (SERVER, "--storage-class", "-a"), (SERVER, "--storage-class", "a" * 254),
])
def test_what_is_none_changes_nothing(fsactl, tokyo, words):
    fsactl("cluster", "set", *words, status=2)
    assert fsactl("cluster", "list") == [SETTING]


def test_what_was_never_set_is_not_removed(fsactl, tokyo):
    assert "nothing is set" in fsactl("cluster", "remove", "https://nowhere.example", status=1).stderr
    fsactl("cluster", "remove", SERVER, json_=False)
    assert fsactl("cluster", "list") == []


def test_new_sandboxes_there_get_it_and_others_do_not(fsactl, tokyo, person, kubeconfig, rows):
    before = sandbox_in(person, kubeconfig, "https://osaka.example:6443", "osaka")
    there = sandbox_in(person, kubeconfig, SERVER, "tokyo")
    assert there["publicUrl"].endswith(".tokyo.example") and ".tokyo.example" in there["ttydUrl"]
    assert ".tokyo.example" not in before["publicUrl"]
    found = rows("SELECT count(*) FROM resources WHERE ingress_class = 'traefik' AND storage_class = 'fast'"
                 " AND server = %s", SERVER)
    assert found == [(2,)]
    assert rows("SELECT count(*) FROM resources WHERE server <> %s AND ingress_class IS NOT NULL", SERVER) == [(0,)]
    fsactl("cluster", "remove", SERVER, json_=False)
    again = person.client.get(f"/api/projects/{there['projectId']}").json()["sandboxes"][0]
    assert again["publicUrl"] == there["publicUrl"]
