"""A fresh Debian that boots under its own systemd and knows one URL: it is registered, and its metrics come."""

import contextlib
import json
import os
import re
import shutil
import subprocess

import pytest

from built import BUILT
from harness import BINARY, DEADLINE, REPOSITORY, environment, wait_for

import images

ARCHIVE = BUILT / "machine.tar"
PACKAGES = "systemd,systemd-sysv,dbus,curl,mawk,prometheus-node-exporter"
NAME = "fresh-site"


def why_not():
    if os.getuid() != 0 or images.why_not():
        return "machines are booted as root here"
    missing = [name for name in ("mmdebstrap", "systemd-nspawn", "nsenter", "ip") if not shutil.which(name)]
    return f"there is no {missing[0]}" if missing else ""


pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


@pytest.fixture
def machine(tmp_path):
    """Its root, with the scripts installed as docs/sites.md says."""
    if not ARCHIVE.exists():
        draft = ARCHIVE.with_suffix(".draft.tar")
        done = subprocess.run(["mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", draft],
                              capture_output=True, text=True, timeout=900, check=False)
        if done.returncode != 0:
            pytest.skip(f"no Debian could be made: {done.stderr.strip().splitlines()[-1]}")
        draft.rename(ARCHIVE)
    root = tmp_path / "root"
    root.mkdir()
    images.run("tar", "-C", root, "-xf", ARCHIVE, "--exclude=./dev/*")
    text = (REPOSITORY / "docs" / "sites.md").read_text()
    lines = re.search(r"^## Installing\n.*?```sh\n(.*?)```", text, re.M | re.S)[1]
    for place in ("/usr/local", "/etc"):
        lines = lines.replace(f" {place}", f" {root}{place}")
    (root / "etc/cron.d").mkdir(exist_ok=True)
    images.run("sh", "-euc", lines, cwd=REPOSITORY)
    (root / "etc/machine-id").write_text("")
    (root / "etc/hostname").write_text(f"{NAME}\n")
    yield root
    shutil.rmtree(root, ignore_errors=True)


@contextlib.contextmanager
def running(*command, log):
    with open(log, "ab") as output:
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=output, env=environment())
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def test_one_url_is_enough(machine, tmp_path):
    """In a network of their own, since node_exporter has port 9100."""
    (machine / "etc/weir-site/site.env").write_text("PUSHGATEWAY_SERVER=http://127.0.0.1:9091\n")
    images.run("systemctl", f"--root={machine}", "enable", "weir-site-loop@push-page.service")
    with running("unshare", "--net", "sh", "-c", "ip link set lo up && exec sleep infinity", log=tmp_path / "net") as net:
        inside = ["nsenter", f"--net=/proc/{net.pid}/ns/net"]

        def ask(path):
            done = subprocess.run([*inside, "curl", "-s", f"http://127.0.0.1:9091{path}"], capture_output=True, text=True,
                                  check=False)
            return done.stdout

        wait_for(lambda: "lo" in images.run(*inside, "ip", "link", "show", "up"), "there is a network")
        with running(*inside, BINARY, f"--data.dir={tmp_path}/data", "--web.listen-address=127.0.0.1:9091",
                     log=tmp_path / "weir"):
            wait_for(lambda: ask("/-/ready"), "weir listens")
            with running(*inside, "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot",
                         f"--directory={machine}", log=tmp_path / "boot"):
                up = f'push_source_up{{instance="{NAME}",job="node-exporter"}} 1\n'
                wait_for(lambda: up in ask("/metrics"), "its metrics come", seconds=2 * 15 + DEADLINE)
                assert f'nodename="{NAME}"' in ask("/metrics")
                targets = json.loads(ask("/api/v1/targets?job=node-exporter"))["data"]["targets"]
                assert [(target["labels"], target["state"]) for target in targets] == [
                    ({"instance": NAME, "job": "node-exporter"}, "active")]
                first = float(re.search(rf'push_time_seconds{{instance="{NAME}".*}} (.*)', ask("/metrics"))[1])
                wait_for(lambda: float(re.search(rf'push_time_seconds{{instance="{NAME}".*}} (.*)',
                                                 ask("/metrics"))[1]) > first, "it pushes again")
