"""Native histograms come as protobuf, and only protobuf gives them back whole."""

import json

import pytest

import exposition
import protobuf
from exposition import fetch
from protobuf import HEADERS, body, family, in_group

# Upstream's own histogram: counts in floats, negative ones too.
FLOAT = """\
name: "histogram_metric" type: HISTOGRAM metric { histogram { sample_count_float: 20
  sample_sum: 99.23 schema: 1 negative_span { offset: 0 length: 2 }
  negative_span { offset: 0 length: 2 } negative_count: 2 negative_count: 2 negative_count: -2
  negative_count: 0 positive_span { offset: 0 length: 2 } positive_span { offset: 0 length: 2 }
  positive_count: 2 positive_count: 2 positive_count: -2 positive_count: 0 } }
"""
INTEGER = """\
name: "histogram_metric" type: HISTOGRAM metric { histogram { sample_count: 20 sample_sum: 99.23
  schema: 1 negative_span { offset: 0 length: 2 } negative_span { offset: 0 length: 2 }
  negative_delta: 0 negative_delta: 2 negative_delta: -2 negative_delta: 0
  positive_span { offset: 0 length: 2 } positive_span { offset: 0 length: 2 }
  positive_delta: 0 positive_delta: 2 positive_delta: -2 positive_delta: 0 } }
"""
FORMS = {
    "float": FLOAT,
    "integer": INTEGER,
    "with a zero bucket": """
        name: "h" type: HISTOGRAM metric { histogram { sample_count: 7 sample_sum: 1.5 schema: -4
          zero_threshold: 2.938735877055719e-39 zero_count: 3
          positive_span { offset: -5 length: 1 } positive_delta: 4 } }""",
    "of nothing but zeros": """
        name: "h" type: HISTOGRAM metric { histogram { sample_count: 0 sample_sum: 0 schema: 3
          zero_threshold: 0.001 zero_count: 0 positive_span { offset: 0 length: 0 } } }""",
    "with exemplars": """
        name: "h" type: HISTOGRAM metric { histogram { sample_count: 1 sample_sum: 1 schema: 8
          zero_threshold: 0 positive_span { offset: 0 length: 1 } positive_delta: 1
          exemplars { label { name: "trace_id" value: "a" } value: 1
            timestamp { seconds: 1520879607 nanos: 1 } }
          exemplars { label { name: "trace_id" value: "b" } value: 1.5 } } }""",
    "created": """
        name: "h" type: HISTOGRAM metric { histogram { sample_count: 1 sample_sum: 1 schema: 0
          zero_threshold: 0.001 zero_count: 1
          created_timestamp { seconds: 1520872607 nanos: 500000000 } } }""",
    "with classic buckets, too": """
        name: "h" type: HISTOGRAM metric { histogram { sample_count: 3 sample_sum: 4.5
          bucket { cumulative_count: 1 upper_bound: 1 }
          bucket { cumulative_count: 3 upper_bound: inf } schema: 2 zero_threshold: 0.5
          zero_count: 1 positive_span { offset: 1 length: 2 } positive_delta: 1
          positive_delta: 0 } }""",
    "several": """
        name: "h" type: HISTOGRAM
        metric { label { name: "a" value: "1" } histogram { sample_count: 1 sample_sum: 1
          schema: 0 zero_threshold: 0.001 zero_count: 1 } }
        metric { label { name: "a" value: "2" } histogram { sample_count: 2 sample_sum: 2
          bucket { cumulative_count: 2 upper_bound: inf } } }
        metric { label { name: "a" value: "3" } histogram { sample_count_float: 3.5
          sample_sum: 3 schema: 1 zero_threshold: 0.001 zero_count_float: 3.5 } }""",
    "of gauges": """
        name: "h" type: GAUGE_HISTOGRAM metric { histogram { sample_count: 1 sample_sum: 1
          schema: 0 zero_threshold: 0.001 zero_count: 1 } }""",
    "of a wide range": """
        name: "h" type: HISTOGRAM metric { histogram { sample_count: 3 sample_sum: 1 schema: 8
          zero_threshold: 0 negative_span { offset: -262144 length: 1 } negative_delta: 1
          positive_span { offset: 0 length: 1 } positive_span { offset: 262000 length: 1 }
          positive_delta: 1 positive_delta: 0 } }""",
}


def text_of(one):
    return str(protobuf.sorted_metrics(one))


@pytest.fixture(autouse=True)
def emptied(shared_weir):
    shared_weir.request("PUT", "/api/v1/admin/wipe")


@pytest.mark.parametrize("name", FORMS)
def test_round_trip(shared_weir, name):
    pushed = family(FORMS[name])
    answer = shared_weir.put("/metrics/job/j", body(pushed), HEADERS)
    assert answer.status == 200, answer.text
    [exposed] = exposition.protobuf_families(fetch(shared_weir, "protobuf")).values()
    assert text_of(exposed) == text_of(in_group(pushed, job="j"))
    again = shared_weir.put("/metrics/job/j", body(exposed), HEADERS)
    assert again.status == 200, "weir reads what it wrote"
    [second] = exposition.protobuf_families(fetch(shared_weir, "protobuf")).values()
    assert str(second) == str(exposed)


@pytest.mark.smoke
def test_upstream_h10(shared_weir):
    """Three families as Pushgateway's own test pushes them."""
    families = ['name: "some_metric" type: UNTYPED metric { untyped { value: 1.234 } }',
                'name: "another_metric" type: UNTYPED metric { untyped { value: 3.14 } }', FLOAT]
    answer = shared_weir.post("/metrics/job/testjob/instance/testinstance", body(*families),
                              HEADERS)
    assert answer.status == 200
    page = shared_weir.scrape()
    key = {"job": "testjob", "instance": "testinstance"}
    assert page.value("some_metric", **key) == 1.234
    assert page.value("another_metric", **key) == 3.14
    exposed = exposition.protobuf_families(fetch(shared_weir, "protobuf"))
    assert text_of(exposed["histogram_metric"]) == text_of(in_group(family(FLOAT), **key))


def test_lines_show_the_classic_part(shared_weir):
    shared_weir.put("/metrics/job/j", body(INTEGER), HEADERS)
    page = shared_weir.scrape()
    assert page.families["histogram_metric"].type == "histogram"
    assert page.value("histogram_metric_bucket", job="j", le="+Inf") == 20
    assert page.value("histogram_metric_sum", job="j") == 99.23
    assert page.value("histogram_metric_count", job="j") == 20
    exposition.openmetrics_samples(fetch(shared_weir, "openmetrics"))


def test_other_values_of_the_same_layout(shared_weir):
    """Pushed again and again, as a client does."""
    for count in (1, 2, 300):
        text = (f'name: "h" type: HISTOGRAM metric {{ histogram {{ sample_count: {count} '
                f"sample_sum: {count} schema: 0 zero_threshold: 0.001 zero_count: {count} }} }}")
        shared_weir.post("/metrics/job/j", body(text), HEADERS)
        [one] = exposition.protobuf_families(fetch(shared_weir, "protobuf")).values()
        assert text_of(one) == text_of(in_group(family(text), job="j"))


def test_classic_push_replaces_a_native_one(shared_weir):
    shared_weir.post("/metrics/job/j", body(INTEGER), HEADERS)
    shared_weir.post("/metrics/job/j", "# TYPE histogram_metric histogram\n"
                     'histogram_metric_bucket{le="1"} 1\nhistogram_metric_count 1\n')
    [one] = exposition.protobuf_families(fetch(shared_weir, "protobuf")).values()
    [metric] = one.metric
    assert metric.histogram.sample_count == 1
    assert not metric.histogram.positive_span and not metric.histogram.HasField("schema")


# By the rules of /api/v1/metrics: [kind of bounds, lower, upper, count].
JSON = {
    INTEGER: [[1, "-1.414213562373095", "-1", "2"], [0, "1", "1.414213562373095", "2"]],
    FLOAT: [[1, "-2", "-1.414213562373095", "-2"], [1, "-1.414213562373095", "-1", "2"],
            [1, "-1", "-0.7071067811865475", "2"], [0, "0.7071067811865475", "1", "2"],
            [0, "1", "1.414213562373095", "2"], [0, "1.414213562373095", "2", "-2"]],
}


@pytest.mark.parametrize("text", JSON, ids=["integer", "float"])
def test_buckets_in_json(shared_weir, text):
    shared_weir.put("/metrics/job/j", body(text), HEADERS)
    [group] = json.loads(shared_weir.get("/api/v1/metrics").body)["data"]
    [metric] = group["histogram_metric"]["metrics"]
    assert (metric["count"], metric["sum"]) == ("20", "99.23")
    assert metric["buckets"] == JSON[text]
