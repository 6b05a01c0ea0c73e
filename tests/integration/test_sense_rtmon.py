"""sense-rtmon, a system of sites that push by curl: its requests as they are, and its greps.

Written after its way of working, with its paths, names and order of requests.
"""

import json
import re
import subprocess

import pytest

from harness import DEADLINE, REPOSITORY, wait_for
from page import Page
from sites import FakeServer, reply

A, B, SWITCH = "10.1.1.1", "10.2.2.2", "10.9.9.9"
MAC_A, MAC_B, MAC_SWITCH = "0a:00:00:00:00:aa", "0a:00:00:00:00:bb", "0a:00:00:00:00:cc"


@pytest.fixture
def weir(cleared_weir):
    return cleared_weir


def shell(script, **variables):
    """What it prints, as cron would run it."""
    done = subprocess.run(["sh", "-eu", "-c", script], env={"PATH": "/usr/bin:/bin", **variables},
                          text=True,
                          capture_output=True, timeout=DEADLINE, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def post(weir, path, body):
    answer = weir.post(f"/metrics/job/{path}", body,
                       headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == 200, answer.text
    return f"{weir.url}/metrics/job/{path}"


# --- how it pushes ---

@pytest.mark.smoke
def test_page_of_node_exporter_through_a_pipe(weir, node_exporter):
    """A form's content type, Expect: 100-continue, and go_* and process_* families in it."""
    assert shell('curl -s $PAGE | curl -sS -H "Expect: 100-continue" -w "%{http_code}" --data-binary @- '
                 "$PUSHGATEWAY_SERVER/metrics/job/node-exporter/instance/$MYIP",
                 PAGE=f"{node_exporter.url}/metrics", PUSHGATEWAY_SERVER=weir.url, MYIP=A) == "200"
    page = weir.scrape()
    names = {name for name, labels in page.samples
             if {("instance", A), ("job", "node-exporter")} <= labels}
    pushed = {name for name, _ in Page(node_exporter.page().decode()).samples}
    assert pushed <= names and {"go_goroutines", "process_open_fds"} <= names


def test_large_page_through_a_pipe(weir, tmp_path):
    page = tmp_path / "page"
    page.write_text("".join(f'large{{n="{n:06}",text="{"x" * 400}"}} {n}\n' for n in range(5000)))
    assert page.stat().st_size > 2e6
    assert shell('curl -sS -w "%{http_code}" --data-binary @- $URL/metrics/job/node-exporter/instance/a <$PAGE',
                 PAGE=str(page), URL=weir.url) == "200"
    assert weir.scrape().total("large") == sum(range(5000))


def test_snmp_by_a_file(weir, tmp_path):
    def answer(handler, request):
        assert request.path == f"/snmp?target={SWITCH}&module=if_mib"
        reply(handler, body='# TYPE ifHCInOctets counter\nifHCInOctets{ifIndex="1"} 7\n')

    with FakeServer(answer) as exporter:
        assert shell('cd $DIR; curl -s -o snmp_temp.txt "$EXPORTER/snmp?target=$SWITCH&module=if_mib"; '
                     'cat snmp_temp.txt | curl -s -w "%{http_code}" --data-binary @- '
                     "$URL/metrics/job/snmp-exporter/target_switch/$SWITCH/instance/$MYIP",
                     DIR=str(tmp_path), EXPORTER=exporter.url, SWITCH=SWITCH, URL=weir.url,
                     MYIP=A) == "200"
    assert weir.scrape().value("ifHCInOctets", job="snmp-exporter", target_switch=SWITCH,
                               instance=A, ifIndex="1") == 7


# --- ARP rows: a URL each, all of them deleted at the next change ---

def push_rows(weir, instance, rows, ping, listed):
    """One turn of its exporter: deletes what delete.json lists, pushes, and lists that."""
    if listed.exists():
        for url in json.loads(listed.read_text()):
            assert weir.delete(url.removeprefix(weir.url)).status == 202
    peer, status = ping
    urls = [post(weir, f"arpMetrics/instance/{instance}/ping_this_ip/{peer}/ping_status/{status}",
                 f"Success_1_failure_0 {status}\n")]
    for number, (name, mac, address) in enumerate(rows, 1):
        urls.append(post(weir, f"arpMetrics/instance/{instance}/hostname/{name}"
                               f"/mac_address/{mac}/ip_address/{address}",
                         f"ARP_Table {number}\n"))
    urls.append(post(weir, f"arpMetrics/instance/{instance}/entryCount/value",
                     f"ARP_Entry_Count {len(rows)}\n"))
    listed.write_text(json.dumps(urls))


def test_after_a_change_only_new_urls_remain(weir, tmp_path):
    listed = tmp_path / "delete.json"
    first = [("no_name1", MAC_B, B), ("switch.example", MAC_SWITCH, SWITCH)]
    push_rows(weir, A, first, (B, 1), listed)
    page = weir.scrape()
    assert page.value("ARP_Table", job="arpMetrics", instance=A, hostname="no_name1",
                      mac_address=MAC_B, ip_address=B) == 1
    assert page.value("ARP_Entry_Count", job="arpMetrics", instance=A, entryCount="value") == 2
    second = [("no_name1", MAC_SWITCH, SWITCH)]
    push_rows(weir, A, second, (B, 0), listed)
    assert weir.scrape().groups() == {
        frozenset({("job", "arpMetrics"), ("instance", A)} | set(labels.items())) for labels in (
            {"ping_this_ip": B, "ping_status": "0"},
            {"hostname": "no_name1", "mac_address": MAC_SWITCH, "ip_address": SWITCH},
            {"entryCount": "value"})}
    assert weir.scrape().value("ARP_Entry_Count", job="arpMetrics", instance=A,
                               entryCount="value") == 1


# --- how it reads: by greps over the page, which need labels in the order of their names ---

CHECKS = r'''
page() { curl -s "$URL/metrics"; }
check() { if page | grep -q "$2"; then echo "$1 1"; else echo "$1 0"; fi; }
mac_of() { # of the address $2 in the table of $1, between quotes; without it nothing is between them
	page | sed -n -e "s/.*instance=\"$1\".*ip_address=\"$2\".*mac_address=\(\"[^\"]*\"\).*/\1/p" \
		-e '$s/.*/""/p' | head -n 1
}
check host1_arp_on ".*instance=\"$A\".*job=\"arpMetrics\".*"
check host2_arp_on ".*instance=\"$B\".*job=\"arpMetrics\".*"
check host1_ping_status ".*instance=\"$A\".*ping_status=\"1\".*ping_this_ip=\"$B\".*"
check host2_ping_status ".*instance=\"$B\".*ping_status=\"1\".*ping_this_ip=\"$A\".*"
check host1_snmp_mac_status ".*instance=\"$A\".*ip_address=\"$SWITCH\".*mac_address.*"
check host2_snmp_mac_status ".*instance=\"$B\".*ip_address=\"$SWITCH\".*mac_address.*"
check host1_has_host2_arp "instance=\"$A\",ip_address=\"$B\""
check host2_has_host1_arp "instance=\"$B\",ip_address=\"$A\""
check host1_snmp_on "dot1.*instance=\"$A\".*job=\"snmp-exporter\".*"
check host2_snmp_on "dot1.*instance=\"$B\".*job=\"snmp-exporter\".*"
check switch_host1_mac ".*dot1dTpFdbAddress=$(mac_of "$B" "$A" | tr a-f A-F).*"
check switch_host2_mac ".*dot1dTpFdbAddress=$(mac_of "$A" "$B" | tr a-f A-F).*"
check host1_node_on "go_gc.*instance=\"$A\".*job=\"node-exporter\".*"
check host2_node_on "go_gc.*instance=\"$B\".*job=\"node-exporter\".*"
'''
NAMES = [line.split()[1] for line in CHECKS.splitlines() if line.startswith("check ")]


def greps(weir):
    lines = shell(CHECKS, URL=weir.url, A=A, B=B, SWITCH=SWITCH).splitlines()
    assert [line.split()[0] for line in lines] == NAMES
    return {line.split()[0] for line in lines if line.endswith(" 1")}


def push_all_well(weir, tmp_path):
    push_rows(weir, A, [("b", MAC_B, B), ("s", MAC_SWITCH, SWITCH)], (B, 1), tmp_path / "a.json")
    push_rows(weir, B, [("a", MAC_A, A), ("s", MAC_SWITCH, SWITCH)], (A, 1), tmp_path / "b.json")
    for instance in (A, B):
        post(weir, f"snmp-exporter/target_switch/{SWITCH}/instance/{instance}", "".join(
            f'dot1dTpFdbPort{{dot1dTpFdbAddress="{mac.upper()}"}} 1\n' for mac in (MAC_A, MAC_B)))
        post(weir, f"node-exporter/instance/{instance}", "go_gc_cycles 1\n")


def test_greps_when_all_is_well(weir, tmp_path):
    assert greps(weir) == set()
    push_all_well(weir, tmp_path)
    assert greps(weir) == set(NAMES)


def scenario_arp_off(weir, tmp_path):
    for url in json.loads((tmp_path / "b.json").read_text()):
        weir.delete(url.removeprefix(weir.url))


def scenario_ping_fails(weir, tmp_path):
    push_rows(weir, A, [("b", MAC_B, B), ("s", MAC_SWITCH, SWITCH)], (B, 0), tmp_path / "a.json")


def scenario_mac_missing(weir, _):
    for instance in (A, B):
        post(weir, f"snmp-exporter/target_switch/{SWITCH}/instance/{instance}",
             f'dot1dTpFdbPort{{dot1dTpFdbAddress="{MAC_A.upper()}"}} 1\n')


def scenario_row_missing(weir, tmp_path):
    push_rows(weir, A, [("s", MAC_SWITCH, SWITCH)], (B, 1), tmp_path / "a.json")


def scenario_node_off(weir, _):
    weir.delete(f"/metrics/job/node-exporter/instance/{A}")


@pytest.mark.parametrize("scenario,off", [
    (scenario_arp_off,
     {"host2_arp_on", "host2_ping_status", "host2_snmp_mac_status", "host2_has_host1_arp",
                        "switch_host1_mac"}),
    (scenario_ping_fails, {"host1_ping_status"}), (scenario_mac_missing, {"switch_host2_mac"}),
    (scenario_row_missing, {"host1_has_host2_arp", "switch_host2_mac"}),
    (scenario_node_off, {"host1_node_on"})])
def test_greps_find_what_is_off(weir, tmp_path, scenario, off):
    push_all_well(weir, tmp_path)
    scenario(weir, tmp_path)
    assert set(NAMES) - greps(weir) == off


def test_the_dead_are_not_on_for_ever(start_weir, tmp_path):
    """Nothing tells a Pushgateway that a site died; here what is pushed all the time expires."""
    rules = re.search(r"^```yaml\n(jobs:.*?)^```", (REPOSITORY / "docs" / "sites.md").read_text(),
                      re.M | re.S)[1]
    (tmp_path / "rules.yml").write_text(rules.replace("2m", "500ms"))
    weir = start_weir(f"--config.file={tmp_path / 'rules.yml'}")
    push_all_well(weir, tmp_path)
    wait_for(lambda: set(NAMES) - greps(weir) == {
        "host1_node_on", "host2_node_on", "host1_snmp_on", "host2_snmp_on", "switch_host1_mac",
        "switch_host2_mac"},
        "what is pushed all the time is off, and ARP tables, which are not, are on")


# --- its settings, and scripts in the place of its own ---

def test_scripts_take_its_environment(weir, site, node_exporter):
    """What its compose file sets, and no arguments."""
    (site.directory / "ping").write_text('#!/bin/sh\necho "64 bytes: icmp_seq=1 time=1 ms"\n')
    (site.directory / "ping").chmod(0o755)

    def answer(handler, request):
        reply(handler, body=f'dot1dTpFdbPort{{dot1dTpFdbAddress="{MAC_A.upper()}"}} 1\n')

    with FakeServer(answer) as exporter:
        environment = {
            "PATH": f"{site.directory}:{site.variables['PATH']}", "MYIP": A, "HOST2IP": B,
            "PUSHGATEWAY_SERVER": weir.url.removeprefix("http://"),
            "NODE_PORT": str(node_exporter.port), "SNMP_PORT": str(exporter.port),
            "SWITCH_TARGET": SWITCH, "ARP_PORT": "9192", "SCRAPEDURATION": "90000",
            "SCRAPEINTERVAL": "30", "COMMUNITY_STRING": "secret", "RETRY": "3", "TIMEOUT": "5s"}
        for script in ("push-page", "push-snmp", "push-arp"):
            site.succeed(script, **environment)
        assert "secret" not in "".join(request.path for request in exporter.requests)
    assert weir.scrape().groups() == {frozenset({("instance", A), *further}) for further in (
        {("job", "node-exporter")}, {("job", "snmp-exporter"), ("target_switch", SWITCH)},
        {("job", "arpMetrics")})}
    assert weir.scrape().value("ping_success", job="arpMetrics", instance=A, target=B) == 1
    assert greps(weir) >= {"host1_arp_on", "host1_snmp_on", "host1_node_on"}


def test_what_the_old_way_left_is_pruned(weir, site, tmp_path):
    push_all_well(weir, tmp_path)
    site.succeed("prune", "--job=arpMetrics", f"--instance={A}", "--older-than=0")
    assert {dict(group)["instance"] for group in weir.scrape().groups()
            if ("job", "arpMetrics") in group} == {B}
