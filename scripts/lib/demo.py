#!/usr/bin/env python3
"""usage: scripts/demo [--short] [--keep]
       scripts/demo --stop DIRECTORY

Shows weir at work among its peers, on this machine and without containers.

  --short  a smaller ramp
  --keep   leave all of it running, and say where it is
  --stop   end what --keep left running in that directory, and remove it

Environment: WEIR_BINARY is the weir to show; TMPDIR is where the directory is made.
"""

import argparse
import contextlib
import http.client
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from demo_processes import Fault, Interrupted, Processes, note_signals, wait_for
from demo_servers import Servers

STEP = 10  # by which the ramp rises
TOLERANCE = 0.01


class Report:
    """Lines of progress as it goes, and the table at the end."""

    def __init__(self):
        self.began = time.monotonic()
        self.rows = []

    def say(self, text):
        print(f"{time.monotonic() - self.began:6.1f} s  {text}", flush=True)

    def add(self, what, expected, seen, is_good):
        self.rows.append((what, expected, seen, "ok" if is_good else "FAILED"))

    def is_good(self):
        return all(row[3] == "ok" for row in self.rows)

    def show(self):
        table = [("what", "expected", "seen", "result"), *self.rows]
        widths = [max(len(row[column]) for row in table) for column in range(4)]
        print()
        for row in table:
            print("  ".join(word.ljust(width) for word, width in zip(row, widths)).rstrip())


class Pusher:
    """One client that keeps its connection, and how long each of its pushes took."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.seconds = []

    def push(self, path, body):
        began = time.perf_counter()
        self.connection.request("PUT", path, body.encode())
        answer = self.connection.getresponse()
        text = answer.read().decode(errors="replace")
        self.seconds.append(time.perf_counter() - began)
        if answer.status != 200:
            raise Fault(f"weir answered {answer.status} to a push to {path}: {text.strip()}")

    def percentile(self, share):
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


class Demo:
    def __init__(self, servers, report, steps, groups):
        self.servers, self.report = servers, report
        self.steps, self.groups = steps, groups
        self.pusher = Pusher(servers.ports["weir"])

    def start(self):
        for name in Servers.ORDER:
            self.report.say(f"starting {name}")
            self.servers.start(name)

    def push_ramp(self, height):
        for number in range(self.groups):
            self.pusher.push(f"/metrics/job/demo/instance/{number}", f"# TYPE demo_ramp gauge\ndemo_ramp {height}\n")

    def wait_for_scrape(self):
        """The time of one that began after all that was pushed until now."""
        now = time.time()
        return wait_for(lambda: (self.servers.query("min(timestamp(demo_ramp))") or 0) > now and time.time(),
                        "Prometheus scrapes weir")

    def ramp(self):
        self.report.say(f"pushing a ramp of {self.steps} steps by {self.groups} jobs")
        scraped = []
        for step in range(1, self.steps + 1):
            self.push_ramp(step * STEP)
            scraped.append((self.wait_for_scrape(), step * STEP * self.groups))
        self.report.say("reading the ramp back from Prometheus")
        seen = [self.servers.query("sum(demo_ramp)", at) for at, _ in scraped]
        off = max(abs((value or 0) - wanted) / wanted for value, (_, wanted) in zip(seen, scraped))
        self.report.add("ramp, read back from Prometheus", f"within {TOLERANCE:.0%}",
                        f"{len(seen)} steps, off by {off:.2%} at most", off <= TOLERANCE)

    def alert(self):
        self.report.say("the ramp is at its top: waiting for the alert")
        self.wait_for_alert("firing")
        self.report.say("the ramp falls: waiting for the alert to be resolved")
        self.push_ramp(0)
        self.wait_for_alert("resolved")
        self.report.add("alert, at the webhook", "firing, resolved", ", ".join(self.alerts()),
                        self.alerts() == ["firing", "resolved"])

    def alerts(self):
        """What the sink got, each once: Alertmanager repeats itself."""
        received = json.loads(self.servers.get("sink", "/") or "[]")
        return list(dict.fromkeys(status for name, status in received if name == "DemoRampIsHigh"))

    def wait_for_alert(self, status):
        wait_for(lambda: status in self.alerts(), f"the webhook gets an alert that is {status}")

    def node(self):
        self.report.say("pushing a page of node_exporter")
        page = self.servers.get("node_exporter", "/metrics")
        if not page:
            raise Fault("node_exporter gives no page")
        series = sum(1 for line in page.splitlines() if line and not line.startswith("#"))
        self.pusher.push("/metrics/job/node/instance/demo", page)
        pushed = '{job="node",instance="demo",__name__!~"push_.*"}'
        seen = wait_for(lambda: self.servers.query(f"count({pushed})"), "Prometheus has the page of node_exporter")
        self.report.add("page of node_exporter", f"{series} series", f"{seen:.0f} series", seen == series)

    def stored(self):
        self.report.say("looking into Redis and PostgreSQL")
        wanted = self.groups + 1
        groups = sum(int(self.servers.ask_redis("ZCARD", f"weir:{{{part}}}:groups") or 0) for part in range(16))
        self.report.add("groups in Redis", str(wanted), str(groups), groups == wanted)
        targets = wait_for(self.targets_are_stored, "the targets are in PostgreSQL")
        self.report.add("targets in PostgreSQL", str(wanted), str(targets), targets == wanted)

    def targets_are_stored(self):
        """They get there a moment after the push."""
        count = int(self.servers.ask_postgres("SELECT count(*) FROM weir_target") or 0)
        return count if count >= self.groups + 1 else 0

    def pushes(self):
        spent = self.pusher.seconds
        self.report.add("pushes, one after the other", "all answered 200",
                        f"{len(spent)}, {len(spent) / sum(spent):.0f}/s, "
                        f"p50 {self.pusher.percentile(0.5):.1f} ms, p99 {self.pusher.percentile(0.99):.1f} ms", True)
        is_healthy = self.servers.get("weir", "/-/healthy") is not None
        self.report.add("weir, afterwards", "healthy", "healthy" if is_healthy else "does not answer", is_healthy)

    def run(self):
        self.start()
        self.ramp()
        self.alert()
        self.node()
        self.stored()
        self.pushes()


def options():
    parser = argparse.ArgumentParser(usage=__doc__.partition("\n\n")[0].removeprefix("usage: "),
                                     description=__doc__.partition("\n\n")[2],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--keep", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--stop", type=Path, metavar="DIRECTORY", help=argparse.SUPPRESS)
    return parser.parse_args()


def tell_where(servers):
    print("\nall of it runs on:")
    for name in Servers.ORDER:
        address = servers.url(name) if name not in ("PostgreSQL", "Redis") else f"127.0.0.1:{servers.ports[name]}"
        print(f"  {name:14} {address}")
    print(f"the password of PostgreSQL's user weir and of Redis is in {servers.directory / 'password'}")
    print(f"stop: scripts/demo --stop {servers.directory}")


def show(chosen):
    weir = Path(os.environ.get("WEIR_BINARY") or "").resolve()
    if not weir.is_file():
        raise Fault("WEIR_BINARY names no program; scripts/demo builds one when it is not set")
    steps, groups = (8, 20) if chosen.short else (40, 200)
    processes = Processes(Path(tempfile.mkdtemp(prefix="weir-demo-")))
    report = Report()
    with contextlib.ExitStack() as at_end:
        at_end.callback(processes.end)
        at_end.callback(report.say, "stopping all of it")
        servers = Servers(processes, weir, steps * STEP)
        Demo(servers, report, steps, groups).run()
        report.show()
        if chosen.keep:
            processes.write()
            tell_where(servers)
            at_end.pop_all()
    return 0 if report.is_good() else 1


def main():
    chosen = options()
    note_signals()
    try:
        if chosen.stop:
            Processes.read(chosen.stop.resolve()).end()
            return 0
        return show(chosen)
    except Interrupted as interrupted:
        print("demo: interrupted", file=sys.stderr)
        return 128 + interrupted.args[0]
    except (Fault, OSError, http.client.HTTPException) as fault:
        print(f"demo: {fault}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
