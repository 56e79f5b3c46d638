"""Runs fsa-reconcile by hand: pass by pass, halted at a chosen point, or several at once."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

from stand.process import PATIENCE, Process

SOURCE = Path(__file__).with_name("halt.c")


def compile_halt(directory):
    """Compiles halt.c; returns the library's path."""
    library = directory / "halt.so"
    command = ["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, SOURCE, "-ldl"]
    subprocess.run(command, check=True)
    return library


class Reconcilers:
    """Runs fsa-reconcile for a site whose own reconciler is stopped."""

    def __init__(self, site, halt):
        self._site = site
        self._halt = halt
        self._folder = site.programs.config("fsa-reconcile").parent
        self._programs = []
        self.log = site.directory / "programs" / "logs" / "passes.log"
        site.programs.stop("fsa-reconcile")

    def config(self, **options):
        """Returns a changed copy of the site's configuration."""
        known = self._site.programs.config("fsa-reconcile").read_text().splitlines()
        kept = [line for line in known if line.split(" = ")[0] not in options]
        name = "-".join(["passes", *options.values()]) + ".conf"
        path = self._folder / name.replace("/", "")
        path.write_text("\n".join([*kept, *(f"{k} = {v}" for k, v in options.items()), ""]))
        return path

    def run(self, halt_after=0, seconds=PATIENCE, **options):
        """Runs one pass to its end, or kills it after its `halt_after`-th send.

        Returns the exit status: 0, or -9 if it was killed.
        """
        with open(self.log, "ab") as log:
            done = subprocess.run(
                self._command(options),
                env=self._environment(halt_after, signal.SIGKILL),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=seconds,
            )
        assert done.returncode in (0, -signal.SIGKILL), f"{done.returncode}: {self.log_tail()}"
        return done.returncode

    def stopped(self, halt_after, seconds=PATIENCE, **options):
        """Runs a pass that is stopped (SIGSTOP) at that point; returns None if it ended before."""
        log = open(self.log, "ab")
        child = subprocess.Popen(
            self._command(options), env=self._environment(halt_after, signal.SIGSTOP),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )
        log.close()
        self._programs.append(child)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pid, status = os.waitpid(child.pid, os.WNOHANG | os.WUNTRACED)
            if pid and os.WIFSTOPPED(status):
                return child
            if pid:
                child.returncode = os.waitstatus_to_exitcode(status)
                assert child.returncode == 0, self.log_tail()
                return None
            time.sleep(0.005)
        raise AssertionError(f"neither stopped nor ended within {seconds} s: {self.log_tail()}")

    def resume(self, children):
        """Lets stopped passes continue to their ends."""
        for child in children:
            os.killpg(child.pid, signal.SIGCONT)
        for child in children:
            assert child.wait(PATIENCE) == 0, self.log_tail()

    def start(self, name, every="200ms", **options):
        """Starts a reconciler that keeps running beside others; returns its Process."""
        process = Process(self._site.directory / "programs", name)
        process.start([*self._command(options), "--every", every])
        self._programs.append(process)
        return process

    def close(self):
        for program in self._programs:
            if isinstance(program, Process):
                program.stop()
            elif program.poll() is None:
                program.kill()
                program.wait()

    def log_tail(self, lines=30):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _command(self, options):
        return [self._site.programs.program("fsa-reconcile"), "--config", self.config(**options)]

    def _environment(self, halt_after, number):
        if not halt_after:
            return None
        return dict(os.environ, LD_PRELOAD=str(self._halt), HALT_AFTER=str(halt_after),
                    HALT_SIGNAL=str(int(number)))


def family(program):
    """Returns the pids of a reconciler and its shards."""
    children = Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text("ascii").split()
    return {program.pid, *map(int, children)}


def summary(log, member):
    """Returns the sum of a member over the summary lines that passes have logged."""
    text = log.read_text(errors="replace")
    return sum(int(number) for number in re.findall(rf"\b{member}[\"=:]+(\d+)", text))
