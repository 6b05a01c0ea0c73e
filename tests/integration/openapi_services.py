"""Services in requests: good ones, or with something wrong.

What they refer to is there from the start (`seeds()`), and stays: the second of them is another one's parent and
dependency.
"""

import json

from hypothesis import assume
from hypothesis import strategies as st

from openapi_values import ANYTHING, DURATIONS, NAMES, TEXTS, number

SEEDS = ["seed-1", "seed.2"]
PORTS = [1, 80, "443", "80/udp", "65535/sctp"]  # no two the same
BAD_NAMES = ["%00", "seed-1%00", "%C3%A4", "%FF", "nobody", "Seed-1", "-", "a" * 5000, "seed-1%20"]
NUMBERS = {"min_instances": st.integers(0, 10), "max_instances": st.integers(10, 10**6),
           "cpu": st.sampled_from([0.001, 0.5, 4, 1e6]), "memory": st.integers(1, 2**53 - 1)}


def seeds():
    """An import of them."""
    for name, said in zip(SEEDS, ({"parent": SEEDS[1], "dependencies": SEEDS[1]}, {"image": "seed"})):
        yield {"mode": "service", "labels": {"job": "weir_service", "instance": name}, "attributes": said}


def is_service(operation):
    return "services" in operation.said["tags"]


def fresh_name():
    """Nobody else's."""
    return f"made-{next(number)}"


def thresholds():
    one = st.fixed_dictionaries(
        {"name": NAMES, "metric": NAMES, "value": st.integers(-10, 10)},
        optional={"op": st.sampled_from(["<", "=="]), "for": st.sampled_from(DURATIONS[1:]), "severity": st.just("page")})
    return st.lists(one, max_size=3, unique_by=lambda threshold: threshold["name"])


def good_objects(operation):
    """A body; of a change without the name, which does not change."""
    members = {
        "active": st.booleans(), "parent": st.sampled_from([None, "", *SEEDS]),
        "image": st.sampled_from([None, "", "nginx:1.25", "x" * 255]),
        "ports": st.one_of(st.none(), st.lists(st.sampled_from(PORTS), unique=True)),
        "dependencies": st.one_of(st.none(), st.lists(st.sampled_from(SEEDS), unique=True)),
        "heartbeat": st.one_of(st.none(), st.sampled_from(DURATIONS)), "thresholds": st.one_of(st.none(), thresholds()),
        "resolved": ANYTHING, "problems": ANYTHING,
        **{name: st.one_of(st.none(), values) for name, values in NUMBERS.items()}}
    is_new = operation.name == "createService"
    needed = {"name": st.builds(fresh_name)} if is_new else {}
    return st.fixed_dictionaries(needed, optional=members)


# ---- What is bad ----


def of_another_type(draw, value):
    members = set(NUMBERS) | {"active", "parent", "image", "ports", "dependencies", "heartbeat", "thresholds", "name"}
    value[draw(st.sampled_from(sorted(members)))] = draw(ANYTHING)


def unknown(draw, value):
    value[draw(st.one_of(st.text(max_size=5), st.sampled_from(["Name", "labels", "name\0", "ports "])))] = 1


def out_of_range(draw, value):
    value.update(draw(st.sampled_from([
        {"min_instances": -1}, {"max_instances": 10**6 + 1}, {"min_instances": 0.5}, {"cpu": 0}, {"cpu": 1e7},
        {"memory": 0}, {"memory": 2**53}, {"memory": 2**53 + 1}, {"image": "a b"}, {"image": "x" * 256},
        {"ports": [0]}, {"ports": [65536]}, {"ports": ["80/x"]}, {"ports": [80, 80]}, {"ports": list(range(1, 34))},
        {"dependencies": ["a,b"]}, {"dependencies": [SEEDS[0]] * 2}, {"parent": "a b"},
        {"dependencies": [f"s{place}" for place in range(17)]}, {"name": ""}, {"name": "-"},
        {"name": "x" * 64}, {"name": "a/b"}, {"heartbeat": "x"}])))


def whole(draw, value):
    value["whole"] = draw(ANYTHING)


def bad_for_others(draw, value):
    """Good by itself, and not with what there is."""
    value.update(draw(st.sampled_from([
        {"parent": "nobody"}, {"dependencies": ["nobody"]}, {"min_instances": 2, "max_instances": 1},
        {"thresholds": [{"name": "A", "metric": "m", "value": 1}] * 2}, {"ports": [80, "80/tcp"]},
        {"name": SEEDS[1]}])))


@st.composite
def bad_objects(draw, operation):
    """About the first there is, one thing in it wrong."""
    schema = operation.contents()["application/json"]
    value = draw(good_objects(operation))
    way = draw(st.sampled_from([of_another_type, unknown, out_of_range, whole, bad_for_others]))
    way(draw, value)
    if way is not bad_for_others:
        value = value.get("whole", value) if way is whole else value
        assume(operation.description.faults(schema, value))
    return json.dumps(value)
