"""Reads the commands of fsa or fsactl, and what their manual pages say about them."""

import re
import subprocess
from pathlib import Path

MANUALS = Path(__file__).resolve().parents[1] / "man"


def printed(program):
    """Returns command → (arguments, options), as the program prints them; this needs no configuration."""
    done = subprocess.run([program, "--commands"], capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return {name: (arguments, options.split()) for name, options, arguments in rows}


def documented(page, first, after):
    """Returns command → options, as the manual page has them between two of its headings."""
    text = (MANUALS / page).read_text()
    parts = re.split(r"^\.It Cm ", text[text.index(first):text.index(after)], flags=re.M)[1:]
    heads = [re.split(r" (?:Ar|Op|Cm|Fl) ", part.splitlines()[0])[0] for part in parts]
    options = [{f"--{word}" for word in re.findall(r"^\.It Fl -(\S+)", part, flags=re.M)} for part in parts]
    return dict(zip(heads, options))


def without_common(table):
    """Returns command → options, without --json, which all commands have."""
    return {name: {option.rstrip("=") for option in options} - {"--json"}
            for name, (_, options) in table.items()}
