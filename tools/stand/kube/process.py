"""Starts a program, remembers it by pid and start time, and ends exactly that one.

The start time (from /proc/PID/stat) is kept with the pid, so that a number which the kernel has
given to somebody else in the meantime is never signalled.
"""

import json
import os
import signal
import subprocess
import time
from pathlib import Path


class Process:
    """One program of a stand: its pid file and its log lie in the stand's directory."""

    def __init__(self, directory, name):
        self.name = name
        self.log = Path(directory, "logs", f"{name}.log")
        self._file = Path(directory, "pids", f"{name}.json")
        self._child = None

    def start(self, command, env=None, outlive=False):
        """Starts the program and returns True, or False when it runs already.

        outlive lets it survive this process; otherwise the kernel ends it with the thread that
        called, so that even a kill -9 leaves nothing behind.
        """
        if self.running():
            return False
        for path in (self.log, self._file):
            path.parent.mkdir(parents=True, exist_ok=True)
        if not outlive:
            command = ["setpriv", "--pdeathsig", "KILL", *command]
        with open(self.log, "ab") as log:
            self._child = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
                start_new_session=True,  # Ctrl-C in a terminal must not reach the stand
            )
        self._remember(self._child.pid)
        return True

    def stop(self, patience=10.0):
        """Ends the program: SIGTERM, then SIGKILL when patience (in seconds) is over."""
        pid = self.pid()
        if pid:
            _signal(pid, signal.SIGTERM)
            if not self._wait_gone(patience):
                _signal(pid, signal.SIGKILL)
                self._wait_gone(5.0)
        self._file.unlink(missing_ok=True)

    def running(self):
        return self.pid() is not None

    def pid(self):
        """The pid if that very process still runs, else None."""
        if self._child:
            self._child.poll()  # reaps it, so that a zombie does not count as running
        try:
            known = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return None
        return known["pid"] if _start_time(known["pid"]) == known["started"] else None

    def log_tail(self, lines=15):
        try:
            text = self.log.read_text(errors="replace")
        except OSError:
            return ""
        return "\n".join(line[:300] for line in text.splitlines()[-lines:])

    def _remember(self, pid):
        temp = self._file.with_suffix(".tmp")
        temp.write_text(json.dumps({"pid": pid, "started": _start_time(pid)}))
        temp.rename(self._file)

    def _wait_gone(self, seconds):
        end = time.monotonic() + seconds
        while self.running():
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True


def _start_time(pid):
    """Clock ticks from boot to the start of the process; None when there is none or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name before it may contain spaces
    return None if fields[0] == "Z" else int(fields[19])


def _signal(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
