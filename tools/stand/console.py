"""Shows the progress of a long job: one line per step with its duration, animated while the step runs."""

import contextlib
import shutil
import sys
import threading
import time

_FRAMES = "|/-\\"
_WIDTH = 18


class Console:
    """Prints to standard output; if that is not a terminal, only finished lines."""

    def __init__(self):
        self._moving = sys.stdout.isatty()

    @contextlib.contextmanager
    def step(self, name):
        """A step: `with console.step("build") as step: step.note = "what is going on"`.

        step.result is printed on the finished line. An exception marks the step as failed and
        propagates; the caller prints why.
        """
        step = _Step(name)
        done = threading.Event()
        mover = threading.Thread(target=self._move, args=(step, done), daemon=True)
        if self._moving:
            mover.start()
        try:
            yield step
        except BaseException:
            step.result, step.mark = "FAILED", "x"
            raise
        finally:
            done.set()
            if self._moving:
                mover.join()
            self._finish(step)

    def line(self, text=""):
        print(text, flush=True)

    def _move(self, step, done):
        frame = 0
        while not done.wait(0.1):
            frame = (frame + 1) % len(_FRAMES)
            self._draw(f"{_FRAMES[frame]} {step.name:{_WIDTH}}{step.seconds():7.1f} s  {step.note}")

    def _draw(self, text):
        # \033[K clears to the end of the line. A line that wraps could not be overwritten, so it is cut.
        width = shutil.get_terminal_size().columns - 1
        sys.stdout.write("\r" + text[:width] + "\033[K")
        sys.stdout.flush()

    def _finish(self, step):
        if self._moving:
            self._draw("")
            sys.stdout.write("\r")
        self.line(f"{step.mark} {step.name:{_WIDTH}}{step.seconds():7.1f} s  {step.result}".rstrip())


class _Step:
    def __init__(self, name):
        self.name = name
        self.note = ""
        self.result = ""
        self.mark = "+"
        self._start = time.monotonic()

    def seconds(self):
        return time.monotonic() - self._start
