"""Tests that programs get the configuration and the keys that they need, and no others."""

import os
import stat
import time

import pytest

from stand.process import PATIENCE, StandError, run
from stand.programs import PROGRAMS, Programs

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def keys_of(site, name):
    folder = site.programs.config(name).parent
    return {path.name for path in folder.iterdir() if path.suffix in (".key", ".pub")}


def test_a_site_answers_and_its_programs_run(site):
    assert site.client().get("/healthz").status_code == 200
    assert site.client().get("/readyz").status_code == 200
    assert all(site.programs.pid(name) for name in PROGRAMS)


def test_only_the_reconciler_has_the_key_that_opens_kubeconfigs(site):
    both = {"owner.pub", "cluster.pub"}
    assert keys_of(site, "api.fcgi") == both | {"owner.key"}
    assert keys_of(site, "auth.fcgi") == both
    assert keys_of(site, "fsa-reconcile") == both | {"owner.key", "cluster.key"}
    private = site.programs.config("fsa-reconcile").parent / "cluster.key"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600


@needs_root
def test_another_programs_user_cannot_read_it(workspace, build, postgres):
    postgres.create_database("dropped")
    programs = Programs(workspace / "dropped", build, postgres.conninfo("dropped"),
                        sql_dir="sql", drop_root=True)
    programs.fsactl("keys", "add", "owner")
    programs.fsactl("keys", "add", "cluster")
    programs.prepare("fsa-reconcile")
    key = programs.config("fsa-reconcile").parent / "cluster.key"
    run(["cat", key], "its own user", user="nobody")
    with pytest.raises(StandError, match="Permission denied"):
        run(["cat", key], "the web side", user="www-data")


def test_migrating_and_starting_again_changes_nothing(site):
    pids = {name: site.programs.pid(name) for name in PROGRAMS}
    site.start()
    assert pids == {name: site.programs.pid(name) for name in PROGRAMS}


def test_a_program_that_was_killed_is_started_again_by_the_next_start(site):
    site.programs.kill("api.fcgi")
    end = time.monotonic() + PATIENCE  # the kernel ends its workers a moment later
    while site.client().get("/healthz").status_code != 503:
        assert time.monotonic() < end
    site.start()
    assert site.client().get("/healthz").status_code == 200


def test_a_program_that_is_not_built_is_named(workspace):
    programs = Programs(workspace / "unbuilt", workspace, "dbname=none")
    with pytest.raises(StandError, match="fsactl is not in .*make"):
        programs.migrate()
