"""Somebody allows a program on a machine without a browser, or refuses it: what `fsa login` asks for."""

import pytest

from test_page import register
from test_views import check, heading

NAME = "f" * 64


@pytest.fixture
def asked(site):
    answer = site.client().post("/api/auth/device", {"name": NAME})
    assert answer.ok, answer.text
    return answer.json()


def enter_code(page, asked):
    page.driver.get(f"{page.url}/device")
    register(page)  # and comes back to where they wanted to go
    page.wait(lambda: heading(page) == "Log in on another machine", "the view")
    page.fill(code=f" {asked['userCode'].lower()} ")
    page.press("Continue")
    page.see("strong", NAME)


def collect(site, asked):
    return site.client().post("/api/auth/device/token", {"deviceCode": asked["deviceCode"]})


def test_what_asks_is_shown_and_allowed(page, site, workspace, asked):
    enter_code(page, asked)
    assert "read and change your projects" in page.text("main") and "127.0.0.1" in page.text("main")
    assert check(page, workspace, "device") == []
    page.press("Allow")
    page.wait(lambda: "Done" in page.text("[role=status]"), "that it is done")
    assert collect(site, asked).json()["name"] == NAME
    assert page.complaints() == []


def test_what_asks_is_refused(page, site, asked):
    enter_code(page, asked)
    page.press("Refuse")
    page.wait(lambda: "Refused" in page.text("[role=status]"), "that it is refused")
    assert collect(site, asked).json()["errorCode"] == "ACCESS_DENIED"


def test_another_code_is_entered_after_one_that_has_expired(page, site, asked):
    enter_code(page, asked)
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE device_logins SET expires_at = now() WHERE name = %s", (NAME,))
    page.press("Allow")
    page.see(".failed")
    page.press("Enter another code")
    other = site.client().post("/api/auth/device", {"name": "other"}).json()
    page.fill(code=other["userCode"])
    page.press("Continue")
    page.see("strong", "other")
    page.press("Allow")
    page.wait(lambda: "Done" in page.text("[role=status]"), "that it is done")
    page.press("Enter another code")
    page.see("[name=code]")
    assert page.complaints() == []


def test_a_code_that_is_none_is_told_so(page):
    page.driver.get(f"{page.url}/device")
    register(page)
    page.fill(code="BCDF-GHJK")
    page.press("Continue")
    page.wait(lambda: "Nothing asks with this code" in page.text("main"), "the reason")
