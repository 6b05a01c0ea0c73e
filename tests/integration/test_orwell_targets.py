"""Hosts and virtual targets for Prometheus, as ORWELL has them."""

import json

from orwell import PULL, PUSH, ok
from targets import data

SD = "/service_discovery/targets/"


def places(weir, prefix=""):
    """Where each instance is scraped."""
    answer = json.loads(weir.get(prefix + SD, {"Host": own(weir, "")[0]}).body)
    return {one["labels"]["instance"]: (one["targets"][0], one["labels"]["__metrics_path__"])
            for one in answer}


def own(weir, path):
    return (weir.url.partition("://")[2], path)


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
