"""Processes that must not outlive the demo, nor be ended in place of others that got their numbers.

A signal that shall end the demo is only noted; whoever waits asks for it. So it never comes between
the start of a process and the note of it.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

LIST = "processes.json"
START_SECONDS = 60
END_SECONDS = 20
END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Fault(Exception):
    """What went wrong, for people."""


class Interrupted(Exception):
    """The number of the signal that came."""


noted = []


def note_signals():
    for number in END_SIGNALS:
        signal.signal(number, lambda number, _: noted.append(number))


def wait_for(condition, what, seconds=START_SECONDS):
    """Polls until condition() is true, and gives what it gave."""
    end = time.monotonic() + seconds
    while True:
        if noted:
            raise Interrupted(noted[0])
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Fault(f"not within {seconds} s: {what}")
        time.sleep(0.05)


def fields_of(pid):
    """Of /proc/PID/stat, those behind the name; None: there is no such process, or it has ended."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return fields if fields[0] != "Z" else None
    return None


def began(pid):
    """When it was started, in the kernel's ticks, or None."""
    fields = fields_of(pid)
    return int(fields[19]) if fields else None


def members_of(group):
    """Of a process group, those that have not ended."""
    pids = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    return [pid for pid in pids if (fields := fields_of(pid)) and int(fields[2]) == group]


class Process:
    def __init__(self, name, pid, since):
        self.name, self.pid, self.since = name, pid, since
        self.status = None  # how it ended, if it is a child

    def is_running(self):
        if self.since is not None and began(self.pid) == self.since:
            return True
        with contextlib.suppress(ChildProcessError):
            _, self.status = os.waitpid(self.pid, os.WNOHANG)
        return False

    def send(self, number):
        if self.is_running():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def end(self):
        """In order if it can, then by force; with what it started itself."""
        if not self.is_running():
            return
        self.send(signal.SIGINT if self.name == "PostgreSQL" else signal.SIGTERM)
        end = time.monotonic() + END_SECONDS
        while self.is_running():
            if time.monotonic() > end:
                self.send(signal.SIGKILL)
            time.sleep(0.01)
        while group := members_of(self.pid):
            for pid in group:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)


class Processes:
    """All that runs, and the directory that it runs in."""

    def __init__(self, directory):
        self.directory = directory
        self.running = []

    @classmethod
    def read(cls, directory):
        """Those that --keep left."""
        try:
            rows = json.loads((directory / LIST).read_text())
            found = cls(directory)
            found.running = [Process(name, int(pid), int(since)) for name, pid, since in rows]
        except (OSError, ValueError, TypeError) as fault:
            raise Fault(f"{directory} is no directory that scripts/demo --keep left: {fault}") from None
        return found

    def write(self):
        rows = [(process.name, process.pid, process.since) for process in self.running]
        (self.directory / LIST).write_text(json.dumps(rows))

    def start(self, name, *command, user=None, variables=None):
        """In a session of its own: Ctrl-C is for the demo alone, which ends them in turn."""
        options = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        with open(self.log_of(name), "ab") as log:
            try:
                started = subprocess.Popen(
                    [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    cwd=self.directory, start_new_session=True,
                    env={**os.environ, **(variables or {})}, **options)
            except OSError as fault:
                raise Fault(f"cannot start {name}: {fault}") from None
        process = Process(name, started.pid, began(started.pid))
        started.returncode = 0  # whoever asks whether it runs takes its status
        self.running.append(process)
        return process

    def run(self, name, *command, **options):
        """Something that ends by itself."""
        process = self.start(name, *command, **options)
        wait_for(lambda: not process.is_running(), f"{name} is done")
        self.running.remove(process)
        if process.status != 0:
            raise Fault(f"{name} failed, saying:\n{self.last_words(name)}")

    def wait_until(self, is_ready, process):
        def look():
            if not process.is_running():
                raise Fault(f"{process.name} ended, saying:\n{self.last_words(process.name)}")
            return is_ready()
        wait_for(look, f"{process.name} is ready")

    def log_of(self, name):
        return self.directory / f"{name.lower()}.log"

    def last_words(self, name):
        lines = self.log_of(name).read_text(errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-8:])

    def end(self):
        """The last that was started goes first."""
        for number in END_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        while self.running:
            self.running.pop().end()
        shutil.rmtree(self.directory)
