"""Weirs that are killed while one takes over from the other: what was acknowledged is there afterwards.

Clients push numbers that count up. Meanwhile a new weir is started, and at some moment one of
the two is killed. Whichever goes on has all that was acknowledged, and when none does, the next one
finds it on disk.

How often: WEIR_TAKEOVER_CRASHES, 8 unless told otherwise. WEIR_SEED repeats a run.
"""

import os
import random
import re
import signal
import threading
import time

import pytest

from harness import DEADLINE, Closed, wait_for
from takeovers import Succession

CRASHES = int(os.environ.get("WEIR_TAKEOVER_CRASHES", "8"))
SEED = int(os.environ.get("WEIR_SEED", "0")) or random.randrange(1, 1 << 32)
CLIENTS = 8
BROKEN = (Closed, ConnectionRefusedError, ConnectionResetError, BrokenPipeError)


class Pusher(threading.Thread):
    """Counts up over one connection, and connects anew when nobody was left to serve it."""

    def __init__(self, weir, number):
        super().__init__()
        self.weir, self.job = weir, f"pusher{number}"
        self.lock = threading.Lock()  # held from a push to its answer
        self.tried = self.acknowledged = 0
        self.stopping = False
        self.fault = None

    def push(self, connection):
        with self.lock:
            self.tried += 1
            answer = connection.exchange("PUT", f"/metrics/job/{self.job}", f"m {self.tried}\n")
            assert answer.status == 200, answer.text
            self.acknowledged = self.tried

    def work(self):
        try:
            with self.weir.connect() as connection:
                while not self.stopping:
                    self.push(connection)
        except BROKEN:
            time.sleep(0.001)  # nobody listens, maybe for a while

    def run(self):
        try:
            while not self.stopping:
                self.work()
        except Exception as fault:  # told by check()
            self.fault = fault

    def check(self):
        if self.fault is not None:
            raise self.fault


class Crashing(Succession):
    takes_over = True

    def __init__(self, directory, rng, *flags):
        super().__init__(directory, *flags)
        self.rng = rng
        host, port = self.address
        self.listen = [f"{host}:{port}"]
        self.story = []  # what was done and what came of it
        began = time.monotonic()
        self.take_over()
        self.usual_seconds = time.monotonic() - began
        self.losses = 0

    def command(self, *flags):
        program, takeover, *rest = super().command(*flags)
        return [program, takeover, *rest] if self.takes_over else [program, *rest]

    def runs(self, pid):
        process = self.started.get(pid, self.first.process)
        assert process.pid == pid
        return process.poll() is None

    def wait_for_moment(self, moment, new, log_before):
        """As exactly as can be, unlike wait_for()."""
        end = time.monotonic() + (DEADLINE if moment else self.rng.random() * self.usual_seconds)
        while time.monotonic() < end and self.runs(self.pid) and self.runs(new):
            if moment and f'"{moment}" pid={new} ' in self.stderr()[log_before:]:
                break

    def crash(self):
        """One begins to take over, and one of the two is killed."""
        log_before = len(self.stderr())
        moment = self.rng.choice([None, None, "handed over", "took over"])
        victim = self.rng.choice(["old", "new"])
        old, new = self.pid, self.start().pid
        self.wait_for_moment(moment, new, log_before)
        killed, other = (old, new) if victim == "old" else (new, old)
        if self.runs(killed):  # the old one may have ended well meanwhile
            os.kill(killed, signal.SIGKILL)
        self.exit_code(killed)
        self.pid = other
        self.story.append((victim, moment))

    def revive(self):
        """One from what is on disk, if nobody serves."""
        if self.runs(self.pid):
            return
        self.losses += 1
        self.story.append("nobody is left")
        self.takes_over = False
        self.pid = self.start().pid
        self.takes_over = True

    def values(self):
        with self.connect() as connection:
            page = connection.exchange("GET", "/metrics").text
        found = re.findall(r'^m\{instance="",job="(\w+)"\} (\d+)$', page, re.M)
        return {job: int(value) for job, value in found}


@pytest.fixture
def weir(tmp_path):
    succession = Crashing(tmp_path / "weir", random.Random(SEED))
    yield succession
    try:
        succession.stop()
    finally:
        print(f"WEIR_SEED={SEED}", *succession.story)
        print(succession.stderr()[-20000:])


def get_on(weir, pushers):
    """Until each has pushed, to one that goes on or to one that is started anew."""
    before = {pusher: pusher.tried for pusher in pushers}

    def all_got_on():
        weir.revive()
        for pusher in pushers:
            pusher.check()
        return all(pusher.acknowledged > before[pusher] for pusher in pushers)

    wait_for(all_got_on, "every client gets on")


def check_values(weir, pushers):
    least = {pusher: pusher.acknowledged for pusher in pushers}
    found = weir.values()
    for pusher in pushers:
        assert least[pusher] <= found.get(pusher.job, 0) <= pusher.tried, pusher.job


def test_acknowledged_is_kept(weir):
    pushers = [Pusher(weir, number) for number in range(CLIENTS)]
    for pusher in pushers:
        pusher.start()
    try:
        for _ in range(CRASHES):
            get_on(weir, pushers)
            weir.crash()
            try:
                check_values(weir, pushers)
            except BROKEN:
                wait_for(lambda: not weir.runs(weir.pid), "it has ended, so it does not answer")
        get_on(weir, pushers)
        check_values(weir, pushers)
    finally:
        for pusher in pushers:
            pusher.stopping = True
        for pusher in pushers:
            pusher.join()
    print(f"takeover-test: crashes={CRASHES} nobody-left={weir.losses} clients={CLIENTS}"
          f" pushes={sum(pusher.tried for pusher in pushers)} acknowledged-and-lost=0")
