"""What is acknowledged is there after kill -9, in whatever moment, and no push is there by halves.

How often: WEIR_CRASHES, 8 unless told otherwise. WEIR_SEED repeats a run, as far as threads allow.
"""

import os
import random
import re

import pytest

from crashes import BROKEN, SEED, crash_often, make_weir
from disks import KILL

CRASHES = int(os.environ.get("WEIR_CRASHES", "8"))


@pytest.fixture
def weir(tmp_path):
    crashing = make_weir(tmp_path)
    yield crashing
    crashing.finish()


@pytest.mark.smoke
def test_acknowledged_is_kept(weir):
    crash_often(weir, CRASHES, "crash-test")


def test_without_sync(weir):
    """--state.sync=normal is enough as long as the machine runs."""
    weir.flags += ("--state.sync=normal",)
    crash_often(weir, 3, "crash-test")


# ---- Many groups, most of them gone ---------------------------------------------------------


def push_all(weir, requests, window=50):
    """Pipelined; gives how many were acknowledged before it crashed."""
    count = 0

    def take_answer():
        nonlocal count
        answer = connection.response()
        assert answer.status in (200, 202), answer.text
        count += 1

    try:
        with weir.connect() as connection:
            for number, request in enumerate(requests):
                connection.request(*request)
                if number >= window:
                    take_answer()
            while count < len(requests):
                take_answer()
    except BROKEN:
        pass
    return count


def values(page):
    return {target: int(value) for target, value in re.findall(
        r'^m\{instance="",job="j",n="0",number="(\d+)",text="[^"]+"\} (\d+)$', page, re.M)}


def test_dead_rows(weir):
    """Killed while they are cleaned away, and while what is left is loaded."""
    rng = random.Random(SEED)
    numbers = [str(number) for number in range(2000)]
    gone, kept = numbers[:1800], numbers[1800:]
    text = "".join(f'm{{n="{n}",text="{rng.random()}"}} %d\n' for n in range(30))

    def push(which, value):
        return push_all(weir, [("PUT", f"/metrics/job/j/number/{number}", text.replace("%d", str(value)))
                               for number in which])

    weir.start()
    assert push(numbers, 1) == 2000
    assert push_all(weir, [("DELETE", f"/metrics/job/j/number/{number}") for number in gone]) == 1800
    least = dict.fromkeys(kept, 1)
    for value in range(2, 6):
        weir.disk.order(f"write {rng.randint(1, 300)} {10**9} {KILL} weir.db-wal")
        least.update(dict.fromkeys(kept[:push(kept, value)], value))
        weir.kill()
        for _ in range(2):
            weir.disk.order(f"{rng.choice(['write', 'fsync'])} {rng.randint(1, 20)} {10**9} {KILL}")
            weir.start()
            weir.page_or_end()
            weir.kill()
        weir.start()
        found = values(weir.page())
        assert found.keys() == least.keys()
        assert all(least[number] <= found[number] <= value for number in kept)
        least = found
