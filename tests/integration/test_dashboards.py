"""Rules and dashboards ask for nothing but what is exposed: by scripts/check-dashboards."""

import subprocess

import pytest

from exposed_pages import exposed_pages
from harness import DEADLINE, REPOSITORY

CHECK = REPOSITORY / "scripts" / "check-dashboards"


def check(*arguments):
    done = subprocess.run([CHECK, *map(str, arguments)], capture_output=True, text=True, timeout=DEADLINE,
                          check=False)
    assert done.returncode in (0, 1), done.stderr
    *faults, _ = done.stdout.splitlines()
    assert bool(faults) == (done.returncode == 1)
    return faults


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """What is exposed, as arguments."""
    directory = tmp_path_factory.mktemp("exposed")
    for number, text in enumerate(exposed_pages(directory)):
        (directory / f"{number}.prom").write_text(text)
    return [f"--page={path}" for path in sorted(directory.glob("*.prom"))]


def test_all_is_exposed(pages):
    assert check(*pages) == []


def test_metric_that_is_renamed_is_missed(pages, tmp_path):
    """In each rule and panel that asks for it."""
    for page in pages:
        text = (REPOSITORY / page.removeprefix("--page=")).read_text()
        (tmp_path / page.rpartition("/")[2]).write_text(
            text.replace("weir_limit_used", "weir_limit_in_use").replace('{limit="', '{of="'))
    faults = check(*(f"--page={path}" for path in sorted(tmp_path.glob("*.prom"))))
    rules = [fault for fault in faults if fault.startswith("docker/prometheus/rules/")]
    assert "docker/prometheus/rules/recording.yml: weir:limit_used:ratio: there is no metric weir_limit_used" in rules
