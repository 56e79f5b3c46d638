"""Tests that `make bench` runs and writes what it should. Its figures are not judged, except for the number of
statements, which is the same on every machine.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "runtime")]

from image import NAMES, can_measure  # noqa: E402
from rows import SPECS, make_row, table  # noqa: E402
from statements import Statement, parse  # noqa: E402

MEMBERS = {"name", "value", "unit", "floor", "ratio", "aim", "ok"}


@pytest.mark.parametrize(
    "name, value, floor, ratio, ok",
    [
        ("get_rate", 900, 1000, 0.9, True),
        ("get_rate", 690, 1000, 0.69, False),
        ("post_rate", 1500, None, None, True),
        ("post_rate", 1490, 1000, 1.49, False),
        ("running_100k", 11, 10, 1.1, True),
        ("get_rate_pgbench", 1, 2, 0.5, None),
    ],
)
def test_a_row_says_whether_its_aim_is_reached(name, value, floor, ratio, ok):
    row = make_row(name, value, floor)
    assert (row["ratio"], row["ok"]) == (ratio, ok)
    assert set(row) == MEMBERS


def test_the_table_has_a_line_a_row():
    rows = [make_row("get_rate", 690.0, 1000.0), make_row("post_rate", 1600.0)]
    lines = table(rows).splitlines()
    assert "MISSED" in lines[1] and "0.69" in lines[1]
    assert lines[2].split() == ["post_rate", "1,600", "1/s", "value", ">=", "1500", "ok"]


def test_statements_are_read_from_the_log():
    log = (
        "2026-11-24 06:00:00.000 UTC [7] fsa_api@x LOG:  statement: BEGIN\n"
        "2026-11-24 06:00:00.000 UTC [7] fsa_api@x LOG:  execute a: SELECT $2, it's\n"
        "\t$1\n"
        "2026-11-24 06:00:00.000 UTC [7] fsa_api@x DETAIL:  parameters: $1 = '\\x00', $2 = '5'\n"
    )
    found = list(parse(log, {"\\x00": "hash"}))
    assert found == [Statement("BEGIN", ()), Statement("SELECT $2, it's $1", ("hash", "5"))]
    assert found[1].pgbench("_3") == "SELECT '5', it's :hash_3"


def test_quick(build, tmp_path):
    out = tmp_path / "bench.json"
    command = [sys.executable, HERE / "bench.py", "--quick", "--build", build, "--out", out]
    done = subprocess.run(command, capture_output=True, text=True, timeout=2400)
    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row for row in json.loads(out.read_text())}
    assert list(rows) == [name for name in SPECS if name not in NAMES or can_measure()]
    for name, row in rows.items():
        assert set(row) == MEMBERS
        assert row["value"] > 0, row
        assert name in done.stdout
    assert rows["get_statements"]["ok"], rows["get_statements"]
