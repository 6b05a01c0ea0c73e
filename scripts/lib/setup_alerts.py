"""The shipped alerts as a site wants them, and who is told of which."""

import re
from dataclasses import dataclass

from setup_read import shown, suggestion
from setup_shipped import DOCKER, alerts, dumped, load
from stack_places import Fault

# Who gets what when alerts.severities does not say; a severity has the name that the shipped alerts use.
SEVERITIES = {"critical": ["webhook"], "warning": ["chat"], "other": ["email"]}

SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
BYTES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def seconds(written):
    if not re.fullmatch(r"([0-9]{1,12}(ms|[smhdwy]))+", written):
        return None
    return sum(int(count) * SECONDS[unit] for count, unit in re.findall(r"([0-9]+)(ms|[smhdwy])", written))


def bytes_of(written):
    found = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]+)?)([kMGT]|[KMGT]i)?B?", written)
    return float(found[1]) * BYTES[found[2] or ""] if found else None


def ratio(written):
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(%?)", written)
    value = float(found[1]) / (100 if found[2] else 1) if found else 0
    return value if 0 < value < 1 else None


def count(written):
    return int(written) if re.fullmatch(r"[0-9]{1,12}", written) else None


RIGHT = {seconds: "a duration such as 5s or 30d", bytes_of: "a size such as 50GB", ratio: "a share such as 0.9 or 90%",
         count: "a whole number"}


@dataclass
class Threshold:
    """Of an alert: what it is, where it stands in its expression, and words about it."""

    kind: object
    old: str
    words: str = None
    new_words: str = None


THRESHOLDS = {
    "WeirRestarts": Threshold(count, "> 2"),
    "WeirCertificateExpires": Threshold(seconds, "< 14 * 86400", "within two weeks", "within {}"),
    "WeirLimitIsNear": Threshold(ratio, "> 0.8"),
    "WeirIsBehind": Threshold(seconds, "> 60", "for a minute", "for {}"),
    "WeirDiskIsSlow": Threshold(seconds, "> 0.5"),
    "WeirDiskFillsUp": Threshold(bytes_of, "> 10e9"),
    "WeirAnswersLate": Threshold(count, "> 1000"),
    "WeirReplicaLags": Threshold(seconds, "> 5 "),
    "WeirGroupExpires": Threshold(seconds, "< 30 * 86400"),
}
# Words that tell of what is their time.
WORDS_OF_FOR = {
    "WeirNotReady": ("for more than two minutes", "for more than {}"),
    "PingFails": ("for two minutes", "for {}"),
}


def check_change(reader, where, name, change):
    known = alerts()
    if name not in known:
        reader.fault(where, suggestion(name, known, "alert"))
        return
    if change["threshold"] is None:
        return
    if name not in THRESHOLDS:
        reader.fault(f"{where}.threshold", f"{name} has none that could be changed; these have: "
                                           f"{', '.join(THRESHOLDS)}")
    elif THRESHOLDS[name].kind(change["threshold"]) is None:
        reader.fault(f"{where}.threshold", f"{shown(change['threshold'])} is not good; it must be "
                                           f"{RIGHT[THRESHOLDS[name].kind]}")


def reworded(rule, words, new_words):
    for key, value in rule["annotations"].items():
        rule["annotations"][key] = value.replace(words, new_words)


def set_threshold(rule, written):
    threshold = THRESHOLDS[rule["alert"]]
    value = f"{threshold.kind(written):.12g}"
    operator, end = threshold.old[:2], " " if threshold.old.endswith(" ") else ""
    if threshold.old not in rule["expr"]:
        raise Fault(f"the shipped alert {rule['alert']} has no {threshold.old.strip()} any more, its threshold")
    rule["expr"] = rule["expr"].replace(threshold.old, operator + value + end)
    if threshold.words:
        reworded(rule, threshold.words, threshold.new_words.format(written))


def changed(rule, change):
    if change["threshold"] is not None:
        set_threshold(rule, change["threshold"])
    if change["for"] is not None:
        rule["for"] = change["for"]
        if rule["alert"] in WORDS_OF_FOR:
            words, new_words = WORDS_OF_FOR[rule["alert"]]
            reworded(rule, words, new_words.format(change["for"]))
    if change["severity"] is not None:
        rule["labels"]["severity"] = change["severity"]
    return rule


def rules(changes):
    """The text of alerts.yml."""
    shipped = load(DOCKER / "prometheus" / "rules" / "alerts.yml")
    for group in shipped["groups"]:
        group["rules"] = [changed(rule, changes[rule["alert"]]) if rule["alert"] in changes else rule
                          for rule in group["rules"]
                          if rule["alert"] not in changes or changes[rule["alert"]]["enabled"]]
    shipped["groups"] = [group for group in shipped["groups"] if group["rules"]]
    return dumped(shipped, "What to be told of.")


# ---- Alertmanager -----------------------------------------------------------------------------


def receiver_of(kinds, shipped):
    """What is sent to several is one receiver that has the settings of each."""
    found = {"name": "-and-".join(kinds)}
    for kind in kinds:
        found.update({key: value for key, value in shipped[kind].items() if key != "name"})
    return found


def matches(route, severity):
    return any(re.fullmatch(matcher.partition('"')[2].rstrip('"'), severity) for matcher in route["matchers"])


def template(severities):
    """The text of alertmanager.yml.template: the shipped one, with these receivers of each severity."""
    shipped = load(DOCKER / "alertmanager" / "alertmanager.yml.template")
    routed = {severity: sorted(set(severities.get(severity) or default), key=[*sum(SEVERITIES.values(), [])].index)
              for severity, default in SEVERITIES.items()}
    receivers = {receiver["name"]: receiver for receiver in shipped["receivers"]}
    names = {severity: "-and-".join(kinds) for severity, kinds in routed.items()}
    shipped["route"]["receiver"] = names["other"]
    for route in shipped["route"]["routes"]:
        route["receiver"] = names[next(severity for severity in routed if matches(route, severity))]
    shipped["receivers"] = list({names[severity]: receiver_of(kinds, receivers)
                                 for severity, kinds in routed.items()}.values())
    if not any("email" in kinds for kinds in routed.values()):
        shipped["global"] = {key: value for key, value in shipped["global"].items() if not key.startswith("smtp_")}
    return dumped(shipped, "Where alerts go, by severity; alertmanager/render makes alertmanager.yml of it.")
