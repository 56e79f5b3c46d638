"""From nothing to a running sandbox and back, with the page alone."""

import contextlib
import itertools
import json
import os
import re
import time
from pathlib import Path

from selenium.webdriver.common.keys import Keys

from stand.process import PATIENCE

PASSWORD = "correct horse battery staple"

_numbers = itertools.count(1)


def register(page):
    """Somebody new; returns their name."""
    name = f"visitor{next(_numbers)}"
    page.see("h1", "Log in")
    page.press("New here?")
    form = page.see("details form")
    form.find_element("name", "name").send_keys(name)
    form.find_element("name", "password").send_keys(PASSWORD)
    page.press("Register")
    return name


def enter(page, cluster, spoil=lambda kubeconfig: kubeconfig):
    """Registers, and stores a kubeconfig; returns the user's name."""
    name = register(page)
    page.press("Settings")
    page.see("p", "None is stored yet: projects need one.")
    page.fill(kubeconfig=spoil(cluster.create_user(name)))
    page.press("Store")
    page.see("dd", f"ns-{name}")
    page.press("Projects")
    return name


def create(page, name):
    page.press("New project")
    page.fill(name=name)
    page.press("Create")
    page.wait_status("RUNNING")


def test_somebody_new_is_led_to_a_first_project(page, cluster):
    name = register(page)
    page.see(".steps h2", "A place in a cluster")
    assert not page.see("button", "Create a project").is_enabled()
    page.fill(kubeconfig=cluster.create_user(name))
    page.press("Store")
    page.wait(lambda: page.attribute("data-done", ".steps > li") == "true", "the cluster's answer")
    assert page.find(".checks li")
    page.press("Create a project")
    page.fill(name="First")
    page.press("Create")
    page.wait_status("RUNNING")
    page.press("Projects")
    page.see(".projects a", "First")
    assert not page.find(".steps") and page.complaints() == []


def test_a_project_from_its_creation_to_its_end(page, cluster):
    enter(page, cluster)
    page.see("p.empty")
    create(page, "My shop")
    page.wait(lambda: [e.get_attribute("data-state") for e in page.find(".stages li")]
              == ["done"] * 5, "all stages done")
    terminal = page.attribute("href", "a", "Open terminal")
    assert "-ttyd." in terminal and "?authorization=" in terminal
    assert page.attribute("rel", "a", "Open terminal") == "noopener noreferrer"
    page.press("Database", ".tabs a")
    assert page.text("code.url").startswith("postgresql://") and "••••@" in page.text("code.url")
    page.press("Show the password")
    assert "•" not in page.text("code.url")
    page.press("Overview")
    page.press("Stop")
    page.wait_status("STOPPED")
    assert not page.find("a", "Open terminal")
    page.press("Start")
    page.wait_status("RUNNING")
    page.press("Settings", ".tabs a")
    page.press("Delete")
    assert not page.see("button", "Delete it").is_enabled()
    page.fill(typed="My shop")
    page.press("Delete it")
    page.see("p.empty")
    assert page.complaints() == []


def test_a_variable_is_added_and_removed_and_a_secret_is_not_shown(page, cluster):
    enter(page, cluster)
    create(page, "Variables")
    page.press("Variables", ".tabs a")
    page.fill(key="GREETING", value="<b>hello</b> & more\nand a second line")
    page.press("Add")
    page.fill(key="API_KEY", value="do-not-show")
    page.see("[name=secret]").click()
    page.press("Add")
    page.wait(lambda: len(page.find(".changes li")) == 2, "both are to be added")
    page.press("Apply and restart")
    page.see("td pre", "<b>hello</b> & more\nand a second line")
    page.see("td em", "secret")
    assert "do-not-show" not in page.driver.page_source
    page.press("Edit as .env text")
    assert page.attribute("value", "[name=raw]") == 'GREETING="<b>hello</b> & more\nand a second line"\n'
    page.press("Show as a table")
    for name in ("GREETING", "API_KEY"):
        page.see(f"[aria-label='Remove {name}']").click()
    page.press("Apply and restart")
    page.wait(lambda: not page.find("td"), "removed")
    assert page.complaints() == []


def test_what_is_wrong_is_said_where_it_was_done(page, cluster):
    page.fill(name="nobody", password="not their password")
    page.press("Log in")
    page.see("p.failure", "The name or the password is wrong")
    name = enter(page, cluster)
    page.press("Settings")
    page.fill(kubeconfig="apiVersion: v1\nkind: Config\nusers: [{name: u, user: {exec: {}}}]\n")
    page.press("Store")
    assert "exec" in page.text("p.failure")
    page.press("Projects")
    create(page, "Twice")
    page.press("Projects")
    page.press("New project")
    page.fill(name="Twice")
    page.press("Create")
    page.see("p.failure", "You have a project of this name already")
    page.press("Cancel")
    cluster.delete_user(name)  # the kubeconfig's token is worth nothing now
    page.press("Twice")
    page.press("Stop")
    told = page.text(".cause")
    assert "Sandbox: Your cluster does not accept the stored kubeconfig." in told
    assert "HTTP 401" not in told  # what the cluster said is beneath, folded
    page.press("Open the settings")
    page.see("dd", f"ns-{name}")


def test_a_stored_kubeconfig_is_tested_and_what_is_wrong_is_listed(page, cluster):
    name = enter(page, cluster)
    page.press("Settings")
    page.wait(lambda: [e.get_attribute("data-status") for e in page.find(".checks li")]
              == ["ok"] * 7, "all is well")
    page.fill(kubeconfig=cluster.create_user(name).replace("token: ", "token: x"))
    page.press("Store")
    page.see("[role=status]", "It is being tested, at most once a minute.")
    assert page.find(".checks li") == []  # what was found of the other one is not shown
    assert page.complaints() == []


def test_a_wrong_token_is_said_in_the_settings(page, cluster):
    enter(page, cluster, spoil=lambda kubeconfig: kubeconfig.replace("token: ", "token: x"))
    page.press("Settings")
    told = page.text("[data-name=credentials][data-status=failed] p")
    assert told.endswith("Your cluster does not accept the stored kubeconfig.")
    assert "Store a new kubeconfig in the settings" in page.text(".checks p.detail")
    page.see("button", "Test again")
    assert page.complaints() == []


def test_who_logs_out_sees_the_login_and_so_does_who_comes_back(page, cluster):
    enter(page, cluster)
    page.press("Log out")
    page.see("h1", "Log in")
    page.driver.get(f"{page.url}/#/settings")
    page.driver.refresh()
    page.see("h1", "Log in")
    assert page.complaints() == []


def test_sessions_and_tokens_are_seen_and_ended(page, cluster, site):
    name = enter(page, cluster)
    elsewhere = site.client()
    elsewhere.login(name, PASSWORD)
    page.press(name)
    page.press("End")
    page.wait(lambda: len(page.find("td strong", "This one")) == 1 and not page.find("button", "End"),
              "only this session")
    assert elsewhere.get("/api/auth/session").status_code == 401
    page.fill(name="CI")
    page.press("Make a token")
    token = page.text(".made code")
    bearer = {"Authorization": f"Bearer {token}"}
    assert site.client().get("/api/projects", headers=bearer).status_code == 200
    page.press("Withdraw")
    page.wait(lambda: not page.find("button", "Withdraw"), "withdrawn")
    assert site.client().get("/api/projects", headers=bearer).status_code == 401
    page.driver.refresh()
    page.wait(lambda: "Made an API token" in page.text(".events"), "what was done")
    assert page.complaints() == []


def test_a_session_that_ended_begins_anew_over_the_view(page, cluster, site):
    name = enter(page, cluster)
    page.press("Settings")
    page.see("dd", f"ns-{name}")
    page.fill(kubeconfig="typed before")
    with contextlib.closing(site.connect()) as connection, connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM sessions WHERE user_id = (SELECT id FROM users WHERE name = %s)", [name])
    page.press("Store")
    page.see("dialog h2", "Your session has ended")
    page.see("dialog [name=password]").send_keys(PASSWORD)
    page.press("Log in", "dialog button")
    page.wait(lambda: not page.find("dialog"), "no dialog")
    assert page.attribute("value", "[name=kubeconfig]") == "typed before"
    page.press("Projects")
    page.see("p.empty")
    page.driver.refresh()
    page.see("nav a", name)  # nobody has left


def press_key(page, key):
    """As somebody without a mouse: where the focus is."""
    page.driver.switch_to.active_element.send_keys(key)


def wait_focus(page, text):
    page.wait(lambda: page.driver.switch_to.active_element.text == text, f"the focus on {text}")


def uids(cluster, path):
    """Name → UID of what is there."""
    return {item["metadata"]["name"]: item["metadata"]["uid"]
            for item in cluster.api("GET", path)["items"]}


def test_files_are_not_lost_without_a_question(page, cluster, site):
    """Somebody deletes the volume of the home, and its owner, who has only a keyboard, stops it."""
    namespace = f"/api/v1/namespaces/ns-{enter(page, cluster)}"
    create(page, "Precious")
    pods = uids(cluster, f"{namespace}/pods")
    home = next(name for name in uids(cluster, f"{namespace}/persistentvolumeclaims")
                if name.startswith("home-"))
    cluster.api("DELETE", f"{namespace}/persistentvolumeclaims/{home}")
    with contextlib.closing(site.connect()) as db, db, db.cursor() as cursor:
        cursor.execute("UPDATE resources SET due_at = now() WHERE kind = 'SANDBOX'")
    page.see(".warning strong", "Sandbox:")
    page.driver.execute_script("arguments[0].focus()", page.see("button", "Stop"))
    press_key(page, Keys.ENTER)
    question = page.text("dialog p")
    assert "deleted the volume of your home directory" in question and "lost" not in question
    wait_focus(page, "Cancel")
    press_key(page, Keys.ESCAPE)
    page.wait(lambda: not page.find("dialog"), "no dialog")
    wait_focus(page, "Stop")
    assert page.status() == "RUNNING"
    assert uids(cluster, f"{namespace}/pods") == pods

    press_key(page, Keys.ENTER)
    wait_focus(page, "Cancel")
    press_key(page, Keys.ENTER)  # whoever goes on without reading loses nothing
    page.wait(lambda: not page.find("dialog"), "no dialog")
    wait_focus(page, "Stop")
    press_key(page, Keys.ENTER)
    wait_focus(page, "Cancel")
    press_key(page, Keys.TAB)
    wait_focus(page, "Lose it")
    press_key(page, Keys.ENTER)
    page.wait_status("STOPPED")
    page.wait(lambda: not page.find(".warning"), "no warning")
    page.press("Start")
    page.wait_status("RUNNING")
    assert page.complaints() == []


def wait_quiet(page, seconds=4):
    """Until the page has asked for nothing for so long; when it has asked last."""
    end = time.monotonic() + PATIENCE
    while True:
        reads = page.reads()
        time.sleep(seconds)
        if page.reads() == reads:
            return reads[-1]
        assert time.monotonic() < end, "the page goes on asking"


def test_what_is_done_elsewhere_shows_at_once(page, cluster, site):
    """The stream tells it: while nothing moves, the page by itself asks every 20 seconds only."""
    name = enter(page, cluster)
    create(page, "Elsewhere")
    project = page.driver.current_url.rsplit("/", 1)[1]
    elsewhere = site.client()
    elsewhere.login(name, PASSWORD)
    last = wait_quiet(page)
    assert elsewhere.post(f"/api/projects/{project}/stop").ok
    page.wait(lambda: page.reads()[-1] > last, "it asks again")
    assert next(at for at in page.reads() if at > last) < last + 20
    page.wait_status("STOPPED")
    assert page.complaints() == []


def test_a_password_is_changed_by_who_knows_the_old_one(page, cluster, site):
    name = enter(page, cluster)
    page.press(name)
    page.press("Change the password")
    page.fill(password="not it at all", newPassword="another horse battery")
    page.press("Change")
    page.wait(lambda: page.text("details .failure") != "", "a refusal")
    page.see("[name=password]").clear()
    page.fill(password=PASSWORD)
    page.press("Change")
    page.wait(lambda: not page.find("details[open]"), "the form closed")
    assert site.client().login(name, PASSWORD).status_code == 401
    assert site.client().login(name, "another horse battery").status_code == 200
    assert page.complaints() == []


def test_maintenance_is_a_banner_with_the_operators_text(page, cluster, site):
    message = "We are moving house, back at about 14:00 UTC"
    enter(page, cluster)
    site.programs.fsactl("maintenance", "on", "--message", message)
    try:
        page.press("New project")
        page.fill(name="Too late")
        page.press("Create")
        page.see(".failure", message)
        assert page.text("#maintenance").endswith(message)
        page.driver.refresh()
        assert page.text("#maintenance").endswith(message)
        page.see("p.empty")
    finally:
        site.programs.fsactl("maintenance", "off")
    page.driver.refresh()
    page.see("p.empty")
    page.wait(lambda: not page.find("#maintenance"), "no banner")
    assert page.complaints() == []


def test_a_limit_that_is_reached_is_told_before_somebody_tries(page, cluster, site):
    name = enter(page, cluster)
    site.programs.fsactl("user", "limit", name, "projects", "1")
    create(page, "The only one")
    page.press("Projects")
    page.press("New project")
    page.wait(lambda: "limit of 1 projects is reached" in page.text("dialog"), "the limit")
    page.wait(lambda: not page.find("button", "Create")[0].is_enabled(), "no creation")
    site.programs.fsactl("user", "limit", name, "projects", "default")
    page.driver.refresh()
    page.press("New project")
    page.wait(lambda: page.find("button", "Create")[0].is_enabled(), "room again")
    assert page.complaints() == []


def test_what_is_wrong_is_tried_again_at_once(page, cluster):
    name = enter(page, cluster)
    fault = cluster.fault(fault="forbidden", verb="apply", user=f"*:{name}")
    page.press("New project")
    page.fill(name="Refused")
    page.press("Create")
    page.wait(lambda: page.find(".cause"), "a cause")
    page.see(".cause summary", "What the cluster said")
    cluster.end_fault(fault)
    page.press("Try now")
    page.wait_status("RUNNING")
    page.wait(lambda: not page.find(".cause"), "no cause")
    assert page.complaints() == []


def test_of_several_sandboxes_each_says_what_is_wrong_and_all_are_tried_again(page, cluster, site):
    name = enter(page, cluster)
    create(page, "Pair")
    project = page.driver.current_url.rsplit("/", 1)[1]
    client = site.client()
    client.login(name, PASSWORD)
    assert client.post(f"/api/projects/{project}/stop").ok
    page.wait_status("STOPPED")
    fault = cluster.fault(fault="forbidden", verb="apply", user=f"*:{name}")
    assert client.post(f"/api/projects/{project}/sandboxes", {"displayName": "second"}).ok
    assert client.post(f"/api/projects/{project}/start").ok
    page.wait(lambda: len(page.find(".cause")) >= 2, "a cause for each")
    page.press("Projects")
    assert page.attribute("data-trouble", ".projects .badge") == "true"
    page.see(".projects .cause")
    page.press("Pair")
    cluster.end_fault(fault)
    page.wait(lambda: page.find("[aria-label='Try now: second']"), "the second one's")
    page.see("[aria-label='Try now: second']").click()
    page.wait_status("RUNNING")
    page.wait(lambda: not page.find(".cause"), "no cause")
    assert page.complaints() == []


def test_a_size_is_chosen_and_changed(page, site, cluster):
    enter(page, cluster)
    page.press("New project")
    page.see("dialog [name=name]")
    assert not page.find("dialog [name=size]")  # the site offers none
    assert not re.search(r"^\d+$", page.text("dialog"), re.M)  # nor is their number there
    site.programs.fsactl("size", "set", "large", "1", "512Mi", "--description", "for builds")
    page.driver.refresh()
    page.press("New project")
    page.fill(name="Growing", size="large")
    page.press("Create")
    page.wait_status("RUNNING")
    page.press("Settings", ".tabs a")
    page.see("p", "1 CPU, 512Mi memory")
    assert page.attribute("value", "[name=size]") == "large"
    page.fill(size="the site's default")
    page.press("Change the size")
    assert "starts anew" in page.text("dialog p")
    page.press("Apply and restart")
    page.see("p", "200m CPU, 256Mi memory")
    page.wait_status("RUNNING")
    site.programs.fsactl("size", "remove", "large")
    assert page.complaints() == []


def test_when_it_stops_and_ends_is_shown_as_it_was_chosen(page, site, cluster):
    client = site.client()
    client.login(enter(page, cluster), PASSWORD)
    create(page, "Resting")
    path = f"/api/projects/{page.driver.current_url.rsplit('/', 1)[1]}"
    assert client.put(f"{path}/idle", {"minutes": 45}).ok
    page.press("Settings", ".tabs a")
    page.wait(lambda: page.attribute("value", "[name=minutes]") == "45", "a time that is not in the list")
    page.fill(minutes="after 4 hours")
    page.press("Change when it stops")
    page.wait(lambda: client.get(path).json()["idleMinutes"] == 240, "the change")
    page.driver.refresh()
    assert page.attribute("value", "[name=minutes]") == "240"
    page.fill(hours="in a week")
    page.press("Change when it ends")
    page.wait(lambda: client.get(path).json()["expiresAt"] is not None, "its end")
    page.driver.refresh()
    assert page.attribute("value", "[name=hours]") == ""
    page.press("Change when it ends")  # nothing is chosen, so the browser asks for it
    page.fill(hours="never")
    assert client.get(path).json()["expiresAt"] is not None
    page.press("Change when it ends")
    page.wait(lambda: client.get(path).json()["expiresAt"] is None, "no end")
    assert page.complaints() == []


def test_who_was_invited_sets_a_password_and_is_there(page, site):
    made = site.programs.fsactl("user", "invite", "Ada.Lovelace", "--json")
    link = json.loads(made)["link"]
    page.driver.get(link)
    page.see("h1", "Set your password")
    assert page.attribute("value", "[name=name]") == "Ada.Lovelace"
    page.fill(password=PASSWORD, again=PASSWORD + "!")
    page.press("Set it, and log in")
    page.see(".failure", "The two are not the same.")
    page.see("[name=again]").clear()
    page.fill(again=PASSWORD)
    page.press("Set it, and log in")
    page.see("nav a", "Ada.Lovelace")
    page.see("p.empty")
    assert link.rsplit("/", 1)[1] not in page.driver.current_url
    page.driver.get(link)  # again, or by somebody who found it
    page.driver.refresh()
    page.fill(password=PASSWORD, again=PASSWORD)
    page.press("Set it, and log in")
    page.see(".failure", "This link is not valid, or not any more: it works once, and for some days. "
             "Ask the site's administrator for another one")
    assert page.complaints() == []


DOCS = Path(__file__).resolve().parents[2] / "docs"
PICTURE_SIZE = (900, 760)


def keep_picture(page, name):
    """A picture of the README. With FSA_PICTURE=yes it is made anew; names and addresses differ each time, so that
    nothing but its size is compared."""
    page.driver.execute_script("scrollTo(0, 0)")
    seen = page.driver.get_screenshot_as_png()
    if os.environ.get("FSA_PICTURE"):
        (DOCS / name).write_bytes(seen)
    kept = (DOCS / name).read_bytes()
    assert dimensions(kept) == dimensions(seen) and len(kept) < 150_000
    assert f"](docs/{name})" in (DOCS.parent / "README.md").read_text()


def dimensions(png):
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def test_a_project_begins_with_a_repository(page, cluster, site):
    name = enter(page, cluster)
    page.press("New project")
    page.fill(name="Blog", url="https://git.example.org/team/blog.git", branch="next")
    page.press("Create")
    page.wait_status("RUNNING")
    client = site.client()
    client.login(name, PASSWORD)
    project = page.driver.current_url.rsplit("/", 1)[1]
    found = [v for group in client.get(f"/api/projects/{project}/environment").json().values() for v in group]
    assert {v["key"]: v["value"] for v in found} == {
        "FSA_REPOSITORY_URL": "https://git.example.org/team/blog.git", "FSA_REPOSITORY_BRANCH": "next"}
    assert page.complaints() == []
