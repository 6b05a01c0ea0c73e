"""HTTP on the wire: framing, pipelining, what is refused."""

import pytest

from harness import chunked

PUSH = "POST /metrics/job/j HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.smoke
def test_keep_alive(weir):
    with weir.connect() as connection:
        for value in range(20):
            assert connection.exchange("PUT", "/metrics/job/j", f"m {value}\n").status == 200
        assert connection.exchange("PUT", "/metrics/job/j", "bad\n").status == 400
        assert connection.exchange("GET", "/nowhere").status == 404
        assert connection.exchange("PATCH", "/metrics").status == 405
        assert 'm{instance="",job="j"} 19' in connection.exchange("GET", "/metrics").text


def test_connection_close_is_honoured(weir):
    with weir.connect() as connection:
        answer = connection.exchange("PUT", "/metrics/job/j", "m 1\n", {"Connection": "close"})
        assert answer.headers["connection"].lower() == "close"
        assert connection.is_closed_by_server()


def test_http_1_0_closes_unless_asked(weir):
    with weir.connect() as connection:
        connection.send("POST /metrics/job/j HTTP/1.0\r\nConnection: keep-alive\r\n"
                        "Content-Length: 4\r\n\r\nm 1\n")
        assert connection.response().status == 200
        connection.send("GET /-/healthy HTTP/1.0\r\n\r\n")
        assert connection.response().status == 200
        assert connection.is_closed_by_server()


def test_pipelined_answers_come_in_order(weir):
    with weir.connect() as connection:
        for value in range(100):
            connection.request("PUT", f"/metrics/job/p{value}", f"m {value}\n")
            connection.request("GET", f"/nowhere/{value}")
        connection.request("GET", "/metrics")
        for _ in range(100):
            assert connection.response().status == 200
            assert connection.response().status == 404
        page = connection.response().text
    assert all(f'm{{instance="",job="p{value}"}} {value}\n' in page for value in range(100))


def test_pipelined_scrapes_and_pushes(weir):
    """A scrape behind a push on the same connection shows it."""
    with weir.connect() as connection:
        for value in range(10):
            connection.request("PUT", "/metrics/job/j", f"m {value}\n")
            connection.request("GET", "/metrics", headers={"Accept-Encoding": "identity"})
        for value in range(10):
            assert connection.response().status == 200
            assert f'm{{instance="",job="j"}} {value}\n' in connection.response().text


@pytest.mark.parametrize("parts", [
    [b"m 1\n"], [b"m", b" ", b"1", b"\n"], [b"m 1\n" + b"#" * 70_000 + b"\n"], [],
])
def test_chunked_body(weir, parts):
    with weir.connect() as connection:
        connection.send(PUSH + "Transfer-Encoding: chunked\r\n\r\n")
        connection.send(chunked(*parts))
        assert connection.response().status == 200
        assert connection.exchange("GET", "/-/healthy").status == 200
    assert weir.scrape().value("m", job="j") == (1 if parts else None)


def test_chunk_extensions_and_trailers(weir):
    with weir.connect() as connection:
        connection.send(PUSH + "Transfer-Encoding: chunked\r\n\r\n"
                        "4;name=value\r\nm 1\n\r\n0\r\nTrailer: t\r\n\r\n")
        assert connection.response().status == 200
        assert connection.exchange("GET", "/-/healthy").status == 200


@pytest.mark.smoke
def test_byte_by_byte(weir):
    raw = PUSH + "Content-Length: 4\r\n\r\nm 1\n"
    with weir.connect() as connection:
        for byte in raw.encode():
            connection.send(bytes([byte]))
        assert connection.response().status == 200


def test_expect_100_continue(weir):
    with weir.connect() as connection:
        connection.send(PUSH + "Content-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        assert connection.response().status == 100
        connection.send("m 1\n")
        assert connection.response().status == 200


def test_other_expectations_are_417(weir):
    with weir.connect() as connection:
        connection.send(PUSH + "Content-Length: 4\r\nExpect: miracles\r\n\r\nm 1\n")
        assert connection.response().status == 417


def test_absolute_form(weir):
    with weir.connect() as connection:
        answer = connection.exchange("PUT", "http://weir.test/metrics/job/j", "m 1\n")
        assert answer.status == 200
    assert weir.scrape().value("m", job="j") == 1


def test_raw_utf8_in_the_path(weir):
    assert weir.put("/metrics/job/Zürich", "m 1\n").status == 200
    assert weir.scrape().value("m", job="Zürich") == 1


SMUGGLING = {
    "both framings": "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    "differing lengths": "Content-Length: 4\r\nContent-Length: 5\r\n",
    "repeated length": "Content-Length: 4\r\nContent-Length: 4\r\n",
    "list of lengths": "Content-Length: 4, 4\r\n",
    "signed length": "Content-Length: +4\r\n",
    "negative length": "Content-Length: -4\r\n",
    "length with letters": "Content-Length: 4abc\r\n",
    "blank before the colon": "Content-Length : 4\r\n",
    "folded header": "Content-Length: 4\r\nX-Folded: a\r\n b\r\n",
    "bare LF behind a header": "Content-Length: 4\nX: y\r\n",
    "control in a name": "Content-Length: 4\r\nX\x01Y: z\r\n",
}


@pytest.mark.parametrize("name", SMUGGLING)
def test_ambiguous_framing_is_refused(weir, name):
    with weir.connect() as connection:
        connection.send(PUSH + SMUGGLING[name] + "\r\nm 1\n")
        answer = connection.response()
        assert answer.status == 400
        assert answer.body
        assert connection.is_closed_by_server()
    assert weir.scrape().pushed() == []


@pytest.mark.parametrize("head", [
    "GET /metrics HTTP/1.1\nHost: x\n\n",
    "GET /metrics HTTP/1.1\r\n\r\n",
    "GET /metrics HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "GET /met rics HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET metrics HTTP/1.1\r\nHost: x\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "nonsense\r\n\r\n",
])
def test_bad_head_is_400_and_closed(weir, head):
    with weir.connect() as connection:
        connection.send(head.encode("latin-1"))
        assert connection.response().status == 400
        assert connection.is_closed_by_server()


def test_unsupported_transfer_coding(weir):
    with weir.connect() as connection:
        connection.send(PUSH + "Transfer-Encoding: gzip\r\n\r\n")
        assert connection.response().status in (400, 501)
        assert connection.is_closed_by_server()


def test_bad_chunk_is_400_and_closed(weir):
    with weir.connect() as connection:
        connection.send(PUSH + "Transfer-Encoding: chunked\r\n\r\nzz\r\nm 1\n\r\n0\r\n\r\n")
        assert connection.response().status == 400
        assert connection.is_closed_by_server()
    assert weir.scrape().pushed() == []


def test_pusher_that_leaves_in_the_middle(weir):
    for sent in (PUSH, PUSH + "Content-Length: 100\r\n\r\nm 1\n",
                 PUSH + "Transfer-Encoding: chunked\r\n\r\n4\r\nm"):
        with weir.connect() as connection:
            connection.send(sent)
    assert weir.put("/metrics/job/k", "n 1\n").status == 200
    assert weir.scrape().stored() == ["# TYPE n untyped", 'n{instance="",job="k"} 1']
