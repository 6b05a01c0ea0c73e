"""docker/nginx before two servers with one database, as Grafana is run twice: either may be killed at any time."""

import contextlib
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from front import Front
from harness import DEADLINE, wait_for
from redis_servers import free_port

PROGRAM = Path(__file__).parent / "login_server.py"


class Server:
    """A process that can be killed, and comes back on the same port."""

    def __init__(self, database):
        self.port, self.database = free_port(), database
        self.start()

    def start(self):
        self.process = subprocess.Popen([sys.executable, PROGRAM, str(self.port), self.database])
        wait_for(self.listens, "it listens")

    def listens(self):
        assert self.process.poll() is None
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True

    def kill(self):
        self.process.kill()
        self.process.wait(DEADLINE)


class Grafanas:
    """Both, behind nginx, and somebody who is logged in."""

    def __init__(self, directory):
        self.database = directory / "db"
        self.servers = [Server(self.database) for _ in range(2)]
        self.front = Front(directory / "front", ["127.0.0.1:1", "127.0.0.1:2"], 3, [one.port for one in self.servers])
        self.cookies = directory / "cookies"

    def __enter__(self):
        self.front.__enter__()
        assert self.ask("/login", "-X", "POST")[0] == 200
        return self

    def __exit__(self, *_):
        self.front.__exit__()
        for server in self.servers:
            server.kill()

    def ask(self, path, *arguments):
        """(status, body)"""
        return self.front.ask("grafana", path, "--cookie", self.cookies, "--cookie-jar", self.cookies, *arguments,
                              user=False)

    def served_by(self):
        """Ports of those that answer some requests, all of which must go well."""
        found = set()
        for _ in range(6):
            status, text = self.ask("/api/dashboards", "-D", "-")
            assert status == 200, text
            found.add(int(text.partition("Served-By: ")[2].split()[0]))
        return found

    def slow(self):
        """What was begun: (method, port)."""
        with sqlite3.connect(self.database) as database:
            return [tuple(text.split()) for text, in database.execute("SELECT text FROM slow ORDER BY rowid")]

    def kill_in_the_middle(self, method):
        """(status, what was begun) of a request during which its server is killed."""
        answers = []
        thread = threading.Thread(target=lambda: answers.append(self.ask("/slow", "-X", method)))
        thread.start()
        (_, port), = wait_for(self.slow, "it has begun")
        next(one for one in self.servers if one.port == int(port)).kill()
        thread.join(DEADLINE)
        return answers[0][0], self.slow()


@pytest.fixture
def grafanas(tmp_path):
    with Grafanas(tmp_path) as started:
        yield started


def test_sessions_and_dashboards_outlive_either(grafanas):
    first, second = grafanas.servers
    assert grafanas.ask("/api/dashboards", "-d", "mine")[0] == 200
    assert grafanas.served_by() == {first.port, second.port}
    for gone, left in ((first, second), (second, first)):
        gone.kill()
        assert grafanas.served_by() == {left.port}
        assert grafanas.ask("/api/dashboards")[1].split()[0] == "mine"
        assert grafanas.ask("/api/dashboards", "-d", f"by-{left.port}")[0] == 200
        gone.start()
        wait_for(lambda: len(grafanas.served_by()) == 2, "it is used again")
    saved = grafanas.ask("/api/dashboards")[1].split()
    assert saved == ["mine", f"by-{second.port}", f"by-{first.port}"], "none is lost, none is there twice"


@pytest.mark.smoke
def test_who_only_reads_notices_nothing(grafanas):
    status, begun = grafanas.kill_in_the_middle("GET")
    assert status == 200 and len(begun) == 2 and begun[0] != begun[1]


def test_what_was_sent_is_not_sent_again(grafanas):
    """It may have been carried out: whoever sent it is told that it is not known."""
    status, begun = grafanas.kill_in_the_middle("POST")
    assert status == 502 and len(begun) == 1


class WebSocket:
    def __init__(self, grafanas):
        context = grafanas.front.authority.client()
        raw = socket.create_connection(("127.0.0.1", grafanas.front.port), timeout=DEADLINE)
        self.socket = context.wrap_socket(raw, server_hostname="grafana.example.com")
        session = grafanas.cookies.read_text().split()[-1]
        self.socket.sendall(
            "GET /live HTTP/1.1\r\nHost: grafana.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"Cookie: session={session}\r\n\r\n".encode())
        self.head = b""
        while not self.head.endswith(b"\r\n\r\n"):
            self.head += self.socket.recv(1)

    def echo(self, text):
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(text))
        self.socket.sendall(bytes([0x81, 0x80 | len(text)]) + mask + masked)
        answer = b""
        while len(answer) < 2 + len(text) and (part := self.socket.recv(1024)):
            answer += part
        return answer[2:]


def test_websockets_go_through_and_to_the_other_one(grafanas):
    live = WebSocket(grafanas)
    assert live.head.startswith(b"HTTP/1.1 101 ")
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in live.head
    assert live.echo(b"hello") == b"hello"
    port = int(live.head.partition(b"Served-By: ")[2].split()[0])
    next(one for one in grafanas.servers if one.port == port).kill()
    with contextlib.suppress(OSError):
        assert live.socket.recv(1) == b"", "it ends"
    again = WebSocket(grafanas)
    assert again.echo(b"again") == b"again"
    assert f"Served-By: {port}".encode() not in again.head
    for one in (live, again):
        one.socket.close()
