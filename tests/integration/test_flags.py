"""The flags of a Pushgateway, each by flag, by environment and by file: what it changes.

Every test also looks at a weir without the setting, so that it shows a difference.
"""

import json
import os
import signal
import socket
import subprocess

import pytest

import harness
from harness import wait_for
from test_systemd import Passed

WAYS = ("flag", "words", "environment", "file")


def as_flags(settings, separate=False):
    """As --name=value, or apart as --name value; what is on or off as --name or --no-name."""
    flags = []
    for name, value in settings.items():
        if isinstance(value, bool):
            flags.append(f"--{name}" if value else f"--no-{name}")
        elif separate:
            flags += [f"--{name}", value]
        else:
            flags.append(f"--{name}={value}")
    return flags


def as_text(value):
    return json.dumps(value) if isinstance(value, bool) else value


def as_variables(settings):
    return {"WEIR_" + name.upper().translate(str.maketrans(".-", "__")): as_text(value)
            for name, value in settings.items()}


class Ways:
    """Starts weir with settings that reach it in one way."""

    def __init__(self, tmp_path, monkeypatch, way):
        self.way, self.path, self.started = way, tmp_path, []
        self.monkeypatch = monkeypatch

    def arguments(self, settings):
        """Flags and variables."""
        if self.way == "environment":
            return [], as_variables(settings)
        if self.way == "file":
            file = self.path / f"weir{len(self.started)}.yml"
            file.write_text(json.dumps({name: as_text(value) if isinstance(value, str) else value
                                        for name, value in settings.items()}))
            return [f"--config.file={file}"], {}
        return as_flags(settings, separate=self.way == "words"), {}

    @property
    def directory(self):
        """Where the next one works."""
        return self.path / f"weir{len(self.started)}"

    @staticmethod
    def run(directory, flags, variables):
        """Exit code and stderr of a weir that ends by itself."""
        done = subprocess.run([harness.BINARY, *flags], cwd=directory, capture_output=True,
                              env={**harness.environment(), **variables}, text=True,
                              timeout=harness.DEADLINE, check=False)
        return done.returncode, done.stderr

    def start(self, listens="127.0.0.1:0", **options):
        settings = dict(options.pop("settings", {}))
        if listens:
            settings["web.listen-address"] = listens
        directory = self.directory
        settings.setdefault("data.dir", str(directory / "data"))
        flags, variables = self.arguments(settings)
        plain = {name: value for name, value in os.environ.items() if not name.startswith("WEIR_")}
        self.monkeypatch.setattr(harness, "command", lambda *_, **__: [harness.BINARY, *flags])
        self.monkeypatch.setattr(harness, "environment", lambda: {**plain, **variables})
        server = harness.Weir(directory, is_known=False, **options)
        self.started.append(server)
        return server


@pytest.fixture(params=WAYS)
def ways(request, tmp_path, monkeypatch):
    ways = Ways(tmp_path, monkeypatch, request.param)
    yield ways
    for server in ways.started:
        if server.process.poll() is None:
            server.stop()


def test_listen_address(ways):
    weir = ways.start("[::1]:0")
    assert weir.address[0] == "::1"
    assert weir.get("/-/healthy").status == 200


def test_systemd_socket(ways):
    """With it sockets of systemd are used, and without any it is an error."""
    flags, variables = ways.arguments({"web.systemd-socket": True})
    with socket.create_server(("127.0.0.1", 0)) as listener:
        passed = Passed(ways.path / "passed", [listener], flags=flags,
                        variables=variables.items())
        assert passed.listening(1) == [f"127.0.0.1:{listener.getsockname()[1]}"]
        passed.process.terminate()
        assert passed.process.wait(harness.DEADLINE) == 0, passed.stderr()
    code, stderr = Ways.run(ways.path, flags, variables)
    assert code == 1
    assert "systemd" in stderr


def test_web_config_file(ways, tmp_path):
    (tmp_path / "web.yml").write_text(
        "http_server_config: {headers: {X-Frame-Options: deny}}\n")
    assert "x-frame-options" not in ways.start().get("/metrics").headers
    weir = ways.start(settings={"web.config.file": str(tmp_path / "web.yml")})
    assert weir.get("/metrics").headers["x-frame-options"] == "deny"


def test_telemetry_path(ways):
    weir = ways.start(settings={"web.telemetry-path": "/page"})
    assert weir.put("/metrics/job/j", "m 1\n").status == 200
    assert 'm{instance="",job="j"} 1\n' in weir.get("/page").text
    assert weir.get("/metrics").status == 404
    assert ways.start().get("/page").status == 404


def test_external_url(ways):
    weir = ways.start(settings={"web.external-url": "http://ex.com/bar/"})
    assert weir.get("/bar/-/healthy").status == 200
    assert weir.get("/-/healthy").status == 404
    assert weir.put("/bar/metrics/job/j", "m 1\n").status == 200
    assert "/bar/static/" in weir.get("/bar/status").text
    assert ways.start().get("/bar/-/healthy").status == 404


def test_route_prefix(ways):
    weir = ways.start(settings={"web.route-prefix": "/foo/"})
    assert weir.get("/foo").headers["location"] == "/foo/"
    assert weir.put("/foo/metrics/job/j", "m 1\n").status == 200
    assert weir.put("/metrics/job/j", "m 1\n").status == 404
    stripped = ways.start(settings={"web.external-url": "http://ex.com/bar/",
                                    "web.route-prefix": "/"})
    assert stripped.get("/-/healthy").status == 200
    assert "/bar/static/" in stripped.get("/status").text


def test_enable_lifecycle(ways):
    without = ways.start(settings={"web.enable-lifecycle": False})
    answer = without.put("/-/quit")
    assert (answer.status, answer.text) == (403, "Lifecycle API is not enabled.")
    weir = ways.start(settings={"web.enable-lifecycle": True})
    answer = weir.put("/-/quit")
    assert (answer.status, answer.text) == (200, "Requesting termination... Goodbye!")
    assert weir.wait() == 0


def test_enable_admin_api(ways):
    assert ways.start(settings={"web.enable-admin-api": False}).put(
        "/api/v1/admin/wipe").status == 404
    assert ways.start(settings={"web.enable-admin-api": True}).put(
        "/api/v1/admin/wipe").status == 202


def value_after_restart(ways, settings, again):
    """Of what was pushed to a weir that is killed; the second one has other settings."""
    weir = ways.start(settings=settings)
    assert weir.put("/metrics/job/j", "m 1\n").status == 200
    weir.signal(signal.SIGKILL)
    weir.wait()
    weir = ways.start(settings=again)
    wait_for(lambda: weir.get("/-/ready").status == 200, "what is stored is loaded")
    value = weir.scrape().value("m", job="j")
    weir.stop()
    return value


def test_persistence_file(ways, tmp_path):
    """The database is beside what it names, unless --state.url says otherwise."""
    file = {"persistence.file": str(tmp_path / "pushgateway.data")}
    url = {"state.url": f"sqlite:{tmp_path}/pushgateway.data.weir"}
    other = {"state.url": f"sqlite:{tmp_path}/other"}
    assert value_after_restart(ways, file, url) == 1
    assert value_after_restart(ways, url, file) == 1
    assert value_after_restart(ways, {**file, **other}, other) == 1
    assert value_after_restart(ways, {**file, "state.url": "none"}, {"state.url": "none"}) is None
    assert sorted(path.name for path in tmp_path.glob("pushgateway.data*")) == [
        "pushgateway.data.weir", "pushgateway.data.weir.lock"]


def test_state_url(ways, tmp_path):
    path = {"state.url": f"sqlite:{tmp_path}/kept"}
    relative = {"state.url": f"sqlite:{os.path.relpath(tmp_path / 'kept', ways.directory)}"}
    assert value_after_restart(ways, {}, {"state.url": "sqlite:"}) is None  # another data directory
    assert value_after_restart(ways, path, path) == 1
    assert value_after_restart(ways, relative, path) == 1
    assert value_after_restart(ways, {"state.url": "none"}, {"state.url": "none"}) is None


def test_persistence_interval(ways, tmp_path):
    """It is taken and told of, and whatever it is, what is pushed is stored at once."""
    file = {"persistence.file": str(tmp_path / "pushgateway.data")}
    weir = ways.start(settings={**file, "persistence.interval": "1000h"})
    assert "level=info" in (line := next(line for line in weir.stderr().splitlines()
                                         if "setting=persistence.interval" in line))
    assert "has no effect" in line
    weir.stop()
    assert value_after_restart(ways, {**file, "persistence.interval": "1000h"}, file) == 1
    assert "persistence.interval" not in ways.start(settings=file).stderr()


def test_disable_consistency_check(ways):
    for is_disabled, status in [(False, 400), (True, 202)]:
        weir = ways.start(settings={"push.disable-consistency-check": is_disabled})
        assert weir.put("/metrics/job/j", "m 1\nm 1\n").status == status


def test_enable_utf8_names(ways):
    for is_enabled, status in [(False, 400), (True, 200)]:
        weir = ways.start(settings={"push.enable-utf8-names": is_enabled})
        assert weir.put("/metrics/job/j", '{"a.b"} 1\n').status == status


def test_log_level(ways):
    weir = ways.start(settings={"log.level": "info"})
    wait_for(lambda: "level=info" in weir.stderr(), "it says where it listens")
    weir = ways.start(settings={"log.level": "error"})
    weir.stop()
    assert weir.stderr() == ""


def test_log_format(ways):
    weir = ways.start(settings={"log.format": "logfmt"})
    weir.stop()
    assert all(line.startswith("time=") for line in weir.stderr().splitlines())
    weir = ways.start(settings={"log.format": "json"})
    weir.stop()
    assert [json.loads(line)["level"] for line in weir.stderr().splitlines()][0] == "info"


def test_local_assets(ways):
    """Debian's flag is taken; the files of the page are part of weir."""
    weir = ways.start(settings={"web.local-assets": "/nowhere"})
    assert weir.get("/static/style.css").status == 200
    assert "web.local-assets" in weir.stderr()


def test_status_shows_them(ways):
    settings = {"web.enable-admin-api": True, "persistence.interval": "90s", "log.level": "warn",
                "web.telemetry-path": "/page"}
    flags = json.loads(ways.start(settings=settings).get("/api/v1/status").text)["data"]["flags"]
    assert {name: flags[name] for name in settings} == {
        "web.enable-admin-api": "true", "persistence.interval": "1m30s", "log.level": "warn",
        "web.telemetry-path": "/page"}


def test_errors_are_under_the_name_it_was_called_by(tmp_path):
    """What takes a Pushgateway's place under its name says what scripts look for."""
    program = tmp_path / "prometheus-pushgateway"
    program.symlink_to(harness.BINARY)
    done = subprocess.run([program, "--bogus"], capture_output=True, text=True, check=False,
                          cwd=tmp_path, timeout=harness.DEADLINE)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == ("prometheus-pushgateway: error: "
                           "unknown long flag '--bogus', try --help\n")


@pytest.mark.parametrize("flag", ["--help", "-h", "--version"])
def test_flags_that_print(flag, tmp_path):
    done = subprocess.run([harness.BINARY, flag], capture_output=True, text=True, check=False,
                          cwd=tmp_path, timeout=harness.DEADLINE)
    assert (done.returncode, done.stderr) == (0, "")
    assert "weir" in done.stdout


@pytest.mark.parametrize("arguments", [
    ["--bogus"], ["--web.listen-address"], ["-z"], ["x"], ["--log.level=x"],
    ["--persistence.interval=x"], ["--web.enable-admin-api=perhaps"],
])
def test_flags_that_are_none(arguments, tmp_path):
    done = subprocess.run([harness.BINARY, *arguments], capture_output=True, text=True,
                          check=False, cwd=tmp_path, timeout=harness.DEADLINE)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("weir: error: ")
    assert list(tmp_path.iterdir()) == []
