"""Pushes with very many of something: pages and JSON take time by their size, and nobody waits."""

import threading
from pathlib import Path

import pytest

import exposition
from harness import cpu_seconds
from protobuf import HEADERS, framed, raw

CPU_SECONDS = 10  # for any answer, under the sanitizers: far more if its cost were quadratic
LOOP_SECONDS = 1  # that the loop may be at work before somebody else is answered
MEGABYTES = 900

BUCKETS = b"".join(raw(3, 2, raw(1, 0, 1) + raw(2, 1, float(n))) for n in range(200_000))
QUANTILES = b"".join(raw(3, 2, raw(1, 1, n / 1e6) + raw(2, 1, 1.0)) for n in range(200_000))


def family(name, kind, *metrics):
    return framed(raw(1, 2, name) + raw(3, 0, kind) + b"".join(raw(4, 2, one) for one in metrics))


def label(name, value):
    return raw(1, 2, raw(1, 2, name) + raw(2, 2, value))


def colliding(number, bits):
    """Names of so many characters, all of which become underscores."""
    return b"f" + bytes(b".-"[number >> bit & 1] for bit in range(bits))


GAUGE = raw(2, 2, raw(1, 1, 1.0))
MANY = {
    "buckets": lambda: family(b"h", 4, raw(7, 2, raw(1, 0, 5) + BUCKETS)),
    "quantiles": lambda: family(b"s", 2, raw(4, 2, raw(1, 0, 5) + QUANTILES)),
    "empty spans": lambda: family(b"h", 4, raw(
        7, 2, raw(1, 0, 1) + raw(7, 0, 1) + raw(12, 2, b"") * 5_000_000)),
    "empty exemplars": lambda: family(b"h", 4, raw(
        7, 2, raw(1, 0, 1) + raw(7, 0, 1) + raw(6, 1, 0.5) + raw(16, 2, b"") * 3_000_000)),
    "labels": lambda: family(b"m", 1, b"".join(
        label(b"l.%d" % n, b"v") for n in range(10_000)) + GAUGE),
    "families whose names become one": lambda: b"".join(
        family(colliding(n, 16), 1, GAUGE) for n in range(50_000)),
    "labels whose names become one": lambda: family(b"m", 1, *(
        label(colliding(n, 16), b"v") + GAUGE for n in range(50_000))),
}


class Neighbour:
    """Asks for little all the time, and remembers how long the loop worked meanwhile, at most."""

    def __init__(self, weir):
        self.weir, self.longest = weir, 0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()

    def _run(self):
        pid = self.weir.process.pid
        with self.weir.connect() as connection:
            while not self.done.wait(0.002):
                before = cpu_seconds(pid, thread=pid)
                connection.exchange("GET", "/-/healthy")
                self.longest = max(self.longest, cpu_seconds(pid, thread=pid) - before)


def peak_megabytes(weir):
    status = Path(f"/proc/{weir.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


@pytest.mark.parametrize("name", MANY)
def test_many(weir, name):
    pushed = MANY[name]()
    requests = [("PUT", "/metrics/job/j", pushed, HEADERS),
                *(("GET", "/metrics", None, {"Accept": accept})
                  for accept in exposition.TYPES.values()),
                ("GET", "/api/v1/metrics", None, {})]
    with Neighbour(weir) as neighbour:
        for request in requests:
            before = cpu_seconds(weir.process.pid)
            answer = weir.request(*request)
            took = cpu_seconds(weir.process.pid) - before
            assert took < CPU_SECONDS, (request[:2], request[3], f"{took:.1f} s")
            assert answer.status in (200, 400, 413, 429)
    assert neighbour.longest < LOOP_SECONDS, f"{neighbour.longest:.2f} s"
    assert peak_megabytes(weir) < MEGABYTES
