"""Every view and dialog with the longest of everything, on phones, desktops and 4K, light and dark: nothing runs over
the edge, axe finds nothing, each control has a name of its own, and nothing is against the policy."""

import contextlib

import pytest
from selenium.webdriver.common.keys import Keys

from test_page import PASSWORD, create, enter, register

NAME = "W" * 64
WIDTHS = (320, 375, 640, 1280, 3840)  # the third is also a desktop at 200 %
AXE_WIDTHS = (320, 1280)  # of each layout
SCHEMES = ("light", "dark")
TABS = ("", "terminal", "files", "app", "agent", "database", "variables", "history", "members", "settings")


@pytest.fixture
def full(page, cluster, site, open_inside):
    """A page of somebody whose project has the longest of everything; the project's id."""
    name = enter(page, cluster)
    create(page, NAME)
    project = page.driver.current_url.rsplit("/", 1)[1]
    client = site.client()
    client.login(name, PASSWORD)
    path = f"/api/projects/{project}"
    assert client.patch(path, {"description": "description" * 100}).ok
    assert client.patch(f"{path}/environment", {"variables": [
        {"key": "K" * 128, "value": "v" * 32000}, {"key": "LINES", "value": "a line\n" * 500},
        {"key": "SECRET", "value": "s", "isSecret": True, "category": "secret"}]}).ok
    assert client.post("/api/user/tokens", {"name": "t" * 64, "scope": "write"}).ok
    assert client.post("/api/clusters", {
        "name": "c" * 32, "region": "r" * 64, "kubeconfig": cluster.create_user(name, "n" * 63)}).ok
    page.wait_status("RUNNING")
    sandbox = open_inside(page, name)
    (sandbox.home / ("f" * 255)).write_text("some text")
    (sandbox.home / ("d" * 255)).mkdir()
    (sandbox.home / ("\u05e9" * 100)).write_text("its name is written from the right")
    return project


def look(page, width, scheme):
    """At the page as on a screen of that width, for somebody who prefers that scheme."""
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False})
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                {"features": [{"name": "prefers-color-scheme", "value": scheme}]})


def overflow(page):
    """What stands out of the page to the right."""
    return page.driver.execute_script("""
        const edge = document.documentElement.clientWidth;
        if (document.documentElement.scrollWidth <= edge)
            return [];
        return Array.from(document.querySelectorAll("body *:not(.tabs *)"))
            .filter((element) => element.getBoundingClientRect().right > edge + 1)
            .map((element) => `${element.tagName}.${element.className}`).slice(0, 5);""")


KINDS = ("button, .button", "input, select, textarea")
# What may be used, of one kind: of a dialog while one is open.
CONTROLS = """
    const place = document.querySelector("dialog") ?? document.querySelector("main");
    return Array.from(place.querySelectorAll(arguments[0])).filter((one) =>
        one.checkVisibility({visibilityProperty: true}) && !one.closest("details:not([open]) > :not(summary)"));"""


def same_names(page):
    """Controls that somebody who hears them cannot tell apart, and those without a name."""
    wrong = []
    for kind in KINDS:
        names = [one.accessible_name for one in page.driver.execute_script(CONTROLS, kind)]
        wrong += [name for name in set(names) if name == "" or names.count(name) > 1]
    return wrong


def check(page, workspace, what):
    wrong = [(what, "a name of several", name) for name in same_names(page)]
    for scheme in SCHEMES:
        for width in WIDTHS:
            look(page, width, scheme)
            wrong += [(what, scheme, width, found) for found in overflow(page)]
            if width in AXE_WIDTHS:
                wrong += [(what, scheme, width, found) for found in page.findings()]
            page.driver.save_screenshot(str(workspace / f"view-{what}-{width}-{scheme}.png"))
    return wrong


def heading(page):
    return page.driver.execute_script("return document.querySelector('h1')?.textContent")


def test_views_of_a_project(page, full, workspace):
    wrong = []
    for tab in TABS:
        page.driver.get(f"{page.url}/projects/{full}/{tab}".rstrip("/"))
        page.wait(lambda: page.status() == "RUNNING" and page.find("section"), f"the tab {tab}")
        page.wait(lambda: not page.find(".loading"), f"the tab {tab} has been read")
        if tab == "terminal":
            page.see("[role=status]", "Connected")
        assert page.driver.title == f"{NAME} · FullStack Agent"
        wrong += check(page, workspace, f"project-{tab or 'overview'}")
    assert not wrong, "\n".join(map(str, wrong))
    assert page.complaints() == []


# The dialogs of a project: their tab, and what opens each.
DIALOGS = (
    ("terminal", "End this shell"), ("files", f"Delete {'d' * 255}"), ("app", "Open"), ("database", "Remove the database"),
    ("variables", "Show as a table"), ("settings", "Delete"),
)


def prepare(page, tab):
    """What a dialog asks about."""
    if tab == "terminal":
        page.see("[aria-label='New shell']").click()
    elif tab == "app":
        page.fill(port="65535")
    elif tab == "variables":
        page.press("Edit as .env text")
        page.fill(raw="TYPED=1")


def test_dialogs_of_a_project(page, full, workspace):
    wrong = []
    for tab, name in DIALOGS:
        page.driver.get(f"{page.url}/projects/{full}/{tab}")
        prepare(page, tab)
        page.wait(lambda: [one.click() for one in page.find("main button") if one.accessible_name == name], name)
        page.see("dialog p")
        wrong += check(page, workspace, f"dialog-{tab}")
        page.press("Cancel", "dialog button")
        page.wait(lambda: not page.find("dialog"), "no dialog")
    assert not wrong, "\n".join(map(str, wrong))
    assert page.complaints() == []


def test_a_session_that_ended(page, full, site, workspace):
    with contextlib.closing(site.connect()) as db, db, db.cursor() as cursor:
        cursor.execute("DELETE FROM sessions")
    page.press("Stop")
    page.see("dialog h2", "Your session has ended")
    wrong = check(page, workspace, "dialog-session")
    assert not wrong, "\n".join(map(str, wrong))
    assert page.complaints() == []


@pytest.fixture
def offers(site):
    """Sizes and images that the site offers for as long as the test takes."""
    site.programs.fsactl("size", "set", "large", "1", "512Mi", "--description", "for builds")
    site.programs.fsactl("image", "set", "python", "registry.example/python:3", "--complete")
    yield
    site.programs.fsactl("size", "remove", "large")
    site.programs.fsactl("image", "remove", "python")


def test_several_sandboxes(page, full, site, workspace, offers):
    client = site.client()
    client.login(page.text("nav a[href='/account']"), PASSWORD)
    for name in ("second", "s" * 64):
        assert client.post(f"/api/projects/{full}/sandboxes", {"displayName": name}).ok
    wrong = []
    for tab in ("", "settings"):
        page.driver.get(f"{page.url}/projects/{full}/{tab}".rstrip("/"))
        page.wait(lambda: page.status() == "RUNNING" and page.find("section"), f"the tab {tab}")
        wrong += check(page, workspace, f"several-{tab or 'overview'}")
    page.driver.get(f"{page.url}/projects")
    page.press("New project")
    page.see("dialog [name=image]")
    wrong += check(page, workspace, "new-project-with-offers")
    page.press("Cancel", "dialog button")
    page.press("Settings")
    page.press("Add a cluster")
    page.see("dialog [name=region]")
    wrong += check(page, workspace, "new-cluster")
    assert not wrong, "\n".join(map(str, wrong))


def test_views_of_a_person(page, full, workspace):
    wrong = []
    for view, title in (("projects", "Projects"), ("settings", "Settings"), ("account", "Account"),
                        ("trash", "Trash"), ("device", "Log in on another machine"), ("projects/none", "Nothing here"), ("projects/a/b/c", "Nothing here")):
        page.driver.get(f"{page.url}/{view}")
        page.wait(lambda: heading(page) == title and not page.find(".loading"), title)
        assert page.driver.title == f"{title} · FullStack Agent"
        wrong += check(page, workspace, view.replace("/", "-"))
    page.driver.get(f"{page.url}/projects")
    page.press("New project")
    page.see("dialog h2", "New project")
    wrong += check(page, workspace, "new-project")
    page.press("Cancel")
    page.press("Log out")
    page.see("h1", "Log in")
    wrong += check(page, workspace, "login")
    assert not wrong, "\n".join(map(str, wrong))
    assert page.complaints() == []


def test_the_administration(page, full, site, workspace):
    """With users, limits and causes as long as they may be."""
    me = page.text("nav a[href='/account']")
    site.programs.fsactl("user", "role", me, "admin")
    site.programs.fsactl("user", "create", "n" * 64)
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE resources SET cause_kind = 'POD_IMAGE', cause_code = 'ErrImagePull', cause_since = now(),"
                       " cause_message = repeat('w', 500), due_at = now() + interval '1 hour'"
                       " WHERE project_id = %s", (full,))
    page.driver.get(f"{page.url}/admin")
    page.wait(lambda: heading(page) == "Administration" and not page.find(".loading") and page.find(".cause"), "all of it")
    page.press("Invite somebody")
    wrong = check(page, workspace, "admin")
    for opener, title in ((f"Limits of {'n' * 64}", "dialog h2"), (f"Disable {'n' * 64}", "dialog p")):
        page.see(f"[aria-label='{opener}']").click()
        page.see(title)
        page.wait(lambda: not page.find("dialog .loading"), "all of it")
        wrong += check(page, workspace, f"dialog-{opener.split()[0].lower()}")
        page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
        page.wait(lambda: not page.find("dialog"), "no dialog")
    assert not wrong, "\n".join(map(str, wrong))
    assert page.complaints() == []


def test_first_steps(page, workspace):
    register(page)
    page.see(".steps [name=kubeconfig]")
    assert not check(page, workspace, "first-steps")
    assert page.complaints() == []
