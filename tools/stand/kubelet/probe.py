"""Probes of a container: startup, readiness, liveness.

They run in their own threads, so that a slow one delays neither other probes nor the node.
"""

import time
from concurrent.futures import ThreadPoolExecutor

AT_ONCE = 64  # upper limit: threads are started as needed
KINDS = ("startupProbe", "readinessProbe", "livenessProbe")

_threads = ThreadPoolExecutor(AT_ONCE)


class Probe:
    """All probes of one run of a container."""

    def __init__(self, pod, container, run):
        self._pod, self._container, self._run = pod, container, run
        self._begin = time.monotonic()
        self._next = {kind: self._begin + self._of(kind, "initialDelaySeconds", 0) for kind in KINDS}
        self._failures = dict.fromkeys(KINDS, 0)
        self._running = {}  # kind → Future
        self.started = "startupProbe" not in container
        self.ready = self.started and "readinessProbe" not in container
        self.must_restart = False

    def turn(self):
        for kind in ("startupProbe",) if not self.started else KINDS[1:]:
            if kind not in self._container:
                continue
            if kind in self._running:
                if self._running[kind].done():
                    self._take(kind, self._running.pop(kind).result())
            elif time.monotonic() >= self._next[kind]:
                self._next[kind] = time.monotonic() + self._of(kind, "periodSeconds", 10)
                self._running[kind] = _threads.submit(self._succeeds, self._container[kind],
                                                      self._of(kind, "timeoutSeconds", 1))

    def _take(self, kind, well):
        self._failures[kind] = 0 if well else self._failures[kind] + 1
        failed = self._failures[kind] >= self._of(kind, "failureThreshold", 3)
        if kind == "startupProbe" and well:
            self.started = True
            self.ready = "readinessProbe" not in self._container
        elif kind == "readinessProbe" and (well or failed):
            self.ready = well
        elif failed:
            self.must_restart = True

    def _succeeds(self, probe, seconds):
        if "exec" in probe:
            return self._run.run(probe["exec"]["command"], seconds)
        port = (probe.get("tcpSocket") or probe.get("httpGet"))["port"]
        return self._pod.accepts(self._number(port))

    def _number(self, port):
        """Returns a port's number; it may be given by name."""
        named = {p.get("name"): p["containerPort"] for p in self._container.get("ports", [])}
        return named.get(port, port)

    def _of(self, kind, name, otherwise):
        return self._container.get(kind, {}).get(name, otherwise)
