"""A newer Prometheus: UTF-8 names, native histograms, times of creation."""

import math

import pytest

import exposition
import peers
import protobuf
from built import BUILT
from exposition import fetch
from recorder import Recorder

PROGRAM = BUILT / "prometheus" / "prometheus"
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="no newer Prometheus built")

PUSHED = [
    ("text", '# TYPE "a.b" gauge\n{"a.b","c.d"="e"} 1\n{"花火"} 2\nplain 3\n'
             '# TYPE h histogram\nh_bucket{le="1"} 1\nh_count 2\nh_sum 3\n', {}),
    ("open", '# TYPE "o.c" counter\n{"o.c_total","x.y"="z"} 3 # {trace_id="abc"} 0.5\n'
             '{"o.c_created","x.y"="z"} 1520872607.5\n# EOF\n', exposition.OPENMETRICS_HEADERS),
    ("pb", [
        'name: "n.h" type: HISTOGRAM metric { histogram { sample_count: 24 sample_sum: 18.4 '
        "schema: 1 zero_threshold: 0.001 zero_count: 4 positive_span { offset: 0 length: 2 } "
        "positive_delta: 10 positive_delta: 0 } }",
        'name: "s" type: SUMMARY metric { summary { sample_count: 2 sample_sum: 3 '
        "quantile { quantile: 0.5 value: 1 } } }"], protobuf.HEADERS),
]
FLAVOURS = {
    "openmetrics": {"scrape_protocols": ["OpenMetricsText1.0.0", "PrometheusText0.0.4"]},
    "text": {"scrape_protocols": ["PrometheusText1.0.0"]},
    "old text": {"scrape_protocols": ["PrometheusText0.0.4"]},
    "protobuf": {"scrape_protocols": ["PrometheusProto"], "scrape_native_histograms": True},
    "default": {},
    "escaped": {"metric_name_validation_scheme": "legacy",
                "metric_name_escaping_scheme": "underscores"},
}


class NewPrometheus(peers.Prometheus):
    program = str(PROGRAM)


@pytest.fixture
def weir(start_weir):
    server = start_weir("--push.enable-utf8-names")
    for job, body, headers in PUSHED:
        data = protobuf.body(*body) if isinstance(body, list) else body
        answer = server.put(f"/metrics/job/{job}/U__g_2e_h/ж", data, headers)
        assert answer.status == 200, answer.text
    return server


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_stores_what_weir_exposes(weir, tmp_path, flavour):
    with Recorder(weir.url) as recorder, NewPrometheus(
            tmp_path / "prometheus", {"weir": recorder.url}, further=FLAVOURS[flavour]) as server:
        server.wait_for("plain")
        target = server.target("weir")
        assert (target["health"], target["lastError"]) == ("up", "")
        content_type = recorder.exchanges[-1][2]
        have = {}
        for labels, value in server.query('{job=~"text|open|pb"}'):
            name = labels.pop("__name__")
            if exposition.is_pushed(name) and "created" not in name and not name.startswith("n"):
                have[exposition.series(name, labels)] = float(value)
        # It asks for UTF-8 in the two formats that are younger than the question.
        escaping = content_type.partition("escaping=")[2]
        assert escaping == ("underscores" if flavour in ("escaped", "old text", "protobuf")
                            else "allow-utf-8")
        want = {key: value for key, value in exposition.protobuf_samples(
            fetch(weir, "protobuf", escaping)).items() if not key[0].startswith("n")}
        assert exposition.difference(have, want) == ""


def test_native_histograms(weir, tmp_path):
    with NewPrometheus(tmp_path / "prometheus", {"weir": weir.url},
                       further=FLAVOURS["protobuf"]) as server:
        [(_, value)] = server.wait_for('histogram_count(n_h)')
        assert value == "24"
        assert 1 < float(server.query('histogram_quantile(0.9, n_h)')[0][1]) <= math.sqrt(2)
