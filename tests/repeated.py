"""Repeats something while a test does something else."""

import threading


class Repeated:
    """Calls step() of a subclass in a thread, one call after the other, until its block ends."""

    def __init__(self, pause_s=0.0):
        self._pause_s = pause_s
        self._stop = threading.Event()
        self._error = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        if self._error:
            raise self._error

    def _run(self):
        try:
            while not self._stop.wait(self._pause_s):
                self.step()
        except BaseException as e:
            self._error = e
