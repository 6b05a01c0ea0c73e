"""Many upgrades in place while clients push and one scrapes, each over one connection that never breaks.

How many: WEIR_TAKEOVERS, 5 unless told otherwise.
"""

import os
import threading

import pytest

from harness import wait_for
from page import Page
from takeovers import Succession

TAKEOVERS = int(os.environ.get("WEIR_TAKEOVERS", "5"))
CLIENTS = 16


class Client(threading.Thread):
    """Does the same again and again until told to stop; keeps the fault that ended it."""

    def __init__(self):
        super().__init__()
        self.rounds = 0
        self.fault = None
        self.stopping = False

    def run(self):
        try:
            self.work()
        except Exception as fault:  # told by check()
            self.fault = fault

    def check(self):
        if self.fault is not None:
            raise self.fault

    def has_got_on(self, rounds):
        self.check()
        return self.rounds >= rounds


class Pusher(Client):
    """Counts up: the value of each push is that of the last one and 1."""

    def __init__(self, weir, number):
        super().__init__()
        self.weir = weir
        self.job = f"pusher{number}"
        self.chunks = number % 4 == 0

    def push(self, connection, value):
        body = f"m {value}\n".encode()
        if not self.chunks:
            return connection.exchange("PUT", f"/metrics/job/{self.job}", body)
        connection.request("PUT", f"/metrics/job/{self.job}",
                           headers={"Transfer-Encoding": "chunked"})
        for byte in body:
            connection.send(b"1\r\n%c\r\n" % byte)
        connection.send(b"0\r\n\r\n")
        return connection.response()

    def work(self):
        with self.weir.connect() as connection:
            while not self.stopping:
                answer = self.push(connection, self.rounds)
                assert answer.status == 200, answer.text
                self.rounds += 1


class Scraper(Client):
    """Every page is whole and valid, and has what was pushed before it was asked for, or newer."""

    def __init__(self, weir, pushers):
        super().__init__()
        self.weir = weir
        self.pushers = pushers

    def work(self):
        with self.weir.connect() as connection:
            while not self.stopping:
                before = {pusher.job: pusher.rounds for pusher in self.pushers}
                answer = connection.exchange("GET", "/metrics")
                assert answer.status == 200
                page = Page(answer.text)
                for pusher in self.pushers:
                    at_least = before[pusher.job] - 1
                    if at_least >= 0:
                        value = page.value("m", job=pusher.job)
                        assert at_least <= value <= pusher.rounds, pusher.job
                assert page.value("stays", job="stored") == 42
                self.rounds += 1


class Newcomer(Client):
    """A new connection each time: none is refused, none is closed without an answer."""

    def __init__(self, weir):
        super().__init__()
        self.weir = weir

    def work(self):
        while not self.stopping:
            with self.weir.connect() as connection:
                assert connection.exchange("GET", "/-/ready").status == 200
            self.rounds += 1


@pytest.fixture
def weir(tmp_path):
    succession = Succession(tmp_path / "weir")
    yield succession
    try:
        succession.stop()
    finally:
        print(succession.stderr()[-20000:])


def test_nobody_notices(weir):
    with weir.connect() as connection:
        assert connection.exchange("PUT", "/metrics/job/stored", "stays 42\n").status == 200
    pushers = [Pusher(weir, number) for number in range(CLIENTS)]
    scraper, newcomer = Scraper(weir, pushers), Newcomer(weir)
    clients = [*pushers, scraper, newcomer]
    for client in clients:
        client.start()
    try:
        for number in range(TAKEOVERS):
            for client in clients:
                rounds = client.rounds + 1
                wait_for(lambda client=client, rounds=rounds: client.has_got_on(rounds),
                         "every client gets on")
            moved = weir.signal() if number % 2 == 0 else weir.take_over()
            assert moved >= CLIENTS
    finally:
        for client in clients:
            client.stopping = True
        for client in clients:
            client.join()
    for client in clients:
        client.check()
    assert weir.count == TAKEOVERS
    print(f"takeover-test: takeovers={weir.count} clients={CLIENTS}"
          f" pushes={sum(pusher.rounds for pusher in pushers)} scrapes={scraper.rounds}"
          f" new-connections={newcomer.rounds} failed=0")
