"""What the formats beside text cost: pushes of protobuf, pages of OpenMetrics and protobuf.

Functions as in works.py, each one --only name.
"""

import statistics

import bodies
import protobuf as messages
from load import BodyFiles, curl_scrape, wrk
from servers import Pushgateway, UncheckedPushgateway, Weir, running
from works import NODE_GROUPS, PAGE_GROUPS, best

PEERS = (Weir, Pushgateway, UncheckedPushgateway)
SMALL_GROUPS = 1_000
PAGES = {
    "text": "text/plain; version=0.0.4",
    "openmetrics": "application/openmetrics-text; version=1.0.0",
    "protobuf": messages.CONTENT_TYPE,
}


def protobuf(run, report):
    """Pushes of delimited protobuf, as clients of Go and Java send it; to weir as text, too."""
    pages = run.node_pages()
    size = len(pages[0]) / 1000
    push_each(run, report, f"3 series, {SMALL_GROUPS:,} groups", bodies.small(), SMALL_GROUPS)
    push_each(run, report, f"a node_exporter page ({size:.0f} KB as text)", pages, NODE_GROUPS)


def push_each(run, report, title, texts, groups):
    coded = [bodies.as_protobuf(text) for text in texts]
    rates, as_text = {}, None
    with running(run.directory, PEERS, groups, texts, "protobuf-") as servers, \
            BodyFiles(coded) as files, BodyFiles(texts) as text_files:
        for number in range(run.rounds):
            for name, server in servers.items():
                run.progress(f"protobuf: {title}, round {number + 1} of {run.rounds}, {name}")
                result = wrk(server, files, groups, run.seconds, headers=messages.HEADERS)
                rates[name] = best(rates.get(name), result["rate"])
            as_text = best(as_text, wrk(servers["weir"], text_files, groups, run.seconds)["rate"])
    report.add(f"push {title}, as protobuf ({len(coded[0]):,} B)", "/s", rates)
    report.add("  the same as text", "/s", {"weir": as_text})
    report.add("  protobuf / text", "x", {"weir": rates["weir"] / as_text})


def formats(run, report):
    """GET /metrics by curl as each format in turn, of one store, plain and compressed."""
    with running(run.directory, (Weir, Pushgateway), PAGE_GROUPS, run.node_pages(),
                 "formats-") as servers:
        for compressed in (False, True):
            scrape_each(run, report, servers, compressed)


def scrape_each(run, report, servers, compressed):
    coding = "with gzip" if compressed else "plain"
    times = {form: {name: [] for name in servers} for form in PAGES}
    sizes = {}
    for number in range(2 + run.rounds * 2):
        for name, server in servers.items():
            if name != "weir" and number > run.rounds:
                continue
            for form, accept in PAGES.items():
                run.progress(f"formats: {coding}, {number + 1}, {form}, {name}")
                seconds, size = curl_scrape(server, compressed, accept)
                times[form][name].append(seconds)
                if name == "weir":
                    sizes[form] = size
    medians = {form: {name: statistics.median(each) for name, each in rows.items()}
               for form, rows in times.items()}
    medians["openmetrics"] = {"weir": medians["openmetrics"]["weir"]}  # Pushgateway has none
    for form in PAGES:
        title = f"scrape of {PAGE_GROUPS} pages, {form}, {coding} ({sizes[form] / 1e6:.1f} MB)"
        report.add(f"{title}, median", "s", medians[form])
        if form != "text":
            report.add(f"  {form} / text", "x",
                       {name: value / medians["text"][name]
                        for name, value in medians[form].items()})


WORKS = {work.__name__: work for work in (protobuf, formats)}
