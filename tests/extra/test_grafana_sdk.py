"""Dashboards by the types of Grafana's SDK, which has those of queries, too."""

import json
import subprocess

import pytest

import test_flow_dashboard as flows
from built import BUILT
from harness import REPOSITORY

PROGRAM = BUILT / "sdk" / "faults"
DASHBOARDS = sorted((REPOSITORY / "grafana" / "dashboards").glob("*.json"))
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="nothing of Grafana's SDK built")


def faults(*paths):
    done = subprocess.run([PROGRAM, *paths], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_dashboards_are_of_the_sdks_types(tmp_path):
    made = []
    for form in (flows.chain_of_nodes, flows.chain_of_switches):
        for switches in (0, 1, 2, 5):
            made.append(tmp_path / f"{form.__name__}{switches}.json")
            made[-1].write_text(json.dumps(flows.made(json.dumps(form(switches)))))
    assert len(DASHBOARDS) == 5 and faults(*DASHBOARDS, *made) == []


@pytest.mark.parametrize("change, fault", [
    (lambda panel: panel["targets"][0].update(exprr="up"), "targets"),
    (lambda panel: panel["targets"][0].update(instant="yes"), "targets"),
    (lambda panel: panel["transformations"][0].update(id=1), "transformations"),
    (lambda panel: panel["options"].update(showHeaders=True), "options"),
])
def test_wrong_one_is_noticed(tmp_path, change, fault):
    path = tmp_path / "wrong.json"
    dashboard = json.loads((REPOSITORY / "grafana" / "dashboards" / "weir-targets.json").read_text())
    number, = (number for number, panel in enumerate(dashboard["panels"])
               if (panel["type"], panel["title"]) == ("table", "Time since the last push"))
    change(dashboard["panels"][number])
    path.write_text(json.dumps(dashboard))
    found = faults(path)
    assert found and all(line.startswith(f"{path}: panels[{number}].") and fault in line for line in found), found
