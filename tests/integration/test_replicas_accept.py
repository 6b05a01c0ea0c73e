"""--state.on-outage=accept: weirs that do not see each other take pushes, and agree afterwards.

What was received later counts, whenever it arrives.
"""

import contextlib
import random
import select
import time

import pytest

from crashes import SEED
from cutting_proxy import CuttingProxy
from harness import format_request, wait_for
from redis_servers import RedisServer
from replicas import Clients, Replicas, has, is_empty

ACCEPT = "--state.on-outage=accept"
WIPE = "/api/v1/admin/wipe"


@pytest.fixture
def redis(tmp_path):
    with RedisServer(tmp_path / "redis", keeps=True) as server:
        yield server


@pytest.fixture
def proxy(redis):
    with CuttingProxy(redis.port) as started:
        yield started


@pytest.fixture
def split(redis, proxy, tmp_path):
    """The first weir reaches Redis by way of the proxy."""
    with Replicas(tmp_path, redis.url, 0, ACCEPT) as replicas:
        replicas.add(url=proxy.url)
        replicas.add()
        replicas.wait_until_ready()
        yield replicas


def ask(replica, method, target, body=None):
    answer = replica.weir.request(method, target, body)
    assert answer.status in (200, 202), answer.text


def put(replica, target, body):
    ask(replica, "PUT", target, body)


def families(page, job):
    """What a group has on a page: "a 1, b 2"."""
    labels = f'{{instance="",job="{job}"}}'
    return ", ".join(sorted(line.replace(labels, "") for line in page
                            if labels in line and not line.startswith("push_")))


# ---- What is later counts -------------------------------------------------------------------

# What A and B are sent while A is cut off, and what comes of it. The group has x 0 before; each
# step brings its number.
CASES = {
    "A PUT a, B PUT a": "a 2",
    "B PUT a, A PUT a": "a 2",
    "A PUT a, B PUT b": "b 2",
    "A PUT ab, B PUT b": "b 2",
    "A POST a, B POST b": "a 1, b 2, x 0",
    "A POST ab, B POST b": "a 1, b 2, x 0",
    "B POST b, A POST ab": "a 2, b 2, x 0",
    "A POST a, B PUT b": "b 2",
    "B POST b, A PUT a": "a 2",
    "A PUT a, B POST b": "a 1, b 2",
    "B PUT b, A POST a": "a 2, b 1",
    "A PUT a, B DELETE": "",
    "A POST a, B DELETE": "",
    "B DELETE, A PUT a": "a 2",
    "B DELETE, A POST a": "a 2",
    "A DELETE, B PUT b": "b 2",
    "A DELETE, B POST b": "b 2",
    "B PUT b, A DELETE": "",
    "B POST b, A DELETE": "",
    "A PUT a, B DELETE, A POST b": "b 3",
    "A PUT a, B DELETE, B POST b, A POST c": "b 3, c 4",
    "A PUT a, A POST b, B POST a, A POST c": "a 3, b 2, c 4",
    "A DELETE, B POST b, A POST c": "b 2, c 3",
    "A POST a, B POST a, A POST b, B POST b, A POST x": "a 2, b 4, x 5",
}
WIPES = {
    "A PUT a, B WIPE": "",
    "B WIPE, A POST a": "a 2",
    "A WIPE, B POST b": "b 2",
    "B PUT b, A WIPE": "",
    "A PUT a, B WIPE, A POST b": "b 3",
    "A WIPE, B PUT b, A POST c": "b 2, c 3",
}


def carry_out(split, proxy, way, cases):
    """The first steps of all, then the second ones: so there is time between those of one."""
    for number in range(len(cases)):
        put(split[0], f"/metrics/job/{number}", "x 0\n")
    split.settle(has(f'x{{instance="",job="{len(cases) - 1}"}} 0'))
    getattr(proxy, way)()
    for step in range(5):
        for number, case in enumerate(cases):
            steps = case.split(", ")
            if step < len(steps):
                take_step(split, f"/metrics/job/{number}", step + 1, *(steps[step] + " ").split(" ")[:3])
    proxy.restore()


def take_step(split, target, number, who, method, names):
    replica = split["AB".index(who)]
    if method == "WIPE":
        ask(replica, "PUT", WIPE)
    else:
        ask(replica, method, target, "".join(f"{name} {number}\n" for name in names) or None)


def expect(split, cases):
    def check(page, _):
        found = {case: families(page, number) for number, case in enumerate(cases)}
        return "\n".join(f"{case}: {found[case]!r}, not {wanted!r}"
                         for case, wanted in cases.items() if found[case] != wanted)

    # All of it has arrived when what A was sent last has.
    put(split[0], "/metrics/job/last", "last 1\n")
    split.settle(has('last{instance="",job="last"} 1'))
    split.settle(check)


@pytest.mark.smoke
@pytest.mark.parametrize("way", ["refuse", "stall"])
def test_cut_off(split, proxy, way):
    carry_out(split, proxy, way, CASES)
    expect(split, CASES)
    split.add()
    split.wait_until_ready()
    expect(split, CASES)


@pytest.mark.parametrize("case", WIPES)
def test_wiped_meanwhile(split, proxy, case):
    carry_out(split, proxy, "refuse", {case: WIPES[case]})
    expect(split, {case: WIPES[case]})


@pytest.fixture
def unsure(redis, proxy, tmp_path):
    """The first one's way to Redis is so slow that it does not know well what Redis' time is."""
    proxy.delay(0.2)
    with Replicas(tmp_path, redis.url, 0, ACCEPT) as replicas:
        replicas.add(url=proxy.url)
        replicas.add()
        replicas.wait_until_ready()
        yield replicas


def test_behind_a_slow_way(unsure, redis):
    """A change behind an answer counts, also where the weir that gave it took its time to be later."""
    redis.pause()
    for number in range(5):
        put(unsure[0], f"/metrics/job/{number}", "m 1\n")
        ask(unsure[1], "DELETE", f"/metrics/job/{number}")
    redis.resume()
    unsure.settle(is_empty)


def test_who_comes_meanwhile_puts_nobody_off(unsure, proxy):
    """However many push without waiting for each other, each has an answer soon."""
    proxy.refuse()
    put(unsure[0], "/metrics/job/first", "m 1\n")
    connections, pushes = [], 0
    with contextlib.ExitStack() as stack:
        while not connections or not select.select(connections[:1], [], [], 0.001)[0]:
            assert pushes < 5000, "the first push is not answered"
            connection = stack.enter_context(unsure[0].weir.connect())
            connection.send(format_request("PUT", f"/metrics/job/{pushes % 10}", f"m {pushes}\n"))
            connections.append(connection.socket)
            pushes += 1
    assert pushes > 10  # it was not answered at once
    proxy.restore()
    unsure.settle(has('m{instance="",job="first"} 1'))


def test_times_of_pushes_stay(split, proxy):
    """They are those at which pushes were received, not those at which Redis heard of them."""
    proxy.refuse()
    began = time.time()
    put(split[0], "/metrics/job/j", "m 1\n")
    ended = time.time()
    name = 'push_time_seconds{instance="",job="j"} '
    shown = next(line for line in split[0].page() if line.startswith(name))
    assert split[0].own("weir_state_waiting_changes") > 0
    proxy.restore()
    assert shown in split.settle(has(shown))
    wait_for(lambda: split[0].own("weir_state_waiting_changes") == 0, "all of it is stored")
    assert began - 0.1 <= float(shown.removeprefix(name)) <= ended + 0.1


def test_what_ended_meanwhile(split, proxy):
    """A group whose time was over before Redis heard of it is nowhere afterwards."""
    proxy.refuse()
    put(split[0], "/metrics/job/short?ttl=300ms", "m 1\n")
    put(split[0], "/metrics/job/long?ttl=1h", "m 1\n")
    wait_for(lambda: not families(split[0].page(), "short"), "it ends")
    proxy.restore()
    page = split.settle(has('m{instance="",job="long"} 1'))
    assert not families(page, "short")


def test_ends_with_what_nobody_heard_of(split, proxy):
    """A weir that cannot tell Redis any more ends all the same, and says so."""
    proxy.stall()
    put(split[0], "/metrics/job/j", "m 1\n")
    split[0].stop_behind()
    assert "what was pushed last could not be stored" in split[0].stderr()


# ---- Under load -----------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["refuse", "stall", "cut"])
def test_random_changes_while_cut_off(split, proxy, way):
    """Each client has groups of its own, and asks this weir and that: nothing is lost."""
    clients = Clients(SEED)
    for _ in range(2):
        with clients.at_work(split, pause=0.01):
            clients.acknowledge_more()
            getattr(proxy, way)()
            clients.acknowledge_more()
        proxy.restore()
        with clients.at_work(split, pause=0.01):
            clients.acknowledge_more()
        clients.settle(split)
    assert clients.count("refused") == clients.count("unanswered") == 0


@pytest.mark.parametrize("accident", ["kill", "kill and forget", "pause", "flush"])
def test_random_changes_without_redis(redis, tmp_path, accident):
    """None of them sees any other."""
    clients = Clients(SEED)
    with Replicas(tmp_path, redis.url, 3, ACCEPT) as replicas:
        for _ in range(2):
            with clients.at_work(replicas, pause=0.01):
                clients.acknowledge_more()
                if accident == "pause":
                    redis.pause()
                elif accident == "flush":
                    redis.command("FLUSHALL")
                else:
                    redis.kill()
                clients.acknowledge_more(300)
                if "forget" in accident:
                    redis.forget()
                if accident == "pause":
                    redis.resume()
                elif accident != "flush":
                    redis.start()
                clients.acknowledge_more()
            clients.settle(replicas)
        assert clients.count("refused") == clients.count("unanswered") == 0
        replicas.add()
        replicas.wait_until_ready()
        clients.settle(replicas)


# ---- What contradicts itself ----------------------------------------------------------------


def hidden(replicas):
    """Of all: how much is stored and not exposed."""
    return [(replica.own("weir_shadowed_blocks"), replica.own("weir_shadowed_groups"))
            for replica in replicas]


def settle_with_hidden(replicas, blocks, groups):
    wait_for(lambda: hidden(replicas) == [(blocks, groups)] * len(replicas.all),
             f"{blocks} blocks and {groups} groups are shadowed on all")
    return replicas.settle()


@pytest.mark.parametrize("winner_goes", ["DELETE", "expires"])
def test_conflicting_types(split, proxy, winner_goes):
    proxy.refuse()
    put(split[0], "/metrics/job/1", "# TYPE m counter\nm 1\n")
    put(split[1], "/metrics/job/2", "# TYPE m gauge\nm 2\n")
    proxy.restore()
    page = settle_with_hidden(split, 1, 0)
    assert (families(page, "1"), families(page, "2")) == ("m 1", "")  # it was there first
    # Whoever comes now sees it in the same way.
    split.add()
    split.wait_until_ready()
    assert settle_with_hidden(split, 1, 0) == page
    if winner_goes == "DELETE":
        ask(split[1], "DELETE", "/metrics/job/1")
    else:
        put(split[1], "/metrics/job/1?ttl=200ms", "# TYPE m counter\nm 1\n")
    page = settle_with_hidden(split, 0, 0)
    assert families(page, "2") == "m 2"


def test_twin_keys(split, proxy):
    """Keys that differ in empty labels only have the same series."""
    proxy.refuse()
    put(split[0], "/metrics/job/x", "m 1\nn 1\n")
    put(split[1], "/metrics/job/x/instance@base64/=", "m 2\no 2\n")
    proxy.restore()
    wait_for(lambda: len(set(hidden(split))) == 1 and hidden(split)[0][1] == 1, "one is shadowed on all")
    page = split.settle()
    assert families(page, "x") == "m 1, n 1, o 2"  # it was there first
    split.add()
    split.wait_until_ready()
    assert split.settle() == page
    assert len(set(hidden(split))) == 1
    ask(split[1], "DELETE", "/metrics/job/x")
    page = settle_with_hidden(split, 0, 0)
    assert families(page, "x") == "m 2, o 2"


KINDS = ["gauge", "counter", "untyped"]


@pytest.mark.parametrize("number", range(2))
def test_many_conflicts(split, proxy, number):
    """Whatever order they hear of it in, all show the same; and again after each of them goes."""
    rng = random.Random(SEED + number)
    print(f"WEIR_SEED={SEED}")
    there = set()
    for _ in range(3):
        proxy.refuse()
        for _ in range(40):
            replica, group = rng.choice(split.all), rng.randrange(10)
            twin = rng.choice(["", "/instance@base64/="])
            names = rng.sample("abcd", rng.randint(1, 3))
            body = "".join(f"# TYPE {name} {rng.choice(KINDS)}\n{name} {rng.randrange(100)}\n"
                           for name in names)
            # What contradicts something that it knows itself, it refuses.
            status = replica.weir.request(rng.choice(["PUT", "POST"]), f"/metrics/job/{group}{twin}",
                                          body).status
            assert status in (200, 400)
            there.add(f"/metrics/job/{group}{twin}")
        proxy.restore()
        put(split[0], "/metrics/job/last", f"last {rng.random()}\n")
        split.settle()
        wait_for(lambda: len(set(hidden(split))) == 1, "the same is shadowed on both")
    split.add()
    split.wait_until_ready()
    for target in rng.sample(sorted(there), len(there)):
        split.settle()
        wait_for(lambda: len(set(hidden(split))) == 1, "the same is shadowed on all")
        ask(rng.choice(split.all), "DELETE", target)
    settle_with_hidden(split, 0, 0)
