"""Targets: who pushes, as weir remembers it."""

import json

import pytest

from harness import wait_for
from redis_servers import RedisServer
from replicas import Replicas
from takeovers import Succession
from targets import TARGETS, data

FIELDS = ("pushes", "state", "source")


def count(weir, state):
    return weir.scrape().value("weir_targets", state=state)


@pytest.mark.smoke
def test_pushes_make_targets(weir):
    for instance in "ab":
        weir.put(f"/metrics/job/j/instance/{instance}", "m 1\n")
        weir.put(f"/metrics/job/j/instance/{instance}", "m 2\n")
    assert count(weir, "active") == 2
    weir.delete("/metrics/job/j/instance/a")
    assert (count(weir, "active"), count(weir, "expired")) == (1, 1)


def test_only_known_targets(start_weir):
    weir = start_weir("--targets.register=known")
    response = weir.put("/metrics/job/j", "m 1\n")
    assert (response.status, "only known ones may push" in response.text) == (403, True)
    page = weir.scrape()
    assert page.value("weir_push_rejected_total", reason="target") == 1
    assert page.value("weir_groups") == 0


def test_too_many_targets(start_weir):
    weir = start_weir("--targets.limit=2")
    for instance in "abc":
        assert weir.put(f"/metrics/job/j/instance/{instance}", "m 1\n").status == 200
    page = weir.scrape()
    assert page.value("weir_targets", state="active") == 2
    assert page.value("weir_targets_refused_total") == 1
    assert page.value("weir_groups") == 3


def test_over_a_restart(kept):
    kept.start().put("/metrics/job/j", "m 1\n")
    again = kept.again("stop")
    wait_for(lambda: count(again, "active") == 1, "the target of a group that is kept")


def test_over_a_takeover(tmp_path):
    """It is as old for the new weir as it was for the old one."""
    weir = Succession(tmp_path / "weir")

    def last_seen():
        answer = connection.exchange("GET", TARGETS)
        [target] = json.loads(answer.body)["data"]["targets"]
        return target["last_seen"], target["state"]

    try:
        with weir.connect() as connection:
            connection.exchange("PUT", "/metrics/job/j", "m 1\n")
            before = last_seen()
            weir.signal()
            assert last_seen() == before
    finally:
        weir.stop()


def test_all_replicas_know_who_pushes(tmp_path):
    """A push to one of them is a sign of life for all; only the one that took it knows from where."""
    def seen(weir, job):
        [target] = data(weir.get(f"{TARGETS}?job={job}"))["targets"] or [dict.fromkeys(FIELDS)]
        return tuple(target[field] for field in FIELDS)

    with RedisServer(tmp_path / "redis") as redis, Replicas(tmp_path, redis.url, 2) as replicas:
        a, b = (replica.weir for replica in replicas)
        for weir, value in ((a, 1), (b, 2), (a, 3)):
            weir.put("/metrics/job/j", f"m {value}\n")
            replicas.settle()  # what comes behind a newer push of its own, none counts
        wait_for(lambda: seen(a, "j") == seen(b, "j") == (3, "active", "127.0.0.1"), "all pushes")
        a.put("/metrics/job/k", "m 1\n")
        wait_for(lambda: seen(b, "k") == (1, "active", ""), "a push to the other")
        a.delete("/metrics/job/k")
        wait_for(lambda: seen(b, "k") == (1, "expired", ""), "its end")
        replicas[1].stop()
        b = replicas[1].start()
        replicas.wait_until_ready()
        wait_for(lambda: seen(b, "j") == (1, "active", "127.0.0.1"), "its own push is kept")
