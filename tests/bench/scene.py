"""Makes what is measured: sites with people and projects in them, and the bare responder.

Two sites on one PostgreSQL: `small`, with 1,000 projects, and `large`, with 100,000. Both are as
installed by `make install`, except for the locations of their files.
"""

import contextlib
import functools
import hashlib
import math
import os
import secrets
import shutil
import time
import uuid
from pathlib import Path
from typing import NamedTuple

import psycopg2.extras

from load import BenchError
from stand.cluster import Cluster
from stand.kubesim import KubeSim
from stand.nginx import Nginx
from stand.postgres import Postgres
from stand.process import accepts, free_port
from stand.server import Server
from stand.site import Site
from statements import capture

HERE = Path(__file__).resolve().parent
# With fewer, PostgreSQL would read whole tables instead of using indexes, which `large` does not do.
SMALL = 1000
SAMPLES = 64  # projects that are requested, each of a different user
PROJECTS_PER_USER = 1000
_OPTIONS = {
    "mode": "production",
    "projects_per_user": PROJECTS_PER_USER,
    "kube_allow_addresses": "127.0.0.0/8",
}


class Person(NamedTuple):
    """A user who is logged in and has stored a kubeconfig."""

    id: str
    token: str

    @property
    def headers(self):
        return {"Cookie": f"fsa={self.token}"}


class Sample(NamedTuple):
    """A project that is requested."""

    person: Person
    project: str

    def values(self):
        """Returns the statements' parameters, by the names that Statement.words uses."""
        digest = hashlib.sha256(self.person.token.encode()).hexdigest()
        return {"hash": f"\\x{digest}", "user": self.person.id, "project": self.project}


class BenchSite(Site):
    """A site with the default number of workers, whose users are inserted directly into its database."""

    def __init__(self, directory, build, postgres, database, workers, root=None):
        super().__init__(directory, build, postgres, database, options=_OPTIONS, workers=workers, root=root)
        self.workers = workers
        self.nginx.connections = 16384  # needed for the streams
        self.log = postgres.log()

    def start(self):
        """Starts without auth.fcgi and fsa-reconcile, so that only what is measured runs."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.postgres.create_database(self.database)
        self.programs.migrate()
        self.programs.start("api.fcgi")
        self.nginx.start()

    def restart(self):
        self.programs.stop("api.fcgi")
        self.programs.start("api.fcgi")

    @contextlib.contextmanager
    def cursor(self):
        """Yields a superuser's cursor that commits each statement."""
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            yield cursor

    def add_people(self, count):
        """Adds users with a session and a kubeconfig that is never opened."""
        people = [Person(str(uuid.uuid4()), secrets.token_urlsafe(32)) for _ in range(count)]
        with self.cursor() as cursor:
            for table, row in _PERSON.items():
                rows = [row(person) for person in people]
                words = f"INSERT INTO {table} VALUES %s"
                psycopg2.extras.execute_values(cursor, words, rows)
        return people

    def remove_projects(self, people):
        """Removes everything of these people, so that the site keeps its size.

        First waits for requests that wrk has left in the workers' queue.
        """
        self.client().get("/readyz")
        time.sleep(0.5)
        with self.cursor() as cursor:
            # disables cascades: the statements delete from all tables
            cursor.execute("SET session_replication_role = replica")
            for words in _REMOVE:
                cursor.execute(words, ([person.id for person in people],))
            cursor.execute("VACUUM")

    def create_project(self, person, **members):
        """Creates a project over HTTP, as a browser does; returns its id."""
        client = self.client()
        body = {"name": f"Bench {secrets.token_hex(4)}", **members}
        answer = client.post("/api/projects", body, headers=person.headers)
        if not answer.ok:
            raise BenchError(f"POST /api/projects: {answer.status_code} {answer.text}")
        return answer.json()["id"]

    def add_samples(self):
        """Adds projects that look as if they had been RUNNING for a while."""
        samples = [Sample(p, self.create_project(p)) for p in self.add_people(SAMPLES)]
        with self.cursor() as cursor:
            cursor.execute(_SETTLE)
        return samples

    def fill(self, projects):
        """Adds this many projects, RUNNING and not due."""
        with self.cursor() as cursor:
            cursor.execute((HERE / "fill.sql").read_text(), {"projects": projects})

    def give_projects(self, person, projects):
        """Adds this many projects to an empty site, all RUNNING and of one person. Many create them, as each user's
        changes have a budget."""
        for other in self.add_people(math.ceil(projects / 10)):
            for _ in range(10):
                self.create_project(other)
        with self.cursor() as cursor:
            cursor.execute(_SETTLE)
            cursor.execute("SET session_replication_role = replica")  # each refers to its user by the other
            for table in ("projects", "resources"):
                cursor.execute(f"UPDATE {table} SET user_id = %s", (person.id,))

    def vacuum(self):
        """Updates the planner's statistics and the visibility map, as autovacuum would in time."""
        with self.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("CHECKPOINT")


def _identity(person):
    return str(uuid.uuid5(uuid.UUID(person.id), "identity"))


def _hash(person):
    return hashlib.sha256(person.token.encode()).digest()


_PERSON = {
    "users (id, name)": lambda p: (p.id, f"bench {p.id[:8]}"),
    "identities (id, user_id, provider, provider_user_id, password_hash)": lambda p: (
        _identity(p), p.id, "PASSWORD", f"bench {p.id}", "none"),
    "sessions (id_hash, user_id, identity_id, expires_at)": lambda p: (
        _hash(p), p.id, _identity(p), "infinity"),
    "clusters (id, sealed, server, namespace, account)": lambda p: (
        p.id, os.urandom(2400), "https://kubernetes.example:6443", f"ns-{p.id[:8]}", "bench"),
}

_REMOVE = [
    "DELETE FROM sandboxes s USING resources r WHERE r.id = s.resource_id"
    " AND r.user_id = ANY (%s::uuid[])",
    "DELETE FROM databases d USING resources r WHERE r.id = d.resource_id"
    " AND r.user_id = ANY (%s::uuid[])",
    "DELETE FROM events e USING projects p WHERE p.id = e.project_id"
    " AND p.user_id = ANY (%s::uuid[])",
    "DELETE FROM resources WHERE user_id = ANY (%s::uuid[])",
    "DELETE FROM projects WHERE user_id = ANY (%s::uuid[])",
    "DELETE FROM audit WHERE user_id = ANY (%s::uuid[])",
]

# Sets what the reconciler would have recorded.
_SETTLE = """
UPDATE resources SET status = 'RUNNING', stage = 'ready', due_at = now() + interval '1 day';
UPDATE projects SET status = 'RUNNING';
"""


class Bare(Server):
    """The floor: bare_fcgi behind nginx, which is configured as for api.fcgi."""

    def __init__(self, directory, build, site, statements):
        super().__init__(directory, "bare_fcgi")
        directory.mkdir(parents=True)
        self.socket = directory / "bare.sock"
        listing = directory / "statements"
        listing.write_text("".join(s.lines() for s in statements))
        self.command = [
            build / "tests/bench/bare_fcgi", self.socket, site.workers,
            site.postgres.conninfo(site.database, "fsa_api"), listing,
        ]
        self.nginx = Nginx(directory / "nginx", api=self.socket, auth=self.socket, port=free_port())
        self.url = self.nginx.url

    def start(self):
        self.process().start(self.command)
        self.process().wait_ready(lambda: accepts(self.socket))
        self.nginx.start()

    def stop(self):
        self.nginx.stop()
        self.stop_program()

    def stop_program(self):
        super().stop()


class Scene:
    """Everything that is measured, made when it is first needed and stopped at the end.

    projects  how many there are in the tables of `large`
    """

    def __init__(self, directory, build, projects, workers):
        self.directory = Path(directory)
        self.build = Path(build)
        self._projects = projects
        self._workers = workers
        self._started = []
        self._numbers = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for started in reversed(self._started):
            started.stop()

    def _start(self, server):
        server.start()
        self._started.append(server)
        return server

    def folder(self, name):
        """Makes a new folder for the files of one measurement."""
        self._numbers[name] = number = self._numbers.get(name, 0) + 1
        path = self.directory / f"{name}{number}"
        path.mkdir()
        return path

    @functools.cached_property
    def postgres(self):
        return self._start(Postgres(self.directory / "pg"))

    @functools.cached_property
    def small(self):
        return self._site("small", min(SMALL, self._projects))

    @functools.cached_property
    def large(self):
        return self._site("large", self._projects)

    def _site(self, name, projects):
        path = self.directory / name
        site = self._start(BenchSite(path, self.build, self.postgres, name, self._workers))
        site.samples = site.add_samples()
        site.fill(projects)
        site.vacuum()
        return site

    def new_site(self, name, root=None):
        """Starts a new, empty site, with the static files of `root`."""
        folder = self.folder(name)
        return self._start(
            BenchSite(folder, self.build, self.postgres, folder.name, self._workers, root))

    @functools.cached_property
    def statements(self):
        """Returns the statements of GET /api/sandbox/:id."""
        sample = self.small.samples[0]
        client = self.small.client()

        def send():
            answer = client.get(f"/api/sandbox/{sample.project}", headers=sample.person.headers)
            if not answer.ok:
                raise BenchError(f"GET: {answer.status_code} {answer.text}")

        return capture(self.small, sample, send)

    @functools.cached_property
    def bare(self):
        return self._start(Bare(self.directory / "bare", self.build, self.small, self.statements))

    @functools.cached_property
    def cluster(self):
        return self._start(Cluster(self.directory / "cluster"))

    @functools.cached_property
    def kubesim(self):
        return self._start(KubeSim(self.directory / "kubesim", self.build))

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)


