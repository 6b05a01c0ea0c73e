"""Random changes sent to any of several weirs on one Redis, and models that know what comes of them.

How long: WEIR_REPLICA_ROUNDS, 3 unless told otherwise. WEIR_SEED repeats a run as far as threads allow.
"""

import collections
import contextlib
import os
import random
import threading
import time

import pytest

from crashes import SEED
from cutting_proxy import CuttingProxy
from harness import wait_for
from redis_servers import RedisServer
from replicas import Clients, Replicas, parse
from serial import Change, explains

ROUNDS = int(os.environ.get("WEIR_REPLICA_ROUNDS", "2"))
SLACK = 0.5  # seconds before or behind a deadline within which a group may be there or not
LATE = 10  # seconds that a group may outlive its deadline on a busy machine


@pytest.fixture
def replicas(tmp_path):
    with RedisServer(tmp_path / "redis") as redis, Replicas(tmp_path, redis.url, 3) as started:
        yield started


# ---- One change after the other -------------------------------------------------------------

TYPES = {"m": "gauge", "n": "counter", "o": "untyped", "p": "gauge"}
GROUPS = [("/job/a", 'instance="",job="a"'),
          ("/job/a/instance/i", 'instance="i",job="a"'),
          ("/job/b/zone/n", 'instance="",job="b",zone="n"'),
          ("/job/b/zone/s", 'instance="",job="b",zone="s"'),
          ("/job@base64/eC95/a/%C3%BC", 'a="ü",instance="",job="x/y"')]
GROUPS += [(f"/job/many/instance/{number}", f'instance="{number}",job="many"') for number in range(15)]


class State:
    """Of a group: {family: (number, series)}, and when its time is over, at the earliest and latest."""

    def __init__(self, families, dies=(float("inf"), float("inf"))):
        self.families, self.dies = families, dies

    def after(self, method, brought, began, ended, ttl):
        if method == "DELETE":
            return [State({})]
        dies = began + ttl, ended + ttl
        renewed = [State(brought, dies)]
        if method == "PUT" or not self.families or began > self.dies[1] + SLACK:
            return renewed
        joined = [State({**self.families, **brought}, dies)]
        return joined if ended < self.dies[0] - SLACK else joined + renewed

    def may_be(self, found, began, ended):
        """What a page shows that was asked for and given at these times."""
        if self.families and not found:
            return ended >= self.dies[0] - SLACK
        return self.families == found and began <= self.dies[1] + LATE


class Model:
    def __init__(self):
        self.groups = {labels: [State({})] for _, labels in GROUPS}

    def change(self, labels, *change):
        states = [new for old in self.groups[labels] for new in old.after(*change)]
        self.groups[labels] = list({str((state.families, state.dies)): state
                                    for state in states}.values())

    def wipe(self):
        for labels in self.groups:
            self.groups[labels] = [State({})]

    def mortal(self):
        """Groups that are not there for ever."""
        return [labels for labels, states in self.groups.items()
                if all(state.families and state.dies[1] < time.time() + 60 for state in states)]

    def check(self, page, began):
        """What is wrong with it, in words; if nothing is, it is known what is there."""
        found, ended, faults, groups = self.read(page), time.time(), [], {}
        for labels, states in self.groups.items():
            groups[labels] = [one for one in states if one.may_be(found[labels], began, ended)]
            if not groups[labels]:
                might = [(state.families, state.dies) for state in states]
                faults.append(f"{labels} is {found[labels]} and might be {might} at {ended}")
            if not found[labels]:
                groups[labels] = [State({})]
        if not faults:
            self.groups = groups
        return "\n".join(faults)

    def read(self, page):
        """{labels: {family: (number, series)}}; every line is one that it knows."""
        found = {labels: {} for labels in self.groups}
        for line in page:
            if line.startswith("#") or line.startswith("push_"):
                continue
            name, _, rest = line.partition("{")
            text, _, value = rest.rpartition("} ")
            labels = ",".join(part for part in text.split(",") if not part.startswith("series="))
            number, count = found[labels].get(name, (int(value), 0))
            assert number == int(value), f"torn: {line}"
            found[labels][name] = number, count + 1
        return found


class Walk:
    """Changes to any group through any replica, each awaited."""

    def __init__(self, replicas, seed, ttls=(float("inf"),) * 4 + (0.3, 1, 3600)):
        self.replicas, self.model, self.number = list(replicas), Model(), 0
        self.rng, self.ttls = random.Random(seed), ttls

    def step(self):
        weir = self.rng.choice(self.replicas).weir
        self.number += 1
        what = self.rng.choices(["push", "delete", "wipe", "wait"], [85, 12, 1, 2])[0]
        if what == "wipe":
            assert weir.request("PUT", "/api/v1/admin/wipe").status == 202
            self.model.wipe()
        elif what == "wait":
            self.wait_for_an_end(weir)
        else:
            self.change(weir, "DELETE" if what == "delete" else self.rng.choice(["PUT", "POST"]))

    def change(self, weir, method):
        path, labels = self.rng.choice(GROUPS)
        brought, target, body, ttl = {}, f"/metrics{path}", None, float("inf")
        if method != "DELETE":
            names = self.rng.sample(list(TYPES), self.rng.randint(1, len(TYPES)))
            brought = {name: (self.number, self.rng.choice([1, 1, 3, 40])) for name in names}
            body = "".join(self.text(name, series) for name, (_, series) in brought.items())
            ttl = self.rng.choice(self.ttls)
            target += "" if ttl == float("inf") else f"?ttl={int(ttl * 1000)}ms"
        began = time.time()
        answer = weir.request(method, target, body)
        assert answer.status == (202 if method == "DELETE" else 200), answer.text
        self.model.change(labels, method, brought, began, time.time(), ttl)

    def text(self, name, series):
        return f"# HELP {name} Of that name.\n# TYPE {name} {TYPES[name]}\n" + "".join(
            f'{name}{{series="{number}"}} {self.number}\n' for number in range(series))

    def wait_for_an_end(self, weir):
        """Somebody's time is over: a POST does not bring back what it had."""
        mortal = self.model.mortal()
        if not mortal:
            return
        labels = self.rng.choice(mortal)
        last = max(state.dies[1] for state in self.model.groups[labels])
        wait_for(lambda: time.time() > last + SLACK, "the time comes")
        wait_for(lambda: f"push_time_seconds{{{labels}}}" not in weir.get("/metrics").text,
                 f"the group {labels} ends")
        self.model.groups[labels] = [State({})]


@pytest.mark.parametrize("walk_number", range(2))
def test_one_after_the_other(replicas, walk_number):
    print(f"WEIR_SEED={SEED}")
    walk = Walk(replicas, SEED + walk_number)
    for _ in range(ROUNDS):
        for _ in range(60):
            walk.step()
        replicas.settle(walk.model.check)


class Accidents:
    """Befall the ways to Redis, and Redis."""

    def __init__(self, redis, proxies, rng):
        self.redis, self.proxies, self.rng = redis, proxies, rng
        self.counts = collections.Counter()

    def maybe(self):
        proxy = self.rng.choice(self.proxies)
        what = self.rng.choices(
            [None, proxy.refuse, proxy.restore, proxy.cut, lambda: proxy.cut_in_replies(self.rng.randrange(200)),
             self.flush, lambda: self.redis.restart(empty=True), self.redis.restart],
            [80, 6, 6, 4, 4, 1, 0.5, 0.5])[0]
        if what:
            what()
            self.counts[what] += 1

    def flush(self):
        self.redis.command("FLUSHALL")

    def end(self):
        for proxy in self.proxies:
            proxy.restore()


def test_one_after_the_other_through_outages(tmp_path):
    """Accepted by weirs of which any may be cut off, and Redis may lose everything: in the end all have
    what the order of the changes makes of them. (Without ends of groups: who joins a group behind an end that
    it has not heard of yet keeps what had ended.)"""
    print(f"WEIR_SEED={SEED}")
    rng = random.Random(SEED)
    with contextlib.ExitStack() as stack:
        redis = stack.enter_context(RedisServer(tmp_path / "redis", keeps=True))
        proxies = [stack.enter_context(CuttingProxy(redis.port)) for _ in range(3)]
        replicas = stack.enter_context(Replicas(tmp_path, redis.url, 0, "--state.on-outage=accept"))
        for proxy in proxies:
            replicas.add(url=proxy.url)
        replicas.wait_until_ready()
        walk = Walk(replicas, SEED, ttls=(float("inf"), 3600))
        accidents = Accidents(redis, proxies, rng)
        for _ in range(ROUNDS):
            for _ in range(100):
                walk.step()
                accidents.maybe()
            accidents.end()
            replicas.settle(walk.model.check)
        print(sum(accidents.counts.values()))


def test_groups_of_one_client_each(replicas):
    """Nobody waits longer than for the answer, and asks another weir then."""
    clients = Clients(SEED, count=6)
    for _ in range(ROUNDS):
        with clients.at_work(replicas, pause=0):
            clients.acknowledge_more(500)
        clients.settle(replicas)
    print(clients.counts())
    assert clients.count("refused") == clients.count("unanswered") == 0


# ---- Several clients on the same groups -----------------------------------------------------

NAMES = ["f0", "f1", "f2"]


class Rivals:
    """Change the same few groups at the same time."""

    def __init__(self, replicas, seed, clients=6, groups=3):
        self.replicas = list(replicas)
        self.changes = {f"g{number}": [] for number in range(groups)}
        self.seed, self.clients = seed, clients
        self.faults = []

    def run(self, client, count):
        rng = random.Random(f"{self.seed} {client}")
        try:
            for number in range(count):
                self.change(rng, number * self.clients + client + 1)
        except Exception as fault:  # raised by work()
            self.faults.append(fault)

    def change(self, rng, number):
        weir, group = rng.choice(self.replicas).weir, rng.choice(list(self.changes))
        method = rng.choices(["PUT", "POST", "DELETE"], [2, 6, 1])[0]
        names = () if method == "DELETE" else tuple(rng.sample(NAMES, rng.randint(1, len(NAMES))))
        if rng.random() < 0.01:
            self.wipe(weir, number)
            return
        body = "".join(f"# TYPE {name} gauge\n{name} {number}\n" for name in names)
        began = time.monotonic()
        answer = weir.request(method, f"/metrics/job/rivals/group/{group}", body or None)
        assert answer.status in (200, 202), answer.text
        self.changes[group].append(Change(method, names, number, began, time.monotonic()))

    def wipe(self, weir, number):
        began = time.monotonic()
        assert weir.request("PUT", "/api/v1/admin/wipe").status == 202
        for changes in self.changes.values():
            changes.append(Change("DELETE", (), number, began, time.monotonic()))

    def work(self, count):
        threads = [threading.Thread(target=self.run, args=(client, count))
                   for client in range(self.clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.faults:
            raise self.faults[0]

    def check(self, page, _):
        found = parse(page)
        faults = []
        for group, changes in self.changes.items():
            content = found.get(("rivals", group))
            if not explains(changes, content):
                faults.append(f"{group} is {content}, by no order of:" + "".join(
                    f"\n  {change}" for change in sorted(changes, key=lambda one: one.sent)[-20:]))
        return "\n".join(faults)


@pytest.mark.parametrize("count", [2, 30])
def test_many_clients_on_a_group(replicas, count):
    """All replicas agree, and on what one order of the changes leads to."""
    for number in range(ROUNDS * 5):
        rivals = Rivals(replicas, SEED + number)
        rivals.work(count)
        replicas.settle(rivals.check)
        assert replicas[0].weir.request("PUT", "/api/v1/admin/wipe").status == 202
        replicas.settle(lambda page, _: "\n".join(page))


# ---- The models -----------------------------------------------------------------------------


def changes(*words):
    """"PUT ab 1 0 10": method, families, number, when it was sent and answered."""
    split = [word.split() for word in words]
    return [Change(method, tuple(names.strip("-")), int(number), float(sent), float(answered))
            for method, names, number, sent, answered in split]


@pytest.mark.parametrize("words, found, is_possible", [
    ([], None, True),
    ([], {"a": 1}, False),
    (["PUT a 1 0 1"], {"a": 1}, True),
    (["PUT a 1 0 1"], None, False),
    (["PUT a 1 0 1", "PUT b 2 2 3"], {"b": 2}, True),
    (["PUT a 1 0 1", "PUT b 2 2 3"], {"a": 1}, False),  # it was over before
    (["PUT a 1 0 1", "PUT b 2 2 3"], {"a": 1, "b": 2}, False),
    (["PUT a 1 0 2", "PUT b 2 1 3"], {"a": 1}, True),
    (["PUT a 1 0 1", "POST b 2 2 3"], {"a": 1, "b": 2}, True),
    (["PUT a 1 0 1", "POST b 2 2 3"], {"a": 1}, False),
    (["PUT a 1 0 3", "POST b 2 2 3"], {"a": 1}, True),
    (["PUT a 1 0 1", "DELETE - 2 2 3"], None, True),
    (["PUT a 1 0 2", "DELETE - 2 1 3"], {"a": 1}, True),
    (["POST a 1 0 2", "DELETE - 2 1 3"], None, True),
    (["POST ab 1 0 9", "POST ab 2 0 9"], {"a": 1, "b": 1}, True),
    (["POST ab 1 0 9", "POST ab 2 0 9"], {"a": 1, "b": 2}, False),  # torn
    (["POST ab 1 0 9", "POST b 2 0 9"], {"a": 1, "b": 2}, True),
    (["POST a 1 0 2", "POST b 2 3 4", "PUT c 3 1 9"], {"b": 2, "c": 3}, True),
    (["POST a 1 0 2", "POST b 2 3 4", "PUT c 3 1 9"], {"a": 1, "c": 3}, False),
    (["POST a 1 5 6", "POST ab 2 0 9", "POST b 3 2 3"], {"a": 2, "b": 2}, True),
    (["POST a 1 5 6", "POST ab 2 0 9", "POST b 3 7 8"], {"a": 1, "b": 2}, False),
    (["POST a 1 5 6", "POST ab 2 0 9", "POST b 3 7 8"], {"a": 1, "b": 3}, True),
])
def test_possible_orders(words, found, is_possible):
    assert explains(changes(*words), found) == is_possible
