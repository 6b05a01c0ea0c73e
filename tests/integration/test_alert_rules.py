"""docker/prometheus: its settings and rules, by promtool and in a Prometheus that has them in force."""

import itertools
import json
import re
import shutil
import subprocess

import pytest
import yaml

import peers
from harness import DEADLINE, REPOSITORY, wait_for
from targets import create, wait_until_read

SHIPPED = REPOSITORY / "docker" / "prometheus"
TESTS = sorted((REPOSITORY / "tests" / "promtool").glob("*.yml"))
OPERATIONS = REPOSITORY / "docs" / "operations.md"
ALERTS = [rule for group in yaml.safe_load((SHIPPED / "rules" / "alerts.yml").read_text())["groups"]
          for rule in group["rules"]]
TESTED = yaml.safe_load((REPOSITORY / "tests" / "promtool" / "alerts.yml").read_text())["tests"]


def promtool(*arguments):
    """Courses of weeks take it some seconds, and others run beside it."""
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True,
                          timeout=4 * DEADLINE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.smoke
def test_settings_are_good():
    said = promtool("check", "config", SHIPPED / "prometheus.yml")
    assert f"{len(ALERTS)} rules found" in said and "duplicate" not in said


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_rules_do_what_they_say(path):
    promtool("test", "rules", path)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_alert_is_tested_and_explained(alert):
    """It is quiet, fires and is quiet again in one test, and its runbook is there."""
    name = alert["alert"]
    courses = [[fires for fires, _ in itertools.groupby(bool(check.get("exp_alerts")) for check in test["alert_rule_test"])]
               for test in TESTED if all(check["alertname"] == name for check in test["alert_rule_test"])]
    assert [False, True, False] in courses
    assert alert["annotations"]["runbook"] == f"docs/operations.md#{name.lower()}"
    assert f"\n### {name}\n" in OPERATIONS.read_text()


def test_each_explained_alert_is_there():
    told = re.findall(r"^### (.*)$", OPERATIONS.read_text().partition("## What each alert")[2], re.M)
    assert told == [alert["alert"] for alert in ALERTS]


def alternative(text):
    """The settings with a target for each of weir's, as the comments say."""
    text, count = re.subn(r"^    # (metric_relabel_configs:(?:\n    #   .*)+)",
                          lambda found: "    " + found[1].replace("\n    # ", "\n    "), text, flags=re.M)
    text, dropped = re.subn(r"^      - source_labels: \[__metrics_path__\]\n.*\n        action: drop\n", "", text, flags=re.M)
    assert (count, dropped) == (2, 1)
    return text


def replicas_settings(weir):
    """Those of docs/replicas.md, with one weir as the balancer and as a replica."""
    text = re.search(r"^```yaml\n(scrape_configs:\n.*?)^```$", (REPOSITORY / "docs/replicas.md").read_text(),
                     re.M | re.S)[1]
    address = weir.url.partition("://")[2]
    text = text.replace("balancer:9091", address).replace(
        "'10.0.0.1:9091', '10.0.0.2:9091'", f"'{address}'")
    return "global: {scrape_interval: 500ms}\nrule_files: [rules/*.yml]\n" + text


class ShippedPrometheus(peers.Prometheus):
    """With the settings as they are, but for the address of weir and the intervals."""

    def __init__(self, directory, weir, text):
        directory.mkdir()
        shutil.copytree(SHIPPED / "rules", directory / "rules")
        address = weir.url.partition("://")[2]
        (directory / "prometheus.yml").write_text(
            text.replace("weir:9091", address).replace("15s", "500ms"))
        peers.Peer.__init__(self, directory, self.program, "--config.file=prometheus.yml",
                            "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0")
        wait_for(self._ready, "Prometheus is ready")

    def unhealthy(self):
        """Rules that were not evaluated, or not well."""
        groups = json.loads(self.get("/api/v1/rules"))["data"]["groups"]
        assert sum(len(group["rules"]) for group in groups) > len(ALERTS)
        return [rule["name"] for group in groups for rule in group["rules"] if rule["health"] != "ok"]


@pytest.mark.parametrize("is_alternative", [False, True], ids=["page", "targets"])
def test_in_force(weir, tmp_path, node_exporter, is_alternative):
    wait_until_read(weir)
    create(weir, {"job": "node", "instance": "n1"}, mode="pull", address=f"127.0.0.1:{node_exporter.port}")
    create(weir, {"job": "gone", "instance": "i"}, interval="1ms", silent_after=1)
    create(weir, {"job": "beats", "instance": "i"}, interval="1h")
    weir.put("/metrics/job/beats/instance/i", "n 1\n")
    weir.put("/metrics/job/backup/instance/db1", "m 1\n")
    weir.put("/metrics/job/backup/instance/db2/site/b", "m 2\n")
    text = (SHIPPED / "prometheus.yml").read_text()
    text = alternative(text) if is_alternative else text
    with ShippedPrometheus(tmp_path / "prometheus", weir, text) as server:
        server.wait_for('weir_ready{job="weir-health"} == 1')
        server.wait_for('m{job="backup",instance="db1",site="main"} == 1')
        server.wait_for('m{job="backup",instance="db2",site="b"} == 2')
        server.wait_for('weir:limit_used:ratio{job="weir",limit="groups"} >= 0')
        server.wait_for('up{job="node",instance="n1",site="main"} == 1')
        server.wait_for('node_uname_info{job="node",instance="n1",site="main"}')
        assert server.query("count(m)")[0][1] == "2"
        assert server.query('count({exported_instance!=""})') == []
        if is_alternative:
            assert server.wait_for('up{job="backup",instance="db1"} == 1')
            assert server.wait_for('up{job="gone",instance="i"} == 0')
            assert server.query('up{job="node"}')[0][0]["instance"] == "n1"
            assert server.wait_for('weir_target_last_seen_time_seconds{job="beats",instance="i"}')
        else:
            wait_for(lambda: ("WeirTargetSilent", "i") in server.alerts(), "the alert")
            assert server.query('up{job=~"backup|gone|beats"}') == []
        wait_for(lambda: not server.unhealthy(), "all rules were evaluated")


def test_targets_are_told_of_once_with_replicas(weir, tmp_path):
    """By the weir that the balancer picks, not by each of them, and as theirs."""
    wait_until_read(weir)
    create(weir, {"job": "gone", "instance": "i"}, interval="1ms", silent_after=1)
    weir.put("/metrics/job/backup/instance/db1", "weir_ish 1\n")
    with ShippedPrometheus(tmp_path / "prometheus", weir, replicas_settings(weir)) as server:
        server.wait_for('weir_target_silent{job="gone",instance="i"}')
        server.wait_for('weir_groups{job="weir"}')
        server.wait_for('weir_ish{job="backup",instance="db1"}')
        assert [value for _, value in server.query("count by (__name__) (weir_target_silent)")] == ["1"]
        assert server.query('weir_groups{job!="weir"}') == []
