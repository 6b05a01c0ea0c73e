"""Large bodies and pages, with small requests beside them. No times are asserted here."""

import threading
import time

import pytest

from peers import promtool

SERIES = 60_000
LABELS = 10_000


def series_body(count):
    return "# TYPE big gauge\n" + "".join(
        f'big{{device="disk{n}",zone="europe-{n % 7}"}} {n}.5\n' for n in range(count))


class SmallPushes:
    """Pushes of one line, one after the other, until stopped; all have to succeed."""

    def __init__(self, weir):
        self.weir, self.slowest, self.count, self.fault = weir, 0.0, 0, None
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
        print(f"{self.count} small pushes, the slowest took {self.slowest * 1000:.1f} ms")
        if self.fault:
            raise self.fault

    def _run(self):
        try:
            with self.weir.connect() as connection:
                while not self.done.is_set():
                    began = time.monotonic()
                    answer = connection.exchange("PUT", "/metrics/job/small", f"s {self.count}\n")
                    self.slowest = max(self.slowest, time.monotonic() - began)
                    assert answer.status == 200, answer.text
                    self.count += 1
        except BaseException as fault:  # whatever it is, the test must see it
            self.fault = fault


def test_one_large_body_while_small_ones_go_on(weir):
    body = series_body(SERIES)
    with SmallPushes(weir) as small:
        for _ in range(3):
            assert weir.put("/metrics/job/big", body).status == 200
        for _ in range(2):
            page = weir.scrape()
    assert small.count > 10
    assert len(page.families["big"].lines) == SERIES
    assert page.total("big") == sum(n + 0.5 for n in range(SERIES))
    assert not promtool(page.text)[0]


def test_large_body_is_applied_whole_or_not_at_all(weir):
    """A scrape beside large pushes shows one of them, never a mixture."""
    bodies = [series_body(20_000).replace(".5\n", f".{n}\n") for n in (1, 2)]
    assert weir.put("/metrics/job/big", bodies[0]).status == 200
    done, faults = threading.Event(), []

    def push():
        while not done.is_set():
            for body in bodies:
                if weir.put("/metrics/job/big", body).status != 200:
                    faults.append("a push failed")

    thread = threading.Thread(target=push)
    thread.start()
    try:
        for _ in range(8):
            lines = [line for line in weir.get("/metrics").text.split("\n")
                     if line.startswith("big{")]
            assert len(lines) == 20_000
            assert len({line.rpartition(".")[2] for line in lines}) == 1
    finally:
        done.set()
        thread.join()
    assert faults == []


def test_large_body_that_fails_at_its_end(weir):
    weir.put("/metrics/job/big", "# TYPE big gauge\nbig 1\n")
    before = weir.scrape().stored()
    for end in ("big{", 'big{device="disk0",zone="europe-0"} 1\n', "big 1 1\n"):
        assert weir.put("/metrics/job/big", series_body(20_000) + end).status == 400
        assert weir.scrape().stored() == before


@pytest.mark.parametrize("flag,status", [
    (f"--limit.labels={LABELS + 10}", 200),
    (f"--limit.labels={LABELS - 10}", 413),
])
def test_line_of_ten_thousand_labels(start_weir, flag, status):
    weir = start_weir(flag)
    line = "m{" + ",".join(f'label{n}="v{n}"' for n in range(LABELS)) + "} 1\n"
    with SmallPushes(weir):
        for _ in range(3):
            assert weir.put("/metrics/job/wide", line).status == status
    weir.scrape()


def test_wide_line_with_a_label_twice(start_weir):
    weir = start_weir(f"--limit.labels={LABELS + 10}")
    line = "m{" + ",".join(f'label{n % (LABELS - 1)}="v"' for n in range(LABELS)) + "} 1\n"
    answer = weir.put("/metrics/job/wide", line)
    assert answer.status == 400
    assert 'duplicate label names for metric "m"' in answer.text


def test_many_groups_and_families(weir):
    with weir.connect() as connection:
        for group in range(2000):
            body = f"# TYPE shared gauge\nshared {group}\nown_{group} 1\n"
            connection.request("PUT", f"/metrics/job/j/instance/{group}", body)
            if group % 50 == 49:
                for _ in range(50):
                    assert connection.response().status == 200
    page = weir.scrape()
    assert len(page.families["shared"].lines) == 2000
    assert len(page.groups()) == 2000
    assert sum(name.startswith("own_") for name in page.families) == 2000


def test_what_was_replaced_is_not_kept(weir):
    """A family that stays must not hold on to all that was pushed with it."""
    body = "".join(f'big{{n="{n:060}"}} 1\n' for n in range(1000))
    weir.post("/metrics/job/j", body)
    once = weir.scrape().value("weir_stored_bytes")
    for turn in range(100):
        assert weir.post("/metrics/job/j", body + f"stays_{turn} 1\n").status == 200
    assert weir.scrape().value("weir_stored_bytes") < 3 * once
