"""scripts/report: on a week that a real Prometheus was given, whose figures are known, and on a weir at work."""

import http.server
import json
import re
import subprocess
import time
import urllib.parse
from datetime import datetime, timedelta, timezone

import pytest

import peers
from certificates import Authority
from harness import DEADLINE, REPOSITORY, environment, wait_for
from served import Served
from test_auth import hash_of

SCRIPT = REPOSITORY / "scripts" / "report"
STEP = 300  # promtool reads all of it for every two hours: the fewer points, the better
HOUR, DAY = 3600, 86400
EVIL = 'e|v*il<b>\\"\\n_'  # as OpenMetrics spells it


def report(*arguments, code=0, **variables):
    done = subprocess.run([SCRIPT, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120,
                          cwd="/", env={**environment(), **{name: str(value) for name, value in variables.items()}})
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr if code else done.stdout


def cells(line):
    return [re.sub(r"\\(.)", r"\1", cell.strip()) for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])]


def tables(text):
    """{title: [row as {column: cell}]} of a report in Markdown."""
    found = {}
    for section in text.split("\n## ")[1:]:
        rows = [cells(line) for line in section.splitlines() if line.startswith("|")]
        found[section.splitlines()[0]] = [dict(zip(rows[0], row)) for row in rows[2:]]
    return found


def by(rows, *columns):
    return {tuple(row[column] for column in columns): row for row in rows}


# ---- A week that is known -------------------------------------------------------------------


def last_monday():
    today = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((today - timedelta(days=today.weekday() + 7)).timestamp())


class Week:
    """Series of a week, in OpenMetrics; times are in seconds of it. What is not said is not there."""

    def __init__(self, start):
        self.start, self.families = start, {}

    def add(self, name, labels, value, gaps=(), shift=0, first=-HOUR, last=7 * DAY, every=STEP):
        """Value: of a time. Gaps: (from, to), each exclusive of the first and inclusive of the last."""
        text = ",".join(f'{key}="{entry}"' for key, entry in labels.items())
        lines = self.families.setdefault(name, [])
        for when in range(first, last + 1, every):
            if not any(begin < when <= end for begin, end in gaps):
                lines.append(f"{name}{{{text}}} {value(when)} {self.start + when - shift}")

    def blocks(self, directory):
        text = "".join(f"# TYPE {name} unknown\n" + "\n".join(lines) + "\n" for name, lines in self.families.items())
        (directory / "week.om").write_text(text + "# EOF\n")
        subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", directory / "week.om", directory / "data"],
                       check=True, capture_output=True, timeout=DEADLINE)


def within(*spans):
    return lambda when: int(any(begin < when <= end for begin, end in spans))


def outside(*spans):
    return lambda when: 1 - within(*spans)(when)


def step_counter(start, per_step, restarts=()):
    """Counts per step, and begins at 0 after each restart."""
    def value(when):
        begins = max([begin for begin in restarts if begin <= when], default=-HOUR)
        return (start if begins == -HOUR else 0) + (when - begins) // STEP * per_step
    return value


def known_week(start):
    week = Week(start)
    # Down twice, 90 and 30 minutes, and not scraped for a day.
    week.add("up", {"job": "node", "instance": "a:9100"}, outside((DAY, DAY + 5400), (3 * DAY, 3 * DAY + 1800)),
             gaps=[(5 * DAY, 6 * DAY)], shift=7)
    week.add("up", {"job": "node", "instance": "b:9100"}, lambda _: 1)
    week.add("up", {"job": "node", "instance": EVIL}, outside((0, STEP)), shift=59)
    week.add("up", {"job": "node", "instance": "late:9100"}, lambda _: 0, first=7 * DAY - HOUR + STEP, every=STEP)
    # Pushes each hour but for three hours, of which it is silent for two.
    pushed = {"job": "backup", "instance": "db1"}
    week.add("push_time_seconds", pushed, lambda when: start + min(when // HOUR * HOUR, 2 * DAY)
             if when < 2 * DAY + 3 * HOUR else start + when // HOUR * HOUR)
    week.add("weir_target_silent", pushed, lambda _: 1, first=2 * DAY + HOUR + STEP, last=2 * DAY + 3 * HOUR)
    week.add("push_time_seconds", {"job": "backup", "instance": "db2"}, lambda _: start - 7200)
    # Fires three times: 10 minutes, 40, and at the end.
    alert = {"alertname": "Disk|Full", "alertstate": "firing", "severity": "page", "instance": "a:9100"}
    for begin, minutes in ((HOUR, 10), (DAY, 40), (7 * DAY - 300, 5)):
        week.add("ALERTS", alert, lambda _: 1, first=begin + STEP, last=begin + minutes * 60)
    week.add("ALERTS", {**alert, "alertstate": "pending", "alertname": "Never"}, lambda _: 1, first=HOUR, last=2 * HOUR)
    weir = {"job": "weir", "instance": "w:9091"}
    restart = 4 * DAY + 30
    week.add("weir_groups", weir, lambda when: 40 if 2 * DAY < when <= 3 * DAY else 7, gaps=[(4 * DAY, 4 * DAY + 600)])
    week.add("process_start_time_seconds", weir, lambda when: start - 2 * HOUR if when < restart else start + restart,
             gaps=[(4 * DAY, 4 * DAY + 600)])
    requests = {"handler": "push", "method": "put", **weir}
    week.add("pushgateway_http_requests_total", {**requests, "code": "200"}, step_counter(1000, 3, [4 * DAY + STEP]),
             gaps=[(4 * DAY, 4 * DAY + 600)])
    week.add("pushgateway_http_requests_total", {**requests, "code": "400"}, lambda _: 5)
    week.add("pushgateway_http_push_size_bytes_sum", {"method": "put", **weir}, step_counter(10, 1000))
    week.add("weir_push_rejected_total", {"reason": "syntax", **weir}, lambda when: 4 if when >= DAY else 2)
    week.add("weir_push_rejected_total", {"reason": "limit", **weir}, lambda _: 3, first=2 * DAY)  # was not there before
    week.add("weir_state_outages_total", weir, lambda when: 1 if when >= DAY else 0)
    week.add("weir_state_up", weir, outside((DAY, DAY + 1200)))
    return week


@pytest.fixture(scope="module")
def week(tmp_path_factory):
    """(its start, a Prometheus that has it)."""
    directory = tmp_path_factory.mktemp("week")
    start = last_monday()
    known_week(start).blocks(directory)
    with peers.Prometheus(directory, {}, "--storage.tsdb.retention.time=10y",
                          "--storage.tsdb.allow-overlapping-blocks") as server:
        yield start, server


@pytest.fixture(scope="module")
def weekly(week):
    return tables(report("--week", f"--step={STEP}", f"--prometheus={week[1].url}"))


def day(week, seconds):
    return datetime.fromtimestamp(week[0] + seconds, timezone.utc).strftime("%Y-%m-%d %H:%M")


@pytest.mark.smoke
def test_availability_of_what_is_scraped(week, weekly):
    """Of a week of 10,080 minutes; the worst first."""
    rows = weekly["Availability of what is scraped"]
    assert [row["Instance"] for row in rows] == ["late:9100", "a:9100", 'e|v*il&lt;b&gt;"\\n_', "b:9100"]
    late, a, evil, b = rows
    observed = 10080 - 1440
    assert (a["Available"], a["Down"], a["Outages"]) == (f"{int((observed - 120) / observed * 1e5) / 1e3:g} %", "2h", "2")
    assert a["Longest outage"] == f"1h 30m from {day(week, DAY)}" and a["Observed"] == "85.714 %"
    assert (late["Available"], late["Down"], late["Outages"], late["Observed"]) == ("0 %", "1h", "1", "0.595 %")
    assert (evil["Available"], evil["Down"], evil["Longest outage"]) == ("99.95 %", "5m", f"5m from {day(week, 0)}")
    assert list(b.values())[3:] == ["100 %", "0", "0", "-", "100 %"]


def test_availability_of_what_pushes(week, weekly):
    one, two = weekly["Availability of what pushes"]
    assert (one["Instance"], one["Job"], one["Down"], one["Outages"]) == ("db1", "backup", "2h", "1")
    assert one["Available"] == "98.809 %" and one["Longest outage"] == f"2h from {day(week, 2 * DAY + HOUR)}"
    assert (two["Instance"], two["Available"], two["Observed"]) == ("db2", "100 %", "100 %")


def test_alerts(weekly):
    row, = weekly["Alerts"]
    assert row == {"Alert": "Disk|Full", "Severity": "page", "Instance": "a:9100", "Job": "-", "Labels": "-",
                   "Times": "3", "Total": "55m", "Fires at the end": "yes"}


def test_pushers(weekly):
    """An hourly push, three of 168 hours left out of which one comes late; the first is not seen to change."""
    row, = weekly["Top pushers"]
    assert (row["Job"], row["Instance"], row["Pushes"]) == ("backup", "db1", str(168 - 2))


def test_weir(weekly):
    figures = {row[""]: row["w:9091, job weir"] for row in weekly["weir itself"]}
    before = 4 * DAY // STEP * 3  # since the start of the week
    after = (3 * DAY - STEP) // STEP * 3  # since the restart, which began at 0
    assert figures == {
        "Scraped": "99.9 %", "Restarts": "1", "Pushes": str(before + after), "Bytes pushed": "2.0 MB",
        "Rejected pushes": "5", "Groups at the end": "7", "Groups at most": "40", "Commits that failed": "-",
        "Outages of the state": "1", "State away": "20m", "Outages of the targets' database": "-",
        "Targets' database away": "0"}


def test_rejections_by_reason(week):
    text = report("--week", f"--step={STEP}", f"--prometheus={week[1].url}")
    assert "By reason: limit 3, syntax 2." in text and "No weir was asked" in text


def test_a_day_of_another_zone(week):
    """The outage begins at 0:00 UTC: in Berlin an hour or two later, on the same day."""
    zone_day = datetime.fromtimestamp(week[0] + DAY, timezone.utc).strftime("%Y-%m-%d")
    after = datetime.fromtimestamp(week[0] + 2 * DAY, timezone.utc).strftime("%Y-%m-%d")
    found = tables(report(f"--from={zone_day}", f"--to={after}", f"--step={STEP}", "--timezone=Europe/Berlin",
                          f"--prometheus={week[1].url}"))
    row = by(found["Availability of what is scraped"], "Instance")[("a:9100",)]
    assert (row["Down"], row["Available"]) == ("1h 30m", "93.75 %")
    assert re.search(r"from \S+ 0[12]:00$", row["Longest outage"])


def test_a_shorter_step_is_asked_in_parts(week):
    """Of two weeks by the minute: each sample counts for one of five, in the second week and an hour before it."""
    start, end = (datetime.fromtimestamp(week[0] + when, timezone.utc).isoformat() for when in (-7 * DAY, 7 * DAY))
    found = tables(report(f"--from={start}", f"--to={end}", f"--prometheus={week[1].url}"))
    rows = by(found["Availability of what is scraped"], "Instance")
    samples = (7 * DAY + HOUR) // STEP + 1
    assert rows[("b:9100",)]["Observed"] == f"{int(samples / 20160 * 1e5) / 1e3:g} %"
    assert (rows[("a:9100",)]["Down"], rows[("a:9100",)]["Outages"]) == ("24m", "24")


def test_html_and_a_file(week, tmp_path):
    path = tmp_path / "report.html"
    path.write_text("the one before")
    assert report("--week", f"--step={STEP}", "--format=html", f"--output={path}", PROMETHEUS_URL=week[1].url) == ""
    page = path.read_text()
    assert page.startswith("<!DOCTYPE html>") and "e|v*il&lt;b&gt;&quot;\\n_" in page and "<script" not in page
    assert "Disk|Full" in page and "98.809 %" in page
    assert list(tmp_path.iterdir()) == [path]
    limited = report("--week", f"--step={STEP}", "--top=1", f"--prometheus={week[1].url}")
    assert "and 3 more that are no worse" in limited


# ---- At work --------------------------------------------------------------------------------


def test_of_a_weir_at_work(start_weir, tmp_path):
    weir = start_weir("--web.telemetry-path=/page", "--log.level=warn")
    with peers.Prometheus(tmp_path / "prometheus", {"weir": weir.url}, job={"metrics_path": "/page"}) as server:
        server.wait_for("weir_groups")
        for number in range(5):
            for instance in ("a", "b|<i>")[:1 + (number == 0)]:
                path = "/metrics/job/j/instance/" + urllib.parse.quote(instance)
                assert weir.put(path, "# TYPE m gauge\nm{x=\"1\"} 1\nm{x=\"2\"} 2\n").status == 200
        assert weir.put("/metrics/job/j/instance/a", "m 1").status == 400
        server.wait_for('weir_push_rejected_total{reason="syntax"} == 1')
        server.wait_for('push_time_seconds{instance="a"}')
        done = time.time()
        wait_for(lambda: time.time() // 5 * 5 > done, "what was scraped is before the last step")
        targets = json.loads(weir.get("/api/v1/targets").text)["data"]["targets"]
        text = report("--step=5", f"--from={datetime.now(timezone.utc) - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
                      f"--prometheus={server.url}", f"--weir={weir.url}")
    found = tables(text)
    scraped, = found["Availability of what is scraped"]
    assert scraped["Job"] == "weir" and scraped["Observed"] != "0 %"
    pushers = by(found["Top pushers"], "Instance")
    assert (pushers[("a",)]["All pushes"], pushers[("a",)]["Series"]) == ("5", "4")  # with its two push times
    assert (pushers[("b|&lt;i&gt;",)]["All pushes"], pushers[("a",)]["Bytes"][-2:]) == ("1", " B")
    states = by(found["Availability of what pushes"], "Instance", "State now")
    assert ("a", "active") in states
    row, = found["Rejected pushes"]
    said, = (target["last_rejection"]["reason"] for target in targets if target["last_rejection"])
    assert (row["Instance"], row["Job"]) == ("a", "j") and re.sub(r"\W", "", row["Reason"]) == re.sub(r"\W", "", said)
    figures = {row[""]: list(row.values())[1] for row in found["weir itself"]}
    assert (figures["Pushes"], figures["Rejected pushes"], figures["Groups at the end"]) == ("6", "1", "2")


# ---- What goes wrong ------------------------------------------------------------------------


@pytest.mark.parametrize("arguments,code,said", [
    ([], 2, "say of which time"), (["--week"], 2, "--prometheus is missing"),
    (["--week", "--day", "--prometheus=http://x"], 2, "not allowed with"),
    (["--week", "--to=2026-01-01", "--prometheus=http://x"], 2, "--to goes with --from"),
    (["--week", "--timezone=Nowhere", "--prometheus=http://x"], 2, "there is no time zone 'Nowhere'"),
    (["--from=never", "--prometheus=http://x"], 2, "'never' is no time"),
    (["--week", "--step=1", "--prometheus=http://x"], 2, "it is from 5 to 3600"),
    (["--week", "--prometheus=ftp://u:secret@x"], 1, "a URL is http://HOST:PORT/PATH"),
    (["--week", "--prometheus=http://u:secret@127.0.0.1:1"], 1, "http://127.0.0.1:1/api/v1/query: "),
    (["--week", "--prometheus=http://x", "--prometheus-token-file=/nowhere"], 1, "cannot read /nowhere"),
    (["--week", "--prometheus=http://x", "--prometheus-password-file=/etc/hostname"], 1, "is not USER:PASSWORD"),
    (["--week", "--prometheus=https://x", "--cacert=/nowhere"], 1, "cannot use the certificates of /nowhere"),
    (["--nonsense"], 2, "unrecognized arguments"),
])
def test_wrong(arguments, code, said):
    errors = report(*arguments, code=code)
    assert said in errors and "secret" not in errors and "Traceback" not in errors


ODD = ["", "[]", "<html>", '{"status":"success"', '{"status":"success"}', '{"status":"success","data":null}', "[" * 100_000,
       *(f'{{"status":"success","data":{{"result":{result}}}}}' for result in (
           '"x"', "1", "[1]", '[{"metric":[1],"value":[1,"1"]}]', '[{"metric":{"a":1},"value":[1,"1"]}]',
           '[{"metric":{},"value":[1,"x"],"values":[[1,"x"]]}]', '[{"metric":{},"value":[1,"NaN"]}]',
           '[{"metric":{},"value":[1,"+Inf"]}]', '[{"metric":{},"value":1,"values":[1]}]', "9" * 5000))]


class Odd(http.server.BaseHTTPRequestHandler):
    """Answers what it is told to."""

    code = 200

    def do_GET(self):
        body = self.answer().encode()
        self.send_response(self.code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self):
        return self.body

    def log_message(self, *_):
        pass


def test_what_has_only_a_part_is_told():
    """As with storages behind Prometheus, one of which is away."""
    class Part(Odd):
        def answer(self):
            rows = [{"metric": {}, "value": [1, "1"]}] if "vector" in self.path else []
            said = ["remote_read: 503 <b>", "PromQL info: metric might not be a counter"] if "range" in self.path else []
            return json.dumps({"status": "success", "data": {"result": rows}, "warnings": said})
    with Served(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Part)) as part:
        told = [line for line in report("--day", f"--prometheus={part.url}").splitlines() if "Prometheus warns" in line]
    assert told == ["Prometheus warns that something may be missing: remote\\_read: 503 &lt;b&gt;"]


def test_what_is_no_prometheus():
    """Whatever it answers is one line."""
    with Served(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Odd)) as odd:
        for code, body in [*((200, body) for body in ODD), (422, '{"error":"too many\\u001b[1m samples"}'), (500, "\ud7ff\x1b")]:
            Odd.code, Odd.body = code, body
            errors = report("--day", f"--prometheus={odd.url}", code=1)
            assert errors.startswith(f"report: error: {odd.url}/api/v1/query: ") and errors.count("\n") == 1, (body, errors)
            assert errors.rstrip("\n").isprintable(), errors


def test_help():
    assert report("--help").startswith("Reports on a day, a week or a month")


def test_the_file_stays_when_it_cannot_be_made(week, start_weir, tmp_path):
    """Of a weir that asks for a password, of what is none, of one that does not answer, of a directory that is not there."""
    path = tmp_path / "report.md"
    path.write_text("the one before")
    where = [f"--prometheus={week[1].url}", f"--output={path}", "--day"]
    (tmp_path / "web.yml").write_text(f"basic_auth_users: {{u: {hash_of('s3cret')}}}\n")
    weir = start_weir(f"--web.config.file={tmp_path}/web.yml")
    assert "401" in report(*where, f"--weir={weir.url}", code=1)
    assert "this is not what a weir answers" in report(*where, f"--weir={week[1].url}", code=1)
    errors = report("--day", f"--prometheus={weir.url.replace('//', '//u:s3cret@')}", code=1)
    assert "/api/v1/query" in errors and "s3cret" not in errors
    assert path.read_text() == "the one before"
    (tmp_path / "password").write_text("u:s3cret\n")
    report(*where, f"--weir={weir.url}", f"--weir-password-file={tmp_path}/password")
    assert path.read_text().startswith("# weir, day from ")
    assert "No such file" in report(*where[::2], f"--output={tmp_path}/none/x", code=1)


def test_over_tls(week, start_weir, tmp_path):
    authority = Authority(tmp_path)
    server = authority.issue("server")
    (tmp_path / "web.yml").write_text(json.dumps(
        {"tls_server_config": {"cert_file": str(server.cert), "key_file": str(server.key)}}))
    weir = start_weir(f"--web.config.file={tmp_path}/web.yml", tls=authority.client())
    url = weir.url.replace("127.0.0.1", "localhost")
    assert "CERTIFICATE_VERIFY_FAILED" in report("--day", f"--prometheus={week[1].url}", f"--weir={url}", code=1)
    report("--day", f"--prometheus={week[1].url}", f"--weir={url}", f"--cacert={authority.cert}")
