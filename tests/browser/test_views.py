"""Every view with the longest of everything, on phones and desktops, light and dark: nothing runs over the
edge, axe finds nothing, and nothing is against the policy."""

import pytest

from test_page import PASSWORD, create, enter, register

NAME = "W" * 64
WIDTHS = (320, 375, 640, 1280)
SCHEMES = ("light", "dark")
TABS = ("", "terminal", "files", "app", "agent", "database", "variables", "history", "settings")


@pytest.fixture
def full(page, cluster, site):
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
    page.wait_status("RUNNING")
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
        return Array.from(document.querySelectorAll("body *"))
            .filter((element) => element.getBoundingClientRect().right > edge + 1)
            .map((element) => `${element.tagName}.${element.className}`).slice(0, 5);""")


def same_names(page):
    """Buttons that somebody who hears them cannot tell apart."""
    names = page.driver.execute_script("""
        return Array.from(document.querySelectorAll("main button"))
            .filter((button) => button.checkVisibility())
            .map((button) => button.ariaLabel ?? button.textContent);""")
    return [name for name in set(names) if names.count(name) > 1]


def check(page, workspace, what):
    wrong = [(what, "several buttons", name) for name in same_names(page)]
    for scheme in SCHEMES:
        for width in WIDTHS:
            look(page, width, scheme)
            wrong += [(what, scheme, width, found) for found in overflow(page)]
            if width not in (375, 640):
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
        assert page.driver.title == f"{NAME} · FullStack Agent"
        wrong += check(page, workspace, tab or "overview")
    assert not wrong, "\n".join(map(str, wrong))
    assert page.complaints() == []


def test_views_of_a_person(page, full, workspace):
    wrong = []
    for view, title in (("projects", "Projects"), ("settings", "Settings"), ("account", "Account"),
                        ("projects/none", "Nothing here"), ("projects/a/b/c", "Nothing here")):
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
    assert not wrong, "\n".join(map(str, wrong))
    assert page.complaints() == []


def test_first_steps(page, workspace):
    register(page)
    page.see(".steps [name=kubeconfig]")
    assert not check(page, workspace, "first-steps")
    assert page.complaints() == []
