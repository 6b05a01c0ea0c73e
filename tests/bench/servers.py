"""The servers that are measured: weir and those it is measured beside.

Each listens on loopback, keeps its files in a directory of its own, and is
ended by its process id. fill() pushes bodies to numbered groups.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from harness import Connection, wait_for  # noqa: E402
from peers import listening_port  # noqa: E402

GROUP_PATH = "/metrics/job/bench/instance/"
WINDOW = 16  # requests under way while filling


class Server:
    """A child process that serves HTTP on 127.0.0.1."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.process = None
        self.port = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self, *command):
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen([str(word) for word in command], cwd=self.directory,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self.port = wait_for(self._port, f"{command[0]} listens", seconds=120)
        except BaseException:
            self.stop()
            raise

    def _port(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"it ended: {(self.directory / 'log').read_text()[-500:]}")
        return listening_port(self.process)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def memory(self, field="VmRSS"):
        """Bytes, resident now (VmRSS) or at most so far (VmHWM)."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
        raise RuntimeError(f"no {field}")

    def written(self):
        """Bytes that it had the kernel write to disk so far; a page counts each time it does."""
        for line in Path(f"/proc/{self.process.pid}/io").read_text().splitlines():
            if line.startswith("write_bytes:"):
                return int(line.split()[1])
        raise RuntimeError("no write_bytes")

    def cpu_seconds(self):
        """That all its threads took so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def fill(self, groups, bodies):
        """Pushes to every group the body of its turn."""
        with Connection(("127.0.0.1", self.port)) as connection:
            for first in range(0, groups, WINDOW):
                numbers = range(first, min(first + WINDOW, groups))
                for number in numbers:
                    connection.request("POST", f"{GROUP_PATH}{number}",
                                       bodies[number % len(bodies)])
                for _ in numbers:
                    answer = connection.response()
                    if answer.status not in (200, 202):
                        raise RuntimeError(f"{answer.status} {answer.text[:200]}")


class Weir(Server):
    """In memory only, as what it is measured beside."""

    name = "weir"
    state = ("--state.url=none",)
    binary = None  # set by scripts/bench

    def __init__(self, directory, *flags):
        super().__init__(directory)
        self.flags = flags

    def begin(self, groups=0, bodies=()):
        self.start(self.binary, "--web.listen-address=127.0.0.1:0",
                   f"--data.dir={self.directory / 'data'}", *self.state, *self.flags)
        self.fill(groups, bodies)

    def metric(self, name):
        """The value of one of weir's own metrics, by name and labels; None: there is none."""
        for line in self.page().splitlines():
            series, _, value = line.rpartition(" ")
            if series == name:
                return float(value)
        return None

    def page(self):
        with Connection(("127.0.0.1", self.port)) as connection:
            return connection.exchange("GET", "/metrics").text


class DurableWeir(Weir):
    """As it comes: answers when what was pushed is on disk."""

    state = ()

    @property
    def database(self):
        return self.directory / "data" / "weir.db"

    def database_bytes(self):
        """Of the database and what is in its log."""
        return sum(path.stat().st_size for path in self.database.parent.glob("weir.db*")
                   if path.name in ("weir.db", "weir.db-wal"))


class AcknowledgingWeir(DurableWeir):
    """Stores the same, and answers before that."""

    name = "ack=memory"
    state = ("--state.ack=memory",)


class StatelessWeir(Weir):
    """Beside one with a state."""

    name = "no state"


class SqliteWeir(DurableWeir):
    """As it comes, beside others."""

    name = "sqlite"


class RedisServer(Server):
    """A Redis of its own on a free port; it keeps nothing in files unless its options say so."""

    def __init__(self, directory, program, *options):
        super().__init__(directory)
        self.program = program
        self.options = options

    def begin(self):
        self.start(self.program, "--bind", "127.0.0.1", "--port", free_port(), "--save", "",
                   "--appendonly", "no", *self.options)

    def ask(self, *words):
        """What it answers to a command, as its own client prints it."""
        client = self.program.replace("-server", "-cli")
        done = subprocess.run([client, "-p", str(self.port), *map(str, words)],
                              capture_output=True, text=True, check=True)
        return done.stdout

    def info(self, section):
        lines = self.ask("INFO", section).splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)


class RedisWeir(Weir):
    """Shares its groups through a Redis: one of its own, or that of another weir."""

    program = "redis-server"
    options = ()

    def __init__(self, directory, *flags, beside=None):
        super().__init__(directory, *flags)
        self.owns_redis = beside is None
        self.redis = (RedisServer(self.directory / "redis", self.program, *self.options)
                      if self.owns_redis else beside.redis)

    def begin(self, groups=0, bodies=()):
        if self.owns_redis:
            self.redis.begin()
        self.state = (f"--state.url=redis://127.0.0.1:{self.redis.port}/0",)
        super().begin(groups, bodies)

    def stop_alone(self):
        """Its Redis stays."""
        super().stop()

    def stop(self):
        self.stop_alone()
        if self.owns_redis:
            self.redis.stop()


class LoggedRedisWeir(RedisWeir):
    """Redis writes all that it is told to a file, which it syncs every second."""

    name = "redis, aof"
    options = ("--appendonly", "yes", "--appendfsync", "everysec")


class ValkeyWeir(RedisWeir):
    name = "valkey"
    program = "valkey-server"


class UncheckedPushgateway(Server):
    name = "checks off"
    program = "prometheus-pushgateway"

    def begin(self, groups=0, bodies=()):
        self.run("--push.disable-consistency-check")
        self.fill(groups, bodies)
        self.settle(groups)

    def run(self, *flags):
        # Debian's package has a state file by default: name one, or none.
        self.start(self.program, "--web.listen-address=127.0.0.1:0", "--log.level=error",
                   f"--persistence.file={self.directory / 'state'}",
                   "--persistence.interval=24h", *flags)

    def settle(self, groups):
        """Waits until the queue of unchecked pushes is applied."""
        if groups:
            wait_for(lambda: f'instance="{groups - 1}"' in self._page(), "all is applied", 120)

    def _page(self):
        with Connection(("127.0.0.1", self.port)) as connection:
            return connection.exchange("GET", "/metrics").text


class Pushgateway(UncheckedPushgateway):
    """With its checks, as it comes. Filled with them off, then restarted on its state file:
    filling it with them on would take hours."""

    name = "pushgateway"

    def begin(self, groups=0, bodies=()):
        if groups:
            super().begin(groups, bodies)
            self.stop()
        self.run()


class Nginx(Server):
    """One worker. Reads and discards what is pushed; serves the page as a file."""

    name = "nginx"
    program = "nginx"

    CONFIG = """\
daemon off;
worker_processes 1;
{user}
pid pid;
error_log error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    client_max_body_size 0;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {{
        listen 127.0.0.1:{port};
        root www;
        location /metrics/job/ {{ return 200; }}
        location = /metrics {{ gzip_static on; default_type text/plain; }}
    }}
}}
"""

    def begin(self, groups=0, bodies=()):
        (self.directory / "www").mkdir(exist_ok=True)
        user = "user root;" if os.geteuid() == 0 else ""
        config = self.directory / "nginx.conf"
        config.write_text(self.CONFIG.format(port=free_port(), user=user))
        self.start(self.program, "-p", self.directory, "-c", config, "-e", "error.log")

    def serve(self, page, compressed):
        (self.directory / "www" / "metrics").write_bytes(page)
        (self.directory / "www" / "metrics.gz").write_bytes(compressed)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def available(kind):
    """Whether a peer is installed; weir always is."""
    return not hasattr(kind, "program") or shutil.which(kind.program) is not None


@contextlib.contextmanager
def running(directory, kinds, groups=0, bodies=(), label=""):
    """Starts and fills one server of each kind; gives them by name; ends them all."""
    servers = {}
    try:
        for kind in kinds:
            if not available(kind):
                print(f"  {kind.program} is not installed: {kind.name} is left out",
                      file=sys.stderr)
                continue
            server = kind(Path(directory) / f"{label}{kind.name}".replace(" ", "-"))
            servers[kind.name] = server
            server.begin(groups, bodies)
        yield dict(servers)
    finally:
        for server in servers.values():
            server.stop()
