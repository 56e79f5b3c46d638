"""Upgrades a site from a former version to this one, host by host, while it is used: nothing fails or is lost.

The former version is real: its programs, built once into ~/.cache/fullstack-agent, and its schema.
(tests/system upgrades the package, from this version to one that has a migration more.)
"""

import itertools
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from people import PASSWORD, Person, Project, eventually
from repeated import Repeated
from stand.process import make_directory, run
from stand.pypi import CACHE
from stand.site import ROOT, Site
from test_tenants import query

# The last version with one sandbox per project (before sql/0030), two more migrations ago.
FORMER = "e67095a269ec61d447f6d98a15556e16171cf265"
VARIABLES = 100  # that are changed in turn
PROGRAMS = ("api.fcgi", "auth.fcgi", "fsa-reconcile", "fsa-events", "fsactl")
BUILD = """
    autoreconf -fi && mkdir build && cd build && ../configure CFLAGS=-O1 && make -j2 "$@"
"""


@pytest.fixture(scope="module")
def former():
    """Returns the sources of the former version, built in `build`."""
    place = CACHE / f"former-{FORMER[:16]}"
    if not place.exists():
        archive = subprocess.run(["git", "-C", ROOT, "archive", FORMER], capture_output=True)
        if archive.returncode != 0:
            pytest.skip(f"the history does not go back to {FORMER[:10]}: git fetch --unshallow")
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            made = Path(folder) / "former"
            made.mkdir()
            subprocess.run(["tar", "-x", "-C", made], input=archive.stdout, check=True)
            run(["sh", "-c", f"cd '{made}' && {BUILD}", "sh", *PROGRAMS], "building the former version")
            made.rename(place)
    return place


class NewHost(Site):
    """A further host of an existing site, with its database and its keys."""

    def __init__(self, first, *args, **rest):
        super().__init__(*args, postgres=first.postgres, database=first.database, **rest)
        for folder in (self.directory, self.programs.directory):
            make_directory(folder, mode=0o711)
        shutil.copytree(first.programs.directory / "fsactl", self.programs.directory / "fsactl")

    def start(self):
        self.programs.start()
        self.nginx.start()


class Use(Repeated):
    """Sends one user's requests, one after the other, to the user's current host."""

    def __init__(self, person, ask):
        super().__init__()
        self.client, self._ask = person.client, ask
        self.answers = []  # of the current host
        self.failures = []
        self._numbers = itertools.count()

    def step(self):
        number = next(self._numbers)
        answer = self._ask(self.client, number)
        if answer.ok:
            self.answers.append(number)
        else:
            self.failures.append((answer.request.method, answer.url, answer.text))

    def go_on(self, client=None):
        """Waits until ten more requests have been answered, by another host if `client` is given."""
        self.client = client or self.client
        count = len(self.answers) + 10
        eventually(lambda: self.failures or len(self.answers) >= count, last=lambda: self.failures)


def uses(person, project):
    """Yields uses: reading, changing, creating. Each can be counted in the end."""
    path = f"/api/projects/{project.id}"

    def set_variable(client, number):
        body = {"key": f"DURING_{number % VARIABLES}", "value": str(number)}
        return client.post(f"{path}/environment", body, headers={"Idempotency-Key": f"v{number}"})

    def toggle(client, number):
        return client.post(f"{path}/{'stop' if number % 2 else 'start'}")

    return (Use(person, lambda client, _: client.get(path)),
            Use(person, lambda client, _: client.get("/api/projects")),
            Use(person, lambda client, _: client.get("/api/auth/session")),
            Use(person, toggle),
            Use(person, set_variable))


def test_an_upgrade_host_by_host_fails_no_request_and_loses_nothing(workspace, build, postgres, kubesim,
                                                                     former):
    old = Site(workspace / "former", former / "build", postgres, database="upgrade",
               sql_dir=former / "sql", options={"trash_time": None})  # which it does not know
    with old:
        person = Person(old, kubesim)
        kept = person.create("Kept", database=True)
        kept.wait("RUNNING")
        connection = kept.connection()
        project = person.create("Busy")
        all_uses = uses(person, project)
        new = NewHost(old, workspace / "new", build)

        def everybody_goes_on(client=None):
            for use in all_uses:
                use.go_on(client)

        with all_uses[0], all_uses[1], all_uses[2], all_uses[3], all_uses[4]:
            everybody_goes_on()
            before = query(old, "SELECT count(*) FROM schema_migrations")
            new.programs.fsactl("migrate", "--sql-dir", ROOT / "sql")
            assert query(old, "SELECT count(*) FROM schema_migrations") > before
            everybody_goes_on()  # the former programs, on the schema of this version
            with new:
                everybody_goes_on()  # with both versions of the reconciler
                client = new.client()
                assert client.login(person.name, PASSWORD).ok
                everybody_goes_on(client)
                old.programs.stop()
                everybody_goes_on()
                for use in all_uses:
                    use.__exit__()
                assert [failure for use in all_uses for failure in use.failures] == []
                person.client = client
                project, kept = Project(person, project.id), Project(person, kept.id)
                there = {k: v["value"] for k, v in project.variables().items()}
                assert there == {f"DURING_{n % VARIABLES}": str(n) for n in all_uses[4].answers}
                project.start()
                project.wait("RUNNING")
                kept.wait("RUNNING")
                assert kept.connection() == connection
                assert [p["name"] for p in person.projects()] == ["Busy", "Kept"]
