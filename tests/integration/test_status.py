"""GET /api/v1/status: what runs, how it is set, since when."""

import datetime
import json
import subprocess

import pytest

from harness import command, environment

# What a Pushgateway tells, by the names of its flags that have to do with what it serves.
UPSTREAM = {
    "log.format": "logfmt", "log.level": "info", "push.disable-consistency-check": "false",
    "push.enable-utf8-names": "false", "web.enable-admin-api": "false",
    "web.enable-lifecycle": "false", "web.external-url": "", "web.route-prefix": "",
    "web.telemetry-path": "/metrics",
}


def status_of(weir, target="/api/v1/status"):
    answer = weir.get(target)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    parsed = json.loads(answer.text)
    assert parsed["status"] == "success"
    assert not answer.text.endswith("\n") and ": " not in answer.text.replace('": ', "")
    return parsed["data"]


@pytest.mark.smoke
def test_status(start_weir):
    before = datetime.datetime.now(datetime.timezone.utc)
    weir = start_weir()
    data = status_of(weir)
    assert list(data) == ["build_information", "components", "flags", "start_time"]
    assert list(data["build_information"]) == ["branch", "buildDate", "buildUser", "goVersion",
                                               "revision", "version"]
    assert all(isinstance(value, str) for value in data["build_information"].values())
    version = subprocess.run([weir.process.args[0], "--version"], capture_output=True, text=True,
                             check=True).stdout
    assert data["build_information"]["version"] in version.split()
    started, _, fraction = data["start_time"].removesuffix("Z").partition(".")
    assert len(fraction) <= 9
    started = datetime.datetime.fromisoformat(started + "+00:00")
    assert before - datetime.timedelta(seconds=1) <= started
    assert started <= datetime.datetime.now(datetime.timezone.utc)
    assert status_of(weir)["start_time"] == data["start_time"]


def test_defaults_are_those_of_a_pushgateway(start_weir):
    flags = status_of(start_weir())["flags"]
    assert UPSTREAM.items() <= flags.items()
    assert list(flags) == sorted(flags)


def test_every_setting_is_shown_as_print_config_shows_it(start_weir, tmp_path):
    flags = ["--group.ttl=90m", "--no-web.openmetrics", "--limit.body-bytes=1048576",
             "--web.external-url=http://user:secret@ex.com/sub/path/", "--log.level=warn"]
    weir = start_weir(*flags)
    shown = status_of(weir, "/sub/path/api/v1/status")["flags"]
    assert shown["group.ttl"] == "1h30m0s"
    assert shown["web.external-url"] == "http://user:xxxxx@ex.com/sub/path/"
    assert shown["web.route-prefix"] == "/sub/path"
    printed = subprocess.run([*command(tmp_path, *flags), "--print-config"], env=environment(),
                             capture_output=True, text=True, check=True).stdout
    lines = (line.rpartition("#")[0].partition("=") for line in printed.splitlines())
    wanted = {name.strip(): value.strip() for name, _, value in lines}
    shown.pop("data.dir")
    wanted.pop("data.dir")
    assert shown == wanted
    assert "secret" not in printed


def test_listen_addresses_are_shown_together(start_weir):
    weir = start_weir(listen=("127.0.0.1:0", "[::1]:0"))
    assert status_of(weir)["flags"]["web.listen-address"] == "127.0.0.1:0,[::1]:0"


def test_it_is_counted(weir):
    status_of(weir)
    weir.get("/")
    weir.get("/status")
    weir.get("/static/style.css")
    weir.get("/static/none")
    weir.get("/-/quit")
    weir.post("/-/quit")
    weir.request("PATCH", "/-/healthy")
    page = weir.scrape()
    count = {(handler, code): page.total("pushgateway_http_requests_total", handler=handler,
                                         method="get", code=code)
             for handler, code in (("api/v1/status", "200"), ("status", "200"),
                                   ("static", "200"), ("static", "404"))}
    assert list(count.values()) == [1, 2, 1, 1]
    assert page.total("pushgateway_http_requests_total") == 5
