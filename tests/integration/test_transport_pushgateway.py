"""What HTTP itself leaves to a server, beside a real Pushgateway: which answers come, and whether
the connection is kept."""

import re
import socket

import pytest

from harness import DEADLINE
from peers import Pushgateway

PUT = "PUT /metrics/job/t HTTP/1.1\r\nHost: x\r\n"
GET = "GET /-/healthy HTTP/1.1\r\nHost: x\r\n"
CHUNKED = PUT + "Transfer-Encoding: chunked\r\n\r\n"
LAST = "GET /-/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"  # behind each of them

ALIKE = {
    "HTTP/1.0": "GET /-/healthy HTTP/1.0\r\n\r\n",
    "HTTP/1.0, kept": "GET /-/healthy HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "push by HTTP/1.0": "PUT /metrics/job/t HTTP/1.0\r\nContent-Length: 4\r\n\r\nm 1\n",
    "HTTP/2.0": "GET / HTTP/2.0\r\nHost: x\r\n\r\n",
    "HTTP/0.9": "GET /-/healthy\r\n\r\n",
    "HTTP/2 without TLS": GET + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                                "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
    "no Host": "GET /-/healthy HTTP/1.1\r\n\r\n",
    "two Hosts": "GET /-/healthy HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "empty Host": "GET /-/healthy HTTP/1.1\r\nHost:\r\n\r\n",
    "other expectation": PUT + "Expect: miracles\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    "expectation without a body": PUT + "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n",
    "chunk extensions and trailers": CHUNKED + "4;a=b;c\r\nm 1\n\r\n0;x\r\nT: v\r\n\r\n",
    "chunked in capitals": PUT + "Transfer-Encoding: Chunked\r\n\r\n4\r\nm 1\n\r\n0\r\n\r\n",
    "empty chunked body": CHUNKED + "0\r\n\r\n",
    "Transfer-Encoding: gzip": PUT + "Transfer-Encoding: gzip\r\n\r\n",
    "two codings": PUT + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "blanks around the length": PUT + "Content-Length:   4  \r\n\r\nm 1\n",
    "different lengths": PUT + "Content-Length: 4\r\nContent-Length: 5\r\n\r\nm 1\n",
    "length with a plus": PUT + "Content-Length: +4\r\n\r\nm 1\n",
    "negative length": PUT + "Content-Length: -1\r\n\r\n",
    "length of letters": PUT + "Content-Length: abc\r\n\r\n",
    "list of lengths": PUT + "Content-Length: 4, 4\r\n\r\nm 1\n",
    "no length": PUT.replace("PUT", "POST") + "\r\n",
    "pipeline": PUT + "Content-Length: 4\r\n\r\nm 1\n" + GET + "\r\n" + GET.replace("-", "x") + "\r\n",
    "kept after 400": PUT.replace("/t", "/t/odd") + "Content-Length: 4\r\n\r\nm 1\n",
    "kept after a body that is refused": PUT + "Content-Length: 4\r\n\r\nm x\n",
    "kept after 404": PUT.replace("job", "nowhere") + "Content-Length: 4\r\n\r\nm 1\n",
    "kept after 405": PUT.replace("/job/t", "") + "Content-Length: 4\r\n\r\nm 1\n",
    "kept after 301": PUT.replace("/job", "//job") + "Content-Length: 4\r\n\r\nm 1\n",
    "body of a GET": GET + "Content-Length: 4\r\n\r\nabcd",
    "absolute form": GET.replace("/-/", "http://other/-/") + "\r\n",
    "absolute form, https": GET.replace("/-/", "https://other/-/") + "\r\n",
    "CONNECT": "CONNECT other:80 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "target without a slash": GET.replace("/-/", "") + "\r\n",
    "blank in the target": GET.replace("healthy", "a b") + "\r\n",
    "tab in the target": GET.replace("healthy", "a\tb") + "\r\n",
    "bad escape": GET.replace("healthy", "%zz") + "\r\n",
    "half an escape": GET.replace("healthy", "%") + "\r\n",
    "bad escape in the query": GET.replace("healthy", "healthy?%zz") + "\r\n",
    "number sign": PUT.replace("/t", "/a#b") + "Content-Length: 4\r\n\r\nm 1\n",
    "OPTIONS *": "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "unknown method": GET.replace("GET", "BREW-COFFEE") + "\r\n",
    "method that is none": GET.replace("GET", "G@T") + "\r\n",
    "line without a colon": GET + "colonless\r\n\r\n",
    "control in a value": GET + "X: a\x01b\r\n\r\n",
    "name that is not ASCII": GET + "Xé: b\r\n\r\n",
    "Latin-1 in a value": GET + "X: \xe9\r\n\r\n",
    "close in a list": GET + "Connection: other, Close\r\n\r\n",
    "large header": GET + "X: " + "x" * 900_000 + "\r\n\r\n",
    "header beyond 1 MiB": GET + "X: " + "x" * 1_200_000 + "\r\n\r\n",
    "long target": GET.replace("-/", "x" * 65536) + "\r\n",
    "long job": PUT.replace("/t", "/" + "t" * 7000) + "Content-Length: 4\r\n\r\nm 1\n",
}

# On purpose: where two servers could read something differently, weir refuses it, and closes.
APART = {
    "both framings": (PUT + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n"
                            "4\r\nm 1\n\r\n0\r\n\r\n", ["400"], ["200", "200"]),
    "equal lengths": (PUT + "Content-Length: 4\r\nContent-Length: 4\r\n\r\nm 1\n",
                      ["400"], ["200", "200"]),
    "empty length": (PUT + "Content-Length:\r\n\r\n", ["400"], ["200", "200"]),
    "lines that end with LF": (GET.replace("\r", "") + "\n", ["400"], ["200", "200"]),
    "chunks that end with LF": (CHUNKED + "4\nm 1\n\r\n0\n\r\n", ["400"], ["200", "200"]),
    "folded line": (GET + "X: a\r\n b\r\n\r\n", ["400"], ["200", "200"]),
    "header without a name": (GET + ": x\r\n\r\n", ["400"], ["200", "200"]),
    "HTTP/1.2": (GET.replace("1.1", "1.2") + "\r\n", ["505"], ["200", "200"]),
    # And more patient here: blank lines in front of a request are skipped.
    "blank line in front": ("\r\n" + GET + "\r\n", ["200", "200"], ["400"]),
}


def statuses(address, request):
    """Of all answers until the server closes."""
    received = b""
    with socket.create_connection(address, DEADLINE) as connection:
        try:
            connection.sendall((request + LAST).encode("latin-1"))
            while data := connection.recv(1 << 20):
                received += data
        except (ConnectionResetError, BrokenPipeError):
            pass
    return re.findall(r"HTTP/1\.[01] (\d{3}) ", received.decode("latin-1")) or received


@pytest.fixture(scope="module")
def pushgateway(tmp_path_factory):
    with Pushgateway(tmp_path_factory.mktemp("pushgateway")) as peer:
        yield "127.0.0.1", peer.port


@pytest.mark.parametrize("name", ALIKE)
def test_as_a_pushgateway_does(shared_weir, pushgateway, name):
    assert statuses(shared_weir.address, ALIKE[name]) == statuses(pushgateway, ALIKE[name])


@pytest.mark.parametrize("name", APART)
def test_differently_on_purpose(shared_weir, pushgateway, name):
    request, mine, other = APART[name]
    assert statuses(shared_weir.address, request) == mine
    assert statuses(pushgateway, request) == other
