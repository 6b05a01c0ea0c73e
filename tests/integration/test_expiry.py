"""Groups go when their time is over, and only then."""

import time

import pytest

from harness import in_time, wait_for


def gone(weir, job):
    return all(("job", job) not in labels for labels in weir.scrape().groups())


def wait_until_gone(weir, job):
    wait_for(lambda: gone(weir, job), f"group {job} expires")


def lives(weir, job, push):
    """For how long what push() makes is there, at least."""
    began = time.monotonic()
    assert push().status == 200
    wait_until_gone(weir, job)
    return time.monotonic() - began


def expired(page):
    return page.total("weir_groups_expired_total")


def test_nothing_expires_unasked(weir):
    weir.put("/metrics/job/j", "m 1\n")
    weir.put("/metrics/job/short?ttl=200ms", "m 1\n")
    wait_for(lambda: gone(weir, "short"), "the short one expires")
    assert weir.scrape().value("m", job="j") == 1


@pytest.mark.smoke
def test_query(weir):
    before = expired(weir.scrape())
    assert lives(weir, "j", lambda: weir.put("/metrics/job/j?ttl=1s", "m 1\n")) >= 1
    page = weir.scrape()
    assert page.pushed() == []
    assert expired(page) == before + 1


def test_header(weir):
    assert lives(weir, "j", lambda: weir.put("/metrics/job/j", "m 1\n", {"Weir-TTL": "1s"})) >= 1


def test_query_wins_over_header(weir):
    weir.put("/metrics/job/j?ttl=500ms", "m 1\n", {"Weir-TTL": "1h"})
    wait_until_gone(weir, "j")


def test_default(start_weir):
    weir = start_weir("--group.ttl=700ms")
    weir.put("/metrics/job/long?ttl=1h", "m 1\n")
    assert lives(weir, "j", lambda: weir.put("/metrics/job/j", "m 1\n")) >= 0.7
    assert not gone(weir, "long")


def test_cap_applies_to_all(start_weir):
    weir = start_weir("--group.ttl-max=700ms")
    weir.put("/metrics/job/silent", "m 1\n")
    weir.put("/metrics/job/greedy?ttl=1h", "m 1\n")
    weir.put("/metrics/job/header", "m 1\n", {"Weir-TTL": "24h"})
    for job in ("silent", "greedy", "header"):
        wait_until_gone(weir, job)


def test_success_extends_and_sets_anew(weir):
    def extend():
        weir.put("/metrics/job/j?ttl=600ms", "m 1\n")
        weir.put("/metrics/job/marker?ttl=900ms", "m 1\n")
        weir.post("/metrics/job/j?ttl=1h", "")

    in_time(0.6, extend)
    wait_until_gone(weir, "marker")
    assert weir.scrape().value("m", job="j") == 1
    weir.post("/metrics/job/j?ttl=300ms", "")
    wait_until_gone(weir, "j")


@pytest.mark.parametrize("body", ["m 2 1000\n", "m 1\nm 1\n", "m one\n"])
def test_failed_push_does_not_extend(weir, body):
    def fail():
        weir.put("/metrics/job/j?ttl=800ms", "m 1\n")
        assert weir.put("/metrics/job/j?ttl=1h", body).status == 400

    in_time(0.8, fail)
    wait_until_gone(weir, "j")


def test_expired_group_can_come_back(weir):
    weir.put("/metrics/job/j?ttl=200ms", "# TYPE m counter\nm 1\n")
    wait_until_gone(weir, "j")
    assert weir.put("/metrics/job/j", "# TYPE m gauge\nm 2\n").status == 200
    assert weir.scrape().value("m", job="j") == 2


@pytest.mark.parametrize("ttl", ["%31%68", "%2B1h", "+1h", "1.5%68", "3600000000%C2%B5s"])
def test_escaped_in_the_query(start_weir, ttl):
    """Clients escape what they like."""
    weir = start_weir("--group.ttl=300ms")
    assert weir.put(f"/metrics/job/escaped?ttl={ttl}", "m 1\n").status == 200
    weir.put("/metrics/job/marker", "m 1\n")
    wait_for(lambda: weir.scrape().value("m", job="marker") is None, "the marker is gone")
    assert weir.scrape().value("m", job="escaped") == 1


@pytest.mark.parametrize("ttl", ["", "10", "soon", "-5s", "1d2", "10%", "9999999999999h", "%31h"])
def test_what_is_no_duration_is_refused(shared_weir, ttl):
    for answer in (shared_weir.put(f"/metrics/job/bad?ttl={ttl.replace('%', '%25')}", "m 1\n"),
                   shared_weir.put("/metrics/job/bad", "m 1\n", {"Weir-TTL": ttl}),
                   shared_weir.put("/metrics/job/bad?ttl=1h", "m 1\n", {"Weir-TTL": ttl})):
        assert answer.status == 400, ttl
        assert answer.text.startswith("invalid time to live ")
    assert gone(shared_weir, "bad")


def test_many_expire_at_once(weir):
    for group in range(300):
        weir.put(f"/metrics/job/many/instance/{group}?ttl=500ms", "m 1\n")
    wait_for(lambda: weir.scrape().pushed() == [], "all of them expire")
