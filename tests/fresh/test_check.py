"""The check on a pristine machine: what it installs is all that its steps need."""

import re

# Of tests/web what each of its servers and libraries is used by: all of it takes as long as all of this folder.
SOME = "-k 'openapi or oauth2_server or metrics or sealos or limits'"


def test_the_check_installs_what_its_steps_need(make_cloned):
    machine = make_cloned("check")
    shown = machine.run(f'cd fullstack-agent; PYTEST_ADDOPTS="{SOME}"'
                        " tools/check --only '^(unit|tests/web)$'")
    found = re.search(r"^(\d+) passed, 0 failed", shown.strip().splitlines()[-1])
    assert found and int(found[1]) > 600, shown[-5000:]  # of which unit has most
