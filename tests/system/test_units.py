"""Tests the units as built: how much they expose, and that systemd knows all directives."""

import shutil
import subprocess
from pathlib import Path

import pytest

from test_sandbox import ALLOWED

UNITS = Path(__file__).resolve().parents[2] / "systemd"
SERVICES = sorted(path.name.partition(".")[0] for path in UNITS.glob("*.service.in"))
EXPOSURE = 15  # tenths
OF_ROOT = {"fsa-doctor": 45}  # it does what an administrator does by hand


@pytest.fixture(autouse=True)
def systemd_analyze():
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_exposes_little(build, service):
    unit = build / "systemd" / f"{service}.service"
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager"]
    done = subprocess.run([*command, f"--threshold={OF_ROOT.get(service, EXPOSURE)}", unit], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Overall exposure level" in done.stdout


def test_the_sandbox_of_every_service_is_tried():
    assert sorted({*ALLOWED, *OF_ROOT}) == SERVICES


def test_the_threshold_is_a_threshold(build):
    unit = build / "systemd" / "fsa-auth.service"
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=1", unit]
    assert subprocess.run(command, capture_output=True).returncode != 0


def test_nothing_is_left_to_fill_in(build):
    units = [unit for unit in (build / "systemd").glob("*.s*") if unit.is_file()]
    assert len(units) >= len(SERVICES)
    for unit in units:
        assert "@" not in unit.read_text().replace("@system-service", "").replace(
            "@privileged @resources", ""), unit
