"""Cgroups of containers and of worlds."""

import contextlib
import os
import time


def remove(existing, seconds=10.0):
    """Removes the cgroups that existing() returns, with those below them.

    Waits for processes in them that are still ending; after `seconds`, what is left stays."""
    end = time.monotonic() + seconds
    while tops := existing():
        for top in tops:
            for folder, _, _ in os.walk(top, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(folder)
        if time.monotonic() > end:
            return
        time.sleep(0.05)
