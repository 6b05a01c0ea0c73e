"""What tests say to the routes of ORWELL's middleware."""

import json

PULL, PUSH = 1, 2
ACTIVE, INACTIVE = 1, 2


def ok(response):
    """What came of a request that went well."""
    assert response.status == 200, response.text
    assert response.headers["content-type"] == "application/json"
    return json.loads(response.body)


def refused(response, status):
    """The sentence of one that did not."""
    assert response.status == status, response.text
    detail = json.loads(response.body)["detail"]
    assert set(detail) == {"error", "code"} and detail["code"] == status
    return detail["error"]


def faults(response):
    """What is wrong with a request: {where: type}."""
    assert response.status == 422, response.text
    found = json.loads(response.body)["detail"]
    assert all(set(fault) == {"loc", "msg", "type"} and fault["msg"] for fault in found)
    return {"/".join(fault["loc"]): fault["type"] for fault in found}


def send(weir, method, path, body):
    return weir.request(method, path, json.dumps(body))


def make(weir, path, **fields):
    return ok(send(weir, "POST", path, fields))


def change(weir, path, **fields):
    return ok(send(weir, "PUT", path, fields))


def hosts(weir, query=""):
    """By their addresses."""
    return {host["ip"]: host for host in ok(weir.get("/hosts" + query))}


def pulled_image(weir, port, target="metrics"):
    """The number of an image whose collector is scraped at that port."""
    collector = make(weir, "/collectors", name=f"pull {port}", target=target, port=port, type_id=PULL)
    image = make(weir, "/images", name=f"image {port}")
    make(weir, "/images/collector", image_id=image["id"], collector_id=collector["id"])
    return image["id"]
