"""docker/prometheus/render: samples that are kept for longer, somewhere else, and how much is kept here."""

import contextlib
import crypt
import json
import re
import subprocess

import pytest
import yaml

import peers
from compose_files import DOCKER, services, understood, values_for
from exposed_pages import DATA
from harness import DEADLINE, environment, wait_for
from redis_servers import free_port

RENDER = DOCKER / "prometheus" / "render"
PREFIX = "PROMETHEUS_REMOTE_WRITE_"
PASSWORD = "it's \"secret\" $1"


def render(*arguments, **variables):
    """Exit code, output, errors."""
    done = subprocess.run([RENDER, *arguments], capture_output=True, text=True, timeout=DEADLINE, check=False, cwd="/",
                          env={**environment(), **{PREFIX + name: value for name, value in variables.items()}})
    return done.returncode, done.stdout, done.stderr


def checked(directory, *arguments, **variables):
    """The settings, which are good wherever they lie."""
    code, text, errors = render(*arguments, **variables)
    assert (code, errors) == (0, "")
    (directory / "made.yml").write_text(text)
    done = subprocess.run(["promtool", "check", "config", directory / "made.yml"], capture_output=True, text=True,
                          timeout=DEADLINE, check=False)
    assert done.returncode == 0 and "2 rule files found" in done.stdout, done.stdout + done.stderr
    return yaml.safe_load(text)


@pytest.mark.parametrize("name", ["cloud.yml", "prometheus.yml"])
def test_nothing_is_added_unless_asked_for(tmp_path, name):
    path = DOCKER / "prometheus" / name
    made, given = checked(tmp_path, path), yaml.safe_load(path.read_text())
    assert made.pop("rule_files") == [str(DOCKER / "prometheus" / file) for file in given.pop("rule_files")]
    assert made == given


def test_all_that_can_be_said(tmp_path):
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    made, = checked(tmp_path, URL="https://long.example/it's?a=b&c", USER="o'brien \\ \"x\"", PASSWORD_FILE=str(password),
                    NAME="a 'b' $1")["remote_write"]
    assert made == {
        "url": "https://long.example/it's?a=b&c",
        "basic_auth": {"username": "o'brien \\ \"x\"", "password_file": str(password)},
        "write_relabel_configs": [{"target_label": "prometheus", "replacement": "a 'b' $$1"}]}


@pytest.mark.parametrize("variables,said", [
    ({"URL": "long.example"}, "PROMETHEUS_REMOTE_WRITE_URL must begin with http:// or https://"),
    ({"URL": "http://a b"}, "and have no blanks"),
    ({"URL": "http://me:secret@long.example/"}, "PROMETHEUS_REMOTE_WRITE_URL has a password"),
    ({"URL": "http://a", "USER": "me"}, "go together"),
    ({"URL": "http://a", "PASSWORD_FILE": "/f"}, "go together"),
    ({"URL": "http://a", "NAME": "a\nb"}, "PROMETHEUS_REMOTE_WRITE_NAME must be one line"),
    ({"NAME": "a"}, "PROMETHEUS_REMOTE_WRITE_URL is not set, but what goes with it"),
])
def test_what_is_wrong_is_told(variables, said):
    code, text, errors = render(**variables)
    assert (code, text) == (1, "") and errors.startswith("render: error: ") and said in errors
    assert "secret" not in errors


def test_settings_that_have_one_already(tmp_path):
    (tmp_path / "mine.yml").write_text("remote_write:\n- url: http://a\n")
    assert render(tmp_path / "mine.yml")[0] == 0
    code, _, errors = render(tmp_path / "mine.yml", URL="http://b")
    assert code == 1 and "have a remote_write already" in errors
    assert "cannot read /none" in render("/none")[2]


# ---- In force -----------------------------------------------------------------------------------


class Storage(peers.Prometheus):
    """One that takes what others send, from who has the password."""

    def __init__(self, directory):
        directory.mkdir()
        hashed = crypt.crypt(PASSWORD, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))
        (directory / "web.yml").write_text(json.dumps({"basic_auth_users": {"me": hashed}}))
        (directory / "prometheus.yml").write_text("")
        self.curl = ["curl", "-sS", "-f", "-g", "-K", str(directory / "curl")]
        (directory / "curl").write_text(f"user = {json.dumps('me:' + PASSWORD)}\n")
        peers.Peer.__init__(self, directory, self.program, "--config.file=prometheus.yml", "--storage.tsdb.path=data",
                            "--web.listen-address=127.0.0.1:0", "--web.config.file=web.yml",
                            "--web.enable-remote-write-receiver")

    def get(self, target):
        done = subprocess.run([*self.curl, self.url + target], capture_output=True, timeout=DEADLINE, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextlib.contextmanager
def sender(directory, storage, weir):
    """The cloud's Prometheus, as the compose file starts it, but for places, intervals and who is scraped."""
    settings = understood("cloud", {
        **values_for("cloud"), PREFIX + "URL": f"{storage.url}/api/v1/write", PREFIX + "USER": "me",
        PREFIX + "PASSWORD_FILE": "/somewhere", PREFIX + "NAME": "cloud", "PROMETHEUS_RETENTION_SIZE": "3GB",
    })["services"]["prometheus"]
    here, port = directory / "etc", free_port()
    (here / "rules").mkdir(parents=True)
    for path in (DOCKER / "prometheus").rglob("*.*"):
        (here / path.relative_to(DOCKER / "prometheus")).write_bytes(path.read_bytes())
    (here / "render").write_bytes(RENDER.read_bytes())
    text = (here / "cloud.yml").read_text().replace("15s", "500ms")
    (here / "cloud.yml").write_text(text.replace("weir-1:9091", weir.url.partition("://")[2]))
    (directory / "password").write_text(PASSWORD)
    shell, option, script, zero = settings["entrypoint"]
    for place, instead in (("/tmp/", f"{directory}/"), ("/etc/prometheus", here),
                           ("/run/remote-write-password", directory / "password")):
        assert place in script
        script = script.replace(place, str(instead))
    flags = [flag.replace("=/prometheus", f"={directory}/data") for flag in settings["command"]]
    with open(directory / "log", "wb") as log:
        process = subprocess.Popen([shell, option, script, zero, *flags, f"--web.listen-address=127.0.0.1:{port}"],
                                   stdout=log, stderr=log, env={**environment(), **settings["environment"]})
    try:
        yield f"http://127.0.0.1:{port}"
        assert process.poll() is None, (directory / "log").read_text()
    finally:
        process.terminate()
        process.wait(DEADLINE)


def flags_of(url):
    done = subprocess.run(["curl", "-sSf", f"{url}/api/v1/status/flags"], capture_output=True, timeout=DEADLINE, check=False)
    return json.loads(done.stdout)["data"] if done.returncode == 0 else None


@pytest.mark.smoke
def test_what_one_scrapes_another_keeps(weir, tmp_path):
    with Storage(tmp_path / "storage") as storage, sender(tmp_path, storage, weir) as url:
        flags = wait_for(lambda: flags_of(url), "Prometheus answers")
        assert (flags["storage.tsdb.retention.time"], flags["storage.tsdb.retention.size"]) == ("30d", "3GiB")
        sent, = storage.wait_for('up{job="weir"} == 1')
        assert sent[0]["prometheus"] == "cloud" and sent[0]["site"] == "main"
        assert storage.wait_for('weir_groups{prometheus="cloud"}')
        page = subprocess.run(["curl", "-sSf", f"{url}/metrics"], capture_output=True, text=True, check=True).stdout
        watched = re.findall(r"^(\w+)\{", (DATA / "prometheus.prom").read_text(), re.M)
        assert len(watched) == 3 and all(f"\n{name}" in page for name in watched), "the alert asks for what is there"
        assert storage.wait_for('{__name__="weir:limit_used:ratio",limit="groups"}'), "what its rules record as well"


def test_nothing_is_limited_unless_asked_for(weir, tmp_path):
    """0 is a size that Prometheus takes for none."""
    command = services("cloud")["prometheus"]["command"]
    assert "--storage.tsdb.retention.size=0" in command and "--storage.tsdb.retention.time=30d" in command
    sizes = [flag for flag in command if "retention" in flag]
    with peers.Prometheus(tmp_path / "prometheus", {"weir": weir.url}, *sizes) as server:
        flags = json.loads(server.get("/api/v1/status/flags"))["data"]
        assert flags["storage.tsdb.retention.size"] in ("0", "0B")
