"""A real Prometheus has its targets from weir."""

import time

import pytest

import peers
from harness import wait_for
from targets import TARGETS, create, data

ODD = {"job": "odd", "instance": "a/b ä\"\\\n", "path": ".."}


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    with peers.NodeExporter(tmp_path_factory.mktemp("node_exporter")) as one:
        yield one


@pytest.fixture(scope="module")
def server(shared_weir, other, tmp_path_factory):
    """With what most tests are about: Prometheus takes up changes every five seconds only."""
    for instance in ("one", "two"):
        create(shared_weir, {"job": "virtual", "instance": instance}, mode="virtual")
    for extra in ("x", "y"):
        create(shared_weir, {"job": "same", "instance": "i", "extra": extra}, mode="virtual")
    create(shared_weir, {"job": "slow", "instance": "i"}, mode="virtual", scrape_interval="7s",
           scrape_timeout="3s")
    create(shared_weir, {"job": "quiet", "instance": "i"}, interval="1h")
    create(shared_weir, {"job": "pulled", "instance": "here"}, mode="pull",
           address=shared_weir.url.partition("://")[2])
    create(shared_weir, {"job": "pulled", "instance": "there"}, mode="pull",
           address=f"127.0.0.1:{other.port}")
    create(shared_weir, ODD, mode="virtual")
    with peers.Prometheus(tmp_path_factory.mktemp("prometheus"), {},
                          discovered={"weir": f"{shared_weir.url}/api/v1/sd"}) as one:
        yield one


def up(server, **labels):
    """The up of each target with these labels: {instance: value}."""
    selector = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return {labels["instance"]: value for labels, value in server.query(f"up{{{selector}}}")}


def is_target(server, job):
    return server.target(job) is not None


@pytest.mark.smoke
def test_virtual_targets_have_an_up_each(server):
    wait_for(lambda: up(server, job="virtual") == {"one": "1", "two": "1"}, "two series")
    wait_for(lambda: len(server.query('up{job="same"}')) == 2, "two series of one instance")


def test_created_target_is_scraped_and_a_disabled_one_leaves(shared_weir, server):
    target = create(shared_weir, {"job": "made", "instance": "i"}, interval="1h")
    began = time.monotonic()
    wait_for(lambda: up(server, job="made") == {"i": "0"}, "it never pushed, so it is down")
    shared_weir.put("/metrics/job/made/instance/i", "pushed_value 7\n")
    wait_for(lambda: up(server, job="made") == {"i": "1"}, "it pushed")
    assert server.wait_for('pushed_value{job="made"}')[0] == (
        {"__name__": "pushed_value", "job": "made", "instance": "i"}, "7")
    print(f"scraped after {time.monotonic() - began:.2f} s")
    data(shared_weir.post(f"{TARGETS}/{target['id']}/disable"))
    wait_for(lambda: not is_target(server, "made"), "it left")
    wait_for(lambda: up(server, job="made") == {}, "its up is stale")


def test_silent_target_is_down(shared_weir, server):
    [target] = data(shared_weir.get(f"{TARGETS}?job=quiet"))["targets"]
    shared_weir.put("/metrics/job/quiet/instance/i", "m 1\n")
    wait_for(lambda: up(server, job="quiet") == {"i": "1"}, "it is up")
    data(shared_weir.request("PATCH", f"{TARGETS}/{target['id']}", '{"interval": "1ms"}'))
    wait_for(lambda: up(server, job="quiet") == {"i": "0"}, "it is down")
    [(labels, _)] = server.query('up{job="quiet"}')
    assert labels["instance"] == "i"


def test_exactly_one_pulled_target_is_down(server, other):
    wait_for(lambda: up(server, job="pulled") == {"here": "1", "there": "1"}, "both are up")
    other.stop()
    wait_for(lambda: up(server, job="pulled") == {"here": "1", "there": "0"}, "one is down")


def test_interval_of_a_target(server):
    wait_for(lambda: is_target(server, "slow"), "it is a target")
    target = server.target("slow")
    assert (target["scrapeInterval"], target["scrapeTimeout"]) == ("7s", "3s")
    assert target["discoveredLabels"]["__meta_weir_target_mode"] == "virtual"


def test_odd_names_arrive(shared_weir, server):
    shared_weir.put("/metrics/job/odd/instance@base64/YS9iIMOkIlwK/path@base64/Li4", "odd_one 1\n")
    [(labels, _)] = server.wait_for("odd_one")
    assert labels == {**ODD, "__name__": "odd_one"}
    [(labels, value)] = server.query('up{job="odd"}')
    assert (labels, value) == ({**ODD, "__name__": "up"}, "1")
