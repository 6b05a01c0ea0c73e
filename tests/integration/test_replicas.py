"""Several weirs on one Redis: what is pushed to one of them is soon on the pages of all."""

import gzip
import json
import os
import random
import time

import pytest

import protobuf
from crashes import SEED
from exposition import OPENMETRICS_HEADERS
from harness import in_time, wait_for
from persistence import everything
from redis_servers import RedisServer
from replicas import Clients, Replicas, has, is_empty, parse
from test_persistence import MF2, MF5, MF_HIST, RICH, TEXT

LAG_SECONDS = float(os.environ.get("WEIR_LAG_SECONDS", "1"))
LAG_MOST = 10  # seconds; far more than it ever should be


@pytest.fixture
def redis(tmp_path):
    with RedisServer(tmp_path / "redis", keeps=True) as server:
        yield server


@pytest.fixture
def pair(redis, tmp_path):
    with Replicas(tmp_path, redis.url, 2, "--push.enable-utf8-names") as replicas:
        yield replicas


@pytest.fixture
def trio(redis, tmp_path):
    with Replicas(tmp_path, redis.url, 3) as replicas:
        yield replicas


def put(replica, target, body=b"", headers=None, status=200):
    answer = replica.weir.put(target, body, headers)
    assert answer.status == status, answer.text


# ---- Seen by all ----------------------------------------------------------------------------


@pytest.mark.smoke
def test_each_kind_of_change(trio):
    a, b, c = trio
    put(a, "/metrics/job/j", "# HELP m Help.\n# TYPE m gauge\nm 1\nn 2\n")
    trio.settle(has('n{instance="",job="j"} 2'))
    assert b.weir.post("/metrics/job/j", "# HELP m Help.\n# TYPE m gauge\nm 3\n").status == 200
    page = trio.settle(has('m{instance="",job="j"} 3'))
    assert 'n{instance="",job="j"} 2' in page
    assert {"# HELP m Help.", "# TYPE m gauge", "# TYPE n untyped"} <= page
    put(c, "/metrics/job/j", "o 4\n")
    page = trio.settle(has('o{instance="",job="j"} 4'))
    assert not any(line.startswith(("m{", "n{")) for line in page)
    assert a.weir.delete("/metrics/job/j").status == 202
    trio.settle(is_empty)
    for replica in trio:
        put(replica, "/metrics/job/j", "again 1\n")
        trio.settle(has('again{instance="",job="j"} 1'))
        assert replica.weir.request("PUT", "/api/v1/admin/wipe").status == 202
        trio.settle(is_empty)


def test_what_is_pushed_behind_an_answer_counts(trio):
    """Even where the weir that answers the second push has not heard of the first."""
    weirs = [replica.weir for replica in trio]
    for number in range(60):
        here, there, beyond = random.sample(weirs, 3)
        path = f"/metrics/job/{number}"
        assert here.put(path, "m 1\nn 1\n").status == 200
        assert there.post(path, "m 2\n").status == 200
        if number % 3 == 0:
            assert beyond.delete(path).status == 202
        elif number % 3 == 1:
            assert beyond.put(path, "o 3\n").status == 200

    def check(page, _):
        wrong = []
        for number in range(60):
            wanted = [[], ["o 3"], ["m 2", "n 1"]][number % 3]
            found = sorted(line.replace(f'{{instance="",job="{number}"}}', "") for line in page
                           if f'job="{number}"' in line and not line.startswith("push_"))
            if found != wanted:
                wrong.append(f"{number}: {found}, not {wanted}")
        return "\n".join(wrong)

    trio.settle(check)


def test_every_format(pair):
    """What formats have beyond text comes along: exemplars, units, creation times, native histograms."""
    a, b = pair
    put(a, "/metrics/job/open", RICH, OPENMETRICS_HEADERS)
    put(b, "/metrics/job/text/instance/i", TEXT)
    put(a, "/metrics/job/proto", protobuf.body(MF_HIST, MF2, MF5), protobuf.HEADERS)
    put(b, "/metrics/job@base64/eC95/a/%C3%BC", gzip.compress(b"m 1\n"), {"Content-Encoding": "gzip"})

    def are_equal():
        pages = [sorted_pages(replica.weir) for replica in pair]
        return pages[0] == pages[1] and "ü" in pages[0]["json"]

    wait_for(are_equal, "pages of all formats are equal")


def sorted_pages(weir):
    pages = everything(weir)
    groups = sorted(json.dumps(group, sort_keys=True, ensure_ascii=False)
                    for group in json.loads(pages.pop("json"))["data"])
    # In one family of protobuf, groups are in the order in which they were heard of.
    pages["protobuf"] = [family for family in pages["protobuf"] if b"_time_seconds" not in family[:40]]
    return {"json": "\n".join(groups), **{form: sorted(lines) for form, lines in pages.items()}}


def test_refused_pushes(pair):
    """The time of a push that failed is everywhere, too, and a success behind it."""
    a, b = pair
    put(a, "/metrics/job/j", "m 1\n")
    put(a, "/metrics/job/new", "m 1 1000\n", status=400)
    put(a, "/metrics/job/j", "m 1 1000\n", status=400)

    def check(page, _):
        failures = [line for line in page if line.startswith("push_failure_time_seconds{")]
        return None if sum(line.endswith(" 0") for line in failures) == 0 and len(failures) == 2 else failures

    pair.settle(check)
    put(b, "/metrics/job/j", "m 2\n")
    page = pair.settle(has('m{instance="",job="j"} 2'))
    assert not check(page, None)


def test_refused_everywhere(pair):
    """Each checks what is pushed against what came through the other."""
    a, b = pair
    put(a, "/metrics/job/j", "# TYPE m counter\nm 1\n")
    pair.settle(has("# TYPE m counter"))
    put(b, "/metrics/job/k", "# TYPE m gauge\nm 1\n", status=400)
    assert b.weir.delete("/metrics/job/j").status == 202
    assert a.weir.delete("/metrics/job/k").status == 202
    pair.settle(is_empty)
    put(a, "/metrics/job/k", "# TYPE m gauge\nm 1\n")
    pair.settle(has("# TYPE m gauge"))


def test_large_and_many(pair):
    a, b = pair
    large = "".join(f'large{{n="{number:06}",text="{"x" * 50}"}} 1\n' for number in range(10_000))
    put(a, "/metrics/job/large", large)
    with b.weir.connect() as connection:
        for number in range(500):
            connection.request("PUT", f"/metrics/job/many/instance/{number}", f"many {number}\n")
        assert {connection.response().status for _ in range(500)} == {200}
    page = pair.settle()
    assert sum(line.startswith("large{") for line in page) == 10_000
    assert sum(line.startswith("many{") for line in page) == 500
    # Small changes of it, through the other one.
    for number in range(3):
        put(b, "/metrics/job/large", large.replace(' 1\n', f' {number}\n', 10))
        pair.settle(has(f'large{{instance="",job="large",n="000009",text="{"x" * 50}"}} {number}'))
    assert b.weir.request("PUT", "/api/v1/admin/wipe").status == 202
    pair.settle(is_empty)


def test_large_groups_at_work(pair):
    """None is ever seen by halves, in whatever slices it is pushed and read."""
    clients = Clients(SEED, count=2, groups=1, series=2000)
    with clients.at_work(pair):
        for _ in range(3):
            clients.acknowledge_more(10)
            for replica in pair:
                parse(replica.page(), 2000)
    clients.settle(pair)


def test_family_by_family(pair, redis):
    """A group that comes in hundreds of pushes is kept in few pieces."""
    for number in range(300):
        answer = pair[number % 2].weir.post("/metrics/job/j", f"m{number % 150} {number}\n")
        assert answer.status == 200, answer.text
    wanted = [f'm{number % 150}{{instance="",job="j"}} {number}' for number in range(150, 300)]
    page = pair.settle(has(*wanted))
    name, = redis.keys('weir:*"job"="j"*')
    assert redis.command("HLEN", name) < 100
    pair.add()
    pair.wait_until_ready()
    assert pair.settle(has(*wanted)) == page


def test_what_is_wiped_leaves_redis(pair, redis):
    for number in range(100):
        put(pair[0], f"/metrics/job/{number}", "m 1\n")
    assert len(redis.keys("weir:*:group:*")) >= 100
    assert pair[1].weir.request("PUT", "/api/v1/admin/wipe").status == 202
    wait_for(lambda: redis.keys("weir:*:group:*") == [], "all groups are gone from Redis")


@pytest.mark.parametrize("count", [2, 3])
def test_random_changes(redis, tmp_path, count):
    with Replicas(tmp_path, redis.url, count) as replicas:
        clients = Clients(SEED)
        for _ in range(2):
            with clients.at_work(replicas):
                clients.acknowledge_more(300)
            clients.settle(replicas)
        for name in ("weir_groups", "weir_blocks", "weir_series", "weir_families"):
            assert len({replica.own(name) for replica in replicas}) == 1, name


def test_import(pair, redis, tmp_path):
    a, b = pair
    put(a, "/metrics/job/j", "m 1\n")
    put(a, "/metrics/job/k", RICH, OPENMETRICS_HEADERS)
    pair.settle(has('m{instance="",job="j"} 1'))
    exported = b.weir.get("/api/v1/export")
    assert exported.status == 200
    before = pair.settle()
    assert a.weir.request("PUT", "/api/v1/admin/wipe").status == 202
    pair.settle(is_empty)
    assert b.weir.post("/api/v1/import", exported.body).status == 200
    assert pair.settle(has('m{instance="",job="j"} 1')) == before


# ---- Expiry ---------------------------------------------------------------------------------


def test_groups_end_everywhere(pair):
    """Not before their time, also where they were not pushed."""
    a, b = pair
    put(a, "/metrics/job/kept", "m 1\n")
    began = time.monotonic()
    put(a, "/metrics/job/short?ttl=2s", "m 1\n")
    gone = {}

    def are_gone():
        for replica in pair:
            if not any('job="short"' in line for line in replica.page()):
                gone.setdefault(replica, time.monotonic())
        return len(gone) == 2

    is_there = has('m{instance="",job="short"} 1')
    pair.settle(lambda page, asked: is_there(page, asked) if time.monotonic() < began + 2 else "")
    wait_for(are_gone, "it ends on both")
    assert all(when - began >= 2 for when in gone.values()), gone
    assert 'm{instance="",job="kept"} 1' in pair.settle()
    assert all(replica.own("weir_groups") == 1 for replica in pair)


def test_life_is_prolonged_by_any(pair):
    a, b = pair

    def prolong(number):
        put(a, f"/metrics/job/{number}?ttl=1s", "m 1\n")
        assert b.weir.post(f"/metrics/job/{number}?ttl=1h", "n 2\n").status == 200

    for number in range(5):
        in_time(1, lambda number=number: prolong(number))
    put(a, "/metrics/job/marker?ttl=1500ms", "m 1\n")
    pair.settle(lambda page, _: "marked" if any('job="marker"' in line for line in page) else None)
    page = pair.settle()
    assert all(f'{name}{{instance="",job="{number}"}} {value}' in page
               for number in range(5) for name, value in (("m", 1), ("n", 2)))
    for number in range(5):
        assert b.weir.post(f"/metrics/job/{number}?ttl=300ms", "").status == 200
    pair.settle(is_empty)


def test_what_ended_does_not_come_back(pair):
    """A POST behind the end of a group's time, to the other weir, finds nothing of it."""
    a, b = pair
    put(a, "/metrics/job/j?ttl=200ms", "m 1\n")
    pair.settle(is_empty)
    assert b.weir.post("/metrics/job/j", "n 2\n").status == 200
    page = pair.settle(has('n{instance="",job="j"} 2'))
    assert not any(line.startswith("m{") for line in page)


# ---- Coming and going -----------------------------------------------------------------------


def test_started_again(pair, redis):
    """What a weir has when it is ready is what the other has."""
    a, b = pair
    clients = Clients(SEED)
    with clients.at_work([a, b]):
        clients.acknowledge_more(200)
    before = clients.settle(pair)
    a.stop()
    b.stop()
    a.start()
    a.wait_until_ready()
    assert a.page() == before
    with clients.at_work([a]):
        clients.acknowledge_more(100)
    b.start()
    clients.settle(pair)


def test_one_of_them_alone(redis, tmp_path):
    """It need not have company."""
    with Replicas(tmp_path, redis.url, 1) as replicas:
        put(replicas[0], "/metrics/job/j", "m 1\n")
        replicas[0].kill()
        replicas[0].start()
        replicas[0].wait_until_ready()
        replicas.settle(has('m{instance="",job="j"} 1'))


def test_databases_of_one_server(redis, tmp_path):
    """They have nothing to do with each other."""
    with Replicas(tmp_path / "0", redis.url, 1) as first, \
            Replicas(tmp_path / "1", redis.url.replace("/0", "/1"), 1) as second:
        put(first[0], "/metrics/job/first", "m 1\n")
        put(second[0], "/metrics/job/second", "m 1\n")
        assert second[0].weir.request("PUT", "/api/v1/admin/wipe").status == 202
        put(second[0], "/metrics/job/third", "m 1\n")
        first.settle(has('m{instance="",job="first"} 1'))
        assert [line for line in second.settle() if line.startswith("m{")] == [
            'm{instance="",job="third"} 1']


# ---- How soon -------------------------------------------------------------------------------


def test_lag(pair):
    """From the answer to a push until it is on the page of the other."""
    a, b = pair
    lags = []
    end = time.monotonic() + LAG_SECONDS
    with a.weir.connect() as pushing, b.weir.connect() as scraping:
        for number in range(1 << 30):
            if time.monotonic() >= end:
                break
            assert pushing.exchange("PUT", "/metrics/job/lag", f"lag {number}\n").status == 200
            answered = time.monotonic()
            line = f'lag{{instance="",job="lag"}} {number}\n'
            while line not in scraping.exchange("GET", "/metrics").text:
                assert time.monotonic() < answered + LAG_MOST, "it does not come"
            lags.append((time.monotonic() - answered) * 1000)
    lags.sort()
    print(f"replica-lag: pushes={len(lags)} p50={lags[len(lags) // 2]:.2f} ms "
          f"p99={lags[len(lags) * 99 // 100]:.2f} ms most={lags[-1]:.2f} ms")
    assert lags[len(lags) // 2] < LAG_MOST * 1000 / 4
