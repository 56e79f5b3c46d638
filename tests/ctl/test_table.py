"""What must agree with the table of commands: the manual page, --help and bash's completion."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MANUAL = (ROOT / "man/fsactl.8").read_text()


@pytest.fixture(scope="session")
def table(build):
    """Command → (arguments, options), as fsactl prints it; no configuration is needed for that."""
    done = subprocess.run([build / "fsactl", "--commands"], capture_output=True, text=True,
                          check=True)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return {name: (arguments, options.split()) for name, options, arguments in rows}


def manual_commands():
    """Command → its part of the manual page."""
    body = MANUAL[MANUAL.index(".Ss Setting up"):MANUAL.index(".Sh EXIT STATUS")]
    parts = re.split(r"^\.It Cm ", body, flags=re.M)[1:]
    heads = [re.split(r" (?:Ar|Cm) ", part.splitlines()[0])[0] for part in parts]
    return dict(zip(heads, parts))


def test_the_manual_page_has_every_command_and_no_other(table):
    assert set(manual_commands()) == set(table)


def test_the_manual_page_has_every_option_and_no_other(table):
    for name, part in manual_commands().items():
        documented = {f"--{word}" for word in re.findall(r"^\.It Fl -(\S+)", part, flags=re.M)}
        options = {option.rstrip("=") for option in table[name][1]} - {"--json"}
        assert documented == options, name


def test_help_has_every_command(build, table):
    text = subprocess.run([build / "fsactl", "--help"], capture_output=True, text=True).stdout
    for name in table:
        assert f"\n  {name}" in text


def complete(build, *words):
    """What bash offers for the last of `words`."""
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
