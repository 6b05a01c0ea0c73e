"""scripts/site/probe-scripts: a script's metrics by /probe?script=NAME, whatever the script or who asks does."""

import contextlib
import math
import os
import shutil
import signal
import socket
import socketserver
import subprocess
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import DEADLINE, Closed, Connection, curl, wait_for
from page import Page
from peers import Prometheus, promtool
from served import Served
from sites import SCRIPTS, Site, left_of, small_tools

SCRIPT = "GET /probe?script=check HTTP/1.1\r\nHost: site.test\r\n\r\n"


class Probe(Site):
    """Does what inetd does: probe-scripts is started for each connection, which is its stdin and stdout."""

    def __init__(self, directory, **options):
        super().__init__(directory, "http://127.0.0.1:1", **options)
        self.allowed = directory / "allowed"
        self.allowed.mkdir()
        self.variables["SCRIPT_DIR"] = str(self.allowed)
        self.arguments = []
        self.codes = []
        self.is_stderr_the_connection = False

    def write(self, body, name="check"):
        path = self.allowed / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path

    @contextlib.contextmanager
    def listening(self):
        probe = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                with open(probe.directory / "running", "ab") as log:
                    process = subprocess.Popen(
                        probe.command("probe-scripts", *probe.arguments), env=probe.variables,
                        cwd=probe.directory, start_new_session=True, stdin=self.request, stdout=self.request,
                        stderr=self.request if probe.is_stderr_the_connection else log)
                    # From now on its end is the connection's, without the shutdown() of this server.
                    self.request.close()
                    try:
                        probe.codes.append(process.wait(DEADLINE))
                    except subprocess.TimeoutExpired:
                        probe.codes.append("hangs")
                        os.killpg(process.pid, signal.SIGKILL)
                        process.wait()

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            request_queue_size = 64

            def shutdown_request(self, request):
                pass

        with Served(Server(("127.0.0.1", 0), Handler)) as served:
            self.port, self.url = served.port, served.url
            yield self

    def connect(self):
        return Connection(("127.0.0.1", self.port))

    def answer(self, request):
        """The only answer to these bytes."""
        with self.connect() as connection:
            connection.send(request)
            answer = connection.response()
            connection.socket.shutdown(socket.SHUT_WR)
            assert connection.is_closed_by_server()
        return answer

    def get(self, target, headers=None, method="GET"):
        with self.connect() as connection:
            answer = connection.exchange(method, target, headers=headers)
            assert connection.is_closed_by_server()
        return answer

    def ended(self, count=1):
        """Waits until that many processes have ended; they are to have ended well, and to leave nothing."""
        wait_for(lambda: len(self.codes) >= count, "it ended")
        assert self.codes == [0] * count, self.log()
        assert list((self.directory / "state").iterdir()) == []


@pytest.fixture
def probe(tmp_path):
    with Probe(tmp_path / "site").listening() as listening:
        yield listening


@pytest.fixture
def small_probe(tmp_path):
    site = Probe(tmp_path / "site", shell=[shutil.which("busybox"), "sh"], path=small_tools(tmp_path / "tools"))
    with site.listening() as listening:
        yield listening


def page_of(answer):
    assert answer.status == 200, answer
    assert promtool(answer.text)[0] is False, answer.text
    typed = {line.split()[2] for line in answer.text.splitlines() if line.startswith("# TYPE")}
    lines = []
    for line in answer.text.splitlines():  # the page is read strictly
        name = line.partition("{")[0].partition(" ")[0]
        if not line.startswith("#") and name not in typed:
            typed.add(name)
            lines.append(f"# TYPE {name} untyped")
        lines.append(line)
    return Page("\n".join(lines) + "\n", in_order=False)


@pytest.mark.smoke
def test_by_curl(probe):
    probe.write('echo "# TYPE queue gauge"; echo "queue{of=\\"a\\"} 3"')
    url = f"{probe.url}/probe?script=check"
    head, _, body = curl("-i", url).decode().partition("\r\n\r\n")
    assert head.split("\r\n") == [
        "HTTP/1.1 200 OK", "Content-Type: text/plain; version=0.0.4; charset=utf-8",
        f"Content-Length: {len(body)}", "Connection: close"]
    printed = probe.succeed("run-script", "--stdout", "check").stdout
    assert [line for line in body.splitlines() if "duration" not in line] == [
        line for line in printed.splitlines() if "duration" not in line]
    assert 'queue{of="a"} 3\n' in body and "script_success 1\n" in body
    assert f"Content-Length: {len(body)}\r\n\r\n" in curl("-I", url).decode().replace("Connection: close\r\n", "")
    assert curl("-G", "--data-urlencode", "script=check", f"{probe.url}/probe").startswith(b"# TYPE queue")
    assert probe.log() == ""
    probe.ended(3)


def test_head_is_without_body(probe):
    probe.write("echo a 1")
    answer = probe.get("/probe?script=check", method="HEAD")  # and then it is closed
    assert answer.status == 200 and int(answer.headers["content-length"]) > 100


@pytest.mark.parametrize("target", [
    "/probe?script=a+b%3d%C3%81", "/probe?x=1&script=a%20b%3D%c3%81&script=check&params=x", "http://a.test/probe?script=a+b=%C3%81",
    "/probe?params=%24(touch+ran)&script=a%20b=%C3%81&prefix=x&timeout=0"])
@pytest.mark.parametrize("which", ["probe", "small_probe"])
def test_names_are_decoded(request, which, target):
    probe = request.getfixturevalue(which)
    probe.write('echo "arguments $#"', name="a b=Á")
    probe.write('echo "other 1"')
    assert page_of(probe.get(target)).value("arguments") == 0


FAILURES = {
    "failed": ("echo there 1; exit 3", {"there": 1, "script_success": 0, "script_exit_code": 3}),
    "hung": ("echo there 1; sleep 60", {"there": 1, "script_success": 0, "script_exit_code": 124}),
    "hung and deaf": ("trap '' TERM; echo there 1; while :; do sleep 0.1; done", {"there": 1, "script_exit_code": 124}),
    "nothing": ("", {"script_success": 1, "script_lines": 0}),
    "bad line": ("echo 'up{host=\"a\"} up'; echo 'there 1'", {"there": 1, "script_success": 1, "script_lines": 1}),
    "not a number": ("echo there NaN", {"there": math.nan, "script_success": 1}),
    "twice": ("echo there 1; echo there 2", {"there": 1, "script_lines": 1}),
    "not whole": ("echo there 1; printf 'half 1'; exit 1", {"there": 1, "half": None, "script_success": 0}),
    "10 MB": ("echo there 1; yes 'x 1' | head -c 10000000; echo after 1",
              {"there": 1, "x": 1, "after": None, "script_truncated": 1}),
    "as if": ("echo script_success 7; printf '\\r\\n\\r\\nHTTP/1.1 500 No\\r\\n'; echo there 1", {"there": 1, "script_success": 1}),
    "no interpreter": (None, {"script_success": 0}),
}


@pytest.mark.parametrize("what", FAILURES)
@pytest.mark.parametrize("which", ["probe", "small_probe"])
def test_failures_are_served(request, which, what):
    body, values = FAILURES[what]
    probe = request.getfixturevalue(which)
    probe.arguments = ["--timeout=1"]
    path = probe.write(body)
    if body is None:
        path.write_text("#!/nowhere/sh\n")
    page = page_of(probe.get("/probe?script=check"))
    for name, value in values.items():
        found = page.value(name)
        assert found == value or (math.isnan(value) and math.isnan(found)), (name, found)
    probe.ended()


def test_what_a_script_leaves_running_does_not_hold_the_connection(probe):
    probe.write(f"sleep 60 & echo $! >'{probe.directory}/left'; echo 'there 1'")
    assert page_of(probe.get("/probe?script=check")).value("there") == 1
    os.kill(int((probe.directory / "left").read_text()), signal.SIGKILL)


def test_prometheus_that_waits_less_long(probe):
    """It gets an answer, and not a target that is down."""
    probe.arguments = ["--timeout=1h"]
    probe.write("echo there 1; sleep 3600")
    for seconds in ("1", "0.4", "1.70"):
        began = time.monotonic()
        page = page_of(probe.get("/probe?script=check", {"X-prometheus-Scrape-Timeout-Seconds": seconds}))
        assert time.monotonic() - began >= float(seconds) / 2
        assert (page.value("there"), page.value("script_exit_code")) == (1, 124)
        assert page.value("script_duration_seconds") < 60
    probe.arguments = ["--timeout=0.3"]
    for seconds in ("0", "-1", "1e9", "999999999999", "$(sleep 60)", "x", ""):
        page = page_of(probe.get("/probe?script=check", {"X-Prometheus-Scrape-Timeout-Seconds": seconds}))
        assert page.value("script_exit_code") == 124


@pytest.mark.parametrize("which", ["probe", "small_probe"])
def test_names_that_are_refused(request, which):
    probe = request.getfixturevalue(which)
    ran = probe.directory / "ran"
    probe.write(f"touch '{ran}'").rename(probe.allowed.parent / "outside")
    probe.write(f"touch '{ran}'", name="open").chmod(0o777)
    probe.write(f"touch '{ran}'", name="plain").chmod(0o644)
    for name in (".hidden", "-h", "--stdout", "--allow=.", "a..b"):
        probe.write(f"touch '{ran}'", name=name)
    (probe.allowed / "folder").mkdir()
    queries = ["script=" + urllib.parse.quote(name, safe="") for name in (
        "none", "open", "plain", "folder", ".hidden", "-h", "--stdout", "--allow=.", "a..b", ".", "..", "../outside",
        str(probe.allowed / "open"), "a/b", "plain\n", "plain\0", "\0", "\x7f", f"$(touch {ran.name})", f"`touch {ran.name}`",
        f"; touch {ran.name}", "*", "?", "[p]lain", "''", '"', "\\", "\xff", "x" * 300, "x" * 5000)]
    queries += ["", "script", "script=", "script=%", "script=%4", "script=%zz", "script=plain%", "Script=open", "x=script=open",
                "script=&script=open", "script=%2e%2E%2foutside", "script=%252e"]
    with ThreadPoolExecutor(8) as threads:  # what busybox's timeout leaves behind has the connection for a second
        answers = list(threads.map(lambda query: probe.get(f"/probe?{query}"), queries))
    for query, answer in zip(queries, answers):
        assert answer.status == 400 and answer.headers["content-type"] == "text/plain; charset=utf-8", (query, answer)
        assert answer.text.startswith(("this is no ", "it is /probe?script=NAME")), (query, answer.text)
        assert answer.text.endswith("\n") and answer.text.count("\n") == 1 and str(probe.directory) not in answer.text
    assert not ran.exists()
    probe.ended(len(queries))


def test_other_paths_and_methods(probe):
    for target in ("/", "/metrics", "/probe/", "/probe/x?script=check", "//probe?script=check", "/Probe?script=check",
                   "*", "/x/../probe?script=check", "/%70robe?script=check"):
        assert probe.get(target).status == 404, target
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "get", "X-Y"):
        answer = probe.answer(f"{method} /probe?script=check HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na=b")
        assert answer.status == 405 and answer.headers["allow"] == "GET, HEAD", method
    probe.ended(15)


def test_upload_is_told_what_it_is(probe):
    """Who still sends when the answer is there sees it, too."""
    code = curl("-o", "/dev/null", "-w", "%{http_code}", "-H", "Expect:", "--data-binary", "@-",
                f"{probe.url}/probe?script=check", data=bytes(5_000_000))
    assert code == b"405"
    probe.ended()


WRONG = {
    "nothing": ("", 400), "half": ("GET /probe?scr", 400), "half head": (SCRIPT[:-2], 400), "half end": (SCRIPT[:-1], 400),
    "empty line": ("\r\n" + SCRIPT, 400), "words": ("hello\r\n\r\n", 400), "of old": ("GET /probe?script=check\r\n\r\n", 400),
    "version": (SCRIPT.replace("1.1", "2.0"), 400), "blanks": (SCRIPT.replace(" ", "  ", 1), 400),
    "tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)), 400),
    "no header": (SCRIPT.replace("Host: ", "Host "), 400), "folded": (SCRIPT.replace("\r\n\r\n", "\r\n b: c\r\n\r\n"), 400),
    "bytes": (SCRIPT.encode().replace(b"check", b"ch\xffck"), 400), "zero": (SCRIPT.replace("check", "check\0"), 400),
    "long target": (SCRIPT.replace("check", "x" * 9000), 431), "no end of line": ("A" * 100_000, 431),
    "long header": (SCRIPT.replace("site.test", "x" * 9000), 431),
    "many headers": (SCRIPT.replace("\r\n\r\n", "\r\nx: y" * 8000 + "\r\n\r\n"), 431),
}


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("which", ["probe", "small_probe"])
def test_requests_that_are_none(request, which, what):
    probe = request.getfixturevalue(which)
    probe.write(f"touch '{probe.directory}/ran'")
    sent, status = WRONG[what]
    with probe.connect() as connection:
        connection.send(sent)
        connection.socket.shutdown(socket.SHUT_WR)
        answer = connection.response()
        assert connection.is_closed_by_server()
    assert answer.status == status and answer.text.endswith("\n"), answer
    assert not (probe.directory / "ran").exists()
    probe.ended()


def test_limits_are_not_below(probe):
    probe.write("echo there 1")
    for request in (SCRIPT.replace("site.test", "x" * 8000), SCRIPT.replace("\r\n\r\n", f"\r\nx: {'y' * 7000}" * 4 + "\r\n\r\n")):
        assert page_of(probe.answer(request)).value("there") == 1


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_byte_by_byte(probe, end):
    probe.write("echo there 1")
    probe.arguments = [f"--request-timeout={DEADLINE}"]
    with probe.connect() as connection:
        for byte in SCRIPT.replace("\r\n", end):
            connection.send(byte)
            time.sleep(0.002)
        assert page_of(connection.response()).value("there") == 1


@pytest.mark.parametrize("sent", ["", "GET /probe?script=", SCRIPT[:-2]])
@pytest.mark.parametrize("which", ["probe", "small_probe"])
def test_too_slow(request, which, sent):
    probe = request.getfixturevalue(which)
    probe.arguments = ["--request-timeout=1"]
    with probe.connect() as connection:
        connection.send(sent)
        assert connection.response().status == 408
        probe.ended()  # though the connection is open at this end


def test_drop_by_drop(probe):
    """Each byte in time, and never the whole."""
    probe.arguments = ["--request-timeout=1"]
    ended = threading.Event()
    with probe.connect() as connection, ThreadPoolExecutor(1) as threads:
        def drip():
            with contextlib.suppress(OSError):
                while not ended.wait(0.05):
                    connection.send("A")
        threads.submit(drip)
        try:
            assert connection.response().status == 408
            probe.ended()
        finally:
            ended.set()


def test_who_takes_no_answer_is_given_up(probe):
    probe.arguments = ["--request-timeout=1", "--most-bytes=20000000"]
    probe.write("i=0; while [ $i -lt 4000 ]; do echo \"m{i=\\\"$i\\\",x=\\\"$1" + "x" * 2000 + "\\\"} 1\"; i=$((i + 1)); done")
    with Connection(("127.0.0.1", probe.port), receive_buffer=4096) as connection:
        connection.send(SCRIPT)
        probe.ended()
        with pytest.raises(Closed):
            connection.response()
    assert "nobody took the answer" in probe.log()


def test_who_is_gone_costs_nothing(probe):
    probe.write("echo there 1")
    with probe.connect() as connection:
        connection.send(SCRIPT)
    probe.connect().close()
    probe.ended(2)


def test_many_at_once(probe):
    probe.write("sleep 0.2; echo there 1")
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: probe.get("/probe?script=check"), range(16)))
    assert all(page_of(answer).value("there") == 1 for answer in answers)
    probe.ended(16)


def test_stderr_of_inetd_is_the_connection(probe):
    """There only the answer may go."""
    probe.is_stderr_the_connection = True
    probe.write("echo there 1; echo what >&2; exit 1")
    assert page_of(probe.answer(SCRIPT)).value("there") == 1
    assert probe.get("/probe?script=none").text == "this is no allowed script\n"


def test_what_goes_wrong_is_logged(probe):
    probe.write("echo 'x{'; echo what went wrong >&2; exit 3")
    probe.get("/probe?script=check")
    probe.get("/probe?script=none")
    for words in ("what went wrong", "line 1 dropped", "ended with 3", "'none' is no allowed script"):
        assert words in probe.log()


def test_run_script_that_cannot_run(probe):
    probe.write("echo there 1")
    probe.arguments = ["--most-bytes=x"]
    answer = probe.get("/probe?script=check")
    assert answer.status == 500 and "the script could not be run" in answer.text
    assert "--most-bytes is a number" in probe.log()


@pytest.mark.parametrize("shell", [[], ["bash", "--posix"], ["busybox", "sh"]], ids=["sh", "bash", "busybox"])
@pytest.mark.parametrize("while_", ["reads", "runs"])
def test_a_signal_is_not_kept_waiting(tmp_path, shell, while_):
    site = Probe(tmp_path / "site", shell=[shutil.which(shell[0]), *shell[1:]] if shell else [])
    site.write(f"echo >'{tmp_path}/runs'; exec sleep 3600")
    ours, its = socket.socketpair()
    with ours, its:
        process = subprocess.Popen(site.command("probe-scripts", "--request-timeout=1h", "--timeout=1h"), stdin=its, stdout=its,
                                   env=site.variables, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            its.close()
            if while_ == "runs":
                ours.sendall(SCRIPT.encode())
                wait_for((tmp_path / "runs").exists, "the script runs")
            else:
                ours.sendall(SCRIPT[:9].encode())
                wait_for(lambda: any(path.stat().st_size for path in (site.directory / "state").glob("*.tmp/request")),
                         "it reads")
            process.terminate()
            assert process.wait(DEADLINE) == 143
            wait_for(lambda: not left_of(site), "nothing of it goes on")
            ours.settimeout(DEADLINE)
            assert ours.recv(1) == b"" and list((site.directory / "state").iterdir()) == []
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_scraped_by_prometheus(probe, cleared_weir, tmp_path):
    """As sense-rtmon's sites have it: the checks by one script, another that fails, and one that is not there."""
    cleared_weir.put("/metrics/job/node-exporter/instance/a", "node_load1 1\n")
    probe.write(f"exec '{SCRIPTS}/l2-checks' --stdout --server='{cleared_weir.url}' --host1=a --host2=b", name="default")
    probe.write("echo 'value 42.5'; echo 'up{host=\"a\"} up'; echo 'nothing NaN'; exit 3", name="multi")
    probe.write("trap '' TERM; echo 'before 1'; while :; do sleep 0.1; done", name="hangs")
    probe.arguments = ["--timeout=1h"]
    jobs = [{"job_name": name, "metrics_path": "/probe", "params": {"script": [name]}, "scrape_interval": "6s",
             "scrape_timeout": "6s", "static_configs": [{"targets": [f"127.0.0.1:{probe.port}"]}]}
            for name in ("default", "multi", "hangs", "none")]
    with Prometheus(tmp_path / "prometheus", {}, jobs=jobs) as prometheus:
        def value(expression):
            (_, found), = prometheus.wait_for(expression)
            return found
        assert value('host1_node_on{job="default"}') == "1" and value('host2_node_on{job="default"}') == "0"
        assert value('value{job="multi"}') == "42.5" and value('nothing{job="multi"}') == "NaN"
        assert value('script_success{job="multi"}') == "0" and value('script_exit_code{job="multi"}') == "3"
        assert value('script_rejected_lines{job="multi",reason="value"}') == "1"
        assert value('before{job="hangs"}') == "1" and value('script_exit_code{job="hangs"}') == "124"
        assert value('up{job="none"}') == "0" and value('up{job="hangs"} == 1') == "1"
        assert "400 Bad Request" in prometheus.target("none")["lastError"]


@pytest.mark.parametrize("arguments,words", [
    (["--what"], "unknown option"), (["check"], "unknown option"), (["--every=1"], "--every"),
    (["--request-timeout=0"], "--request-timeout"), (["--timeout=x"], "duration")])
def test_misuse(probe, arguments, words):
    assert words in probe.fail("probe-scripts", *arguments, code=2)
