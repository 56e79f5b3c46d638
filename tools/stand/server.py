"""The base class of all servers of the stand."""

import signal
from pathlib import Path

from .process import Process


class Server:
    """A program, or several that belong together, with everything of theirs in one directory.

    `with` starts and stops it. Each subclass defines start(), which returns when the server can be
    used.

    names        of its programs, in the order in which they are started
    stop_signal  the signal that asks them to end
    patience     seconds after which they are killed instead
    outlive      they survive this Python process; otherwise the kernel ends them with it
    """

    def __init__(self, directory, *names, stop_signal=signal.SIGTERM, patience=10.0, outlive=False):
        self.directory = Path(directory).resolve()
        self._patience = patience
        self._outlive = outlive
        self._processes = {name: Process(self.directory, name, stop_signal) for name in names}

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        for process in reversed(self._processes.values()):
            process.stop(self._patience)

    def process(self, name=None):
        """Returns one of its programs; the first by default."""
        return self._processes[name or next(iter(self._processes))]

    def pid(self, name=None):
        """Returns a program's pid; None if it is not running."""
        return self.process(name).pid()

    def log(self, name=None):
        """Returns the path of a program's log."""
        return self.process(name).log

    def status(self):
        """Returns program → pid, None for those that are not running."""
        return {name: process.pid() for name, process in self._processes.items()}
