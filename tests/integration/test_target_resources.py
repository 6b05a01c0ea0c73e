"""What a target has, read off what it pushed last: pages of a real node_exporter, and odd ones."""

import datetime
import json
import os
import platform

import pytest

import peers
from harness import wait_for
from targets import TARGETS, create, data, error

HOST = "/metrics/job/node/instance/10.0.0.1"
SMALL = """\
node_cpu_seconds_total{cpu="0",mode="idle"} 5
node_cpu_seconds_total{cpu="0",mode="user"} 5
node_cpu_seconds_total{cpu="1",mode="idle"} 5
node_cpu_seconds_total{cpu="1",mode="user"} 5
node_memory_MemTotal_bytes 1.6e+10
node_memory_MemAvailable_bytes 8e9
node_filesystem_size_bytes{device="/dev/b",mountpoint="/boot"} 1
node_filesystem_size_bytes{device="/dev/a",mountpoint="/"} 1e11
node_filesystem_avail_bytes{device="/dev/b",mountpoint="/boot"} 2
node_filesystem_avail_bytes{device="/dev/a",mountpoint="/"} 5.5e10
node_load1 0.25
node_boot_time_seconds 1.764e+09
node_uname_info{domainname="(none)",machine="x86_64",nodename="a \\"b\\"",release="6.1.0",sysname="Linux",version="#1"} 1
"""
OF_SMALL = {
    "available": True, "cpus": 2, "load1": 0.25, "memory_bytes": 16000000000, "memory_available_bytes": 8000000000,
    "filesystem_bytes": 100000000000, "filesystem_available_bytes": 55000000000, "boot_time": "2025-11-24T16:00:00Z",
    "system": {"nodename": 'a "b"', "sysname": "Linux", "release": "6.1.0", "machine": "x86_64"}}


@pytest.fixture(scope="module")
def exporter(tmp_path_factory):
    with peers.NodeExporter(tmp_path_factory.mktemp("node_exporter")) as one:
        yield one


def listed(weir, query=""):
    return {target["labels"].get("instance", ""): target for target in data(weir.get(TARGETS + query))["targets"]}


def shown(weir, instance="10.0.0.1"):
    return data(weir.get(f"{TARGETS}/{listed(weir)[instance]['id']}"))["resources"]


@pytest.mark.smoke
def test_page_of_node_exporter(weir, exporter):
    assert weir.put(HOST, exporter.page()).status == 200
    resources = shown(weir)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    root = os.statvfs("/")
    names = {"available", "cpus", "load1", "memory_bytes", "memory_available_bytes", "boot_time", "system"}
    assert names <= set(resources) <= names | {"filesystem_bytes", "filesystem_available_bytes"}
    assert (resources["available"], resources["cpus"]) == (True, os.cpu_count())
    assert abs(resources["memory_bytes"] - memory) < memory / 20
    assert 0 < resources["memory_available_bytes"] <= resources["memory_bytes"]
    if "filesystem_bytes" in resources:
        assert resources["filesystem_bytes"] == root.f_blocks * root.f_frsize
        assert 0 < resources["filesystem_available_bytes"] <= resources["filesystem_bytes"]
    booted = datetime.datetime.fromisoformat(resources["boot_time"].replace("Z", "+00:00"))
    assert booted < datetime.datetime.now(datetime.timezone.utc)
    uname = platform.uname()
    assert resources["system"] == {"nodename": uname.node, "sysname": uname.system, "release": uname.release,
                                   "machine": uname.machine}


def test_by_the_last_push(weir):
    weir.put(HOST, SMALL)
    assert shown(weir) == OF_SMALL
    weir.post(HOST, "node_memory_MemAvailable_bytes 7\n")
    assert shown(weir) == {**OF_SMALL, "memory_available_bytes": 7}
    weir.put(HOST, "node_load1 1\nsomething_else 1\n")
    assert shown(weir) == {"available": True, "load1": 1}
    weir.delete(HOST)
    assert shown(weir) == {"available": False}


def test_available_is_what_the_state_says(weir):
    made = create(weir, {"job": "node", "instance": "10.0.0.1"})
    assert made["resources"] == {"available": False}
    url = f"{TARGETS}/{made['id']}"
    weir.put(HOST, SMALL)
    assert shown(weir) == OF_SMALL
    assert data(weir.post(url + "/disable"))["resources"] == {**OF_SMALL, "available": False}
    enabled = data(weir.post(url + "/enable"))
    assert enabled["resources"] == OF_SMALL
    given_back = data(weir.put(url, json.dumps({**enabled, "resources": {"available": False, "cpus": "many"}})))
    assert given_back == enabled
    create(weir, {"job": "node", "instance": "slow"}, interval="1ms")
    weir.put("/metrics/job/node/instance/slow", "node_load1 1\n")
    wait_for(lambda: shown(weir, "slow") == {"available": False, "load1": 1}, "it is silent")


def test_lists_have_them_when_asked(weir):
    weir.put(HOST, SMALL)
    create(weir, {"job": "orwell_image", "instance": "1"}, mode="image", attributes={"name": "a"})
    create(weir, {"job": "v", "instance": "v"}, mode="virtual")
    for query in ("", "?resources=false"):
        assert all("resources" not in target for target in listed(weir, query).values())
    found = listed(weir, "?resources=true&mode=push&mode=virtual&mode=image&sort=-instance")
    assert list(found) == ["1", "v", "10.0.0.1"]
    assert {name: target.get("resources") for name, target in found.items()} == {
        "10.0.0.1": OF_SMALL, "v": {"available": True}, "1": None}
    for value in ("", "1", "True", "yes"):
        assert 'parameter "resources": it has to be true or false' in error(
            weir.get(f"{TARGETS}?resources={value}"), 400)
    assert "no resources here" in error(weir.get("/api/v1/sd?resources=true"), 400)


@pytest.mark.parametrize("page, wanted", [
    ("node_load1 NaN\nnode_memory_MemTotal_bytes +Inf\nnode_memory_MemAvailable_bytes -Inf\n", {}),
    ("node_boot_time_seconds 1e30\n", {}), ("node_boot_time_seconds -5\n", {}), ("node_boot_time_seconds NaN\n", {}),
    ("node_boot_time_seconds 1.5\n", {"boot_time": "1970-01-01T00:00:01.5Z"}),
    ("node_uname_info 1\n", {}), ("node_uname_info{release=\"6\"} 1\n", {"system": {"release": "6"}}),
    ("node_filesystem_size_bytes 5\nnode_filesystem_avail_bytes{mountpoint=\"\"} 5\n", {}),
    ("node_cpu_seconds_total{mode=\"user\"} 5\nnode_cpu_seconds_total{xmode=\"idle\"} 5\n", {}),
    ("node_cpu_seconds_total{mode=\"idle\"} 5\n", {"cpus": 1}),
    ("node_load1{mountpoint=\"/\"} -1e-7\n", {"load1": -1e-07}),
    ("# TYPE node_load1 histogram\nnode_load1_bucket{le=\"+Inf\"} 1\nnode_load1_sum 1\nnode_load1_count 1\n", {}),
    ("# TYPE node_memory_MemTotal_bytes summary\nnode_memory_MemTotal_bytes_sum 7\nnode_memory_MemTotal_bytes_count 7\n",
     {}),
])
def test_odd_pages(weir, page, wanted):
    assert weir.put(HOST, page).status == 200
    assert shown(weir) == {"available": True, **wanted}


def test_openmetrics(weir):
    """Where the family of a counter, and of what is an info, has another name than its lines."""
    page = ('# TYPE node_cpu_seconds counter\nnode_cpu_seconds_total{cpu="0",mode="idle"} 5.0\n'
            'node_cpu_seconds_total{cpu="1",mode="idle"} 5.0\n# TYPE node_load1 gauge\nnode_load1 3\n'
            '# TYPE node_uname info\nnode_uname_info{sysname="Linux"} 1\n# EOF\n')
    answer = weir.put(HOST, page, {"Content-Type": "application/openmetrics-text; version=1.0.0; charset=utf-8"})
    assert answer.status == 200, answer.text
    assert shown(weir) == {"available": True, "cpus": 2, "load1": 3, "system": {"sysname": "Linux"}}


def test_as_many_cpus_as_there_are(weir):
    """Up to so many lines; who pushes more is told of everything else."""
    for count in (512, 513):
        lines = (f'node_cpu_seconds_total{{cpu="{cpu}",mode="{mode}"}} {cpu}\n' for cpu in range(count)
                 for mode in ("idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user"))
        weir.put(HOST, "".join(lines) + "node_load1 3\n")
        assert shown(weir) == {"available": True, "load1": 3, **({"cpus": 512} if count == 512 else {})}
