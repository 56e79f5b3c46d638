"""Measures the web side: rates, latency, memory, start."""

import concurrent.futures
import http.client
import os
import secrets
import statistics
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

from load import BenchError, pgbench, wrk
from rows import make_row

PGBENCH_SAMPLES = 8  # limited, as each is prepared anew on every connection
LOGINS = 50  # concurrently, each by a different user


def interleave(rounds, **measures):
    """Runs each measure once per round, in turn, so that noise affects all of them; returns name → results."""
    results = {name: [] for name in measures}
    for number in range(rounds):
        order = list(measures) if number % 2 == 0 else list(reversed(measures))
        for name in order:
            results[name].append(measures[name]())
    return results


def median(results, field=lambda result: result):
    return statistics.median(field(result) for result in results)


# ---- GET ------------------------------------------------------------------------------------------


def measure_get(scene, options):
    scene.large, scene.bare  # made before the first measurement
    measures = {
        "ours": _get_round(scene, scene.small.url, scene.small, options),
        "bare": _get_round(scene, scene.bare.url, scene.small, options),
        "pgbench": _pgbench_round(scene, options),
        "large": _get_round(scene, scene.large.url, scene.large, options),
    }
    for measure in measures.values():  # warms caches and opens the workers' connections
        measure(seconds=1)
    results = interleave(options.rounds, **measures)
    rate = {n: median(r, lambda l: l.rate) for n, r in results.items() if n != "pgbench"}
    p99 = {n: median(r, lambda l: l.p99_ms) for n, r in results.items() if n != "pgbench"}
    return [
        make_row("get_statements", len(scene.statements)),
        make_row("get_rate", rate["ours"], rate["bare"]),
        make_row("get_rate_pgbench", rate["ours"], median(results["pgbench"])),
        make_row("get_p99", p99["ours"], p99["bare"]),
        make_row("get_rate_100k", rate["large"], rate["ours"]),
        make_row("get_p99_100k", p99["large"], p99["ours"]),
    ]


def _get_round(scene, url, site, options):
    folder = scene.folder("get")
    samples = folder / "samples"
    samples.write_text("".join(f"{s.person.token} {s.project}\n" for s in site.samples))
    return lambda seconds=options.seconds: wrk(folder, url, "get.lua", [samples], seconds)


def _pgbench_round(scene, options):
    folder = scene.folder("pgbench")
    conninfo = scene.postgres.conninfo(scene.small.database, "fsa_api")
    samples = scene.small.samples[:PGBENCH_SAMPLES]
    return lambda seconds=options.seconds: pgbench(
        folder, conninfo, scene.statements, samples, scene.small.workers, seconds)


# ---- POST -----------------------------------------------------------------------------------------


def measure_post(scene, options):
    measures = {
        "small": _post_round(scene, scene.small, options),
        "large": _post_round(scene, scene.large, options),
    }
    for measure in measures.values():
        measure(seconds=1)
    results = interleave(options.rounds, **measures)
    rate = {name: median(loads, lambda l: l.rate) for name, loads in results.items()}
    return [
        make_row("post_rate", rate["small"]),
        make_row("post_rate_100k", rate["large"], rate["small"]),
    ]


def _post_round(scene, site, options):
    """Each round has new users, so that none has more projects than a real user."""
    folder = scene.folder("post")
    tokens = folder / "tokens"

    def measure(seconds=options.seconds):
        people = site.add_people(100 * seconds)
        tokens.write_text("".join(f"{person.token}\n" for person in people))
        word = people[0].id[:8]
        load = wrk(folder, site.url, "post.lua", [tokens, site.url, word], seconds)
        site.remove_projects(people)
        return load

    return measure


# ---- logins ---------------------------------------------------------------------------------------


def measure_logins(scene, options):
    """Measures GET alone, and while as many people log in with their passwords as the site allows."""
    site = scene.small
    site.programs.start("auth.fcgi")
    try:
        get = _get_round(scene, site.url, site, options)
        log_in = _login_round(scene, site)
        for measure in (get, log_in):
            measure(seconds=1)
        results = interleave(options.rounds, alone=lambda: _alone(get, site),
                             both=lambda: _both(get, log_in, options.seconds))
    finally:
        site.programs.stop("auth.fcgi")
    p99 = median([load for load, _ in results["both"]], lambda l: l.p99_ms)
    return [
        make_row("get_p99_logins", p99, median(results["alone"], lambda l: l.p99_ms)),
        make_row("login_rate", median([load for _, load in results["both"]], lambda l: l.rate)),
    ]


def _alone(get, site):
    """First waits for requests that wrk has left in the queue of auth.fcgi."""
    site.client().get("/api/auth/providers")
    return get()


def _both(get, log_in, seconds):
    """Runs both loads at once; the logins begin before the GETs and end after them."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        logins = pool.submit(log_in, seconds=seconds + 2)
        time.sleep(1)
        got = get(seconds=seconds)
        return got, logins.result()


def _login_round(scene, site):
    folder = scene.folder("login")
    password = secrets.token_hex(8)
    names = [f"login{number}" for number in range(LOGINS)]
    for name in names:
        answer = site.client().register(name, password)
        if not answer.ok:
            raise BenchError(f"POST /api/auth/register: {answer.status_code} {answer.text}")
    listing = folder / "names"
    listing.write_text("".join(f"{name}\n" for name in names))
    return lambda seconds: wrk(folder, site.url, "login.lua", [listing, password, site.url],
                               seconds, LOGINS)


# ---- memory ---------------------------------------------------------------------------------------


def measure_memory(scene, options):
    """Measures the private memory of the largest worker: fresh after one response, and after load."""
    site = scene.small
    site.restart()
    scene.bare.stop_program()
    scene.bare.start()
    for url in (site.url, scene.bare.url):  # until each worker has served one
        _get_round(scene, url, site, options)(seconds=1)
    floor = unshared_mb(scene.bare.pid())
    site.restart()
    for _ in range(10 * site.workers):
        _get_once(site)
    idle = unshared_mb(site.programs.pid("api.fcgi"))
    _get_round(scene, site.url, site, options)()
    _post_round(scene, site, options)()
    loaded = unshared_mb(site.programs.pid("api.fcgi"))
    return [make_row("memory_idle", idle, floor), make_row("memory_loaded", loaded, floor)]


def unshared_mb(master):
    """Returns the private memory of the largest child in MB."""
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    sizes = [private_mb(pid) for pid in children]
    if not any(sizes):
        raise BenchError(f"no worker of {master} can be looked at")
    return max(sizes)


def private_mb(pid):
    """Returns the private memory of a process in MB; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # the worker has just been recycled
        return 0
    kb = sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
    return kb * 1024 / 1e6


def _get_once(site):
    sample = site.samples[0]
    answer = site.client().get(f"/api/sandbox/{sample.project}", headers=sample.person.headers)
    if not answer.ok:
        raise BenchError(f"GET: {answer.status_code} {answer.text}")


# ---- start ----------------------------------------------------------------------------------------


def measure_start(scene, options):
    """Measures the time from the program's start to the first response of GET /api/sandbox/:id."""
    scene.large, scene.bare
    results = interleave(
        3 * options.rounds,
        ours=lambda: _start_site(scene.small),
        bare=lambda: _start_bare(scene),
        large=lambda: _start_site(scene.large),
    )
    return [
        make_row("start", median(results["ours"]), median(results["bare"])),
        make_row("start_100k", median(results["large"]), median(results["ours"])),
    ]


def _start_site(site):
    programs = site.programs
    programs.stop("api.fcgi")
    command = [*programs.prepare("api.fcgi"), "--socket", programs.socket("api.fcgi"),
               "--workers", site.workers]
    took = _time_start(command, site.url, site.samples[0])
    programs.start("api.fcgi")
    return took


def _start_bare(scene):
    scene.bare.stop_program()
    took = _time_start(scene.bare.command, scene.bare.url, scene.small.samples[0])
    scene.bare.start()
    return took


def _time_start(command, url, sample):
    """nginx answers 503 until the socket is there, so requests are repeated until one succeeds."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    connection.connect()
    begin = time.perf_counter()
    program = subprocess.Popen([str(word) for word in command], stderr=subprocess.DEVNULL,
                               stdin=subprocess.DEVNULL)
    try:
        while _status(connection, sample) != 200:
            if time.perf_counter() - begin > 10:
                raise BenchError(f"no answer from {command[0]}")
            time.sleep(0.0005)
        return (time.perf_counter() - begin) * 1000
    finally:
        program.terminate()
        program.wait()


def _status(connection, sample):
    connection.request("GET", f"/api/sandbox/{sample.project}", headers=sample.person.headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


# ---- an idle pass ---------------------------------------------------------------------------------


def measure_idle_pass(scene, options):
    """Measures the CPU time of `fsa-reconcile` when nothing is due, loading included, as systemd runs it."""
    scene.large
    results = interleave(
        5 * options.rounds,
        loading=lambda: _cpu_ms(scene.small, "--version"),
        small=lambda: _cpu_ms(scene.small),
        large=lambda: _cpu_ms(scene.large),
    )
    return [
        make_row("idle_pass", median(results["small"]), median(results["loading"])),
        make_row("idle_pass_100k", median(results["large"]), median(results["small"])),
    ]


def _cpu_ms(site, *words):
    command = [*site.programs.prepare("fsa-reconcile"), *words]
    child = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise BenchError(f"fsa-reconcile exited with {child.returncode}")
    return (used.ru_utime + used.ru_stime) * 1000
