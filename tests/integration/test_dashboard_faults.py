"""scripts/check-dashboards: each thing that may be wrong with a dashboard is found, and named."""

import copy
import json
import subprocess
import sys

import pytest

from harness import DEADLINE, REPOSITORY

sys.path.insert(0, str(REPOSITORY / "scripts" / "lib"))

import dashboards  # noqa: E402

CHECK = REPOSITORY / "scripts" / "check-dashboards"
GOOD = dashboards.read_dashboard(REPOSITORY / "grafana" / "dashboards" / "weir-snmp.json")


def faults(change):
    """What is said of the good dashboard after a change."""
    dashboard = copy.deepcopy(GOOD)
    change(dashboard)
    return list(dashboards.structure_faults(dashboard))


def panel(number=1, **fields):
    return lambda dashboard: dashboard["panels"][number].update(fields)


def query(**fields):
    return lambda dashboard: dashboard["panels"][1]["targets"][0].update(fields)


def variable(number, **fields):
    return lambda dashboard: dashboard["templating"]["list"][number].update(fields)


def top(**fields):
    return lambda dashboard: dashboard.update(fields)


def closed_row(dashboard):
    """A panel inside of a row, of an id that there is."""
    dashboard["panels"][0]["panels"] = [copy.deepcopy(dashboard["panels"][1])]


CHANGES = {
    "no uid": (top(uid=""), "no good uid: ''"),
    "odd uid": (top(uid="a b"), "no good uid: 'a b'"),
    "long uid": (top(uid="a" * 41), f"no good uid: '{'a' * 41}'"),
    "no title": (top(title=" "), "no title"),
    "id": (top(id=3), "an id is what Grafana gives; a file has none"),
    "old schema": (top(schemaVersion=16), "schemaVersion 16 is not of Grafana 9 to 12"),
    "no panels": (top(panels=[]), "the ids of panels are not numbers, each another"),
    "same id": (panel(id=1), "the ids of panels are not numbers, each another"),
    "same id in a row": (closed_row, "the ids of panels are not numbers, each another"),
    "no such panel": (panel(type="graph"),
                      "panel 'Answers to SNMP' is of the type graph, which Grafana does not bring along"),
    "no title of a panel": (panel(title=""), "panel 2 has no title"),
    "no queries": (panel(targets=[]), "panel 'Answers to SNMP' of the type state-timeline has 0 queries"),
    "no expression": (query(expr=" "), "panel 'Answers to SNMP' has a query without an expression"),
    "same refId": (lambda dashboard: dashboard["panels"][6]["targets"].append(
        dashboard["panels"][6]["targets"][0]), "panel 'Received' has queries of the same refId"),
    "other datasource": (panel(datasource={"type": "prometheus", "uid": "abc"}),
                         "panel 'Answers to SNMP' has its data from {'type': 'prometheus', 'uid': 'abc'}"),
    "datasource by name": (panel(datasource="Prometheus"),
                           "panel 'Answers to SNMP' has its data from Prometheus"),
    "query to another": (query(datasource={"uid": "abc"}),
                         "panel 'Answers to SNMP' has a query to {'uid': 'abc'}"),
    "no place": (panel(gridPos={"x": 0}), "panel 'Answers to SNMP' has no place: gridPos needs x, y, w and h"),
    "beside the grid": (panel(gridPos={"x": 20, "y": 90, "w": 6, "h": 6}),
                        "panel 'Answers to SNMP' is beside the grid"),
    "overlap": (panel(gridPos={"x": 11, "y": 1, "w": 2, "h": 2}),
                "panels 'Interfaces that are up' and 'Answers to SNMP' overlap"),
    "variable twice": (variable(1, name="job"), "a variable is there twice"),
    "no datasource variable": (variable(0, name="source"), "the first variable is not the datasource"),
    "variable from elsewhere": (variable(1, datasource={"uid": "abc"}),
                                "variable site has its data from {'uid': 'abc'}"),
    "odd variable": (variable(1, query="label_values("), "variable site: 'label_values(' is not understood"),
    "no such variable": (query(expr="up{job=~\"$jobs\"}"), "there is no variable $jobs"),
    "no such variable in braces": (panel(title="of ${who:csv}"), "there is no variable $who"),
    "address": (panel(description="see https://example.com/x"),
                "an address of somewhere else: 'see https://example.com/x'"),
    "address without scheme": (panel(description="//example.com/x.png"),
                               "an address of somewhere else: '//example.com/x.png'"),
    "placeholder": (panel(description="#ds_uid#"), "a placeholder that was left: '#ds_uid#'"),
    "exported input": (top(__inputs=[]), "a placeholder that was left: '__inputs'"),
    "input": (panel(description="${DS_PROMETHEUS}"), "a placeholder that was left: '${DS_PROMETHEUS}'"),
}


@pytest.mark.smoke
def test_good_one():
    assert faults(lambda dashboard: None) == []


@pytest.mark.parametrize("name", CHANGES)
def test_fault_is_named(name):
    change, sentence = CHANGES[name]
    assert sentence in faults(change)


@pytest.fixture
def exposed():
    names = dashboards.Exposed()
    names.add_page('# TYPE m gauge\nm{a="1",b="x y} z"} 1\nn 2 1000\nh_bucket{le="+Inf"} 3\n')
    return names


@pytest.mark.parametrize("expression,wanted", [
    ("m{a='1'} + n + h_bucket{le='1',job='x'} * up", []),
    ("mm", ["there is no metric mm"]),
    ("m{c='1'}", ["m has no label c"]),
    ("{__name__=~'m|x'}", []),
    ("{__name__=~'x.*'}", ["no metric is called like x.*"]),
    ("{a='1'}", ["a selector without a name"]),
    ("sum by (a, job) (m)", []),
    ("sum by (c) (m)", ["nothing in it has the label c"]),
])
def test_what_is_not_exposed(exposed, expression, wanted):
    assert list(exposed.faults(expression)) == wanted


@pytest.mark.parametrize("expression,wanted", [
    ("m[$__rate_interval]", []), ("m{a=~\"$x\"}", []), ("m{", ["panel 'p': there is no }"]),
    ("$x", ["panel 'p': there is no metric x"]),
])
def test_queries_of_panels(exposed, expression, wanted):
    dashboard = {"panels": [{"title": "p", "targets": [{"expr": expression}]}]}
    assert list(dashboards.query_faults(dashboard, exposed)) == wanted


def test_legends_and_variables(exposed):
    dashboard = {
        "panels": [{"title": "p", "targets": [{"expr": "m", "legendFormat": "{{a}} {{ job }} {{c}}"}]}],
        "templating": {"list": [{"name": "v", "type": "query", "query": "label_values(gone{a=\"1\"}, a)"}]}}
    assert list(dashboards.query_faults(dashboard, exposed)) == [
        "panel 'p': nothing in it has the label c of the legend", "variable v: there is no metric gone"]


def test_rules(exposed):
    document = {"groups": [{"rules": [
        {"alert": "A", "expr": "m > 1", "labels": {"severity": "loud"}, "annotations": {"summary": "s"}},
        {"record": "r", "expr": "gone"}]}]}
    assert list(dashboards.rule_faults(document, exposed)) == [
        "A: the severity is none of critical, info, warning", "A: there is no description",
        "A: there is no runbook", "r: there is no metric gone"]


def run(*arguments):
    done = subprocess.run([CHECK, *arguments], capture_output=True, text=True, timeout=DEADLINE, check=False)
    return done.returncode, done.stdout, done.stderr


def test_files(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(GOOD))
    (tmp_path / "b.json").write_text(json.dumps(GOOD))
    (tmp_path / "c.json").write_text("{")
    (tmp_path / "d.json").write_text("[]")
    code, said, _ = run(*sorted(tmp_path.glob("*.json")))
    assert code == 1
    assert f"{tmp_path}/b.json: has the same uid as {tmp_path}/a.json" in said
    assert f"{tmp_path}/b.json: has the same title as {tmp_path}/a.json" in said
    assert f"{tmp_path}/c.json: Expecting" in said
    assert f"{tmp_path}/d.json: no dashboard" in said
    assert said.endswith("4 dashboards, 4 faults\n")


def test_arguments(tmp_path):
    assert run("--help")[0] == 0
    code, _, said = run("--pages=x")
    assert code == 2 and "unknown flag --pages=x" in said
    code, _, said = run(f"--page={tmp_path / 'none'}")
    assert code == 2 and "No such file" in said
