"""Panels of text as Grafana makes HTML of them, and diagrams as Mermaid draws them in a browser."""

import html
import itertools
import json
import re
import shutil
import subprocess

import pytest

import test_flow_dashboard as flows
from built import BUILT
from test_grafana import HERE, node

ADDRESSES = ["www.example.org", "https://example.org/x", "a@example.org", "![x](y)", "~~a~~", "_a_", "1. x", "- x"]
NAMES = flows.ODD + ADDRESSES
BROWSER = shutil.which("chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--virtual-time-budget=60000"]
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


# ---- In a browser ----

def drawn(directory, diagrams):
    """What is to be seen of each."""
    for name in ("draw.html", "node_modules"):
        (directory / name).symlink_to(HERE / name)
    (directory / "diagrams.js").write_text(f"const diagrams = {json.dumps(diagrams)};\n")
    done = subprocess.run([BROWSER, *FLAGS, f"--user-data-dir={directory / 'profile'}", "--dump-dom",
                           f"file://{directory}/draw.html"], capture_output=True, text=True, timeout=120, check=True)
    told = html.unescape(re.search(r'<pre id="told">(.*?)</pre>', done.stdout, re.S)[1])
    return [json.loads(line) for line in told.splitlines()]


def diagram_of(flow):
    return "flowchart LR\n" + "\n".join(flows.mermaid(json.loads(dashboard_of(flow)))) + "\n"


def overlap(one, other):
    return (one["left"] < other["right"] and other["left"] < one["right"]
            and one["top"] < other["bottom"] and other["top"] < one["bottom"])


@pytest.mark.skipif(not BROWSER, reason="no chromium")
def test_diagrams_are_drawn(tmp_path):
    chains = [flows.chain_of_nodes(switches) for switches in (0, 1, 2, 5)]
    seen = drawn(tmp_path, [diagram_of(flow) for flow in [*chains, ring(NAMES)]])
    assert [sorted(one["groups"]) for one in seen] == [
        *(sorted(host["name"] for host in flow["node"]) for flow in chains), sorted(NAMES)]
    assert sorted(seen[-1]["nodes"]) == sorted(NAMES)
    assert [one["links"] for one in seen] == [1, 2, 3, 6, len(NAMES)]
    for one in seen:
        assert not one["foreign"] and all(place["left"] < place["right"] for place in one["places"])
        assert not any(overlap(*pair) for pair in itertools.combinations(one["places"], 2))
