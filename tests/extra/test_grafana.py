"""Dashboards held to the types that Grafana publishes, and diagrams read by Mermaid itself."""

import json
import subprocess

import pytest

import test_flow_dashboard as flows
from built import BUILT
from harness import REPOSITORY

HERE = BUILT / "grafana"
GOLDEN = sorted((REPOSITORY / "tests" / "golden" / "dashboard").glob("*.yml"))
pytestmark = pytest.mark.skipif(not (HERE / "node_modules" / "mermaid").exists(),
                                reason="no packages of Grafana's and Mermaid's")


def node(*arguments):
    done = subprocess.run(["node", *map(str, arguments)], cwd=HERE, capture_output=True, text=True,
                          timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_dashboards_are_of_grafanas_types(tmp_path):
    made = []
    for number, (path, flag) in enumerate((path, flag) for path in GOLDEN for flag in ("text", "plugin")):
        made.append(tmp_path / f"{number}.json")
        made[-1].write_text(flows.run(f"--diagram={flag}", path)[1])
    assert node("schema.mjs", *sorted((REPOSITORY / "grafana" / "dashboards").glob("*.json")), *made) == []


def test_wrong_one_is_noticed(tmp_path):
    dashboard = json.loads((REPOSITORY / "grafana" / "dashboards" / "weir-snmp.json").read_text())
    dashboard["panels"][1]["options"]["rowHight"] = 1
    dashboard["refresh"] = 30
    (tmp_path / "wrong.json").write_text(json.dumps(dashboard))
    told = "\n".join(node("schema.mjs", tmp_path / "wrong.json"))
    assert '/refresh must be string' in told
    assert 'Answers to SNMP: Options:  must NOT have additional properties {"additionalProperty":"rowHight"}' in told


def diagram_of(directory, dashboard):
    path = directory / "diagram.mmd"
    path.write_text("flowchart LR\n" + "\n".join(flows.mermaid(dashboard)) + "\n")
    said, = node("mermaid.mjs", path)
    return json.loads(said)


@pytest.mark.parametrize("switches", [0, 1, 2, 5])
def test_diagrams_are_mermaids(tmp_path, switches):
    read = diagram_of(tmp_path, flows.made(json.dumps(flows.chain_of_nodes(switches))))
    assert read["edges"] == switches + 1
    assert sorted(read["subgraphs"]) == sorted(["a", "b", *(f"s{number}" for number in range(switches))])
    assert len(read["vertices"]) == 2 * (switches + 1)


def test_odd_names_in_diagrams(tmp_path):
    nodes = [{"name": name, "type": "host", "interface": [{"name": name}]} for name in flows.ODD]
    read = diagram_of(tmp_path, flows.made(json.dumps({"flow": "f", "node": nodes}, ensure_ascii=False)))
    assert sorted(read["subgraphs"]) == sorted(read["vertices"]) == sorted(flows.ODD)
