"""Visits to addresses of stopped sandboxes: who starts them, how often, and what a stranger learns."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from test_members import join

NAVIGATES = {"Accept": "text/html,*/*", "Sec-Fetch-Mode": "navigate"}


def visit(web, host, path="/", method="GET", headers=None, **rest):
    return requests.request(method, web.nginx.visits_url + path, headers={"Host": host, **(headers or {})},
                            allow_redirects=False, timeout=120, **rest)


def sandbox_of(project):
    return project.client.get(f"/api/sandbox/{project.id}").json()


def row(web, sandbox):
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT desired, generation FROM resources WHERE id = %s", (sandbox,))
        return cursor.fetchone()


def starts(web, user):
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sandbox_starts WHERE user_id = %s", (user,))
        return cursor.fetchone()[0]


@pytest.fixture
def stopped(web, project):
    """stopped(who): a stopped project that may be started by a visit of `who`: client, id, sandbox, host."""

    def make(who=None):
        path = f"/api/projects/{project.id}"
        assert project.client.post(f"{path}/stop").ok
        if who:
            assert project.client.patch(path, {"wake": who}).json()["wake"] == who
        sandbox = sandbox_of(project)
        return SimpleNamespace(client=project.client, id=project.id, sandbox=sandbox["id"], path=path,
                               host=urlsplit(sandbox["publicUrl"]).hostname,
                               terminal=urlsplit(sandbox["ttydUrl"]).hostname)

    return make


def is_stopped(web, project):
    return row(web, project.sandbox)[0] == "STOPPED"


def test_only_its_owner_starts_a_project_unless_it_says_otherwise(web, stopped, user):
    project = stopped()
    assert project.client.get(project.path).json()["wake"] == "owner"
    for stranger in (web.client(), user()):
        answer = stranger.post("/api/wake", {"host": project.host})
        assert (answer.status_code, answer.json()["errorCode"]) == (404, "ADDRESS_NOT_FOUND")
    assert is_stopped(web, project)
    answer = project.client.post("/api/wake", {"host": project.host})
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "STARTING" and answer.json()["projectId"] == project.id
    assert answer.json()["url"] == f"https://{project.host}"
    assert row(web, project.sandbox)[0] == "RUNNING"


def test_anyone_starts_what_anyone_may(web, stopped):
    project = stopped("anyone")
    answer = web.client().post("/api/wake", {"host": project.host})
    assert answer.status_code == 200, answer.text
    assert answer.json()["projectId"] is None and answer.json()["desired"] == "RUNNING"
    databases = project.client.get(f"{project.path}/database").json()
    assert databases["desired"] == "RUNNING"
    woken, = [line for line in project.client.get("/api/user/audit").json()["items"] if line["action"] == "sandbox.wake"]
    assert (woken["by"], woken["address"], woken["objectId"]) == ("", None, project.sandbox)


def test_members_start_what_members_may(web, stopped, user):
    project, guest = stopped("members"), user()
    assert guest.post("/api/wake", {"host": project.host}).status_code == 404
    assert visit(web, project.host).status_code == 503
    join(project, guest, "viewer")
    assert is_stopped(web, project)
    answer = guest.post("/api/wake", {"host": project.host})
    assert answer.status_code == 200, answer.text
    assert answer.json()["projectId"] == project.id and row(web, project.sandbox)[0] == "RUNNING"
    for client, by in ((project.client, guest.name), (guest, None)):
        woken, = [line for line in client.get("/api/user/audit").json()["items"] if line["action"] == "sandbox.wake"]
        assert woken["by"] == by


def test_nobody_starts_what_nobody_may(web, stopped):
    project = stopped("never")
    assert project.client.post("/api/wake", {"host": project.host}).status_code == 404
    assert visit(web, project.host).status_code == 503
    assert is_stopped(web, project)


@pytest.mark.parametrize("who", ["", "Owner", "member", "owner ", 1, None])
def test_who_starts_it_is_one_of_four(stopped, who):
    project = stopped()
    assert project.client.patch(project.path, {"wake": who}).status_code == 400
    assert project.client.get(project.path).json()["wake"] == "owner"


def test_terminals_and_open_ports_have_addresses_that_start_it(web, stopped):
    project = stopped("anyone")
    ports = f"{project.path}/sandboxes/{project.sandbox}/ports"
    assert project.client.post(ports, {"port": 5173, "access": "public"}).ok
    label, domain = project.host.split(".", 1)
    for host in (f"{label}-5174.{domain}", f"{label}-05173.{domain}", f"x{label}-5173.{domain}", f"{label}-5173"):
        assert web.client().post("/api/wake", {"host": host}).status_code == 404, host
    for host in (f"{label}-5173.{domain}", project.terminal):
        assert project.client.post(f"{project.path}/stop").ok
        assert web.client().post("/api/wake", {"host": host}).ok, host
        assert not is_stopped(web, project)
    there = project.client.post("/api/wake", {"host": project.terminal}).json()["url"]
    assert there == f"{web.url}/projects/{project.id}/terminal"


def test_a_browser_is_sent_to_the_site_whatever_the_address(web, stopped):
    project = stopped()
    for host in (project.host, "nobodysplace.apps.localhost"):
        answer = visit(web, host, "/a%20b?c=d&e", headers=NAVIGATES)
        assert answer.status_code == 303 and answer.headers["Cache-Control"] == "no-store"
        there = urlsplit(answer.headers["Location"])
        assert f"{there.scheme}://{there.netloc}{there.path}" == f"{web.url}/wake"
        assert parse_qs(there.query) == {"to": [f"https://{host}/a%20b?c=d&e"]}
    assert is_stopped(web, project)


def test_an_error_of_an_application_that_runs_is_no_reason_to_start_it(web, stopped):
    project = stopped("anyone")
    asked = {**NAVIGATES, "X-Code": "503", "X-Original-URI": "/there"}
    answer = visit(web, project.host, headers=asked)
    assert parse_qs(urlsplit(answer.headers["Location"]).query) == {"to": [f"https://{project.host}/there"]}
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE resources SET desired = 'RUNNING', status = 'RUNNING' WHERE id = %s", (project.sandbox,))
    answer = visit(web, project.host, headers=asked)
    assert answer.status_code == 503 and "does not answer" in answer.text
    assert visit(web, "nobodysplace.apps.localhost", headers=asked).status_code == 303


def test_a_program_starts_it_and_is_told_to_come_again(web, stopped):
    project = stopped("anyone")
    answer = visit(web, project.host, "/hook", method="POST", data=b"x" * 100_000)
    assert answer.status_code == 503 and int(answer.headers["Retry-After"]) < 10
    assert not is_stopped(web, project)


def test_what_an_open_page_asks_for_starts_nothing(web, stopped):
    project = stopped("anyone")
    for mode in ("cors", "no-cors", "same-origin", "websocket"):
        assert visit(web, project.host, headers={"Sec-Fetch-Mode": mode}).status_code == 503
    assert is_stopped(web, project)


def test_a_stranger_cannot_tell_which_addresses_there_are(web, stopped):
    project = stopped()
    answers = [visit(web, host) for host in (project.host, "nobodysplace.apps.localhost", "'; --", "a.b.c")]
    known = {(a.status_code, a.text, a.headers["Retry-After"], tuple(sorted(a.headers))) for a in answers[:2]}
    assert len(known) == 1
    assert all(a.status_code in (400, 503) for a in answers)
    theirs, nobodys = (web.client().get(f"/api/wake?host={host}").json() for host in (project.host, "x.y"))
    assert [theirs[k] for k in ("error", "errorCode", "details")] == [nobodys[k] for k in ("error", "errorCode", "details")]
    assert is_stopped(web, project)


@pytest.mark.parametrize("end, refusal", [
    ("trash", (404, "ADDRESS_NOT_FOUND")), ("disabled", (404, "ADDRESS_NOT_FOUND")), ("ended", (409, "NOT_STARTED")),
    ("maintenance", (503, "MAINTENANCE"))])
def test_what_cannot_be_started_stays_stopped(web, stopped, end, refusal):
    project = stopped("anyone")
    statements = {
        "trash": ("UPDATE projects SET deleted_at = now(), trash_until = now() + '1 day' WHERE id = %s", project.id),
        "ended": ("UPDATE projects SET expires_at = now() WHERE id = %s", project.id),
        "disabled": ("UPDATE users SET disabled_at = now() WHERE id = %s", project.client.id),
        "maintenance": ("INSERT INTO maintenance (message) VALUES (%s)", "later"),
    }
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute(statements[end][0], (statements[end][1],))
    try:
        assert visit(web, project.host).status_code == 503
        answer = web.client().post("/api/wake", {"host": project.host})
        assert (answer.status_code, answer.json()["errorCode"]) == refusal, answer.text
        assert project.id not in answer.text
        assert is_stopped(web, project)
    finally:
        with web.connect() as db, db.cursor() as cursor:
            cursor.execute("DELETE FROM maintenance")


def test_its_owner_hears_of_a_quota_and_a_stranger_does_not(web, stopped):
    project = stopped("anyone")
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("INSERT INTO user_limits (user_id, kind, value) VALUES (%s, 'starts', 0)", (project.client.id,))
    answer = web.client().post("/api/wake", {"host": project.host})
    assert (answer.status_code, answer.json()["errorCode"]) == (409, "NOT_STARTED")
    assert project.client.post("/api/wake", {"host": project.host}).status_code == 429
    assert is_stopped(web, project)


def test_ten_thousand_visits_are_one_start(web, stopped):
    project = stopped("anyone")
    before = starts(web, project.client.id)
    _, generation = row(web, project.sandbox)

    def one(_):
        with requests.Session() as client:
            return {client.get(web.nginx.visits_url, headers={"Host": project.host}, timeout=120).status_code
                    for _ in range(625)}

    with ThreadPoolExecutor(16) as pool:
        assert set().union(*pool.map(one, range(16))) == {503}
    assert not is_stopped(web, project)
    assert starts(web, project.client.id) == before + 1
    assert row(web, project.sandbox)[1] == generation + 1


def test_visits_past_the_limit_of_nginx_are_one_start_too(web, stopped):
    project = stopped("anyone")
    before = starts(web, project.client.id)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: web.client().post("/api/wake", {"host": project.host}), range(64)))
    assert all(answer.ok for answer in answers)
    assert starts(web, project.client.id) == before + 1


def test_the_route_of_the_ingress_is_not_for_the_internet(web, stopped):
    project = stopped("anyone")
    headers = {"FSA-Visit-Host": project.host, "FSA_VISIT_HOST": project.host, "FSA-Listener": "local"}
    answer = requests.get(f"{web.url}/api/wake/visit", headers=headers, timeout=120)
    assert answer.status_code == 404
    assert visit(web, f"{uuid.uuid4()}.apps.localhost", headers=headers).status_code == 503
    assert is_stopped(web, project)
