"""Content codings: bodies that come compressed, pages that go out so, and bombs."""

import gzip
import zlib
from pathlib import Path

import pytest

import codings
import exposition
import protobuf
from exposition import OPENMETRICS_HEADERS, fetch
from harness import chunked, cpu_seconds, curl

TEXT = "".join(f'm{{n="{n}"}} {n}\n' for n in range(3000)).encode()
GROUP = "/metrics/job/j"

# Coding, and how TEXT comes in it.
CODED = {
    "gzip": ("gzip", gzip.compress),
    "GZIP": ("GZIP", gzip.compress),
    "gzip of several members": ("gzip", codings.gzip_members),
    "gzip with an empty member": (
        "gzip", lambda plain: gzip.compress(b"") + gzip.compress(plain) + gzip.compress(b"")),
    "gzip with a name and a comment": (
        "gzip", lambda plain: b"\x1f\x8b\x08\x18" + b"\0" * 6 + b"name\0remark\0"
        + deflated(plain)),
    "snappy, stored": ("snappy", codings.snappy),
    "snappy in small chunks": ("snappy", lambda plain: codings.snappy(plain, size=1000)),
    "snappy, compressed": ("snappy", lambda plain: codings.snappy(plain, "compressed")),
    "snappy with padding": ("snappy", lambda plain: codings.snappy(plain) + b"\xfe\x03\0\0abc"),
    "snappy that begins twice": (
        "snappy", lambda plain: codings.snappy(plain[:5]) + codings.snappy(plain[5:])),
    "Snappy": ("Snappy", codings.snappy),
    "zstd": ("zstd", codings.zstd),
    "ZSTD": ("ZSTD", codings.zstd),
    "zstd without a checksum": ("zstd", lambda plain: codings.zstd(plain, "--no-check")),
    "zstd of the highest level": ("zstd", lambda plain: codings.zstd(plain, "-19")),
    "zstd of several frames": (
        "zstd", lambda plain: codings.zstd(plain[:100]) + codings.zstd(plain[100:])),
    "zstd with a frame to skip": (
        "zstd", lambda plain: b"\x50\x2a\x4d\x18\x03\0\0\0abc" + codings.zstd(plain)),
    "identity": ("identity", bytes),
    "unknown": ("br", bytes),
}


def deflated(plain):
    coder = zlib.compressobj(6, zlib.DEFLATED, -15)
    trailer = zlib.crc32(plain).to_bytes(4, "little") + len(plain).to_bytes(4, "little")
    return coder.compress(plain) + coder.flush() + trailer


# Coding, body, and how the answer begins where a Pushgateway has words for it.
BROKEN = {
    "gzip that is text": ("gzip", b"m 1\n", "unexpected EOF"),
    "gzip that is a longer text": ("gzip", TEXT, "gzip: invalid header"),
    "gzip of nothing": ("gzip", b"", "EOF"),
    "gzip cut short": ("gzip", gzip.compress(TEXT)[:-20], "unexpected EOF"),
    "gzip cut within its trailer": ("gzip", gzip.compress(TEXT)[:-3], "unexpected EOF"),
    "gzip with a wrong checksum": (
        "gzip", gzip.compress(TEXT)[:-8] + b"\0" * 8, "gzip: invalid checksum"),
    "gzip with something behind it": (
        "gzip", gzip.compress(TEXT) + b"x" * 20, "gzip: invalid header"),
    "snappy without frames": ("snappy", codings.snappy_literal(TEXT), "snappy: corrupt input"),
    "snappy that is text": ("snappy", TEXT, "snappy: corrupt input"),
    "snappy with a wrong checksum": (
        "snappy", codings.SNAPPY_START + codings.snappy_chunk(1, TEXT, TEXT, crc=5),
        "snappy: corrupt input"),
    "snappy cut short": ("snappy", codings.snappy(TEXT)[:-5], None),
    "snappy with a chunk that may not be skipped": (
        "snappy", codings.SNAPPY_START + b"\x02\0\0\0", None),
    "zstd that is text": ("zstd", TEXT, None),
    "zstd cut short": ("zstd", codings.zstd(TEXT)[:-5], None),
    "zstd with a wrong checksum": ("zstd", codings.zstd(TEXT)[:-4] + b"abcd", None),
    "zstd with something behind it": ("zstd", codings.zstd(TEXT) + b"x" * 20, None),
}


@pytest.mark.parametrize("name", CODED)
def test_coded_bodies(shared_weir, name):
    coding, code = CODED[name]
    answer = shared_weir.put(GROUP, code(TEXT), {"Content-Encoding": coding})
    assert answer.status == 200, answer.text
    assert shared_weir.scrape().total("m", job="j") == sum(range(3000))
    shared_weir.put(GROUP)


@pytest.mark.smoke
@pytest.mark.parametrize("coding", ["gzip", "snappy", "zstd"])
def test_every_format_in_every_coding(weir, coding):
    code = {"gzip": gzip.compress, "snappy": codings.snappy, "zstd": codings.zstd}[coding]
    pushed = [
        ("text", b"t 1\n", {}),
        ("open", b"# TYPE o counter\no_total 1\n# EOF\n", OPENMETRICS_HEADERS),
        ("protobuf", protobuf.body('name: "p" type: GAUGE metric { gauge { value: 1 } }'),
         protobuf.HEADERS),
    ]
    for job, body, headers in pushed:
        answer = weir.put(f"/metrics/job/{job}", code(body),
                          {**headers, "Content-Encoding": coding})
        assert answer.status == 200, answer.text
    page = weir.scrape()
    assert page.value("t", job="text") == 1
    assert page.value("o_total", job="open") == 1
    assert page.value("p", job="protobuf") == 1


@pytest.mark.parametrize("coding", ["gzip", "snappy", "zstd"])
def test_coded_body_in_chunks(weir, coding):
    code = {"gzip": gzip.compress, "snappy": codings.snappy, "zstd": codings.zstd}[coding](TEXT)
    head = (f"PUT {GROUP} HTTP/1.1\r\nHost: weir.test\r\nContent-Encoding: {coding}\r\n"
            "Transfer-Encoding: chunked\r\n\r\n").encode()
    parts = [code[start:start + 701] for start in range(0, len(code), 701)]
    with weir.connect() as connection:
        connection.send(head + chunked(*parts))
        assert connection.response().status == 200
    assert weir.scrape().total("m", job="j") == sum(range(3000))


@pytest.mark.parametrize("name", BROKEN)
def test_broken_bodies(shared_weir, name):
    coding, body, words = BROKEN[name]
    shared_weir.put(GROUP, "present 1\n")
    before = shared_weir.scrape().pushed()
    answer = shared_weir.put(GROUP, body, {"Content-Encoding": coding})
    assert answer.status == 400, answer.text
    assert answer.text.startswith(words or ""), answer.text
    assert answer.text.strip()
    assert shared_weir.scrape().pushed() == before


@pytest.mark.parametrize("coding,body", [("snappy", b""), ("snappy", codings.SNAPPY_START),
                                         ("zstd", b""), ("zstd", codings.zstd(b""))])
def test_nothing_in_a_coding(shared_weir, coding, body):
    assert shared_weir.put(GROUP, body, {"Content-Encoding": coding}).status == 200


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
@pytest.mark.parametrize("form", ["text", "openmetrics", "protobuf"])
def test_pages_are_coded(weir, form, coding):
    weir.put(GROUP, TEXT)
    decode = {"gzip": gzip.decompress, "zstd": codings.unzstd}[coding]
    answer = weir.get("/metrics", {"Accept": exposition.TYPES[form], "Accept-Encoding": coding})
    assert answer.headers["content-encoding"] == coding
    samples = {"text": exposition.text_samples, "openmetrics": exposition.openmetrics_samples,
               "protobuf": exposition.protobuf_samples}[form]
    plain = fetch(weir, form)
    assert len(answer.body) < len(plain) / 3
    assert samples(decode(answer.body)) == samples(plain)


@pytest.mark.parametrize("accept,coding", [
    ("gzip", "gzip"), ("zstd", "zstd"), ("gzip, zstd", "gzip"), ("zstd, gzip", "gzip"),
    ("gzip;q=0.5, zstd", "zstd"), ("gzip;q=0, zstd;q=0.1", "zstd"), ("gzip;q=0", None),
    ("zstd;q=0", None), ("deflate, br", None), ("*", None), ("identity", None), (None, None),
    ("deflate, gzip, br, zstd", "gzip"),
])
def test_negotiation(shared_weir, accept, coding):
    answer = shared_weir.get("/metrics", {"Accept-Encoding": accept})
    assert answer.status == 200
    assert answer.headers.get("content-encoding") == coding


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_curl_reads_what_it_asks_for(weir, codec):
    weir.put(GROUP, TEXT)
    plain = curl(f"{weir.url}/metrics")
    coded = curl("--compressed", "-H", f"Accept-Encoding: {codec}", f"{weir.url}/metrics")
    assert exposition.text_samples(coded) == exposition.text_samples(plain)


def peak_bytes(weir):
    status = Path(f"/proc/{weir.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


BOMBS = {  # by MiB
    "gzip": codings.gzip_bomb,
    "gzip of many members": lambda size: codings.gzip_bomb(1) * size,
    "snappy": lambda size: codings.snappy_bomb(size * 16),
    "zstd": codings.zstd_bomb,
    "zstd of many frames": lambda size: codings.zstd_bomb(1) * size,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_soon_and_cheaply(start_weir, name):
    """256 MiB of comment signs, where a body may have 16: snappy makes 13 MB of them."""
    weir = start_weir("--limit.body-bytes=16MiB")
    weir.put("/metrics/job/steady", "steady 1\n")
    headers = {"Content-Encoding": name.split()[0]}
    pid, began = weir.process.pid, cpu_seconds(weir.process.pid)
    assert "the last line" in weir.put(GROUP, BOMBS[name](15), headers).text, "all of it was read"
    harmless = cpu_seconds(pid) - began
    bomb, before, began = BOMBS[name](256), peak_bytes(weir), cpu_seconds(pid)
    answer = weir.put(GROUP, bomb, headers)
    took = cpu_seconds(pid) - began
    assert answer.status == 413, answer.text
    # No more is inflated than one that fits takes; a whole one would be seventeen of these.
    assert took < 5 * max(harmless, 0.05), f"{took:.2f} s, where one that fits takes {harmless:.2f} s"
    print(f"{took:.2f} s, where one that fits takes {harmless:.2f} s")
    assert peak_bytes(weir) - before < 80 << 20
    assert weir.scrape().value("steady", job="steady") == 1
    assert weir.scrape().total("weir_limit_refused_total", limit="body_bytes") == 1


def test_zstd_with_a_window_of_gigabytes(weir):
    """Said in the frame's header; whoever believes it and allocates that is lost."""
    before = peak_bytes(weir)
    header = b"\x28\xb5\x2f\xfd" + b"\x00" + b"\xa8"  # 2 GiB
    for frame in (header + b"\x01\0\0", codings.zstd(b"m 1\n", "--ultra", "-22", "--long=31")):
        answer = weir.put(GROUP, frame, {"Content-Encoding": "zstd"})
        assert answer.status in (200, 400, 413), answer.text
    assert peak_bytes(weir) - before < 64 << 20
    weir.scrape()


def test_sparse_body_is_bounded_by_what_it_becomes(start_weir):
    weir = start_weir("--limit.body-bytes=1MiB")
    body = b"# " + b"x" * (1 << 20)
    for coding, code in (("gzip", gzip.compress), ("zstd", codings.zstd)):
        assert weir.put(GROUP, code(body[:(1 << 20) - 3] + b"\n"),
                        {"Content-Encoding": coding}).status == 200
        assert weir.put(GROUP, code(body), {"Content-Encoding": coding}).status == 413
