"""scripts/site/is-pushing: whether weir takes what is pushed, as the health checks of containers ask."""

import os
import shutil

import pytest

from compose_files import services
from harness import wait_for
from sites import SCRIPTS, FakeServer, Site, reply, small_tools


@pytest.fixture
def exporter():
    with FakeServer(lambda handler, _: reply(handler, body="m 1\n")) as one:
        yield f"http://127.0.0.1:{one.port}/metrics"


def is_pushing(site):
    done = site.run("is-pushing")
    assert (done.returncode == 0) == (done.stderr == "")
    return done.returncode == 0


@pytest.mark.smoke
def test_what_is_pushed_is_well_as_long_as_it_is_shown(cleared_weir, site, exporter):
    assert "nothing was pushed" in site.fail("is-pushing")
    site.succeed("push-page", "--ttl=1", exporter)
    assert is_pushing(site)
    wait_for(lambda: not is_pushing(site), "what was pushed is gone, and nothing came after it")
    assert "push-page" in site.fail("is-pushing")
    site.succeed("push-page", exporter)
    assert is_pushing(site)


def test_one_that_says_that_its_source_is_away_does_push(cleared_weir, site):
    site.fail("push-page", "http://127.0.0.1:9/metrics")
    assert is_pushing(site)


@pytest.mark.parametrize("status", [400, 401, 403, 503])
def test_who_is_refused_does_not_push(site, exporter, status):
    with FakeServer(lambda handler, _: reply(handler, status)) as weir:
        site.variables["PUSHGATEWAY_SERVER"] = f"http://127.0.0.1:{weir.port}"
        site.fail("push-page", exporter)
    assert "nothing was pushed" in site.fail("is-pushing")


def test_each_of_several(cleared_weir, site, exporter):
    site.succeed("push-page", "--ttl=0.5", exporter)
    site.succeed("push-page", "--job=other", "--ttl=1h", exporter)
    wait_for(lambda: not is_pushing(site), "one of the two is silent")
    site.succeed("push-page", "--ttl=0", exporter)
    assert is_pushing(site)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a directory away")
def test_root_may_ask_for_a_unit_of_systemd(cleared_weir, site, exporter):
    """Whose directory is that of the user that the unit runs as. Nothing is written there."""
    site.succeed("push-page", exporter)
    os.chown(site.directory / "state", 10001, 10001)
    assert is_pushing(site)
    assert "nothing was pushed" in site.fail("is-pushing", f"--state-dir={site.directory}/none")
    assert not (site.directory / "none").exists()


def test_turns_without_a_change_are_none(cleared_weir, site, tmp_path):
    (tmp_path / "arp").write_text("IP address HW type Flags HW address Mask Device\n")
    for _ in range(2):
        site.succeed("push-arp", f"--table={tmp_path}/arp", "--heartbeat=1h")
        assert is_pushing(site)


def test_small_shell(cleared_weir, tmp_path, exporter):
    site = Site(tmp_path / "site", cleared_weir.url, shell=[shutil.which("busybox"), "sh"],
                path=small_tools(tmp_path / "tools"))
    site.succeed("push-page", exporter)
    assert is_pushing(site)


def test_misuse(site):
    assert "unknown option '--now'" in site.fail("is-pushing", "--now", code=2)
    assert "unknown option 'now'" in site.fail("is-pushing", "now", code=2)


def test_containers_are_asked_so():
    """All that push; what is asked for is in the image, and finds where they keep it."""
    asked = {service for name in ("site", "cloud") for service, settings in services(name).items()
             if settings["healthcheck"]["test"] == ["CMD", "is-pushing"]}
    assert asked == {"push-node", "push-arp", "push-cgroups", "push-snmp", "push-nginx"}
    assert (SCRIPTS / "is-pushing").stat().st_mode & 0o111 == 0o111
    for name in ("site", "cloud"):
        assert {settings["environment"]["WEIR_SITE_DIR"] for service, settings in services(name).items()
                if service in asked} == {"/tmp/weir-site"}
