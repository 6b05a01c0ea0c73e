"""What happens when somebody sets the clock: by tests/preload/clock_shift.c, ten years on or back."""

import re
import time

import pytest

from harness import preload, wait_for
from persistence import ENDINGS, Kept

YEARS = 10 * 365 * 24 * 3600
JUMPS = {"on": YEARS, "back": -YEARS}


class Clock:
    """The wall clock as weir sees it."""

    def __init__(self, path):
        self.path = path
        self.shift = 0
        self.set(0)

    def set(self, shift):
        self.shift = shift
        new = self.path.with_suffix(".new")
        new.write_text(str(shift))
        new.rename(self.path)

    def variables(self):
        return preload("clock_shift", CLOCK_SHIFT_FILE=self.path)

    def is_now(self, seconds):
        return abs(time.time() + self.shift - seconds) < 1000


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path / "shift")


def push_time(weir, job):
    return push_time_of(weir.get("/metrics").text, job)


def push_time_of(page, job):
    return float(re.search(rf'^push_time_seconds{{instance="",job="{job}"}} (\S+)$', page, re.M)[1])


def jobs(weir):
    return jobs_of(weir.get("/metrics").text)


def jobs_of(page):
    return set(re.findall(r'^push_time_seconds{instance="",job="(\w+)"}', page, re.M))


@pytest.mark.smoke
@pytest.mark.parametrize("jump", JUMPS)
def test_jump_while_it_runs(start_weir, clock, jump):
    weir = start_weir(variables=clock.variables())
    weir.put("/metrics/job/long?ttl=1h", "m 1\n")
    began = time.monotonic()
    weir.put("/metrics/job/short?ttl=2s", "m 1\n")
    assert clock.is_now(push_time(weir, "long"))
    clock.set(JUMPS[jump])
    # Nothing expires for it, and nothing lives on for it.
    assert jobs(weir) == {"long", "short"} or time.monotonic() - began >= 2
    wait_for(lambda: jobs(weir) == {"long"}, "the short one expires")
    assert time.monotonic() - began >= 2
    assert not clock.is_now(push_time(weir, "long"))
    weir.put("/metrics/job/long?ttl=1h", "m 2\n")
    assert clock.is_now(push_time(weir, "long"))
    weir.put("/metrics/job/short?ttl=100ms", "m 1\n")
    wait_for(lambda: jobs(weir) == {"long"}, "the short one expires again")
    clock.set(0)
    weir.put("/metrics/job/after", "m 1\n")
    assert jobs(weir) == {"long", "after"}
    assert clock.is_now(push_time(weir, "after"))


@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize("when", ["before the start", "before the end", "only then"])
def test_jump_over_a_restart(start_weir, clock, tmp_path, jump, when):
    """Lives go on with what is left of them, whatever the wall clock was set to, and when."""
    kept = Kept(start_weir, tmp_path / "state")
    weir = kept.start(variables=clock.variables())
    weir.put("/metrics/job/for_ever", "m 1\n")
    weir.put("/metrics/job/long?ttl=1h", "m 1\n")
    weir.put("/metrics/job/gone?ttl=10ms", "m 1\n")
    if when == "before the end":
        clock.set(JUMPS[jump])
    began = time.monotonic()
    weir.put("/metrics/job/short?ttl=2s", "m 1\n")
    pushed = push_time(weir, "short")
    kept.end(ENDINGS[jump == "on"])
    if when == "before the start":
        clock.set(JUMPS[jump])
    if when == "before the end":
        clock.set(0)
    weir = kept.start(variables=clock.variables())
    page = weir.get("/metrics").text
    if time.monotonic() - began < 2:
        assert jobs_of(page) == {"for_ever", "long", "short"}
        assert push_time_of(page, "short") == pushed
    if when == "only then":
        clock.set(JUMPS[jump])
    wait_for(lambda: jobs(weir) == {"for_ever", "long"}, "the short one expires")
    assert time.monotonic() - began >= 2
    weir.put("/metrics/job/short", "m 1\n")
    assert clock.is_now(push_time(weir, "short"))


@pytest.mark.parametrize("jump", JUMPS)
def test_pushes_are_stored_after_a_jump(start_weir, clock, tmp_path, jump):
    kept = Kept(start_weir, tmp_path / "state")
    weir = kept.start(variables=clock.variables())
    clock.set(JUMPS[jump])
    weir.put("/metrics/job/j", "m 1\n")
    assert jobs(kept.again()) == {"j"}
