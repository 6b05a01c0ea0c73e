"""Groups of several weirs that are pushed in many small parts: Redis has each, until they are too many."""

import pytest

from redis_servers import RedisServer
from replicas import Replicas


@pytest.fixture
def replicas(tmp_path):
    with RedisServer(tmp_path / "redis") as redis, Replicas(tmp_path, redis.url, 1) as started:
        yield started


@pytest.mark.parametrize("families", [1, 3000])
def test_one_family_at_a_time(replicas, families):
    """They become one segment now and then, which has all families, however many there are."""
    body = "".join(f"large{number} {number}\n" for number in range(families))
    assert replicas.put(0, "/metrics/job/j", body).status == 200
    for number in range(100):
        assert replicas[0].weir.post("/metrics/job/j", f"small{number} {number}\n").status == 200
    replicas.add()
    replicas.wait_until_ready()
    page = replicas.settle()
    assert sum('job="j"' in line and line.startswith(("large", "small")) for line in page) == 100 + families
