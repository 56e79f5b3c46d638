"""The page in Chromium: nginx with the files of web/, our programs, PostgreSQL, kubesim."""

from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from stand.kubesim import KubeSim
from stand.site import Site

WEB = Path(__file__).resolve().parents[2] / "web"
WAIT_S = 40  # Chromium's first start has taken ten


@pytest.fixture(scope="session")
def cluster(workspace, build):
    with KubeSim(workspace / "kubesim", build) as running:
        yield running


@pytest.fixture(scope="session")
def site(workspace, build, postgres):
    with Site(workspace / "browser", build, postgres, database="browser", root=WEB,
              options={"kube_allow_addresses": "127.0.0.0/8"}) as made:
        yield made


@pytest.fixture
def page(site, workspace, request):
    """Somebody with a browser of their own, which has the page open."""
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage",
                     "--window-size=1100,1000", "--lang=en", "--force-color-profile=srgb"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options)
    try:
        yield Page(driver, site.url)
    finally:
        driver.save_screenshot(str(workspace / f"{request.node.name}.png"))
        driver.quit()


@pytest.fixture(scope="session")
def open_page():
    """For browsers with settings of their own: open_page(driver, url) is a Page."""
    return Page


class Page:
    """What a person does on the page: they see texts and press buttons."""

    def __init__(self, driver, url):
        self.driver = driver
        self.url = url
        driver.get(url)

    def wait(self, condition, what):
        """Waits until condition() is true; a view that is drawn anew meanwhile is read again."""
        waiting = WebDriverWait(self.driver, WAIT_S, 0.1,
                                ignored_exceptions=[StaleElementReferenceException])
        try:
            return waiting.until(lambda _: condition())
        except TimeoutException:
            shown = self.driver.find_element(By.TAG_NAME, "body").text
        raise AssertionError(f"not within {WAIT_S} s: {what}; the page shows:\n{shown}")

    def find(self, css, text=None):
        """The elements that are seen and have this text (any, when None)."""
        found = self.driver.find_elements(By.CSS_SELECTOR, css)
        return [e for e in found if e.is_displayed() and text in (None, e.text)]

    def see(self, css, text=None):
        """Waits for the first such element, and returns it."""
        return self.wait(lambda: self.find(css, text), f"{css} {text or ''}")[0]

    def text(self, css):
        return self.wait(lambda: [e.text for e in self.find(css)], css)[0]

    def press(self, text, css="button, summary, a"):
        """What has this text, once it is there."""
        def click():
            found = self.find(css, text)
            return found and (found[0].click() or True)

        self.wait(click, f"to press {text}")

    def fill(self, **values):
        """Fields by their names."""
        for name, value in values.items():
            self.see(f"[name={name}]").send_keys(value)

    def status(self):
        """The badge; "" while there is none."""
        return self.driver.execute_script(
            "return document.querySelector('main .badge')?.textContent ?? ''")

    def wait_status(self, status):
        self.wait(lambda: self.status() == status, f"{status}, not {self.status()}")

    def reads(self):
        """How often the page has asked the API for a project."""
        return self.driver.execute_script(
            "return performance.getEntriesByType('resource')"
            ".filter((entry) => entry.name.includes('/api/projects/')).length")

    def complaints(self):
        """What the browser's console has against the page: errors of its scripts, and what the
        content security policy refused. What the API answered is the page's business."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] == "SEVERE" and entry["source"] != "network"]
