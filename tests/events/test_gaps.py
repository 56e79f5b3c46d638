"""Tests outages. A page that follows the rule (read when a stream opens, then apply events) ends up showing the
present state, whatever it missed."""

import contextlib
import threading
import time

import psycopg2
import pytest
import requests

from stand.process import PATIENCE
from stand.stream import Stream
from visitors import Person


class Page:
    """An open page: reads when a stream opens, applies events, and reopens the stream."""

    def __init__(self, person, retry=0.3):
        self._person = person
        self._retry = retry
        self._stop = threading.Event()
        self.shown = {}
        self.opened = 0
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    def close(self):
        self._stop.set()
        self._thread.join(30)

    def _live(self):
        while not self._stop.is_set():
            with contextlib.suppress(requests.RequestException):
                self._follow()
            self._stop.wait(self._retry)

    def _follow(self):
        with Stream(self._person.client) as stream:
            if stream.status != 200 or not self._read():
                return
            self.opened += 1
            applied = 0
            while not (stream.ended() and applied == len(stream.events)):
                if self._stop.is_set():
                    return
                for event in stream.events[applied:]:
                    self._apply(event)
                    applied += 1
                time.sleep(0.01)

    def _read(self):
        answer = self._person.client.get("/api/projects")
        if answer.status_code != 200:
            return False
        self.shown = {p["id"]: what_shows(p) for p in answer.json()}
        return True

    def _apply(self, event):
        if event.name == "gone":
            self.shown.pop(event.data["id"], None)
        else:
            self.shown[event.data["id"]] = what_shows(event.data)

    def wait(self, project, message, seconds=PATIENCE):
        end = time.monotonic() + seconds
        while self.shown.get(project.id) != message:
            assert time.monotonic() < end, f"{self.shown} and not {message}"
            time.sleep(0.01)


def what_shows(project):
    """Returns the message of the sandbox's cause, which the tests count up."""
    cause = project["sandboxes"][0]["cause"] if project["sandboxes"] else None
    return cause and cause["message"]


@pytest.fixture
def page(own):
    """A page with a project: page, project, and the site's parts."""
    ada = own.person()
    own.page = Page(ada)
    own.project_shown = own.project(ada)
    own.project_shown.fail("first")
    own.page.wait(own.project_shown, "first")
    yield own
    own.page.close()


class Changes:
    """Makes changes all the time, in a thread."""

    def __init__(self, own):
        self._own = own
        self._count = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._stop.is_set():
            try:
                self._own.project_shown.fail(str(self._count))
                self._count += 1
            except psycopg2.Error:  # PostgreSQL is not running
                time.sleep(0.05)
            time.sleep(0.01)

    def wait(self, more=10):
        """Waits until this many more changes have been made."""
        end, count = time.monotonic() + PATIENCE, self._count + more
        while self._count < count:
            assert time.monotonic() < end, "nothing is changed"
            time.sleep(0.02)

    def stop(self):
        self._stop.set()
        self._thread.join(PATIENCE)


@pytest.fixture
def changing(page):
    changes = Changes(page)
    yield changes
    changes.stop()


def programs_killed(own):
    own.site.programs.kill("fsa-events")
    own.project_shown.fail("missed")
    time.sleep(0.3)
    own.site.programs.start("fsa-events")


def postgres_restarted(own):
    own.postgres.restart()


def postgres_away_for_a_while(own):
    own.postgres.stop()
    time.sleep(3)
    own.postgres.start()


def listener_cut_off(own):
    own.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'fsa_events'")


def nginx_restarted(own):
    own.site.nginx.stop()
    own.project_shown.fail("missed")
    time.sleep(1)
    own.site.nginx.start()


def nginx_killed(own):
    own.site.nginx.kill()
    own.project_shown.fail("missed")
    own.site.nginx.start()


def nginx_reloaded(own):
    own.site.nginx.reload()
    time.sleep(1)


GAPS = [programs_killed, postgres_restarted, postgres_away_for_a_while, listener_cut_off,
        nginx_restarted, nginx_killed, nginx_reloaded]


@pytest.mark.parametrize("gap", GAPS, ids=lambda gap: gap.__name__)
def test_after_a_gap_every_page_shows_the_present_state(page, gap):
    """No change follows that could make up for missed ones."""
    page.project_shown.fail("before")
    page.page.wait(page.project_shown, "before")
    opened = page.page.opened
    gap(page)
    page.wait_flowing()
    page.project_shown.fail("after")
    page.page.wait(page.project_shown, "after")
    end = time.monotonic() + PATIENCE
    while page.page.opened == opened:  # until it has read everything again
        assert time.monotonic() < end, "the stream did not begin anew"
        time.sleep(0.05)


@pytest.mark.parametrize("gap", GAPS, ids=lambda gap: gap.__name__)
def test_a_gap_in_the_middle_of_changes(page, changing, gap):
    changing.wait()
    gap(page)
    page.wait_flowing()
    changing.wait()
    changing.stop()
    page.project_shown.fail("last")
    page.page.wait(page.project_shown, "last")


def test_a_change_that_is_missed_is_shown_without_another_one(page):
    """The only commit happens while fsa-events is not running."""
    page.site.programs.kill("fsa-events")
    page.project_shown.fail("missed")
    time.sleep(0.5)
    assert page.page.shown[page.project_shown.id] == "first"
    page.site.programs.start("fsa-events")
    page.page.wait(page.project_shown, "missed")


def test_readyz_says_whether_live_updates_flow(own):
    own.site.programs.kill("fsa-events")
    own.wait_flowing("off")
    assert own.site.client().get("/readyz").status_code == 200  # degraded later, as there is no reconciler
    own.site.programs.start("fsa-events")
    own.wait_flowing("ok")


def test_without_nchan_the_site_works_and_says_so(make_site):
    site = make_site(events=False)
    site.programs.stop("fsa-reconcile")
    ada = Person(site)
    answer = ada.client.get("/api/events", headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert site.client().get("/api/events").status_code == 401
    log, end = site.programs.log("fsa-events"), time.monotonic() + PATIENCE
    while "live updates have stopped" not in log.read_text():
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.05)
    time.sleep(1)  # it is not repeated with each attempt
    ready = site.client().get("/readyz")
    assert (ready.status_code, ready.json()["checks"]["liveUpdates"]) == (200, "off")
    assert log.read_text().count("live updates have stopped") == 1
    assert "nginx.sock" in log.read_text()
