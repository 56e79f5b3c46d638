"""The page in Chromium: nginx with the files of web/, our programs, PostgreSQL, kubesim."""

import contextlib
import sys
from pathlib import Path

import pytest

from stand import chromium
from stand.kubesim import KubeSim
from stand.process import free_port
from stand.site import Site

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
from console_page import Page  # noqa: E402
from inside import Line, Sandbox  # noqa: E402

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session")
def cluster(workspace, build):
    with KubeSim(workspace / "kubesim", build) as running:
        yield running


@pytest.fixture(scope="session")
def site(workspace, build, postgres, console):
    options = {"kube_allow_addresses": "127.0.0.0/8", "ingress_scheme": "http", "ingress_port": free_port()}
    with Site(workspace / "browser", build, postgres, database="browser", root=console,
              options=options) as made:
        made.ingress = options["ingress_port"]
        yield made


@pytest.fixture
def open_inside(build, site, tmp_path):
    """What is inside the sandbox of the project that a page shows: open_inside(page, name of its user, options
    of Sandbox) has its sandboxd, and the network up to it."""
    program = build / "runtime" / "sandboxd" / "sandboxd"
    if not program.exists():
        pytest.skip("sandboxd was not built: tools/install-packages build")
    with contextlib.ExitStack() as stack:
        def make(page, name, **options):
            client = site.client()
            client.login(name, PASSWORD)
            first = client.get(f"/api/sandbox/{page.driver.current_url.rsplit('/', 1)[1]}").json()
            sandbox = Sandbox(program, tmp_path / "sandbox", {"sandboxes": [first]}, **options)
            stack.callback(sandbox.stop)
            sandbox.line = Line(site.ingress, sandbox.connect)
            stack.callback(sandbox.line.close)
            return sandbox

        yield make


@pytest.fixture
def page(site, workspace, request):
    """Somebody with a browser of their own, which has the page open."""
    driver = chromium.start("--window-size=1100,1000", "--lang=en", "--force-color-profile=srgb")
    try:
        opened = Page(driver, site.url)
        yield opened
        assert opened.violations() == []
    finally:
        driver.save_screenshot(str(workspace / f"{request.node.name}.png"))
        driver.quit()


@pytest.fixture(scope="session")
def open_page():
    """For browsers with settings of their own: open_page(driver, url) is a Page."""
    return Page
