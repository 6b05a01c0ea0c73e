"""Upgrade in place of a weir that speaks TLS: connections cannot move, but nobody loses anything."""

import os
import socket
import ssl

import pytest

from certificates import Authority, tls_config, web_config
from harness import DEADLINE
from takeovers import BYE, READY, STATE, TAKEN, Pretender


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
    """A certificate that does not fit into the socket, and a client that sends and does not read."""
    names = ",".join(f"DNS:{n:060}.example" for n in range(3200))
    path = web_config(tmp_path / "config", tls_config(authority.issue("large", sans=names)))
    listen = f"unix:/tmp/weir-takeover-tls-{os.getpid()}.sock"
    weir = start_weir(f"--web.config.file={path}", listen=[listen])
    with socket.socket(socket.AF_UNIX) as raw, Pretender(weir.stderr_path.parent / "data") as new:
        raw.settimeout(DEADLINE)
        raw.connect(listen.removeprefix("unix:"))
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


@pytest.mark.parametrize("half", ["", "PUT /metrics/job/h HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n"
                                  "\r\nm "], ids=["idle", "body"])
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
