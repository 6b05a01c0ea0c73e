"""Targets of mode dns: one for each address that a name stands for, by tests/preload/names.c."""

import contextlib
import json
import os
import re
from pathlib import Path

import pytest

import peers
from harness import DEADLINE, preload, wait_for
from targets import TARGETS, create, data, error

SD = "/api/v1/sd"


class Names:
    """What the names below .test stand for, for weir."""

    def __init__(self, path):
        self.path = path
        self.all = {}
        self.set()

    def set(self, **names):
        """Of NAME.test: addresses, or a fault of getaddrinfo(); None: the name is gone."""
        self.all.update({f"{name}.test": value for name, value in names.items()})
        beside = self.path.with_suffix(".new")
        beside.write_text("".join(f"{name} {value}\n" for name, value in self.all.items()
                                  if value is not None))
        beside.rename(self.path)

    def environment(self):
        return preload("names", NAMES=self.path)


@pytest.fixture
def names(tmp_path):
    return Names(tmp_path / "names")


@pytest.fixture
def named_weir(start_weir, names):
    return start_weir("--targets.dns-interval=1s", variables=names.environment())


def create_named(weir, address, **labels):
    return create(weir, {"job": "j", **labels}, mode="dns", address=address)


def discovered(weir):
    """The addresses of each target that is there, by its job."""
    found = json.loads(weir.get(SD).body)
    return {one["labels"]["job"]: one["targets"] for one in found}


def metric(weir, name):
    return float(re.search(rf"^{name} (\S+)$", weir.get("/metrics").text, re.M)[1])


@pytest.mark.smoke
def test_one_target_an_address(named_weir, names):
    names.set(tasks="127.0.0.2 127.0.0.1 127.0.0.2")
    target = create_named(named_weir, "tasks.test:9171", instance="front", site="a")
    assert target["mode"] == "dns" and target["state"] == "active"
    wait_for(lambda: discovered(named_weir), "it was looked up")
    [one] = json.loads(named_weir.get(SD).body)
    assert one == {
        "targets": ["127.0.0.1:9171", "127.0.0.2:9171"],
        "labels": {"job": "j", "site": "a", "__scheme__": "http", "__metrics_path__": "/metrics",
                   "__meta_weir_target_instance": "front", "__meta_weir_target_id": target["id"],
                   "__meta_weir_target_mode": "dns"}}
    shown = data(named_weir.get(f"{TARGETS}/{target['id']}"))
    assert shown["addresses"] == one["targets"]
    assert data(named_weir.request("PUT", f"{TARGETS}/{target['id']}", json.dumps(shown)))
    names.set(tasks="127.0.0.2")
    wait_for(lambda: discovered(named_weir) == {"j": ["127.0.0.2:9171"]}, "one is left")


def test_prometheus_scrapes_each(named_weir, names, start_weir, tmp_path):
    first = start_weir()
    port = first.url.rpartition(":")[2]
    second = start_weir(listen=(f"127.0.0.2:{port}",))
    assert second.url.endswith(port)
    names.set(two="127.0.0.1 127.0.0.2")
    create_named(named_weir, f"two.test:{port}")
    wait_for(lambda: discovered(named_weir), "it was looked up")
    with peers.Prometheus(tmp_path / "prometheus", {}, discovered={"weir": named_weir.url + SD}) as server:
        def up():
            return {labels["instance"]: value for labels, value in server.query('up{job="j"}')}
        both = {f"127.0.0.1:{port}": "1", f"127.0.0.2:{port}": "1"}
        wait_for(lambda: up() == both, "both are scraped")
        names.set(two="127.0.0.2")
        wait_for(lambda: up() == {f"127.0.0.2:{port}": "1"}, "one left")


def test_a_name_that_goes_and_one_that_cannot_be_looked_up(named_weir, names):
    names.set(goes="127.0.0.1", stays="127.0.0.1")
    create(named_weir, {"job": "goes"}, mode="dns", address="goes.test:1")
    create(named_weir, {"job": "stays"}, mode="dns", address="stays.test:2")
    both = {"goes": ["127.0.0.1:1"], "stays": ["127.0.0.1:2"]}
    wait_for(lambda: discovered(named_weir) == both, "both are there")
    names.set(goes=None, stays="-3")
    wait_for(lambda: discovered(named_weir) == {"stays": ["127.0.0.1:2"]}, "one went")
    failures = "weir_targets_dns_lookup_failures_total"
    wait_for(lambda: metric(named_weir, failures) >= 2, "it was tried again")
    assert named_weir.stderr().count("address=stays.test:2") == 1  # the log
    names.set(stays="127.0.0.3")
    wait_for(lambda: discovered(named_weir) == {"stays": ["127.0.0.3:2"]}, "it is looked up again")
    assert metric(named_weir, "weir_targets_dns_lookups_total") > metric(named_weir, failures)


def test_changes_take_effect_at_once(start_weir, names):
    weir = start_weir("--targets.dns-interval=1h", variables=names.environment())
    names.set(a="127.0.0.1", b="127.0.0.2")
    target = create_named(weir, "a.test:1")
    wait_for(lambda: discovered(weir) == {"j": ["127.0.0.1:1"]}, "the first name")
    url = f"{TARGETS}/{target['id']}"
    data(weir.request("PATCH", url, '{"address": "b.test:1"}'))
    wait_for(lambda: discovered(weir) == {"j": ["127.0.0.2:1"]}, "the second name")
    data(weir.request("PATCH", url, '{"attributes": {"rack": "r1"}}'))
    assert discovered(weir) == {"j": ["127.0.0.2:1"]}
    data(weir.post(f"{url}/disable"))
    assert discovered(weir) == {}
    data(weir.post(f"{url}/enable"))
    wait_for(lambda: discovered(weir) == {"j": ["127.0.0.2:1"]}, "it is enabled again")
    data(weir.request("PATCH", url, '{"mode": "pull"}'))
    assert discovered(weir) == {"j": ["b.test:1"]}
    assert weir.request("DELETE", url).status == 204
    assert discovered(weir) == {}


def test_kinds_of_addresses(named_weir, names):
    names.set(six="::1 2001:db8::1", both="::1 127.0.0.1")
    create(named_weir, {"job": "six"}, mode="dns", address="six.test:1")
    create(named_weir, {"job": "both"}, mode="dns", address="both.test:2")
    create(named_weir, {"job": "number"}, mode="dns", address="127.0.0.9:3")
    create(named_weir, {"job": "unknown"}, mode="dns", address="unknown.test:4")
    wait_for(lambda: discovered(named_weir) == {
        "six": ["[2001:db8::1]:1", "[::1]:1"], "both": ["127.0.0.1:2"], "number": ["127.0.0.9:3"]},
        "all but the unknown one")


def has_open(process, name):
    for file in Path(f"/proc/{process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            if os.readlink(file).endswith(name):
                return True
    return False


def test_a_look_up_without_an_end(named_weir, names):
    """It holds up no other name, and nothing but the end of the process."""
    names.set(slow="wait", quick="127.0.0.1")
    for name in ("slow", "quick"):
        create_named(named_weir, f"{name}.test:1", name=name)
    wait_for(lambda: discovered(named_weir) == {"j": ["127.0.0.1:1"]}, "the other name is looked up")
    wait_for(lambda: metric(named_weir, "weir_targets_dns_lookups_total") >= 4, "both were due again")
    names.set(quick="127.0.0.2")
    wait_for(lambda: discovered(named_weir) == {"j": ["127.0.0.2:1"]}, "the other name is looked up again")
    process = named_weir.process
    assert has_open(process, "/targets.db")
    process.terminate()
    wait_for(lambda: not has_open(process, "/targets.db"), "targets are kept")
    assert process.poll() is None
    names.set(slow="127.0.0.1")
    assert process.wait(DEADLINE) == 0


def test_hundreds_of_names(start_weir, names):
    weir = start_weir("--targets.dns-interval=1h", variables=names.environment())
    names.set(**{f"n{i}": f"127.0.0.{i % 200 + 1}" for i in range(300)})
    lines = "".join(json.dumps({"labels": {"job": f"j{i}"}, "mode": "dns", "address": f"n{i}.test:1"}) + "\n"
                    for i in range(300))
    data(weir.post(f"{TARGETS}/import", lines))
    wait_for(lambda: len(discovered(weir)) == 300, "all are there")
    assert metric(weir, "weir_targets_dns_lookups_total") == 300


@pytest.mark.parametrize("address", ["", "name", "name:", ":1", "name:0", "name:65536", "name:x", "[::1]:1"])
def test_addresses_without_name_and_port(shared_weir, address):
    sentence = error(shared_weir.post(TARGETS, json.dumps(
        {"labels": {"job": "bad"}, "mode": "dns", "address": address})), 422)
    assert "address" in sentence
    assert "bad" not in discovered(shared_weir)
