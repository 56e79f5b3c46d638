"""Pristine machines, and this repository for them to clone."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "node")]

from pristine import Pristine, base, missing  # noqa: E402
from readme import GOT, commands  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def bundle(workspace):
    """Returns the repository, including uncommitted changes, as a bundle that git can clone."""
    tree, file = workspace / "repository", workspace / "fullstack-agent.bundle"
    git = ["git", "-C", tree, "-c", "user.name=x", "-c", "user.email=x@localhost"]
    subprocess.run([ROOT / "tools" / "copy-sources", tree], check=True)
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "sources"],
                  ["bundle", "create", "-q", file, "HEAD", "main"]):
        subprocess.run([*git, *words], check=True)
    file.chmod(0o644)
    return file


@pytest.fixture(scope="session")
def make_pristine(workspace, bundle):
    """make_pristine(name, further layers...): makes machines."""
    if why := missing():
        pytest.skip(why)
    made = []

    def make(name, *layers, binds=None):
        number = len(made)  # a machine's directory is never reused
        machine = Pristine(workspace / f"{name}{number}", [base(), *layers],
                           {bundle: GOT, **(binds or {})})
        made.append(machine)
        machine.start()
        return machine

    yield make
    for machine in made:
        machine.stop()


@pytest.fixture(scope="session")
def make_cloned(make_pristine):
    """make_cloned(name, layers...): makes machines that have git and root's clone, the first commands of the
    README."""
    first = make_pristine("cloned")
    first.run("\n".join(commands()["Try it"][0].splitlines()[:2]))
    layer = first.layer()
    return lambda name, *layers, **options: make_pristine(name, layer, *layers, **options)
