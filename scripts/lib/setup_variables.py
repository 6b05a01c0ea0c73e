"""The variables of the compose file: what is written to .env."""

import re

from setup_shipped import COMPOSE, defaults, variable_of, variables

# Of each variable the key that says it.
KEYS = {
    "DOMAIN": "domain", "TLS_DIR": "tls", "USERS_FILE": "users_file", "HTTPS_LISTEN": "listen",
    "BACK_NETWORK": "network", "WEIR_GROUP_TTL": "weirs.group_ttl", "PROMETHEUS_RETENTION": "prometheus.retention",
    "PROMETHEUS_RETENTION_SIZE": "prometheus.retention_size",
    "ALERT_WEBHOOK_URL": "alerts.receivers.webhook.url", "ALERT_CHAT_URL": "alerts.receivers.chat.url",
    "ALERT_CHAT_CHANNEL": "alerts.receivers.chat.channel", "ALERT_EMAIL_TO": "alerts.receivers.email.to",
    "ALERT_EMAIL_FROM": "alerts.receivers.email.from", "ALERT_SMTP_HOST": "alerts.receivers.email.server",
    "ALERT_SMTP_USER": "alerts.receivers.email.user", "ALERT_SMTP_TLS": "alerts.receivers.email.tls",
    "ALERT_SMTP_PASSWORD_FILE": "alerts.receivers.email.password_file", "ALERT_GROUP_WAIT": "alerts.group_wait",
    "ALERT_GROUP_INTERVAL": "alerts.group_interval", "ALERT_REPEAT_INTERVAL": "alerts.repeat_interval",
}

# Limits that have to stay below one of memory, where the compose file has them.
SHARES = {"WEIR_LIMIT_STORED_BYTES": "WEIR_MEMORY", "REDIS_MAXMEMORY": "REDIS_MEMORY"}


def value_at(config, key):
    for word in key.split("."):
        config = (config or {}).get(word)
    return str(config).lower() if isinstance(config, bool) else config


def bytes_of(written):
    count, unit = re.fullmatch(r"([0-9]+)([kmg])i?b?", written.lower()).groups()
    return int(count) << {"k": 10, "m": 20, "g": 30}[unit]


def scaled(share, whole, new_whole):
    """What is to stay below a limit of memory, for another limit: 640mb of 1g are 1280mb of 2g."""
    unit = re.search(r"[A-Za-z]+$", share)[0]
    return f"{bytes_of(share) * bytes_of(new_whole) // bytes_of(whole) // bytes_of('1' + unit)}{unit}"


def shares(memory):
    """Of limits that were changed."""
    shipped, found = defaults(COMPOSE.read_text()), {}
    for share, whole in SHARES.items():
        new_whole = memory.get(whole.removesuffix("_MEMORY").lower())
        if new_whole and {share, whole} <= shipped.keys():
            found[share] = scaled(shipped[share], shipped[whole], new_whole)
    return found


def values(config):
    """{variable: value} of all that the settings say."""
    found = {**shares(config["memory"]), **{name: value_at(config, key) for name, key in KEYS.items()}}
    found["USERS_FILE"] = found["USERS_FILE"] or "./users"
    for key, end in (("memory", "_MEMORY"), ("images", "_IMAGE")):
        found.update({variable_of(name) + end: value for name, value in config[key].items() if value})
    return {name: value for name, value in {**found, **config["variables"]}.items() if value is not None}


def quoted(value):
    return value if re.fullmatch(r"[\w./:@,+=-]+", value) else f"'{value}'"


def env(known, text, config):
    """The text of .env: those that the compose file asks for."""
    lines = ["# Written by scripts/setup; secrets come from secrets/variables.",
             f"COMPOSE_PROJECT_NAME={config['project']}"]
    if config["profiles"]:
        lines.append(f"COMPOSE_PROFILES={','.join(config['profiles'])}")
    lines += [f"{name}={quoted(known[name])}" for name in variables(text) if known.get(name)]
    return "\n".join(lines) + "\n"
