"""scripts/simulate: the same seed gives the same pushes, and weir takes them."""

import re
import subprocess

import pytest

from harness import DEADLINE, REPOSITORY, wait_for
from page import Page

SCRIPT = REPOSITORY / "scripts" / "simulate"


def simulate(*arguments, code=0):
    done = subprocess.run([SCRIPT, *map(str, arguments)], capture_output=True, text=True, timeout=DEADLINE,
                          check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr if code else done.stdout


def requests(*arguments):
    """[(method, path, page)] of what would be pushed."""
    text = simulate("--dry-run", *arguments)
    return re.findall(r"^(PUT|DELETE) (\S+)\n((?:(?!PUT |DELETE ).*\n)*)", text, re.M)


@pytest.mark.smoke
def test_a_seed_gives_the_same():
    first = requests("--seed=1")
    assert len(first) > 500 and first == requests("--seed=1") == requests()
    other = requests("--seed=2")
    assert {path for _, path, _ in first if "/battery/" in path} == {path for _, path, _ in other if "/battery/" in path}
    assert first != other


def test_others_do_not_change_what_one_does():
    alone = requests("--hosts=1", "battery")
    among = requests("--hosts=4")
    assert alone == [one for one in among if one[1] == "/metrics/job/battery/instance/sim-1"]


def values(name, **options):
    flags = [f"--{key}={value}" for key, value in options.items()]
    return [float(found) for _, _, page in requests("--hosts=1", *flags)
            for found in re.findall(rf"^{name} (.*)$", page, re.M)]


def test_what_is_simulated():
    assert values("simulated_ramp", steps=4, top=10) == [2.5, 5, 7.5, 10]
    charge = values("battery_charge_ratio", steps=500)
    assert all(0 <= value <= 1 for value in charge) and min(charge) < 0.25 and max(charge) > 0.9
    assert set(values("battery_charging", steps=500)) == {0, 1}
    running, ended = set(), set()
    for method, path, _ in requests("--hosts=1", "--steps=200", "churn"):
        if method == "DELETE":
            running.remove(path)
            ended.add(path)
        else:
            assert path not in ended
            running.add(path)
            assert len(running) <= 8
    assert len(ended) > 20


def test_weir_has_what_was_pushed_last(start_weir):
    weir = start_weir("--web.route-prefix=/weir")
    options = ["--hosts=2", "--steps=30", "--seed=7"]
    simulate(f"--server={weir.url}/weir/", "--every=0", *options)
    last = {path: page for _, path, page in requests(*options)}  # of a DELETE there is none
    wanted = {}
    for path, page in last.items():
        words = path.split("/")[2:]
        labels = frozenset(zip(words[::2], words[1::2]))
        wanted |= {(name, labels): float(value) for name, value in re.findall(r"^(\w+) (\S+)$", page, re.M)}
    shown = Page(weir.get("/weir/metrics").text).samples
    assert {key: float(value) for key, value in shown.items()
            if key[0].startswith(("battery_", "simulated_", "task_"))} == wanted


def test_time_to_live(start_weir):
    weir = start_weir()
    simulate(f"--server={weir.url}", "--hosts=1", "--steps=1", "--ttl=200ms", "ramp")
    wait_for(lambda: weir.scrape().value("simulated_ramp", job="ramp", instance="sim-1") is None, "it expires")


def test_what_fails_is_told(start_weir):
    weir = start_weir("--limit.groups=1")
    said = simulate(f"--server={weir.url}", "--hosts=2", "--steps=1", "ramp", code=1)
    assert said.startswith("simulate: PUT /metrics/job/ramp/instance/sim-2: 4") and "limit" in said
    assert "refused" in simulate("--server=http://127.0.0.1:1", "--hosts=1", "--steps=1", "ramp", code=1)


def test_a_signal_ends_it(weir):
    process = subprocess.Popen([SCRIPT, f"--server={weir.url}", "--every=60", "ramp"])
    try:
        wait_for(lambda: weir.scrape().value("simulated_ramp", job="ramp", instance="sim-3"), "it pushes")
        process.terminate()
        assert process.wait(DEADLINE) == 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("arguments,words", [
    (["battry"], "'battry' is none of battery, ramp, churn"), (["--hosts=0"], "0: a number from 1 on"),
    (["--steps=-1"], "a number from 1 on"), (["--every=nan"], "a number from 0 on"), (["--seed=x"], "--seed"),
    (["--server=localhost"], "begins with http://"), (["--hots=1"], "--hots=1")])
def test_misuse(arguments, words):
    assert words in simulate(*arguments, code=2)


def test_help():
    assert simulate("-h").startswith("usage: scripts/simulate ")
