"""What `fsactl project explain` says of a fault, compared with what a person has read.

golden/<fault>.txt is the answer as it stands there, with placeholders for what differs from one run
to the next. After a change of texts, write the files anew and read them through:

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
# In this order: a later row sees what the earlier ones have left.
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
WAITS = 60  # seconds, for what follows from the next looks


class Explained:
    """explained(project, fault): fails, with the difference, unless that is what is said."""

    def __init__(self, site, rewrite):
        self._site = site
        self._rewrite = rewrite

    def text(self, project):
        """The answer, with placeholders."""
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
        """What it says most of the time: between two looks, not in one."""
        found = []
        end = time.monotonic() + 3
        while time.monotonic() < end:
            found.append(self.text(project))
        return max(set(found), key=found.count)
