"""Redis servers of a test's own, alone or as a cluster: they can be killed, held up, cut off and emptied."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from harness import DEADLINE, wait_for

SERVER = os.environ.get("WEIR_REDIS_SERVER", "redis-server")  # or a Valkey
PORTS = random.SystemRandom()  # not what a test has seeded
BROKEN = (OSError, EOFError)


def free_port():
    """Below those that the kernel gives out: nobody is given it, and nobody who connects to it
    meets himself, while the server is away."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = PORTS.randrange(first // 2, first)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class RedisError(Exception):
    """What a server answered to a command that it did not like."""


class RedisClient:
    """One connection: a command, then its answer, with text as str."""

    def __init__(self, port, user="default", password=None, tls=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.file = self.socket.makefile("rb")
        if password:
            self.command("AUTH", user, password)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def command(self, *words):
        words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self.socket.sendall(b"*%d\r\n" % len(words)
                            + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
        return self._answer()

    def _answer(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise EOFError("the server closed the connection")
        kind, rest = line[:1], line[1:-2].decode(errors="replace")
        if kind == b"-":
            raise RedisError(rest)
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        assert kind in b"$*", line
        count = int(rest)
        if count < 0:
            return None
        if kind == b"*":
            return [self._answer() for _ in range(count)]
        return self.file.read(count + 2)[:-2].decode(errors="replace")


class RedisServer:
    """Keeps what it has in a file if told to: it is there after a kill, too."""

    def __init__(self, directory, *options, keeps=False, tls=None, password=None, variables=None):
        """TLS: (identity, authority) of certificates.py; then there is no port without."""
        directory.mkdir(parents=True)
        self.directory, self.password = directory, password
        self.variables = {**os.environ, **(variables or {})}
        self.port = free_port()
        self.tls = None
        self.options = ["--bind", "127.0.0.1", "--dir", directory, "--save", "", "--appendonly",
                        "yes" if keeps else "no", "--enable-debug-command", "yes",
                        "--repl-diskless-sync-delay", "0", *options]
        if password:
            self.options += ["--requirepass", password, "--masterauth", password]
        if tls:
            identity, authority = tls
            self.tls = authority.client(identity)
            self.options += ["--port", "0", "--tls-port", self.port,
                             "--tls-cert-file", identity.cert, "--tls-key-file", identity.key,
                             "--tls-ca-cert-file", authority.cert]
        else:
            self.options += ["--port", self.port]
        self.process = None
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    # Its life.

    def start(self, wait=True):
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(
                [SERVER, *map(str, self.options)], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=self.variables)
        if wait:
            wait_for(self._has_loaded, "redis-server has what it kept")

    def _has_loaded(self):
        assert self.process.poll() is None, f"it ended:\n{self.log()}"
        try:
            return self.command("PING") == "PONG"
        except BROKEN:
            return False
        except RedisError as error:
            assert str(error).startswith("LOADING"), error
            return False

    def log(self):
        return (self.directory / "log").read_text(errors="replace")

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """As an administrator ends it."""
        self._end_with(signal.SIGTERM)

    def kill(self):
        self._end_with(signal.SIGKILL)

    def _end_with(self, number):
        self.process.send_signal(number)
        self.process.wait(DEADLINE)

    def end(self):
        """In whatever state it is."""
        if self.is_running():
            self.kill()

    def restart(self, kill=True, empty=False):
        self.kill() if kill else self.stop()
        if empty:
            self.forget()
        self.start()

    def forget(self):
        """What it kept; it must not run."""
        shutil.rmtree(self.directory / "appendonlydir", ignore_errors=True)

    def pause(self):
        """It neither answers nor closes anything."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    # What it is told.

    def connect(self):
        return RedisClient(self.port, password=self.password, tls=self.tls)

    def command(self, *words):
        """Over a connection of its own."""
        with self.connect() as connection:
            return connection.command(*words)

    def info(self, section):
        lines = self.command("INFO", section).splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def keys(self, pattern="*"):
        return sorted(self.command("KEYS", pattern))

    def now(self):
        """Unix time as it sees it."""
        return int(self.command("TIME")[0])

    def cut_clients(self):
        self.command("CLIENT", "KILL", "TYPE", "normal")

    def follow(self, master):
        """It is a replica of that one from now on, and has all that it has."""
        self.command("REPLICAOF", "127.0.0.1", master.port)
        wait_for(lambda: self.info("replication")["master_link_status"] == "up", "the replica is in step")


class ClusterNode(RedisServer):
    def __init__(self, directory, *options):
        super().__init__(directory, "--cluster-enabled", "yes", "--cluster-port", free_port(),
                         "--cluster-node-timeout", "1000", "--cluster-replica-validity-factor", "0",
                         "--repl-ping-replica-period", "1", "--cluster-config-file", "nodes.conf",
                         *options, keeps=True)

    @property
    def id(self):
        return self.command("CLUSTER", "MYID")

    def is_master(self):
        return self.command("ROLE")[0] == "master"

    def is_well(self):
        """It serves, and knows whom it copies or who copies it."""
        if self.command("CLUSTER", "INFO").splitlines()[0] != "cluster_state:ok":
            return False
        role = self.command("ROLE")
        return role[0] == "master" or role[3] == "connected"


class RedisCluster:
    """Three masters with a replica each, unless told otherwise."""

    def __init__(self, directory, masters=3, replicas=1):
        self.nodes = []
        try:
            for number in range(masters * (1 + replicas)):
                self.nodes.append(ClusterNode(directory / f"node{number}"))
            addresses = [f"127.0.0.1:{node.port}" for node in self.nodes]
            done = subprocess.run(
                ["redis-cli", "--cluster", "create", *addresses, "--cluster-replicas", str(replicas),
                 "--cluster-yes"], capture_output=True, text=True, timeout=DEADLINE, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            self.wait_until_well()
        except BaseException:
            self.end()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        for node in self.nodes:
            node.end()

    @property
    def url(self):
        return f"redis://{','.join(f'127.0.0.1:{node.port}' for node in self.nodes[:3])}/0"

    def running(self):
        return [node for node in self.nodes if node.is_running()]

    def masters(self):
        return [node for node in self.running() if node.is_master()]

    def slots(self):
        """Who serves which: [(first, last, port of the master)], as the first of them sees it."""
        return self._slots_of(self.running()[0])

    @staticmethod
    def _slots_of(node):
        return sorted((first, last, master[1])
                      for first, last, master, *_ in node.command("CLUSTER", "SLOTS"))

    def wait_until_well(self):
        """All that run serve, and all of them see it in the same way."""
        def is_well():
            try:
                views = [self._slots_of(node) for node in self.running()]
                served = sum(last - first + 1 for first, last, _ in views[0])
                return (served == 16384 and all(view == views[0] for view in views)
                        and all(node.is_well() for node in self.running()))
            except BROKEN + (RedisError,):
                return False
        wait_for(is_well, "the cluster is well")

    def slot_of(self, key):
        return self.running()[0].command("CLUSTER", "KEYSLOT", key)

    def master_of(self, key):
        slot = self.slot_of(key)
        port = next(port for first, last, port in self.slots() if first <= slot <= last)
        return self.node_at(port)

    def node_at(self, port):
        return next(node for node in self.nodes if node.port == port)

    def fail_over_from(self, node):
        """After it was killed: one of its replicas has taken its place."""
        wait_for(lambda: all(port != node.port for _, _, port in self.slots()),
                 "a replica takes the place of its master")
        self.wait_until_well()

    def keys(self, pattern="*"):
        return sorted(key for node in self.masters() for key in node.keys(pattern))

    def move_slot(self, slot, target):
        """To another master, as redis-cli --cluster reshard does it, key by key."""
        source = self.node_at(next(port for first, last, port in self.slots() if first <= slot <= last))
        target.command("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
        source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id)
        while keys := source.command("CLUSTER", "GETKEYSINSLOT", slot, 1):
            source.command("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
        number = target.id
        for node in (target, source, *self.masters()):
            node.command("CLUSTER", "SETSLOT", slot, "NODE", number)
        self.wait_until_well()
