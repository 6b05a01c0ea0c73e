"""Installations that scripts/setup makes, and what the programs that run in them say of their settings."""

import json
import os
import re
import subprocess
from pathlib import Path

import jsonschema
import yaml
from compose.config import config
from compose.config.environment import Environment
from compose.config.serialize import serialize_config

from certificates import Authority
from compose_files import nginx_conf
from harness import DEADLINE, REPOSITORY, environment
from redis_servers import free_port

SCRIPT = REPOSITORY / "scripts" / "setup"
EXAMPLE = REPOSITORY / "docker" / "setup.example.yml"
SCHEMA = "/usr/lib/python3/dist-packages/compose/config/compose_spec.json"
SMALL = {
    "domain": "example.com", "tls": "/tls", "users": ["ada"], "weirs": {"count": 1, "state": "sqlite"},
    "parts": {"postgres": False, "alertmanager": False, "grafana": False},
}
RECEIVERS = {
    "webhook": {"url": "https://pager.invalid/a?b=1&c=$d"}, "chat": {"url": "http://chat.invalid/h", "channel": "#a b"},
    "email": {"to": "ops@example.com", "from": "weir@example.com", "server": "mail.invalid:25"},
}
LARGE = {"domain": "example.com", "tls": "/tls", "users": ["ada", "site-a"], "alerts": {"receivers": RECEIVERS}}


PARTS = {"alertmanager", "grafana", "nginx", "postgres", "prometheus", "redis", "weir"}


def parts_of(services):
    """Without what else belongs to them."""
    return {re.sub(r"-\d+$", "", name) for name in services} & PARTS


def run(*arguments, cwd="/", **options):
    """Exit code, output, errors."""
    done = subprocess.run([str(word) for word in arguments], capture_output=True, text=True, check=False,
                          timeout=DEADLINE, cwd=cwd, env=environment(), **options)
    return done.returncode, done.stdout, done.stderr


class Installation:
    """Of some settings, which are changed by further ones."""

    def __init__(self, folder, settings, name="stack"):
        self.config, self.directory, self.settings = folder / "config.yml", folder / name, settings
        self.write(settings)

    def write(self, settings):
        self.settings = settings
        self.config.write_text(settings if isinstance(settings, str) else yaml.safe_dump(settings))

    def setup(self, *flags, **options):
        return run(SCRIPT, *flags, self.config, self.directory, **options)

    def made(self, settings=None, *flags):
        """What was printed."""
        if settings:
            self.write(settings)
        code, output, errors = self.setup(*flags)
        assert (code, errors) == (0, ""), errors
        return output

    def refused(self, settings=None):
        """What is wrong, without the name of the file."""
        if settings:
            self.write(settings)
        before = self.files()
        code, output, errors = self.setup()
        assert (code, output) == (1, "") and self.files() == before
        return [line.removeprefix(f"setup: {self.config}:") for line in errors.splitlines()]

    def files(self):
        """{name: (bytes, mode)}"""
        return {str(path.relative_to(self.directory)): (path.read_bytes(), path.stat().st_mode & 0o777)
                for path in sorted(self.directory.rglob("*")) if path.is_file()}

    def text(self, name):
        return (self.directory / name).read_text()

    def yaml(self, name):
        return yaml.safe_load(self.text(name))

    def prometheus(self):
        """The path of its settings."""
        path, = (self.directory / "prometheus").glob("*.yml")
        return path

    def rules(self):
        return {rule["alert"]: rule for group in self.yaml("prometheus/rules/alerts.yml")["groups"]
                for rule in group["rules"]}

    def whole(self):
        """As compose understands it, with the variables of .env alone; valid by its schema, too."""
        schema = json.loads(Path(SCHEMA).read_text())
        jsonschema.Draft7Validator(schema).validate(self.yaml("compose.yml"))
        variables = Environment.from_env_file(str(self.directory), str(self.directory / ".env"))
        details = config.find(str(self.directory), ["compose.yml"], Environment(dict(variables)))
        return yaml.safe_load(serialize_config(config.load(details), escape_dollar=False))

    def services(self):
        return self.whole()["services"]


# ---- By the programs that read it ---------------------------------------------------------------


def check_prometheus(installation):
    """Its jobs: {name: targets}."""
    code, output, errors = run("promtool", "check", "config", installation.prometheus())
    assert code == 0 and "duplicate" not in output, output + errors
    return {job["job_name"]: [target for group in job.get("static_configs", []) for target in group["targets"]]
            for job in yaml.safe_load(installation.prometheus().read_text())["scrape_configs"]}


def check_alertmanager(installation, folder):
    """The path of its settings, rendered as its container does."""
    service = installation.services()["alertmanager"]
    variables = {name: value for name, value in service["environment"].items() if value}
    if "ALERT_SMTP_USER" in variables:
        variables["ALERT_SMTP_PASSWORD_FILE"] = "/run/smtp-password"
    done = subprocess.run(["sh", installation.directory / "alertmanager" / "render"], text=True, check=False,
                          capture_output=True, timeout=DEADLINE, env={"PATH": os.environ["PATH"], **variables})
    assert done.returncode == 0, done.stderr
    path = folder / "alertmanager.yml"
    path.write_text(done.stdout)
    code, output, errors = run("amtool", "check-config", path)
    assert code == 0 and "SUCCESS" in output, output + errors
    return path


def receiver_of(path, severity):
    code, output, errors = run("amtool", "config", "routes", "test", f"--config.file={path}", f"severity={severity}")
    assert code == 0, errors
    return output.strip()


def check_nginx(installation, folder):
    """Its settings, as its image fills them in, but for the places."""
    folder.mkdir()
    identity = Authority(folder / "ca").issue("server")
    for name, path in (("fullchain.pem", identity.cert), ("privkey.pem", identity.key)):
        (folder / name).write_bytes(path.read_bytes())
    variables = {
        **installation.services()["nginx"]["environment"], "NGINX_RUN": folder, "NGINX_TLS": folder,
        "NGINX_PORT": f"127.0.0.1:{free_port()}", "NGINX_HEALTH": f"127.0.0.1:{free_port()}",
        "NGINX_USERS": installation.directory / "users"}
    # Names of containers are none here.
    variables = {name: f"127.0.0.1:{9000 + number}" if str(value).endswith((":9091", ":9090", ":3000")) else str(value)
                 for number, (name, value) in enumerate(variables.items())}
    conf = folder / "nginx.conf"
    conf.write_text(nginx_conf(variables, installation.text("nginx/nginx.conf.template")))
    code, output, errors = run("nginx", "-t", "-e", "stderr", "-c", conf, "-p", folder)
    assert code == 0 and "warn" not in errors, output + errors
    assert "NGINX_" not in conf.read_text()
    return conf.read_text()
