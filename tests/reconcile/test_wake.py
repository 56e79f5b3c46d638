"""Tests where the addresses of a sandbox lead to: while it is stopped, to the site, which starts it by a visit."""

import pytest
from people import SLOW, eventually, expect

SITE_OPTIONS = {"wake_service": "site.example.com", "wake_port": 8081}


@pytest.fixture
def project(person):
    made = person.create("Asleep")
    made.wait("RUNNING")
    return made


def backends(person, name):
    found = [person.namespace.get("Ingress", f"{name}-{part}-ingress")["spec"]["rules"] for part in ("app", "ttyd")]
    services = [rule["http"]["paths"][0]["backend"]["service"] for rules in found for rule in rules]
    return [(service["name"].removeprefix(f"{name}-"), service["port"]["number"]) for service in services]


AWAKE = [("service", 3000), ("service", 7681)]
ASLEEP = [("wake", 8081), ("wake", 8081)]


def test_the_addresses_lead_to_the_site_until_a_visit_starts_it(person, project):
    name = project.sandbox()["name"]
    host = project.sandbox()["publicUrl"].split("//")[1].split(":")[0]
    assert backends(person, name) == AWAKE
    service = person.namespace.get("Service", f"{name}-wake")["spec"]
    assert (service["type"], service["externalName"]) == ("ExternalName", "site.example.com")

    project.stop()
    project.wait("STOPPED")
    assert backends(person, name) == ASLEEP
    assert person.namespace.pod(name) is None

    assert expect(person.client.post("/api/wake", {"host": host}))["desired"] == "RUNNING"
    project.wait("RUNNING")
    assert backends(person, name) == AWAKE
    project.delete()
    eventually(lambda: person.namespace.get("Service", f"{name}-wake") is None, SLOW)
