"""A newer Pushgateway moved to weir: native histograms in its API, names of any UTF-8."""

import re

import pytest

import gateways
import peers
import protobuf
from built import BUILT

PROGRAM = BUILT / "pushgateway" / "pushgateway"
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="no newer Pushgateway built")

UTF8 = """# TYPE "a.b" gauge
{"a.b","c.d"="e","ж"="x"} 1
# TYPE "h \\"q\\"" histogram
{"h \\"q\\"_bucket",le="1"} 1
{"h \\"q\\"_sum"} 3
{"h \\"q\\"_count"} 2
{"花火"} 2
plain 3
""".encode()


class NewPushgateway(peers.Pushgateway):
    program = str(PROGRAM)


@pytest.fixture
def pushgateway(tmp_path):
    with NewPushgateway(tmp_path / "pushgateway", "--push.enable-utf8-names") as gateway:
        gateways.fill(gateway, 50)
        gateways.push(gateway, "PUT", "/metrics/job/utf8/U__dotted_2e_name/ж", UTF8)
        gateways.push(gateway, "PUT", "/metrics/job/floats", protobuf.body(gateways.FLOATS),
                      headers=protobuf.HEADERS)
        yield gateway


def page(peer, form):
    answer = peer.request("GET", "/metrics", headers={"Accept": form + "; escaping=allow-utf-8"})
    assert answer.status == 200, answer.text
    return answer.body


PROTOBUF = ("application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
            "encoding=delimited")


def text_page(peer):
    """Without counts that are floats, which a Pushgateway shows as 0."""
    text = page(peer, "text/plain; version=0.0.4").decode()
    return re.sub(r"(?m)^pb_nf_(bucket|count).*\n", "", text)


def test_import(pushgateway, start_weir):
    weir, second = (start_weir("--push.enable-utf8-names", "--web.enable-admin-api")
                    for _ in range(2))
    gateways.import_from(pushgateway.url, weir)
    gateways.assert_same_pages(text_page(weir), text_page(pushgateway))
    assert gateways.messages(page(weir, PROTOBUF)) == gateways.messages(page(pushgateway, PROTOBUF))
    assert (gateways.groups(weir.get("/api/v1/metrics").text)
            == gateways.groups(pushgateway.request("GET", "/api/v1/metrics").text))

    exported = gateways.weir("export", f"--url={weir.url}")
    done = gateways.weir("import", f"--url={second.url}", "-", data=exported.stdout)
    assert done.returncode == 0, done.stderr
    assert gateways.messages(page(second, PROTOBUF)) == gateways.messages(page(weir, PROTOBUF))


def test_without_its_page(pushgateway, start_weir):
    """A page that is an error: the API has all but exemplars and native buckets, and that is said."""
    weir = start_weir("--push.enable-utf8-names", "--web.enable-admin-api")
    wanted = text_page(pushgateway)
    gateways.push(pushgateway, "PUT", "/metrics/job/%FF", b"m 1\n", 400)
    done = gateways.weir("import", f"--from-pushgateway={pushgateway.url}", f"--url={weir.url}")
    assert done.returncode == 1
    assert b"not kept: the buckets of 2 native histograms" in done.stderr
    gateways.assert_same_pages(text_page(weir), wanted)
