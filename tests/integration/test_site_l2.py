"""scripts/site/l2-checks: what is on, by what was pushed and when; and one bad line costs one line."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import DEADLINE, wait_for
from page import Page
from peers import promtool
from sites import FakeServer, Site, reply, small_tools

A, B, SWITCH, SWITCH2 = "10.1.1.1", "10.2.2.2", "10.9.9.8", "10.9.9.9"
MACS = {A: "0a:00:00:00:00:aa", B: "0a:00:00:00:00:bb", SWITCH: "0a:00:00:00:00:c1",
        SWITCH2: "0a:00:00:00:00:c2"}
CHECKS = {f"host{n}_{what}" for n in "12"
          for what in ("arp_on", "ping_status", "snmp_mac_status", "snmp_on_10", "node_on")
          } | {"host1_has_host2_arp", "host2_has_host1_arp", "switch_host1_mac_10",
               "switch_host2_mac_10"}
ARGUMENTS = ["l2-checks", f"--host1={A}", f"--host2={B}", f"--switch={SWITCH}", "--vlan=10"]


def push(weir, path, body, ttl="1h"):
    answer = weir.put(f"/metrics/job/{path}?ttl={ttl}", body)
    assert answer.status == 200, answer.text


def push_arp(weir, host, rows, pings, up=1, **options):
    """As push-arp does."""
    body = f"arp_table_up {up}\n" + "".join(
        f'arp_entry_info{{hostname="no_name",ip_address="{row}",mac_address="{MACS[row]}"}} 1\n'
        for row in rows)
    body += "".join(f'ping_success{{target="{target}"}} {state}\n'
                    for target, state in pings.items())
    push(weir, f"arpMetrics/instance/{host}", body, **options)


def push_snmp(weir, host, macs, switch=SWITCH, **options):
    body = "snmp_probe_success 1\n" + "".join(f'dot1dTpFdbPort{{dot1dTpFdbAddress="{mac}"}} 3\n'
                                              for mac in macs)
    push(weir, f"snmp-exporter/target_switch/{switch}/instance/{host}", body, **options)


def push_node(weir, host, **options):
    push(weir, f"node-exporter/instance/{host}", "push_source_up 1\ngo_gc_cycles 1\nnode_load1 1\n",
         **options)


def push_all_well(weir, **options):
    for me, other in ((A, B), (B, A)):
        push_arp(weir, me, [other, SWITCH, SWITCH2], {other: 1}, **options)
        push_snmp(weir, me, [MACS[A].upper(), MACS[B].upper()], **options)
        push_node(weir, me, **options)


def shown(page, prefix=""):
    """{check: value} of a page of weir's, or of what was printed."""
    return {name.removeprefix(prefix): float(value) for (name, _), value in page.samples.items()
            if name.startswith((f"{prefix}host", f"{prefix}switch_host"))}


def off(weir, site, *arguments):
    """The checks that are 0, by what weir shows of them."""
    site.succeed(*ARGUMENTS, *arguments)
    values = shown(weir.scrape())
    assert set(values) == CHECKS and set(values.values()) <= {0, 1}
    return {name for name, value in values.items() if value == 0}


@pytest.mark.smoke
def test_nothing_and_all(cleared_weir, site):
    assert off(cleared_weir, site) == CHECKS
    push_all_well(cleared_weir)
    assert off(cleared_weir, site) == set()
    page = cleared_weir.scrape()
    flow = {"job": "l2-checks", "flow": f"{A}-{B}"}
    assert page.value("host1_arp_on", host=A, **flow) == 1
    assert page.value("switch_host2_mac_10", host=SWITCH, **flow) == 1
    assert page.value("l2_checks_success", **flow) == 1
    assert page.value("l2_checks_lines", **flow) == 14


def only_other_switch(weir, host):
    weir.delete(f"/metrics/job/snmp-exporter/target_switch/{SWITCH}/instance/{host}")
    if host == A:
        push_snmp(weir, A, [MACS[A].upper()], switch=SWITCH2)


SCENARIOS = {
    "arp off": (lambda weir: weir.delete(f"/metrics/job/arpMetrics/instance/{A}"),
                {"host1_arp_on", "host1_ping_status", "host1_snmp_mac_status",
                 "host1_has_host2_arp", "switch_host2_mac_10"}),
    "table unread": (lambda weir: push_arp(weir, A, [B, SWITCH], {B: 1}, up=0), {"host1_arp_on"}),
    "ping fails": (lambda weir: push_arp(weir, B, [A, SWITCH], {A: 0}), {"host2_ping_status"}),
    "pings another": (lambda weir: push_arp(weir, B, [A, SWITCH], {SWITCH: 1}),
                      {"host2_ping_status"}),
    "no switch": (lambda weir: push_arp(weir, B, [A], {A: 1}), {"host2_snmp_mac_status"}),
    "no row": (lambda weir: push_arp(weir, B, [SWITCH], {A: 1}),
               {"host2_has_host1_arp", "switch_host1_mac_10"}),
    "mac missing": (lambda weir: [push_snmp(weir, host, [MACS[A].upper()]) for host in (A, B)],
                    {"switch_host2_mac_10"}),
    "other switch": (lambda weir: [only_other_switch(weir, host) for host in (A, B)],
                     {"host2_snmp_on_10", "switch_host1_mac_10", "switch_host2_mac_10"}),
    "snmp fails": (lambda weir: push(weir, f"snmp-exporter/target_switch/{SWITCH}/instance/{A}",
                                     "snmp_probe_success 0\n"),
                   {"host1_snmp_on_10"}),
    "node fails": (lambda weir: push(weir, f"node-exporter/instance/{A}", "push_source_up 0\n"),
                   {"host1_node_on"}),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenarios(cleared_weir, site, name):
    push_all_well(cleared_weir)
    change, expected = SCENARIOS[name]
    change(cleared_weir)
    assert off(cleared_weir, site) == expected


def test_the_dead_are_off_within_their_time_to_live(cleared_weir, site):
    push_all_well(cleared_weir)
    push_node(cleared_weir, A, ttl="300ms")
    wait_for(lambda: off(cleared_weir, site) == {"host1_node_on"}, "its node_exporter is off")


def test_what_is_old_is_off_before_it_expires(cleared_weir, site):
    """Even if nobody set a time to live."""
    push_all_well(cleared_weir)
    wait_for(lambda: off(cleared_weir, site, "--max-age=1") == CHECKS, "all of it is too old")
    push_node(cleared_weir, B)
    assert off(cleared_weir, site, "--max-age=1m") == set()
    assert off(cleared_weir, site, "--max-age=0") == set()


def test_pushes_of_sense_rtmon(cleared_weir, site):
    """A group each row, and the state of a ping in a label."""
    for me, other in ((A, B), (B, A)):
        push(cleared_weir, f"arpMetrics/instance/{me}/ping_this_ip/{other}/ping_status/1",
             "Success_1_failure_0 1\n")
        for number, row in enumerate((other, SWITCH)):
            push(cleared_weir, f"arpMetrics/instance/{me}/hostname/no_name{number}"
                               f"/mac_address/{MACS[row]}/ip_address/{row}",
                 f"ARP_Table {number}\n")
        push_snmp(cleared_weir, me, [MACS[A].upper(), MACS[B].upper()])
        push_node(cleared_weir, me)
    assert off(cleared_weir, site) == set()


def push_tasks(weir, rows, macs, table_labels="", job="single"):
    """As sense-rtmon's tasks do: all in one group, whose samples say which instance they are of."""
    body = "".join(f'arp_state{{Device="eth0",Flags="0x2",HWaddress="{mac}",IPaddress="{row}",flow="f",'
                   f'instance="{me}"}} 1\n' for me, row, mac in rows)
    body += "".join(f'mac_table_info{{{table_labels}macaddress="{mac}",vlan="{vlan}"}} 1\n'
                    for mac, vlan in macs)
    push(weir, job, body)


ROWS = [(A, B, MACS[B]), (B, A, MACS[A]), (A, SWITCH, MACS[SWITCH]), (B, SWITCH, MACS[SWITCH])]
TABLE = [(MACS[A], "10"), (MACS[B].upper().replace(":", "-"), "Vlan 10")]
NOT_OF_TASKS = {"host1_ping_status", "host2_ping_status", "host1_node_on", "host2_node_on"}


def push_all_of_tasks(weir):
    push_tasks(weir, ROWS, TABLE)
    for me, other in ((A, B), (B, A)):
        push_arp(weir, me, [], {other: 1})
        push_node(weir, me)


@pytest.mark.parametrize("labels,missing", [
    ("", set()),
    (f'target_switch="{SWITCH}",', set()),
    (f'instance="{SWITCH}",', set()),
    (f'hostname="{SWITCH}",instance="{A}",', {"host2_snmp_on_10"}),
    (f'instance="{SWITCH2}",', {"host1_snmp_on_10", "host2_snmp_on_10", "switch_host1_mac_10",
                                "switch_host2_mac_10"}),
    (f'target_switch="{SWITCH2}",instance="{A}",',
     {"host1_snmp_on_10", "host2_snmp_on_10", "switch_host1_mac_10", "switch_host2_mac_10"})])
def test_tasks_of_sense_rtmon(cleared_weir, site, labels, missing):
    push_tasks(cleared_weir, ROWS, TABLE, labels)
    assert off(cleared_weir, site) == NOT_OF_TASKS | missing
    push_all_of_tasks(cleared_weir)
    push_tasks(cleared_weir, ROWS, TABLE, labels)
    assert off(cleared_weir, site) == missing


@pytest.mark.parametrize("rows,macs,missing", [
    (ROWS[1:], TABLE, {"host1_has_host2_arp", "switch_host2_mac_10"}),
    ([*ROWS[1:], (A, B, "00:00:00:00:00:00")], TABLE, {"host1_has_host2_arp", "switch_host2_mac_10"}),
    ([row for row in ROWS if row[0] == B], TABLE,
     {"host1_arp_on", "host1_snmp_mac_status", "host1_has_host2_arp", "switch_host2_mac_10"}),
    (ROWS, TABLE[1:], {"switch_host1_mac_10"}),
    (ROWS, [(MACS[A], "11"), TABLE[1]], {"switch_host1_mac_10"}),
    (ROWS, [], {"host1_snmp_on_10", "host2_snmp_on_10", "switch_host1_mac_10", "switch_host2_mac_10"})])
def test_what_the_tasks_lack(cleared_weir, site, rows, macs, missing):
    push_tasks(cleared_weir, rows, macs)
    assert off(cleared_weir, site) == NOT_OF_TASKS | missing


def test_tasks_that_push_no_more(cleared_weir, site):
    push_tasks(cleared_weir, ROWS, TABLE)
    push_tasks(cleared_weir, [], TABLE, job="other")
    wait_for(lambda: off(cleared_weir, site, "--max-age=1") == CHECKS, "all of it is too old")
    push_tasks(cleared_weir, ROWS, [])
    assert off(cleared_weir, site, "--max-age=1m") == NOT_OF_TASKS


def test_two_switches(cleared_weir, site):
    push_all_well(cleared_weir)
    push_snmp(cleared_weir, A, [MACS[B].upper()], switch=SWITCH2)
    site.succeed(*ARGUMENTS, f"--switch2={SWITCH2}", "--flow=f/1")
    page = cleared_weir.scrape()
    assert set(shown(page, "m_")) == CHECKS | {"host1_snmp_mac_status2", "host2_snmp_mac_status2"}

    def value(name, host):
        return page.value(name, job="l2-checks", flow="f/1", host=host)
    assert value("m_host1_snmp_mac_status2", A) == 1
    assert [value("m_switch_host2_mac_10", switch) for switch in (SWITCH, SWITCH2)] == [1, 1]
    assert [value("m_switch_host1_mac_10", switch) for switch in (SWITCH, SWITCH2)] == [1, 0]


def test_other_addresses_and_macs(cleared_weir, site):
    push_arp(cleared_weir, A, [B], {B: 1})
    push_snmp(cleared_weir, A, ["0A:00:00:00:00:EE"])
    arguments = ["l2-checks", f"--host1={A}", "--host2=b.example", f"--address2={B}",
                 "--mac1=0a:00:00:00:00:ee", f"--switch={SWITCH}"]
    site.succeed(*arguments)
    assert {name for name, value in shown(cleared_weir.scrape()).items() if value} == {
        "host1_arp_on", "host1_ping_status", "host1_has_host2_arp", "host1_snmp_on",
        "switch_host1_mac"}


def test_printed_for_script_exporter(cleared_weir, site):
    push_all_well(cleared_weir)
    printed = site.succeed(*ARGUMENTS, "--stdout").stdout
    assert promtool(printed)[0] is False
    lines = [line for line in printed.splitlines() if line.startswith(("host", "switch"))]
    assert len(lines) == 14 and f'host1_arp_on{{host="{A}"}} 1' in lines
    assert "l2_checks" not in "".join(cleared_weir.scrape().pushed())


def test_several_that_ask_at_once(cleared_weir, site):
    """As two Prometheus that scrape one script_exporter."""
    push_all_well(cleared_weir)
    both = threading.Barrier(2)

    def answer(handler, _):
        both.wait(DEADLINE)
        reply(handler, body=cleared_weir.get("/metrics").body)

    with FakeServer(answer) as fake, ThreadPoolExecutor(2) as threads:
        runs = [threads.submit(site.succeed, *ARGUMENTS, "--stdout", PUSHGATEWAY_SERVER=fake.url)
                for _ in range(2)]
        printed = [run.result().stdout for run in runs]
    assert printed[0] == printed[1] and "host1_node_on" in printed[0]
    assert list((site.directory / "state").iterdir()) == []


def test_bad_line_is_dropped_and_counted(cleared_weir, site):
    """Where a string makes the page of a script_exporter unreadable."""
    push_all_well(cleared_weir)
    said = site.succeed(*ARGUMENTS[:-1], "--vlan=a-b").stderr
    assert "dropped (name)" in said or "dropped (label)" in said
    page = cleared_weir.scrape()
    flow = {"job": "l2-checks", "flow": f"{A}-{B}"}
    assert len(shown(page)) == 10 and page.value("l2_checks_lines", **flow) == 10
    assert page.total("l2_checks_rejected_lines", **flow) == 4


def test_odd_hosts(cleared_weir, site):
    odd = 'q"\\ü/é'
    push(cleared_weir, "node-exporter/instance@base64/cSJcw7wvw6k", "node_load1 1\n")
    site.succeed("l2-checks", f"--host1={odd}", "--host2=x")
    assert cleared_weir.scrape().value("host1_node_on", job="l2-checks", flow=f"{odd}-x",
                                       host=odd) == 1


@pytest.mark.parametrize("push_what", [push_all_well, push_all_of_tasks])
def test_small_shell(cleared_weir, tmp_path, push_what):
    push_what(cleared_weir)
    site = Site(tmp_path / "site", cleared_weir.url, shell=[shutil.which("busybox"), "sh"],
                path=small_tools(tmp_path / "tools"))
    assert off(cleared_weir, site) == set()


def test_page_that_cannot_be_read(site):
    def answer(handler, request):
        reply(handler, 503 if request.method == "GET" else 200)

    with FakeServer(answer) as fake:
        site.fail(*ARGUMENTS, PUSHGATEWAY_SERVER=fake.url)
        assert fake.requests[-1].body == b"# TYPE l2_checks_success gauge\nl2_checks_success 0\n"
    done = site.run(*ARGUMENTS, "--stdout", PUSHGATEWAY_SERVER="127.0.0.1:1")
    assert done.returncode == 1 and Page(done.stdout).value("l2_checks_success") == 0


def test_again_and_again(cleared_weir, site):
    with site.running(*ARGUMENTS, "--every=0.2"):
        wait_for(lambda: shown(cleared_weir.scrape()).get("host1_node_on") == 0, "it is off")
        push_node(cleared_weir, A)
        wait_for(lambda: shown(cleared_weir.scrape()).get("host1_node_on") == 1, "it is on")


@pytest.mark.parametrize("arguments,words", [
    ([], "there are two hosts"), (["--host1=a", "--host2=a"], "there are two hosts"),
    (["x"], "unknown option or word"),
    (["--host1=a", "--host2=b", "--switch2=c"], "no --switch")])
def test_misuse(site, arguments, words):
    assert words in site.fail("l2-checks", *arguments, code=2)
