"""Good requests made of the description of the HTTP interface; openapi_bad_inputs.py makes bad ones of them.

A schema says what is good; what it cannot say, such as which fields go together, is said here.
"""

import base64
import gzip
import json
import urllib.parse
import uuid
from dataclasses import dataclass, field

from hypothesis import strategies as st

import openapi_inventory
import openapi_query
import openapi_services
import protobuf
from openapi_values import ANYTHING, DURATIONS, NAMES, TEXTS, number

VALUES = st.sampled_from(["0", "1", "-1.5", "1e300", "NaN", "+Inf", "-Inf", "123456789.25"])
FORM = "application/x-www-form-urlencoded"


@dataclass
class Request:
    operation: object
    path: str
    query: list = field(default_factory=list)  # pairs
    headers: dict = field(default_factory=dict)
    body: bytes = None
    wrong: str = ""  # what is; nothing: it is good

    @property
    def method(self):
        return self.operation.method

    @property
    def target(self):
        query = urllib.parse.urlencode(self.query)
        return f"{self.path}?{query}" if query else self.path

    def send(self, connection):
        return connection.exchange(self.method, self.target, self.body, self.headers)


# ---- By schema ----


def good_values(description, schema):
    """Values that a schema takes."""
    name = schema.get("$ref", "").rpartition("/")[2]
    if name in SPECIAL:
        return SPECIAL[name]()
    schema = description.resolve(schema)
    if "allOf" in schema:
        return good_values(description, schema["allOf"][0])
    values = BY_TYPE[schema.get("type")](description, schema)
    return st.one_of(values, st.none()) if schema.get("nullable") else values


def good_strings(_, schema):
    if schema.get("format") == "go-duration":
        return st.sampled_from(DURATIONS[1:])
    if schema.get("format") in openapi_query.FORMATS:
        return st.sampled_from(openapi_query.FORMATS[schema["format"]])
    if "enum" in schema:
        return st.sampled_from([value for value in schema["enum"] if value is not None])
    if "pattern" in schema:
        most = schema.get("maxLength", 1000)
        return st.from_regex(schema["pattern"].replace("$", r"\Z"), fullmatch=False).filter(
            lambda text: len(text.encode("utf-8", "replace")) <= most and is_text(text))
    return TEXTS.filter(lambda text: len(text) >= schema.get("minLength", 0))


def is_text(text):
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def good_integers(_, schema):
    return st.integers(schema.get("minimum", 0), min(schema.get("maximum", 1000), 10000))


def good_arrays(description, schema):
    return st.lists(good_values(description, schema["items"]), max_size=min(schema.get("maxItems", 3), 3))


def good_objects(description, schema):
    needed = schema.get("required", [])
    members = {name: good_values(description, said) for name, said in schema.get("properties", {}).items()}
    return st.fixed_dictionaries({name: members[name] for name in needed},
                                 optional={name: said for name, said in members.items() if name not in needed})


BY_TYPE = {
    "array": good_arrays,
    "boolean": lambda *_: st.booleans(),
    "integer": good_integers,
    "number": lambda *_: st.one_of(st.integers(-10, 10), st.floats(allow_nan=False, allow_infinity=False, width=32)),
    "object": good_objects,
    "string": good_strings,
    None: lambda *_: ANYTHING,
}


# ---- What schemas cannot say ----


def attributes():
    return st.dictionaries(NAMES.map("a_".__add__), TEXTS, max_size=3)


@st.composite
def target_labels(draw):
    """Another key each time."""
    return {"job": draw(TEXTS.filter(bool)), "instance": draw(TEXTS), "n": str(next(number))}


def identity():
    """Ids that nobody else has."""
    return st.builds(lambda: str(uuid.UUID(int=next(number) << 64 | 4 << 76 | 2 << 62)))


def target_addresses():
    """The pattern cannot say what is an IPv6 address."""
    hosts = st.one_of(NAMES, NAMES.map("tasks_1.".__add__), st.sampled_from(["192.0.2.7", "[::1]", "[2001:db8::192.0.2.7]"]))
    ports = st.sampled_from([":1", ":9100", ":65535", ":080"])
    return st.one_of(st.sampled_from(["", "2001:db8::7"]), hosts, st.builds("{}{}".format, hosts, ports))


@st.composite
def target_config(draw, description):
    """What does not go together is left out."""
    schema = description.resolve({"$ref": "#/components/schemas/TargetConfig"})
    config = draw(good_objects(description, {"type": "object", "properties": {
        name: said for name, said in schema["properties"].items() if name not in ("id", "labels", "attributes")}}))
    if draw(st.booleans()):
        config["attributes"] = draw(attributes())
    if config.get("mode") in ("image", "collector", "service"):  # which have labels of their own
        del config["mode"]
    if config.get("mode") in ("pull", "static"):
        config["address"] = config.get("address") or "host:9100"
    # A patch may meet another mode, of which dns wants the most, or another interval.
    elif config.get("mode") == "dns" or "address" in config and "mode" not in config:
        config["address"] = draw(NAMES) + ".invalid:9100"
    longest = {"": 0, "0": 0, "1s": 1, "1.5s": 1.5, "1500ms": 1.5, "90s": 90, "+2m": 120, "1h30m": 5400,
               "24h0m0s": 86400}
    interval, timeout = (config.get(name) or "" for name in ("scrape_interval", "scrape_timeout"))
    if longest[timeout] > longest[interval] or "scrape_interval" not in config:
        config.pop("scrape_timeout", None)
        config.pop("scrape_interval", None)
    return config


@st.composite
def exposition(draw):
    """Text whose families have their types by their names, so that no two pushes contradict."""
    lines = []
    for name in draw(st.lists(NAMES, unique=True, max_size=3)):
        kind = draw(st.sampled_from(["counter", "gauge", "untyped"]))
        lines.append(f"# TYPE {kind}_{name} {kind}\n")
        for label in draw(st.lists(NAMES, unique=True, min_size=1, max_size=3)):
            lines.append(f'{kind}_{name}{{body_l="{label}"}} {draw(VALUES)}\n')
    return "".join(lines)


@st.composite
def openmetrics(draw):
    name, value = draw(NAMES), draw(VALUES)
    return f'# TYPE gauge_{name} gauge\ngauge_{name}{{body_l="om"}} {value}\n# EOF\n'


@st.composite
def messages(draw):
    """Protobuf."""
    texts = (f'name: "gauge_{name}" type: GAUGE metric {{ label {{ name: "body_l" value: "pb" }} '
             f'gauge {{ value: 1 }} }}' for name in draw(st.lists(NAMES, unique=True, max_size=2)))
    return protobuf.body(*texts)


@st.composite
def group_lines(draw):
    """An export of groups, as far as an import needs it."""
    lines = []
    for _ in range(draw(st.integers(0, 3))):
        families = [{"name": f"gauge_{name}", "type": "gauge", "pushed": "1795779540.5", "samples": [
            {"labels": {"body_l": "imported"}, "value": draw(VALUES)}]}
            for name in draw(st.lists(NAMES, unique=True, max_size=2))]
        lines.append(json.dumps({"labels": {"job": f"imported{next(number)}"}, "pushed": "1795779540.5",
                                 "families": families}))
    return "".join(line + "\n" for line in lines)


def values_in_path():
    """Not empty, no slash, and no dots alone, which lead elsewhere."""
    return TEXTS.filter(lambda text: text and "/" not in text and text not in (".", "..") and len(text) < 100)


@st.composite
def labels_in_path(draw):
    pairs = draw(st.lists(st.tuples(NAMES.map("l_".__add__), values_in_path()), min_size=1, max_size=3,
                          unique_by=lambda pair: pair[0]))
    return "/".join(f"{name}/{value}" for name, value in pairs)


def base64url(text):
    return base64.urlsafe_b64encode(text.encode()).decode()


SPECIAL = {
    "TargetAddress": target_addresses,
    "Duration": lambda: st.sampled_from(DURATIONS[1:]),
    "Id": identity,
    "TargetLabels": target_labels,
}

PARAMETERS = {
    "Job": values_in_path,
    "JobBase64": lambda: st.one_of(TEXTS.filter(bool).map(base64url),
                                   TEXTS.filter(bool).map(lambda text: base64url(text).rstrip("="))),
    "GroupingLabels": labels_in_path,
    "Match": lambda: st.lists(st.sampled_from(openapi_query.SELECTORS), max_size=2),
    "AcceptEncoding": lambda: st.sampled_from(["gzip", "zstd", "identity", "gzip;q=0, zstd", "x", "*"]),
    "Accept": lambda: st.sampled_from([
        "text/plain", "application/openmetrics-text;version=1.0.0", "text/plain;version=1.0.0;escaping=allow-utf-8",
        "*/*", "text/html", "x", "application/openmetrics-text; version=0.0.1, */*;q=0.1"]),
    "IfNoneMatch": lambda: st.just('"something else"'),
}


def parameter_values(description, parameter):
    name = parameter.get("$ref", "").rpartition("/")[2]
    said = description.resolve(parameter)
    if name in PARAMETERS:
        return PARAMETERS[name]()
    if said["name"] == "file":
        return st.just("style.css")
    return good_values(description, said["schema"])


@st.composite
def bodies(draw, operation, known):
    """The type and the bytes of a good body, which may be about one of the inventory that is known."""
    description = operation.description
    kind = draw(st.sampled_from(sorted(operation.contents())))
    if kind == FORM:
        body = draw(openapi_query.good_forms(draw(good_values(description, operation.contents()[kind]))))
    elif openapi_inventory.is_inventory(operation):
        known = None if operation.name.startswith("create") else known
        body = json.dumps(draw(openapi_inventory.good_objects(operation, known)), ensure_ascii=draw(st.booleans()))
    elif openapi_services.is_service(operation):
        body = json.dumps(draw(openapi_services.good_objects(operation)))
    elif operation.name == "importGroups":
        body = draw(group_lines())
    elif operation.name == "importTargets":
        body = "".join(json.dumps(draw(new_target(description))) + "\n" for _ in range(draw(st.integers(0, 3))))
    elif operation.name == "createTarget":
        body = json.dumps(draw(new_target(description)), ensure_ascii=draw(st.booleans()))
    elif kind == "application/json":
        body = json.dumps(draw(target_config(description)))
    elif kind == protobuf.CONTENT_TYPE.partition(";")[0]:
        return protobuf.CONTENT_TYPE, draw(messages())
    else:
        body = draw(openmetrics() if "openmetrics" in kind else exposition())
    return kind, body.encode()


@st.composite
def new_target(draw, description):
    target = {**draw(target_config(description)), "labels": draw(target_labels())}
    if draw(st.booleans()):
        target["id"] = draw(identity())
    return target


# ---- Good requests ----


@st.composite
def good_requests(draw, operation):
    """All of it good; `{id}` and `{name}` are left in the path, for whoever knows what there is."""
    description = operation.description
    request = Request(operation, operation.template)
    for parameter in operation.said.get("parameters", []):
        said = description.resolve(parameter)
        values = parameter_values(description, parameter)
        if said["in"] == "path" and said["name"] in ("id", "name"):
            continue
        if said["in"] == "path":
            part = urllib.parse.quote(draw(values), safe="")
            if said["name"] == "labels" and draw(st.booleans()):
                part = part.replace("%2F", "/")
            request.path = request.path.replace("{%s}" % said["name"], part)
        elif said["in"] == "query" and (said.get("required") or draw(st.booleans())):
            value = draw(values)
            request.query += [(said["name"], one) for one in (value if isinstance(value, list) else [value])]
        elif said["in"] == "header" and draw(st.booleans()):
            request.headers[said["name"]] = draw(values)
    known = None
    if openapi_inventory.is_inventory(operation) and operation.method != "DELETE":
        known = draw(openapi_inventory.known_ids(operation))
        request.path = request.path.replace("{id}", str(known))
    if operation.contents():
        kind, request.body = draw(bodies(operation, known))
        request.headers["Content-Type"] = kind
        if draw(st.integers(0, 3)) == 0:
            request.body = gzip.compress(request.body)
            request.headers["Content-Encoding"] = "gzip"
    return request
