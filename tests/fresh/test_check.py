"""Tests that tools/check installs everything that its steps need, on a pristine machine."""

import re

# The tests of tests/web that together use each server and library: all of them would take as long as this whole
# folder.
SOME = "-k 'openapi or oauth2_server or metrics or sealos or limits'"


def test_the_check_installs_what_its_steps_need(make_cloned):
    machine = make_cloned("check")
    shown = machine.run(f'cd fullstack-agent; PYTEST_ADDOPTS="{SOME}"'
                        " tools/check --only '^(unit|tests/web)$'")
    found = re.search(r"^(\d+) passed, 0 failed", shown.strip().splitlines()[-1])
    assert found and int(found[1]) > 600, shown[-5000:]  # most of which are of unit
