"""Measures live updates: what thousands of open pages cost, and how soon they receive changes."""

import asyncio
import json
import random
import resource
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from load import BenchError
from rows import make_row
from web import _get_round, median, private_mb

RETRY_S = 0.5  # until a page reopens its stream; browsers take a few seconds


class Pages:
    """Open pages, one per person: each holds a stream, and reads its list when the stream opens."""

    def __init__(self, site, people):
        self._address = urlsplit(site.url)
        self._people = people
        self._told = {}
        self._loop = asyncio.new_event_loop()
        self.open = 0
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def __enter__(self):
        asyncio.run_coroutine_threadsafe(self._start(), self._loop)
        end = time.monotonic() + 120
        while self.open < len(self._people):
            if time.monotonic() > end:
                raise BenchError(f"only {self.open} of {len(self._people)} streams are open")
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._cancel(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)

    def told_at(self, project, since, seconds=10):
        """Returns the time.monotonic() at which a page received the sandbox's status with this statusSince."""
        end = time.monotonic() + seconds
        while (project, since) not in self._told:
            if time.monotonic() > end:
                raise BenchError(f"no page was told of {since} of {project}")
            time.sleep(0.001)
        return self._told[project, since]

    async def _start(self):
        self._tasks = []
        for number, person in enumerate(self._people):
            self._tasks.append(asyncio.ensure_future(self._live(person)))
            if number % 20 == 19:
                await asyncio.sleep(0.02)

    async def _cancel(self):
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _live(self, person):
        while True:
            try:
                await self._follow(person)
            except OSError:
                pass
            await asyncio.sleep(RETRY_S * random.uniform(0.5, 1.5))

    async def _follow(self, person):
        reader, writer = await self._request("/api/events", person, "Accept: text/event-stream\r\n")
        opened = False
        try:
            while line := await reader.readline():
                if line == b": hi\n":
                    opened = True
                    self.open += 1
                    await self._read_list(person)
                elif line.startswith(b"data: {"):
                    self._note(json.loads(line[6:]))
        finally:
            self.open -= opened
            writer.close()

    async def _read_list(self, person):
        reader, writer = await self._request("/api/projects", person, "Connection: close\r\n")
        await reader.read()
        writer.close()

    async def _request(self, path, person, header):
        reader, writer = await asyncio.open_connection(self._address.hostname, self._address.port)
        words = "".join(f"{name}: {value}\r\n" for name, value in person.headers.items())
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n{words}{header}\r\n".encode())
        return reader, writer

    def _note(self, project):
        for sandbox in project.get("sandboxes", []):
            self._told.setdefault((project["id"], sandbox["statusSince"]), time.monotonic())


def measure_streams(scene, options):
    allow_files(3 * options.streams + 1000)
    site = scene.new_site("streams")
    site.programs.start("fsa-events")
    samples = site.add_samples()
    site.samples = samples
    get = _get_round(scene, site.url, site, options)
    get(seconds=1)
    alone = [get() for _ in range(options.rounds)]
    people = [s.person for s in samples] + site.add_people(options.streams - len(samples))
    before = nginx_mb(site)
    with Pages(site, people) as pages:
        memory = nginx_mb(site) - before
        both = [get() for _ in range(options.rounds)]
        late = latencies(site, pages, samples, options.changes)
    time.sleep(1)
    alone += [get() for _ in range(options.rounds)]
    return [
        make_row("stream_memory", memory * 1e3 / options.streams),
        make_row("get_rate_streams", median(both, lambda l: l.rate), median(alone, lambda l: l.rate)),
        make_row("told", late[len(late) // 2]),
        make_row("told_p99", late[min(len(late) - 1, int(len(late) * 0.99))]),
    ]


def latencies(site, pages, samples, changes):
    """Makes changes one by one; returns the sorted times in ms from each commit until the page received it."""
    times = []
    with site.cursor() as cursor:
        for _ in range(changes):
            sample = random.choice(samples)
            cursor.execute("UPDATE resources SET status_since = now() WHERE project_id = %s"
                           " AND kind = 'SANDBOX' RETURNING iso8601(status_since)",
                           (sample.project,))
            committed = time.monotonic()
            (since,) = cursor.fetchone()
            times.append((pages.told_at(sample.project, since) - committed) * 1e3)
            time.sleep(random.uniform(0, 0.05))
    return sorted(times)


def allow_files(number):
    """Lets this process, and the servers that it starts from now on, have `number` open files."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < number:
        raise BenchError(f"{number} open files are needed, {hard} are allowed (ulimit -n)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))


def nginx_mb(site):
    """Returns the private memory of nginx's workers in MB."""
    master = site.nginx.pid()
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return sum(private_mb(pid) for pid in children)
