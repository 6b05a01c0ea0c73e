"""weir's database seen from outside of weir: copied and checked, also while weir writes to it.

docs/state.md says what is in it. Whatever fails is a Fault, whose text is for the user.
"""

import contextlib
import os
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

NAME = "weir.db"  # in the data directory
COMPANIONS = ("-wal", "-shm")
APPLICATION_ID = 0x77656972
APPLICATION_ID_PLACE = 68  # in SQLite's header
VERSION = 1  # of the tables; PRAGMA user_version
TABLES = {"segment", "meta"}
BUSY_SECONDS = 30
STEP_PAGES = 256  # 1 MiB

# A group is what its last row says, unless everything was wiped after it. Beside the kind there
# may be a flag.
COUNT_GROUPS = """
SELECT count(*) FROM (
    SELECT kind & 15 AS kind, max(number) FROM segment
    WHERE grp > 0 AND number >= (SELECT coalesce(max(number), 0) FROM segment WHERE kind & 15 = 4)
    GROUP BY grp)
WHERE kind <> 3
"""


class Fault(Exception):
    """What is wrong, for who called the script."""


@dataclass
class Rows:
    count: int
    first: int
    last: int


@contextlib.contextmanager
def faults_of(path):
    """What SQLite and the system say of a path, as a Fault."""
    try:
        yield
    except sqlite3.Error as fault:
        hint = ""
        if "unable to open" in str(fault) or "readonly" in str(fault):
            hint = " (weir's user can read it, and root)"
        raise Fault(f"{path}: {fault}{hint}") from None
    except OSError as fault:
        raise Fault(f"{fault.filename or path}: {fault.strerror}") from None


def is_database(path):
    """Whether a file begins as weir's databases do. Not for one that this process has open: closing
    it would let go of SQLite's locks."""
    with open(path, "rb") as file:
        head = file.read(APPLICATION_ID_PLACE + 4)
    return head.startswith(b"SQLite format 3\0") and (
        int.from_bytes(head[APPLICATION_ID_PLACE:], "big") == APPLICATION_ID)


def pragma(connection, name):
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


@contextlib.contextmanager
def opened(path, mode="ro"):
    """A connection to a database that is there. Transactions are the caller's business."""
    if not Path(path).is_file():
        raise Fault(f"{path}: there is no such file")
    with contextlib.closing(sqlite3.connect(
            f"file:{quote(str(Path(path).absolute()))}?mode={mode}", uri=True,
            isolation_level=None, timeout=BUSY_SECONDS)) as connection:
        yield connection


def check_kind(connection, path):
    """That it is weir's, and of a version that is known here."""
    try:
        if pragma(connection, "application_id") != APPLICATION_ID:
            raise Fault(f"{path}: this is no database of weir")
    except sqlite3.DatabaseError as fault:
        if "not a database" in str(fault):
            raise Fault(f"{path}: this is no database of weir") from None
        raise
    version = pragma(connection, "user_version")
    if version > VERSION:
        raise Fault(f"{path}: this is of a newer weir (version {version} of the tables; "
                    f"known here is {VERSION})")
    tables = {name for name, in connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if not TABLES <= tables:
        raise Fault(f"{path}: tables are missing: {', '.join(sorted(TABLES - tables))}")


def check_whole(connection, path):
    first = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if first != "ok":
        raise Fault(f"{path}: it is damaged: {' '.join(first.split())}")


def rows_of(connection):
    return Rows(*connection.execute(
        "SELECT count(*), coalesce(min(number), 0), coalesce(max(number), 0) FROM segment"
    ).fetchone())


def groups_of(connection):
    return connection.execute(COUNT_GROUPS).fetchone()[0]


@contextlib.contextmanager
def copied(source, target):
    """Copies one version of a database, and checks the copy: yields (its path, its groups).

    The copy lies beside the target under a name of its own, synced and readable by its owner alone.
    If it is still there when the block ends, it is removed.
    """
    with faults_of(target):
        descriptor, path = tempfile.mkstemp(dir=target.parent, prefix=f"{target.name}.tmp-")
    try:
        with faults_of(source), opened(source) as connection:
            connection.execute("BEGIN")
            check_kind(connection, source)
            rows = rows_of(connection)  # from here on it is this version, whatever weir writes
            copy_pages(connection, path, descriptor)
        with faults_of(path), opened(path, "rw") as copy:
            pragma(copy, "journal_mode = DELETE")  # so that the one file is all of it
            check_kind(copy, path)
            check_whole(copy, path)
            if rows_of(copy) != rows:
                raise Fault(f"{path}: it has {rows_of(copy)}, copied were {rows}")
            groups = groups_of(copy)
        os.fsync(descriptor)
        yield Path(path), groups
    finally:
        os.close(descriptor)
        for name in (path, f"{path}-journal"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)


def copy_pages(connection, path, descriptor):
    """Each step is synced: a commit of weir does not wait for more than one of them."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as copy:
        pragma(copy, "journal_mode = OFF")
        copy.execute("PRAGMA synchronous = OFF")
        connection.backup(copy, pages=STEP_PAGES,
                          progress=lambda *_: os.fdatasync(descriptor))


def sync_directory(path):
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def add_place_options(parser):
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--data-dir", default="data", metavar="DIR", type=Path)
    place.add_argument("--state", metavar="PATH", type=Path)


def place_of(chosen):
    """The database that --data-dir or --state mean."""
    return chosen.state or chosen.data_dir / NAME
