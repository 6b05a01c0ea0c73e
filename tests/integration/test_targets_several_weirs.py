"""Weirs that share a PostgreSQL and nothing else: what one sees of targets, the others know."""

import contextlib
import sqlite3
import threading

from cutting_proxy import CuttingProxy
from harness import Weir, wait_for
from targets import TARGETS, create, data

PUSHES = "SELECT coalesce(sum(pushes), 0) FROM weir_target_seen"
OLD = ("UPDATE weir_target_seen SET first_seen = '2020-01-01 00:00:00Z', last_seen = '2020-01-01 00:00:00Z', "
       "last_push = '2020-01-01 00:00:00Z'")
REPLICAS = "SELECT count(DISTINCT replica) FROM weir_target_seen WHERE replica <> 'gone'"


def is_up(weir):
    return weir.scrape().value("weir_targets_store_up") == 1


def one(weir, instance):
    targets = data(weir.get(f"{TARGETS}?limit=10000"))["targets"]
    return next((target for target in targets if target["labels"].get("instance") == instance), None)


def begin(start_weir, url, *flags):
    weir = start_weir(f"--targets.url={url}", "--state.url=none", *flags)
    wait_for(lambda: is_up(weir), "the database is used")
    return weir


def push(weir, instance, times=1):
    for _ in range(times):
        assert weir.put(f"/metrics/job/j/instance/{instance}", "m 1\n").status == 200


class Pusher:
    """Pushes twice a second."""

    def __init__(self, weir, instance):
        self.weir, self.instance = weir, instance
        self.count = 0
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join()

    def _run(self):
        while not self.ending.wait(0.5):
            push(self.weir, self.instance)
            self.count += 1


def test_one_that_pushes_elsewhere_is_not_silent(start_weir, postgres):
    """It pushes to the first weir only; the second one follows, counts included, and the first one
    does not take what it wrote itself for news."""
    first, second = (begin(start_weir, postgres.url) for _ in range(2))
    create(second, {"job": "j", "instance": "a"}, interval="3s")
    wait_for(lambda: one(first, "a"), "the first one knows it, too")
    seen = []
    with Pusher(first, "a") as pusher:
        wait_for(lambda: one(second, "a")["pushes"] > 0, "it is heard of")
        while pusher.count < 20:  # more than three intervals
            seen.append((one(second, "a")["state"], "weir_target_silent{" in second.get("/metrics").text))
            pusher.ending.wait(0.2)
    assert set(seen) == {("active", False)}
    wait_for(lambda: one(second, "a")["pushes"] == pusher.count, "all pushes are counted there")
    assert one(second, "a")["last_seen"][:23] == one(first, "a")["last_seen"][:23]
    push(second, "a")
    assert one(second, "a")["pushes"] == pusher.count + 1
    wait_for(lambda: postgres.ask(PUSHES) == str(pusher.count + 1), "each is stored once")
    first.delete("/metrics/job/j/instance/a")
    assert one(first, "a")["state"] == "expired"
    wait_for(lambda: one(first, "a")["pushes"] == pusher.count + 1, "the first one follows")
    assert one(first, "a")["state"] == "active"  # of the second one's group


def test_rows_of_a_vanished_weir(start_weir, postgres):
    """Each with a data directory of its own, as containers that are made anew."""
    for number in range(3):
        weir = begin(start_weir, postgres.url)
        if number == 0:
            create(weir, {"job": "j", "instance": "a"})
        assert one(weir, "a")["pushes"] == 3 * number
        push(weir, "a", 3)
        assert one(weir, "a")["pushes"] == 3 * number + 3
        weir.stop()
        assert postgres.ask(PUSHES) == str(3 * number + 3)
        postgres.ask(OLD)
    last = begin(start_weir, postgres.url)
    wait_for(lambda: postgres.ask(REPLICAS) == "0", "they are not there any more")
    assert postgres.ask(PUSHES) == "9"
    assert one(last, "a")["pushes"] == 9
    assert one(last, "a")["first_seen"].startswith("2020-01-01")
    push(last, "a")
    wait_for(lambda: postgres.ask(PUSHES) == "10", "it counts on")
    assert postgres.ask("SELECT count(*) FROM weir_target_seen") == "2"


def test_one_that_only_seemed_to_have_vanished(start_weir, postgres):
    """It was cut off for long, and comes back: what it had counted is not counted twice."""
    with CuttingProxy(postgres.port) as proxy:
        first = begin(start_weir, f"postgres://weir@127.0.0.1:{proxy.port}/weir")
        create(first, {"job": "j", "instance": "a"})
        push(first, "a", 5)
        wait_for(lambda: postgres.ask(PUSHES) == "5", "they are stored")
        wait_for(lambda: first.scrape().value("weir_targets_store_waiting") == 0, "it knows")
        proxy.refuse()
        wait_for(lambda: not is_up(first), "the outage is noticed")
        push(first, "a", 2)
        wait_for(lambda: postgres.ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
                 == "0", "the server has noticed, too")
        postgres.ask(OLD)
        second = begin(start_weir, postgres.url)
        wait_for(lambda: postgres.ask(REPLICAS) == "0", "what it wrote is folded")
        push(second, "a")
        proxy.restore()
        wait_for(lambda: is_up(first), "it is back")
        wait_for(lambda: postgres.ask(PUSHES) == "8", "what it has on top is added")
        push(first, "a")
        wait_for(lambda: postgres.ask(PUSHES) == "9", "and so on")
        wait_for(lambda: one(first, "a")["pushes"] == 9, "it knows those of the other one, too")


def test_sqlite_beside_a_new_data_directory(tmp_path):
    """The same of a file that stays when the data directory does not."""
    flags = [f"--targets.url=sqlite:{tmp_path}/t.db", "--state.url=none", "--targets.retention=1m"]
    first = Weir(tmp_path / "first", *flags)
    create(first, {"job": "j", "instance": "a"})
    push(first, "a", 3)
    first.stop()
    second = Weir(tmp_path / "second", *flags)
    push(second, "a", 2)
    assert one(second, "a")["pushes"] == 5
    second.stop()
    with contextlib.closing(sqlite3.connect(tmp_path / "t.db")) as database:
        database.execute(OLD)
        database.commit()
        third = Weir(tmp_path / "third", *flags)
        assert one(third, "a")["pushes"] == 5
        third.stop()
        assert database.execute("SELECT replica, pushes FROM weir_target_seen").fetchall() == [
            ("gone", 5)]
