"""scripts/site/push-arp: the ARP table and who answers to ping, as one state at a time."""

import os
import shutil
import threading
import time

import pytest

from harness import wait_for
from sites import FakeServer, Site, reply, small_tools

HEAD = "IP address       HW type     Flags       HW address            Mask     Device\n"
PING = """#!/bin/sh
for peer in "$@"; do :; done
case $peer in
up*) echo "64 bytes from $peer: icmp_seq=1 ttl=64 time=12.5 ms" ;;
hang*) exec sleep 60 ;;
*) echo "From 192.0.2.9 icmp_seq=1 Destination Host Unreachable"; exit 1 ;;
esac
"""


def row(address, mac, flags="0x2", device="eth0"):
    return f"{address:<17}0x1         {flags:<12}{mac}     *        {device}\n"


def table(*rows):
    return HEAD + "".join(row(*each) for each in rows)


A = ("192.0.2.1", "02:00:00:00:00:0a")
B = ("192.0.2.2", "02:00:00:00:00:0b")
C = ("192.0.2.3", "02:00:00:00:00:0c")


class ArpSite(Site):
    """With a table, names of hosts, and a ping that does what its argument says."""

    def __init__(self, directory, server, **options):
        super().__init__(directory, server, **options)
        self.table, self.hosts = directory / "arp", directory / "hosts"
        self.set_table(A, B)
        self.hosts.write_text("192.0.2.1 alpha alias # one\n# 192.0.2.2 commented\n::1 loop\n")
        if "path" not in options:
            (directory / "bin").mkdir()
            (directory / "bin" / "ping").write_text(PING)
            (directory / "bin" / "ping").chmod(0o755)
            self.variables["PATH"] = f"{directory / 'bin'}:{os.environ['PATH']}"

    def set_table(self, *rows):
        self.set_text(table(*rows))

    def set_text(self, text):
        new = self.table.with_suffix(".new")
        new.write_text(text)
        new.rename(self.table)

    def arguments(self, *further):
        return "push-arp", f"--table={self.table}", f"--hosts={self.hosts}", *further


@pytest.fixture
def arp(cleared_weir, tmp_path):
    return ArpSite(tmp_path / "site", cleared_weir.url)


def entries(page):
    return {(labels["ip_address"], labels["mac_address"], labels["hostname"])
            for labels in (dict(labels) for name, labels in page.samples
                           if name == "arp_entry_info")}


def value(weir, name, **labels):
    return weir.scrape().value(name, job="arpMetrics", instance="10.0.0.1", **labels)


@pytest.mark.smoke
def test_table(cleared_weir, arp):
    arp.succeed(*arp.arguments())
    page = cleared_weir.scrape()
    assert entries(page) == {(*A, "alpha"), (*B, "no_name")}
    assert value(cleared_weir, "arp_entries") == 2 and value(cleared_weir, "arp_table_up") == 1
    assert 'arp_entry_info{hostname="alpha",instance="10.0.0.1",ip_address="192.0.2.1",job="arpMetrics",' \
        'mac_address="02:00:00:00:00:0a"} 1' in page.text


def test_the_table_of_this_machine(cleared_weir, arp):
    arp.succeed("push-arp")
    assert value(cleared_weir, "arp_table_up") == 1
    assert value(cleared_weir, "arp_entries") == len(entries(cleared_weir.scrape()))


def test_incomplete_rows_are_left_out(cleared_weir, arp):
    arp.set_table(A, (*B, "0x0"), ("192.0.2.4", "00:00:00:00:00:00", "0x2"), (*C, "0x6"),
                  ("192.0.2.5", "*", "0x2"), (*A, "0x2", "eth1"))
    arp.succeed(*arp.arguments())
    assert entries(cleared_weir.scrape()) == {(*A, "alpha"), (*C, "no_name")}
    assert value(cleared_weir, "arp_entries") == 2


def test_table_without_rows(cleared_weir, arp):
    arp.succeed(*arp.arguments())
    arp.set_table()
    arp.succeed(*arp.arguments())
    assert entries(cleared_weir.scrape()) == set()
    assert value(cleared_weir, "arp_entries") == 0


def test_change_add_remove(cleared_weir, arp):
    """Each is one PUT, and the table is exact after it."""
    pushes = cleared_weir.scrape().total("pushgateway_http_requests_total", handler="push",
                                         method="put")
    changed = (A[0], "02:00:00:00:00:ff")
    steps = [(A, B), (A, B, C), (B, C), (C, B), (changed, B)]
    for step in steps:
        arp.set_table(*step)
        arp.succeed(*arp.arguments())
        assert {entry[:2] for entry in entries(cleared_weir.scrape())} == set(step)
    after = cleared_weir.scrape().total("pushgateway_http_requests_total", handler="push",
                                        method="put")
    assert after - pushes == len(steps)


@pytest.mark.parametrize("name", ['we"ird\\name', "Björn", "a" * 300, "x\\n{}"])
def test_names_of_hosts_are_escaped(cleared_weir, arp, name):
    arp.hosts.write_text(f"192.0.2.1\t{name}\n")
    arp.succeed(*arp.arguments())
    assert (*A, name) in entries(cleared_weir.scrape())


def test_names_that_are_no_text_are_none(cleared_weir, arp):
    arp.hosts.write_bytes(b"192.0.2.1 \xff\xfe\n192.0.2.2 ok\n")
    arp.succeed(*arp.arguments("--hosts=/none"))
    arp.succeed(*arp.arguments())
    assert entries(cleared_weir.scrape()) == {(*A, "no_name"), (*B, "ok")}


@pytest.mark.parametrize("text", [
    "", HEAD[:40], table(A, B)[:-1], table(A, B)[:-20], table(A, B) + "192.0.2.3\n",
    row(*A) + row(*B)],
    ids=["empty", "half a head", "no end", "cut in a row", "half a row", "no head"])
def test_partial_table_is_no_change(cleared_weir, arp, text):
    arp.succeed(*arp.arguments("up"))
    arp.set_text(text)
    assert "is not a whole table" in arp.fail(*arp.arguments("down"))
    assert {entry[:2] for entry in entries(cleared_weir.scrape())} == {A, B}
    assert value(cleared_weir, "arp_table_up") == 0
    assert value(cleared_weir, "ping_success", target="down") == 0


def test_table_that_stays_partial(cleared_weir, arp):
    """Then what it was once is not true any more."""
    arp.succeed(*arp.arguments())
    arp.set_text("")
    arp.fail(*arp.arguments("--ttl=0.01"))
    arp.fail(*arp.arguments())
    page = cleared_weir.scrape()
    assert entries(page) == set() and value(cleared_weir, "arp_entries") is None
    assert value(cleared_weir, "arp_table_up") == 0


def test_table_that_is_not_there(cleared_weir, arp):
    assert "No such file" in arp.fail(*arp.arguments(f"--table={arp.directory}/none"))
    assert value(cleared_weir, "arp_table_up") == 0
    assert value(cleared_weir, "arp_entries") is None


def test_table_that_is_written_in_place(cleared_weir, arp):
    """Whoever writes it has come to the end of a row, and goes on."""
    writing = threading.Event()

    def write():
        while not writing.is_set():
            with open(arp.table, "w") as file:
                file.write(HEAD + row(*A))
                file.flush()
                time.sleep(0.03)
                file.write(row(*B))
                file.flush()
                time.sleep(0.03)

    arp.succeed(*arp.arguments())
    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(3):
            arp.run(*arp.arguments())
            assert {entry[:2] for entry in entries(cleared_weir.scrape())} == {A, B}
    finally:
        writing.set()
        thread.join()


def test_pings(cleared_weir, arp):
    arp.succeed(*arp.arguments("--timeout=1", "up.example", "down", "hang1", "hang2"),
                HOST2IP="other")
    states = {target: value(cleared_weir, "ping_success", target=target)
              for target in ("up.example", "down", "hang1", "hang2", "other")}
    assert states == {"up.example": 1, "down": 0, "hang1": 0, "hang2": 0, "other": None}
    assert value(cleared_weir, "ping_rtt_seconds", target="up.example") == 0.0125
    assert value(cleared_weir, "ping_rtt_seconds", target="down") is None
    arp.succeed(*arp.arguments(), HOST2IP="fe80::1%eth0, up")
    assert value(cleared_weir, "ping_success", target="up.example") is None
    assert value(cleared_weir, "ping_success", target="fe80::1%eth0") == 0


def test_real_ping_in_a_small_shell(cleared_weir, tmp_path):
    site = ArpSite(tmp_path / "site", cleared_weir.url, shell=[shutil.which("busybox"), "sh"],
                   path=small_tools(tmp_path / "tools"))
    site.succeed(*site.arguments("--timeout=1", "127.0.0.1", "name.invalid"))
    assert value(cleared_weir, "ping_success", target="127.0.0.1") == 1
    assert 0 < value(cleared_weir, "ping_rtt_seconds", target="127.0.0.1") < 1
    assert value(cleared_weir, "ping_success", target="name.invalid") == 0
    assert entries(cleared_weir.scrape()) == {(*A, "alpha"), (*B, "no_name")}


def test_never_two_states_at_once(cleared_weir, arp):
    """Tables replace each other while it runs, and every scrape is of one of them."""
    versions = [[(f"192.0.2.{host}", f"02:00:00:00:{version:02x}:{host:02x}")
                 for host in range(1, 30 + version)]
                for version in range(2)]

    def scraped():
        page = cleared_weir.scrape()
        found = {entry[:2] for entry in entries(page)}
        version = next((v for v in range(2) if found == set(versions[v])), None)
        assert version is not None, sorted(found)
        assert page.value("arp_entries", job="arpMetrics", instance="10.0.0.1") == len(found)
        return version

    arp.set_table(*versions[0])
    with arp.running(*arp.arguments("--every=0.1", "up")):
        wait_for(lambda: entries(cleared_weir.scrape()), "there is a table")
        for version in (1, 0) * 4:  # a table is read when it has been as it is for a moment
            arp.set_table(*versions[version])
            wait_for(lambda wanted=version: scraped() == wanted, "it is replaced")


def test_unchanged_table_is_a_heartbeat(arp):
    with FakeServer(lambda handler, request: reply(handler)) as fake:
        arp.variables["PUSHGATEWAY_SERVER"] = fake.url
        with arp.running(*arp.arguments("--every=0.1", "--heartbeat=0.8", "up")):
            wait_for(lambda: len(fake.requests) == 2, "there is a second push")
        with arp.running(*arp.arguments("--every=0.1", "--heartbeat=1h", "up")):
            arp.set_table(A, B, C)
            wait_for(lambda: len(fake.requests) == 3, "the change is pushed")
    first, second, third = fake.requests
    assert second.at - first.at > 0.6
    assert first.body == second.body and C[0] in third.body.decode()
    assert float(first.headers["Weir-TTL"].rstrip("s")) > 2.4


def test_heartbeat_across_runs_and_after_a_failure(arp):
    status = 200
    with FakeServer(lambda handler, request: reply(handler, status)) as fake:
        arp.variables["PUSHGATEWAY_SERVER"] = fake.url
        push = arp.arguments("--heartbeat=1h", "up")
        for _ in range(3):
            arp.succeed(*push)
        assert len(fake.requests) == 1
        arp.set_table(A, B, C)
        status = 503
        arp.fail(*push)
        status = 200
        for _ in range(2):
            arp.succeed(*push)
        assert len(fake.requests) == 3  # the failed one, and one that made up for it
        arp.succeed(*arp.arguments("--heartbeat=1h", "down"))
        assert len(fake.requests) == 4


@pytest.mark.parametrize("arguments,words", [
    (["-x"], "unknown option"), (["a;b"], "is no name or address"),
    (["--job=", "a"], "unknown option '--job='"),
    (["--heartbeat=x"], "a duration is written as")])
def test_misuse(arp, arguments, words):
    assert words in arp.fail("push-arp", *arguments, code=2)


def test_ping_that_is_not_installed(cleared_weir, tmp_path):
    tools = small_tools(tmp_path / "tools")
    (tools / "ping").unlink()
    site = ArpSite(tmp_path / "site", cleared_weir.url, shell=[shutil.which("busybox"), "sh"],
                   path=tools)
    assert "ping is not installed" in site.fail(*site.arguments("192.0.2.1"))
    site.succeed(*site.arguments())
