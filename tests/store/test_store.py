"""Tests the store and the database layer on a real PostgreSQL, directly and through pgbouncer.

Most tests are C programs, store_tests and outage; those that stop a server, or need several programs
at once, are here.
"""

import contextlib
import itertools
import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stand.postgres import Postgres
from stand.process import PATIENCE, StandError
from stand.programs import Programs

ROOT = Path(__file__).resolve().parents[2]
SQL = ROOT / "sql"


@pytest.fixture(scope="session")
def build():
    """The directory with the programs; only fsactl and the tests are needed."""
    places = [Path(os.environ["FSA_BUILD"])] if "FSA_BUILD" in os.environ else [ROOT, ROOT / "build"]
    for place in places:
        if (place / "tests/store/store_tests").exists():
            return place.resolve()
    pytest.fail("tests/store/store_tests is not built: run make check, or set FSA_BUILD")


@pytest.fixture
def fsactl(workspace, build, request):
    """fsactl(conninfo, words…): runs fsactl on a database; returns the completed process."""
    numbers = itertools.count()

    def run(conninfo, *words):
        config = workspace / f"{request.node.originalname}{next(numbers)}.conf"
        config.write_text(f"database = {conninfo}\ningress_domain = apps.example\n"
                          "runtime_image = image:1\nprojects_per_user = 100000\n")
        command = [build / "fsactl", "--config", config, *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=300)

    return run


@pytest.fixture
def database(postgres, request):
    """An empty database."""
    name = request.node.originalname.removeprefix("test_")[:60]
    postgres.create_database(name)
    yield name
    postgres.drop_database(name)


def run_store_tests(build, conninfo, admin, prepare):
    environment = {
        **os.environ,
        "FSA_TEST_DATABASE": conninfo,
        "FSA_TEST_ADMIN": admin,
        "FSA_TEST_PREPARE": prepare,
    }
    program = build / "tests/store/store_tests"
    done = subprocess.run([program], env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_store_on_postgresql(postgres, database, fsactl, build):
    assert fsactl(postgres.conninfo(database), "migrate", "--sql-dir", SQL).returncode == 0
    admin = postgres.conninfo(database, "postgres")
    run_store_tests(build, postgres.conninfo(database), admin, "yes")


def test_the_store_through_pgbouncer(postgres, pgbouncer, database, fsactl, build):
    assert fsactl(postgres.conninfo(database), "migrate", "--sql-dir", SQL).returncode == 0
    admin = postgres.conninfo(database, "postgres")
    run_store_tests(build, pgbouncer.conninfo(database), admin, "no")


RIGHTS = """
    SELECT grantee, table_name, privilege_type,
        CASE WHEN count(*) = (SELECT count(*) FROM information_schema.columns AS whole
            WHERE whole.table_schema = 'public' AND whole.table_name = given.table_name)
        THEN 'all columns' ELSE string_agg(column_name, ', ' ORDER BY column_name) END
    FROM information_schema.column_privileges AS given
    WHERE table_schema = 'public' AND grantee LIKE 'fsa!_%' ESCAPE '!' AND grantee <> 'fsa_owner'
    GROUP BY grantee, table_name, privilege_type
    UNION ALL
    SELECT grantee, table_name, privilege_type, 'rows'
    FROM information_schema.table_privileges
    WHERE table_schema = 'public' AND grantee LIKE 'fsa!_%' ESCAPE '!' AND grantee <> 'fsa_owner'
        AND privilege_type IN ('DELETE', 'TRUNCATE', 'TRIGGER')
    UNION ALL
    SELECT grantee, routine_name, privilege_type, 'as its owner'
    FROM information_schema.routine_privileges JOIN information_schema.routines
        USING (routine_schema, routine_name)
    WHERE routine_schema = 'public' AND grantee LIKE 'fsa!_%' ESCAPE '!'
        AND grantee <> 'fsa_owner' AND security_type = 'DEFINER'
    ORDER BY 1, 2, 3"""


def test_each_programs_rights_are_the_reviewed_ones(postgres, database, fsactl):
    """A change of rights changes the file, by FSA_UPDATE_GOLDEN=1, so that it is reviewed."""
    assert fsactl(postgres.conninfo(database), "migrate", "--sql-dir", SQL).returncode == 0
    connection = postgres.connect(database)
    with connection.cursor() as cursor:
        cursor.execute(RIGHTS)
        rights = "".join(f"{role[4:]} {right} {table}: {what}\n"
                         for role, table, right, what in cursor.fetchall())
    connection.close()
    golden = Path(__file__).parent / "golden/rights.txt"
    if os.environ.get("FSA_UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(rights)
    assert rights == golden.read_text()


# ---- outages ------------------------------------------------------------------------------------


class Client:
    """Talks to tests/store/outage: one line in, one line out."""

    def __init__(self, build, conninfo):
        command = [build / "tests/store/outage", conninfo]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        assert self._process.wait(timeout=120) == 0

    def send(self, word):
        self._process.stdin.write(f"{word}\n")

    def answer(self):
        return self._process.stdout.readline().split(" ")[0].strip()

    def do(self, word):
        self.send(word)
        return self.answer()


@pytest.fixture
def own_postgres(workspace, fsactl):
    """A server that tests may stop."""
    with Postgres(workspace / "outage") as server:
        server.create_database("outage")
        assert fsactl(server.conninfo("outage"), "migrate", "--sql-dir", SQL).returncode == 0
        yield server


def written(server):
    connection = server.connect("outage")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM users")
        count = cursor.fetchone()[0]
    connection.close()
    return count


def test_an_outage_is_reported_until_it_ends(own_postgres, build):
    with Client(build, own_postgres.conninfo("outage")) as client:
        assert client.do("write") == "ok"
        own_postgres.kill()
        assert client.do("write") == "UNAVAILABLE"
        assert client.do("ping") == "UNAVAILABLE"
        own_postgres.start()
        deadline = time.monotonic() + PATIENCE
        while client.do("ping") != "ok":
            assert time.monotonic() < deadline
        assert client.do("write") == "ok"

        # A restart between statements is not noticed at all.
        own_postgres.restart()
        assert client.do("write") == "ok"
        assert written(own_postgres) == 3

        # In the middle of a transaction, the rest is refused, and nothing of it stays.
        assert client.do("begin") == "ok"
        assert client.do("write") == "ok"
        own_postgres.restart()
        assert client.do("write") == "UNAVAILABLE"
        assert client.do("commit") == "UNAVAILABLE"
        assert client.do("ping") == "ok"
        assert written(own_postgres) == 3

        # In the middle of a statement.
        client.send("sleep")
        wait_until_active(own_postgres)
        own_postgres.restart()
        assert client.answer() == "UNAVAILABLE"
        assert client.do("ping") == "ok"


def test_a_frozen_server_costs_the_timeout_and_no_more(own_postgres, build):
    with Client(build, own_postgres.conninfo("outage")) as client:
        assert client.do("ping") == "ok"
        backend = backend_of(own_postgres, "outage")
        os.kill(backend, signal.SIGSTOP)
        try:
            start = time.monotonic()
            assert client.do("ping") == "UNAVAILABLE"
            assert 4.5 < time.monotonic() - start < 9.5  # run only once
            assert client.do("ping") == "ok"
        finally:
            os.kill(backend, signal.SIGCONT)


def wait_until_active(server):
    """Waits until the server has begun to execute the client's statement."""
    connection = server.connect("outage")
    end = time.monotonic() + PATIENCE
    with contextlib.closing(connection), connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
            if cursor.fetchone():
                return
            assert time.monotonic() < end, "the statement has not begun"
            time.sleep(0.05)


def backend_of(server, application):
    connection = server.connect("postgres")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE application_name = %s", [application])
        pid = cursor.fetchone()[0]
    connection.close()
    return pid


# ---- migrations ---------------------------------------------------------------------------------


def write_migrations(directory, **files):
    directory.mkdir()
    for name, text in files.items():
        (directory / f"{name.removeprefix('m')}.sql").write_text(text)
    return directory


def test_migrations_are_applied_once(postgres, database, fsactl):
    conninfo = postgres.conninfo(database)
    status = fsactl(conninfo, "migrate", "--sql-dir", SQL, "--status")
    assert status.returncode == 0
    assert status.stdout.count("not applied") == len(list(SQL.glob("*.sql")))
    first = fsactl(conninfo, "migrate", "--sql-dir", SQL)
    assert first.stdout.splitlines() == [f"applied {p.name}" for p in sorted(SQL.glob("*.sql"))]
    second = fsactl(conninfo, "migrate", "--sql-dir", SQL)
    assert (second.returncode, second.stdout) == (0, "the schema is up to date\n")
    assert "not applied" not in fsactl(conninfo, "migrate", "--sql-dir", SQL, "--status").stdout


def test_migrations_from_many_hosts_at_once(postgres, database, fsactl):
    conninfo = postgres.conninfo(database)
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda _: fsactl(conninfo, "migrate", "--sql-dir", SQL), range(6)))
    assert [d.stderr for d in done] == [""] * 6
    applied = [line for d in done for line in d.stdout.splitlines() if line.startswith("applied")]
    assert len(applied) == len(list(SQL.glob("*.sql")))


def test_a_changed_migration_is_refused(postgres, database, fsactl, tmp_path):
    conninfo = postgres.conninfo(database)
    directory = write_migrations(tmp_path / "sql", m0001_one="CREATE TABLE one (id integer);")
    assert fsactl(conninfo, "migrate", "--sql-dir", directory).returncode == 0
    (directory / "0001_one.sql").write_text("CREATE TABLE one (id bigint);")
    done = fsactl(conninfo, "migrate", "--sql-dir", directory)
    assert done.returncode == 1
    assert "0001_one.sql differs from what was applied as number 1" in done.stderr


@pytest.mark.parametrize("files, message", [
    ({}, "no migrations here"),
    ({"m0002_two": ""}, "0002_two.sql: expected number 0001"),
    ({"m0001_one": "", "m0001_uno": ""}, "expected number 0002"),
    ({"mone": ""}, "one.sql: not named NNNN_name.sql"),
    ({"m0001_one": "SELECT 1;\nSELECT é FROM\n  nowhere;\n"}, "0001_one.sql:3: PostgreSQL: relation"),
    ({"m0001_one": "CREATE TABLE t (id int);\nSELECT 1/0;\n"}, "0001_one.sql: PostgreSQL: division by zero"),
])
def test_a_bad_migration_says_where_and_leaves_nothing(postgres, database, fsactl, tmp_path, files,
                                                       message):
    directory = write_migrations(tmp_path / "sql", **files)
    done = fsactl(postgres.conninfo(database), "migrate", "--sql-dir", directory)
    assert done.returncode == 1
    assert message in done.stderr
    connection = postgres.connect(database)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('schema_migrations')")
        assert cursor.fetchone() == (None,)
    connection.close()


def test_a_migration_that_ends_its_transaction_does_not_count_as_applied(postgres, database, fsactl,
                                                                         tmp_path):
    directory = write_migrations(tmp_path / "sql", m0001_one="CREATE TABLE t (id int);\nCOMMIT;\n")
    conninfo = postgres.conninfo(database)
    done = fsactl(conninfo, "migrate", "--sql-dir", directory)
    assert done.returncode == 1
    assert "0001_one.sql: ends the transaction" in done.stderr
    assert "not applied" in fsactl(conninfo, "migrate", "--sql-dir", directory, "--status").stdout


def test_a_server_that_is_away_is_an_error(fsactl):
    done = fsactl("host=/nonexistent dbname=x", "migrate", "--sql-dir", SQL)
    assert done.returncode == 75  # temporary failure: try again
    assert "/nonexistent" in done.stderr


# ---- fsactl -------------------------------------------------------------------------------------


def keys(programs, name):
    path = programs.config().parent / name
    return [line.split()[0] for line in path.read_text().splitlines()]


def test_keys_are_added_in_front(workspace, build, postgres, database):
    programs = Programs(workspace / "keys", build, postgres.conninfo(database), sql_dir=SQL)
    first = programs.fsactl("keys", "add", "cluster").split()[2]
    programs.migrate()
    second = programs.fsactl("keys", "add", "cluster").split()[2]
    for name, mode in (("cluster.pub", 0o644), ("cluster.key", 0o600)):
        assert keys(programs, name) == [second, first]
        assert (programs.config().parent / name).stat().st_mode & 0o777 == mode


def test_only_the_first_key_is_added_while_postgresql_is_away(workspace, build):
    """Later ones are recorded in the audit, or not made."""
    programs = Programs(workspace / "away", build, "host=/nonexistent dbname=x")
    first = programs.fsactl("keys", "add", "cluster").split()[2]
    with pytest.raises(StandError, match="/nonexistent"):
        programs.fsactl("keys", "add", "cluster")
    assert keys(programs, "cluster.pub") == keys(programs, "cluster.key") == [first]


@pytest.mark.parametrize("words", [
    [], ["nothing"], ["keys"], ["keys", "add"], ["keys", "add", "other"], ["migrate", "x"],
    ["migrate", "--bad"], ["--bad"],
])
def test_a_wrong_command_line_exits_with_2(fsactl, words):
    assert fsactl("dbname=unused", *words).returncode == 2


def test_help_and_version(build):
    for option, text in (("--help", "migrate"), ("--version", "fullstack-agent")):
        done = subprocess.run([build / "fsactl", option], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        assert text in done.stdout
