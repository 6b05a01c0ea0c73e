"""The page: its order, its spelling, its compression."""

import gzip
import zlib

import pytest

from harness import curl
from peers import promtool

GROUPS = 40
FAMILIES = 30


@pytest.fixture
def filled(weir):
    """A weir with a page of some hundred kilobytes."""
    for group in range(GROUPS):
        body = "".join(f'# HELP f{n} Number {n}.\n# TYPE f{n} gauge\n'
                       f'f{n}{{a="x"}} {group}\nf{n}{{a="y"}} {n}\n' for n in range(FAMILIES))
        assert weir.put(f"/metrics/job/fill/instance/{group}", body).status == 200
    return weir


@pytest.mark.smoke
def test_promtool_finds_nothing_in_an_empty_weir(weir):
    assert promtool(weir.scrape().text) == (False, [])


def test_promtool_accepts_a_filled_page(filled):
    page = filled.scrape()
    assert len(page.stored()) == FAMILIES * (2 + 2 * GROUPS)
    fatal, remarks = promtool(page.text)
    assert not fatal, remarks


def test_content_type(weir):
    assert weir.get("/metrics").headers["content-type"].startswith(
        "text/plain; version=0.0.4; charset=utf-8")


def test_families_once_sorted_with_merged_groups(weir):
    weir.put("/metrics/job/b", "# HELP m Text.\n# TYPE m gauge\nm 2\n")
    weir.put("/metrics/job/a", "# TYPE n gauge\nn 3\n# HELP m Text.\n# TYPE m gauge\nm 1\n")
    lines = weir.scrape().stored()
    assert lines[:2] == ["# HELP m Text.", "# TYPE m gauge"]
    assert sorted(lines[2:4]) == ['m{instance="",job="a"} 1', 'm{instance="",job="b"} 2']
    assert lines[4:] == ["# TYPE n gauge", 'n{instance="",job="a"} 3']


def test_help_does_not_depend_on_the_order_of_arrival(weir):
    for jobs in (("a", "b"), ("b", "a")):
        for job in jobs:
            weir.put(f"/metrics/job/{job}", f"# HELP m Of {job}.\nm 1\n")
        assert weir.scrape().families["m"].help == "Of a."
        weir.request("PUT", "/api/v1/admin/wipe")


@pytest.mark.parametrize("value", [
    "1", "0.1", "1e+21", "1e-07", "NaN", "+Inf", "-Inf", "3.14159265358979312",
    "12345678901234567890", "1.10", "100000000",
])
def test_values_keep_their_digits(weir, value):
    weir.put("/metrics/job/j", f"m {value}\n")
    [line] = [line for line in weir.scrape().stored() if line.startswith("m{")]
    shown = line.rpartition(" ")[2]
    assert shown == value


def test_labels_are_merged_and_sorted(weir):
    weir.put("/metrics/job/j/zone/z", 'm{b="2",job="other",a="1"} 5\n')
    assert 'm{a="1",b="2",instance="",job="j",zone="z"} 5' in weir.scrape().stored()


def test_odd_label_values_are_escaped(weir):
    weir.put("/metrics/job/j", 'm{a="q\\"b\\\\n\\n",u="Ünïcödé ☃"} 1\n')
    page = weir.scrape()
    assert page.value("m", job="j", a='q"b\\n\n', u="Ünïcödé ☃") == 1


def test_histogram_is_completed(weir):
    weir.put("/metrics/job/j", '# TYPE h histogram\nh_bucket{le="1.0"} 1\nh_count 2\n')
    assert weir.scrape().stored()[1:] == [
        'h_bucket{instance="",job="j",le="1"} 1', 'h_bucket{instance="",job="j",le="+Inf"} 2',
        'h_sum{instance="",job="j"} 0', 'h_count{instance="",job="j"} 2']


def pushed_lines(body):
    return [line for line in body.split(b"\n")
            if not line.removeprefix(b"# HELP ").removeprefix(b"# TYPE ").startswith(
                (b"weir_", b"pushgateway_", b"process_"))]


@pytest.mark.parametrize("accept,coded", [
    ("gzip", True),
    ("gzip, deflate, br", True),
    ("deflate, gzip;q=0.5", True),
    ("gzip;q=1.0", True),
    ("identity;q=0.5, gzip;q=0.8", True),
    (None, False),
    ("", False),
    ("gzip;q=0", False),
    ("gzip;q=0.000, identity", False),
    ("deflate, br", False),
    ("x-unknown", False),
])
def test_gzip_when_asked(filled, accept, coded):
    plain = filled.get("/metrics")
    assert "content-encoding" not in plain.headers
    answer = filled.get("/metrics", {"Accept-Encoding": accept} if accept is not None else None)
    assert answer.status == 200
    assert answer.headers.get("content-encoding") == ("gzip" if coded else None)
    body = gzip.decompress(answer.body) if coded else answer.body
    assert pushed_lines(body) == pushed_lines(plain.body)


@pytest.mark.smoke
def test_gzip_is_one_member(filled):
    answer = filled.get("/metrics", {"Accept-Encoding": "gzip"})
    reader = zlib.decompressobj(wbits=31)
    body = reader.decompress(answer.body)
    assert reader.eof and reader.unused_data == b"" and reader.unconsumed_tail == b""
    assert pushed_lines(body) == pushed_lines(filled.get("/metrics").body)
    assert len(answer.body) < len(body) / 4


def test_curl_compressed_equals_plain(filled):
    plain = curl(f"{filled.url}/metrics")
    compressed = curl("--compressed", f"{filled.url}/metrics")
    assert pushed_lines(plain) == pushed_lines(compressed)


def test_scrape_by_http_1_0(filled):
    with filled.connect() as connection:
        connection.send("GET /metrics HTTP/1.0\r\n\r\n")
        answer = connection.response()
        assert answer.status == 200
        assert "transfer-encoding" not in answer.headers
        assert pushed_lines(answer.body) == pushed_lines(filled.get("/metrics").body)
        assert connection.is_closed_by_server()


def test_scrapes_may_overlap_and_be_left(filled):
    wanted = pushed_lines(filled.get("/metrics").body)
    slow = [filled.connect(receive_buffer=4096) for _ in range(10)]
    for connection in slow:
        connection.request("GET", "/metrics")
    for connection in slow[::2]:
        connection.close()
    for connection in slow[1::2]:
        assert pushed_lines(connection.response().body) == wanted
        connection.close()


def test_a_running_scrape_shows_one_version(filled):
    """Pushes and deletes behind the beginning of a scrape do not show in it."""
    with filled.connect(receive_buffer=4096) as connection:
        wanted = filled.scrape().stored()
        connection.request("GET", "/metrics")
        connection.send(b"")
        first = connection.socket.recv(1)
        for group in range(0, GROUPS, 2):
            filled.delete(f"/metrics/job/fill/instance/{group}")
            filled.put(f"/metrics/job/fill/instance/{group + 1}", "f0 5\nznew 5\n")
        connection.pending = first
        body = connection.response().text
    lines = [line for line in pushed_lines(body.encode())
             if line and b"push_" not in line]
    assert lines == [line.encode() for line in wanted]
