"""A PostgreSQL of a test's own: it can be stopped, killed and started again."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from harness import DEADLINE, wait_for
from redis_servers import free_port


class SqlError(Exception):
    """What psql said of it."""


def programs():
    """The newest PostgreSQL's; Debian keeps them out of the way."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"),
                   key=lambda path: int(path.parts[4]))
    assert found, "no PostgreSQL: install postgresql"
    return found[-1].parent


def descendants(pid):
    """With itself first, so that nobody comes after it was stopped."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(other for child in children for other in descendants(int(child)))]


class PostgresServer:
    """On a free port of the loopback. It refuses to be root, so a root's test runs it as the user that
    Debian made for it."""

    def __init__(self):
        self.programs = programs()
        self.directory = Path(tempfile.mkdtemp(prefix="weir-postgres-"))
        self.port = free_port()
        self.process = None
        self.user = pwd.getpwnam("postgres") if os.getuid() == 0 else None
        if self.user:
            os.chown(self.directory, self.user.pw_uid, self.user.pw_gid)
        self.log = open(self.directory / "log", "ab")
        try:
            initdb = self._run("initdb", "-D", self.data, "-U", "weir", "-A", "trust", "-E", "UTF8",
                               "--locale=C", "--no-sync")
            wait_for(lambda: initdb.poll() is not None, "initdb has made the database", 4 * DEADLINE)
            assert initdb.returncode == 0, (self.directory / "log").read_text()
            self.start()
            self.ask("CREATE DATABASE weir", database="postgres")
        except BaseException:
            self.finish()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.finish()

    @property
    def data(self):
        return self.directory / "data"

    @property
    def url(self):
        return f"postgres://weir@127.0.0.1:{self.port}/weir"

    def _run(self, program, *arguments):
        options = {"user": self.user.pw_uid, "group": self.user.pw_gid,
                   "extra_groups": []} if self.user else {}
        return subprocess.Popen([self.programs / program, *arguments], cwd=self.directory,
                                stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, **options)

    def start(self):
        self.process = self._run(
            "postgres", "-D", self.data, "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
            "-c", f"unix_socket_directories={self.directory}", "-c", "fsync=off",
            "-c", "shared_buffers=16MB", "-c", "max_connections=40")
        wait_for(self._answers, "PostgreSQL answers")

    def _answers(self):
        assert self.process.poll() is None, (self.directory / "log").read_text()
        with contextlib.suppress(SqlError):
            return self.ask("SELECT 1", database="postgres") == "1"
        return False

    def stop(self, number=signal.SIGINT):
        """SIGINT: connections are cut. SIGQUIT: as a crash."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(DEADLINE)
            self.process = None

    def finish(self):
        self.stop(signal.SIGQUIT)
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def ask(self, text, database="weir"):
        """What psql answers to some SQL: a line a row, columns between |."""
        done = subprocess.run(
            ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", text,
             f"postgres://weir@127.0.0.1:{self.port}/{database}"],
            capture_output=True, text=True, check=False, timeout=DEADLINE)
        if done.returncode != 0:
            raise SqlError(done.stderr)
        return done.stdout.strip()

    def rows(self, text):
        return [tuple(line.split("|")) for line in self.ask(text).splitlines()]

    @contextlib.contextmanager
    def frozen(self):
        """Until the block ends none of its processes does anything."""
        pids = descendants(self.process.pid)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in reversed(pids):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    @contextlib.contextmanager
    def session(self, text):
        """Somebody who has said that, and stays connected until the block ends."""
        psql = subprocess.Popen(["psql", "-XqAt", self.url], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            psql.stdin.write(f"{text};\n\\echo said\n")
            psql.stdin.flush()
            wait_for(lambda: psql.stdout.readline() == "said\n", "it is said")
            yield
        finally:
            psql.kill()
            psql.communicate()
