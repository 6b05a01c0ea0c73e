"""Targets in a real PostgreSQL: the tables agree with what was pushed, whatever happens to them."""

import concurrent.futures
import contextlib
import itertools
import json
import signal
import threading

import pytest

from harness import DEADLINE, Weir, wait_for
from redis_servers import RedisServer
from replicas import Replicas
from targets import TARGETS, create, data, error

SUMS = """SELECT t.instance, sum(s.pushes) FROM weir_target t JOIN weir_target_seen s
          ON s.target_id = t.id WHERE t.job = 'load' GROUP BY 1"""


@pytest.fixture
def start(start_weir, postgres):
    return lambda *flags: start_weir(f"--targets.url={postgres.url}", *flags)


def is_up(weir):
    return weir.scrape().value("weir_targets_store_up") == 1


def listed(weir):
    targets = data(weir.get(f"{TARGETS}?limit=10000"))["targets"]
    return {target["labels"].get("instance", ""): target for target in targets}


def discovered(weir):
    """The instances of /api/v1/sd, and their labels."""
    answer = weir.get("/api/v1/sd")
    assert answer.status == 200, answer.text
    return {entry["labels"].get("instance"): entry["labels"] for entry in json.loads(answer.body)}


class Pushers:
    """Push to many targets, over and over, until they are stopped; count what was acknowledged."""

    def __init__(self, weir, targets, threads=4):
        self.weir, self.targets = weir, targets
        self.counts = {str(number): 0 for number in range(targets)}
        self.refused = 0
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(first, threads), daemon=True)
                        for first in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for thread in self.threads:
            thread.join()

    def total(self):
        return sum(self.counts.values())

    def _run(self, first, step):
        with self.weir.connect() as connection:
            while not self.ending.is_set():
                for number in range(first, self.targets, step):
                    path = f"/metrics/job/load/instance/{number}"
                    if connection.exchange("PUT", path, "m 1\n").status == 200:
                        self.counts[str(number)] += 1
                    else:
                        self.refused += 1

    def wait_for_more(self, pushes):
        goal = self.total() + pushes
        wait_for(lambda: self.total() >= goal, f"{pushes} pushes more")


def agree(postgres, pushers):
    """Whether the tables have each push that was acknowledged, once."""
    return {name: int(count) for name, count in postgres.rows(SUMS)} == pushers.counts


def test_tables_are_made(start, postgres):
    weir = start()
    wait_for(lambda: is_up(weir), "the database is used")
    weir.put("/metrics/job/j/instance/a", "m 1\n")
    wait_for(lambda: postgres.rows("SELECT job, instance, labels, configured FROM weir_target")
             == [("j", "a", '{"job": "j", "instance": "a"}', "f")], "the row is there")
    weir.stop()
    again = start()  # its state is elsewhere: all that it knows comes from the tables
    wait_for(lambda: is_up(again), "the database is used")
    assert listed(again)["a"]["pushes"] == 1
    assert postgres.ask("SELECT count(*) FROM weir_schema") == "3"


def test_two_at_once(postgres, tmp_path):
    """Both find it empty, and each makes the same targets."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool, contextlib.ExitStack() as stack:
        weirs = list(pool.map(lambda name: Weir(tmp_path / name, f"--targets.url={postgres.url}"), "ab"))
        for weir in weirs:
            stack.callback(weir.stop)
        push_to_both(postgres, weirs)


def push_to_both(postgres, weirs):
    for weir in weirs:
        wait_for(lambda weir=weir: is_up(weir), "the database is used")
        for instance in "abc":
            weir.put(f"/metrics/job/load/instance/{instance}", "m 1\n")
    wait_for(lambda: postgres.rows(SUMS + " ORDER BY 1") == [("a", "2"), ("b", "2"), ("c", "2")],
             "both have counted")
    assert postgres.ask("SELECT count(*) FROM weir_target") == "3"
    assert postgres.ask("SELECT count(DISTINCT replica) FROM weir_target_seen") == "2"


def test_what_one_configures_others_know(start):
    first, second = start(), start()
    for weir in (first, second):
        wait_for(lambda weir=weir: is_up(weir), "the database is used")
    made = create(first, {"job": "j", "instance": "a"}, attributes={"rack": "r1"})
    wait_for(lambda: listed(second).get("a", {}).get("attributes") == {"rack": "r1"}, "it is known")
    data(second.request("PATCH", f"{TARGETS}/{made['id']}", json.dumps({"enabled": False})))
    wait_for(lambda: "a" not in discovered(first), "it leaves discovery")
    assert first.delete(f"{TARGETS}/{made['id']}").status == 204
    wait_for(lambda: listed(second) == {}, "it is gone")


def test_equal_keys_made_at_once(start, postgres):
    """Whoever comes second is told, or one of the two rows goes: in the end all know one."""
    weirs = [start(), start()]
    for weir in weirs:
        wait_for(lambda weir=weir: is_up(weir), "the database is used")
    for number in range(20):
        body = json.dumps({"labels": {"job": "j", "instance": str(number)}})
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda weir, body=body: weir.post(TARGETS, body).status, weirs))
        assert 201 in answers and set(answers) <= {201, 409}
    wait_for(lambda: postgres.ask("SELECT count(*) FROM weir_target") == "20", "one row of each")

    def ids(weir):
        return {name: target["id"] for name, target in listed(weir).items()}

    wait_for(lambda: ids(weirs[0]) == ids(weirs[1]) == dict(postgres.rows(
        "SELECT instance, id FROM weir_target")), "all know the same")


def test_many_targets(start, postgres):
    weir = start()
    wait_for(lambda: is_up(weir), "the database is used")
    with Pushers(weir, 2000) as pushers:
        pushers.wait_for_more(5000)
    wait_for(lambda: agree(postgres, pushers), "the tables agree")
    assert pushers.refused == 0
    page = weir.scrape()
    assert page.value("weir_targets_store_faults_total") == 0
    assert page.value("weir_targets_store_batches_total") < pushers.total() / 10
    wait_for(lambda: weir.scrape().value("weir_targets_store_waiting") == 0, "nothing waits")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_stopped_in_the_middle(start, postgres, number):
    """Pushes go on, changes by hand are refused and change nothing, and all is there afterwards."""
    weir = start()
    wait_for(lambda: is_up(weir), "the database is used")
    made = create(weir, {"job": "j", "instance": "made"})
    with Pushers(weir, 300) as pushers:
        pushers.wait_for_more(600)
        postgres.stop(number)
        wait_for(lambda: not is_up(weir), "the outage is noticed")
        pushers.wait_for_more(600)
        weir.put("/metrics/job/load/instance/new", "m 1\n")
        for method, path, body in (("POST", "", {"labels": {"job": "j", "instance": "x"}}),
                                   ("PATCH", f"/{made['id']}", {"enabled": False}),
                                   ("DELETE", f"/{made['id']}", {})):
            answer = weir.request(method, TARGETS + path, json.dumps(body))
            assert "cannot be stored at present" in error(answer, 503)
        assert listed(weir)["made"]["enabled"]
        assert "x" not in listed(weir)
        postgres.start()
        wait_for(lambda: is_up(weir), "the database is used again")
        pushers.wait_for_more(300)
    pushers.counts["new"] = 1
    wait_for(lambda: agree(postgres, pushers), "the tables agree")
    assert pushers.refused == 0
    assert weir.scrape().value("weir_targets_store_outages_total") == 1
    create(weir, {"job": "j", "instance": "x"})


def test_frozen_in_the_middle(start, postgres):
    """It takes connections and data, and does not answer."""
    weir = start()
    wait_for(lambda: is_up(weir), "the database is used")
    with Pushers(weir, 300) as pushers:
        pushers.wait_for_more(600)
        with postgres.frozen():
            pushers.wait_for_more(600)
            assert weir.scrape().value("weir_targets_store_waiting") <= 2
        pushers.wait_for_more(300)
    wait_for(lambda: agree(postgres, pushers), "the tables agree")
    assert pushers.refused == 0


def test_a_reload_while_it_ends(start, postgres):
    weir = start()
    wait_for(lambda: is_up(weir), "the database is used")
    weir.put("/metrics/job/j", "m 1\n")
    count = itertools.count()
    with postgres.frozen():  # so that the end takes a few seconds
        weir.process.terminate()
        wait_for(lambda: weir.process.send_signal(signal.SIGHUP) or next(count) == 50, "it was told often")
        assert weir.process.poll() is None
    assert weir.process.wait(DEADLINE) == 0, weir.stderr()


def test_away_at_the_start(start, postgres):
    postgres.stop()
    weir = start("--targets.register=known")
    wait_for(lambda: "targets cannot be stored" in weir.stderr(), "it is said")
    answer = weir.put("/metrics/job/j", "m 1\n")
    assert (answer.status, "being loaded" in answer.text) == (503, True)
    postgres.start()
    wait_for(lambda: weir.put("/metrics/job/j", "m 1\n").status == 403, "targets are known")
    create(weir, {"job": "j"})
    assert weir.put("/metrics/job/j", "m 1\n").status == 200


def test_pushed_before_the_database_was_there(start, postgres):
    """Counts of an earlier weir and of this one add up."""
    weir = start()
    wait_for(lambda: is_up(weir), "the database is used")
    for _ in range(3):
        weir.put("/metrics/job/load/instance/a", "m 1\n")
    weir.stop()
    postgres.stop()
    again = start()
    again.put("/metrics/job/load/instance/a", "m 1\n")
    postgres.start()
    wait_for(lambda: is_up(again) and listed(again)["a"]["pushes"] == 4, "counts add up")
    wait_for(lambda: postgres.rows(SUMS) == [("a", "4")], "in the tables, too")


def test_sql_changes_discovery(start, postgres):
    weir = start()
    wait_for(lambda: is_up(weir), "the database is used")
    weir.put("/metrics/job/j/instance/a", "m 1\n")
    wait_for(lambda: postgres.ask("SELECT count(*) FROM weir_target") == "1", "the row is there")
    postgres.ask("UPDATE weir_target SET attributes = '{\"rack\": \"r9\"}'")
    wait_for(lambda: discovered(weir)["a"].get("__meta_weir_rack") == "r9", "it is told", seconds=1)
    postgres.ask("UPDATE weir_target SET enabled = false")
    wait_for(lambda: "a" not in discovered(weir), "it leaves", seconds=1)
    postgres.ask("INSERT INTO weir_target (job, instance) VALUES ('k', 'b''\"\\;--')")
    wait_for(lambda: "b'\"\\;--" in discovered(weir), "a new one is told", seconds=1)
    postgres.ask("DELETE FROM weir_target")
    wait_for(lambda: listed(weir) == {}, "they are gone", seconds=1)
    weir.put("/metrics/job/j/instance/a", "m 1\n")
    wait_for(lambda: postgres.ask("SELECT job FROM weir_target") == "j", "it comes back")


def test_changed_during_an_outage(start, postgres):
    """What others wrote while weir could not listen counts."""
    weir = start()
    wait_for(lambda: is_up(weir), "the database is used")
    for name in ("kept", "edited", "deleted"):
        create(weir, {"job": "j", "instance": name})
    postgres.ask("ALTER DATABASE weir ALLOW_CONNECTIONS false", database="postgres")
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'weir'"
    postgres.ask(cut, database="postgres")
    wait_for(lambda: not is_up(weir), "the outage is noticed")
    postgres.stop()
    postgres.start()
    postgres.ask("ALTER DATABASE weir ALLOW_CONNECTIONS true", database="postgres")
    postgres.ask("UPDATE weir_target SET enabled = false WHERE instance = 'edited'")
    postgres.ask("DELETE FROM weir_target WHERE instance = 'deleted'")
    wait_for(lambda: {name: target["enabled"] for name, target in listed(weir).items()}
             == {"kept": True, "edited": False}, "it is known")


@pytest.mark.parametrize("edit", [
    "ALTER TABLE weir_target ALTER silent_after TYPE text; "
    "UPDATE weir_target SET silent_after = 'often' WHERE instance = 'b'",
    "UPDATE weir_target SET labels = '{\"job\": 5}' WHERE instance = 'b'",
    "UPDATE weir_target SET thresholds = '[7]' WHERE instance = 'b'",
    "UPDATE weir_target SET address = ' ' WHERE instance = 'b'",
])
def test_rows_broken_by_hand(start, postgres, edit):
    weir = start()
    wait_for(lambda: is_up(weir), "the database is used")
    for instance in "abc":
        create(weir, {"job": "j", "instance": instance})
    if edit.startswith("ALTER"):
        postgres.ask("ALTER TABLE weir_target DROP CONSTRAINT weir_target_silent_after_check")
    postgres.ask(edit)
    wait_for(lambda: "a target's row is of no use" in weir.stderr(), "it is reported")
    assert set(listed(weir)) == {"a", "b", "c"}  # as it was before
    weir.put("/metrics/job/j/instance/a", "m 1\n")
    wait_for(lambda: postgres.rows("SELECT sum(pushes) FROM weir_target_seen") == [("1",)],
             "others are written")
    assert weir.scrape().value("weir_targets_store_faults_total") >= 1
    weir.stop()
    again = start()
    wait_for(lambda: is_up(again), "the database is used")
    assert set(listed(again)) == {"a", "c"}


def test_what_the_database_does_not_take(start):
    """jsonb has no NUL; such a target is known in memory alone."""
    weir = start()
    wait_for(lambda: is_up(weir), "the database is used")
    answer = weir.post(TARGETS, json.dumps({"labels": {"job": "j", "instance": "a\0b"}}))
    assert "the database does not take it" in error(answer, 422)
    assert listed(weir) == {}
    create(weir, {"job": "j"})


def test_replicas(postgres, tmp_path):
    """Two weirs on one Redis and one PostgreSQL: both know all targets, and each push is stored once.
    What a weir hears of behind its own newer push it does not count as one, so it may show fewer."""
    with RedisServer(tmp_path / "redis") as redis, \
            Replicas(tmp_path, redis.url, 2, f"--targets.url={postgres.url}") as weirs:
        first, second = (replica.weir for replica in weirs)
        for weir in (first, second):
            wait_for(lambda weir=weir: is_up(weir), "the database is used")
        for number in range(20):
            for weir in (first, second, second):
                weir.put(f"/metrics/job/load/instance/{number}", "m 1\n")
        first.put("/metrics/job/load/instance/first", "m 1\n")
        names = {str(number) for number in range(20)} | {"first"}
        for weir in (first, second):
            wait_for(lambda weir=weir: names <= set(listed(weir)), "all targets are known")
            assert 1 <= listed(weir)["7"]["pushes"] <= 3
        assert listed(second)["first"]["state"] == "active"
        wait_for(lambda: dict(postgres.rows(SUMS)) == {
            **{str(number): "3" for number in range(20)}, "first": "1"}, "the tables agree")
        made = listed(first)["7"]
        data(first.request("PATCH", f"{TARGETS}/{made['id']}", json.dumps({"enabled": False})))
        wait_for(lambda: listed(second)["7"]["state"] == "disabled", "the other knows")
        assert listed(second)["first"]["format"] == ""  # what it came as, only the first knows
