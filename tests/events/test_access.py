"""Tests streams whose access changes while they are open, also when nobody can tell nginx."""

import time

import pytest

from stand.stream import Stream


def test_a_session_that_is_revoked_loses_its_stream_and_others_keep_theirs(live):
    ada, bob = live.person(), live.person()
    elsewhere = ada.log_in_again()
    with ada.stream(elsewhere) as revoked, ada.stream() as kept, bob.stream() as his:
        token = elsewhere.session.cookies.copy()
        assert elsewhere.post("/api/auth/logout").status_code == 200
        revoked.wait_end()
        kept.wait_end()  # when it is reopened, access is checked again
        elsewhere.session.cookies.update(token)
        with Stream(elsewhere) as refused:
            assert refused.status == 401
        with ada.stream() as stream:
            live.project(ada)
            stream.wait(lambda e: e.name == "project")
        assert not his.ended() and revoked.events == []


def test_a_disabled_user_loses_all_streams(live):
    ada = live.person()
    with ada.stream() as stream:
        live.sql("UPDATE users SET disabled_at = now() WHERE id = %s", (ada.id,))
        stream.wait_end()
        with Stream(ada.client) as refused:
            assert refused.status == 401


def test_a_session_that_expires_loses_its_stream_when_it_is_removed(live):
    ada = live.person()
    with ada.stream() as stream:
        live.sql("UPDATE sessions SET expires_at = now() WHERE user_id = %s", (ada.id,))
        live.site.programs.start("fsa-reconcile")  # housekeeping follows a pass of up to 25 s
        stream.wait_end()
    live.site.programs.stop("fsa-reconcile")


@pytest.mark.parametrize("away", ["fsa-events", "nothing"])
def test_a_quiet_stream_ends_within_a_minute_in_any_case(live, away):
    """So a revoked session loses its stream even if nobody can tell nginx."""
    ada = live.person()
    elsewhere = ada.log_in_again()
    if away != "nothing":
        live.site.programs.stop(away)
    with ada.stream(elsewhere) as stream:
        start = time.monotonic()
        if away != "nothing":
            assert elsewhere.post("/api/auth/logout").status_code == 200
        stream.wait_end()
        assert 45 < time.monotonic() - start < 60
    live.site.programs.start("fsa-events")
    live.wait_flowing()


def test_an_unverifiable_session_differs_from_none(live):
    ada = live.person()
    live.site.programs.stop("api.fcgi")
    try:
        with Stream(ada.client) as refused:
            assert refused.status == 503
            assert refused.answer.headers["Content-Type"].startswith("application/json")
            assert refused.answer.headers["Retry-After"]
    finally:
        live.site.programs.start("api.fcgi")
    with ada.stream():
        pass
