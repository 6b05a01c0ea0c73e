"""python3-prometheus-client: what its registries hold is what weir's pages say."""

import gzip
import math
import time

import prometheus_client
import pytest
from prometheus_client import (CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Summary,
                               delete_from_gateway, push_to_gateway, pushadd_to_gateway)
from prometheus_client import openmetrics
from prometheus_client.exposition import default_handler
from prometheus_client.metrics_core import GaugeHistogramMetricFamily

import exposition
import peers
from exposition import OPENMETRICS, difference, fetch, openmetrics_families
from harness import wait_for

KEYS = [
    {}, {"instance": "db1"}, {"path": "/var/tmp"}, {"instance": "", "zone": "north"},
    {"city": "Ünïcödé ☃ 東京"}, {"a": "x/y", "b": "", "c": "ж"}, {"q": 'say "no" \\ 1'},
]


class GaugeHistogram:
    """A collector, since the library has no metric of this type."""

    def collect(self):
        yield GaugeHistogramMetricFamily("queue_age_seconds", "Ages.", gsum_value=12.5, buckets=[
            ("0.5", 3.0), ("1.0", 5.0), ("+Inf", 6.0)])


@pytest.fixture
def registry():
    """Every kind of metric, with odd texts and numbers."""
    kinds = CollectorRegistry()
    counter = Counter("requests", 'Help with "quotes", \\ and\nlines.', ["code", "way"],
                      registry=kinds)
    counter.labels("200", 'a"b\\c\nd').inc(3)
    counter.labels("500", "ü/ж").inc(0.1, exemplar={"trace_id": "abc"})
    gauge = Gauge("temperature_celsius", "", ["place"], registry=kinds)
    for number, value in enumerate((1e-7, -0.0, math.inf, -math.inf, math.nan, 1e21, 123456789.0)):
        gauge.labels(f"place{number}").set(value)
    summary = Summary("size_bytes", "Sizes.", ["kind"], registry=kinds)
    summary.labels("large").observe(7.25)
    summary.labels("none")
    histogram = Histogram("took_seconds", "Times.", ["step"], registry=kinds,
                          buckets=(0.001, 0.5, 1, 2.5, 10, 1e6))
    histogram.labels("read").observe(0.7, exemplar={"trace_id": "x" * 16, "span_id": "ü"})
    histogram.labels("read").observe(3e6)
    histogram.labels("write")
    Info("build", "What it is.", registry=kinds).info({"version": "1.0", "commit": "a b"})
    Enum("state", "How it is.", ["unit"], states=["up", "down"], registry=kinds
         ).labels("fan").state("down")
    return kinds


def gateway(weir):
    return weir.url.removeprefix("http://")


def compressing_handler(url, method, timeout, headers, data):
    """What a client does whose library cannot compress: version 0.16 has no such option."""
    coded = [*headers, ("Content-Encoding", "gzip")]
    return default_handler(url, method, timeout, coded, gzip.compress(data))


def openmetrics_handler(registry):
    """Pushes the registry as OpenMetrics, for which the library has a page but no push."""
    def handler(url, method, timeout, headers, data):
        page = openmetrics.exposition.generate_latest(registry)
        return default_handler(url, method, timeout, [("Content-Type", OPENMETRICS)], page)
    return handler


def with_grouping(samples, job, key):
    """Samples as they are exposed when they were pushed to that group."""
    grouping = [(name, value) for name, value in {**key, "job": job}.items() if value]
    return {(name, labels | frozenset(grouping)): value
            for (name, labels), value in samples.items()}


def own_page(registry, job="j", key=None):
    """What the library's own text page says of the registry, in that group."""
    page = prometheus_client.generate_latest(registry)
    return with_grouping(exposition.text_samples(page), job, key or {})


def own_openmetrics_page(registry, job="j", key=None):
    page = openmetrics.exposition.generate_latest(registry)
    return with_grouping(exposition.openmetrics_samples(page), job, key or {})


def described(page):
    """Type, help and unit of the pushed families of an OpenMetrics page."""
    return {family.name: (family.type, family.documentation, family.unit)
            for family in openmetrics_families(page)
            if exposition.is_pushed(family.name)}


@pytest.mark.smoke
@pytest.mark.parametrize("handler", [default_handler, compressing_handler])
def test_text_push_is_exposed_as_the_library_exposes_it(weir, registry, handler):
    push_to_gateway(gateway(weir), job="j", registry=registry, handler=handler)
    want = own_page(registry)
    assert difference(exposition.text_samples(fetch(weir, "text")), want) == ""
    assert difference(exposition.protobuf_samples(fetch(weir, "protobuf")), want) == ""
    assert difference(exposition.openmetrics_lines(fetch(weir, "openmetrics")), want) == ""


@pytest.mark.smoke
def test_openmetrics_push_is_exposed_as_the_library_exposes_it(weir, registry):
    registry.register(GaugeHistogram())
    push_to_gateway(gateway(weir), job="j", registry=registry,
                    handler=openmetrics_handler(registry))
    page = fetch(weir, "openmetrics")
    assert difference(exposition.openmetrics_samples(page), own_openmetrics_page(registry)) == ""
    own = openmetrics.exposition.generate_latest(registry)
    assert described(page) == described(own)


def test_exemplars_of_an_openmetrics_push(weir, registry):
    push_to_gateway(gateway(weir), job="j", registry=registry,
                    handler=openmetrics_handler(registry))

    def exemplars(page):
        return sorted((sample.name, sorted(sample.exemplar.labels.items()), sample.exemplar.value,
                       float(sample.exemplar.timestamp))
                      for family in openmetrics_families(page) for sample in family.samples
                      if sample.exemplar)

    want = exemplars(openmetrics.exposition.generate_latest(registry))
    assert len(want) == 2
    assert exemplars(fetch(weir, "openmetrics")) == want


def test_created_of_an_openmetrics_push_is_no_series_of_the_text_page(weir, registry):
    before = time.time()
    Counter("begun", "B.", registry=registry).inc()
    push_to_gateway(gateway(weir), job="j", registry=registry,
                    handler=openmetrics_handler(registry))
    samples = exposition.openmetrics_samples(fetch(weir, "openmetrics"))
    [created] = [value for (name, _), value in samples.items() if name == "begun_created"]
    assert before - 60 < created < time.time() + 60
    assert not any(name.endswith("_created")
                   for name, _ in exposition.text_samples(fetch(weir, "text")))


@pytest.mark.parametrize("form", ["text", "openmetrics"])
@pytest.mark.parametrize("key", KEYS, ids=str)
def test_grouping_keys(shared_weir, key, form):
    registry = CollectorRegistry()
    Gauge("g", "G.", ["l"], registry=registry).labels("v").set(1)
    options = {} if form == "text" else {"handler": openmetrics_handler(registry)}
    target = gateway(shared_weir)
    expected = {name: value.replace(" ", "+") if "/" not in value else value
                for name, value in key.items()}  # this version writes a blank as a plus
    push_to_gateway(target, job="keys", registry=registry, grouping_key=key, **options)
    want = with_grouping({("g", frozenset({("l", "v")})): 1.0}, "keys", expected)
    assert difference(exposition.text_samples(fetch(shared_weir, "text")), want) == ""
    page = fetch(shared_weir, "openmetrics")
    assert difference(exposition.openmetrics_samples(page), want) == ""
    delete_from_gateway(target, job="keys", grouping_key=key)
    wait_for(lambda: not shared_weir.scrape().groups(), "the group goes")


def test_pushadd_replaces_by_name_across_formats(weir):
    """The counter is one family, whatever it is pushed as."""
    first, second = CollectorRegistry(), CollectorRegistry()
    Counter("c", "C.", registry=first).inc(1)
    Gauge("g", "G.", registry=first).set(1)
    Counter("c", "C.", registry=second).inc(5)
    target = gateway(weir)
    pushadd_to_gateway(target, job="j", registry=first)
    pushadd_to_gateway(target, job="j", registry=second, handler=openmetrics_handler(second))
    page = weir.scrape()
    assert (page.value("c_total", job="j"), page.value("g", job="j")) == (5, 1)
    pushadd_to_gateway(target, job="j", registry=first)
    assert weir.scrape().value("c_total", job="j") == 1


def test_same_counter_from_two_formats_in_two_groups(weir):
    registry = CollectorRegistry()
    Counter("c", "C.", registry=registry).inc(1)
    push_to_gateway(gateway(weir), job="text", registry=registry)
    push_to_gateway(gateway(weir), job="open", registry=registry,
                    handler=openmetrics_handler(registry))
    page = weir.scrape()
    assert page.value("c_total", job="text") == page.value("c_total", job="open") == 1
    assert page.families["c_total"].type == "counter"
    lines = fetch(weir, "openmetrics").decode().split("\n")
    assert "# TYPE c counter" in lines


def test_page_of_every_kind_is_accepted_by_promtool(weir, registry):
    push_to_gateway(gateway(weir), job="j", registry=registry)
    push_to_gateway(gateway(weir), job="k", registry=registry,
                    handler=openmetrics_handler(registry))
    is_fatal, remarks = peers.promtool(fetch(weir, "text").decode())
    assert not is_fatal, remarks
