"""What it costs that a 200 means stored. Functions as in works.py, each one --only name.

A weir as it comes, one that answers before it stores, and one without a state
take turns in short rounds, each time another one first. What disks do varies:
rates are medians, not the best.
"""

import contextlib
import statistics
import threading
import time
from dataclasses import dataclass

import bodies
from disk import Disk
from harness import Connection
from load import BodyFiles, curl_scrape, pipelined, wrk
from servers import AcknowledgingWeir, DurableWeir, StatelessWeir, running
from works import NODE_GROUPS

KINDS = (DurableWeir, AcknowledgingWeir, StatelessWeir)
CONNECTIONS = (1, 16, 64, 256)
SMALL_GROUPS = 1_000
PROBES = 30  # of the disk in each round


@dataclass
class Counters:
    """What a weir has used up."""

    commits: float
    written: int
    cpu: float

    @classmethod
    def of(cls, server):
        return cls(server.metric("weir_state_commit_duration_seconds_count") or 0, server.written(),
                   server.cpu_seconds())


@dataclass
class Round:
    """One round of pushes to one server."""

    pushes: int
    seconds: float
    p50: float
    p99: float
    commits: float
    written: int
    cpu: float

    @classmethod
    def of(cls, server, *arguments, **options):
        before = Counters.of(server)
        result = wrk(server, *arguments, **options)
        after = Counters.of(server)
        return cls(result["requests"], result["seconds"], result["p50"], result["p99"],
                   after.commits - before.commits, after.written - before.written,
                   after.cpu - before.cpu)


def durable(run, report):
    """Small pushes and pages of node_exporter, by 1 to 256 connections."""
    push_each(run, report, f"3 series, {SMALL_GROUPS:,} groups", bodies.small(), SMALL_GROUPS)
    pages = run.node_pages()
    push_each(run, report, f"a node_exporter page ({len(pages[0]) / 1000:.0f} KB), "
              f"{NODE_GROUPS} groups", pages, NODE_GROUPS)


def push_each(run, report, title, pushed, groups):
    run.progress(f"durable: {title}: filling")
    with running(run.directory, KINDS, groups, pushed, "durable-") as servers, \
            BodyFiles(pushed) as files:
        for connections in CONNECTIONS:
            rounds = {name: [] for name in servers}
            probes = {"append": [], "overwrite": []}
            for number in range(run.short_rounds):
                for name in rotated(list(servers), number):
                    run.progress(f"durable: {title}, {connections} connections, "
                                 f"round {number + 1} of {run.short_rounds}, {name}")
                    rounds[name].append(Round.of(servers[name], files, groups, run.short_seconds,
                                                 connections))
                probe(servers["weir"].directory, rounds["weir"][-1], probes)
            size = statistics.mean(len(body) for body in pushed)
            add_rows(report, f"{title}, {connections} connection{'s' * (connections > 1)}",
                     rounds, size)
            add_probes(report, rounds["weir"], probes)


def rotated(names, turn):
    turn %= len(names)
    return names[turn:] + names[:turn]


def probe(directory, last, probes):
    size = commit_bytes([last])
    if size:
        disk = Disk(directory)
        probes["append"] += disk.append(size, PROBES)
        probes["overwrite"] += disk.overwrite(size, PROBES)


def commit_bytes(rounds):
    """That reach the disk for each commit, in the middle."""
    each = [one.written / one.commits for one in rounds if one.commits]
    return int(statistics.median(each)) if each else 0


def add_rows(report, title, rounds, body_bytes):
    def add(name, unit, value):
        values = {server: [value(one) for one in each] for server, each in rounds.items()}
        report.add(name, unit, {server: statistics.median(each)
                                for server, each in values.items() if None not in each})

    add(f"push {title}", "/s", lambda one: one.pushes / one.seconds)
    add("  p50", "us", lambda one: one.p50)
    add("  p99", "us", lambda one: one.p99)
    add("  commits a second", "n", lambda one: one.commits / one.seconds or None)
    add("  pushes a commit", "n", lambda one: one.commits and one.pushes / one.commits or None)
    add("  bytes to disk / bytes pushed", "x",
        lambda one: one.written / (one.pushes * body_bytes) or None)
    add("  CPU time a push", "cpu", lambda one: one.cpu / one.pushes * 1e6)


def add_probes(report, rounds, probes):
    if probes["append"]:
        size = commit_bytes(rounds)
        report.add(f"  the disk: to append {size:,} B, a commit's, and fdatasync", "us",
                   {"weir": statistics.median(probes["append"])})
        report.add("  the disk: the same over what is there", "us",
                   {"weir": statistics.median(probes["overwrite"])})


# ---- What is stored stays in proportion ----

@contextlib.contextmanager
def sampled(work):
    """Keeps what work() returns, ten times a second, until the block ends."""
    values, done = [work()], threading.Event()

    def run():
        while not done.wait(0.1):
            values.append(work())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield values
    finally:
        done.set()
        thread.join()
        values.append(work())


def state_bounds(run, report):
    """Memory and disk while the same groups are pushed again and again."""
    times = 100 if run.is_quick else 1_000
    bound_one(run, report, "3 series", bodies.small(), 1_000, times)
    bound_one(run, report, "a node_exporter page", run.node_pages(), 200, times // 10)


def bound_one(run, report, title, pushed, groups, times):
    resident, stored, at_most = {}, {}, {}
    with running(run.directory, (DurableWeir, StatelessWeir), groups, pushed,
                 "bounds-") as servers, BodyFiles(pushed) as files:
        for name, server in servers.items():
            with sampled(server.memory) as memory, \
                    sampled(getattr(server, "database_bytes", int)) as disk:
                push_times(run, server, files, groups, times)
            resident[name], at_most[name] = memory[-1], max(memory)
            stored[name] = disk
    live = groups * statistics.mean(len(body) for body in pushed)
    report.add(f"{groups:,} groups of {title}, {times:,} pushes each: bodies that are live", "B",
               {"weir": live})
    report.add("  resident, at the end", "B", resident)
    report.add("  resident, at most", "B", at_most)
    report.add("  database with its log, at the end", "B", {"weir": stored["weir"][-1]})
    report.add("  database with its log, at most", "B", {"weir": max(stored["weir"])})
    for part, name in ((2, "half-way"), (4, "after a quarter")):
        report.add(f"  {name}", "B", {"weir": stored["weir"][len(stored["weir"]) // part]})


def push_times(run, server, files, groups, times):
    pushes = 0
    while pushes < groups * times:
        run.progress(f"state-bounds: {server.name}, {pushes:,} of {groups * times:,} pushes")
        pushes += wrk(server, files, groups, run.seconds, 64)["requests"]


# ---- Starting with much that is stored ----

def state_start(run, report):
    """A million groups of five series: how long a start takes, after a clean end and after none."""
    groups = 100_000 if run.is_quick else 1_000_000
    pushed = bodies.five()
    limits = (f"--limit.groups={2 * groups}", f"--limit.series={20 * groups}")
    server = AcknowledgingWeir(run.directory / "start-weir", *limits)
    try:
        run.progress(f"state-start: pushing {groups:,} groups")
        server.begin()
        took = clocked(lambda: pipelined(server, groups, pushed))
        report.add(f"{groups:,} groups of 5 series pushed, answered before stored", "/s",
                   {"weir": groups / took})
        report.add("  the end, all of it stored", "s", {"weir": clocked(server.stop)})
        report.add("  database with its log", "B", {"weir": server.database_bytes()})

        server = DurableWeir(server.directory, *limits)
        start_again(run, report, server, groups, "after a clean end")
        with BodyFiles(pushed) as files:
            run.progress("state-start: pushing again, and killing it meanwhile")
            end = threading.Timer(run.seconds, server.kill)
            end.start()
            wrk(server, files, 10_000, run.seconds + 1, 64)
            end.join()
        start_again(run, report, server, groups, "after kill -9 while pushed")
    finally:
        server.stop()


def start_again(run, report, server, groups, how):
    run.progress(f"state-start: starting {how}")
    began = time.monotonic()
    server.begin()
    listening = time.monotonic() - began
    run.wait_for(lambda: is_ready(server), seconds=300)
    ready = time.monotonic() - began
    cpu = server.cpu_seconds()
    peak, resident = server.memory("VmHWM"), server.memory()
    scrape, size = curl_scrape(server)
    first = time.monotonic() - began
    kept = server.metric("weir_groups")
    if kept != groups:
        raise RuntimeError(f"of {groups} groups {kept} are there {how}")
    report.add(f"start with {groups:,} groups {how}: ready", "s", {"weir": ready})
    report.add("  CPU time until then", "s", {"weir": cpu})
    report.add("  listening", "s", {"weir": listening})
    report.add(f"  first scrape done ({size / 1e6:,.0f} MB in {scrape:.2f} s)", "s", {"weir": first})
    report.add("  resident, at most until ready", "B", {"weir": peak})
    report.add("  resident, when ready", "B", {"weir": resident})
    report.add("  resident a series", "B", {"weir": resident / (groups * 5)})


def is_ready(server):
    with Connection(("127.0.0.1", server.port)) as connection:
        return connection.exchange("GET", "/-/ready").status == 200


def clocked(work):
    began = time.monotonic()
    work()
    return time.monotonic() - began


WORKS = {"durable": durable, "state-bounds": state_bounds, "state-start": state_start}
