"""A weir among others on one Redis is upgraded in place: nobody is refused, nothing is lost, and it goes on
hearing of the others."""

import pytest

from crashes import SEED
from harness import wait_for
from redis_servers import RedisServer
from replicas import Clients, Replica, Replicas, has
from takeovers import Succession

TAKEOVERS = 3


class Successor(Replica):
    """A replica of several processes, one after the other."""

    def start(self, *more):
        self.weir = Enduring(self.directory, "--web.enable-admin-api", *self.flags, *more)
        return self.weir


class Enduring(Succession):
    """It is asked as a weir is."""

    tls = None

    def __getattr__(self, name):
        if name in ("request", "get", "put", "post", "delete", "scrape"):
            return getattr(self.first, name)  # the address stays
        raise AttributeError(name)


@pytest.fixture
def redis(tmp_path):
    with RedisServer(tmp_path / "redis", keeps=True) as server:
        yield server


def make_replicas(tmp_path, redis, *flags):
    """The second one can be taken over from."""
    replicas = Replicas(tmp_path, redis.url, 1, *flags)
    successor = Successor(tmp_path / "successor", f"--state.url={redis.url}", *flags)
    replicas.all.append(successor)
    successor.start()
    replicas.wait_until_ready()
    return replicas


@pytest.fixture
def replicas(redis, tmp_path):
    with make_replicas(tmp_path, redis) as started:
        yield started


def try_to_take_over(weir):
    """While Redis is away it may be refused."""
    process = weir.start()
    wait_for(lambda: process.poll() is not None or "took over" in weir.stderr(), "it takes over or ends")
    if process.poll() is None:
        weir.pid = process.pid


def test_takeovers(replicas):
    clients = Clients(SEED)
    with clients.at_work(replicas):
        for _ in range(TAKEOVERS):
            clients.acknowledge_more()
            replicas[1].weir.take_over()
            clients.acknowledge_more()
    assert clients.count("refused") == clients.count("unanswered") == 0
    clients.settle(replicas)
    # It is stored, too, by the last of them.
    assert replicas[1].weir.put("/metrics/job/last", "m 1\n").status == 200
    replicas.settle(has('m{instance="",job="last"} 1'))
    replicas.add()
    replicas.wait_until_ready()
    clients.settle(replicas)


def test_takeover_while_redis_is_away(replicas, redis):
    """Whoever serves afterwards catches up."""
    clients = Clients(SEED)
    with clients.at_work(replicas):
        clients.acknowledge_more()
    page = clients.settle(replicas)
    redis.kill()
    try_to_take_over(replicas[1].weir)
    assert replicas[1].page() >= page
    redis.start()
    replicas.wait_until_ready()
    with clients.at_work([replicas[0]]):
        clients.acknowledge_more()
    clients.settle(replicas)


def test_takeover_with_what_redis_does_not_have(redis, tmp_path):
    """What was accepted meanwhile is not lost by it."""
    with make_replicas(tmp_path, redis, "--state.on-outage=accept", "--timeout.takeover=1s") as replicas:
        assert replicas[1].weir.put("/metrics/job/before", "m 1\n").status == 200
        assert replicas[1].weir.put("/metrics/job/gone", "m 1\n").status == 200
        replicas.settle(has('m{instance="",job="before"} 1', 'm{instance="",job="gone"} 1'))
        redis.kill()
        assert replicas[1].weir.put("/metrics/job/meanwhile", "m 1\n").status == 200
        assert replicas[1].weir.post("/metrics/job/before", "n 2\n").status == 200
        assert replicas[1].weir.delete("/metrics/job/gone").status == 202
        try_to_take_over(replicas[1].weir)
        assert "or of an outage of Redis" in replicas[1].stderr()  # nothing stood still meanwhile
        redis.start()
        page = replicas.settle(has('m{instance="",job="meanwhile"} 1', 'm{instance="",job="before"} 1',
                                   'n{instance="",job="before"} 2'))
        assert not any('job="gone"' in line for line in page)


def test_emptied_during_takeover(redis, replicas):
    """Redis has lost everything, and nobody else has it."""
    weir = replicas[1].weir
    assert weir.put("/metrics/job/j", "m 1\n").status == 200
    assert weir.put("/metrics/job/failed", "m 1 1000\n").status == 400
    assert weir.put("/metrics/job/ends?ttl=1h", "n 1\n").status == 200
    page = replicas.settle(has('m{instance="",job="j"} 1', 'n{instance="",job="ends"} 1'))
    replicas[0].stop()
    redis.pause()
    process = weir.start()
    wait_for(lambda: process.poll() is not None or "took over" in weir.stderr(), "it takes over or ends")
    assert process.poll() is None
    weir.pid = process.pid
    redis.kill()
    redis.forget()
    redis.start()
    replicas[1].wait_until_ready()
    replicas.add()
    replicas.wait_until_ready()
    assert replicas.settle() == page
