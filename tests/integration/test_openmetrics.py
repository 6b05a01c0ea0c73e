"""OpenMetrics 1.0, in and out: what its specification allows and forbids, and who gets it."""

import gzip

import pytest

import exposition
from exposition import OPENMETRICS, OPENMETRICS_HEADERS, PROTOBUF, TEXT, fetch, same_type

EVERY_TYPE = """\
# TYPE served_requests counter
# UNIT served_requests requests
# HELP served_requests "Quoted", \\\\ and \\n.
served_requests_total{code="200"} 3.0 # {trace_id="abc"} 0.5 1520879607.789
served_requests_created{code="200"} 1520872607.123
# TYPE took_seconds histogram
# UNIT took_seconds seconds
took_seconds_bucket{le="0.1"} 1
took_seconds_bucket{le="1.0"} 3 # {} 0.7
took_seconds_bucket{le="+Inf"} 4 # {trace_id="x",span_id="y"} 9 1.5
took_seconds_count 4
took_seconds_sum 10.5
took_seconds_created 1520872608
# TYPE age_seconds gaugehistogram
age_seconds_bucket{le="1.0"} 1
age_seconds_bucket{le="+Inf"} 2
age_seconds_gcount 2
age_seconds_gsum 3.5
# TYPE size_bytes summary
size_bytes{quantile="0.5"} 7
size_bytes{quantile="1.0"} 9
size_bytes_count 10
size_bytes_sum 70
size_bytes_created 1520872609.5
# TYPE version info
version_info{version="1.0"} 1
# TYPE colour stateset
colour{colour="red"} 1
colour{colour="blue"} 0
# TYPE temperature gauge
temperature{place="a"} -3.5
# TYPE odd unknown
odd 1e3
untold{a="b"} 5
# EOF
"""

REFUSED = {
    "no EOF": "a 1\n",
    "nothing at all": "",
    "text behind EOF": "# EOF\na 1\n",
    "EOF twice": "# EOF\n# EOF\n",
    "blank line": "a 1\n\n# EOF\n",
    "return": "a 1\r\n# EOF\n",
    "comment": "# remark\na 1\n# EOF\n",
    "two blanks before a value": "a  1\n# EOF\n",
    "blank behind a value": "a 1 \n# EOF\n",
    "blank in front": " a 1\n# EOF\n",
    "tab": "a\t1\n# EOF\n",
    "type untyped": "# TYPE a untyped\na 1\n# EOF\n",
    "type in capitals": "# TYPE a GAUGE\na 1\n# EOF\n",
    "type twice": "# TYPE a gauge\n# TYPE a gauge\na 1\n# EOF\n",
    "help twice": "# HELP a x\n# HELP a x\na 1\n# EOF\n",
    "type behind samples": "a 1\n# TYPE a gauge\n# EOF\n",
    "help behind samples": "a 1\n# HELP a x\n# EOF\n",
    "counter without _total": "# TYPE a counter\na 1\n# EOF\n",
    "negative counter": "# TYPE a counter\na_total -1\n# EOF\n",
    "counter that is no number": "# TYPE a counter\na_total NaN\n# EOF\n",
    "unit that is no suffix": "# TYPE a gauge\n# UNIT a seconds\na 1\n# EOF\n",
    "unit of an info": "# TYPE a_s info\n# UNIT a_s s\na_s_info 1\n# EOF\n",
    "info that is not 1": "# TYPE a info\na_info 2\n# EOF\n",
    "info without _info": "# TYPE a info\na 1\n# EOF\n",
    "stateset without its label": "# TYPE a stateset\na 1\n# EOF\n",
    "stateset of 2": '# TYPE a stateset\na{a="x"} 2\n# EOF\n',
    "histogram without +Inf": '# TYPE h histogram\nh_bucket{le="1.0"} 1\n# EOF\n',
    "histogram with buckets that fall":
        '# TYPE h histogram\nh_bucket{le="1.0"} 2\nh_bucket{le="+Inf"} 1\n# EOF\n',
    "histogram with buckets out of order":
        '# TYPE h histogram\nh_bucket{le="2.0"} 1\nh_bucket{le="1.0"} 1\nh_bucket{le="+Inf"} 1\n'
        "# EOF\n",
    "histogram whose count is another":
        '# TYPE h histogram\nh_bucket{le="+Inf"} 1\nh_count 2\nh_sum 1\n# EOF\n',
    "histogram with a sum and no count":
        '# TYPE h histogram\nh_bucket{le="+Inf"} 1\nh_sum 1\n# EOF\n',
    "histogram with negative bounds and a sum":
        '# TYPE h histogram\nh_bucket{le="-1.0"} 1\nh_bucket{le="+Inf"} 1\nh_count 1\nh_sum 1\n'
        "# EOF\n",
    "bucket without le": "# TYPE h histogram\nh_bucket 1\n# EOF\n",
    "quantile above 1": '# TYPE s summary\ns{quantile="1.5"} 1\n# EOF\n',
    "summary without a quantile": "# TYPE s summary\ns 1\n# EOF\n",
    "negative count": "# TYPE s summary\ns_count -1\ns_sum 1\n# EOF\n",
    "exemplar of a gauge": '# TYPE a gauge\na 1 # {a="b"} 1\n# EOF\n',
    "exemplar of 129 characters":
        '# TYPE a counter\na_total 1 # {a="' + "x" * 128 + '"} 1\n# EOF\n',
    "exemplar without a value": '# TYPE a counter\na_total 1 # {a="b"}\n# EOF\n',
    "exemplar with a label twice": '# TYPE a counter\na_total 1 # {a="b",a="c"} 1\n# EOF\n',
    "families in pieces": "a 1\nb 1\na 2\n# EOF\n",
    "metrics in pieces":
        '# TYPE s summary\ns_count{a="1"} 1\ns_count{a="2"} 1\ns_sum{a="1"} 1\n# EOF\n',
    "label twice": 'a{b="1",b="2"} 1\n# EOF\n',
    "comma at the end of labels": 'a{b="1",} 1\n# EOF\n',
    "blank between labels": 'a{b="1", c="2"} 1\n# EOF\n',
    "label value without quotes": "a{b=1} 1\n# EOF\n",
    "odd number": "a 0x1p3\n# EOF\n",
    "underscore in a number": "a 1_000\n# EOF\n",
    "not UTF-8": b'a{b="\xff"} 1\n# EOF\n',
    "name with a dot": "a.b 1\n# EOF\n",
    "series twice": "a 1\na 1\n# EOF\n",
    "timestamp": "a 1 1520879607.789\n# EOF\n",
    "clash of a gauge with a counter's sample":
        "# TYPE a counter\na_total 1\n# TYPE a_total gauge\na_total 2\n# EOF\n",
}

ACCEPTED = {
    "EOF alone": "# EOF\n",
    "EOF without a line feed": "a 1\n# EOF",
    "family without samples": "# TYPE a gauge\n# EOF\n",
    "help first": "# HELP a x\n# TYPE a gauge\na 1\n# EOF\n",
    "empty help": "# HELP a \n# TYPE a gauge\na 1\n# EOF\n",
    "empty label": 'a{b=""} 1\n# EOF\n',
    "no labels": "a{} 1\n# EOF\n",
    "escaped value": 'a{b="\\"\\\\\\n"} 1\n# EOF\n',
    "infinite": "a +Inf\n# EOF\n",
    "exemplar of 128 characters":
        '# TYPE a counter\na_total 1 # {a="' + "x" * 127 + '"} 1\n# EOF\n',
    "exemplar in a wider alphabet":
        '# TYPE a counter\na_total 1 # {a="' + "ж" * 127 + '"} 1\n# EOF\n',
    "exemplar of a gauge histogram":
        '# TYPE h gaugehistogram\nh_bucket{le="+Inf"} 1 # {a="b"} 1\nh_gcount 1\nh_gsum 1\n# EOF\n',
    "histogram of buckets alone": '# TYPE h histogram\nh_bucket{le="+Inf"} 1\n# EOF\n',
    "histogram with negative bounds":
        '# TYPE h histogram\nh_bucket{le="-1.0"} 1\nh_bucket{le="+Inf"} 2\n# EOF\n',
    "histogram that begins with its count":
        '# TYPE h histogram\nh_count 1\nh_sum 1\nh_bucket{le="+Inf"} 1\n# EOF\n',
    "summary of quantiles": '# TYPE s summary\ns{quantile="0.5"} 1\n# EOF\n',
    "summary of no samples but a count": "# TYPE s summary\ns_count 1\ns_sum 2\n# EOF\n",
    "several metrics": '# TYPE s summary\ns_count{a="1"} 1\ns_sum{a="1"} 1\n'
                       's_count{a="2"} 1\ns_sum{a="2"} 1\n# EOF\n',
    "blanks in a label": 'a{b=" # {c=\\"d\\"} 1 "} 1\n# EOF\n',
    "every type": EVERY_TYPE,
}


def put(weir, body, target="/metrics/job/j"):
    return weir.put(target, body, OPENMETRICS_HEADERS)


@pytest.fixture(autouse=True)
def emptied(request):
    """The tests that share a server begin with nothing stored."""
    if "shared_weir" in request.fixturenames:
        weir = request.getfixturevalue("shared_weir")
        weir.request("PUT", "/api/v1/admin/wipe")


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_forbidden_is_refused(shared_weir, name):
    answer = put(shared_weir, REFUSED[name])
    assert answer.status == 400, answer.text
    assert len(answer.text.split()) >= 3, f"no sentence: {answer.text!r}"
    assert shared_weir.scrape().stored() == []
    assert exposition.openmetrics_samples(fetch(shared_weir, "openmetrics")) == {}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_is_allowed_is_stored_and_exposed(shared_weir, name):
    body = ACCEPTED[name]
    answer = put(shared_weir, body)
    assert answer.status == 200, answer.text
    page = fetch(shared_weir, "openmetrics")
    want = {(sample, labels | {("job", "j")}): value for (sample, labels), value
            in exposition.openmetrics_samples(body.encode()).items()}
    assert exposition.difference(exposition.openmetrics_samples(page), want) == ""
    shared_weir.scrape()


@pytest.mark.smoke
def test_every_type_keeps_what_text_would_lose(weir):
    assert put(weir, EVERY_TYPE).status == 200
    pushed = {family.name: family for family
              in exposition.openmetrics_families(EVERY_TYPE.encode())}
    exposed = {family.name: family for family
               in exposition.openmetrics_families(fetch(weir, "openmetrics"))}
    for name, family in pushed.items():
        seen = exposed[name]
        assert (seen.type, seen.unit, seen.documentation) == (
            family.type, family.unit, family.documentation)
        exemplars = [(sample.name, sample.exemplar) for sample in family.samples
                     if sample.exemplar]
        assert [(sample.name, sample.exemplar) for sample in seen.samples
                if sample.exemplar] == exemplars


def test_text_page_of_an_openmetrics_push(weir):
    put(weir, EVERY_TYPE)
    page = weir.scrape()
    assert page.families["served_requests_total"].type == "counter"
    assert page.value("served_requests_total", job="j", code="200") == 3
    assert page.families["took_seconds"].type == "histogram"
    assert page.value("took_seconds_bucket", job="j", le="1") == 3
    assert page.families["version_info"].type == "gauge"
    assert page.value("colour", job="j", colour="red") == 1
    assert page.families["odd"].type == "untyped"
    assert page.value("untold", job="j", a="b") == 5
    assert page.total("age_seconds_bucket") == 3


def test_bounds_are_floats_on_its_pages(weir):
    weir.put("/metrics/job/j", '# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="1e-05"} 0\n'
                               'h_bucket{le="1000000"} 2\nh_count 2\nh_sum 1\n')
    lines = fetch(weir, "openmetrics").decode().split("\n")
    bounds = [line.partition('le="')[2].partition('"')[0] for line in lines if "h_bucket" in line]
    assert sorted(bounds) == sorted(["1.0", "1e-05", "1e+06", "+Inf"])


def test_text_pushes_that_openmetrics_could_not_say(weir):
    """They are exposed by their names, as types that allow them."""
    weir.put("/metrics/job/j", "# TYPE plain counter\nplain 1\n# TYPE both_total counter\n"
                               "both_total 2\n# TYPE both gauge\nboth 3\n")
    page = fetch(weir, "openmetrics")
    samples = exposition.openmetrics_samples(page)
    assert {name for name, _ in samples} == {"plain", "both_total", "both"}
    types = {family.name: family.type for family in exposition.openmetrics_families(page)}
    assert (types["plain"], types["both_total"], types["both"]) == ("unknown", "unknown", "gauge")


def test_counter_is_renamed_back_when_the_name_is_free_again(weir):
    weir.put("/metrics/job/a", "# TYPE both_total counter\nboth_total 2\n")
    weir.put("/metrics/job/b", "# TYPE both gauge\nboth 3\n")
    weir.delete("/metrics/job/b")
    assert b"# TYPE both counter\n" in fetch(weir, "openmetrics")


def test_metadata_of_text_is_carried_over(weir):
    weir.put("/metrics/job/j", '# HELP c_total Say "c" \\\\ and\\nthat.\n# TYPE c_total counter\n'
                               "c_total 1\n")
    lines = fetch(weir, "openmetrics").decode().split("\n")
    assert '# HELP c Say \\"c\\" \\\\ and\\nthat.' in lines
    assert "# TYPE c counter" in lines


def test_error_names_line_and_place(weir):
    answer = put(weir, "# TYPE a gauge\na{b=x} 1\n# EOF\n")
    assert answer.status == 400
    assert "line 2" in answer.text
    assert "^" in answer.text


# Accept headers, and which page they are answered with.
PROMETHEUS = ("application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
              "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
PROMETHEUS_3 = ("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
                "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;"
                "escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1")
NATIVE = ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
          "encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8,"
          "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,"
          "*/*;q=0.1")
OPENMETRICS_0 = OPENMETRICS.replace("1.0.0", "0.0.1")
ANSWERS = {
    None: TEXT,
    "*/*": TEXT,
    "": TEXT,
    "text/plain": TEXT,
    "text/html,*/*;q=0.8": TEXT,
    "application/json": TEXT,
    "application/openmetrics-text": OPENMETRICS_0,
    "application/openmetrics-text;version=0.0.1": OPENMETRICS_0,
    "application/openmetrics-text;version=1.0.0": OPENMETRICS,
    "application/openmetrics-text; version=1.0.0; charset=utf-8": OPENMETRICS,
    "application/openmetrics-text;version=9.0.0": TEXT,
    "application/openmetrics-text;version=1.0.0;q=0": TEXT,
    "text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0": OPENMETRICS,
    "text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.9": TEXT,
    "application/vnd.google.protobuf": TEXT,
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited":
        PROTOBUF,
    'Application/VND.google.protobuf;encoding="delimited";proto=io.prometheus.client.MetricFamily':
        PROTOBUF,
    "application/vnd.google.protobuf;proto=other;encoding=delimited": TEXT,
    PROMETHEUS: OPENMETRICS,
    PROMETHEUS_3: OPENMETRICS,
    NATIVE: PROTOBUF,
}


def without_escaping(content_type):
    return "; ".join(part.strip() for part in content_type.split(";")
                     if "escaping=" not in part)


@pytest.mark.parametrize("accept", ANSWERS, ids=lambda accept: str(accept)[:70])
def test_negotiation(shared_weir, accept):
    put(shared_weir, "m 1\n# EOF\n")
    answer = shared_weir.get("/metrics", {"Accept": accept})
    assert answer.status == 200
    assert same_type(without_escaping(answer.headers["content-type"]), ANSWERS[accept])
    if ANSWERS[accept] == PROTOBUF:
        samples = exposition.protobuf_samples(answer.body)
    elif ANSWERS[accept] == TEXT:
        samples = exposition.text_samples(answer.body)
    else:
        samples = exposition.openmetrics_samples(answer.body)
    assert samples == {("m", frozenset({("job", "j")})): 1}


def test_text_of_version_1(shared_weir):
    answer = shared_weir.get("/metrics", {"Accept": "text/plain;version=1.0.0"})
    assert "version=1.0.0" in answer.headers["content-type"]
    exposition.text_samples(answer.body)


def test_openmetrics_can_be_switched_off(start_weir):
    weir = start_weir("--web.openmetrics=false")
    assert put(weir, "# TYPE a counter\na_total 1\n# EOF\n").status == 200, "pushes are taken"
    answer = weir.get("/metrics", {"Accept": PROMETHEUS})
    assert same_type(without_escaping(answer.headers["content-type"]), TEXT)
    answer = weir.get("/metrics", {"Accept": NATIVE})
    assert same_type(without_escaping(answer.headers["content-type"]), PROTOBUF)


@pytest.mark.parametrize("form", ["text", "openmetrics", "protobuf"])
def test_compressed_pages(weir, form):
    put(weir, EVERY_TYPE)
    plain = fetch(weir, form)
    answer = weir.get("/metrics", {"Accept": exposition.TYPES[form], "Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    decoder = {"text": exposition.text_samples, "openmetrics": exposition.openmetrics_samples,
               "protobuf": exposition.protobuf_samples}[form]
    assert decoder(gzip.decompress(answer.body)) == decoder(plain)
