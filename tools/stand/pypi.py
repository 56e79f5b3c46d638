"""Programs from PyPI that tests run: exactly those of a requirements.txt with digests.

    env = {**os.environ, "PYTHONPATH": pypi.packages("tests/properties/requirements.txt")}
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from .process import StandError

CACHE = Path(os.environ.get("FSA_CACHE") or Path.home() / ".cache" / "fullstack-agent")


def packages(requirements):
    """Returns the folder of the packages. The first time, fetches them as wheels only, so that no code of theirs
    runs."""
    digest = hashlib.sha256(Path(requirements).read_bytes()).hexdigest()
    place = CACHE / f"pypi-{digest[:16]}-{sys.version_info[0]}.{sys.version_info[1]}"
    if not place.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            made = Path(folder) / "pypi"
            _install(requirements, made)
            try:
                made.rename(place)
            except OSError:  # another process was faster
                if not place.exists():
                    raise
    return place


def _install(requirements, folder):
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps",
               "--only-binary", ":all:", "--no-warn-script-location", "--root-user-action=ignore",
               "--retries=5", "--target", folder, "--requirement", requirements]  # PyPI may fail for a moment
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=1200)
    if done.returncode != 0:
        raise StandError(f"pip install failed for {requirements}:\n{done.stderr}")
