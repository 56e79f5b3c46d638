#!/usr/bin/python3
"""The figures of docs/growing.md: what a request and a project cost each part of a site.

    FSA_BUILD=build tests/bench/growing.py

It measures CPU time, not rates: this shows the capacity of a host for one part, wherever the others
run, and hardly depends on what else the machine does.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "tools")]

from load import wrk  # noqa: E402
from scene import BenchSite  # noqa: E402
from stand.kubesim import KubeSim  # noqa: E402
from stand.postgres import PgBouncer, Postgres  # noqa: E402
from stand.process import Process  # noqa: E402

SECONDS = 8
WORKERS = 8
PROJECTS = 200
TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(pid):
    """Returns the CPU time of a process and its descendants, including those that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it has just ended; its time now counts for its parent
        return 0
    own = sum(int(ticks) for ticks in fields[11:15]) / TICKS
    return own + sum(processor_seconds(child) for child in children)


class Costs:
    """The CPU seconds that named programs use from now on."""

    def __init__(self, **pids):
        self._pids = pids
        self._begin = self._read()

    def _read(self):
        return {name: processor_seconds(pid) for name, pid in self._pids.items()}

    def each(self, count):
        """Returns the CPU microseconds per unit of work, by program."""
        now = self._read()
        return {name: round((now[name] - self._begin[name]) / count * 1e6) for name in now}


def cost_of(site, script, arguments, directory, **more):
    """Returns each program's CPU microseconds per request of a wrk script; arguments(n) are those of the n-th
    round."""
    wrk(directory, site.url, script, arguments(0), 1)  # warms caches and opens connections
    costs = Costs(nginx=site.nginx.pid(), api=site.programs.pid("api.fcgi"),
                  postgres=site.postgres.pid(), **more)
    load = wrk(directory, site.url, script, arguments(1), SECONDS)
    return costs.each(load.rate * SECONDS)


def connections(site):
    with site.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = 'fsa_api'")
        return cursor.fetchone()[0]


def web_costs(site, directory, **more):
    samples, tokens = directory / "samples", directory / "tokens"
    samples.write_text("".join(f"{s.person.token} {s.project}\n" for s in site.samples))
    people = site.add_people(100 * (SECONDS + 1))
    tokens.write_text("".join(f"{person.token}\n" for person in people))
    rows = {
        "GET /api/sandbox/:id": cost_of(site, "get.lua", lambda n: [samples], directory, **more),
        "POST /api/projects": cost_of(
            site, "post.lua", lambda n: [tokens, site.url, people[n].id[:8]], directory, **more),
    }
    rows["connections to PostgreSQL"] = connections(site)
    site.remove_projects(people)
    return rows


class Reconcilers:
    """Several reconcilers on one database, each as if on its own host."""

    def __init__(self, site, count, directory):
        self._site = site
        self.processes = [Process(directory, f"reconcile{n}") for n in range(count)]

    def __enter__(self):
        command = [*self._site.programs.prepare("fsa-reconcile"), "--every", "1s"]
        for process in self.processes:
            process.start(command)
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.stop()


def run_projects(site, kubesim, count, directory, word):
    """Brings PROJECTS projects of ten users to RUNNING with `count` reconcilers."""
    people = site.add_people(10)
    for number, person in enumerate(people):
        kubeconfig = kubesim.create_user(f"{word}{number}")
        assert site.client().put("/api/user/config/kc", {"kubeconfig": kubeconfig},
                                 headers=person.headers).ok
    made = [site.create_project(people[n % 10], database=False) for n in range(PROJECTS)]
    since = kubesim.writes()["next"]
    query = "SELECT count(*) FROM projects WHERE id = ANY (%s::uuid[]) AND status = 'RUNNING'"
    with Reconcilers(site, count, directory) as running, site.cursor() as cursor:
        costs = Costs(postgres=site.postgres.pid(),
                      **{p.name: p.pid() for p in running.processes})
        begun, done = time.monotonic(), 0
        while done < PROJECTS:
            time.sleep(0.05)
            cursor.execute(query, (made,))
            done = cursor.fetchone()[0]
        seconds = time.monotonic() - begun
        rows = costs.each(PROJECTS)
    uids = {w["uid"] for w in kubesim.writes(since)["writes"] if w["resource"] == "statefulsets"}
    return {"seconds": round(seconds, 1), "StatefulSets made": len(uids), "µs a project": rows}


def show(title, rows):
    print(f"\n{title}")
    for name, value in rows.items():
        print(f"  {name:28} {value}", flush=True)


def main():
    build = Path(os.environ["FSA_BUILD"]).resolve()
    with tempfile.TemporaryDirectory(prefix="fsa-", dir="/tmp") as name:
        directory = Path(name)
        directory.chmod(0o711)
        with Postgres(directory / "pg") as postgres, \
                PgBouncer(directory / "bouncer", postgres) as bouncer, \
                KubeSim(directory / "kubesim", build) as kubesim:
            site = BenchSite(directory / "site", build, postgres, "site", WORKERS)
            with site:
                site.samples = site.add_samples()
                site.fill(1000)
                site.vacuum()
                show("µs of processor time a request", web_costs(site, directory))
                kubesim.fault(fault="latency", ms=20)
                for count in (1, 2):
                    rows = run_projects(site, kubesim, count, directory, f"of{count}x")
                    show(f"{PROJECTS} projects to RUNNING, reconcilers: {count}", rows)
                site.programs.configure(database=bouncer.conninfo("site"), database_prepare="no")
                site.restart()
                show("µs through pgbouncer",
                     web_costs(site, directory, pgbouncer=bouncer.pid()))


if __name__ == "__main__":
    main()
