"""Every operation of /openapi.json with good input and with bad, made of the description by a generator.

WEIR_GENERATED_EXAMPLES has it make as many of each, instead of a few. It makes the same ones each time.
"""

import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import openapi_services
from harness import Weir
from openapi import description
from openapi_bad_inputs import bad_requests, ways_to_be_bad
from openapi_inputs import good_requests
from openapi_inventory import is_inventory, kind_of, prepared, seeds
from openapi_values import DURATIONS, number
from orwell import make
from targets import TARGETS, create, data

EXAMPLES = int(os.environ.get("WEIR_GENERATED_EXAMPLES", "6"))
ENDS = {"getQuit", "postQuit", "putQuit"}  # test_lifecycle.py has them
OPERATIONS = sorted((operation for operation in description().operations.values() if operation.name not in ENDS),
                    key=lambda operation: operation.name)
BY_NAME = {operation.name: operation for operation in OPERATIONS}


def generated(count=EXAMPLES):
    return settings(max_examples=count, derandomize=True, deadline=None, database=None, print_blob=False,
                    suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def weirs(tmp_path_factory):
    """One for what is good, one for what is bad. Both have to end well."""
    started = [Weir(tmp_path_factory.mktemp(name), "--web.enable-admin-api") for name in ("good", "bad")]
    for weir in started:
        data(weir.post(TARGETS + "/import", "".join(json.dumps(seed) + "\n" for seed in (*seeds(), *openapi_services.seeds()))))
    yield started
    for weir in started:
        weir.stop()


def send(weir, request):
    """The answer, which weir.request() has found to be as described."""
    return weir.request(request.method, request.target, request.body, request.headers)


# ---- Good ----


def prepare(weir, request):
    """What it asks for is there."""
    if "{id}" in request.path and is_inventory(request.operation):
        kind = kind_of(request.operation)
        request.path = request.path.replace("{id}", str(make(weir, f"/{kind}s", **prepared(kind))["id"]))
    elif "{id}" in request.path:
        target = create(weir, {"job": "prepared", "n": str(next(number))}, mode="virtual")
        request.path = request.path.replace("{id}", target["id"])
    if "{name}" in request.path:
        name = openapi_services.fresh_name()
        data(weir.post("/api/v1/services", json.dumps({"name": name})), 201)
        request.path = request.path.replace("{name}", name)
    if request.path.startswith("/metrics/target/"):
        weir.put(request.path.replace("/metrics/target/", "/metrics/", 1))


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_good_input_is_accepted(weirs, name):
    @generated()
    @given(good_requests(BY_NAME[name]))
    def test(request):
        prepare(weirs[0], request)
        response = send(weirs[0], request)
        assert 200 <= response.status < 300, (request, response)
        if name == "importGroups":
            assert json.loads(response.body)["data"]["refused"] == 0, (request, response)
    test()


# ---- Bad ----


def state(weir):
    """All that somebody could have changed, but the times of pushes that failed."""
    kept = [sorted(weir.get(f"{TARGETS}/export{mode}").body.splitlines())
            for mode in ("", "?mode=image", "?mode=collector", "?mode=service")]
    return kept, weir.scrape().stored()


@pytest.fixture(scope="module")
def bad_weir(weirs):
    """One with something to lose."""
    weir = weirs[1]
    weir.put("/metrics/job/kept", "kept 1\n")
    weir.target = create(weir, {"job": "kept", "instance": "i"}, interval=DURATIONS[-1], attributes={"a": "b"})
    return weir


@pytest.mark.parametrize("name", [name for name in sorted(BY_NAME) if ways_to_be_bad(BY_NAME[name])])
def test_bad_input_is_refused_and_changes_nothing(bad_weir, name):
    before = state(bad_weir)

    @generated(2 * EXAMPLES)
    @given(bad_requests(BY_NAME[name]))
    def test(request):
        request.path = request.path.replace("{id}", bad_weir.target["id"]).replace("{name}", openapi_services.SEEDS[0])
        response = send(bad_weir, request)
        assert 400 <= response.status < 500, (request, response)
        # What a Pushgateway says of an empty body that is to be gzip is no sentence.
        assert len(response.body) > 8 or response.body == b"EOF\n", (request, response)
        assert state(bad_weir) == before, (request, response)
    test()


METHODS = ["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "get", "TRACE", "PROPFIND", "M-SEARCH", "X"]


@pytest.mark.parametrize("template", sorted({operation.template for operation in OPERATIONS}))
def test_other_methods_are_refused(bad_weir, template):
    before = state(bad_weir)
    there = {method for method, other in description().operations if other == template}
    path = template.format(job="YQ", labels="l/v", id=bad_weir.target["id"], name="x", action="enable",
                           file="style.css")
    for method in METHODS:
        if method not in there:
            response = bad_weir.request(method, path, b"x")
            assert response.status == 405, (method, path, response)
            assert set(response.headers["allow"].split(", ")) == there | {"OPTIONS"}
    options = bad_weir.request("OPTIONS", path)
    assert (options.status, options.body) == (200, b"")
    if not path.startswith("/api/v1/"):
        assert set(options.headers["allow"].split(", ")) == there | {"OPTIONS"}
    assert state(bad_weir) == before


TRANSPORT = [
    (417, {"Expect": "something"}),
    (501, {"Transfer-Encoding": "gzip"}),
    (400, {"Host": None}),
    (400, {"Content-Length": "x"}),
    (400, {"Content-Length": "-1"}),
    (400, {"X": "a\x00b"}),
    (431, {"X": "x" * (1 << 21)}),
    (413, {"Content-Length": str(1 << 40)}),
]


@pytest.mark.parametrize("status,headers", TRANSPORT, ids=lambda value: str(value)[:40])
def test_what_is_no_request_is_refused_everywhere(bad_weir, status, headers):
    @generated()
    @given(st.sampled_from(OPERATIONS))
    def test(operation):
        path = operation.template.format(job="YQ", labels="l/v", id=bad_weir.target["id"], action="enable",
                                         file="style.css")
        response = bad_weir.request(operation.method, path, None, headers)
        assert response.status == status, (operation.method, path, response)
    test()
