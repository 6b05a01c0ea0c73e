"""/openapi.json: served like the files of the web page, and a good document of OpenAPI 3.0."""

import gzip
import json
import re
import subprocess

import jsonschema
import pytest

from harness import BINARY, REPOSITORY
from openapi import METHODS, description, written_description

PATH = "/openapi.json"
META = json.loads((REPOSITORY / "tests" / "integration" / "data" / "openapi-3.0.json").read_text())


def operations():
    return description().operations.values()


def every(value, kind):
    """All values of that kind in a document."""
    if isinstance(value, kind):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from every(item, kind)


# ---- The document ----


def test_document_is_openapi(shared_weir):
    document = json.loads(shared_weir.get(PATH).body)
    checker = jsonschema.Draft7Validator(META, format_checker=jsonschema.draft7_format_checker)
    assert [f"{list(error.absolute_path)}: {error.message[:200]}"
            for error in checker.iter_errors(document)] == []


@pytest.mark.parametrize("fault", [
    lambda d: d.pop("info"),
    lambda d: d["info"].pop("version"),
    lambda d: d["paths"].update({"x": {}}),
    lambda d: d["paths"]["/metrics"]["get"].pop("responses"),
    lambda d: d["paths"]["/metrics"]["get"].update(response={}),
    lambda d: d["paths"]["/metrics"]["get"]["responses"]["200"].pop("description"),
    lambda d: d["components"]["parameters"]["Job"].pop("required"),
    lambda d: d["components"]["schemas"]["Error"].update(type="objekt"),
    lambda d: d["components"]["schemas"]["Time"].update(pattern="("),
    lambda d: d["components"]["schemas"]["Lines"].update({"type": "array"}),
])
def test_meta_schema_finds_faults(fault):
    document = json.loads(json.dumps(written_description()))
    checker = jsonschema.Draft7Validator(META, format_checker=jsonschema.draft7_format_checker)
    fault(document)
    assert not checker.is_valid(document)


def test_references_lead_somewhere_and_nothing_is_left_over():
    document = written_description()
    used = {value["$ref"] for value in every(document, dict) if isinstance(value.get("$ref"), str)}
    for reference in used:
        description().resolve({"$ref": reference})
    there = {f"#/components/{kind}/{name}" for kind, members in document["components"].items()
             for name in members if kind != "securitySchemes"}
    assert there - used == set()


def test_operations_are_whole():
    tags = {tag["name"] for tag in written_description()["tags"]}
    names = [operation.name for operation in operations()]
    assert len(set(names)) == len(names)
    for operation in operations():
        assert operation.said["tags"][0] in tags, operation.name
        assert operation.said["summary"] and operation.said["description"].endswith("."), operation.name
        in_path = {parameter["name"] for parameter in operation.parameters("path")}
        assert in_path == set(re.findall(r"\{(\w+)\}", operation.template)), operation.name
        assert {400, 401, 429, 503} <= operation.statuses(), operation.name


def test_objects_are_closed():
    """An object of which members are named says whether there may be others."""
    for schema in every(written_description()["components"], dict):
        if schema.get("type") == "object" and "properties" in schema:
            assert "additionalProperties" in schema, schema


def test_examples_and_defaults_are_good():
    checked = 0
    for value in every(written_description(), dict):
        schema = value.get("schema", value)
        for said, by in ((value.get("example"), schema), (value.get("default"), value)):
            if said is not None and isinstance(schema, dict) and ("type" in by or "schema" in value):
                assert description().faults(by, said) == [], value
                checked += 1
    assert checked > 10


# ---- Serving it ----


@pytest.mark.smoke
def test_served_with_the_version(shared_weir):
    response = shared_weir.get(PATH)
    assert (response.status, response.headers["content-type"]) == (200, "application/json")
    document = json.loads(response.body)
    version = subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=True).stdout
    assert document["info"]["version"] in version.split()
    assert document["servers"] == [{"url": "/"}]
    assert {key: value for key, value in document.items() if key != "servers"} == written_description()


def test_below_a_prefix(start_weir):
    weir = start_weir("--web.route-prefix=/w/x")
    document = json.loads(weir.get("/w/x" + PATH).body)
    assert document["servers"] == [{"url": "/w/x"}]
    assert weir.get(PATH).status == 404
    assert f'href="/w/x{PATH}"' in start_weir("--web.external-url=http://h/w/x").get("/w/x/").text


def test_gzip(shared_weir):
    plain = shared_weir.get(PATH)
    response = shared_weir.get(PATH, {"Accept-Encoding": "gzip"})
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(response.body) == plain.body
    assert len(response.body) < len(plain.body) / 4


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_head(shared_weir, coding):
    accepted = {"Accept-Encoding": coding}
    of_get = shared_weir.get(PATH, accepted)
    with shared_weir.connect() as connection:
        of_head = connection.exchange("HEAD", PATH, headers=accepted)
        assert of_head.status == 200
        without_time = [{name: value for name, value in response.headers.items()
                         if name not in ("date", "connection")} for response in (of_head, of_get)]
        assert without_time[0] == without_time[1]
        assert connection.exchange("GET", "/-/healthy").text == "OK"


def test_kept_by_clients(shared_weir):
    response = shared_weir.get(PATH)
    etag = response.headers["etag"]
    assert "max-age=" in response.headers["cache-control"]
    for known in (etag, f'"other", {etag}', etag.removeprefix("W/"), "*"):
        again = shared_weir.get(PATH, {"If-None-Match": known})
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)
    assert shared_weir.get(PATH, {"If-None-Match": '"other"'}).status == 200


def test_other_methods(shared_weir):
    for method in ("PUT", "POST", "DELETE", "PATCH"):
        response = shared_weir.request(method, PATH, b"")
        assert (response.status, response.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    response = shared_weir.request("HEAD", "/-/healthy")
    assert (response.status, response.headers["allow"]) == (405, "GET, OPTIONS")


def test_behind_a_password(start_weir, tmp_path):
    users = "basic_auth_users: {u: $2y$04$MjeTfqPyH2lFAjPyYIP6SeBZNbyHvxCEWUPsOZx7FHVwFsAuFd8Pq}\n"
    (tmp_path / "web.yml").write_text(users)
    weir = start_weir(f"--web.config.file={tmp_path / 'web.yml'}")
    assert weir.get(PATH).status == 401


def test_page_links_to_it(shared_weir):
    assert f'href=".{PATH}"' in shared_weir.get("/status").text


def test_methods_that_are_described_are_known_here():
    """The validator walks the methods that it knows."""
    for item in written_description()["paths"].values():
        assert item.keys() <= set(METHODS)
