"""A database that weir cannot use: pushes are taken, and everybody is told why nothing is stored."""

import contextlib
import json
import sqlite3

import pytest

from harness import wait_for
from targets import TARGETS, error

NEWER = ("CREATE TABLE weir_schema (version integer, applied text); "
         "INSERT INTO weir_schema VALUES (1, ''), (99, '')")
FOREIGN = "CREATE TABLE weir_target (recipe text)"
STRANGE = "CREATE TABLE weir_schema (recipe text)"  # not even that is as it should be


def edit_sqlite(path, text):
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.executescript(text)


def tables_of_sqlite(path):
    with contextlib.closing(sqlite3.connect(path)) as database:
        return [name for name, in database.execute("SELECT name FROM sqlite_schema ORDER BY 1")]


def check(weir, says):
    wait_for(lambda: says in weir.stderr(), "it is said")
    for _ in range(3):
        assert weir.put("/metrics/job/j", "m 1\n").status == 200
        answers = [weir.post(TARGETS, json.dumps({"labels": {"job": "k"}})),
                   weir.post(f"{TARGETS}/import", json.dumps({"labels": {"job": "k"}})),
                   weir.request("PATCH", f"{TARGETS}/f81d4fae-7dec-41d0-a765-00a0c91e6bf6", "{}")]
        for answer in answers:
            assert says in error(answer, 503)
    page = weir.scrape()
    assert page.value("weir_targets_store_up") == 0
    assert page.value("weir_targets", state="active") == 1
    assert "m{" in weir.get("/metrics").text
    assert weir.get("/-/ready").status == 200
    assert weir.get("/-/healthy").status == 200
    assert weir.stderr().count(says) == 1


@pytest.mark.parametrize("text, says", [
    (NEWER, "its schema has version 99"), (FOREIGN, "of another program"), (STRANGE, "no such column")])
def test_sqlite(start_weir, tmp_path, text, says):
    path = tmp_path / "t.db"
    edit_sqlite(path, text)
    before = tables_of_sqlite(path)
    weir = start_weir(f"--targets.url=sqlite:{path}")
    check(weir, says)
    weir.stop()
    assert tables_of_sqlite(path) == before


@pytest.mark.parametrize("text, says", [
    (NEWER, "its schema has version 99"), (FOREIGN, "already exists"), (STRANGE, "does not exist")])
def test_postgres(start_weir, postgres, text, says):
    postgres.ask(text)
    tables = "SELECT relname FROM pg_class WHERE relname LIKE 'weir%' ORDER BY 1"
    before = postgres.ask(tables)
    weir = start_weir(f"--targets.url={postgres.url}")
    check(weir, says)
    weir.stop()
    assert postgres.ask(tables) == before


def test_readiness_while_it_is_away(start_weir):
    """Pushes and scrapes do not need it."""
    weir = start_weir("--targets.url=postgres://weir@127.0.0.1:1/weir")
    check(weir, "Connection refused")
