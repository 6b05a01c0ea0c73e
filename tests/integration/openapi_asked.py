"""Hosts, images, collectors and services, and what is to be asked about them for each status that is described."""

import json

from targets import TARGETS

NOBODY = "00000000-0000-4000-8000-000000000000"
FIRST, SECOND, FULL = (f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
ATTRIBUTES = {f"a{number}": "" for number in range(63)}  # and one more are all that a target may have


def inventory_lines():
    """An import of them: the last of each has as many attributes as it may have, and no references."""
    for kind, number, said in (
            ("collector", 1, {"name": "one", "port": "9100", "type_id": "1"}), ("collector", 2, {"name": "two"}),
            ("collector", 3, {"name": "three"}), ("image", 1, {"name": "one", "collectors": "1"}),
            ("image", 2, {"name": "two"}), ("image", 3, {"name": "full", **ATTRIBUTES})):
        yield {"mode": kind, "labels": {"job": f"orwell_{kind}", "instance": str(number)}, "attributes": said}
    for place, said in ((FIRST, {"image_id": "1"}), (SECOND, {}), (FULL, {"a": "", **ATTRIBUTES})):
        yield {"id": place, "labels": {"job": "node", "instance": place[-1]}, "attributes": said}


# By the operation's name: the end of the path, and the body, of each request.
INVENTORY = {
    "listHosts": [("", None), ("?limit=x", None)],
    "createHost": [("", {"ip": "new"}), ("", {"ip": "1"}), ("", {"ip": "x", "image_id": 99}), ("", {})],
    "changeHost": [("", {"id": FIRST}), ("", {"id": NOBODY}), ("", {"id": FIRST, "ip": "2"}), ("", {})],
    "setHostImage": [("", {"host_id": SECOND, "image_id": 1}), ("", {"host_id": FULL, "image_id": 1}),
                     ("", {"host_id": SECOND, "image_id": 99}), ("", {})],
    "showHost": [(FIRST, None), (NOBODY, None), ("x", None)],
    "hearOfHost": [(f"{FIRST}/heartbeat", None), (f"{NOBODY}/heartbeat", None), ("x/heartbeat", None)],
    "changeHostById": [(FIRST, {}), (NOBODY, {}), (FIRST, {"ip": "2"}), (FIRST, {"ip": 2})],
    "listImages": [("", None), ("?limit=x", None)],
    "createImage": [("", {"name": "new"}), ("", {"name": "one"}), ("", {"name": "x", "collectors": [99]}), ("", {})],
    "changeImage": [("", {"id": 1}), ("", {"id": 99}), ("", {"id": 1, "name": "two"}), ("", {})],
    "addImageCollector": [("", {"image_id": 2, "collector_id": 1}), ("", {"image_id": 3, "collector_id": 1}),
                          ("", {"image_id": 2, "collector_id": 99}), ("", {})],
    "showImage": [("1", None), ("99", None), ("x", None)],
    "changeImageById": [("1", {}), ("99", {}), ("1", {"name": "two"}), ("1", {"name": 2})],
    "listCollectors": [("", None), ("?limit=x", None)],
    "createCollector": [("", {"name": "new", "port": 1, "type_id": 1}), ("", {"name": "one", "port": 1, "type_id": 1}),
                        ("", {})],
    "changeCollector": [("", {"id": 1}), ("", {"id": 99}), ("", {"id": 1, "name": "two"}), ("", {})],
    "showCollector": [("1", None), ("99", None), ("x", None)],
    "changeCollectorById": [("1", {}), ("99", {}), ("1", {"name": "two"}), ("1", {"name": 2})],
    # Those that something refers to, first.
    "deleteImage": [("1", None), ("3", None), ("99", None), ("x", None)],
    "deleteCollector": [("1", None), ("3", None), ("99", None), ("x", None)],
    "deleteHost": [(SECOND, None), (NOBODY, None), ("x", None)],
}


SERVICES = {
    "createService": [("", {"name": "db"}), ("", {"name": "web", "dependencies": ["db"]}), ("", {"name": "db"}),
                      ("", {"name": "x", "dependencies": ["nobody"]}), ("", {"name": "x", "parent": "x"})],
    "listServices": [("", None), ("?limit=x", None)],
    "getService": [("db", None), ("nobody", None)],
    "replaceService": [("db", {"cpu": 1}), ("nobody", {}), ("db", {"dependencies": ["web"]}), ("db", {"cpu": "x"})],
    "changeService": [("db", {"cpu": 2}), ("nobody", {}), ("db", {"dependencies": ["web"]}), ("db", {"cpu": "x"})],
    "deleteService": [("db", None), ("web", None), ("nobody", None)],
}


def ask_about_inventory(weir, description):
    lines = "".join(json.dumps(line) + "\n" for line in inventory_lines())
    assert weir.post(f"{TARGETS}/import", lines).status == 200
    ask_all(weir, description, INVENTORY)


def ask_about_services(weir, description):
    ask_all(weir, description, SERVICES)


def ask_all(weir, description, questions):
    """Each answer is held against the description."""
    by_name = {operation.name: operation for operation in description.operations.values()}
    for name, requests in questions.items():
        operation = by_name[name]
        for end, body in requests:
            path = operation.template.partition("{")[0] + end
            sent = None if body is None else json.dumps(body)
            description.check(operation.method, operation.template, weir.request(operation.method, path, sent))
