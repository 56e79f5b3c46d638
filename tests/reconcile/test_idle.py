"""A project in which nothing happens is stopped, with warning; whatever happens in it keeps it running."""

import pytest
from people import SLOW, Person, eventually, expect

# The resync of a test is a second, and so a look at what happens.
SITE_OPTIONS = {"resync": "1s", "idle_warning": "2s"}


def activity(idle=0, cpu=0.0, clock=100.0, busy=()):
    """What sandboxd says."""
    return {"idleSeconds": idle, "lastInputAt": None, "connections": 1, "terminals": 0, "cpuSeconds": cpu,
            "clockSeconds": clock, "busy": [{"pid": 7, "program": name, "share": 0.5} for name in busy]}


@pytest.fixture
def answers(kubesim, person):
    """answers(activity): what sandboxd answers in the person's sandboxes from now on."""
    yield lambda answer: kubesim.answer(person.namespace.name, answer)
    kubesim.answer(person.namespace.name, None)


def running(person, name, database=False):
    """A project that is stopped after a minute without activity."""
    project = person.create(name, database)
    project.wait("RUNNING")
    expect(person.client.put(f"{project.path}/idle", {"minutes": 1}))
    return project


def let_pass(site, project, seconds):
    """As if all of it had happened so much earlier."""
    with site.connect() as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE resources SET status_since = status_since - %s * interval '1 s'"
                       " WHERE project_id = %s", (seconds, project.id))
        cursor.execute("UPDATE sandboxes SET active_at = active_at - %s * interval '1 s',"
                       " looked_at = looked_at - %s * interval '1 s' WHERE resource_id IN"
                       " (SELECT id FROM resources WHERE project_id = %s)", (seconds, seconds, project.id))


def looks(project):
    """Until the sandbox has been looked at once more."""
    sandbox = project.sandbox()
    return sandbox["lastActiveAt"], sandbox["lastActivity"]


def codes(project):
    return [event["code"] for event in project.events() if event["code"]]


def warnings(project):
    return [warning["code"] for warning in project.get()["warnings"]]


def restart_reconciler(site):
    site.programs.kill("fsa-reconcile")
    site.programs.start("fsa-reconcile")


def test_a_quiet_project_is_warned_and_stopped_with_its_database(site, person, answers):
    answers(activity(idle=5))
    project = running(person, "Quiet", database=True)
    eventually(lambda: project.sandbox()["lastActiveAt"], SLOW)
    assert project.sandbox()["lastActivity"] == "input to a terminal, a process or a port"
    claims = person.namespace.items("PersistentVolumeClaim")
    answers(activity(idle=3600))
    let_pass(site, project, 3600)
    restart_reconciler(site)
    stopped = project.wait("STOPPED")
    assert [stopped["idleStopsAt"], stopped["warnings"]] == [None, []]
    told_codes = codes(project)
    assert told_codes.index("PROJECT_IDLE_STOPPED") < told_codes.index("PROJECT_IDLE")  # the newest first
    assert len(person.namespace.items("PersistentVolumeClaim")) == len(claims)
    assert person.namespace.items("Pod") == []

    project.start()  # the countdown begins anew
    project.wait("RUNNING")
    assert project.get()["idleStopsAt"] is None


def test_the_countdown_is_shown_and_one_action_ends_it(site, kubesim, person, answers):
    answers(activity(idle=3600))
    project = running(person, "Kept")
    site.programs.stop("fsa-reconcile")
    let_pass(site, project, 3600)
    with site.connect() as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE operator_options SET value = '1h' WHERE name = 'idle_warning'")
        cursor.execute("UPDATE sandboxes SET looked_at = now(), active_at = now() - interval '2 h'")
        cursor.execute("SELECT stop_idle_projects()")
    counting = project.get()
    assert counting["idleStopsAt"] and counting["idleStopsAt"] in counting["warnings"][0]["message"]
    kept = expect(person.client.post(f"{project.path}/keep", {"hours": 8}))
    assert kept["keepUntil"] and (kept["idleStopsAt"], kept["warnings"]) == (None, [])
    site.programs.start("fsa-reconcile")
    eventually(lambda: looks(project)[0], SLOW)
    assert project.status() == "RUNNING" and warnings(project) == []


def test_work_without_any_input_keeps_it_running(site, person, answers):
    """A build of many short processes, none of which is there twice."""
    answers(activity(idle=3600, cpu=1.0, clock=100.0))
    project = running(person, "Building")
    eventually(lambda: looks(project)[0], SLOW)
    answers(activity(idle=3600, cpu=500.0, clock=1000.0))
    eventually(lambda: looks(project)[1] == "work of programs", SLOW)
    answers(activity(idle=3600, busy=["make"]))
    let_pass(site, project, 120)
    eventually(lambda: looks(project)[1] == "work of a program: make", SLOW)
    let_pass(site, project, 120)
    before = looks(project)[0]
    eventually(lambda: looks(project)[0] > before, SLOW)
    assert project.status() == "RUNNING" and "PROJECT_IDLE_STOPPED" not in codes(project)


def test_where_nothing_answers_that_is_said_and_nothing_is_stopped(site, person, answers):
    project = running(person, "Unknown")

    def warned():
        return [w["code"] for w in project.sandbox()["warnings"]] == ["ACTIVITY_UNKNOWN"]

    eventually(warned, SLOW)
    let_pass(site, project, 36000)
    answers({"idleSeconds": "long", "busy": 5})
    eventually(warned, SLOW)
    restart_reconciler(site)
    eventually(warned, SLOW)
    assert project.status() == "RUNNING" and codes(project).count("PROJECT_IDLE") == 0
    answers(activity(idle=1))
    eventually(lambda: project.sandbox()["warnings"] == [], SLOW)

    answers(None)
    eventually(warned, SLOW)
    expect(person.client.put(f"{project.path}/idle", {"minutes": 0}))
    eventually(lambda: project.sandbox()["warnings"] == [], SLOW)


def test_a_project_that_is_never_idle_is_not_looked_at(kubesim, person, answers):
    answers(activity(idle=3600))
    project = running(person, "Never")
    eventually(lambda: looks(project)[0], SLOW)
    assert expect(person.client.put(f"{project.path}/idle", {"minutes": 0}))["idleMinutes"] == 0
    project.start()
    project.wait("RUNNING")
    assert project.get()["idleStopsAt"] is None
    for minutes in (-1, 525601, "1", 1.5):
        assert person.client.put(f"{project.path}/idle", {"minutes": minutes}).status_code == 400
    for hours in (-1, 8785, None):
        assert person.client.post(f"{project.path}/keep", {"hours": hours}).status_code == 400


@pytest.mark.parametrize("absurd", [
    {"idleSeconds": 10**12}, {"idleSeconds": 2**63 - 1}, {"cpuSeconds": 1e20}, {"clockSeconds": 1e300},
    {"busy": [{"program": "\x01" * 500}] * 10}])
def test_an_absurd_answer_costs_nobody_else_anything(site, kubesim, person, answers, absurd):
    project = running(person, "Absurd")
    answers({**activity(idle=1), **absurd})
    eventually(lambda: looks(project)[0], SLOW)
    theirs = Person(site, kubesim).create("Untouched", False)
    theirs.wait("RUNNING")
    assert project.status() == "RUNNING"
