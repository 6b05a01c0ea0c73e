"""Weirs on one Redis whose clocks are wrong: what counts is Redis' clock, and the order of changes."""

import time

import pytest

from harness import wait_for
from redis_servers import RedisServer
from replicas import Replicas, has, is_empty
from test_clock import JUMPS, Clock


@pytest.fixture(params=JUMPS)
def wrong(request, redis, tmp_path):
    """The clock of the second weir is years on or back."""
    clock = Clock(tmp_path / "shift")
    clock.set(JUMPS[request.param])
    with Replicas(tmp_path, redis.url, 1) as replicas:
        replicas.add(variables=clock.variables())
        replicas.wait_until_ready()
        replicas.clock = clock
        yield replicas


def test_later_changes_count(wrong):
    right, other = wrong
    for number in range(1, 11):
        replica = [right, other][number % 2]
        assert replica.weir.put("/metrics/job/put", f"m {number}\n").status == 200
        assert replica.weir.post("/metrics/job/post", f"m{number % 3} {number}\n").status == 200
        assert [right, other][number // 2 % 2].weir.delete(f"/metrics/job/{number}").status == 202
        assert replica.weir.put(f"/metrics/job/{number}", f"n {number}\n").status == 200
    wrong.settle(has('m{instance="",job="put"} 10',
                     *(f'm{number % 3}{{instance="",job="post"}} {number}' for number in (8, 9, 10)),
                     *(f'n{{instance="",job="{number}"}} {number}' for number in range(1, 11))))
    for replica in (other, right):
        assert right.weir.put("/metrics/job/j", "m 1\n").status == 200
        assert replica.weir.request("PUT", "/api/v1/admin/wipe").status == 202
        wrong.settle(is_empty)


def test_lives_are_as_long(wrong):
    """As they were asked for, on both, wherever that was."""
    right, other = wrong
    began = time.monotonic()
    for number, replica in enumerate((right, other)):
        assert replica.weir.put(f"/metrics/job/{number}?ttl=2s", "m 1\n").status == 200
        assert replica.weir.put(f"/metrics/job/long{number}?ttl=1h", "n 1\n").status == 200
    page = wrong.settle(has('n{instance="",job="long0"} 1', 'n{instance="",job="long1"} 1'))
    if time.monotonic() - began < 2:
        assert {'m{instance="",job="0"} 1', 'm{instance="",job="1"} 1'} <= page
    wait_for(lambda: not any(line.startswith("m{") for replica in wrong for line in replica.page()),
             "the short ones expire on both")
    assert time.monotonic() - began >= 2
    assert sum(line.startswith("n{") for line in wrong.settle()) == 2


def test_clock_is_set_right(wrong):
    right, other = wrong
    for number, replica in enumerate((other, right, other)):
        assert replica.weir.put("/metrics/job/j?ttl=1h", f"m {number}\n").status == 200
        wrong.clock.set(0)
        assert replica.weir.post("/metrics/job/j?ttl=1h", f"n {number}\n").status == 200
        wrong.settle(has(*(f'{name}{{instance="",job="j"}} {number}' for name in "mn")))
        wrong.clock.set(JUMPS["on"])


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_clock_of_redis_is_set(tmp_path, seconds):
    """Or another server with another clock takes its place."""
    clock = Clock(tmp_path / "shift")
    with RedisServer(tmp_path / "shifted", variables=clock.variables()) as redis:
        with Replicas(tmp_path, redis.url, 2) as replicas:
            for number, shift in enumerate([0, seconds, seconds, 0, 0, seconds]):
                clock.set(shift)
                assert abs(redis.now() - time.time() - shift) < 60
                for replica in replicas:
                    for method, body in [("PUT", "m 1\nn 1\n"), ("POST", "m 2\n"), ("DELETE", None),
                                         ("PUT", f"m {number}\nn 1\n"), ("POST", f"n {number}\n")]:
                        answer = replica.weir.request(method, "/metrics/job/j", body)
                        assert answer.status in (200, 202), answer.text
                    replicas.settle(has(*(f'{name}{{instance="",job="j"}} {number}' for name in "mn")))
                    assert replica.weir.delete("/metrics/job/j").status == 202
                    replicas.settle(is_empty)
