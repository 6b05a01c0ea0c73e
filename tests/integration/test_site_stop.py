"""Scripts for sites that are told to stop while somebody keeps them waiting: they end, and nothing of them goes on."""

import os
import shutil
import signal
import subprocess

import pytest

from harness import DEADLINE, wait_for
from sites import FakeServer, Site, left_of, small_tools

LONG = "1h"  # much more than DEADLINE


@pytest.fixture
def hanging():
    """An exporter and a weir that take requests and never answer."""
    with FakeServer(lambda *_: server.hang()) as server:
        yield server


def slow_script(site, name, text):
    (site.directory / "scripts").mkdir()
    file = site.directory / "scripts" / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


def is_asked(site, hanging, _):
    return hanging.requests


def runs(site, hanging, words):
    return any(words in command for command in left_of(site))


CASES = {
    "page": (["push-page", f"--timeout={LONG}", "{url}/metrics"], is_asked, ""),
    "weir": (["push-cgroups", f"--push-timeout={LONG}", "--root={directory}/cgroup"], is_asked, ""),
    "switches": (["push-snmp", f"--timeout={LONG}", "--exporter={url}", "a", "b"],
                 lambda site, hanging, _: len(hanging.requests) == 2, ""),
    "list": (["prune", "--job=j", f"--timeout={LONG}"], is_asked, ""),
    "ping": (["push-arp", f"--timeout={LONG}", "10.0.0.2"], runs, "sleep 4321"),
    "script": (["run-script", f"--timeout={LONG}", "--allow={directory}/scripts", "slow"], runs, "sleep 1234"),
}


def arguments_of(name, site, hanging):
    if name == "weir":
        (site.directory / "cgroup" / "lxc.payload.c1").mkdir(parents=True)
        (site.directory / "cgroup" / "lxc.payload.c1" / "pids.current").write_text("1\n")
        (site.directory / "cgroup" / "cgroup.controllers").touch()
    if name == "script":
        slow_script(site, "slow", "exec sleep 1234")
    if name == "ping":
        slow_script(site, "ping", "exec sleep 4321")
        site.variables["PATH"] = f"{site.directory / 'scripts'}:{site.variables['PATH']}"
    words, waits, what = CASES[name]
    site.variables["PUSHGATEWAY_SERVER"] = hanging.url
    return [word.format(url=hanging.url, directory=site.directory) for word in words], waits, what


@pytest.mark.parametrize("every", [[], ["--every=1h"]], ids=["once", "every"])
@pytest.mark.parametrize("name", CASES)
def test_a_signal_is_not_kept_waiting(tmp_path, hanging, name, every):
    site = Site(tmp_path / "site", hanging.url)
    words, waits, what = arguments_of(name, site, hanging)
    stops_within(site, hanging, [words[0], *every, *words[1:]], waits, what, 0 if every else 143)


@pytest.mark.parametrize("name", ["switches", "script"])
@pytest.mark.parametrize("shell", [["bash", "--posix"], ["busybox", "sh"]], ids=["bash", "busybox"])
def test_in_other_shells(tmp_path, hanging, shell, name):
    path = small_tools(tmp_path / "tools") if shell[0] == "busybox" else None
    site = Site(tmp_path / "site", hanging.url, [shutil.which(shell[0]), *shell[1:]], path)
    words, waits, what = arguments_of(name, site, hanging)
    stops_within(site, hanging, [words[0], "--every=1h", *words[1:]], waits, what, 0)


def stops_within(site, hanging, words, waits, what, code):
    process = subprocess.Popen(site.command(*words), env=site.variables, cwd=site.directory, start_new_session=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: waits(site, hanging, what), "it waits")
        process.terminate()
        assert process.wait(DEADLINE) == code
        wait_for(lambda: not left_of(site), "nothing of it goes on")
        assert process.stderr.read() == ""
        assert not list((site.directory / "state").glob("*.tmp"))
    finally:
        if left_of(site) or process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stderr.close()
