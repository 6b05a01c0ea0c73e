"""Instant queries of series selectors, answered as a Prometheus that scrapes weir answers them."""

import gzip
import json
import math
import re
import subprocess
import sys
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest

import peers
import protobuf
from exposition import OPENMETRICS_HEADERS
from harness import DEADLINE, REPOSITORY, Connection, curl, wait_for
from targets import create

QUERY = "/api/v1/query"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PAGES = {
    "/metrics/job/web/instance/a": """\
# TYPE http_requests_total counter
http_requests_total{code="200",path="/"} 1027
http_requests_total{code="500",path="/a\\"b\\\\c\\nd"} 3
http_requests_total{code="503",path=""} 15e9
# TYPE seconds histogram
seconds_bucket{le="0.25"} 1
seconds_bucket{le="2.5"} 2
seconds_bucket{le="+Inf"} 4
seconds_sum 1234567.5
seconds_count 4
# TYPE asleep summary
asleep{quantile="0.5"} 0.0000001
asleep{quantile="0.9"} NaN
asleep_sum -17.25
asleep_count 3
""",
    "/metrics/job/web/instance/b": """\
# TYPE http_requests_total counter
http_requests_total{code="200",path="/"} 7
# TYPE seconds histogram
seconds_bucket{le="0.25"} 0
seconds_bucket{le="+Inf"} 1
seconds_sum 3
seconds_count 1
""",
    "/metrics/job/odd/site/M%C3%BCnchen/tag/%3C%26%3E": """\
# TYPE odd gauge
odd{kind="nan"} NaN
odd{kind="inf"} +Inf
odd{kind="minus"} -Inf
odd{kind="zero"} -0
odd{kind="large"} 1e21
odd{kind="whole"} 123456789012345678901
odd{kind="small"} 0.000001
odd{kind="smaller"} 0.0000009999
odd{kind="digits"} 0.30000000000000004
odd{kind="many"} 1.500
odd{kind="max"} 1.7976931348623157e308
odd{kind="least"} 5e-324
odd{kind="snow \\\\ \\" \\n ☃"} 1
untyped_one 1
seconds_like 2
""",
    "/metrics/job/web": "# TYPE http_requests_total counter\nhttp_requests_total 1\nsum 5\n",
}
NATIVE = [
    """name: "native_seconds" type: HISTOGRAM metric {
         label { name: "kind" value: "integer" } histogram { sample_count: 1500020 sample_sum: 18.4
         schema: 1 zero_threshold: 0.001 zero_count: 1500000
         negative_span { offset: 0 length: 2 } negative_delta: 6 negative_delta: 2
         positive_span { offset: 0 length: 1 } positive_span { offset: 2 length: 2 }
         positive_delta: 2 positive_delta: -2 positive_delta: 4 } }
       metric { label { name: "kind" value: "float" } histogram {
         sample_count_float: 3.5 sample_sum: 7 schema: 3 zero_threshold: 0.001
         zero_count_float: 1.5 positive_span { offset: -3 length: 1 } positive_count: 2 } }
       metric { label { name: "kind" value: "empty" } histogram { sample_count: 0 sample_sum: 0
         schema: 8 zero_threshold: 0.001 zero_count: 0 positive_span { offset: 0 length: 0 } } }
       metric { label { name: "kind" value: "zeros" } histogram { sample_count: 2 sample_sum: 0
         schema: -4 zero_threshold: 0.001 zero_count: 2 } }""",
]
SELECTORS = [
    "http_requests_total", "seconds", "seconds_bucket", "seconds_sum", "seconds_count", "asleep",
    "asleep_sum", "asleep_count", "odd", "untyped_one", "sum", "nothing", "push_time_seconds",
    "push_failure_time_seconds", "target_info", "native_seconds", "seconds_", "_bucket",
    'seconds_bucket{le="0.25"}', 'seconds_bucket{le!="+Inf"}', 'seconds_bucket{le=""}',
    'asleep{quantile="0.9"}', 'asleep{quantile=~"0.5|0.9"}', 'asleep_sum{quantile=""}',
    'http_requests_total{code="200"}', 'http_requests_total{code!="200"}',
    'http_requests_total{code=~"5.."}', 'http_requests_total{code!~"5.."}',
    'http_requests_total{code=~"5"}', 'http_requests_total{code=""}',
    'http_requests_total{path=""}', 'http_requests_total{path!=""}',
    'http_requests_total{code=~".*"}', 'http_requests_total{instance!~".+"}',
    'http_requests_total{instance=""}', 'http_requests_total{instance=~"a|b",job!="x"}',
    'http_requests_total{path="/a\\"b\\\\c\\nd"}', "http_requests_total{path='/a\"b\\\\c\\nd'}",
    'http_requests_total{path=~"(?s)/a.b.*d"}', 'http_requests_total{path=~`/a"b\\\\c\\nd`}',
    '{__name__="odd",kind="nan"}',
    '{__name__=~"seconds.*"}', '{__name__=~"(seconds|asleep)_(sum|count)"}',
    '{__name__!="odd",job="odd"}', '{__name__!~"odd|push_.*",job="odd"}', '{job="odd"}',
    '{job=~"w.b",instance="b"}', '{job="web",instance!=""}', '{site="M\u00fcnchen"}',
    '{site=~"M.nchen",tag="<&>"}', '{kind="snow \\\\ \\" \\n \u2603"}', '{kind=~"(?s)snow.*\u2603"}',
    '{tag="\\u003c\\x26\\076"}', '{le="2.5"}', '{quantile!=""}', '{__name__="seconds",le=""}',
    '{__name__="odd",__name__!="even"}', ' odd { kind = "inf" , } ', 'odd # of them all\n{kind!="nan"}',
    'odd{kind=~"(?i)NAN"}', '{__name__=~".+",job="web"}', 'native_seconds{kind="integer"}',
    "process_start_time_seconds", '{__name__=~"weir_.*_total"}',
]
# What a Prometheus takes, but not for a selector; and what no PromQL is.
MORE = ["1", "1+1", "-1", '"text"', "rate(odd[5m])", "sum(odd)", "sum by (kind) (odd)", "odd[5m]",
        "odd offset 5m", "odd @ 0", "odd > 1", "odd + odd", "odd or up", "-odd", "(odd)",
        "odd{} offset -1s", "time()", "up == bool 1", "odd[5m:1m]"]
WRONG = ["", " ", "odd{", "odd}", "odd{kind}", "odd{kind=nan}", 'odd{kind="nan}', 'odd{kind="a" "b"}',
         "{}", '{kind=""}', '{kind=~".*"}', '{kind!="a"}', 'odd{kind=~"("}', "odd odd", "odd[", "odd[5]",
         'odd{__name__="even"}', "9odd", 'odd{9="a"}', "odd{kind=='a'}", "#", "odd,", "\u2603",
         "rate(odd)", "sum(", "odd +", 'odd{kind="\\q"}', 'odd{kind="\\xff"', "odd{,}", "odd{a='b',,}"]
PARAMETERS = [
    {"time": "yesterday"}, {"time": "2026-13-01T00:00:00Z"}, {"time": "2026-11-20"}, {"time": "1;2"},
    {"time": "2026-11-20T07:55:40"}, {"time": "2026-11-20T24:00:00Z"}, {"time": "0"}, {"time": ""},
    {"time": "1795161340"}, {"time": "1795161340.6379"}, {"time": "-1.5"}, {"time": "1e3"},
    {"time": "2026-11-20T07:55:40.637Z"}, {"time": "2026-11-20T07:55:40.6379999+01:00"},
    {"time": "1969-12-31T23:59:59.25Z"}, {"time": "9999-12-31T23:59:59Z"},
    {"timeout": "1x"}, {"timeout": "1m1h"}, {"timeout": "s"}, {"timeout": "5m30s"}, {"timeout": "60"},
    {"timeout": "1.5"}, {"timeout": "1.5s"}, {"timeout": ""}, {"timeout": "1d12h"}, {"timeout": "-1h"},
    {"stats": "all"}, {"lookback_delta": "5m"}, {"lookback_delta": ""}, {"unknown": "x"},
    {"dedup": "true", "time": ""},
]
LARGE = 100_000


@pytest.fixture(scope="module")
def weir(start_shared_weir):
    weir = start_shared_weir("--push.enable-utf8-names")
    create(weir, {"job": "web", "instance": "a"}, attributes={"rack": "r7"})
    for path, page in PAGES.items():
        assert weir.put(path, page).status == 200
    assert weir.put("/metrics/job/native", protobuf.body(*NATIVE), protobuf.HEADERS).status == 200
    assert weir.put("/metrics/job/bad", "m 1 1\n").status == 400
    return weir


@pytest.fixture(scope="module")
def prometheus(weir, tmp_path_factory):
    """By protobuf, so that it has native histograms, which have no other series then."""
    with peers.Prometheus(tmp_path_factory.mktemp("prometheus"), {"weir": weir.url},
                          "--enable-feature=native-histograms") as one:
        one.wait_for('http_requests_total{code="503"}')
        yield one


def encode(selector, **parameters):
    return urllib.parse.urlencode({"query": selector, **parameters})


def ask(weir, selector, **parameters):
    """The whole answer."""
    answer = weir.get(f"{QUERY}?{encode(selector, **parameters)}")
    assert answer.status == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = json.loads(answer.body)
    assert body["status"] == "success" and body["data"]["resultType"] == "vector"
    return body


def result(weir, selector, **parameters):
    return ask(weir, selector, **parameters)["data"]["result"]


def error(answer, status, error_type="bad_data"):
    """The sentence of what was refused."""
    assert answer.status == status, answer.text
    body = json.loads(answer.body)
    assert (body["status"], body["errorType"]) == ("error", error_type)
    return body["error"]


def is_own(metric):
    return metric["__name__"].startswith(("weir_", "process_", "pushgateway_"))


def values(rows, peer=None):
    """{labels: value} of the series, as written; times are left out. A Prometheus' own series are,
    too, and what it adds to those of weir's own."""
    shown = {}
    for row in rows:
        metric = dict(row["metric"])
        if peer and metric["__name__"].startswith(("up", "scrape_")):
            continue
        if peer and is_own(metric):
            assert metric.pop("job") == "weir" and metric.pop("instance")
        key = frozenset(metric.items())
        assert key not in shown, f"twice: {metric}"
        _, value = row["histogram"] if "histogram" in row else row["value"]
        shown[key] = None if is_own(metric) else json.dumps(value, sort_keys=True)
    return shown


def prometheus_result(prometheus, selector):
    answer = json.loads(prometheus.get(f"{QUERY}?{encode(selector)}"))
    return answer["data"]["result"]


def without_classic(rows):
    """Of native histograms their other series."""
    return [row for row in rows if not row["metric"]["__name__"].startswith("native_seconds_")]


def test_same_answers_as_prometheus(weir, prometheus):
    found = 0
    for selector in SELECTORS:
        wanted = values(prometheus_result(prometheus, selector), peer=True)
        assert values(without_classic(result(weir, selector))) == wanted, selector
        found += len(wanted)
    assert found > 300


@pytest.mark.smoke
def test_one_series(weir):
    before = time.time()
    answer = ask(weir, 'http_requests_total{instance="b"}')
    [row] = answer["data"]["result"]
    assert row["metric"] == {"__name__": "http_requests_total", "code": "200", "path": "/",
                             "instance": "b", "job": "web"}
    assert row["value"][1] == "7"
    assert before - 1 < row["value"][0] < time.time() + 1
    assert isinstance(row["value"][0], float)
    assert "warnings" not in answer


def test_own_series(weir):
    [info] = result(weir, "weir_build_info")
    assert info["value"][1] == "1" and info["metric"]["version"]
    [rack] = result(weir, 'target_info{rack="r7"}')
    assert rack["metric"] == {"__name__": "target_info", "job": "web", "instance": "a", "rack": "r7"}
    assert len(result(weir, "push_time_seconds")) == len(PAGES) + 2
    [failed] = result(weir, 'push_failure_time_seconds{job="bad"}')
    assert abs(float(failed["value"][1]) - time.time()) < 60
    counted = result(weir, 'pushgateway_http_requests_total{handler="api/v1/query"}')
    assert {row["metric"]["code"] for row in counted} >= {"200"}


OPENMETRICS = """\
# TYPE open counter
open_total 3 # {trace_id="a"} 1
open_created 1520872607.5
# TYPE open_range gaugehistogram
open_range_bucket{le="1.0"} 1
open_range_bucket{le="+Inf"} 2
open_range_gcount 2
open_range_gsum 3
# TYPE open_version info
open_version_info{version="1"} 1
# TYPE open_state stateset
open_state{open_state="up"} 1
# EOF
"""


def test_all_of_the_page(weir):
    """Whatever is on it can be asked for by its name, and all of it at once."""
    assert weir.put("/metrics/job/open", OPENMETRICS, OPENMETRICS_HEADERS).status == 200
    page = weir.scrape()
    assert page.value("open_range_gsum", job="open") == 3
    wanted = {frozenset({("__name__", name), *labels}) for name, labels in page.samples}
    shown = values(result(weir, '{__name__!=""}'))
    native = {key for key in shown if dict(key)["__name__"] == "native_seconds"}
    assert len(native) == 4
    assert wanted <= set(shown) - native  # requests are counted under more labels meanwhile
    for name in {name for name, _ in page.samples}:
        mine = {key for key in wanted if dict(key)["__name__"] == name}
        assert mine <= set(values(result(weir, name))), name
    weir.delete("/metrics/job/open")


def test_wrong_and_more_than_a_selector(weir, prometheus):
    with Connection(("127.0.0.1", prometheus.port)) as peer, weir.connect() as mine:
        for query in [*WRONG, *MORE]:
            theirs = peer.exchange("GET", f"{QUERY}?{encode(query)}")
            answer = mine.exchange("GET", f"{QUERY}?{encode(query)}")
            text = error(answer, 400)
            assert text.startswith('invalid parameter "query": '), text
            if query in MORE:
                assert theirs.status == 200, query
                assert "weir answers a series selector" in text, query
            else:
                assert error(theirs, 400), query


def test_parameters(weir, prometheus):
    with Connection(("127.0.0.1", prometheus.port)) as peer, weir.connect() as mine:
        for parameters in PARAMETERS:
            target = f"{QUERY}?{encode('sum', **parameters)}"
            theirs = peer.exchange("GET", target)
            answer = mine.exchange("GET", target)
            body, wanted = json.loads(answer.body), json.loads(theirs.body)
            assert (answer.status, body.get("errorType")) == (
                theirs.status, wanted.get("errorType")), (parameters, answer.text)
            if answer.status != 200:
                assert f'invalid parameter "{next(iter(parameters))}": cannot parse' in body["error"]


def test_time_is_that_of_the_answer(weir):
    """It has the latest values at any time, and says so when that is not now."""
    for given, shown in (("1795161340.637", 1795161340.637), ("1", 1), ("-1.5", -1.5),
                         ("2026-11-20T08:55:40.6379+01:00", 1795161340.637),
                         ("1795161340.6376", 1795161340.638)):
        answer = ask(weir, "sum", time=given)
        [row] = answer["data"]["result"]
        assert row["value"] == [shown, "5"], given
        [warning] = answer["warnings"]
        assert "latest values" in warning
    assert "warnings" not in ask(weir, "sum", time=f"{time.time() - 60:.3f}")
    for given in ("NaN", "Inf", "1e300", "-1e18", "0x10", "1_0", "\0", "1" * 500):
        assert "cannot parse" in error(weir.get(f"{QUERY}?{encode('sum', time=given)}"), 400)


def test_limit(weir):
    every = result(weir, "odd")
    for limit in (1, 5, len(every) - 1):
        answer = ask(weir, "odd", limit=limit, time="1")
        assert len(answer["data"]["result"]) == limit
        assert answer["warnings"][-1] == "results truncated due to limit"
        assert len(answer["warnings"]) == 2
    for limit in ("", 0, len(every), len(every) + 1, 2 ** 63 - 1):
        answer = ask(weir, "odd", limit=limit)
        assert len(answer["data"]["result"]) == len(every)
        assert "warnings" not in answer
    for limit in ("-1", "x", "1.5", 2 ** 63, " 1"):
        assert 'parameter "limit"' in error(weir.get(f"{QUERY}?{encode('odd', limit=limit)}"), 400)


def test_timeout(weir):
    assert "timeout" in error(weir.get(f"{QUERY}?{encode('odd', timeout='0s')}"), 503, "timeout")


def test_post(weir):
    form = encode('odd{kind="max"}')
    [row] = json.loads(weir.post(QUERY, form, FORM).body)["data"]["result"]
    assert row["value"][1] == "1.7976931348623157e+308"
    # The form goes first, then the URL; of several the first.
    for target, body, headers in (
            (f"{QUERY}?query=nothing", form, FORM), (f"{QUERY}?{form}", "time=1", FORM),
            (f"{QUERY}?{form}&query=nothing", "", FORM), (f"{QUERY}?{form}", "query=nothing", {}),
            (QUERY, form, {"Content-Type": "application/X-WWW-form-urlencoded; charset=utf-8"}),
            (QUERY, gzip.compress(form.encode()), {**FORM, "Content-Encoding": "gzip"}),
            (f"{QUERY}?%71u%65ry=odd%7Bkind%3D'max'%7D", "", {}),
            (f"{QUERY}?&=&query&x=%zz&%zz=1&quer=1&queryy=2", form, FORM)):
        answer = weir.post(target, body, headers)
        assert answer.status == 200, answer.text
        assert len(json.loads(answer.body)["data"]["result"]) == 1, (target, body)
    assert "form" in error(weir.post(QUERY, form, {"Content-Type": "application/json"}), 400)
    assert "escape" in error(weir.post(QUERY, "query=%zz", FORM), 400)
    error(weir.post(QUERY, "no gzip", {**FORM, "Content-Encoding": "gzip"}), 400)
    error(weir.post(QUERY, "a=" + "b" * 1048576, FORM), 413)
    bomb = gzip.compress(b"a" * 4_000_000)
    error(weir.post(QUERY, bomb, {**FORM, "Content-Encoding": "gzip"}), 413)


def test_names_in_quotes(weir, prometheus):
    weir.put("/metrics/job/quoted", '{"my.name","my.label"="a b",b="c"} 2\n'
             '{"\u03c0",x="\\"\\\\"} 3\n')
    rows = result(weir, '{"my.name"}')
    assert rows == result(weir, '{"my.name","my.label"="a b"}', time=rows[0]["value"][0])
    assert rows[0]["metric"] == {"__name__": "my.name", "my.label": "a b", "b": "c", "job": "quoted"}
    assert result(weir, '{__name__="\u03c0"}')[0]["metric"]["x"] == '"\\'
    assert result(weir, '{"my.label"!="",job="quoted"}')[0]["metric"]["__name__"] == "my.name"
    assert result(weir, "my_name") == []
    [(labels, value)] = prometheus.wait_for("my_name")
    assert (labels["my_label"], value) == ("a b", rows[0]["value"][1])


def test_pages_elsewhere_and_headers(weir):
    """Browsers, caches and a body that is compressed."""
    target = f"{QUERY}?{encode('odd')}"
    answer = weir.get(target, {"Accept-Encoding": "gzip", "Origin": "http://example.org"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(answer.body))["data"]["result"]) == 13
    refused = weir.get(f"{QUERY}?query=1")
    assert refused.headers["access-control-allow-origin"] == "*"
    assert weir.request("OPTIONS", QUERY).status == 200
    for method in ("PUT", "DELETE", "PATCH"):
        answer = weir.request(method, QUERY)
        assert (answer.status, answer.headers["allow"]) == (405, "GET, OPTIONS, POST")


def test_shadowed_are_not_answered(start_weir):
    weir = start_weir("--push.disable-consistency-check", "--targets.url=none")
    weir.put("/metrics/job/j", "m 1\n")
    weir.put("/metrics/job/j/a/b", 'm{a=""} 2\n')
    weir.put("/metrics/job/k", "# TYPE m counter\nm 3\n")
    page = weir.scrape()
    shown = {frozenset({("__name__", name), *labels}): json.dumps(value)
             for (name, labels), value in page.samples.items() if name == "m"}
    assert values(result(weir, "m")) == shown
    assert len(shown) == 2


def test_expression_that_takes_too_long(weir):
    weir.put("/metrics/job/slow", f'slow{{value="{"x" * 2000}"}} 1\n')
    try:
        answer = weir.get(f"{QUERY}?{encode('slow{value=~`(x+)+[yz]`}')}")
        assert "too many steps" in error(answer, 422, "execution")
        assert len(result(weir, 'slow{value=~"x+"}')) == 1
    finally:
        weir.delete("/metrics/job/slow")


def test_below_a_prefix_and_with_users(start_weir, tmp_path):
    hashed = "$2y$05$f5wj0NCWV8vE0hxEcL.xBu7jrR8ntfWNP48V3TzSF/Q7KyhLCJ3Kq"
    config = tmp_path / "web.yml"
    config.write_text(f'basic_auth_users:\n  alice: "{hashed}"\n')
    weir = start_weir("--web.route-prefix=/in/side", f"--web.config.file={config}")
    assert weir.get(f"/in/side{QUERY}?query=weir_build_info").status == 401
    weir = start_weir("--web.route-prefix=/in/side")
    assert weir.get(f"/in/side{QUERY}?query=weir_build_info").status == 200
    assert weir.get(f"{QUERY}?query=weir_build_info").status == 404
    moved = weir.post(f"/in/side{QUERY}/?query=weir_build_info")
    assert (moved.status, moved.headers["location"]) == (
        307, f"/in/side{QUERY}?query=weir_build_info")


def push_on(weir, stop):
    """Small pushes on a connection; how many there were, and the longest wait for one."""
    count, longest = 0, 0
    with weir.connect() as connection:
        while not stop:
            before = time.monotonic()
            body = f"# TYPE tick gauge\ntick {count}\n".encode()
            assert connection.exchange("PUT", "/metrics/job/tick", body).status == 200
            longest = max(longest, time.monotonic() - before)
            count += 1
    return count, longest


def test_large_store_while_pushes_go_on(start_weir):
    """All or nothing of each push that comes meanwhile, and pushes go on."""
    weir = start_weir("--state.url=none", "--targets.url=none")
    groups = 10
    for group in range(groups):
        body = "".join(f'big{{n="{number}"}} 1\n' for number in range(LARGE // groups))
        assert weir.put(f"/metrics/job/big/group/{group}", body).status == 200
    stop = []
    with ThreadPoolExecutor(2) as pool:
        pushing = pool.submit(push_on, weir, stop)
        try:
            every = json.loads(curl(f"{weir.url}{QUERY}?query=big"))["data"]["result"]
            [one] = result(weir, 'big{group="3",n="17"}')
            cut = json.loads(curl(
                f"{weir.url}{QUERY}?{encode('{__name__=~`b.g`}', limit=LARGE - 1)}", "--compressed"))
            begun = wait_for(lambda: result(weir, "tick"), "it is pushed")
        finally:
            stop.append(True)
        count, longest = pushing.result()
    assert len({(row["metric"]["group"], row["metric"]["n"]) for row in every}) == LARGE
    assert one["value"][1] == "1" and begun
    assert len(cut["data"]["result"]) == LARGE - 1
    assert cut["warnings"] == ["results truncated due to limit"]
    print(f"{count} pushes, the slowest took {longest:.3f} s")
    assert count > 0


def test_reader_who_leaves(start_weir):
    """A large answer that nobody reads to its end costs nothing afterwards."""
    weir = start_weir("--state.url=none", "--targets.url=none")
    body = "".join(f'big{{n="{number}"}} 1\n' for number in range(50000))
    weir.put("/metrics/job/big", body)
    for _ in range(3):
        with weir.connect(receive_buffer=4096) as connection:
            connection.request("GET", f"{QUERY}?query=big")
            connection.socket.recv(100)
    assert weir.put("/metrics/job/big", "small 1\n").status == 200
    assert len(result(weir, '{job="big",__name__!~"push.*"}')) == 1


def test_requests_behind_one_another(weir):
    """In their order, on one connection."""
    with weir.connect() as connection:
        for kind in ("nan", "inf", "max"):
            connection.request("GET", f"{QUERY}?{encode('odd{kind=' + json.dumps(kind) + '}')}")
        connection.request("GET", f"{QUERY}?query=1")
        connection.request("PUT", "/metrics/job/behind", "behind 1\n")
        connection.request("GET", f"{QUERY}?query=behind")
        answers = [connection.response() for _ in range(6)]
    assert [answer.status for answer in answers] == [200, 200, 200, 400, 200, 200]
    assert [json.loads(answer.body)["data"]["result"][0]["value"][1] for answer in answers[:3]] == [
        "NaN", "+Inf", "1.7976931348623157e+308"]
    assert len(json.loads(answers[5].body)["data"]["result"]) == 1
    weir.delete("/metrics/job/behind")


def test_numbers_are_prometheus_numbers(weir, prometheus):
    """As written, not only as they read."""
    wanted = {row["metric"]["kind"]: row["value"][1] for row in prometheus_result(prometheus, "odd")}
    shown = {row["metric"]["kind"]: row["value"][1] for row in result(weir, "odd")}
    assert shown == wanted
    assert shown["whole"] == "123456789012345680000" and shown["many"] == "1.5"
    assert math.copysign(1, float(shown["zero"])) == -1


def test_client_of_prometheus(weir):
    """promtool asks by Prometheus' own library for clients."""
    def promtool(query):
        done = subprocess.run(["promtool", "query", "instant", weir.url, query], text=True,
                              capture_output=True, timeout=DEADLINE, check=False)
        return done.returncode, done.stdout, done.stderr
    code, shown, _ = promtool('odd{kind=~"inf|large"}')
    assert code == 0
    assert [line.partition(" @[")[0].partition(" => ")[2] for line in shown.splitlines()] == [
        "+Inf", "1000000000000000000000"]
    code, _, said = promtool("sum(odd)")
    assert code != 0 and "weir answers a series selector" in said


def test_client_of_the_documentation(weir):
    """It prints an instance and a number."""
    [program] = re.findall(r"^```python\n(.*?)^```$", (REPOSITORY / "docs/api.md").read_text(),
                           re.M | re.S)
    program = program.replace("http://localhost:9091", weir.url)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          timeout=DEADLINE, check=True)
    assert done.stdout == "a 3.0\n"
