"""systemd: sockets that it passes, what it is told, and the unit files. systemd itself does not run."""

import os
import re
import signal
import socket
import subprocess

import pytest

from harness import BINARY, DEADLINE, REPOSITORY, Connection, environment, run_weir, wait_for
from held_disk import HeldDisk
from takeovers import BYE, READY, STATE, TAKEN, Pretender, Succession

UNITS = REPOSITORY / "scripts" / "systemd"

# LISTEN_PID is the pid of the program itself, which only a shell that becomes it knows before.
EXEC = 'export LISTEN_PID=$$; exec "$@"'


class Passed:
    """Starts a weir with these sockets as its descriptors from 3 on, as systemd does."""

    def __init__(self, directory, sockets, names=None, flags=("--web.systemd-socket",), pid=EXEC,
                 variables=()):
        directory.mkdir()
        self.stderr_path = directory / "stderr"
        variables = {**environment(), "LISTEN_FDS": str(len(sockets)), **dict(variables)}
        if names:
            variables["LISTEN_FDNAMES"] = ":".join(names)
        descriptors = [each.fileno() for each in sockets]

        def place():
            spare = [os.dup2(each, 100 + number) for number, each in enumerate(descriptors)]
            for number, each in enumerate(spare):
                os.dup2(each, 3 + number)

        with open(self.stderr_path, "ab") as stderr:
            self.process = subprocess.Popen(
                ["/bin/sh", "-c", pid, "sh", BINARY, f"--data.dir={directory / 'data'}", *flags],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True,
                cwd=directory, env=variables, preexec_fn=place,
                pass_fds=range(3, 3 + len(sockets)))

    def stderr(self):
        return self.stderr_path.read_text()

    def listening(self, count):
        return [self.process.stdout.readline().split()[1] for _ in range(count)]

    def close(self):
        try:
            if self.process.poll() is None:
                self.process.terminate()
            return self.process.wait(DEADLINE)
        finally:
            self.process.stdout.close()


@pytest.fixture
def tcp():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener


def ask(address, method="GET", target="/-/healthy", body=None):
    with Connection(address) as connection:
        return connection.exchange(method, target, body)


# Sockets.

@pytest.mark.smoke
def test_passed_sockets(tmp_path, tcp):
    path = f"/tmp/weir-systemd-{os.getpid()}.sock"
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(path)
        unix.listen()
        try:
            weir = Passed(tmp_path / "weir", [tcp, unix], names=["http", "local"])
            host, port = tcp.getsockname()
            assert weir.listening(2) == [f"{host}:{port}", f"unix:{path}"]
            assert ask((host, port), "PUT", "/metrics/job/j", "m 1\n").status == 200
            assert b'm{instance="",job="j"} 1' in ask(f"unix:{path}", target="/metrics").body
            assert weir.close() == 0, weir.stderr()
            assert os.path.exists(path)  # it is systemd's
            waiting = socket.create_connection((host, port), DEADLINE)  # and so is the socket
            waiting.close()
        finally:
            os.unlink(path)


def test_no_socket_is_an_error(tmp_path):
    code, stderr = run_weir(tmp_path, "--web.systemd-socket")
    assert code == 1
    [line] = stderr.splitlines()
    assert "--web.systemd-socket" in line and "systemd passes no socket" in line


def test_sockets_for_another_process_are_none(tmp_path, tcp):
    weir = Passed(tmp_path / "weir", [tcp], pid='export LISTEN_PID=1; exec "$@"')
    assert weir.process.wait(DEADLINE) == 1
    assert "systemd passes no socket" in weir.stderr()
    weir.close()


@pytest.mark.parametrize("kind", ["datagram", "pipe"])
def test_what_is_no_stream_socket_is_an_error(tmp_path, kind):
    with socket.socket(type=socket.SOCK_DGRAM) as datagram, open(os.devnull, "rb") as null:
        weir = Passed(tmp_path / "weir", [datagram if kind == "datagram" else null], names=["odd"])
        assert weir.process.wait(DEADLINE) == 1
    weir.close()
    assert "name=odd" in weir.stderr()
    assert ("no stream socket" if kind == "datagram" else "is no socket") in weir.stderr()


def test_without_the_flag_they_are_left_alone(tmp_path, tcp):
    weir = Passed(tmp_path / "weir", [tcp], flags=["--web.listen-address=127.0.0.1:0"])
    [address] = weir.listening(1)
    assert int(address.rpartition(":")[2]) != tcp.getsockname()[1]
    assert weir.close() == 0


def test_socket_activate(tmp_path):
    """systemd's own tool starts weir at the first connection."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()
    tool = subprocess.Popen(
        ["systemd-socket-activate", f"--listen={address[0]}:{address[1]}",
         *(f"--setenv={name}" for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS")),
         BINARY, "--web.systemd-socket", f"--data.dir={tmp_path / 'data'}"],
        env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        def answers():
            try:
                return ask(address).status == 200
            except OSError:
                return False
        wait_for(answers, "the tool listens and weir answers")
    finally:
        tool.terminate()
        assert tool.wait(DEADLINE) == 0  # the tool has become weir


def test_passed_sockets_are_taken_over(tmp_path, tcp):
    weir = Passed(tmp_path / "weir", [tcp], names=["http"])
    weir.listening(1)
    with Connection(tcp.getsockname()) as connection:
        assert connection.exchange("PUT", "/metrics/job/j", "m 1\n").status == 200
        weir.process.send_signal(signal.SIGUSR2)
        assert weir.process.wait(DEADLINE) == 0
        assert connection.exchange("PUT", "/metrics/job/j", "m 2\n").status == 200
    new = int(re.search(r'msg="took over" pid=(\d+)', weir.stderr())[1])
    os.kill(new, signal.SIGTERM)
    wait_for(lambda: not os.path.exists(f"/proc/{new}") or is_zombie(new), "the new one ends")
    weir.close()


def is_zombie(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "Z"


# What systemd is told.

class Notified:
    """The socket of NOTIFY_SOCKET; keeps all that it is told."""

    def __init__(self, monkeypatch):
        self.name = f"weir-notify-{os.getpid()}"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"\0{self.name}")
        self.socket.settimeout(DEADLINE)
        self.messages = []
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{self.name}")

    def until(self, line):
        """The message with that line, which may be behind others."""
        while True:
            message = self.socket.recv(4096).decode().splitlines()
            self.messages.append(message)
            if line in message:
                return message

    def value(self, message, name):
        [value] = [line.partition("=")[2] for line in message if line.startswith(f"{name}=")]
        return value


@pytest.fixture
def notified(monkeypatch):
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    receiver = Notified(monkeypatch)
    yield receiver
    receiver.socket.close()


@pytest.mark.smoke
def test_ready_and_stopping(start_weir, notified):
    weir = start_weir()
    ready = notified.until("READY=1")
    assert ask(weir.address).status == 200  # it serves by then
    assert notified.value(ready, "MAINPID") == str(weir.process.pid)
    assert notified.value(ready, "STATUS").startswith("serving 0 groups")
    weir.signal()
    assert notified.value(notified.until("STOPPING=1"), "STATUS")
    assert weir.wait() == 0


def test_not_ready_when_it_cannot_start(tmp_path, notified):
    code, _ = run_weir(tmp_path, listen=["127.0.0.1:0", "unix:/no/such/folder/w.sock"])
    assert code == 1
    notified.socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        notified.until("READY=1")


def test_reloading(start_weir, notified):
    weir = start_weir()
    notified.until("READY=1")
    weir.put("/metrics/job/j", "m 1\nn 1\n")
    weir.signal(signal.SIGHUP)
    reloading = notified.until("RELOADING=1")
    assert int(notified.value(reloading, "MONOTONIC_USEC")) > 0
    ready = notified.until("READY=1")
    assert notified.value(ready, "STATUS").startswith("serving 1 groups, 2 series")


def test_watchdog(start_weir, notified, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "200000")
    start_weir()
    notified.until("READY=1")
    for _ in range(3):
        notified.until("WATCHDOG=1")


def test_watchdog_of_another_process(start_weir, notified, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "200000")
    monkeypatch.setenv("WATCHDOG_PID", "1")
    weir = start_weir()
    notified.until("READY=1")
    notified.socket.settimeout(0.5)
    with pytest.raises(socket.timeout):
        notified.until("WATCHDOG=1")
    assert ask(weir.address).status == 200


def test_last_saving_gets_the_time_that_it_takes(start_weir, notified, tmp_path):
    disk = HeldDisk(tmp_path / "disk")
    weir = start_weir("--state.ack=memory", variables=disk.variables())
    notified.until("READY=1")
    disk.hold()
    with weir.connect() as connection:
        assert connection.exchange("PUT", "/metrics/job/j", "m 1\n").status == 200
        weir.signal()
        notified.until("EXTEND_TIMEOUT_USEC=60000000")
        assert weir.process.poll() is None
        disk.heal()
    assert weir.wait() == 0
    assert any("STOPPING=1" in message for message in notified.messages)


def test_service_is_passed_on_before_the_old_one_ends(start_weir, notified):
    """Or else systemd would find the service ended, and end all that is left of it."""
    weir = start_weir()
    notified.until("READY=1")
    with Pretender(weir.stderr_path.parent / "data") as pretender:
        pretender.offer()
        pretender.send(READY)
        pretender.until(STATE)
        pretender.send(TAKEN)
        pretender.until(BYE)
        notified.until(f"MAINPID={os.getpid()}")
        assert weir.wait() == 0
    assert not any("STOPPING=1" in message for message in notified.messages)


def test_new_weir_is_the_service(tmp_path, notified):
    weir = Succession(tmp_path / "weir")
    try:
        notified.until("READY=1")
        weir.signal()
        ready = notified.until("READY=1")
        assert notified.value(ready, "MAINPID") == str(weir.pid)
        assert weir.start("--web.listen-address=nowhere").wait(DEADLINE) == 1
        os.kill(weir.pid, signal.SIGTERM)
        notified.until("STOPPING=1")
        lines = [line for message in notified.messages for line in message]
        # The old one does not say that the service stops, and one that fails says nothing.
        assert lines.count("STOPPING=1") == 1 and lines.count("READY=1") == 2
        assert weir.exit_code(weir.pid) == 0
    finally:
        weir.stdout.close()
        weir.first.process.stdout.close()


# Unit files.

@pytest.fixture
def units(tmp_path):
    """The units, with a program that is there."""
    for name in ("weir.service", "weir.socket"):
        text = (UNITS / name).read_text().replace("/usr/bin/weir", BINARY)
        (tmp_path / name).write_text(text)
    return tmp_path


def analyze(*arguments):
    done = subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True,
                          timeout=DEADLINE, check=False, env={**os.environ, "NO_COLOR": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_units_are_valid(units):
    output = analyze("verify", units / "weir.service", units / "weir.socket")
    assert str(units) not in output and "weir.s" not in output, output


def test_service_is_hardened(units):
    output = analyze("security", "--offline=yes", "--no-pager", units / "weir.service")
    level = re.search(r"Overall exposure level for weir\.service: ([\d.]+)", output)
    assert float(level[1]) <= 1.6, output


def test_service_says_what_weir_does():
    text = (UNITS / "weir.service").read_text()
    for line in ("Type=notify", "NotifyAccess=all", "Restart=on-failure", "StateDirectory=weir",
                 "ExecReload=/bin/kill -HUP $MAINPID", "WatchdogSec=30s"):
        assert f"\n{line}\n" in text

