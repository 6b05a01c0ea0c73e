"""weir dashboard: Grafana's JSON of a flow's description.

tests/golden/dashboard/ has descriptions and beside each, ending in .out, what is in its dashboard. After
a change: WEIR_RENEW_GOLDEN=1 scripts/test integration, and read the difference.
"""

import json
import os
import re
import subprocess
import sys

import pytest

from harness import BINARY, DEADLINE, REPOSITORY, environment
from promql_rules import check_promql

sys.path.insert(0, str(REPOSITORY / "scripts" / "lib"))

import dashboards  # noqa: E402

GOLDEN = REPOSITORY / "tests" / "golden" / "dashboard"


def run(*arguments, text=None, cwd=None, stdout=subprocess.PIPE):
    done = subprocess.run([BINARY, "dashboard", *map(str, arguments)], input=text, stdout=stdout,
                          stderr=subprocess.PIPE, text=True, cwd=cwd, env=environment(), timeout=DEADLINE,
                          check=False)
    return done.returncode, done.stdout, done.stderr


def made(text, *flags):
    """The dashboard of that description; the same on every run, and without a fault."""
    code, out, said = run(*flags, "-", text=text)
    assert code == 0 and "error" not in said, said
    assert run(*flags, "-", text=text)[1] == out
    dashboard = json.loads(out)
    assert list(dashboards.structure_faults(dashboard)) == []
    return dashboard


def of_type(dashboard, kind):
    return [panel for panel in dashboard["panels"] if panel["type"] == kind]


def mermaid(dashboard):
    content = of_type(dashboard, "text")[0]["options"]["content"]
    assert content.startswith("```mermaid\nflowchart LR\n") and content.endswith("\n```\n")
    return content.split("\n")[2:-2]


def expressions(dashboard):
    return [dashboards.expanded(query) for query in queries(dashboard)]


def queries(dashboard):
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]


# ---- As it is ----

def digest(dashboard):
    """What tells one dashboard from another, without what all have in common."""
    lines = [dashboard["uid"], dashboard["title"]]
    for panel in dashboard["panels"]:
        x, y, w, h = (panel["gridPos"][key] for key in "xywh")
        lines.append(f"{panel['id']} {panel['type']} at {x},{y} of {w},{h}: {panel['title']}")
        lines += ["    " + line for line in panel.get("options", {}).get("content", "").splitlines()]
        for target in panel.get("targets", ()):
            lines += [f"    {target['refId']} {target['legendFormat']}", f"        {target['expr']}"]
    return "\n".join(lines) + "\n"


@pytest.mark.smoke
@pytest.mark.parametrize("name", ["nodes.yml", "hosts.yml"])
def test_golden(name):
    code, out, said = run(name, cwd=GOLDEN)
    assert code == 0
    assert "SECRET-TOKEN" not in out + said
    wanted = GOLDEN / (name + ".out")
    text = said + digest(json.loads(out))
    if os.environ.get("WEIR_RENEW_GOLDEN"):
        wanted.write_text(text)
    assert text == wanted.read_text()


@pytest.mark.parametrize("number", range(2))
def test_documented_form(number):
    blocks = re.findall(r"^```yaml\n(flow: .*?)^```$", (REPOSITORY / "docs" / "dashboards.md").read_text(),
                        re.M | re.S)
    assert len(blocks) == 2
    code, out, said = run("-", text=blocks[number])
    assert (code, said) == (0, "")
    assert sum("---" in line for line in mermaid(json.loads(out))) == 2 + number


# ---- Any number of nodes ----

def chain_of_nodes(switches):
    """a, so many switches, b; each linked to the next one."""
    names = ["a", *(f"s{number}" for number in range(switches)), "b"]
    nodes = []
    for number, name in enumerate(names):
        interfaces = [{"name": "right", "vlan": 7, "peer": [{"name": names[number + 1], "interface": "left"}]}
                      ] if number + 1 < len(names) else []
        interfaces += [{"name": "left", "vlan": 7}] if number else []
        nodes.append({"name": name, "type": "switch" if name[0] == "s" else "host", "interface": interfaces})
    return {"flow": "f", "title": "t", "node": nodes}


def chain_of_switches(switches):
    host = {"IP": "192.0.2.1", "interfaceName": "eth0", "interfaceIP": "10.0.0.1", "vlan": 7}
    flow = {"flow": "f", "dashTitle": "t", "switchNum": switches, "hostA": {**host, "nodeName": "a"},
            "hostB": {**host, "nodeName": "b"}}
    for number in range(switches):
        flow["switchData" + "ABCDE"[number]] = {
            "job_name": "snmp", "target": f"s{number}", "portIn": {"ifName": "in", "vlan": 7},
            "portOut": {"ifName": "out", "vlan": 7}}
    return flow


@pytest.mark.parametrize("switches", [0, 1, 2, 5])
@pytest.mark.parametrize("form", [chain_of_nodes, chain_of_switches])
def test_any_number_of_switches(tmp_path, form, switches):
    dashboard = made(json.dumps(form(switches)))  # JSON is YAML, too
    rows = [row["title"] for row in of_type(dashboard, "row")]
    assert rows[:3] == ["Layer 2", "Host a", "Host b"] and len(rows) == 3 + switches
    lines = mermaid(dashboard)
    assert sum("subgraph" in line for line in lines) == 2 + switches
    ports = [line for line in lines if re.match(r" +n\d+p\d+\[", line)]
    assert len(ports) == 2 * (switches + 1) and all("vlan 7" in line for line in ports)
    links = [line for line in lines if "---" in line]
    assert len(links) == len(set(links)) == switches + 1
    check_promql(tmp_path, expressions(dashboard))


def test_many_nodes():
    flow = chain_of_nodes(0)
    flow["node"] += [{"name": f"host {number}", "type": "host"} for number in range(100)]
    dashboard = made(json.dumps(flow))
    assert len(of_type(dashboard, "row")) == 103


# ---- Names are data ----

ODD = ['a"b', "it's", "$site", "${site}", "[[site]]", "<b>x</b>", "a|b", "a#b;c", "a`b```c", "\\", "a.*b", "(x)", "{y}",
       "né 💧", "end", "--- b", "%% c", "{{x}}", "&amp;", "a%Nb%Pc%Od%Ve", "http:", "x" * 200, "#x#y", "1. a", "- a", "+ a", "12.",
       "10.0.0.1", "1 .a", "-1"]


def decoded(label):
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), label)


@pytest.mark.parametrize("name", ODD, ids=range(len(ODD)))
def test_odd_names(tmp_path, name):
    flow = {"flow": name, "title": name, "node": [
        {"name": name, "type": "host", "interface": [
            {"name": name, "vlan": name, "ip": "192.0.2.1", "peer": [{"name": "s", "interface": name}]}]},
        {"name": "s", "type": "switch", "interface": [{"name": name}]}]}
    dashboard = made(json.dumps(flow, ensure_ascii=False))
    lines = mermaid(dashboard)
    nodes = [found[1] for line in lines if (found := re.fullmatch(r'  subgraph n\d+\["([^"]*)"\]', line))]
    ports = [found[1] for line in lines if (found := re.fullmatch(r'    n\d+p\d+\["([^"]*)"\]', line))]
    assert not any(re.match(r"(\d+\.|[-+])( |$)", label) for label in nodes + ports), "Mermaid would make a list of it"
    assert [decoded(label) for label in nodes] == [name, "s"]
    assert [decoded(label) for label in ports] == [f"{name}, vlan {name}", name]
    assert lines[-1] == "  n0p0 --- n1p0" and len(lines) == 7
    check_promql(tmp_path, expressions(dashboard))
    left = dashboards.VARIABLE.findall("".join(queries(dashboard)))
    assert {one or other for one, other in left} <= {"site", "__rate_interval"}
    assert not any("[[" in query for query in queries(dashboard))
    title = dashboard["title"].replace("\u2060", "")
    assert title == f"{name}: {name}" and not dashboards.VARIABLE.search(dashboard["title"])


# ---- What it is called ----

def test_uid_is_that_of_the_flow(tmp_path):
    flow = chain_of_nodes(1)
    uid = made(json.dumps(flow))["uid"]
    assert re.fullmatch(r"weir-flow-[0-9a-f]{16}", uid)
    (tmp_path / "other.yml").write_text(json.dumps({**chain_of_nodes(2), "title": "another"}))
    assert json.loads(run(tmp_path / "other.yml")[1])["uid"] == uid
    assert made(json.dumps({**chain_of_switches(1)}))["uid"] == uid
    assert made(json.dumps({**flow, "flow": "g"}))["uid"] != uid


def test_without_a_title():
    flow = chain_of_nodes(0)
    del flow["title"]
    assert made(json.dumps(flow))["title"] == "Flow: f"


def test_by_the_plugin():
    text = json.dumps(chain_of_nodes(1))
    dashboard = made(text, "--diagram=plugin")
    diagram, = of_type(dashboard, dashboards.DIAGRAM)
    assert diagram["options"]["content"].split("\n")[1:-1] == mermaid(made(text))
    assert diagram["options"]["anonymousTracking"] is False  # it would tell somebody else
    links, = of_type(dashboard, "text")
    assert "| a | right, vlan 7 | s0 | left, vlan 7 |" in links["options"]["content"]


# ---- What goes wrong ----

def test_wrong_file_is_refused(tmp_path):
    """Each fault with its line; nothing is printed. More of them are in tests/unit/test_flow.c."""
    (tmp_path / "f.yml").write_text("flow: f\nnode:\n- name: a\n  type: hots\n  interfaces: []\n- 7\n")
    code, out, said = run("f.yml", cwd=tmp_path)
    assert (code, out) == (1, "")
    assert said.splitlines() == [
        "weir dashboard: error: f.yml:5: unknown key 'interfaces' in a node, did you mean 'interface'?",
        "weir dashboard: error: f.yml:4: 'type' must be host or switch, not 'hots'",
        "weir dashboard: error: f.yml:6: a node must be keys and values"]


@pytest.mark.parametrize("text,said", [
    ("flow: [", "/dev/stdin:2: did not find expected node content"),
    ("flow: f\nflow: g\n", "/dev/stdin:2: key 'flow' stands here for the second time"),
    ("\xff\xfe", "/dev/stdin:1: "),
    ("a" * (1 << 21), "/dev/stdin: larger than a file of settings may be, 1MiB"),
    ("a: &a [x]\nb: &b [*a, *a]\n" + "".join(
        f"{chr(99 + n)}: &{chr(99 + n)} [{', '.join(['*' + chr(98 + n)] * 9)}]\n" for n in range(9)),
     "more than 20000 values"),
], ids=["cut", "twice", "bytes", "large", "aliases"])
def test_no_yaml(text, said):
    code, out, errors = run("-", text=text)
    assert (code, out) == (1, "") and said in errors


def test_arguments(tmp_path):
    code, out, _ = run("--help")
    assert code == 0 and out.startswith("usage: weir dashboard [<flag> ...] FLOW.yml\n")
    for arguments, sentence in (((), "no file, try --help"), (("a", "b"), "unexpected 'b', try --help"),
                                (("--diagram=svg", "a"), "--diagram must be text or plugin, not 'svg'"),
                                (("--token=x", "a"), "unknown flag '--token=x', try --help")):
        assert run(*arguments, cwd=tmp_path) == (2, "", f"weir dashboard: error: {sentence}\n")
    assert run("none", cwd=tmp_path) == (
        1, "", "weir dashboard: error: none: No such file or directory\n")
    code, out, said = run(tmp_path)
    assert (code, out) == (1, "") and "Is a directory" in said


def test_nowhere_to_print_to():
    with open("/dev/full", "w") as full:
        code, _, said = run(GOLDEN / "hosts.yml", stdout=full)
    assert code == 2 and "standard output: No space left on device" in said
