"""docker/compose.*.yml: valid, without secrets, and each service limited, checked, restarted and kept."""

import base64
import contextlib
import hashlib
import hmac
import ipaddress
import json
import re
import subprocess
import urllib.request
from pathlib import Path

import jsonschema
import pytest
import yaml
from compose.config.errors import ConfigurationError

from compose_files import (
    DOCKER, NAMES, VARIABLE, compose, required, services, text_of, understood, values_for, whole)
from harness import BINARY, DEADLINE, REPOSITORY, environment, wait_for
from postgres_servers import PostgresServer
from redis_servers import free_port

SCHEMA = "/usr/lib/python3/dist-packages/compose/config/compose_spec.json"


@pytest.mark.parametrize("name", NAMES)
def test_it_is_good(name):
    done = compose(name, values_for(name))
    assert (done.returncode, done.stderr) == (0, "")
    schema = json.loads(Path(SCHEMA).read_text())
    jsonschema.Draft7Validator(schema).validate(yaml.safe_load(text_of(name)))


def test_a_missing_variable_ends_it():
    done = compose("cloud", {**values_for("cloud"), "REDIS_PASSWORD": ""})
    assert done.returncode != 0 and "REDIS_PASSWORD" in done.stderr
    assert done.stderr.endswith(": make a password for Redis, of letters and digits\n")


@pytest.mark.parametrize("name,variable", [(name, variable) for name in NAMES for variable in required(name)])
def test_a_missing_variable_is_told(name, variable):
    values = values_for(name)
    for others in ({**values, variable: ""}, {key: values[key] for key in values if key != variable}):
        with pytest.raises(ConfigurationError) as error:
            understood(name, others)
        assert variable in error.value.msg and error.value.msg.endswith(required(name)[variable])


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_has_a_default(name):
    for variable, kind, default in VARIABLE.findall(text_of(name)):
        if re.search("PASSWORD|SECRET|TOKEN|KEY|USERS", variable) and not variable.endswith("_FILE") or variable == "USERS_FILE":
            assert kind == "?", f"{variable} has {default!r}"
    for key, value in re.findall(r"^\s+(\w*(?:PASSWORD|SECRET|TOKEN|_KEY|AUTH)): (.*)$", text_of(name), re.M):
        assert value.startswith("${"), f"{key}: {value}"


@pytest.mark.parametrize("name", NAMES)
def test_each_service_is_looked_after(name):
    for service, settings in services(name).items():
        assert settings.get("mem_limit"), f"{service} may take all memory"
        assert settings["restart"] == "unless-stopped", service
        assert settings["healthcheck"]["test"], service
        assert not settings.get("privileged"), service
    kept = {volume.partition(":")[0] for settings in services(name).values()
            for volume in settings.get("volumes", []) if re.match(r"[a-z0-9-]+:", volume)}
    assert kept == set(whole(name).get("volumes", {})), "a volume is named and not used, or used and not named"


def test_only_the_front_of_the_cloud_can_be_reached():
    assert [name for name, settings in services("cloud").items() if "ports" in settings] == ["nginx"]
    assert whole("cloud")["networks"]["back"]["internal"] is True
    assert all("back" in settings["networks"] for settings in services("cloud").values())


def test_state_of_the_cloud_is_in_volumes():
    kept = {service: [volume.partition(":")[2] for volume in settings.get("volumes", [])
                      if re.match(r"[a-z0-9-]+:", volume)]
            for service, settings in services("cloud").items()}
    assert {service: places for service, places in kept.items() if places} == {
        "weir-1": ["/var/lib/weir:rw"], "weir-2": ["/var/lib/weir:rw"], "redis": ["/data:rw"],
        "postgres": ["/var/lib/postgresql/data:rw"], "prometheus": ["/prometheus:rw"],
        "alertmanager": ["/alertmanager:rw"], "grafana-1": ["/var/lib/grafana:rw"],
        "grafana-2": ["/var/lib/grafana:rw"]}


def test_the_grafanas_are_one():
    """They differ in nothing but their volume, and in what they are known by."""
    first, second = (services("cloud")[name] for name in ("grafana-1", "grafana-2"))
    assert first["environment"] == second["environment"] and first["image"] == second["image"]
    assert first["environment"]["GF_UNIFIED_ALERTING_ENABLED"] == "false", "or both would tell of each alert"
    shared = [[volume for volume in one["volumes"] if not volume.startswith("grafana-")] for one in (first, second)]
    assert shared[0] == shared[1] and len(shared[0]) == 2


@pytest.mark.parametrize("name,service", [("minimal", "weir"), ("cloud", "weir-1"), ("cloud", "weir-2")])
def test_weir_takes_its_settings(name, service):
    settings = {**services(name)[service]["environment"], "WEIR_GROUP_TTL": "1h"}
    done = subprocess.run([BINARY, "--print-config"], capture_output=True, text=True, timeout=DEADLINE, check=False,
                          env={**environment(), "WEIR_DATA_DIR": "/var/lib/weir", **settings})
    assert done.returncode == 0, done.stderr
    named = set(re.findall(r"environment, (WEIR_\w+)$", done.stdout, re.M))
    assert named == {*settings, "WEIR_DATA_DIR"} and "1h0m0s" in done.stdout


def test_the_prometheus_of_the_cloud_is_good(tmp_path):
    """promtool looks for the files of rules, too."""
    rules = tmp_path / "rules"
    rules.mkdir()
    for path in (DOCKER / "prometheus" / "rules").glob("*.yml"):
        (rules / path.name).write_bytes(path.read_bytes())
    (tmp_path / "cloud.yml").write_bytes((DOCKER / "prometheus" / "cloud.yml").read_bytes())
    done = subprocess.run(["promtool", "check", "config", tmp_path / "cloud.yml"], capture_output=True, text=True,
                          timeout=DEADLINE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    config = yaml.safe_load((DOCKER / "prometheus" / "cloud.yml").read_text())
    hosts = {target.partition(":")[0] for job in config["scrape_configs"]
             for targets in job.get("static_configs", []) for target in targets["targets"]} - {"localhost"}
    assert hosts <= {*services("cloud"), "weir"}
    assert [job["http_sd_configs"][0]["url"] for job in config["scrape_configs"] if "http_sd_configs" in job] == [
        "http://weir:9091/api/v1/sd"]
    assert {job["job_name"] for job in config["scrape_configs"] if job.get("honor_labels")} == {
        "pushed", "weir-targets"}


def test_grafana_gets_a_database_of_its_own():
    """Run again, it changes the password and nothing else."""
    with PostgresServer() as server:
        for password in ("first'\"$1", "second"):
            done = subprocess.run(
                [DOCKER / "postgres" / "grafana.sh"], capture_output=True, text=True, timeout=DEADLINE, check=False,
                env={**environment(), "PGHOST": "127.0.0.1", "PGPORT": str(server.port), "POSTGRES_USER": "weir",
                     "POSTGRES_DB": "weir", "GRAFANA_DATABASE_PASSWORD": password})
            assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
            assert server.ask("SELECT rolcanlogin, rolsuper FROM pg_roles WHERE rolname = 'grafana'") == "t|f"
            assert server.ask("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'grafana'") == "grafana"
            kept = server.ask("SELECT rolpassword FROM pg_authid WHERE rolname = 'grafana'")
            assert is_scram_of(kept, password)


def is_scram_of(kept, password):
    """Whether that is the password of SCRAM-SHA-256$ITERATIONS:SALT$STORED:SERVER."""
    count, salt, stored, _ = re.fullmatch(r"SCRAM-SHA-256\$(\d+):(.*)\$(.*):(.*)", kept).groups()
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(count))
    client = hmac.digest(salted, b"Client Key", "sha256")
    return hashlib.sha256(client).digest() == base64.b64decode(stored)


def tracked():
    """Of the files those that git knows; none without a git."""
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        listed = subprocess.run(["git", "-C", REPOSITORY, "ls-files", "-z"], capture_output=True, text=True, check=True)
        return listed.stdout.split("\0")[:-1]
    return []


def test_nothing_secret_is_in_the_tree():
    """Neither private keys nor passwords that somebody could have forgotten to change."""
    names = tracked() or [str(path.relative_to(REPOSITORY)) for folder in ("docker", "docs", "scripts", "src", "tests")
                          for path in (REPOSITORY / folder).rglob("*") if path.is_file() and path.name != ".env"]
    assert len(names) > 100
    for name in names:
        path = REPOSITORY / name
        if not path.is_file() or path.stat().st_size > 1 << 20:
            continue
        text = path.read_bytes().decode(errors="replace")
        assert not re.search(r"^-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40}", text, re.M), name
        assert not re.search(r"\b(AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|xox[abpr]-[0-9A-Za-z-]{20,}"
                             r"|glsa_[A-Za-z0-9_]{30,})\b", text), name
        if name.startswith("docker/"):
            for key, value in re.findall(r"^[ #]*(\w*(?:PASSWORD|SECRET\w*|TOKEN)) *[:=] *(\S+)$", text, re.M):
                assert value.startswith(("$", '"$')), f"{name}: {key} is {value}"


def test_addresses_that_stay_are_given_to_nobody_else():
    """Those that are not asked for come from a part of the network of their own."""
    config, = whole("cloud")["networks"]["back"]["ipam"]["config"]
    fixed = [ipaddress.ip_address(networks["back"]["ipv4_address"])
             for networks in (settings["networks"] for settings in services("cloud").values())
             if isinstance(networks, dict) and (networks.get("back") or {}).get("ipv4_address")]
    subnet, others = ipaddress.ip_network(config["subnet"]), ipaddress.ip_network(config["ip_range"])
    assert len(fixed) == len(set(fixed)) == 6 and others.subnet_of(subnet)
    assert all(address in subnet and address not in others for address in fixed)


def test_nginx_is_asked_where_it_answers():
    nginx, pusher = services("cloud")["nginx"], services("cloud")["push-nginx"]
    address, port = nginx["networks"]["back"]["ipv4_address"], nginx["environment"]["NGINX_HEALTH"]
    assert pusher["environment"]["NGINX_STATUS_URL"] == f"http://{address}:{port}/status"
    assert ipaddress.ip_address(address) in ipaddress.ip_network(nginx["environment"]["NGINX_STATUS_FOR"])
    assert (REPOSITORY / "scripts" / "site" / pusher["command"][0]).exists()
    assert not any(str(port) in mapping for mapping in nginx["ports"]), "it is nobody else's"


# ---- What the services are given --------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_what_is_mounted_is_there(name):
    """Of the files of this repository; the others are the operator's."""
    for service, settings in services(name).items():
        for volume in settings.get("volumes", []):
            source = volume.partition(":")[0]
            if source.startswith(str(REPOSITORY)):
                assert Path(source).exists(), f"{service}: {source}"


def test_alertmanager_is_started_with_what_is_rendered(tmp_path):
    """As the file says, but for the places."""
    settings, port, password = services("cloud")["alertmanager"], free_port(), tmp_path / "smtp"
    password.write_text("secret\n")
    rendered = tmp_path / "tmp"
    rendered.mkdir()
    shell, option, text = settings["entrypoint"]
    for place, here in (("/tmp/", f"{rendered}/"), ("/etc/alertmanager", DOCKER / "alertmanager"),
                        ("/run/smtp-password", password), ("=/alertmanager ", f"={tmp_path}/data "),
                        ("exec alertmanager", f"exec prometheus-alertmanager --web.listen-address=127.0.0.1:{port}")):
        assert place in text
        text = text.replace(place, str(here))
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen([shell, option, text], stderr=log, stdout=log, env={
            **environment(), **settings["environment"], "ALERT_SMTP_USER": "ada"})
    try:
        wait_for(lambda: status_of(process, port, tmp_path / "log"), "Alertmanager answers")
        config = (rendered / "alertmanager.yml").read_text()
        assert f"smtp_auth_password_file: '{password}'" in config and "${" not in config
    finally:
        process.terminate()
        process.wait(DEADLINE)


def status_of(process, port, log):
    assert process.poll() is None, log.read_text()
    with contextlib.suppress(OSError):
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=DEADLINE).status == 200
    return False
