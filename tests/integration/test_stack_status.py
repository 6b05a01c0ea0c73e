"""scripts/stack status: each component is asked, and one that is away or hangs is named, with when it was last seen."""

import contextlib
import http.server
import json
import re
import signal
from pathlib import Path

import pytest

import peers
from compose_files import DOCKER
from harness import wait_for
from installations import LARGE, Installation
from postgres_servers import PostgresServer
from redis_servers import RedisServer, free_port
from served import Served
from test_auth import hash_of
from test_stack import SECRET, compose, stack  # noqa: F401

COLUMNS = ["COMPONENT", "UP", "SINCE", "LAST SEEN", "WAITING", "LINK"]
NGINX = """daemon off; pid nginx.pid; error_log stderr; events {}
http { access_log off; server { listen 127.0.0.1:%d; location / { return 403; } } }
"""


class Grafana(http.server.BaseHTTPRequestHandler):
    """Debian has none: what one says of its health."""

    database = "ok"

    def do_GET(self):
        assert self.path == "/api/health"
        body = json.dumps({"database": self.database, "version": "11.2.2"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def grafana():
    class Own(Grafana):
        pass
    with Served(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Own)) as served:
        served.handler = Own
        yield served


def status(variables, code, *arguments):
    got, output, errors = stack("status", "--json", *arguments, **variables)
    assert (got, errors) == (code, ""), output + errors
    said = json.loads(output)
    assert said["up"] is (code == 0)
    return {one["name"]: one for one in said["components"]}


def away(components):
    return {name for name, one in components.items() if not one["up"]}


@contextlib.contextmanager
def nginx(directory):
    directory.mkdir()
    port = free_port()
    (directory / "nginx.conf").write_text(NGINX % port)
    with peers.Peer(directory, "nginx", "-e", "stderr", "-p", str(directory), "-c", str(directory / "nginx.conf")):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def alertmanager(directory):
    directory.mkdir()
    (directory / "a.yml").write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    with peers.Peer(directory, "prometheus-alertmanager", f"--config.file={directory}/a.yml",
                    f"--storage.path={directory}", "--cluster.listen-address=", "--web.listen-address=127.0.0.1:0") as one:
        yield one.url


@pytest.fixture
def whole(start_weir, grafana, tmp_path):
    """(its variables, the servers by name), of all that a stack has."""
    (tmp_path / "secret").write_text(SECRET)
    with contextlib.ExitStack() as opened:
        postgres = opened.enter_context(PostgresServer())
        redis = opened.enter_context(RedisServer(tmp_path / "redis", password=SECRET, keeps=True))
        weirs = [start_weir(f"--state.url={redis.url}", f"--state.password-file={tmp_path}/secret",
                            f"--targets.url={postgres.url}") for _ in range(2)]
        prometheus = opened.enter_context(peers.Prometheus(
            tmp_path / "prometheus", {f"weir-{number}": weir.url for number, weir in enumerate(weirs)}))
        yield {"WEIR_URL": " ".join(weir.url for weir in weirs), "POSTGRES_URL": postgres.url.rpartition("/")[0],
               "REDIS_PORT": redis.port, "REDISCLI_AUTH": SECRET, "PROMETHEUS_URL": prometheus.url,
               "ALERTMANAGER_URL": opened.enter_context(alertmanager(tmp_path / "alertmanager")),
               "GRAFANA_URL": grafana.url, "NGINX_URL": opened.enter_context(nginx(tmp_path / "nginx"))}, {
                   "postgres": postgres, "redis": redis, "weirs": weirs, "prometheus": prometheus, "grafana": grafana}


@pytest.mark.smoke
def test_each_is_asked(whole):
    variables, servers = whole
    names = {"weir-1", "weir-1/state", "weir-1/targets", "weir-2", "weir-2/state", "weir-2/targets", "redis",
             "postgres", "prometheus", "alertmanager", "grafana", "nginx"}
    wait_for(lambda: stack("status", **variables)[0] == 0, "all are up")
    components = status(variables, 0)
    assert set(components) == names
    assert components["weir-1"]["waiting"] == components["prometheus"]["waiting"] == 0
    for name in ("weir-1", "redis", "postgres", "prometheus", "alertmanager"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", components[name]["since"]), name
    assert components["weir-2"]["link"] == servers["weirs"][1].url + "/"
    servers["redis"].kill()
    wait_for(lambda: away(status(variables, 1)) == {"redis", "weir-1/state", "weir-2/state"}, "its state is away")
    components = status(variables, 1)
    assert components["redis"]["last_seen"] == max(components[f"weir-{number}/state"]["last_seen"] for number in (1, 2))
    assert "Connection refused" in components["redis"]["why"]
    code, output, _ = stack("status", **variables)
    head, *lines = output.splitlines()
    assert code == 1 and re.split(r"\s{2,}", head) == COLUMNS
    assert [line.split()[:2] for line in lines if line.startswith("redis")] == [["redis", "away"]]
    assert SECRET not in output


INNER = '{"data":{"start_time":"2026-01-01T00:00:00Z","components":[{"name":"a\\u001b[1m\\n","up":%s,"last_seen":null,' \
    '"waiting":%s,"url":%s}]}}'


@pytest.mark.parametrize("body,is_up", [
    ("", False), ("[]", False), ('{"data":[]}', False), ('{"data":{"start_time":1}}', False), ("[" * 99_999, False),
    ('{"data":{"start_time":"2026-01-01T00:00:00Z","components":1}}', False),
    (INNER % ("true", "1e999", '"x"'), False), (INNER % ('"no"', "1", '"x"'), False), (INNER % ("true", "1", "5"), False),
    (INNER % ("true", "1", '"x\\u0007"'), True),
])
def test_one_that_says_anything(grafana, body, is_up):
    """It is named, on lines without anything that cannot be seen; nothing else is wrong."""
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())
    grafana.handler.do_GET = do_GET
    code, output, errors = stack("status", WEIR_URL=grafana.url, PROMETHEUS_URL=grafana.url)
    assert errors == "" and code == 1 and all(line.isprintable() for line in output.split("\n")), output
    one = status({"WEIR_URL": grafana.url}, 0 if is_up else 1)["weir"]
    assert is_up or "its answer is not understood" in one["why"]


def test_two_grafanas_by_their_urls(grafana):
    gone = f"http://127.0.0.1:{free_port()}"
    components = status({"GRAFANA_URL": f"{grafana.url} {gone}"}, 1)
    assert {name: (one["up"], one["link"]) for name, one in components.items()} == {
        "grafana-1": (True, f"{grafana.url}/"), "grafana-2": (False, f"{gone}/")}


def test_one_that_hangs_does_not_hold_it_up(whole):
    variables, servers = whole
    wait_for(lambda: stack("status", **variables)[0] == 0, "all are up")
    weir = servers["weirs"][0]
    weir.signal(signal.SIGSTOP)
    try:
        with servers["postgres"].frozen():
            servers["redis"].pause()
            components = status(variables, 1, "--timeout=1")
            servers["redis"].resume()
    finally:
        weir.signal(signal.SIGCONT)
    assert {"weir-1", "redis", "postgres"} <= away(components)
    assert "does not answer within 1 s" in components["redis"]["why"]
    assert "in time" in components["weir-1"]["why"]
    assert not {"prometheus", "alertmanager", "grafana", "nginx"} & away(components)


def test_what_else_is_wrong(grafana, start_weir, tmp_path):
    """A Grafana without its database; a weir that asks for a password, and gets it, or not."""
    grafana.handler.database = "failing"
    assert "its database is 'failing'" in status({"GRAFANA_URL": grafana.url}, 1)["grafana"]["why"]
    config = tmp_path / "web.yml"
    config.write_text(f"basic_auth_users: {{u: {hash_of(SECRET)}}}\n")
    url = start_weir(f"--web.config.file={config}").url
    one = status({"WEIR_URL": url}, 1)["weir"]
    assert "401" in one["why"]
    wait_for(lambda: stack("status", WEIR_URL=url.replace("//", f"//u:{SECRET}@"))[0] == 0, "it is let in")
    code, output, _ = stack("status", WEIR_URL=url.replace("//", f"//u:{SECRET}@"))
    assert code == 0 and SECRET not in output
    code, _, errors = stack("status", WEIR_URL=f"ftp://u:{SECRET}@h")
    assert code == 1 and errors.startswith("stack: a URL is http://") and SECRET not in errors
    assert stack("status")[:2] == (1, "") and "nothing to ask" in stack("status")[2]
    assert stack("status", "--timeout=0", WEIR_URL=url)[0] == 2


def test_one_that_prometheus_has_seen(start_weir, tmp_path):
    weir = start_weir()
    with peers.Prometheus(tmp_path / "prometheus", {"weir": weir.url}) as prometheus:
        prometheus.wait_for("max_over_time(timestamp(up == 1)[1m:1s])")
        weir.stop()
        variables = {"WEIR_URL": weir.url, "PROMETHEUS_URL": prometheus.url}
        assert status(variables, 1)["weir"]["last_seen"] is not None


def test_containers_are_asked_from_within(compose, tmp_path):  # noqa: F811
    program, told = compose
    with PostgresServer() as postgres:
        variables = {"COMPOSE": program, "PGHOST": "127.0.0.1", "PGPORT": postgres.port, "DOMAIN": "example.com",
                     "SERVICES": "postgres weir-1 weir-2 prometheus nginx other"}
        where = f"--compose-file={DOCKER / 'compose.cloud.yml'}"
        code, output, errors = stack(where, "status", "--json", **variables)
    components = {one["name"]: one for one in json.loads(output)["components"]}
    assert (code, errors) == (1, "") and set(components) == {"weir-1", "weir-2", "postgres", "prometheus", "nginx"}
    assert components["postgres"]["up"] and components["postgres"]["since"]
    assert components["weir-1"]["link"] == "https://push.example.com/"
    lines = told()
    assert "exec -T weir-2 /usr/bin/weir probe" in lines
    assert "exec -T prometheus wget -q -T 5 -O - http://127.0.0.1:9090/-/ready" in lines
    assert "exec -T nginx wget -q -O /dev/null http://127.0.0.1:8080/" in lines


def test_a_container_that_hangs_does_not_hold_it_up(tmp_path):
    program = tmp_path / "compose"
    program.write_text("""#!/bin/sh
case $* in
*" config "*) echo weir-1 grafana-1 grafana-2 ;;
*" exec -T grafana-1 "*health) echo '{"database":"ok"}' ;;
*) echo $$ >>"$0.pids"; exec sleep 100 ;;
esac
""")
    program.chmod(0o755)
    code, output, errors = stack(f"--compose-file={DOCKER / 'compose.cloud.yml'}", "status", "--json", "--timeout=1",
                                 COMPOSE=program)
    assert (code, errors) == (1, "")
    components = {one["name"]: one for one in json.loads(output)["components"]}
    assert away(components) == {"weir-1", "grafana-2"}
    assert components["grafana-2"]["why"] == "grafana-2: it does not answer within 1 s"
    for pid in (tmp_path / "compose.pids").read_text().split():
        assert not Path(f"/proc/{pid}").exists(), "nobody is left behind"


def test_as_many_as_setup_has_made(compose, tmp_path):  # noqa: F811
    """Eleven weirs and two Grafanas, under names of their own, each with its link."""
    program, told = compose
    made = Installation(tmp_path, {**LARGE, "weirs": {"count": 11}, "names": {"push": "in", "grafana": "g.ops"}})
    made.made()
    services = list(made.services())
    code, output, errors = stack(
        f"--compose-file={made.directory}/compose.yml", f"--env-file={made.directory}/.env", "status", "--json",
        COMPOSE=program, SERVICES=" ".join(reversed(services)))
    listed = json.loads(output)["components"]
    assert (code, errors) == (1, "")
    assert [one["name"] for one in listed] == [
        *(f"weir-{number}" for number in range(1, 12)), "redis", "postgres", "prometheus", "alertmanager", "nginx",
        "grafana-1", "grafana-2", "push-nginx"]
    assert sorted(one["name"] for one in listed) == sorted(services)
    links = {one["name"]: one["link"] for one in listed}
    assert links["weir-1"] == links["weir-11"] == "https://in.example.com/"
    assert links["grafana-1"] == links["grafana-2"] == "https://g.ops.example.com/"
    assert links["prometheus"] == "https://metrics.example.com/"
    lines = " ".join(told())
    assert "exec -T weir-11 /usr/bin/weir probe" in lines
    assert "exec -T grafana-2 wget -q -T 5 -O - http://127.0.0.1:3000/api/health" in lines
    assert "exec -T push-nginx is-pushing" in lines
