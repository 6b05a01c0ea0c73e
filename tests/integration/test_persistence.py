"""What was acknowledged is there again after a restart, however weir ended, as pages showed it."""

import random
import re
import time

import pytest

from exposition import OPENMETRICS_HEADERS
from harness import format_request, wait_for
from persistence import ENDINGS, everything, groups, jobs, kill, overwrite, own_metric, push

# ---- The life cycle -------------------------------------------------------------------------

MF1 = 'name: "mf1" type: UNTYPED metric { untyped { value: %s } }'
MF2 = """name: "mf2" help: "doc string 2" type: GAUGE
    metric { label { name: "basename" value: "basevalue2" } label { name: "labelname" value: "val2" }
      gauge { value: inf } }
    metric { label { name: "labelname" value: "val1" } gauge { value: -inf } }"""
MF3 = 'name: "mf3" type: UNTYPED metric { untyped { value: 42 } }'
MF4 = 'name: "mf4" type: UNTYPED metric { untyped { value: 3.4345 } }'
MF5 = 'name: "mf5" type: SUMMARY metric { summary { sample_count: 0 sample_sum: 0 } }'
MF_HIST = """name: "mf_hist" type: HISTOGRAM metric { histogram { sample_count_float: 20
    sample_sum: 99.23 schema: 1 negative_span { offset: 0 length: 2 }
    negative_span { offset: 0 length: 2 } negative_count: 2 negative_count: 2 negative_count: -2
    negative_count: 0 positive_span { offset: 0 length: 2 } positive_span { offset: 0 length: 2 }
    positive_count: 2 positive_count: 2 positive_count: -2 positive_count: 0 } }"""


@pytest.mark.smoke
@pytest.mark.parametrize("way", ENDINGS)
def test_life_cycle(kept, way):
    weir = kept.start()
    push(weir, "/metrics/job/job1/instance/instance1", MF3)
    first = groups(weir)["instance1", "job1"]
    assert set(first) == {"mf3", "push_time_seconds", "push_failure_time_seconds"}
    push(weir, "/metrics/job/job1/instance/instance2", MF1 % 1, MF2)
    push(weir, "/metrics/job/job1/instance/instance1", MF_HIST)
    second = groups(weir)["instance1", "job1"]
    assert set(second) - set(first) == {"mf_hist"}
    assert second["mf3"] == first["mf3"]
    assert second["push_time_seconds"] > first["push_time_seconds"]
    push(weir, "/metrics/job/job1/instance/instance2", MF1 % -3000)
    push(weir, "/metrics/job/job5", MF5)
    before, times = everything(weir), groups(weir)

    weir = kept.again(way)
    assert everything(weir) == before
    assert groups(weir) == times
    assert weir.delete("/metrics/job/job1/instance/instance1").status == 202
    assert weir.delete("/metrics/job/job5").status == 202
    push(weir, "/metrics/job/job3/instance/instance2", MF4)
    assert weir.delete("/metrics/job/job1").status == 202  # no such group
    assert set(groups(weir)) == {("instance2", "job1"), ("instance2", "job3")}
    assert weir.delete("/metrics/job/job3/instance/instance2").status == 202
    before = everything(weir)

    weir = kept.again(way)
    assert everything(weir) == before
    assert set(groups(weir)) == {("instance2", "job1")}


def test_what_is_pipelined_is_stored_when_it_is_answered(kept):
    """Answers come in order, so the first that is missing is the first that may be."""
    weir = kept.start()
    with weir.connect() as connection:
        connection.send(b"".join(format_request("PUT", f"/metrics/job/{number}", "m 1\n")
                                 for number in range(200)))
        for _ in range(100):
            assert connection.response().status == 200
        kill(weir)
    assert jobs(kept.start()) >= {str(number) for number in range(100)}


def test_what_was_taken_before_the_end_is_there(kept):
    weir = kept.start()
    with weir.connect() as connection:
        assert connection.exchange("PUT", "/metrics/job/first", "m 1\n").status == 200
        for number in range(10):
            connection.request("POST", f"/metrics/job/{number}", "m 1\n")
        assert connection.response().status == 200
        weir.signal()
        assert all(connection.response().status == 200 for _ in range(9))
    assert weir.wait() == 0
    assert len(groups(kept.start())) == 11


# ---- What is kept ---------------------------------------------------------------------------

RICH = r"""# TYPE c counter
# HELP c With a \\ and a\nline feed and "quotes".
c_total{a="x\"y\\z\n"} 17.000 # {trace_id="KOO5S4vxi0o"} 0.67 1520879607.789
c_created{a="x\"y\\z\n"} 1520872607.123
# TYPE h_seconds histogram
# UNIT h_seconds seconds
h_seconds_bucket{le="0.0"} 0
h_seconds_bucket{le="1.0"} 11 # {} 0.5
h_seconds_bucket{le="1e+05"} 1899
h_seconds_bucket{le="+Inf"} 2.55e+03
h_seconds_count 2.55e+03
h_seconds_sum 324789.300
h_seconds_created 1520430000.123
# TYPE s summary
s{quantile="0.95"} NaN
s_count 1
s_sum 1.0
# TYPE i info
i_info{"dotted.name"="ü",entity="controller"} 1
# TYPE st stateset
st{st="on"} 1
st{st="off"} 0
# TYPE g gaugehistogram
g_bucket{le="1.0"} 20
g_bucket{le="+Inf"} 29
g_gcount 29
g_gsum 54.5
# TYPE u unknown
u{empty=""} +Inf
# EOF
"""
TEXT = """# HELP t A \\\\ in the help.
# TYPE t gauge
t{"ö"="ä",b="2"} 1.500e+00
t -Inf
{"http.requests","http.code"="200"} 00012
# TYPE q summary
q{quantile="0.50"} 4.0
q_sum 1
q_count 2
"""


def fill_richly(weir):
    assert weir.put("/metrics/job/open", RICH, OPENMETRICS_HEADERS).status == 200
    assert weir.put("/metrics/job/text/instance/i", TEXT).status == 200
    assert weir.post("/metrics/job/text/instance/i", "later 1\n").status == 200
    push(weir, "/metrics/job/proto", MF_HIST, MF2, MF5)
    assert weir.put("/metrics/job/empty").status == 200
    assert weir.put("/metrics/job/text/instance@base64/=/zone@base64/=",
                    'z{instance="gone"} 1\n').status == 200
    assert weir.put("/metrics/job/own", 'own{instance="kept"} 1\n').status == 200
    # An order of lines that is not that of the groups.
    assert weir.post("/metrics/job/open", "later 0\n").status == 200
    assert weir.delete("/metrics/job/empty").status == 202
    # Refused: it leaves the time when it failed, with a group of its own if need be.
    assert weir.put("/metrics/job/own", "m 1 5\n").status == 400
    assert weir.put("/metrics/job/new", "m 1 5\n").status == 400
    # No refusal waits until that is durable; what comes behind them does.
    assert weir.put("/metrics/job/last", "later 3\n").status == 200


@pytest.mark.parametrize("way", ENDINGS)
def test_all_that_formats_know(kept, way):
    kept.flags = ["--push.enable-utf8-names"]
    weir = kept.start()
    fill_richly(weir)
    before = everything(weir)
    assert 'push_failure_time_seconds{instance="",job="new"} 1' in "\n".join(before["text"])
    for _ in range(2):
        weir = kept.again(way)
        assert everything(weir) == before


@pytest.mark.parametrize("way", ENDINGS)
def test_all_that_formats_know_when_it_is_written_anew(kept, way):
    """Rows die from the front; what is still needed there moves to the end."""
    kept.flags = ["--push.enable-utf8-names"]
    weir = kept.start()
    fill_richly(weir)
    before = everything(weir)
    for _ in range(3):
        overwrite(weir, 15)
        assert weir.delete("/metrics/job/churn").status == 202
        assert everything(weir) == before
        weir = kept.again(way)
        assert everything(weir) == before


def test_order_of_lines(kept):
    """Places that became free are taken by others: it is the order of no name and of no time."""
    rng = random.Random(4)
    weir = kept.start()
    for _ in range(3):
        for number in rng.sample(range(40), 30):
            weir.put(f"/metrics/job/j{number}", f"a{number % 3} 1\nb{number % 5} 1\n")
        for number in rng.sample(range(40), 15):
            weir.delete(f"/metrics/job/j{number}")
        before = everything(weir)
        weir = kept.again()
        assert everything(weir) == before


def test_unchanged_layout_after_restart(kept):
    kept.start().put("/metrics/job/j", "m 1\nn 1\n")
    weir = kept.again()
    for number in range(3):
        assert weir.put("/metrics/job/j", f"m {number}\nn 1\n").status == 200
    assert 'm{instance="",job="j"} 2' in kept.again().get("/metrics").text


# ---- Pushes that are parts of groups --------------------------------------------------------


def post(connection, number):
    body = f"# TYPE family{number % 7} gauge\nfamily{number % 7} {number}\n"
    return connection.exchange("POST", "/metrics/job/j", body).status


@pytest.mark.parametrize("count", [1, 6, 50, 300])
def test_posts_are_put_together(kept, count):
    weir = kept.start()
    weir.put("/metrics/job/j", "".join(f"stays{number} 1\n" for number in range(20)))
    with weir.connect() as connection:
        assert all(post(connection, number) == 200 for number in range(count))
    before = everything(weir)
    times = set(groups(weir)[None, "j"].values())
    assert len(times) >= min(count, 7) + 1
    weir = kept.again()
    assert everything(weir) == before
    with weir.connect() as connection:
        assert all(post(connection, number) == 200 for number in range(count, count + 3))
    before = everything(weir)
    assert everything(kept.again()) == before


def test_post_then_put_then_post(kept):
    weir = kept.start()
    weir.post("/metrics/job/j", "a 1\n")
    weir.post("/metrics/job/j", "b 1\n")
    weir.put("/metrics/job/j", "c 1\n")
    weir.post("/metrics/job/j", "a 2\n")
    weir = kept.again()
    assert set(groups(weir)[None, "j"]) == {"a", "c", "push_time_seconds", "push_failure_time_seconds"}
    weir.delete("/metrics/job/j")
    weir.post("/metrics/job/j", "b 3\n")
    weir = kept.again()
    assert set(groups(weir)[None, "j"]) == {"b", "push_time_seconds", "push_failure_time_seconds"}


def test_large_group(kept):
    """More than goes into one row."""
    weir = kept.start()
    body = "".join(f'big{family}{{n="{n:0200}"}} {n}\n' for family in range(6) for n in range(16_000))
    assert weir.put("/metrics/job/big", body).status == 200
    assert weir.post("/metrics/job/big", "small 1\n").status == 200
    before = everything(weir)["text"]
    assert len(before) > 96_000
    assert everything(kept.again())["text"] == before


# ---- What is gone stays gone ----------------------------------------------------------------


@pytest.mark.parametrize("way", ENDINGS)
def test_deleted_stays_deleted(kept, way):
    weir = kept.start()
    for number in range(5):
        weir.put(f"/metrics/job/j{number}", "m 1\n")
    assert weir.delete("/metrics/job/j1").status == 202
    assert jobs(weir := kept.again(way)) == {"j0", "j2", "j3", "j4"}
    assert weir.delete("/metrics/job/j2").status == 202
    overwrite(weir, 12)
    assert jobs(kept.again(way)) == {"j0", "j3", "j4", "churn"}


@pytest.mark.parametrize("way", ENDINGS)
def test_wiped_stays_wiped(kept, way):
    kept.flags = ["--web.enable-admin-api"]
    weir = kept.start()
    for number in range(5):
        weir.put(f"/metrics/job/j{number}", "m 1\n")
    assert weir.put("/api/v1/admin/wipe").status == 202
    assert jobs(weir := kept.again(way)) == set()
    weir.put("/metrics/job/j1", "m 1\n")
    weir.put("/api/v1/admin/wipe")
    weir.put("/metrics/job/j2", "m 1\n")
    assert jobs(kept.again(way)) == {"j2"}


@pytest.mark.parametrize("way", ENDINGS)
def test_times_to_live(kept, way):
    weir = kept.start()
    weir.put("/metrics/job/long?ttl=1h", "m 1\n")
    weir.put("/metrics/job/ended?ttl=100ms", "m 1\n")
    weir.put("/metrics/job/renewed?ttl=1h", "m 1\n")
    weir.post("/metrics/job/renewed?ttl=100ms", "n 1\n")
    weir.post("/metrics/job/renewed", "n 1\n")
    began = time.monotonic()
    weir.put("/metrics/job/short?ttl=2s", "m 1\n")
    wait_for(lambda: "ended" not in jobs(weir), "it expires")
    weir = kept.again(way)
    found = jobs(weir)
    assert found >= {"long", "renewed"} and "ended" not in found
    assert "short" in found or time.monotonic() - began > 1.9
    wait_for(lambda: jobs(weir) == {"long", "renewed"}, "it expires, after a restart too")
    assert time.monotonic() - began > 1.9
    weir = kept.again(way)
    assert jobs(weir) == {"long", "renewed"}


def test_what_ended_while_no_weir_ran(kept):
    weir = kept.start()
    weir.put("/metrics/job/stays", "m 1\n")
    weir.put("/metrics/job/ended?ttl=300ms", "m 1\n")
    answered = time.monotonic()
    kept.end()
    wait_for(lambda: time.monotonic() - answered > 0.3, "its time is over")
    weir = kept.start()
    assert jobs(weir) == {"stays"}
    assert re.search(r"state loaded.* groups=1 .*expired=1 ", weir.stderr())


# ---- What is said of it ---------------------------------------------------------------------


def test_limits_do_not_count_for_what_is_loaded(kept):
    weir = kept.start()
    for number in range(5):
        weir.put(f"/metrics/job/j{number}", "m 1\n")
    weir = kept.again("kill", "--limit.groups=3")
    assert len(groups(weir)) == 5
    assert weir.put("/metrics/job/new", "m 1\n").status == 429
    assert weir.put("/metrics/job/j1", "m 2\n").status == 200
    for number in range(3):
        weir.delete(f"/metrics/job/j{number}")
    assert weir.put("/metrics/job/new", "m 1\n").status == 200


def test_what_was_loaded_is_told(kept):
    weir = kept.start()
    for number in range(5):
        weir.put(f"/metrics/job/j{number}", "m 1\n")
    weir = kept.again()
    log = weir.stderr()
    assert re.search(r"state loaded.* groups=5 series=5 bytes=\d+ expired=0 unreadable=0 seconds=", log), log
    assert own_metric(weir, "weir_state_groups_loaded") == 5
    assert own_metric(weir, "weir_state_records_set_aside") == 0
    assert own_metric(weir, "weir_state_commit_failures_total") == 0


def test_nothing_changed(kept):
    weir = kept.start()
    weir.put("/metrics/job/j", "m 1\n")
    before = everything(weir)
    kept.end("stop")
    rows = kept.rows()
    for _ in range(3):
        assert everything(kept.start()) == before
        kept.end("stop")
    assert len(rows) == 1 and kept.rows() == rows


def test_disk_is_bounded(kept):
    """However often it is pushed, however large, and started anew."""
    weir = kept.start()
    weir.put("/metrics/job/j", "m 1\n")
    for _ in range(4):
        overwrite(weir, 25)  # 2.5 MB, of which 100 KB are needed
        weir = kept.again("stop")
        assert kept.database.stat().st_size < 2_500_000
        assert len(kept.rows()) < 15
    assert jobs(weir) == {"j", "churn"}
