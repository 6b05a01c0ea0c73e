#!/usr/bin/env python3
"""usage: suites.py full|quick [SUITE...]

Runs the suites of scripts/test (full) or scripts/check (quick), or those named.
A suite's output is shown when it failed. The last line counts all tests:
N passed, N failed[, N skipped]. Exits with 1 if any failed.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import traceback
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
ASAN_BINARY = BUILD / "asan" / "src" / "weir"
WORKERS = (os.cpu_count() or 1) + 1  # a test waits for the programs that it started as much as it works
ENVIRONMENT = {
    **os.environ,
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "WEIR_BINARY": str(ASAN_BINARY),
    "PYTHONDONTWRITEBYTECODE": "1",
}
TOTALS = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)


@dataclass
class Outcome:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    output: str = ""

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.output += other.output

    def __str__(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def run(*command, seconds=120):
    """Exit code and output of a command; one that takes too long is ended with its children."""
    process = subprocess.Popen([str(word) for word in command], cwd=ROOT, env=ENVIRONMENT, text=True,
                               errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output, _ = process.communicate(timeout=seconds)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return -1, f"{output}\nnot done after {seconds} s: {' '.join(map(str, command))}\n"


def one_test(*command, **options):
    """A command that is a test of its own."""
    code, output = run(*command, **options)
    return Outcome(passed=int(code == 0), failed=int(code != 0), output=output)


def counted(code, output):
    """What a program that prints its totals passed; one that ends badly after them failed once more."""
    totals = TOTALS.findall(output)
    if not totals:
        return Outcome(passed=int(code == 0), failed=int(code != 0), output=output)
    passed, failed, skipped = (int(number or 0) for number in totals[-1])
    return Outcome(passed, failed + int(code != 0 and failed == 0), skipped, output)


def layers():
    return one_test(ROOT / "scripts" / "check-layers")


def format_check():
    return one_test(ROOT / "scripts" / "format", "--check")


def is_shell_script(path):
    if path.suffix == ".sh":
        return True
    with path.open("rb") as file:
        return file.readline().startswith(b"#!/bin/sh")


def shellcheck():
    found = [path for folder in ("scripts", ".ci", "tests", "docker") for path in (ROOT / folder).rglob("*")]
    scripts = sorted(path for path in found if path.is_file() and is_shell_script(path))
    return one_test("shellcheck", "--external-sources", "--source-path", ROOT, *scripts)


def build(name, *options):
    """Sets up and builds build/NAME; None when that worked, else the outcome."""
    directory = BUILD / name
    steps = []
    if not (directory / "build.ninja").exists():
        steps.append(["meson", "setup", "--wipe", directory, *options] if directory.exists()
                     else ["meson", "setup", directory, *options])
    steps.append(["ninja", "-C", directory])
    for step in steps:
        code, output = run(*step, seconds=600)
        if code != 0:
            return Outcome(failed=1, output=output)
    return None


def meson_tests(name):
    """All C tests of a build directory, counted by what each program prints."""
    directory = BUILD / name
    code, output = run("meson", "test", "-C", directory, "--no-suite", "lint", "--no-suite", "integration",
                       "--print-errorlogs", seconds=600)
    log = directory / "meson-logs" / "testlog.json"
    if code != 0 and not log.exists():
        return Outcome(failed=1, output=output)
    outcome = Outcome(output=output)
    for line in log.read_text().splitlines():
        test = json.loads(line)
        if test["result"] == "SKIP":
            outcome.skipped += 1
            continue
        each = counted(0 if test["result"] == "OK" else 1, test.get("stdout", ""))
        each.output = ""
        outcome.add(each)
    if code != 0 and outcome.failed == 0:
        outcome.failed = 1
    return outcome


def gcc():
    return build("gcc", "-Dwerror=true") or meson_tests("gcc")


def build_asan():
    return build("asan", f"--native-file={ROOT / 'scripts' / 'meson' / 'asan.ini'}")


def asan():
    return build_asan() or meson_tests("asan")


def pytest(*options):
    """Integration tests, against the sanitizer build."""
    failure = build_asan()
    if failure:
        return failure
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.xml"
        # Debian's Python, since pytest is Debian's package.
        code, output = run("/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--durations=5",
                           "-n", str(WORKERS), "--dist", "loadfile", f"--junitxml={report}", *options,
                           ROOT / "tests" / "integration", seconds=1500)
        if not report.exists():
            return Outcome(failed=1, output=output)
        totals = ElementTree.parse(report).getroot().find("testsuite")
    tests, failures, errors, skipped = (
        int(totals.get(name)) for name in ("tests", "failures", "errors", "skipped"))
    failed = failures + errors
    if code != 0 and failed == 0:
        failed = 1
    return Outcome(max(tests - failures - errors - skipped, 0), failed, skipped, output)


def integration():
    return pytest()


def smoke():
    return pytest("-m", "smoke")


CHEAP = {"layers": layers, "format": format_check, "shellcheck": shellcheck}
FULL = {**CHEAP, "gcc": gcc, "asan": asan, "integration": integration}
QUICK = {**CHEAP, "gcc": lambda: build("gcc", "-Dwerror=true") or Outcome(passed=1), "asan": asan,
         "smoke": smoke}


def main():
    suites = {"full": FULL, "quick": QUICK}[sys.argv[1]]
    unknown = [name for name in sys.argv[2:] if name not in suites]
    if unknown:
        sys.exit(f"unknown suite {unknown[0]}; there are {', '.join(suites)}")
    total = Outcome()
    for name in sys.argv[2:] or suites:
        began = time.monotonic()
        print(f"{name:12} ", end="", flush=True)
        try:
            outcome = suites[name]()
        except Exception:  # a suite that cannot even run has failed
            outcome = Outcome(failed=1, output=traceback.format_exc())
        print(f"{outcome}  ({time.monotonic() - began:.1f} s)", flush=True)
        if outcome.failed:
            print(textwrap.indent(outcome.output, "  "), flush=True)
        total.add(outcome)
    print(total)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
