"""Tests ports that an owner opens: each gets an address, in objects that the sandbox has anyway."""

import base64
import json
import uuid

import pytest
from people import SLOW, eventually, expect
from quiet import uid

PUBLIC = {"access": "public"}


@pytest.fixture
def project(person):
    made = person.create("Ports")
    made.wait("RUNNING")
    return made


def path_of(project):
    return f"/api/projects/{project.id}/sandboxes/{project.sandbox()['id']}/ports"


def open_port(project, number, **more):
    return expect(project.person.client.post(path_of(project), {"port": number, **PUBLIC, **more}))["items"]


def close_port(project, port):
    return expect(project.person.client.delete(f"{path_of(project)}/{port['id']}"))["items"]


def exposed(person, sandbox):
    """Returns what the cluster lets in: the Service's ports, the policy's, and the Ingress's addresses."""
    name = sandbox["name"]
    service = person.namespace.get("Service", f"{name}-service")["spec"]["ports"]
    policy = person.namespace.get("NetworkPolicy", name)["spec"]["ingress"][0]["ports"]
    ingress = person.namespace.get("Ingress", f"{name}-app-ingress")["spec"]
    rules = {rule["host"]: rule["http"]["paths"][0]["backend"]["service"]["port"]["number"]
             for rule in ingress["rules"]}
    assert sorted(rules) == sorted(ingress["tls"][0]["hosts"])
    return ({port["port"] for port in service}, {port["port"] for port in policy}, rules)


def host_of(address):
    return address.split("//")[1].split(":")[0]


def test_a_port_is_open_at_its_own_address_until_it_is_closed(person, project):
    sandbox = project.sandbox()
    app = host_of(sandbox["publicUrl"])
    before, pod = exposed(person, sandbox), uid(person.namespace.pod(sandbox["name"]))
    assert before == ({3000, 7681}, {3000, 7681}, {app: 3000})

    vite, = open_port(project, 5173, name="Vite")
    assert (vite["port"], vite["name"], vite["access"]) == (5173, "Vite", "public")
    assert host_of(vite["url"]) == app.replace(".", "-5173.", 1)
    docs = open_port(project, 4000)[0]
    assert docs["port"] == 4000
    eventually(lambda: exposed(person, sandbox) == (
        {3000, 7681, 4000, 5173}, {3000, 7681, 4000, 5173},
        {app: 3000, host_of(docs["url"]): 4000, host_of(vite["url"]): 5173}), SLOW)
    project.wait("RUNNING")
    assert [port["port"] for port in project.sandbox()["ports"]] == [4000, 5173]

    assert [port["port"] for port in close_port(project, docs)] == [5173]
    close_port(project, vite)
    eventually(lambda: exposed(person, sandbox) == before, SLOW)
    project.wait("RUNNING")
    assert uid(person.namespace.pod(sandbox["name"])) == pod  # nothing was restarted


def test_a_private_port_is_no_port_of_the_pod_and_its_address_leads_to_sandboxd(person, project):
    sandbox = project.sandbox()
    before, pod = exposed(person, sandbox), uid(person.namespace.pod(sandbox["name"]))
    port, = open_port(project, 5173, access="token")
    assert port["access"] == "token"
    eventually(lambda: exposed(person, sandbox) == (*before[:2], {**before[2], host_of(port["url"]): 7681}), SLOW)

    open_port(project, 5173)
    eventually(lambda: exposed(person, sandbox) == (
        {3000, 7681, 5173}, {3000, 7681, 5173}, {**before[2], host_of(port["url"]): 5173}), SLOW)
    open_port(project, 5173, access="token")
    eventually(lambda: exposed(person, sandbox)[:2] == before[:2], SLOW)
    close_port(project, port)
    eventually(lambda: exposed(person, sandbox) == before, SLOW)
    project.wait("RUNNING")
    assert uid(person.namespace.pod(sandbox["name"])) == pod


def link_path(project, port):
    return f"{path_of(project)}/{port['id']}/links"


def test_a_link_is_for_one_address_and_some_time(person, project):
    client = person.client
    port, = open_port(project, 5173, access="token")
    link = expect(client.post(link_path(project, port), {"expiresIn": 604800}))
    address, _, token = link["url"].partition("?fsa_token=")
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert address == port["url"] + "/"
    assert (claims["aud"], claims["scope"]) == (f"port {host_of(port['url'])}", "")
    assert claims["exp"] - claims["iat"] == 604800
    assert token not in json.dumps(client.get("/api/user/audit").json())

    for seconds in (0, 59, 604801, "60", 60.5):
        assert client.post(link_path(project, port), {"expiresIn": seconds}).status_code == 400, seconds
    gone = client.post(link_path(project, {"id": uuid.uuid4()}), {})
    assert (gone.status_code, gone.json()["errorCode"]) == (404, "PORT_NOT_FOUND")
    open_port(project, 5173)
    refused = client.post(link_path(project, port), {})
    assert (refused.status_code, refused.json()["errorCode"]) == (422, "PORT_PUBLIC")


def test_the_owner_visits_a_private_port_and_nobody_else_does(site, kubesim, person, project):
    client, stranger = person.client, type(person)(site, kubesim).client
    port, = open_port(project, 5173, access="token")
    host = host_of(port["url"])
    visit = expect(client.post("/api/visits", {"host": host}))
    claims = json.loads(base64.urlsafe_b64decode(visit["token"].split(".")[1] + "=="))
    assert visit["url"] == port["url"] and claims["aud"] == f"port {host}"
    assert (claims["exp"] - claims["iat"], claims["until"] - claims["iat"]) == (60, 8 * 3600)
    assert visit["token"] not in json.dumps(client.get("/api/user/audit").json())

    def refused(client, host):
        answer = client.post("/api/visits", {"host": host})
        return answer.status_code, answer.json()["errorCode"]

    assert refused(stranger, host) == (404, "PORT_NOT_FOUND")
    for other in (host.replace("-5173.", "-5174."), "a" * 12 + host[12:], host + ".elsewhere.example"):
        assert refused(client, other) == (404, "PORT_NOT_FOUND")
    for bad in ("", "x", host.upper(), host + "/", host + ":80", "https://" + host, host.replace("-5173", ""),
                host.replace("-5173", "-05173"), host.replace("-5173", "-517300"), "a" * 300, 1, None):
        assert client.post("/api/visits", {"host": bad}).status_code == 400, bad
    open_port(project, 5173)
    assert refused(client, host) == (404, "PORT_NOT_FOUND")


def test_a_port_that_is_opened_while_the_cluster_fails_is_open_when_it_heals(person, project, kubesim):
    sandbox = project.sandbox()
    kubesim.fault(fault="unavailable", verb="apply", resource="ingresses", namespace=person.namespace.name)
    port, = open_port(project, 5173)
    project.wait_cause("KUBE_SERVER")
    kubesim.heal()
    eventually(lambda: 5173 in exposed(person, sandbox)[2].values(), SLOW)
    project.wait("RUNNING")
    close_port(project, port)
    eventually(lambda: exposed(person, sandbox)[0] == {3000, 7681}, SLOW)


def test_what_somebody_changes_by_hand_is_put_back(person, project):
    """A port that is open in the cluster only, and one that is open here only."""
    sandbox = project.sandbox()
    open_port(project, 5173)
    project.wait("RUNNING")
    name = f"{sandbox['name']}-app-ingress"
    rules = person.namespace.get("Ingress", name)["spec"]["rules"]
    person.namespace.patch("Ingress", name, {"spec": {"rules": rules[:1]}})
    project.start()
    eventually(lambda: person.namespace.get("Ingress", name)["spec"]["rules"] == rules, SLOW)


def test_a_stopped_sandbox_has_its_ports_at_the_next_start(person, project):
    project.stop()
    project.wait("STOPPED")
    open_port(project, 5173)
    assert project.status() == "STOPPED"
    project.start()
    project.wait("RUNNING")
    assert 5173 in exposed(person, project.sandbox())[0]


def test_opening_a_port_again_changes_its_name_and_nothing_else(project):
    first, = open_port(project, 5173)
    again, = open_port(project, 5173, name="Preview")
    assert again == first | {"name": "Preview"}


def test_bad_input_changes_nothing(person, project):
    client, path = person.client, path_of(project)
    for port in (0, -1, 65536, "5173", 5173.5, None, 1 << 40):
        assert client.post(path, {"port": port, **PUBLIC}).status_code == 400, port
    for access in ("", "members", "PUBLIC", None, 1):
        assert client.post(path, {"port": 5173, "access": access}).status_code == 400, access
    for name in ("<b>", "a\n", "-", "x" * 65):
        assert client.post(path, {"port": 5173, **PUBLIC, "name": name}).status_code == 400, name
    for port in (3000, 7681):
        refused = client.post(path, {"port": port, **PUBLIC})
        assert (refused.status_code, refused.json()["errorCode"]) == (422, "PORT_RESERVED")
    gone = client.delete(f"{path}/{uuid.uuid4()}")
    assert (gone.status_code, gone.json()["errorCode"]) == (404, "PORT_NOT_FOUND")
    assert project.sandbox()["ports"] == [] and project.status() == "RUNNING"


def test_somebody_elses_ports_are_out_of_reach(site, kubesim, person, project):
    stranger = type(person)(site, kubesim)
    port, = open_port(project, 5173)
    path = path_of(project)
    for answer in (stranger.client.get(path), stranger.client.post(path, {"port": 4000, **PUBLIC}),
                   stranger.client.post(link_path(project, port), {}), stranger.client.delete(f"{path}/{port['id']}")):
        assert answer.status_code == 404
    own = stranger.create("Own")
    assert stranger.client.delete(f"{path_of(own)}/{port['id']}").json()["errorCode"] == "PORT_NOT_FOUND"
    assert [item["port"] for item in project.sandbox()["ports"]] == [5173]


def test_a_sandbox_has_so_many_ports_and_no_more(person, project):
    """One that is open already can be opened again."""
    for number in range(4001, 4009):
        open_port(project, number)
    refused = person.client.post(path_of(project), {"port": 4009, **PUBLIC})
    assert (refused.status_code, refused.json()["errorCode"]) == (429, "PORT_QUOTA")
    assert open_port(project, 4008, name="Last")[7]["name"] == "Last"
    used = {item["kind"]: item for item in person.client.get("/api/user/limits").json()["items"]}["ports"]
    assert (used["limit"], used["used"]) == (8, 8)
