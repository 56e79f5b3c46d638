"""Volumes: each claim has a folder, which is removed with the claim."""

import os
import re
import shutil
from pathlib import Path

from . import users


class Volumes:
    """The claims' folders. kubesim forgets all claims when it ends, but the folders must stay: one is removed only if
    its claim existed in this run and no longer does."""

    def __init__(self, directory):
        self._directory = Path(directory)
        self._known = set()
        self._used = {}  # claim → number of pods that use it

    def take(self, namespace, claim, owner):
        """Returns the claim's folder; a new one is given to `owner`, a (uid, gid)."""
        folder = self._folder(namespace, claim)
        self._used[namespace, claim] = self._used.get((namespace, claim), 0) + 1
        if not folder.exists():
            folder.mkdir(parents=True)
            folder.chmod(0o770)
            os.chown(folder, *users.owned(*owner))
        users.shift(folder)  # made by a node that did not shift users yet
        return folder

    def release(self, namespace, claim):
        self._used[namespace, claim] -= 1

    def sync(self, claims):
        there = {(c["metadata"]["namespace"], c["metadata"]["name"]) for c in claims}
        for key in {key for key in self._known - there if not self._used.get(key)}:
            shutil.rmtree(self._folder(*key), ignore_errors=True)
            self._known.discard(key)
        self._known |= there

    def _folder(self, namespace, claim):
        """Returns the folder of a claim. Names in Kubernetes contain no slash and do not begin with a dot."""
        for name in (namespace, claim):
            if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", name):
                raise ValueError(f"{name!r} is no name")
        return self._directory / namespace / claim
