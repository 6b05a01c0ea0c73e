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


# A family without a name and a gauge histogram that holds a gauge: a Pushgateway takes them and
# shows a page that ends there. weir refuses them.
REFUSED = {"pb empty name", "pb gauge hist w gauge"}


@pytest.mark.skipif(not (RECORDED / "replay").exists(), reason="no recorded exchanges here")
def test_recorded_exchanges(shared_weir):
    done = subprocess.run(
        [sys.executable, RECORDED / "replay", "--url", shared_weir.url, "--kind",
         "route,url,text,protobuf", RECORDED / "cases.jsonl"], capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    failed = [(line, lines[number + 1]) for number, line in enumerate(lines)
              if line.startswith("FAIL ")]
    assert lines and lines[-1].endswith(" failed"), done.stdout + done.stderr
    for line, problem in failed:
        assert any(f" {name} " in line for name in REFUSED), line + problem
        assert "status 400, expected 200" in problem
