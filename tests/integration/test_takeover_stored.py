"""What is durable over upgrades in place: whoever is killed, all that was acknowledged is there.

The databases of both weirs are one, or two, or one of them has none.
"""

import os
import re
import signal
import threading

import pytest

import harness
from harness import DEADLINE, Weir, wait_for
from held_disk import HeldDisk
from page import Page
from persistence import everything
from takeovers import READY, STATE, Pretender, Succession


class Stored(Succession):
    """Its last weir is killed in the end, and another one is started on the database."""

    def __init__(self, directory, *flags, **options):
        super().__init__(directory, *flags, **options)
        self.is_over = False

    def get(self, target, headers=None):
        with self.connect() as connection:
            return connection.exchange("GET", target, None, headers)

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        assert self.exit_code(self.pid) == -signal.SIGKILL
        self.is_over = True
        self.close()

    def close(self):
        self.stdout.close()
        self.first.process.stdout.close()

    def stop(self):
        if not self.is_over:
            super().stop()
            self.is_over = True


@pytest.fixture
def start(tmp_path):
    started = []

    def begin(*flags, **options):
        started.append(Stored(tmp_path / f"weir{len(started)}", *flags, **options))
        return started[-1]

    yield begin
    for succession in started:
        try:
            succession.stop()
        finally:
            print(succession.stderr())


@pytest.fixture
def restart(start_weir):
    """A weir on a database that is left over."""
    def begin(flag):
        weir = start_weir(flag)
        wait_for(lambda: weir.get("/-/ready").status == 200, "what is stored is loaded")
        return weir
    return begin


def put(weir, job, value, method="PUT"):
    with weir.connect() as connection:
        answer = connection.exchange(method, f"/metrics/job/{job}", f"m {value}\n")
        assert answer.status == 200, answer.text


def values(weir):
    page = Page(weir.get("/metrics").text)
    return {job: value for job, value in
            re.findall(r'^m\{instance="",job="(\w+)"\} (\d+)$', page.text, re.M)}


def url(path):
    return f"--state.url=sqlite:{path}"


@pytest.mark.smoke
def test_same_database(start, restart, tmp_path):
    weir = start(url(tmp_path / "db"))
    for number in range(4):
        put(weir, f"j{number}", number)
        weir.signal() if number % 2 == 0 else weir.take_over()
        put(weir, "last", number)
        put(weir, f"j{number}", number + 10)
    with weir.connect() as connection:
        assert connection.exchange("DELETE", "/metrics/job/j1").status == 202
    before = everything(weir)
    weir.kill()
    weir = restart(url(tmp_path / "db"))
    assert everything(weir) == before
    assert values(weir) == {"j0": "10", "j2": "12", "j3": "13", "last": "3"}


@pytest.mark.parametrize("flags", [["--state.url=none"], []])
def test_who_is_shown(start, flags):
    """Of several that contradict each other, the one that has been there longest, also for the new one."""
    weir = start("--push.disable-consistency-check", *flags)
    kinds = {"a": "gauge", "b": "counter", "c": "untyped", "d": "counter"}

    def push(job, value):
        with weir.connect() as connection:
            body = f"# TYPE m {kinds[job]}\nm {value}\n"
            assert connection.exchange("PUT", f"/metrics/job/{job}", body).status == 202

    def check(expected):
        assert values(weir) == expected
        weir.signal()
        assert values(weir) == expected

    for job in "cbad":
        push(job, 1)
    push("b", 2)
    check({"c": "1"})
    with weir.connect() as connection:
        assert connection.exchange("DELETE", "/metrics/job/c").status == 202
    push("c", 3)
    check({"b": "2", "d": "1"})
    push("a", 4)
    with weir.connect() as connection:
        assert connection.exchange("PUT", "/metrics/job/b", "").status == 202
    push("b", 5)
    check({"a": "4"})


def test_killed_right_after_it(start, restart, tmp_path):
    """With nothing pushed to the new one."""
    weir = start(url(tmp_path / "db"))
    for number in range(5):
        put(weir, f"j{number}", number)
    before = everything(weir)
    weir.signal()
    weir.kill()
    assert everything(restart(url(tmp_path / "db"))) == before


def test_default_database(start, start_weir):
    weir = start()
    put(weir, "first", 1)
    weir.signal()
    put(weir, "second", 2)
    before = everything(weir)
    weir.kill()
    again = Weir(weir.directory)
    try:
        wait_for(lambda: again.get("/-/ready").status == 200, "what is stored is loaded")
        assert everything(again) == before
    finally:
        again.stop()


def stored_when_it_is_durable(weir):
    """Of a database that is written anew; nobody waits for it, so what is not there yet is asked for."""
    wait_for(lambda: Page(weir.get("/metrics").text).value("weir_state_waiting_changes") == 0,
             "all is stored")


@pytest.mark.parametrize("old", ["other", "none"])
def test_another_database(start, restart, tmp_path, old):
    weir = start(url(tmp_path / "old") if old == "other" else "--state.url=none")
    for number in range(50):
        put(weir, f"j{number}", number)
    weir.flags = [url(tmp_path / "new")]
    weir.take_over()
    put(weir, "last", 1)
    stored_when_it_is_durable(weir)
    before = everything(weir)
    weir.kill()
    assert everything(restart(url(tmp_path / "new"))) == before
    if old == "other":  # and that is as it was left
        found = values(restart(url(tmp_path / "old")))
        assert len(found) == 50 and "last" not in found


def test_to_none_and_back(start, restart, tmp_path):
    weir = start(url(tmp_path / "db"))
    put(weir, "first", 1)
    weir.flags = ["--state.url=none"]
    weir.take_over()
    put(weir, "second", 2)
    weir.flags = [url(tmp_path / "db")]
    process = weir.start()
    assert process.wait(DEADLINE) == 1  # what is there is older than what would replace it
    assert re.search(f"would be lost: move it away.* path={tmp_path}/db", weir.stderr())
    put(weir, "third", 3)
    (tmp_path / "db").rename(tmp_path / "away")
    weir.take_over()
    stored_when_it_is_durable(weir)
    weir.kill()
    assert values(restart(url(tmp_path / "db"))) == {"first": "1", "second": "2", "third": "3"}


def test_file_of_others_is_not_replaced(start, tmp_path):
    weir = start("--state.url=none")
    (tmp_path / "db").write_text("not weir's\n" * 1000)
    put(weir, "j", 1)
    weir.flags = [url(tmp_path / "db")]
    assert weir.start().wait(DEADLINE) == 1
    assert f"path={tmp_path}/db" in weir.stderr()
    assert (tmp_path / "db").read_text() == "not weir's\n" * 1000
    put(weir, "j", 2)


# ---- Takeovers that fail --------------------------------------------------------------------


@pytest.mark.parametrize("until", ["offered", "ready", "given"])
def test_old_one_stores_on(start, restart, tmp_path, until):
    weir = start(url(tmp_path / "db"))
    put(weir, "before", 1)
    with Pretender(weir.directory / "data") as pretender:
        pretender.offer()
        if until != "offered":
            pretender.send(READY)
        if until == "given":
            pretender.until(STATE)
    wait_for(lambda: "takeover failed" in weir.stderr(), "it turns back")
    put(weir, "after", 2)
    put(weir, "before", 3)
    weir.kill()
    assert values(restart(url(tmp_path / "db"))) == {"before": "3", "after": "2"}


def test_new_one_that_cannot_start(start, restart, tmp_path):
    weir = start(url(tmp_path / "db"))
    put(weir, "before", 1)
    listen, weir.listen = weir.listen, [*weir.listen, "unix:/no/such/folder/w.sock"]
    assert weir.start().wait(DEADLINE) == 1
    put(weir, "after", 2)
    weir.listen = listen
    weir.take_over()
    put(weir, "later", 3)
    weir.kill()
    assert values(restart(url(tmp_path / "db"))) == {"before": "1", "after": "2", "later": "3"}


def test_pushes_wait_for_the_disk_and_then_for_the_new_one(tmp_path):
    """What is under way to the disk is answered before anything is handed over."""
    disk = HeldDisk(tmp_path / "disk")
    weir = Weir(tmp_path / "weir", url(tmp_path / "db"), "--timeout.takeover=20s",
                variables=disk.variables())
    try:
        with weir.connect() as connection, Pretender(tmp_path / "weir" / "data") as pretender:
            pretender.offer()
            before = disk.hold()
            connection.request("PUT", "/metrics/job/j", "m 1\n")
            disk.wait_until_held(before)
            pretender.send(READY)
            connection.request("PUT", "/metrics/job/j", "m 2\n")
            disk.heal()
            pretender.until(STATE)
            assert connection.response().status == 200
    finally:
        disk.heal()
        weir.stop()


# ---- Under load -----------------------------------------------------------------------------


class Pusher(threading.Thread):
    def __init__(self, weir, job):
        super().__init__()
        self.weir, self.job = weir, job
        self.acknowledged = 0
        self.stopping = False
        self.fault = None

    def run(self):
        try:
            with self.weir.connect() as connection:
                while not self.stopping:
                    answer = connection.exchange(
                        "PUT", f"/metrics/job/{self.job}", f"m {self.acknowledged + 1}\n")
                    assert answer.status == 200, answer.text
                    self.acknowledged += 1
        except harness.Closed:
            pass  # killed
        except Exception as fault:  # told by the test
            self.fault = fault


def test_upgrades_while_pushes_run_then_killed(start, restart, tmp_path):
    weir = start(url(tmp_path / "db"))
    pushers = [Pusher(weir, f"j{number}") for number in range(6)]
    for pusher in pushers:
        pusher.start()
    for number in range(3):
        before = [pusher.acknowledged for pusher in pushers]
        wait_for(lambda before=before: all(
            pusher.fault or pusher.acknowledged > count + 2 for pusher, count in zip(pushers, before)),
            "all get on")
        weir.signal() if number % 2 == 0 else weir.take_over()
    weir.kill()
    for pusher in pushers:
        pusher.join()
        assert pusher.fault is None or isinstance(pusher.fault, OSError), pusher.fault
    found = values(restart(url(tmp_path / "db")))
    for pusher in pushers:
        assert pusher.acknowledged <= int(found[pusher.job]) <= pusher.acknowledged + 1


def test_database_is_bounded(start, tmp_path):
    """What one weir wrote is deleted by those after it."""
    weir = start(url(tmp_path / "db"))
    put(weir, "stays", 1)
    for _ in range(6):
        with weir.connect() as connection:
            for _ in range(8):
                body = "".join(f'churn{{line="{line}",filler="{os.urandom(32).hex()}"}} 1\n'
                               for line in range(3000))
                assert connection.exchange("PUT", "/metrics/job/churn", body).status == 200
        weir.signal()
    assert values(weir) == {"stays": "1"}
    weir.stop()
    assert (tmp_path / "db").stat().st_size < 2_500_000


def test_ledger_goes_on(start, restart, tmp_path):
    """Groups of which an earlier weir stored a part are put together, and go, as one."""
    weir = start(url(tmp_path / "db"))
    for number in range(12):
        with weir.connect() as connection:
            assert connection.exchange("POST", "/metrics/job/parts", f"m{number % 5} {number}\n").status == 200
            if number % 3 == 0:
                assert connection.exchange("PUT", f"/metrics/job/j{number}", "m 1\n").status == 200
        weir.signal()
    with weir.connect() as connection:
        assert connection.exchange("DELETE", "/metrics/job/j3").status == 202
    before = everything(weir)
    weir.kill()
    again = restart(url(tmp_path / "db"))
    assert everything(again) == before
    again.delete("/metrics/job/parts")
    assert set(values(again)) == {"j0", "j6", "j9"}
