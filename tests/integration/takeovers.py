"""A weir that is exchanged for a new one while it runs, and a new one that does not do as it should."""

import array
import ctypes
import os
import re
import select
import signal
import socket
import struct
import subprocess
import time

import harness
from harness import BINARY, DEADLINE, Weir, environment, wait_for

HELLO, OFFER, LISTENER, READY, STATE, CONNECTIONS, TAKEN, BYE, REFUSAL = range(1, 10)
VERSION = 2


def adopt_orphans():
    """Processes whose parents have ended become children of this one, so that their end can be seen."""
    pr_set_child_subreaper = 36
    assert ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0) == 0


class Succession:
    """A weir and those that took over from it. Its address stays; pid is the one that serves now."""

    def __init__(self, directory, *flags, listen=("127.0.0.1:0",), program=BINARY):
        adopt_orphans()
        self.directory = directory
        self.program = program
        self.flags, self.listen = flags, listen
        self.first = Weir(directory, *flags, listen=listen)
        self.address, self.addresses = self.first.address, self.first.addresses
        self.pid = self.first.process.pid
        self.count = 0  # of takeovers that succeeded
        self.started = {}  # by pid: processes that this test started itself
        self.stdout = open(directory / "stdout", "wb")

    def command(self, *flags):
        """The command line of a weir that takes over."""
        return [self.program, "--takeover", *(f"--web.listen-address={address}"
                                              for address in self.listen),
                f"--data.dir={self.directory / 'data'}", *self.flags, *flags]

    def stderr(self):
        return self.first.stderr()

    def start(self, *flags, **options):
        """A weir that takes over; whether it succeeds is the caller's to see."""
        with open(self.first.stderr_path, "ab") as stderr:
            process = subprocess.Popen(
                self.command(*flags), cwd=self.directory, env=environment(),
                stdin=subprocess.DEVNULL, stdout=self.stdout, stderr=stderr, **options)
        self.started[process.pid] = process
        return process

    def take_over(self, **options):
        """By a weir that is started by hand."""
        return self._follow(lambda: self.start(**options))

    def signal(self):
        """By SIGUSR2."""
        return self._follow(lambda: os.kill(self.pid, signal.SIGUSR2))

    def _follow(self, cause):
        old = self.pid
        cause()
        taken = wait_for(lambda: re.search(rf'msg="took over" pid=(\d+) from={old} connections=(\d+)',
                                           self.stderr()), f"{old} is taken over")
        self.pid = int(taken[1])
        self.count += 1
        assert self.exit_code(old) == 0, self.stderr()
        return int(taken[2])

    def exit_code(self, pid):
        process = self.first.process if pid == self.first.process.pid else self.started.get(pid)
        if process is not None:
            return process.wait(DEADLINE)
        _, status = wait_for(lambda: self._ended(pid), f"process {pid} ends")
        return os.waitstatus_to_exitcode(status)

    @staticmethod
    def _ended(pid):
        found, status = os.waitpid(pid, os.WNOHANG)
        return (found, status) if found else None

    def connect(self, **options):
        return harness.Connection(self.address, **options)

    def stop(self):
        self.stdout.close()
        try:
            os.kill(self.pid, signal.SIGTERM)
            assert self.exit_code(self.pid) == 0, self.stderr()
        finally:
            for process in (self.first.process, *self.started.values()):
                if process.poll() is None:
                    process.kill()
                    process.wait()
            self.first.process.stdout.close()


class Pretender:
    """Speaks like a weir that takes over, up to where the test has it stop."""

    def __init__(self, data_dir, version=VERSION, hello=True):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(DEADLINE)
        directory = os.open(data_dir, os.O_PATH)  # the path may be too long for a socket
        self.socket.connect(f"/proc/self/fd/{directory}/takeover.sock")
        os.close(directory)
        self.pending, self.files = b"", []
        if hello:
            self.send(HELLO, struct.pack("<I", version))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for descriptor in self.files:
            os.close(descriptor)
        self.files = []
        self.socket.close()

    def send(self, kind, payload=b""):
        self.socket.sendall(struct.pack("<BBHI", kind, 0, 0, len(payload)) + payload)

    def receive(self):
        """The next frame: its kind and payload. Files are kept until the end."""
        while True:
            if len(self.pending) >= 8:
                kind, _, _, length = struct.unpack_from("<BBHI", self.pending)
                if len(self.pending) >= 8 + length:
                    payload = self.pending[8:8 + length]
                    self.pending = self.pending[8 + length:]
                    return kind, payload
            data, ancillary, _, _ = self.socket.recvmsg(65536, socket.CMSG_SPACE(64 * 4))
            for _, _, raw in ancillary:
                descriptors = array.array("i")
                descriptors.frombytes(raw[:len(raw) - len(raw) % 4])
                self.files += descriptors
            if not data:
                return None, b""
            self.pending += data

    def until(self, wanted):
        """Goes on to a frame of that kind, saying what is due, and gives its payload."""
        while True:
            kind, payload = self.receive()
            assert kind is not None, f"hung up before frame {wanted}"
            if kind == wanted:
                return payload

    def offer(self):
        """How many listeners are offered; all of them were received."""
        _, count = struct.unpack("<II", self.until(OFFER))
        for _ in range(count):
            self.until(LISTENER)
        return count

    def image(self):
        """All that is stored, as it is handed over."""
        self.offer()
        self.send(READY)
        self.until(STATE)
        stored, _ = self.files[-2:]
        head_bytes, = struct.unpack("<Q", os.pread(stored, 8, 0))
        size = os.fstat(stored).st_size - 8 - head_bytes
        return os.pread(stored, size, 8 + head_bytes)

    def is_hung_up(self):
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            ready, _, _ = select.select([self.socket], [], [], 0.1)
            try:
                if ready and not self.socket.recvmsg(65536, socket.CMSG_SPACE(64 * 4))[0]:
                    return True
            except ConnectionResetError:
                return True
        return False


class Incumbent:
    """Speaks like a weir that is taken over from, up to where the test has it stop."""

    def __init__(self, data_dir, image):
        """What it hands over is that image, and nothing of a database."""
        data_dir.mkdir()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(data_dir / "takeover.sock"))
        self.listener.listen()
        self.listener.settimeout(DEADLINE)
        self.lock = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        self.state = os.memfd_create("stored")
        os.write(self.state, struct.pack("<Q", 0) + image)
        os.lseek(self.state, 0, os.SEEK_SET)
        self.socket = None
        self.pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        if self.socket is not None:
            self.socket.close()
        os.close(self.lock)
        os.close(self.state)

    def send(self, kind, payload=b"", files=()):
        frame = struct.pack("<BBHI", kind, len(files), 0, len(payload)) + payload
        socket.send_fds(self.socket, [frame], files)

    def expect(self, wanted):
        while len(self.pending) < 8 or len(self.pending) < 8 + self.pending[4]:
            data = self.socket.recv(65536)
            assert data, f"hung up before frame {wanted}"
            self.pending += data
        assert self.pending[0] == wanted
        self.pending = self.pending[8 + self.pending[4]:]

    def give(self):
        """All of it, up to where the new one says that it has taken it."""
        self.socket, _ = self.listener.accept()
        self.socket.settimeout(DEADLINE)
        self.expect(HELLO)
        self.send(OFFER, struct.pack("<II", VERSION, 0),
                  [self.lock, self.listener.fileno(), self.lock])
        self.expect(READY)
        empty = os.memfd_create("connections")
        self.send(STATE, struct.pack("<Q", 0), [self.state, empty])
        os.close(empty)
        self.expect(TAKEN)
