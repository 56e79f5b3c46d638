"""Compares the table of commands with the manual page, --help and bash's completion."""

import re
import subprocess
from pathlib import Path

import command_table
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def table(build):
    return command_table.printed(build / "fsactl")


def test_the_manual_page_has_every_command_and_option_and_no_other(table):
    page = command_table.documented("fsactl.8", first=".Ss Setting up", after=".Sh EXIT STATUS")
    assert page == command_table.without_common(table)


def test_help_has_every_command(build, table):
    text = subprocess.run([build / "fsactl", "--help"], capture_output=True, text=True).stdout
    for name in table:
        assert f"\n  {name}" in text


def run(build, *words):
    return subprocess.run([build / "fsactl", *words], capture_output=True, text=True)


def test_every_command_explains_itself_and_no_other(build, table):
    for name, (arguments, options) in table.items():
        done = run(build, *name.split(), "--help")
        assert (done.returncode, done.stderr) == (0, ""), name
        assert f"\n  {name}" in done.stdout
        assert [other for other in table if f"\n  {other}" in done.stdout] == [name]
        shown = set(re.findall(r"^  (--\S+)", done.stdout, flags=re.M))
        assert shown == {option.rstrip("=") for option in options}, name


def test_a_family_lists_its_commands_and_no_others(build, table):
    for family in {name.split()[0] for name in table if " " in name}:
        done = run(build, family, "--help")
        assert (done.returncode, done.stderr) == (0, "")
        shown = [name for name in table if f"\n  {name}" in done.stdout]
        assert shown == [name for name in table if name.startswith(f"{family} ")]


@pytest.mark.parametrize("words, told", [
    (["projct", "list"], '"projct" is no command; there are '),
    (["user", "lst"], '"user lst" is no command; user is followed by one of list, show,'),
    (["user"], "user is followed by one of list, show,"),
    (["frobnicate", "--help"], '"frobnicate" is no command'),
])
def test_an_unknown_command_is_named_in_one_line(build, words, told):
    done = run(build, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr and done.stderr.count("\n") == 1


def test_an_option_that_does_not_exist_is_named(build):
    done = run(build, "--confg", "x")
    assert done.returncode == 2 and "--confg" in done.stderr and done.stderr.count("\n") == 2


def complete(build, *words):
    """Returns what bash offers for the last of `words`."""
    script = f"""
        source {ROOT}/completions/fsactl
        compopt() {{ :; }}
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _fsactl
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script, "bash", build / "fsactl", *words],
                          capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize("words, offered", [
    (["us"], {"user"}),
    (["user", "s"], {"show", "sessions"}),
    (["--config", "x", "user", "sh"], {"show"}),
    (["user", "sessions", "ada", "--"], {"--json", "--end"}),
    (["migrate", "--sql"], {"--sql-dir="}),
    (["keys", "add", "c"], {"cluster"}),
    (["--v"], {"--version"}),
    (["nothing", "x"], set()),
])
def test_bash_completes(build, words, offered):
    assert set(complete(build, *words)) == offered


def test_bash_completes_every_command(build, table):
    for name, (_, options) in table.items():
        words = name.split()
        assert words[-1] in complete(build, *words[:-1], words[-1][:2])
        assert set(complete(build, *words, "--")) == set(options)
