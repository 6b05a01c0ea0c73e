"""The examples for cron and systemd call the scripts for sites as these can be called."""

import os
import re
import shlex
import shutil
import subprocess

import pytest

from harness import DEADLINE, curl, wait_for
from sites import SCRIPTS
from targets import TARGETS, data

INSTALLED = "/usr/local/lib/weir-site"
UNITS = SCRIPTS / "systemd"


def cron_lines():
    """(variables, commands): also those that are commented out."""
    variables, commands = {}, []
    for line in (SCRIPTS / "weir-site.cron").read_text().splitlines():
        setting = re.fullmatch(r"(?:# )?([A-Z_0-9]+)=(.*)", line)
        command = re.fullmatch(rf"(?:# )?(?:[\d*/]+ +){{5}}root +({INSTALLED}/.*)", line)
        if setting:
            variables[setting[1]] = setting[2]
        elif command:
            commands.append(command[1])
        else:
            assert line == "" or (line.startswith("#") and " root " not in line), line
    return variables, commands


def test_cron_calls_them_rightly(site):
    """Each command with -h behind it: options are looked at in their order."""
    variables, commands = cron_lines()
    assert {command.split()[0].rpartition("/")[2] for command in commands} == {
        "push-page", "push-arp", "push-snmp", "push-textfiles", "run-script", "prune"}
    for command in commands:
        words = [word for word in shlex.split(command.replace(INSTALLED, str(SCRIPTS)))
                 if word != ">/dev/null"]
        # The options come before a script's name, whose arguments are its own.
        at = next((n for n, word in enumerate(words[1:], 1) if not word.startswith("-")),
                  len(words))
        done = subprocess.run([*words[:at], "-h"], env={**site.variables, **variables},
                              capture_output=True, text=True,
                              timeout=DEADLINE, check=False)
        assert done.returncode == 0 and done.stdout.startswith("usage: "), (command, done.stderr)


def test_cron_pushes(site, cleared_weir, node_exporter):
    _, commands = cron_lines()
    command, = (command for command in commands if "/push-page " in command)
    subprocess.run(["sh", "-c",
                    command.replace(INSTALLED, str(SCRIPTS)).replace("--for=50 --splay=10", "--for=1")],
                    check=True,
                   env={**site.variables, "NODE_PORT": str(node_exporter.port)}, timeout=DEADLINE)
    assert cleared_weir.scrape().value("push_source_up", job="node-exporter",
                                       instance="10.0.0.1") == 1


@pytest.fixture
def units(tmp_path):
    """The units with the scripts where they are here, since systemd looks whether they are there."""
    for path in UNITS.iterdir():
        (tmp_path / path.name).write_text(path.read_text().replace(INSTALLED, str(SCRIPTS)))
    return tmp_path


@pytest.mark.parametrize("name",
                         ["weir-site-loop@.service", "weir-site@.service", "weir-site@.timer",
                          "weir-site-probe@.service", "weir-site-probe.socket"])
def test_units_are_valid(units, name):
    instance = units / name.replace("@", "@push-page")
    done = subprocess.run(["systemd-analyze", "verify", str(instance)], capture_output=True,
                          text=True, timeout=DEADLINE,
                          check=False,
                          env={**os.environ, "NO_COLOR": "1", "SYSTEMD_UNIT_PATH": f"{units}:"})
    output = done.stdout + done.stderr
    assert done.returncode == 0 and "weir-site" not in output, output


def test_units_differ_in_how_often_they_run_alone():
    loop, once = ((UNITS / name).read_text().splitlines()
                  for name in ("weir-site-loop@.service", "weir-site@.service"))
    hardening = loop[loop.index("# For ping."):loop.index("[Install]") - 1]
    assert hardening == once[once.index("# For ping."):] and "NoNewPrivileges=yes" in hardening
    probe = (UNITS / "weir-site-probe@.service").read_text().splitlines()
    assert hardening == probe[probe.index("# For ping."):] and "DynamicUser=yes" in probe
    assert f"ExecStart={INSTALLED}/%i --every=15 $ARGS" in loop and f"ExecStart={INSTALLED}/%i $ARGS" in once
    for line in ("Environment=WEIR_SITE_DIR=/run/weir-site/%i", "DynamicUser=yes"):
        assert line in loop and line in once


def started_by_unit(name, script, arguments=""):
    """The command of a unit, as systemd makes it of a template."""
    command = re.search(r"^ExecStart=(.*)$", (UNITS / name).read_text(), re.M)[1]
    words = command.replace("%i", script).replace(INSTALLED, str(SCRIPTS)).replace("$ARGS", arguments)
    return shlex.split(words)


def test_socket_is_of_this_host_alone_and_bounded():
    socket = (UNITS / "weir-site-probe.socket").read_text().splitlines()
    assert [line for line in socket if line.startswith("Listen")] == ["ListenStream=127.0.0.1:9469"]
    assert "Accept=yes" in socket and "MaxConnections=16" in socket
    service = (UNITS / "weir-site-probe@.service").read_text()
    assert "\nStandardInput=socket\nStandardOutput=socket\nStandardError=journal\n" in service


def test_accepted_as_by_systemd(site, tmp_path):
    """What the unit starts answers on a connection that systemd's own program gives it."""
    site.variables["SCRIPT_DIR"] = str(tmp_path)
    (tmp_path / "check").write_text("#!/bin/sh\necho there 1\n")
    (tmp_path / "check").chmod(0o755)
    command = started_by_unit("weir-site-probe@.service", "", "--timeout=5")
    address = tmp_path / "socket"
    passed = [f"--setenv={name}={site.variables[name]}" for name in ("SCRIPT_DIR", "WEIR_SITE_DIR", "PATH")]
    with subprocess.Popen(["systemd-socket-activate", "--accept", "--inetd", f"--listen={address}", *passed, *command],
                          env=site.variables, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(address.exists, "it listens")
            page = curl("--unix-socket", str(address), "http://site.test/probe?script=check")
        finally:
            process.terminate()
    assert b"there 1\n" in page and b"script_success 1\n" in page


def test_a_host_needs_a_url_alone(site, cleared_weir, node_exporter):
    """It pushes at once, by its own name, and so it is registered; ARGS say more."""
    command = started_by_unit("weir-site-loop@.service", "push-page")
    del site.variables["MYIP"]  # as it is where nobody sets it
    site.command = lambda *words: list(words)
    host = {"job": "node-exporter", "instance": os.uname().nodename}
    with site.running(*command, NODE_PORT=str(node_exporter.port)):
        wait_for(lambda: cleared_weir.scrape().value("push_source_up", **host) == 1, "it pushes")
    targets = data(cleared_weir.get(f"{TARGETS}?job=node-exporter"))["targets"]
    assert [target["state"] for target in targets if target["labels"] == host] == ["active"]
    command = started_by_unit("weir-site-loop@.service", "push-page", "--every=0.2")
    with site.running(*command, NODE_PORT=str(node_exporter.port)):
        began = cleared_weir.scrape().value("push_time_seconds", **host)
        wait_for(lambda: cleared_weir.scrape().value("push_time_seconds", **host) > began + 0.3, "it pushes again")


def test_install_instructions(tmp_path, site):
    """The lines of docs/sites.md put all there is to where the examples look for it."""
    text = (SCRIPTS.parents[1] / "docs" / "sites.md").read_text()
    block = re.search(r"^## Installing\n.*?```sh\n(.*?)```", text, re.M | re.S)[1]
    script = "\n".join(line for line in block.splitlines() if not line.startswith("systemctl "))
    for place in ("/usr/local", "/etc"):
        script = script.replace(f" {place}", f" {tmp_path}{place}")
    (tmp_path / "etc" / "systemd" / "system").mkdir(parents=True)
    (tmp_path / "etc" / "cron.d").mkdir(parents=True)
    subprocess.run(["sh", "-eu", "-c", script], cwd=SCRIPTS.parents[1], check=True,
                   timeout=DEADLINE)
    installed = tmp_path / INSTALLED.lstrip("/")
    assert {path.name for path in installed.iterdir()} == {
        path.name for path in SCRIPTS.iterdir() if path.is_file() and path.suffix != ".cron"}
    for name in ("push-page", "prune"):
        done = subprocess.run([installed / name, "-h"], capture_output=True, text=True, check=True,
                              timeout=DEADLINE)
        assert "--server=URL" in done.stdout
    assert {path.name for path in (tmp_path / "etc" / "systemd" / "system").iterdir()} == {
        path.name for path in UNITS.iterdir()}
    assert (tmp_path / "etc" / "cron.d" / "weir-site").exists()
    assert shutil.which("push-page", path=str(installed))
