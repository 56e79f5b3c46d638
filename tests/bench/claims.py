"""Measures what a claim costs when everything is due, by the durations in PostgreSQL's log."""

import re
import statistics
import time

from flood import Reconcilers
from load import BenchError
from rows import make_row

_DURATION = re.compile(r" LOG:  duration: ([\d.]+) ms  execute queue_claim: ")


def measure_claim(scene, options):
    """The kubeconfigs of these rows cannot be opened, so that only claiming takes time."""
    site = scene.large
    setting = f'ALTER ROLE fsa_reconcile IN DATABASE "{site.database}"'
    with site.cursor() as cursor:
        cursor.execute(f"{setting} SET log_min_duration_statement = 0")
        cursor.execute("UPDATE resources SET due_at = now() - random() * interval '1 hour'")
        cursor.execute("VACUUM ANALYZE resources")
        begin = site.log.stat().st_size
        with Reconcilers(scene, site, 1, {}):
            time.sleep(options.claim_seconds)
        cursor.execute(f"{setting} RESET log_min_duration_statement")
    with open(site.log) as log:
        log.seek(begin)
        took = [float(ms) for ms in _DURATION.findall(log.read())]
    if not took:
        raise BenchError(f"no claim in {site.log}")
    return [make_row("claim_100k", statistics.median(took))]
