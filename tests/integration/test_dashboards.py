"""Rules and dashboards ask for nothing but what is exposed: by scripts/check-dashboards."""

import json
import re
import subprocess
import sys

import pytest
import yaml

import peers
from exposed_pages import exposed_pages, page_with_targets, push_from_site
from harness import BINARY, DEADLINE, REPOSITORY, environment, wait_for
from promql_rules import check_promql

sys.path.insert(0, str(REPOSITORY / "scripts" / "lib"))

import dashboards  # noqa: E402

CHECK = REPOSITORY / "scripts" / "check-dashboards"
GRAFANA = REPOSITORY / "grafana"
DASHBOARDS = {path: dashboards.read_dashboard(path) for path in sorted((GRAFANA / "dashboards").glob("*.json"))}


def check(*arguments):
    done = subprocess.run([CHECK, *map(str, arguments)], capture_output=True, text=True, timeout=DEADLINE,
                          check=False)
    assert done.returncode in (0, 1), done.stderr
    *faults, _ = done.stdout.splitlines()
    assert bool(faults) == (done.returncode == 1)
    return faults


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """What is exposed, as arguments."""
    directory = tmp_path_factory.mktemp("exposed")
    for number, text in enumerate(exposed_pages(directory)):
        (directory / f"{number}.prom").write_text(text)
    return [f"--page={path}" for path in sorted(directory.glob("*.prom"))]


@pytest.mark.smoke
def test_all_is_exposed(pages):
    assert check(*pages) == []


def test_metric_that_is_renamed_is_missed(pages, tmp_path):
    """In each rule and panel that asks for it."""
    for page in pages:
        text = (REPOSITORY / page.removeprefix("--page=")).read_text()
        (tmp_path / page.rpartition("/")[2]).write_text(
            text.replace("weir_limit_used", "weir_limit_in_use").replace('{limit="', '{of="'))
    faults = check(*(f"--page={path}" for path in sorted(tmp_path.glob("*.prom"))))
    rules = [fault for fault in faults if fault.startswith("docker/prometheus/rules/")]
    assert "docker/prometheus/rules/recording.yml: weir:limit_used:ratio: there is no metric weir_limit_used" in rules
    panels = {fault.partition(": panel ")[2].partition(": ")[0] for fault in faults
              if "there is no metric weir_limit_used" in fault and ".json: panel" in fault}
    assert panels == {"'Fullest limit'", "'Limits'"}


def test_component_is_shown_when_it_is_away(redis, start_weir, tmp_path):
    """By the queries of the table: up or not, when it was last up, and what waits."""
    panel, = (panel for dashboard in DASHBOARDS.values() for panel in dashboards.all_panels(dashboard)
              if panel["title"] == "Components")
    is_up, seen, waiting = (re.sub(r"\$\w+", ".*", target["expr"]) for target in panel["targets"])
    weir = start_weir(f"--ingest.redis-lists={redis.url}")
    with peers.Prometheus(tmp_path / "prometheus", {"weir": weir.url}) as server:
        def ask(query):
            return {labels["component"]: float(value) for labels, value in server.query(query)}

        wait_for(lambda: ask(is_up) == {"scrape": 1, "state": 1, "targets": 1, "lists": 1}, "all are up")
        seen = seen.replace("[1d:1m]", "[1h:1s]")  # whose steps are on whole minutes
        wait_for(lambda: len(ask(seen)) == 4, "all were seen")
        redis.stop()
        wait_for(lambda: ask(is_up) == {"scrape": 1, "state": 1, "targets": 1, "lists": 0}, "one is away")
        assert set(ask(waiting)) == {"state", "targets", "lists"}
        wait_for(lambda: ask(seen)["state"] > ask(seen)["lists"], "it was seen last a while ago")


# ---- Provisioning ----

def yaml_file(name):
    return yaml.safe_load((GRAFANA / "provisioning" / name).read_text())


def test_provisioning_fits_the_dashboards():
    source, = yaml_file("datasources/prometheus.yml")["datasources"]
    provider, = yaml_file("dashboards/weir.yml")["providers"]
    assert (source["uid"], source["type"]) == ("weir-prometheus", "prometheus")
    assert provider["type"] == "file" and provider["options"]["path"] == "/etc/grafana/dashboards"
    for dashboard in DASHBOARDS.values():
        first = dashboard["templating"]["list"][0]
        assert first["current"]["value"] == source["uid"]
        assert dashboard["uid"] != provider["folderUid"]  # to Grafana, folders are dashboards


def test_there_is_a_dashboard_for_each():
    assert {dashboard["uid"] for dashboard in DASHBOARDS.values()} == {
        "weir-overview", "weir-targets", "weir-node", "weir-snmp", "weir-flow"}
    for path, dashboard in DASHBOARDS.items():
        assert path.stem == dashboard["uid"]
        variables = [variable["name"] for variable in dashboard["templating"]["list"]]
        assert "site" in variables
        assert {"job", "instance"} <= set(variables) or {"host_a", "host_b"} <= set(variables)


def test_hosts_show_what_those_of_orwell_did():
    """Whoever comes from there misses no panel; "node_" stands in front of each name."""
    node, = (one for one in DASHBOARDS.values() if one["uid"] == "weir-node")
    asked = " ".join(target["expr"] for panel in dashboards.all_panels(node) for target in panel.get("targets", ()))
    names = """cpu_seconds_total load1 load5 load15 boot_time_seconds uname_info
        memory_MemTotal_bytes memory_MemAvailable_bytes memory_SwapTotal_bytes memory_SwapFree_bytes
        filesystem_size_bytes filesystem_avail_bytes network_receive_bytes_total network_transmit_bytes_total
        disk_reads_completed_total disk_writes_completed_total disk_read_bytes_total disk_written_bytes_total
        disk_read_time_seconds_total disk_write_time_seconds_total disk_io_time_weighted_seconds_total
        disk_reads_merged_total disk_writes_merged_total disk_io_time_seconds_total"""
    assert [name for name in names.split() if not re.search(rf"\bnode_{name}\b", asked)] == []


def test_all_weirs_are_none_but_weirs():
    """Others have process_* and up as well, and are pushed to weir or scraped beside it."""
    overview, = (one for one in DASHBOARDS.values() if one["uid"] == "weir-overview")
    variables = {one["name"]: one for one in overview["templating"]["list"]}
    for name in ("job", "instance"):
        assert variables[name]["includeAll"] and "allValue" not in variables[name]
        assert "label_values(weir_build_info{" in variables[name]["query"]["query"]


# ---- Queries ----

def queries(shown):
    """(dashboard, panel, expression as Grafana sends it) with every variable at All."""
    for path, dashboard in shown.items():
        for panel in dashboards.all_panels(dashboard):
            for target in panel.get("targets", ()):
                yield (path.stem, panel["id"]), panel["title"], re.sub(
                    r"\$\w+", lambda found: {"$__rate_interval": "1m"}.get(found[0], ".*"), target["expr"])


def test_queries_are_promql(tmp_path):
    check_promql(tmp_path, [query for _, _, query in queries(DASHBOARDS)])


def test_hosts_that_tell_half_do_not_look_full(tmp_path):
    """Not every source of a host's memory has what of it is available."""
    expression, = (query for _, panel, query in queries(DASHBOARDS) if panel == "Memory used")
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [
        {"name": "panels", "rules": [{"record": "used", "expr": expression}]}]}))

    def series(name, instance, value):
        return {"series": f'node_memory_{name}_bytes{{job="j",instance="{instance}"}}', "values": f"{value}x5"}

    (tmp_path / "tests.yml").write_text(json.dumps({"rule_files": ["rules.yml"], "tests": [
        {"interval": "1m",
         "input_series": [series("MemTotal", "a", 100), series("MemAvailable", "a", 75), series("MemTotal", "b", 900)],
         "promql_expr_test": [{"expr": "used", "eval_time": "3m", "exp_samples": [{"labels": "used", "value": 0.25}]}]}]}))
    done = subprocess.run(["promtool", "test", "rules", tmp_path / "tests.yml"], capture_output=True, text=True,
                          timeout=DEADLINE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_quantiles_are_exposed(pages):
    """Each that a panel asks for by its number."""
    text = "".join((REPOSITORY / page.removeprefix("--page=")).read_text() for page in pages)
    there = set(re.findall(r'^(\w+)\{(?:[^}\n]*,)?quantile="([\d.]+)"', text, re.M))
    wanted = {(name, number) for _, _, query in queries(DASHBOARDS)
              for name, numbers in re.findall(r'(\w+)\{[^}]*\bquantile=~?"([\d.|]+)"', query)
              for number in numbers.split("|")}
    assert len(wanted) >= 6 and wanted <= there


# What is over again soon, and needs a page of its own: weir_ready.
PASSING = {"About to expire", "Ready"}
# What there is only with Redis.
OF_REPLICAS = {"Parts of which nothing can be stored", "Lag behind other replicas",
               "Round trips and commands", "Changes of other replicas", "Redis can be used",
               "How long Redis takes to answer", "Connections to Redis"}
# What there is only with lists to drain.
OF_LISTS = {"Lists can be read", "Lines of lists", "Lists and elements"}


def of_flow(path):
    """The dashboard that weir makes of a description, in a file beside it."""
    done = subprocess.run([BINARY, "dashboard", path], capture_output=True, text=True, timeout=DEADLINE,
                          env=environment(), check=True)
    made = path.with_suffix(".json")
    made.write_text(done.stdout)
    return made


def pushed_flow(node_page):
    """A host and a switch as they push in push_from_site()."""
    device = re.search(rb'node_network_receive_bytes_total\{device="(.*?)"', node_page)[1].decode()
    return {"flow": "f", "node": [
        {"name": "a:198.51.100.1", "type": "host", "interface": [
            {"name": device, "ip": "10.10.100.2", "vlan": 1000,
             "peer": {"name": "s", "interface": "Ethernet1/1"}}]},
        {"name": "s", "target": "192.0.2.1", "type": "switch", "interface": [{"name": "Ethernet1/1"}]}]}


def test_flows_ask_for_what_is_exposed(pages, tmp_path):
    for path in (REPOSITORY / "tests" / "golden" / "dashboard").glob("*.yml"):
        (tmp_path / path.name).write_text(path.read_text())
    assert check(*pages, *map(of_flow, sorted(tmp_path.glob("*.yml")))) == []


def test_panels_show_something(weir, node_exporter, tmp_path):
    """Of a weir to which a site pushes, in a Prometheus that scrapes it."""
    node_page = node_exporter.page()
    (tmp_path / "flow.yml").write_text(json.dumps(pushed_flow(node_page)))
    flow = of_flow(tmp_path / "flow.yml")
    push_from_site(weir, node_page)
    page_with_targets(weir)
    with peers.Prometheus(tmp_path / "prometheus", {"weir": weir.url}) as server:
        server.wait_for("count_over_time(weir_groups[1m]) > 1")
        shown, empty = set(), {}
        for dashboard, panel, query in queries({**DASHBOARDS, flow: dashboards.read_dashboard(flow)}):
            if server.query(query):
                shown.add((dashboard, panel))
            else:
                empty.setdefault((dashboard, panel), query)
    missing = {key: query for key, query in empty.items() if key not in shown}
    assert {panel for _, panel in missing} <= OF_REPLICAS | OF_LISTS | PASSING, missing
