"""scripts/setup told of settings that are wrong: each by its line, what it is, and what would be right."""

import re
import subprocess
import sys

import pytest
import yaml

from harness import BINARY, DEADLINE, REPOSITORY, environment
from installations import LARGE, SCRIPT, Installation, run

sys.path.insert(0, str(REPOSITORY / "scripts" / "lib"))
from setup_config import OWN_SETTINGS, read_config  # noqa: E402
from setup_settings import allowed, expected_instead  # noqa: E402
from setup_shipped import settings_of_weir  # noqa: E402

HEAD = "domain: example.com\ntls: /tls\nusers: [ada]\n"
# With as little as possible that has to be there.
ALONE = HEAD + "weirs: {count: 1, state: sqlite}\nparts: {alertmanager: false}\n"


@pytest.fixture
def stack(tmp_path):
    return Installation(tmp_path, ALONE)


def told_of(stack, settings):
    """What scripts/setup says before it looks at anything else; the rest of the file is by the script itself."""
    stack.write(settings)
    return [line.removeprefix(f"{stack.config}:") for line in read_config(stack.config)[1].told()]


def test_alone_it_is_good(stack):
    assert told_of(stack, ALONE) == []
    stack.made()


CASES = [
    ("domian: x\n", ["6: domian: there is no such key; did you mean domain?"]),
    ("zzzzzzzz: x\n", ["6: zzzzzzzz: there is no such key; there are alerts, domain, "]),
    ("site: [a]\n", ["6: site: must be a name of letters, digits, ., _ and -, not a list or keys of its own"]),
    ("site:\n", ["6: site: has no value; it must be a name of letters"]),
    ("site: a\nsite: b\n", ["7: site: is there already, in line 6"]),
    ("site: \"a'b\"\n", ["6: site: \"a'b\" is not good"]),
    ("listen: https\n", ["6: listen: 'https' is not good; it must be a port, or ADDRESS:PORT"]),
    ("network: 172.30\n", ["6: network: '172.30' is not good; it must be the first three numbers"]),
    ("network: 172.30.256\n", ["6: network: '172.30.256' is not good"]),
    ("names: {push: A B}\n", ["6: names.push: 'A B' is not good; it must be the part of a name"]),
    ("names: {push: grafana}\n", ["6: names: must differ: grafana, metrics, grafana"]),
    ("memory: {redsi: 1g}\n", ["6: memory.redsi: there is no such key; did you mean redis?"]),
    ("memory: {redis: 1 GB}\n", ["6: memory.redis: '1 GB' is not good; it must be an amount of memory such as 512m"]),
    ("images: {redis: 'a b'}\n", ["6: images.redis: 'a b' is not good; it must be the name of an image"]),
    ("variables: {DOMAIN: x}\n", ["6: variables.DOMAIN: is set by domain"]),
    ("variables: {REDIS_PASSWORD: x}\n", ["6: variables.REDIS_PASSWORD: is a secret"]),
    ("variables: {GRAFANA_ADMIN_USR: x}\n", ["6: variables.GRAFANA_ADMIN_USR: there is no such variable; did you mean"
                                             " GRAFANA_ADMIN_USER?"]),
    ("profiles: [big]\n", ["6: profiles[1]: there is no such profile; "]),
    ("sites: x\n", ["6: sites: must be a list: [A, B], or a line - A for each"]),
    ("sites:\n- name: a\n", ["7: sites[1]: hosts is missing: a list of the hosts"]),
    ("sites:\n- {name: a, hosts: []}\n", ["7: sites[1].hosts: must have one host at least"]),
    ("sites:\n- {name: a, hosts: [h, h]}\n", ["7: sites[1].hosts: h is there 2 times"]),
    ("sites:\n- {name: a, hosts: [h]}\n- {name: a, hosts: [i], user: bob}\n",
     ["8: sites[2].name: a is there already; sites need names of their own", "8: sites[2].user: bob is none of users"]),
    ("sites:\n- {name: a, hosts: [../x]}\n", ["7: sites[1].hosts[1]: '../x' is not good; it must be the name or"]),
    ("prometheus: {retention: 30 days}\n", ["6: prometheus.retention: '30 days' is not good; it must be a duration"]),
    ("prometheus: {retention: 0s}\n", ["6: prometheus.retention: '0s' is not good; it must be a duration such as 30s"]),
    ("prometheus: {retention: 1h2d}\n", ["6: prometheus.retention: '1h2d' is not good; it must be a duration"]),
    ("alerts: {group_wait: 1h30m}\n", ["6: alerts.group_wait: '1h30m' is not good; it must be a duration of one unit"]),
    ("prometheus:\n  jobs:\n  - {job: a, targets: ['a:1'], timeout: 20s}\n", [
        "8: prometheus.jobs[1].timeout: 20s is longer than the interval, 15s; it may be as long at most"]),
    ("prometheus:\n  remote_write:\n  - {url: 'http://a', keep: 'a('}\n", [
        "8: prometheus.remote_write[1].keep: 'a(' is no regular expression: "]),
    ("prometheus: {labels: {a-b: c}}\n", ["6: prometheus.labels.a-b: must be the name of a label"]),
    ("prometheus:\n  jobs:\n  - job: pushed\n    targets: ['http://a:1']\n",
     ["8: prometheus.jobs[1].job: pushed is a job of weir's own; take another name",
      "9: prometheus.jobs[1].targets[1]: 'http://a:1' is not good; it must be HOST:PORT, without http:// and path"]),
    ("prometheus:\n  jobs:\n  - {job: a, targets: ['a:1'], user: u}\n  - {job: a, targets: []}\n",
     ["8: prometheus.jobs[1]: user and password_file go together", "9: prometheus.jobs[2].job: a is there already; ",
      "9: prometheus.jobs[2].targets: must have one HOST:PORT at least"]),
    ("prometheus:\n  remote_write:\n  - {url: long, user: u, password_file: p, token_file: t}\n",
     ["8: prometheus.remote_write[1].url: 'long' is not good; it must be a URL with http:// or https://",
      "8: prometheus.remote_write[1]: user or token_file, not both"]),
    ("alerts:\n  change:\n    PingFail: {for: 1m}\n", ["8: alerts.change.PingFail: there is no such alert; did you mean"
                                                       " PingFails?"]),
    ("alerts:\n  change:\n    PingFails: {threshold: 1}\n", ["8: alerts.change.PingFails.threshold: PingFails has none"
                                                             " that could be changed; these have: WeirRestarts, "]),
    ("alerts:\n  change:\n    WeirDiskFillsUp: {threshold: much}\n", [
        "8: alerts.change.WeirDiskFillsUp.threshold: 'much' is not good; it must be a size such as 50GB"]),
    ("alerts:\n  change:\n    WeirLimitIsNear: {threshold: 150%}\n", [
        "8: alerts.change.WeirLimitIsNear.threshold: '150%' is not good; it must be a share such as 0.9 or 90%"]),
    ("alerts:\n  change:\n    PingFails: {enabled: maybe}\n", ["8: alerts.change.PingFails.enabled: 'maybe' is not good;"]),
    ("alerts: {receivers: {chat: {channel: a}}}\n", ["6: alerts.receivers: there is no Alertmanager: parts."]),
    ("variables: {GRAFANA_ADMIN_USER: \"a\\u2028B=C\"}\n", ["6: variables.GRAFANA_ADMIN_USER: may have no control ch"]),
    ("variables: {GRAFANA_ADMIN_USER: \"a\\x85B\"}\n", ["6: variables.GRAFANA_ADMIN_USER: may have no control characters"]),
    ("prometheus: {labels: {a: \"\\ud800\"}}\n", ["6: prometheus.labels.a: may have no control characters, ', \\ or $"]),
    ("prometheus: {labels: {\u00fc: a}}\n", ["6: prometheus.labels.\u00fc: must be the name of a label"]),
    ("variables: {GRAFANA_ADMIN_USER: 'a${HOME}'}\n", ["6: variables.GRAFANA_ADMIN_USER: may have no control characters"]),
    ("\"a\\nb\\e[1m\": 1\n", ["6: a\\nb\\x1b[1m: there is no such key; "]),
    ("project: " + "a" * 64 + "\n", ["6: project: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...' is not good; it must be a"]),
    ("sites:\n- {name: " + "a" * 200 + ", hosts: [h]}\n", ["7: sites[1].name: 'aaaaaa"]),
    ("site: " + "a" * 5000 + "\n", ["6: site: has 5000 characters; 4000 are the most"]),
    ("listen: 65536\n", ["6: listen: '65536' is not good; it must be a port, or ADDRESS:PORT"]),
    ("listen: 0\n", ["6: listen: '0' is not good; it must be a port, or ADDRESS:PORT"]),
    ("listen: 256.0.0.1:443\n", ["6: listen: '256.0.0.1:443' is not good; it must be a port, or ADDRESS:PORT"]),
    ("listen: '[::g]:443'\n", ["6: listen: '[::g]:443' is not good; it must be a port, or ADDRESS:PORT"]),
    ("network: 172.30.\u0969\n", ["6: network: '172.30.\u0969' is not good; it must be the first three numbers"]),
    ("memory: {weir: 5m}\n", ["6: memory.weir: '5m' is not good; it must be an amount of memory such as 512m"]),
    ("memory: {weir: 99999999999999999999g}\n", ["6: memory.weir: '99999999999999999999g' is not good"]),
    ("prometheus: {retention: 101y}\n", ["6: prometheus.retention: '101y' is not good; it must be a duration such as"]),
    ("prometheus: {retention: " + "9" * 3000 + "y}\n", ["6: prometheus.retention: '99999999999"]),
    ("prometheus:\n  jobs:\n  - {targets: ['a:1']}\n  - {targets: ['a:65536']}\n",
     ["8: prometheus.jobs[1]: job is missing: ", "9: prometheus.jobs[2].targets[1]: 'a:65536' is not good; it must be HO",
      "9: prometheus.jobs[2]: job is missing: "]),
    ("sites:\n- hosts: [a]\n- hosts: [b]\n", ["7: sites[1]: name is missing: ", "8: sites[2]: name is missing: "]),
    ("alerts:\n  change:\n    WeirDiskFillsUp: {threshold: " + "9" * 400 + "GB}\n",
     ["8: alerts.change.WeirDiskFillsUp.threshold: '9999"]),
    ("alerts:\n  change:\n    WeirIsBehind: {threshold: " + "9" * 20 + "d}\n",
     ["8: alerts.change.WeirIsBehind.threshold: '99999999999999999999d' is not good; it must be a duration such as"]),
    ("alerts: {severities: {warning: [chta]}}\n", ["6: alerts.severities.warning[1]: 'chta' is not good; it must be chat"]),
]


@pytest.mark.parametrize("text,wanted", CASES, ids=[text.split("\n")[0][:40] + str(len(text)) for text, _ in CASES])
def test_each_is_told_with_its_line(stack, text, wanted):
    told = told_of(stack, ALONE + text)
    assert len(told) == len(wanted), told
    for line, start in zip(told, wanted):
        assert line.startswith(start), line


WEIRS = [
    ({"weirs": {"count": 0}}, "weirs.count: '0' is not good; it must be a whole number from 1 to 20"),
    ({"weirs": {"count": "two"}}, "weirs.count: 'two' is not good; it must be a whole number from 1 to 20"),
    ({"weirs": {"count": 2, "state": "sqlite"}}, "weirs.state: sqlite is for one weir; 2 share a Redis"),
    ({"weirs": {"state": "etcd"}}, "weirs.state: 'etcd' is not good; it must be redis or sqlite"),
    ({"weirs": {"register": "know"}}, "weirs.register: 'know' is not good; it must be known"),
    ({"weirs": {"group_ttl": "1 day"}}, "weirs.group_ttl: '1 day' is not good; it must be a duration such as 90s, 24h"),
    ({"weirs": {"settings": {"limit.group": 1}}}, "weirs.settings.limit.group: there is no such setting; did you mean "
                                                  "limit.groups?"),
    ({"weirs": {"settings": {"group.ttl": "1h"}}}, "weirs.settings.group.ttl: is set by weirs.group_ttl"),
    ({"weirs": {"settings": {"data.dir": "/x"}}}, "weirs.settings.data.dir: is set by the compose file"),
    ({"weirs": {"settings": {"limit.groups": "2e4"}}}, "weirs.settings.limit.groups: '2e4' is not good; it must be a whole "
                                                       "number, 1 to 1000000000"),
    ({"weirs": {"settings": {"log.format": "xml"}}}, "weirs.settings.log.format: 'xml' is not good; it must be one of logfmt"),
    ({"parts": {"postgres": False}}, "parts.postgres: weirs on a Redis keep their targets in PostgreSQL"),
    ({"parts": {"prometheus": False, "alertmanager": False}, "alerts": {}}, "parts.grafana: needs Prometheus: set "),
    ({"users_file": "x"}, "users_file: users or users_file, one of them"),
    ({"users": ["a", "a"]}, "users: a is there 2 times"),
    ({"users": []}, "users: must have one name at least"),
    ({"alerts": {"receivers": {}}}, "alerts.receivers: chat is missing: it gets warning; say where it is, or change "),
    ({"alerts": {**LARGE["alerts"], "severities": {"other": []}}}, "alerts.severities.other: must have one at least of "),
    ({"alerts": {"receivers": {**LARGE["alerts"]["receivers"], "email": {"to": "a@b"}}}},
     "alerts.receivers.email: from is missing: from whom it comes"),
]


@pytest.mark.parametrize("change,wanted", WEIRS, ids=[wanted.split(";")[0] for _, wanted in WEIRS])
def test_what_does_not_go_together(stack, change, wanted):
    told = told_of(stack, {**LARGE, **change})
    assert any(line.partition(": ")[2].startswith(wanted) for line in told), told


VALUES = ["0", "1", "-1", "+5", "100", "2e4", "5x", "1.5", "10000000000", "99999999999999999999", "true", "false", "no", "json",
          "durable", "64MiB", "2GiB", "1kb", "3 MB", "1iB", "9Ti", "5s", "-5s", "1h30m", "1d", ".5h", "1.h", "5ms", "1ns", "90",
          "2540400h", "9999999h", "s", "1m 5s", "9" * 5000, "9" * 5000 + "s"]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value[:20])
def test_a_value_is_good_if_weir_takes_it(tmp_path, value):
    """As weir itself says of each."""
    names = [name for name, (_, values) in allowed().items() if values not in ("", "text") and name not in OWN_SETTINGS]
    (tmp_path / "weir.yml").write_text("".join(f"{name}: '{value}'\n" for name in names))
    done = subprocess.run([BINARY, "--print-config", f"--config.file={tmp_path}/weir.yml"], capture_output=True, text=True,
                          env=environment(), timeout=DEADLINE, check=False)
    refused = re.findall(r": bad value '.*' for '(.*?)': ", done.stderr)
    assert refused == [name for name in names if expected_instead(name, value)] and len(names) > 30


def test_each_setting_is_known():
    assert allowed().keys() == settings_of_weir()


def test_all_is_told_at_once_and_in_order(stack):
    text = ("domain: Example_Com\nuser: [ada]\nweirs:\n  count: 99\n  state: disk\n  settings: {limit.grops: 1}\n"
            "prometheus:\n  jobs:\n    - targets: [a]\nalerts:\n  change: {Nothing: {}}\n")
    told = stack.refused(text)
    assert told == told_of(stack, text) and not stack.directory.exists()
    lines = [int(line.partition(":")[0]) for line in told]
    assert lines == sorted(lines) and set(lines) == {1, 2, 4, 5, 6, 9, 10, 11}, told
    for word in ("domain: ", "tls is missing", "user: there is no such key; did you mean users?", "weirs.count: ",
                 "weirs.state: ", "did you mean limit.groups?", "job is missing", "targets[1]: ", "Nothing: "):
        assert any(word in line for line in told), word


def test_what_the_documentation_shows_is_so(stack):
    page = (REPOSITORY / "docs" / "setup.md").read_text()
    good = re.search(r"^```yaml\n(.*?)^```$", page, re.M | re.S)[1]
    assert told_of(stack, good) == []
    bad = good.replace("users:", "usres:") + "  change:\n\n\n    WeirDiskFillsUp: {threshold: much}\n"
    for line in re.findall(r"^setup: site.yml:\d+: (.*)$", page, re.M):
        assert any(told.endswith(f": {line}") for told in told_of(stack, bad)), line


def test_a_url_that_may_be_secret_is_not_shown(stack):
    told = stack.refused({**LARGE, "alerts": {"receivers": {**LARGE["alerts"]["receivers"],
                                                            "chat": {"channel": "a", "url": "hook/T0K3N"}}}})
    assert len(told) == 1 and "alerts.receivers.chat.url: is not good; it must be a URL" in told[0]
    assert "T0K3N" not in told[0]


@pytest.mark.parametrize("text,line,said", [
    ("a: [\n", 2, "no YAML: "), ("a: b: c\n", 1, "no YAML: "), ("\ta: b\n", 1, "no YAML: "),
    (b"a: \xff\n", 1, "no YAML: there are bytes that are no text of UTF-8"),
    (b"a: \x00\n", 1, "no YAML: there are bytes that are no text of UTF-8"),
    ("", 1, "domain is missing"), ("# nothing\n", 1, "domain is missing"), ("- a\n", 1, "must have lines of KEY: VALUE"),
    ("a: 1\n---\nb: 2\n", 2, "no YAML: "), ("? [a]\n: b\n", 1, "a key must be one word"),
    ("weirs: *x\n", 1, "no YAML: "), ("domain: &a [*a]\n", 1, "domain: must be a name"),
    ("sites: &a [*a]\n", 1, "sites[1]: must have lines of KEY: VALUE"),
    ("site: " + "[" * 3000 + "]" * 3000 + "\n", 1, "no YAML: it is nested too deeply"),
    ("# " + "x" * (1 << 20) + "\n", 1, "it is larger than 1 MiB"),
], ids=lambda each: repr(each)[:30])
def test_what_is_no_settings_at_all(tmp_path, text, line, said):
    path = tmp_path / "config.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    code, output, errors = run(SCRIPT, path, tmp_path / "stack")
    assert (code, output) == (1, "") and "Traceback" not in errors and not (tmp_path / "stack").exists()
    assert any(row.startswith(f"setup: {path}:{line}: ") and said in row for row in errors.splitlines()), errors


def test_what_is_missing_is_always_told_in_the_same_order(stack):
    told = stack.refused("# nothing\n")
    assert [line.partition(" is missing")[0] for line in told[:2]] == ["1: domain", "1: tls"]


def test_compose_replaces_nothing_in_what_is_written(stack):
    """Whatever looks like a variable to compose."""
    stack.made({**yaml.safe_load(ALONE), "variables": {"GRAFANA_ADMIN_USER": "a$HOME $(X)"}, "tls": "/t$HOME/x",
                "weirs": {"count": 1, "state": "sqlite", "settings": {"web.telemetry-path": "$PATH$$"}},
                "prometheus": {"jobs": [{"job": "a", "targets": ["a:1"], "token_file": "/w$HOME/$DOMAIN/$$x"}]}})
    services = stack.services()
    assert services["weir"]["environment"]["WEIR_WEB_TELEMETRY_PATH"] == "$PATH$$"
    assert services["grafana-1"]["environment"]["GF_SECURITY_ADMIN_USER"] == "a$HOME $(X)"
    assert "/w$HOME/$DOMAIN/$$x:/run/prometheus/1:ro" in services["prometheus"]["volumes"]
    assert "/t$HOME/x:/etc/nginx/tls:ro" in services["nginx"]["volumes"]


def test_each_key_may_hold_anything(tmp_path):
    """Whatever is wrong is told, never a traceback."""
    whole = {**LARGE, "weirs": {"settings": {"limit.groups": 1}, "count": 1}, "names": {}, "parts": {}, "memory": {},
             "prometheus": {"jobs": [{"job": "a", "targets": ["a:1"]}], "remote_write": [{"url": "http://a"}]},
             "sites": [{"name": "a", "hosts": ["h"], "user": "ada"}]}
    path, texts = tmp_path / "config.yml", []
    for value in (None, [], {}, "x", [None], {"": None}):
        texts += [{**whole, key: value} for key in whole]
    for key in ("weirs", "prometheus", "alerts", "sites"):
        below = whole[key][0] if isinstance(whole[key], list) else whole[key]
        for name in [*below, "receivers", "change", "jobs", "severities"]:
            for value in (None, "x", [None], {"a": None}, [{}]):
                changed = {**below, name: value}
                texts.append({**whole, key: [changed] if key == "sites" else changed})
    path.write_text(yaml.safe_dump(texts))
    code, output, errors = run("/usr/bin/python3", "-c", EACH, path, SCRIPT.parent / "lib")
    assert (code, errors) == (0, ""), errors
    assert int(output) > len(texts) / 2


# One process for all of them.
EACH = """
import pathlib, sys, tempfile, yaml
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[2])
from setup_config import read_config
from setup_render import render
bad = 0
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "config.yml"
    for settings in yaml.safe_load(open(sys.argv[1])):
        path.write_text(yaml.safe_dump(settings))
        config, reader = read_config(path)
        bad += bool(reader.faults)
        if not reader.faults:
            render(config, reader, pathlib.Path(folder) / "stack")
print(bad)
"""
