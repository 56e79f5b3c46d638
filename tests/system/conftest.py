"""A machine with our package, installed and set up as docs/installation.md says."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import machine as machines  # noqa: E402
from installation import browser, install  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
# What the package is made of, apart from its documents.
PACKAGED = ("Makefile.am", "configure.ac", *(f"{name}/**/*" for name in (
    "src", "cgi-bin", "kubesim", "sql", "nginx", "systemd", "packaging", "debian", "man",
    "completions", "web")))

KEPT = 8


@pytest.fixture(scope="session")
def deb(build, workspace):
    """Our package as `make deb` makes it; the last few are cached by a digest of their sources.

    Skips the test if no machine can run here.
    """
    if why := machines.missing():
        pytest.skip(why)
    digest = hashlib.sha256()
    for folder in PACKAGED:
        for path in sorted(ROOT.glob(folder)):
            if path.is_file():
                digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    kept = machines.CACHE / "packages" / f"{digest.hexdigest()[:16]}.deb"
    if not kept.exists():
        made = subprocess.run(["make", "-C", build, "deb"], capture_output=True, text=True)
        assert made.returncode == 0, (made.stdout + made.stderr)[-3000:]
        (found,) = (build / "deb").glob("fullstack-agent_*.deb")
        _keep(found, kept)
    return Path(shutil.copy(kept, workspace))


def _keep(found, kept):
    """Other runs may be doing the same concurrently."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    partial = kept.with_suffix(f".{os.getpid()}")
    shutil.copyfile(found, partial)
    partial.rename(kept)
    for old in sorted(kept.parent.glob("*.deb"), key=os.path.getmtime)[:-KEPT]:
        old.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def bare_machine(workspace, deb):
    """bare_machine(name): makes machines without our package; further arguments go to Machine."""
    started = []
    downloaded = machines.needs(deb)

    def make(name, **options):
        machine = machines.Machine(workspace / name, downloaded, **options)
        started.append(machine)
        machine.start()
        return machine

    yield make
    for machine in started:
        machine.stop()


@pytest.fixture(scope="session")
def machine(bare_machine, deb):
    """One machine for the whole run. A test must leave it working."""
    machine = bare_machine("machine")
    install(machine, deb)
    return machine


@pytest.fixture
def client(machine):
    return browser(machine)
