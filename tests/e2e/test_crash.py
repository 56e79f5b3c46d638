"""A reconciler that is killed or delayed at any point costs nothing but time.

halt.c ends a pass right after the n-th time it has sent something, to PostgreSQL or to the API
server. In each phase of a project's life, each n is tried on a fresh project, so that a crash happens
between any two steps; then ordinary passes must bring all of them to the same state.
"""

import signal

import pytest
from people import SLOW, Person, eventually
from reconcile import Reconcilers, compile_halt, family, summary

# The rows of a killed pass stay leased for this long, so that later passes see only their own.
KILLED = {"lease_time": "10m", "kube_request_timeout": "2s"}
POINTS = 56  # a pass that begins with nothing has sent everything by then
HOLDING = 22  # after this many, a pass has claimed but not applied anything
PEOPLE = 4


@pytest.fixture(scope="module")
def halt(workspace):
    return compile_halt(workspace)


@pytest.fixture
def quiet(new_site, halt):
    """A site without a running reconciler, and a way to run passes: (site, reconcilers)."""
    # Nothing is observed again unless requested.
    site = new_site(options={"resync": "1h", "projects_per_user": "1000"})
    reconcilers = Reconcilers(site, halt)
    yield site, reconcilers
    reconcilers.close()


def execute(site, statement, *values):
    with site.connect() as connection, connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else None


def leases_run_out(site):
    """Ends the leases of killed passes, as ten minutes would."""
    execute(site, "UPDATE resources SET leased_until = now(), due_at = least(due_at, now()) "
                  "WHERE leased_until IS NOT NULL")


def settle(site, reconcilers, reached, seconds=SLOW):
    """Runs ordinary passes until reached() is true."""
    leases_run_out(site)

    def passed():
        reconcilers.run(pass_time="3s")
        return reached()

    eventually(passed, seconds, last=lambda: states(site))


def states(site):
    return execute(site, "SELECT status, cause_code, count(*) FROM resources GROUP BY 1, 2")


def all_are(site, status):
    return lambda: {row[0] for row in states(site)} == {status}


class Shape:
    """The objects of a project in the cluster, without what differs between projects."""

    def __init__(self, project):
        got, namespace = project.get(), project.person.namespace
        self.objects = {}
        for resource in got["sandboxes"] + got["databases"]:
            for kind, names in namespace.owned(resource["id"]).items():
                self.objects[kind] = self.objects.get(kind, 0) + len(names)
        sandbox = got["sandboxes"][0]["name"]
        self.volumes = {
            claim["metadata"]["name"]: claim["metadata"]["uid"]
            for claim in namespace.items("PersistentVolumeClaim")
            if sandbox in claim["metadata"]["name"]
        }
        self.replicas = namespace.get("StatefulSet", sandbox)["spec"]["replicas"]
        self.pod = (namespace.pod(sandbox) or {"metadata": {"uid": None}})["metadata"]["uid"]
        self.variables = set(namespace.secret(f"{sandbox}-env"))


def no_orphans(site, people):
    """Checks that every object of ours belongs to an existing resource."""
    known = {row[0] for row in execute(site, "SELECT id::text FROM resources")}
    for person in people:
        for kind in ("StatefulSet", "Pod", "Service", "Ingress", "Secret", "Cluster",
                     "NetworkPolicy", "PersistentVolumeClaim"):
            for item in person.namespace.items(kind):
                owner = item["metadata"].get("labels", {}).get(
                    "project.fullstackagent.io/resource")
                assert owner is None or owner in known, (kind, item["metadata"]["name"])


def sweep(reconcilers, projects, ask):
    """For each project, requests something and kills the pass that begins to do it, each at another point.

    Passes that have nothing left to send before their point end by themselves; enough passes must have
    been killed for the sweep to be meaningful.
    """
    killed = 0
    for point, project in enumerate(projects, start=1):
        ask(project)
        killed += reconcilers.run(halt_after=point, **KILLED) == -signal.SIGKILL
    assert killed >= 20, f"only {killed} of {len(projects)} passes were killed"


def test_kill_at_every_point_of_a_projects_life(quiet, cluster):
    site, reconcilers = quiet
    people = [Person(site, cluster, quota={"limits.cpu": "64"}) for _ in range(PEOPLE)]
    projects = []

    def create(person):
        projects.append(person.create(f"Victim {len(projects)}", database=len(projects) % 2 == 0))

    sweep(reconcilers, [people[n % PEOPLE] for n in range(POINTS)], create)
    settle(site, reconcilers, all_are(site, "RUNNING"))
    created = check_all(projects, replicas=1)

    sweep(reconcilers, projects, lambda project: project.stop())
    settle(site, reconcilers, all_are(site, "STOPPED"))
    stopped = check_all(projects, replicas=0)

    sweep(reconcilers, projects, lambda project: project.start())
    settle(site, reconcilers, all_are(site, "RUNNING"))
    started = check_all(projects, replicas=1)
    for project in projects:
        assert created[project].volumes == stopped[project].volumes == started[project].volumes

    sweep(reconcilers, projects, lambda project: project.set_variable("CHANGED", "1"))
    settle(site, reconcilers, all_are(site, "RUNNING"))
    changed = check_all(projects, replicas=1)
    for project in projects:
        assert changed[project].variables == started[project].variables | {"CHANGED"}
        assert changed[project].pod != started[project].pod
        assert changed[project].volumes == started[project].volumes
    no_orphans(site, people)

    sweep(reconcilers, projects, lambda project: project.delete())
    settle(site, reconcilers, lambda: states(site) == [])
    assert execute(site, "SELECT count(*) FROM projects") == [(0,)]
    no_orphans(site, people)
    for person in people:
        assert person.projects() == []
        for kind in ("StatefulSet", "Pod", "PersistentVolumeClaim", "Cluster", "Service", "Secret"):
            assert eventually(lambda k=kind, p=person: p.namespace.items(k) == []), kind


def check_all(projects, replicas):
    """Checks that all projects of the same sort have the same objects, and are complete."""
    shapes = {project: Shape(project) for project in projects}
    for with_database in (True, False):
        same = [s for p, s in shapes.items() if bool(p.database()) == with_database]
        for shape in same:
            assert shape.objects == same[0].objects
            assert shape.replicas == replicas
            assert shape.objects.get("Pod", 0) == replicas
            assert shape.objects["Ingress"] == 2 and shape.objects["StatefulSet"] == 1
            assert len(shape.volumes) == 1
    return shapes


LOG_LEASES = """
CREATE TABLE lease_log (
    resource_id uuid, epoch bigint, holder text, at timestamptz DEFAULT clock_timestamp(),
    what text
);
CREATE FUNCTION log_lease() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF NEW.lease_epoch <> OLD.lease_epoch THEN
        INSERT INTO lease_log VALUES (NEW.id, NEW.lease_epoch, NEW.leased_by, DEFAULT,
            CASE WHEN OLD.leased_until > clock_timestamp() THEN 'stolen' ELSE 'claimed' END);
    ELSIF OLD.leased_until IS NOT NULL AND NEW.leased_until IS NULL THEN
        INSERT INTO lease_log VALUES (NEW.id, NEW.lease_epoch, OLD.leased_by, DEFAULT,
            'given back');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER log_lease BEFORE UPDATE ON resources FOR EACH ROW EXECUTE FUNCTION log_lease();
"""


def test_two_reconcilers_at_once(quiet, cluster):
    """Both work, but never on the same row: each lease has one holder, and ends before the next begins."""
    site, reconcilers = quiet
    execute(site, LOG_LEASES)
    people = [Person(site, cluster) for _ in range(3)]
    # No pass may take longer than its lease, however busy the machine: otherwise its rows are taken over.
    times = {"resync": "1s", "lease_time": "2m"}
    processes = [reconcilers.start(f"reconciler-{n}", **times) for n in (1, 2)]
    projects = [p.create(f"Shared {n}", database=n == 0) for p in people for n in range(3)]
    for project in projects:
        project.wait("RUNNING")
    for project in projects:
        project.set_variable("A", "1")
    for project in projects[::2]:
        project.stop()
    for number, project in enumerate(projects):
        project.wait("RUNNING" if number % 2 else "STOPPED")
    for project in projects[::2]:
        project.delete()
    for project in projects[::2]:
        project.wait_gone()
    for process in processes:
        process.stop()

    rows = execute(site, "SELECT resource_id::text, epoch, holder, what FROM lease_log ORDER BY at")
    claims = [row for row in rows if row[3] == "claimed"]
    assert [row for row in rows if row[3] == "stolen"] == []
    assert len({(row[0], row[1]) for row in claims}) == len(claims)
    held = {}
    for resource, epoch, holder, what in rows:
        if what == "claimed":
            assert resource not in held, f"{resource} is claimed twice"
            held[resource] = (epoch, holder)
        else:
            assert held.pop(resource) == (epoch, holder)
    by_log = [summary(process.log, "claimed") for process in processes]
    assert sum(by_log) == len(claims)
    assert min(by_log) > 5, by_log
    assert [summary(process.log, "stale") for process in processes] == [0, 0]
    no_orphans(site, people)


def test_late_passes_change_nothing(quiet, cluster):
    """Each pass is stopped at a different point, as on a host that swaps or a paused machine, until its lease has run
    out and another pass has done the work; then it continues."""
    site, reconcilers = quiet
    # Long enough to stop all of them before the first lease runs out.
    times = {"lease_time": "20s", "kube_request_timeout": "1s"}
    person = Person(site, cluster)
    projects, late = [], []
    for point in range(20, 43, 3):
        projects.append(person.create(f"Contested {point}"))
        late.append(reconcilers.stopped(point, **times))
    holders = {pid for pass_ in late if pass_ for pid in family(pass_)}
    leased = execute(site, "SELECT leased_by FROM resources WHERE leased_until > now()")
    assert len(holders & {int(row[0].rpartition("/")[2]) for row in leased}) >= 5
    for project in projects:
        project.stop()
    eventually(lambda: not reconcilers.run(pass_time="5s", **times)
               and all_are(site, "STOPPED")(), SLOW, last=lambda: states(site))
    # By then, the rows belong to another pass, which has claimed all of them and does nothing.
    for project in projects:
        project.start()
    holder = reconcilers.stopped(HOLDING, **KILLED)
    leased = execute(site, "SELECT leased_by FROM resources WHERE leased_until > now()")
    assert {int(row[0].rpartition("/")[2]) for row in leased} <= family(holder)
    assert len(leased) == len(projects)
    before = fingerprint(site, person)

    reconcilers.resume([pass_ for pass_ in late if pass_])
    after = fingerprint(site, person)
    assert {k: (v, after.get(k)) for k, v in before.items() if after.get(k) != v} == {}
    assert sorted(map(str, after.keys() - before.keys())) == []
    assert person.namespace.items("Pod") == []
    holder.kill()
    for project in projects:
        project.delete()
    settle(site, reconcilers, lambda: states(site) == [])
    no_orphans(site, [person])


def fingerprint(site, person):
    """Returns the complete rows, and the version of every object in the cluster."""
    found = dict(execute(site, "SELECT id::text, r.*::text FROM resources r"))
    found["events"] = execute(site, "SELECT count(*) FROM events")
    for kind in ("StatefulSet", "Service", "Ingress", "Secret", "NetworkPolicy", "Pod"):
        for item in person.namespace.items(kind):
            metadata = item["metadata"]
            found[kind, metadata["name"]] = metadata["resourceVersion"]
    return found


def test_a_lease_that_runs_out_is_taken_over(quiet, cluster):
    """Without any help, another pass claims the rows of a killed pass five seconds later."""
    site, reconcilers = quiet
    times = {"lease_time": "5s", "kube_request_timeout": "1s"}
    project = Person(site, cluster).create("Abandoned")
    for point in (12, 22):
        assert reconcilers.run(halt_after=point, **times) == -signal.SIGKILL
    reconcilers.start("survivor", **times)
    project.wait("RUNNING")


def test_killed_again_and_again(new_site, new_person):
    """The reconciler runs as usual and is killed at arbitrary moments."""
    site = new_site(options={"lease_time": "5s", "kube_request_timeout": "1s"})
    project = new_person(site=site).create("Unlucky", database=True)
    reconciler = site.programs.process("fsa-reconcile")
    for ask, status in (
        (lambda: None, "RUNNING"), (project.stop, "STOPPED"), (project.start, "RUNNING"),
    ):
        ask()
        for _ in range(4):
            eventually(lambda: held(site), every=0.001)
            reconciler.kill()
            site.programs.start("fsa-reconcile")
        project.wait(status)
    project.delete()
    project.wait_gone()


def held(site):
    """Whether any row is leased now."""
    return execute(site, "SELECT 1 FROM resources WHERE leased_until > now() LIMIT 1")
