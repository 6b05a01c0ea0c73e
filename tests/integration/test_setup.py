"""scripts/setup: what it makes is good by the programs that read it, and the same for the same settings."""

import json
import re
import shutil
import subprocess
import sys

import pytest
import yaml

import peers
from compose_files import DOCKER, required
from harness import BINARY, DEADLINE, REPOSITORY, environment, wait_for
from installations import (
    EXAMPLE, LARGE, SCRIPT, SMALL, Installation, check_alertmanager, check_nginx, check_prometheus, parts_of,
    receiver_of, run)
from redis_servers import free_port
from targets import wait_until_read

sys.path.insert(0, str(REPOSITORY / "scripts" / "lib"))
from setup_variables import scaled  # noqa: E402

SHIPPED = sorted(yaml.safe_load((DOCKER / "compose.cloud.yml").read_text())["services"])


@pytest.fixture
def small(tmp_path):
    return Installation(tmp_path, SMALL)


@pytest.fixture
def large(tmp_path):
    return Installation(tmp_path, LARGE)


# ---- What is made -------------------------------------------------------------------------------


@pytest.mark.smoke
def test_the_example_is_good(tmp_path):
    stack = Installation(tmp_path, EXAMPLE.read_text())
    stack.made()
    done = subprocess.run(
        ["docker-compose", "-f", stack.directory / "compose.yml", "--env-file", stack.directory / ".env", "config"],
        capture_output=True, text=True, cwd="/", check=False, env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"})
    assert (done.returncode, done.stderr) == (0, "")
    services = stack.services()
    assert sorted(services) == SHIPPED
    for name, service in services.items():
        assert service["mem_limit"] and service["healthcheck"] and service["restart"] == "unless-stopped", name
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert not source.startswith(str(tmp_path)) or run("test", "-r", source)[0] == 0, source
            assert not source.startswith(str(REPOSITORY)), "it needs nothing of where it was made but the sources"
    assert check_prometheus(stack)["node"] == ["192.0.2.10:9100", "192.0.2.11:9100"]
    settings = check_alertmanager(stack, tmp_path)
    assert [receiver_of(settings, severity) for severity in ("critical", "page", "warning", "info")] == [
        "webhook", "webhook", "chat", "email"]
    check_nginx(stack, tmp_path / "nginx")


def test_the_example_is_whole():
    """Keys that are not known are answered with those that there are: each is in the example."""
    text = EXAMPLE.read_text()
    for place in ("{}", "names: {}", "weirs: {}", "parts: {}", "prometheus: {}", "prometheus: {jobs: [{}]}",
                  "prometheus: {remote_write: [{}]}", "alerts: {}", "alerts: {receivers: {}}",
                  "alerts: {receivers: {chat: {}}}", "alerts: {receivers: {email: {}}}", "alerts: {severities: {}}",
                  "alerts: {change: {PingFails: {}}}", "sites: [{}]"):
        asked = re.sub(r"\{\}", "{zzzzzzzz: 1}", place)
        errors = run(SCRIPT, "--check", "/dev/stdin", input=asked)[2]
        keys = re.findall(r"zzzzzzzz: there is no such key; there are (.*)", errors)[0].split(", ")
        for key in keys:
            assert re.search(rf"\b{key}\b", text), f"{place}: {key}"


@pytest.mark.parametrize("count", [1, 3])
def test_as_many_weirs(large, tmp_path, count):
    large.made({**LARGE, "weirs": {"count": count}})
    whole = large.whole()
    weirs = [f"weir-{number}" for number in range(1, count + 1)]
    services = whole["services"]
    assert sorted(name for name in services if name.startswith("weir")) == weirs
    assert set(weirs) <= set(whole["volumes"]) and "weir-4" not in whole["volumes"]
    addresses = [service["networks"]["back"]["ipv4_address"] for service in services.values()
                 if (service["networks"]["back"] or {}).get("ipv4_address")]
    assert len(addresses) == len(set(addresses)) >= count + 2
    jobs = check_prometheus(large)
    assert jobs["weir"] == jobs["weir-health"] == [f"{weir}:9091" for weir in weirs] and jobs["pushed"] == ["weir:9091"]
    conf = check_nginx(large, tmp_path / "nginx")
    assert len(re.findall(r"server 127.0.0.1:\d+ max_fails", re.search(r"upstream weir \{.*?\}", conf, re.S)[0])) == count
    assert set(weirs) <= set(services["nginx"]["depends_on"])


def test_a_small_one(small, tmp_path):
    """One weir with its groups on disk, and only what needs it."""
    small.made()
    whole = small.whole()
    assert parts_of(whole["services"]) == {"nginx", "prometheus", "weir"}
    assert sorted(whole["volumes"]) == ["prometheus", "weir"] and {"back", "front"} <= set(whole["networks"])
    assert not {"redis", "postgres", "depends_on"} & set(str(whole["services"]["weir"]).split())
    assert check_prometheus(small) == {"pushed": ["weir:9091"], "weir": ["weir:9091"], "weir-health": ["weir:9091"],
                                       "weir-targets": [], "prometheus": ["localhost:9090"]}
    assert "alerting" not in small.prometheus().read_text()
    conf = check_nginx(small, tmp_path / "nginx")
    assert "server_name push.example.com" in conf and "grafana" not in conf.lower()
    assert not any((small.directory / name).exists() for name in ("grafana", "alertmanager", "postgres"))


@pytest.mark.parametrize("parts,services", [
    ({"postgres": False, "alertmanager": True}, {"weir", "nginx", "prometheus", "alertmanager", "grafana"}),
    ({"prometheus": False, "alertmanager": False, "grafana": False}, {"weir", "nginx", "postgres"}),
    ({"grafana": False, "alertmanager": False}, {"weir", "nginx", "postgres", "prometheus"}),
])
def test_parts_may_be_left_out(large, tmp_path, parts, services):
    receivers = LARGE["alerts"] if parts.get("alertmanager") else {}
    large.made({**LARGE, "weirs": {"count": 1, "state": "sqlite"}, "parts": parts, "alerts": receivers})
    made = large.services()
    assert parts_of(made) == services
    for name in made.keys():
        if name.startswith("grafana"):
            assert not any(key.startswith("GF_DATABASE") for key in made[name]["environment"])
    assert ("WEIR_TARGETS_URL" in made["weir"]["environment"]) == ("postgres" in made)
    conf = check_nginx(large, tmp_path / "nginx")
    assert ("server_name metrics." in conf) == ("prometheus" in services)
    if "prometheus" in services:
        check_prometheus(large)


def test_weir_takes_its_settings(small):
    settings = {"limit.groups": 20000, "web.enable-admin-api": True, "targets.virtual": "a$b"}
    small.made({**SMALL, "weirs": {**SMALL["weirs"], "group_ttl": "36h", "register": "known", "settings": settings}})
    variables = small.services()["weir"]["environment"]
    done = subprocess.run([BINARY, "--print-config"], capture_output=True, text=True, timeout=DEADLINE, check=False,
                          env={**environment(), **variables})
    assert done.returncode == 0, done.stderr
    shown = {line.split()[0]: line.split()[2] for line in done.stdout.splitlines() if "environment" in line}
    wanted = {"limit.groups": "20000", "web.enable-admin-api": "true", "targets.virtual": "a$b",
              "group.ttl": "36h0m0s", "targets.register": "known", "web.external-url": "https://push.example.com/"}
    assert wanted.items() <= shown.items()


def test_settings_arrive(large, tmp_path):
    """In whatever words they are: what compose gives the containers is what was written."""
    large.made({**LARGE, "names": {"push": "in.metrics", "metrics": "grafana", "grafana": "g"}, "listen": "127.0.0.1:8443",
                "network": "10.9.8", "project": "other", "memory": {"redis": "3g"}, "images": {"weir": "r.example/weir:1"},
                "variables": {"GRAFANA_ADMIN_USER": "ada $x"}, "prometheus": {"retention": "90d", "retention_size": "50GB"}})
    services = large.services()
    alerts = services["alertmanager"]["environment"]
    assert (alerts["ALERT_WEBHOOK_URL"], alerts["ALERT_CHAT_CHANNEL"]) == ("https://pager.invalid/a?b=1&c=$d", "#a b")
    assert services["weir-1"]["environment"]["WEIR_WEB_EXTERNAL_URL"] == "https://in.metrics.example.com/"
    assert services["weir-1"]["networks"]["back"]["ipv4_address"] == "10.9.8.11"
    assert (services["weir-1"]["image"], services["redis"]["mem_limit"]) == ("r.example/weir:1", "3g")
    assert services["redis"]["environment"].get("REDIS_MAXMEMORY", "1920mb") == "1920mb", "its share of the memory"
    assert "build" not in services["weir-1"]
    assert all(service["build"]["context"] == str(REPOSITORY) for service in services.values() if "build" in service)
    grafana = services[min(name for name in services if name.startswith("grafana"))]
    assert grafana["environment"]["GF_SECURITY_ADMIN_USER"] == "ada $x"
    assert grafana["environment"]["GF_SERVER_ROOT_URL"] == "https://g.example.com/"
    command = services["prometheus"]["command"]
    assert [word for word in command if "retention" in word] == [
        "--storage.tsdb.retention.time=90d", "--storage.tsdb.retention.size=50GB"]
    assert "--web.external-url=https://grafana.example.com/" in command
    assert "COMPOSE_PROJECT_NAME=other\n" in large.text(".env")
    conf = check_nginx(large, tmp_path / "nginx")
    assert re.findall(r"server_name (.*);", conf) == [
        "in.metrics.example.com", "grafana.example.com", "g.example.com"]


def test_shares_of_memory():
    assert [scaled(*sizes) for sizes in (("640mb", "1g", "2g"), ("160MiB", "512m", "512m"), ("160MiB", "512m", "96m"))] == [
        "1280mb", "160MiB", "30MiB"]


def test_nothing_is_in_the_way_of_its_start(large, tmp_path):
    """By scripts/stack check, which reads the compose file its own way."""
    tls = tmp_path / "tls"
    tls.mkdir()
    for name in ("fullchain.pem", "privkey.pem"):
        (tls / name).write_text("x\n")
    large.made({**LARGE, "tls": "tls", "listen": f"127.0.0.1:{free_port()}"})
    words = [f"--compose-file={large.directory}/compose.yml", f"--env-file={large.directory}/.env"]
    done = subprocess.run([REPOSITORY / "scripts" / "stack", *words, "check"], capture_output=True, text=True,
                          check=False, env={**environment(), "COMPOSE": "true"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "nothing is missing\n", "")
    large.made({**large.settings, "listen": "192.0.2.1:443"})
    done = subprocess.run([REPOSITORY / "scripts" / "stack", *words, "check"], capture_output=True, text=True,
                          check=False, env={**environment(), "COMPOSE": "true"})
    assert "HTTPS_LISTEN: 192.0.2.1 is no address of this machine" in done.stderr


# ---- Prometheus and alerts ----------------------------------------------------------------------


def test_own_jobs_and_where_to_write(large):
    job = {"job": "node", "targets": ["10.0.0.1:9100", "[::1]:9100"], "interval": "30s", "path": "/m", "scheme": "https",
           "user": "u", "password_file": "p", "ca_file": "/ca.pem", "labels": {"rack": "a"}, "honor_labels": True}
    write = {"url": "https://long.example.com/w", "token_file": "/t", "keep": r"up|weir_\w+", "ca_file": "/ca.pem"}
    large.made({**LARGE, "site": "lisbon", "prometheus": {
        "labels": {"region": "eu"}, "scrape_interval": "20s", "jobs": [job], "remote_write": [write]}})
    assert check_prometheus(large)["node"] == job["targets"]
    settings = yaml.safe_load(large.prometheus().read_text())
    assert settings["global"] == {"scrape_interval": "20s", "evaluation_interval": "20s",
                                  "external_labels": {"site": "lisbon", "region": "eu"}}
    assert {group["labels"]["site"] for made in settings["scrape_configs"] for group in made.get("static_configs", [])
            if "site" in group.get("labels", {})} == {"lisbon"}
    assert [rule["replacement"] for made in settings["scrape_configs"] for rule in made.get("relabel_configs", [])
            if rule.get("target_label") == "site"] == ["lisbon"]
    assert settings["remote_write"][0]["write_relabel_configs"][0]["regex"] == r"up|weir_\w+"
    service = large.services()["prometheus"]
    mounted = {volume.split(":")[1]: volume.split(":")[0] for volume in service["volumes"]}
    made = settings["scrape_configs"][-1]
    assert mounted[made["basic_auth"]["password_file"]] == str(large.config.parent / "p")
    assert mounted[settings["remote_write"][0]["authorization"]["credentials_file"]] == "/t"
    assert mounted[settings["remote_write"][0]["tls_config"]["ca_file"]] == "/ca.pem"
    assert set(service["networks"]) == {"back", "out"}, "the one among the containers leads nowhere else"
    assert "timeInterval: 20s" in large.text("grafana/provisioning/datasources/prometheus.yml")


THRESHOLDS = {
    "WeirRestarts": ("5", "> 5"), "WeirCertificateExpires": ("30d", "< 2592000"), "WeirLimitIsNear": ("90%", "> 0.9"),
    "WeirIsBehind": ("5m", "> 300"), "WeirDiskIsSlow": ("250ms", "> 0.25"), "WeirDiskFillsUp": ("50GB", "> 50000000000"),
    "WeirAnswersLate": ("2000", "> 2000"), "WeirReplicaLags": ("1m", "> 60 and"), "WeirGroupExpires": ("7d", "< 604800"),
}


def test_alerts_are_changed(small):
    small.made()
    shipped = small.rules()
    assert shipped == {rule["alert"]: rule for group in yaml.safe_load(
        (DOCKER / "prometheus" / "rules" / "alerts.yml").read_text())["groups"] for rule in group["rules"]}
    change = {name: {"threshold": value} for name, (value, _) in THRESHOLDS.items()}
    change["PingFails"] = {"for": "10m", "severity": "critical"}
    change["WeirNotReady"] = {"for": "15m"}
    change["SnmpProbeFails"] = {"enabled": False}
    small.made({**SMALL, "alerts": {"change": change}})
    check_prometheus(small)
    rules = small.rules()
    assert shipped.keys() - rules.keys() == {"SnmpProbeFails"}
    for name, (_, wanted) in THRESHOLDS.items():
        assert wanted in rules[name]["expr"] and rules[name]["expr"] != shipped[name]["expr"], name
    assert {name for name in rules if rules[name] != shipped[name]} == change.keys() - {"SnmpProbeFails"}
    assert rules["WeirCertificateExpires"]["annotations"]["summary"].endswith("expires within 30d.")
    assert "not be stored for 5m" in rules["WeirIsBehind"]["annotations"]["summary"]
    assert (rules["PingFails"]["for"], rules["PingFails"]["labels"]["severity"]) == ("10m", "critical")
    assert rules["PingFails"]["annotations"]["description"] == "No answer to its pings for 10m."
    assert rules["WeirNotReady"]["annotations"]["summary"].endswith("for more than 15m.")


@pytest.mark.parametrize("severities,kinds,told", [
    ({"critical": ["email", "webhook"]}, "webhook chat email", ["webhook-and-email", "chat", "email"]),
    ({"critical": ["chat"], "other": ["chat"]}, "chat", ["chat", "chat", "chat"]),
    ({"warning": ["email"], "critical": ["email"]}, "email", ["email", "email", "email"]),
    ({"warning": ["webhook"], "other": ["webhook"]}, "webhook", ["webhook", "webhook", "webhook"]),
])
def test_severities_have_their_receivers(large, tmp_path, severities, kinds, told):
    receivers = {kind: LARGE["alerts"]["receivers"][kind] for kind in kinds.split()}
    large.made({**LARGE, "alerts": {"receivers": receivers, "severities": severities}})
    settings = check_alertmanager(large, tmp_path)
    assert [receiver_of(settings, severity) for severity in ("critical", "warning", "info")] == told
    made = yaml.safe_load(settings.read_text())
    assert {name["name"] for name in made["receivers"]} == set(told)
    assert {key.partition("_")[0] for receiver in made["receivers"] for key in receiver if key != "name"} == {
        {"chat": "slack"}.get(kind, kind) for kind in receivers}
    asked = {name for name in required("cloud") if name.startswith("ALERT_")} & set(
        large.services()["alertmanager"]["environment"])
    assert asked == set(re.findall(r"\$\{(ALERT_\w+)\}", large.text("alertmanager/alertmanager.yml.template")))


@pytest.mark.smoke
def test_in_force(weir, small, tmp_path):
    """Prometheus with what was made scrapes weir, and writes on what it is to, as its site."""
    wait_until_read(weir)
    weir.put("/metrics/job/backup/instance/db1", "m 1\nn 2\n")
    address = weir.url.partition("://")[2]
    with peers.Prometheus(tmp_path / "other", {}, "--web.enable-remote-write-receiver") as other:
        small.made({**SMALL, "site": "lisbon", "prometheus": {
            "scrape_interval": "500ms", "labels": {"region": "eu"},
            "jobs": [{"job": "mine", "targets": [address], "path": "/-/healthy", "labels": {"rack": "a"}}],
            "remote_write": [{"url": f"{other.url}/api/v1/write", "keep": "m|up"}]}})
        shutil.copytree(small.directory / "prometheus", tmp_path / "own")
        settings = tmp_path / "own" / small.prometheus().name
        settings.write_text(settings.read_text().replace("weir:9091", address))
        with Prometheus(settings) as server:
            assert server.wait_for('n{job="backup",instance="db1",site="lisbon"} == 2')
            assert server.wait_for('weir_groups{job="weir",site="lisbon"} == 1')
            assert server.wait_for('weir_ready{job="weir-health"} == 1')
            assert server.wait_for('up{job="mine",rack="a"} == 0')
            assert other.wait_for('m{job="backup",site="lisbon",region="eu"} == 1')
            assert other.query("n") == []
            wait_for(lambda: not unhealthy(server), "all rules were evaluated")


class Prometheus(peers.Prometheus):
    """With settings that are there already."""

    def __init__(self, settings):
        peers.Peer.__init__(self, settings.parent, self.program, f"--config.file={settings.name}",
                            "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0")
        wait_for(self._ready, "Prometheus is ready")


def unhealthy(server):
    groups = json.loads(server.get("/api/v1/rules"))["data"]["groups"]
    assert sum(len(group["rules"]) for group in groups) > 30
    return [rule["name"] for group in groups for rule in group["rules"] if rule["health"] != "ok"]


# ---- Users and sites ----------------------------------------------------------------------------


def test_users_and_sites(large):
    site = {"name": "lisbon", "hosts": ["10.0.0.1", "h2"], "user": "site-a", "ping": ["10.0.0.1", "h2"]}
    large.made({**LARGE, "sites": [site]})
    passwords = dict(line.split(":") for line in large.text("secrets/users").splitlines())
    hashes = dict(line.split(":") for line in large.text("users").splitlines())
    assert passwords.keys() == hashes.keys() == {"ada", "site-a"} and passwords["ada"] != passwords["site-a"]
    for name, hashed in hashes.items():
        salt = hashed.split("$")[2]
        assert run("openssl", "passwd", "-6", "-salt", salt, passwords[name])[1].strip() == hashed
    assert large.text("sites/lisbon/curl.conf") == f'user = "site-a:{passwords["site-a"]}"\n'
    done = subprocess.run(["docker-compose", "-f", DOCKER / "compose.site.yml", "--env-file",
                           large.directory / "sites/lisbon/h2.env", "config"], capture_output=True, text=True, cwd="/",
                          check=False, env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"})
    assert (done.returncode, done.stderr) == (0, "")
    variables = yaml.safe_load(done.stdout)["services"]["push-arp"]["environment"]
    assert {name: variables[name] for name in ("PUSHGATEWAY_SERVER", "MYIP", "WEIR_SITE", "HOST2IP")} == {
        "PUSHGATEWAY_SERVER": "https://push.example.com", "MYIP": "h2", "WEIR_SITE": "lisbon", "HOST2IP": "10.0.0.1 h2"}
    modes = {name: mode for name, (_, mode) in large.files().items()}
    assert {name for name, mode in modes.items() if mode == 0o600} == {
        ".env", "secrets/users", "secrets/variables", "sites/lisbon/curl.conf"}
    assert large.directory.stat().st_mode & 0o777 == 0o700
    for secret in [*passwords.values(), *re.findall(r"=(.*)", large.text("secrets/variables"))]:
        assert sum(secret.encode() in content for content, _ in large.files().values()) <= 2


def test_a_file_of_users(small):
    small.made({**{key: value for key, value in SMALL.items() if key != "users"}, "users_file": "htpasswd"})
    assert f"{small.config.parent}/htpasswd:/etc/nginx/users:ro" in small.services()["nginx"]["volumes"]
    assert not (small.directory / "users").exists() and not (small.directory / "secrets" / "users").exists()
