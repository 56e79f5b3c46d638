"""Chromium without a window, to type into a terminal."""

import base64
import hashlib
import subprocess
import time

from selenium.webdriver.common.by import By

from stand import chromium
from stand.process import PATIENCE

# Returns the text on the screen: ttyd's page draws it on a canvas, but keeps it here.
_SCREEN = """
const lines = [];
const buffer = window.term ? window.term.buffer.active : null;
for (let i = 0; buffer && i < buffer.length; i++)
    lines.push(buffer.getLine(i).translateToString(true));
return lines.join("\\n").trimEnd();
"""


class Browser:
    """One browser with its own profile.

    rules        how it resolves hosts, in the form of --host-resolver-rules
    certificate  of a server: it is accepted although its issuer is unknown
    """

    def __init__(self, directory, rules=None, certificate=None):
        more = [f"--host-resolver-rules={rules}"] if rules else []
        if certificate:
            more.append(f"--ignore-certificate-errors-spki-list={_key_hash(certificate)}")
        self.driver = chromium.start("--window-size=1000,600", f"--user-data-dir={directory}", *more)

    def close(self):
        self.driver.quit()

    def open_terminal(self, url):
        """Opens the address in the window; returns when there is a prompt.

        Like a person, it reloads a page that is not the terminal's: an ingress controller
        learns of a new pod a moment after the API reports it ready.
        """
        end = time.monotonic() + PATIENCE
        self.driver.get(url)
        while not self.driver.execute_script("return !!window.term"):
            if time.monotonic() > end:
                raise AssertionError(f"no terminal at {url}: {self.driver.page_source[:500]}")
            time.sleep(1)
            if not self.driver.find_elements(By.CSS_SELECTOR, "#terminal-container, .xterm"):
                self.driver.get(url)
        self.wait_for("$")
        return self

    def screen(self):
        return self.driver.execute_script(_SCREEN)

    def wait_for(self, text, seconds=PATIENCE):
        """Waits until the terminal shows the text."""
        end = time.monotonic() + seconds
        while text not in self.screen():
            if time.monotonic() > end:
                raise AssertionError(f"no {text!r} within {seconds} s at {self.driver.title!r}:\n"
                                     f"{self.screen()}\n{self.driver.get_log('browser')}")
            time.sleep(0.1)

    def type(self, text):
        """Types on the keyboard, as a person does once the terminal has the focus."""
        self.driver.find_element(By.CSS_SELECTOR, ".xterm-helper-textarea").send_keys(text)

    def run(self, command, shows):
        """Types a command; returns when `shows`, which must not be part of the command, appears."""
        assert shows not in command
        self.type(command + "\n")
        self.wait_for(shows)

    def save(self, path):
        """Saves a screenshot."""
        self.driver.save_screenshot(str(path))


def _key_hash(certificate):
    """Returns the hash of the public key, by which Chromium identifies the certificate."""
    key = subprocess.run(["openssl", "x509", "-in", certificate, "-pubkey", "-noout"], check=True,
                         capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=key, check=True,
                         capture_output=True).stdout
    return base64.b64encode(hashlib.sha256(der).digest()).decode()
