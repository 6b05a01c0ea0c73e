"""scripts/site/push-cgroups: what containers use, by the same names whatever version cgroups have."""

import shutil
from pathlib import Path

import pytest

from page import Page
from sites import Site, small_tools

ID = "0123456789ab" + "c" * 52
OTHER = "f" * 64
DOCKER, POD, LXC = f"/docker/{ID}", f"/kubepods/pod1/{OTHER}", "/lxc/web"
GROUP = {"job": "cgroups", "instance": "10.0.0.1"}


def write_tree(root, version):
    """The files that a kernel has for three containers and something that is none."""
    for number, path in enumerate((DOCKER, POD, LXC, "/system.slice/cron.service"), 1):
        files = v1_files(number) if version == 1 else v2_files(number)
        for (hierarchy, name), text in files.items():
            directory = root / hierarchy / path.lstrip("/")
            directory.mkdir(parents=True, exist_ok=True)
            (directory / name).write_text(text)
    if version == 2:
        (root / "cgroup.controllers").write_text("cpu io memory pids\n")


def v1_files(n):
    return {
        ("memory", "memory.usage_in_bytes"): f"{n}000001\n",
        ("memory", "memory.limit_in_bytes"): "9223372036854771712\n"
        if n == 2 else f"{n}000000000\n",
        ("memory", "memory.stat"): f"cache 1\nrss 1\ntotal_cache {n}22\ntotal_rss {n}33\n",
        ("cpu,cpuacct", "cpuacct.usage"): f"{n}500000000\n",
        ("cpu,cpuacct", "cpuacct.stat"): f"user {n}00\nsystem {n}50\n",
        ("pids", "pids.current"): f"{n}\n",
        ("blkio", "blkio.throttle.io_service_bytes"):
            f"8:0 Read {n}024\n8:0 Write {n}048\n8:0 Sync 0\n8:0 Total 9\n8:16 Read {n}\n8:16 Write 0\nTotal 9\n",
    }


def v2_files(n):
    return {
        (".", "memory.current"): f"{n}000001\n",
        (".", "memory.max"): "max\n" if n == 2 else f"{n}000000000\n",
        (".", "memory.stat"): f"anon {n}33\nfile {n}22\nkernel 5\n",
        (".",
         "cpu.stat"): f"usage_usec {n}500000\nuser_usec {n}000000\nsystem_usec {n}500000\nnr_periods 0\n",
        (".", "pids.current"): f"{n}\n",
        (".",
         "io.stat"): f"8:0 rbytes={n}024 wbytes={n}048 rios=1 wios=1\n8:16 rbytes={n} wbytes=0\n",
    }


def shown(weir):
    return {key: float(value) for key, value in weir.scrape().samples.items()
            if key[0].startswith(("container_", "cgroups"))}


def by_id(weir, name):
    return {dict(labels)["id"]: value for (sample, labels), value in shown(weir).items()
            if sample == name}


@pytest.mark.smoke
def test_both_versions_say_the_same(cleared_weir, site, tmp_path):
    found = {}
    for version in (1, 2):
        write_tree(tmp_path / str(version), version)
        site.succeed("push-cgroups", f"--root={tmp_path / str(version)}")
        found[version] = shown(cleared_weir)
    assert found[1] == found[2] and len(found[1]) == 3 * 12 + 3
    page = cleared_weir.scrape()

    def value(metric, path=DOCKER, name="0123456789ab", **labels):
        labels = {**GROUP, "id": path, "name": name, **labels}
        return float(page.samples[metric, frozenset(labels.items())])

    assert value("container_memory_usage_bytes") == 1000001
    assert value("container_spec_memory_limit_bytes") == 1e9
    assert value("container_cpu_usage_seconds_total") == 1.5
    assert value("container_cpu_user_seconds_total") == 1
    assert value("container_fs_writes_bytes_total", device="8:0") == 1048
    assert value("container_fs_reads_bytes_total", device="8:16") == 1
    assert by_id(cleared_weir, "container_spec_memory_limit_bytes")[POD] == 0
    assert value("container_processes", LXC, "web") == 3
    assert page.families["container_cpu_usage_seconds_total"].type == "counter"


def test_container_goes_and_files_are_missing(cleared_weir, site, tmp_path):
    write_tree(tmp_path / "root", 2)
    site.succeed("push-cgroups", f"--root={tmp_path / 'root'}")
    assert set(by_id(cleared_weir, "container_memory_usage_bytes")) == {DOCKER, POD, LXC}
    shutil.rmtree(tmp_path / "root" / DOCKER.lstrip("/"))
    (tmp_path / "root" / POD.lstrip("/") / "memory.current").unlink()
    (tmp_path / "root" / POD.lstrip("/") / "cpu.stat").write_text("usage_usec what\n")
    site.succeed("push-cgroups", f"--root={tmp_path / 'root'}")
    assert set(by_id(cleared_weir, "container_memory_usage_bytes")) == {LXC}
    assert set(by_id(cleared_weir, "container_cpu_usage_seconds_total")) == {LXC}
    assert set(by_id(cleared_weir, "container_processes")) == {POD, LXC}


def test_names_of_cgroups(cleared_weir, site, tmp_path):
    paths = [f"/system.slice/docker-{ID}.scope",
             f"/kubepods.slice/x.slice/cri-containerd-{OTHER}.scope",
             r"/machine.slice/machine-a\x2db.scope", "/lxc.payload.c1", "/lxc/ü", "/user.slice",
             f"/docker/{ID[:63]}"]
    for path in paths:
        directory = tmp_path / "root" / path.lstrip("/")
        directory.mkdir(parents=True)
        (directory / "pids.current").write_text("1\n")
    (tmp_path / "root" / "cgroup.controllers").touch()
    site.succeed("push-cgroups", f"--root={tmp_path / 'root'}")
    names = {dict(labels)["id"]: dict(labels)["name"] for name, labels in shown(cleared_weir)
             if name == "container_processes"}
    assert names == dict(zip(paths, ("0123456789ab", "f" * 12, r"machine-a\x2db.scope", "c1", "ü")))
    site.succeed("push-cgroups", f"--root={tmp_path / 'root'}", "--match=^/user", "--most=1000")
    assert set(by_id(cleared_weir, "container_processes")) == {"/user.slice"}


def test_too_many(cleared_weir, site, tmp_path):
    write_tree(tmp_path / "root", 1)
    site.succeed("push-cgroups", f"--root={tmp_path / 'root'}", "--most=2")
    assert set(by_id(cleared_weir, "container_processes")) == {DOCKER}  # the root is one of them
    assert cleared_weir.scrape().value("cgroups_left_out", **GROUP) == 2


def test_no_cgroups(cleared_weir, site, tmp_path):
    assert "there are no cgroups" in site.fail("push-cgroups", f"--root={tmp_path}")
    assert cleared_weir.scrape().value("cgroups_up", **GROUP) == 0
    assert set(shown(cleared_weir)) == {key for key in shown(cleared_weir)
                                        if key[0] == "cgroups_up"}


def test_what_this_machine_uses(cleared_weir, site):
    """The root, which in a container is the container, as the kernel tells it now."""
    root = Path("/sys/fs/cgroup")
    now = next((path
                for path in (root / "memory.current", root / "memory" / "memory.usage_in_bytes")
                if path.exists()), None)
    done = site.run("push-cgroups")
    if now is None:
        assert "/" not in by_id(cleared_weir, "container_memory_usage_bytes")
        return
    assert done.returncode == 0, done.stderr
    used = by_id(cleared_weir, "container_memory_usage_bytes")["/"]
    assert used == pytest.approx(int(now.read_text()), rel=0.3)


def test_small_shell(cleared_weir, tmp_path):
    write_tree(tmp_path / "root", 1)
    site = Site(tmp_path / "site", cleared_weir.url, shell=[shutil.which("busybox"), "sh"],
                path=small_tools(tmp_path / "tools"))
    site.succeed("push-cgroups", f"--root={tmp_path / 'root'}")
    assert by_id(cleared_weir,
                 "container_cpu_usage_seconds_total") == {DOCKER: 1.5, POD: 2.5, LXC: 3.5}
    assert Page(cleared_weir.get("/metrics").text)


@pytest.mark.parametrize("arguments,words",
                         [(["x"], "unknown option or word"), (["--most=x"], "--most is")])
def test_misuse(site, arguments, words):
    assert words in site.fail("push-cgroups", *arguments, code=2)
