"""Requests with something wrong in them, made of good ones and of the description of the HTTP interface."""

import gzip
import json

from hypothesis import assume
from hypothesis import strategies as st

import openapi_inventory
import openapi_query
import openapi_services
from openapi_inputs import FORM, good_requests, good_values, target_config, target_labels
from openapi_values import ANYTHING

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
STRICT = {"listTargets", "listServices", "exportTargets", "discoverTargets", "discoverTargetsToo", "getRules",
          "getTargetHosts", "exportGroups"}


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
    if "pattern" in items:
        return st.sampled_from(["", "-", "--a", "1a", "a-b", "a b", "ä", "\x00", "a\x00"])
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


BAD_PLACES = {"id": BAD_IDS, "name": openapi_services.BAD_NAMES, "labels": BAD_LABELS, "job": BAD_BASE64,
              "file": ["x", "..x", "%00", "style.css%00"],
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
    if openapi_services.is_service(request.operation):
        request.body = draw(openapi_services.bad_objects(request.operation)).encode()
        return request
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
