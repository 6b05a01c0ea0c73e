"""The database file: damaged, of another program, of a newer weir."""

import re
import signal
import sqlite3

import pytest

from harness import Weir, run_weir, wait_for

PAGE = 4096
GROUPS = 200


@pytest.fixture
def path(tmp_path):
    (tmp_path / "state").mkdir()
    return tmp_path / "state" / "weir.db"


@pytest.fixture
def flags(path):
    return [f"--state.url=sqlite:{path}", "--state.sync=normal"]


def ready(weir):
    """It has loaded what is stored."""
    wait_for(lambda: weir.get("/-/ready").status == 200, "weir to be ready")
    return weir


@pytest.fixture
def start(start_weir, flags):
    return lambda: ready(start_weir(*flags))


def value(number):
    return f"m{{instance=\"\",job=\"{number}\"}} {number}"


def fill(weir):
    for number in range(GROUPS):
        assert weir.put(f"/metrics/job/{number}", f"m {number}\n".encode()).status == 200


def series(weir):
    return {line for line in weir.get("/metrics").text.splitlines() if line.startswith("m{")}


def kept(path):
    return sorted(found for found in path.parent.glob("weir.db.damaged-*")
                  if not found.name.endswith("-wal"))


def overwrite(path, page, data):
    with open(path, "r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(data)


@pytest.mark.smoke
@pytest.mark.parametrize("page", [1, 2])
def test_damaged_where_it_begins(start, path, page):
    """The first page says what is in it, the second one where its rows are."""
    weir = start()
    fill(weir)
    weir.stop()
    overwrite(path, page, bytes(PAGE))
    damaged = path.read_bytes()
    weir = start()
    assert {value(number) for number in range(GROUPS)} == series(weir)
    assert [found.read_bytes() for found in kept(path)] == [damaged]
    assert "the database is damaged" in weir.stderr()
    weir.put("/metrics/job/7", b"m 8\n")
    weir.stop()
    weir = start()
    assert len(series(weir)) == GROUPS
    assert len(kept(path)) == 1


def test_damaged_in_the_middle(start, path):
    weir = start()
    fill(weir)
    weir.stop()
    pages = path.stat().st_size // PAGE
    overwrite(path, pages - 1, b"\xa5" * PAGE)
    weir = start()
    found = series(weir)
    assert GROUPS - 60 < len(found) < GROUPS
    assert found < {value(number) for number in range(GROUPS)}
    assert len(kept(path)) == 1


def test_damaged_log(start, path, flags, tmp_path):
    """Of a weir that was killed: SQLite would lose all behind the damage."""
    (tmp_path / "killed").mkdir()
    weir = ready(Weir(tmp_path / "killed", *flags))
    fill(weir)
    weir.signal(signal.SIGKILL)
    assert weir.wait() == -signal.SIGKILL
    weir.process.stdout.close()
    log = path.with_name("weir.db-wal")
    data = bytearray(log.read_bytes())
    frame = PAGE + 24
    data[32 + 20 * frame + 2000] ^= 1
    log.write_bytes(data)
    weir = start()
    assert len(series(weir)) >= GROUPS - 2
    assert [found.with_name(found.name + "-wal").read_bytes() for found in kept(path)] == [data]


def make_foreign(path):
    path.write_text("notes, not metrics\n")
    return "it is no database of weir"


def make_foreign_database(path):
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE t (x)")
    return "it is no database of weir"


def make_newer(path):
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA application_id={0x77656972}")
        database.execute("PRAGMA user_version=9")
        database.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID")
        database.execute("INSERT INTO meta VALUES ('written_by', 'weir 99.1')")
    return "it was written by weir 99.1"


@pytest.mark.parametrize("make", [make_foreign, make_foreign_database, make_newer])
def test_not_touched(make, flags, path, tmp_path):
    what = make(path)
    before = path.read_bytes()
    code, stderr = run_weir(tmp_path, *flags)
    assert code == 1
    assert re.search(f'"cannot use the database" .*{what}', stderr)
    assert path.read_bytes() == before
    assert sorted(found.name for found in path.parent.iterdir()) == ["weir.db", "weir.db.lock"]
