"""What is shipped in docker/ and grafana/, of which an installation is made: read as it is, each time."""

import functools
import json
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
COMPOSE = DOCKER / "compose.cloud.yml"
PROMETHEUS = DOCKER / "prometheus" / "cloud.yml"
VARIABLE = re.compile(r"(?<!\$)(?:\$\$)*\$\{(\w+)(?::?([?-])([^}]*))?\}")


def unshared(value):
    """As JSON has it: what was one by an anchor can be changed alone."""
    return json.loads(json.dumps(value))


@functools.cache
def read(path):
    return yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def load(path):
    """To be changed by who asked."""
    return unshared(read(path))


def plain(text):
    """As it has to stand in a compose file to be nothing but text."""
    return text.replace("$", "$$")


def variable_of(name):
    return name.upper().replace("-", "_")


def variables(text):
    """{name: sentence of what is wanted, None when it has a default}"""
    found = {}
    for name, kind, words in VARIABLE.findall(text):
        found[name] = words if kind == "?" else found.get(name)
    return found


def defaults(text):
    """{name: what a variable is when it is not set}"""
    return {name: words for name, kind, words in VARIABLE.findall(text) if kind == "-"}


def part_of(service):
    """grafana-2 and redis-exporter go with grafana and redis."""
    return service.partition("-")[0]


def profiles():
    return {profile for service in load(COMPOSE)["services"].values() for profile in service.get("profiles", [])}


def variables_ending(end):
    """{key of the settings: variable}, such as {"nginx": "NGINX_MEMORY"}."""
    return {name.removesuffix(end).lower().replace("_", "-"): name
            for name in variables(COMPOSE.read_text()) if name.endswith(end)}


@functools.cache
def settings_of_weir():
    """Names of weir's settings."""
    return set(re.findall(r'^\t\{ \.name = "([a-z.0-9-]+)"', (ROOT / "src" / "config" / "table.c").read_text(), re.M))


def alerts():
    """{name: rule}"""
    groups = load(DOCKER / "prometheus" / "rules" / "alerts.yml")["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


WRITTEN = "# Written by scripts/setup: what is changed here by hand is noticed by it, and not overwritten.\n"


def renamed(text, names):
    """push., metrics. and grafana. before the domain, by the names that they have."""
    return re.sub(r"\b(push|metrics|grafana)\.(?=\$\{(?:NGINX_)?DOMAIN\b)", lambda found: f"{names[found[1]]}.", text)


class Dumper(yaml.SafeDumper):
    """Without aliases, lists indented, and text of several lines as such."""

    def ignore_aliases(self, data):
        return True

    def increase_indent(self, flow=False, indentless=False):
        return super().increase_indent(flow, False)


def represent_text(dumper, value):
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


Dumper.add_representer(str, represent_text)


def dumped(value, about):
    """A file, and in its head what it is."""
    return f"# {about}\n{WRITTEN}" + yaml.dump(value, Dumper=Dumper, sort_keys=False, width=10**6, allow_unicode=True)
