"""Groups of whatever names are the same in all weirs on one Redis."""

import base64

import pytest

from redis_servers import RedisServer
from replicas import Replicas, is_empty

VALUES = ["a{b}c", "{", "}", "{}", 'a"b', "a\\b", "a\\", "a\nb", "a\0b", "ü€😀", " ", ",", '"="', '","x"="', "wipe",
          "by", "x" * 5000]


@pytest.fixture
def replicas(tmp_path):
    with RedisServer(tmp_path / "redis") as redis, Replicas(tmp_path, redis.url, 2) as started:
        yield started


def targets():
    for value in VALUES:
        encoded = base64.urlsafe_b64encode(value.encode()).decode().rstrip("=")
        yield f"/metrics/job@base64/{encoded}"
        yield f"/metrics/job/j/l@base64/{encoded}"


def test_any_value_of_a_label(replicas):
    for target in targets():
        answer = replicas[0].weir.put(target, "m 1\n")
        assert answer.status == 200, answer.text
    page = replicas.settle()
    assert sum(line.startswith("m{") for line in page) == 2 * len(VALUES)
    replicas.add()
    replicas.wait_until_ready()
    assert replicas.settle() == page
    for target in targets():
        assert replicas[1].weir.delete(target).status == 202
    replicas.settle(is_empty)
