"""What somebody else does to the objects of a stable row, of which only the metadata is read while nothing changes."""

import pytest
from people import eventually
from quiet import SITE_OPTIONS, resync, sql  # noqa: F401


def observe(site, project):
    """A resync, until it is recorded."""
    before, = sql(site, "SELECT array_agg(lease_epoch ORDER BY id) FROM resources"
                 " WHERE project_id = %s", project.id)
    resync(site, project)

    def recorded():
        after, = sql(site, "SELECT array_agg(lease_epoch ORDER BY id), count(leased_until) FROM resources"
                     " WHERE project_id = %s", project.id)
        return after[1] == 0 and all(new > old for new, old in zip(after[0], before[0]))

    eventually(recorded)


@pytest.fixture
def project(site, person):
    """All of it was found as desired, so that the next resync reads metadata."""
    made = person.create("Tampered", database=True)
    made.wait("RUNNING")
    observe(site, made)
    assert sql(site, "SELECT count(*) FROM resources WHERE project_id = %s AND observed ? 'vouched'",
               made.id) == [(2,)]
    observe(site, made)
    return made


@pytest.mark.parametrize("kind, suffix, change", [
    ("Ingress", "-app-ingress", {"ingressClassName": "other"}),
    ("Service", "-service", {"selector": {"app": "other"}}),
    ("NetworkPolicy", "", {"policyTypes": ["Ingress"]}),
    ("StatefulSet", "", {"replicas": 0}),
])
def test_a_change_is_undone(site, person, project, kind, suffix, change):
    name = project.sandbox()["name"] + suffix
    member, = change
    before = person.namespace.get(kind, name)["spec"][member]
    person.namespace.patch(kind, name, {"spec": change})
    resync(site, project)
    eventually(lambda: person.namespace.get(kind, name)["spec"][member] == before)
    project.wait("RUNNING")


@pytest.mark.parametrize("kind, suffix", [("Secret", "-env"), ("Service", "-service"),
                                          ("Ingress", "-ttyd-ingress"), ("NetworkPolicy", "")])
def test_what_is_deleted_is_made_again(site, person, project, kind, suffix):
    name = project.sandbox()["name"] + suffix
    person.namespace.delete(kind, name)
    resync(site, project)
    eventually(lambda: person.namespace.get(kind, name))
    project.wait("RUNNING")


@pytest.mark.parametrize("kind", ["RoleBinding", "ServiceAccount"])
def test_what_is_deleted_of_a_database_is_made_again(site, person, project, kind):
    name = project.database()["name"]
    person.namespace.delete(kind, name)
    resync(site, project)
    eventually(lambda: person.namespace.get(kind, name))


def test_what_others_add_is_no_change(site, person, project):
    name = project.sandbox()["name"] + "-app-ingress"
    told = project.events()
    person.namespace.patch("Ingress", name, {"metadata": {"annotations": {"example.com/theirs": "1"}}})
    observe(site, project)
    observe(site, project)
    assert project.events() == told
    assert person.namespace.get("Ingress", name)["metadata"]["annotations"]["example.com/theirs"] == "1"
