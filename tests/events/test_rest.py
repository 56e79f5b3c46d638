"""Tests that fsa-events does not poll while nothing changes."""

import contextlib
import time

from stand.process import PATIENCE


def asked_lately(site):
    """Whether fsa-events has queried PostgreSQL within the last second."""
    with contextlib.closing(site.connect()) as db, db.cursor() as cursor:
        cursor.execute("SELECT bool_or(state_change > clock_timestamp() - interval '1 s')"
                       " FROM pg_stat_activity WHERE datname = current_database()"
                       " AND application_name = 'fsa-events'")
        return cursor.fetchone()[0]


def test_at_rest_nothing_is_polled_and_a_change_is_still_shown(live):
    person = live.person()
    project = live.project(person)
    with person.stream() as stream:
        end = time.monotonic() + PATIENCE
        while asked_lately(live.site):
            assert time.monotonic() < end, "it asks and asks"
            time.sleep(0.05)
        project.fail("after a rest")
        stream.wait(lambda e: "after a rest" in str(e.data))
