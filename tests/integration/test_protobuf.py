"""Delimited protobuf, in and out, by Debian's python3-protobuf."""

import gzip

import pytest

import exposition
import peers
import protobuf
from exposition import fetch
from page import Page
from protobuf import HEADERS, body, family, framed, in_group, raw, sorted_metrics

GROUP = "/metrics/job/j"

# Families as they come back, but for the labels of the group.
FAMILIES = {
    "counter": 'name: "c_total" help: "C." type: COUNTER metric { counter { value: 3 } }',
    "counter with an exemplar and its creation": """
        name: "c_total" type: COUNTER metric { label { name: "a" value: "b" } counter { value: 3
          exemplar { label { name: "trace_id" value: "abc" } label { name: "z" value: "\\"\\n" }
                     value: 0.5 timestamp { seconds: 1520879607 nanos: 789000000 } }
          created_timestamp { seconds: 1520872607 nanos: 123456789 } } }""",
    "counter without _total": 'name: "c" type: COUNTER metric { counter { value: 0.25 } }',
    "counter with an exemplar without labels":
        'name: "c_total" type: COUNTER metric { counter { value: 1 exemplar { value: 2 } } }',
    "gauge": 'name: "g" type: GAUGE metric { gauge { value: -1e-07 } }',
    "gauges of odd values": """
        name: "g" type: GAUGE
        metric { label { name: "v" value: "inf" } gauge { value: inf } }
        metric { label { name: "v" value: "nan" } gauge { value: nan } }
        metric { label { name: "v" value: "-inf" } gauge { value: -inf } }
        metric { label { name: "v" value: "min" } gauge { value: 5e-324 } }
        metric { label { name: "v" value: "max" } gauge { value: 1.7976931348623157e+308 } }
        metric { label { name: "v" value: "third" } gauge { value: 0.3333333333333333 } }
        metric { label { name: "v" value: "zero" } gauge { value: 0 } }""",
    "untyped": 'name: "u" help: "Two\\nlines \\\\ \\"q\\"." type: UNTYPED '
               "metric { untyped { value: 7 } }",
    "unit": 'name: "took_seconds" type: GAUGE metric { gauge { value: 1 } } unit: "seconds"',
    "summary": """
        name: "s" type: SUMMARY metric { label { name: "a" value: "ü" } summary { sample_count: 9
          sample_sum: 4.5 quantile { quantile: 0.5 value: 0.25 } quantile { quantile: 1 value: 2 }
          created_timestamp { seconds: 1520872607 } } }""",
    "summary without quantiles":
        'name: "s" type: SUMMARY metric { summary { sample_count: 0 sample_sum: 0 } }',
    "summary of a large count":
        'name: "s" type: SUMMARY metric { summary { sample_count: 18446744073709551615 '
        "sample_sum: 1 } }",
    "summary whose quantile is unknown":
        'name: "s" type: SUMMARY metric { summary { sample_count: 0 sample_sum: 0 '
        "quantile { quantile: 0.5 value: nan } } }",
    "histogram": """
        name: "h" type: HISTOGRAM metric { histogram { sample_count: 4 sample_sum: 10.5
          bucket { cumulative_count: 1 upper_bound: 0.1 }
          bucket { cumulative_count: 3 upper_bound: 1 exemplar {
            label { name: "trace_id" value: "x" } value: 0.7 timestamp { seconds: 5 } } }
          bucket { cumulative_count: 4 upper_bound: inf }
          created_timestamp { seconds: 1520872607 nanos: 5 } } }""",
    "histogram of two series": """
        name: "h" type: HISTOGRAM
        metric { label { name: "a" value: "1" } histogram { sample_count: 1 sample_sum: 1
          bucket { cumulative_count: 1 upper_bound: inf } } }
        metric { label { name: "a" value: "2" } histogram { sample_count: 2 sample_sum: 2
          bucket { cumulative_count: 2 upper_bound: inf } } }""",
    "histogram of floats": """
        name: "h" type: HISTOGRAM metric { histogram { sample_count_float: 4.5 sample_sum: 10.5
          bucket { cumulative_count_float: 1.25 upper_bound: 0.1 }
          bucket { cumulative_count_float: 4.5 upper_bound: inf } } }""",
    "gauge histogram": """
        name: "h" type: GAUGE_HISTOGRAM metric { histogram { sample_count: 4 sample_sum: -10.5
          bucket { cumulative_count: 1 upper_bound: -1 }
          bucket { cumulative_count: 4 upper_bound: inf } } }""",
    "empty label": 'name: "g" type: GAUGE metric { label { name: "a" value: "" } '
                   "gauge { value: 1 } }",
    "labels of every kind of character": """
        name: "g" type: GAUGE metric { label { name: "a" value: "\\"\\\\\\n\\t\\r{}=,# \\000ж☃" }
          gauge { value: 1 } }""",
}

# Bodies that are no delimited messages, in the words of a Pushgateway as far as they are fixed.
GAUGE = 'name: "g" type: GAUGE metric { gauge { value: 1 } }'
BROKEN = {
    "length without a message": (b"\x05", "unexpected EOF"),
    "length that has no end": (b"\x80", "unexpected EOF"),
    "message cut short": (lambda: body(GAUGE)[:-3], "unexpected EOF"),
    "wire type that does not exist": (lambda: framed(b"\x0f\x00"), "proto:"),
    "field of number 0": (lambda: framed(b"\x00\x00"), "proto:"),
    "length beyond its message": (lambda: framed(b"\x0a\x7fm"), "proto:"),
    "end of a group that never began": (lambda: framed(b"\x0c"), "proto:"),
    "key that is too long": (lambda: framed(b"\x80" * 10 + b"\x01"), "proto:"),
    "length that is too long": (b"\xff" * 10 + b"\x01", "proto:"),
    "length of a terabyte": (protobuf.varint(1 << 40) + b"m", "unexpected EOF"),
    "length of half of all bytes": (protobuf.varint(1 << 63) + b"m", None),
    "text": (b"m 1\n", "unexpected EOF"),
}

# Read, but not to be stored: the group shows a failed push.
INCONSISTENT = {
    "timestamp": 'name: "g" type: GAUGE metric { gauge { value: 1 } timestamp_ms: 1000 }',
    "timestamp of 0": 'name: "g" type: GAUGE metric { gauge { value: 1 } timestamp_ms: 0 }',
    "gauge without a type": 'name: "g" metric { gauge { value: 1 } }',
    "gauge as a counter": 'name: "g" type: COUNTER metric { gauge { value: 1 } }',
    "gauge as a histogram": 'name: "g" type: HISTOGRAM metric { gauge { value: 1 } }',
    "summary as a gauge": 'name: "g" type: GAUGE metric { summary { sample_count: 1 } }',
    "metric of nothing": 'name: "g" type: GAUGE metric { }',
    "label twice": 'name: "g" type: GAUGE metric { label { name: "a" value: "1" } '
                   'label { name: "a" value: "2" } gauge { value: 1 } }',
    "label reserved": 'name: "g" type: GAUGE metric { label { name: "__name__" value: "x" } '
                      "gauge { value: 1 } }",
    "metric twice": 'name: "g" type: GAUGE metric { gauge { value: 1 } } '
                    "metric { gauge { value: 2 } }",
}

# Of bytes that no library writes: (field number of a family, what it holds).
NOT_UTF8 = {
    "help": lambda: raw(1, 2, b"g") + raw(2, 2, b"\xff") + raw(3, 0, 1),
    "label value": lambda: (raw(1, 2, b"g") + raw(3, 0, 1) + raw(4, 2, raw(
        1, 2, raw(1, 2, b"a") + raw(2, 2, b"\xff")) + raw(2, 2, raw(1, 1, 1.0)))),
    "label name": lambda: (raw(1, 2, b"g") + raw(3, 0, 1) + raw(4, 2, raw(
        1, 2, raw(1, 2, b"\xff") + raw(2, 2, b"a")) + raw(2, 2, raw(1, 1, 1.0)))),
    "name": lambda: raw(1, 2, b"\xff\xfe") + raw(3, 0, 1) + raw(4, 2, raw(2, 2, raw(1, 1, 1.0))),
    "unit": lambda: (raw(1, 2, b"g") + raw(3, 0, 1) + raw(4, 2, raw(2, 2, raw(1, 1, 1.0)))
                     + raw(5, 2, b"\xff")),
}


def put(weir, data, target=GROUP):
    return weir.put(target, data, HEADERS)


def assert_all_pages_are_valid(weir):
    """Whole, decoded and without a series twice, whoever asks."""
    text = fetch(weir, "text")
    Page(text.decode(), in_order=False)
    is_fatal, remarks = peers.promtool(text.decode())
    assert not is_fatal, remarks
    exposition.openmetrics_lines(fetch(weir, "openmetrics"))
    exposition.protobuf_samples(fetch(weir, "protobuf"))


@pytest.fixture(autouse=True)
def emptied(request):
    if "shared_weir" in request.fixturenames:
        request.getfixturevalue("shared_weir").request("PUT", "/api/v1/admin/wipe")


@pytest.mark.parametrize("name", FAMILIES)
def test_round_trip(shared_weir, name):
    pushed = family(FAMILIES[name])
    assert put(shared_weir, body(pushed)).status == 200
    [exposed] = exposition.protobuf_families(fetch(shared_weir, "protobuf")).values()
    wanted = sorted_metrics(in_group(pushed, job="j"))
    assert str(sorted_metrics(exposed)) == str(wanted)
    assert (sorted_metrics(exposed).SerializeToString(deterministic=True)
            == wanted.SerializeToString(deterministic=True))
    assert_all_pages_are_valid(shared_weir)


@pytest.mark.smoke
def test_all_types_in_one_push(weir):
    families = [family(text.replace('name: "', f'name: "n{number}_', 1))
                for number, text in enumerate(FAMILIES.values())]
    assert put(weir, body(*families)).status == 200
    exposed = exposition.protobuf_families(fetch(weir, "protobuf"))
    assert set(exposed) == {one.name for one in families}
    for one in families:
        assert str(sorted_metrics(exposed[one.name])) == str(
            sorted_metrics(in_group(one, job="j")))
    assert_all_pages_are_valid(weir)


def test_page_pushed_back_is_the_same_page(weir):
    """What weir writes it reads."""
    put(weir, body(*(text.replace('name: "', f'name: "n{number}_', 1)
                     for number, text in enumerate(FAMILIES.values()))))
    before = exposition.protobuf_families(fetch(weir, "protobuf"))
    assert put(weir, body(*before.values())).status == 200
    after = exposition.protobuf_families(fetch(weir, "protobuf"))
    assert {name: str(one) for name, one in after.items()} == {
        name: str(one) for name, one in before.items()}


def test_text_push_as_protobuf(weir):
    weir.put(GROUP, '# HELP c_total C.\n# TYPE c_total counter\nc_total{a="b"} 3\n'
             '# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\n'
             '# TYPE s summary\ns{quantile="0.5"} 1\ns_sum 3\ns_count 2\nu 1e3\n')
    wanted = [
        'name: "c_total" help: "C." type: COUNTER metric { label { name: "a" value: "b" } '
        "counter { value: 3 } }",
        'name: "h" type: HISTOGRAM metric { histogram { sample_count: 2 sample_sum: 3 '
        "bucket { cumulative_count: 1 upper_bound: 1 } "
        "bucket { cumulative_count: 2 upper_bound: inf } } }",
        'name: "s" type: SUMMARY metric { summary { sample_count: 2 sample_sum: 3 '
        "quantile { quantile: 0.5 value: 1 } } }",
        'name: "u" type: UNTYPED metric { untyped { value: 1000 } }',
    ]
    exposed = exposition.protobuf_families(fetch(weir, "protobuf"))
    for text in wanted:
        one = in_group(family(text), job="j")
        assert str(exposed[one.name]) == str(one)


def test_types_of_openmetrics_as_protobuf(weir):
    weir.put(GROUP, '# TYPE i info\ni_info{v="1"} 1\n# TYPE s stateset\ns{s="a"} 1\ns{s="b"} 0\n'
             '# TYPE u unknown\nu 1\n# TYPE g gaugehistogram\ng_bucket{le="1.0"} 1\n'
             'g_bucket{le="+Inf"} 2\ng_gcount 2\ng_gsum 3\n# EOF\n',
             exposition.OPENMETRICS_HEADERS)
    exposed = exposition.protobuf_families(fetch(weir, "protobuf"))
    name = protobuf.messages().MetricType.Name
    assert {one.name: name(one.type) for one in exposed.values()} == {
        "i_info": "GAUGE", "s": "GAUGE", "u": "UNTYPED", "g": "GAUGE_HISTOGRAM"}
    [metric] = exposed["g"].metric
    assert (metric.histogram.sample_count, metric.histogram.sample_sum) == (2, 3)
    assert [bucket.cumulative_count for bucket in metric.histogram.bucket] == [1, 2]


def test_spans_that_are_packed(weir):
    """Newer writers pack repeated numbers; proto2 libraries do not."""
    native = (raw(1, 0, 3) + raw(2, 1, 5.5) + raw(5, 0, 2) + raw(7, 0, 0)
              + raw(12, 2, raw(1, 0, 0) + raw(2, 0, 2)) + raw(13, 2, b"\x02\x02"))
    push = raw(1, 2, b"h") + raw(3, 0, 4) + raw(4, 2, raw(7, 2, native))
    assert put(weir, framed(push)).status == 200
    [one] = exposition.protobuf_families(fetch(weir, "protobuf")).values()
    assert list(one.metric[0].histogram.positive_delta) == [1, 1]


def test_fields_that_are_not_known_are_passed_over(weir):
    unknown = raw(90, 2, b"abc") + raw(91, 0, 5) + raw(92, 1, 1.5) + raw(93, 5, b"abcd")
    push = (raw(1, 2, b"g") + unknown + raw(3, 0, 1)
            + raw(4, 2, unknown + raw(2, 2, raw(1, 1, 1.0) + unknown)))
    assert put(weir, framed(push)).status == 200
    assert weir.scrape().value("g", job="j") == 1


def test_fields_of_another_kind_are_passed_over(weir):
    """As libraries do it: to them it is a field that they do not know."""
    push = (raw(1, 0, 5) + raw(1, 2, b"g") + raw(3, 0, 1) + raw(3, 2, b"x") + raw(4, 0, 5)
            + raw(4, 2, raw(2, 0, 1) + raw(2, 2, raw(1, 0, 7) + raw(1, 1, 1.0))))
    assert put(weir, framed(push)).status == 200
    assert weir.scrape().value("g", job="j") == 1


def test_last_of_repeated_fields_counts(weir):
    push = (raw(1, 2, b"first") + raw(1, 2, b"g") + raw(3, 0, 0) + raw(3, 0, 1)
            + raw(4, 2, raw(2, 2, raw(1, 1, 1.0)) + raw(2, 2, raw(1, 1, 2.0))))
    assert put(weir, framed(push)).status == 200
    assert weir.scrape().value("g", job="j") == 2


def test_same_family_twice_the_last_wins(weir):
    assert put(weir, body('name: "g" type: GAUGE metric { gauge { value: 1 } }',
                          'name: "g" type: GAUGE metric { label { name: "a" value: "b" } '
                          "gauge { value: 2 } }")).status == 200
    page = weir.scrape()
    assert (page.value("g", job="j"), page.value("g", job="j", a="b")) == (None, 2)


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x00"])
def test_nothing_in_a_push_empties_the_group(weir, data):
    weir.put(GROUP, "m 1\n")
    assert put(weir, data).status == 200
    assert weir.scrape().stored() == []
    assert_all_pages_are_valid(weir)


@pytest.mark.parametrize("name", BROKEN)
def test_broken_bodies(shared_weir, name):
    data, words = BROKEN[name]
    shared_weir.put(GROUP, "present 1\n")
    before = shared_weir.scrape().pushed()
    answer = put(shared_weir, data() if callable(data) else data)
    assert answer.status == 400, answer.text
    assert answer.text.startswith(words or ""), answer.text
    assert shared_weir.scrape().pushed() == before


@pytest.mark.parametrize("name", INCONSISTENT)
def test_inconsistent_pushes(shared_weir, name):
    shared_weir.put("/metrics/job/other", "present 1\n")
    before = shared_weir.scrape().stored()
    answer = put(shared_weir, body(INCONSISTENT[name]))
    assert answer.status == 400, answer.text
    assert answer.text.startswith("pushed metrics are invalid or inconsistent"), answer.text
    page = shared_weir.scrape()
    assert page.stored() == before
    assert page.value("push_failure_time_seconds", job="j") > 0
    assert_all_pages_are_valid(shared_weir)


@pytest.mark.parametrize("name", NOT_UTF8)
def test_texts_that_are_not_utf8(shared_weir, name):
    shared_weir.put("/metrics/job/other", "present 1\n")
    answer = put(shared_weir, framed(NOT_UTF8[name]()))
    assert answer.status in (200, 400)
    page = Page(fetch(shared_weir, "text").decode(), in_order=False)
    assert page.value("present", job="other") == 1
    assert_all_pages_are_valid(shared_weir)


def test_cut_at_every_byte(shared_weir):
    """Each is answered, and the pages stay whole."""
    whole = body(FAMILIES["histogram"])
    for end in range(1, len(whole)):
        assert put(shared_weir, whole[:end]).status == 400
    assert shared_weir.scrape().stored() == []
    assert put(shared_weir, whole).status == 200


def test_chunks_and_gzip(weir):
    answer = weir.put(GROUP, gzip.compress(body(FAMILIES["histogram"])),
                      {**HEADERS, "Content-Encoding": "gzip"})
    assert answer.status == 200
    assert weir.scrape().value("h_count", job="j") == 4


def test_large_push(weir):
    metrics = "".join(f'metric {{ label {{ name: "n" value: "{n}" }} gauge {{ value: {n} }} }} '
                      for n in range(20_000))
    assert put(weir, body(f'name: "g" type: GAUGE {metrics}')).status == 200
    assert weir.scrape().total("g") == sum(range(20_000))
    assert len(exposition.protobuf_samples(fetch(weir, "protobuf"))) == 20_000


def test_other_types_of_protobuf_are_text(weir):
    """As a Pushgateway has it: they are read as text, which they are not."""
    for content_type in ("application/vnd.google.protobuf",
                         "application/vnd.google.protobuf; encoding=text; "
                         "proto=io.prometheus.client.MetricFamily",
                         "application/vnd.google.protobuf; encoding=delimited; proto=other"):
        answer = weir.put(GROUP, body(GAUGE), {"Content-Type": content_type})
        assert answer.status == 400
        assert answer.text.startswith("text format parsing error in line 1:")
        assert weir.put(GROUP, "m 1\n", {"Content-Type": content_type}).status == 200


@pytest.mark.parametrize("content_type", [
    'application/vnd.google.protobuf;encoding="delimited";'
    'proto="io.prometheus.client.MetricFamily"',
    "Application/VND.Google.Protobuf; x=y; encoding=delimited; "
    "proto=io.prometheus.client.MetricFamily",
])
def test_spellings_of_the_content_type(weir, content_type):
    assert weir.put(GROUP, body(GAUGE), {"Content-Type": content_type}).status == 200
    assert weir.scrape().value("g", job="j") == 1


def test_types_agree_across_formats(weir):
    assert put(weir, body(FAMILIES["counter"])).status == 200
    weir.post("/metrics/job/k", "# TYPE c_total counter\nc_total 1\n")
    assert weir.post("/metrics/job/k", "# TYPE c_total gauge\nc_total 1\n").status == 400
    answer = weir.post("/metrics/job/k", "# TYPE c counter\nc_total 1\n# EOF\n",
                       exposition.OPENMETRICS_HEADERS)
    assert answer.status == 200
    assert weir.scrape().value("c_total", job="k") == 1


def test_own_metrics_on_the_protobuf_page(weir):
    put(weir, body(GAUGE))
    families = {one.name: one for one in protobuf.decode(fetch(weir, "protobuf"))}
    name = protobuf.messages().MetricType.Name
    assert name(families["pushgateway_http_requests_total"].type) == "COUNTER"
    assert name(families["pushgateway_http_push_size_bytes"].type) == "SUMMARY"
    assert families["push_time_seconds"].metric[0].gauge.value > 0
    text = weir.scrape()
    assert set(families) == set(text.families)
