"""scripts/backup and scripts/restore: a whole copy of the database while it is written, and back."""

import contextlib
import itertools
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import threading

import pytest

from harness import DEADLINE, REPOSITORY, Closed, Weir, wait_for

TABLES = """
CREATE TABLE segment(number INTEGER PRIMARY KEY, kind INTEGER NOT NULL, grp INTEGER NOT NULL,
                     sum INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
"""
WHOLE, PUSH, GONE, WIPE, PACKED = 1, 2, 3, 4, 16
INSERT = "INSERT INTO segment VALUES (?, ?, ?, 0, ?)"


def run(script, *arguments, cwd=None):
    """Exit code, stdout and stderr."""
    done = subprocess.run([REPOSITORY / "scripts" / script, *map(str, arguments)], cwd=cwd,
                          capture_output=True, text=True, timeout=DEADLINE, check=False)
    return done.returncode, done.stdout, done.stderr


def succeed(script, *arguments, cwd=None):
    code, stdout, stderr = run(script, *arguments, cwd=cwd)
    assert (code, stderr) == (0, "")
    return stdout


def fail(script, *arguments):
    """What it says."""
    code, stdout, stderr = run(script, *arguments)
    assert (code, stdout) == (1, "")
    assert stderr.startswith(f"{script}: ") and stderr.count("\n") == 1, stderr
    return stderr


def connect(path, **options):
    return sqlite3.connect(path, isolation_level=None, **options)


def make_database(path, groups=100, bytes_each=300, version=1, application=0x77656972):
    """As weir makes it. With an open connection, so that its -wal is there; close it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = connect(path, check_same_thread=False)
    connection.executescript(f"PRAGMA page_size = 4096; PRAGMA application_id = {application};"
                             f"PRAGMA user_version = {version}; PRAGMA journal_mode = WAL; {TABLES}")
    rows = ((number, WHOLE, number, os.urandom(bytes_each)) for number in range(1, groups + 1))
    connection.execute("BEGIN")
    connection.executemany(INSERT, rows)
    connection.execute("COMMIT")
    return connection


def rows(path):
    with contextlib.closing(connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute("SELECT * FROM segment ORDER BY number").fetchall()


def names(directory):
    return sorted(path.name for path in directory.iterdir())


@pytest.fixture
def made(tmp_path):
    """A database of 100 groups in data/, open."""
    with contextlib.closing(make_database(tmp_path / "data" / "weir.db")) as connection:
        yield connection


class Writer:
    """Commits row after row, and waits for nobody. Notes the last number that is committed."""

    def __init__(self, path):
        self.path, self.committed, self.fault = path, 0, None
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        wait_for(lambda: self.committed, "the first is committed")
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
        assert self.fault is None, self.fault

    def _run(self):
        try:
            with contextlib.closing(connect(self.path, timeout=0)) as connection:
                connection.execute("PRAGMA synchronous = OFF")
                for number in itertools.count(connection.execute(
                        "SELECT max(number) + 1 FROM segment").fetchone()[0]):
                    if self.done.is_set():
                        return
                    connection.execute(INSERT, (number, PUSH, 1, os.urandom(500)))
                    self.committed = number
        except sqlite3.Error as fault:
            self.fault = fault


class Pushers:
    """Clients that push ascending values to groups of their own, one after the other is answered."""

    GROUPS = 25  # of each

    def __init__(self, weir, count=4):
        self.weir = weir
        self.sent, self.answered = {}, {}  # by group
        self.faults = []
        self.done = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(number,))
                        for number in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.wait_for_rounds(2)
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join()
        assert self.faults == []

    def wait_for_rounds(self, rounds):
        """Until each group has had so many pushes more."""
        everybody = [f"{number}-{n}" for number in range(len(self.threads))
                     for n in range(self.GROUPS)]
        wanted = {group: self.answered.get(group, 0) + rounds for group in everybody}
        wait_for(lambda: self.faults or all(self.answered.get(group, 0) >= value
                                            for group, value in wanted.items()), "all have pushed")

    def _run(self, number):
        try:
            with self.weir.connect() as connection:
                for turn in itertools.count():
                    group = f"{number}-{turn % self.GROUPS}"
                    if self.done.is_set():
                        return
                    self._push(connection, group, turn // self.GROUPS + 1)
        except (AssertionError, Closed, OSError) as fault:
            self.faults.append(fault)

    def _push(self, connection, group, value):
        self.sent[group] = value
        answer = connection.exchange("POST", f"/metrics/job/backup/instance/{group}",
                                     f"turn {value}\nsquare {value * value}\n")
        assert answer.status in (200, 202), answer.text
        self.answered[group] = value


def turns(weir):
    """What each group has as its turn; it has the square of the same push, too."""
    wait_for(lambda: weir.get("/-/ready").status == 200, "all is loaded")
    samples = weir.scrape().samples
    values = {name: {dict(labels)["instance"]: int(value)
                     for (family, labels), value in samples.items() if family == name}
              for name in ("turn", "square")}
    assert values["square"] == {group: value * value for group, value in values["turn"].items()}
    return values["turn"]


@pytest.mark.smoke
def test_all_that_was_answered_before_is_restored(tmp_path, start_weir):
    with Pushers(start_weir()) as pushers:
        answered = dict(pushers.answered)
        stdout = succeed("backup", f"--data-dir={tmp_path / 'weir0' / 'data'}",
                         tmp_path / "copy.db")
        sent = dict(pushers.sent)
        pushers.wait_for_rounds(2)
    assert f"saved {len(sent)} groups, " in stdout
    succeed("restore", f"--data-dir={tmp_path / 'weir1' / 'data'}", tmp_path / "copy.db")
    restored = turns(start_weir())
    assert restored.keys() == sent.keys()
    for group, turn in restored.items():
        assert answered[group] <= turn <= sent[group]


def test_restore_goes_back_and_forth(tmp_path):
    data = tmp_path / "data"
    weir = Weir(tmp_path)
    try:
        weir.put("/metrics/job/backup/instance/a", "turn 1\nsquare 1\n")
        succeed("backup", f"--data-dir={data}", tmp_path / "copy.db")
        weir.put("/metrics/job/backup/instance/a", "turn 2\nsquare 4\n")
        weir.put("/metrics/job/backup/instance/b", "turn 3\nsquare 9\n")
    finally:
        weir.process.kill()  # what was not moved into the database yet is in its log
        weir.wait()
        weir.process.stdout.close()
    for backup, wanted in (("copy.db", {"a": 1}),
                           ("data/weir.db.before-restore-*Z", {"a": 2, "b": 3})):
        succeed("restore", f"--data-dir={data}", next(tmp_path.glob(backup)))
        weir = Weir(tmp_path)
        try:
            assert turns(weir) == wanted
        finally:
            weir.stop()


@pytest.mark.smoke
def test_is_one_version_of_a_database_that_is_being_written(tmp_path):
    path = tmp_path / "data" / "weir.db"
    with contextlib.closing(make_database(path, groups=20_000, bytes_each=1_000)), \
            Writer(path) as writer:
        before = writer.committed
        assert "saved 20000 groups, " in succeed("backup", f"--state={path}", tmp_path / "copy.db")
        after = writer.committed
    numbers = [row[0] for row in rows(tmp_path / "copy.db")]
    assert numbers == list(range(1, numbers[-1] + 1))
    assert before <= numbers[-1] <= after and before < after
    assert rows(path)[:len(numbers)] == rows(tmp_path / "copy.db")


def test_copy_needs_nothing_beside_it(tmp_path, made):
    (tmp_path / "to").mkdir()
    stdout = succeed("backup", tmp_path / "to" / "copy.db", cwd=tmp_path)
    assert names(tmp_path / "to") == ["copy.db"]
    copy = tmp_path / "to" / "copy.db"
    assert stdout == f"saved 100 groups, {copy.stat().st_size} bytes in {copy}\n"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert rows(copy) == made.execute("SELECT * FROM segment").fetchall()
    assert names(tmp_path / "to") == ["copy.db"]


def test_counts_groups_that_live(tmp_path, made):
    made.execute(INSERT, (101, GONE, 7, b""))
    made.execute(INSERT, (102, PUSH | PACKED, 8, b""))
    assert "saved 99 groups" in succeed("backup", tmp_path / "copy.db", cwd=tmp_path)
    made.execute(INSERT, (103, WIPE, 0, b""))
    assert "saved 0 groups" in succeed("backup", tmp_path / "copy.db", cwd=tmp_path)
    made.execute(INSERT, (104, WHOLE | PACKED, 200, b""))
    made.execute(INSERT, (105, PUSH, 200, b""))
    assert "saved 1 groups" in succeed("backup", tmp_path / "copy.db", cwd=tmp_path)


def test_keeps_the_newest_of_a_directory(tmp_path, made):
    folder = tmp_path / "backups"
    folder.mkdir()
    others = ["other.db", "weir-20200101T000000Z.db.gz", "weir.db"]
    for name in (*others, *(f"weir-2020010{day}T000000Z.db" for day in range(1, 6))):
        (folder / name).touch()
    stdout = succeed("backup", f"--data-dir={tmp_path / 'data'}", "--keep=3", folder)
    stamped = [name for name in names(folder) if name not in others]
    assert stamped[:2] == ["weir-20200104T000000Z.db", "weir-20200105T000000Z.db"]
    assert len(stamped) == 3 and len(rows(folder / stamped[2])) == 100
    assert names(folder) == sorted(others + stamped)
    assert stdout.splitlines()[1:] == [
        f"removed {folder}/weir-2020010{day}T000000Z.db" for day in range(1, 4)]


def test_works_without_weir_and_its_log(tmp_path, made):
    made.close()
    assert names(tmp_path / "data") == ["weir.db"]
    assert "saved 100 groups" in succeed("backup", tmp_path / "copy.db", cwd=tmp_path)


def test_replaces_an_older_backup_only(tmp_path, made):
    database = tmp_path / "data" / "weir.db"
    copy = tmp_path / "copy.db"
    succeed("backup", f"--state={database}", copy)
    made.execute(INSERT, (101, WHOLE, 101, b""))
    succeed("backup", f"--state={database}", copy)
    assert len(rows(copy)) == 101
    other = tmp_path / "other"
    other.write_text("precious")
    assert "it is not replaced" in fail("backup", f"--state={database}", other)
    assert other.read_text() == "precious"
    assert "it is not replaced" in fail("backup", f"--state={database}", database)
    made.close()
    assert "this is the database itself" in fail("backup", f"--state={database}", database)
    assert len(rows(database)) == 101


def damage(path):
    """Makes an inner page of the tree one that SQLite cannot read."""
    with open(path, "r+b") as file:
        file.seek(4096 * 4)
        file.write(b"\x77" * 4096)


def spoiled(path, kind):
    """A file that is no good backup, and what is said of it."""
    if kind == "foreign":
        path.write_text("# TYPE a gauge\na 1\n" * 1000)
        return "this is no database of weir"
    if kind == "missing":
        return "there is no such file"
    options = {"newer": {"version": 2}, "other": {"application": 7}}
    make_database(path, **options.get(kind, {})).close()
    if kind == "damaged":
        damage(path)
    elif kind == "short":
        os.truncate(path, 4096 * 5)
    return {"newer": "this is of a newer weir (version 2 of the tables; known here is 1)",
            "other": "this is no database of weir"}.get(kind, "")


KINDS = ["foreign", "missing", "newer", "other", "damaged", "short"]


@pytest.mark.parametrize("kind", KINDS)
def test_of_what_is_not_good_there_is_no_backup(tmp_path, kind):
    reason = spoiled(tmp_path / "weir.db", kind)
    (tmp_path / "to").mkdir()
    assert reason in fail("backup", f"--state={tmp_path / 'weir.db'}", tmp_path / "to")
    assert names(tmp_path / "to") == []


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_but_a_good_backup_is_restored(tmp_path, made, kind):
    reason = spoiled(tmp_path / "backup.db", kind)
    before = rows(tmp_path / "data" / "weir.db")
    made.close()
    assert reason in fail("restore", f"--data-dir={tmp_path / 'data'}", tmp_path / "backup.db")
    assert names(tmp_path / "data") == ["lock", "weir.db", "weir.db.lock"]
    assert rows(tmp_path / "data" / "weir.db") == before


def leave_log(directory, connection):
    """The files as a crash leaves them, with a -wal: copies of those that are open."""
    saved = directory.with_name("saved")
    shutil.copytree(directory, saved)
    connection.close()
    for path in saved.iterdir():
        shutil.copy2(path, directory / path.name)


@pytest.mark.smoke
def test_restore_keeps_what_was_there_with_its_log(tmp_path, made):
    data = tmp_path / "data"
    succeed("backup", tmp_path / "backup.db", cwd=tmp_path)
    saved = rows(tmp_path / "backup.db")
    made.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    made.execute("DELETE FROM segment WHERE number < 50")
    made.execute(INSERT, (101, WHOLE, 101, b"late"))
    late = made.execute("SELECT * FROM segment").fetchall()
    leave_log(data, made)
    assert (data / "weir.db-wal").stat().st_size > 0
    os.chmod(data / "weir.db", 0o640)

    stdout = succeed("restore", tmp_path / "backup.db", cwd=tmp_path)
    kept = next(data.glob("weir.db.before-restore-*Z"))
    assert names(data) == sorted(["lock", "weir.db", "weir.db.lock", kept.name, f"{kept.name}-wal"])
    assert stdout.splitlines()[:2] == [f"kept what was there as data/{kept.name}",
                                       "restored 100 groups to data/weir.db"]
    assert rows(data / "weir.db") == saved
    assert stat.S_IMODE((data / "weir.db").stat().st_mode) == 0o640

    succeed("restore", kept, f"--state={tmp_path / 'again.db'}")
    assert rows(tmp_path / "again.db") == late


def test_restores_within_a_second_keep_all(tmp_path, made):
    succeed("backup", tmp_path / "backup.db", cwd=tmp_path)
    made.close()
    for _ in range(4):
        succeed("restore", tmp_path / "backup.db", cwd=tmp_path)
    kept = list((tmp_path / "data").glob("weir.db.before-restore-*"))
    assert len(kept) == 4 and all(len(rows(path)) == 100 for path in kept)


def test_restore_makes_the_data_directory(tmp_path, made):
    succeed("backup", tmp_path / "backup.db", cwd=tmp_path)
    succeed("restore", f"--data-dir={tmp_path / 'new' / 'data'}", tmp_path / "backup.db")
    assert names(tmp_path / "new" / "data") == ["lock", "weir.db", "weir.db.lock"]
    assert stat.S_IMODE((tmp_path / "new" / "data" / "weir.db").stat().st_mode) == 0o600


def test_restore_refuses_when_weir_runs(tmp_path, made, start_weir):
    succeed("backup", tmp_path / "backup.db", cwd=tmp_path)
    start_weir()
    data = tmp_path / "weir0" / "data"
    before = names(data)
    assert "a weir uses it; stop it first" in fail("restore", f"--data-dir={data}",
                                                   tmp_path / "backup.db")
    assert names(data) == before


def test_restore_refuses_when_the_database_is_open(tmp_path, made):
    database = tmp_path / "data" / "weir.db"
    succeed("backup", tmp_path / "backup.db", cwd=tmp_path)
    saved = rows(tmp_path / "backup.db")
    made.execute(INSERT, (101, WHOLE, 101, b""))
    assert "somebody has it open" in fail("restore", f"--state={database}", tmp_path / "backup.db")
    assert len(rows(database)) == 101
    made.close()
    succeed("restore", f"--state={database}", tmp_path / "backup.db")
    assert rows(database) == saved


def test_an_interrupted_backup_leaves_nothing_behind(tmp_path):
    path = tmp_path / "data" / "weir.db"
    (tmp_path / "to").mkdir()
    with contextlib.closing(make_database(path, groups=50_000, bytes_each=1_000)):
        process = subprocess.Popen([REPOSITORY / "scripts" / "backup", f"--state={path}",
                                    tmp_path / "to"], stderr=subprocess.PIPE, text=True)
        wait_for(lambda: names(tmp_path / "to"), "it has begun")
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=DEADLINE)
    assert (process.returncode, stderr) == (1, "backup: interrupted\n")
    assert names(tmp_path / "to") == []


@pytest.mark.parametrize("script,arguments", [
    ("backup", []), ("backup", ["--keep=0", "."]), ("backup", ["--keep=2", "file"]),
    ("backup", ["--keep=x", "."]), ("backup", ["--state=a", "--data-dir=b", "."]),
    ("restore", []), ("restore", ["a", "b"]), ("restore", ["--keep=2", "a"])])
def test_wrong_calls(tmp_path, script, arguments):
    code, _, stderr = run(script, *arguments, cwd=tmp_path)
    assert code == 2 and f"{script}: error: " in stderr
    assert names(tmp_path) == []


def test_help_is_the_usage(tmp_path):
    for script in ("backup", "restore"):
        assert f"usage: scripts/{script} " in succeed(script, "--help")
