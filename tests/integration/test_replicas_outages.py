"""Redis goes away, comes back with or without what it had, or weirs do: nothing that was acknowledged is
lost, and what is refused meanwhile changes nothing.

How long it is away: WEIR_OUTAGE_SECONDS, 3 unless told otherwise.
"""

import os
import random
import shutil
import signal
import time

import pytest

from crashes import SEED
from cutting_proxy import CuttingProxy
from harness import DEADLINE, in_time, wait_for
from redis_servers import RedisServer
from replicas import Clients, Replicas, has, is_empty

GAUGE = "# TYPE f0 gauge\nf0 77\n"
OUTAGE_SECONDS = float(os.environ.get("WEIR_OUTAGE_SECONDS", "3"))


@pytest.fixture
def redis(tmp_path):
    with RedisServer(tmp_path / "redis", keeps=True) as server:
        yield server


@pytest.fixture
def replicas(redis, tmp_path):
    with Replicas(tmp_path, redis.url, 2) as started:
        yield started


@pytest.fixture
def proxy(redis):
    with CuttingProxy(redis.port) as started:
        yield started


@pytest.fixture
def clients():
    return Clients(SEED)


def work_on(clients, replicas, count=100):
    """It goes on as if nothing had happened."""
    replicas.wait_until_ready()
    with clients.at_work(replicas):
        clients.acknowledge_more(count)
    clients.settle(replicas)


def check_refuses(replica):
    """Nothing changes, and what there is goes on being served."""
    before = replica.page()
    assert before
    for method, target, body in [("PUT", "/metrics/job/refused", "m 1\n"),
                                 ("POST", "/metrics/job/client0/group/g0", GAUGE),
                                 ("PUT", "/metrics/job/client0/group/g0", GAUGE),
                                 ("DELETE", "/metrics/job/client0/group/g0", None),
                                 ("PUT", "/api/v1/admin/wipe", None)]:
        answer = replica.weir.request(method, target, body)
        assert answer.status == 503 and "nothing was changed" in answer.text, answer.text
    assert replica.page() == before


# ---- weirs that go and come -----------------------------------------------------------------


@pytest.mark.smoke
def test_replica_is_killed(replicas, clients):
    """It catches up while the others take pushes, and again after they do not."""
    for _ in range(2):
        with clients.at_work(replicas):
            clients.acknowledge_more()
            replicas[0].kill()
            clients.acknowledge_more()
            replicas[0].start()
            clients.acknowledge_more()
        replicas.wait_until_ready()
        clients.settle(replicas)
    assert clients.count("unanswered") > 0


def test_all_replicas_are_killed(replicas, clients):
    with clients.at_work(replicas):
        clients.acknowledge_more()
        for replica in replicas:
            replica.kill()
    for replica in replicas:
        replica.start()
    work_on(clients, replicas)


def test_replica_joins(replicas, clients):
    with clients.at_work(replicas):
        clients.acknowledge_more()
        replicas.add()
        clients.acknowledge_more()
    work_on(clients, replicas)


def test_replica_that_fell_behind(redis, tmp_path, clients):
    """The stream of changes does not reach back to what it has seen last."""
    with Replicas(tmp_path, redis.url, 2, "--state.stream-length=100") as replicas:
        with clients.at_work(replicas):
            clients.acknowledge_more(20)
        clients.settle(replicas)
        replicas[1].weir.signal(signal.SIGSTOP)
        with clients.at_work([replicas[0]], pause=0):
            clients.acknowledge_more(2000)
        replicas[1].weir.signal(signal.SIGCONT)
        work_on(clients, replicas)


# ---- Redis goes and comes -------------------------------------------------------------------


def kill_and_start(redis):
    redis.restart()


def lose_everything(redis):
    redis.restart(empty=True)


def flush(redis):
    redis.command("FLUSHALL")


def cut_clients(redis):
    for _ in range(20):
        redis.cut_clients()
        time.sleep(0.02)


def forget_scripts(redis):
    redis.command("SCRIPT", "FLUSH")


@pytest.mark.parametrize("accident", [kill_and_start, lose_everything, flush, cut_clients, forget_scripts])
def test_short_accidents(redis, replicas, clients, accident):
    """While all are at work."""
    for _ in range(2):
        with clients.at_work(replicas):
            clients.acknowledge_more()
            accident(redis)
            clients.acknowledge_more()
        clients.settle(replicas)
    if accident in (flush, forget_scripts):
        assert clients.count("refused") == 0
    # It is all in Redis, too.
    replicas.add()
    replicas.wait_until_ready()
    work_on(clients, replicas)


@pytest.mark.parametrize("is_lost", [False, True])
def test_redis_is_away(redis, replicas, clients, is_lost):
    with clients.at_work(replicas):
        clients.acknowledge_more()
        redis.kill()
        back = time.monotonic() + OUTAGE_SECONDS
        clients.refuse_more()
    for replica in replicas:
        replica.wait_until_cut_off()
        check_refuses(replica)
    wait_for(lambda: time.monotonic() >= back, "it was away for so long", OUTAGE_SECONDS + DEADLINE)
    for replica in replicas:
        check_refuses(replica)
    if is_lost:
        redis.forget()
    redis.start()
    work_on(clients, replicas)
    assert not any('job="refused"' in line for line in replicas.settle())


def test_redis_does_not_answer(redis, replicas, clients):
    """Nobody waits long for an answer, and what is refused at once when it is known changes nothing."""
    with clients.at_work(replicas):
        clients.acknowledge_more()
        redis.pause()
        clients.refuse_more(4)
    for replica in replicas:
        replica.wait_until_cut_off()
        check_refuses(replica)
    redis.resume()
    work_on(clients, replicas)
    assert not any('job="refused"' in line for line in replicas.settle())


@pytest.mark.parametrize("setting", ["maxmemory", "min-replicas-to-write"])
def test_redis_takes_nothing(redis, replicas, clients, setting):
    """It is there, and refuses to write: for want of memory, or of copies."""
    with clients.at_work(replicas):
        clients.acknowledge_more()
        redis.command("CONFIG", "SET", setting, 1)
        clients.refuse_more()
        redis.command("CONFIG", "SET", setting, 0)
    work_on(clients, replicas)
    for replica in replicas:
        for message in ("cannot store what was pushed", "the state is stored again", "Redis is away"):
            assert replica.stderr().count(message) <= 3, message


def test_weir_is_started_while_redis_is_away(redis, replicas, clients):
    """It waits, and has everything when Redis is back."""
    with clients.at_work(replicas):
        clients.acknowledge_more()
    clients.settle(replicas)
    redis.kill()
    replica = replicas.add()
    assert replica.weir.get("/-/healthy").status == 200
    assert not replica.is_ready()
    assert replica.weir.get("/metrics").status == 503
    redis.start()
    work_on(clients, replicas)


def test_weir_ends_while_redis_is_away(redis, replicas, clients):
    with clients.at_work(replicas):
        clients.acknowledge_more()
    redis.pause()
    replicas[0].stop_behind()
    redis.kill()
    replicas[1].stop_behind()
    redis.start()
    for replica in replicas:
        replica.start()
    work_on(clients, replicas)


def test_emptied_while_nobody_is_there(redis, replicas):
    """Then there is nothing."""
    assert replicas[0].weir.put("/metrics/job/j", "m 1\n").status == 200
    for replica in replicas:
        replica.stop()
    redis.command("FLUSHALL")
    for replica in replicas:
        replica.start()
    replicas.wait_until_ready()
    replicas.settle(is_empty)


def test_wipe_is_not_undone(redis, replicas):
    """Who fills an emptied Redis has nothing of what was wiped or deleted before."""
    for number in range(20):
        assert replicas[0].weir.put(f"/metrics/job/{number}", "m 1\n").status == 200
    replicas.settle(has('m{instance="",job="7"} 1'))
    assert replicas[1].weir.delete("/metrics/job/7").status == 202
    redis.command("FLUSHALL")
    replicas.settle(lambda page, _: [line for line in page if 'job="7"' in line])
    assert len([line for line in replicas.settle() if line.startswith("m{")]) == 19
    assert replicas[1].weir.request("PUT", "/api/v1/admin/wipe").status == 202
    redis.command("FLUSHALL")
    replicas.settle(is_empty)
    replicas.add()
    replicas.wait_until_ready()
    assert replicas[0].weir.put("/metrics/job/new", "m 1\n").status == 200
    replicas.settle(has('m{instance="",job="new"} 1'))


def test_deletions_outlive_an_emptied_redis(redis, replicas):
    """Who has not heard of them when Redis loses them does not bring back what was deleted."""
    targets = {"deleted": ("DELETE", None), "put": ("PUT", "n 2\n"), "posted": ("POST", "m 2\n")}
    for target in targets:
        assert replicas[0].weir.put(f"/metrics/job/{target}", "m 1\n").status == 200
    replicas.settle(has(*(f'm{{instance="",job="{target}"}} 1' for target in targets)))
    replicas[1].weir.signal(signal.SIGSTOP)
    for target, (method, body) in targets.items():
        assert replicas[0].weir.request(method, f"/metrics/job/{target}", body).status in (200, 202)
    redis.command("FLUSHALL")
    replicas[1].weir.signal(signal.SIGCONT)
    replicas.wait_until_ready()
    page = replicas.settle(has('n{instance="",job="put"} 2', 'm{instance="",job="posted"} 2'))
    assert not any('job="deleted"' in line for line in page)
    assert sum(line.startswith("m{") for line in page) == 1


def test_lives_outlive_an_emptied_redis(redis, replicas):
    """They end when they were to end, on weirs that came later as well."""
    began = time.monotonic()
    assert replicas[0].weir.put("/metrics/job/short?ttl=2s", "m 1\n").status == 200
    assert replicas[0].weir.put("/metrics/job/long?ttl=1h", "m 1\n").status == 200
    replicas.settle(has('m{instance="",job="long"} 1'))
    redis.command("FLUSHALL")
    joined = replicas.add()
    wait_for(joined.is_ready, "it has loaded what there is")
    ended = {}

    def have_ended():
        for replica in replicas:
            if 'm{instance="",job="short"} 1' not in replica.page():
                ended.setdefault(replica, time.monotonic() - began)
        return len(ended) == 3

    page = replicas.settle(has('m{instance="",job="long"} 1'))
    if time.monotonic() - began < 1.5:
        assert 'm{instance="",job="short"} 1' in page
    wait_for(have_ended, "it ends on all")
    assert min(ended[replica] for replica in list(replicas)[:2]) >= 1.9


def test_lives_are_as_long_where_redis_is_slow(redis, proxy, tmp_path):
    """Who asks Redis for its time by a slow way takes it to be later than it is."""
    proxy.delay(0.25)
    with Replicas(tmp_path, redis.url, 1) as replicas:
        late = replicas.add(url=proxy.url)
        replicas.wait_until_ready()
        began = []

        def hear():
            began.append(time.monotonic())
            assert replicas[0].weir.put("/metrics/job/short?ttl=3s", "m 1\n").status == 200
            wait_for(lambda: late.page() or time.monotonic() > began[-1] + 3, "it is heard of")

        in_time(3, hear)
        wait_for(lambda: not late.page(), "it ends")
        assert time.monotonic() - began[-1] >= 3


def test_redis_goes_back_in_time(redis, replicas, clients, tmp_path):
    """It is started with what it had some time ago: an old copy of its files."""
    with clients.at_work(replicas):
        clients.acknowledge_more()
    clients.settle(replicas)
    redis.stop()
    shutil.copytree(redis.directory / "appendonlydir", tmp_path / "copy")
    redis.start()
    replicas.wait_until_ready()
    with clients.at_work(replicas):
        clients.acknowledge_more(300)
    clients.settle(replicas)
    redis.kill()
    redis.forget()
    shutil.copytree(tmp_path / "copy", redis.directory / "appendonlydir")
    redis.start()
    replicas.wait_until_ready()
    clients.settle(replicas)
    replicas.add()
    work_on(clients, replicas)


# ---- Rubbish in it --------------------------------------------------------------------------


def spoil(redis, rng):
    """What weir never writes, where it reads; but no versions of the far future, which would count."""
    garbage = rng.choice([b"", b"0", b"0" * 112, b"0" * 133, rng.randbytes(200), b"L" * 5000])
    group, stream = rng.choice(redis.keys("weir:*:group:*")), rng.choice(redis.keys("weir:*:changes"))
    segments = [field for field in redis.command("HKEYS", group) if field != "head"] or ["x"]
    head = redis.command("HGET", group, "head") or ""
    rng.choice([
        lambda: redis.command("HSET", group, rng.choice(segments), garbage),
        lambda: redis.command("HSET", group, "0123456789abcdef", garbage),
        lambda: redis.command("HSET", group, "head", "0" * rng.choice([0, 1, 112, 120])),
        lambda: redis.command("HSET", group, "head", head + "0" * 7),
        lambda: redis.command("HDEL", group, rng.choice(segments + ["head"])),
        lambda: redis.command("XADD", stream, "*", "x", garbage),
        lambda: redis.command("XADD", stream, "*", "by", "zzz", '"job"="j"', garbage),
        lambda: redis.command("XADD", stream, "*", "by", "zzz", garbage, garbage, "wipe", garbage),
        lambda: redis.command("XADD", stream, "*", "by", "zzz", "wipe", "0" * 16, "odd", ""),
    ])()


def test_rubbish(redis, replicas, clients):
    """It does no harm to anything else, and what is pushed anew is right again."""
    rng = random.Random(SEED)
    with clients.at_work(replicas):
        clients.acknowledge_more()
        for _ in range(100):
            spoil(redis, rng)
        clients.acknowledge_more()
    joined = replicas.add()
    wait_for(joined.is_ready, "it has what can be read")
    for number in range(30):
        spoil(redis, rng)
        assert replicas[number % 3].weir.put(f"/metrics/job/new{number}", "m 1\n").status == 200
    for client in clients.all:
        for group in client.groups:
            assert replicas[0].weir.put(f"/metrics/job/{client.job}/group/{group.name}", GAUGE).status == 200
    replicas.settle(has(*(f'm{{instance="",job="new{number}"}} 1' for number in range(30)),
                        *(f'f0{{group="{group.name}",instance="",job="{client.job}"}} 77'
                          for client in clients.all for group in client.groups)))


# ---- The way to Redis -----------------------------------------------------------------------


@pytest.fixture
def split(redis, proxy, tmp_path):
    """The first weir reaches Redis by way of the proxy."""
    with Replicas(tmp_path, redis.url, 0) as replicas:
        replicas.add(url=proxy.url)
        replicas.add()
        replicas.wait_until_ready()
        yield replicas


def test_connections_are_cut(split, proxy, clients):
    """In the middle of commands and of answers to them: nobody knows what became of these."""
    lengths = [0, 1, 3, 10, 100, 1000, 10_000] * 2
    with clients.at_work(split):
        for after in lengths:
            proxy.cut_in_replies(after)
            wait_for(lambda: proxy.replies_left is None, "one is cut")
            clients.acknowledge_more(20)
        for _ in range(20):
            wait_for(lambda: proxy.pairs, "there is one to be cut")
            proxy.cut()
            clients.acknowledge_more(5)
    assert proxy.accepted >= len(lengths) + 20
    work_on(clients, split)


@pytest.mark.parametrize("garbage", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"$99999999999\r\n", b"*-7\r\n",
                                     b"*1048577\r\n" * 3, b":1\r\n" * 50, b"+OK\r\n" * 50,
                                     b"-ERR nonsense\r\n" * 50, b"$-1\r\n" * 50, b"*0\r\n" * 50, None])
def test_garbage(split, proxy, clients, garbage):
    with clients.at_work(split):
        clients.acknowledge_more()
        for _ in range(3):
            proxy.garble(garbage)
            clients.acknowledge_more()
            proxy.restore()
            proxy.cut()
    work_on(clients, split)


def test_nothing_goes_through(split, proxy, clients):
    """The other one goes on, and this one refuses what it cannot store."""
    with clients.at_work(split):
        clients.acknowledge_more()
        proxy.stall()
        clients.refuse_more(3)
    split[0].wait_until_cut_off()
    check_refuses(split[0])
    with clients.at_work([split[1]]):
        clients.acknowledge_more(300)
    proxy.restore()
    work_on(clients, split)


def test_slow_way(split, proxy, clients):
    """It takes longer, and nothing is refused."""
    proxy.delay(0.05)
    work_on(clients, split)
    assert clients.count("refused") == 0


@pytest.mark.parametrize("seconds", [0.03, 0.3])
def test_way_that_was_slow(redis, proxy, tmp_path, seconds):
    """Until it hears better, a weir takes Redis' time to be later than it is by as much as its questions took.
    Yet a deletion behind its answer counts, by a weir that has not heard of what is to be deleted."""
    with CuttingProxy(redis.port) as back, Replicas(tmp_path, redis.url, 0) as replicas:
        proxy.delay(seconds)
        replicas.add(url=proxy.url)
        replicas.add(url=back.url)
        replicas.wait_until_ready()
        here, there = replicas[0].weir, replicas[1].weir
        back.delay_replies(0.05)
        proxy.delay(0)
        for number in range(10):
            assert here.put(f"/metrics/job/{number}", "m 1\n").status == 200
            assert there.delete(f"/metrics/job/{number}").status == 202
        replicas.settle(is_empty)


def test_cut_off_for_a_while(split, proxy, clients):
    """Whoever stays behind catches up, and deletes what was deleted meanwhile."""
    with clients.at_work(split):
        clients.acknowledge_more()
    clients.settle(split)
    proxy.refuse()
    with clients.at_work([split[1]], pause=0):
        clients.acknowledge_more(500)
    assert split[1].weir.request("PUT", "/api/v1/admin/wipe").status == 202
    for client in clients.all:
        for group in client.groups:
            group.learn(None)
    with clients.at_work([split[1]], pause=0):
        clients.acknowledge_more(20)
    check_refuses(split[0])
    proxy.restore()
    work_on(clients, split)
