"""A real Prometheus scrapes weir and answers queries for what was pushed."""

import pytest

import peers

ODD_VALUES = {
    "utf8": "Ünïcödé ☃ 東京",
    "quotes": 'say "hello"',
    "backslash": r"C:\dir\new",
    "newline": "first\nsecond",
    "spaces": "  a  b  ",
    "braces": "{a=\"b\"} 1",
    "comma": "a,b=c",
}


@pytest.fixture(scope="module")
def server(shared_weir, tmp_path_factory):
    """One Prometheus for all: it takes five seconds to begin with its first scrape."""
    with peers.Prometheus(tmp_path_factory.mktemp("prometheus"), {"weir": shared_weir.url}) as one:
        yield one


def escape(value):
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


@pytest.mark.smoke
def test_pushed_series_are_answered(shared_weir, server):
    shared_weir.put("/metrics/job/backup/instance/db1", "# TYPE runs counter\nruns 3\n")
    [(labels, value)] = server.wait_for("runs")
    assert labels == {"__name__": "runs", "instance": "db1", "job": "backup"}
    assert value == "3"
    assert server.wait_for('up{job="weir"}')[0][1] == "1"


def test_odd_label_values_arrive_unchanged(shared_weir, server):
    for kind, value in ODD_VALUES.items():
        body = f'odd{{kind="{kind}",value="{escape(value)}"}} 1\n'
        assert shared_weir.put(f"/metrics/job/{kind}", body).status == 200
    server.wait_for("odd")
    answered = {labels["kind"]: labels["value"] for labels, _ in server.query("odd")}
    assert answered == ODD_VALUES


def test_odd_grouping_values_arrive_unchanged(shared_weir, server):
    shared_weir.put("/metrics/job/a%22b%5Cc%0Ad/instance@base64/0Y_QsNGA", "odd_group 1\n")
    [(labels, _)] = server.wait_for("odd_group")
    assert (labels["job"], labels["instance"]) == ('a"b\\c\nd', "\u044f\u0430\u0440")


def test_histogram_and_summary_can_be_evaluated(shared_weir, server):
    shared_weir.put("/metrics/job/j", (
        '# TYPE h histogram\nh_bucket{le="1"} 5\nh_bucket{le="2"} 10\nh_sum 12\nh_count 10\n'
        '# TYPE s summary\ns{quantile="0.5"} 7\ns_sum 70\ns_count 10\n'))
    assert server.wait_for("histogram_quantile(0.5, h_bucket)")[0][1] == "1"
    assert server.query('s{quantile="0.5"}')[0][1] == "7"
    assert server.query("s_sum / s_count")[0][1] == "7"


def test_node_exporter_pages_are_told_apart_by_instance(shared_weir, server, node_exporter):
    for instance in ("a", "b", "c"):
        shared_weir.put(f"/metrics/job/node/instance/{instance}", node_exporter.page())
    server.wait_for('count(node_uname_info{job="node"}) == 3')
    load = server.query('node_load1{job="node"}')
    assert {labels["instance"] for labels, _ in load} == {"a", "b", "c"}


def test_no_poison_breaks_its_scrapes(shared_weir, server):
    shared_weir.put("/metrics/job/x", "steady 1\n")
    server.wait_for("steady")
    shared_weir.put("/metrics/job/x/instance@base64/=", "m 1\n")
    shared_weir.put("/metrics/job/x%FF", "m 1\n")
    shared_weir.put("/metrics/job/q/le/1", '# TYPE h histogram\nh_bucket{le="1"} 1\nh_count 1\n')
    shared_weir.put("/metrics/job/q",
                    '# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="1"} 1\n')
    shared_weir.put("/metrics/job/last", "# TYPE last gauge\nlast 1\n")
    server.wait_for("last")
    target = server.target("weir")
    assert (target["health"], target["lastError"]) == ("up", "")
    assert server.query('min_over_time(up{job="weir"}[1m])')[0][1] == "1"


def test_deleted_group_goes_stale(shared_weir, server):
    shared_weir.put("/metrics/job/gone", "leaving 1\n")
    server.wait_for("leaving")
    shared_weir.delete("/metrics/job/gone")
    server.wait_for("absent(leaving)")
