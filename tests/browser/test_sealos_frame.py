"""Inside the Sealos desktop: our page in a frame on another site, with the desktop side of Sealos'
SDK around it, whatever the browser thinks of other sites' cookies."""

import base64
import contextlib
import hashlib
import itertools
import subprocess
import sys
import time
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from desktop import Desktop
from tls_front import TlsFront
from stand import chromium, npm
from stand.kube.pki import Authority
from stand.process import free_port
from stand.site import Site

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "web"))
sys.path.insert(0, str(ROOT / "tests" / "cli"))
from inside import Sandbox  # noqa: E402
from tokens import sign  # noqa: E402

SECRET = "the-desktops-own-secret-for-tokens-of-the-test"
_numbers = itertools.count(1)

# Chromium's settings, and whether the session then is a cookie of the frame's own partition.
COOKIES = {
    "allowed": ({"profile.cookie_controls_mode": 0}, True),
    "blocked on other sites": ({"profile.cookie_controls_mode": 1,
                                "profile.block_third_party_cookies": True}, True),
    "blocked altogether": ({"profile.content_settings.exceptions.cookies": {
        "https://agent.test,*": {"setting": 2}, "[*.]agent.test,*": {"setting": 2}}}, False),
}


@pytest.fixture(scope="module")
def certificate(workspace):
    names = ["agent.test", "desktop.test", "stranger.test"]
    return Authority(workspace / "browser-ca", "browser-ca").issue("browser", "browser", hosts=names)


@pytest.fixture(scope="module")
def desktop(certificate):
    made = Desktop(npm.modules(), *certificate)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def site(workspace, build, postgres, console, certificate, desktop):
    secret = workspace / "browser-sealos"
    secret.write_text(SECRET)
    with Site(workspace / "framed", build, postgres, database="framed", root=console,
              port=free_port(), host="agent.test", tls=certificate,
              options={"kube_allow_addresses": "127.0.0.0/8", "sealos_jwt_secret_file": secret,
                       "ingress_domain": "apps.test", "ingress_port": (ingress := free_port()),
                       "frame_ancestors": f"https://desktop.test:{desktop.port}"}) as made:
        desktop.app = made.url + "/"
        made.ingress = ingress
        yield made


@pytest.fixture
def open_browser(certificate, workspace, request, open_page):
    """Opens a Chromium with these settings at a URL, and returns what is in its frame as a Page."""
    public = subprocess.run(["openssl", "x509", "-in", certificate[1], "-pubkey", "-noout"],
                            capture_output=True, check=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=public,
                         capture_output=True, check=True).stdout
    trusted = base64.b64encode(hashlib.sha256(der).digest()).decode()
    drivers = []

    def start(url, settings):
        profile = workspace / f"profile-{request.node.name}-{len(drivers)}"
        driver = chromium.start("--lang=en", "--window-size=1100,1000", f"--user-data-dir={profile}",
                                f"--ignore-certificate-errors-spki-list={trusted}",
                                "--host-resolver-rules=MAP *.test 127.0.0.1", settings=settings)
        drivers.append(driver)
        page = open_page(driver, url)
        driver.switch_to.frame(page.see("#app"))
        return page

    yield start
    for driver in drivers:
        driver.save_screenshot(str(workspace / f"{request.node.name}.png".replace("/", "-")))
        driver.quit()


def claims(name, **changes):
    now = int(time.time())
    return {"userUid": f"uid-{name}", "userId": name, "regionUid": "r", "userCrUid": "c",
            "userCrName": name, "workspaceUid": "w", "workspaceId": f"ns-{name}", "iat": now,
            "exp": now + 600, **changes}


@pytest.fixture
def person(desktop, cluster):
    """Somebody who is logged in at the desktop."""
    name = f"sealos{next(_numbers)}"
    desktop.log_in(name, sign(claims(name), SECRET), cluster.create_user(name))
    return name


def has_cookie(page):
    """Whether a request without more than the browser's cookies has a session."""
    return page.driver.execute_async_script(
        "fetch('/api/auth/session').then((answer) => arguments[0](answer.ok));")


@pytest.mark.parametrize("cookies", COOKIES)
def test_the_app_opens_logged_in_and_works(site, desktop, person, open_browser, cookies):
    settings, by_cookie = COOKIES[cookies]
    page = open_browser(f"https://desktop.test:{desktop.port}/", settings)
    page.see("nav a", person)
    assert has_cookie(page) is by_cookie
    page.see("p.empty")
    page.press("New project")
    page.fill(name="From the desktop")
    page.press("Create")
    page.wait_status("RUNNING")
    page.press("Settings")
    page.see("dd", f"ns-{person}")
    # A reload is a new page, which the desktop tells again.
    page.driver.execute_script("location.reload()")
    page.see("nav a", person)
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM users WHERE name = %s", (person,))
        assert cursor.fetchone() == (1,)
    assert [line for line in page.complaints() if "agent.test" in line] == []


@pytest.fixture
def open_sandbox(build, site, certificate, tmp_path):
    """open_sandbox(address of the terminal) has that sandbox's sandboxd, behind TLS at the address that a cluster's ingress has."""
    program = build / "runtime" / "sandboxd" / "sandboxd"
    if not program.exists():
        pytest.skip("sandboxd was not built: tools/install-packages build")
    with contextlib.ExitStack() as stack:
        def make(terminal):
            sandbox = Sandbox(program, tmp_path / "sandbox", {"sandboxes": [{"ttydUrl": terminal}]})
            stack.callback(sandbox.stop)
            stack.callback(TlsFront(site.ingress, sandbox.port, *certificate).stop)
            return sandbox

        yield make


@pytest.mark.parametrize("cookies", COOKIES)
def test_the_terminal_is_typed_into(desktop, person, open_browser, open_sandbox, site, cookies):
    settings, by_cookie = COOKIES[cookies]
    page = open_browser(f"https://desktop.test:{desktop.port}/", settings)
    page.press("New project")
    page.fill(name="Typed into")
    page.press("Create")
    page.wait_status("RUNNING")
    sandbox = open_sandbox(page.attribute("href", "a", "Open terminal"))
    page.press("Terminal", ".tabs a")
    page.see("[role=status]", "Connected")
    page.driver.switch_to.active_element.send_keys("echo from the desktop >typed" + Keys.ENTER)
    typed = sandbox.home / "typed"
    page.wait(lambda: typed.exists() and typed.read_text() == "from the desktop\n", "what was typed")
    assert has_cookie(page) is by_cookie
    assert [line for line in page.complaints() if "agent.test" in line] == []


def test_who_logs_out_stays_logged_out(site, desktop, person, open_browser):
    page = open_browser(f"https://desktop.test:{desktop.port}/", {})
    page.see("nav a", person)
    page.press("Log out")
    page.see("h1", "Log in")
    time.sleep(1)
    assert not page.find("nav a", person)


def test_another_sites_page_gets_no_frame_of_ours(site, desktop, person, open_browser):
    """The same desktop under a name that the operator has not allowed."""
    page = open_browser(f"https://stranger.test:{desktop.port}/", {})
    time.sleep(3)
    assert not page.driver.find_elements(By.CSS_SELECTOR, "#main")
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM users WHERE name = %s", (person,))
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("what, message", [
    ("nobody", "The desktop says: no login in"),
    ("expired", "Sealos: The token has expired"),
    ("forged", "Sealos: The token is refused: its signature is wrong"),
    ("another workspace", "The kubeconfig is for another workspace"),
])
def test_what_is_wrong_is_said(site, desktop, person, open_browser, what, message):
    session = desktop.session
    desktop.session = {
        "nobody": None,
        "expired": {**session, "token": sign(claims(person, exp=int(time.time()) - 5), SECRET)},
        "forged": {**session, "token": sign(claims(person), "x" * 64)},
        "another workspace": {**session, "token": sign(claims(person, workspaceId="ns-other"),
                                                       SECRET)},
    }[what]
    page = open_browser(f"https://desktop.test:{desktop.port}/", {})
    page.wait(lambda: page.find("#notice"), "a notice")
    assert page.text("#notice").startswith(message)
    page.see("h1", "Log in")
