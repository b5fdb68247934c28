"""The HCL project's specification suite, one test a case. Fetch it by hand (the directory specsuite of its repository) and give its
path in HCL_SPECSUITE."""
import os
import pathlib
import subprocess

import pytest

SUITE = pathlib.Path(os.environ.get("HCL_SPECSUITE", "")) / "tests"
CASES = sorted(str(p.relative_to(SUITE))[: -len(".t")] for p in SUITE.rglob("*.t")) if os.environ.get("HCL_SPECSUITE") else []


@pytest.mark.parametrize("case", CASES or ["none"])
def test_case(case, ingot_bin):
    if not CASES:
        pytest.skip("HCL_SPECSUITE does not name the HCL specification suite")
    runner = pathlib.Path(ingot_bin).parent / "tests" / "unit" / "hclspec"
    done = subprocess.run([runner, SUITE / case], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
