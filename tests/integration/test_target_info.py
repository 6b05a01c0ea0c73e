"""What weir says on the page about targets, beside what they push."""

import time

import pytest

import peers
from harness import wait_for
from targets import TARGETS, create, data, wait_until_read

OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0"}


def lines(weir, name, page="/metrics", headers=None):
    return [line for line in weir.get(page, headers).text.splitlines()
            if line.startswith(name + "{")]


@pytest.mark.smoke
def test_attributes_are_a_series(weir):
    target = create(weir, {"job": "j", "instance": "i"}, attributes={"rack": "r\"1", "z": ""})
    create(weir, {"job": "nothing"}, attributes={"z": ""})
    line = 'target_info{instance="i",job="j",rack="r\\"1",z=""} 1'
    assert lines(weir, "target_info") == [line]
    page = weir.get("/metrics").text
    assert "# TYPE target_info gauge\n" in page
    assert not peers.promtool(page)[0]
    assert lines(weir, "target_info", headers=OPENMETRICS) == [line]
    data(weir.request("PATCH", f"{TARGETS}/{target['id']}", '{"enabled": false}'))
    assert lines(weir, "target_info") == []


def test_page_of_the_target_has_it(weir):
    create(weir, {"job": "j", "instance": "i"}, attributes={"rack": "r1"})
    create(weir, {"job": "k"}, attributes={"rack": "r2"}, mode="virtual")
    weir.put("/metrics/job/j/instance/i", "m 1\n")
    assert lines(weir, "target_info", "/metrics/target/job/j/instance/i") == [
        'target_info{instance="i",job="j",rack="r1"} 1']
    assert weir.get("/metrics/target/job/k").text == (
        "# HELP target_info What is known of targets, as their attributes.\n"
        "# TYPE target_info gauge\n"
        'target_info{instance="",job="k",rack="r2"} 1\n')


@pytest.mark.parametrize("body", [
    "target_info 1\n", "# TYPE target_info gauge\ntarget_info{rack=\"r1\"} 1\n",
    "target_info{version=\"2\"} 1\n",
])
def test_it_gives_way_to_a_pushed_one(weir, body):
    for instance in "ab":
        create(weir, {"job": "j", "instance": instance}, attributes={"rack": "r1"})
    assert weir.put("/metrics/job/j/instance/a", body).status == 200
    shown = lines(weir, "target_info")
    assert len(shown) == 2
    assert 'target_info{instance="b",job="j",rack="r1"} 1' in shown
    assert not peers.promtool(weir.get("/metrics").text)[0]
    weir.delete("/metrics/job/j/instance/a")
    assert len(lines(weir, "target_info")) == 2


def test_it_gives_way_to_another_type(weir):
    create(weir, {"job": "j"}, attributes={"rack": "r1"})
    for kind, body in {"counter": "target_info 5\n", "histogram": (
            'target_info_bucket{le="+Inf"} 1\ntarget_info_sum 1\ntarget_info_count 1\n')}.items():
        response = weir.put("/metrics/job/other", f"# TYPE target_info {kind}\n{body}")
        assert response.status == 200, response.text
        page = weir.get("/metrics").text
        assert f"# TYPE target_info {kind}\n" in page and "rack" not in page
        assert not peers.promtool(page)[0]
    weir.delete("/metrics/job/other")
    assert len(lines(weir, "target_info")) == 1
    assert "# TYPE target_info gauge\n" in weir.get("/metrics").text


def test_pushed_as_info(weir):
    create(weir, {"job": "j"}, attributes={"rack": "r1"})
    weir.put("/metrics/job/k", '# TYPE target info\ntarget_info{v="1"} 1\n# EOF\n',
             {"Content-Type": "application/openmetrics-text; version=1.0.0"})
    page = weir.get("/metrics", OPENMETRICS).text
    assert "# TYPE target info\n" in page
    assert lines(weir, "target_info", headers=OPENMETRICS) == [
        'target_info{instance="",job="j",rack="r1"} 1', 'target_info{instance="",job="k",v="1"} 1']


def test_attributes_of_one_are_labels_of_another(weir):
    create(weir, {"job": "j"}, attributes={"x": "1", "y": "2"})
    create(weir, {"job": "j", "x": "1"}, attributes={"y": "2"})
    assert lines(weir, "target_info") == ['target_info{instance="",job="j",x="1",y="2"} 1']


def test_protobuf_has_it(weir):
    create(weir, {"job": "j"}, attributes={"rack": "r1"})
    page = weir.get("/metrics", {"Accept": (
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
        "encoding=delimited")})
    assert b"target_info" in page.body and b"rack" in page.body


def test_silent_targets_are_a_series(weir):
    target = create(weir, {"job": "j", "instance": "i"}, interval="1ms")
    create(weir, {"job": "learnt"})
    weir.put("/metrics/job/j/instance/i", "m 1\n")
    wait_for(lambda: lines(weir, "weir_target_silent") == [
        'weir_target_silent{instance="i",job="j"} 1'], "silence")
    data(weir.request("PATCH", f"{TARGETS}/{target['id']}", '{"interval": "1h"}'))
    assert lines(weir, "weir_target_silent") == []
    create(weir, {"job": "never"}, interval="1ms")
    wait_for(lambda: lines(weir, "weir_target_silent") == [
        'weir_target_silent{instance="",job="never"} 1'], "silence of what never pushed")


def test_when_a_target_was_last_seen(weir):
    create(weir, {"job": "j"}, interval="1h")
    create(weir, {"job": "learnt"}, attributes={"a": "b"})
    create(weir, {"job": "off"}, interval="1h", enabled=False)
    for mode in ("virtual", "pull", "static", "dns"):  # nobody waits for these
        create(weir, {"job": mode}, interval="1h", mode=mode, address="127.0.0.1:1")
    name = "weir_target_last_seen_time_seconds"
    assert lines(weir, name) == [f'{name}{{instance="",job="j"}} 0.000']
    weir.put("/metrics/job/j", "m 1\n")
    assert abs(weir.scrape().value(name, job="j") - time.time()) < 60
    page = weir.get("/metrics/target/job/j").text
    assert f'{name}{{instance="",job="j"}} ' in page and "m{" in page


def test_group_about_to_expire(weir):
    """Pushed again and again, since on a busy machine the moment may pass unseen."""
    name = "weir_target_expires_time_seconds"
    wait_until_read(weir)
    create(weir, {"job": "j", "instance": "i"}, interval="1ms")
    create(weir, {"job": "seldom"}, interval="1h")

    def seen():
        weir.put("/metrics/job/seldom?ttl=1s", "m 1\n")
        weir.put("/metrics/job/j/instance/i?ttl=1s", "m 1\n")
        while weir.scrape().value("m", job="j", instance="i"):
            shown = lines(weir, name)
            if shown:
                return shown
        return None

    line, = wait_for(seen, "it is about to expire")
    series, _, value = line.rpartition(" ")
    assert series == name + '{instance="i",job="j"}'
    assert abs(float(value) - time.time()) < 10
    weir.put("/metrics/job/j/instance/i?ttl=1h", "m 1\n")
    assert lines(weir, name) == []
    assert lines(weir, name, "/metrics/target/job/j/instance/i") == []
