"""Upgrade in place: a new weir takes over, and nobody notices."""

import base64
import os
import re
import resource
import select
import shutil
import signal
import stat
import struct
import subprocess
import time
from pathlib import Path

import pytest

from harness import (BINARY, DEADLINE, Closed, chunked, command, cpu_seconds, environment, format_request,
                     wait_for)
from page import Page
from test_auth import hash_of
from takeovers import (CONNECTIONS, HELLO, READY, REFUSAL, STATE, TAKEN, VERSION, Pretender,
                       Succession)

HEADERS = {"Transfer-Encoding": "chunked"}


@pytest.fixture
def start(tmp_path):
    started = []

    def begin(*flags, **options):
        started.append(Succession(tmp_path / f"weir{len(started)}", *flags, **options))
        return started[-1]

    yield begin
    for succession in started:
        try:
            succession.stop()
        finally:
            print(succession.stderr())


def push(connection, job, value):
    answer = connection.exchange("PUT", f"/metrics/job/{job}", f"m {value}\n")
    assert answer.status == 200, answer.text


def scrape(connection):
    answer = connection.exchange("GET", "/metrics")
    assert answer.status == 200
    return Page(answer.text)


@pytest.mark.smoke
@pytest.mark.parametrize("way", ["signal", "take_over"])
def test_connection_lives_on(start, way):
    weir = start()
    with weir.connect() as connection:
        for value in range(3):
            push(connection, "j", value)
            assert scrape(connection).value("m", job="j") == value
            assert getattr(weir, way)() == 1
        push(connection, "j", 4)
        assert scrape(connection).value("m", job="j") == 4
    assert weir.count == 3


def test_new_connection_without_a_request(start):
    weir = start()
    with weir.connect() as connection:
        with weir.connect() as other:
            push(other, "seen", 1)  # behind it, so weir has accepted the first one
        assert weir.signal() >= 1
        push(connection, "j", 1)


HALVES = {
    "request line": (b"PU", b"T /metrics/job/j HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nm 7\n"),
    "head": (b"PUT /metrics/job/j HTTP/1.1\r\nHost: h\r\nConte", b"nt-Length: 4\r\n\r\nm 7\n"),
    "empty line": (b"PUT /metrics/job/j HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r", b"\nm 7\n"),
    "before the body": (b"PUT /metrics/job/j HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n",
                        b"m 7\n"),
    "body": (b"PUT /metrics/job/j HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nm ", b"7\n"),
    "large body": (format_request("PUT", "/metrics/job/j", headers={"Content-Length": "600004"})
                   + b"# " + b"x" * 299_997 + b"\n", b"# " + b"x" * 299_997 + b"\nm 7\n"),
    "chunk length": (format_request("PUT", "/metrics/job/j", headers=HEADERS) + b"0",
                     b"4\r\nm 7\n\r\n0\r\n\r\n"),
    "chunk": (format_request("PUT", "/metrics/job/j", headers=HEADERS) + b"2\r\nm \r\n2\r\n7",
              b"\n\r\n0\r\n\r\n"),
    "between chunks": (format_request("PUT", "/metrics/job/j", headers=HEADERS) + b"2\r\nm \r\n",
                       chunked(b"7\n")),
    "trailer": (format_request("PUT", "/metrics/job/j", headers=HEADERS) + b"4\r\nm 7\n\r\n0\r\nX: y",
                b"z\r\n\r\n"),
}


@pytest.mark.parametrize("half", HALVES)
def test_half_sent_request(start, half):
    weir = start()
    before, after = HALVES[half]
    with weir.connect() as connection:
        push(connection, "other", 1)
        connection.send(before)
        with weir.connect() as other:
            assert other.exchange("GET", "/-/healthy").status == 200
        weir.signal()
        weir.take_over()
        connection.send(after)
        answer = connection.response()
        assert answer.status == 200, answer.text
        assert scrape(connection).value("m", job="j") == 7


def test_continue_is_said_once(start):
    weir = start()
    fields = {"Content-Length": "4", "Expect": "100-continue"}
    with weir.connect() as connection:
        connection.send(format_request("PUT", "/metrics/job/j", headers=fields))
        assert connection.response().status == 100
        weir.signal()
        connection.send("m 1\n")
        assert connection.response().status == 200


def test_many_connections(start):
    """More than go across at a time, some of them in the middle of a request."""
    count = 300
    weir = start()
    connections = [weir.connect() for _ in range(count)]
    try:
        for number, connection in enumerate(connections):
            push(connection, f"j{number}", 1)
            if number % 3 == 0:
                connection.send(f"PUT /metrics/job/j{number} HTTP/1.1\r\nHost: h\r\n")
        assert weir.signal() == count
        for number, connection in enumerate(connections):
            if number % 3 == 0:
                connection.send("Content-Length: 4\r\n\r\nm 2\n")
                assert connection.response().status == 200
            push(connection, f"k{number}", 3)
        page = scrape(connections[0])
        for number in range(count):
            assert page.value("m", job=f"k{number}") == 3
            assert number % 3 != 0 or page.value("m", job=f"j{number}") == 2
    finally:
        for connection in connections:
            connection.close()


def test_pipelined_requests(start):
    weir = start()
    with weir.connect() as connection:
        for value in range(100):
            connection.request("PUT", f"/metrics/job/j{value}", f"m {value}\n")
        weir.signal()
        for value in range(100, 200):
            connection.request("PUT", f"/metrics/job/j{value}", f"m {value}\n")
        assert [connection.response().status for _ in range(200)] == 200 * [200]
        assert scrape(connection).value("m", job="j199") == 199


@pytest.mark.parametrize("pages", [1, 40])
def test_request_that_was_read_ahead(start, pages):
    """Whoever answers a push behind more pages than are answered at a time has stored it."""
    weir = start()
    body = "".join(f'big{{n="{n:0180}"}} 1\n' for n in range(10_000))
    with weir.connect() as connection:
        assert connection.exchange("PUT", "/metrics/job/big", body).status == 200
    with weir.connect(receive_buffer=4096) as connection:
        connection.send(format_request("GET", "/metrics") * pages
                        + format_request("PUT", "/metrics/job/j", "m 1\n"))
        old = weir.pid
        os.kill(old, signal.SIGUSR2)
        weir.pid = taken_over(weir, old)
        answers = 0
        try:
            while answers <= pages:
                assert connection.response().status == 200
                answers += 1
        except Closed as closed:
            assert closed.received == b""
        assert answers >= min(pages, 32)
    assert weir.exit_code(old) == 0
    with weir.connect() as connection:
        assert (scrape(connection).value("m", job="j") == 1) == (answers > pages)


def taken_over(weir, old):
    """The process that took over from the old one, which may be still there."""
    taken = wait_for(lambda: re.search(rf'msg="took over" pid=(\d+) from={old} ', weir.stderr()),
                     "it is taken over")
    return int(taken[1])


def test_slow_reader_gets_its_page_from_the_old_one(start):
    weir = start("--timeout.shutdown=1m")
    body = "".join(f'big{{n="{n:0180}"}} 1\n' for n in range(100_000))
    with weir.connect() as pusher, weir.connect(receive_buffer=65536) as slow:
        assert pusher.exchange("PUT", "/metrics/job/big", body).status == 200
        slow.request("GET", "/metrics")
        slow.pending = slow.socket.recv(1)
        old = weir.pid
        weir.start()
        wait_for(lambda: 'msg="took over"' in weir.stderr(), "it is taken over")
        weir.pid = int(re.search(r'msg="took over" pid=(\d+)', weir.stderr())[1])
        push(pusher, "j", 1)  # served by the new one meanwhile
        assert weir.first.process.poll() is None
        slow.request("GET", "/-/healthy")  # which nobody reads, yet it must not cut the page
        answer = slow.response()
        assert answer.body.count(b"\nbig{") == 100_000
        assert slow.is_closed_by_server()
        assert weir.exit_code(old) == 0


def test_all_kinds_of_sockets(start, tmp_path):
    path = f"/tmp/weir-takeover-{os.getpid()}.sock"
    weir = start(listen=["127.0.0.1:0", f"unix:{path}", f"unix:@weir-{os.getpid()}"])
    for _ in range(2):
        inode = os.stat(path).st_ino
        weir.signal()
        assert os.stat(path).st_ino == inode
    assert [line.split("address=")[1].split()[0] for line in weir.stderr().splitlines()
            if "msg=listening" in line].count(f"unix:{path}") == 3
    os.kill(weir.pid, signal.SIGTERM)
    assert weir.exit_code(weir.pid) == 0
    assert not os.path.exists(path)
    assert not (weir.directory / "data" / "takeover.sock").exists()
    weir.stop = lambda: None
    weir.stdout.close()
    weir.first.process.stdout.close()


def test_other_addresses(start):
    """What is new is bound, what is not wanted any more is closed; its connections live on."""
    path = f"/tmp/weir-takeover-{os.getpid()}.sock"
    weir = start(listen=["127.0.0.1:0", f"unix:{path}"])
    with weir.connect() as connection:
        push(connection, "j", 1)
        weir.address = weir.addresses[1]
        with weir.connect() as other:
            push(other, "j", 1)
            weir.listen = [f"unix:{path}2", weir.listen[0]]
            assert weir.take_over() == 2
            assert not os.path.exists(path) and os.path.exists(f"{path}2")
            push(connection, "j", 2)
            push(other, "j", 3)
        weir.address = f"unix:{path}2"
        with weir.connect() as new:
            push(new, "j", 4)


@pytest.mark.parametrize("name", ["path", "weir"])
def test_replaced_program_is_used(start, tmp_path, name):
    """As a package manager does: a new file by the same name; started by its path, or found in PATH."""
    program = tmp_path / "program"
    shutil.copy(BINARY, program)
    weir = start()
    weir.program = str(program) if name == "path" else name
    weir.take_over(executable=str(program))
    shutil.copy(BINARY, tmp_path / "new")
    os.rename(tmp_path / "new", program)
    assert os.readlink(f"/proc/{weir.pid}/exe") == f"{program} (deleted)"
    weir.signal()
    assert os.readlink(f"/proc/{weir.pid}/exe") == str(program)


def test_link_that_was_turned_is_followed(start, tmp_path):
    """As where each version has a folder, and a link leads to the one in use."""
    for version in ("1", "2"):
        shutil.copy(BINARY, tmp_path / version)
    link = tmp_path / "current"
    link.symlink_to("1")
    weir = start()
    weir.program = str(link)
    weir.take_over()
    link.unlink()
    link.symlink_to("2")
    weir.signal()
    assert os.readlink(f"/proc/{weir.pid}/exe") == str(tmp_path / "2")


def test_program_that_is_gone(start, tmp_path):
    program = tmp_path / "program"
    shutil.copy(BINARY, program)
    weir = start()
    weir.program = str(program)
    weir.take_over()
    program.unlink()
    with weir.connect() as connection:
        os.kill(weir.pid, signal.SIGUSR2)
        wait_for(lambda: "cannot start a weir to take over" in weir.stderr(), "it says so")
        still_serves(weir, connection)


def test_program_that_hangs(start, tmp_path):
    """It is ended, so that the next one can be started."""
    program = tmp_path / "program"
    shutil.copy(BINARY, program)
    weir = start("--timeout.takeover=1s")
    weir.program = str(program)
    weir.take_over()
    program.unlink()
    program.write_text("#!/bin/sh\nexec tail -f /dev/null\n")
    program.chmod(0o755)
    with weir.connect() as connection:
        os.kill(weir.pid, signal.SIGUSR2)
        ended = wait_for(lambda: re.search(r'that was to take over ended" pid=(\d+) .*signal=9',
                                           weir.stderr()), "it is ended")
        assert f'"the weir that was to take over takes too long, killed" pid={ended[1]} ' \
            in weir.stderr()
        still_serves(weir, connection)
        program.unlink()
        shutil.copy(BINARY, program)
        weir.signal()
        still_serves(weir, connection)


def test_arguments_stay_the_same(start):
    weir = start("--log.level=debug", "--group.ttl", "1h")
    for _ in range(2):
        weir.signal()
        words = open(f"/proc/{weir.pid}/cmdline", "rb").read().split(b"\0")
        assert words.count(b"--takeover") == 1
        assert b"--log.level=debug" in words and words[words.index(b"--group.ttl") + 1] == b"1h"


def test_data_directory_stays_locked(start, tmp_path):
    weir = start()
    weir.signal()
    done = subprocess.run(command(weir.directory), env=environment(), capture_output=True,
                          text=True, timeout=DEADLINE, check=False)
    assert done.returncode == 1 and "in use by another weir" in done.stderr


def test_nobody_waits_for_the_passwords_of_strangers(start, tmp_path):
    """Each of them takes long to be checked, and anybody may send many."""
    web = tmp_path / "web.yml"
    web.write_text(f"basic_auth_users:\n  alice: {hash_of('secret', cost=10)}\n")
    weir = start(f"--web.config.file={web}", "--timeout.takeover=10s")

    def push_as(connection, password):
        known = base64.b64encode(f"alice:{password}".encode()).decode()
        connection.request("PUT", "/metrics/job/j", "m 1\n", {"Authorization": f"Basic {known}"})

    strangers = [weir.connect() for _ in range(60)]
    with weir.connect() as alice, Pretender(weir.directory / "data") as pretender:
        push_as(alice, "secret")
        assert alice.response().status == 200
        pretender.offer()
        for number, stranger in enumerate(strangers):
            push_as(stranger, f"guess{number}")
        push_as(alice, "secret")
        assert alice.response().status == 200
        pretender.send(READY)
        for _ in range(20):
            push_as(alice, "secret")
            assert alice.response().status == 200
        assert not select.select([pretender.socket], [], [], 0)[0]  # and yet it goes on
        for stranger in strangers:
            stranger.close()
        pretender.until(STATE)


def test_passwords_are_asked_for_by_the_new_one(start, tmp_path):
    """A request that was half sent is let in, or is not, by who answers it."""
    web = tmp_path / "web.yml"
    web.write_text("basic_auth_users:\n  alice: " + "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW" + "\n")
    weir = start(f"--web.config.file={web}")
    right = {"Authorization": "Basic " + base64.b64encode(b"alice:secret").decode()}
    wrong = {"Authorization": "Basic " + base64.b64encode(b"alice:guess").decode()}
    with weir.connect() as good, weir.connect() as bad, weir.connect() as guessing:
        good.send(format_request("PUT", "/metrics/job/j",
                                 headers={"Content-Length": "4", **right}) + b"m ")
        bad.send(format_request("PUT", "/metrics/job/j", headers={**wrong})[:-2])
        guessing.request("GET", "/metrics", headers=wrong)
        weir.signal()
        good.send("1\n")
        bad.send("\r\n")
        assert good.response().status == 200
        assert bad.response().status == 401
        assert guessing.response().status == 401


# What goes wrong.

def still_serves(weir, connection):
    push(connection, "after", 1)
    with weir.connect() as new:
        push(new, "after", 2)


def test_no_weir_to_take_over(tmp_path):
    done = subprocess.run(command(tmp_path, "--takeover"), env=environment(), capture_output=True,
                          text=True, timeout=DEADLINE, check=False)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "no weir runs in the data directory" in line and "without --takeover" in line


def test_killed_weir_leaves_no_weir_to_take_over(start):
    weir = start()
    weir.first.process.kill()
    weir.first.process.wait()
    process = weir.start()
    assert process.wait(DEADLINE) == 1
    assert "no weir runs in the data directory" in weir.stderr()
    weir.stop = lambda: (weir.stdout.close(), weir.first.process.stdout.close())


@pytest.mark.parametrize("flags,listen", [
    (["--no-such-flag"], None),
    ([], ["nowhere"]),
    ([], ["127.0.0.1:0", "unix:/no/such/folder/weir.sock"]),
])
def test_new_one_that_cannot_start(start, flags, listen):
    weir = start()
    with weir.connect() as connection:
        push(connection, "j", 1)
        weir.listen = listen or weir.listen
        assert weir.start(*flags).wait(DEADLINE) == 1
        still_serves(weir, connection)
        assert weir.first.process.poll() is None


def test_address_that_somebody_else_has(start):
    weir, other = start(), start()
    weir.listen = [*weir.listen, f"127.0.0.1:{other.address[1]}"]
    with weir.connect() as connection:
        assert weir.start().wait(DEADLINE) == 1
        assert "address already in use" in weir.stderr()
        still_serves(weir, connection)


PHASES = ["connected", "greeted", "offered", "ready", "given"]


def go_to(phase, pretender):
    """Says what leads to the phase, and has seen that the old weir got there."""
    if phase in ("greeted", "offered", "ready", "given"):
        pretender.send(HELLO, struct.pack("<I", VERSION))
    if phase in ("offered", "ready", "given"):
        assert pretender.offer() == 1
    if phase in ("ready", "given"):
        pretender.send(READY)
    if phase == "given":
        count, = struct.unpack("<Q", pretender.until(STATE))
        assert count > 0
        pretender.until(CONNECTIONS)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("way", ["closes", "says nonsense", "refuses"])
def test_new_one_that_fails_midway(start, phase, way):
    weir = start()
    with weir.connect() as connection, weir.connect() as half:
        push(connection, "j", 1)
        half.send(b"PUT /metrics/job/half HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nm ")
        with Pretender(weir.directory / "data", hello=False) as pretender:
            go_to(phase, pretender)
            if way == "says nonsense":
                pretender.send(77)
            elif way == "refuses":
                pretender.send(REFUSAL, b"no")
            if way != "closes":
                assert pretender.is_hung_up()
        wait_for(lambda: "takeover failed, going on as before" in weir.stderr(), "it turns back")
        half.send(b"1\n")
        assert half.response().status == 200
        still_serves(weir, connection)
        weir.signal()  # and the next one succeeds
        still_serves(weir, connection)


@pytest.mark.parametrize("phase", PHASES)
def test_new_one_that_says_nothing_more(start, phase):
    weir = start("--timeout.takeover=300ms")
    with weir.connect() as connection:
        push(connection, "j", 1)
        with Pretender(weir.directory / "data", hello=False) as pretender:
            go_to(phase, pretender)
            assert pretender.is_hung_up()
            assert "it takes too long" in weir.stderr()
            still_serves(weir, connection)


def test_new_one_that_is_gone_before_it_has_read_all(start):
    weir = start()
    with weir.connect() as connection, Pretender(weir.directory / "data") as pretender:
        assert select.select([pretender.socket], [], [], DEADLINE)[0]  # OFFER
        push(connection, "j", 1)  # behind it, so weir waits for READY
        pretender.close()
        wait_for(lambda: 'waited-for=READY error="the new weir is gone"' in weir.stderr(),
                 "it turns back")
        still_serves(weir, connection)


def test_taken_before_all_is_given(start):
    weir = start()
    with weir.connect() as connection, Pretender(weir.directory / "data") as pretender:
        pretender.offer()
        pretender.send(TAKEN)
        assert pretender.is_hung_up()
        still_serves(weir, connection)


@pytest.mark.parametrize("moment", ["at once", "stopped"])
def test_new_one_is_killed(start, moment):
    weir = start()
    with weir.connect() as connection:
        push(connection, "j", 1)
        process = weir.start()
        if moment == "stopped":
            process.send_signal(signal.SIGSTOP)
        process.kill()
        process.wait()
        if 'msg="took over"' in weir.stderr():  # it was too fast to be killed midway
            pytest.skip("it had taken over")
        still_serves(weir, connection)


def test_no_descriptor_for_the_new_one(start):
    """It waits without keeping weir busy, and is heard when there is one again."""
    weir = start()
    with weir.connect() as connection:
        push(connection, "j", 1)
        limits = resource.prlimit(weir.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(weir.pid, resource.RLIMIT_NOFILE, (3, limits[1]))
        with Pretender(weir.directory / "data") as pretender:
            wait_for(lambda: "cannot hear who wants to take over" in weir.stderr(), "it is told")
            before = cpu_seconds(weir.pid)
            assert not select.select([pretender.socket], [], [], 0.5)[0]
            assert cpu_seconds(weir.pid) - before < 0.25
            assert weir.stderr().count("cannot hear") == 1
            push(connection, "j", 2)
            resource.prlimit(weir.pid, resource.RLIMIT_NOFILE, limits)
            assert pretender.offer() == 1


def test_two_at_once(start):
    weir = start()
    with weir.connect() as connection, Pretender(weir.directory / "data") as first:
        first.offer()
        process = weir.start()
        assert process.wait(DEADLINE) == 1
        assert "another takeover is under way" in weir.stderr()
        first.close()
        wait_for(lambda: "takeover failed" in weir.stderr(), "the first is given up")
        still_serves(weir, connection)


def test_another_version(start):
    weir = start()
    with weir.connect() as connection, Pretender(weir.directory / "data", version=VERSION + 1) as pretender:
        assert b"in different ways" in pretender.until(REFUSAL)
        still_serves(weir, connection)


def test_another_user(start):
    if os.geteuid() != 0:
        pytest.skip("only root can start a program as another user")
    weir = start()
    path = weir.directory / "data" / "takeover.sock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o666)  # even then
    directory = os.open(weir.directory / "data", os.O_PATH)
    script = ("import socket; s = socket.socket(socket.AF_UNIX);"
              f"s.connect('/proc/self/fd/{directory}/takeover.sock'); print(s.recv(1000))")
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                           "/usr/bin/python3", "-c", script], capture_output=True, text=True,
                          pass_fds=[directory], timeout=DEADLINE, check=False)
    os.close(directory)
    assert "only the user that weir runs as" in done.stdout, done.stderr
    with weir.connect() as connection:
        still_serves(weir, connection)


def test_stop_while_one_takes_over(start):
    weir = start()
    with Pretender(weir.directory / "data") as pretender:
        pretender.offer()
        pretender.send(READY)
        pretender.until(STATE)
        os.kill(weir.pid, signal.SIGTERM)
        assert b"being stopped" in pretender.until(REFUSAL)
        assert weir.exit_code(weir.pid) == 0
    weir.stop = lambda: (weir.stdout.close(), weir.first.process.stdout.close())


def test_stop_right_after_it_was_taken_over(start, tmp_path):
    """From then on there is one weir that has what is stored: no signal kills it."""
    weir = start(f"--persistence.file={tmp_path}/state")
    with weir.connect() as connection:
        push(connection, "j", 1)
    process = weir.start()
    end = time.monotonic() + DEADLINE
    while 'msg="handed over"' not in weir.stderr():  # at once, unlike wait_for()
        assert time.monotonic() < end
    process.send_signal(signal.SIGTERM)
    assert process.wait(DEADLINE) == 0
    assert weir.exit_code(weir.pid) == 0
    weir.stop = lambda: (weir.stdout.close(), weir.first.process.stdout.close())
    again = start(f"--persistence.file={tmp_path}/state")
    with again.connect() as connection:
        wait_for(lambda: connection.exchange("GET", "/-/ready").status == 200, "it is loaded")
        assert scrape(connection).value("m", job="j") == 1


def test_push_that_is_being_worked_on_is_finished_first(start):
    weir = start()
    body = "".join(f'big{{n="{n:0180}"}} 1\n' for n in range(100_000))
    with weir.connect() as connection:
        connection.request("PUT", "/metrics/job/big", body)
        weir.signal()
        assert connection.response().status == 200


# What is stored.

def test_what_is_stored_stays(start):
    weir = start()
    body = "".join(f'big{{n="{n:0180}"}} 1\n' for n in range(20_000))
    with weir.connect() as connection:
        assert connection.exchange("PUT", "/metrics/job/big", body).status == 200
        push(connection, "j", 1)
        assert connection.exchange("PUT", "/metrics/job/short?ttl=1h", "s 1\n").status == 200
        before = connection.exchange("GET", "/metrics").text.splitlines()
        weir.signal()
        weir.take_over()
        after = connection.exchange("GET", "/metrics").text.splitlines()
        pushed = [line for line in before if line.startswith(("big", "m{", "s{", "push_"))]
        assert pushed == [line for line in after if line.startswith(("big", "m{", "s{", "push_"))]
        assert len(pushed) > 20_000
