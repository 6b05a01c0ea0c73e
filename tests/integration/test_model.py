"""Random pushes and deletes, each compared with a model that checks all of the store each time."""

import random

import pytest

OPERATIONS = 1500
GROUPS = [
    {"job": "a"}, {"job": "b"}, {"job": "a", "zone": "n"}, {"job": "a", "zone": ""},
    {"job": "b", "instance": ""}, {"job": "b", "instance": "i"}, {"job": "b", "zone": "n"},
    {"job": "a", "instance": "i", "zone": "n"},
]
LABELS = ["", 'zone="n"', 'zone=""', 'zone="s"', 'instance="i"', 'job="b"', 'x="1"', 'x="2"']
NAMES = ["m", "n", "h", "h_count", "h_sum", "h_bucket", "s", "s_count", "z"]
TYPES = {"h": ("histogram",), "s": ("summary", "gauge"), "m": ("gauge",), "n": ("counter", "gauge")}
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}


def parse(labels):
    return dict(part.replace('"', "").split("=") for part in labels.split(",") if part)


def identity(labels):
    return frozenset((name, value) for name, value in labels.items() if value)


class Model:
    """Groups by key; a group is {family: (type, [(sample name, labels, value)])}."""

    def __init__(self):
        self.groups = {}

    @staticmethod
    def is_consistent(groups):
        if len({identity(dict(key)) for key in groups}) < len(groups):
            return False
        types, series = {}, set()
        for group in groups.values():
            for name, (kind, samples) in group.items():
                if types.setdefault(name, kind) != kind:
                    return False
                for sample, labels, _ in samples:
                    if (sample, identity(labels)) in series:
                        return False
                    series.add((sample, identity(labels)))
        return not any(name + suffix in types for name, kind in types.items()
                       for suffix in SUFFIXES.get(kind, ()))

    def push(self, method, key, families):
        groups = dict(self.groups)
        kept = groups.get(key, {}) if method == "POST" else {}
        groups[key] = {**kept, **families}
        if not self.is_consistent(groups):
            # The group is there then, with the time of its failure, unless that would be the
            # same series as another group's.
            if self.is_consistent({**self.groups, key: {}}):
                self.groups.setdefault(key, {})
            return 400
        self.groups = groups
        return 200

    def delete(self, key):
        self.groups.pop(key, None)

    def samples(self):
        return {(sample, identity(labels)): value for group in self.groups.values()
                for _, samples in group.values() for sample, labels, value in samples}


def random_family(key, name):
    """The text of a family, and what the model makes of it."""
    kind = random.choice(TYPES.get(name, ("untyped",)))
    lines, samples = [f"# TYPE {name} {kind}"], []
    for text in random.sample(LABELS, random.choice((1, 1, 2, 3))):
        labels = {**parse(text), **dict(key)}
        value = random.randrange(1000)
        if kind == "histogram":
            lines += [f'{name}_bucket{{{text},le="1"}} {value}'.replace("{,", "{"),
                      f"{name}_count{{{text}}} {value + 1}"]
            samples += [(f"{name}_bucket", {**labels, "le": "1"}, value),
                        (f"{name}_bucket", {**labels, "le": "+Inf"}, value + 1),
                        (f"{name}_sum", labels, 0), (f"{name}_count", labels, value + 1)]
        elif kind == "summary":
            lines.append(f"{name}_count{{{text}}} {value}")
            samples += [(f"{name}_sum", labels, 0), (f"{name}_count", labels, value)]
        else:
            lines.append(f"{name}{{{text}}} {value}")
            samples.append((name, labels, value))
    return "\n".join(lines) + "\n", (kind, samples)


def path_of(key):
    labels = dict(key)
    path = f"/metrics/job/{labels.pop('job')}"
    for name, value in labels.items():
        path += f"/{name}/{value}" if value else f"/{name}@base64/="
    return path


def shown(page):
    return {key: float(value) for key, value in page.samples.items()
            if not key[0].startswith(("push_", "weir_", "pushgateway_", "process_"))}


@pytest.mark.smoke
@pytest.mark.parametrize("seed", range(4))
def test_random_operations(weir, seed):
    random.seed(seed)
    model, statuses = Model(), {200: 0, 400: 0, 202: 0}
    with weir.connect() as connection:
        for number in range(OPERATIONS):
            key = tuple(sorted(random.choice(GROUPS).items()))
            method = random.choice(("PUT", "POST", "POST", "DELETE"))
            if method == "DELETE":
                body, wanted = None, 202
                model.delete(key)
            else:
                names = random.sample(NAMES, random.choice((0, 1, 1, 2, 3)))
                # Behind its TYPE a family takes in what is named like a part of it.
                names = [name for name in names
                         if not any(name.startswith(other + "_") for other in names)]
                texts = {name: random_family(key, name) for name in names}
                body = "".join(text for text, _ in texts.values())
                wanted = model.push(method, key, {name: made for name, (_, made) in texts.items()})
            answer = connection.exchange(method, path_of(key), body)
            assert answer.status == wanted, (number, key, body, answer.text)
            statuses[wanted] += 1
            if number % 25 == 0:
                assert shown(weir.scrape()) == model.samples(), number
    assert shown(weir.scrape()) == model.samples()
    assert min(statuses.values()) > OPERATIONS / 20, statuses


def test_model_itself():
    """The model refuses what it should, lest it agree to anything."""
    model = Model()
    gauge = {"m": ("gauge", [("m", {"job": "a"}, 1)])}
    assert model.push("PUT", (("job", "a"),), gauge) == 200
    assert model.push("PUT", (("job", "a"), ("zone", "")), {}) == 400
    key = (("job", "b"),)
    assert model.push("PUT", key, {"m": ("counter", [("m", dict(key), 1)])}) == 400
    assert model.push("PUT", key, gauge) == 400
    assert model.push("PUT", key, {"m": ("gauge", [("m", dict(key), 1)])}) == 200
