"""Bodies with something wrong in them, at random: whatever is taken, the pages stay valid.

The seed is fixed; WEIR_MUTATIONS asks for more rounds of them.
"""

import os
import random
import re

import pytest

import exposition
import peers
import protobuf
from exposition import OPENMETRICS_HEADERS, fetch
from page import Page
from protobuf import HEADERS
from test_native_histograms import FORMS as NATIVE
from test_openmetrics import ACCEPTED, REFUSED
from test_protobuf import FAMILIES, GAUGE

COUNT = 800 * int(os.environ.get("WEIR_MUTATIONS", "1"))
PIECES = (
    b"{", b"}", b'"', b"=", b",", b" ", b"\n", b"#", b"# ", b" # ", b"\\", b"\\n", b"\t", b"\r",
    b"\0", b"_total", b"_created", b"_bucket", b"_count", b"_sum", b"_gsum", b"_gcount", b"_info",
    b'le="1"', b'le="+Inf"', b'le="NaN"', b'quantile="0.5"', b"# EOF\n", b"# TYPE a gauge\n",
    b"# TYPE h histogram\n", b"# UNIT a b\n", b"# HELP a x\n", b"NaN", b"+Inf", b"-1", b"1e3",
    b"0", b"1.0", b"\xff", b"\xc3\xa9", b"a", b"h", b"s", b"1 2",
)

# A brace in the value of an exemplar's label, which ends its labels for Debian's parser.
MISREAD = re.compile(rb" # \{[^\n]*\}[^\n]*\}")


def mutated(source, body, others, pieces=PIECES):
    """The body with one to three things changed: cut, put in, doubled, moved, from another."""
    for _ in range(source.choice((1, 1, 1, 2, 3))):
        at = source.randrange(len(body) + 1)
        end = min(len(body), at + source.choice((1, 1, 2, 8, 30)))
        other = source.choice(others)
        start = source.randrange(len(other) + 1)
        body = source.choice((
            body[:at] + source.choice(pieces) + body[at:],
            body[:at] + source.choice(pieces) + body[end:],
            body[:at] + body[end:],
            body[:end] + body[at:],
            body[:at] + bytes([source.randrange(256)]) + body[at + 1:],
            body[:at] + other[start:start + 40] + body[end:],
            shuffled_lines(source, body),
        ))
    return body


def shuffled_lines(source, body):
    lines = body.split(b"\n")
    first, second = source.randrange(len(lines)), source.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


@pytest.fixture
def empty(shared_weir):
    shared_weir.request("PUT", "/api/v1/admin/wipe")
    return shared_weir


def test_openmetrics(empty):
    """What weir takes for OpenMetrics, others take from it: the strict parser reads the page."""
    source = random.Random(7)
    bodies = [body if isinstance(body, bytes) else body.encode()
              for body in (*ACCEPTED.values(), *REFUSED.values())]
    taken = 0
    for _ in range(COUNT):
        body = mutated(source, source.choice(bodies[:len(ACCEPTED)]), bodies)
        answer = empty.put("/metrics/job/j", body, OPENMETRICS_HEADERS)
        assert answer.status in (200, 400), (answer, body)
        if answer.status == 200 and not MISREAD.search(body):
            taken += 1
            try:
                exposition.openmetrics_samples(fetch(empty, "openmetrics"))
                Page(fetch(empty, "text").decode())
            except (ValueError, AssertionError) as fault:
                raise AssertionError(f"{body!r}: {fault}") from fault
    assert taken > COUNT / 20


def test_protobuf(empty):
    """Any bytes, read as all formats."""
    source = random.Random(7)
    bodies = [protobuf.body(text) for text in (*FAMILIES.values(), *NATIVE.values(), GAUGE)]
    bodies += [bodies[number] + bodies[number + 3] for number in range(5)]
    taken = 0
    for _ in range(COUNT):
        body = reframed(source, mutated(source, source.choice(bodies), bodies))
        answer = empty.put("/metrics/job/j", body, HEADERS)
        assert answer.status in (200, 400), (answer, body)
        if answer.status == 200:
            taken += 1
            try:
                exposition.protobuf_samples(fetch(empty, "protobuf"))
                exposition.openmetrics_lines(fetch(empty, "openmetrics"))
                Page(fetch(empty, "text").decode(), in_order=False)
            except (ValueError, AssertionError) as fault:
                raise AssertionError(f"{body!r}: {fault}") from fault
    assert taken > COUNT / 20
    is_fatal, remarks = peers.promtool(fetch(empty, "text").decode())
    assert not is_fatal, remarks


def reframed(source, body):
    """Mostly with lengths that are right: else nothing but the first would ever be looked at."""
    if source.random() < 0.1 or not body:
        return body
    return protobuf.framed(body[1 + (body[0] > 0x7f):])
