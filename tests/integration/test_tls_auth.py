"""Basic auth over TLS: requests that wait for their password, and both exchanged while clients push."""

import socket
import ssl
import struct

import pytest

from certificates import Authority, tls_config, web_config
from harness import DEADLINE, format_request, wait_for
from page import Page
from test_auth import basic, hash_of
from test_takeover_load import Client
from test_tls_reload import exchange, install, served_serial

RIGHT = basic("alice", "secret")


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "authority")


@pytest.fixture
def served(authority):
    return authority.issue("served")


def config(served, users, cost):
    """Web config for these users, whose passwords are checked slowly enough to be put off."""
    lines = "".join(f"  {user}: {hash_of(password, cost)}\n" for user, password in users.items())
    return tls_config(served) + "basic_auth_users:\n" + lines


@pytest.fixture
def weir(start_weir, authority, served, tmp_path):
    path = web_config(tmp_path / "config",
                      config(served, {"alice": "secret", "bob": "other"}, cost=8))
    server = start_weir(f"--web.config.file={path}", tls=authority.client())
    server.config = path
    return server


def groups(weir):
    page = Page(weir.get("/metrics", RIGHT).text)
    return {dict(labels)["job"]: float(value) for (name, labels), value in page.samples.items()
            if name == "m"}


@pytest.mark.smoke
def test_pipelined_requests_wait_in_turn(weir):
    plan = [(basic("alice", "secret"), 200), (basic("alice", "wrong"), 401),
            (basic("bob", "other"), 200), ({}, 401), (basic("nobody", "secret"), 401),
            (basic("alice", "secret"), 200)]
    with weir.connect() as connection:
        connection.send(b"".join(
            format_request("PUT", f"/metrics/job/j{number}", f"m {number}\n", headers)
            for number, (headers, _) in enumerate(plan)))
        assert [connection.response().status for _ in plan] == [status for _, status in plan]
    assert groups(weir) == {f"j{number}": number for number, (_, status) in enumerate(plan)
                            if status == 200}


def test_large_bodies_wait_for_their_password(weir):
    body = "".join(f'm{{n="{n}"}} {n}\n' for n in range(20_000))
    for user, password, status in (("alice", "secret", 200), ("bob", "other", 200),
                                   ("alice", "wrong", 401)):
        with weir.connect() as connection:
            connection.request("PUT", f"/metrics/job/{user}", body, basic(user, password))
            assert connection.response().status == status
    page = Page(weir.get("/metrics", RIGHT).text)
    assert sum(name == "m" for name, _ in page.samples) == 40_000


def test_clients_that_leave_while_their_password_is_checked(weir):
    for number in range(20):
        with weir.connect() as connection:
            connection.request("PUT", f"/metrics/job/j{number}", "m 1\n" * 1000,
                               basic("alice", f"guess {number}"))
            if number % 2 == 0:  # cut, instead of an end
                connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                             struct.pack("ii", 1, 0))
    assert weir.get("/-/healthy", RIGHT).status == 200
    assert groups(weir) == {}


def test_client_that_says_it_is_done_is_answered(weir):
    """Its close_notify comes while the password is checked."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = weir.tls.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with socket.create_connection(weir.address, timeout=DEADLINE) as raw:
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                raw.sendall(outgoing.read())
                incoming.write(raw.recv(65536))
        for password in ("secret", "wrong"):
            client.write(format_request("PUT", f"/metrics/job/{password}", "m 1\n",
                                        basic("alice", password)))
        with pytest.raises(ssl.SSLWantReadError):
            client.unwrap()
        raw.sendall(outgoing.read())
        raw.shutdown(socket.SHUT_WR)
        while data := raw.recv(65536):
            incoming.write(data)
    received = b""
    with pytest.raises(ssl.SSLZeroReturnError):  # weir's close_notify
        while True:
            received += client.read(65536)
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert received.count(b"HTTP/1.1 401 Unauthorized\r\n") == 1
    assert groups(weir) == {"secret": 1}


class Pusher(Client):
    """Over one connection that is kept alive, until one push is not let in."""

    def __init__(self, weir, number, user, password):
        super().__init__()
        self.weir = weir
        self.job = f"{user}{number}"
        self.headers = basic(user, password)
        self.turned_away = False

    def work(self):
        with self.weir.connect() as connection:
            while not self.stopping:
                answer = connection.exchange("PUT", f"/metrics/job/{self.job}",
                                             f"m {self.rounds}\n", self.headers)
                if answer.status == 401:
                    self.turned_away = True
                    return
                assert answer.status == 200, answer.text
                self.rounds += 1


def status_as(weir, user, password):
    return weir.get("/-/healthy", basic(user, password)).status


def test_certificate_and_users_change_under_load(weir, authority, served):
    staying = [Pusher(weir, number, "alice", "secret") for number in range(8)]
    leaving = Pusher(weir, 0, "bob", "other")
    clients = [*staying, leaving]

    def all_get_on(some):
        for client in some:
            rounds = client.rounds + 2
            wait_for(lambda client=client, rounds=rounds: client.has_got_on(rounds),
                     "every client gets on")

    for client in clients:
        client.start()
    try:
        all_get_on(clients)
        first = served_serial(weir)
        install(served, authority.issue("renewed"))
        wait_for(lambda: served_serial(weir) != first, "the new certificate is served")
        all_get_on(clients)
        exchange(weir.config, config(served, {"alice": "secret", "carol": "new"}, cost=7))
        wait_for(lambda: status_as(weir, "carol", "new") == 200, "the new user is known")
        assert status_as(weir, "bob", "other") == 401
        leaving.join(DEADLINE)
        assert leaving.turned_away
        all_get_on(staying)
    finally:
        for client in clients:
            client.stopping = True
        for client in clients:
            client.join()
    for client in clients:
        client.check()
    assert not any(client.turned_away for client in staying)
    assert groups(weir) == {client.job: client.rounds - 1 for client in clients}
