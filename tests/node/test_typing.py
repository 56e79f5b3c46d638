"""Tests the way from logging in to a command typed into one's own pod, and what becomes of its results."""

import re
import subprocess
import time
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from people import eventually
from stand.node import ADDRESS
from stand.process import PATIENCE
from stand.stream import Stream

IDLE_S = 120
STAGES = ["database", "container", "network", "terminal", "ready"]


def fetch(authority, url, *flags):
    """Returns (status, body) of an address, requested from the node as anybody would."""
    host = urlsplit(url).hostname
    done = subprocess.run(
        ["curl", "-sS", "--cacert", authority.cert, "--resolve", f"{host}:443:{ADDRESS}",
         "-w", "\n%{http_code}", "--max-time", str(PATIENCE), *flags, url],
        capture_output=True, text=True,
    )
    body, _, status = done.stdout.rpartition("\n")
    return int(status or 0), body


@pytest.fixture(scope="module")
def ada(new_person):
    return new_person()


@pytest.fixture(scope="module")
def told(ada):
    """The event stream of Ada's page."""
    with Stream(ada.client, timeout=900) as stream:
        assert stream.status == 200
        yield stream


@pytest.fixture(scope="module")
def shop(ada, told):
    """A project with a database, whose events were followed from its creation until it runs."""
    project = ada.create("Web shop", database=True)

    def is_done(event):
        return event.data.get("id") == project.id and event.data["status"] in ("RUNNING", "ERROR")

    try:
        done = told.wait(is_done, 2 * PATIENCE)
    except TimeoutError as e:
        raise AssertionError(f"{e}\n{ada.namespace.describe()}") from None
    assert done.data["status"] == "RUNNING", f"{done}\n{ada.namespace.describe()}"
    return project


@pytest.fixture(scope="module")
def browser(new_browser):
    return new_browser()


@pytest.fixture(scope="module")
def quiet(ada, new_browser):
    """A terminal of another project, left alone since it was opened."""
    project = ada.create("Left alone")
    project.wait("RUNNING")
    opened = new_browser().open_terminal(project.sandbox()["ttydUrl"])
    opened.run("MARK=ki; MARK+=lo", "$")
    return SimpleNamespace(project=project, browser=opened, since=time.monotonic())


def home(node, project):
    """Returns the folder behind the project's home directory."""
    claim = project.person.namespace.get("PersistentVolumeClaim",
                                         f"home-{project.sandbox()['name']}-0")
    return node.folder(claim)


def terminal_url(project, session="main"):
    return f"{project.sandbox()['ttydUrl']}&arg={session}"


# ---- the tests, in the order of a day ------------------------------------------------------------


def test_it_runs_and_its_stages_were_sent(shop, told, quiet):
    seen = [e.data for e in told.named("project") if e.data["id"] == shop.id]
    assert seen[0]["status"] in ("CREATING", "STARTING")
    stages = [STAGES.index(data["sandboxes"][0]["stage"]) for data in seen if data["sandboxes"]]
    assert stages == sorted(stages) and stages[-1] == STAGES.index("ready"), stages
    assert stages[0] == STAGES.index("database"), stages  # done when the database runs
    assert shop.stages() == dict.fromkeys(STAGES, "done")


def test_the_pod_is_confined(shop, ada):
    (pod,) = [p for p in ada.namespace.items("Pod")
              if p["metadata"]["name"] == f"{shop.sandbox()['name']}-0"]
    (status,) = pod["status"]["containerStatuses"]
    assert status["ready"] and status["restartCount"] == 0
    namespace = ada.cluster.admin.get(f"/api/v1/namespaces/{ada.namespace.name}")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_a_command_typed_in_the_browser_runs_in_the_pod(shop, browser, node, workspace):
    browser.open_terminal(terminal_url(shop))
    browser.run("echo typed-$((6*7)) | tee typed.txt; hostname", "typed-42")
    browser.wait_for(f"{shop.sandbox()['name']}-0")
    browser.save(workspace / "terminal.png")
    assert (home(node, shop) / "typed.txt").read_text() == "typed-42\n"


def test_psql_reaches_the_projects_database(shop, browser):
    browser.run("until pg_isready -q; do sleep 1; done; "
                "psql -Atc \"select 'version ' || split_part(version(), ' ', 1)\"",
                "version PostgreSQL")
    browser.run("psql \"${DATABASE_URL%%\\?*}\" -Atc \"select 'by ' || current_user\"",
                "by postgres")


def test_the_token_guards_the_address(shop, authority):
    url = shop.sandbox()["ttydUrl"]
    assert fetch(authority, url)[0] == 200
    without = url.partition("?")[0]
    wrong = re.sub("authorization=....", "authorization=AAAA", url)
    assert [fetch(authority, u)[0] for u in (without, wrong)] == [401, 401]


def test_the_app_answers_at_its_address(shop, browser, authority):
    url = shop.sandbox()["publicUrl"]
    status, body = fetch(authority, url)
    assert status == 200 and "Your app will be here" in body
    browser.run("node -e \"require('http').createServer((q, s) => s.end('my ' + 'app'))"
                ".listen(3000, () => console.log('lis' + 'tens'))\" &", "listens")
    eventually(lambda: fetch(authority, url) == (200, "my app"),
               last=lambda: fetch(authority, url))


def test_files_survive_stop_and_start(shop, browser, authority):
    url = shop.sandbox()["ttydUrl"]
    shop.stop()
    shop.wait("STOPPED")
    assert fetch(authority, url)[0] in (404, 502, 503)
    shop.start()
    shop.wait("RUNNING")
    browser.open_terminal(terminal_url(shop))
    browser.run("cat typed.txt; echo a-new-she''ll", "a-new-shell")
    assert "typed-42" in browser.screen()
    # The Service learns the pod's new address a moment after the pod is ready.
    browser.run("until pg_isready -q; do sleep 1; done; "
                "psql -Atc \"select 'still ' || 'there'\"", "still there")


def test_a_changed_variable_is_in_a_new_shell(shop, browser):
    shop.set_variable("GREETING", "hello 'world' ✓")
    eventually(lambda: shop.status() != "RUNNING")
    shop.wait("RUNNING")
    browser.open_terminal(terminal_url(shop))
    browser.run('echo "=$GREETING="', "=hello 'world' ✓=")


def test_a_quiet_terminal_still_answers(quiet):
    time.sleep(max(0, quiet.since + IDLE_S - time.monotonic()))
    quiet.browser.run("echo still-$MARK", "still-kilo")


def test_after_a_deletion_nothing_is_left(shop, ada, authority):
    public, terminal = shop.sandbox()["publicUrl"], shop.sandbox()["ttydUrl"]
    names = [shop.sandbox()["name"], shop.database()["name"]]
    shop.delete()
    shop.wait_gone()
    left = [name for _, name in ada.namespace.everything() if any(n in name for n in names)]
    assert left == []
    for url in (public, terminal):
        eventually(lambda: fetch(authority, url)[0] == 404, last=lambda: fetch(authority, url))
