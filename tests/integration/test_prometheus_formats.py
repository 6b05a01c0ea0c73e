"""A real Prometheus asks for OpenMetrics, protobuf or text by itself, and stores the same."""

import contextlib
import json
import math
from concurrent.futures import ThreadPoolExecutor

import pytest

import exposition
import harness
import peers
import protobuf
from exposition import OPENMETRICS_HEADERS
from harness import wait_for
from recorder import Recorder

TEXT_PUSH = """\
# HELP c_total C.
# TYPE c_total counter
c_total{code="200"} 3
# TYPE plain counter
plain 4
# TYPE g gauge
g{place="a\\"b\\\\c\\nd",empty=""} 1e-07
g{place="inf"} +Inf
g{place="third"} 0.3333333333333333
u 1e3
# TYPE h histogram
h_bucket{le="0.5"} 1
h_bucket{le="1"} 2
h_bucket{le="1e+06"} 3
h_bucket{le="+Inf"} 4
h_sum 1000001.5
h_count 4
# TYPE s summary
s{quantile="0.5"} 1.5
s{quantile="1"} 2
s_sum 3
s_count 2
"""
OPENMETRICS_PUSH = """\
# TYPE open_requests counter
open_requests_total{code="200"} 3 # {trace_id="abc"} 0.5
open_requests_created{code="200"} 1520872607.5
# TYPE open_seconds histogram
# UNIT open_seconds seconds
open_seconds_bucket{le="1.0"} 1 # {trace_id="def",span_id="1"} 0.7
open_seconds_bucket{le="+Inf"} 2
open_seconds_count 2
open_seconds_sum 3
# TYPE open_version info
open_version_info{version="1.0"} 1
# TYPE open_state stateset
open_state{open_state="up"} 1
open_state{open_state="down"} 0
# EOF
"""
PROTOBUF_PUSH = """\
name: "pb_total" type: COUNTER metric { counter { value: 5
  exemplar { label { name: "trace_id" value: "ghi" } value: 2 } } }
"""
UTF8_PUSH = '{"a.b","c.d"="e"} 1\n# TYPE "ж.total" counter\n{"ж.total"} 2\n'
NATIVE = """\
name: "native_seconds" type: HISTOGRAM metric { histogram { sample_count: 20 sample_sum: 18.4
  schema: 1 zero_threshold: 0.001 zero_count: 4
  positive_span { offset: 0 length: 2 } positive_span { offset: 1 length: 2 }
  positive_delta: 4 positive_delta: 2 positive_delta: -1 positive_delta: -4 } }
"""
NATIVE_FLOAT = """\
name: "native_float_seconds" type: HISTOGRAM metric { histogram { sample_count_float: 3.5
  sample_sum: 9 schema: 0 zero_threshold: 0.001 zero_count_float: 0
  positive_span { offset: 1 length: 2 } positive_count: 1.5 positive_count: 2 } }
"""
FORMS = ("openmetrics", "text", "protobuf")
TYPE_OF = {"openmetrics": "application/openmetrics-text", "text": "text/plain",
           "protobuf": "application/vnd.google.protobuf"}


class Scraped:
    """What one Prometheus has of one weir, by way of a recorder."""

    def __init__(self, weir, recorder, prometheus):
        self.weir, self.recorder, self.prometheus = weir, recorder, prometheus


def push_everything(weir):
    for target, body, headers in (
            ("/metrics/job/text/instance/a", TEXT_PUSH, {}),
            ("/metrics/job/utf8/U__z_2e_z/ж", UTF8_PUSH, {}),
            ("/metrics/job/open/zone/n", OPENMETRICS_PUSH, OPENMETRICS_HEADERS),
            ("/metrics/job/pb", protobuf.body(PROTOBUF_PUSH, NATIVE, NATIVE_FLOAT),
             protobuf.HEADERS)):
        answer = weir.put(target, body, headers)
        assert answer.status == 200, answer.text


@pytest.fixture(scope="module")
def scraped(tmp_path_factory):
    """Three weirs with the same pushes, each with a Prometheus that wants another format.

    They start side by side: each Prometheus takes five seconds to begin with its first scrape.
    """
    directory = tmp_path_factory.mktemp("formats")
    flags = {"text": ["--web.openmetrics=false"], "openmetrics": [], "protobuf": []}
    features = {"text": "exemplar-storage", "openmetrics": "exemplar-storage",
                "protobuf": "exemplar-storage,native-histograms"}
    with contextlib.ExitStack() as stack:
        def start(form):
            weir = harness.Weir(directory / f"weir-{form}", "--push.enable-utf8-names",
                                *flags[form])
            stack.callback(weir.stop)
            push_everything(weir)
            recorder = stack.enter_context(Recorder(weir.url))
            prometheus = stack.enter_context(peers.Prometheus(
                directory / form, {"weir": recorder.url},
                f"--enable-feature={features[form]}"))
            return Scraped(weir, recorder, prometheus)

        with ThreadPoolExecutor() as threads:
            started = dict(zip(FORMS, threads.map(start, FORMS)))
        for one in started.values():
            one.prometheus.wait_for("c_total")
        yield started


def stored(prometheus):
    """The float samples that Prometheus has of pushes, in the form that decoders give them."""
    samples = {}
    for labels, value in prometheus.query('{job=~"text|utf8|open|pb"}'):
        name = labels.pop("__name__")
        if exposition.is_pushed(name) and value is not None:
            samples[exposition.series(name, labels)] = float(value)
    return samples


@pytest.mark.smoke
@pytest.mark.parametrize("form", FORMS)
def test_the_format_that_its_accept_header_prefers(scraped, form):
    accept, status, content_type, coding = scraped[form].recorder.exchanges[-1]
    if form == "text":
        assert "openmetrics" in accept, "it would rather have had that"
    assert (status, coding) == (200, "gzip")
    assert content_type.startswith(TYPE_OF[form]), content_type
    target = scraped[form].prometheus.target("weir")
    assert (target["health"], target["lastError"]) == ("up", "")


def test_same_samples_whatever_the_format(scraped):
    """What only some formats can say is left out, see docs/formats/README.md."""
    def comparable(samples):
        return {key: value for key, value in samples.items()
                if not key[0].endswith("_created") and not key[0].startswith("native_")}

    have = {form: comparable(stored(scraped[form].prometheus)) for form in FORMS}
    pages = exposition.text_samples(exposition.fetch(scraped["text"].weir, "text"))
    assert exposition.difference(have["text"], comparable(pages)) == ""
    assert exposition.difference(have["openmetrics"], have["text"]) == ""
    assert exposition.difference(have["protobuf"], have["text"]) == ""


@pytest.mark.parametrize("form", FORMS)
def test_names_beyond_its_alphabet_come_escaped(scraped, form):
    [(labels, value)] = scraped[form].prometheus.query("a_b")
    assert value == "1"
    assert labels == {"__name__": "a_b", "c_d": "e", "job": "utf8", "z_z": "ж"}


@pytest.mark.parametrize("form", ["openmetrics", "protobuf"])
def test_exemplars_arrive(scraped, form):
    prometheus = scraped[form].prometheus
    for name, trace, value in (("open_requests_total", "abc", 0.5),
                               ("open_seconds_bucket", "def", 0.7), ("pb_total", "ghi", 2)):
        [(_, [*_, exemplar])] = wait_for(lambda: prometheus.exemplars(name), f"{name} has one")
        assert (exemplar["labels"]["trace_id"], float(exemplar["value"])) == (trace, value)


def test_created_arrives_as_openmetrics_has_it(scraped):
    [(_, value)] = scraped["openmetrics"].prometheus.query("open_requests_created")
    assert float(value) == 1520872607.5


def test_native_histograms_arrive(scraped):
    prometheus = scraped["protobuf"].prometheus
    [(labels, value)] = prometheus.wait_for("histogram_count(native_seconds)")
    assert (labels, value) == ({"job": "pb"}, "20")
    assert float(prometheus.query("histogram_sum(native_seconds)")[0][1]) == 18.4
    # 4 in the zero bucket, 4 up to 1, 6 up to the root of 2, then 5 and 1 beyond 2.
    median = float(prometheus.query("histogram_quantile(0.5, native_seconds)")[0][1])
    assert 1 < median <= math.sqrt(2)
    [(_, value)] = prometheus.query("histogram_count(native_float_seconds)")
    assert float(value) == 3.5


@pytest.mark.parametrize("form", ["openmetrics", "text"])
def test_native_histograms_are_seen_by_count_and_sum_elsewhere(scraped, form):
    prometheus = scraped[form].prometheus
    assert float(prometheus.query("native_seconds_count")[0][1]) == 20
    assert float(prometheus.query("native_seconds_sum")[0][1]) == 18.4
    assert float(prometheus.query('native_seconds_bucket{le="+Inf"}')[0][1]) == 20


@pytest.mark.parametrize("form", FORMS)
def test_metadata_arrives(scraped, form):
    metadata = json.loads(scraped[form].prometheus.get("/api/v1/metadata"))["data"]
    name = "c" if form == "openmetrics" else "c_total"
    assert metadata[name][0]["type"] == "counter"
    assert metadata[name][0]["help"] == "C."


@pytest.mark.parametrize("form", FORMS)
def test_no_scrape_has_failed(scraped, form):
    one = scraped[form]
    assert one.prometheus.query('min_over_time(up{job="weir"}[5m])')[0][1] == "1"
    assert {status for _, status, _, _ in one.recorder.exchanges} == {200}


POISON = {
    "family without a name": 'name: "" type: GAUGE metric { gauge { value: 1 } }',
    "dash in a name": 'name: "a-b" type: GAUGE metric { gauge { value: 1 } }',
    "labels that are one when escaped": 'name: "p7" type: GAUGE metric { '
        'label { name: "a.b" value: "1" } label { name: "a_b" value: "2" } gauge { value: 1 } }',
    "gauge in a gauge histogram": 'name: "p6" type: GAUGE_HISTOGRAM metric { gauge { value: 1 } }',
    "le on a histogram": 'name: "p4" type: HISTOGRAM metric { label { name: "le" value: "1" } '
        "histogram { sample_count: 1 sample_sum: 1 } }",
    "quantile on a summary": 'name: "p4s" type: SUMMARY metric { '
        'label { name: "quantile" value: "1" } summary { sample_count: 1 sample_sum: 1 } }',
}


def test_it_goes_on_scraping_what_protobuf_could_poison(scraped):
    """Last, since it leaves things behind."""
    for number, text in enumerate(POISON.values()):
        for one in scraped.values():
            answer = one.weir.put(f"/metrics/job/poison/n/{number}", protobuf.body(text),
                                  protobuf.HEADERS)
            assert answer.status in (200, 400)
    for form, one in scraped.items():
        one.weir.put("/metrics/job/zz_last", "# TYPE zz_last gauge\nzz_last 1\n")
        one.prometheus.wait_for("zz_last")
        target = one.prometheus.target("weir")
        assert (form, target["health"], target["lastError"]) == (form, "up", "")
        assert one.prometheus.query('min_over_time(up{job="weir"}[5m])')[0][1] == "1"
