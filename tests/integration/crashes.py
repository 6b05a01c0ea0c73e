"""Clients that know what must be there after a crash, and a weir that is killed and started again.

Each client has groups of its own and counts up: every push says its number in all that it brings.
So after a crash each group must be as one of its pushes or deletions left it, whole: as the last one
that was acknowledged, or as one of those behind it that were under way.
"""

import collections
import gzip
import os
import random
import re
import signal
import threading
import time
from dataclasses import dataclass, field

import harness
from disks import KILL, Disk
from harness import Closed, format_request, wait_for

BROKEN = (Closed, ConnectionRefusedError, ConnectionResetError, BrokenPipeError)
SEED = int(os.environ.get("WEIR_SEED", "0")) or random.randrange(1, 1 << 32)
CLIENTS = 16
SLACK = 5  # seconds that a group may outlive its time to live
MICROSECOND = 1e-6
LINE = re.compile(r'^(\w+)\{group="(\w+)",instance="",job="client(\d+)"(?:,n="\d+")?\} (\S+)$', re.M)


# ---- What must be there ---------------------------------------------------------------------


@dataclass
class State:
    """Of a group, after a change to it."""
    families: dict = field(default_factory=dict)  # name -> (number, how many series); {}: no such group
    sent: float = 0  # the change; Unix time
    answered: float = float("inf")
    ttl: float = float("inf")

    def is_like(self, found):
        if not self.families:
            return not found.families and found.sent == 0
        return self.families == found.families and (
            self.sent - MICROSECOND <= found.sent <= self.answered + MICROSECOND)


class Group:
    """What it may be like: as the first of its states, or as a later one."""

    def __init__(self, name, families, series, lives=False):
        self.name, self.names, self.series, self.lives = name, families, series, lives
        self.states = [State()]
        self.past = collections.deque(maxlen=50)  # what it may not be like any more

    def change(self, rng, number):
        """The next change: its method, families and time to live. It is under way from now on."""
        method = "PUT" if self.lives else rng.choices(["PUT", "POST", "DELETE"], [5, 4, 1])[0]
        names = rng.sample(self.names, rng.randint(1, len(self.names)))
        kept = self.states[-1].families if method == "POST" else {}
        brought = {} if method == "DELETE" else dict.fromkeys(names, (number, self.series))
        ttl = rng.choice([0.3, 1, 3600]) if self.lives else float("inf")
        self.states.append(State({**kept, **brought}, time.time(), ttl=ttl))
        return method, sorted(brought), self.states[-1]

    def acknowledge(self, state):
        state.answered = time.time()
        while self.states[0] is not state:
            self.past.append(self.states.pop(0))

    def settle(self, found):
        """Whether it may be like that: None, "lost" or "torn". From now on it is."""
        now = time.time()
        verdict = None
        fitting = [state for state in self.states if self.fits(state, found, now)]
        if not fitting:
            verdict = "lost" if any(state.is_like(found) for state in self.past) else "torn"
        self.past.extend(self.states)
        ttl = fitting[-1].ttl if fitting and found.families else float("inf")
        self.states = [State(found.families, found.sent, found.sent, ttl)]
        return verdict

    @staticmethod
    def fits(state, found, now):
        if not found.families and state.families:
            return now >= state.sent + state.ttl
        return state.is_like(found) and now <= min(state.answered, now) + state.ttl + SLACK


def parse(page):
    """The groups of a page: (client, name) -> State as if it was sent when it was pushed."""
    values, found = collections.defaultdict(list), collections.defaultdict(State)
    for family, group, client, value in LINE.findall(page):
        if family == "push_time_seconds":
            found[int(client), group].sent = float(value)
        elif family != "push_failure_time_seconds":
            values[int(client), group, family].append(value)
    for (client, group, family), each in values.items():
        number = int(each[0]) if len(set(each)) == 1 else f"mixed: {sorted(set(each))}"
        found[client, group].families[family] = number, len(each)
    return found


class Client:
    """Changes its groups over a connection, several changes at a time, until that breaks."""

    def __init__(self, number, seed):
        self.number = number
        self.rng = random.Random(f"{seed} {number}")
        small = [f"small_{i}" for i in range(4)]
        self.groups = [Group(f"small{i}", small, 1) for i in range(3)]
        self.groups.append(Group("page", ["page_0", "page_1", "page_2"], 150))
        if number == 0:
            self.groups.append(Group("large", ["large_0", "large_1"], 3000))
        self.groups.append(Group("lives", small, 1, lives=True))
        self.tried = self.acknowledged = self.refused = 0
        self.reasons = set()  # for which it was refused
        self.fault = None
        self.stopping = False

    def body(self, names, series):
        lines = [f"# TYPE {name} gauge\n" + "".join(
            f'{name}{{n="{n}"}} {self.tried}\n' if series > 1 else f"{name} {self.tried}\n"
            for n in range(series)) for name in names]
        return "".join(lines).encode()

    def next_request(self):
        """The bytes of a request, the group that it changes, and what it makes of it."""
        group = self.rng.choice(self.groups)
        self.tried += 1
        method, names, state = group.change(self.rng, self.tried)
        target = f"/metrics/job/client{self.number}/group/{group.name}"
        if state.ttl != float("inf"):
            target += f"?ttl={int(state.ttl * 1000)}ms"
        body, headers = self.body(names, group.series), {}
        if body and self.rng.random() < 0.3:
            body, headers = gzip.compress(body, 1), {"Content-Encoding": "gzip"}
        return format_request(method, target, None if method == "DELETE" else body, headers), group, state

    def take_answer(self, answer, group, state):
        if answer.status in (200, 202):
            group.acknowledge(state)
            self.acknowledged += 1
            return
        assert answer.status == 503, answer.text
        self.refused += 1
        self.reasons.add(answer.text)

    def work(self, connection):
        under_way = collections.deque()
        while under_way or not self.stopping:
            while not self.stopping and len(under_way) < self.rng.randint(1, 8):
                request, *rest = self.next_request()
                under_way.append(rest)
                connection.send(request)
            if under_way:
                self.take_answer(connection.response(), *under_way.popleft())

    def run(self, weir):
        try:
            with weir.connect() as connection:
                self.work(connection)
        except BROKEN:
            pass
        except Exception as fault:  # told by Clients
            self.fault = fault

    def settle(self, found):
        """(verdict, group, what it is like, what it might be) of what is not as it must be."""
        wrong = []
        for group in self.groups:
            might, state = group.states, found[self.number, group.name]
            verdict = group.settle(state)
            if verdict:
                wrong.append((verdict, f"client{self.number}/{group.name}", state, might))
        return wrong


class Clients:
    """Who works at the same time, each on a thread of its own."""

    def __init__(self, count, seed):
        self.clients = [Client(number, seed) for number in range(count)]
        self.threads = []
        self.lost = self.torn = 0

    def start(self, weir):
        for client in self.clients:
            client.stopping = False
        self.threads = [threading.Thread(target=client.run, args=(weir,)) for client in self.clients]
        for thread in self.threads:
            thread.start()

    def join(self):
        """When their connections broke, or were told to stop."""
        for thread in self.threads:
            thread.join()
        for client in self.clients:
            if client.fault is not None:
                raise client.fault

    def stop(self):
        """Once what is under way was answered."""
        for client in self.clients:
            client.stopping = True
        self.join()

    def sum(self, what):
        return sum(getattr(client, what) for client in self.clients)

    def reasons(self):
        return set().union(*(client.reasons for client in self.clients))

    def is_working(self):
        return any(thread.is_alive() for thread in self.threads)

    def settle(self, page):
        """Compares with what there is after a crash."""
        found = parse(page)
        for client in self.clients:
            for verdict, name, state, might in client.settle(found):
                print(f"{verdict}: {name} is {state} and might be one of", *might[-20:], sep="\n  ")
                self.lost += verdict == "lost"
                self.torn += verdict == "torn"

    def settle_wiped(self, page, is_certain):
        """The same, after a wipe: of all groups there is nothing, or if that is not certain, all."""
        if is_certain or not any(state.families for state in parse(page).values()):
            for client in self.clients:
                for group in client.groups:
                    group.past.extend(group.states)
                    group.states = [State()]
        self.settle(page)

    def check(self):
        assert (self.lost, self.torn) == (0, 0)


# ---- The weir that crashes ------------------------------------------------------------------


class Crashing:
    """A weir on a disk that is killed and started again, with a power cut between if that is wanted."""

    def __init__(self, directory, disk, *flags, loses=False):
        self.directory, self.disk, self.flags, self.loses = directory, disk, flags, loses
        self.count = 0  # of starts; every fourth time, nothing gets to the disk that is not synced
        self.weir = None

    def start(self):
        """It may be killed by the disk's rules before it listens: then it is None."""
        self.log_before = len(self.stderr())
        try:
            self.weir = harness.Weir(self.directory, *self.flags, variables=self.disk.variables(
                loses=self.loses, seed=self.count % 4 and self.count))
        except AssertionError:
            assert self.disk.failed(), self.stderr()
            self.weir = None
        self.count += 1
        return self.weir

    def connect(self):
        return self.weir.connect()

    def kill(self):
        """As a crash ends it; what is on disk afterwards is what the next one starts with."""
        if self.weir is not None:
            self.weir.signal(signal.SIGKILL)
            assert self.weir.wait() in (-signal.SIGKILL, 1), self.stderr()  # 1: it could not start
            self.weir.process.stdout.close()
        self.disk.heal()
        if self.loses:
            self.disk.cut_power()

    def stop(self):
        self.weir.stop()
        if self.loses:
            self.disk.cut_power()

    def has_ended(self):
        return self.weir is None or self.weir.process.poll() is not None

    def finish(self):
        try:
            if not self.has_ended():
                self.weir.stop()
        finally:
            print(self.stderr()[-20000:])
        assert "Sanitizer" not in self.stderr()

    def complaints(self):
        """Since the last start. A crash is no cause for any."""
        return re.findall(".*level=(?:warn|error).*", self.stderr()[self.log_before:])

    def loaded_page(self):
        """None: it is not loaded yet, or has ended."""
        try:
            answer = self.weir.get("/metrics")
        except BROKEN:
            return None
        return answer.text if answer.status == 200 else None

    def page(self):
        return wait_for(self.loaded_page, "it has loaded what it has")

    def page_or_end(self):
        """None: it has ended instead, well or killed."""
        found = wait_for(lambda: [None] if self.has_ended() else self.loaded_page(), "it is loaded or ends")
        return None if found == [None] else found

    def stderr(self):
        path = self.directory / "stderr"
        return path.read_text(errors="replace") if path.exists() else ""


def make_weir(directory, *flags, loses=False):
    print(f"WEIR_SEED={SEED}")
    disk = Disk(directory / "weir" / "data", directory)
    return Crashing(directory / "weir", disk, "--web.enable-admin-api", "--group.ttl-max=2h", *flags,
                    loses=loses)


class Crashes:
    """Rounds: start, work, crash, start, compare."""

    def __init__(self, weir, rng, clients):
        self.weir, self.rng, self.disk = weir, rng, weir.disk
        self.clients = Clients(clients, rng.random())
        self.counts = dict.fromkeys(self.ways(), 0)

    def ways(self):
        return {"any time": self.any_time, "log": self.in_log, "sync": self.in_sync,
                "checkpoint": self.in_checkpoint, "load": self.in_load, "wipe": self.in_wipe,
                "end": self.in_the_end}

    def crash(self):
        way = self.rng.choice(list(self.ways()))
        self.counts[way] += 1
        self.ways()[way]()
        self.weir.start()
        self.clients.settle(self.weir.page())
        assert self.weir.complaints() == []

    # How it crashes.

    def work_until(self, condition, seconds):
        """With clients at work, at most so long."""
        self.clients.start(self.weir)
        end = time.monotonic() + seconds
        while time.monotonic() < end and not condition():
            time.sleep(0.001)
        self.weir.kill()
        self.clients.join()

    def any_time(self):
        self.work_until(lambda: False, self.rng.random() * 0.4)

    def at(self, kind, most, ending, seconds=1):
        self.disk.order(f"{kind} {self.rng.randint(1, most)} {10**9} {KILL} {ending}")
        self.work_until(self.weir.has_ended, seconds)

    def in_log(self):
        self.at("write", 1000, "weir.db-wal")

    def in_sync(self):
        self.at("fsync", 100, "weir.db-wal")

    def in_checkpoint(self):
        self.at(self.rng.choice(["write", "fsync"]), self.rng.choice([1, 2, 100]), "weir.db", 3)

    def in_load(self):
        """Again and again before it has all."""
        self.any_time()
        for _ in range(self.rng.randint(1, 3)):
            kind = self.rng.choice(["open", "write", "fsync", "unlink", "allocate"])
            self.disk.order(f"{kind} {self.rng.randint(1, 8)} {10**9} {KILL}")
            if self.weir.start():
                end = time.monotonic() + self.rng.random() * 0.1
                while time.monotonic() < end and not self.weir.has_ended():
                    time.sleep(0.001)
            self.weir.kill()

    def in_wipe(self):
        """All of it or nothing of it is gone."""
        self.clients.start(self.weir)
        time.sleep(self.rng.random() * 0.1)
        self.clients.stop()
        with self.weir.connect() as connection:
            connection.request("PUT", "/api/v1/admin/wipe")
            is_wiped = self.rng.random() < 0.5 and connection.response().status == 202
            self.weir.kill()
        self.weir.start()
        self.clients.settle_wiped(self.weir.page(), is_wiped)
        self.weir.kill()

    def in_the_end(self):
        """Ended well, but what that left unsynced is lost."""
        self.clients.start(self.weir)
        time.sleep(self.rng.random() * 0.2)
        self.weir.stop()
        self.clients.join()

    # What is said about it.

    def summary(self, name):
        return (f"{name}: rounds={sum(self.counts.values())} clients={len(self.clients.clients)}"
                f" pushes={self.clients.sum('tried')} acknowledged={self.clients.sum('acknowledged')}"
                f" lost={self.clients.lost} torn={self.clients.torn}")


def crash_often(weir, rounds, name):
    crashes = Crashes(weir, random.Random(SEED), CLIENTS)
    weir.start()
    for number in range(rounds):
        crashes.crash()
        if number % 10 == 9:
            print(crashes.summary(name), flush=True)
    weir.stop()
    weir.start()
    crashes.clients.settle(weir.page())
    print(crashes.summary(name), crashes.counts)
    assert crashes.clients.sum("refused") == 0, crashes.clients.reasons()
    crashes.clients.check()
