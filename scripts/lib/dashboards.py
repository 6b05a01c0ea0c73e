"""What is wrong with dashboards of Grafana and with rules of Prometheus, as sentences.

A dashboard is held to what Grafana 9 to 12 take, to what provisioning from files needs, and to the
names that are really exposed.
"""

import json
import re
from dataclasses import dataclass, field

import promql

SCHEMA_VERSIONS = range(36, 43)  # of Grafana 9.0 to 12; newer ones bring older files up to date
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
PANELS = {"bargauge", "gauge", "row", "stat", "state-timeline", "table", "text", "timeseries"}
DIAGRAM = "jdbranham-diagram-panel"
WITHOUT_QUERIES = {"row", "text", DIAGRAM}
COLUMNS = 24
SEVERITIES = {"critical", "warning", "info"}
# What Prometheus itself adds to what it scrapes.
OF_PROMETHEUS = {"up", "scrape_duration_seconds", "scrape_samples_scraped",
                 "scrape_samples_post_metric_relabeling", "scrape_series_added", "ALERTS",
                 "ALERTS_FOR_STATE"}
# Labels that targets have, and that recording rules and alerts leave.
LABELS_OF_TARGETS = {"job", "instance", "site", "alertname", "alertstate", "severity"}
VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)(?::\w+)?\}")
BUILT_IN = {"__rate_interval": "5m", "__interval": "1m", "__range": "1h", "__interval_ms": "60000",
            "__range_s": "3600", "__all": ".*"}
PLACEHOLDER = re.compile(r"#\w+_\w+#|@@\w+@@|<[A-Z][A-Z_]+>|\$\{DS_\w+\}|__inputs|__requires"
                         r"|\b(?:TODO|FIXME|CHANGEME|REPLACE_ME|XXX)\b")
LINE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? [^ ]+(?: [^ ]+)?$")
LABEL = re.compile(r'([a-zA-Z_]\w*)="(?:[^"\\]|\\.)*"')


@dataclass
class Exposed:
    """Names of series, each with the names of labels that it has anywhere."""

    names: dict = field(default_factory=dict)

    def add_page(self, text):
        for line in text.splitlines():
            sample = None if line.startswith("#") else LINE.match(line)
            if sample:
                self.add(sample[1], LABEL.findall(sample[2] or ""))

    def add(self, name, labels=()):
        self.names.setdefault(name, set()).update(labels)

    def faults(self, expression):
        """What an expression asks for that there is not."""
        for selector in promql.selectors(expression):
            if selector.pattern and not any(re.fullmatch(selector.pattern, name) for name in self.names):
                yield f"no metric is called like {selector.pattern}"
            elif selector.name and selector.name not in self.names and selector.name not in OF_PROMETHEUS:
                yield f"there is no metric {selector.name}"
            elif selector.name in self.names:
                unknown = set(selector.labels) - self.names[selector.name] - LABELS_OF_TARGETS
                yield from (f"{selector.name} has no label {label}" for label in sorted(unknown))
            elif not selector.name and not selector.pattern:
                yield "a selector without a name"
        for label in sorted(promql.listed(expression) - self.labels(expression)):
            yield f"nothing in it has the label {label}"

    def labels(self, expression):
        """All that the series of an expression may have."""
        selected = promql.selectors(expression)
        return LABELS_OF_TARGETS.union(promql.made(expression), *(self.names.get(one.name, ()) for one in selected))


def expanded(text):
    """An expression as Prometheus gets it, with values for Grafana's variables."""
    return VARIABLE.sub(lambda found: BUILT_IN.get(found[1] or found[2], "x"), text)


def all_panels(dashboard):
    """Those in rows that are closed included."""
    for panel in dashboard.get("panels", ()):
        yield panel
        yield from panel.get("panels", ())


def strings(value):
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value


# ---- Queries ----

LABEL_VALUES = re.compile(r"label_values\((?:(.*),\s*)?([a-zA-Z_]\w*)\)", re.S)


def query_of(variable):
    query = variable.get("query", "")
    return query.get("query", "") if isinstance(query, dict) else query


def variable_expression(variable):
    """The expression in the query of a variable; None when there is none to be had."""
    query = query_of(variable)
    values = LABEL_VALUES.fullmatch(query)
    if values:
        return values[1]
    result = re.fullmatch(r"query_result\((.*)\)", query, re.S)
    return result[1] if result else None


def queries(dashboard):
    """(where, expression, legend) of all panels and variables."""
    for panel in all_panels(dashboard):
        for target in panel.get("targets", ()):
            yield f"panel {panel.get('title')!r}", target.get("expr", ""), target.get("legendFormat", "")
    for variable in dashboard.get("templating", {}).get("list", ()):
        if variable.get("type") == "query":
            yield f"variable {variable.get('name')}", variable_expression(variable) or "", ""


def query_faults(dashboard, exposed):
    for where, expression, legend in queries(dashboard):
        expression = expanded(expression)
        shown = set(re.findall(r"\{\{\s*(\w+)\s*\}\}", legend))
        try:
            yield from (f"{where}: {fault}" for fault in exposed.faults(expression))
            yield from (f"{where}: nothing in it has the label {label} of the legend"
                        for label in sorted(shown - exposed.labels(expression)))
        except promql.PromqlError as fault:
            yield f"{where}: {fault}"


# ---- Structure ----

def place_faults(panels):
    """Panels beside each other, as a grid of 24 columns has them."""
    taken = {}
    for panel in panels:
        title, place = panel.get("title"), panel.get("gridPos", {})
        if set(place) != set("xywh") or not all(isinstance(number, int) for number in place.values()):
            yield f"panel {title!r} has no place: gridPos needs x, y, w and h"
            continue
        x, y, w, h = (place[key] for key in "xywh")
        if x < 0 or y < 0 or w < 1 or h < 1 or x + w > COLUMNS:
            yield f"panel {title!r} is beside the grid"
        others = {taken.setdefault((column, row), title)
                  for column in range(x, x + w) for row in range(y, y + h)}
        yield from (f"panels {title!r} and {other!r} overlap" for other in sorted(others - {title}))


def panel_faults(panel):
    title, kind = panel.get("title"), panel.get("type")
    if kind not in PANELS | {DIAGRAM}:
        yield f"panel {title!r} is of the type {kind}, which Grafana does not bring along"
    if not isinstance(title, str) or not title:
        yield f"panel {panel.get('id')} has no title"
    targets = panel.get("targets", [])
    if (kind in WITHOUT_QUERIES) != (not targets):
        yield f"panel {title!r} of the type {kind} has {len(targets)} queries"
    if targets and panel.get("datasource") != DATASOURCE:
        yield f"panel {title!r} has its data from {panel.get('datasource')}"
    ids = [target.get("refId") for target in targets]
    if len(set(ids)) != len(ids) or not all(ids):
        yield f"panel {title!r} has queries of the same refId"
    for target in targets:
        if target.get("datasource", DATASOURCE) != DATASOURCE:
            yield f"panel {title!r} has a query to {target['datasource']}"
        if not target.get("expr", "").strip():
            yield f"panel {title!r} has a query without an expression"


def variable_faults(dashboard):
    variables = dashboard.get("templating", {}).get("list", [])
    names = [variable.get("name") for variable in variables]
    if len(set(names)) != len(names):
        yield "a variable is there twice"
    if not variables or (names[0], variables[0].get("type"), variables[0].get("query")) != (
            "datasource", "datasource", "prometheus"):
        yield "the first variable is not the datasource"
    for variable in variables:
        if variable.get("type") == "query" and variable.get("datasource") != DATASOURCE:
            yield f"variable {variable.get('name')} has its data from {variable.get('datasource')}"
        if variable.get("type") == "query" and variable_expression(variable) is None:
            yield f"variable {variable.get('name')}: {query_of(variable)!r} is not understood"
    used = {found[1] or found[2] for text in strings([dashboard.get("panels", []), variables])
            for found in VARIABLE.finditer(text)}
    for name in sorted(used - set(names) - set(BUILT_IN)):
        if not name.isdigit():
            yield f"there is no variable ${name}"


def text_faults(dashboard):
    for text in strings(dashboard):
        if re.search(r"(?:https?:|(?<![\w:/]))//\w", text):
            yield f"an address of somewhere else: {text[:60]!r}"
        if PLACEHOLDER.search(text):
            yield f"a placeholder that was left: {text[:60]!r}"


def structure_faults(dashboard):
    """What is wrong with a dashboard as such."""
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", str(dashboard.get("uid"))):
        yield f"no good uid: {dashboard.get('uid')!r}"
    if not isinstance(dashboard.get("title"), str) or not dashboard["title"].strip():
        yield "no title"
    if dashboard.get("id") is not None:
        yield "an id is what Grafana gives; a file has none"
    if dashboard.get("schemaVersion") not in SCHEMA_VERSIONS:
        yield f"schemaVersion {dashboard.get('schemaVersion')} is not of Grafana 9 to 12"
    panels = list(all_panels(dashboard))
    ids = [panel.get("id") for panel in panels]
    if not panels or len(set(ids)) != len(ids) or not all(isinstance(number, int) for number in ids):
        yield "the ids of panels are not numbers, each another"
    for panel in panels:
        yield from panel_faults(panel)
    yield from place_faults(dashboard.get("panels", []))
    for panel in dashboard.get("panels", []):
        yield from place_faults(panel.get("panels", []))
    yield from variable_faults(dashboard)
    yield from text_faults(dashboard)


# ---- Files ----

def read_dashboard(path):
    dashboard = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(dashboard, dict):
        raise ValueError("no dashboard: a dashboard is an object")
    return dashboard


def dashboard_faults(paths, exposed=None):
    """Of all files together; without names that are exposed, but for what the queries ask for."""
    faults, seen = [], {}
    for path in paths:
        try:
            dashboard = read_dashboard(path)
        except ValueError as fault:
            faults.append(f"{path}: {fault}")
            continue
        found = list(structure_faults(dashboard))
        if exposed is not None:
            found += query_faults(dashboard, exposed)
        for key in ("uid", "title"):
            other = seen.setdefault((key, dashboard.get(key)), path)
            if other != path:
                found.append(f"has the same {key} as {other}")
        faults += [f"{path}: {fault}" for fault in found]
    return faults


def rules_of(document):
    return [rule for group in document.get("groups", ()) for rule in group.get("rules", ())]


def recorded(documents):
    """The names that recording rules make."""
    return [rule["record"] for document in documents for rule in rules_of(document) if "record" in rule]


def rule_faults(document, exposed):
    """What is wrong with the rules of one file, which was read already."""
    for rule in rules_of(document):
        name = rule.get("alert") or rule.get("record")
        try:
            yield from (f"{name}: {fault}" for fault in exposed.faults(rule["expr"]))
        except promql.PromqlError as fault:
            yield f"{name}: {fault}"
        if "alert" not in rule:
            continue
        if rule.get("labels", {}).get("severity") not in SEVERITIES:
            yield f"{name}: the severity is none of {', '.join(sorted(SEVERITIES))}"
        for key in ("summary", "description", "runbook"):
            if not rule.get("annotations", {}).get(key):
                yield f"{name}: there is no {key}"
