"""Reads the commands of README.md."""

import re
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"
GOT = "/srv/fullstack-agent.bundle"  # replaces REPOSITORY


def commands():
    """Returns heading → the shell commands (```sh) under it, one script per block."""
    sections = re.split(r"^## (.*)$", README.read_text(), flags=re.M)[1:]
    found = {heading: re.findall(r"^```sh\n(.*?)^```$", text, flags=re.M | re.S)
             for heading, text in zip(sections[::2], sections[1::2])}
    return {heading: [block.replace("REPOSITORY", GOT) for block in blocks]
            for heading, blocks in found.items() if blocks}


def session():
    """Returns what a person types who follows the curl session: the block, and the lines after `$`."""
    text = README.read_text().split("## A session with curl\n", 1)[1].split("\n## ", 1)[0]
    lines = re.findall(r"^    \$ (.*(?:\\\n.*)*)$", text, re.M)
    # One of them runs until it is interrupted.
    return commands()["A session with curl"] + [line for line in lines if " -N " not in line]
