"""scripts/demo: weir among its peers, shown in a short form; nothing of it stays behind."""

import json
import os
import re
import signal
import subprocess
import tempfile
import urllib.request
from pathlib import Path

import pytest

from harness import BINARY, DEADLINE, REPOSITORY, environment

SCRIPT = REPOSITORY / "scripts" / "demo"
SERVERS = ["Redis", "node_exporter", "sink", "Alertmanager", "PostgreSQL", "weir", "Prometheus"]


def start(directory, *flags, binary=BINARY):
    """The demo makes its directory in this one."""
    return subprocess.Popen(
        [SCRIPT, *flags], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**environment(), "WEIR_BINARY": str(binary), "TMPDIR": str(directory), "PYTHONUNBUFFERED": "1"})


def run(directory, *flags, **options):
    process = start(directory, *flags, **options)
    output, errors = process.communicate(timeout=120)
    return process.returncode, output, errors


def processes_in(directory):
    """Names of those that work in there."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(entry / "cwd").startswith(f"{directory}/"):
                found.append((entry / "comm").read_text().strip())
        except OSError:
            continue
    return found


def assert_nothing_is_left(directory):
    assert processes_in(directory) == []
    assert list(directory.iterdir()) == []


@pytest.fixture
def place():
    """PostgreSQL goes there as its own user, to whom pytest's directories are closed."""
    with tempfile.TemporaryDirectory(prefix="weir-test-demo-") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory)


def results(output):
    """{what: result} of the table."""
    rows = [re.split(r"  +", line) for line in output.partition("\nwhat ")[2].partition("\n\n")[0].splitlines()[1:]]
    return {row[0]: row[3] for row in rows}


def test_all_is_shown_kept_and_stopped(place):
    code, output, errors = run(place, "--short", "--keep")
    assert (code, errors) == (0, ""), output
    assert [name for name in SERVERS if f"starting {name}\n" in output] == SERVERS
    assert results(output) == dict.fromkeys([
        "ramp, read back from Prometheus", "alert, at the webhook", "page of node_exporter", "groups in Redis",
        "targets in PostgreSQL", "pushes, one after the other", "weir, afterwards"], "ok"), output
    addresses = dict(re.findall(r"^  (\w+) +(?:http://)?(127\.0\.0\.1:\d+)$", output, re.M))
    assert list(addresses) == SERVERS
    page = urllib.request.urlopen(f"http://{addresses['weir']}/metrics", timeout=DEADLINE).read().decode()
    assert 'demo_ramp{instance="0",job="demo"} 0\n' in page
    assert urllib.request.urlopen(f"http://{addresses['Prometheus']}/-/ready", timeout=DEADLINE).status == 200
    sent = json.load(urllib.request.urlopen(f"http://{addresses['sink']}/", timeout=DEADLINE))
    assert [status for _, status in sent][:1] + [status for _, status in sent][-1:] == ["firing", "resolved"]
    directory, = place.iterdir()
    assert f"scripts/demo --stop {directory}\n" in output
    assert [path.name for path in directory.iterdir() if path.name == "password" and path.stat().st_mode & 0o077] == []
    assert run(place, "--stop", str(directory)) == (0, "", "")
    assert_nothing_is_left(place)


@pytest.mark.smoke
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_after_a_signal(place, number):
    process = start(place, "--short")
    for line in process.stdout:
        if "starting PostgreSQL" in line:
            break
    assert "redis-server" in processes_in(place)
    process.send_signal(number)
    output, errors = process.communicate(timeout=DEADLINE)
    assert (process.returncode, errors) == (128 + number, "demo: interrupted\n"), output
    assert_nothing_is_left(place)


def test_nothing_is_left_after_a_failure(place, tmp_path):
    """And what the program said that failed is told."""
    program = tmp_path / "weir"
    program.write_text("#!/bin/sh\necho 'the disk is on fire' >&2\nexit 1\n")
    program.chmod(0o755)
    code, output, errors = run(place, "--short", "--keep", binary=program)
    assert code == 1 and "starting weir\n" in output
    assert errors == "demo: weir ended, saying:\n  the disk is on fire\n"
    assert_nothing_is_left(place)


def test_nobody_reads_what_it_says(place):
    process = start(place, "--short")
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(DEADLINE) == 1
    process.stderr.close()
    assert_nothing_is_left(place)


def test_what_is_no_demo_is_not_stopped(place):
    (place / "other").mkdir()
    code, output, errors = run(place, "--stop", str(place / "other"))
    assert (code, output) == (1, "")
    assert errors.startswith(f"demo: {place}/other is no directory that scripts/demo --keep left: ")
    assert (place / "other").is_dir()


def test_a_process_that_got_the_number_of_another_is_let_be(place):
    kept = place / "kept"
    kept.mkdir()
    with subprocess.Popen(["sleep", "1000"]) as other:
        try:
            (kept / "processes.json").write_text(json.dumps([["weir", other.pid, 1]]))
            assert run(place, "--stop", str(kept)) == (0, "", "")
            assert other.poll() is None
        finally:
            other.kill()
    assert_nothing_is_left(place)


@pytest.mark.parametrize("flags,said", [
    (("--fast",), "unrecognized arguments: --fast"),
    (("--stop",), "expected one argument"),
])
def test_unknown_flags(place, flags, said):
    code, output, errors = run(place, *flags)
    assert (code, output) == (2, "") and said in errors and "scripts/demo [--short] [--keep]" in errors
    assert_nothing_is_left(place)
