"""Wiping, the JSON of all groups, and pushing with the checks off."""

import json
import time

import pytest

from harness import wait_for
from peers import promtool


@pytest.mark.smoke
def test_wipe(weir):
    for group in range(50):
        weir.put(f"/metrics/job/j/instance/{group}", "m 1\n")
    assert weir.request("PUT", "/api/v1/admin/wipe").status == 202
    wait_for(lambda: weir.scrape().pushed() == [], "all groups go")
    assert weir.put("/metrics/job/j", "# TYPE m counter\nm 1\n").status == 200
    assert weir.scrape().value("m", job="j") == 1


def test_wipe_is_one_step(weir):
    """Not a deletion for each group: what comes right behind it sees none of them."""
    with weir.connect() as connection:
        for first in range(0, 2000, 20):
            for group in range(first, first + 20):
                connection.request("PUT", f"/metrics/job/j/instance/{group}", "m 1\n")
            for _ in range(20):
                assert connection.response().status == 200
        connection.request("PUT", "/api/v1/admin/wipe")
        connection.request("GET", "/api/v1/metrics")
        assert connection.response().status == 202
        assert connection.response().text == '{"status":"success","data":[]}'


def test_wipe_is_off_by_default(start_weir):
    weir = start_weir()
    weir.put("/metrics/job/j", "m 1\n")
    assert weir.request("PUT", "/api/v1/admin/wipe").status == 404
    assert weir.scrape().value("m", job="j") == 1


def test_push_right_behind_a_wipe_stays(weir):
    weir.put("/metrics/job/j", "old 1\n")
    with weir.connect() as connection:
        connection.request("PUT", "/api/v1/admin/wipe")
        connection.request("PUT", "/metrics/job/j", "new 1\n")
        assert connection.response().status == 202
        assert connection.response().status == 200
    wait_for(lambda: weir.scrape().value("old", job="j") is None, "the old group goes")
    assert weir.scrape().value("new", job="j") == 1


def groups_of(weir):
    answer = weir.get("/api/v1/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    parsed = json.loads(answer.text)
    assert parsed["status"] == "success"
    return parsed["data"]


def test_json_of_nothing(weir):
    assert weir.get("/api/v1/metrics").text == '{"status":"success","data":[]}'


def test_json_of_groups(weir):
    weir.put("/metrics/job/j/zone/z", (
        '# HELP c Counted <things>.\n# TYPE c counter\nc{a="b"} 3\n'
        '# TYPE h histogram\nh_bucket{le="0.1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\n'
        '# TYPE s summary\ns{quantile="0.5"} 1\ns_sum 3\ns_count 4\nu 1\n'))
    [group] = groups_of(weir)
    labels = {"job": "j", "zone": "z", "instance": ""}
    assert group["labels"] == {"job": "j", "zone": "z"}
    assert group["last_push_successful"] is True
    assert (group["c"]["type"], group["c"]["help"]) == ("COUNTER", "Counted <things>.")
    assert group["c"]["metrics"] == [{"labels": {"a": "b", **labels}, "value": "3"}]
    assert group["h"]["metrics"] == [{
        "buckets": {"0.1": "1", "+Inf": "2"}, "count": "2", "labels": labels, "sum": "3"}]
    assert group["s"]["metrics"] == [{
        "count": "4", "labels": labels, "quantiles": {"0.5": "1"}, "sum": "3"}]
    assert group["u"]["type"] == "UNTYPED"
    assert "help" not in group["u"]
    assert float(group["push_time_seconds"]["metrics"][0]["value"]) == pytest.approx(
        time.time(), abs=60)


def test_metrics_do_not_replace_what_the_json_says_of_a_group(weir):
    """A family called labels, say: a Pushgateway shows it where the grouping labels belong."""
    weir.put("/metrics/job/j", "labels 1\nlast_push_successful 0\nm 1\n")
    [group] = groups_of(weir)
    assert group["labels"] == {"job": "j"}
    assert group["last_push_successful"] is True
    assert group["m"]["metrics"][0]["value"] == "1"
    assert weir.scrape().value("labels", job="j") == 1


def test_json_shows_the_failed_push(weir):
    weir.put("/metrics/job/j", "m 1 1000\n")
    [group] = groups_of(weir)
    assert group["last_push_successful"] is False


@pytest.fixture
def unchecked(start_weir):
    return start_weir("--push.disable-consistency-check")


def test_unchecked_push_is_202(unchecked):
    assert unchecked.put("/metrics/job/j", "m 1\n").status == 202
    assert unchecked.put("/metrics/job/j", "m one\n").status == 400
    assert unchecked.put("/metrics/job/j", "m 2 1000\n").status == 202
    assert unchecked.scrape().value("m", job="j") == 1


def test_unchecked_conflicts_are_kept_but_not_shown(unchecked):
    """Whatever is pushed, the page stays one that Prometheus and promtool take."""
    pushes = [
        ("/metrics/job/a", "# TYPE m counter\nm 1\n"),
        ("/metrics/job/b", "# TYPE m gauge\nm 2\n"),
        ("/metrics/job/a/zone/z", "n 1\n"),
        ("/metrics/job/a", '# TYPE m counter\nm 1\nn{zone="z"} 2\n'),
        ("/metrics/job/c", "h_count 1\n"),
        ("/metrics/job/d", '# TYPE h histogram\nh_bucket{le="1"} 1\nh_count 1\n'),
        ("/metrics/job/e", "twice 1\ntwice 2\n"),
    ]
    for target, body in pushes:
        assert unchecked.put(target, body).status == 202
    page = unchecked.scrape()
    fatal, remarks = promtool(page.text)
    assert not fatal, remarks
    assert page.families["m"].type == "counter"
    assert page.value("m", job="b") is None
    assert page.total("weir_shadowed_blocks") > 0


def test_shadowed_block_appears_when_the_other_goes(unchecked):
    unchecked.put("/metrics/job/a", "# TYPE m counter\nm 1\n")
    unchecked.put("/metrics/job/b", "# TYPE m gauge\nm 2\n")
    unchecked.delete("/metrics/job/a")
    wait_for(lambda: unchecked.scrape().value("m", job="b") == 2, "the other is shown")
    assert unchecked.scrape().families["m"].type == "gauge"
