"""Tests the stand's PostgreSQL: who may use which role, and what a crash leaves."""

import os
import stat

import psycopg2
import pytest

from stand.postgres import Postgres
from stand.process import StandError, run

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def scalar(connection, statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


@pytest.fixture
def database(postgres):
    postgres.create_database("stand")
    yield "stand"
    postgres.drop_database("stand")


def test_a_database_belongs_to_the_owner_and_is_made_once(postgres, database):
    postgres.create_database(database)
    connection = postgres.connect(database, user="fsa_owner")
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
    assert scalar(connection, owner) == "fsa_owner"
    assert scalar(connection, "SELECT rolsuper FROM pg_roles WHERE rolname = 'fsa_owner'") is False


def test_writes_are_durable_and_nothing_listens_on_the_network(postgres, database):
    connection = postgres.connect(database)
    assert scalar(connection, "SHOW fsync") == "on"
    assert scalar(connection, "SHOW synchronous_commit") == "on"
    assert scalar(connection, "SHOW listen_addresses") == ""


def test_committed_data_survives_a_crash(postgres, database):
    with postgres.connect(database, "fsa_owner").cursor() as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT 7 AS number")
    connection = postgres.connect(database)
    postgres.restart()
    with pytest.raises(psycopg2.Error):
        scalar(connection, "SELECT 1")
    assert scalar(postgres.connect(database), "SELECT number FROM kept") == 7


@needs_root
def test_another_user_is_only_the_role_that_was_granted(workspace):
    with Postgres(workspace / "granting", grants={"nobody": ["fsa_owner"]}) as server:
        psql = ["psql", "-XAtc", "SELECT current_user", "-d"]
        allowed = run([*psql, server.conninfo("postgres", "fsa_owner")], "psql", user="nobody")
        assert allowed.strip() == "fsa_owner"
        for role in ("postgres", "fsa_api"):
            with pytest.raises(StandError, match="Peer authentication failed"):
                run([*psql, server.conninfo("postgres", role)], "psql", user="nobody")


def test_its_data_is_private(postgres):
    mode = stat.S_IMODE((postgres.directory / "data").stat().st_mode)
    assert mode == 0o700


def test_pgbouncer_hands_on_the_role(pgbouncer, database):
    connection = psycopg2.connect(pgbouncer.conninfo(database, "fsa_owner"))
    connection.autocommit = True
    assert scalar(connection, "SELECT current_user") == "fsa_owner"
