"""Defines what `make bench` measures, one row per figure with its aim, and how the rows are printed."""

import operator
from typing import NamedTuple, Optional

_COMPARE = {">=": operator.ge, "<=": operator.le}


class Aim(NamedTuple):
    """The aim of a row: for its value, or for its ratio to the floor."""

    what: str
    compare: str
    limit: float

    def __str__(self):
        return f"{self.what} {self.compare} {self.limit:g}"

    def holds(self, row):
        return _COMPARE[self.compare](row[self.what], self.limit)


class Spec(NamedTuple):
    unit: str
    aim: Optional[Aim] = None


_NOT_SLOWER = Aim("ratio", ">=", 0.9)  # for a rate with 100,000 projects in the tables
_NOT_LONGER = Aim("ratio", "<=", 1.1)  # for a time
_KEEPS_UP = Aim("ratio", ">=", 0.9)  # each row is observed when it is due
_RESYNC = Aim("value", "<=", 0.4)

# docs/benchmarks.md describes each of these.
SPECS = {
    "get_statements": Spec("", Aim("value", "<=", 2)),
    "get_rate": Spec("1/s", Aim("ratio", ">=", 0.9)),
    "get_rate_pgbench": Spec("1/s"),
    "get_p99": Spec("ms", Aim("ratio", "<=", 1.1)),
    "get_rate_100k": Spec("1/s", _NOT_SLOWER),
    "get_p99_100k": Spec("ms", _NOT_LONGER),
    "post_rate": Spec("1/s", Aim("value", ">=", 1500)),
    "post_rate_100k": Spec("1/s", _NOT_SLOWER),
    "get_p99_logins": Spec("ms", Aim("ratio", "<=", 2)),
    "login_rate": Spec("1/s"),
    "stream_memory": Spec("kB", Aim("value", "<=", 32)),
    "get_rate_streams": Spec("1/s", _NOT_SLOWER),
    "told": Spec("ms"),
    "told_p99": Spec("ms", Aim("value", "<=", 100)),
    "memory_idle": Spec("MB", Aim("value", "<=", 6)),
    "memory_loaded": Spec("MB", Aim("value", "<=", 6)),
    "start": Spec("ms", Aim("value", "<=", 50)),
    "start_100k": Spec("ms", _NOT_LONGER),
    "idle_pass": Spec("ms", Aim("value", "<=", 10)),
    "idle_pass_100k": Spec("ms", _NOT_LONGER),
    "first_paint": Spec("ms", Aim("value", "<=", 300)),
    "running": Spec("s", Aim("ratio", "<=", 1.5)),
    "running_100k": Spec("s", _NOT_LONGER),
    "image_size": Spec("MB"),
    "image_start": Spec("ms", Aim("value", "<=", 1000)),
    "sandbox_memory": Spec("MiB", Aim("value", "<=", 5)),
    "sandbox_memory_shell": Spec("MiB", Aim("value", "<=", 8)),
    "sandboxd_start": Spec("ms"),
    "run_true": Spec("ms", Aim("value", "<=", 20)),
    "upload": Spec("MB/s"),
    "upload_nginx": Spec("MB/s"),
    "upload_scp": Spec("MB/s"),
    "download": Spec("MB/s"),
    "download_nginx": Spec("MB/s"),
    "download_scp": Spec("MB/s"),
    "sandboxd_idle": Spec("MB", Aim("value", "<=", 4)),
    "sandboxd_loaded": Spec("MB", Aim("value", "<=", 16)),
    "transitions": Spec("1/s"),
    "transitions_core": Spec("1/s", Aim("value", ">=", 2000)),
    "transitions_four": Spec("1/s", Aim("ratio", ">=", 1.5)),
    "wake": Spec("ms"),
    "wake_p99": Spec("ms", Aim("value", "<=", 50)),
    "memory_in_flight": Spec("MB", Aim("value", "<=", 64)),
    "resync_10k": Spec("ms/s"),
    "resync_10k_row": Spec("ms", _RESYNC),
    "resync_10k_looks": Spec("1/s", _KEEPS_UP),
    "resync_30k": Spec("ms/s"),
    "resync_30k_row": Spec("ms", _RESYNC),
    "resync_30k_looks": Spec("1/s", _KEEPS_UP),
    "claim_100k": Spec("ms", Aim("value", "<=", 5)),
}


def make_row(name, value, floor=None):
    """Makes a row of bench.json; `floor` is the value that it is compared with."""
    spec = SPECS[name]
    row = {
        "name": name,
        "value": value,
        "unit": spec.unit,
        "floor": floor,
        "ratio": value / floor if floor else None,
        "aim": str(spec.aim) if spec.aim else None,
        "ok": None,
    }
    if spec.aim:
        row["ok"] = spec.aim.holds(row)
    return {key: _rounded(field) for key, field in row.items()}


def table(rows):
    """Returns the rows as text, one line each."""
    lines = [("", "value", "", "floor", "ratio", "aim", "")]
    for row in rows:
        verdict = {True: "ok", False: "MISSED", None: ""}[row["ok"]]
        lines.append((row["name"], _figure(row["value"]), row["unit"], _figure(row["floor"]),
                      _figure(row["ratio"]), row["aim"] or "", verdict))
    form = "{:<20} {:>8} {:<4} {:>8} {:>7}  {:<14} {}"
    return "\n".join(form.format(*line).rstrip() for line in lines)


def _rounded(field):
    return float(f"{field:.4g}") if isinstance(field, float) else field


def _figure(number):
    if number is None:
        return ""
    return f"{number:,.0f}" if number >= 1000 else f"{number:.4g}"
