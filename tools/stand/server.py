"""What all servers of the stand have in common."""

import signal
from pathlib import Path

from .process import Process


class Server:
    """A program, or several that belong together, with everything of theirs in one directory.

    `with` starts and stops it. What start() does is up to each kind of server; it returns when the
    server can be used.

    names        of its programs, in the order in which they are started
    stop_signal  what asks them to end
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
        """One of its programs; of a server that is a single program, that one."""
        return self._processes[name or next(iter(self._processes))]

    def pid(self, name=None):
        """None when it is not running."""
        return self.process(name).pid()

    def log(self, name=None):
        """The path of the program's log."""
        return self.process(name).log

    def status(self):
        """Program → pid, or None for one that is not running."""
        return {name: process.pid() for name, process in self._processes.items()}
