"""Starts a program, records its pid and start time, and ends exactly that process.

The start time (from /proc/PID/stat) is kept with the pid, so that no other process is signalled if
the kernel has reused the number.
"""

import contextlib
import json
import os
import pwd
import random
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path


# Limit in seconds for waiting until something happens that normally takes a moment. A busy machine takes far longer,
# and a shorter limit improves no test: waiting ends as soon as the condition holds.
PATIENCE = 120

_given = set()  # ports handed out by free_port, which may not be in use yet


class StandError(Exception):
    """A server of the stand failed; the message names it, the cause and the log to read."""


class Process:
    """One program of a stand, with a pid file and a log in the stand's directory.

    stop_signal  the signal that asks this program to end; SIGKILL follows if it does not
    """

    def __init__(self, directory, name, stop_signal=signal.SIGTERM):
        self.name = name
        self.log = Path(directory, "logs", f"{name}.log")
        self._file = Path(directory, "pids", f"{name}.json")
        self._stop_signal = stop_signal
        self._child = None
        self._log_start = 0

    def start(self, command, env=None, outlive=False, user=None):
        """Starts the program unless it runs already.

        outlive  the program survives this process; otherwise the kernel ends it with this one
        user     run it as this user (only root can)
        """
        if self.running():
            return
        self._end_remnants()
        for path in (self.log, self._file):
            path.parent.mkdir(parents=True, exist_ok=True)
        if not outlive:
            signal_name = signal.Signals(self._stop_signal).name.removeprefix("SIG")
            command = ["setpriv", "--pdeathsig", signal_name, *command]
        with open(self.log, "ab") as log, _uninterrupted():
            self._log_start = log.tell()
            self._child = subprocess.Popen(
                # The user is changed first: a change of user clears the parent-death signal.
                [str(word) for word in as_user(user, command)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
                cwd=_home_of(user),
                start_new_session=True,  # Ctrl-C in a terminal must not reach the stand
            )
            self._remember(self._child.pid)

    def stop(self, patience=10.0):
        """Sends the program its stop signal, and SIGKILL if it has not ended after `patience` seconds."""
        self.signal(self._stop_signal)
        if not self.wait_gone(patience):
            self.kill()
        self._end_remnants()
        self._file.unlink(missing_ok=True)

    def kill(self):
        """Sends SIGKILL, as if it had crashed."""
        self.signal(signal.SIGKILL)
        self.wait_gone(PATIENCE)

    def signal(self, number):
        pid = self.pid()
        if pid:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def has_logged(self, text):
        """Whether the program has logged `text` since it was started."""
        with open(self.log, "rb") as log:
            log.seek(self._log_start)
            return text.encode() in log.read()

    def wait_ready(self, check, seconds=PATIENCE):
        """Waits until check() is true; raises StandError if the program ends or the time is up."""
        end = time.monotonic() + seconds
        while not check():
            if not self.running():
                self._fail("ended right after its start")
            if time.monotonic() > end:
                self._fail(f"is not ready after {seconds:.0f} s")
            time.sleep(0.02)

    def running(self):
        return self.pid() is not None

    def pid(self):
        """Returns the pid if that same process is still running, else None."""
        if self._child:
            self._child.poll()  # reaps it, so that a zombie does not count as running
        try:
            known = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return None
        started = known["started"]  # None: the process had ended before its start time could be read
        return known["pid"] if started and _start_time(known["pid"]) == started else None

    def log_tail(self, lines=5):
        try:
            text = self.log.read_text(errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def _fail(self, what):
        raise StandError(f"{self.name} {what}; see {self.log}, which ends:\n{self.log_tail()}")

    def _remember(self, pid):
        temp = self._file.with_suffix(".tmp")
        temp.write_text(json.dumps({"pid": pid, "started": _start_time(pid)}))
        temp.rename(self._file)

    def _end_remnants(self):
        """Ends what is left of a dead program's session: nginx's workers keep listening if only
        their master was killed.

        The session's number is not enough, as the record may be older than the last boot: the processes
        must also have our log open.
        """
        try:
            session = json.loads(self._file.read_text())["pid"]
        except (OSError, ValueError):
            return
        if _start_time(session) is not None:
            return  # still running, or the number belongs to another process now
        for pid in _session_members(session):
            if _has_open(pid, self.log):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def wait_gone(self, seconds):
        """Returns whether the process ended within `seconds`."""
        end = time.monotonic() + seconds
        while self.running():
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True


def as_user(user, command):
    """Returns the command line that runs `command` as `user`."""
    if user is None or user == own_name():
        return list(command)
    group = str(pwd.getpwnam(user).pw_gid)
    return ["setpriv", "--reuid", user, "--regid", group, "--clear-groups", *command]


def _home_of(user):
    """Returns the working directory for a program of that user; None for the current one, which another user may not
    be able to enter."""
    return None if user is None or user == own_name() else "/"


@contextlib.contextmanager
def _uninterrupted():
    """Delays Ctrl-C until the block ends, so that a program that was started is always recorded."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    interrupted = []
    former = signal.signal(signal.SIGINT, lambda *_: interrupted.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
    if interrupted:
        raise KeyboardInterrupt


def own_name():
    return pwd.getpwuid(os.geteuid()).pw_name


def run(command, what, user=None, env=None):
    """Runs a command to its end and returns its output; StandError says why it failed."""
    command = [str(word) for word in as_user(user, command)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env,
                          cwd=_home_of(user))
    if done.returncode != 0:
        output = (done.stdout + done.stderr).strip()
        raise StandError(f"{what}: {' '.join(command)} exited with {done.returncode}:\n{output}")
    return done.stdout


def make_directory(path, user=None, mode=0o755):
    """Makes the directory with this owner and mode, whatever the umask."""
    path = Path(path)
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)
    if user and os.geteuid() == 0:
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid)
    return path


def free_port():
    """A free port of 127.0.0.1 below the kernel's ephemeral range.

    A client that keeps connecting to an ephemeral port during an outage is, sooner or later,
    connected to itself, and then the server cannot come back.
    """
    while True:
        port = random.randrange(20000, 32000)
        if port not in _given and port_is_free(port):
            _given.add(port)
            return port


def port_is_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def becomes_free(port, seconds=5.0):
    """Whether the port is free, or becomes free in a moment: the kernel takes a while to release those of a killed
    process."""
    end = time.monotonic() + seconds
    while not port_is_free(port):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def accepts(address):
    """Whether a server accepts connections: a (host, port) pair, or the path of a unix socket."""
    family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
    with socket.socket(family) as s:
        s.settimeout(5.0)
        try:
            s.connect(address if family == socket.AF_INET else str(address))
        except OSError:
            return False
    return True


def is_zombie(pid):
    """Whether the process has ended but its parent has not reaped it."""
    fields = _stat(pid)
    return fields is not None and fields[0] == "Z"


def _start_time(pid):
    """Returns the process's start time in clock ticks since boot; None if it does not exist or is a zombie."""
    fields = _stat(pid)
    return None if fields is None or fields[0] == "Z" else int(fields[19])


def _session_members(session):
    pids = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    for pid in pids:
        fields = _stat(pid)
        if fields and fields[0] != "Z" and int(fields[3]) == session:
            yield pid


def _has_open(pid, path):
    try:
        descriptors = [fd for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.exists()]
        return any(fd.samefile(path) for fd in descriptors)
    except OSError:  # it has ended since, or we may not inspect it
        return False


def _stat(pid):
    """Returns the fields of /proc/PID/stat from the third (the state) on."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return stat.rpartition(")")[2].split()  # the second field, the name, may contain spaces
