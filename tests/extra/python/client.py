"""The newest prometheus_client against the weir at the given address; any fault raises.

usage: client.py HOST:PORT
"""

import sys
import urllib.request

from prometheus_client import (CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Summary,
                               delete_from_gateway, generate_latest, push_to_gateway,
                               pushadd_to_gateway)
from prometheus_client.exposition import default_handler
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families

KEY = {"path": "/var/tmp", "empty": "", "zone": "Ünï ж", "a": "b c"}
OWN = ("weir_", "pushgateway_", "process_", "push_time_seconds", "push_failure_time_seconds")
OPENMETRICS = openmetrics.CONTENT_TYPE_LATEST


def registry(utf8=False):
    all_kinds = CollectorRegistry()
    counter = Counter("requests", 'Help "text" \\ and\nmore.', ["code"], registry=all_kinds)
    counter.labels("200").inc(3, exemplar={"trace_id": "abc"})
    counter.labels('a"b\\c\nd').inc(0.5)
    Gauge("temperature_celsius", "", unit="celsius", registry=all_kinds).set(-1.5)
    Summary("size_bytes", "Sizes.", registry=all_kinds).observe(7)
    histogram = Histogram("took_seconds", "Times.", registry=all_kinds)
    for n in range(20):
        histogram.observe(n, exemplar={"trace_id": str(n)})
    Info("build", "What.", registry=all_kinds).info({"version": "1.0"})
    Enum("state", "How.", states=["up", "down"], registry=all_kinds).state("down")
    if utf8:
        Counter("http.requests", "Dotted.", ["http.code"], registry=all_kinds).labels("200").inc(2)
    return all_kinds


def samples(families):
    found = {}
    for family in families:
        for sample in family.samples:
            if not sample.name.startswith(OWN):
                labels = {name: float(value) if name in ("le", "quantile") else value
                          for name, value in sample.labels.items() if value}
                key = sample.name, frozenset(labels.items())
                assert key not in found, f"twice: {key}"
                found[key] = float(sample.value)
    return found


def text_samples(page):
    return samples(text_string_to_metric_families(page))


def openmetrics_samples(page):
    return samples(openmetrics_parser.text_string_to_metric_families(page))


def with_labels(found, labels):
    further = {pair for pair in labels.items() if pair[1]}
    return {(name, key | further): value for (name, key), value in found.items()}


def page(address, accept):
    request = urllib.request.Request(f"http://{address}/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(request) as answer:
        return answer.read().decode()


def openmetrics_handler(all_kinds, escaping="underscores"):
    def handler(url, method, timeout, headers, data):
        body = openmetrics.generate_latest(all_kinds, escaping=escaping, version="1.0.0")
        return default_handler(url, method, timeout, [("Content-Type", OPENMETRICS)], body)
    return handler


def check_text(address, compression):
    all_kinds = registry()
    push_to_gateway(address, "j", all_kinds, KEY, compression=compression)
    pushadd_to_gateway(address, "j", all_kinds, KEY, compression=compression)
    have = text_samples(page(address, "text/plain;version=0.0.4"))
    want = with_labels(text_samples(generate_latest(all_kinds).decode()), {"job": "j", **KEY})
    assert have == want, sorted(have.items() ^ want.items(), key=str)[:5]
    delete_from_gateway(address, "j", KEY)


def check_openmetrics(address):
    all_kinds = registry()
    push_to_gateway(address, "j", all_kinds, KEY, handler=openmetrics_handler(all_kinds))
    exposed = page(address, "application/openmetrics-text;version=1.0.0")
    own = openmetrics.generate_latest(all_kinds, version="1.0.0").decode()
    have = openmetrics_samples(exposed)
    want = with_labels(openmetrics_samples(own), {"job": "j", **KEY})
    assert have == want, sorted(have.items() ^ want.items(), key=str)[:5]
    assert exposed.count(" # {") == own.count(" # {"), "exemplars"
    delete_from_gateway(address, "j", KEY)


def check_utf8(address):
    all_kinds = registry(utf8=True)
    handler = openmetrics_handler(all_kinds, "allow-utf-8")
    push_to_gateway(address, "j", all_kinds, handler=handler)
    accept = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8"
    have = openmetrics_samples(page(address, accept))
    own = openmetrics.generate_latest(all_kinds, escaping="allow-utf-8", version="1.0.0").decode()
    want = with_labels(openmetrics_samples(own), {"job": "j"})
    assert have == want, sorted(have.items() ^ want.items(), key=str)[:5]
    # Of the other schemes it has its own idea: it escapes names that need it not, too.
    escaped = page(address, "application/openmetrics-text;version=1.0.0;escaping=underscores")
    own = openmetrics.generate_latest(all_kinds, escaping="underscores", version="1.0.0").decode()
    have, want = openmetrics_samples(escaped), with_labels(openmetrics_samples(own), {"job": "j"})
    assert have == want, sorted(have.items() ^ want.items(), key=str)[:5]
    text = page(address, "text/plain;version=1.0.0;escaping=allow-utf-8")
    assert ("http.requests_total", frozenset({("http.code", "200"), ("job", "j")})) in text_samples(
        text)
    delete_from_gateway(address, "j")


def main():
    address = sys.argv[1]
    for compression in (None, "gzip", "snappy"):
        check_text(address, compression)
    check_openmetrics(address)
    check_utf8(address)


main()
