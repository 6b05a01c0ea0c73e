"""Targets in SQLite: what they are, and what was seen of them, outlives weir."""

import contextlib
import json
import signal
import sqlite3
import sys
from datetime import datetime

import pytest

import persistence
from harness import Weir, run_weir, wait_for
from targets import TARGETS, create, data, error
from takeovers import Succession


def listed(weir):
    """By job and instance."""
    answer = data(weir.get(f"{TARGETS}?limit=10000&resources=true"))
    return {(target["labels"]["job"], target["labels"].get("instance", "")): target
            for target in answer["targets"]}


def one(weir, job="j", instance=""):
    return listed(weir).get((job, instance))


class Stored:
    """A data directory, and weirs in it one after the other."""

    def __init__(self, directory):
        self.directory = directory
        self.weir = None

    @property
    def database(self):
        return self.directory / "data" / "targets.db"

    def start(self, *flags):
        self.weir = Weir(self.directory, *flags)
        wait_for(lambda: self.weir.get(TARGETS).status == 200, "targets are read")
        return self.weir

    def again(self, way, *flags):
        persistence.kill(self.weir) if way == "kill" else self.weir.stop()
        return self.start(*flags)

    def rows(self, text):
        with contextlib.closing(sqlite3.connect(self.database, timeout=10)) as database:
            return database.execute(text).fetchall()

    def edit(self, text):
        with contextlib.closing(sqlite3.connect(self.database, timeout=10)) as database:
            database.execute(text)
            database.commit()

    def wait_until_seen(self, pushes):
        wait_for(lambda: self.rows("SELECT sum(pushes) FROM weir_target_seen") == [(pushes,)],
                 f"{pushes} pushes are written")


@pytest.fixture
def stored(tmp_path):
    kept = Stored(tmp_path / "kept")
    yield kept
    if kept.weir is not None:
        kept.weir.stop()
        print(kept.weir.stderr(), file=sys.stderr)


FIELDS = {
    "mode": "pull", "enabled": False, "address": "db1:9100", "scheme": "https", "path": "/m/%2F",
    "scrape_interval": "30s", "scrape_timeout": "1.5s", "interval": "24h0m0s", "silent_after": 5,
    "attributes": {"rack": "r7", "note": "a \"b\" \\ \n ü"},
    "thresholds": [{"name": "TooHot", "metric": "t", "op": ">=", "value": 80.5, "for": "5m0s",
                    "severity": "page"}],
}


@pytest.mark.parametrize("way", persistence.ENDINGS)
def test_configuration_is_there_when_it_was_answered(stored, way):
    weir = stored.start()
    made = create(weir, {"job": "backup", "instance": "db1", "site": "a/b"}, **FIELDS)
    assert {name: made[name] for name in FIELDS} == FIELDS
    again = stored.again(way)
    target = one(again, "backup", "db1")
    assert {name: target[name] for name in FIELDS} == FIELDS
    assert (target["id"], target["labels"], target["configured"]) == (
        made["id"], made["labels"], True)
    changed = data(again.request("PATCH", f"{TARGETS}/{made['id']}", json.dumps(
        {"enabled": True, "attributes": {"rack": None}, "thresholds": []})))
    third = stored.again(way)
    assert one(third, "backup", "db1") == {
        **changed, "first_seen": one(third, "backup", "db1")["first_seen"]}
    assert third.delete(f"{TARGETS}/{made['id']}").status == 204
    assert listed(stored.again(way)) == {}


@pytest.mark.parametrize("way", persistence.ENDINGS)
@pytest.mark.parametrize("state", ["sqlite:", "none"])
def test_freshness(stored, way, state):
    weir = stored.start(f"--state.url={state}")
    for instance in "ab":
        for _ in range(6):
            weir.put(f"/metrics/job/j/instance/{instance}", "m 1\n")
    weir.put("/metrics/job/j/instance/a", "rubbish\n")
    before = listed(weir)
    stored.wait_until_seen(12)
    wait_for(lambda: stored.rows("SELECT count(*) FROM weir_target_seen "
                                 "WHERE rejected_reason IS NOT NULL") == [(1,)], "the rejection is written")
    again = stored.again(way, f"--state.url={state}")
    after = listed(again)
    for key, target in before.items():
        assert after[key]["id"] == target["id"]
        for name in ("pushes", "format", "source", "learnt_interval"):
            assert after[key][name] == target[name], name
        for name in ("first_seen", "last_seen"):
            assert after[key][name][:23] == target[name][:23], name
    assert after["j", "a"]["last_rejection"]["reason"] == before["j", "a"]["last_rejection"]["reason"]
    assert after["j", "b"]["last_rejection"] is None
    again.put("/metrics/job/j/instance/a", "m 1\n")
    assert one(again, "j", "a")["pushes"] == 7
    stored.wait_until_seen(13)


def test_what_is_seen_at_the_end(stored):
    """Nothing is lost by an orderly end, however short weir ran."""
    weir = stored.start()
    for number in range(700):
        weir.put(f"/metrics/job/j/instance/{number}", "m 1\n")
    weir.stop()
    assert stored.rows("SELECT count(*), sum(pushes) FROM weir_target_seen") == [(700, 700)]
    assert len(listed(stored.start())) == 700


def test_ids_follow_from_the_labels(start_weir):
    """So that weirs that know nothing of each other call a target the same."""
    ids = []
    for _ in range(2):
        weir = start_weir()
        weir.put("/metrics/job/j/b/2/a/1", "m 1\n")
        weir.put("/metrics/job/other", "m 1\n")
        ids.append([one(weir)["id"], one(weir, "other")["id"]])
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2


def test_only_known_targets_over_a_restart(stored):
    create(stored.start(), {"job": "j"})
    again = stored.again("kill", "--targets.register=known")
    wait_for(lambda: again.put("/metrics/job/j", "m 1\n").status == 200, "the target is known again")
    assert again.put("/metrics/job/k", "m 1\n").status == 403
    third = stored.again("kill", "--targets.register=known")
    assert one(third)["state"] == "active"


def test_retention(stored):
    """Targets that are not seen any more leave the database, too."""
    weir = stored.start("--state.url=none")
    weir.put("/metrics/job/j", "m 1\n")
    kept = create(weir, {"job": "kept"})
    stored.wait_until_seen(1)
    weir.stop()
    stored.edit("UPDATE weir_target_seen SET first_seen = '2020-01-01 00:00:00Z', "
                "last_seen = '2020-01-01 00:00:00Z', last_push = '2020-01-01 00:00:00Z'")
    stored.start("--state.url=none")
    wait_for(lambda: stored.rows("SELECT id FROM weir_target") == [(kept["id"],)],
             "what was not configured is gone")


def test_import_is_stored(stored):
    weir = stored.start()
    lines = "".join(json.dumps({"labels": {"job": "j", "instance": str(number)}}) + "\n"
                    for number in range(1200))
    assert data(weir.post(f"{TARGETS}/import", lines + lines)) == {
        "created": 1200, "updated": 0, "skipped": 0}
    again = stored.again("kill")
    assert len(listed(again)) == 1200
    assert data(again.post(f"{TARGETS}/import", lines)) == {
        "created": 0, "updated": 1200, "skipped": 0}


def test_changed_by_others_meanwhile(stored):
    """Nobody tells weir of a row of SQLite; it finds out when it writes it, and does not."""
    weir = stored.start()
    made = create(weir, {"job": "j"}, attributes={"rack": "r1"})
    stored.edit("UPDATE weir_target SET attributes = '{\"rack\":\"r2\"}', version = version + 1")
    answer = weir.request("PATCH", f"{TARGETS}/{made['id']}", json.dumps({"attributes": {"rack": "r3"}}))
    assert "somebody else has changed it" in error(answer, 409)
    assert one(weir)["attributes"] == {"rack": "r2"}
    data(weir.request("PATCH", f"{TARGETS}/{made['id']}", json.dumps({"attributes": {"rack": "r3"}})))
    assert stored.rows("SELECT attributes FROM weir_target") == [('{"rack":"r3"}',)]


BROKEN = {
    "labels": "'{\"job\":7}'",
    "attributes": "'{\"__name__\":\"x\"}'",
    "thresholds": "'[{\"name\":\"x\"}]'",
    "address": "'h:0'",
    "path": "'/m?x=1'",
    "silent_after": "2.5",
    "mode": "'pull'",
}


@pytest.mark.parametrize("column", sorted(BROKEN))
def test_broken_rows(stored, column):
    weir = stored.start()
    create(weir, {"job": "good"})
    create(weir, {"job": "bad"})
    weir.stop()
    stored.edit(f"UPDATE weir_target SET {column} = {BROKEN[column]} WHERE job = 'bad'")
    again = stored.start()
    assert set(listed(again)) == {("good", "")}
    assert "a target's row is of no use" in again.stderr()
    assert again.scrape().value("weir_targets_store_faults_total") == 1


def test_none(stored):
    weir = stored.start("--targets.url=none")
    create(weir, {"job": "j"})
    assert not stored.database.exists()
    assert "weir_targets_store_up" not in weir.get("/metrics").text


@pytest.mark.parametrize("state, targets, files", [
    ("none", "none", set()),
    ("none", "sqlite:", {"replica", "targets.db", "targets.db-shm", "targets.db-wal"}),
])
def test_targets_are_kept_whatever_the_state(stored, state, targets, files):
    """One who wants nothing to be written says so twice."""
    weir = stored.start(f"--state.url={state}", f"--targets.url={targets}")
    always = {"lock", "takeover.sock"}
    create(weir, {"job": "j"})
    assert {path.name for path in stored.database.parent.iterdir()} - always == files


def test_a_database_of_somebody_else(start_weir, tmp_path):
    """It is left alone, and pushes are taken all the same."""
    path = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE t (x)")
        database.commit()
    weir = start_weir(f"--targets.url=sqlite:{path}")
    wait_for(lambda: "of another program" in weir.stderr(), "it is said")
    assert weir.put("/metrics/job/j", "m 1\n").status == 200
    wait_for(lambda: weir.post(TARGETS, json.dumps({"labels": {"job": "k"}})).status == 503,
             "targets cannot be changed")
    page = weir.scrape()
    assert page.value("weir_targets_store_up") == 0
    assert page.value("weir_targets", state="active") == 1


def test_a_directory_that_comes_later(start_weir, tmp_path):
    """As a database that is away at the start."""
    weir = start_weir(f"--targets.url=sqlite:{tmp_path}/later/t.db", "--targets.register=known")
    assert weir.put("/metrics/job/j", "m 1\n").status == 503
    (tmp_path / "later").mkdir()
    wait_for(lambda: weir.put("/metrics/job/j", "m 1\n").status == 403, "it is known who is known")
    create(weir, {"job": "j"})
    assert weir.put("/metrics/job/j", "m 1\n").status == 200
    page = weir.scrape()
    assert page.value("weir_targets_store_up") == 1
    assert page.value("weir_targets_store_outages_total") == 1


def test_takeover(tmp_path):
    """The new weir goes on with all that the old one knew, and counts on."""
    with contextlib.ExitStack() as stack:
        weirs = Succession(tmp_path / "weir")
        stack.callback(weirs.stop)
        first = weirs.first
        made = create(first, {"job": "made"}, attributes={"rack": "r7"})
        for _ in range(5):
            first.put("/metrics/job/j", "m 1\n")
        before = one(first)
        weirs.take_over()
        after = one(first)  # at the same address
        # Microseconds are stored, and read here.
        assert datetime.fromisoformat(after["first_seen"]) == datetime.fromisoformat(before["first_seen"])
        assert {**after, "first_seen": ""} == {**before, "first_seen": ""}
        assert one(first, "made")["id"] == made["id"]
        first.put("/metrics/job/j", "m 1\n")
        assert one(first)["pushes"] == 6
        weirs.take_over()
        assert one(first)["pushes"] == 6


@pytest.mark.parametrize("flags, says", [
    (["--targets.url=mysql://h"], "must be sqlite:PATH, sqlite:, postgres://HOST:PORT/NAME or none"),
    (["--targets.url=postgres://u:s3cret/x@h/d"], "is written %2F, %3F or %23"),
    (["--targets.url=postgres://h/d?password=s3cret"], "a password stands before the @"),
    (["--targets.url=postgres://u:s3cret@h/d?nonsense=1"], "--targets.url"),
    (["--targets.password-file=x"], "only with --targets.url=postgres://..."),
])
def test_bad_settings(tmp_path, flags, says):
    code, text = run_weir(tmp_path, *flags)
    assert code != 0
    assert says in text
    assert "s3cret" not in text


def test_password_is_masked(start_weir):
    weir = start_weir("--targets.url=postgres://weir:s3cret@127.0.0.1:1/weir?connect_timeout=2")
    wait_for(lambda: "targets cannot be stored" in weir.stderr(), "it is said that nobody is there")
    assert "s3cret" not in weir.get("/api/v1/status").text
    assert "weir:xxxxx@127.0.0.1:1" in weir.get("/api/v1/status").text
    assert "s3cret" not in weir.get("/").text
    assert "s3cret" not in weir.stderr()
    weir.signal(signal.SIGTERM)
    assert weir.wait() == 0
