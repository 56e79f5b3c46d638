"""Everything by keyboard alone: Tab reaches every control of every view and shows where it is, what is done goes on
from where it was done, and the focus never falls to the body."""

from contextlib import contextmanager

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from test_page import PASSWORD, create, enter, register

# Controls that are seen and may be used; of radio buttons Tab reaches one, and a row of them is not used here.
CONTROLS = """
    return Array.from(document.querySelectorAll(
            "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"))
        .filter((one) => one.checkVisibility({visibilityProperty: true}) && !one.matches(":disabled")
            && one.tabIndex >= 0 && !one.closest("details:not([open]) > :not(summary)"));"""
FOCUSED = """
    const one = document.activeElement, style = getComputedStyle(one);
    const isSeen = parseFloat(style.outlineWidth) > 0 && style.outlineStyle !== "none";
    return [one, one === document.body, isSeen || style.boxShadow !== "none", one.outerHTML.slice(0, 120)];"""
STEPS_MAX = 150


class Keyboard:
    """Somebody who has no mouse, at a page."""

    def __init__(self, page):
        self.page = page

    def press(self, *keys):
        ActionChains(self.page.driver).send_keys(*keys).perform()

    def press_with(self, modifier, key):
        ActionChains(self.page.driver).key_down(modifier).send_keys(key).key_up(modifier).perform()

    def back(self):
        self.press_with(Keys.SHIFT, Keys.TAB)

    def name(self):
        """What the control that has the focus is called."""
        return self.page.driver.execute_script(
            "const one = document.activeElement;"
            "return one.ariaLabel ?? (one.labels?.length ? one.labels[0].querySelector('span')?.textContent"
            " ?? one.labels[0].textContent : one.textContent);")

    def go(self, name):
        """Presses Tab until a control of this name has the focus."""
        def reached():
            for _ in range(STEPS_MAX):
                if self.name() == name:
                    return True
                self.press(Keys.TAB)
            return False

        self.page.wait(reached, f"Tab leads to {name}")

    def use(self, name, key=Keys.ENTER):
        self.go(name)
        self.press(key)

    def write(self, name, text):
        self.go(name)
        self.press(text)

    def walk(self):
        """Once around the page, from wherever the focus is: what Tab has reached, and where it was not seen."""
        reached, unseen = [], []
        for _ in range(STEPS_MAX):
            self.press(Keys.TAB)
            element, is_body, is_seen, html = self.page.driver.execute_script(FOCUSED)
            if is_body:
                continue  # from the last control Tab leads to the browser's own, and from there to the first
            if element in reached:
                return reached, unseen
            reached.append(element)
            if not is_seen:
                unseen.append(html)
        raise AssertionError("Tab does not come to an end")

    @contextmanager
    def with_focus(self):
        """Notes each time when nothing has the focus for a second, which is a long time for the page to mend it."""
        self.page.driver.execute_script("""
            window.fallen = [];
            let samples = 0;
            window.watchFocus = setInterval(() => {
                samples = document.hasFocus() && document.activeElement === document.body ? samples + 1 : 0;
                if (samples === 20)
                    window.fallen.push(document.querySelector("h1")?.textContent ?? "");
            }, 50);""")
        yield
        fallen = self.page.driver.execute_script("clearInterval(window.watchFocus); return window.fallen")
        assert fallen == []


@pytest.fixture
def keyboard(page):
    return Keyboard(page)


def check_walk(page, keyboard, what):
    """Walks around a page once its controls stay the same on the way: what is live may change them."""
    found = []

    def walked():
        before = page.driver.execute_script(CONTROLS)
        found[:] = [before, *keyboard.walk()]
        return before == page.driver.execute_script(CONTROLS)

    page.wait(walked, f"the controls of {what} stay the same for a walk")
    controls, reached, unseen = found
    missed = [one.get_attribute("outerHTML")[:120] for one in controls if one not in reached]
    return [(what, "not reached", one) for one in missed] + [(what, "not seen", one) for one in unseen]


def test_tab_reaches_every_control_of_every_view_and_shows_where_it_is(page, cluster, site, keyboard):
    name = enter(page, cluster)
    site.programs.fsactl("user", "role", name, "admin")
    create(page, "Walked")
    client = site.client()
    client.login(name, PASSWORD)
    project = page.driver.current_url.rsplit("/", 1)[1]
    assert client.patch(f"/api/projects/{project}/environment", {"variables": [{"key": "A", "value": "b"}]}).ok
    assert client.post("/api/user/tokens", {"name": "token"}).ok
    page.wait_status("RUNNING")
    wrong = []
    for view in ("projects", f"projects/{project}", *(f"projects/{project}/{tab}" for tab in
                 ("files", "app", "agent", "database", "variables", "history", "settings")),
                 "settings", "account", "admin", "projects/a/b/c"):
        page.driver.get(f"{page.url}/{view}")
        page.wait(lambda: page.find("h1") and not page.find(".loading"), view)
        wrong += check_walk(page, keyboard, view.replace(project, "ID"))
    assert not wrong, "\n".join(map(str, wrong))


def test_somebody_without_a_mouse_comes_in_and_stores_a_kubeconfig(page, cluster, keyboard):
    page.see("h1", "Log in")
    keyboard.use("New here?")
    keyboard.go("Register")
    keyboard.back()
    keyboard.back()
    name = "nomouse"
    keyboard.press(name)
    keyboard.press(Keys.TAB)
    keyboard.press(PASSWORD)
    keyboard.press(Keys.ENTER)
    page.see(".steps h2", "A place in a cluster")
    with keyboard.with_focus():
        keyboard.go("Kubeconfig")
        page.driver.switch_to.active_element.send_keys(cluster.create_user(name))
        keyboard.use("Store")
        page.wait(lambda: page.attribute("data-done", ".steps > li") == "true", "the cluster's answer")
        keyboard.use("Create a project")
        page.see("dialog h2", "New project")
        keyboard.press(Keys.ESCAPE)
        page.wait(lambda: not page.find("dialog"), "no dialog")
        assert keyboard.name() == "Create a project"


def test_a_project_lives_by_keyboard_alone(page, cluster, keyboard):
    enter(page, cluster)
    page.see("p.empty")
    keyboard.use("New project")
    with keyboard.with_focus():
        keyboard.write("Name", "By keys" + Keys.ENTER)
        page.wait_status("RUNNING")
        keyboard.use("Stop")
        page.wait_status("STOPPED")
        keyboard.use("Start", Keys.SPACE)
        page.wait_status("RUNNING")

        keyboard.use("Variables")
        page.see("h2", "Variables")
        keyboard.write("Name", "GREETING")
        keyboard.write("Value", "hello")
        keyboard.use("Add")
        keyboard.use("Apply and restart")
        page.see("td pre", "hello")
        keyboard.use("Remove GREETING")
        keyboard.use("Apply and restart")
        page.wait(lambda: not page.find("td pre"), "removed")

        keyboard.use("History")
        page.see("h2", "What happened")
        keyboard.use("Settings")
        page.wait_status("RUNNING")
        keyboard.use("Settings")
        page.see("h2", "Name and description")
        keyboard.write("Description", "Typed")
        keyboard.use("Save")
        keyboard.use("Delete")
        page.see("dialog")
        keyboard.press(Keys.ESCAPE)
        page.wait(lambda: not page.find("dialog"), "no dialog")
        assert keyboard.name() == "Delete"
        keyboard.press(Keys.ENTER)
        page.see("dialog [name=typed]")
        keyboard.go("Type By keys to go on")
        keyboard.press("By keys")
        keyboard.use("Delete it")
        page.see("p.empty")
    assert page.complaints() == []


def test_search_and_filters_are_used_by_keys(page, cluster, keyboard):
    enter(page, cluster)
    create(page, "Findable")
    page.press("Projects")
    page.see(".projects a", "Findable")
    keyboard.press("/")
    keyboard.press("nothing has this name")
    page.wait(lambda: not page.find(".projects a"), "none is found")
    keyboard.press_with(Keys.CONTROL, "a")
    keyboard.press(Keys.DELETE)
    page.see(".projects a", "Findable")
    keyboard.go("Show")
    keyboard.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    page.wait(lambda: "show=running" in page.driver.current_url, "a filter")
    with keyboard.with_focus():
        keyboard.use("Stop Findable")
        page.wait(lambda: not page.find(".projects a"), "it runs no more")
        assert keyboard.name()


def test_an_account_is_kept_by_keyboard_alone(page, cluster, keyboard):
    name = enter(page, cluster)
    keyboard.use(name)
    page.see("h1", "Account")
    page.wait(lambda: not page.find(".loading"), "the account")
    with keyboard.with_focus():
        keyboard.go("Make a token")
        keyboard.back()
        keyboard.press(Keys.SPACE)  # "may change things"
        keyboard.back()
        keyboard.press("keys" + Keys.ENTER)
        page.see(".made code")
        keyboard.use("Withdraw keys")
        page.wait(lambda: not page.find("button", "Withdraw"), "withdrawn")
    keyboard.use("Log out")
    page.see("h1", "Log in")


def test_the_administration_is_used_by_keyboard_alone(page, cluster, site, keyboard):
    name = register(page)
    page.see(".steps [name=kubeconfig]")
    site.programs.fsactl("user", "role", name, "admin")
    page.driver.get(f"{site.url}/admin")
    page.wait(lambda: page.find("h1") and not page.find(".loading"), "the administration")
    keyboard.use("Invite somebody")
    with keyboard.with_focus():
        keyboard.write("Name to log in with", "key.guest" + Keys.ENTER)
        page.see(".made code")
        keyboard.write("A part of the name", "key.guest" + Keys.ENTER)
        page.see("p", "1 user")
        keyboard.use("Withdraw the link of key.guest")
        page.see("td", "Has no password, and no link")
        keyboard.use("Limits of key.guest")
        page.see("dialog input[name=limit]")
        keyboard.press(Keys.ESCAPE)
        page.wait(lambda: not page.find("dialog"), "no dialog")
        assert keyboard.name() == "Limits of key.guest"
        keyboard.use("Disable key.guest")
        keyboard.use("Disable")
        page.see("td button", "Enable")
        keyboard.use("Enable key.guest")
        page.see("td button", "Disable")
    assert page.complaints() == []
