"""docker/compose.*.yml, as docker-compose understands them, with variables made up for the test."""

import functools
import os
import re
import subprocess

import yaml
from compose.config import config
from compose.config.environment import Environment
from compose.config.serialize import serialize_config

from harness import REPOSITORY

DOCKER = REPOSITORY / "docker"
NAMES = ["cloud", "minimal", "site"]
VARIABLE = re.compile(r"\$\{(\w+)(?::?([?-])([^}]*))?\}")
# Some must be of a form.
VALUES = {
    "ALERT_CHAT_URL": "http://chat.invalid/hook", "ALERT_WEBHOOK_URL": "http://hook.invalid/",
    "ALERT_SMTP_HOST": "mail.invalid:25", "DOMAIN": "example.com", "MYIP": "10.0.0.1",
    "PUSHGATEWAY_SERVER": "https://push.example.com", "TLS_DIR": "/tls", "USERS_FILE": "/users",
}


def path_of(name):
    return DOCKER / f"compose.{name}.yml"


def text_of(name):
    return path_of(name).read_text()


def required(name):
    """Variables without which it does not work: {name: sentence}."""
    found = {}
    for variable, kind, words in VARIABLE.findall(text_of(name)):
        if kind == "?":
            found[variable] = words
    return found


def values_for(name):
    return {variable: VALUES.get(variable, f"made-up-{variable.lower().replace('_', '-')}") for variable in required(name)}


def compose(name, variables):
    """docker-compose config, in an environment that has nothing else."""
    return subprocess.run(
        ["docker-compose", "-f", path_of(name), "config"], capture_output=True, text=True, cwd="/", check=False,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **variables})


def understood(name, variables):
    """As docker-compose config, without starting it; raises ConfigurationError."""
    details = config.find(str(DOCKER), [path_of(name).name], Environment(variables))
    return yaml.safe_load(serialize_config(config.load(details), escape_dollar=False))


@functools.cache
def whole(name):
    """All of a file, with everything filled in."""
    return understood(name, values_for(name))


def services(name):
    return whole(name)["services"]


def nginx_conf(variables, template=None):
    """The template as nginx's image fills it in: only what is a variable of the environment."""
    template = template or (DOCKER / "nginx" / "nginx.conf.template").read_text()
    return re.sub(r"\$\{(\w+)\}", lambda found: variables.get(found[1], found[0]), template)
