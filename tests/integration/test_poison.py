"""Single pushes that would break the scrape for everybody. Each is refused without a trace."""

import re

import pytest

import exposition
import peers
import protobuf
from page import Page

HISTOGRAM = '# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\n'
EQUAL_LE = '# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="1"} 2\nh_count 2\n'
EQUAL_LE_OTHER_SPELLING = EQUAL_LE.replace('le="1"} 2', 'le="1.0"} 2')
EQUAL_QUANTILE = '# TYPE s summary\ns{quantile="0.5"} 1\ns{quantile="0.50"} 2\ns_count 2\n'

# Neither the page nor the group may show that these were tried.
TRACELESS = {
    "the same group by an empty label": ("/metrics/job/x/instance@base64/=", "m 1\n"),
    "invalid UTF-8 in a grouping value": ("/metrics/job/x%FF", "m 1\n"),
    "invalid UTF-8 behind base64": ("/metrics/job@base64/_w", "m 1\n"),
    "le as a grouping label": ("/metrics/job/q/le/0.5", HISTOGRAM),
    "two equal le": ("/metrics/job/q", EQUAL_LE),
    "two equal le in two spellings": ("/metrics/job/q", EQUAL_LE_OTHER_SPELLING),
}

# Inconsistent, as a duplicate series is: the group shows a failed push.
INCONSISTENT = {
    "two equal quantiles": ("/metrics/job/q", EQUAL_QUANTILE),
    "quantile as a grouping label": ("/metrics/job/q/quantile/0.5",
                                     '# TYPE s summary\ns{quantile="0.5"} 1\n'),
}


@pytest.mark.smoke
@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("name", TRACELESS)
def test_poison_leaves_no_trace_and_others_go_on(weir, method, name):
    weir.put("/metrics/job/x", "present 1\n")
    before = weir.scrape().pushed()
    answer = weir.request(method, *TRACELESS[name])
    assert answer.status == 400, answer.text
    assert len(answer.text.splitlines()[0]) > 20, "a sentence tells why"
    assert weir.scrape().pushed() == before
    assert weir.put("/metrics/job/other", "present 2\n").status == 200
    assert weir.scrape().value("present", job="other") == 2


@pytest.mark.parametrize("name", INCONSISTENT)
def test_inconsistent_push_stores_nothing(weir, name):
    weir.put("/metrics/job/x", "present 1\n")
    before = weir.scrape().stored()
    answer = weir.put(*INCONSISTENT[name])
    assert answer.status == 400, answer.text
    assert weir.scrape().stored() == before


def test_escaped_reserved_label_name(weir):
    """U______a would decode to __a where names are decoded; here it is a name like others."""
    assert weir.post("/metrics/job/y/U______a/v", "m 1\n").status in (200, 400)
    weir.scrape()
    assert weir.post("/metrics/job/z", "m 2\n").status == 200
    assert weir.scrape().value("m", job="z") == 2


def test_same_group_by_an_empty_label_first(weir):
    assert weir.put("/metrics/job/x/instance@base64/=", "m 1\n").status == 200
    before = weir.scrape().pushed()
    assert weir.put("/metrics/job/x", "m 2\n").status == 400
    assert weir.scrape().pushed() == before


def test_refused_histogram_does_not_hide_the_old_one(weir):
    weir.put("/metrics/job/q", HISTOGRAM)
    before = weir.scrape().stored()
    assert weir.put("/metrics/job/q", EQUAL_LE).status == 400
    assert weir.scrape().stored() == before


@pytest.mark.parametrize("body", [
    "{} 1\n", "\0\n", "a" * 100_000, "m{" + "a" * 100_000 + "\n", "\ufeffm 1\n",
    "# TYPE m histogram\nm_bucket 1\n", '# TYPE m histogram\nm_bucket{le="NaN"} 1\n',
    "#" * 100_000 + "\n", '{"m","m"} 1\n', "m{,} 1\n", "m 1 1 1\n", "m 1e999999999\n",
])
def test_odd_bodies_are_answered(weir, body):
    answer = weir.put("/metrics/job/j", body)
    assert answer.status in (200, 400)
    weir.scrape()
    assert weir.put("/metrics/job/k", "n 1\n").status == 200


# Bodies of protobuf after which a Pushgateway shows everybody an empty page, or half of one, or
# one that Prometheus drops. A family is its text, or its bytes where no library writes such.
GAUGE = "metric { gauge { value: 1 } }"
HISTOGRAM_OF_1 = "histogram { sample_count: 1 sample_sum: 1 }"
PROTOBUF = {
    "name that is empty": f'name: "" type: GAUGE {GAUGE}',
    "name that is not there": f"type: GAUGE {GAUGE}",
    "name with a dash": f'name: "a-b" type: GAUGE {GAUGE}',
    "name with a line feed": f'name: "a b\\n" type: GAUGE {GAUGE}',
    "name that is a whole line": f'name: "m 1\\nsteady 2\\nx" type: GAUGE {GAUGE}',
    "name with a quote": f'name: "a\\"b\\\\" type: GAUGE {GAUGE}',
    "name of digits": f'name: "9" type: GAUGE {GAUGE}',
    "name of a NUL": f'name: "\\000" type: GAUGE {GAUGE}',
    "name not in UTF-8": lambda: gauge_of_bytes(protobuf.raw(1, 2, b"\xff\xfe")),
    "two names that are one when escaped": [
        f'name: "a-b" type: GAUGE {GAUGE}',
        'name: "a.b" type: COUNTER metric { counter { value: 1 } }'],
    "name that is another's when escaped": [
        f'name: "a.b" type: GAUGE {GAUGE}', f'name: "a_b" type: GAUGE {GAUGE}'],
    "name that is a histogram's bucket when escaped": [
        f'name: "h.bucket" type: GAUGE {GAUGE}',
        f'name: "h" type: HISTOGRAM metric {{ {HISTOGRAM_OF_1} }}'],
    "type that does not exist": lambda: gauge_of_bytes(protobuf.raw(1, 2, b"m"), kind=17),
    "type that is negative": lambda: gauge_of_bytes(protobuf.raw(1, 2, b"m"), kind=2**64 - 1),
    "gauge in a gauge histogram": f'name: "m" type: GAUGE_HISTOGRAM {GAUGE}',
    "gauge in a histogram": f'name: "m" type: HISTOGRAM {GAUGE}',
    "gauge in a summary": f'name: "m" type: SUMMARY {GAUGE}',
    "nothing in a gauge histogram": 'name: "m" type: GAUGE_HISTOGRAM metric { }',
    "labels that are one when escaped": 'name: "m" type: GAUGE metric { label { name: "a.b" '
        'value: "1" } label { name: "a_b" value: "2" } gauge { value: 1 } }',
    "labels that are one when escaped, with one value": 'name: "m" type: GAUGE metric { '
        'label { name: "a.b" value: "1" } label { name: "a-b" value: "1" } gauge { value: 1 } }',
    "label that is the job when escaped": 'name: "m" type: GAUGE metric { label { name: "job" '
        'value: "1" } label { name: "jo-b" value: "2" } gauge { value: 1 } }',
    "series that are one when escaped": 'name: "m" type: GAUGE '
        'metric { label { name: "a.b" value: "1" } gauge { value: 1 } } '
        'metric { label { name: "a-b" value: "1" } gauge { value: 2 } }',
    "label without a name": 'name: "m" type: GAUGE metric { label { value: "1" } '
        "gauge { value: 1 } }",
    "label with a line feed in its name": 'name: "m" type: GAUGE metric { label { '
        'name: "a=\\"1\\"} 1\\nsteady 2\\n" value: "1" } gauge { value: 1 } }',
    "le on a histogram": f'name: "h" type: HISTOGRAM metric {{ label {{ name: "le" value: "1" }} '
        f"{HISTOGRAM_OF_1} }}",
    "l.e and le on a histogram": 'name: "h" type: HISTOGRAM metric { label { name: "l.e" '
        f'value: "1" }} {HISTOGRAM_OF_1} }}',
    "quantile on a summary": 'name: "s" type: SUMMARY metric { label { name: "quantile" '
        'value: "1" } summary { sample_count: 1 sample_sum: 1 } }',
    "buckets of one bound": 'name: "h" type: HISTOGRAM metric { histogram { sample_count: 1 '
        "sample_sum: 1 bucket { cumulative_count: 1 upper_bound: 1 } "
        "bucket { cumulative_count: 1 upper_bound: 1 } } }",
    "bucket of no number": 'name: "h" type: HISTOGRAM metric { histogram { sample_count: 1 '
        "sample_sum: 1 bucket { cumulative_count: 1 upper_bound: nan } } }",
    "buckets out of order": 'name: "h" type: HISTOGRAM metric { histogram { sample_count: 1 '
        "sample_sum: 1 bucket { cumulative_count: 1 upper_bound: 2 } "
        "bucket { cumulative_count: 0 upper_bound: 1 } } }",
    "zeros of both signs": 'name: "h" type: HISTOGRAM metric { histogram { sample_count: 1 '
        "sample_sum: 1 bucket { cumulative_count: 1 upper_bound: 0 } "
        "bucket { cumulative_count: 1 upper_bound: -0 } } }",
    "quantile twice": 'name: "s" type: SUMMARY metric { summary { sample_count: 1 sample_sum: 1 '
        "quantile { quantile: 0.5 value: 1 } quantile { quantile: 0.5 value: 2 } } }",
    "spans that do not fit their deltas": 'name: "h" type: HISTOGRAM metric { histogram { '
        "sample_count: 1 sample_sum: 1 schema: 1 positive_span { offset: 0 length: 4294967295 } "
        "positive_delta: 1 } }",
    "native histogram of an odd schema": 'name: "h" type: HISTOGRAM metric { histogram { '
        "sample_count: 1 sample_sum: 1 schema: 2147483647 positive_span { offset: -2147483648 "
        "length: 1 } positive_delta: -9223372036854775808 } }",
    "exemplar with an odd label": 'name: "c_total" type: COUNTER metric { counter { value: 1 '
        'exemplar { label { name: "a\\" 1\\n" value: "\\n" } value: nan '
        "timestamp { seconds: -9223372036854775808 nanos: -1 } } } }",
    "exemplar with a label twice": 'name: "c_total" type: COUNTER metric { counter { value: 1 '
        'exemplar { label { name: "a" value: "1" } label { name: "a" value: "2" } } } }',
    "exemplar that is too long": 'name: "c_total" type: COUNTER metric { counter { value: 1 '
        f'exemplar {{ label {{ name: "a" value: "{"x" * 1000}" }} }} }} }}',
    "created in a time that is none": 'name: "c_total" type: COUNTER metric { counter { value: 1 '
        "created_timestamp { seconds: 9223372036854775807 nanos: 2147483647 } } }",
    "negative counter": 'name: "c_total" type: COUNTER metric { counter { value: -1 } }',
    "counter of no number": 'name: "c_total" type: COUNTER metric { counter { value: nan } }',
    "unit that is none": f'name: "m" type: GAUGE {GAUGE} unit: "a\\nb c"',
    "help with a return": f'name: "m" help: "a\\r\\nb\\000" type: GAUGE {GAUGE}',
    "own name": f'name: "weir_limit" type: GAUGE {GAUGE}',
    "time of a push": 'name: "push_time_seconds" type: HISTOGRAM metric { '
        f"{HISTOGRAM_OF_1} }}",
    "name like weir's when escaped": f'name: "weir.limit" type: GAUGE {GAUGE}',
    "time of a push when escaped": f'name: "push.time.seconds" type: GAUGE {GAUGE}',
}


def gauge_of_bytes(name, kind=1):
    metric = protobuf.raw(2, 2, protobuf.raw(1, 1, 1.0))
    return protobuf.framed(name + protobuf.raw(3, 0, kind) + protobuf.raw(4, 2, metric))


def poison(name):
    what = PROTOBUF[name]
    if callable(what):
        return what()
    return protobuf.body(*([what] if isinstance(what, str) else what))


def assert_pages_are_whole(weir):
    """All three, by every escaping: valid, and what others pushed is on them."""
    for escaping in ("underscores", "dots", "values", "allow-utf-8"):
        text = exposition.fetch(weir, "text", escaping).decode()
        lines = text.split("\n")
        assert 'aaa{instance="",job="first"} 1' in lines
        assert 'zzz{instance="",job="last"} 1' in lines
        if escaping != "allow-utf-8":
            Page(text, in_order=False)
            exposition.openmetrics_lines(exposition.fetch(weir, "openmetrics", escaping))
        samples = exposition.protobuf_samples(exposition.fetch(weir, "protobuf", escaping))
        assert samples[("zzz", frozenset({("job", "last")}))] == 1
    steady = exposition.text_samples(exposition.fetch(weir, "text"))
    assert steady[("steady", frozenset({("job", "first")}))] == 1


@pytest.mark.parametrize("flags", [[], ["--push.enable-utf8-names"],
                                   ["--push.disable-consistency-check"]], ids=str)
def test_no_protobuf_poisons_the_pages(start_weir, flags):
    weir = start_weir(*flags, "--web.enable-admin-api")
    for name in PROTOBUF:
        weir.put("/metrics/job/first", "aaa 1\nsteady 1\n")
        weir.put("/metrics/job/last", "zzz 1\n")
        for method in ("PUT", "POST"):
            answer = weir.request(method, "/metrics/job/poison", poison(name), protobuf.HEADERS)
            assert answer.status in (200, 202, 400), name
            try:
                assert_pages_are_whole(weir)
            except AssertionError as fault:
                raise AssertionError(f"after {name}: {fault}") from fault
        if not flags:
            is_fatal, remarks = peers.promtool(exposition.fetch(weir, "text").decode())
            assert not is_fatal, (name, remarks)
        assert weir.put("/metrics/job/other", "zzz 2\n").status in (200, 202)
        weir.request("PUT", "/api/v1/admin/wipe")


@pytest.mark.parametrize("name,effect", [
    ("name that is empty", "nothing"),
    ("gauge in a gauge histogram", "half of it"),
    ("type that does not exist", "half of it"),
    ("name with a dash", "not to be read"),
    ("le on a histogram", "a label twice"),
])
def test_what_it_does_to_a_pushgateway(tmp_path, weir, name, effect):
    """Debian's, of version 1.5.1, for everybody; and weir beside it."""
    with peers.Pushgateway(tmp_path / "pushgateway") as pushgateway:
        for server in (pushgateway, weir):
            server.request("PUT", "/metrics/job/first", "aaa 1\nsteady 1\n")
            server.request("PUT", "/metrics/job/last", "zzz 1\n")
            server.request("PUT", "/metrics/job/poison", poison(name), protobuf.HEADERS)
        answer = pushgateway.request("GET", "/metrics")
    assert answer.status == 200
    if effect == "nothing":
        assert answer.body == b""
    elif effect == "half of it":
        assert "aaa{" in answer.text and "zzz{" not in answer.text
    elif effect == "a label twice":
        assert re.search(r"^h_bucket\{.*\ble=.*\ble=", answer.text, re.M)
    else:
        is_fatal, _ = peers.promtool(answer.text)
        assert is_fatal
    assert_pages_are_whole(weir)
