"""The main job through nginx: from a person without an account to a sandbox, and back to nothing."""

import base64
import uuid
from urllib.parse import parse_qs, urlsplit

import pytest
from people import SLOW, Person, Project, eventually, expect
from stand.kube.api import Api, ApiError

STAGES = ["database", "container", "network", "terminal", "ready"]
STATES = ["pending", "active", "done"]

# Status → the statuses that may follow while only this is requested.
STARTS = {
    "CREATING": {"STARTING", "RUNNING"},
    "STARTING": {"RUNNING"},
    "RUNNING": set(),
}
STOPS = {"RUNNING": {"STOPPING", "STOPPED"}, "STOPPING": {"STOPPED"}, "STOPPED": set()}
RESTARTS = {
    "STOPPED": {"STARTING", "RUNNING"},
    "STARTING": {"RUNNING"},
    "RUNNING": set(),
}


def follow(project, allowed, until, seconds=SLOW):
    """Follows a project until it has the status `until`; checks that every change is allowed.

    Returns the pairs of status and stages that were observed, in order.
    """
    seen = []

    def look():
        status = project.status()
        view = project.view()  # read after the status: what was done then is done here
        stages = {stage["name"]: stage["state"] for stage in view["progress"]["stages"]}
        if not seen or seen[-1] != (status, stages):
            if seen and seen[-1][0] != status:
                assert status in allowed[seen[-1][0]], f"{seen[-1][0]} → {status}: {seen}"
            seen.append((status, stages))
        return status == until

    eventually(look, seconds, every=0.05, last=lambda: seen)
    return seen


def statuses(seen):
    """Returns the statuses without consecutive duplicates."""
    return [s for i, (s, _) in enumerate(seen) if i == 0 or seen[i - 1][0] != s]


def check_progress(seen):
    """Checks that stages only advance, in order: none is done before the preceding one."""
    for _, stages in seen:
        assert list(stages) == STAGES
        ranks = [STATES.index(state) for state in stages.values()]
        assert ranks == sorted(ranks, reverse=True), stages
    for name in STAGES:
        ranks = [STATES.index(stages[name]) for _, stages in seen]
        assert ranks == sorted(ranks), f"{name} went back: {seen}"
    assert set(seen[-1][1].values()) == {"done"}


def check_events(project, expected):
    """Checks that the statuses in the project's own events include these, in this order."""
    events = [e for e in reversed(project.events()) if e["kind"] is None]
    told = iter([e["status"] for e in events])
    assert all(status in told for status in expected), events


# ---- from nothing to a running project -----------------------------------------------------------


def test_from_registration_to_running_and_to_nothing(new_person):
    person = new_person(kubeconfig=False)
    before = person.namespace.everything()
    no_rights_outside(person)

    answer = person.client.post("/api/projects", {"name": "Too early"})
    assert (answer.status_code, answer.json()["errorCode"]) == (422, "KUBECONFIG_MISSING")
    person.put_kubeconfig()
    kubeconfig = expect(person.client.get("/api/user/config/kc"))
    assert kubeconfig["namespace"] == person.namespace.name
    assert kubeconfig["server"] == person.cluster.server
    assert "token" not in str(kubeconfig)

    project = person.create("My first project", database=True)
    seen = follow(project, STARTS, "RUNNING")
    check_progress(seen)
    # At least one intermediate state was seen; how many depends on the machine.
    assert len({tuple(stages.values()) for _, stages in seen}) >= 2, seen
    check_events(project, ["CREATING", "STARTING", "RUNNING"])
    check_objects(project)
    check_addresses(project)
    check_database(project)

    project.delete()
    # The name can be used again as soon as the deletion has been requested.
    again = person.create("My first project")
    follow_deletion(project)
    again.wait("RUNNING")
    again.delete()
    again.wait_gone()
    assert person.projects() == []
    eventually(lambda: person.namespace.everything() == before,
               last=lambda: person.namespace.everything() - before)


def no_rights_outside(person):
    """Checks that the kubeconfig gives access to its namespace and nothing else."""
    api = Api.from_kubeconfig(person.kubeconfig)
    assert api("GET", person.namespace.path("Pod"))["items"] == []
    for path in ("/api/v1/nodes", "/api/v1/namespaces", "/api/v1/namespaces/default/pods",
                 "/api/v1/secrets"):
        with pytest.raises(ApiError) as refused:
            api("GET", path)
        assert refused.value.status == 403


def check_objects(project):
    """Checks that all objects are labelled as ours and belong to this project."""
    namespace = project.person.namespace
    sandbox, database = project.sandbox(), project.database()
    name = sandbox["name"]
    assert namespace.owned(sandbox["id"]) == {
        "StatefulSet": [name],
        "Pod": [f"{name}-0"],
        "Service": [f"{name}-service"],
        "Ingress": [f"{name}-app-ingress", f"{name}-ttyd-ingress"],
        "NetworkPolicy": [name],
        "Secret": [f"{name}-env"],
        "PersistentVolumeClaim": [f"home-{name}-0"],
    }
    owned = namespace.owned(database["id"])
    for kind in ("Cluster", "ServiceAccount", "Role", "RoleBinding", "NetworkPolicy"):
        assert owned[kind] == [database["name"]], owned
    stateful_set = namespace.get("StatefulSet", name)
    assert stateful_set["spec"]["replicas"] == 1
    labels = stateful_set["metadata"]["labels"]
    assert labels["cloud.sealos.io/app-deploy-manager"] == name
    assert labels["project.fullstackagent.io/name"] == "my-first-project"
    check_pod(namespace.pod(name))


def check_pod(pod):
    """Checks that the pod is restricted as Pod Security "restricted" requires, with no secret in its template."""
    spec = pod["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = spec["containers"]
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["resources"]["requests"]["cpu"] == "20m"
    assert container["resources"]["limits"]["memory"] == "256Mi"
    assert {port["containerPort"] for port in container["ports"]} == {3000, 7681}
    assert container["env"] == [{"name": "HOME", "value": "/home/agent"}]


def check_addresses(project):
    """Checks that the URLs are those of the Ingresses, and that the terminal's contains its password for ttyd."""
    sandbox = project.sandbox()
    namespace = project.person.namespace
    hosts = {}
    for which in ("app", "ttyd"):
        spec = namespace.get("Ingress", f"{sandbox['name']}-{which}-ingress")["spec"]
        (rule,) = spec["rules"]
        assert spec["tls"] == [{"hosts": [rule["host"]], "secretName": "wildcard-cert"}]
        hosts[which] = rule["host"]
    for shown in (sandbox, project.view()):
        public, ttyd = urlsplit(shown["publicUrl"]), urlsplit(shown["ttydUrl"])
        assert (public.scheme, public.netloc) == ("https", hosts["app"])
        assert (ttyd.scheme, ttyd.netloc) == ("https", hosts["ttyd"])
    first, _, domain = hosts["app"].partition(".")
    assert domain == "apps.localhost" and len(first) == 12 and first.isalpha()
    assert hosts["ttyd"] == f"{first}-ttyd.{domain}"
    authorization = base64.b64decode(parse_qs(ttyd.query)["authorization"][0]).decode()
    token = namespace.secret(f"{sandbox['name']}-env")["TTYD_ACCESS_TOKEN"]
    assert len(token) == 24
    assert authorization == f"user:{token}"


def check_database(project):
    """Checks that the connection shown to the owner is what KubeBlocks made, and what the sandbox gets."""
    namespace, database = project.person.namespace, project.database()
    made = namespace.secret(f"{database['name']}-conn-credential")
    shown = project.connection()
    assert shown["host"] == f"{made['host']}.{namespace.name}.svc"
    assert (shown["port"], shown["username"]) == (5432, made["username"])
    assert shown["password"] == made["password"]
    expected = (f"postgresql://{made['username']}:{made['password']}@{shown['host']}:5432/"
                f"{shown['database']}?schema=public")
    assert shown["connectionUrl"] == expected
    environment = namespace.secret(f"{project.sandbox()['name']}-env")
    assert environment["DATABASE_URL"] == expected
    assert environment["NODE_ENV"] == "development"
    assert environment["PROJECT_NAME"] == "my-first-project"
    assert environment["TTYD_PORT"] == "7681"
    # Lists never contain a secret.
    assert made["password"] not in str(project.person.projects())


def follow_deletion(project):
    """Checks that the project is TERMINATING until it is gone, and leaves nothing behind."""
    namespace, seen = project.person.namespace, project.get()
    names = [r["name"] for r in seen["sandboxes"] + seen["databases"]]
    assert seen["status"] == "TERMINATING"

    def gone():
        answer = project.person.client.get(project.path)
        assert answer.status_code == 404 or answer.json()["status"] == "TERMINATING", answer.text
        return answer.status_code == 404

    eventually(gone, SLOW)
    left = [name for _, name in namespace.everything() if any(n in name for n in names)]
    assert left == []
    for path in (project.path, project.sandbox_path, f"{project.path}/events"):
        assert project.person.client.get(path).status_code == 404


# ---- stop, start, change -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running(site, cluster):
    """A running project with a database; tests leave it running."""
    project = Person(site, cluster).create("Long lived", database=True)
    project.wait("RUNNING")
    return project


def claims(project):
    """Returns the volumes of a project: claim → uid."""
    namespace = project.person.namespace
    items = namespace.items("PersistentVolumeClaim")
    return {item["metadata"]["name"]: item["metadata"]["uid"] for item in items}


def pod_uid(project):
    pod = project.person.namespace.pod(project.sandbox()["name"])
    return pod and pod["metadata"]["uid"]


def environment(project):
    return project.person.namespace.secret(f"{project.sandbox()['name']}-env")


def test_stop_and_start_keep_the_volumes(running):
    namespace, volumes = running.person.namespace, claims(running)
    assert len(volumes) == 2
    running.stop()
    seen = follow(running, STOPS, "STOPPED")
    assert set(seen[-1][1].values()) == {"pending"}
    assert running.sandbox()["status"] == running.database()["status"] == "STOPPED"
    assert namespace.items("Pod") == []
    assert namespace.get("StatefulSet", running.sandbox()["name"])["spec"]["replicas"] == 0
    cluster = namespace.get("Cluster", running.database()["name"])
    assert cluster["spec"]["componentSpecs"][0]["replicas"] == 0
    assert cluster["status"]["phase"] == "Stopped"

    running.start()
    assert statuses(follow(running, RESTARTS, "RUNNING"))[-1] == "RUNNING"
    assert claims(running) == volumes
    assert pod_uid(running)
    check_events(running, ["STOPPING", "STOPPED", "STARTING", "RUNNING"])


def test_a_changed_variable_replaces_the_pod(running):
    first = pod_uid(running)
    running.set_variable("GREETING", "hello 'world' ✓")
    assert running.variables()["GREETING"]["value"] == "hello 'world' ✓"
    eventually(lambda: environment(running).get("GREETING") == "hello 'world' ✓")
    eventually(lambda: pod_uid(running) not in (None, first))
    running.wait("RUNNING")

    second = pod_uid(running)
    running.delete_variable("GREETING")
    assert "GREETING" not in running.variables()
    eventually(lambda: "GREETING" not in environment(running))
    eventually(lambda: pod_uid(running) not in (None, second))
    running.wait("RUNNING")
    assert "DATABASE_URL" in environment(running)


def test_updating_is_shown_while_the_pod_is_replaced(running):
    before = len(running.events())
    running.set_variable("COLOUR", "red")

    def told():
        """the events show UPDATING, then RUNNING"""
        new = [e["status"] for e in reversed(running.events()[:-before]) if e["kind"] is None]
        return new == ["UPDATING", "RUNNING"]

    eventually(told, last=running.events)
    assert running.status() == "RUNNING"
    assert environment(running)["COLOUR"] == "red"


def test_restart_replaces_the_pod_and_nothing_else(running):
    first, volumes, database = pod_uid(running), claims(running), running.connection()
    running.restart()
    eventually(lambda: pod_uid(running) not in (None, first))
    running.wait("RUNNING")
    assert claims(running) == volumes
    assert running.connection() == database


def test_a_terminated_sandbox_leaves_the_database(running):
    namespace, name = running.person.namespace, running.sandbox()["name"]
    database, connection = running.database(), running.connection()
    running.delete_sandbox()
    eventually(lambda: running.sandbox() is None, last=running.get)
    assert not [entry for entry in namespace.everything() if name in entry[1]]
    assert running.database()["status"] == "RUNNING"
    assert namespace.get("Cluster", database["name"])["status"]["phase"] == "Running"
    answer = running.person.client.get(running.sandbox_path)
    assert answer.status_code == 404, answer.text

    running.start_sandbox(GREETING="from the request")
    running.wait("RUNNING")
    assert running.sandbox()["id"] and running.sandbox()["status"] == "RUNNING"
    made = environment(running)
    assert made["GREETING"] == "from the request"
    assert running.database()["id"] == database["id"]
    assert running.connection() == connection
    assert made["DATABASE_URL"] == connection["connectionUrl"]


# ---- asking twice, and changing one's mind -------------------------------------------------------


def test_an_idempotency_key_makes_one_project(person):
    key = str(uuid.uuid4())
    first = person.create("Only once", key=key)
    second = person.create("Only once", key=key)
    assert first.id == second.id
    assert [p["id"] for p in person.projects()] == [first.id]
    headers = {"Idempotency-Key": key}
    other = person.client.post("/api/projects", {"name": "Another"}, headers=headers)
    assert (other.status_code, other.json()["errorCode"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    taken = person.client.post("/api/projects", {"name": "only ONCE"})
    assert (taken.status_code, taken.json()["errorCode"]) == (409, "PROJECT_EXISTS")
    first.wait("RUNNING")
    assert len(person.namespace.items("StatefulSet")) == 1
    first.delete()


def test_a_second_start_joins_the_first(person):
    project = person.create("Twice")
    for _ in range(3):
        project.start()
    project.wait("RUNNING")
    first = pod_uid(project)
    project.start()
    project.start_sandbox()
    project.wait("RUNNING")
    assert pod_uid(project) == first
    project.delete()


def test_stop_during_a_start_and_start_during_the_stop(person):
    project = person.create("Of two minds", database=True)
    eventually(lambda: {project.status(), project.database()["status"]} & {"STARTING", "RUNNING"})
    project.stop()
    assert project.status() == "STOPPING"
    project.wait("STOPPED")
    assert person.namespace.items("Pod") == []
    project.start()
    project.wait("RUNNING")
    project.stop()
    project.start()
    project.wait("RUNNING")
    assert person.namespace.pod(project.sandbox()["name"])
    project.delete()
    project.wait_gone()


def test_delete_during_a_start(person):
    before = person.namespace.everything()
    project = person.create("Short lived", database=True)
    eventually(lambda: person.namespace.items("Cluster"))
    project.delete()
    project.wait_gone()
    eventually(lambda: person.namespace.everything() == before,
               last=lambda: person.namespace.everything() - before)


def test_another_users_project_is_404(person, new_person):
    theirs = Project(new_person(), person.create("Private").id)
    for ask in (theirs.get, theirs.stop, theirs.delete, theirs.view, theirs.variables):
        with pytest.raises(AssertionError) as refused:
            ask()
        assert refused.value.status == 404
    assert person.projects()[0]["status"] != "STOPPED"
