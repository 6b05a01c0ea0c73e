"""The real binary, started on ports it chooses itself, and ways to talk to it.

Nothing here sleeps for a fixed time or names a port: weir prints where it
listens, and what takes time is polled until a deadline.
"""

import functools
import os
import select
import signal
import socket
import subprocess
import time
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

import openapi
from page import Page

REPOSITORY = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("WEIR_BINARY", str(REPOSITORY / "build" / "asan" / "src" / "weir"))
DEADLINE = 30  # seconds after which whatever is waited for counts as never coming


def wait_for(condition, what, seconds=DEADLINE):
    """Polls until condition() is true, and returns what it returned."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.01)


def in_time(seconds, step):
    """Takes a step until it took less than that: for what a test has to do before something ends. A busy
    machine may need several goes, so each begins anew."""
    def is_in_time():
        began = time.monotonic()
        step()
        return time.monotonic() - began < seconds
    wait_for(is_in_time, f"what has to be done within {seconds} s is")


@dataclass
class Response:
    status: int
    headers: dict  # names in lower case
    body: bytes

    @property
    def text(self):
        return self.body.decode("utf-8")


class Closed(Exception):
    """The server closed the connection before a whole answer had come."""

    def __init__(self, received):
        super().__init__(f"connection closed after {len(received)} bytes: {received[-200:]!r}")
        self.received = received


class Connection:
    """One connection, by TCP or to a Unix socket, TLS if there is a context. Sends any bytes; reads
    answers by their framing."""

    def __init__(self, address, receive_buffer=None, tls=None):
        is_unix = isinstance(address, str)
        if is_unix:
            family, address = socket.AF_UNIX, address.removeprefix("unix:")
        else:
            family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(DEADLINE)
        self.socket.connect(address)
        if not is_unix:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost",
                                          suppress_ragged_eofs=False)
        self.pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def request(self, method, target, body=None, headers=None):
        self.send(format_request(method, target, body, headers))

    def exchange(self, method, target, body=None, headers=None):
        self.request(method, target, body, headers)
        return self.response(is_head=method == "HEAD")

    def response(self, is_head=False):
        """The next answer; 100 Continue is an answer too, with an empty body."""
        head = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        status = int(head[0].split(" ")[1])
        fields = (line.partition(":") for line in head[1:] if line)
        headers = {name.lower(): value.strip() for name, _, value in fields}
        if status < 200 or status in (204, 304) or is_head:
            body = b""
        elif headers.get("transfer-encoding", "").lower() == "chunked":
            body = self._chunks()
        elif "content-length" in headers:
            body = self._exactly(int(headers["content-length"]))
        else:
            body = self._rest()
        return Response(status, headers, body)

    def is_closed_by_server(self):
        """Waits for the end of the stream; whatever comes before it is an error."""
        try:
            return self.pending == b"" and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def _receive(self):
        try:
            data = self.socket.recv(1 << 20)
        except ConnectionResetError:
            data = b""
        if not data:
            raise Closed(self.pending)
        return data

    def _until(self, mark):
        while mark not in self.pending:
            self.pending += self._receive()
        found, _, self.pending = self.pending.partition(mark)
        return found + mark

    def _exactly(self, count):
        parts, have = [self.pending], len(self.pending)
        self.pending = b""
        try:
            while have < count:
                parts.append(self._receive())
                have += len(parts[-1])
        except Closed:
            raise Closed(b"".join(parts)) from None
        whole = b"".join(parts)
        self.pending = whole[count:]
        return whole[:count]

    def _chunks(self):
        parts = []
        while True:
            size = int(self._until(b"\r\n").split(b";")[0], 16)
            chunk = self._exactly(size + 2)
            assert chunk[size:] == b"\r\n"
            if size == 0:
                return b"".join(parts)
            parts.append(chunk[:size])

    def _rest(self):
        parts = [self.pending]
        self.pending = b""
        try:
            while True:
                parts.append(self._receive())
        except Closed:
            return b"".join(parts)


def format_request(method, target, body=None, headers=None):
    """An HTTP/1.1 request as bytes; a body of None sends no Content-Length."""
    lines = [f"{method} {target} HTTP/1.1"]
    fields = {"Host": "weir.test"}
    if body is not None:
        body = body.encode() if isinstance(body, str) else body
        fields["Content-Length"] = str(len(body))
    fields.update(headers or {})
    lines += [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + (body or b"")


def chunked(*parts):
    """A body in chunks, as it goes over the wire."""
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


# Flags with which nothing is loaded, or nothing is said of it.
SILENT = ("--state.url=none", "--takeover", "--log.level=warn", "--log.level=error")

# With which what is loaded may be away, held up or damaged; a test of that knows what to wait for.
PLACES = ("--state.", "--targets.url", "--persistence.", "--data.", "--config.")


class Weir:
    """A running weir. stop() ends it and asserts that it ended well.

    With an ssl.SSLContext for its clients it is talked to over TLS.
    """

    def __init__(self, directory, *flags, listen=("127.0.0.1:0",), tls=None,
                 variables=None, is_known=True):
        """Not known: it has other settings than these flags, so it may load nothing, or not say so."""
        is_new = not (directory / "data").exists()
        directory.mkdir(parents=True, exist_ok=True)
        self.stderr_path = directory / "stderr"
        self.pending = b""
        self.tls = tls
        self.prefix = prefix_of(flags)
        with open(self.stderr_path, "ab") as stderr:  # others may write to it, too
            self.process = subprocess.Popen(
                command(directory, *flags, listen=listen),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr,
                cwd=directory, env={**environment(), **(variables or {})})
        try:
            self.addresses = [self._listening() for _ in listen]
            if not any(flag.startswith(SILENT) for flag in flags):
                is_plain = is_known and is_new and not variables and not any(flag.startswith(PLACES) for flag in flags)
                self._let_load("--targets.url=none" not in flags, DEADLINE if is_plain else 0.5)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        self.address = self.addresses[0]

    @property
    def url(self):
        host, port = self.address
        scheme = "https" if self.tls else "http"
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"

    def _listening(self):
        """Host and port, or the text of an address that is not TCP."""
        line = self._stdout_line()
        assert line.startswith("listening "), f"unexpected first line {line!r}"
        address = line.split()[1]
        if address.startswith(("unix:", "vsock:")):
            return address
        host, _, port = address.rpartition(":")
        return host.strip("[]"), int(port)

    def _let_load(self, has_targets, seconds):
        """An empty state is loaded at once, and few tests are about the moment before it is."""
        wanted = ["state loaded", "targets read"] if has_targets else ["state loaded"]
        end = time.monotonic() + seconds
        while (time.monotonic() < end and self.process.poll() is None
               and not all(text in self.stderr() for text in wanted)):
            time.sleep(0.002)

    def _stdout_line(self):
        end = time.monotonic() + DEADLINE
        while b"\n" not in self.pending:
            ready, _, _ = select.select([self.process.stdout], [], [], end - time.monotonic())
            assert ready, "weir does not say where it listens"
            data = os.read(self.process.stdout.fileno(), 4096)
            assert data, f"weir ended before it listened:\n{self.stderr()}"
            self.pending += data
        line, _, self.pending = self.pending.partition(b"\n")
        return line.decode()

    def stderr(self):
        return self.stderr_path.read_text(errors="replace")

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait(self, seconds=DEADLINE):
        """Its exit code."""
        return self.process.wait(seconds)

    def stop(self):
        if self.process.poll() is None:
            self.signal()
        try:
            code = self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("weir did not end after SIGTERM") from None
        finally:
            self.process.stdout.close()
        assert code == 0, f"weir ended with exit code {code}:\n{self.stderr()}"

    # Requests, each over a connection of its own. Answers have to be as they are described.

    def connect(self, **options):
        return Connection(self.address, **{"tls": self.tls, **options})

    def request(self, method, target, body=None, headers=None):
        with self.connect() as connection:
            response = connection.exchange(method, target, body,
                                           {"Connection": "close", **(headers or {})})
        openapi.check_answer(self.prefix, method, target, response)
        return response

    def get(self, target, headers=None):
        return self.request("GET", target, headers=headers)

    def put(self, target, body=b"", headers=None):
        return self.request("PUT", target, body, headers)

    def post(self, target, body=b"", headers=None):
        return self.request("POST", target, body, headers)

    def delete(self, target, headers=None):
        return self.request("DELETE", target, headers=headers)

    def scrape(self):
        """The page of /metrics, checked to be whole and valid."""
        response = self.get("/metrics")
        assert response.status == 200, response.text
        return Page(response.text)


def prefix_of(flags):
    """What a weir's paths are below, by its flags."""
    said = dict(flag.split("=", 1) for flag in flags if "=" in flag)
    url = said.get("--web.external-url", "")
    prefix = said.get("--web.route-prefix", urllib.parse.urlsplit(url).path if "://" in url else url)
    return "/" + prefix.strip("/") if prefix.strip("/") else ""


def command(directory, *flags, listen=("127.0.0.1:0",)):
    return [BINARY, *(f"--web.listen-address={address}" for address in listen),
            f"--data.dir={directory / 'data'}", *flags]


def run_weir(directory, *flags, listen=("127.0.0.1:0",)):
    """Runs weir where it should end by itself; gives exit code and stderr."""
    done = subprocess.run(command(directory, *flags, listen=listen), cwd=directory,
                          env=environment(), capture_output=True, timeout=DEADLINE, text=True,
                          check=False)
    return done.returncode, done.stderr


@functools.cache
def built(*names):
    """The paths of tests/preload/NAME.c, built."""
    build = Path(BINARY).resolve().parents[1]
    libraries = [f"tests/{name}.so" for name in names]
    subprocess.run(["ninja", "-C", build, *libraries], check=True, capture_output=True)
    return [str(build / library) for library in libraries]


def preload(*names, **variables):
    """The variables with which weir runs with tests/preload/NAME.c in front of the C library, the first
    name outermost."""
    return {"LD_PRELOAD": ":".join(built(*names)),
            **{key: str(value) for key, value in variables.items()}}


def cpu_seconds(pid, thread=None):
    """That a process has worked, or one of its threads. The loop's has the number of the process."""
    directory = f"/proc/{pid}/task/{thread}" if thread else f"/proc/{pid}"
    fields = Path(directory, "stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def environment():
    """What weir inherits, without settings of weir's own."""
    inherited = {name: value for name, value in os.environ.items()
                 if not name.startswith("WEIR_")}
    return {**inherited,
            "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0",
            "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}


def curl(*arguments, data=None):
    """Runs curl as a user would, and gives what it printed."""
    done = subprocess.run(["curl", "-sS", "--max-time", str(DEADLINE), *arguments],
                          input=data, capture_output=True, check=False)
    assert done.returncode == 0, f"curl {arguments}: {done.stderr[-200:].decode()}"
    return done.stdout
