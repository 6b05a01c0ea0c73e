"""Clients that are slow, silent or do not read are let go, each in its way."""

import select
import time

import pytest

from harness import Closed, format_request, wait_for

TIMEOUTS = "weir_timeouts_total"


def timeouts(weir, phase):
    return weir.scrape().total(TIMEOUTS, phase=phase)


def drip(connection, data):
    """Sends a byte every 50 ms until all is sent or the server answers; tells which."""
    for byte in data:
        readable, _, _ = select.select([connection.socket], [], [], 0.05)
        if readable:
            return True
        connection.send(bytes([byte]))
    return False


@pytest.mark.smoke
@pytest.mark.parametrize("kind,head", [
    ("header", b""),
    ("header", b"PUT /metrics/job/j HTTP/1.1\r\nX-Drip: "),
    ("body", b"PUT /metrics/job/j HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n"),
    ("body", b"PUT /metrics/job/j HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
             b"3e8\r\n"),
], ids=["line", "header", "body", "chunk"])
def test_dripping_client_gets_408(start_weir, kind, head):
    weir = start_weir(f"--timeout.{kind}=1s")
    with weir.connect() as connection:
        connection.send(head)
        began = time.monotonic()
        assert drip(connection, b"G" * 200), "it may drip for ever"
        took = time.monotonic() - began
        answer = connection.response()
        assert answer.status == 408
        assert len(answer.text.split()) >= 3
    assert took >= 0.9  # to the millisecond of the loop's turn before
    assert timeouts(weir, kind) == 1
    assert weir.scrape().pushed() == []


def test_slow_but_in_time(start_weir):
    weir = start_weir("--timeout.header=5s", "--timeout.body=5s", "--timeout.idle=300ms")
    with weir.connect() as connection:
        assert not drip(connection, b"PUT /metrics/job/j HTTP/1.1\r\n")
        connection.send("Host: x\r\nContent-Length: 8\r\n\r\n")
        assert not drip(connection, b"metric ")
        # What is next comes at once, or the connection would be idle.
        connection.send(b"1" + format_request("PUT", "/metrics/job/j", "m 1\n"))
        assert connection.response().status == 400
        assert connection.response().status == 200


def test_idle_connection_is_closed(start_weir):
    weir = start_weir("--timeout.idle=500ms")
    with weir.connect() as connection:
        began = time.monotonic()
        assert connection.exchange("GET", "/-/healthy").status == 200
        assert connection.is_closed_by_server()
        assert time.monotonic() - began > 0.4
    assert timeouts(weir, "idle") == 1


def test_connection_that_never_says_anything(start_weir):
    weir = start_weir("--timeout.header=500ms")
    with weir.connect() as connection:
        assert connection.response().status == 408
        assert connection.is_closed_by_server()


def test_idle_time_counts_from_the_last_request(start_weir):
    weir = start_weir("--timeout.idle=1s")
    wait_for(lambda: is_kept(weir), "requests come in time")


def is_kept(weir):
    """Whether a connection lived on for more than the idle time; it is to if each request was in time."""
    before = time.monotonic()
    with weir.connect() as connection:
        for _ in range(6):
            asked = time.monotonic()
            try:
                assert connection.exchange("GET", "/-/healthy").status == 200
            except (Closed, ConnectionError):
                assert time.monotonic() - before >= 0.9
                return False
            before = asked
            select.select([connection.socket], [], [], 0.3)
    return True


def test_reader_that_does_not_read_is_cut(start_weir):
    weir = start_weir("--timeout.write=1s")
    body = "".join(f'big{{n="{n:0180}"}} 1\n' for n in range(40_000))
    assert weir.put("/metrics/job/big", body).status == 200
    with weir.connect(receive_buffer=4096) as connection:
        connection.request("GET", "/metrics")
        assert connection.socket.recv(1) == b"H"
        wait_for(lambda: timeouts(weir, "write") == 1, "the reader is cut")
        connection.pending = b"H"
        with pytest.raises(Closed):
            connection.response()
    assert weir.get("/-/healthy").status == 200


def test_slow_reader_that_goes_on_reading_is_not_cut(start_weir):
    weir = start_weir("--timeout.write=1s")
    body = "".join(f'big{{n="{n:0180}"}} 1\n' for n in range(40_000))
    assert weir.put("/metrics/job/big", body).status == 200
    with weir.connect(receive_buffer=65536) as connection:
        connection.request("GET", "/metrics")
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            connection.pending += connection.socket.recv(65536)
            select.select([], [], [], 0.1)
        assert connection.response().status == 200
