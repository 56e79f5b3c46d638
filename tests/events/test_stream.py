"""Tests what a page receives: all changes of its own user, in order, and none of others."""

import contextlib
import os
import socket
import stat
import threading
import time

import pytest

from stand.process import PATIENCE
from stand.stream import Stream


def test_a_new_project_is_told_to_its_owner_alone(live):
    ada, bob = live.person(), live.person()
    with ada.stream() as hers, bob.stream() as his:
        project = live.project(ada)
        told = hers.wait(lambda e: e.name == "project" and e.data["sandboxes"]).data
        assert told["id"] == project.id and told["status"] == "CREATING"
        assert {"name", "updatedAt"} < set(told)
        assert [r["stage"] for r in told["sandboxes"] + told["databases"]] == ["database"] * 2
        live.project(bob)
        his.wait(lambda e: e.name == "project")
        time.sleep(0.3)
        assert {e.data["id"] for e in hers.events} == {project.id}
        assert project.id not in str(his.events)


def test_a_project_is_shown_with_all_its_sandboxes_and_its_database(live):
    ada = live.person()
    project = live.project(ada)
    for _ in range(3):
        project.add_sandbox()
    with ada.stream() as stream:
        project.set(kind="DATABASE", stage="network")
        shown = stream.wait(lambda e: [r["stage"] for r in e.data["databases"]] == ["network"]).data
        assert len({r["id"] for r in shown["sandboxes"]}) == 4


@pytest.mark.parametrize("change", [
    {"status": "STARTING"},
    {"stage": "network"},
    {"desired": "STOPPED"},
    {"cause_kind": "POD_IMAGE", "cause_code": "POD_IMAGE", "cause_message": "no “such” image\n",
     "cause_since": "now"},
    {"warnings": '[{"code": "RESTARTED", "message": "it did", "since": "now"}]'},
])
def test_each_thing_that_a_page_shows_is_told_when_it_changes(live, change):
    ada = live.person()
    project = live.project(ada)
    expected = {k: v for k, v in change.items() if k not in ("cause_since", "warnings")}

    def is_told(event):
        told = event.data["sandboxes"][0]
        shown = {**told, **{f"cause_{k}": v for k, v in (told["cause"] or {}).items()}}
        return expected.items() <= shown.items() and bool(told["warnings"]) == ("warnings" in change)

    with ada.stream() as stream:
        project.set(**change)
        stream.wait(is_told)


def test_the_check_of_a_kubeconfig_is_told_to_its_owner_alone(live):
    ada, bob = live.person(), live.person()
    with ada.stream() as hers, bob.stream() as his:
        live.sql("INSERT INTO kubeconfigs (user_id, sealed, server, namespace, account)"
                 " VALUES (%(id)s, 'x', 'https://cluster.example', 'ns', 'me')", {"id": ada.id})
        told = hers.wait(lambda e: e.name == "kubeconfig").data
        assert told == {"state": "pending", "checkedAt": None, "checks": []}
        live.sql("""UPDATE kubeconfig_checks SET due_at = NULL, checked_at = now(), findings =
            '[{"name": "quota", "status": "warning", "kind": "KUBE_QUOTA", "code": "QUOTA_EXCEEDED",
               "detail": "exceeded quota"}]' WHERE user_id = %(id)s""", {"id": ada.id})
        told = hers.wait(lambda e: e.name == "kubeconfig" and e.data["state"] == "done").data
        assert told["checks"][0]["headline"] == "Your namespace's quota is used up"
        live.project(bob)
        his.wait(lambda e: e.name == "project")
        assert [e for e in his.events if e.name == "kubeconfig"] == []


def test_what_is_told_is_counted(live):
    def messages(event):
        return live.counted("fsa_live_messages_total", event=event)

    assert live.counted("fsa_live_flows") == 1
    assert live.counted("fsa_live_gaps_total") >= 1  # counted when fsa-events started
    ada = live.person()
    project = live.project(ada)
    with ada.stream() as stream:
        before = messages("project")
        project.set(stage="network")
        stream.wait(lambda e: e.data["sandboxes"][0]["stage"] == "network")
        eventually(lambda: messages("project") > before)  # counted once nginx has accepted it


def test_a_name_and_a_status_of_the_project_are_told_and_a_lease_is_not(live):
    ada = live.person()
    project = live.project(ada)
    with ada.stream() as stream:
        project.set(stage="network")
        live.tell_all(stream, ada)
        before = len(stream.events)
        live.sql("UPDATE resources SET leased_by = 'me', leased_until = now(), due_at = now(),"
                 " lease_epoch = lease_epoch + 1, attempts = 1, updated_at = now()")
        live.sql("UPDATE projects SET status = 'PARTIAL' WHERE id = %s", (project.id,))
        live.sql("UPDATE projects SET name = 'Other' WHERE id = %s", (project.id,))
        stream.wait(lambda e: e.data["name"] == "Other")
        told = [e.data["status"] for e in stream.events[before:] if e.data["id"] == project.id]
        assert 1 <= len(told) <= 2 and set(told) == {"PARTIAL"}


def test_of_a_project_too_long_for_nginx_its_lists_are_to_be_read(live):
    ada = live.person()
    project = live.project(ada)
    with ada.stream() as stream:
        live.tell_all(stream, ada)
        project.add_sandboxes_in_error(1500, message="x" * 1000)
        told = stream.wait(lambda e: e.data["id"] == project.id and "sandboxes" not in e.data)
        assert told.data["name"] and "databases" not in told.data
        live.tell_all(stream, ada)  # the stream goes on


def test_a_project_that_goes_is_told(live):
    ada = live.person()
    project = live.project(ada)
    with ada.stream() as stream:
        project.remove()
        assert stream.wait(lambda e: e.name == "gone").data == {"id": project.id}
        assert stream.events[-1].name == "gone"


def test_changes_come_in_the_order_of_their_commits_and_the_last_one_comes(live):
    """With four writers at once, each project's numbers and commit times are in order."""
    ada = live.person()
    projects = [live.project(ada) for _ in range(4)]
    last = 150

    def write(project):
        for number in range(1, last + 1):
            project.fail(str(number))

    with ada.stream() as stream:
        threads = [threading.Thread(target=write, args=(p,)) for p in projects]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for project in projects:
            stream.wait(lambda e, p=project: e.data["id"] == p.id and number_of(e) == last)
        for project in projects:
            numbers = [number_of(e) for e in stream.events if e.data["id"] == project.id]
            assert numbers == sorted(numbers) and len(numbers) > last / 50  # not just the last one


def test_commits_of_two_projects_are_told_in_their_order(live):
    """One change after the other, and none to a project before its previous one has arrived: so all commits must
    arrive, in order."""
    ada = live.person()
    projects = [live.project(ada) for _ in range(3)]
    with ada.stream() as stream:
        live.tell_all(stream, ada)
        for number in range(1, 31):
            projects[number % 3].fail(str(number))
            if number % 3 == 0:
                stream.wait(lambda e, n=number: number_of(e) == n)
        numbers = [number_of(e) for e in stream.events if number_of(e)]
        assert numbers == list(range(1, 31))


def test_a_change_that_is_rolled_back_is_not_told(live):
    ada = live.person()
    project = live.project(ada)
    with ada.stream() as stream:
        db = live.site.connect()
        db.autocommit = False
        with db.cursor() as cursor:
            cursor.execute("UPDATE projects SET name = 'Never' WHERE id = %s", (project.id,))
        db.rollback()
        db.close()
        project.set(stage="network")
        stream.wait(lambda e: e.data["sandboxes"][0]["stage"] == "network")
        assert "Never" not in str(stream.events)


def test_what_was_missed_while_a_stream_began_anew_is_sent(live):
    ada = live.person()
    project = live.project(ada)
    with ada.stream() as stream:
        live.tell_all(stream, ada)
        project.fail("1")
        seen = stream.wait(lambda e: number_of(e) == 1).id
    project.fail("2")
    time.sleep(0.3)
    with ada.stream(headers={"Last-Event-ID": seen}) as stream:
        assert number_of(stream.wait(lambda e: True)) == 2
    with ada.stream() as stream:  # a new stream begins with the present
        time.sleep(0.3)
        assert stream.events == []


def test_a_token_opens_a_stream_too(live):
    ada = live.person()
    token = ada.log_in_again(bearer=True).login_answer.json()["token"]
    with Stream(live.site.client(), headers={"Authorization": f"Bearer {token}"}) as stream:
        assert stream.status == 200
        project = live.project(ada)
        stream.wait(lambda e: e.data["id"] == project.id)


def test_without_a_session_there_is_no_stream(live):
    answer = live.site.client().get("/api/events", headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer.json()["errorCode"]) == (401, "UNAUTHENTICATED")
    assert answer.headers["Content-Type"].startswith("application/json")


def test_the_client_has_no_say_in_whose_events_it_gets(live):
    ada, eve = live.person(), live.person()
    for path in (f"/api/events?user={ada.id}", f"/users/{ada.id}", f"/api/events/{ada.id}",
                 "/_live_user"):
        assert eve.client.get(path).status_code in (204, 400, 404), path
    headers = {"X-Live-User": ada.id, "X-Accel-Redirect": f"/users/{ada.id}",
               "X-Original-URI": f"/users/{ada.id}"}
    with eve.stream(headers=headers) as stream:
        live.project(ada)
        mine = live.project(eve)
        stream.wait(lambda e: e.data["id"] == mine.id)
        assert {e.data["id"] for e in stream.events} == {mine.id}


def test_nobody_publishes_but_fsa_events(live):
    folder = live.site.programs.events_socket().parent
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    ada = live.person()
    with ada.stream() as stream:
        for method in ("POST", "PUT", "DELETE"):
            for path in ("/api/events", f"/users/{ada.id}", "/users"):
                answer = ada.client.request(method, path, json={"x": 1})
                assert answer.status_code in (403, 404, 405), (method, path, answer.status_code)
        project = live.project(ada)  # this event arrives, and is the only one
        stream.wait(lambda e: e.data.get("id") == project.id)
        assert {e.data.get("id") for e in stream.events} == {project.id}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "GET"])
def test_no_body_is_taken_for_another_request(live, method):
    """Behind a proxy, that request could be another user's."""
    cookie = live.person().client.session.cookies.items()
    hidden = b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
    head = (f"{method} /api/events HTTP/1.1\r\nHost: x\r\nContent-Length: {len(hidden)}\r\n"
            f"Cookie: {'; '.join('='.join(pair) for pair in cookie)}\r\n\r\n")
    host, port = live.site.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        connection.sendall(head.encode() + hidden + b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
                           b"Connection: close\r\n\r\n")
        answers = b""
        with contextlib.suppress(ConnectionResetError):  # requests that it has not read
            while part := connection.recv(65536):
                answers += part
    assert answers.count(b"HTTP/1.1 ") <= 1, answers  # 0 if lost in the reset of the connection


def test_another_site_cannot_read_a_stream(live):
    ada = live.person()
    headers = {"Origin": "https://evil.example", "Accept": "text/event-stream"}
    answer = ada.client.get("/api/events", headers=headers, stream=True)
    assert answer.status_code == 403
    assert "Access-Control-Allow-Credentials" not in answer.headers
    answer.close()


@pytest.mark.parametrize("last", [
    "x", "1:[0],-", "99999999999999999999:1", "1795517084:[0],[1],[2],[5", "-1:-1",
    "1795517084:99999999999", "1:" + ",".join(["1"] * 500), ":", "0:0", "%s%n", "1" * 3000,
], ids=lambda last: last[:20])
def test_no_last_event_id_does_harm(live, last):
    ada = live.person()
    worker = live.site.nginx.error_log.read_text().count("exited on signal")
    answer = ada.client.get("/api/events", stream=True, headers={
        "Accept": "text/event-stream", "Last-Event-ID": last})
    assert answer.status_code in (200, 400, 403), answer.status_code
    answer.close()
    with ada.stream() as stream:
        live.project(ada)
        stream.wait(lambda e: e.name == "project")
    assert live.site.nginx.error_log.read_text().count("exited on signal") == worker


def test_the_head_of_a_stream(live):
    with live.person().stream() as stream:
        head = stream.answer.headers
        assert head["Content-Type"].startswith("text/event-stream")
        assert head["Cache-Control"] == "no-store" and head["X-Accel-Buffering"] == "no"
        assert head["X-Content-Type-Options"] == "nosniff" and head["X-Request-Id"]
        assert "X-Live-User" not in head


def test_a_user_has_a_limited_number_of_streams(live):
    ada = live.person()
    streams = [ada.client.get("/api/events", headers={"Accept": "text/event-stream"}, stream=True)
               for _ in range(105)]
    statuses = [s.status_code for s in streams]
    for stream in streams:
        stream.close()
    assert statuses[:100] == [200] * 100 and set(statuses[100:]) == {403}


def eventually(check):
    end = time.monotonic() + PATIENCE
    while not check():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.05)


def number_of(event):
    """Returns the number that Project.fail() has put into the cause; 0 if there is none yet."""
    cause = event.data["sandboxes"][0]["cause"] if event.data.get("sandboxes") else None
    return int(cause["message"]) if cause else 0
