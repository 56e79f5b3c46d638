"""PostgreSQL and pgbouncer on unix sockets, with the roles that our programs use.

    with Postgres(directory) as postgres:
        postgres.create_database("fsa")
        postgres.conninfo("fsa")                    # for a program, which adds its own role
        postgres.connect("fsa", user="fsa_api")     # psycopg2

User name maps say who may use which role: whoever started the stand may use all, others
only those that `grants` names. Nothing needs a password, and nothing listens on the network.
"""

import os
import shutil
import signal
import time
from pathlib import Path

from .process import accepts, is_zombie, make_directory, own_name, run
from .server import Server

BIN = Path("/usr/lib/postgresql/15/bin")
REAPING_S = 10
PORT = 5432  # not a TCP port: only a part of the socket's name
ROLES = ("fsa_owner", "fsa_api", "fsa_auth", "fsa_reconcile", "fsa_events")

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0777",  # access is decided by pg_hba.conf
    "port": PORT,
    "max_connections": 200,
    "shared_buffers": "256MB",
    "timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_timezone": "UTC",
}


class Postgres(Server):
    """One server with its data in a directory.

    outlive   it survives this process
    grants    operating system user → roles that this user may take
    settings  changes of postgresql.conf
    """

    def __init__(self, directory, outlive=False, grants=None, settings=None):
        # SIGINT is the "fast" shutdown, which ends clients' sessions; SIGTERM would wait for them.
        super().__init__(directory, "postgres", stop_signal=signal.SIGINT, patience=60, outlive=outlive)
        self.sockets = self.directory / "run"
        self._data = self.directory / "data"
        self._grants = grants or {}
        self._settings = {**_SETTINGS, **(settings or {})}
        self._user = server_user()

    def grant(self, grants):
        """Adds to the constructor's grants, with effect from the next start."""
        self._grants = {**self._grants, **grants}

    def start(self):
        """Starts it, keeping its data; returns when it answers queries and the owner's role exists."""
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        make_directory(self.sockets, self._user)
        self._write_access()
        options = [f"-c{name}={value}" for name, value in self._settings.items()]
        self._forget_the_dead()
        command = [BIN / "postgres", "-D", self._data, f"-k{self.sockets}", *options]
        self.process().start(command, outlive=self._outlive, user=self._user)
        self.process().wait_ready(self._answers)
        self._create_owner()

    def _forget_the_dead(self):
        """PostgreSQL takes a killed postmaster that its parent has not reaped for a running one. Waits until it is
        reaped, and removes the lock file if nobody reaps it."""
        lock = self._data / "postmaster.pid"
        end = time.monotonic() + REAPING_S
        while lock.exists() and is_zombie(int(lock.read_text().split()[0])):
            if time.monotonic() > end:
                lock.unlink()
            time.sleep(0.1)

    def kill(self):
        """Shuts down immediately, as in a crash: the next start recovers."""
        self.process().signal(signal.SIGQUIT)
        self.process().stop()

    def restart(self):
        self.kill()
        self.start()

    def conninfo(self, database, user=None):
        """Returns a libpq connection string."""
        text = f"host={self.sockets} port={PORT} dbname={database}"
        return f"{text} user={user}" if user else text

    def connect(self, database, user="postgres"):
        """Returns a psycopg2 connection in autocommit mode."""
        import psycopg2

        connection = psycopg2.connect(self.conninfo(database, user), connect_timeout=60)
        connection.autocommit = True
        return connection

    def create_database(self, name):
        """Creates the database, empty and owned by fsa_owner, unless it exists."""
        if name not in self.databases():
            self._sql(f'CREATE DATABASE "{name}" OWNER fsa_owner')

    def drop_database(self, name):
        self._sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def databases(self):
        return self._sql("SELECT datname FROM pg_database").split()

    def _initialise(self):
        """Initialises in a temporary folder, so that an interrupted run leaves no incomplete database."""
        make_directory(self.directory, mode=0o711)
        begun = self.directory / "data.begun"
        shutil.rmtree(begun, ignore_errors=True)
        make_directory(begun, self._user, 0o700)
        command = [BIN / "initdb", "-D", begun, "-U", "postgres", "--auth=peer"]
        run([*command, "--encoding=UTF8", "--locale=C.UTF-8"], "PostgreSQL's data", self._user)
        begun.rename(self._data)

    def _write_access(self):
        """Writes pg_hba.conf (everybody is authenticated through the map) and pg_ident.conf (the map)."""
        hba = self._data / "pg_hba.conf"
        hba.write_text("local all all peer map=stand\n")
        everyone = ("postgres", *ROLES)
        grants = {**self._grants, self._user: everyone, own_name(): everyone}
        lines = [f"stand {user} {role}" for user, roles in grants.items() for role in roles]
        (self._data / "pg_ident.conf").write_text("\n".join(lines) + "\n")

    def _answers(self):
        done = [BIN / "pg_isready", "-q", "-h", self.sockets, "-p", str(PORT)]
        return os.spawnv(os.P_WAIT, done[0], [str(word) for word in done]) == 0

    def _create_owner(self):
        """Creates the role that runs the migrations, which create the others."""
        if not self._sql("SELECT 1 FROM pg_roles WHERE rolname = 'fsa_owner'"):
            self._sql("CREATE ROLE fsa_owner LOGIN CREATEROLE")

    def _sql(self, statement):
        psql = [BIN / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d"]
        return run([*psql, self.conninfo("postgres", "postgres"), "-c", statement], "PostgreSQL")


class PgBouncer(Server):
    """pgbouncer in transaction mode in front of a Postgres, on its own unix socket."""

    def __init__(self, directory, postgres, pool_size=10):
        super().__init__(directory, "pgbouncer", stop_signal=signal.SIGINT)
        self.sockets = self.directory / "run"
        self._postgres = postgres
        self._pool_size = pool_size
        self._user = server_user()

    def start(self):
        make_directory(self.directory, mode=0o711)
        # It trusts everyone who can reach its socket, so only its own user and root can.
        make_directory(self.sockets, self._user, 0o700)
        users = self.directory / "users.txt"
        users.write_text("".join(f'"{role}" ""\n' for role in ROLES))
        config = self.directory / "pgbouncer.ini"
        config.write_text(self._config(users))
        command = [_program("pgbouncer"), "-q", config]
        self.process().start(command, user=self._user)
        self.process().wait_ready(lambda: accepts(self.sockets / f".s.PGSQL.{PORT}"))

    def conninfo(self, database, user=None):
        text = f"host={self.sockets} port={PORT} dbname={database}"
        return f"{text} user={user}" if user else text

    def _config(self, users):
        settings = {
            "listen_addr": "",
            "listen_port": PORT,
            "unix_socket_dir": self.sockets,
            "auth_type": "trust",
            "auth_file": users,
            "pool_mode": "transaction",
            "default_pool_size": self._pool_size,
            "max_client_conn": 500,
            # libpq sends this parameter if a program asks for it; pgbouncer would refuse such clients.
            "ignore_startup_parameters": "extra_float_digits",
        }
        lines = [f"{name} = {value}" for name, value in settings.items()]
        database = f"* = host={self._postgres.sockets} port={PORT}"
        return "\n".join(["[databases]", database, "[pgbouncer]", *lines, ""])


def server_user():
    """The user that runs the servers: neither may run as root."""
    return "postgres" if os.geteuid() == 0 else own_name()


def _program(name):
    """Debian's path: a user's PATH may lack /usr/sbin."""
    return f"/usr/sbin/{name}"
