"""Compares the table of commands with the manual page, --help and bash's completion."""

import subprocess
from pathlib import Path

import command_table
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def table(build):
    return command_table.printed(build / "fsa")


def test_the_manual_page_has_every_command_and_option_and_no_other(table):
    page = command_table.documented("fsa.1", first=".Ss Logging in", after=".Sh ENVIRONMENT")
    assert page == command_table.without_common(table)


def test_every_command_explains_itself(build, table):
    for name in table:
        done = subprocess.run([build / "fsa", *name.split(), "--help"], capture_output=True,
                              text=True)
        assert (done.returncode, done.stderr) == (0, ""), name
        assert [other for other in table if f"\n  {other}" in done.stdout] == [name]


def complete(build, env, *words):
    """Returns what bash offers for the last of `words`."""
    script = f"""
        source {ROOT}/completions/fsa
        compopt() {{ :; }}
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _fsa
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script, "bash", build / "fsa", *words],
                          capture_output=True, text=True, check=True, env=env)
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


def test_bash_completes_every_command_with_its_options(build, home, table):
    for name, (_, options) in table.items():
        words = name.split()
        assert words[-1] in complete(build, home.env, *words[:-1], words[-1][:2])
        assert set(complete(build, home.env, *words, "--")) == set(options)


def test_bash_completes_the_names_of_ones_own_projects(build, ada, home):
    assert complete(build, ada.env, "stop", "sh") == ["shop"]
    assert complete(build, ada.env, "env", "set", "sh") == ["shop"]
    assert complete(build, home.env, "stop", "sh") == []  # not logged in
