"""Hosts and virtual targets for Prometheus, as ORWELL has them."""

import json

import pytest

import peers
from harness import run_weir, wait_for
from orwell import INACTIVE, PULL, PUSH, change, hosts, make, ok, pulled_image
from targets import TARGETS, data

SD = "/service_discovery/targets/"


def places(weir, prefix=""):
    """Where each instance is scraped."""
    answer = json.loads(weir.get(prefix + SD, {"Host": own(weir, "")[0]}).body)
    return {one["labels"]["instance"]: (one["targets"][0], one["labels"]["__metrics_path__"])
            for one in answer}


def own(weir, path):
    return (weir.url.partition("://")[2], path)


@pytest.fixture(scope="module")
def exporter(tmp_path_factory):
    with peers.NodeExporter(tmp_path_factory.mktemp("node_exporter")) as one:
        yield one


@pytest.mark.smoke
def test_prometheus(start_weir, exporter, tmp_path):
    """Hosts that push, one that is pulled and two virtual ones: an up each, and no more."""
    weir = start_weir("--targets.virtual=perf,esight_if")
    image = pulled_image(weir, exporter.port)
    make(weir, "/hosts", ip="127.0.0.1", image_id=image)
    for number in range(3):
        weir.put(f"/metrics/job/node/instance/10.0.0.{number}", f"pushed {number}\n")
    off = hosts(weir)["10.0.0.2"]
    change(weir, "/hosts", id=off["id"], state_id=INACTIVE)
    host = f"http://{weir.address[0]}:{weir.address[1]}"
    with peers.Prometheus(tmp_path / "prometheus", {}, discovered={"orwell": host + SD}) as server:
        def up():
            return {labels["instance"]: value for labels, value in server.query('up{job="node"}')}

        wait_for(lambda: up() == {"perf": "1", "esight_if": "1", "127.0.0.1": "1", "10.0.0.0": "1",
                                  "10.0.0.1": "1"}, "each has its own up")
        active = [host for host in hosts(weir).values() if host["state_id"] != INACTIVE]
        assert server.query('count(up{job="node"})')[0][1] == str(len(active) + 2) == "5"
        [(labels, _)] = server.wait_for('node_uname_info{instance="127.0.0.1"}')
        assert labels["job"] == "node"
        [(labels, value)] = server.wait_for('pushed{instance="10.0.0.1"}')
        assert (labels, value) == ({"__name__": "pushed", "job": "node", "instance": "10.0.0.1"}, "1")


def test_pulled_hosts(start_weir):
    weir = start_weir("--web.route-prefix=/w", listen=("127.0.0.1:0",))

    def post(path, **fields):
        return ok(weir.post("/w" + path, json.dumps(fields)))

    def put(path, **fields):
        return ok(weir.put("/w" + path, json.dumps(fields)))

    for name, target, port, kind in (("push", "x", 1, PUSH), ("none", "", 0, PULL), ("odd", "a b", 2, PULL),
                                     ("late", "/late", 3, PULL)):
        post("/collectors", name=name, target=target, port=port, type_id=kind)
    post("/images", name="i", collectors=[4, 3, 2, 1])
    hosts_ = {ip: post("/hosts", ip=ip, image_id=1)
              for ip in ("10.0.0.1", "fe80::1", "h:9100", "no address", "moved")}
    page = "/w/metrics/target/job/node/instance"
    pulled = {"10.0.0.1": ("10.0.0.1:2", "/a b"), "fe80::1": ("[fe80::1]:2", "/a b"), "h:9100": ("h:2", "/a b")}
    found = places(weir, "/w")
    assert {ip: found[ip] for ip in pulled} == pulled
    assert found["no address"] == own(weir, page + "@base64/bm8gYWRkcmVzcw")
    url = f"/w/api/v1/targets/{hosts_['moved']['id']}"
    data(weir.request("PATCH", url, '{"address": "elsewhere:1", "mode": "pull", "path": "/p"}'))
    assert places(weir, "/w")["moved"] == ("elsewhere:1", "/p")
    assert ok(weir.get(f"/w/hosts/{hosts_['moved']['id']}"))["image_id"] == 1
    put("/collectors", id=3, port=0)
    assert places(weir, "/w")["10.0.0.1"] == ("10.0.0.1:3", "/late")
    put("/collectors", id=4, target=None)
    assert places(weir, "/w")["10.0.0.1"] == ("10.0.0.1:3", "/")
    put("/images", id=1, collectors=[1, 2])
    assert places(weir, "/w")["10.0.0.1"] == own(weir, page + "/10.0.0.1")
    [one] = [one for one in json.loads(weir.get("/w/api/v1/sd").body) if one["labels"]["instance"] == "h:9100"]
    assert one["labels"]["__meta_weir_image_id"] == "1"


NAMES = '["perf", "a,b", "ä\\"", "perf"]'


@pytest.mark.parametrize("way", ["sqlite", "none"])
def test_virtual_targets(start_weir, tmp_path, way):
    url = "none" if way == "none" else f"sqlite:{tmp_path}/t.db"
    for _ in range(2):  # none of them is made twice
        weir = start_weir(f"--targets.url={url}", variables={"WEIR_TARGETS_VIRTUAL": NAMES})
        wait_for(lambda weir=weir: set(places(weir)) == {"perf", "a,b", 'ä"'}, "they are there")
        shown = data(weir.get(f"{TARGETS}?mode=virtual"))
        assert (shown["total"], {one["state"] for one in shown["targets"]}) == (3, {"active"})
        for name, (address, path) in places(weir).items():
            assert address == own(weir, "")[0]
            weir.put(path.replace("/target/", "/", 1), "m 1\n")
            assert weir.get(path).status == 200, name
        assert places(weir)["perf"] == own(weir, "/metrics/target/job/node/instance/perf")
        assert ok(weir.get("/hosts")) == []
        weir.stop()
    if way == "sqlite":
        left = start_weir(f"--targets.url={url}", "--targets.virtual= other ")
        assert set(places(left)) == {"perf", "a,b", 'ä"', "other"}  # they stay until they are deleted
        [one] = data(left.get(f"{TARGETS}?match[]={{instance=%22other%22}}"))["targets"]
        assert left.delete(f"{TARGETS}/{one['id']}").status == 204
        assert "other" not in places(left)


def test_what_is_there_by_the_name_of_a_virtual_target(start_weir, tmp_path):
    """One that came about by its pushes becomes virtual; what somebody configured stays."""
    url = f"--targets.url=sqlite:{tmp_path}/t.db"
    weir = start_weir(url)
    for instance in ("perf", "mine"):
        weir.put(f"/metrics/job/node/instance/{instance}", "m 1\n")
    mine = hosts(weir)["mine"]
    change(weir, "/hosts", id=mine["id"], hostname="mine")
    weir.stop()
    again = start_weir(url, "--targets.virtual=perf,mine")
    wait_for(lambda: set(hosts(again)) == {"mine"}, "perf is virtual")
    [perf] = data(again.get(f"{TARGETS}?mode=virtual"))["targets"]
    assert (perf["pushes"], perf["attributes"]) == (1, {})


@pytest.mark.parametrize("text, says", [
    ("a,,b", "a name is empty"), ("[", "no JSON"), ('["a", 1]', "strings alone"), ('[""]', "a name is empty"),
    ("x" * 1025, "1024 bytes"), (",".join("x" * 1001), "1000 names"),
])
def test_bad_names(tmp_path, text, says):
    code, errors = run_weir(tmp_path, f"--targets.virtual={text}")
    assert code != 0 and says in errors
