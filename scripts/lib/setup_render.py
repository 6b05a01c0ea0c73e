"""All files of an installation, from its settings, what is shipped, and its secrets."""

import re

import setup_alerts
import setup_compose
import setup_nginx
import setup_prometheus
import setup_secrets
import setup_sites
import setup_targets
import setup_variables
from setup_shipped import COMPOSE, PROMETHEUS, load, variables
from stack_check import variables_of


def shipped_files(config, compose, prometheus):
    """{place: (bytes, is to be run)} of what is mounted, with the settings in them."""
    files = setup_compose.take_mounted(compose)
    absent = setup_compose.absent_parts(config)
    files["nginx/nginx.conf.template"] = (setup_nginx.template(
        config["names"], absent, compose["services"]["nginx"]["environment"]).encode(), False)
    if "prometheus" not in absent:
        for other in PROMETHEUS.parent.glob("*.yml"):
            files.pop(f"prometheus/{other.name}", None)
        files[f"prometheus/{PROMETHEUS.name}"] = (prometheus.encode(), False)
        files["prometheus/rules/alerts.yml"] = (setup_alerts.rules(config["alerts"]["change"]).encode(), False)
    if "alertmanager" not in absent:
        text = setup_alerts.template(config["alerts"]["severities"])
        files["alertmanager/alertmanager.yml.template"] = (text.encode(), False)
    for place in files:
        if place.startswith("grafana/provisioning/datasources/"):
            content = re.sub(rb"timeInterval: \S+", f"timeInterval: {config['prometheus']['scrape_interval']}".encode(),
                             files[place][0])
            files[place] = (content, False)
    return files


def compose_of(config):
    """(compose file as a mapping, text of Prometheus' settings)"""
    shipped = load(COMPOSE)["services"]
    gone = shipped.keys() - setup_compose.wanted_services(config, shipped).keys()
    prometheus, files = setup_prometheus.settings(config, setup_compose.weirs_of(config), gone)
    compose = setup_compose.build(config, files, setup_alerts.template(config["alerts"]["severities"]))
    return compose, prometheus


def tell_of_missing(reader, required, known):
    for name, sentence in required.items():
        if sentence and not known.get(name):
            key = setup_variables.KEYS.get(name, f"variables.{name}")
            place = f", or {name}=... in {setup_secrets.VARIABLES} of the directory" if key.endswith(".url") else ""
            reader.fault(key, f"is missing: {sentence}{place}")


def secrets_of(config, directory, required):
    """(variables, users or None, what is wrong)"""
    env = directory / ".env"
    adopted = variables_of(env) if env.exists() else {}
    kept, faults = setup_secrets.of_variables(directory, required, adopted)
    if config["users"] is None:
        return kept, None, faults
    users, more = setup_secrets.of_users(directory, config["users"])
    return kept, users, faults + more


def render(config, reader, directory):
    """(files {place: (bytes, mode)}, secrets, what is wrong)"""
    compose, prometheus = compose_of(config)
    shipped = shipped_files(config, compose, prometheus)
    files = {place: (content, 0o755 if is_run else 0o644) for place, (content, is_run) in shipped.items()}
    text = setup_compose.text_of(compose, config["names"])
    required = variables(text)
    kept, users, faults = secrets_of(config, directory, [name for name, sentence in required.items() if sentence])
    known = {**kept.values, **setup_variables.values(config)}
    tell_of_missing(reader, required, known)
    if reader.faults or faults:
        return {}, [], reader.told() + faults
    if users:
        files["users"] = (setup_secrets.users_file(users, config["users"]).encode(), 0o644)
    files.update(setup_sites.files(config, users.values if users else {}))
    files.update(setup_targets.files(config, compose))
    setup_compose.tell_of_files(compose, files)
    files["compose.yml"] = (setup_compose.text_of(compose, config["names"]).encode(), 0o644)
    files[".env"] = (setup_variables.env(known, text, config).encode(), 0o600)
    return dict(sorted(files.items())), [each for each in (kept, users) if each], []
