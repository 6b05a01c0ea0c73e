"""Weirs that share their groups through one Redis, and clients that know what must be in them.

Each client has groups of its own and sends one change after the other, each to any of the weirs.
Every push says its number in all that it brings. What was acknowledged is there in the end, in the
order of the changes; what was refused with 503, or not answered, may be.
"""

import collections
import random
import re
import signal
import threading
import time

import harness
from crashes import BROKEN
from harness import format_request, wait_for
from page import Page

FEW = 100  # lines of a difference that are worth to be seen
LINE = re.compile(r'^(\w+)\{group="(\w+)",instance="",job="(\w+)"(?:,n="\d+")?\} (\S+)$')
TIMES = ("push_time_seconds", "push_failure_time_seconds")


# ---- The weirs ------------------------------------------------------------------------------


class Replica:
    """One of them, which may be killed and started again in its directory."""

    def __init__(self, directory, *flags, variables=None):
        self.directory, self.flags, self.variables = directory, flags, variables
        self.weir = None

    def start(self, *more):
        """It listens, and has not necessarily loaded anything."""
        self.weir = harness.Weir(self.directory, "--web.enable-admin-api", *self.flags, *more,
                                 variables=self.variables)
        return self.weir

    def kill(self):
        self.weir.signal(signal.SIGKILL)
        assert self.weir.wait() == -signal.SIGKILL, self.stderr()
        self.weir.process.stdout.close()
        self.weir = None

    def stop(self):
        if self.weir is not None:
            weir, self.weir = self.weir, None
            weir.stop()

    def stop_behind(self):
        """It may have something that it cannot store, and says so then."""
        self.weir.signal()
        code = self.weir.wait()
        assert code in (0, 1), self.stderr()
        assert (code == 1) == ("what was pushed last could not be stored" in self.stderr())
        self.weir.process.stdout.close()
        self.weir = None

    def is_running(self):
        return self.weir is not None

    def stderr(self):
        path = self.directory / "stderr"
        return path.read_text(errors="replace") if path.exists() else ""

    def is_ready(self):
        return self.weir.get("/-/ready").status == 200

    def stores(self):
        """Whether it can; what it is tried with is gone afterwards."""
        answer = self.weir.put("/metrics/job/probe", "probe 1\n")
        return answer.status == 200 and self.weir.delete("/metrics/job/probe").status == 202

    def wait_until_ready(self):
        wait_for(lambda: self.is_ready() and self.stores(), "it has everything and can store")

    def wait_until_cut_off(self):
        """It knows that Redis is away, and refuses."""
        wait_for(lambda: self.weir.put("/metrics/job/probe", "probe 1\n").status == 503,
                 "it notices that Redis is away")

    def page(self):
        """Lines of what was pushed, and times of pushes; the page is whole and valid."""
        return frozenset(self.weir.scrape().pushed())

    def metrics(self, prefix):
        return [line for line in self.weir.get("/metrics").text.splitlines() if line.startswith(prefix)]

    def own(self, name, **labels):
        """A metric of its own."""
        return Page(self.weir.get("/metrics").text).value(name, **labels)


class Replicas:
    """They may be different in flags, and in the way they reach Redis."""

    def __init__(self, directory, url, count, *flags):
        self.directory, self.url, self.flags = directory, url, flags
        self.all = []
        try:
            for _ in range(count):
                self.add()
            self.wait_until_ready()
        except BaseException:
            self.__exit__()
            raise

    def add(self, *flags, url=None, variables=None):
        """One more; it is starting."""
        replica = Replica(self.directory / f"weir{len(self.all)}",
                          f"--state.url={url or self.url}", *self.flags, *flags, variables=variables)
        self.all.append(replica)
        replica.start()
        return replica

    def __iter__(self):
        return iter(self.all)

    def __getitem__(self, number):
        return self.all[number]

    def running(self):
        return [replica for replica in self.all if replica.is_running()]

    def wait_until_ready(self):
        for replica in self.running():
            replica.wait_until_ready()

    def settle(self, check=None, seconds=harness.DEADLINE):
        """Waits until all pages are equal, and as they must be: check(page, began) is told when it was
        asked for, and gives what is wrong with it, in words. Gives the page."""
        end = time.monotonic() + seconds
        while True:
            began = time.time()
            pages = [replica.page() for replica in self.running()]
            fault = difference(pages) or (check and check(pages[0], began))
            if not fault:
                return pages[0]
            if time.monotonic() >= end:
                for replica in self.running():
                    print(replica.directory.name, *replica.metrics("weir_state_"), sep="\n  ")
                raise AssertionError(f"after {seconds} s:\n{fault}")
            time.sleep(0.02)

    def put(self, number, *request):
        return self[number].weir.put(*request)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Each must have ended well."""
        faults = []
        for replica in self.all:
            try:
                replica.stop()
                assert "Sanitizer" not in replica.stderr(), "a sanitizer found something"
            except AssertionError as fault:
                faults.append(fault)
            print(f"---- {replica.directory.name}\n{replica.stderr()[-20000:]}")
        for fault in faults:
            raise fault


# Checks for settle().


def has(*wanted):
    """Those lines are on the page."""
    return lambda page, _: "".join(f"not there: {line}\n" for line in wanted if line not in page)


def is_empty(page, _):
    return "\n".join(page)


def difference(pages):
    """In words; empty when there is none."""
    words = []
    for number, page in enumerate(pages[1:], 1):
        for who, lines in ((0, pages[0] - page), (number, page - pages[0])):
            words += [f"only on replica {who} of (0, {number}): {line}" for line in sorted(lines)[:FEW]]
    return "\n".join(words)


def parse(page, series=1):
    """The groups of a page whose pushes say their numbers, in so many series of each family:
    (job, group) -> {family: number}."""
    found, counts = {}, collections.Counter()
    for line in page:
        if match := LINE.match(line):
            family, group, job, value = match.groups()
            content = found.setdefault((job, group), {})
            if family not in TIMES:
                number = int(value)
                assert content.setdefault(family, number) == number, f"torn: {line}"
                counts[job, group, family] += 1
    assert all(count == series for count in counts.values()), f"torn: {counts}"
    return found


# ---- Clients --------------------------------------------------------------------------------


class Group:
    """Its possible contents, each a frozenset of (family, number); None: there is no such group."""

    def __init__(self, name, families):
        self.name, self.families = name, families
        self.contents = {None}
        self.past = []  # for who has to find out what went wrong

    def change(self, rng):
        # Only POSTs make more possibilities of each.
        methods = ["PUT", "POST", "DELETE"] if len(self.contents) < 16 else ["PUT"]
        method = rng.choices(methods, [5, 4, 1][:len(methods)])[0]
        return method, rng.sample(self.families, rng.randint(1, len(self.families)))

    def apply(self, method, names, number, is_certain):
        brought = dict.fromkeys(names, number).items()
        after = {content_after(content, method, brought) for content in self.contents}
        self.contents = after if is_certain else self.contents | after
        self.past = self.past[-20:] + [(method, names, number, is_certain)]

    def check(self, found):
        """What is wrong, in words. What was found is known from now on."""
        content = None if found is None else frozenset(found.items())
        if content in self.contents:
            return ""
        return f"{self.name} is {found}, might be {self.contents} after {self.past}"

    def learn(self, found):
        self.contents = {None if found is None else frozenset(found.items())}


def content_after(content, method, brought):
    if method == "DELETE":
        return None
    kept = dict(content or ()) if method == "POST" else {}
    return frozenset({**kept, **dict(brought)}.items())


class Client:
    """Changes its groups, until it is told to stop."""

    def __init__(self, number, seed, groups, series):
        self.job, self.series = f"client{number}", series
        self.rng = random.Random(f"{seed} {number}")
        self.groups = [Group(f"g{i}", [f"f{j}" for j in range(4)]) for i in range(groups)]
        self.counts = {"acknowledged": 0, "refused": 0, "unanswered": 0}
        self.number = 0
        self.connections = {}
        self.fault = None

    def run(self, replicas, stopping, pause):
        try:
            while not stopping.wait(pause):
                self.change(self.rng.choice(replicas))
        except Exception as fault:  # told by Clients
            self.fault = fault
        finally:
            for connection in self.connections.values():
                connection.close()
            self.connections = {}

    def change(self, replica):
        group = self.rng.choice(self.groups)
        method, names = group.change(self.rng)
        self.number += 1
        body = None if method == "DELETE" else "".join(map(self.text, names))
        answer = self.exchange(replica, format_request(
            method, f"/metrics/job/{self.job}/group/{group.name}", body))
        group.apply(method, names, self.number, answer == "acknowledged")
        self.counts[answer] += 1

    def text(self, name):
        labels = [f'{{n="{number}"}}' for number in range(self.series)] if self.series > 1 else [""]
        return f"# TYPE {name} gauge\n" + "".join(f"{name}{each} {self.number}\n" for each in labels)

    def exchange(self, replica, request):
        try:
            if replica not in self.connections:
                self.connections[replica] = replica.weir.connect()
            self.connections[replica].send(request)
            answer = self.connections[replica].response()
        except BROKEN + (AttributeError,):  # it has no weir now
            connection = self.connections.pop(replica, None)
            if connection:
                connection.close()
            return "unanswered"
        assert answer.status in (200, 202, 503), answer.text
        return "refused" if answer.status == 503 else "acknowledged"


class Clients:
    """At work in the block; their faults are raised behind it."""

    def __init__(self, seed, count=4, groups=6, series=1):
        print(f"WEIR_SEED={seed}")
        self.series = series
        self.all = [Client(number, seed, groups, series) for number in range(count)]

    def at_work(self, replicas, pause=0.001):
        return Work(self.all, list(replicas), pause)

    def count(self, what):
        return sum(client.counts[what] for client in self.all)

    def counts(self):
        return {what: self.count(what) for what in self.all[0].counts}

    def acknowledge_more(self, count=50):
        """Waits until so many changes more were acknowledged."""
        before = self.count("acknowledged")
        wait_for(lambda: self.count("acknowledged") >= before + count, "changes are acknowledged")

    def refuse_more(self, count=20):
        before = self.count("refused")
        wait_for(lambda: self.count("refused") >= before + count, "changes are refused")

    def check(self, page, _=None):
        """What is wrong with a page, in words."""
        found = parse(page, self.series)
        faults = [(client.job, group.check(found.get((client.job, group.name))))
                  for client in self.all for group in client.groups]
        return "\n".join(f"{job}: {fault}" for job, fault in faults if fault)

    def settle(self, replicas):
        """All replicas show the same, and that is what must be there; and all of it is stored."""
        page = replicas.settle(self.check)
        for replica in replicas.running():
            wait_for(lambda r=replica: r.own("weir_state_waiting_changes") == 0, "all of it is stored")
        found = parse(page, self.series)
        for client in self.all:
            for group in client.groups:
                group.learn(found.get((client.job, group.name)))
        return page


class Work:
    def __init__(self, clients, replicas, pause):
        self.clients = clients
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=client.run, args=(replicas, self.stopping, pause))
                        for client in clients]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        for client in self.clients:
            if client.fault is not None:
                fault, client.fault = client.fault, None
                raise fault
