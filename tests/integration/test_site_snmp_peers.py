"""snmp-config between its peers: snmp_exporter takes what it makes, asks a switch, and that is pushed."""

import contextlib
import subprocess

import pytest
import yaml

from harness import wait_for
from snmp_peers import ACME, FORWARDED, MIBS, SnmpExporter, Switch

COMMUNITY = "only the file has #it"


@pytest.fixture(scope="module")
def switch(tmp_path_factory):
    with Switch(tmp_path_factory.mktemp("switch") / "snmpd", COMMUNITY) as server:
        yield server


@pytest.fixture
def made(site):
    """Makes a file of the environment, for the exporter of Debian 12."""
    (site.directory / "community").write_text(f"{COMMUNITY}\n")
    (site.directory / "community").chmod(0o600)

    def make(*arguments, **variables):
        file = site.directory / "snmp.yml"
        site.succeed("snmp-config", "--form=module", *arguments, file,
                     COMMUNITY_FILE=str(site.directory / "community"), **variables)
        return file

    return make


@contextlib.contextmanager
def exporter(site, config):
    """It must not tell the community, either."""
    with SnmpExporter(site.directory / "exporter", config) as server:
        yield server
        for page in ("/config", "/metrics"):
            assert COMMUNITY.encode() not in server.get(page)
    assert COMMUNITY not in server.log.read_text()


def of_switch(weir, switch, name, **labels):
    return weir.scrape().value(name, job="snmp-exporter", instance="10.0.0.1", target_switch=switch.name, **labels)


def interfaces(weir, switch, name):
    """{name of the interface: value} of the samples that have all labels of an interface."""
    found = {}
    for (metric, labels), value in weir.scrape().samples.items():
        labels = dict(labels)
        if metric == name and labels.get("target_switch") == switch.name:
            assert {"ifIndex", "ifDescr", "ifName"} <= set(labels)
            found[labels["ifName"]] = float(value)
    return found


@pytest.mark.smoke
def test_a_switch_is_asked_with_the_community_of_the_file(site, cleared_weir, made, switch):
    with exporter(site, made(OIDS_LIST='["1.3.6.1.2.1.1.3", "interfaces", "ifXTable", "1.3.6.1.2.1.17.4.3"]')) as peer:
        site.succeed("push-snmp", switch.name, SNMP_PORT=str(peer.port))
    weir = cleared_weir
    assert of_switch(weir, switch, "snmp_probe_success") == 1
    assert of_switch(weir, switch, "sysUpTime") > 0
    assert of_switch(weir, switch, "ifNumber") == len(interfaces(weir, switch, "ifOperStatus"))
    assert interfaces(weir, switch, "ifHCInOctets").keys() == interfaces(weir, switch, "ifMtu").keys() >= {"lo"}
    assert interfaces(weir, switch, "ifMtu")["lo"] == 65536
    assert interfaces(weir, switch, "ifType")["lo"] == 24
    assert interfaces(weir, switch, "ifHighSpeed")["lo"] == 10
    assert of_switch(weir, switch, "dot1dTpFdbPort", dot1dTpFdbAddress=FORWARDED) == 5
    site.succeed("l2-checks", "--host1=10.0.0.1", "--host2=10.0.0.2", f"--mac2={FORWARDED.lower()}",
                 f"--switch={switch.name}")
    checks = {"host1_snmp_on": "10.0.0.1", "switch_host2_mac": switch.name}
    for name, host in checks.items():
        assert weir.scrape().value(name, job="l2-checks", flow="10.0.0.1-10.0.0.2", host=host) == 1, name


def test_single_columns_and_rows(site, cleared_weir, made, switch):
    """And no more than these."""
    lo = 1  # everywhere on Linux
    with exporter(site, made(OIDS_LIST=f'["ifHCOutOctets", "1.3.6.1.2.1.2.2.1.8.{lo}", "ifName"]')) as peer:
        site.succeed("push-snmp", switch.name, SNMP_PORT=str(peer.port))
    assert interfaces(cleared_weir, switch, "ifOperStatus").keys() == {"lo"}
    assert interfaces(cleared_weir, switch, "ifHCOutOctets").keys() == interfaces(cleared_weir, switch, "ifName").keys()
    assert not interfaces(cleared_weir, switch, "ifHCInOctets")


def test_a_wrong_community_is_a_failure(site, cleared_weir, made, switch):
    (site.directory / "community").write_text("public\n")
    with exporter(site, made(RETRY="0", TIMEOUT="0.2s")) as peer:
        site.fail("push-snmp", switch.name, SNMP_PORT=str(peer.port))
    assert of_switch(cleared_weir, switch, "snmp_probe_success") == 0
    assert not interfaces(cleared_weir, switch, "ifMtu")


def test_a_new_community_is_told(site, cleared_weir, made, switch):
    """The exporter has a wrong one, until the file has the right one."""
    community = site.directory / "community"
    community.write_text("old\n")
    config = made()
    with SnmpExporter(site.directory / "exporter", config) as peer, site.running(
            "snmp-config", "--form=module", "--every=0.1", f"--reload={peer.url}/", config,
            COMMUNITY_FILE=str(community), RETRY="0", TIMEOUT="0.2s"):
        wait_for(lambda: "timeout: 0.20s" in config.read_text(), "it runs")
        community.write_text(f"{COMMUNITY}\n")
        wait_for(lambda: site.run("push-snmp", switch.name, SNMP_PORT=str(peer.port)).returncode == 0, "it is told")
    assert interfaces(cleared_weir, switch, "ifMtu")


def test_what_could_not_be_told_is_told_later(site, made):
    config = made()
    arguments = ["snmp-config", "--form=module", "--reload=127.0.0.1:1", config]
    variables = {"COMMUNITY_FILE": str(site.directory / "community"), "RETRY": "7"}
    assert "127.0.0.1:1" in site.fail(*arguments, **variables)
    assert yaml.safe_load(config.read_text())["if_mib"]["retries"] == 7
    assert "127.0.0.1:1" in site.fail(*arguments, **variables)
    with SnmpExporter(site.directory / "exporter", config) as peer:
        arguments[2] = f"--reload={peer.url}"
        before = peer.log.read_text().count("Loaded config file")
        site.succeed(*arguments, **variables)
        site.succeed(*arguments, **variables)  # nothing is new
        assert peer.log.read_text().count("Loaded config file") == before + 1


# --- with MIBs and the generator ---

@pytest.mark.parametrize("oids", [f'["{ACME}.2", "acmeFans"]', '["acme"]'])
def test_what_is_in_mibs(site, cleared_weir, made, switch, oids):
    with exporter(site, made(OIDS_LIST=oids, MIB_DIR=str(MIBS), PRIVATE_MIB="acme")) as peer:
        site.succeed("push-snmp", switch.name, SNMP_PORT=str(peer.port))
    assert of_switch(cleared_weir, switch, "acmeFans") == 3
    assert of_switch(cleared_weir, switch, "acmeVlanInPkts", acmeVlanId="10") == 77


@pytest.mark.parametrize("variables,words", [
    ({"OIDS_LIST": '["acme", "acmeNothing"]'}, "cannot find oid 'acmeNothing' to walk\n"),
    ({"PRIVATE_MIB": ""}, "cannot find oid 'acme' to walk\n"),
    ({"PRIVATE_MIB": "other"}, f"{MIBS}/other: there is no such directory of MIBs (PRIVATE_MIB)\n"),
    ({"MIB_DIR": "/nowhere"}, "/nowhere: there is no such directory of MIBs (MIB_DIR, --mibs)\n")])
def test_what_is_in_no_mib(site, made, variables, words):
    before = made().read_text()
    said = site.fail("snmp-config", site.directory / "snmp.yml", **{
        "COMMUNITY_FILE": str(site.directory / "community"), "OIDS_LIST": '["acme"]', "MIB_DIR": str(MIBS),
        "PRIVATE_MIB": "acme", **variables})
    assert said.endswith(words) and said.count("\n") == 1
    assert (site.directory / "snmp.yml").read_text() == before


def test_the_generator_takes_generator_yml(site, made):
    """Made for it alone, and by hand; the community goes through it, then."""
    file = made("--for-generator", OIDS_LIST='["acme"]', RETRY="4", TIMEOUT="1.5s")
    by_hand = site.directory / "by-hand"
    by_hand.mkdir()
    file.rename(by_hand / "generator.yml")
    subprocess.run(["prometheus-snmp-generator", "generate"], cwd=by_hand, check=True, capture_output=True,
                   env={**site.variables, "MIBDIRS": f"{MIBS}:{MIBS}/acme"})
    module = yaml.safe_load((by_hand / "snmp.yml").read_text())["if_mib"]
    assert (module["retries"], module["timeout"], module["auth"]) == (4, "1.5s", {"community": COMMUNITY})
    through = yaml.safe_load(made(OIDS_LIST='["acme"]', RETRY="4", TIMEOUT="1.5s", MIB_DIR=str(MIBS),
                                  PRIVATE_MIB="acme").read_text())["if_mib"]
    assert through.pop("version") == 2 and float(through.pop("timeout").removesuffix("s")) == 1.5
    assert {key: module[key] for key in through} == through
