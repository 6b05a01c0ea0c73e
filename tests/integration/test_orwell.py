"""The routes of ORWELL's middleware: hosts, images and collectors, in each database of targets."""

import concurrent.futures
import gzip
import json
import re
import subprocess
import uuid

import pytest

from harness import DEADLINE, REPOSITORY, wait_for
from orwell import (ACTIVE, INACTIVE, PULL, PUSH, change, faults, hosts, make, ok, pulled_image, refused,
                    send)
from targets import TARGETS, create, data
from test_auth import basic, hash_of

NOBODY = "00000000-0000-4000-8000-000000000000"
ODD = "'; DROP TABLE weir_target; -- \" \\ <b> 💧\n"


def started(start_weir, url, *flags, **options):
    weir = start_weir(f"--targets.url={url}", *flags, **options)
    wait_for(lambda: weir.scrape().value("weir_targets_store_up") == 1, "the database is used")
    return weir


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    """Of a database that is kept from one weir to the next."""
    if request.param == "sqlite":
        return f"sqlite:{tmp_path}/kept.db"
    return request.getfixturevalue("postgres").url


@pytest.mark.smoke
def test_hosts(start_weir, url):
    weir = started(start_weir, url)
    vim = str(uuid.uuid4())
    made = make(weir, "/hosts", id=str(uuid.uuid4()).upper(), vim_id=vim.upper(), hostname="vnf1",
                ip="10.0.0.1", state_id=ACTIVE, more="than is known")
    assert made == {"id": made["id"], "vim_id": vim, "hostname": "vnf1", "ip": "10.0.0.1",
                    "state_id": ACTIVE, "image_id": None}
    one = f"/hosts/{made['id']}"
    assert ok(weir.get(one)) == made and hosts(weir) == {"10.0.0.1": made}
    assert ok(weir.get(one + "/")) == made and ok(weir.get("/hosts/")) == [made]
    assert "IP exists" in refused(send(weir, "POST", "/hosts", {"ip": "10.0.0.1"}), 409)
    assert "id exists" in refused(send(weir, "POST", "/hosts", {"ip": "x", "id": made["id"]}), 409)
    assert change(weir, "/hosts", id=made["id"], hostname="renamed", state_id=INACTIVE) == {
        **made, "hostname": "renamed", "state_id": INACTIVE}
    assert change(weir, one, vim_id=None, state_id="1") == {
        **made, "hostname": "renamed", "vim_id": None}
    assert change(weir, "/hosts", **ok(weir.get(one))) == ok(weir.get(one))  # as it is shown
    off = make(weir, "/hosts", ip="10.0.0.2", state_id=INACTIVE)
    assert (off["state_id"], off["hostname"]) == (INACTIVE, "")
    assert data(weir.get(f"{TARGETS}/{off['id']}"))["state"] == "disabled"
    weir.stop()
    again = started(start_weir, url)
    assert set(hosts(again)) == {"10.0.0.1", "10.0.0.2"}
    assert ok(again.delete(one))["hostname"] == "renamed"
    for method, path, body in (("GET", one, None), ("DELETE", one, None), ("PUT", one, "{}"),
                               ("PUT", "/hosts", json.dumps({"id": made["id"]}))):
        assert refused(again.request(method, path, body), 404) == "Host Not Found"
    assert set(hosts(again)) == {"10.0.0.2"}


def test_heartbeat(start_weir, url):
    """A host whose group is gone is inactive until something is heard of it."""
    weir = started(start_weir, url)
    host = make(weir, "/hosts", ip="10.0.0.1", hostname="vnf1")
    one, beat = (f"/hosts/{host['id']}{end}" for end in ("", "/heartbeat"))
    target = f"{TARGETS}/{host['id']}"
    assert data(weir.get(target))["last_seen"] is None
    assert ok(weir.post(beat)) == {**host, "state_id": ACTIVE}
    first = data(weir.get(target))
    assert (first["state"], first["pushes"]) == ("active", 0) and first["last_seen"] is not None
    weir.put("/metrics/job/node/instance/10.0.0.1", "m 1\n")
    weir.delete("/metrics/job/node/instance/10.0.0.1")
    assert ok(weir.get(one))["state_id"] == INACTIVE
    assert ok(weir.post(beat + "/"))["state_id"] == ACTIVE
    assert change(weir, one, state_id=INACTIVE)["state_id"] == INACTIVE
    assert ok(weir.post(beat))["state_id"] == INACTIVE  # it was disabled, and stays so
    last = data(weir.get(target))["last_seen"]
    assert last > first["last_seen"]
    assert refused(weir.post(f"/hosts/{NOBODY}/heartbeat"), 404) == "Host Not Found"
    assert faults(weir.post("/hosts/x/heartbeat")) == {"path/host_id": "type_error.uuid"}
    virtual = create(weir, {"job": "node", "instance": "perf"}, mode="virtual")
    refused(weir.post(f"/hosts/{virtual['id']}/heartbeat"), 404)
    weir.stop()
    again = started(start_weir, url)
    assert data(again.get(target))["last_seen"][:23] == last[:23]


def test_images_and_collectors(start_weir, url):
    weir = started(start_weir, url)
    pull = make(weir, "/collectors", name="Prometheus", target="metrics", port=9100, type_id=PULL)
    push = make(weir, "/collectors", name="Telegraf", port="0", type_id=PUSH)
    assert pull == {"id": 1, "name": "Prometheus", "target": "metrics", "port": 9100, "type_id": PULL}
    assert push == {"id": 2, "name": "Telegraf", "target": None, "port": 0, "type_id": PUSH}
    image = make(weir, "/images", name="ubuntu")
    assert image == {"id": 1, "name": "ubuntu", "collectors": []}
    for _ in range(2):  # once is enough
        image = make(weir, "/images/collector", image_id="1", collector_id=1)
        assert image["collectors"] == [pull]
    image = make(weir, "/images/collector", image_id=1, collector_id=2)
    assert image["collectors"] == [pull, push]
    host = make(weir, "/hosts", ip="10.0.0.1")
    assert make(weir, "/hosts/image", host_id=host["id"], image_id="1") == {**host, "image_id": 1}
    assert "in use by one or more Hosts" in refused(weir.delete("/images/1"), 409)
    assert "in use by one or more OS Images" in refused(weir.delete("/collectors/1"), 409)
    assert change(weir, "/collectors", id=1, port=9200)["target"] == "metrics"
    assert change(weir, "/images/1", name="debian")["collectors"] == [{**pull, "port": 9200}, push]
    assert change(weir, "/images", **ok(weir.get("/images/1"))) == ok(weir.get("/images/1"))
    assert change(weir, "/images/1", collectors=[2])["collectors"] == [push]
    assert "name exists" in refused(send(weir, "POST", "/images", {"name": "debian"}), 409)
    assert "name exists" in refused(send(weir, "PUT", "/collectors/1", {"name": "Telegraf"}), 409)
    weir.stop()
    again = started(start_weir, url)
    assert ok(again.get("/images")) == [{"id": 1, "name": "debian", "collectors": [push]}]
    assert ok(again.get("/collectors")) == [{**pull, "port": 9200}, push]
    assert ok(again.get(f"/hosts/{host['id']}"))["image_id"] == 1
    assert ok(again.delete("/collectors/1"))["port"] == 9200
    assert change(again, "/hosts", id=host["id"], image_id=None)["image_id"] is None
    assert ok(again.delete("/images/1"))["name"] == "debian"
    assert ok(again.delete("/collectors/2/"))["name"] == "Telegraf"
    assert ok(again.get("/images")) == ok(again.get("/collectors")) == []


@pytest.mark.parametrize("method, path, body, where", [
    ("POST", "/hosts", {}, {"body/ip": "value_error.missing"}),
    ("POST", "/hosts", {"ip": None}, {"body/ip": "type_error.none.not_allowed"}),
    ("POST", "/hosts", {"ip": 5, "hostname": [], "vim_id": "x", "id": 7, "state_id": "on"}, {
        "body/ip": "type_error.str", "body/hostname": "type_error.str", "body/vim_id": "type_error.uuid",
        "body/id": "type_error.uuid", "body/state_id": "type_error.integer"}),
    ("POST", "/hosts", {"ip": "a", "state_id": 3}, {"body/state_id": "value_error.number"}),
    ("POST", "/hosts", {"ip": "a", "state_id": True}, {"body/state_id": "type_error.integer"}),
    ("POST", "/hosts", {"ip": "a", "state_id": 1.5}, {"body/state_id": "type_error.integer"}),
    ("POST", "/hosts", {"ip": ""}, {"body/ip": "value_error.any_str.min_length"}),
    ("POST", "/hosts", {"ip": "a", "hostname": "x" * 1025},
     {"body/hostname": "value_error.any_str.max_length"}),
    ("POST", "/hosts", [], {"body": "type_error.dict"}),
    ("PUT", "/hosts", {"ip": "a"}, {"body/id": "value_error.missing"}),
    ("PUT", "/hosts", {"id": NOBODY, "ip": None}, {"body/ip": "type_error.none.not_allowed"}),
    ("PUT", f"/hosts/{NOBODY}", {"id": str(uuid.uuid4())}, {"body/id": "value_error"}),
    ("PUT", "/hosts/x", {}, {"path/host_id": "type_error.uuid"}),
    ("GET", "/hosts/1", {}, {"path/host_id": "type_error.uuid"}),
    ("DELETE", "/hosts/'--", {}, {"path/host_id": "type_error.uuid"}),
    ("POST", "/hosts/image", {}, {"body/host_id": "value_error.missing",
                                  "body/image_id": "value_error.missing"}),
    ("POST", "/hosts/image", {"host_id": "x", "image_id": "x"},
     {"body/host_id": "type_error.uuid", "body/image_id": "type_error.integer"}),
    ("GET", "/hosts?limit=x", {}, {"query/limit": "type_error.integer"}),
    ("GET", "/hosts?offset=-1", {}, {"query/offset": "type_error.integer"}),
    ("GET", "/images?limit=%zz", {}, {"query/limit": "type_error.integer"}),
    ("POST", "/images", {}, {"body/name": "value_error.missing"}),
    ("POST", "/images", {"name": ""}, {"body/name": "value_error.any_str.min_length"}),
    ("POST", "/images", {"name": "a", "collectors": 1}, {"body/collectors": "type_error.list"}),
    ("POST", "/images", {"name": "a", "collectors": [{}]}, {"body/collectors": "type_error.integer"}),
    ("PUT", "/images", {"name": "a"}, {"body/id": "value_error.missing"}),
    ("PUT", "/images", {"id": None}, {"body/id": "type_error.none.not_allowed"}),
    ("GET", "/images/x", {}, {"path/image_id": "type_error.integer"}),
    ("POST", "/images/collector", {"image_id": -1, "collector_id": {}},
     {"body/image_id": "type_error.integer", "body/collector_id": "type_error.integer"}),
    ("POST", "/collectors", {"name": "a"}, {"body/port": "value_error.missing",
                                            "body/type_id": "value_error.missing"}),
    ("POST", "/collectors", {"name": "a", "port": 65536, "type_id": 3, "target": 1},
     {"body/port": "value_error.number", "body/type_id": "value_error.number",
      "body/target": "type_error.str"}),
    ("POST", "/collectors", {"name": "a", "port": None, "type_id": 1},
     {"body/port": "type_error.none.not_allowed"}),
    ("PUT", "/collectors/1", {"id": 2}, {"body/id": "value_error"}),
    ("DELETE", "/collectors/1.5", {}, {"path/collector_id": "type_error.integer"}),
])
def test_what_is_wrong(shared_weir, method, path, body, where):
    assert faults(send(shared_weir, method, path, body)) == where
    assert all(ok(shared_weir.get(each)) == [] for each in ("/hosts", "/images", "/collectors"))


@pytest.mark.parametrize("method, path, body, says", [
    ("GET", "/images/1", {}, "OS Image Not Found"),
    ("DELETE", "/images/0", {}, "OS Image Not Found"),
    ("PUT", "/images", {"id": 99999999999999999999}, "OS Image Not Found"),
    ("GET", "/collectors/99999999999999999999", {}, "Collector Not Found"),
    ("PUT", "/collectors", {"id": 4, "port": 1}, "Collector Not Found"),
    ("POST", "/images", {"name": "a", "collectors": [9]}, "Collector Not Found"),
    ("POST", "/images/collector", {"image_id": 1, "collector_id": 0}, "OS Image or Collector Not Found"),
    ("POST", "/hosts/image", {"host_id": NOBODY, "image_id": 1}, "OS Image or Host Not Found"),
    ("POST", "/hosts", {"ip": "a", "image_id": 7}, "OS Image Not Found"),
    ("GET", f"/hosts/{NOBODY.replace('-', '')}", {}, "Host Not Found"),
])
def test_what_is_not_there(shared_weir, method, path, body, says):
    assert refused(send(shared_weir, method, path, body), 404) == says
    assert all(ok(shared_weir.get(each)) == [] for each in ("/hosts", "/images", "/collectors"))


def test_bodies_and_methods(shared_weir):
    weir = shared_weir
    for body, kind in (("", "value_error.missing"), ("{", "value_error.jsondecode"),
                       ('{"ip": "\xff"}'.encode("latin-1"), "value_error.jsondecode")):
        assert faults(weir.post("/hosts", body)) == {"body": kind}
    assert "bytes" in refused(weir.post("/hosts", "{" + " " * 262144 + "}"), 413)
    coded = {"Content-Encoding": "gzip"}
    assert "bytes" in refused(weir.post("/hosts", gzip.compress(b" " * 1000000), coded), 413)
    made = ok(weir.post("/hosts", gzip.compress(b'{"ip": "zipped", "ip": "last"}'), coded))
    assert made["ip"] == "last"
    for method, path in (("PATCH", "/hosts"), ("DELETE", "/hosts"), ("GET", "/hosts/image"),
                         ("POST", f"/hosts/{made['id']}"), ("PUT", "/images/collector"),
                         ("HEAD", "/collectors"), ("POST", "/metrics/last")):
        answer = weir.request(method, path, "{}") if method != "HEAD" else weir.get("/collectors")
        assert answer.status == (405 if method != "HEAD" else 200), (method, path)
    assert weir.get("/hosts/a/b").status == weir.get("/hostsx").status == 404
    ok(weir.delete(f"/hosts/{made['id']}"))


def test_pages(weir):
    for number in range(5):
        make(weir, "/hosts", ip=f"10.0.0.{number}")
        make(weir, "/images", name=f"image {number}")
    assert list(hosts(weir, "?limit=2&offset=1&unknown=1")) == ["10.0.0.1", "10.0.0.2"]
    assert hosts(weir, "?limit=0") == hosts(weir, "?offset=5") == {}
    assert [image["id"] for image in ok(weir.get("/images?offset=3"))] == [4, 5]
    assert ok(weir.get("/images?offset=99999999999999999999&limit=1")) == []


def test_text_of_any_kind_is_data(start_weir, url):
    weir = started(start_weir, url)
    host = make(weir, "/hosts", ip=ODD, hostname=ODD)
    make(weir, "/collectors", name=ODD, target=ODD, port=1, type_id=PULL)
    make(weir, "/images", name=ODD, collectors=[1])
    weir.stop()
    again = started(start_weir, url)
    assert (host["ip"], host["hostname"]) == (ODD, ODD) and hosts(again) == {ODD: host}
    assert ok(again.get("/images"))[0]["collectors"][0]["target"] == ODD
    assert "exists" in refused(send(again, "POST", "/hosts", {"ip": ODD}), 409)


@pytest.mark.parametrize("way", ["sqlite", "postgres", "none"])
def test_address_changes(request, start_weir, tmp_path, way):
    """The host stays the same, and keeps what is known of it."""
    url = {"none": "none", "sqlite": f"sqlite:{tmp_path}/t.db"}.get(way)
    url = url or request.getfixturevalue("postgres").url
    weir = start_weir(f"--targets.url={url}")
    wait_for(lambda: weir.get("/hosts").status == 200, "targets are known")
    for _ in range(3):
        weir.put("/metrics/job/node/instance/10.0.0.1", "m 1\n")
    host = hosts(weir)["10.0.0.1"]
    make(weir, "/hosts", ip="10.0.0.9")
    target = f"{TARGETS}/{host['id']}"
    data(weir.request("PATCH", target, '{"interval": "1h", "attributes": {"rack": "r7"}}'))
    assert "IP exists" in refused(send(weir, "PUT", "/hosts", {"id": host["id"], "ip": "10.0.0.9"}), 409)
    moved = change(weir, "/hosts", id=host["id"], ip="10.0.0.2", hostname="vnf")
    assert moved == {**host, "ip": "10.0.0.2", "hostname": "vnf", "state_id": INACTIVE}
    assert weir.get("/metrics/10.0.0.2").text == "the target's group is gone\n"
    weir.put("/metrics/job/node/instance/10.0.0.2", "m 2\n")
    shown = data(weir.get(target))
    assert (shown["pushes"], shown["attributes"]) == (4, {"rack": "r7", "hostname": "vnf"})
    assert hosts(weir)["10.0.0.2"] == {**moved, "state_id": ACTIVE}
    weir.put("/metrics/job/node/instance/10.0.0.1", "m 1\n")  # another one is there now
    assert hosts(weir)["10.0.0.1"]["id"] != host["id"]
    assert make(weir, "/hosts", ip="10.0.0.3")["id"] not in (host["id"], moved["id"])
    if way != "none":
        weir.stop()
        again = started(start_weir, url)
        assert data(again.get(target))["pushes"] == 4
        assert hosts(again)["10.0.0.2"]["id"] == host["id"]


def test_hosts_of_first_pushes(weir):
    weir.put("/metrics/job/node/instance/10.0.0.1", "# HELP m Of m.\n# TYPE m gauge\nm 1\n")
    for path in ("/metrics/job/node", "/metrics/job/node/instance/10.0.0.1/extra/x", "/metrics/job/node/instance@base64/=",
                 "/metrics/job/other/instance/10.0.0.3"):
        weir.put(path, "m 2\n")
    create(weir, {"job": "node", "instance": "perf"}, mode="virtual")
    [host] = ok(weir.get("/hosts"))
    assert host == {"id": host["id"], "vim_id": None, "hostname": "", "ip": "10.0.0.1",
                    "state_id": ACTIVE, "image_id": None}
    page = weir.get("/metrics/10.0.0.1")
    assert page.status == 200 and 'm{instance="10.0.0.1",job="node"} 1' in page.text
    assert "# HELP m Of m." in page.text and "# TYPE m gauge" in page.text
    assert page.body == weir.get("/metrics/10.0.0.1/").body == weir.get(f"/metrics/{host['id']}").body
    assert weir.get("/metrics/perf").status == 200
    assert "virtual" in refused(send(weir, "POST", "/hosts", {"ip": "perf"}), 409)
    for name in ("10.0.0.3", "10.0.0.1%2Fx", "nobody%00", NOBODY, "%FF"):
        assert weir.get(f"/metrics/{name}").status == 404, name
    url = f"{TARGETS}/{host['id']}"
    data(weir.request("PATCH", url, '{"interval": "1ms"}'))  # it is late now
    wait_for(lambda: hosts(weir)["10.0.0.1"]["state_id"] == INACTIVE, "it is silent")
    assert weir.get("/metrics/10.0.0.1").text == "the target is silent\n"
    data(weir.request("PATCH", url, '{"interval": "1h"}'))
    assert hosts(weir)["10.0.0.1"]["state_id"] == ACTIVE
    change(weir, "/hosts", id=host["id"], state_id=INACTIVE)
    assert weir.get("/metrics/10.0.0.1").status == 503
    assert change(weir, "/hosts", id=host["id"], state_id=ACTIVE)["state_id"] == ACTIVE
    weir.delete("/metrics/job/node/instance/10.0.0.1")
    assert hosts(weir)["10.0.0.1"]["state_id"] == INACTIVE
    assert data(weir.get(url))["interval"] == "1h0m0s"  # which these routes know nothing of


def test_settings_are_no_targets(weir):
    """Images and collectors are seen by who asks for them, and by nobody else."""
    image = pulled_image(weir, 9100)
    page = weir.scrape()
    assert [page.value("weir_targets", state=state) for state in ("active", "silent")] == [0, 0]
    assert "target_info{" not in page.text
    assert weir.get("/api/v1/sd?mode=image&mode=collector").text == "[]\n"
    assert weir.get("/service_discovery/targets/").text == "[]\n"
    assert data(weir.get(TARGETS))["total"] == 0
    assert weir.get("/service_discovery/hosts?mode=image").text == ""
    [shown] = data(weir.get(f"{TARGETS}?mode=image"))["targets"]
    assert (shown["labels"], shown["mode"]) == ({"job": "orwell_image", "instance": str(image)}, "image")
    threshold = {"thresholds": [{"name": "Hot", "metric": "m", "op": ">", "value": 1}]}
    data(weir.request("PATCH", f"{TARGETS}/{shown['id']}", json.dumps(threshold)))
    assert "Hot" not in weir.get("/api/v1/rules.yml?mode=image").text
    weir.put("/metrics/job/orwell_image/instance/1", "m 1\n")
    for path in (f"/metrics/{shown['id']}", "/metrics/target/job/orwell_image/instance/1"):
        assert weir.get(path).status == 404
    assert faults(weir.get(f"/hosts/{image}"))
    assert refused(weir.get(f"/hosts/{shown['id']}"), 404)
    weir.put("/metrics/job/orwell_image/instance/2", "m 1\n")  # a number that somebody has taken
    assert make(weir, "/images", name="next")["id"] == 3
    lines = weir.get(f"{TARGETS}/export").text
    for path in ("/images/1", "/images/3", "/collectors/1"):
        ok(weir.delete(path))
    data(weir.post(f"{TARGETS}/import", lines))
    assert [one["name"] for one in ok(weir.get("/images"))] == ["image 9100", "next"]
    assert ok(weir.get("/images/1"))["collectors"][0]["port"] == 9100


def test_only_known_targets(start_weir):
    weir = start_weir("--targets.register=known")
    make(weir, "/images", name="a")
    make(weir, "/hosts", ip="10.0.0.1")
    assert weir.put("/metrics/job/node/instance/10.0.0.1", "m 1\n").status == 200
    assert weir.put("/metrics/job/orwell_image/instance/1", "m 1\n").status == 403


def test_references_to_nothing(weir):
    """Who edits by hand may leave some behind."""
    create(weir, {"job": "orwell_image", "instance": "7"}, mode="image",
           attributes={"name": "odd", "collectors": "x, 1,,9,-1,1e3"})
    create(weir, {"job": "node", "instance": "h"}, attributes={"image_id": "8", "vim_id": "odd"})
    assert ok(weir.get("/images/7")) == {"id": 7, "name": "odd", "collectors": []}
    assert (hosts(weir)["h"]["image_id"], hosts(weir)["h"]["vim_id"]) == (None, "odd")
    # What is new is not what somebody meant by its number.
    assert [make(weir, "/collectors", name=name, port=1, type_id=PUSH)["id"] for name in "abc"] == [2, 3, 4]
    assert ok(weir.get("/images/7"))["collectors"] == []
    assert make(weir, "/images", name="next")["id"] == 9
    assert hosts(weir)["h"]["image_id"] is None
    create(weir, {"job": "orwell_image", "instance": "8"}, mode="image", attributes={"name": "back"})
    assert hosts(weir)["h"]["image_id"] == 8


def test_numbers_behind_many_references(weir):
    """More than are looked at at once."""
    for numbers in (range(1, 17000), range(17000, 33000), [2**31 - 1]):
        lines = ({"labels": {"job": "node", "instance": f"h{number}"}, "attributes": {"image_id": str(number)}}
                 for number in numbers)
        data(weir.post(f"{TARGETS}/import", "".join(json.dumps(line) + "\n" for line in lines)))
    assert [make(weir, "/images", name=name)["id"] for name in "ab"] == [33000, 33001]
    create(weir, {"job": "orwell_image", "instance": str(2**31 - 2)}, mode="image", attributes={"name": "z"})
    assert "no number is left" in refused(send(weir, "POST", "/images", {"name": "c"}), 409)


def test_limits(start_weir):
    weir = start_weir("--targets.limit=2")
    make(weir, "/hosts", ip="a")
    make(weir, "/images", name="a")
    assert "--targets.limit" in refused(send(weir, "POST", "/hosts", {"ip": "b"}), 429)
    assert "--targets.limit" in refused(send(weir, "POST", "/images", {"name": "b"}), 429)


def test_requests_of_one_connection(start_weir, url):
    """Each sees what those before it have done, and is answered in its turn."""
    weir = started(start_weir, url)
    with weir.connect() as connection:
        for number in range(20):
            connection.request("POST", "/collectors", json.dumps(
                {"name": f"c{number}", "port": number, "type_id": PULL}))
            connection.request("POST", "/images", json.dumps(
                {"name": f"i{number}", "collectors": [number + 1]}))
            connection.request("DELETE", f"/collectors/{number + 1}")
            connection.request("POST", "/images", json.dumps({"name": f"i{number}"}))
        answers = [connection.response().status for _ in range(80)]
    assert answers == [200, 200, 409, 409] * 20
    assert len(ok(weir.get("/images"))) == len(ok(weir.get("/collectors"))) == 20


def test_prefix_and_password(start_weir, tmp_path):
    path = tmp_path / "web.yml"
    path.write_text(f"basic_auth_users:\n  alice: {hash_of('secret')}\n")
    weir = start_weir("--web.route-prefix=/w", f"--web.config.file={path}")
    who = basic("alice", "secret")
    for target in ("/w/hosts", "/w/hosts/image", "/w/images/1", "/w/collectors", "/w/metrics/x"):
        assert weir.get(target).status == 401
    assert ok(weir.get("/w/hosts", who)) == []
    assert weir.get("/hosts", who).status == 404
    assert ok(weir.post("/w/collectors", '{"name": "a", "port": 1, "type_id": 1}', who))["id"] == 1


def test_no_get_changes_anything(weir):
    """ORWELL's middleware dropped its tables by a GET, without a password."""
    make(weir, "/hosts", ip="10.0.0.1")
    weir.put("/metrics/job/node/instance/10.0.0.1", "m 1\n")
    before = ok(weir.get("/hosts"))
    for path in ("/db/insert", "/db/flush", "/db/flush/", "/perfsonar", "/service_discovery/kafka/"):
        for method in ("GET", "POST", "PUT", "DELETE"):
            assert weir.request(method, path, "").status == 404
    assert weir.get("/api/v1/admin/wipe").status == 405
    assert ok(weir.get("/hosts")) == before
    assert weir.get("/metrics/10.0.0.1").status == 200


def test_database_stops(start_weir, postgres):
    """What is known is shown, nothing changes, and all goes on when it is back."""
    weir = started(start_weir, postgres.url)
    image = pulled_image(weir, 9100)
    host = make(weir, "/hosts", ip="10.0.0.1", image_id=image)
    found = weir.get("/service_discovery/targets/").body
    assert b"10.0.0.1:9100" in found
    postgres.stop()
    wait_for(lambda: weir.scrape().value("weir_targets_store_up") == 0, "the outage is noticed")
    for method, path, body in (
            ("POST", "/hosts", {"ip": "x"}), ("PUT", "/hosts", {"id": host["id"], "ip": "y"}),
            ("DELETE", f"/hosts/{host['id']}", None), ("POST", "/images", {"name": "x"}),
            ("DELETE", f"/hosts/{host['id']}/", None), ("PUT", "/collectors/1", {"port": 1}),
            ("POST", "/hosts/image", {"host_id": host["id"], "image_id": image}),
            ("POST", "/images/collector", {"image_id": image, "collector_id": 1})):
        assert "cannot be stored at present" in refused(send(weir, method, path, body), 503)
    assert hosts(weir) == {"10.0.0.1": host} and ok(weir.get("/collectors/1"))["port"] == 9100
    assert weir.get("/service_discovery/targets/").body == found
    again = start_weir(f"--targets.url={postgres.url}", "--targets.virtual=perf")
    for path in ("/hosts", "/images/1", "/collectors"):
        assert "being loaded" in refused(again.get(path), 503)
    again.put("/metrics/job/node/instance/perf", "m 1\n")
    assert 'm{instance="perf",job="node"} 1' in again.get("/metrics/perf").text
    postgres.start()
    wait_for(lambda: send(weir, "POST", "/hosts", {"ip": "x"}).status == 200, "it is back")
    wait_for(lambda: again.get("/hosts").status == 200 and set(hosts(again)) == {"10.0.0.1", "x"},
             "it was read")
    wait_for(lambda: postgres.ask("SELECT mode FROM weir_target WHERE instance = 'perf'") == "virtual",
             "what was made in memory is stored")


def test_two_weirs_take_numbers(start_weir, postgres):
    """Whoever comes second takes the next one."""
    weirs = [started(start_weir, postgres.url) for _ in range(2)]

    def make_some(index):
        return [make(weirs[index], "/images", name=f"image {index} {number}")["id"] for number in range(15)]

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        both = list(pool.map(make_some, range(2)))
    assert sorted(both[0] + both[1]) == list(range(1, 31))
    for weir in weirs:
        wait_for(lambda weir=weir: len(ok(weir.get("/images"))) == 30, "each knows all")
    names = [[one["name"] for one in ok(weir.get("/images"))] for weir in weirs]
    assert names[0] == names[1] and len(set(names[0])) == 30
    postgres.ask("UPDATE weir_target SET attributes = attributes || '{\"name\": \"by hand\"}' "
                 "WHERE mode = 'image' AND instance = '3'")
    wait_for(lambda: ok(weirs[1].get("/images/3"))["name"] == "by hand", "who edits is heard", 1)


def test_an_image_goes_while_another_weir_gives_it(start_weir, postgres):
    """Whoever wins: the host has the image, or none and is scraped as one without, and no other one ever."""
    weirs = [started(start_weir, postgres.url) for _ in range(2)]
    host = make(weirs[0], "/hosts", ip="10.0.0.1")
    pull = make(weirs[0], "/collectors", name="pull", port=9100, type_id=PULL)

    def shown(weir):
        targets, = (target["targets"] for target in json.loads(weir.get("/service_discovery/targets/").body))
        return ([image["id"] for image in ok(weir.get("/images"))], ok(weir.get(f"/hosts/{host['id']}"))["image_id"],
                targets == ["10.0.0.1:9100"])

    def stored():
        images = [int(one) for one in postgres.ask("SELECT instance FROM weir_target WHERE mode = 'image'").split()]
        reference = postgres.ask("SELECT attributes->>'image_id' FROM weir_target WHERE job = 'node'").strip()
        return images, int(reference or 0)

    def settle():
        images, reference = stored()
        is_there = reference in images
        wanted = (images, reference if is_there else None, is_there)
        wait_for(lambda: all(shown(weir) == wanted for weir in weirs), f"all weirs show {wanted}")
        return reference if not is_there else 0

    orphans = set()
    for number in range(6):
        image = make(weirs[0], "/images", name=f"image {number}", collectors=[pull["id"]])["id"]
        assert image not in orphans
        wait_for(lambda image=image: weirs[1].get(f"/images/{image}").status == 200, "both know it")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            gone = pool.submit(weirs[0].delete, f"/images/{image}")
            given = pool.submit(send, weirs[1], "POST", "/hosts/image", {"host_id": host["id"], "image_id": image})
        assert gone.result().status in (200, 409) and given.result().status in (200, 404, 409)
        settle()
        if number == 0:  # in any case one round has the two be just as fast
            postgres.ask("DELETE FROM weir_target WHERE mode = 'image'")
            postgres.ask("UPDATE weir_target SET attributes = attributes || '{\"image_id\": \"%d\"}' "
                         "WHERE job = 'node'" % image)
        orphans = {settle()}
        assert number > 0 or orphans == {image}


def test_seeds_of_the_documentation(weir):
    """What docs/orwell.md says to do makes ORWELL's images and collectors, and does no harm twice."""
    text = (REPOSITORY / "docs" / "orwell.md").read_text()
    block = re.search(r"```sh\n(curl [^`]*targets/import.*?)```", text, re.S)[1]
    for _ in range(2):
        subprocess.run(["sh", "-ec", block.replace("http://localhost:9091", weir.url)], check=True,
                       capture_output=True, timeout=DEADLINE)
        assert [(one["id"], one["name"], one["target"], one["port"], one["type_id"])
                for one in ok(weir.get("/collectors"))] == [
            (1, "Prometheus", "metrics", 9100, PULL), (2, "Gnocchi", "", 0, PULL),
            (3, "Telegraf", "", 0, PUSH)]
        assert {one["name"]: [each["name"] for each in one["collectors"]] for one in ok(weir.get("/images"))} == {
            "ubuntu_2004_5gasp_monitoring_prometheus": ["Prometheus"],
            "ubuntu_2004_5gasp_monitoring_telegraf": ["Telegraf"],
            "ubuntu-20.04-server-cloudimg-amd64": ["Gnocchi"]}
    create(weir, {"job": "orwell_image", "instance": "4"}, mode="image", attributes={"name": "more"})
    assert make(weir, "/images", name="next")["id"] == 5
