"""The README's first commands on a pristine machine, as root: in /root, closed to others, under umask
077, with a locale that is not installed, and interrupted at every point.

The order matters: each test continues from the state that the previous one has left.
"""

import re

import pytest
import requests

from chromium import Browser
from demo import Demo
from pristine import CACHED
from readme import commands, session

# Output at which Ctrl-C is pressed. The stages after the database's pass too quickly.
MOMENTS = ("packages ", r"\+ packages ", "copying the sources", "autoreconf", "configure: checking",
           "make: ", "make install",
           r"\+ build ", r"\+ images ", r"\+ node ", r"\+ postgresql ", r"\+ site ", r"\+ demo user ",
           r"\+ kubeconfig ", r"\+ project ")
CLONE = "cd fullstack-agent; umask 077; "


@pytest.fixture(scope="module")
def machine(make_pristine):
    """A machine where all of the README's commands but the last, the quick start, were run."""
    CACHED.mkdir(parents=True, exist_ok=True)
    machine = make_pristine("root", binds={CACHED: "/root/.cache/fullstack-agent/runtime"})
    *first, last = commands()["Try it"][0].splitlines()
    assert last == "tools/quickstart"
    machine.run("\n".join(["umask 077", *first]))
    return machine


@pytest.fixture(scope="module")
def pristine_mounts(machine):
    """The mounts before anything is started; the first test uses this fixture."""
    return machine.mounts()


@pytest.fixture
def demo(machine):
    """The demo user of the quick start."""
    return Demo(machine.run(CLONE + "tools/quickstart"), machine.status(CLONE))


def test_an_interrupted_quick_start_succeeds_when_run_again(machine, pristine_mounts):
    assert "/" in pristine_mounts
    for moment in MOMENTS:
        terminal = machine.terminal(CLONE + "tools/quickstart")
        terminal.wait_for(moment)
        terminal.press_ctrl_c()
        assert terminal.end() == 130, f"{moment}\n{terminal.shown[-3000:]}"
        assert "run it again to go on" in terminal.shown, moment
        assert "Traceback" not in terminal.shown, f"{moment}\n{terminal.shown[-3000:]}"
        if moment == r"\+ site ":
            assert re.search(r"still running: kubesim, node, postgres, .*\s+tools/quickstart --stop",
                             terminal.shown)
    terminal = machine.terminal(CLONE + "tools/quickstart")
    assert terminal.end() == 0, terminal.shown[-3000:]
    assert re.search(r"project +demo, RUNNING", terminal.shown)


def test_a_browser_gets_the_page(machine):
    answer = requests.get(machine.status(CLONE)["site"], timeout=60)
    assert answer.status_code == 200 and "<html" in answer.text
    script = re.search(r'src="([^"]+\.js)"', answer.text)[1]
    assert requests.get(f"{machine.status(CLONE)['site']}/{script.lstrip('/')}", timeout=60).ok


def test_no_program_runs_twice(machine):
    running = [process for process in machine.processes() if "kubesim" in process]
    assert len(running) == 1, running
    assert len([p for p in machine.processes() if "/postgres -D" in p]) == 1


def test_a_second_run_leaves_running_servers_alone(machine):
    before = machine.status(CLONE)
    machine.run(CLONE + "tools/quickstart")
    assert machine.status(CLONE) == before


def test_the_printed_terminal_opens_in_a_browser_and_shows_a_row_of_its_database(demo, workspace):
    browser = Browser(workspace / "profile")
    try:
        browser.open_terminal(demo.printed("terminal"))
        browser.run("psql \"$DATABASE_URL\" -c 'select 1'", shows="(1 row)")
        assert re.search(r"column\?\s+-+\s+1\s+\(1 row\)", browser.screen()), browser.screen()
    finally:
        browser.save(workspace / "terminal.png")
        browser.close()


def test_the_printed_application_is_one_that_uses_the_database(demo):
    assert re.match(r"Hello from demo: visit \d+, says the database", demo.get("application"))
    assert "psql" in demo.ask("cat README.md")


def test_a_file_in_the_home_directory_survives_stop_and_start(demo):
    demo.ask("echo precious >kept; sync")
    demo.change("stop", "STOPPED")
    assert "no sandbox of this name" in demo.get("application")
    demo.change("start", "RUNNING")
    assert demo.ask("cat kept") == "precious"


def test_two_projects_cannot_reach_each_other(demo):
    other = demo.make("other")
    theirs = [demo.address(name) for name in
              (f"{other['sandboxes'][0]['sandboxName']}-0", f"{other['databases'][0]['databaseName']}-postgresql-0")]
    own = demo.address(f"{demo.project['databases'][0]['databaseName']}-postgresql-0")
    reach = "timeout 2 bash -c 'echo >/dev/tcp/{}/{}' 2>/dev/null && echo open || echo shut"
    assert demo.ask(reach.format(own, 5432)) == "open"
    for address, port in ((theirs[0], 7681), (theirs[0], 3000), (theirs[1], 5432)):
        assert demo.ask(reach.format(address, port)) == "shut", port
    demo.remove(other)


def test_the_session_with_curl_is_as_the_readme_has_it(machine):
    machine.run("apt-get install -y curl jq")
    shown = machine.run(CLONE + "\n".join(session()))
    assert '"name":"shop"' in shown and '"success":true,"count":1' in shown
    assert "Project stop requested" in shown and "Project deletion requested" in shown
    assert '"token":"fsa_' in shown


def test_the_first_five_minutes_at_the_command_line_are_as_the_readme_has_them(machine):
    shown = machine.run(CLONE + commands()["Try it"][2])
    assert re.search(r"\bdemo +RUNNING\b", shown), shown


def test_a_failed_run_says_what_it_leaves_running_and_how_to_end_it(machine):
    done = machine.run(CLONE + "tools/quickstart --option kube_allow_addresses=", check=False)
    assert done.returncode == 1 and "\033" not in done.stdout, done.stdout
    command = re.search(r"still running: kubesim, .*nginx\n +(tools/quickstart --stop)", done.stdout)
    assert command, done.stdout
    machine.run(CLONE + command[1])
    assert machine.processes() == []


def test_stopped_the_status_says_so_and_a_start_brings_it_back(machine):
    before = machine.status(CLONE, expect=1)
    machine.run(CLONE + "tools/quickstart --option kube_allow_addresses=127.0.0.0/8")
    after = machine.status(CLONE)
    assert [after[name] for name in ("site", "password", "project")] == [
        before[name] for name in ("site", "password", "project")]


def test_purged_nothing_is_left(machine, pristine_mounts):
    machine.run(CLONE + "tools/quickstart --purge")
    assert machine.processes() == [] and machine.mounts() == pristine_mounts
    assert [f for f in machine.files() if "quickstart-" in f] == []
    assert machine.run(CLONE + "tools/quickstart --status", check=False).returncode == 1
    assert [f for f in machine.files() if "quickstart-" in f] == []
