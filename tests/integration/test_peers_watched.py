"""What weir says of the Redis and the PostgreSQL that it uses: whether they are there, how fast, over what."""

import pytest

from cutting_proxy import CuttingProxy
from harness import wait_for
from redis_servers import RedisServer

SECONDS = 0.05  # by which each way is longer


def told(weir, **expected):
    """True when the page has these values, under names without the prefix."""
    page = weir.scrape()
    return all(page.value(f"weir_{name}") == value for name, value in expected.items())


def mean(weir, name):
    """Of what is asked from now on, one after the other: what is under way was asked before."""
    def now():
        page = weir.scrape()
        return page.value(f"weir_{name}_sum"), page.value(f"weir_{name}_count")

    def after(count):
        return wait_for(lambda: (found := now())[1] >= count and found, "something was answered")

    seconds, count = after(now()[1] + 1)
    later = after(count + 3)
    return (later[0] - seconds) / (later[1] - count)


@pytest.mark.smoke
def test_redis(start_weir, tmp_path):
    with RedisServer(tmp_path / "redis") as redis, CuttingProxy(redis.port) as proxy:
        weir = start_weir(f"--state.url={proxy.url}")
        wait_for(lambda: weir.get("/-/ready").status == 200, "it is ready")
        assert weir.put("/metrics/job/j", "m 1\n").status == 200
        wait_for(lambda: told(weir, state_redis_up=1, state_connections=2, state_waiting_commands=0), "all is well")
        proxy.delay(SECONDS)
        for number in range(3):
            assert weir.put(f"/metrics/job/{number}", "m 1\n").status == 200
        assert mean_of_pushes(weir) > 2 * SECONDS
        proxy.refuse()
        wait_for(lambda: told(weir, state_redis_up=0, state_connections=0, state_waiting_commands=0), "it is away")
        proxy.restore()
        wait_for(lambda: told(weir, state_redis_up=1, state_connections=2), "it is back")
        redis.command("CONFIG", "SET", "maxmemory", "1")
        weir.put("/metrics/job/j", "m 2\n")
        wait_for(lambda: told(weir, state_redis_up=0, state_connections=2), "it takes nothing")
        redis.command("CONFIG", "SET", "maxmemory", "0")
        wait_for(lambda: told(weir, state_redis_up=1), "it takes something")


def mean_of_pushes(weir):
    page = weir.scrape()
    before = page.value("weir_state_answer_duration_seconds_sum"), page.value("weir_state_answer_duration_seconds_count")
    for number in range(3):
        assert weir.put(f"/metrics/job/{number}", "m 2\n").status == 200
    page = weir.scrape()
    seconds, count = (page.value("weir_state_answer_duration_seconds_sum") - before[0],
                      page.value("weir_state_answer_duration_seconds_count") - before[1])
    assert count >= 3
    return seconds / count


def test_postgres(start_weir, postgres):
    with CuttingProxy(postgres.port) as proxy:
        weir = start_weir(f"--targets.url={postgres.url.replace(str(postgres.port), str(proxy.port))}")
        wait_for(lambda: told(weir, targets_store_up=1, targets_store_connections=2), "it is used")
        proxy.delay(SECONDS)
        weir.put("/metrics/job/j", "m 1\n")
        assert mean(weir, "targets_store_answer_duration_seconds") > 2 * SECONDS
        proxy.refuse()
        wait_for(lambda: told(weir, targets_store_up=0, targets_store_connections=0), "it is away")
        proxy.restore()
        wait_for(lambda: told(weir, targets_store_up=1, targets_store_connections=2), "it is back")


def test_targets_in_a_file_have_no_connections(weir):
    wait_for(lambda: told(weir, targets_store_up=1, targets_store_connections=0), "it is used")
    assert weir.scrape().value("weir_targets_store_answer_duration_seconds_count") > 0
