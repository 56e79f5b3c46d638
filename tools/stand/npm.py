"""Programs from npm that tests run against: exactly those of tests/browser/node/package-lock.json.

    modules = npm.modules()        # …/node_modules
"""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from .process import StandError

SOURCE = Path(__file__).resolve().parents[2] / "tests" / "browser" / "node"
CACHE = Path.home() / ".cache" / "fullstack-agent"


def modules():
    """The folder with the packages; the first time they are fetched, without running their scripts."""
    lock = (SOURCE / "package-lock.json").read_bytes()
    place = CACHE / f"npm-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not place.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            _install(Path(folder) / "npm")
            try:
                (Path(folder) / "npm").rename(place)
            except OSError:  # somebody else was faster
                if not place.exists():
                    raise
    return place / "node_modules"


def _install(folder):
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCE / name, folder)
    command = ["npm", "ci", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund",
               "--fetch-retries=5"]  # the registry may hiccup
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=1200)
    if done.returncode != 0:
        raise StandError(f"npm ci failed in {SOURCE}:\n{done.stderr}")
