"""docker/alertmanager: its settings from the environment, by amtool and in an Alertmanager that tells."""

import datetime
import json
import os
import subprocess
import urllib.request

import pytest
import yaml

import peers
from alert_sinks import mail_sink, web_sink
from harness import DEADLINE, REPOSITORY, wait_for

RENDER = REPOSITORY / "docker" / "alertmanager" / "render"
VARIABLES = {
    "ALERT_WEBHOOK_URL": "https://pager.example/alert", "ALERT_CHAT_URL": "https://chat.example/hook",
    "ALERT_CHAT_CHANNEL": "#alerts", "ALERT_EMAIL_TO": "ops@example.com",
    "ALERT_EMAIL_FROM": "weir@example.com", "ALERT_SMTP_HOST": "mail.example:587",
}


def render(variables):
    return subprocess.run([RENDER], env={"PATH": os.environ["PATH"], **variables}, text=True,
                          capture_output=True, timeout=DEADLINE, check=False)


def rendered(directory, variables):
    done = render(variables)
    assert done.returncode == 0, done.stderr
    path = directory / "alertmanager.yml"
    path.write_text(done.stdout)
    return path


def amtool(*arguments):
    done = subprocess.run(["amtool", *map(str, arguments)], capture_output=True, text=True,
                          timeout=DEADLINE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.smoke
def test_settings_are_good(tmp_path):
    path = rendered(tmp_path, VARIABLES)
    assert "SUCCESS" in amtool("check-config", path)
    for severity, receiver in {"critical": "webhook", "page": "webhook", "warning": "chat",
                               "info": "email", "": "email"}.items():
        assert amtool("config", "routes", "test", f"--config.file={path}",
                      f"severity={severity}").strip() == receiver
    assert all(config["send_resolved"] for receiver in yaml.safe_load(path.read_text())["receivers"]
               for key, configs in receiver.items() if key != "name" for config in configs)


@pytest.mark.parametrize("name", VARIABLES)
def test_missing_variable_is_named(name):
    for rest in ({}, {name: ""}):
        done = render({**{key: value for key, value in VARIABLES.items() if key != name}, **rest})
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == f"render: error: {name} is not set\n"


def test_all_that_is_missing_is_named():
    done = render({})
    assert done.returncode == 1 and done.stdout == ""
    assert {line.split()[2] for line in done.stderr.splitlines()} == set(VARIABLES)


@pytest.mark.parametrize("name,value,sentence", [
    ("ALERT_WEBHOOK_URL", "pager.example", "must begin with http:// or https://, and have no blanks"),
    ("ALERT_SMTP_HOST", "mail.example", "must be host:port"),
    ("ALERT_GROUP_WAIT", "soon", "must be a duration, such as 30s or 5m"),
    ("ALERT_SMTP_TLS", "maybe", "must be true or false"),
    ("ALERT_EMAIL_TO", "a\nroute: {}", "must be one line"),
])
def test_bad_value_is_not_shown(name, value, sentence):
    done = render({**VARIABLES, name: value})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"render: error: {name} {sentence}\n"


def test_name_and_password_go_together(tmp_path):
    done = render({**VARIABLES, "ALERT_SMTP_USER": "weir"})
    assert done.returncode == 1 and "ALERT_SMTP_PASSWORD_FILE go together" in done.stderr
    settings = yaml.safe_load(rendered(tmp_path, {
        **VARIABLES, "ALERT_SMTP_USER": "weir", "ALERT_SMTP_PASSWORD_FILE": "/run/secrets/smtp",
    }).read_text())["global"]
    assert settings["smtp_auth_username"] == "weir"
    assert settings["smtp_auth_password_file"] == "/run/secrets/smtp"


@pytest.mark.parametrize("value", [
    "it's", "\"", "#a: [b]", "${ALERT_WEBHOOK_URL}", "a\\1&b", "true", "{{ x }}", "é", "- a",
])
def test_values_are_data(tmp_path, value):
    path = rendered(tmp_path, {**VARIABLES, "ALERT_CHAT_CHANNEL": value})
    chat = yaml.safe_load(path.read_text())["receivers"][2]["slack_configs"][0]
    assert chat["channel"] == value


def test_template_has_no_secrets(tmp_path):
    """Whatever names an address or a password is a variable, without a default."""
    template = (RENDER.parent / "alertmanager.yml.template").read_text()
    for line in template.splitlines():
        if line.split(":")[0].strip(" -").endswith(("url", "password", "to", "from", "smarthost")):
            assert line.split(": ")[1].startswith("${") and ":-" not in line
    done = subprocess.run([RENDER, tmp_path / "none"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "cannot read" in done.stderr


class Alertmanager(peers.Peer):
    def __init__(self, directory, settings):
        super().__init__(directory, "prometheus-alertmanager", f"--config.file={settings}",
                         "--web.listen-address=127.0.0.1:0", "--cluster.listen-address=",
                         "--storage.path=data", "--log.level=warn")
        wait_for(self._ready, "Alertmanager is ready")

    def _ready(self):
        try:
            return self.get("/-/ready")
        except (AssertionError, OSError):
            return None

    def tell(self, ends, **labels):
        """Of one alert, as Prometheus does."""
        alert = {"labels": labels, "annotations": {"summary": f"{labels['alertname']} is told."}}
        if ends:
            alert["endsAt"] = datetime.datetime.now(datetime.timezone.utc).isoformat()
        request = urllib.request.Request(self.url + "/api/v2/alerts", json.dumps([alert]).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            assert answer.status == 200


def test_each_severity_has_its_sink(tmp_path):
    with web_sink() as webhook, web_sink() as chat, mail_sink() as mail:
        settings = rendered(tmp_path, {
            **VARIABLES, "ALERT_WEBHOOK_URL": f"http://127.0.0.1:{webhook.port}/alert",
            "ALERT_CHAT_URL": f"http://127.0.0.1:{chat.port}/hook",
            "ALERT_SMTP_HOST": f"127.0.0.1:{mail.port}", "ALERT_SMTP_TLS": "false",
            "ALERT_GROUP_WAIT": "1ms", "ALERT_GROUP_INTERVAL": "500ms",
        })
        sinks = {"critical": webhook, "warning": chat, "info": mail}
        with Alertmanager(tmp_path / "alertmanager", settings) as server:
            for ends in (False, True):
                for severity in sinks:
                    server.tell(ends, alertname=f"Of{severity}", severity=severity)
                for severity, sink in sinks.items():
                    wait_for(lambda sink=sink, ends=ends: len(sink.posted) > ends, severity)
        assert [(path, body["status"]) for path, body in webhook.posted] == [
            ("/alert", "firing"), ("/alert", "resolved")]
        assert all(body["alerts"][0]["labels"]["alertname"] == "Ofcritical"
                   for _, body in webhook.posted)
        titles = [body["attachments"][0]["title"] for _, body in chat.posted]
        assert titles == ["firing: Ofwarning", "resolved: Ofwarning"]
        assert "Ofwarning is told." in chat.posted[0][1]["attachments"][0]["text"]
        assert ["FIRING" in text for text in mail.posted] == [True, False]
        assert all("Ofinfo" in text for text in mail.posted)
