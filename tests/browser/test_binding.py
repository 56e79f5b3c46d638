"""Adding a GitHub account on the page: a window of its own, which hands what it got to our page alone."""

import sys
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By

from stand import chromium
from stand.site import Site
from tls_server import certified

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "web"))
import fake_github  # noqa: E402
from fake_github import Github, says  # noqa: E402

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def github(workspace):
    with certified(Github, workspace, "binding") as made:
        yield made


@pytest.fixture(scope="module")
def site(workspace, build, postgres, console, github):
    with Site(workspace / "binding", build, postgres, database="binding", root=console,
              options=fake_github.options(workspace, github)) as made:
        yield made


@pytest.fixture
def page(site, open_page):
    """A browser that believes the stand-in's certificate; in it, somebody who is logged in."""
    driver = chromium.start("--lang=en", "--window-size=1100,1000", "--ignore-certificate-errors")
    yield open_page(driver, site.url)
    driver.quit()


def enter(page, name):
    page.see("h1", "Log in")
    page.press("New here?")
    form = page.see("details form")
    form.find_element("name", "name").send_keys(name)
    form.find_element("name", "password").send_keys(PASSWORD)
    page.press("Register")
    page.press(name)
    page.see("h2", "Logging in")


def rows(page):
    return [[cell.text for cell in row.find_elements(By.TAG_NAME, "td")]
            for row in page.see("section table").find_elements(By.TAG_NAME, "tr")]


def test_an_account_is_added_used_and_unbound(page, github):
    github.person = {"id": 41, "login": "octocat"}
    enter(page, "ada")
    page.press("Add GitHub")
    page.see("td", "octocat")
    page.wait(lambda: len(page.driver.window_handles) == 1, "its window closed by itself")
    page.wait(lambda: rows(page) == [["Password", "ada", "Primary", "Unbind"],
                                     ["GitHub", "octocat", "Make primary", "Unbind"]], "both rows")
    page.press("Log out")
    page.press("Log in with GitHub")
    page.press("ada")
    page.see("td", "octocat")
    page.press("Make primary")
    page.wait(lambda: [row[2] for row in rows(page)] == ["Make primary", "Primary"], "primary")
    assert page.complaints() == []


def test_somebody_elses_account_is_refused_with_the_reason(page, github):
    github.person = {"id": 41, "login": "octocat"}
    enter(page, "bob")
    page.press("Add GitHub")
    assert "bound to another user" in page.text(".failure")
    page.wait(lambda: rows(page) == [["Password", "bob", "Primary", ""]], "no new row")


def test_a_strangers_page_that_opens_the_window_hears_nothing(page, site, github):
    """The last page of the window, opened by a page of another origin."""
    enter(page, "eve")
    begun = page.driver.execute_async_script(
        "fetch('/api/auth/github/bind', {method: 'POST', body: '{}', headers: {'Content-Type': 'application/json'}})"
        ".then((answer) => answer.json()).then(arguments[0]);")
    driver = page.driver
    github.answers["/page"] = says(200, b"<h1>Strange</h1>", {"Content-Type": "text/html"})
    driver.get(github.url + "/page")
    page.see("h1", "Strange")
    asked = len(github.requests)
    driver.execute_script(
        "window.heard = []; addEventListener('message', (e) => window.heard.push(e.data));"
        "window.opened = window.open(arguments[0]);", begun["url"])
    page.wait(lambda: any(path.endswith("/authorize")
                          for path, _, _ in github.requests[asked:]), "the window went there")
    page.wait(lambda: driver.execute_script("return window.opened.closed"), "the window closed")
    assert driver.execute_script("return window.heard") == []
