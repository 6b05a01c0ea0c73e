"""Case by case: what a Pushgateway takes and refuses, and with which words."""

import subprocess
import sys

import pytest

from harness import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "tests" / "compat"))

import replay  # noqa: E402

RECORDED = REPOSITORY.parent / "shared" / "compat"
CASES = replay.load()


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(shared_weir, case):
    replay.check(shared_weir.address, case)


@pytest.mark.skipif(not (RECORDED / "replay").exists(), reason="no recorded exchanges here")
def test_recorded_exchanges(shared_weir):
    done = subprocess.run(
        [sys.executable, RECORDED / "replay", "--url", shared_weir.url, "--kind", "url,text",
         RECORDED / "cases.jsonl"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
