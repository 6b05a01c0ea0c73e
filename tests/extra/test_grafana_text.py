"""Panels of text as Grafana makes HTML of them."""

import json

import pytest

import test_flow_dashboard as flows
from built import BUILT
from test_grafana import node

ADDRESSES = ["www.example.org", "https://example.org/x", "a@example.org", "![x](y)", "~~a~~", "_a_", "1. x", "- x"]
NAMES = flows.ODD + ADDRESSES
pytestmark = pytest.mark.skipif(not (BUILT / "grafana" / "node_modules" / "@grafana" / "data").exists(),
                                reason="no library of Grafana's")


def ring(names):
    """Each linked to the one before it."""
    return {"flow": "f", "node": [
        {"name": name, "type": "host", "interface": [
            {"name": name, "peer": {"name": names[at - 1], "interface": names[at - 1]}}]}
        for at, name in enumerate(names)]}


def dashboard_of(flow):
    code, out, said = flows.run("-", text=json.dumps(flow, ensure_ascii=False))
    assert (code, said) == (0, "")
    return out


def test_names_stay_what_they_are(tmp_path):
    """In the links: no mark-up, no address of elsewhere. The diagram is code."""
    (tmp_path / "f.json").write_text(dashboard_of(ring(NAMES)))
    topology, links = (json.loads(line) for line in node("text.mjs", tmp_path / "f.json"))
    assert (topology["title"], topology["elements"]) == ("Topology", ["pre", "code"])
    assert topology["code"] == ["flowchart LR\n" + "\n".join(
        flows.mermaid(json.loads((tmp_path / "f.json").read_text()))) + "\n"]
    assert set(links["elements"]) == {"table", "thead", "tbody", "tr", "th", "td"} and not links["attributes"]
    cells = [cell.replace("\u2060", "") for cell in links["cells"]]
    assert [cells[at:at + 4] for at in range(0, len(cells), 4)] == [
        [name, name, NAMES[at - 1], NAMES[at - 1]] for at, name in enumerate(NAMES)]
