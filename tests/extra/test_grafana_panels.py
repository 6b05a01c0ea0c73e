"""What panels show of real answers, by the library that Grafana's own pages transform and format them with."""

import copy
import json

import pytest

import panels
import test_dashboards
from built import BUILT

pytestmark = pytest.mark.skipif(not (BUILT / "grafana" / "node_modules" / "@grafana" / "data").exists(),
                                reason="no library of Grafana's")


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """{dashboard: what its panels asked, and were answered}"""
    directory = tmp_path_factory.mktemp("panels")
    with panels.observed(directory) as (server, page):
        found = {path.stem: panels.answers(server, dashboard)
                 for path, dashboard in test_dashboards.DASHBOARDS.items()}
        (directory / "flow.yml").write_text(json.dumps(test_dashboards.pushed_flow(page)))
        made = json.loads(test_dashboards.of_flow(directory / "flow.yml").read_text())
        found["of a flow"] = panels.answers(server, made, chosen={"site": "a"})
        return found


@pytest.fixture(scope="module")
def shown(asked, tmp_path_factory):
    """{(dashboard, id of a panel): (panel, what is shown, faults)}"""
    listed = [(name, one) for name, of in asked.items() for one in of]
    told = panels.shown(tmp_path_factory.mktemp("shown"), [one for _, one in listed])
    return {(name, one["panel"]["id"]): (one["panel"], *of) for (name, one), of in zip(listed, told)}


def of_panel(shown, dashboard, kind, title):
    """{name: texts} of one panel."""
    (texts,) = (texts for (name, _), (panel, texts, _) in shown.items()
                if (name, panel["type"], panel["title"]) == (dashboard, kind, title))
    return dict(texts)


def test_options_are_understood(shown):
    """Units, transformations, overrides and what is sorted by: Grafana passes over what it does not know."""
    assert {key: faults for key, (_, _, faults) in shown.items() if faults} == {}


def test_names_tell_series_from_each_other(shown):
    alike = {}
    for (dashboard, _), (panel, texts, _) in shown.items():
        names = [name for name, _ in texts]
        if len(set(names)) < len(names):
            alike[dashboard, panel["title"]] = sorted({name for name in names if names.count(name) > 1})
    assert alike == {}


def test_tables_have_columns_with_names(shown):
    tables = {key: [name for name, _ in texts] for key, (panel, texts, _) in shown.items() if panel["type"] == "table"}
    assert len(tables) > 15
    assert {key: names for key, names in tables.items()
            if not names or {"Time", "Value", "__name__"} & set(names)} == {}


def test_states_are_words(shown):
    """As soon as there is one."""
    states = {text for panel, texts, _ in shown.values() if panel["type"] == "state-timeline"
              for _, values in texts for text in values}
    assert "yes" in states and states <= {"yes", "no"}


def test_weir_is_told_from_what_is_pushed_and_scraped_beside_it(shown):
    assert of_panel(shown, "weir-overview", "stat", "Scraped") == {"Value": ["yes"]}
    for title in ("Memory", "CPU"):
        names = of_panel(shown, "weir-overview", "timeseries", title)
        assert names and all(name.startswith("127.0.0.1:") for name in names), names


def test_hosts_are_told_from_other_jobs(asked):
    """The group of another job was pushed before them."""
    last, = (of for of in asked["weir-node"] if of["panel"]["title"] == "Last push, longest ago")
    pushed, = (of for of in asked["weir-targets"] if of["panel"]["title"] == "Time since the last push"
               and of["panel"]["type"] == "table")

    def times(of, job=None):
        return [row["value"][0] - float(row["value"][1]) for row in of["answers"][0]["result"]
                if job in (None, row["metric"].get("job"))]

    hosts, backup, = times(pushed, "node-exporter"), *times(pushed, "backup")
    assert backup < min(hosts)
    assert times(last) == [pytest.approx(min(hosts), abs=(min(hosts) - backup) / 2)]


def test_target_that_never_pushed(shown):
    columns = of_panel(shown, "weir-targets", "table", "Expected by their interval")
    heard = dict(zip(columns["job"], columns["Last heard of"]))
    assert heard["quiet"] == "never" and heard["hasty"].endswith("s")


# ---- What is wrong is noticed ----

def changed(asked, dashboard, title, change):
    one, = (copy.deepcopy(of) for of in asked[dashboard] if of["panel"]["title"] == title)
    change(one["panel"])
    return one


@pytest.mark.parametrize("dashboard, title, change, fault", [
    ("weir-node", "Load", lambda panel: panel["fieldConfig"]["defaults"].update(unit="bytez"),
     'there is no unit "bytez"'),
    ("weir-node", "Load", lambda panel: panel["options"]["legend"].update(calcs=["lastest"]),
     'there is no way to make one value of many "lastest"'),
    ("weir-targets", "Expected by their interval",
     lambda panel: panel["fieldConfig"]["overrides"][0]["matcher"].update(options="Last herd of"),
     'an override is for no field: {"id":"byName","options":"Last herd of"}'),
    ("weir-snmp", "MTU", lambda panel: panel["transformations"][0]["options"].update(renameByName={"Valu": "MTU"}),
     'there is no column to rename: "Valu"'),
    ("weir-snmp", "MTU", lambda panel: panel["transformations"][0].update(id="organise"),
     'there is no transformation "organise"'),
])
def test_wrong_option_is_noticed(asked, tmp_path, dashboard, title, change, fault):
    (_, faults), = panels.shown(tmp_path, [changed(asked, dashboard, title, change)])
    assert faults == [fault]
