"""Compares what `fsactl project explain` says about a fault with a reviewed text.

golden/<fault>.txt is its output, with placeholders for what differs between runs. After a change of
texts, rewrite the files and review them:

    FSA_BUILD=build /usr/bin/python3 -m pytest -p no:cacheprovider tests/reconcile --rewrite
"""

import difflib
import re
import subprocess
import time
from pathlib import Path

from people import eventually

GOLDEN = Path(__file__).resolve().parent / "golden"

UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# The order matters: later patterns match what earlier ones have left.
VARIES = (
    (UUID, "<id>"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<moment>"),
    (r"https://[\w.:-]+", "<server>"),
    (r"\bns-user\d+", "<namespace>"),
    (r"\buser\d+", "<user>"),
    (r"\b[a-z][a-z0-9-]*-agentruntime-[a-z]{6}", "<sandbox>"),
    (r"\b[a-z][a-z0-9-]*-db-[a-z]{6}", "<database>"),
    (r"\bnode-\d+", "<node>"),
    (r"\b(?:\d+[dhm] \d+[hms]|\d+m?s)\b", "<time>"),
    (r"\b\d+ (seconds|restarts|times)\b", r"<n> \1"),
    (r"(?m)^(\s+next +).*$", r"\1<when>"),
)
WAITS = 60  # seconds, for what follows from the next observations


class Explained:
    """explained(project, fault): fails, and shows the difference, unless the output matches."""

    def __init__(self, site, rewrite):
        self._site = site
        self._rewrite = rewrite

    def text(self, project):
        """Returns the output with placeholders."""
        programs = self._site.programs
        command = [programs.program("fsactl"), "--config", programs.config(), "project", "explain",
                   project.id]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        text = done.stdout
        for pattern, placeholder in VARIES:
            text = re.sub(pattern, placeholder, text)
        return text

    def __call__(self, project, fault):
        path = GOLDEN / f"{fault}.txt"
        if self._rewrite:
            path.write_text(self._settled(project))
            return
        expected = path.read_text()
        try:
            eventually(lambda: self.text(project) == expected, WAITS)
        except AssertionError:
            difference = difflib.unified_diff(expected.splitlines(), self.text(project).splitlines(),
                                              str(path), "explained", lineterm="")
            raise AssertionError("\n".join(difference)) from None

    def _settled(self, project):
        """Returns the most frequent output, which is that between observations, not during one."""
        found = []
        end = time.monotonic() + 3
        while time.monotonic() < end:
            found.append(self.text(project))
        return max(set(found), key=found.count)
