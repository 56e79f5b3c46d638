"""The README's commands for a user with sudo, in a path with blanks, under umask 077, without a terminal.

The order matters: each test continues from the state that the previous one has left.
"""

import re

import pytest
import requests

from demo import Demo
from pristine import CACHED, USER
from readme import GOT, commands

PLACE = "mkdir -p 'my work'; cd 'my work'; umask 077; "
CLONE = PLACE + "cd fullstack-agent; "


@pytest.fixture(scope="module")
def machine(make_pristine):
    """A machine with git and the clone."""
    CACHED.mkdir(parents=True, exist_ok=True)
    machine = make_pristine("user", binds={CACHED: "/root/.cache/fullstack-agent/runtime"})
    machine.run("chmod 700 ~", USER)
    machine.run(PLACE + "\n".join(commands()["Try it"][1].splitlines()[:-2]), USER)
    return machine


def test_without_the_packages_it_says_how_to_get_them_and_changes_nothing(machine):
    before = machine.files()
    done = machine.run(CLONE + "tools/quickstart", USER, check=False)
    assert done.returncode == 1 and "\033" not in done.stdout and "\r" not in done.stdout
    assert "postgresql-15" in done.stdout and machine.files() == before
    (command,) = re.findall(r"^ +(sudo .*)$", done.stdout, re.M)
    assert command.endswith("tools/install-packages build run")
    machine.run(command, USER)


def test_the_packages_services_are_neither_started_nor_enabled(machine):
    assert machine.processes() == []
    enabled = r"/etc/rc[2345]\.d/S\d\d(postgresql|nginx)"
    assert [f for f in machine.files() if re.match(enabled, f)] == []
    assert not machine.path("/usr/sbin/policy-rc.d").exists()


@pytest.fixture(scope="module")
def before(machine):
    """The files and mounts with the packages installed and nothing started."""
    *_, packages, _ = commands()["Try it"][1].splitlines()
    assert "all installed already" in machine.run(f"{CLONE}{packages}", USER)
    return machine.files(), machine.mounts()


@pytest.fixture(scope="module")
def shown(machine, before):
    """The output of the quick start."""
    return machine.run(CLONE + commands()["Try it"][1].splitlines()[-1], USER)


def test_the_commands_of_the_readme_lead_to_a_running_project(machine, shown):
    assert re.search(r"^project +demo, RUNNING$", shown, re.M)
    assert "\033" not in shown and "\r" not in shown
    answer = requests.get(machine.status(CLONE, USER)["site"], timeout=60)
    assert answer.status_code == 200 and "<html" in answer.text


def test_sudo_gives_its_user_real_containers_and_says_why(machine, shown):
    assert "containers need root: sudo starts them, and everything else runs as you\n" in shown
    demo = Demo(shown, machine.status(CLONE, USER))
    assert re.search(r"\(1 row\)", demo.ask("psql \"$DATABASE_URL\" -c 'select 1'"))
    assert re.match(r"Hello from demo: visit \d+", demo.get("application"))


def test_only_the_node_runs_as_root(machine, shown):
    status = machine.status(CLONE, USER)["processes"]
    owners = {name: machine.run(f"stat -c %U /proc/{process['pid']}").split()[-1] for name, process in status.items()}
    assert {name for name, owner in owners.items() if owner != USER} == {"node"}


def test_only_root_can_replace_what_the_node_uses(machine, shown):
    log = machine.status(CLONE, USER)["processes"]["node"]["log"]
    assert log.startswith("/var/lib/fullstack-agent-node-")
    folders = re.findall(r"^ d(\S+) (\S+) ", machine.run(f"namei -om {log}"), re.M)
    assert len(folders) == log.count("/")
    assert [(mode, owner) for mode, owner in folders if owner != "root" or mode[7] == "w"] == []


def test_purged_nothing_is_left_that_was_not_there_before(machine, before, shown):
    machine.run(CLONE + "tools/quickstart --stop", USER)
    assert machine.processes() == []
    machine.run(CLONE + "tools/quickstart --purge", USER)
    files, mounts = before
    assert machine.processes() == [] and machine.mounts() == mounts
    assert machine.files() - files == set()


def test_without_sudo_pods_are_simulated_and_that_is_said_at_once(machine):
    machine.run("useradd -m -s /bin/bash bob")
    machine.run(f"git clone -q {GOT} fullstack-agent", "bob")
    terminal = machine.terminal("fullstack-agent/tools/quickstart </dev/null", "bob")
    terminal.wait_for("pods will only be simulated: real containers need root, and sudo does not let you become that")
    terminal.press_ctrl_c()
    assert terminal.end() == 130
    machine.run("fullstack-agent/tools/quickstart --purge", "bob")
    assert machine.processes() == []
