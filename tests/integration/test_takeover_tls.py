"""Upgrade in place of a weir that speaks TLS: connections cannot move, but nobody loses anything."""

import os
import re
import socket
import ssl

import pytest

from certificates import Authority, tls_config, web_config
from harness import DEADLINE, wait_for
from page import Page
from takeovers import BYE, READY, STATE, TAKEN, Pretender, Succession
from test_auth import basic, hash_of
from test_takeover_load import Client

RIGHT = basic("alice", "secret")


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "authority")


def client_hello(context):
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def hand_over_to(pretender):
    pretender.send(TAKEN)
    pretender.until(BYE)


def test_handshake_that_is_being_written(start_weir, authority, tmp_path):
    """Its certificate does not fit into the socket, and the client sends and does not read."""
    names = ",".join(f"DNS:{n:060}.example" for n in range(3200))
    path = web_config(tmp_path / "config", tls_config(authority.issue("large", sans=names)))
    name = f"weir-takeover-tls-{os.getpid()}"
    weir = start_weir(f"--web.config.file={path}", listen=[f"unix:@{name}"])
    with socket.socket(socket.AF_UNIX) as raw, Pretender(weir.stderr_path.parent / "data") as new:
        raw.settimeout(DEADLINE)
        raw.connect(f"\0{name}")
        raw.sendall(client_hello(authority.client()))
        assert raw.recv(1) == b"\x16"
        new.offer()
        new.send(READY)
        new.until(STATE)
        raw.sendall(b"unread")
        hand_over_to(new)
        with pytest.raises(ConnectionResetError):
            while raw.recv(1 << 16):
                pass
    assert weir.wait() == 0


@pytest.mark.parametrize("half", [
    "", "PUT /metrics/job/h HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nm ",
], ids=["idle", "body"])
def test_client_that_sends_too_late(start_weir, authority, tmp_path, half):
    """What it sends is for nobody, and yet it is told so as TLS wants it, without a reset."""
    path = web_config(tmp_path / "config", tls_config(authority.issue("server")))
    weir = start_weir(f"--web.config.file={path}", tls=authority.client())
    with weir.connect() as late, Pretender(weir.stderr_path.parent / "data") as new:
        assert late.exchange("PUT", "/metrics/job/j", "m 1\n").status == 200
        late.send(half)
        new.offer()
        new.send(READY)
        new.until(STATE)
        late.request("GET", "/-/healthy")
        hand_over_to(new)
        assert late.socket.recv(1) == b""  # close_notify: a cut would raise
    assert weir.wait() == 0


def test_requests_that_are_half_sent_are_answered(start_weir, authority, tmp_path):
    path = web_config(tmp_path / "config", tls_config(authority.issue("server")))
    weir = start_weir(f"--web.config.file={path}", tls=authority.client())
    head = "PUT /metrics/job/j HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n"
    with weir.connect() as body, weir.connect() as begun, weir.connect() as silent, \
            weir.connect() as idle, Pretender(weir.stderr_path.parent / "data") as new:
        body.send(head + "m ")
        begun.send(head[:20])
        assert idle.exchange("GET", "/-/healthy").status == 200
        new.offer()
        new.send(READY)
        silent.request("GET", "/-/healthy")
        idle.request("GET", "/-/ready")
        begun.send(head[20:] + "m 1\n")
        body.send("1\n")
        for connection in (body, begun, silent, idle):
            assert connection.response().status == 200
            assert connection.socket.recv(1) == b""
        new.until(STATE)
        hand_over_to(new)
    assert weir.wait() == 0


def test_takeover_that_fails_leaves_all_as_it_was(start_weir, authority, tmp_path):
    path = web_config(tmp_path / "config", tls_config(authority.issue("server")))
    weir = start_weir(f"--web.config.file={path}", tls=authority.client())
    with weir.connect() as half:
        half.send("PUT /metrics/job/j HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nm ")
        with Pretender(weir.stderr_path.parent / "data") as new:
            new.offer()
            new.send(READY)
        wait_for(lambda: "going on as before" in weir.stderr(), "it turns back")
        half.send("1\n")
        assert half.response().headers.get("connection") is None
        assert half.exchange("GET", "/-/healthy").status == 200
    assert weir.get("/-/healthy").status == 200


class Pusher(Client):
    """Counts up over one connection, or the next one after an answer that says it was the last."""

    def __init__(self, weir, client, number):
        super().__init__()
        self.weir, self.client = weir, client
        self.job = f"pusher{number}"
        self.connections = 0

    def work(self):
        while not self.stopping:
            self.connections += 1
            with self.weir.connect(tls=self.client) as connection:
                while not self.stopping and self.push(connection):
                    pass

    def push(self, connection):
        answer = connection.exchange("PUT", f"/metrics/job/{self.job}", f"m {self.rounds}\n",
                                     RIGHT)
        assert answer.status == 200, answer.text
        self.rounds += 1
        return answer.headers.get("connection") != "close"


class Newcomer(Pusher):
    """A new connection each time."""

    def push(self, connection):
        super().push(connection)
        return False


@pytest.fixture
def succession(authority, tmp_path):
    """With users, whose passwords each new weir has to check anew."""
    path = web_config(tmp_path / "config", tls_config(authority.issue("server"))
                      + f"basic_auth_users:\n  alice: {hash_of('secret', cost=8)}\n")
    weir = Succession(tmp_path / "weir", f"--web.config.file={path}", "--timeout.shutdown=1m")
    yield weir
    try:
        weir.stop()
    finally:
        print(weir.stderr()[-20000:])


@pytest.mark.smoke
def test_no_push_fails(succession, authority):
    client = authority.client()
    pushers = [*(Pusher(succession, client, number) for number in range(8)),
               *(Newcomer(succession, client, number) for number in range(8, 10))]
    with succession.connect(tls=client) as idle:
        assert idle.exchange("GET", "/-/healthy", None, RIGHT).status == 200
        for pusher in pushers:
            pusher.start()
        try:
            for _ in range(3):
                for pusher in pushers:
                    rounds = pusher.rounds + 1
                    wait_for(lambda pusher=pusher, rounds=rounds: pusher.has_got_on(rounds),
                             "every client gets on")
                succession.signal()
        finally:
            for pusher in pushers:
                pusher.stopping = True
            for pusher in pushers:
                pusher.join()
        for pusher in pushers:
            pusher.check()
        assert idle.socket.recv(1) == b""  # close_notify
    with succession.connect(tls=client) as anew:
        page = Page(anew.exchange("GET", "/metrics", None, RIGHT).text)
    for pusher in pushers:
        assert page.value("m", job=pusher.job) == pusher.rounds - 1


def test_reader_gets_the_whole_answer(succession, authority):
    client = authority.client()
    body = "".join(f'big{{n="{n:0180}"}} 1\n' for n in range(60_000))
    with succession.connect(tls=client) as pusher:
        assert pusher.exchange("PUT", "/metrics/job/big", body, RIGHT).status == 200
    with succession.connect(tls=client, receive_buffer=65536) as slow:
        slow.request("GET", "/metrics", None, RIGHT)
        slow.pending = slow.socket.recv(1)
        old = succession.pid
        succession.start()
        taken = wait_for(lambda: re.search(r'msg="took over" pid=(\d+)', succession.stderr()),
                         "it is taken over")
        succession.pid = int(taken[1])
        with succession.connect(tls=client) as other:
            assert other.exchange("PUT", "/metrics/job/j", "m 1\n", RIGHT).status == 200
        assert slow.response().body.count(b"\nbig{") == 60_000
        assert slow.socket.recv(1) == b""  # close_notify
        assert succession.exit_code(old) == 0
