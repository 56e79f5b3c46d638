"""The README's commands for a user with sudo, in a path with blanks, under umask 077, off a terminal.

In this order: each test goes on with what the one before has left.
"""

import re

import pytest
import requests

from pristine import USER
from readme import commands

PLACE = "mkdir -p 'my work'; cd 'my work'; umask 077; "
CLONE = PLACE + "cd fullstack-agent; "


@pytest.fixture(scope="module")
def machine(make_pristine):
    """With git and the clone."""
    machine = make_pristine("user")
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


def test_the_commands_of_the_readme_lead_to_a_running_project_and_purged_leave_nothing(machine):
    *_, packages, quickstart = commands()["Try it"][1].splitlines()
    assert "all installed already" in machine.run(f"{CLONE}{packages}", USER)
    files, mounts = machine.files(), machine.mounts()
    shown = machine.run(CLONE + quickstart, USER)
    assert re.search(r"^project +demo, RUNNING$", shown, re.M)
    assert "(No container runs behind these two: real containers need root.)" in shown
    assert "\033" not in shown and "\r" not in shown
    answer = requests.get(machine.status(CLONE, USER)["site"], timeout=60)
    assert answer.status_code == 200 and "<html" in answer.text
    machine.run(CLONE + "tools/quickstart --purge", USER)
    assert machine.processes() == [] and machine.mounts() == mounts
    assert machine.files() - files == set()
