"""What people do besides: a site that is away, Back, a second tab, old addresses, many projects."""

import time

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from test_page import PASSWORD, create, enter


@pytest.fixture
def away(site):
    """Takes the API away: away(), and brings it back with the end of the test at the latest."""
    yield lambda: site.programs.stop("api.fcgi")
    site.programs.start()


def test_a_site_that_is_away_keeps_the_view_and_what_was_typed(page, cluster, site, away):
    enter(page, cluster)
    create(page, "Patient")
    page.press("Variables", ".tabs a")
    page.fill(key="TYPED", value="and kept")
    away()
    page.press("Restart")
    page.see("#away")
    assert page.status() == "RUNNING"
    site.programs.start()
    page.wait(lambda: not page.find("#away"), "no banner")
    assert page.attribute("value", "[name=key]") == "TYPED"
    assert page.attribute("value", "[name=value]") == "and kept"


def test_a_reload_while_the_site_is_away_is_no_log_out(page, cluster, site):
    name = enter(page, cluster)
    site.programs.stop("api.fcgi", "auth.fcgi")
    try:
        page.driver.refresh()
        page.see("#away")
        assert not page.find("h1", "Log in")
    finally:
        site.programs.start()
    page.see("nav a", name)
    page.see("p.empty")


def test_back_goes_back_and_old_addresses_lead_on(page, cluster):
    enter(page, cluster)
    create(page, "Back")
    project = page.driver.current_url.rsplit("/", 1)[1]
    page.press("History", ".tabs a")
    page.see("h2", "What happened")
    page.driver.back()
    page.see(".stages")
    page.driver.back()
    page.see("h1", "Projects")
    page.driver.get(f"{page.url}/#/projects/{project}")
    page.see(".stages")
    assert page.driver.current_url == f"{page.url}/projects/{project}"
    page.driver.get(f"{page.url}/projects/Back/history")
    page.see("h2", "What happened")
    assert page.driver.current_url == f"{page.url}/projects/{project}/history"
    page.driver.get(f"{page.url}/nonsense")
    page.driver.back()
    page.see("h2", "What happened")


def test_a_link_leads_the_focus_to_the_heading(page, cluster):
    enter(page, cluster)
    page.press("Settings")
    page.wait(lambda: page.driver.switch_to.active_element.text == "Settings", "the focus on the heading")
    assert page.driver.switch_to.active_element.tag_name == "h1"


def test_a_second_tab_shows_what_was_changed_in_the_first(page, cluster):
    enter(page, cluster)
    create(page, "Twins")
    address = page.driver.current_url + "/variables"
    first = page.driver.current_window_handle
    page.driver.switch_to.new_window("tab")
    page.driver.get(address)
    page.see("[name=key]")
    second = page.driver.current_window_handle
    page.driver.switch_to.window(first)
    page.driver.get(address)
    page.fill(key="SHARED", value="seen")
    page.press("Add")
    page.press("Apply and restart")
    page.see("td pre", "seen")
    page.driver.switch_to.window(second)
    page.see("td pre", "seen")


def reads_of(page, path):
    """How often the page has read that path of the API."""
    return page.driver.execute_script(
        "return performance.getEntriesByType('resource').filter(({name}) => new URL(name).pathname === arguments[0]).length",
        path)


def test_an_event_reads_one_project_and_not_the_list(page, cluster, site):
    name = enter(page, cluster)
    create(page, "Changing")
    project = page.driver.current_url.rsplit("/", 1)[1]
    page.press("Projects")
    page.see(".projects a", "Changing")
    elsewhere = site.client()
    elsewhere.login(name, PASSWORD)
    began, lists = time.monotonic(), reads_of(page, "/api/projects")
    projects = reads_of(page, f"/api/projects/{project}")
    for status in ("STOPPED", "RUNNING"):
        assert elsewhere.post(f"/api/projects/{project}/{'stop' if status == 'STOPPED' else 'start'}").ok
        page.wait_status(status)
    # By itself the page reads the list every 20 seconds; each of these changes is several events.
    by_itself = 1 + (time.monotonic() - began) // 20
    assert reads_of(page, f"/api/projects/{project}") >= projects + 2
    assert reads_of(page, "/api/projects") - lists <= by_itself


def test_events_that_come_at_once_are_all_seen(page, cluster, site):
    name = enter(page, cluster)
    client = site.client()
    client.login(name, PASSWORD)
    for project in ("One", "Two", "Three"):
        assert client.post("/api/projects", {"name": project, "database": False}).ok
    page.wait(lambda: len(page.find(".projects .badge[data-status=RUNNING]")) == 3, "all three run")
    # From now on the page reads nothing by itself, which would bring what it has missed.
    page.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": """
        const later = window.setTimeout;
        window.setTimeout = (work, ms, ...rest) => (ms >= 20000 ? 0 : later(work, ms, ...rest));"""})
    page.driver.refresh()
    page.wait(lambda: len(page.find(".projects li > a")) == 3, "the list")
    page.wait(lambda: reads_of(page, "/api/projects") >= 2, "that the stream has begun, which reads it again")
    lists = reads_of(page, "/api/projects")
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE projects p SET name = p.name || ' again' FROM users u WHERE u.id = p.user_id AND u.name = %s", (name,))
    page.wait(lambda: {e.text for e in page.find(".projects li > a")} == {"One again", "Two again", "Three again"}, "all three names")
    assert reads_of(page, "/api/projects") == lists  # as when the stream begins anew, later
    assert page.complaints() == []


def test_a_project_in_the_trash_says_so_and_offers_nothing_else(page, cluster, site):
    enter(page, cluster)
    create(page, "Binned")
    project = page.driver.current_url.rsplit("/", 1)[1]
    with site.connect() as db, db.cursor() as cursor:  # as a deletion does on a site with a trash
        cursor.execute("UPDATE projects SET deleted_at = now(), trash_until = now() + interval '1 day 1 hour' WHERE id = %s", (project,))
    page.wait(lambda: "in the trash" in page.text("section p"), "that it is there")
    assert "goes for good" in page.text("section p")
    assert page.find("main button") == []
    assert page.findings() == []
    page.press("To the trash, from which it is restored")
    page.see("[aria-label='Restore Binned']").click()
    page.see("h1", "Binned")
    page.see(".tabs")
    assert page.complaints() == []


def test_many_pages_leave_the_browser_connections(page, cluster):
    """Chromium has six to a site, and keeps pages for Back."""
    enter(page, cluster)
    for _ in range(4):
        page.driver.get(f"{page.url}/account")
        page.see("h2", "Sessions")
        page.driver.get(f"{page.url}/projects")
        page.see("p.empty")
    for _ in range(7):
        page.driver.switch_to.new_window("tab")
        page.driver.get(f"{page.url}/projects")
        page.see("p.empty")


def test_a_pasted_env_file_is_several_variables(page, cluster):
    enter(page, cluster)
    create(page, "Pasted")
    page.press("Variables", ".tabs a")
    page.see("[name=key]")

    def paste(text):
        page.driver.execute_script(
            "const data = new DataTransfer(); data.setData('text/plain', arguments[0]);"
            "document.querySelector('[name=key]').dispatchEvent("
            "new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}))", text)

    paste("ONE=1\nwhat is this\n")
    page.see(".failure", "Line 2 is not NAME=value")
    paste('# mine\nexport ONE=1\nTWO="two\\nlines" # so\n')
    page.wait(lambda: [e.text for e in page.find(".changes li code")] == ["ONE", "TWO"], "two variables")
    page.press("Apply and restart")
    page.wait(lambda: [e.text for e in page.find("td pre")] == ["1", "two\nlines"], "both are stored")


def test_changes_that_are_not_applied_stay_while_one_moves_about(page, cluster):
    enter(page, cluster)
    create(page, "Drafted")
    page.press("Variables", ".tabs a")
    page.fill(key="KEPT", value="for later")
    page.press("Add")
    page.see(".changes li code", "KEPT")
    page.press("Overview", ".tabs a")
    page.wait(lambda: "changes are not applied yet" in page.attribute("textContent", ".tabs a[href$=variables]"), "the tab says so")
    page.press("Projects")
    page.press("Drafted")
    page.driver.find_element(By.CSS_SELECTOR, ".tabs a[href$=variables]").click()
    page.see(".changes pre", "for later")
    page.press("Edit as .env text")
    page.see("[name=raw]").send_keys("TYPED=too\n")
    page.press("Overview", ".tabs a")
    page.driver.find_element(By.CSS_SELECTOR, ".tabs a[href$=variables]").click()
    page.press("Compare")
    page.wait(lambda: [e.text for e in page.find(".changes li code")] == ["KEPT", "TYPED"], "both")
    assert page.findings() == []
    page.press("Apply and restart")
    page.see("td pre", "too")
    page.wait(lambda: not page.find(".tabs .unapplied"), "nothing is left to apply")


def test_variables_as_text_lose_no_changes(page, cluster):
    enter(page, cluster)
    create(page, "Texts")
    page.press("Variables", ".tabs a")
    page.fill(key="TOKEN", value="hidden")
    page.press("secret: never shown again", "label")
    page.press("Add")
    page.see(".changes [data-kind=added]", "TOKEN new, secret")
    page.press("Edit as .env text")
    page.see("[name=raw]").send_keys("NO VARIABLE\n")
    page.press("Compare")
    page.see(".failed p", "Line 1 is not NAME=value")
    page.press("Show as a table")
    page.press("Cancel")
    assert page.attribute("value", "[name=raw]") == "NO VARIABLE\n"
    page.press("Show as a table")
    page.press("Drop it")
    page.press("Edit as .env text")
    page.see("[name=raw]").send_keys("OPEN=1\n")
    page.press("Compare")
    page.wait(lambda: [e.text for e in page.find(".changes li code")] == ["TOKEN", "OPEN"], "both")
    page.press("Apply and restart")
    page.see("td em", "secret")

    # What is as it is stored is no change.
    page.press("Edit as .env text")
    page.see("[name=raw]").send_keys(Keys.CONTROL + Keys.END)
    page.see("[name=raw]").send_keys("MORE=2\n")
    page.see(".tabs .unapplied")
    page.see("[name=raw]").send_keys(Keys.BACKSPACE * len("MORE=2\n"))
    page.wait(lambda: not page.find(".tabs .unapplied"), "no change")
    page.press("Compare")
    page.see("td em", "secret")
    page.wait(lambda: not page.find(".tabs .unapplied, .changes"), "no change")
    page.fill(key="OPEN", value="1")
    page.press("Add")
    page.wait(lambda: page.attribute("value", "[name=key]") == "" and not page.find(".tabs .unapplied, .changes"), "no change")
    assert page.complaints() == []


def test_a_secret_stays_one_and_is_not_read_over_a_shoulder(page, cluster):
    enter(page, cluster)
    create(page, "Secrets")
    page.press("Variables", ".tabs a")
    page.fill(key="TOKEN", value="first")
    page.press("secret: never shown again", "label")
    page.wait(lambda: page.see("[name=value]").value_of_css_property("-webkit-text-security") == "disc", "masked")
    page.press("Add")
    page.press("Apply and restart")
    page.see("td em", "secret")
    page.fill(key="TOKEN")
    page.see("small", "There is a secret TOKEN: its value is replaced.")
    assert page.see("[name=secret]").is_selected()
    page.fill(value="second")
    page.press("Add")
    page.see(".changes [data-kind=changed]", "TOKEN changed, secret")
    assert "second" not in page.driver.page_source


def test_a_refusal_stays_where_it_is_until_it_is_seen(page, cluster, site):
    name = enter(page, cluster)
    create(page, "One")
    client = site.client()
    client.login(name, PASSWORD)
    assert client.post("/api/projects", {"name": "Other", "database": False}).ok
    page.press("Settings", ".tabs a")
    page.see("[name=name]").clear()
    page.fill(name="Other")
    page.press("Save")
    page.see("p.failure", "You have a project of this name already")
    project = page.driver.current_url.split("/")[-2]
    assert client.post(f"/api/projects/{project}/stop").ok
    page.wait_status("STOPPED")
    top, bottom = page.driver.execute_script(
        "const box = document.querySelector('p.failure').getBoundingClientRect(); return [box.top, innerHeight - box.bottom]")
    assert top >= 0 and bottom >= 0
    assert page.attribute("value", "[name=name]") == "Other"
    page.press("Dismiss")
    page.wait(lambda: not page.find("p.failure"), "it is dismissed")


def test_nothing_is_offered_before_its_state_is_known(page, cluster, site, away):
    enter(page, cluster)
    create(page, "Unknown")
    away()
    page.driver.refresh()
    page.see("#away")
    page.see("h1", "Project")
    assert not [e for verb in ("Start", "Stop", "Restart", "Delete") for e in page.find("button", verb)]
    site.programs.start()
    page.see("button", "Stop")


def test_back_leads_out_of_what_was_deleted_and_old_dead_links(page, cluster):
    enter(page, cluster)
    create(page, "Short")
    page.press("Settings", ".tabs a")
    page.press("Delete")
    page.fill(typed="Short")
    page.press("Delete it")
    page.see("h1", "Projects")
    page.driver.back()
    page.driver.back()
    page.see("h1", "Projects")
    page.driver.get(f"{page.url}/#/nonsense")
    page.see("h1", "Nothing here")
    page.driver.back()
    page.see("h1", "Projects")


def test_no_event_is_missing_when_many_come_at_once(page, cluster, site):
    name = enter(page, cluster)
    create(page, "Busy")
    project = page.driver.current_url.rsplit("/", 1)[1]

    def happen(first, last):
        with site.connect() as db, db.cursor() as cursor:
            cursor.execute("INSERT INTO events (project_id, kind, status, message) SELECT %s, 'SANDBOX', 'RUNNING',"
                           " 'number ' || n FROM generate_series(%s::int, %s) n", (project, first, last))

    def numbers():
        return page.driver.execute_script("""
            return Array.from(document.querySelectorAll(".events span"), (e) => /number (\\d+)$/.exec(e.textContent))
                .filter((found) => found).map((found) => Number(found[1]));""")

    happen(1, 120)
    page.press("History", ".tabs a")
    page.wait(lambda: len(numbers()) == 50, "the newest")
    page.press("Show more")
    page.wait(lambda: numbers() == list(range(120, 20, -1)), "and older ones")
    happen(121, 200)
    client = site.client()
    client.login(name, PASSWORD)
    assert client.post(f"/api/projects/{project}/stop").ok
    page.wait_status("STOPPED")
    page.wait(lambda: numbers()[:1] == [200], "the newest of all")
    while numbers()[-1] != 1:
        count = len(numbers())
        page.press("Show more")
        page.wait(lambda: len(numbers()) > count, "more")
    assert numbers() == list(range(200, 0, -1))


def test_a_next_attempt_is_never_in_the_past(page, cluster, site):
    name = enter(page, cluster)
    create(page, "Late")
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE resources r SET cause_kind = 'POD_IMAGE', cause_code = 'ErrImagePull', cause_since = now(),"
                       " due_at = now() + interval '30 minutes 30 seconds' FROM users u"
                       " WHERE u.id = r.user_id AND u.name = %s AND r.kind = 'SANDBOX'", (name,))
    page.driver.refresh()
    page.wait(lambda: "next attempt in 30 minutes" in page.text(".cause"), "when it is tried again")
    page.driver.execute_script("const now = Date.now; Date.now = () => now() + 3600000;")
    page.wait(lambda: "next attempt now" in page.text(".cause"), "no time that is over")


def test_projects_are_searched_by_keyboard_and_the_address_remembers_it(page, cluster, site):
    name = enter(page, cluster)
    client = site.client()
    client.login(name, PASSWORD)
    for number in range(3):
        assert client.post("/api/projects", {"name": f"Number {number}", "database": False}).ok
    page.wait(lambda: len(page.find(".projects li")) == 3, "three projects, told by the site")
    page.driver.find_element(By.TAG_NAME, "body").send_keys("/")
    page.driver.switch_to.active_element.send_keys("number 1")
    page.wait(lambda: [e.text for e in page.find(".projects li > a")] == ["Number 1"], "one of them")
    page.driver.refresh()
    page.wait(lambda: [e.text for e in page.find(".projects li > a")] == ["Number 1"], "after a reload, too")


def test_five_hundred_projects_are_shown_at_once(page, cluster, site):
    name = enter(page, cluster)
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("INSERT INTO projects (user_id, name, kube_name)"
                       " SELECT id, 'Project ' || n, 'p-' || n FROM users,"
                       " generate_series(1, 500) n WHERE name = %s", (name,))
    page.driver.refresh()
    page.see("[role=status]", "500 projects")
    page.press("Show more")
    page.wait(lambda: len(page.driver.find_elements(By.CSS_SELECTOR, ".projects li")) == 200, "more of them")
