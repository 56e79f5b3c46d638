"""What else can be done on the page, each by the button for it."""

import pytest

from test_page import PASSWORD, create, enter, uids


def log_in(site, name):
    client = site.client()
    assert client.login(name, PASSWORD).ok
    return client


def test_a_key_for_the_agent_is_stored_and_not_shown_again(page, cluster, site):
    client = log_in(site, enter(page, cluster))
    page.press("Settings")
    page.see("small", "None is stored.")
    page.fill(apiKey="do-not-show", model="a-model")
    page.press("Store the AI settings")
    page.see("small", "One is stored; empty: it stays.")
    page.see("[name=model]").send_keys("-2")
    page.press("Store the AI settings")
    page.wait(lambda: client.get("/api/user/config/anthropic").json()["model"] == "a-model-2", "another model")
    page.driver.refresh()
    page.see("small", "One is stored; empty: it stays.")
    assert page.attribute("value", "[name=model]") == "a-model-2"
    assert "do-not-show" not in page.driver.page_source
    assert page.complaints() == []


def test_other_sessions_are_ended_one_by_one_and_all_at_once(page, cluster, site):
    name = enter(page, cluster)
    others = [log_in(site, name) for _ in range(3)]

    def inside():
        return [client.get("/api/projects").status_code for client in others].count(200)

    page.press(name)
    page.wait(lambda: len(page.find("[aria-label^='End session ']")) == 3, "the others' sessions")
    page.find("[aria-label^='End session ']")[0].click()
    page.wait(lambda: len(page.find("[aria-label^='End session ']")) == 2, "one less")
    assert inside() == 2
    page.press("End all other access")
    page.wait(lambda: not page.find("[aria-label^='End session ']"), "none")
    assert inside() == 0
    page.driver.refresh()
    page.see("h1", "Account")
    assert page.complaints() == []


def test_who_leaves_a_session_that_has_ended_sees_the_login(page, cluster, site):
    name = enter(page, cluster)
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("DELETE FROM sessions WHERE user_id = (SELECT id FROM users WHERE name = %s)", (name,))
    page.press("Settings")
    page.see("dialog h2", "Your session has ended")
    assert page.driver.switch_to.active_element.get_attribute("name") == "password"
    page.press("Leave")
    page.see("h1", "Log in")
    assert not page.find("nav a", name)


def test_a_project_is_renamed_described_and_restarted(page, cluster, site):
    namespace = f"/api/v1/namespaces/ns-{enter(page, cluster)}"
    create(page, "Before")
    page.press("Settings", ".tabs a")
    page.see("[name=name]").clear()
    page.fill(name="After", description="What it is for")
    page.press("Save")
    page.see("h1", "After")
    page.press("Overview")
    page.see(".description", "What it is for")
    assert page.attribute("href", "a", "Open app") == page.attribute("href", "a", "Open application")
    before = uids(cluster, f"{namespace}/pods")
    page.press("Restart")
    page.wait(lambda: (now := uids(cluster, f"{namespace}/pods")) and now != before and page.status() == "RUNNING", "another pod")
    assert page.complaints() == []


def test_changes_of_variables_are_discarded(page, cluster):
    enter(page, cluster)
    create(page, "Discarded")
    page.press("Variables", ".tabs a")
    page.fill(key="UNWANTED", value="1")
    page.press("Add")
    page.see(".changes code", "UNWANTED")
    page.press("Discard")
    page.wait(lambda: not page.find(".changes"), "no changes")
    page.driver.refresh()
    page.see("h2", "Variables")
    page.wait(lambda: page.find("[name=key]") and not page.find(".changes") and not page.find("td"), "nothing is stored")
    assert page.complaints() == []


@pytest.fixture
def eventful(page, cluster, site):
    """A page with a project in which ten thousand things have happened."""
    enter(page, cluster)
    create(page, "Eventful")
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute(
            "INSERT INTO events (project_id, kind, status, message) SELECT %s,"
            " (CASE WHEN n %% 10 = 0 THEN 'DATABASE' ELSE 'SANDBOX' END)::resource_kind, 'RUNNING', 'number ' || n"
            " FROM generate_series(1, 10000) n", (page.driver.current_url.rsplit("/", 1)[1],))


def test_a_long_history_is_shown_in_parts_and_filtered(page, eventful):
    page.press("History", ".tabs a")
    page.wait(lambda: len(page.find(".events li")) == 50, "the newest")
    page.press("Show more")
    page.wait(lambda: len(page.find(".events li")) == 100, "more of them")
    page.fill(kind="the database")
    page.wait(lambda: len(page.find(".events li")) == 10, "what is the database's")
    assert all(row.text.endswith("0") for row in page.find(".events li span"))
    assert page.findings() == []
    assert page.complaints() == []
