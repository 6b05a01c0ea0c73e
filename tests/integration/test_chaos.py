"""Everything at once: large and small pushes, deletes, wipes, expiry, clients that leave.

Each page that is scraped meanwhile has to be whole and valid; and in the end
weir has to be as it was.
"""

import gzip
import random
import socket
import struct
import time

import pytest

from harness import Closed, wait_for
from page import Page
from test_node_exporter import in_background

SECONDS = 6
JOBS = 6


def body(stamp, families, series):
    """Families of which each holds the stamp in all its series."""
    return "".join(
        f"# TYPE family_{family} gauge\n" + "".join(
            f'family_{family}{{n="{n}"}} {stamp}\n' for n in range(series))
        for family in range(families))


def check(text):
    """No job may show two pushes at once."""
    stamps = {}
    for (name, labels), value in Page(text).samples.items():
        if name.startswith("family_"):
            stamps.setdefault(dict(labels)["job"], set()).add(value)
    assert all(len(each) == 1 for each in stamps.values()), stamps


@pytest.mark.parametrize("flags", [(), ("--push.disable-consistency-check",)],
                         ids=["checked", "unchecked"])
def test_all_at_once(start_weir, flags):
    weir = start_weir("--web.enable-admin-api", "--group.ttl-max=1h", *flags)
    # A push may meet the family of the group called clash, and be refused.
    fine = (202,) if flags else (200, 400)
    counts = {"large": 0, "small": 0, "pages": 0}

    def push_large():
        job = random.randrange(JOBS)
        shape = random.choice([(1, 30_000), (3000, 5), (300, 20), (4, 4)])
        answer = weir.put(f"/metrics/job/{job}{random.choice(['', '?ttl=50ms', '?ttl=1s'])}",
                          body(random.randrange(10**6), *shape))
        assert answer.status in fine, answer.text
        counts["large"] += 1

    def push_small():
        with weir.connect() as connection:
            for _ in range(20):
                job = random.randrange(JOBS)
                text = body(random.randrange(10**6), 4, 4)
                coded = gzip.compress(text.encode(), 1)
                answer = connection.exchange("PUT", f"/metrics/job/{job}", coded,
                                             {"Content-Encoding": "gzip"})
                assert answer.status in fine, answer.text
                counts["small"] += 1

    def remove():
        if random.random() < 0.1:
            assert weir.request("PUT", "/api/v1/admin/wipe").status == 202
        weir.delete(f"/metrics/job/{random.randrange(JOBS)}")
        weir.put("/metrics/job/clash", "# TYPE family_1 counter\nfamily_1 1\n")
        weir.delete("/metrics/job/clash")
        time.sleep(0.02)

    def leave():
        """Pushes and scrapes whose clients go away in the middle."""
        text = body(1, 300, 20)
        with weir.connect(receive_buffer=4096) as connection:
            connection.request("PUT", "/metrics/job/left", headers={
                "Content-Length": str(len(text))})
            connection.send(text[:random.randrange(len(text))])
        with weir.connect(receive_buffer=4096) as connection:
            connection.request("GET", "/metrics", headers={
                "Accept-Encoding": random.choice(["gzip", "identity"])})
            connection.socket.recv(random.randrange(1, 5000))
        with weir.connect() as connection:
            connection.request("PUT", "/metrics/job/0", text)
        time.sleep(0.05)

    def scrape():
        coding = random.choice(["gzip", "identity"])
        answer = weir.get("/metrics", {"Accept-Encoding": coding})
        page = gzip.decompress(answer.body) if coding == "gzip" else answer.body
        check(page.decode())
        counts["pages"] += 1

    with in_background(push_large, push_small, remove, leave, scrape):
        time.sleep(SECONDS)
    assert all(counts.values()), counts

    assert weir.request("PUT", "/api/v1/admin/wipe").status == 202
    wait_for(lambda: is_empty(weir), "everything goes")


def is_empty(weir):
    try:
        page = weir.scrape()
    except Closed:
        return False
    names = ("weir_groups", "weir_blocks", "weir_shadowed_blocks", "weir_shadowed_groups")
    return page.pushed() == [] and all(page.value(name) == 0 for name in names)


def test_reset_amid_a_body_with_requests_behind_it(weir):
    """What waits for the body is answered to nobody; the connection's memory is not used again."""
    for group in range(10):
        weir.put(f"/metrics/job/g{group}",
                 "".join(f'm{name}{{l="{"x" * 50}",i="{i}"}} 1\n' for name in range(20)
                         for i in range(100)))
    for received in (1, 50_000, 300_000, 1_000_000) * 5:
        connection = weir.connect()
        connection.send(b"GET /api/v1/metrics HTTP/1.1\r\nHost: x\r\n\r\n"
                        + b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
        count = 0
        while count < received:
            count += len(connection.socket.recv(65536))
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        assert weir.get("/-/healthy").status == 200
