"""Hosts, images and collectors in requests: with references that exist, or with something wrong.

What they refer to is there from the start (`seeds()`), and stays.
"""

import json
import uuid

from hypothesis import assume
from hypothesis import strategies as st

from openapi_values import ANYTHING, NAMES, TEXTS, number

HOSTS = [f"0000000{place}-0000-4000-8000-0000000abcde" for place in (1, 2)]
NUMBERS = [1, 2]  # of images and of collectors
NOBODY = "00000000-0000-4000-8000-00000000dead"
NO_NUMBERS = [0, "0", 77777, "77777", 2**53, "99999999999999999999"]
KINDS = ("host", "image", "collector")


def seeds():
    """An import of what requests refer to. Everything of the one has a reference to what is before it."""
    for place, host in zip(NUMBERS, HOSTS):
        for kind, said in (("collector", {"port": "9100", "type_id": "1"}), ("image", {"collectors": str(place)})):
            yield {"mode": kind, "labels": {"job": f"orwell_{kind}", "instance": str(place)},
                   "attributes": {"name": f"seed {place}", **said}}
        yield {"id": host, "labels": {"job": "node", "instance": f"seed {place}"},
               "attributes": {"image_id": str(place)}}


def is_inventory(operation):
    return "inventory" in operation.said["tags"]


def kind_of(operation):
    return next(kind for kind in KINDS if operation.template.startswith(f"/{kind}s"))


def prepared(kind):
    """The body of a new one, which nothing refers to."""
    name = f"prepared {next(number)}"
    return {"host": {"ip": name}, "image": {"name": name},
            "collector": {"name": name, "port": 0, "type_id": 2}}[kind]


# ---- What is good ----


def written(value):
    """A number in one of the ways to write it, or an id in one of those."""
    if isinstance(value, int):
        return st.sampled_from([value, str(value), f"00{value}", float(value)])
    return st.sampled_from([value, value.upper(), value.replace("-", "")])


def one_of(values):
    return st.sampled_from(values).flatmap(written)


def unique():
    """Nobody else's name."""
    return TEXTS.map(lambda text: f"{text} {next(number)}")


def vim_ids():
    return st.uuids().map(str).flatmap(written)


def collectors():
    """Ids of them, or what is shown of them."""
    ids = one_of(NUMBERS)
    return st.lists(st.one_of(ids, st.builds(lambda one: {"id": one, "name": "looked over"}, ids)), max_size=3)


# By a member's name, whatever it is in; `id` is that of the request.
MEMBERS = {
    "vim_id": lambda: st.one_of(st.none(), vim_ids()), "hostname": lambda: st.one_of(st.none(), TEXTS),
    "ip": unique, "state_id": lambda: st.one_of(st.none(), one_of([1, 2])),
    "image_id": lambda: one_of(NUMBERS), "collector_id": lambda: one_of(NUMBERS), "host_id": lambda: one_of(HOSTS),
    "name": unique, "collectors": lambda: st.one_of(st.none(), collectors()),
    "target": lambda: st.one_of(st.none(), TEXTS), "port": lambda: one_of([0, 1, 65535]),
    "type_id": lambda: one_of([1, 2]),
}


def known_ids(operation):
    """Of what is there, and is not deleted."""
    return st.sampled_from(HOSTS if kind_of(operation) == "host" else NUMBERS)


def first_of(operation):
    return HOSTS[0] if kind_of(operation) == "host" else NUMBERS[0]


def schema_of(operation):
    return operation.contents()["application/json"]


@st.composite
def good_objects(draw, operation, known):
    """A body that has all it needs, and perhaps something that is not known; `known` is whom it is about."""
    schema = operation.description.resolve(schema_of(operation))
    value = {}
    for name in schema["properties"]:
        if name not in schema.get("required", []) and draw(st.booleans()):
            continue
        if name != "id":
            value[name] = draw(MEMBERS[name]())
        elif known is not None:
            may_be_none = name not in schema.get("required", [])
            value[name] = draw(st.one_of(written(known), *([st.none()] if may_be_none else [])))
        else:
            new = str(uuid.UUID(int=next(number) << 64 | 4 << 76 | 2 << 62))
            value[name] = draw(st.one_of(st.none(), written(new)))
    if draw(st.booleans()):
        value["x_" + draw(NAMES)] = draw(ANYTHING)
    assert not operation.description.faults(schema_of(operation), value), value  # as the description has it
    return value


# ---- What is bad ----

BAD_HOSTS = ["x", "", 1, [], HOSTS[0] + "0", HOSTS[0][:-1], HOSTS[0].replace("-", "", 1), HOSTS[0].replace("-", "_"),
             HOSTS[0].replace("-", "")[:16] + "-" + HOSTS[0].replace("-", "")[16:], "{" + HOSTS[0] + "}"]
BAD_NUMBERS = ["x", "-1", "+1", "1.5", "1e3", "0x1", "%00", "1%00", "%C3%A4", "%FF", "%201", "1%2F1", "%D9%A3", "0",
               "77777", "99999999999999999999", "9" * 5000, "a" * 5000]
IN_USE = ["1", "2"]  # images and collectors that are referred to
LONG = {"hostname": 1025, "name": 1025, "target": 1001}  # bytes
OUT_OF_RANGE = {"state_id": [0, 3, "3"], "type_id": [0, 3, "0", "3"], "port": [65536, "65536", 2**53]}


def bad_ids(operation):
    """What is no number, that of nobody, and to delete, that of one that is needed. Hosts have ids as targets."""
    return [*BAD_NUMBERS, *(IN_USE if operation.method == "DELETE" else [])]


def missing(draw, value, operation):
    needed = operation.description.resolve(schema_of(operation)).get("required", [])
    assume(needed)
    del value[draw(st.sampled_from(sorted(needed)))]


def of_another_type(draw, value, operation):
    """Also null, where nothing is no value."""
    members = operation.description.resolve(schema_of(operation))["properties"]
    value[draw(st.sampled_from(sorted(members)))] = draw(ANYTHING)


def out_of_range(draw, value, operation):
    members = operation.description.resolve(schema_of(operation))["properties"]
    name = draw(st.sampled_from(sorted(members)))
    is_host = kind_of(operation) == "host"
    assume(name in LONG or name in OUT_OF_RANGE or name == "ip" or is_host and name in ("id", "vim_id", "host_id"))
    if name.endswith("id") and name not in OUT_OF_RANGE:
        value[name] = draw(st.sampled_from(BAD_HOSTS))
    elif name in LONG:
        value[name] = draw(st.sampled_from(["x" * LONG[name], "ä" * (LONG[name] // 2 + 1)]))
    else:
        value[name] = draw(st.sampled_from(OUT_OF_RANGE.get(name, [""])))


def leads_nowhere(draw, value, operation):
    """A reference to what is not there, or the id of nobody."""
    members = operation.description.resolve(schema_of(operation))["properties"]
    is_new = operation.name.startswith("create")
    places = [name for name in ("id", "host_id", "image_id", "collector_id", "collectors")
              if name in members and not (name == "id" and is_new)]
    assume(places)
    name = draw(st.sampled_from(places))
    if name == "collectors":
        value[name] = [draw(one_of(NUMBERS)), draw(st.sampled_from([{"id": 77777}, *NO_NUMBERS]))]
    elif name == "host_id" or name == "id" and kind_of(operation) == "host":
        value[name] = NOBODY
    else:
        value[name] = draw(st.sampled_from(NO_NUMBERS))


def taken(draw, value, operation):
    """By another one than the first, whom the request is about."""
    members = operation.description.resolve(schema_of(operation))["properties"]
    assume("ip" in members or "name" in members)
    value["ip" if "ip" in members else "name"] = "seed 2"
    if operation.name == "createHost" and draw(st.booleans()):
        value.update(ip=draw(unique()), id=draw(written(HOSTS[0])))


def whole(draw, value, operation):
    value.clear()
    value["all"] = draw(ANYTHING.filter(lambda one: not isinstance(one, dict)))


SAID_BY_SCHEMA = (missing, of_another_type, out_of_range, whole)
BEYOND_SCHEMAS = (leads_nowhere, taken)


@st.composite
def bad_objects(draw, operation, ways):
    """One of them about the first there is, and one thing in it that is wrong."""
    is_new = operation.name.startswith("create")
    value = draw(good_objects(operation, None if is_new else first_of(operation)))
    way = draw(st.sampled_from(ways))
    way(draw, value, operation)
    if way is whole:
        value = value["all"]
    if way in SAID_BY_SCHEMA and not is_in_bytes(value):
        assume(operation.description.faults(schema_of(operation), value))
    return json.dumps(value)


def is_in_bytes(value):
    """Too long by its bytes, of which schemas know nothing."""
    return isinstance(value, dict) and any(
        isinstance(value.get(name), str) and len(value[name].encode()) >= most for name, most in LONG.items())
