"""The description of weir's HTTP interface, and answers held against it.

Schemas of OpenAPI 3.0 are nearly those of JSON Schema: what differs, `nullable`, is rewritten.
"""

import functools
import gzip
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import jsonschema

REPOSITORY = Path(__file__).resolve().parents[2]
METHODS = ("get", "put", "post", "delete", "patch", "head")
# What any answer may have; all else is named by the operation.
EVERYWHERE = {"connection", "content-encoding", "content-length", "content-type", "date", "transfer-encoding",
              "x-content-type-options",
              # --web.config.file may set these for all of them.
              "content-security-policy", "x-frame-options", "x-xss-protection", "strict-transport-security"}
LARGE = 64 * 1024  # bytes of a body that are not worth the time to check


class Undescribed(AssertionError):
    """The answer is not as the description has it."""


@functools.cache
def written_description():
    """As it is in the source tree: all of it but its servers."""
    parts = REPOSITORY / "src" / "api" / "openapi"
    head = parts / "weir.json"
    others = sorted(path for path in parts.glob("*.json") if path != head)
    version = re.search(r"version: '(.*?)'", (REPOSITORY / "meson.build").read_text())[1]
    joined = subprocess.run([REPOSITORY / "scripts" / "join-openapi", "/dev/stdout", version, head, *others],
                            capture_output=True, check=True)
    return json.loads(joined.stdout)


@functools.cache
def description():
    return Description(written_description())


def as_json_schema(value):
    """A schema, or whatever has some in it, by the words of JSON Schema."""
    if isinstance(value, list):
        return [as_json_schema(item) for item in value]
    if not isinstance(value, dict):
        return value
    schema = {name: as_json_schema(item) for name, item in value.items() if name != "nullable"}
    return {"anyOf": [schema, {"enum": [None]}]} if value.get("nullable") is True else schema


@dataclass
class Operation:
    method: str  # upper case
    template: str
    said: dict
    description: "Description"

    @property
    def name(self):
        return self.said["operationId"]

    def parameters(self, place):
        every = map(self.description.resolve, self.said.get("parameters", []))
        return [parameter for parameter in every if parameter["in"] == place]

    def contents(self):
        """Media types of the request's body, with their schemas."""
        body = self.description.resolve(self.said.get("requestBody", {}))
        return {kind: content["schema"] for kind, content in body.get("content", {}).items()}

    def statuses(self):
        return {int(status) for status in self.said["responses"]}


class Description:
    """A document of OpenAPI 3.0, to ask for operations and to check answers by."""

    def __init__(self, document):
        self.document = document
        self.schemas = as_json_schema(document)
        self.resolver = jsonschema.RefResolver("", self.schemas)
        self.seen = set()  # names of operations with statuses that they were answered with
        self.operations = {
            (method.upper(), template): Operation(method.upper(), template, item[method], self)
            for template, item in document["paths"].items() for method in METHODS if method in item}

    def resolve(self, value):
        """What is referred to, if it is a reference."""
        while "$ref" in value:
            found = self.document
            for name in value["$ref"].removeprefix("#/").split("/"):
                found = found[name.replace("~1", "/").replace("~0", "~")]
            value = found
        return value

    def faults(self, schema, value):
        """What is wrong with a value by a schema; none: it is good."""
        validator = jsonschema.Draft7Validator(as_json_schema(schema), resolver=self.resolver)
        return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
                for error in validator.iter_errors(value)]

    def operation_of(self, method, path):
        """That of a request's path as it was sent; None: there is none of this method."""
        found = [template for template in self.document["paths"] if pattern_of(template).match(path)]
        return self.operations.get((method, min(found, key=lambda t: t.count("{")))) if found else None

    def check(self, method, template, response):
        """Fails when the answer is not as it is described."""
        operation = self.operations[method, template]
        said = operation.said["responses"].get(str(response.status))
        where = f"{method} {template}: {response.status}"
        if said is None:
            raise Undescribed(f"{where} is not described: {response.body[:300]!r}")
        self.seen.add((operation.name, response.status))
        said = self.resolve(said)
        self._check_headers(said.get("headers", {}), response, where)
        self._check_body(said.get("content", {}), method, response, where)

    def _check_headers(self, said, response, where):
        known = {name.lower(): self.resolve(header) for name, header in said.items()}
        for name in response.headers.keys() - EVERYWHERE:
            if name not in known:
                raise Undescribed(f"{where}: the header {name} is not described")
            faults = self.faults(known[name]["schema"], response.headers[name])
            if faults:
                raise Undescribed(f"{where}: {name}: {faults}")
        missing = [name for name, header in known.items()
                   if header.get("required") and name not in response.headers]
        if missing:
            raise Undescribed(f"{where}: without {missing}")

    def _check_body(self, said, method, response, where):
        kind = response.headers.get("content-type")
        if kind is None:
            if response.body:
                raise Undescribed(f"{where}: a body without a type: {response.body[:300]!r}")
            return
        kind = kind.partition(";")[0].strip()
        if kind not in said:
            raise Undescribed(f"{where}: {kind} is not described: {response.body[:300]!r}")
        is_coded = response.headers.get("content-encoding", "gzip") != "gzip"
        if method == "HEAD" or "schema" not in said[kind] or len(response.body) > LARGE or is_coded:
            return
        faults = self.faults(said[kind]["schema"], value_of(kind, self.resolve(said[kind]["schema"]), response))
        if faults:
            raise Undescribed(f"{where}: {faults} in {response.body[:600]!r}")


def check_answer(prefix, method, target, response):
    """An answer of a weir below that prefix, if its request leads to what is described."""
    path = target.partition("?")[0]
    operation = description().operation_of(method, path[len(prefix):]) if path.startswith(prefix) else None
    # Settings may have put it elsewhere.
    if operation and (response.status, response.body) != (404, b"404 page not found\n"):
        description().check(method, operation.template, response)


def value_of(kind, schema, response):
    """The body as what its schema is about."""
    is_coded = response.headers.get("content-encoding") == "gzip"
    body = gzip.decompress(response.body) if is_coded else response.body
    if kind == "application/json":
        try:
            return json.loads(body)
        except ValueError as error:
            raise Undescribed(f"no JSON: {error}: {body[:300]!r}") from None
    return body.decode("latin-1" if schema.get("format") == "binary" else "utf-8")


@functools.cache
def pattern_of(template):
    """{labels} and {file} may have slashes in them."""
    parts = re.split(r"\{(\w+)\}", template)
    names = {"labels": "(.+)", "file": "(.+)"}
    return re.compile("".join(names.get(part, "([^/]+)") if i % 2 else re.escape(part)
                              for i, part in enumerate(parts)) + r"\Z")
