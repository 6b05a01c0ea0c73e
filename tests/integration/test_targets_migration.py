"""Databases of targets that an earlier weir made: they are brought up to date, and nothing is lost."""

import concurrent.futures
import contextlib
import json
import sqlite3

import pytest

from harness import REPOSITORY, Weir, wait_for
from targets import TARGETS, create, data

TABLES = REPOSITORY / "src" / "targets"
ROWS = """
INSERT INTO weir_target (id, job, instance, labels, mode, address, attributes, interval_seconds, version)
VALUES ('f81d4fae-7dec-41d0-a765-00a0c91e6bf6', 'j', 'a"''', '{"job": "j", "instance": "a\\"''"}', 'pull',
    'h:9100', '{"rack": "r7"}', 90, 7),
  ('f81d4fae-7dec-41d0-a765-00a0c91e6bf7', 'j', 'b', '{}', 'push', NULL, '{}', NULL, 1);
INSERT INTO weir_target_seen (target_id, replica, last_seen, last_push, pushes)
VALUES ('f81d4fae-7dec-41d0-a765-00a0c91e6bf7', 'other', '2026-11-27 00:00:00Z', '2026-11-27 00:00:00Z', 5);
"""
NEWEST = 3
COUNTS = "SELECT count(*), max(version) FROM weir_schema"


def of_version(version, kind, schema):
    """What weirs of the versions before it left behind, the rows from the first."""
    steps = [f"{(TABLES / kind / f'schema_{step}.sql').read_text()};\n"
             f"INSERT INTO weir_schema (version) VALUES ({step});\n" for step in range(1, version + 1)]
    return "\n".join([f"{schema};", steps[0], ROWS, *steps[1:]])


def check(weir):
    """The rows are there as they were, and the new modes can be stored."""
    wait_for(lambda: weir.scrape().value("weir_targets_store_up") == 1, "the database is used")
    shown = {target["id"][-1]: target for target in data(weir.get(TARGETS))["targets"]}
    assert set(shown) == {"6", "7"}
    one = shown["6"]
    assert (one["labels"], one["mode"], one["address"], one["attributes"], one["interval"]) == (
        {"job": "j", "instance": "a\"'"}, "pull", "h:9100", {"rack": "r7"}, "1m30s")
    assert shown["7"]["pushes"] == 5


@pytest.mark.smoke
@pytest.mark.parametrize("version", range(1, NEWEST))
def test_sqlite(start_weir, tmp_path, version):
    path = tmp_path / "old.db"

    def rows(text):
        with contextlib.closing(sqlite3.connect(path, timeout=10)) as database:
            return database.execute(text).fetchall()

    with contextlib.closing(sqlite3.connect(path)) as database:
        database.executescript("PRAGMA legacy_alter_table=ON;" + of_version(
            version, "sqlite", "CREATE TABLE weir_schema (version INTEGER PRIMARY KEY, applied TEXT)")
            + "CREATE VIEW racks AS SELECT attributes FROM weir_target WHERE mode = 'pull'")
    for _ in range(2):  # there is nothing left to do for the second
        weir = start_weir(f"--targets.url=sqlite:{path}")
        check(weir)
        weir.stop()
        assert rows(COUNTS) == [(NEWEST, NEWEST)]
        assert rows("SELECT * FROM racks") == [('{"rack": "r7"}',)]  # somebody's own view
    weir = start_weir(f"--targets.url=sqlite:{path}")
    check(weir)
    create(weir, {"job": "orwell_image", "instance": "1"}, mode="image")
    create(weir, {"job": "weir_service", "instance": "1"}, mode="service")
    url = f"{TARGETS}/f81d4fae-7dec-41d0-a765-00a0c91e6bf6"
    data(weir.request("PATCH", url, json.dumps({"attributes": {"rack": "r8"}})))
    weir.stop()
    assert rows("SELECT version FROM weir_target WHERE mode = 'pull'") == [(8,)]
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA foreign_keys=ON")
        with pytest.raises(sqlite3.IntegrityError):
            database.execute("UPDATE weir_target SET mode = 'odd'")
        database.execute("UPDATE weir_target SET enabled = 0 WHERE mode = 'push'")
        assert database.execute("SELECT version FROM weir_target WHERE mode = 'push'").fetchall() == [(2,)]
        database.execute("DELETE FROM weir_target WHERE mode = 'push'")  # what was seen of it goes, too
        assert database.execute("SELECT count(*) FROM weir_target_seen WHERE replica = 'other'"
                                ).fetchall() == [(0,)]
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.parametrize("version", range(1, NEWEST))
def test_postgres(postgres, tmp_path, version):
    """Of two that find it at once one brings it up to date."""
    with contextlib.ExitStack() as stack:
        postgres.ask(of_version(version, "postgres", "CREATE TABLE weir_schema (version integer PRIMARY KEY, "
                                                     "applied timestamptz NOT NULL DEFAULT now())"))

        def start(name):
            weir = Weir(tmp_path / name, f"--targets.url={postgres.url}")
            stack.callback(weir.stop)
            return weir

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            weirs = list(pool.map(start, "ab"))
        for weir in weirs:
            check(weir)
        assert postgres.rows(COUNTS) == [(str(NEWEST), str(NEWEST))]
        again = start("again")  # there is nothing left to do
        check(again)
        create(again, {"job": "orwell_image", "instance": "1"}, mode="image")
        create(again, {"job": "weir_service", "instance": "1"}, mode="service")
        assert postgres.rows("SELECT mode FROM weir_target WHERE instance = '1' ORDER BY 1") == [
            ("image",), ("service",)]
        assert postgres.rows(COUNTS) == [(str(NEWEST), str(NEWEST))]
        postgres.ask(f"INSERT INTO weir_schema (version) VALUES ({NEWEST + 1})")
        late = start("late")
        wait_for(lambda: f"of a newer weir: its schema has version {NEWEST + 1}, this weir knows up to {NEWEST}"
                 in late.stderr(), "it is left alone")
