"""Runs the tests of the real cluster on kubesim, too: workloads and KubeBlocks."""

from conftest import load

# Tests of what kubesim does not implement.
REAL_ONLY = {
    "test_a_volume_goes_with_its_claim",  # PersistentVolumes are not served
}


def _tests(name):
    module = load(name)
    return {key: value for key, value in vars(module).items()
            if key.startswith("test_") and key not in REAL_ONLY}


globals().update(_tests("test_workloads"))
globals().update(_tests("test_kubeblocks"))
