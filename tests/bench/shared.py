"""What replicas through Redis cost. Functions as in works.py, each one --only name.

Every weir that shares has a Redis of its own beside it, on the same machine: pushes, weir and
Redis take the cores from each other. In the column "weir" Redis keeps all in memory only.
"""

import contextlib
import random
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import bodies
from durable import clocked, is_ready, rotated
from harness import Connection
from load import BodyFiles, pipelined, wrk
from servers import LoggedRedisWeir, RedisWeir, SqliteWeir, StatelessWeir, ValkeyWeir, running
from works import NODE_GROUPS, fetch

KINDS = (RedisWeir, LoggedRedisWeir, ValkeyWeir, SqliteWeir, StatelessWeir)
SMALL_CONNECTIONS = (1, 16, 64, 256)
NODE_CONNECTIONS = (1, 16, 64)
SMALL_GROUPS = 1_000


@dataclass
class Round:
    """What one round of pushes to one server took. Of those without a Redis, less is known."""

    pushes: int
    seconds: float
    p50: float
    p99: float
    used: dict  # by what is in Usage

    @classmethod
    def of(cls, server, *arguments, **options):
        before = usage(server)
        result = wrk(server, *arguments, **options)
        after = usage(server)
        return cls(result["requests"], result["seconds"], result["p50"], result["p99"],
                   {name: after[name] - before[name] for name in before})

    def each(self, name, scale=1):
        """Of what was used, each push's share; None: it uses no such thing."""
        return self.used[name] * scale / self.pushes if name in self.used else None


def usage(server):
    """What a server has used up so far, by name."""
    used = {"cpu": server.cpu_seconds()}
    if not isinstance(server, RedisWeir):
        return used
    script = server.redis.info("commandstats").get("cmdstat_evalsha", "usec=0")
    return {
        **used,
        "commits": server.metric("weir_state_commit_duration_seconds_count"),
        "round trips": server.metric("weir_state_round_trips_total"),
        "commands": server.metric("weir_state_commands_total"),
        "redis cpu": server.redis.cpu_seconds(),
        "script": int(script.partition("usec=")[2].partition(",")[0]) / 1e6,
        "bytes": int(server.redis.info("stats")["total_net_input_bytes"]),
    }


# ---- Pushes ----

def shared(run, report):
    """Small pushes and pages of node_exporter, by 1 to 256 connections; what Redis needs."""
    push_each(run, report, f"3 series, {SMALL_GROUPS:,} groups", bodies.small(), SMALL_GROUPS,
              SMALL_CONNECTIONS)
    pages = run.node_pages()
    push_each(run, report, f"a node_exporter page ({len(pages[0]) / 1000:.0f} KB), "
              f"{NODE_GROUPS} groups", pages, NODE_GROUPS, NODE_CONNECTIONS)
    memory_of_redis(run, report)


def push_each(run, report, title, pushed, groups, each_connections):
    run.progress(f"shared: {title}: filling")
    with running(run.directory, KINDS, groups, pushed, "shared-") as servers, \
            BodyFiles(pushed) as files:
        if "weir" not in servers:
            return
        for connections in each_connections:
            rounds = {name: [] for name in servers}
            for number in range(run.short_rounds):
                for name in rotated(list(servers), number):
                    run.progress(f"shared: {title}, {connections} connections, "
                                 f"round {number + 1} of {run.short_rounds}, {name}")
                    rounds[name].append(Round.of(servers[name], files, groups, run.short_seconds,
                                                 connections))
            size = statistics.mean(len(body) for body in pushed)
            add_rows(report, f"{title}, {connections} connection{'s' * (connections > 1)}",
                     rounds, size)


def add_rows(report, title, rounds, body_bytes):
    def medians(value):
        values = {server: [value(one) for one in each] for server, each in rounds.items()}
        return {server: statistics.median(each)
                for server, each in values.items() if None not in each}

    def add(name, unit, value):
        report.add(name, unit, medians(value))

    rates = medians(lambda one: one.pushes / one.seconds)
    report.add(f"share, push {title}", "/s", rates)
    for other in ("sqlite", "no state"):
        report.add(f"  rate / that of {other}", "x",
                   {name: rate / rates[other] for name, rate in rates.items()
                    if name not in ("sqlite", "no state")})
    add("  p50", "us", lambda one: one.p50)
    add("  p99", "us", lambda one: one.p99)
    add("  CPU time a push", "cpu", lambda one: one.each("cpu", 1e6))
    add("  CPU time of Redis a push", "cpu", lambda one: one.each("redis cpu", 1e6))
    add("  the script a push, by Redis' own clock", "cpu", lambda one: one.each("script", 1e6))
    add("  pushes a commit", "n",
        lambda one: one.pushes / one.used["commits"] if one.used.get("commits") else None)
    add("  round trips a push", "x", lambda one: one.each("round trips"))
    add("  commands a push", "x", lambda one: one.each("commands"))
    add("  bytes to Redis / bytes pushed", "x", lambda one: one.each("bytes", 1 / body_bytes))


# ---- Memory ----

def memory_of_redis(run, report):
    """What 10,000 groups of 10 series take in Redis, pushed once and five times."""
    groups, pushed = 10_000, bodies.ten()
    for times in (1, 5):
        used, streams, resident = {}, {}, {}
        for kind in (RedisWeir, ValkeyWeir):
            with running(run.directory, (kind,), label=f"memory-{times}-") as servers:
                for name, server in servers.items():
                    run.progress(f"shared: memory of {name}, {times} times {groups:,} groups")
                    used[name], streams[name] = redis_bytes(server, groups, pushed, times)
                    resident[name] = server.redis.memory()
        if used:
            series = groups * bodies.series_of(pushed[0])
            each = "once" if times == 1 else f"{times} times each"
            report.add(f"{groups:,} groups of {series // groups} series, {each}: memory of Redis",
                       "B", used)
            report.add("  of that, the streams of changes", "B", streams)
            report.add("  a series, without the streams", "B",
                       {name: (used[name] - streams[name]) / series for name in used})
            report.add("  resident", "B", resident)


def redis_bytes(server, groups, pushed, times):
    """Bytes that Redis has more than before, and how many of them its streams have."""
    redis = server.redis
    before = int(redis.info("memory")["used_memory"])
    for turn in range(times):
        pipelined(server, groups, pushed[turn:] + pushed[:turn])
    server.stop_alone()  # what its connections take is no part of it
    after = int(redis.info("memory")["used_memory"])
    keys = redis.ask("KEYS", "*:changes").split()
    return after - before, sum(int(redis.ask("MEMORY", "USAGE", key, "SAMPLES", 0)) for key in keys)


# ---- How long until another one has it ----

PROBE = "lag_probe"
LAG_GROUPS = 100  # few, since the page is read again and again
LAG_CONNECTIONS = 64


@contextlib.contextmanager
def two(run, kind, label, *flags):
    """Two of them on one Redis."""
    first = kind(run.directory / f"{label}-first", *flags)
    second = kind(run.directory / f"{label}-second", *flags, beside=first)
    try:
        first.begin()
        second.begin()
        for server in (first, second):
            run.wait_for(lambda one=server: is_ready(one))
        yield first, second
    finally:
        second.stop()
        first.stop()


def shared_lag(run, report):
    """From the answer of a push to one of two weirs until the page of the other one shows it."""
    samples = 200 if run.is_quick else 500
    pushed = bodies.small()
    with two(run, RedisWeir, "lag") as (first, second), BodyFiles(pushed) as files:
        run.progress(f"shared-lag: quiet, {samples} samples")
        quiet = [lag(first, second, number) for number in range(samples)]
        run.progress("shared-lag: measuring the rate")
        rate = statistics.median(
            wrk(first, files, LAG_GROUPS, run.short_seconds, LAG_CONNECTIONS)["rate"]
            for _ in range(run.short_rounds))
        delay_ms = max(round(3 * 1000 * LAG_CONNECTIONS / rate), 1)
        busy, load = [], None
        run.progress("shared-lag: under load")
        with ThreadPoolExecutor(1) as pool:
            work = pool.submit(wrk, first, files, LAG_GROUPS, max(samples // 20, 10),
                               LAG_CONNECTIONS, delay_ms)
            while not work.done():
                busy.append(lag(first, second, samples + len(busy)))
            load = work.result()["rate"]
        scrape = statistics.median(clocked(second.page) for _ in range(20))
    add_lags(report, f"from a push to the page of another weir, quiet ({samples} times)", quiet)
    add_lags(report, f"  beside {load:,.0f} pushes/s, of {rate:,.0f} ({len(busy)} times)", busy)
    report.add("  of each, reading the page takes", "s", {"weir": scrape})


def lag(first, second, number):
    """Seconds; in the end the page that shows it has been read."""
    time.sleep(random.uniform(0, 0.06))  # lest it goes in step with anything
    body = f"{PROBE} {number}\n"
    line = f'{PROBE}{{instance="",job="lag"}} {number}\n'
    with Connection(("127.0.0.1", first.port)) as one, \
            Connection(("127.0.0.1", second.port)) as other:
        other.exchange("GET", "/-/healthy")
        status = one.exchange("PUT", "/metrics/job/lag", body).status
        began = time.monotonic()
        if status != 200:
            raise RuntimeError(f"a push was answered {status}")
        while line not in other.exchange("GET", "/metrics").text:
            if time.monotonic() > began + 30:
                raise RuntimeError("the other weir does not show a push")
        return time.monotonic() - began


def add_lags(report, title, seconds):
    report.add(f"{title}: p50", "us", {"weir": statistics.median(seconds) * 1e6})
    report.add("  p99", "us", {"weir": statistics.quantiles(seconds, n=100)[98] * 1e6})
    report.add("  slowest", "us", {"weir": max(seconds) * 1e6})


# ---- Starting with much that is shared ----

def shared_start(run, report):
    """A second weir on a Redis that has many groups: how long until it has them, too."""
    groups = 20_000 if run.is_quick else 100_000
    pushed = bodies.five()
    flags = (f"--limit.groups={2 * groups}", f"--limit.series={20 * groups}")
    first = RedisWeir(run.directory / "shared-start-first", *flags)
    second = RedisWeir(run.directory / "shared-start-second", *flags, beside=first)
    try:
        first.begin()
        run.wait_for(lambda: is_ready(first))
        run.progress(f"shared-start: pushing {groups:,} groups")
        took = clocked(lambda: pipelined(first, groups, pushed))
        report.add(f"share, {groups:,} groups of 5 series pushed, pipelined", "/s",
                   {"weir": groups / took})
        run.progress("shared-start: starting another weir")
        began, cpu = time.monotonic(), first.redis.cpu_seconds()
        second.begin()
        run.wait_for(lambda: is_ready(second), seconds=300)
        ready = time.monotonic() - began
        report.add(f"start beside it, with {groups:,} groups: ready", "s", {"weir": ready})
        report.add("  CPU time until then", "s", {"weir": second.cpu_seconds()})
        report.add("  CPU time of Redis until then", "s",
                   {"weir": first.redis.cpu_seconds() - cpu})
        report.add("  resident, at most until ready", "B", {"weir": second.memory("VmHWM")})
        report.add("  resident, when ready", "B", {"weir": second.memory()})
        report.add("  resident of the one before it", "B", {"weir": first.memory()})
        if pushed_lines(first) != pushed_lines(second):
            raise RuntimeError("the two weirs do not show the same")
    finally:
        second.stop()
        first.stop()


def pushed_lines(server):
    """What its page shows of what was pushed, sorted: groups are in each in their own order."""
    return sorted(line for line in fetch(server).splitlines() if b'job="bench"' in line)


WORKS = {"shared": shared, "shared-lag": shared_lag, "shared-start": shared_start}
