"""Random schedules of changes, faults and kills: in the end, everybody has what they requested last.

    pytest tests/reconcile/test_schedules.py --seed 7 [--steps 1000]

repeats one. Some seeds are always run, including those that have found faults, and a random one;
a failure names its seed and the log of its steps.
"""

import contextlib
import random

import pytest
from schedule import ENDS, OPTIONS, Schedule
from stand.kubesim import KubeSim
from stand.postgres import Postgres
from stand.site import Site

SEEDS = (1, 2, 3)
STEPS = 500


def pytest_generate_tests(metafunc):
    chosen = metafunc.config.getoption("--seed", default=None)
    seeds = [chosen] if chosen is not None else [*SEEDS, random.randrange(1000, 1_000_000)]
    metafunc.parametrize("seed", seeds)


@pytest.fixture(scope="module")
def crashing_postgres(workspace):
    """A PostgreSQL of our own, which is killed."""
    with Postgres(workspace / "crashing") as server:
        yield server


def test_the_last_wishes_come_true(workspace, build, kubesim_build, crashing_postgres, request,
                                   seed):
    log = workspace / f"schedule-{seed}.log"
    steps = request.config.getoption("--steps", default=None) or STEPS
    print(f"seed {seed}, steps in {log}")
    with (
        KubeSim(workspace / f"sim{seed}", kubesim_build, seed=seed) as kubesim,
        Site(workspace / f"site{seed}", build, crashing_postgres, database=f"schedule{seed}",
             options=OPTIONS | ENDS, every="200ms") as site,
        contextlib.closing(Schedule(site, kubesim, seed, log)) as schedule,
    ):
        schedule.run(steps)
        schedule.settle()
        schedule.check()
        schedule.remove_everything()
