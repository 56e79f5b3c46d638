"""The console as a person uses it: they see texts and press buttons."""

import contextlib
import functools

from selenium.common.exceptions import (
    ElementNotInteractableException,
    ElementClickInterceptedException,
    StaleElementReferenceException,
    TimeoutException,
)
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from stand import npm
from stand.process import PATIENCE

# A view that is drawn anew while it is looked at or pressed: a person tries again.
DRAWN_ANEW = (StaleElementReferenceException, ElementNotInteractableException,
              ElementClickInterceptedException)


@functools.cache
def axe():
    return (npm.modules() / "axe-core" / "axe.min.js").read_text()


class Page:
    """What a person does on the page: they see texts and press buttons."""

    def __init__(self, driver, url):
        self.driver = driver
        self.url = url
        self.log = []  # the browser hands out each line of its console once
        driver.get(url)

    def wait(self, condition, what):
        """Waits until condition() is true; a view that is drawn anew meanwhile is read again."""
        waiting = WebDriverWait(self.driver, PATIENCE, 0.1, ignored_exceptions=DRAWN_ANEW)
        try:
            return waiting.until(lambda _: condition())
        except TimeoutException:
            shown = self.driver.find_element(By.TAG_NAME, "body").text
        raise AssertionError(f"not within {PATIENCE} s: {what}; the page shows:\n{shown}")

    def find(self, css, text=None):
        """The elements that are seen and have this text (any, when None)."""
        while True:
            found = self.driver.find_elements(By.CSS_SELECTOR, css)
            with contextlib.suppress(StaleElementReferenceException):
                return [e for e in found if e.is_displayed() and text in (None, e.text)]

    def see(self, css, text=None):
        """Waits for the first such element, and returns it."""
        return self.wait(lambda: self.find(css, text), f"{css} {text or ''}")[0]

    def text(self, css):
        return self.wait(lambda: [e.text for e in self.find(css)], css)[0]

    def attribute(self, name, css, text=None):
        """Of the first such element."""
        return self.wait(lambda: [e.get_attribute(name) for e in self.find(css, text)],
                         f"{css} {text or ''}")[0]

    def press(self, text, css="button, summary, a"):
        """What has this text, once it is there."""
        def click():
            found = self.find(css, text)
            return found and (found[0].click() or True)

        self.wait(click, f"to press {text}")

    def fill(self, **values):
        """Fields by their names."""
        for name, value in values.items():
            def write():
                found = self.find(f"[name={name}]")
                return found and (found[0].send_keys(value) or True)

            self.wait(write, f"the field {name}")

    def findings(self):
        """What axe has against what is shown: rules, and the first element of each."""
        self.driver.execute_script(axe())
        found = self.driver.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
        return [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"]]

    def status(self):
        """What the badge stands for; "" while there is none."""
        return self.driver.execute_script(
            "return document.querySelector('main .badge')?.dataset.status ?? ''")

    def wait_status(self, status):
        self.wait(lambda: self.status() == status, f"{status}, not {self.status()}")

    def reads(self):
        """When the page has asked the API for a project, in seconds of its own clock."""
        return self.driver.execute_script(
            "return performance.getEntriesByType('resource')"
            ".filter((entry) => entry.name.includes('/api/projects/'))"
            ".map((entry) => entry.startTime / 1000)")

    def complaints(self):
        """What the browser's console has against the page: errors of its scripts, and what the
        content security policy refused. What the API answered is the page's business."""
        self.log += self.driver.get_log("browser")
        return [entry["message"] for entry in self.log if entry["level"] == "SEVERE" and entry["source"] != "network"]

    def violations(self):
        """What the content security policy refused, whatever the test was about."""
        return [one for one in self.complaints() if "Content Security Policy" in one]
