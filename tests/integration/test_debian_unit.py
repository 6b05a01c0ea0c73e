"""Debian's own prometheus-pushgateway unit file and default arguments, the binary exchanged."""

import os
import time
import urllib.request

import pytest

from harness import wait_for
from units import Service, Unit

UNIT = "/lib/systemd/system/prometheus-pushgateway.service"


@pytest.fixture
def service():
    if os.geteuid() != 0:
        pytest.skip("only root can start a program as another user")
    # The arguments are the unit's own; a free port comes from outside of them.
    running = Service(Unit(UNIT), {"WEIR_WEB_LISTEN_ADDRESS": "127.0.0.1:0"})
    yield running
    running.close()


def ask(service_url, path, body=None):
    request = urllib.request.Request(service_url + path, data=body, method="PUT" if body else "GET")
    with urllib.request.urlopen(request, timeout=30) as response:
        return response.read()


@pytest.mark.smoke
def test_starts_serves_reloads_stops(service):
    line = service.process.stdout.readline()
    assert line.startswith("listening "), service.stderr()
    url = f"http://{line.split()[1]}"
    ask(url, "/metrics/job/j", b"m 1\n")
    assert b'\nm{instance="",job="j"} 1\n' in ask(url, "/metrics")
    assert (service.home / "weir" / "lock").exists()

    for times in (1, 2):
        service.reload()
        wait_for(lambda times=times: service.stderr().count("the settings are reloaded") >= times, "SIGHUP is taken")
    assert b'\nm{instance="",job="j"} 1\n' in ask(url, "/metrics")

    began = time.monotonic()
    service.process.terminate()
    assert service.process.wait(service.unit.seconds("TimeoutStopSec")) == 0, service.stderr()
    assert time.monotonic() - began < service.unit.seconds("TimeoutStopSec")


def test_unit_is_understood():
    unit = Unit(UNIT)
    assert unit.settings["User"] == "prometheus"
    assert unit.command("ExecStart")[0] == "/usr/bin/prometheus-pushgateway"
    assert unit.command("ExecReload", MAINPID="7")[-2:] == ["-HUP", "7"]
