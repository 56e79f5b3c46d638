"""The console in Chromium, and in it a sandbox on a real node: typed into, given a large file, its app looked at,
and a network that is cut for ten seconds."""

import hashlib
import re
import time
from contextlib import contextmanager

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from console_page import Page
from people import PASSWORD, eventually
from stand.node import ADDRESS

CUT_S = 10
FILE_SIZE = 100_000_000
# Drops a file whose content no compression shortens, and answers with its digest.
DROP = """
    const [size, done] = arguments;
    const content = new Uint8Array(size);
    for (let at = 0; at < size; at += 65536)
        crypto.getRandomValues(content.subarray(at, at + 65536));
    const data = new DataTransfer();
    data.items.add(new File([content], "large.bin"));
    document.querySelector(".drop").dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
    crypto.subtle.digest("SHA-256", content).then((digest) =>
        done(Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("")));"""


@pytest.fixture(scope="module")
def owner(new_person):
    return new_person()


@pytest.fixture(scope="module")
def project(owner):
    made = owner.create("In the page")
    made.wait("RUNNING")
    return made


@pytest.fixture(scope="module")
def home(owner, project, node):
    """The folder behind the sandbox's home directory."""
    claim = owner.namespace.get("PersistentVolumeClaim", f"home-{project.sandbox()['name']}-0")
    return node.folder(claim)


@pytest.fixture(scope="module")
def page(site, owner, project, new_browser, workspace):
    """The console of the owner, with the project's terminal open."""
    page = Page(new_browser().driver, site.url)
    page.driver.set_window_size(1100, 1000)
    page.fill(name=owner.name, password=PASSWORD)
    page.press("Log in", "button")
    page.press("In the page")
    page.press("Terminal", ".tabs a")
    page.see("[role=status]", "Connected")
    yield page
    page.driver.save_screenshot(str(workspace / "console.png"))
    assert page.complaints() == []
    page.driver.get("about:blank")  # nothing asks the site any more


def type_in(page, text):
    page.driver.find_element(By.CSS_SELECTOR, ".xterm-helper-textarea").send_keys(text)


def rows(page):
    """What the terminal shows, row by row."""
    return page.driver.execute_script(
        "return Array.from(document.querySelectorAll('.xterm-rows > div'), (row) => row.textContent.trimEnd())")


def wait_shown(page, pattern):
    page.wait(lambda: re.search(pattern, "\n".join(rows(page))), f"{pattern} in {rows(page)}")


@contextmanager
def cut(node):
    """Loses every packet between browsers and the ingress for the duration of the block; neither end gets a reset."""
    node.run("nft", f"""
        table ip cut {{
            chain arriving {{
                type filter hook input priority -10;
                ip daddr {ADDRESS} tcp dport 443 counter drop
                ip saddr {ADDRESS} tcp sport 443 counter drop
            }}
        }}""")
    try:
        yield
    finally:
        dropped = re.findall(r"packets (\d+)", node.run("nft", "list", "table", "ip", "cut"))
        node.run("nft", "delete", "table", "ip", "cut")
    assert any(int(count) > 0 for count in dropped), "nothing was lost, so the cut was none"


def test_a_line_typed_in_the_page_runs_in_the_pod(page, project, home):
    type_in(page, "echo a$((40+2))b | tee typed; hostname" + Keys.ENTER)
    wait_shown(page, "a42b")
    wait_shown(page, f"{project.sandbox()['name']}-0")
    assert (home / "typed").read_text() == "a42b\n"


def test_a_file_of_100_mb_is_dropped_and_found(page, home):
    type_in(page, "mkdir -p dropped && cd dropped && touch here" + Keys.ENTER)
    eventually(lambda: (home / "dropped" / "here").exists())
    digest = page.driver.execute_async_script(DROP, FILE_SIZE)
    page.see(".uploads [role=status]", "uploaded")
    with (home / "dropped" / "large.bin").open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == digest
    page.press("Files", ".tabs a")
    page.press("▸ dropped/")
    page.see(".files th button", "large.bin")
    page.see(".files td", "100 MB")


def test_an_app_is_previewed(page):
    page.press("Terminal", ".tabs a")
    page.see("[role=status]", "Connected")
    type_in(page, "node -e \"require('http').createServer((q, s) => s.end('my ' + 'app'))"
                  ".listen(3000, () => console.log('lis' + 'tens'))\" &" + Keys.ENTER)
    wait_shown(page, "listens")
    page.press("App", ".tabs a")
    page.see("p", "node listens on port 3000.")
    page.driver.switch_to.frame(page.see("iframe.preview"))
    try:
        page.see("body", "my app")
    finally:
        page.driver.switch_to.default_content()


def test_no_line_is_lost_when_the_network_is_cut_for_ten_seconds(page, node, home):
    """Neither of what is printed meanwhile nor of what is typed, and none is there twice."""
    page.press("Terminal", ".tabs a")
    page.see("[role=status]", "Connected")
    type_in(page, "cd; stty -echo; clear; for i in $(seq 20); do echo line-$i; sleep 0.75; done; cat >typed; stty echo" + Keys.ENTER)
    wait_shown(page, "line-3")
    lines = [f"while it is away {number}" for number in range(20)]
    with cut(node):
        until = time.monotonic() + CUT_S
        for line in lines:
            type_in(page, line + Keys.ENTER)
        time.sleep(max(0, until - time.monotonic()))
    wait_shown(page, "line-20")
    printed = [row for row in rows(page) if row.startswith("line-")]
    assert printed == [f"line-{number}" for number in range(1, 21)]
    type_in(page, Keys.CONTROL + "d")
    eventually(lambda: (home / "typed").read_text().splitlines() == lines, last=lambda: (home / "typed").read_text())
    page.see("[role=status]", "Connected")
