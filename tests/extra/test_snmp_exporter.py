"""A newer snmp_exporter, which wants the community apart from the modules: what snmp-config makes for it."""

import subprocess

import pytest

import sites
import snmp_peers
from built import BUILT

PROGRAM = BUILT / "snmp_exporter" / "snmp_exporter"
GENERATOR = BUILT / "snmp_exporter" / "snmp_generator"
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="no newer snmp_exporter built")
COMMUNITY = "only the file has #it"


class NewSnmpExporter(snmp_peers.SnmpExporter):
    program = str(PROGRAM)


@pytest.mark.parametrize("name", ["", "of-site_a"])
def test_a_switch_is_asked(weir, tmp_path, name):
    site = sites.Site(tmp_path / "site", weir.url)
    (site.directory / "community").write_text(COMMUNITY)
    (site.directory / "community").chmod(0o600)
    variables = {"COMMUNITY_FILE": str(site.directory / "community"), "SNMP_AUTH": name}
    with snmp_peers.Switch(tmp_path / "switch", COMMUNITY) as switch:
        site.succeed("snmp-config", site.directory / "snmp.yml", **variables)
        with NewSnmpExporter(tmp_path / "exporter", site.directory / "snmp.yml") as exporter:
            site.succeed("push-snmp", switch.name, SNMP_PORT=str(exporter.port), **variables)
            assert COMMUNITY.encode() not in exporter.get("/config")
        assert COMMUNITY not in exporter.log.read_text()
    labels = {"job": "snmp-exporter", "target_switch": switch.name, "instance": "10.0.0.1"}
    assert weir.scrape().value("snmp_probe_success", **labels) == 1
    mtu, = (value for (metric, of), value in weir.scrape().samples.items()
            if metric == "ifMtu" and ("ifName", "lo") in of)
    assert float(mtu) == 65536


@pytest.mark.skipif(not GENERATOR.exists(), reason="no newer generator built")
def test_what_is_in_mibs(weir, tmp_path):
    site = sites.Site(tmp_path / "site", weir.url)
    (site.directory / "community").write_text(COMMUNITY)
    (site.directory / "community").chmod(0o600)
    variables = {"COMMUNITY_FILE": str(site.directory / "community"), "MIB_DIR": str(snmp_peers.MIBS),
                 "PRIVATE_MIB": "acme", "OIDS_LIST": '["acme"]'}
    with snmp_peers.Switch(tmp_path / "switch", COMMUNITY) as switch:
        site.succeed("snmp-config", f"--generator={GENERATOR}", site.directory / "snmp.yml", **variables)
        with NewSnmpExporter(tmp_path / "exporter", site.directory / "snmp.yml") as exporter:
            site.succeed("push-snmp", switch.name, SNMP_PORT=str(exporter.port))
    assert weir.scrape().value("acmeVlanInPkts", job="snmp-exporter", target_switch=switch.name, instance="10.0.0.1",
                               acmeVlanId="10") == 77
    variables["OIDS_LIST"] = '["acmeNothing"]'
    assert "cannot find oid 'acmeNothing'" in site.fail(
        "snmp-config", f"--generator={GENERATOR}", site.directory / "snmp.yml", **variables)


def test_in_the_form_of_before_it_is_refused(tmp_path):
    site = sites.Site(tmp_path / "site", "http://127.0.0.1:1")
    (site.directory / "community").write_text(COMMUNITY)
    (site.directory / "community").chmod(0o600)
    site.succeed("snmp-config", "--form=module", site.directory / "snmp.yml",
                 COMMUNITY_FILE=str(site.directory / "community"))
    done = subprocess.run([PROGRAM, "--dry-run", f"--config.file={site.directory / 'snmp.yml'}"], text=True, check=False,
                          capture_output=True)
    assert done.returncode != 0 and "Possible old config file" in done.stderr and COMMUNITY not in done.stderr
