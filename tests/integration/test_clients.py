"""Client libraries as they are: python3-prometheus-client."""

import time

import pytest
from prometheus_client import (CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Summary,
                               delete_from_gateway, push_to_gateway, pushadd_to_gateway)

from harness import wait_for


@pytest.fixture
def registry():
    return CollectorRegistry()


def gateway(weir):
    return weir.url.removeprefix("http://")


@pytest.mark.smoke
def test_push_add_delete(weir, registry):
    key = {"instance": "db1"}
    Gauge("last_success", "When it last worked.", registry=registry).set(42)
    push_to_gateway(gateway(weir), job="backup", registry=registry, grouping_key=key)
    assert weir.scrape().value("last_success", job="backup", instance="db1") == 42

    other = CollectorRegistry()
    Counter("runs", "How often it ran.", registry=other).inc(3)
    pushadd_to_gateway(gateway(weir), job="backup", registry=other, grouping_key=key)
    page = weir.scrape()
    assert page.value("last_success", job="backup", instance="db1") == 42
    assert page.value("runs_total", job="backup", instance="db1") == 3
    assert page.families["runs_total"].help == "How often it ran."

    push_to_gateway(gateway(weir), job="backup", registry=other, grouping_key=key)
    assert weir.scrape().value("last_success", job="backup", instance="db1") is None

    delete_from_gateway(gateway(weir), job="backup", grouping_key=key)
    wait_for(lambda: not weir.scrape().groups(), "the group goes")


def test_every_kind_of_metric(weir, registry):
    Counter("c", "C.", ["a"], registry=registry).labels('x"\\\n').inc()
    Gauge("g", "G.", registry=registry).set(float("inf"))
    Summary("s", "S.", registry=registry).observe(2)
    histogram = Histogram("h", "H.", registry=registry)
    for value in (0.1, 1, 10):
        histogram.observe(value)
    Info("i", "I.", registry=registry).info({"version": "1"})
    Enum("e", "E.", states=["on", "off"], registry=registry).state("on")
    push_to_gateway(gateway(weir), job="kinds", registry=registry)
    page = weir.scrape()
    assert page.value("c_total", job="kinds", a='x"\\\n') == 1
    assert page.value("g", job="kinds") == float("inf")
    assert page.value("s_count", job="kinds") == 1
    assert page.value("h_count", job="kinds") == 3
    assert page.value("h_bucket", job="kinds", le="1.0") is None
    assert page.value("h_bucket", job="kinds", le="1") == 2
    assert page.value("i_info", job="kinds", version="1") == 1
    assert page.value("e", job="kinds", e="on") == 1
    created = page.value("c_created", job="kinds", a='x"\\\n')
    assert created == pytest.approx(time.time(), abs=60)


@pytest.mark.parametrize("value", ["a/b", "", "Ünïcödé", "100%", "+", "a?b#c"])
def test_odd_grouping_values(weir, registry, value):
    Gauge("g", "G.", registry=registry).set(1)
    push_to_gateway(gateway(weir), job="j", registry=registry, grouping_key={"path": value})
    assert weir.scrape().value("g", job="j", path=value) == 1
    delete_from_gateway(gateway(weir), job="j", grouping_key={"path": value})
    wait_for(lambda: not weir.scrape().groups(), "the group goes")


def test_blank_in_a_grouping_value(weir, registry):
    """This client writes a blank as a plus, and a plus in a path is a plus."""
    Gauge("g", "G.", registry=registry).set(1)
    push_to_gateway(gateway(weir), job="j", registry=registry, grouping_key={"path": "a b"})
    assert weir.scrape().value("g", job="j", path="a+b") == 1


def test_refused_push_raises(weir, registry):
    weir.put("/metrics/job/other", "# TYPE g counter\ng 1\n")
    Gauge("g", "G.", registry=registry).set(1)
    with pytest.raises(OSError, match="400"):
        push_to_gateway(gateway(weir), job="j", registry=registry)
