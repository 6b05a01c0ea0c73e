"""The libraries of tests/preload/ that play a disk do what they say: with plain calls, and with SQLite."""

import contextlib
import errno
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile

import pytest

from disks import KILL, Disk
from harness import DEADLINE

SEED = int(os.environ.get("WEIR_SEED", "0")) or random.randrange(1, 1 << 32)
ROUNDS = int(os.environ.get("WEIR_POWER_CUTS", "8"))


@pytest.fixture
def disk(tmp_path):
    return Disk(tmp_path / "disk", tmp_path)


def run(disk, script, seed=0, **options):
    """A Python program with that disk, which is in the directory of it; gives its exit code and output."""
    done = subprocess.run([sys.executable, "-c", "import os, sys\n" + script], cwd=disk.directory,
                          env={**os.environ, **disk.variables(seed=seed, **options)},
                          capture_output=True, text=True, timeout=DEADLINE,
                          check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    disk.begin_anew()
    return done.returncode, done.stdout


def contents(directory):
    return {str(path.relative_to(directory)): path.read_bytes()
            for path in directory.rglob("*") if path.is_file()}


# ---- A disk that loses ----------------------------------------------------------------------

WRITE = """
def sync(name):
    fd = os.open(name, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)
def write(name, text, at=0):
    fd = os.open(name, os.O_WRONLY | os.O_CREAT)
    os.pwrite(fd, text, at)
    os.close(fd)
"""


@pytest.mark.parametrize("script, synced", [
    ("write('a', b'1')", {}),
    ("write('a', b'1'); sync('a')", {}),
    ("write('a', b'1'); sync('.')", {"a": b""}),
    ("write('a', b'1'); sync('.'); sync('a')", {"a": b"1"}),
    ("write('a', b'1'); sync('a'); sync('.')", {"a": b"1"}),
    ("write('a', b'12'); sync('a'); sync('.'); write('a', b'3', 1)", {"a": b"12"}),
    ("write('a', b'12'); sync('a'); sync('.'); write('a', b'3', 1); sync('a')", {"a": b"13"}),
    ("write('a', b'1'); sync('a'); write('a', b'2', 5); sync('a'); sync('.')", {"a": b"1\0\0\0\0002"}),
    ("write('old', b'3'); sync('old')", {"old": b"3ld"}),
    ("fd = os.open('old', os.O_RDWR); os.ftruncate(fd, 1)", {"old": b"old"}),
    ("fd = os.open('old', os.O_RDWR); os.ftruncate(fd, 1); os.ftruncate(fd, 3); os.fsync(fd)",
     {"old": b"o\0\0"}),
    ("fd = os.open('a', os.O_RDWR | os.O_CREAT); os.write(fd, b'1'); os.write(fd, b'2');"
     "os.posix_fallocate(fd, 0, 3); os.writev(fd, [b'3', b'4']); os.fsync(fd); sync('.')", {"a": b"1234"}),
    ("write('a', b'1'); sync('a'); os.rename('a', 'old')", {"old": b"old"}),
    ("write('a', b'1'); sync('a'); os.rename('a', 'old'); sync('.')", {"old": b"1"}),
    ("os.unlink('old')", {"old": b"old"}),
    ("os.unlink('old'); sync('.')", {}),
    ("os.unlink('old'); write('old', b'new'); sync('old')", {"old": b"old"}),
    ("os.unlink('old'); write('old', b'new'); sync('old'); sync('.')", {"old": b"new"}),
    ("os.mkdir('d'); write('d/a', b'1'); sync('d/a'); sync('d')", {}),
    ("os.mkdir('d'); write('d/a', b'1'); sync('d/a'); sync('.')", {"d/a": b"1"}),
    ("os.mkdir('d'); sync('.'); write('d/a', b'1'); sync('d/a'); sync('d')", {"d/a": b"1"}),
])
def test_what_is_synced_is_there(disk, script, synced):
    for directory in (disk.directory, disk.tree):
        (directory / "old").write_bytes(b"old")
    run(disk, f"{WRITE}\n{script}")
    disk.cut_power()
    assert contents(disk.directory) == {**({} if "old" in script else {"old": b"old"}), **synced}
    # What was cut is what the next process begins with.
    run(disk, f"{WRITE}\nwrite('last', b'1'); sync('last'); sync('.')")
    before = contents(disk.directory)
    disk.cut_power()
    assert contents(disk.directory) == before


def test_sectors_are_torn(disk):
    """With dice, of what was not synced any sectors may be there; what was synced is there all."""
    found = set()
    for seed in range(1, 40):
        script = (f"{WRITE}\nwrite('a', b'0' * 4096); sync('a'); sync('.')\n"
                  "for at in range(0, 4096, 1024): write('a', b'1' * 1024, at)")
        run(disk, script, seed=seed)
        disk.cut_power()
        text = (disk.directory / "a").read_bytes()
        assert len(text) == 4096
        sectors = [text[at:at + 512] for at in range(0, 4096, 512)]
        assert all(sector in (b"0" * 512, b"1" * 512) for sector in sectors)
        found.add(text)
    assert len(found) > 10


# ---- A disk that fails ----------------------------------------------------------------------

TRY = f"""{WRITE}
fd = os.open('open', os.O_RDWR | os.O_CREAT)
def attempt(call, *arguments):
    try:
        call(*arguments)
        print('fine')
    except OSError as fault:
        print(fault.errno)
"""


@pytest.mark.parametrize("kind, call", [
    ("open", "os.open, 'x', os.O_RDWR | os.O_CREAT"),
    ("read", "os.read, fd, 1"),
    ("read", "os.pread, fd, 1, 0"),
    ("write", "os.write, fd, b'1'"),
    ("write", "os.pwrite, fd, b'1', 0"),
    ("write", "os.writev, fd, [b'1']"),
    ("allocate", "os.write, fd, b'1'"),
    ("allocate", "os.ftruncate, fd, os.fstat(fd).st_size + 1"),
    ("allocate", "os.posix_fallocate, fd, os.fstat(fd).st_size, 1"),
    ("fsync", "os.fsync, fd"),
    ("fsync", "os.fdatasync, fd"),
    ("rename", "os.rename, 'open', 'open'"),
    ("unlink", "os.unlink, 'x'"),
])
def test_calls_fail(disk, kind, call):
    (disk.directory / "x").touch()
    disk.order(f"{kind} 2 3 {errno.ENOSPC} {'x' if kind in ('open', 'unlink') else 'open'}")
    again = "open('x', 'w').close() if %r else None\n" % (kind == "unlink")
    _, output = run(disk, TRY + f"{again}attempt({call})\n" * 3)
    faults = output.split()
    assert faults == ["fine", str(errno.ENOSPC), str(errno.ENOSPC)]
    assert [each[:2] for each in disk.failed()] == [[kind, "2"], [kind, "3"]]
    disk.heal()
    assert run(disk, TRY + f"{again}attempt({call})\n")[1] == "fine\n"


def test_kill(disk):
    disk.order(f"fsync 2 2 {KILL}")
    code, output = run(disk, TRY + "for i in range(3): os.fsync(fd); print(i, flush=True)")
    assert (code, output) == (-signal.SIGKILL, "0\n")


def test_failed_sync_is_not_made_up_for(disk):
    disk.order(f"fsync 2 2 {errno.EIO}")
    _, output = run(disk, TRY + "sync('.'); os.pwrite(fd, b'1', 0); attempt(os.fsync, fd)\n"
                    "os.pwrite(fd, b'2', 1); attempt(os.fsync, fd); print(os.pread(fd, 2, 0))")
    assert output.split("\n")[:3] == [str(errno.EIO), "fine", "b'12'"]
    disk.cut_power()
    assert contents(disk.directory)["open"] == b"\x002"


# ---- Both, and SQLite -----------------------------------------------------------------------

COMMITS = """
import sqlite3, threading
db = sqlite3.connect('db', isolation_level=None)
db.execute('PRAGMA journal_mode=%s')
db.execute('PRAGMA synchronous=%s')
db.execute('PRAGMA wal_autocheckpoint=20')
db.execute('CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, text)')
first = db.execute('SELECT coalesce(max(n), 0) FROM t').fetchone()[0]
for n in range(first + 1, first + 201):
    db.execute('BEGIN IMMEDIATE')
    db.execute('INSERT INTO t VALUES (?, ?)', (n, str(n) * 300))
    db.execute('UPDATE t SET text = text || 1 WHERE n = ?', (n // 2,))
    db.execute('COMMIT')
    os.write(1, b'%%d\\n' %% n)
"""


def last_row(disk):
    """Of a copy, since SQLite changes what it opens."""
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(disk.directory, copy, dirs_exist_ok=True)
        with contextlib.closing(sqlite3.connect(f"{copy}/db")) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            if db.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
                return 0
            count, last = db.execute("SELECT count(*), coalesce(max(n), 0) FROM t").fetchone()
            assert count == last
            return last


def crash_sqlite(disk, rng, journal, synchronous, rounds):
    """Whether all that was committed was there after each power cut."""
    committed = 0
    for _ in range(rounds):
        kind = rng.choice(["write", "fsync", "unlink", "allocate"])
        disk.order(f"{kind} {rng.randrange(1, 300)} 1000000 {KILL}")
        _, output = run(disk, COMMITS % (journal, synchronous), seed=rng.randrange(1, 1 << 32))
        committed = int(output.split()[-1]) if output else committed
        disk.cut_power()
        try:
            if last_row(disk) < committed:
                return False
        except (AssertionError, sqlite3.DatabaseError):
            return False
    return True


@pytest.mark.parametrize("journal, synchronous", [("wal", "full"), ("delete", "extra")])
def test_sqlite_survives(disk, journal, synchronous):
    print(f"WEIR_SEED={SEED}")
    assert crash_sqlite(disk, random.Random(SEED), journal, synchronous, ROUNDS)


@pytest.mark.parametrize("journal, synchronous",
                         [("wal", "off"), ("wal", "normal"), ("delete", "off"), ("delete", "full")])
def test_sqlite_that_syncs_less_loses(disk, journal, synchronous):
    """Or the tests above could not fail. By "full" a journal may come back that was removed."""
    assert not crash_sqlite(disk, random.Random(1), journal, synchronous, 20)
