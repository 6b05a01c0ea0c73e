"""What the file of an installation may say, key by key; docker/setup.example.yml shows all of it."""

import ipaddress
from collections import Counter

from setup_alerts import SEVERITIES, check_change, seconds
from setup_read import (
    Reader, boolean, choice, list_of, map_of, number, path, regex, secret, section, section_or_default, suggestion, text)
from setup_settings import expected_instead
from setup_shipped import (
    COMPOSE, PROMETHEUS, load, profiles, settings_of_weir, variables, variables_ending)
from setup_variables import KEYS, bytes_of
from stack_check import SECRET

CENTURY = 100 * 365 * 86400  # Prometheus knows no time much longer
NAME = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
WORD = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
LABEL = (r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*", "the name of a label: letters, digits and _")
PARTS = ["postgres", "prometheus", "alertmanager", "grafana"]


def is_short(written):
    """Of a time."""
    passed = seconds(written)
    return passed is not None and passed <= CENTURY


def is_port(written):
    return 0 < int(written.rpartition(":")[2]) < 65536


def is_address(written):
    try:
        return is_port(written) and (":" not in written or bool(ipaddress.ip_address(
            written.rpartition(":")[0].strip("[]"))))
    except ValueError:
        return False


domain = text(rf"{NAME}(\.{NAME})*", "a name such as example.com")
name_below = text(rf"{NAME}(\.{NAME})*", "the part of a name that stands before the domain, such as push")
word = text(WORD, "a name of letters, digits, ., _ and -")
plain = text(r".+", "a text")
size = text(r"[0-9]{1,12}[kmg]b?", "an amount of memory such as 512m or 2g, of 6m at least",
            is_good=lambda written: bytes_of(written) >= 6 << 20)  # as Docker has it
DURATION = r"(?=.)([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?"
duration = text(DURATION, "a duration such as 30s, 1h30m or 0s", is_good=is_short)
some_time = text(rf"(?=.*[1-9]){DURATION}", "a duration such as 30s, 12h or 30d", is_good=is_short)
simple_time = text(r"[0-9]*[1-9][0-9]*(ms|[smhd])", "a duration of one unit, such as 30s or 4h", is_good=is_short)
duration_of_weir = text(r"([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+", "a duration such as 90s, 24h or 0s")
stored_size = text(r"[0-9]+(B|KB|MB|GB|TB|PB)", "a size such as 50GB")
image = text(r"[A-Za-z0-9][\w./:@-]*", "the name of an image, such as registry.example.com/redis:7.2")
url = text(r"https?://[^\s/]\S*", "a URL with http:// or https://")
# May be a secret itself.
url_told_to_nobody = secret(r"https?://[^\s/'\\][^\s'\\]*", "a URL with http:// or https://, without ' and \\")
host_and_port = text(r"([^\s/:\[\]]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}", "HOST:PORT, without http:// and path",
                     is_good=is_port)
address = text(r"([0-9.]+:|\[[0-9a-fA-F:.]+\]:)?[0-9]{1,5}", "a port, or ADDRESS:PORT", is_good=is_address)
network = text(r"((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(\.|$)){3}(?<!\.)",
               "the first three numbers of 256 addresses, such as 172.30.91")
mail_address = text(r"[^@\s]+@[^@\s]+(, *[^@\s]+@[^@\s]+)*", "an address such as ops@example.com")
host = text(r"[A-Za-z0-9:][A-Za-z0-9.:%_-]{0,199}", "the name or address of a host")
labels = map_of(plain, *LABEL)

RECEIVERS = {
    "webhook": section({"url": url_told_to_nobody}),
    "chat": section({"url": url_told_to_nobody, "channel": plain}, {"channel": "such as '#alerts'"}),
    "email": section(
        {"to": mail_address, "from": mail_address, "server": host_and_port, "user": plain, "password_file": path,
         "tls": (boolean, True)},
        {"to": "who gets mail", "from": "from whom it comes", "server": "by which server, HOST:PORT"}),
}

LOGIN = {"user": plain, "password_file": path, "token_file": path, "ca_file": path}

JOB = section(
    {"job": word, "targets": list_of(host_and_port), "labels": (labels, {}), "interval": some_time,
     "timeout": some_time, "path": text(r"/\S*", "a path such as /metrics"), "scheme": choice("http", "https"),
     "honor_labels": boolean, **LOGIN},
    {"job": "its name, the label job", "targets": "a list of HOST:PORT"})

REMOTE_WRITE = section(
    {"url": url, "keep": regex, "drop": regex, **LOGIN},
    {"url": "where to write"})

CHANGE = section({"threshold": plain, "for": duration, "severity": text(r"[a-z]+", "a word such as warning"),
                  "enabled": (boolean, True)})

SITE = section(
    {"name": word, "hosts": list_of(host), "user": word,
     "every": (duration_of_weir, "15s"), "ping": (list_of(host), []), "switches": (list_of(host), [])},
    {"name": "the label site", "hosts": "a list of the hosts that push from there, by the label instance"})


def each_of(end, kind):
    """Keys as there are variables in the compose file."""
    return section(dict.fromkeys(sorted(variables_ending(end)), kind))


def whole():
    return section({
        "domain": domain,
        "names": section_or_default({"push": (name_below, "push"), "metrics": (name_below, "metrics"),
                                     "grafana": (name_below, "grafana")}),
        "tls": path, "users": list_of(word), "users_file": path,
        "listen": (address, "443"), "network": (network, "172.30.91"),
        "project": (text(rf"(?=.{{1,63}}$){NAME}", "a name of small letters, digits and -, 63 at most"), "weir"),
        "site": (word, "main"),
        "weirs": section_or_default({
            "count": (number(1, 20), 2), "state": (choice("redis", "sqlite"), "redis"),
            "group_ttl": (duration_of_weir, "0s"), "register": (choice("auto", "known"), "auto"),
            "settings": (map_of(plain), {})}),
        "parts": section_or_default({part: (boolean, True) for part in PARTS}),
        "memory": (each_of("_MEMORY", size), {}), "images": (each_of("_IMAGE", image), {}),
        "variables": (map_of(plain), {}), "profiles": (list_of(word), []),
        "prometheus": section_or_default({
            "retention": (some_time, "30d"), "retention_size": stored_size, "scrape_interval": (some_time, "15s"),
            "labels": (labels, {}), "jobs": (list_of(JOB), []), "remote_write": (list_of(REMOTE_WRITE), [])}),
        "alerts": section_or_default({
            "receivers": (section(RECEIVERS), {}), "severities": (section(dict.fromkeys(SEVERITIES, list_of(
                choice(*RECEIVERS)))), {}),
            "group_wait": (simple_time, "30s"), "group_interval": (simple_time, "5m"),
            "repeat_interval": (simple_time, "4h"),
            "change": (map_of(CHANGE), {})}),
        "sites": (list_of(SITE), []),
    }, {"domain": "push, metrics and grafana are names below it",
        "tls": "which directory has fullchain.pem and privkey.pem of these names"})


# ---- What goes together -----------------------------------------------------------------------


def check_users(reader, config):
    if (config["users"] is None) == (config["users_file"] is None):
        reader.fault("users_file" if config["users_file"] else "",
                     "users or users_file, one of them: names to make passwords for, or a file as htpasswd writes it")
    if config["users"] == []:
        reader.fault("users", "must have one name at least")
    for name, count in Counter(config["users"] or []).items():
        if name and count > 1:
            reader.fault("users", f"{name} is there {count} times")


def check_parts(reader, config):
    parts, weirs = config["parts"], config["weirs"]
    if parts["prometheus"] is False:
        for part in ("alertmanager", "grafana"):
            if parts[part]:
                reader.fault(f"parts.{part}", f"needs Prometheus: set parts.prometheus, or parts.{part}: false")
    if weirs["state"] == "sqlite" and (weirs["count"] or 1) > 1:
        reader.fault("weirs.state", f"sqlite is for one weir; {weirs['count']} share a Redis: state: redis or count: 1")
    if weirs["state"] == "redis" and parts["postgres"] is False:
        reader.fault("parts.postgres", "weirs on a Redis keep their targets in PostgreSQL: set it, or with "
                                       "weirs.count: 1 weirs.state: sqlite")


def check_names(reader, config):
    names = config["names"]
    if len(set(names.values())) < len(names):
        reader.fault("names", f"must differ: {', '.join(str(name) for name in names.values())}")


OWN_SETTINGS = {
    "state.url": "weirs.state", "targets.url": "parts.postgres", "group.ttl": "weirs.group_ttl",
    "targets.register": "weirs.register", "web.external-url": "domain and names", "web.listen-address": None,
    "data.dir": None, "config.file": None, "takeover": None, "web.systemd-socket": None, "web.route-prefix": None,
    "web.config.file": None,
}


def check_settings(reader, config):
    known = settings_of_weir()
    for name, value in config["weirs"]["settings"].items():
        place = f"weirs.settings.{name}"
        if name not in known:
            reader.fault(place, suggestion(name, known - OWN_SETTINGS.keys(), "setting"))
        elif name in OWN_SETTINGS:
            key = OWN_SETTINGS[name]
            reader.fault(place, f"is set by {key}" if key else "is set by the compose file, and cannot be changed here")
        elif value and (wanted := expected_instead(name, value)):
            reader.fault(place, f"{value!r} is not good; it must be {wanted}")


def key_of(name):
    """That by which a variable is set; None when it has none."""
    if name.startswith("PROMETHEUS_REMOTE_WRITE_"):
        return "prometheus.remote_write"
    return KEYS.get(name, "memory and images" if name.endswith(("_MEMORY", "_IMAGE")) else None)


def check_variables(reader, config):
    known = set(variables(COMPOSE.read_text()))
    secrets = {name for name in known if SECRET.search(name)}
    for name in config["variables"]:
        place = f"variables.{name}"
        if name not in known:
            free = {each for each in known - secrets if not key_of(each)}
            reader.fault(place, suggestion(name, free, "variable"))
        elif name in secrets:
            reader.fault(place, "is a secret: it is made by itself, or put it into secrets/variables of the directory")
        elif key_of(name):
            reader.fault(place, f"is set by {key_of(name)}")
    for number_, name in enumerate(config["profiles"], 1):
        if name and name not in profiles():
            reader.fault(f"profiles[{number_}]", suggestion(name, profiles(), "profile"))


def check_login(reader, where, settings):
    if (settings["user"] is None) != (settings["password_file"] is None):
        reader.fault(where, "user and password_file go together")
    if settings["user"] and settings["token_file"]:
        reader.fault(where, "user or token_file, not both")


def check_times(reader, where, job, interval_of_all):
    interval, timeout = job["interval"] or interval_of_all, job["timeout"]
    if interval and timeout and seconds(timeout) > seconds(interval):
        reader.fault(f"{where}.timeout", f"{timeout} is longer than the interval, {interval}; it may be as long at most")


def check_prometheus(reader, config):
    prometheus = config["prometheus"]
    shipped = {job["job_name"] for job in load(PROMETHEUS)["scrape_configs"]}
    seen = set()
    for number_, job in enumerate(prometheus["jobs"], 1):
        where = f"prometheus.jobs[{number_}]"
        if job["job"] and job["job"] in shipped | seen:
            whose = "a job of weir's own" if job["job"] in shipped else "there already"
            reader.fault(f"{where}.job", f"{job['job']} is {whose}; take another name")
        seen.add(job["job"])
        if job["targets"] == []:
            reader.fault(f"{where}.targets", "must have one HOST:PORT at least")
        check_login(reader, where, job)
        check_times(reader, where, job, prometheus["scrape_interval"])
    for number_, write in enumerate(prometheus["remote_write"], 1):
        check_login(reader, f"prometheus.remote_write[{number_}]", write)
    if config["parts"]["prometheus"] is False:
        for key in ("jobs", "remote_write"):
            if prometheus[key]:
                reader.fault(f"prometheus.{key}", "there is no Prometheus: parts.prometheus is false")


def check_alerts(reader, config):
    alerts = config["alerts"]
    for name, change in alerts["change"].items():
        check_change(reader, f"alerts.change.{name}", name, change)
    if config["parts"]["alertmanager"] is False:
        if alerts["receivers"]:
            reader.fault("alerts.receivers", "there is no Alertmanager: parts.alertmanager is false")
        return
    routed = {severity: alerts["severities"].get(severity) or default for severity, default in SEVERITIES.items()}
    for severity in (alerts["severities"] or {}):
        if alerts["severities"][severity] == []:
            reader.fault(f"alerts.severities.{severity}", f"must have one at least of {', '.join(RECEIVERS)}")
    for kind in sorted({kind for kinds in routed.values() for kind in kinds if kind}):
        if not (alerts["receivers"] or {}).get(kind):
            severities = ", ".join(severity for severity, kinds in routed.items() if kind in kinds)
            reader.fault("alerts.receivers", f"{kind} is missing: it gets {severities}; say where it is, or change "
                                             "alerts.severities")
    email = (alerts["receivers"] or {}).get("email")
    if email and (email["user"] is None) != (email["password_file"] is None):
        reader.fault("alerts.receivers.email", "user and password_file go together")


def check_sites(reader, config):
    seen = set()
    for number_, site in enumerate(config["sites"], 1):
        where = f"sites[{number_}]"
        if site["name"] and site["name"] in seen:
            reader.fault(f"{where}.name", f"{site['name']} is there already; sites need names of their own")
        seen.add(site["name"])
        if site["hosts"] == []:
            reader.fault(f"{where}.hosts", "must have one host at least")
        for host, count in Counter(site["hosts"] or []).items():
            if host and count > 1:
                reader.fault(f"{where}.hosts", f"{host} is there {count} times")
        if site["user"] and config["users_file"]:
            reader.fault(f"{where}.user", "the passwords of a users_file are not known here: leave user out, and "
                                          "write the file for curl yourself")
        elif site["user"] and config["users"] is not None and site["user"] not in config["users"]:
            reader.fault(f"{where}.user", f"{site['user']} is none of users")


CHECKS = [check_users, check_parts, check_names, check_settings, check_variables, check_prometheus, check_alerts,
          check_sites]


def read_config(path_of_it):
    """(settings, the reader, which knows what is wrong with them)"""
    reader = Reader(path_of_it)
    config = reader.read(whole())
    if config is not None:
        for check in CHECKS:
            check(reader, config)
    return config, reader
