"""What it costs that targets are kept in a PostgreSQL, and that it is away. As works.py.

The PostgreSQL is one of the bench's own, on the same machine. 10,000 targets push every three
seconds, at a pace that heeds nobody, while it is there, stopped, there again, frozen and there
again.
"""

import array
import contextlib
import signal
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import bodies
from harness import wait_for
from load import BodyFiles, pipelined, wrk
from postgres_servers import PostgresServer
from servers import DurableWeir, StatelessWeir

TARGETS = 10_000
EACH_SECONDS = 3  # from one push of a target to its next
QUIET = "before"
STOPPED = "stopped"
FROZEN = "frozen"
OUTAGES = (STOPPED, FROZEN)
ASKED_SECONDS = 0.25  # between two questions whether the tables agree
COUNTERS = ("weir_targets_store_batches_total", "weir_targets_store_statements_total")


@contextlib.contextmanager
def kept(run, kind, label, *flags):
    """A weir with all targets, in a PostgreSQL that knows them."""
    with PostgresServer() as postgres:
        weir = kind(run.directory / f"targets-{label}", f"--targets.url={postgres.url}", *flags)
        try:
            weir.begin()
            run.wait_for(lambda: weir.metric("weir_targets_store_up") == 1)
            pipelined(weir, TARGETS, bodies.small())
            run.wait_for(lambda: postgres.ask("SELECT count(*) FROM weir_target_seen")
                         == str(TARGETS))
            yield weir, postgres
        finally:
            weir.stop()


# ---- Pushes at a pace ----

class Pushing:
    """paced.py at work; afterwards `pushes` has when each was due, and what its answer took."""

    def __init__(self, weir):
        self.path = weir.directory / "pushes"
        self.rate = TARGETS / EACH_SECONDS
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("paced.py")), str(weir.port),
             str(TARGETS), str(self.rate), str(self.path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.began = float(self.process.stdout.readline())
        self.pushes = []

    def end(self):
        self.process.stdin.close()
        if self.process.wait(120) != 0:
            raise RuntimeError("the pushes ended early")
        values = array.array("d", self.path.read_bytes())
        self.pushes = list(zip(values[::2], values[1::2]))
        refused = sum(took < 0 for _, took in self.pushes)
        if refused:
            raise RuntimeError(f"{refused} pushes were not answered 200")

    def due_by(self, when):
        """How many pushes."""
        return int((when - self.began) * self.rate)

    def between(self, begin, end):
        return [took for due, took in self.pushes if begin <= due < end]


def has_all(postgres, pushes, since):
    """Whether the tables have so many of the pushes since a time, each target its share, and when
    the last of them came. Counts are those of the targets' first push and what followed."""
    share = f"(({pushes} - t.instance::int + {TARGETS - 1}) / {TARGETS})"
    return postgres.ask(
        f"SELECT count(*) FROM weir_target t JOIN weir_target_seen s ON s.target_id = t.id "
        f"WHERE s.pushes >= 1 + {share} AND s.last_push >= to_timestamp({since}) "
        f"+ make_interval(secs => (({share} - 1) * {TARGETS} + t.instance::int) "
        f"* {EACH_SECONDS} / {TARGETS}.0)") == str(TARGETS)


# ---- What goes on in between ----

class Watched:
    """How many statements of weir PostgreSQL carries out at a time, looked at again and again."""

    TEXT = ("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' "
            "AND application_name = 'weir' \\watch 0.05\n")

    def __init__(self, postgres):
        self.process = subprocess.Popen(["psql", "-XqAt", postgres.url], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.most = 0
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        self.process.stdin.write(self.TEXT)
        self.process.stdin.flush()

    def _read(self):
        for line in self.process.stdout:
            self.most = max(self.most, int(line)) if line.strip().isdigit() else self.most

    def end(self):
        self.process.kill()
        self.process.wait()
        self.thread.join()
        return self.most


def rows_written(postgres):
    text = postgres.ask("SELECT sum(n_tup_ins + n_tup_upd) FROM pg_stat_user_tables "
                        "WHERE relname LIKE 'weir_target%'")
    return int(text or 0)


@dataclass
class Phase:
    begin: float
    end: float
    used: dict  # what was used up in it, by the second


def counters(weir, postgres):
    """PostgreSQL says with a delay of some hundred milliseconds what was written."""
    used = {name: weir.metric(name) for name in COUNTERS}
    used["cpu"] = weir.cpu_seconds()
    used["rows"] = rows_written(postgres) if postgres else 0
    return used


def phase(run, name, weir, postgres, seconds):
    run.progress(f"targets: {weir.name}, {name}, {seconds} s")
    before, begin = counters(weir, postgres), time.monotonic()
    time.sleep(seconds)
    end, after = time.monotonic(), counters(weir, postgres)
    return Phase(begin, end, {key: (after[key] - before[key]) / (end - begin) for key in before})


# ---- Outages ----

@contextlib.contextmanager
def away(postgres, kind):
    """When the block ends it is there again."""
    if kind == FROZEN:
        with postgres.frozen():
            yield
        return
    postgres.stop(signal.SIGINT)
    yield
    postgres.start()


class Story:
    """What one weir goes through; phases by their names."""

    def __init__(self, run, weir, postgres):
        self.run, self.weir, self.postgres = run, weir, postgres
        self.phases, self.until_agreed = {}, {}
        self.most_at_once = 0
        self.wall = time.time() - time.monotonic()
        self.pushing = Pushing(weir)

    def tell(self, seconds):
        self.there(QUIET, seconds)
        for kind in OUTAGES:
            with away(self.postgres, kind):
                # A frozen one is noticed only when it has not answered for ten seconds.
                self.phases[kind] = phase(self.run, kind, self.weir, None, max(seconds, 15))
            self.return_of(kind)
            self.there(f"after {kind}", seconds)
            self.phases[f"all from {kind} on"] = Phase(
                self.phases[kind].begin, self.phases[f"after {kind}"].end, {})
        self.run.progress(f"targets: {self.weir.name}, the end")
        ended = time.monotonic()
        self.pushing.end()
        self.wait_for_all(len(self.pushing.pushes))
        self.until_agreed["the end"] = time.monotonic() - ended

    def there(self, name, seconds):
        watched = Watched(self.postgres)
        self.phases[name] = phase(self.run, name, self.weir, self.postgres, seconds)
        self.most_at_once = max(self.most_at_once, watched.end())

    def return_of(self, kind):
        returned = time.monotonic()
        self.wait_for_all(self.pushing.due_by(returned))
        agreed = time.monotonic()
        self.until_agreed[kind] = agreed - returned
        self.phases[f"return, {kind}"] = Phase(returned, agreed, {})

    def wait_for_all(self, pushes):
        """Asked for now and then only: that costs PostgreSQL more than what weir writes."""
        since = self.wall + self.pushing.began - 0.001
        deadline = time.monotonic() + 120
        while not has_all(self.postgres, pushes, since):
            if time.monotonic() > deadline:
                raise RuntimeError("the tables do not agree")
            time.sleep(ASKED_SECONDS)

    def latencies(self, name):
        one = self.phases[name]
        return percentiles(self.pushing.between(one.begin, one.end))


def percentiles(seconds):
    cuts = statistics.quantiles(seconds, n=1000) if len(seconds) > 1 else [0] * 999
    return {"p50": cuts[499], "p99": cuts[989], "p99.9": cuts[998], "slowest": max(seconds, default=0)}


def targets(run, report):
    """Pushes of 10,000 targets beside a PostgreSQL that comes and goes."""
    seconds = 5 if run.is_quick else 20
    stories = {}
    for kind in (DurableWeir, StatelessWeir):
        with kept(run, kind, kind.name.replace(" ", "-")) as (weir, postgres):
            story = stories[kind.name] = Story(run, weir, postgres)
            story.tell(seconds)
    add_story(report, stories)
    unpaced(run, report)


def add_story(report, stories):
    def add(name, unit, value):
        report.add(name, unit, {peer: value(story) for peer, story in stories.items()})

    title = f"{TARGETS:,} targets, each every {EACH_SECONDS} s"
    for name in next(iter(stories.values())).phases:
        for share in ("p50", "p99", "p99.9", "slowest"):
            label = f"{title}, {name}: {share}" if share == "p50" else f"  {share}"
            add(label, "us", lambda story: story.latencies(name)[share] * 1e6)
        if name != QUIET:
            add(f"  p99 / p99 {QUIET}", "x", lambda story: (
                story.latencies(name)["p99"] / story.latencies(QUIET)["p99"]))
        if name == QUIET or name.startswith("after"):
            add("  batches a second", "n", lambda story: story.phases[name].used[COUNTERS[0]])
            add("  statements a second", "n", lambda story: story.phases[name].used[COUNTERS[1]])
            add("  rows written a second", "n", lambda story: story.phases[name].used["rows"])
        if not name.startswith(("return", "all")):
            add("  of one core", "x", lambda story: story.phases[name].used["cpu"])
    add("most statements of weir at a time", "n", lambda story: story.most_at_once)
    for kind in stories["weir"].until_agreed:
        add(f"from its return until the tables agree, {kind}" if kind in OUTAGES
            else "from the last push until the tables agree", "s",
            lambda story: story.until_agreed[kind])


# ---- As fast as it goes ----

def unpaced(run, report):
    """wrk over all targets, with targets in a PostgreSQL, in one that is stopped, and in memory."""
    rates = {}
    with BodyFiles(bodies.small()[:1]) as files:
        with kept(run, StatelessWeir, "unpaced") as (weir, postgres):
            rates["there"] = best_rate(run, weir, files)
            postgres.stop()
            rates["stopped"] = best_rate(run, weir, files)
        plain = StatelessWeir(run.directory / "targets-none", "--targets.url=none")
        try:
            plain.begin()
            pipelined(plain, TARGETS, bodies.small())
            rates["none"] = best_rate(run, plain, files)
        finally:
            plain.stop()
    for name, text in (("there", "PostgreSQL"), ("stopped", "PostgreSQL, stopped"),
                       ("none", "--targets.url=none")):
        report.add(f"{TARGETS:,} targets, unpaced, no state, {text}", "/s", {"weir": rates[name]})


def best_rate(run, weir, files):
    return max(wrk(weir, files, TARGETS, run.short_seconds)["rate"] for _ in range(run.short_rounds))


WORKS = {"targets": targets}
