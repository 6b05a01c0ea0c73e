"""Faults of a Pushgateway that weir must not have, where no other file is about them.

Pushes that spoil the page for everybody: test_poison.py; with UTF-8 names: test_utf8_names.py.
Limits and timeouts: test_limits.py, test_timeouts.py. State that cannot be read, and what is on
disk after a crash: test_persistence.py. SIGHUP: test_lifecycle.py, test_reload.py. Running requests
at the end: test_lifecycle.py. Exit codes: test_exit_codes.py, test_auth.py, test_tls.py. Redirects
and /-/quit below a prefix: test_routes.py. Metrics that are called like keys of the JSON:
test_admin.py. Groups that block each other: test_blocked_by_others.py.
"""

import threading
import time

import pytest

from harness import Closed


@pytest.mark.parametrize("target", [
    "/metrics/job@base64/%F0", "/metrics/job@base64/A", "/metrics/job@base64/QQ=QQ",
    "/metrics/job/x/l@base64/foo.bar", "/metrics/job@base64/" + "A" * 5000 + "!",
])
def test_base64_that_is_none_holds_nobody_up(shared_weir, target):
    """Many at once, on connections that are kept, with good pushes between them."""
    statuses = []

    def push():
        with shared_weir.connect() as connection:
            for _ in range(20):
                statuses.append(connection.exchange("PUT", target, "m 1\n").status)
                statuses.append(
                    connection.exchange("PUT", "/metrics/job@base64/dGVzdA", "m 1\n").status)

    clients = [threading.Thread(target=push) for _ in range(8)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert sorted(statuses) == [200] * 160 + [400] * 160


@pytest.mark.parametrize("body", [
    b"{} 1\n", b"{}\n", b"{ } 1\n", b'{""} 1\n', b"{,} 1\n", b"m{}{} 1\n", b'{"a","b"} 1\n',
])
def test_a_sample_without_a_name_is_answered(shared_weir, body):
    with shared_weir.connect() as connection:
        assert connection.exchange("PUT", "/metrics/job/nameless", body).status == 400
        assert connection.exchange("GET", "/-/healthy").status == 200, "the connection is kept"


def seconds_for(weir, labels):
    """The best of some pushes of one line with so many labels."""
    line = "m{" + ",".join(f'l{number}="v"' for number in range(labels)) + "} 1\n"
    best = float("inf")
    for _ in range(5):
        began = time.monotonic()
        assert weir.put("/metrics/job/wide", line).status == 200
        best = min(best, time.monotonic() - began)
    return best


def test_labels_of_a_line_cost_what_they_are(shared_weir):
    """Eight times the labels may take eight times as long, not sixty-four times."""
    few, many = 2000, 16000
    seconds_for(shared_weir, few)
    assert seconds_for(shared_weir, many) < 30 * max(seconds_for(shared_weir, few), 0.001)


def test_no_profiler_is_exposed(shared_weir):
    for path in ("/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/profile",
                 "/debug/pprof/symbol", "/debug/vars"):
        assert shared_weir.get(path).status == 404


def test_a_wipe_is_one_change(start_weir):
    """No page ever shows a part of the groups, and pushes behind it stay."""
    weir = start_weir("--web.enable-admin-api")
    for number in range(300):
        weir.put(f"/metrics/job/j{number}", "m 1\n")
    counts = set()
    done = threading.Event()

    def scrape():
        while not done.is_set():
            counts.add(sum(line.startswith("m{") for line in weir.scrape().stored()))

    scraper = threading.Thread(target=scrape)
    scraper.start()
    try:
        with weir.connect() as connection:
            connection.request("PUT", "/api/v1/admin/wipe")
            connection.request("PUT", "/metrics/job/after", "n 1\n")
            assert [connection.response().status, connection.response().status] == [202, 200]
        assert weir.scrape().value("n", job="after") == 1
    except Closed as fault:
        raise AssertionError("the connection was cut") from fault
    finally:
        done.set()
        scraper.join()
    assert counts <= {0, 300}
