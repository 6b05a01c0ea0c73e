"""The page of one target, in every format and scraped by a real Prometheus."""

import gzip
import json

import pytest

import exposition
import peers
import protobuf
from exposition import PROTOBUF, fetch
from harness import wait_for
from targets import TARGETS, create, data

CLASSIC = """\
# HELP runs_total Runs.
# TYPE runs_total counter
runs_total{code="200"} 3
runs_total{code="500"} 1e6
# TYPE size gauge
size -Inf
# TYPE seconds histogram
seconds_bucket{le="0.5"} 1
seconds_bucket{le="+Inf"} 4
seconds_sum 7.5
seconds_count 4
# TYPE quick summary
quick{quantile="0.9"} 2
quick_sum 3
quick_count 2
untyped 5
"""
NATIVE = """name: "native_seconds" type: HISTOGRAM metric { histogram { sample_count: 20 sample_sum: 18.4
    schema: 1 zero_threshold: 0.001 zero_count: 4 positive_span { offset: 0 length: 2 }
    positive_delta: 6 positive_delta: 4
    exemplars { label { name: "trace_id" value: "a" } value: 1
      timestamp { seconds: 1520879607 nanos: 1 } } } }"""
# A Pushgateway takes it, a Prometheus drops the page for it.
UNSOUND = """name: "unsound_seconds" type: HISTOGRAM metric { histogram { sample_count: 20
    sample_sum: 18.4 schema: 1 zero_threshold: 0.001 zero_count: 4
    positive_span { offset: 0 length: 1 } positive_delta: 6 } }"""
ONE = "/metrics/job/web/instance/a"
PAGE = "/metrics/target/job/web/instance/a"


@pytest.fixture
def filled(shared_weir):
    """One target whose families others have, too."""
    shared_weir.request("PUT", "/api/v1/admin/wipe")
    shared_weir.put("/metrics/job/web/instance/b", CLASSIC + "other 1\n")
    shared_weir.post("/metrics/job/web/instance/b", protobuf.body(NATIVE), protobuf.HEADERS)
    assert shared_weir.put(ONE, CLASSIC).status == 200
    assert shared_weir.post(ONE, protobuf.body(NATIVE), protobuf.HEADERS).status == 200
    return shared_weir


def families(weir, path=PAGE, **headers):
    """All of a page as protobuf, in its order."""
    return protobuf.decode(fetch(weir, "protobuf", path=path, **headers))


@pytest.mark.smoke
def test_same_samples_as_text(filled):
    text = exposition.text_samples(fetch(filled, "text", path=PAGE))
    shown = exposition.protobuf_samples(fetch(filled, "protobuf", path=PAGE))
    assert exposition.difference(shown, text) == ""
    assert len(text) == 14 and all(("instance", "a") in labels for _, labels in text)
    pages = families(filled)
    names = [one.name for one in pages]
    assert names == sorted(names) and "push_time_seconds" in names and "other" not in names
    assert all(len(one.metric) == (2 if one.name == "runs_total" else 1) for one in pages)
    assert {one.name: one.help for one in pages}["runs_total"] == "Runs."
    by_text = [line for line in filled.get(PAGE).text.splitlines() if line.startswith("push_time_s")]
    [time] = next(one for one in pages if one.name == "push_time_seconds").metric
    assert by_text[0].endswith(f" {time.gauge.value:.6f}")


def test_native_histogram_is_whole(filled):
    [shown] = [one for one in families(filled) if one.name == "native_seconds"]
    wanted = protobuf.in_group(protobuf.family(NATIVE), job="web", instance="a")
    assert str(shown) == str(wanted)
    [target] = [one for one in data(filled.get(f"{TARGETS}?job=web"))["targets"]
                if one["labels"]["instance"] == "a"]
    assert families(filled, f"/metrics/{target['id']}") == families(filled)


def test_unsound_one_is_kept_from_prometheus(filled):
    assert filled.post(ONE, protobuf.body(UNSOUND), protobuf.HEADERS).status == 200
    for headers, has_it in (({}, True), ({"X-Prometheus-Scrape-Timeout-Seconds": "1"}, False)):
        [shown] = [one for one in families(filled, **headers) if one.name == "unsound_seconds"]
        assert shown.metric[0].histogram.HasField("schema") == has_it
        assert shown.metric[0].histogram.sample_count == 20


def test_what_is_preferred(filled):
    for accept, wanted in (
            (PROTOBUF, "application/vnd.google.protobuf"),
            (f"{PROTOBUF};q=0.1,text/plain;q=0.5", "text/plain"),
            (f"{PROTOBUF};q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1",
             "application/vnd.google.protobuf"),
            ("application/openmetrics-text;version=1.0.0", "application/openmetrics-text"),
            ("*/*", "text/plain")):
        assert filled.get(PAGE, {"Accept": accept}).headers["content-type"].startswith(wanted)
    answer = filled.get(PAGE, {"Accept": PROTOBUF, "Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert protobuf.decode(gzip.decompress(answer.body)) == families(filled)


def test_lines_of_weirs_own(shared_weir):
    create(shared_weir, {"job": "own"}, attributes={"rack": "r7"}, mode="virtual")
    create(shared_weir, {"job": "bare"}, mode="virtual")
    [info] = families(shared_weir, "/metrics/target/job/own")
    assert (info.name, protobuf.labels_of(info.metric[0])) == (
        "target_info", {"instance": "", "job": "own", "rack": "r7"})
    assert families(shared_weir, "/metrics/target/job/bare") == []
    # A pushed one beside that of another target, which is not on this page.
    shared_weir.put("/metrics/job/pushes", 'target_info{version="2"} 1\n')
    [info] = [one for one in families(shared_weir, "/metrics/target/job/pushes")
              if one.name == "target_info"]
    assert [protobuf.labels_of(metric)["job"] for metric in info.metric] == ["pushes"]


def test_unavailable_and_unknown(shared_weir):
    target = create(shared_weir, {"job": "off"}, mode="virtual")
    data(shared_weir.post(f"{TARGETS}/{target['id']}/disable"))
    assert shared_weir.get("/metrics/target/job/off", {"Accept": PROTOBUF}).status == 503
    assert shared_weir.get("/metrics/target/job/nobody", {"Accept": PROTOBUF}).status == 404


def test_names_in_quotes(start_weir):
    weir = start_weir("--push.enable-utf8-names")
    weir.put("/metrics/job/j", '{"a.b","c.d"="1","c_d"="2"} 1\n{"a_b"} 2\n')
    weir.put("/metrics/job/k", '{"a.b"} 3\n')
    page = "/metrics/target/job/j"
    for escaping in ("underscores", "dots", "values", "allow-utf-8"):
        shown = exposition.protobuf_samples(fetch(weir, "protobuf", escaping, path=page))
        whole = exposition.protobuf_samples(fetch(weir, "protobuf", escaping))
        assert len(shown) == 2
        assert shown.items() <= whole.items(), "as on the whole page"


def test_large_target_while_it_changes(start_weir):
    """Families of more than a megabyte are made in slices; all of a page is of one push."""
    weir = start_weir("--state.url=none")
    def body(value):
        many = "".join(f'big{{number="{number}",text="{"x" * 60}"}} {value}\n'
                       for number in range(15000))
        return many + f"after {value}\nbefore {value}\n"
    weir.put("/metrics/job/other", body(7))
    weir.put("/metrics/job/large", body(0))
    with weir.connect(receive_buffer=4096) as connection:
        connection.request("GET", "/metrics/target/job/large", headers={"Accept": PROTOBUF})
        for value in range(1, 4):
            assert weir.put("/metrics/job/large", body(value)).status == 200
        weir.delete("/metrics/job/large")
        weir.delete("/metrics/job/other")
        answer = connection.response()
    samples = exposition.protobuf_samples(answer.body)
    assert len(samples) == 15002
    assert set(samples.values()) == {0.0}
    assert weir.get("/metrics/target/job/large", {"Accept": PROTOBUF}).status == 503


def test_prometheus_has_native_histograms_of_each_target(filled, tmp_path):
    with peers.Prometheus(tmp_path / "prometheus", {}, "--enable-feature=native-histograms",
                          discovered={"weir": f"{filled.url}/api/v1/sd?job=web"}) as prometheus:
        wait_for(lambda: len(prometheus.query("histogram_count(native_seconds)")) == 2, "both")
        assert {labels["instance"]: value for labels, value
                in prometheus.query("histogram_count(native_seconds)")} == {"a": "20", "b": "20"}
        assert prometheus.query("histogram_sum(native_seconds)")[0][1] == "18.4"
        assert {value for _, value in prometheus.query('up{job="web"}')} == {"1"}
        assert len(prometheus.query("runs_total")) == 4
        [target] = [one for one in json.loads(prometheus.get("/api/v1/targets"))["data"][
            "activeTargets"] if one["labels"]["instance"] == "a"]
        assert target["lastError"] == ""
