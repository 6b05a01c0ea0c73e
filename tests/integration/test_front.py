"""docker/nginx: by name and TLS to two weirs on one Redis, to Prometheus and to Grafana."""

import contextlib
import http.server
import json
import subprocess

import pytest

from compose_files import services
from front import Front
from harness import DEADLINE, curl, wait_for
from redis_servers import RedisServer
from served import Served

class Echo(http.server.BaseHTTPRequestHandler):
    """Stands in for Grafana and Prometheus: says what it was asked."""

    def do_GET(self):
        body = json.dumps({"path": self.path, "port": self.server.server_port,
                           **{key.lower(): value for key, value in self.headers.items()}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def echo():
    return Served(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo))


@contextlib.contextmanager
def running(start_weir, directory):
    """(front, weirs)"""
    with RedisServer(directory / "redis") as redis, echo() as prometheus, echo() as grafana:
        weirs = [start_weir(f"--state.url={redis.url}", "--web.external-url=https://push.example.com/")
                 for _ in range(2)]
        addresses = [f"127.0.0.1:{weir.address[1]}" for weir in weirs]
        with Front(directory / "front", addresses, prometheus.port, [grafana.port] * 2) as front:
            for weir in weirs:
                wait_for(lambda weir=weir: weir.get("/-/ready").status == 200, "both are ready")
            front.prometheus, front.grafana = prometheus.port, grafana.port
            yield front, weirs


@pytest.fixture(scope="module")
def stack(start_shared_weir, tmp_path_factory):
    with running(start_shared_weir, tmp_path_factory.mktemp("stack")) as one:
        yield one


@pytest.mark.smoke
def test_pushes_go_to_both_and_are_everywhere(stack):
    front, weirs = stack
    for number in range(6):
        assert front.push(f"/metrics/job/j/instance/{number}", b"m 1\n") == 200
    assert all(weir.scrape().value("pushgateway_http_push_duration_seconds_count", method="put") > 0 for weir in weirs)
    for weir in weirs:
        wait_for(lambda weir=weir: len([line for line in weir.scrape().stored() if line.startswith("m{")]) == 6,
                 "each has all")
    status, page = front.ask("push", "/metrics")
    assert status == 200 and 'm{instance="5",job="j"} 1\n' in page
    assert front.ask("push", "/metrics/job/j/instance/5", "-X", "DELETE")[0] == 202


def test_a_weir_that_is_gone_is_not_missed(start_weir, tmp_path):
    with running(start_weir, tmp_path) as (front, weirs):
        weirs[0].stop()
        for number in range(4):
            assert front.push(f"/metrics/job/j/instance/{number}", b"m 1\n") == 200
        assert front.ask("push", "/-/ready", user=False) == (200, "OK")


def test_a_body_arrives_as_it_is(stack):
    """Large, or with odd names in the path; a refusal comes with weir's own words."""
    front, weirs = stack
    large = b"".join(b'm{n="%d"} 1\n' % number for number in range(100000))
    assert front.push("/metrics/job/large", large) == 200
    assert front.push("/metrics/job@base64/YS9i/path/x%20y%C3%BC", b"odd 1\n") == 200
    wait_for(lambda: 'odd{instance="",job="a/b",path="x yü"} 1' in weirs[0].scrape().stored(), "it is there")
    status, said = front.ask("push", "/metrics/job/j", "-X", "PUT", "--data-binary", "@-", data=b"m x\n")
    assert status == 400 and "line 1" in said


def test_who_has_no_password_is_let_in_nowhere(stack):
    front, _ = stack
    for name, path in (("push", "/metrics"), ("push", "/"), ("push", "/-/ready/"), ("metrics", "/api/v1/query?query=up")):
        assert front.ask(name, path, user=False)[0] == 401
        assert front.ask(name, path, "--user", "ada:wrong", user=False)[0] == 401
    assert front.push("/metrics/job/j", b"m 1\n", user=False) == 401
    assert front.ask("push", "/-/ready", user=False) == (200, "OK")


@pytest.mark.parametrize("path", [
    "/metrics/job/j/a/..%2F..%2F..%2F..%2F-%2Fready", "/metrics/job/j/instance/..%2f..%2f..%2f..%2f-%2fready",
    "/metrics/../-/ready", "/metrics/job%2F..%2F..%2F-%2Fready", "/metrics/..%2F-%2Fready", "/%2d/ready"])
def test_no_path_is_readiness_to_nginx_and_another_to_weir(stack, path):
    """nginx decides by the path as it is without dots and escapes, and weir reads it as it came."""
    front, weirs = stack
    before = weirs[0].scrape().groups()
    assert front.ask("push", path, user=False) == (200, "OK")
    for method in ("PUT", "POST", "DELETE"):
        status, _ = front.ask("push", path, "-X", method, "--data-binary", "@-", data=b"sneaked_in 1\n", user=False)
        assert status not in (200, 202)
    assert [weir.scrape().groups() for weir in weirs] == [before, before]


def test_names_lead_to_their_own(stack):
    front, _ = stack
    status, said = front.ask("metrics", "/graph?g0.expr=up")
    asked = json.loads(said)
    assert (status, asked["port"], asked["path"]) == (200, front.prometheus, "/graph?g0.expr=up")
    assert "authorization" not in asked
    status, said = front.ask("grafana", "/d/weir", "-H", "Authorization: Bearer t", user=False)
    asked = json.loads(said)
    assert (status, asked["port"], asked["host"]) == (200, front.grafana, "grafana.example.com")
    assert (asked["authorization"], asked["x-forwarded-proto"]) == ("Bearer t", "https")
    asked = json.loads(front.ask("grafana", "/api/live/ws", "-H", "Connection: Upgrade", "-H", "Upgrade: websocket",
                                 user=False)[1])
    assert (asked["connection"], asked["upgrade"]) == ("upgrade", "websocket")


def test_what_grafana_says_of_itself_is_not_shown(stack):
    for path in ("/metrics", "//metrics", "/metrics/", "/%6detrics"):
        assert stack[0].ask("grafana", path, user=False) == (403, "not from here\n")
    assert stack[0].ask("grafana", "/metrics-explorer", user=False)[0] == 200


@pytest.mark.parametrize("path", [
    "/api/v1/admin/tsdb/delete_series", "//api/v1/admin/tsdb/snapshot", "/api/v1/../v1/admin/tsdb/snapshot",
    "/api/v1/%61dmin/tsdb/snapshot", "/-/quit", "/-/reload"])
def test_prometheus_is_not_administered_from_outside(stack, path):
    assert stack[0].ask("metrics", path) == (403, "not from here\n")


def test_other_names_and_plain_http_are_refused(stack):
    front, _ = stack
    for name in ("other", "weir"):
        done = subprocess.run(
            ["curl", "-sS", "-k", "--resolve", f"{name}.example.com:{front.port}:127.0.0.1",
             f"https://{name}.example.com:{front.port}/"], capture_output=True, text=True, check=False)
        assert done.returncode == 35 and "unrecognized name" in done.stderr, done.stderr
    assert b"400 The plain HTTP request was sent to HTTPS port" in curl(f"http://127.0.0.1:{front.port}/metrics")
    assert curl(f"http://127.0.0.1:{front.health}/") == b"ok\n"


def test_what_nginx_counts_is_told_to_those_meant(stack):
    """stub_status is for one network; health checks are for everybody that gets there."""
    status = f"http://127.0.0.1:{stack[0].health}/status"
    assert curl(status).startswith(b"Active connections: ")
    assert b"403 Forbidden" in curl("--interface", "127.0.0.2", status)
    assert curl("--interface", "127.0.0.2", f"http://127.0.0.1:{stack[0].health}/") == b"ok\n"


def test_settings_are_good_and_whole(tmp_path):
    front = Front(tmp_path / "front", ["127.0.0.1:1", "127.0.0.1:2"], 3, [4, 5])
    done = subprocess.run(front.nginx("-t"), capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert done.returncode == 0 and "warn" not in done.stderr, done.stderr
    assert "NGINX_" not in front.conf.read_text()


def test_it_starts_whoever_is_away():
    """It is told addresses, so it looks up no names; each is that of the service meant."""
    cloud = services("cloud")
    told = {name: value for name, value in cloud["nginx"]["environment"].items()
            if name.startswith(("NGINX_WEIR", "NGINX_PROMETHEUS", "NGINX_GRAFANA"))}
    assert len(told) == 5
    for name, value in told.items():
        service = name.removeprefix("NGINX_").lower().replace("_", "-")
        assert value.partition(":")[0] == cloud[service]["networks"]["back"]["ipv4_address"]
