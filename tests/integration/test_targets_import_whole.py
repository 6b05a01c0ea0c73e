"""An import of targets is stored as a whole or not at all, whatever ends it in the middle."""

import concurrent.futures
import contextlib
import errno
import json
import signal
import sqlite3
from urllib.parse import quote

import pytest

import persistence
from cutting_proxy import CuttingProxy
from disks import Disk
from harness import Weir, wait_for
from targets import TARGETS, create, data, error

COUNT = 4_000
MOST = 20_000  # that one import may have
NUMBER = 3_000  # the one at which it ends
LOCK = 77


def lines(count=COUNT, **fields):
    return "".join(json.dumps({"labels": {"job": "j", "instance": str(number)}, **fields}) + "\n"
                   for number in range(count))


def total(weir, selector='{job=~".+"}'):
    """How many targets there are in memory."""
    return data(weir.get(f"{TARGETS}?limit=1&match[]={quote(selector)}"))["total"]


def send_import(weir, text):
    return weir.post(f"{TARGETS}/import", text)


# ---- PostgreSQL ----

ROWS = "SELECT count(*) FROM weir_target"
CHANGED = "SELECT count(*) FROM weir_target WHERE attributes ? 'rack'"


def trigger(postgres, then):
    """Something happens at one of the rows, in the middle of them."""
    postgres.ask("CREATE FUNCTION middle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                 f"IF new.instance = '{NUMBER}' THEN {then} END IF; RETURN new; END $$")
    postgres.ask("CREATE TRIGGER middle BEFORE INSERT OR UPDATE ON weir_target "
                 "FOR EACH ROW EXECUTE FUNCTION middle()")


def calm(postgres):
    postgres.ask("DROP FUNCTION middle CASCADE")


@contextlib.contextmanager
def held(postgres, weir, text):
    """An import that waits in its middle, as a future."""
    trigger(postgres, f"PERFORM pg_advisory_xact_lock({LOCK});")
    with concurrent.futures.ThreadPoolExecutor(1) as pool, \
            postgres.session(f"SELECT pg_advisory_lock({LOCK})"):
        answer = pool.submit(send_import, weir, text)
        wait_for(lambda: postgres.ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' "
                                      "AND NOT granted") == "1", "it is in the middle")
        yield answer


def is_up(weir):
    return weir.scrape().value("weir_targets_store_up") == 1


@pytest.fixture
def weir(start_weir, postgres):
    started = start_weir(f"--targets.url={postgres.url}", "--state.url=none")
    wait_for(lambda: is_up(started), "the database is used")
    return started


def test_all_of_them(weir, postgres):
    statements = weir.scrape().value("weir_targets_store_statements_total")
    assert data(send_import(weir, lines(MOST))) == {"created": MOST, "updated": 0, "skipped": 0}
    assert postgres.ask(ROWS) == str(MOST) == str(total(weir))
    assert weir.scrape().value("weir_targets_store_statements_total") - statements < MOST / 50


def test_the_database_objects(weir, postgres):
    """New ones and such that are there."""
    trigger(postgres, "RAISE 'not that one';")
    assert "not that one" in error(send_import(weir, lines()), 422)
    assert (postgres.ask(ROWS), total(weir)) == ("0", 0)
    calm(postgres)
    data(send_import(weir, lines()))
    trigger(postgres, "RAISE 'not that one';")
    assert "not that one" in error(send_import(weir, lines(attributes={"rack": "r7"})), 422)
    assert (postgres.ask(CHANGED), total(weir, '{rack="r7"}')) == ("0", 0)
    assert postgres.ask(ROWS) == str(COUNT)
    create(weir, {"job": "after"})


def test_one_was_changed_meanwhile(weir, postgres):
    """Somebody edits a row that weir has not heard of yet: his counts, and none of the import does."""
    data(send_import(weir, lines()))
    with held(postgres, weir, lines(attributes={"rack": "r7"})) as answer:
        postgres.ask(f"UPDATE weir_target SET enabled = false WHERE instance = '{COUNT - 1}'")
    assert "somebody else has changed it" in error(answer.result(), 409)
    assert postgres.ask(CHANGED) == "0"
    assert total(weir, '{rack="r7"}') == 0
    wait_for(lambda: data(weir.get(f"{TARGETS}?state=disabled"))["total"] == 1, "the other is known")


def cut_connection(postgres, weir, proxy):
    postgres.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                 "WHERE application_name = 'weir'", database="postgres")


def cut_proxy(postgres, weir, proxy):
    proxy.cut()


def crash(postgres, weir, proxy):
    postgres.stop(signal.SIGQUIT)


@pytest.mark.parametrize("end", [cut_connection, cut_proxy, crash])
def test_the_database_goes_away(start_weir, postgres, end):
    with CuttingProxy(postgres.port) as proxy:
        weir = start_weir(f"--targets.url=postgres://weir@127.0.0.1:{proxy.port}/weir",
                          "--state.url=none")
        wait_for(lambda: is_up(weir), "the database is used")
        with held(postgres, weir, lines()) as answer:
            end(postgres, weir, proxy)
            assert "cannot be stored at present" in error(answer.result(), 503)
        assert total(weir) == 0
        if postgres.process is None:
            postgres.start()
        wait_for(lambda: is_up(weir), "the database is used again")
        assert (postgres.ask(ROWS), total(weir)) == ("0", 0)
        assert data(send_import(weir, lines()))["created"] == COUNT


def test_weir_is_killed(start_weir, postgres, weir):
    with held(postgres, weir, lines()):
        persistence.kill(weir)
    assert postgres.ask(ROWS) == "0"
    again = start_weir(f"--targets.url={postgres.url}")
    wait_for(lambda: is_up(again), "the database is used")
    assert total(again) == 0


# ---- SQLite ----

class Stored:
    """A weir with its targets on a disk that may fail."""

    def __init__(self, start_weir, directory):
        self.disk = Disk(directory / "disk", directory)
        self.database = self.disk.directory / "t.db"
        self.start_weir = start_weir

    def start(self):
        weir = self.start_weir(f"--targets.url=sqlite:{self.database}", "--state.url=none",
                               variables=self.disk.variables(loses=False))
        wait_for(lambda: is_up(weir), "the database is used")
        return weir

    def rows(self):
        with contextlib.closing(sqlite3.connect(self.database, timeout=30)) as database:
            return database.execute(ROWS).fetchone()[0]

    def edit(self, text):
        with contextlib.closing(sqlite3.connect(self.database, timeout=30)) as database:
            database.execute(text)


@pytest.fixture
def stored(start_weir, tmp_path):
    return Stored(start_weir, tmp_path)


def test_sqlite_objects(stored):
    weir = stored.start()
    stored.edit(f"CREATE TRIGGER middle BEFORE INSERT ON weir_target WHEN new.instance = '{NUMBER}' "
                "BEGIN SELECT RAISE(ABORT, 'not that one'); END")
    assert "not that one" in error(send_import(weir, lines()), 422)
    assert (stored.rows(), total(weir)) == (0, 0)
    stored.edit("DROP TRIGGER middle")
    assert data(send_import(weir, lines()))["created"] == COUNT
    assert (stored.rows(), total(weir)) == (COUNT, COUNT)


def test_sqlite_disk_full(stored):
    weir = stored.start()
    stored.disk.fail("write", first=20, fault=errno.ENOSPC)
    assert "cannot be stored at present" in error(send_import(weir, lines()), 503)
    assert total(weir) == 0
    wait_for(lambda: not is_up(weir), "it shows")
    assert weir.stderr().count("targets cannot be stored") == 1
    assert weir.get("/-/ready").status == 200
    stored.disk.heal()
    assert stored.rows() == 0
    assert data(send_import(weir, lines()))["created"] == COUNT
    assert stored.rows() == COUNT
    wait_for(lambda: is_up(weir), "it shows")
    assert "targets are stored again" in weir.stderr()


def test_sqlite_killed(stored):
    weir = stored.start()
    stored.disk.order("write 20 20 kill")
    with pytest.raises(Exception):
        send_import(weir, lines())
    assert weir.wait() == -signal.SIGKILL
    weir.process.stdout.close()
    weir.stop = lambda: None
    stored.disk.heal()
    assert stored.rows() == 0
    assert total(stored.start()) == 0
