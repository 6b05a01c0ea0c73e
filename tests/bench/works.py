"""What is measured. Each function is one --only name, and adds rows to the report.

Servers are up together and take turns in short rounds, the best of which
counts: on a busy machine a round in a row says little. Idle servers cost
nothing but memory.
"""

import gzip
import statistics
import time
import urllib.request
from pathlib import Path

import bodies
from load import BodyFiles, curl_push, curl_scrape, repeated, scraping, wrk
from servers import Nginx, Pushgateway, UncheckedPushgateway, Weir, running
from slow import SlowClients

ALL = (Weir, Pushgateway, UncheckedPushgateway, Nginx)
STORES = (Weir, Pushgateway)
SIZES = (1, 100, 1_000, 10_000)
NODE_GROUPS = 500
PAGE_GROUPS = 600  # of 500 series each, roughly


def best(old, new):
    return new if old is None else max(old, new)


def push_rates(run, label, kinds, groups, pushed, report):
    """Best rate of every kind of server, over several rounds in turn."""
    rates = {}
    with running(run.directory, kinds, groups, pushed, label) as servers, \
            BodyFiles(pushed) as files:
        for number in range(run.rounds):
            for name, server in servers.items():
                run.progress(f"{label}: round {number + 1} of {run.rounds}, {name}")
                result = wrk(server, files, groups, run.seconds)
                rates[name] = best(rates.get(name), result["rate"])
    report.add(label, "/s", rates)


def small(run, report):
    """Pushes of 3 series over 1 to 10,000 groups. All servers of all sizes take turns."""
    pushed = bodies.small()
    rates = {size: {} for size in SIZES}
    with BodyFiles(pushed) as files:
        with run.stack() as stack:
            servers = {}
            for size in SIZES:
                run.progress(f"small: filling {size} groups")
                kinds = ALL if size == SIZES[0] else ALL[:-1]
                servers[size] = stack.enter_context(
                    running(run.directory, kinds, size, pushed, f"small-{size}-"))
                if "nginx" in servers[SIZES[0]]:
                    servers[size].setdefault("nginx", servers[SIZES[0]]["nginx"])
            for number in range(run.rounds):
                for size in SIZES:
                    for name, server in servers[size].items():
                        run.progress(f"small: round {number + 1} of {run.rounds}, "
                                     f"{size} groups, {name}")
                        rate = wrk(server, files, size, run.seconds)["rate"]
                        rates[size][name] = best(rates[size].get(name), rate)
    for size in SIZES:
        report.add(f"push 3 series, {size:,} group{'s' * (size > 1)}", "/s", rates[size])
    report.add("  rate at 10,000 groups / rate at 1", "x",
               {name: rates[SIZES[-1]][name] / rate for name, rate in rates[1].items()
                if name != "nginx"})


def node(run, report):
    """A real page of node_exporter over 500 groups."""
    pushed = run.node_pages()
    size = len(pushed[0]) / 1000
    push_rates(run, f"push a node_exporter page ({size:.0f} KB, "
               f"{bodies.series_of(pushed[0])} series)", ALL, NODE_GROUPS, pushed, report)


def fetch(server):
    with urllib.request.urlopen(server.url + "/metrics", timeout=120) as answer:
        return answer.read()


def time_scrapes(run, label, pushed, report):
    with running(run.directory, (*STORES, Nginx), PAGE_GROUPS, pushed, "scrape-") as servers:
        page = fetch(servers["weir"])
        if "nginx" in servers:
            servers["nginx"].serve(page, gzip.compress(page, 1))
        series = f"{bodies.series_of(page) // 1000},000"
        for compressed in (False, True):
            times = {name: [] for name in servers}
            for number in range(2 + run.rounds * 2):
                for name, server in servers.items():
                    run.progress(f"scrape {label}: {'gzip' if compressed else 'plain'}, "
                                 f"{number + 1}, {name}")
                    if name == "pushgateway" and number > 2 + run.rounds:
                        continue
                    times[name].append(curl_scrape(server, compressed)[0])
            coding = " with gzip" if compressed else f" ({len(page) / 1e6:.0f} MB)"
            title = f"scrape {series} series {label}{coding}"
            report.add(f"{title}, median", "s",
                       {name: statistics.median(each) for name, each in times.items()})
            report.add(f"{title}, best", "s", {name: min(each) for name, each in times.items()})


def scrape(run, report):
    """GET /metrics by curl, plain and compressed; nginx sends the same page as a file."""
    time_scrapes(run, "of node_exporter", run.node_pages(), report)


def blocks(run, report):
    """The same with one series in every family of every group."""
    time_scrapes(run, "one by one", bodies.one_series_families(), report)


def memory(run, report):
    """Resident bytes a series after three rounds of pushes under a scrape loop.

    After: three seconds later, when what the last scrape held on to has been given back. What it
    was at most meanwhile stands in the row below.
    """
    pushed = run.node_pages()
    now, peak = {}, {}
    with running(run.directory, (Weir, UncheckedPushgateway), PAGE_GROUPS, pushed,
                 "memory-") as servers:
        for name, server in servers.items():
            with repeated(lambda turn, server=server: curl_scrape(server, turn % 2 == 1)) as seen:
                for number in range(3):
                    run.progress(f"memory: round {number + 1} of 3, {name}")
                    server.fill(PAGE_GROUPS, pushed[number % len(pushed):] + pushed[:1])
                    wanted = len(seen) + 1
                    run.wait_for(lambda wanted=wanted, seen=seen: len(seen) >= wanted)
            time.sleep(3)
            series = bodies.series_of(fetch(server))
            now[name] = server.memory() / series
            peak[name] = server.memory("VmHWM") / series
    report.add("resident bytes a series, after", "B", now)
    report.add("resident bytes a series, at most", "B", peak)


def latency(run, report):
    """1 KB pushes, quiet and while the 300,000-series page is scraped in a loop.

    With nginx sending that page instead, the rest is what the machine's cores are short of:
    wrk, curl and the server are three.
    """
    pushed = run.node_pages()
    with running(run.directory, (Weir, UncheckedPushgateway, Nginx), PAGE_GROUPS, pushed,
                 "latency-") as servers, BodyFiles(bodies.one_kilobyte()) as files:
        nginx = servers.get("nginx")
        stores = {name: server for name, server in servers.items() if server is not nginx}
        if nginx:
            nginx.serve(fetch(servers["weir"]), b"")
        for load, delay_ms in (("32 connections without pause", 0),
                               ("32 connections, 1,600/s in all", 20)):
            quiet, busy, beside = {}, {}, {}
            for name, server in stores.items():
                for number in range(run.rounds):
                    run.progress(f"latency: {load}, round {number + 1} of {run.rounds}, {name}")
                    args = (server, files, 100, run.seconds, 32, delay_ms,
                            "/metrics/job/kilobyte/instance/")
                    best_of(quiet, name, wrk(*args))
                    with scraping(server):
                        best_of(busy, name, wrk(*args))
                    if nginx and name == "weir":
                        with scraping(nginx):
                            best_of(beside, name, wrk(*args))
            title = f"p99 of a 1 KB push, {load}"
            report.add(f"{title}, quiet", "us", p99(quiet))
            report.add("  page scraped in a loop", "us", p99(busy))
            report.add("  scraped / quiet", "x",
                       {name: busy[name]["p99"] / quiet[name]["p99"] for name in quiet})
            report.add("  nginx sends that page in a loop", "us", p99(beside))


def best_of(results, name, result, key="p99"):
    if name not in results or result[key] < results[name][key]:
        results[name] = result


def p99(results):
    return {name: result["p99"] for name, result in results.items()}


def stall(run, report):
    """Small pushes, timed while a 22 MB body, or a line of 10,000 labels, is pushed in a loop."""
    large = bodies.large()
    disturbances = (
        ("nothing else", None, "/metrics/job/none"),
        (f"a body of {len(large[0]) / 1e6:.0f} MB", large, "/metrics/job/large"),
        ("a line of 10,000 labels", [bodies.wide()], "/metrics/job/wide"),
    )
    with running(run.directory, (Weir, UncheckedPushgateway), 100, bodies.small(),
                 "stall-") as servers, BodyFiles(bodies.small()) as files:
        for title, pushed, group in disturbances:
            slowest, p999, took = {}, {}, {}
            for name, server in servers.items():
                run.progress(f"stall: {title}, {name}")
                arguments = server, files, 100, max(run.seconds * 2, 4), 4, 2
                if pushed is None:
                    result = wrk(*arguments)
                else:
                    with BodyFiles(pushed) as paths, repeated(
                            lambda turn, s=server, p=paths, g=group:
                            curl_push(s, g, p[turn % len(p)])) as times:
                        result = wrk(*arguments)
                    if any(code not in (200, 202) for _, code in times):
                        raise RuntimeError(f"{name} refused {title}")
                    took[name] = statistics.median(seconds for seconds, _ in times)
                slowest[name], p999[name] = result["max"], result["p999"]
            report.add(f"small pushes beside {title}: slowest", "us", slowest)
            report.add("  p99.9", "us", p999)
            if took:
                report.add("  the push beside them takes", "s", took)


def slow(run, report):
    """1,000 idle connections, and 200 that drip a byte a second until they are answered 408."""
    pushed = run.node_pages()
    rates, p99s, scrapes, answered = {}, {}, {}, 0
    with running(run.directory, (Weir,), PAGE_GROUPS, pushed, "slow-") as servers, \
            BodyFiles(bodies.small()) as files:
        server = servers["weir"]

        def measure(name):
            for number in range(run.rounds):
                run.progress(f"slow clients: {name}, round {number + 1} of {run.rounds}")
                result = wrk(server, files, 100, run.seconds, 16, 0, "/metrics/job/s/instance/")
                rates[name] = best(rates.get(name), result["rate"])
                p99s[name] = min(p99s.get(name, result["p99"]), result["p99"])
                times = [curl_scrape(server)[0] for _ in range(5)]
                scrapes[name] = min(scrapes.get(name, 1e9), statistics.median(times))

        measure("quiet")
        with SlowClients(server.port, idle=1000, dripping=200) as clients:
            measure("slow")
            run.progress("slow clients: waiting for the first 408")
            run.wait_for(lambda: clients.timed_out >= 200, seconds=60)
            answered = clients.timed_out
    suffix = f"with 1,000 idle and 200 dripping ({answered} of these got their 408)"
    report.add("3-series pushes, 100 groups, quiet", "/s", {"weir": rates["quiet"]})
    report.add(f"  {suffix}", "/s", {"weir": rates["slow"]})
    report.add("p99 of these, quiet", "us", {"weir": p99s["quiet"]})
    report.add("  with the slow clients", "us", {"weir": p99s["slow"]})
    report.add("scrape of 300,000 series, quiet", "s", {"weir": scrapes["quiet"]})
    report.add("  with the slow clients", "s", {"weir": scrapes["slow"]})


WORKS = {work.__name__: work
         for work in (small, node, scrape, blocks, memory, latency, stall, slow)}


def remove_files(directory):
    """State files of servers that have ended; some are large."""
    for name in ("*/state", "*/data/weir.db*", "*/redis/appendonlydir/*"):
        for path in Path(directory).glob(name):
            path.unlink()
