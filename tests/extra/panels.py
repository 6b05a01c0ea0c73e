"""What the panels of dashboards ask, with a site that pushes what others do, and what they show of the answers."""

import contextlib
import json
import re
import socket
import time
import urllib.parse

import exposed_pages as pages
import peers
import test_dashboards
from harness import Weir, wait_for
from redis_servers import RedisServer
from test_grafana import node

NODE_AT, SWITCH_AT, ARP_AT = (
    "/metrics/job/node-exporter/instance/{host}/site/{site}",
    "/metrics/job/snmp-exporter/target_switch/{switch}/instance/{host}/site/{site}",
    "/metrics/job/arpMetrics/instance/{host}/site/{site}")
# Two sites name theirs alike, as private addresses are, and have a host and a switch more than one.
HOSTS = {"198.51.100.1": ("192.0.2.1", "192.0.2.3"), "198.51.100.2": ("192.0.2.2",)}


def push_from_two_sites(weir, page):
    """All that sites push."""
    switch_page, arp = ((pages.DATA / name).read_bytes() for name in ("if_mib.prom", "arp.prom"))
    for site in "ab":
        for host, switches in HOSTS.items():
            bodies = [(NODE_AT, "", page), (ARP_AT, "", arp), *((SWITCH_AT, one, switch_page) for one in switches)]
            for target, switch, body in bodies:
                response = weir.put(target.format(site=site, host=host, switch=switch), body)
                assert response.status == 200, response.text
    assert weir.put(ARP_AT.format(site="a", host="198.51.100.1"), "x 1\nx 2\n").status == 400  # leaves its time


@contextlib.contextmanager
def observed(directory):
    """A Prometheus that scrapes two weirs, one of them with a Redis, and something that does not answer."""
    with contextlib.ExitStack() as stack:
        exporter = stack.enter_context(peers.NodeExporter(directory / "node_exporter"))
        redis = stack.enter_context(RedisServer(directory / "redis"))
        plain, replica = weirs = [Weir(directory / "plain"), Weir(
            directory / "replica", f"--state.url={redis.url}",
            f"--ingest.redis-lists={redis.url.removesuffix('/0')}/1")]
        for weir in weirs:
            stack.callback(weir.stop)
        assert plain.put("/metrics/job/backup/site/a", "backup_bytes 1\n").status == 200  # before all others
        wait_for(lambda: replica.get("/-/ready").status == 200, "it is ready")
        page = exporter.page()
        push_from_two_sites(plain, page)
        pages.page_with_targets(plain)
        nobody = stack.enter_context(socket.socket())
        nobody.bind(("127.0.0.1", 0))
        server = stack.enter_context(peers.Prometheus(directory / "prometheus", {
            "weir": plain.url, "replica": replica.url, "dead": f"http://127.0.0.1:{nobody.getsockname()[1]}"}))
        server.wait_for("count(count_over_time(weir_groups[1m]) > 2) > 1")
        server.wait_for('up{job="dead"}')
        yield server, page


# ---- Asking as Grafana does ----

def get(server, what, **parameters):
    answer = json.loads(server.get(f"/api/v1/{what}?" + urllib.parse.urlencode(parameters)))
    assert answer["status"] == "success"
    return answer["data"]


def replaced(text, values):
    return re.sub(r"\$(\w+)", lambda found: values[found[1]], text)


def value_of_all(server, variable, values):
    """What a variable stands for at All: by itself, or any of those that there are."""
    if "allValue" in variable:
        return variable["allValue"]
    selector, label = re.fullmatch(r"label_values\((.*), *(\w+)\)", variable["query"]["query"]).groups()
    found = {series.get(label) for series in get(server, "series", **{"match[]": replaced(selector, values)})}
    escaped = [re.escape(one).replace("\\", "\\\\") for one in sorted(found - {None})]
    return f"({'|'.join(escaped)})"


def values_of(server, dashboard, chosen=()):
    """Of all variables: what is chosen, else All. Each may ask for those before it."""
    values = {"__rate_interval": "10s"}
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            values[variable["name"]] = dict(chosen).get(variable["name"]) or value_of_all(server, variable, values)
    return values


def asked(server, target, values):
    """A query of a panel with its answer."""
    query, now = replaced(target["expr"], values), time.time()
    data = (get(server, "query", query=query) if target["instant"] else
            get(server, "query_range", query=query, start=now - 20, end=now, step=1))
    return {"format": "time_series", **target, "result": data["result"]}


def answers(server, dashboard, chosen=()):
    """[{"panel": ..., "answers": ...}] of all panels that ask."""
    values = values_of(server, dashboard, chosen)
    return [{"panel": panel, "answers": [asked(server, target, values) for target in panel["targets"]]}
            for panel in test_dashboards.dashboards.all_panels(dashboard) if panel.get("targets")]


def shown(directory, asked_of_panels):
    """Of each panel: [[name, [text, ...]], ...] and its faults."""
    path = directory / "answers.json"
    path.write_text(json.dumps(asked_of_panels))
    lines = [json.loads(line) for line in node("shown.mjs", path)]
    assert len(lines) == len(asked_of_panels)
    return [(line["shown"], line["faults"]) for line in lines]
