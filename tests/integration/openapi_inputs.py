"""Requests made of the description of the HTTP interface: good ones, and ones with something wrong.

A schema says what is good; what it cannot say, such as which fields go together, is said here.
"""

import base64
import gzip
import json
import urllib.parse
import uuid
from dataclasses import dataclass, field

from hypothesis import assume
from hypothesis import strategies as st

import openapi_inventory
import openapi_query
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


@st.composite
def target_config(draw, description):
    """What does not go together is left out."""
    schema = description.resolve({"$ref": "#/components/schemas/TargetConfig"})
    config = draw(good_objects(description, {"type": "object", "properties": {
        name: said for name, said in schema["properties"].items() if name not in ("id", "labels", "attributes")}}))
    if draw(st.booleans()):
        config["attributes"] = draw(attributes())
    if config.get("mode") in ("image", "collector"):  # which have labels of their own
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
    """All of it good; `{id}` is left in the path, for whoever knows what there is."""
    description = operation.description
    request = Request(operation, operation.template)
    for parameter in operation.said.get("parameters", []):
        said = description.resolve(parameter)
        values = parameter_values(description, parameter)
        if said["in"] == "path" and said["name"] != "id":
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


# ---- Bad ones ----

BAD_DURATIONS = ["1", "x", "-1s", "1h1", "1 s", "99999999999h", "s", "1d", "٣s"]
BAD_IDS = ["x", "00000000-0000-4000-8000-00000000000", "00000000-0000-4000-8000-0000000000000", "%00", "%FF",
           "00000000-0000-4000-8000-00000000000g", "00000000_0000_4000_8000_000000000000", "a" * 5000, "%C3%A4",
           "00000000-0000-4000-8000-000000000000"]
BAD_LABELS = ["l", "a=b/x", "__a/x", "1a/x", "a/b/c", "l@base64/foo.bar", "l@base64/A", "%C3%A4/x", "%00/x",
              "a%2Fb%2Fc", "a%20b/x"]
BAD_BASE64 = ["A", "QQ=QQ", "zqDPgc6%2BzrE", "a.b", "%C3%A4", "=", "==", "%00", "A====="]
NO_UTF8 = ["%FF", "x%C3", "%ED%A0%80"]
BAD_TEXTS = ["m", "m x\n", "m 1", "1m 1\n", 'm{a="b" 1\n', 'm{a=b} 1\n', "m 1 2 3\n", "\x00 1\n", "# TYPE m x\nm 1\n",
             '{} 1\n', "\ufeffm 1\n", "m 0x1\n", 'm{a="b",a="c"} 1\n', "{\"a\":1}"]
BAD_MESSAGES = [b"\x01", b"\xff" * 11, b"\x07\x0a\x01m\x18\x09\x22\x00", b"\x06\x18\x01\x22\x02\x12\x00",
                b"\x02\x0a\xff", b"m 1\n"]
BAD_JSON = ["", " ", "{", "}", "[", '{"labels"', '{"labels":}', '{"labels":{"job":"j"}', '{"labels":{"job":"j"}}}',
            '{"labels":{"job":"j"}} x', "{'labels':{'job':'j'}}", '{"labels":{"job":"j"},}', '{labels:{"job":"j"}}',
            '{"labels":{"job":"j"}/**/}', '{"labels":{"job":"a\nb"}}', '{"labels":{"job":"\\ud800"}}',
            '{"labels":{"job":"\\x"}}', '{"labels":{"job":"j"},"silent_after":NaN}', "[" * 1000,
            '{"labels":{"job":"j"},"silent_after":01}', '{"labels":{"job":"j"},"silent_after":1.}',
            '{"labels":{"job":"j"},"silent_after":+1}', '{"labels":{"job":"j"},"silent_after":.5}',
            '{"labels":{"job":"j"},"silent_after":1e}', '{"labels":{"job":"j"},"silent_after":0x1}',
            '{"labels":{"job":"j"}\x00}', '{"labels":{"job":"j"}\x0c}', '\ufeff{"labels":{"job":"j"}}',
            '{"labels":{"job":"j"},"enabled":True}', '{"labels":{"job":"j"},"enabled":nul}']
BAD_UTF8 = [b'{"labels":{"job":"\xff"}}', b'{"labels":{"job":"\xed\xa0\x80"}}', b'{"labels":{"job":"\xc0\x80"}}']
BAD_CODINGS = [("gzip", b"m 1\n"), ("gzip", b""), ("gzip", gzip.compress(b"m 1\n" * 99)[:-9]),
               ("GZIP", b"\x1f\x8b\x08"), ("snappy", b"m 1\n"), ("zstd", b"m 1\n"), ("zstd", b"(\xb5/\xfd")]

# Anything else in the query is looked over, as a Pushgateway does.
LENIENT = {"getPage", "getStatusPage"}
STRICT = {"listTargets", "exportTargets", "discoverTargets", "discoverTargetsToo", "getRules", "getTargetHosts",
          "exportGroups"}


def bad_query_values(description, parameter):
    """Texts that the parameter does not take."""
    schema = description.resolve(parameter["schema"])
    items = description.resolve(schema["items"]) if schema.get("type") == "array" else schema
    if parameter["name"] == "match[]":
        return st.sampled_from(openapi_query.BAD_SELECTORS)
    if items.get("format") == "go-duration":
        return st.sampled_from(BAD_DURATIONS)
    if items.get("type") == "integer":
        large = [str(items["maximum"] + 1), "99999999999999999999"] if "maximum" in items else []
        return st.sampled_from(["", "x", "-1", "1.5", "1e3", " 1", "0x1", "\x00", "1\x00", "٣", *large])
    if "enum" in items:
        return st.one_of(st.sampled_from(["", "x", " ", "\x00", "ACTIVE"]), st.text(max_size=5)).filter(
            lambda text: text not in items["enum"])
    return st.nothing()


def bad_parameters(operation):
    """Names of what is in the query, and values that it does not take."""
    if operation.name in LENIENT:
        return []
    if operation.name == "query":
        return [(name, st.sampled_from([*values, None] if name == "query" else values))
                for name, values in openapi_query.BAD.items()]
    every = [(said["name"], bad_query_values(operation.description, said)) for said in operation.parameters("query")]
    unknown = [(name, st.just("1")) for name in ("x", "", "Match", "match", "\x00", "ä")]
    return ([(name, values) for name, values in every if not values.is_empty]
            + (unknown if operation.name in STRICT else []))


@st.composite
def bad_query(draw, request):
    name, values = draw(st.sampled_from(bad_parameters(request.operation)))
    # Of several, the first one counts for some and the last one for others.
    request.query = [pair for pair in request.query if pair[0] != name]
    value = draw(values)
    if value is not None:  # else it is missing
        request.query.append((name, value))
    return request


@st.composite
def bad_header(draw, request):
    request.headers["Weir-TTL"] = draw(st.sampled_from(BAD_DURATIONS[:-1]))
    return request


BAD_PLACES = {"id": BAD_IDS, "labels": BAD_LABELS, "job": BAD_BASE64, "file": ["x", "..x", "%00", "style.css%00"],
              "action": ["x", "enable%00", "Enable", "heartbeat%2Fx", "a" * 5000]}


def bad_places(operation):
    """A group of a job that is no UTF-8 may be deleted."""
    return [said["name"] for said in operation.parameters("path")
            if said["name"] != "job" or "base64" in operation.template or operation.method != "DELETE"]


@st.composite
def bad_path(draw, request):
    operation = request.operation
    names = [said["name"] for said in operation.parameters("path")]
    place = draw(st.sampled_from(bad_places(operation)))
    if place == "job" and "base64" not in operation.template:
        bad = NO_UTF8
    else:
        bad = BAD_PLACES[place]
        if openapi_inventory.is_inventory(operation) and openapi_inventory.kind_of(operation) != "host":
            bad = openapi_inventory.bad_ids(operation)
    start = operation.template.replace("{id}", "{id}" if place != "id" else "\x00").replace("{%s}" % place, "\x00")
    for name in names:
        start = start.replace("{%s}" % name, "{id}" if name == "id" else "heartbeat" if name == "action" else
                              "l/v" if name == "labels" else "YQ" if "base64" in operation.template else "j")
    request.path = start.replace("\x00", draw(st.sampled_from(bad)))
    return request


@st.composite
def bad_object(draw, request):
    """A good body, and one thing in it that its schema does not take."""
    if openapi_inventory.is_inventory(request.operation):
        return draw(bad_inventory(request, openapi_inventory.SAID_BY_SCHEMA))
    description = request.operation.description
    schema = request.operation.contents()["application/json"]
    members = description.resolve({"$ref": "#/components/schemas/TargetConfig"})["properties"]
    value = draw(target_config(description))
    if request.operation.name == "createTarget":
        value["labels"] = draw(target_labels())
    change = draw(st.sampled_from(["type", "unknown", "long", "label", "attribute", "threshold", "missing", "whole"]))
    if change == "type":
        value[draw(st.sampled_from(sorted(members)))] = draw(ANYTHING)
    elif change == "unknown":
        value[draw(st.one_of(st.text(max_size=5), st.sampled_from(["Labels", "ID", "labels\x00", "labels "])))] = 1
    elif change == "long":
        value.update(draw(st.sampled_from([
            {"address": "a" * 256}, {"path": "/" + "p" * 1023}, {"silent_after": 1001}, {"silent_after": -1},
            {"silent_after": 0.5}, {"attributes": {f"a{i}": "" for i in range(65)}},
            {"attributes": {"a": "x" * 1025}}, {"path": "x"}, {"path": "/ x"}, {"address": "a b"},
            {"thresholds": [{"name": "A", "metric": "m", "value": 1}] * 33}, {"id": "x"}])))
    elif change == "label":
        value["labels"] = draw(st.sampled_from([
            {}, {"job": ""}, {"instance": "i"}, {"job": 1}, {"job": None}, {"job": "j", "a": ["x"]}, [], None, "job"]))
    elif change == "attribute":
        value["attributes"] = {"a": draw(ANYTHING.filter(lambda one: one is not None and not isinstance(one, str)))}
    elif change == "threshold":
        threshold = {"name": "A", "metric": "m", "op": ">", "value": 1, "for": "1m", "severity": "page"}
        threshold[draw(st.sampled_from([*threshold, "x"]))] = draw(ANYTHING)
        value["thresholds"] = [threshold]
    elif change == "missing":
        value.pop("labels", None)
    else:
        value = draw(ANYTHING)
    assume(description.faults(schema, value))
    request.body = json.dumps(value).encode()
    return request


@st.composite
def bad_inventory(draw, request, ways):
    operation = request.operation
    request.path = operation.template.replace("{id}", str(openapi_inventory.first_of(operation)))
    request.body = draw(openapi_inventory.bad_objects(operation, ways)).encode()
    request.headers.pop("Content-Encoding", None)
    return request


def bad_reference(request):
    """To what is not there, or a name that is another one's."""
    return bad_inventory(request, openapi_inventory.BEYOND_SCHEMAS)


@st.composite
def bad_body(draw, request):
    kinds = sorted(request.operation.contents())
    request.headers.pop("Content-Encoding", None)
    if kinds == ["application/json"]:
        if draw(st.booleans()):
            request = draw(bad_object(request))
        else:
            request.body = draw(st.one_of(st.sampled_from(BAD_JSON).map(str.encode), st.sampled_from(BAD_UTF8)))
    elif kinds == [FORM]:
        schema = request.operation.contents()[FORM]
        request.body = draw(openapi_query.bad_forms(draw(good_values(request.operation.description, schema))))
    elif request.operation.name == "importTargets":
        line = draw(st.one_of(st.sampled_from(BAD_JSON).map(str.encode), st.sampled_from(BAD_UTF8)))
        assume(line.strip(b" \t\r\n") and b"\n" not in line)
        request.body = b'{"labels":{"job":"before"}}\n' + line + b'\n{"labels":{"job":"after"}}\n'
    elif request.headers["Content-Type"].startswith("application/vnd"):
        request.body = draw(st.sampled_from(BAD_MESSAGES))
    else:
        request.body = draw(st.sampled_from(BAD_TEXTS)).encode()
    return request


@st.composite
def bad_coding(draw, request):
    request.headers["Content-Encoding"], request.body = draw(st.sampled_from(BAD_CODINGS))
    return request


def ways_to_be_bad(operation):
    has_ttl = any(said["name"] == "Weir-TTL" for said in operation.parameters("header"))
    # An import of groups tells of bad lines one by one, with 200.
    has_body = operation.contents() and operation.name != "importGroups"
    return {way: make for way, make, is_there in (
        ("query", bad_query, bad_parameters(operation)), ("header", bad_header, has_ttl),
        ("path", bad_path, bad_places(operation)), ("body", bad_body, has_body),
        ("reference", bad_reference, has_body and openapi_inventory.is_inventory(operation)),
        ("coding", bad_coding, operation.contents())) if is_there}


@st.composite
def bad_requests(draw, operation):
    ways = ways_to_be_bad(operation)
    request = draw(good_requests(operation))
    request.wrong = draw(st.sampled_from(sorted(ways)))
    return draw(ways[request.wrong](request))
