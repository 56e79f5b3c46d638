"""Our own programs, with a configuration and keys of their own, over a Postgres.

    programs = Programs(directory, build, postgres.conninfo("fsa"), sql_dir="sql")
    programs.migrate()
    programs.start()

Each program can read only what it needs: its own copies of fsa.conf and of its keys, in a folder
of its own user. So api.fcgi cannot open kubeconfigs here either.
"""

import os
import shutil
import time
from pathlib import Path
from typing import NamedTuple

from .process import StandError, accepts, make_directory, own_name, run
from .server import Server

PUBLIC_KEYS = ("owner.pub", "cluster.pub")


class Program(NamedTuple):
    """What differs between the programs."""

    user: str  # the user it runs as if the stand runs as root with `drop_root`
    role: str  # its role in the database
    private_keys: tuple
    socket: str  # name of its FastCGI socket, if it has one
    every: bool = False  # runs passes continuously instead of one


PROGRAMS = {
    "api.fcgi": Program("www-data", "fsa_api", ("owner.key",), "api.sock"),
    "auth.fcgi": Program("www-data", "fsa_auth", (), "auth.sock"),
    "fsa-reconcile": Program("nobody", "fsa_reconcile", ("owner.key", "cluster.key"), None, True),
    "fsa-events": Program("www-data", "fsa_events", (), None),
}

_OPTIONS = {
    "mode": "development",
    "log_level": "info",
    "registration": "open",
    # The stand's API server is on loopback, which is refused by default.
    "kube_allow_addresses": "127.0.0.0/8",
    "ingress_domain": "apps.localhost",
    "ingress_scheme": "https",
    "ingress_port": 0,
    # What a test deletes is to go.
    "trash_time": "0d",
    # Tests make more changes than a person.
    "changes_burst": "1000000",
    "changes_per_minute": "1000000",
}


def option(changes, name):
    """The value of an option, given the changes to the stand's fsa.conf."""
    return changes.get(name, _OPTIONS[name])


class Programs(Server):
    """The programs of one site.

    build       where they are: a build directory or an installation's prefix
    database    libpq connection string without a user
    options     changes of fsa.conf; None leaves an option out
    sql_dir     the migrations; None: those that `make install` has installed
    drop_root   root's stand runs each program as a user without rights (see PROGRAMS)
    wrap        words before the command line, such as valgrind's
    """

    def __init__(self, directory, build, database, options=None, sql_dir=None, workers=4,
                 every="1s", drop_root=False, outlive=False, wrap=()):
        super().__init__(directory, *PROGRAMS, patience=60, outlive=outlive)
        self._build = Path(build)
        self._run = self.directory / "run"
        self._events = self.directory / "events"
        self._options = {
            **_OPTIONS,
            "database": database,
            "wake_file": self._run / "wake",
            "metrics_dir": self._run / "metrics",
            "events_socket": self._events / "nginx.sock",
            "events_state_file": self._run / "live",
            **(options or {}),
        }
        self._sql_dir = sql_dir
        self._workers = workers
        self._every = every
        self._drop_root = drop_root and os.geteuid() == 0
        self._wrap = tuple(wrap)

    def __enter__(self):
        self.migrate()
        self.start()
        return self

    def grants(self):
        """Operating system user → roles, for Postgres's `grants`."""
        grants = {}
        for name, program in PROGRAMS.items():
            grants.setdefault(self.user(name), []).append(program.role)
        return grants

    def options(self):
        """The contents of fsa.conf, apart from the keys."""
        return dict(self._options)

    def user(self, name):
        return PROGRAMS[name].user if self._drop_root else own_name()

    def socket(self, name):
        return self._run / PROGRAMS[name].socket

    def events_socket(self):
        """The socket where nginx accepts live updates."""
        return self._options["events_socket"]

    def config(self, name="fsactl"):
        """The path of the program's fsa.conf."""
        return self.directory / name / "fsa.conf"

    def configure(self, **options):
        """Changes fsa.conf; a program reads it when it is restarted."""
        self._options.update(options)

    def fsactl(self, *words):
        """Runs fsactl and returns its output."""
        self._write_config("fsactl", own_name(), (*PUBLIC_KEYS, "owner.key", "cluster.key"))
        command = [self.program("fsactl"), "--config", self.config(), *words]
        return run(command, f"fsactl {words[0]}")

    def migrate(self):
        """Brings keys and schema up to date."""
        for kind in ("owner", "cluster"):
            if not (self.directory / "fsactl" / f"{kind}.pub").exists():  # written last
                self.fsactl("keys", "add", kind)
        where = ["--sql-dir", self._sql_dir] if self._sql_dir else []
        return self.fsactl("migrate", *where)

    def start(self, *names):
        """Starts the given programs (by default all) unless they run; returns when they are ready."""
        names = names or tuple(PROGRAMS)
        make_directory(self.directory, mode=0o711)
        make_directory(self._run, self.user("api.fcgi"))
        self._make_metrics()
        # Whoever can write to this socket can send any message to every browser.
        make_directory(self._events, self.user("fsa-events"), 0o700)
        for name in names:
            if not self._processes[name].running():
                self._start(name)
        for name in names:
            self._wait_ready(name)

    def _make_metrics(self):
        """Makes the files in which programs count; each has its own, and api.fcgi reads all."""
        folder = make_directory(self._run / "metrics", mode=0o755)
        for name in PROGRAMS:
            file = folder / name
            if not file.exists():
                file.touch(0o644)
                if os.geteuid() == 0:
                    shutil.chown(file, self.user(name))

    def stop(self, *names):
        for name in names or tuple(PROGRAMS):
            self._processes[name].stop(self._patience)

    def kill(self, name):
        """Sends SIGKILL to the program itself, as if it had crashed."""
        self._processes[name].kill()

    def program(self, name):
        """Returns the path of the executable."""
        places = ("", "sbin", "libexec/fullstack-agent")
        for path in (self._build / place / name for place in places):
            if os.access(path, os.X_OK):
                return path
        raise StandError(f"{name} is not in {self._build}: build it first (make)")

    def _wait_ready(self, name):
        if PROGRAMS[name].socket:
            self._processes[name].wait_ready(lambda: accepts(self.socket(name)))
            return
        # There is no readiness check; with an invalid configuration it ends within moments.
        end = time.monotonic() + 0.2
        self._processes[name].wait_ready(lambda: time.monotonic() > end)

    def _start(self, name):
        command = [*self._wrap, *self.prepare(name)]
        if PROGRAMS[name].socket:
            command += ["--socket", self.socket(name), "--workers", self._workers]
        elif PROGRAMS[name].every:
            command += ["--every", self._every]
        self._processes[name].start(command, outlive=self._outlive, user=self.user(name))

    def prepare(self, name):
        """Writes the program's configuration and keys, readable by its user only; returns the beginning of its
        command line."""
        keys = (*PUBLIC_KEYS, *PROGRAMS[name].private_keys)
        self._write_config(name, self.user(name), keys)
        return [self.program(name), "--config", self.config(name)]

    def _write_config(self, name, user, keys):
        """Writes the program's fsa.conf, and copies of the keys that it may read, to its folder."""
        make_directory(self.directory, mode=0o711)
        folder = make_directory(self.directory / name, user, 0o700)
        originals = self.directory / "fsactl"
        for key in keys:
            if folder != originals:
                _copy(originals / key, folder / key, user)
        names = {
            "owner_public_key_file": "owner.pub",
            "owner_private_key_file": "owner.key",
            "cluster_public_key_file": "cluster.pub",
            "cluster_private_key_file": "cluster.key",
        }
        options = {**self._options, **{option: folder / file for option, file in names.items()}}
        lines = [f"{k} = {v}\n" for k, v in options.items() if v is not None]
        config = self.config(name)
        temp = config.with_suffix(".tmp")
        temp.write_text("".join(lines))
        temp.chmod(0o644)
        temp.rename(config)  # another fsactl may be reading the old file


def _copy(source, target, user):
    """Copies a key for a user; others cannot read it at any time."""
    target.unlink(missing_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(source, "rb") as original, open(descriptor, "wb") as copy:
        shutil.copyfileobj(original, copy)
    if os.geteuid() == 0:
        shutil.chown(target, user)
