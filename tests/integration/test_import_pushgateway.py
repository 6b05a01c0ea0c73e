"""weir import --from-pushgateway: everything that a running Pushgateway has, moved to weir."""

import http.server
import json
import os
import re
import socket
import threading
import time

import pytest

import gateways
import peers
import protobuf
from certificates import Authority
from harness import Connection, curl
from test_auth import hash_of

ADMIN = "--web.enable-admin-api"
GROUPS = int(os.environ.get("WEIR_GATEWAY_GROUPS", "100"))


@pytest.fixture
def pushgateway(tmp_path):
    with peers.Pushgateway(tmp_path / "pushgateway") as gateway:
        yield gateway


def page(peer):
    answer = peer.request("GET", "/metrics")
    assert answer.status == 200, answer.text
    return answer.text


def protobuf_page(peer):
    return peer.request("GET", "/metrics", headers={"Accept": protobuf.CONTENT_TYPE}).body


def json_groups(peer):
    """Without a native histogram, of which this Pushgateway does not tell the buckets."""
    groups = gateways.groups(peer.request("GET", "/api/v1/metrics").text)
    del groups[(("job", "messages"),)]["pb_n"]
    return groups


# ---- The round trip ------------------------------------------------------------------------

@pytest.mark.smoke
def test_round_trip(pushgateway, start_weir):
    """Pushgateway -> weir -> export -> another weir: the same on all pages."""
    gateways.fill(pushgateway, GROUPS)
    first, second = start_weir(ADMIN), start_weir(ADMIN)

    gateways.import_from(pushgateway.url, first)
    gateways.assert_same_pages(page(first), page(pushgateway))
    assert gateways.messages(protobuf_page(first)) == gateways.messages(protobuf_page(pushgateway))
    assert json_groups(first) == json_groups(pushgateway)

    exported = gateways.weir("export", f"--url={first.url}")
    assert exported.returncode == 0, exported.stderr
    done = gateways.weir("import", f"--url={second.url}", "-", data=exported.stdout)
    assert done.returncode == 0, done.stderr
    assert pushed(page(second)) == pushed(page(first))
    assert gateways.messages(protobuf_page(second)) == gateways.messages(protobuf_page(first))
    assert json_groups(second) == json_groups(first)


def pushed(text):
    return sorted(line for line in text.splitlines() if not gateways.OWN.match(line))


def test_times_are_exact(pushgateway, weir):
    """To the nanosecond, of families and groups."""
    gateways.push(pushgateway, "POST", "/metrics/job/x", b"a 1\n")
    gateways.push(pushgateway, "POST", "/metrics/job/x", b"b 1\n")
    group = json.loads(pushgateway.get("/api/v1/metrics"))["data"][0]
    gateways.import_from(pushgateway.url, weir)
    moved = json.loads(weir.get("/api/v1/metrics").text)["data"][0]
    for name in ("a", "b", "push_time_seconds"):
        assert moved[name]["time_stamp"] == group[name]["time_stamp"]


def test_what_is_said(pushgateway, weir):
    gateways.push(pushgateway, "PUT", "/metrics/job/x", gateways.EVERYTHING)
    gateways.push(pushgateway, "PUT", "/metrics/job/y", b"m 1 1000\n", 400)
    said = gateways.import_from(pushgateway.url, weir)
    assert re.search(r" is Pushgateway \d+\.\d+", said)
    assert re.search(r"2 groups", said)
    for count in ("1 counter", "1 gauge", "2 histograms", "2 summaries", "1 untyped"):
        assert count in said, said


# ---- Again, and beside a weir that is pushed to ------------------------------------------------

def test_again(pushgateway, weir):
    """What was pushed to weir since then stays; what was pushed to the gateway comes after."""
    for job in ("old", "moved", "late"):
        gateways.push(pushgateway, "PUT", f"/metrics/job/{job}", b"m 1\n")
    gateways.import_from(pushgateway.url, weir)
    before = pushed(page(weir))

    said = gateways.import_from(pushgateway.url, weir)
    assert pushed(page(weir)) == before
    assert "3 groups" in said

    gateways.push(weir, "PUT", "/metrics/job/moved", b"m 2\n")
    gateways.push(pushgateway, "PUT", "/metrics/job/late", b"m 3\n")
    gateways.push(pushgateway, "PUT", "/metrics/job/new", b"m 4\n")
    said = gateways.import_from(pushgateway.url, weir)
    samples = weir.scrape().samples
    values = {dict(labels)["job"]: value for (name, labels), value in samples.items() if name == "m"}
    assert values == {"old": "1", "moved": "2", "late": "3", "new": "4"}
    assert "1 unchanged, 1 kept since weir's is newer" in said, said


def test_contradictions(pushgateway, weir):
    """A group that weir cannot take is refused; the others go in."""
    gateways.push(weir, "PUT", "/metrics/job/here", b"# TYPE m counter\nm 1\n")
    gateways.push(pushgateway, "PUT", "/metrics/job/x", b"# TYPE m gauge\nm 1\n")
    gateways.push(pushgateway, "PUT", "/metrics/job/y", b"n 1\n")
    done = gateways.weir("import", f"--from-pushgateway={pushgateway.url}", f"--url={weir.url}")
    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 1
    assert re.search(r'job="x".*is not a ', said), said
    assert 'n{instance="",job="y"} 1' in page(weir)
    assert 'm{instance="",job="x"}' not in page(weir)


def test_poisoned_gateway(pushgateway, weir):
    """Its page is an error; what the API says is moved, but for what no page could show: these
    groups come last, so that none keeps out one that has something."""
    gateways.push(pushgateway, "PUT", "/metrics/job/x", gateways.EVERYTHING)
    gateways.push(pushgateway, "PUT", "/metrics/job/y", b"m 1\n")
    wanted = page(pushgateway)
    gateways.push(pushgateway, "PUT", "/metrics/job/%FF", b"m 1\n", 400)
    for job in "xy":
        gateways.push(pushgateway, "PUT", gateways.target(job=job, instance=""), b"m 1\n", 400)
    assert pushgateway.request("GET", "/metrics").status == 500
    done = gateways.weir("import", f"--from-pushgateway={pushgateway.url}", f"--url={weir.url}")
    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 1
    assert "group {instance=\"\",job=\"\ufffd\"} cannot be taken: " in said
    assert "not UTF-8" in said
    assert re.search(r'^http\S+: \{instance="",job="x"\}: ', said, re.M), said
    assert ", 2 refused\n" in said
    assert "exemplars and native histograms cannot be kept" in said
    gateways.assert_same_pages(page(weir), wanted)


def test_broken_families(pushgateway, weir):
    """With a family without a name a Pushgateway's page is an empty one, but not as protobuf; with
    one of no known type it is cut."""
    gateways.push(pushgateway, "PUT", "/metrics/job/x", gateways.EVERYTHING)
    wanted = page(pushgateway)
    for job, family in (("y", "type: GAUGE metric { gauge { value: 1 } }"),
                        ("z", 'name: "odd" type: GAUGE_HISTOGRAM metric { gauge { value: 1 } }')):
        gateways.push(pushgateway, "PUT", f"/metrics/job/{job}", protobuf.body(family),
                      headers=protobuf.HEADERS)
    assert page(pushgateway) == ""
    done = gateways.weir("import", f"--from-pushgateway={pushgateway.url}", f"--url={weir.url}")
    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 1
    assert "warning" not in said
    for job in "yz":
        assert re.search(rf'instance="",job="{job}"\}}.*: ', said), said
    gateways.assert_same_pages(page(weir), wanted)


def test_while_it_is_pushed_to(pushgateway, weir):
    """Families and times belong together, whenever pushes come."""
    stop = threading.Event()

    def keep_pushing():
        with Connection(("127.0.0.1", pushgateway.port)) as connection:
            number = 0
            while not stop.is_set():
                number += 1
                body = "".join(f"m{i} {number}\n" for i in range(30))
                connection.exchange("PUT", f"/metrics/job/busy{number % 5}", body)

    gateways.fill(pushgateway, 20)
    thread = threading.Thread(target=keep_pushing)
    thread.start()
    try:
        for _ in range(3):
            gateways.import_from(pushgateway.url, weir)
            samples = weir.scrape().samples
            for i in range(5):
                values = {value for (name, labels), value in samples.items()
                          if dict(labels).get("job") == f"busy{i}" and re.match(r"m\d", name)}
                assert len(values) <= 1, values
    finally:
        stop.set()
        thread.join()
    gateways.import_from(pushgateway.url, weir)
    gateways.assert_same_pages(page(weir), page(pushgateway))


# ---- How to get there ------------------------------------------------------------------------

def run(*arguments):
    done = gateways.weir("import", *arguments)
    assert done.stdout == b""
    return done.returncode, done.stderr.decode()


def test_prefix_password_and_tls(tmp_path, start_weir):
    authority = Authority(tmp_path / "ca")
    identity = authority.issue("server")
    (tmp_path / "web.yml").write_text(json.dumps({
        "tls_server_config": {"cert_file": str(identity.cert), "key_file": str(identity.key)},
        "basic_auth_users": {"alice": hash_of("sesame: ä")}}))
    (tmp_path / "password").write_text("sesame: ä\nmore\n")
    flags = (f"--web.config.file={tmp_path / 'web.yml'}", "--web.route-prefix=/push",
             "--web.telemetry-path=/page")
    weir = start_weir(ADMIN)
    with peers.Pushgateway(tmp_path / "pushgateway", *flags) as gateway:
        url = f"https://localhost:{gateway.port}/push/"
        curl("-k", "-u", "alice:sesame: ä", "-H", f"Content-Type: {protobuf.CONTENT_TYPE}",
             "--data-binary", "@-", f"{url}metrics/job/x", data=protobuf.body(*gateways.MESSAGES))
        common = (f"--from-pushgateway={url}", f"--url={weir.url}", f"--cacert={authority.cert}")

        code, said = run(*common)
        assert (code, "status 401, see --from-user" in said) == (2, True), said
        code, said = run(*common[:2])
        assert (code, "certificate" in said) == (2, True), said
        code, said = run(*common, "--from-user=alice", f"--from-password-file={tmp_path}/password")
        assert code == 0, said
        assert 'pb_c{a="b",instance="",job="x"} 7' in page(weir)
        assert "sesame" not in said

        quoted = gateways.quoted("sesame: ä")
        code, said = run(f"--from-pushgateway={url.replace('//', f'//alice:{quoted}@')}", *common[1:])
        assert code == 0, said
        assert "1 unchanged" in said and "sesame" not in said and quoted not in said


def test_life(pushgateway, weir):
    gateways.push(pushgateway, "PUT", "/metrics/job/x", b"m 1\n")
    gateways.import_from(pushgateway.url, weir, "--ttl=2h")
    exported = gateways.weir("export", f"--url={weir.url}").stdout.splitlines()
    expires = float(json.loads(exported[1])["expires"])
    assert expires - time.time() == pytest.approx(7200, abs=60)


def test_rehearsal(pushgateway):
    gateways.fill(pushgateway, 3)
    code, said = run(f"--from-pushgateway={pushgateway.url}", "--dry-run")
    assert code == 0, said
    assert re.search(r"read 21 groups in [0-9.]+ s, 1 of them with refused pushes only; families: ",
                     said), said
    assert re.search(r"could read 21 groups, \d+ series\n", said)
    assert run(f"--from-pushgateway={pushgateway.url}", "--dry-run", "--quiet") == (0, "")


def test_from_weir(weir, start_weir):
    """weir has the same API."""
    gateways.push(weir, "PUT", "/metrics/job/x", gateways.EVERYTHING)
    other = start_weir(ADMIN)
    gateways.import_from(weir.url, other)
    gateways.assert_same_pages(page(other), page(weir))


def test_no_pushgateway(weir, tmp_path, node_exporter):
    target = f"--url={weir.url}"
    for url, what in ((f"{weir.url}/none", "status 404"), ("http://127.0.0.1:1", "connect"),
                      (node_exporter.url, "not what a Pushgateway answers")):
        code, said = run(f"--from-pushgateway={url}", target)
        assert code == 2, said
        assert said.startswith(f"weir import: error: {url}/api/v1/status: ") and what in said, said
    code, said = run(f"--from-pushgateway={weir.url}/", target)
    assert (code, "where is the weir?" in said) == (2, True), said


@pytest.mark.parametrize("flags, what", [
    (["--from-pushgateway=http://x", "groups.jsonl"], "one at a time"),
    (["--ttl=1h"], "--ttl is for --from-pushgateway"),
    (["--from-user=a"], "for --from-pushgateway"),
    (["--from-pushgateway=x", "--ttl=1d"], "--ttl=1d: "),
    (["--from-pushgateway=x", "--ttl=0"], "no life"),
    (["--from-pushgateway=ftp://x"], "is no URL"),
])
def test_usage(flags, what):
    code, said = run(*flags)
    assert code == 2
    assert said.startswith("weir import: error: ") and what in said, said


class Scripted(http.server.BaseHTTPRequestHandler):
    """Answers what a test wants: of each path (type, body, how much of it is sent), in turn."""

    answers = {}

    def do_GET(self):
        answers = self.answers[self.path]
        kind, body, sent = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:sent])
        if sent is not None:
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_):
        pass


def import_scripted(weir, status, groups, pages):
    """Exit code, and what was said."""
    class Handler(Scripted):
        answers = {"/api/v1/status": [status], "/api/v1/metrics": [groups], "/p": pages}
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            return run(f"--from-pushgateway=http://127.0.0.1:{server.server_port}",
                       f"--url={weir.url}")
        finally:
            server.shutdown()


JSON = "application/json"
STATUS = b'{"data":{"build_information":{"version":"0\\u001b[2J"},"flags":{"web.telemetry-path":"/p"}}}'
ONE = (b'{"status":"success","data":[{"labels":{"job":"j"},"m":{"time_stamp":"2026-11-27T11:46:40Z",'
       b'"type":"GAUGE","metrics":[{"labels":{"job":"j"},"value":"1"}]}},')


@pytest.mark.parametrize("groups, sent, what", [
    (ONE + b'{"labels":{"job":"k"}}]}', -20, "/api/v1/metrics: "),
    (ONE, None, "/api/v1/metrics: the answer is cut"),
    (ONE + b"]}x", None, "not what a Pushgateway answers"),
    (b'{"data":{}}', None, "not what a Pushgateway answers"),
    (b"", None, "/api/v1/metrics: the answer is cut"),
], ids=["breaks off", "cut", "more", "other", "nothing"])
def test_broken_answers(weir, groups, sent, what):
    """What came before stays; the exit code says that it was not all. Terminals are spared."""
    code, said = import_scripted(weir, (JSON, STATUS, None), (JSON, groups, sent),
                                 [("text/plain", b"m 1\n", None)])
    assert code == 1
    assert what in said, said
    assert "/p: it is not to be had as protobuf" in said
    assert "\x1b" not in said and "Point pushers" not in said
    if groups.startswith(ONE):
        assert 'm{instance="",job="j"} 1' in page(weir)


PAGE = """name: "push_time_seconds" type: GAUGE metric { label { name: "instance" value: "" }
    label { name: "job" value: "j" } gauge { value: %d } }"""
CHANGING = (b'{"status":"success","data":[{"labels":{"job":"j"},'
            b'"push_time_seconds":{"time_stamp":"2001-09-09T01:46:40.5Z","type":"GAUGE","metrics":'
            b'[{"labels":{"instance":"","job":"j"},"value":"1e+09"}]},'
            b'"pb_n":{"time_stamp":"2001-09-09T01:46:40Z","type":"HISTOGRAM","metrics":'
            b'[{"buckets":[[0,"1","2","20"]],"count":"24","labels":{"instance":"","job":"j"},'
            b'"sum":"18.4"}]}}]}')


@pytest.mark.parametrize("shown, is_whole", [(1, True), (3, True), (4, False)])
def test_group_that_changes(weir, shown, is_whole):
    """It is read again until its page is of the same push; in the end without."""
    native = protobuf.family(gateways.MESSAGES[2])
    histogram = protobuf.in_group(native, job="j")
    kind = protobuf.CONTENT_TYPE
    pages = [(kind, protobuf.body(PAGE % (999999999 + (i + 1 == shown)), histogram), None)
             for i in range(shown)]
    code, said = import_scripted(weir, (JSON, STATUS, None), (JSON, CHANGING, None), pages)
    assert code == 0, said
    assert ("not kept: the buckets of 1 native histogram\n" in said) == (not is_whole)
    moved = [one for one in protobuf.decode(protobuf_page(weir)) if one.name == "pb_n"][0].metric[0]
    assert moved.histogram.sample_count == 24
    assert (moved.histogram.positive_delta == [10, 0]) == is_whole
    assert dict(gateways.lines(page(weir)))['push_time_seconds{instance="",job="j"}'] == 1e9
