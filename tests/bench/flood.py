"""Measures the reconciler's own limits, on kubesim, whose responses cost next to nothing."""

import secrets
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from growing import processor_seconds
from load import BenchError
from rows import make_row
from stand.process import Process
from web import private_mb

PROJECTS_PER_USER = 10
PATIENCE = 900  # seconds without any progress
EVERY = "3s"  # between passes, as in an installation


def measure_transitions(scene, options):
    """Starts and stops many sandboxes at once, with one shard process and with four."""
    flood = Flood(scene, options.flood)
    with flood.reconcilers(2):
        flood.wait("RUNNING")
    one = [flood.round(1) for _ in range(options.flood_rounds)]
    four = [flood.round(4) for _ in range(options.flood_rounds)]
    rate = statistics.median(r.rate for r in one)
    return [
        make_row("transitions", rate),
        make_row("transitions_core", statistics.median(r.rate_core for r in one)),
        make_row("transitions_four", statistics.median(r.rate for r in four), rate),
    ]


def measure_wake(scene, options):
    """Measures the time from the request for a start to the first change in the cluster, for one sandbox after
    another."""
    flood = Flood(scene, options.wakes)
    with flood.reconcilers(1):
        flood.wait("RUNNING")
        flood.stop()
        times = sorted(flood.time_start(project) for project in flood.projects)
        flood.wait("RUNNING")
    return [
        make_row("wake", statistics.median(times)),
        make_row("wake_p99", times[int(len(times) * 0.99)]),
    ]


def measure_resync(scene, options):
    """Measures the CPU time per second of observing many stable sandboxes once in five minutes."""
    rows = []
    flood = Flood(scene, 0)
    for name, count in zip(("resync_10k", "resync_30k"), options.stable):
        flood.add(count - len(flood.projects))
        # Meanwhile, running ones are not observed; large claims cost less per row.
        with flood.reconcilers(2, resync="1d", rows_in_flight=1000):
            flood.wait("RUNNING")
            flood.resync_new()
        flood.spread_resyncs(options.resync)
        with flood.reconcilers(1, resync=f"{options.resync}s") as running:
            time.sleep(2)
            looks, cpu, begin = flood.looks(), _cpu_seconds(running), time.monotonic()
            time.sleep(options.resync_seconds)
            took = time.monotonic() - begin
            cpu, looks = _cpu_seconds(running) - cpu, flood.looks() - looks
            rows.append(make_row(name, 1000 * cpu / took))
            rows.append(make_row(f"{name}_row", 1000 * cpu / max(looks, 1)))
            rows.append(make_row(f"{name}_looks", looks / took, count / options.resync))
    return rows


def measure_in_flight(scene, options):
    """Measures the memory of a process that works on 1,000 rows with a slow API server."""
    flood = Flood(scene, options.in_flight)
    slow = flood.kubesim.fault(fault="latency", ms=3000, verb="list")
    with flood.reconcilers(1, rows_in_flight=1000, rows_per_user=1000) as running:
        end, largest, leased = time.monotonic() + 20, 0, 0
        while time.monotonic() < end and leased < options.in_flight:
            leased = flood.count("leased_until > now()")
            largest = max(largest, sum(map(private_mb, _pids(running))))
            time.sleep(0.05)
        flood.kubesim.end_fault(slow)
        if leased < options.in_flight:
            raise BenchError(f"only {leased} rows were in flight")
        while flood.count("status = 'RUNNING'") < options.in_flight:
            largest = max(largest, sum(map(private_mb, _pids(running))))
            time.sleep(0.05)
    return [make_row("memory_in_flight", largest)]


class Round(NamedTuple):
    """Status changes per second, and per CPU second of the processes that made them."""

    rate: float
    rate_core: float


class Flood:
    """Projects of one sandbox each; their users have separate namespaces."""

    def __init__(self, scene, count):
        self._scene = scene
        self.kubesim = scene.kubesim
        self.site = scene.new_site("flood")
        self.projects = []  # (person, project id)
        self.add(count)

    def add(self, count):
        """Adds `count` projects, whose rows are due and not claimed yet."""
        people = self.site.add_people(-(-count // PROJECTS_PER_USER))
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._hand_in, people))
            owners = [people[n % len(people)] for n in range(count)]
            made = pool.map(lambda p: (p, self.site.create_project(p, database=False)), owners)
            self.projects += made
        self.site.vacuum()

    def _hand_in(self, person):
        kubeconfig = self.kubesim.create_user(f"flood{secrets.token_hex(6)}")
        answer = self.site.client().put("/api/user/config/kc", {"kubeconfig": kubeconfig},
                                        headers=person.headers)
        if not answer.ok:
            raise BenchError(f"PUT kubeconfig: {answer.status_code} {answer.text}")

    def reconcilers(self, count, **options):
        return Reconcilers(self._scene, self.site, count, options)

    def round(self, shards):
        """Stops and starts all projects, with this number of shard processes."""
        took = cpu = 0
        for desired in ("STOPPED", "RUNNING"):
            self._ask_all(desired)
            with self.reconcilers(1, shards=shards) as running:
                begin = time.monotonic()
                self.wait(desired)
                took += time.monotonic() - begin
                cpu += _cpu_seconds(running)
        return Round(2 * len(self.projects) / took, 2 * len(self.projects) / cpu)

    def stop(self):
        self._ask_all("STOPPED")
        self.wait("STOPPED")

    def _ask_all(self, desired):
        """Requests a status for all projects at once, in the database: the web side is not measured here."""
        with self.site.cursor() as cursor:
            cursor.execute(
                "UPDATE resources SET desired = %s::desired, generation = generation + 1,"
                " status = told_status(%s::desired, status), status_since = now(), due_at = now()",
                (desired, desired))

    def count(self, condition):
        return self._ask(f"SELECT count(*) FROM resources WHERE {condition}")

    def looks(self):
        """Returns how many claims of rows there have been so far."""
        return int(self._ask("SELECT sum(lease_epoch) FROM resources"))

    def _ask(self, query):
        with self.site.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchone()[0]

    def wait(self, status):
        """Waits until all have that status."""
        self._wait_none(f"status <> '{status}'")

    def resync_new(self):
        """Has every row observed whose first resync, which costs more than others, is to come."""
        new = "(observed ? 'vouched') IS NOT TRUE"  # see reconcile/vouch.h
        with self.site.cursor() as cursor:
            cursor.execute(f"UPDATE resources SET due_at = now() WHERE {new}")
        self._wait_none(new)

    def _wait_none(self, condition):
        """Waits until no row meets it; gives up when their number does not fall for PATIENCE seconds."""
        least, end = len(self.projects) + 1, 0
        while (left := self.count(condition)) > 0:
            if left < least:
                least, end = left, time.monotonic() + PATIENCE
            elif time.monotonic() > end:
                raise BenchError(f"of {left} rows {condition}, see {self.site.directory}")
            time.sleep(0.2 + len(self.projects) / 50_000)  # counting takes CPU time on the same machine

    def spread_resyncs(self, seconds):
        """Gives each user's rows their moment in the period, as the reconciler does."""
        with self.site.cursor() as cursor:
            cursor.execute("UPDATE resources SET due_at = next_resync(user_id, %s)"
                           " - %s * interval '1 s' / 2", (1000 * seconds, seconds))

    def time_start(self, project):
        """Returns the milliseconds from the request, including its commit, to the first change in the cluster."""
        person, project_id = project
        since = self.kubesim.writes()["next"]
        client = self.site.client()
        begin = time.clock_gettime(time.CLOCK_BOOTTIME)
        answer = client.post(f"/api/projects/{project_id}/start", headers=person.headers)
        if not answer.ok:
            raise BenchError(f"start: {answer.status_code} {answer.text}")
        end = time.monotonic() + 10
        while time.monotonic() < end:
            for write in self.kubesim.writes(since)["writes"]:
                if write["verb"] == "apply":
                    return write["ms"] - begin * 1000
            time.sleep(0.01)
        raise BenchError("nothing was changed in the cluster 10 s after a start")


class Reconcilers:
    """Processes of fsa-reconcile with their own options on the site's database."""

    def __init__(self, scene, site, count, options):
        programs, folder = site.programs, scene.folder("reconcilers")
        command = programs.prepare("fsa-reconcile")
        config = programs.config("fsa-reconcile").with_name("bench.conf")
        config.write_text(programs.config("fsa-reconcile").read_text()
                          + "".join(f"{k} = {v}\n" for k, v in options.items()))
        self._command = [command[0], "--config", config, "--every", EVERY]
        self._processes = [Process(folder, f"fsa-reconcile-{n}") for n in range(count)]

    def __enter__(self):
        for process in self._processes:
            process.start(self._command)
        return self._processes

    def __exit__(self, *_):
        for process in self._processes:
            process.stop(patience=40)


def _pids(processes):
    """Yields the pids of the processes and of their shards."""
    for process in processes:
        pid = process.pid()
        yield pid
        yield from Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def _cpu_seconds(processes):
    """Returns the CPU time of the processes so far, including that of shards that have ended."""
    return sum(processor_seconds(process.pid()) for process in processes)
