"""scripts/site with --site: several sites push to one weir, and stay apart."""

import pytest

from sites import FakeServer, reply

ARP = "IP address HW type Flags HW address Mask Device\n10.0.0.9 0x1 0x2 0a:00:00:00:00:01 * eth0\n"


@pytest.fixture
def exporter():
    """Its path is its value."""
    def answer(handler, request):
        reply(handler, body=f"speed {request.path.strip('/')}\ngo_gc_cycles 1\nnode_load1 1\n")

    with FakeServer(answer) as fake:
        yield fake


def sites_of(weir, name):
    """{site, of each series of a name: its value}."""
    return {dict(labels).get("site"): float(value) for (series, labels), value in weir.scrape().samples.items()
            if series == name}


@pytest.mark.smoke
def test_hosts_of_one_name_stay_apart(cleared_weir, site, exporter):
    site.succeed("push-page", f"{exporter.url}/1")
    site.succeed("push-page", f"{exporter.url}/2", WEIR_SITE="lab a/b")
    site.succeed("push-page", f"{exporter.url}/3", "--site=ü", WEIR_SITE="lab a/b")
    site.succeed("push-page", f"{exporter.url}/4", "--site=", WEIR_SITE="lab a/b")
    assert sites_of(cleared_weir, "speed") == {None: 4, "lab a/b": 2, "ü": 3}


def push_with_each(site, directory, *arguments):
    """Runs all that pushes; those that fail say so of their source, and push that."""
    (directory / "arp").write_text(ARP)
    (directory / "texts").mkdir(exist_ok=True)
    (directory / "texts" / "a.prom").write_text("from_text 1\n")
    (directory / "allowed").mkdir(exist_ok=True)
    script = directory / "allowed" / "check"
    script.write_text("#!/bin/sh\necho 'from_script{site=\"x\"} 1'\necho 'from_script{site=\"y\"} 2'\n")
    script.chmod(0o755)
    site.succeed("push-arp", f"--table={directory}/arp", *arguments)
    site.succeed("push-textfiles", "--settle=0", directory / "texts", *arguments)
    site.succeed("run-script", *arguments, "check", SCRIPT_DIR=str(directory / "allowed"))
    site.succeed("l2-checks", "--host1=a", "--host2=b", *arguments)
    site.run("push-snmp", "192.0.2.1", *arguments, SNMP_PORT="1")
    site.run("push-cgroups", f"--root={directory}/nothing", *arguments)


def test_each_script_knows_its_site(cleared_weir, site, tmp_path):
    push_with_each(site, tmp_path, "--site=a")
    names = ["arp_entries", "from_text", "textfile_directory_up", "from_script", "script_success",
             "l2_checks_success", "snmp_probe_success", "cgroups_up"]
    assert {name: set(sites_of(cleared_weir, name)) for name in names} == {name: {"a"} for name in names}
    # Its lines differ in a label of the group alone, so they are one series; the first is taken.
    assert cleared_weir.scrape().value("script_rejected_lines", job="script", instance="10.0.0.1", site="a",
                                       script="check", reason="duplicate") == 1
    (tmp_path / "texts" / "a.prom").unlink()
    site.succeed("push-textfiles", "--settle=0", tmp_path / "texts", "--site=a")
    assert sites_of(cleared_weir, "from_text") == {}


def test_checks_find_hosts_at_a_site(cleared_weir, site, exporter):
    for host in "ab":
        site.succeed("push-page", f"{exporter.url}/1", "--site=lab", f"--instance={host}")
    site.succeed("l2-checks", "--host1=a", "--host2=b", "--site=lab")
    assert sites_of(cleared_weir, "host1_node_on") == sites_of(cleared_weir, "host2_node_on") == {"lab": 1}


def test_prune_of_a_site(cleared_weir, site, exporter):
    for name in "ab":
        site.succeed("push-page", f"{exporter.url}/1", f"--site={name}")
    site.succeed("prune", "--instance=10.0.0.1", "--site=b", WEIR_SITE="a")
    assert set(sites_of(cleared_weir, "speed")) == {"a"}


def test_a_site_is_said_once(cleared_weir, site, exporter):
    words = site.fail("push-page", f"{exporter.url}/1", "--label=site=a", "--site=b", code=2)
    assert "the site is 'b' already" in words
    site.succeed("push-page", f"{exporter.url}/1", "--label=site=a")
    assert set(sites_of(cleared_weir, "speed")) == {"a"}
