"""The trash of a site that keeps one: what was deleted is listed, brought back, and deleted for good."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from stand.site import Site
from test_keyboard import Keyboard
from test_page import create, enter


@pytest.fixture(scope="module")
def site(workspace, build, postgres, console):
    options = {"kube_allow_addresses": "127.0.0.0/8", "trash_time": "10d"}
    with Site(workspace / "trash", build, postgres, database="trash", root=console, options=options) as made:
        yield made


def delete(page, name):
    """The project that is open, by its settings."""
    page.press("Settings", ".tabs a")
    page.press("Delete")
    page.fill(typed=name)
    page.press("Delete it")
    page.see("h1", "Projects")


def open_trash(page):
    page.press("Deleted projects")
    page.see("h1", "Trash")


def listed(page):
    return [row.find_element(By.TAG_NAME, "bdi").text for row in page.find(".projects li")]


def test_what_was_deleted_is_listed_and_brought_back(page, cluster):
    enter(page, cluster)
    open_trash(page)
    page.see("p", "The trash is empty.")
    assert page.driver.title == "Trash · FullStack Agent"
    page.press("Projects")
    create(page, "Kept shop")
    delete(page, "Kept shop")
    page.wait(lambda: not page.find(".projects a"), "it is listed no more")
    open_trash(page)
    page.see(".projects bdi", "Kept shop")
    assert page.text(".projects .detail") in ("goes in 9 days", "goes in 10 days")
    assert page.findings() == []
    page.see("[aria-label='Restore Kept shop']").click()
    page.see("h1", "Kept shop")
    page.wait_status("STOPPED")
    page.press("Start")
    page.wait_status("RUNNING")
    page.press("Projects")
    open_trash(page)
    page.see("p", "The trash is empty.")
    assert page.complaints() == []


def test_whose_name_is_taken_comes_back_under_another(page, cluster):
    enter(page, cluster)
    create(page, "Shop")
    delete(page, "Shop")
    create(page, "Shop")
    page.press("Projects")
    open_trash(page)
    page.see("[aria-label='Restore Shop']").click()
    page.see(".failure")
    page.fill(name="Former shop")
    assert page.findings() == []
    page.press("Restore Shop under another name")
    page.see("h1", "Former shop")
    page.press("Projects")
    page.wait(lambda: sorted(link.text for link in page.find(".projects a")) == ["Former shop", "Shop"], "both are there")
    assert page.complaints() == []


def test_the_trash_is_used_by_keyboard_alone(page, cluster):
    enter(page, cluster)
    create(page, "Keyed")
    delete(page, "Keyed")
    keyboard = Keyboard(page)
    keyboard.use("Deleted projects")
    page.see("h1", "Trash")
    with keyboard.with_focus():
        keyboard.use("Delete Keyed for ever")
        page.see("dialog [name=typed]")
        keyboard.press(Keys.ESCAPE)
        page.wait(lambda: not page.find("dialog"), "no dialog")
        assert keyboard.name() == "Delete Keyed for ever"
        keyboard.back()
        assert keyboard.name() == "Restore Keyed"
        keyboard.press(Keys.ENTER)
        page.see("h1", "Keyed")
    page.wait_status("STOPPED")
    assert page.complaints() == []


def test_what_is_deleted_for_good_is_named_first(page, cluster):
    enter(page, cluster)
    for name in ("One", "Other"):
        create(page, name)
        delete(page, name)
    open_trash(page)
    page.wait(lambda: sorted(listed(page)) == ["One", "Other"], "both")
    page.see("[aria-label='Delete One for ever']").click()
    assert not page.see("dialog button.danger").is_enabled()
    assert page.findings() == []
    page.press("Cancel")
    assert sorted(listed(page)) == ["One", "Other"]
    page.see("[aria-label='Delete One for ever']").click()
    page.fill(typed="One")
    page.press("Delete it for ever")
    page.wait(lambda: listed(page) == ["Other"], "one is gone")
    page.driver.refresh()
    page.wait(lambda: listed(page) == ["Other"], "and stays so")
    assert page.complaints() == []
