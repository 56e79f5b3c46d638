"""Chromium without a window, driven by Selenium."""

from selenium import webdriver
from selenium.common.exceptions import WebDriverException

from .process import PATIENCE

ATTEMPTS = 3
_ALWAYS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage")


def start(*arguments, settings=None):
    """Starts a browser whose console log can be read. On a busy machine the browser may take longer than its driver
    waits; then it is started again."""
    options = webdriver.ChromeOptions()
    for argument in (*_ALWAYS, *arguments):
        options.add_argument(argument)
    if settings:
        options.add_experimental_option("prefs", settings)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for attempt in range(ATTEMPTS):
        try:
            driver = webdriver.Chrome(options=options)
            driver.set_script_timeout(PATIENCE)
            return driver
        except WebDriverException:
            if attempt + 1 == ATTEMPTS:
                raise
