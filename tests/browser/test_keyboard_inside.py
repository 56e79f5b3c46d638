"""By keyboard alone, what is inside a sandbox and around it: files, shells, ports, the database, when it stops."""

import pytest
from selenium.webdriver.common.keys import Keys

from test_keyboard import Keyboard
from test_page import create, enter


@pytest.fixture
def keyboard(page):
    return Keyboard(page)


@pytest.fixture
def inside(page, cluster, open_inside):
    """A page with a project that runs, and the sandbox behind it."""
    name = enter(page, cluster)
    create(page, "Inside")
    return open_inside(page, name)


def wait_listed(page, *names):
    page.wait(lambda: [cell.text.removeprefix("▸ ") for cell in page.find(".files th[scope=row]")] == list(names), f"the files {names}")


def test_files_are_made_renamed_edited_and_deleted(page, inside, keyboard):
    (inside.home / "hello.txt").write_text("hello")
    keyboard.use("Files")
    wait_listed(page, "hello.txt")
    with keyboard.with_focus():
        keyboard.write("Name of a new folder", "notes" + Keys.ENTER)
        wait_listed(page, "notes/", "hello.txt")
        keyboard.use("▸ notes/")
        page.see("p.empty", "This folder is empty.")
        keyboard.use("Home")
        wait_listed(page, "notes/", "hello.txt")
        keyboard.use("Rename notes")
        keyboard.go("Another name for notes")
        keyboard.press_with(Keys.CONTROL, "a")
        keyboard.press("papers" + Keys.ENTER)
        wait_listed(page, "papers/", "hello.txt")
        keyboard.use("Delete papers")
        keyboard.use("Delete it")
        wait_listed(page, "hello.txt")
        keyboard.use("hello.txt")
        page.see("textarea.code")
        keyboard.go("Text of hello.txt")
        keyboard.press_with(Keys.CONTROL, Keys.END)
        keyboard.press(" there")
        keyboard.use("Save")
        page.wait(lambda: (inside.home / "hello.txt").read_text() == "hello there", "it is saved")
        keyboard.use("Back to the files")
        wait_listed(page, "hello.txt")
    assert page.complaints() == []


def test_shells_are_opened_left_and_ended(page, inside, keyboard):
    keyboard.use("Terminal")
    page.see("[role=status]", "Connected")
    keyboard.press_with(Keys.CONTROL, "m")
    keyboard.back()
    assert keyboard.name() == "New shell"
    keyboard.press(Keys.ENTER)
    page.see("button[aria-pressed=true]", "shell-2")
    page.see("[role=status]", "Connected")
    page.wait(lambda: "shell-2" in inside.tmux("list-sessions"), "a session of tmux")
    keyboard.press("echo typed >typed" + Keys.ENTER)
    page.wait(lambda: (inside.home / "typed").exists(), "what was typed has been done")
    keyboard.press_with(Keys.CONTROL, "m")
    keyboard.back()
    assert keyboard.name() == "End this shell"
    keyboard.press(Keys.ENTER)
    keyboard.use("End it")
    page.see("button[aria-pressed=true]", "main")
    page.wait(lambda: "shell-2" not in inside.tmux("list-sessions"), "the session has ended")
    assert page.complaints() == []


def test_a_port_is_opened_and_closed(page, inside, keyboard):
    keyboard.use("App")
    page.see("h2", "Open ports")
    with keyboard.with_focus():
        keyboard.write("Port", "8080" + Keys.ENTER)
        keyboard.use("Open it")
        page.see("li code", "8080")
        keyboard.use("Close port 8080")
        page.wait(lambda: not page.find("li code", "8080"), "it is closed")
    assert page.complaints() == []


def test_a_database_is_removed_and_added(page, cluster, keyboard):
    enter(page, cluster)
    create(page, "Data")
    keyboard.use("Database")
    page.see("code.url")
    with keyboard.with_focus():
        keyboard.use("Show the password")
        page.see("button", "Hide the password")
        keyboard.use("Remove the database")
        name = page.text("dialog strong")
        keyboard.write(f"Type {name} to go on", name)
        keyboard.use("Remove it")
        page.see("p", "This project has none.")
        keyboard.use("Add a database")
        keyboard.use("Add it")
        page.see("code.url")
    assert page.complaints() == []


def test_when_a_project_stops_and_ends_is_chosen(page, cluster, keyboard):
    enter(page, cluster)
    create(page, "Chosen")
    keyboard.use("Variables")  # "Settings" is the account's, too, and comes before the project's
    page.see("h2", "Variables")
    keyboard.use("History")
    page.see("h2", "What happened")
    keyboard.press(Keys.TAB, Keys.TAB, Keys.ENTER)  # past "Members"
    page.see("h2", "Stop when idle")
    page.wait_status("RUNNING")
    with keyboard.with_focus():
        keyboard.go("Stops")
        keyboard.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN)  # after 30 minutes
        keyboard.use("Change when it stops")
        keyboard.go("Ends")
        keyboard.press("in a week")
        keyboard.use("Change when it ends")
        page.see("section p time")
    page.driver.refresh()
    assert page.attribute("value", "[name=minutes]") == "30"
    assert page.complaints() == []
