"""A database that a project gets later, and loses, with the page alone."""

from test_page import enter


def test_a_database_is_added_later_and_removed_by_its_name(page, cluster):
    enter(page, cluster)
    page.press("New project")
    page.fill(name="Shop")
    page.press("with a PostgreSQL database", "label")
    page.press("Create")
    page.wait_status("RUNNING")
    page.press("Database", ".tabs a")
    page.see("p", "This project has none.")

    page.press("Add a database")
    assert "restarts" in page.text("dialog p")
    page.press("Cancel")
    page.see("p", "This project has none.")
    page.press("Add a database")
    page.press("Add it")
    page.wait(lambda: page.find("code.url"), "the connection")
    page.wait_status("RUNNING")

    page.press("Remove the database")
    page.see("dialog")
    assert not page.see("dialog button.danger").is_enabled()
    page.fill(typed=page.text("dialog strong"))
    page.press("Remove it")
    page.see("p", "This project has none.")
    page.wait_status("RUNNING")
    assert page.complaints() == []
