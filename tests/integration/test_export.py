"""Moving what is stored: GET /api/v1/export and POST /api/v1/import."""

import gzip
import hashlib
import json
import os
import re
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

import exposition
import protobuf
from certificates import Authority, tls_config, web_config
from harness import BINARY, DEADLINE, chunked, curl, environment, wait_for
from test_auth import hash_of
from test_persistence import everything, kill

ADMIN = "--web.enable-admin-api"
UTF8 = "--push.enable-utf8-names"

OPENMETRICS = """\
# TYPE h_seconds histogram
# HELP h_seconds Took so \\\\long, \\"it\\" says.
# UNIT h_seconds seconds
h_seconds_bucket{le="0.5",a="x"} 1 # {trace="o\\"p"} 0.3 12.5
h_seconds_bucket{le="+Inf",a="x"} 3
h_seconds_count{a="x"} 3
h_seconds_sum{a="x"} 1.50
h_seconds_created{a="x"} 1520879607.789
# TYPE c counter
c_total 17.000 # {trace_id="t"} 0.67
# TYPE i info
i_info{v="1","dotted.name"="y"} 1
# TYPE s stateset
s{s="on"} 1
s{s="off"} 0
# TYPE g gaugehistogram
g_bucket{le="+Inf"} 5
g_gcount 5
g_gsum 7
# EOF
"""
TEXT = """\
# HELP m A backslash \\\\ and a line\\nfeed, "quoted".
# TYPE m gauge
m{b="2",a="q\\"uote",empty=""} 1.500e+00
m{a="ö<&>\u2028\t"} -Inf
# TYPE q summary
q{quantile="0.5"} 4773
q_sum 1.7560473e+07
q_count 2693
# TYPE t histogram
t_bucket{le="1"} 2
t_sum 3
t_count 4
{"dotted.metric","a.b"="c"} 123456789012345678901234567890
"""
NATIVE = """name: "native" type: HISTOGRAM metric { histogram { sample_count: 3 sample_sum: 4.5
    bucket { cumulative_count: 1 upper_bound: 1 } schema: 2 zero_threshold: 0.5 zero_count: 1
    positive_span { offset: 1 length: 2 } positive_delta: 1 positive_delta: 0
    exemplars { label { name: "trace_id" value: "a" } value: 1
      timestamp { seconds: 1520879607 nanos: 1 } } created_timestamp { seconds: 1520872607 } } }"""


def fill(weir):
    """Something of every kind."""
    def taken(response):
        assert response.status in (200, 202), response.text
    taken(weir.put("/metrics/job/open", OPENMETRICS, exposition.OPENMETRICS_HEADERS))
    taken(weir.put("/metrics/job/text/instance@base64/YVxiIgrwn426AHo", TEXT.encode()))
    taken(weir.put("/metrics/job/native", protobuf.body(NATIVE), protobuf.HEADERS))
    taken(weir.put("/metrics/job/twice?ttl=1h", "old 1\nolder 1\n"))
    taken(weir.post("/metrics/job/twice?ttl=2h", "old 2\nnew 3\n"))
    taken(weir.put("/metrics/job/empty", ""))
    # Lines have another order than groups.
    taken(weir.put("/metrics/job/gone", "x 1\n"))
    taken(weir.put("/metrics/job/late", "y 1\n"))
    taken(weir.put("/metrics/job/early", "x 1\n"))
    taken(weir.post("/metrics/job/late", "x 1\n"))
    taken(weir.delete("/metrics/job/gone"))
    assert weir.put("/metrics/job/failed", "m 1\nm 1\n").status == 400


def pages(weir):
    """All pages but weir's own metrics, and the JSON."""
    return everything(weir)


def export(weir, query=""):
    answer = weir.get(f"/api/v1/export{query}")
    assert answer.status == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson; charset=utf-8"
    return answer.text


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


def load(weir, text, headers=None):
    answer = weir.post("/api/v1/import", text, headers)
    assert answer.status == 200, answer.text
    parsed = json.loads(answer.text)
    assert parsed["status"] == "success"
    return parsed["data"]


def group(job="j", families=(), **more):
    """A line of a group."""
    return json.dumps({"labels": {"job": job}, "pushed": "1500000000.000000001",
                       "families": list(families), **more}) + "\n"


def gauge(name="m", value="1", **more):
    return {"name": name, "type": "gauge", "pushed": "1500000000", "samples": [{"value": value}],
            **more}


def times(text):
    """The lives of an export, out of it."""
    return [float(line) for line in re.findall(r'"expires":"([0-9.]+)"', text)]


def without_lives(text):
    """The end of a life is known to a microsecond or so; the first line says when it was read."""
    return re.sub(r'"expires":"[^"]+"', "", "\n".join(text.splitlines()[1:]))


# ---- There and back --------------------------------------------------------------------------


@pytest.mark.smoke
def test_round_trip(start_weir):
    old, new = start_weir(UTF8), start_weir(ADMIN, UTF8)
    fill(old)
    text = export(old)
    outcome = load(new, text)
    assert outcome == {"groups": 8, "series": 31, "unchanged": 0, "expired": 0, "refused": 0,
                       "faults": []}
    assert pages(new) == pages(old)
    again = export(new)
    assert without_lives(again) == without_lives(text)
    assert times(again) == pytest.approx(times(text), abs=1)
    # A second time nothing changes.
    assert load(new, text) == {**outcome, "unchanged": 8}
    assert pages(new) == pages(old)


def test_end_says_what_there_was(start_weir):
    weir = start_weir(UTF8)
    fill(weir)
    first, *groups, end = lines_of(export(weir))
    assert first["weir_export"] == 1 and first["written_by"].startswith("weir ")
    families = [family for one in groups for family in one["families"]]
    assert end == {"weir_export_end": 1, "lines": len(groups), "groups": len(groups),
                   "families": len(families),
                   "series": sum(len(family["samples"]) for family in families)}


def test_export_of_nothing(weir):
    first, end = lines_of(export(weir))
    assert (first["weir_export"], end["lines"]) == (1, 0)
    assert load(weir, export(weir))["groups"] == 0


def test_jobs(weir):
    for job in ("a", "b", "a b"):
        weir.put(f"/metrics/job/{job.replace(' ', '%20')}", "m 1\n")
    weir.put("/metrics/job/a/instance/i", "m 1\n")

    def jobs(query):
        return [line["labels"] for line in lines_of(export(weir, query))[1:-1]]
    assert jobs("?job=a") == [{"job": "a"}, {"instance": "i", "job": "a"}]
    assert jobs("?job=a+b&job=b") == [{"job": "b"}, {"job": "a b"}]
    assert jobs("?job=c") == []
    assert weir.get("/api/v1/export?jobs=a").status == 400
    assert weir.get("/api/v1/export?job=%zz").status == 400


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_codings(weir, tmp_path, coding):
    for number in range(300):
        weir.put(f"/metrics/job/j/instance/{number}", f"m {number}\n")
    compressed = curl(f"{weir.url}/api/v1/export", "-H", f"Accept-Encoding: {coding}")
    assert len(compressed) < len(export(weir)) / 4
    weir.request("PUT", "/api/v1/admin/wipe")
    outcome = load(weir, compressed, {"Content-Encoding": coding})
    assert (outcome["groups"], outcome["refused"]) == (300, 0)
    assert weir.scrape().value("m", job="j", instance="299") == 299
    assert weir.post("/api/v1/import", compressed[:100], {"Content-Encoding": coding}).status == 400


def test_chunked_body(weir):
    text = group(families=[gauge()]).encode()
    with weir.connect() as connection:
        connection.send(b"POST /api/v1/import HTTP/1.1\r\nHost: w\r\n"
                        b"Transfer-Encoding: chunked\r\n\r\n" + chunked(text[:10], text[10:]))
        assert connection.response().status == 200
    assert weir.scrape().value("m", job="j") == 1


# ---- What an import does ---------------------------------------------------------------------


def test_replaces_the_group(weir):
    weir.put("/metrics/job/j", "m 5\nother 1\n")
    weir.put("/metrics/job/k", "k 1\n")
    load(weir, group(families=[gauge(value="7.0")], failed="1600000000"))
    page = weir.scrape()
    assert page.value("other", job="j") is None
    assert page.value("k", job="k") == 1
    assert 'm{instance="",job="j"} 7.0' in page.text
    assert 'push_time_seconds{instance="",job="j"} 1500000000.000000' in page.text
    assert 'push_failure_time_seconds{instance="",job="j"} 1600000000.000000' in page.text


def test_families_keep_their_times(weir):
    load(weir, group(families=[gauge("a", pushed="1400000000.5"), gauge("b")]))
    [one] = json.loads(weir.get("/api/v1/metrics").text)["data"]
    assert one["a"]["time_stamp"] == "2014-05-13T16:53:20.5Z"
    assert one["b"]["time_stamp"] == "2017-07-14T02:40:00Z"


def test_adds_to_the_group(weir):
    first = group(families=[gauge("a")])
    assert load(weir, first + group(families=[gauge("b")], adds=True))["groups"] == 1
    page = weir.scrape()
    assert (page.value("a", job="j"), page.value("b", job="j")) == (1, 1)
    # Something else was pushed in between.
    weir.post("/metrics/job/j", "a 2\n")
    outcome = load(weir, group(families=[gauge("c")], adds=True) + group("k", [gauge()], adds=True))
    assert [fault["line"] for fault in outcome["faults"]] == [1, 2]
    assert "pushed at another time" in outcome["faults"][0]["reason"]


def test_lives_go_on(start_weir):
    weir = start_weir(ADMIN, "--group.ttl-max=1h")
    now = time.time()
    outcome = load(weir, group("short", [gauge()], expires=f"{now + 600:.9f}")
                   + group("long", [gauge()], expires=f"{now + 7200:.9f}")
                   + group("ever", [gauge()])
                   + group("over", [gauge()], expires=f"{now - 1:.9f}"))
    assert (outcome["groups"], outcome["expired"], outcome["refused"]) == (3, 1, 0)
    lives = {line["labels"]["job"]: float(line["expires"]) - now
             for line in lines_of(export(weir))[1:-1]}
    assert lives["short"] == pytest.approx(600, abs=60)
    assert lives["long"] == pytest.approx(3600, abs=60)  # what pushes are held to
    assert lives["ever"] == pytest.approx(3600, abs=60)


def test_imports_at_once(weir):
    """Each waits for the one before it, and requests behind one on its connection for that."""
    bodies = [b"".join(group(f"j{number}-{one}", [gauge()]).encode() for number in range(300))
              for one in range(6)] + [b""]
    connections = [weir.connect() for _ in bodies]
    for connection, body in zip(connections, bodies):
        connection.request("POST", "/api/v1/import", body)
        connection.request("PUT", "/metrics/job/j0-0", "m 5\n")
        connection.request("GET", "/api/v1/export?job=j299-0")
    for connection, body in zip(connections, bodies):
        with connection:
            assert json.loads(connection.response().text)["data"]["groups"] == body.count(b"\n")
            assert connection.response().status in (200, 400)  # by type
            assert connection.response().status == 200
    assert len(json.loads(weir.get("/api/v1/metrics").text)["data"]) == 1800


def test_client_that_goes_away(weir):
    """What it sent is taken all the same, and the next one's turn comes."""
    with weir.connect() as connection:
        connection.request("POST", "/api/v1/import",
                           "".join(group(f"j{number}", [gauge()]) for number in range(2000)))
    with weir.connect() as connection:
        connection.request("GET", "/api/v1/export")
    assert load(weir, group("last", [gauge()]))["groups"] == 1


@pytest.mark.smoke
def test_what_is_acknowledged_is_durable(start_weir, tmp_path):
    """Times, types and lives of several pushes are there again after a kill -9."""
    flags = (ADMIN, UTF8, f"--state.url=sqlite:{tmp_path}/stored.db")
    old, new = start_weir(UTF8), start_weir(*flags)
    fill(old)
    text = export(old)
    load(new, text)
    kill(new)
    new = start_weir(*flags)
    wait_for(lambda: new.get("/-/ready").status == 200, "weir to be ready")
    assert pages(new) == pages(old)
    assert load(new, text)["unchanged"] == 8


# ---- What is refused -------------------------------------------------------------------------


def test_damaged_lines(weir):
    good = group("good", [gauge()])
    outcome = load(weir, "\n" + good[:40] + "\n" + good + "null\n"
                   + group("bad", [gauge(value="x")]) + "\n"
                   + group("typo", [gauge()]).replace("families", "family"))
    assert (outcome["groups"], outcome["refused"]) == (1, 4)
    assert [(fault["line"], fault.get("group")) for fault in outcome["faults"]] == [
        (2, None), (4, None), (5, 'instance="",job="bad"'), (7, None)]
    assert outcome["faults"][2]["reason"] == (
        'family "m", sample 1: its value "x" is no number in a string')
    assert outcome["faults"][3]["reason"] == 'there is no key "family"'
    assert weir.scrape().value("m", job="good") == 1


def test_contradictions(weir):
    weir.put("/metrics/job/a", "# TYPE m counter\nm 1\n")
    weir.put("/metrics/job/b", "n 1\n")
    before = weir.scrape().pushed()
    outcome = load(weir, group("b", [gauge("n", pushed="7"), gauge("m")]))
    assert (outcome["groups"], outcome["refused"]) == (0, 1)
    [fault] = outcome["faults"]
    assert fault["group"] == 'instance="",job="b"'
    assert "is not a COUNTER" in fault["reason"]
    assert weir.scrape().pushed() == before  # all of a group or nothing


def test_faults_are_told_up_to_a_point(weir):
    outcome = load(weir, "x\n" * 1000)
    assert outcome["refused"] == 1000
    assert len(outcome["faults"]) == 20


def test_limits(start_weir):
    weir = start_weir(ADMIN, "--limit.groups=2", "--limit.series-per-group=3", "--limit.labels=3",
                      "--limit.label-bytes=20")
    wide = gauge(samples=[{"labels": {"a": str(one)}, "value": "1"} for one in range(4)])
    labelled = gauge(samples=[{"labels": {"a": "1", "b": "2", "c": "3"}, "value": "1"}])
    long = gauge(samples=[{"labels": {"a": "x" * 21}, "value": "1"}])
    outcome = load(weir, group("a", [gauge()]) + group("b", [wide]) + group("b", [labelled])
                   + group("b", [long]) + group("b", [gauge("a.b")]) + group("b", [gauge()])
                   + group("c", [gauge()]))
    assert outcome["groups"] == 2
    assert [fault["reason"] for fault in outcome["faults"]] == [
        "too many series in one push: 3 are allowed (--limit.series-per-group)",
        "a sample has too many labels: 3 are allowed (--limit.labels)",
        "a name or label value is too long in bytes: 20 are allowed (--limit.label-bytes)",
        "a metric's name needs quotes: a.b (--push.enable-utf8-names)",
        "too many groups: 2 are allowed (--limit.groups)"]


def test_body_limit(start_weir):
    weir = start_weir(ADMIN, "--limit.body-bytes=10000")
    text = group(families=[gauge(help="x" * 20000)])
    assert weir.post("/api/v1/import", text).status == 413
    assert weir.post("/api/v1/import", gzip.compress(text.encode()),
                     {"Content-Encoding": "gzip"}).status == 413
    assert weir.scrape().pushed() == []


def test_newer_export(weir):
    outcome = load(weir, '{"weir_export":2}\n' + group(families=[gauge()]))
    assert (outcome["groups"], outcome["refused"]) == (1, 1)
    assert "version" in outcome["faults"][0]["reason"]


def test_cut_export(weir):
    text = export(weir)
    assert "cut" not in load(weir, text)
    assert load(weir, text.splitlines()[0])["cut"] is True


def test_import_is_off_by_default(start_weir):
    weir = start_weir()
    assert weir.post("/api/v1/import", group(families=[gauge()])).status == 404
    assert weir.get("/api/v1/export").status == 200
    assert weir.scrape().pushed() == []


def test_methods(weir):
    assert weir.post("/api/v1/export").status == 405
    assert weir.get("/api/v1/import").status == 405


# ---- Without the consistency check -----------------------------------------------------------


def test_what_is_not_shown_is_moved(start_weir):
    flags = (ADMIN, "--push.disable-consistency-check")
    old, new = start_weir(*flags), start_weir(*flags)
    old.put("/metrics/job/a", "# TYPE m counter\nm 1\n")
    old.put("/metrics/job/b", "# TYPE m gauge\nm 2\n")
    old.put("/metrics/job/a/instance/", "x 1\n")
    text = export(old)
    assert [family["shadowed"] for line in lines_of(text)[1:-1] for family in line["families"]
            if "shadowed" in family] == [True]
    assert load(new, text)["refused"] == 0
    assert pages(new) == pages(old)
    old.delete("/metrics/job/a")
    new.delete("/metrics/job/a")
    assert pages(new) == pages(old)
    assert new.scrape().value("m", job="b") == 2


# ---- weir export, weir import ----------------------------------------------------------------


def run(*arguments, data=None, variables=None):
    """Exit code, stdout and stderr of a subcommand."""
    done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, timeout=DEADLINE,
                          input=b"" if data is None else data.encode(), check=False,
                          env={**environment(), **(variables or {})})
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.smoke
def test_commands(start_weir, tmp_path):
    old, new = start_weir(UTF8), start_weir(ADMIN, UTF8)
    fill(old)
    path = tmp_path / "groups.jsonl"
    code, out, err = run("export", "--url", old.url, f"--output={path}")
    assert (code, out) == (0, "")
    assert re.fullmatch(r"exported 8 groups, 31 series, \d+ bytes\n", err)
    assert run("import", f"--url={new.url}/", path) == (
        0, "", "imported 8 groups, 31 series\n")
    assert pages(new) == pages(old)
    assert run("import", f"--url={new.url}", "-", data=path.read_text()) == (
        0, "", "imported 8 groups, 31 series, 8 unchanged\n")
    assert run("import", "--dry-run", data=path.read_text()) == (
        0, "", "could read 8 groups, 31 series\n")
    code, out, err = run("export", f"--url={old.url}", "--job=twice", "--job=a&b", "--quiet")
    assert (code, err) == (0, "")
    assert [line["labels"] for line in lines_of(out)[1:-1]] == [{"job": "twice"}]


def test_output_is_whole_or_stays(weir, tmp_path):
    path, link = tmp_path / "groups.jsonl", tmp_path / "link"
    path.write_text("old")
    link.symlink_to(path)
    assert run("export", "--url=http://127.0.0.1:1", f"--output={path}")[0] == 1
    assert path.read_text() == "old"
    assert run("export", f"--url={weir.url}", f"--output={link}")[0] == 0
    assert link.is_symlink() and len(lines_of(path.read_text())) == 2
    assert run("export", f"--url={weir.url}", f"--output={tmp_path / 'no' / 'x'}")[0] == 2
    assert run("export", f"--url={weir.url}", "--output=/dev/full")[0] == 2
    assert sorted(one.name for one in tmp_path.iterdir() if one.is_file()) == [
        "groups.jsonl", "link"]


def test_cut_stream(weir):
    weir.put("/metrics/job/a", "m 1\n")
    weir.put("/metrics/job/b", "m 2\n")
    first, one, _, _ = export(weir).splitlines()
    code, _, err = run("import", f"--url={weir.url}", data=f"{first}\n{one}\n")
    assert code == 1
    assert "<stdin>: it ends without the last line of an export: it was cut\n" in err
    assert err.endswith("imported 1 groups, 1 series, 1 unchanged\n")


def test_export_that_is_cut(tmp_path):
    """By a weir that ends in the middle of it, or says less than it promised."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    text = b'{"weir_export":1}\n{"labels":{"job":"j"},"families":[]}\n'
    path = tmp_path / "groups.jsonl"
    for answer in (head + b"%x\r\n%s\r\n" % (len(text), text), head + chunked(text)):
        with socket.create_server(("127.0.0.1", 0)) as server:
            thread = threading.Thread(target=answer_once, args=(server, answer))
            thread.start()
            url = f"http://127.0.0.1:{server.getsockname()[1]}"
            code, _, err = run("export", f"--url={url}", f"--output={path}")
            thread.join()
        assert code == 1
        assert err.startswith("weir export: error: ")
        assert not path.exists()


def answer_once(server, answer):
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(answer)


def test_faults_are_told_with_their_lines(weir, tmp_path):
    path = tmp_path / "groups.jsonl"
    weir.put("/metrics/job/a", "# TYPE m counter\nm 1\n")
    # More lines than go in one request.
    path.write_text("".join(group(f"j{number}", [gauge("n")]) for number in range(1200))
                    + group("b", [gauge()]) + "\n" + group("c", []).replace("families", "f"))
    code, _, err = run("import", f"--url={weir.url}", path)
    assert code == 1
    first, second, last = err.splitlines()
    assert first.startswith(f'{path}:1201: {{instance="",job="b"}}: ')
    assert "is not a COUNTER" in first
    assert second == f'{path}:1203: there is no key "f"'
    assert last == "imported 1200 groups, 1200 series, 2 refused"
    code, _, err = run("import", "--dry-run", path)
    assert (code, err.splitlines()) == (1, [second, "could read 1201 groups, 1201 series, 1 refused"])


def test_more_than_a_weir_takes_at_a_time(start_weir):
    weir = start_weir(ADMIN, "--limit.body-bytes=2000")
    data = "".join(group(f"j{number}", [gauge()]) for number in range(100))
    data += group("large", [gauge(help="x" * 3000)])
    code, _, err = run("import", f"--url={weir.url}", data=data)
    assert code == 1
    assert err == ("<stdin>:101: the line is larger than this weir takes at a time "
                   "(--limit.body-bytes)\nimported 100 groups, 100 series, 1 refused\n")


def test_usage(weir, tmp_path):
    for arguments in (["export", "x"], ["export", "--bad"], ["export", "--url=ftp://x"],
                      ["export", "--url"], ["import", "--quiet=1"], ["import", "a", "b"],
                      ["import", tmp_path / "none"], ["import", "--url=http://x/?a=b"],
                      ["export", "--url=a", "--url=b"]):
        code, out, err = run(*arguments)
        assert (code, out) == (2, ""), arguments
        assert re.match(r"weir (ex|im)port: error: ", err), err
    for command in ("export", "import"):
        code, out, err = run(command, "--help")
        assert (code, err) == (0, "")
        assert out.startswith(f"usage: weir {command} ")
        assert f"weir {command} " in run("--help")[1]


def test_without_the_admin_api(start_weir):
    weir = start_weir()
    code, _, err = run("import", f"--url={weir.url}", data=group(families=[gauge()]))
    assert code == 1
    assert "--web.enable-admin-api" in err


def test_proxies_are_not_for_loopback(weir):
    proxies = {"http_proxy": "http://127.0.0.1:1", "no_proxy": ""}
    assert run("export", f"--url={weir.url}", variables=proxies)[0] == 0
    assert run("export", "--url=http://weir.invalid", variables=proxies)[0] == 1


def test_tls_and_basic_auth(start_weir, tmp_path):
    authority = Authority(tmp_path / "authority")
    served = authority.issue("served")
    path = web_config(tmp_path / "config", tls_config(served) + "basic_auth_users:\n"
                      f"  alice: {hash_of('s:cret', 4)}\n")
    weir = start_weir(ADMIN, f"--web.config.file={path}", "--web.route-prefix=/weir",
                      tls=authority.client())
    password = tmp_path / "password"
    password.write_text("s:cret\n")
    url = f"https://localhost:{weir.address[1]}/weir"
    trust = f"--cacert={authority.cert}"
    alice = ["--user=alice", f"--password-file={password}"]
    assert run("import", f"--url={url}", trust, *alice, data=group(families=[gauge()])) == (
        0, "", "imported 1 groups, 1 series\n")
    code, out, _ = run("export", f"--url={url}", trust, "--user=alice:s:cret")
    assert (code, len(lines_of(out))) == (0, 3)
    in_url = url.replace("https://", "https://alice:s%3Acret@")
    assert without_lives(run("export", f"--url={in_url}", trust)[1]) == without_lives(out)
    code, out, err = run("export", f"--url={in_url.replace('cret', 'swrong')}", trust)
    assert (code, out) == (1, "")
    assert "--password-file" in err and "swrong" not in err
    assert "certificate" in run("export", f"--url={url}", *alice)[2]


def test_token(start_weir, tmp_path):
    """Read and sent by one each, which have no more rights than that."""
    tokens = {"reads": "token-of-one-that-reads", "moves": "token-of-one-that-moves"}
    path = web_config(tmp_path / "config", "bearer_tokens:\n" + "".join(
        f"  {name}: {hashlib.sha256(token.encode()).hexdigest()}\n" for name, token in tokens.items())
        + "roles:\n  reads: read\n  moves: admin\n")
    weir = start_weir(ADMIN, f"--web.config.file={path}")
    for name, token in tokens.items():
        (tmp_path / name).write_text(token)
    reads, moves = (f"--token-file={tmp_path / name}" for name in tokens)
    url = f"--url={weir.url}"
    assert run("import", url, moves, data=group(families=[gauge()])) == (0, "", "imported 1 groups, 1 series\n")
    code, out, _ = run("export", url, reads)
    assert (code, len(lines_of(out))) == (0, 3)
    code, _, err = run("import", url, reads, data=out)
    assert code == 1 and "this takes the role admin" in err


def test_weir_that_is_busy(tmp_path):
    """503 is asked again: it is starting, or could not store something yet."""
    answers = [b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
               b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
               b'{"status":"success","data":{"groups":1,"series":1,"x":[null]}}']
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=lambda: [answer_once(server, one) for one in answers])
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        assert run("import", f"--url={url}", data=group(families=[gauge()])) == (
            0, "", "imported 1 groups, 1 series\n")
        thread.join()


# ---- Much of it ------------------------------------------------------------------------------


def test_many_groups(start_weir, tmp_path):
    """20,000 groups pass through without being in memory as a whole."""
    count = int(os.environ.get("WEIR_EXPORT_GROUPS", "20000"))
    # What is free is not kept by the sanitizer, if there is one.
    weir = start_weir(ADMIN, variables={"ASAN_OPTIONS": "quarantine_size_mb=1:detect_leaks=1"})
    path, again = tmp_path / "groups.jsonl", tmp_path / "again.jsonl"
    samples = [{"labels": {"path": f"/{number}"}, "value": str(number)} for number in range(3)]
    with path.open("w") as file:  # the help text is stored once, and exported each time
        for number in range(count):
            file.write(group(f"j{number}", [gauge(help="x" * 2000, samples=samples)]))
    assert run("import", f"--url={weir.url}", path) == (
        0, "", f"imported {count} groups, {3 * count} series\n")
    before = most_resident_bytes(weir)
    code, _, err = run("export", f"--url={weir.url}", f"--output={again}")
    assert (code, err.split(" series")[0]) == (0, f"exported {count} groups, {3 * count}")
    assert most_resident_bytes(weir) - before < again.stat().st_size / 3


def test_pushes_go_on_meanwhile(start_weir, tmp_path):
    """An export is of one moment, and what comes meanwhile need not wait for who reads slowly."""
    weir = start_weir(ADMIN)
    load(weir, "".join(group(f"j{number}", [gauge(help="x" * 4000, value="0")])
                       for number in range(4000)))
    with weir.connect(receive_buffer=4096) as connection:
        connection.request("GET", "/api/v1/export")
        connection.pending += connection.socket.recv(1000)
        for number in range(0, 4000, 20):
            assert weir.post(f"/metrics/job/j{number}", "m 1\n").status == 400  # a gauge
            assert weir.put(f"/metrics/job/j{number}", "# TYPE m gauge\nm 1\n").status == 200
            assert weir.delete(f"/metrics/job/j{number + 1}").status == 202
        lines = lines_of(connection.response().text)
    assert len(lines) == 4002
    assert {line["families"][0]["samples"][0]["value"] for line in lines[1:-1]} == {"0"}


def test_large_groups_are_cut_into_lines(start_weir, tmp_path):
    old, new = start_weir(), start_weir(ADMIN)
    text = "".join(f"m{family}{{path=\"/some/longer/path/{number}\"}} {number}\n"
                   for family in range(40) for number in range(500))
    assert old.put("/metrics/job/large", text).status == 200
    path = tmp_path / "groups.jsonl"
    assert run("export", f"--url={old.url}", f"--output={path}")[0] == 0
    groups = lines_of(path.read_text())[1:-1]
    assert len(groups) > 1
    assert [line.get("adds", False) for line in groups] == [False] + [True] * (len(groups) - 1)
    assert run("import", f"--url={new.url}", path) == (0, "", "imported 1 groups, 20000 series\n")
    assert pages(new) == pages(old)


def most_resident_bytes(weir):
    status = Path(f"/proc/{weir.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024
