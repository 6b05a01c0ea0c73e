"""Requests of pages of other origins: what a browser asks first, and what it is answered."""

import pytest

from orwell import ok, send
from targets import TARGETS, create

ORIGIN = "http://front.example"
NOBODY = "00000000-0000-4000-8000-000000000000"


def preflight(weir, path, method, **headers):
    return weir.request("OPTIONS", path, b"", {
        "Origin": ORIGIN, "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "content-type", **headers})


def allows(answer, method):
    """As the fetch standard has it, without credentials."""
    allowed = answer.headers.get("access-control-allow-methods", "").split(", ")
    named = answer.headers.get("access-control-allow-headers", "").lower().split(", ")
    return (answer.status == 200 and answer.headers.get("access-control-allow-origin") == "*"
            and method in allowed and "content-type" in named)


@pytest.mark.parametrize("path, methods", [
    ("/hosts", "GET POST PUT"), ("/hosts/", "GET POST PUT"), (f"/hosts/{NOBODY}", "GET PUT DELETE"),
    ("/hosts/image", "POST"), (f"/hosts/{NOBODY}/heartbeat", "POST"), ("/images", "GET POST PUT"),
    ("/images/1", "GET PUT DELETE"), ("/images/collector", "POST"), ("/collectors", "GET POST PUT"),
    ("/collectors/1", "GET PUT DELETE"), (TARGETS, "GET POST"), (f"{TARGETS}/{NOBODY}", "GET PUT PATCH DELETE"),
    (f"{TARGETS}/{NOBODY}/heartbeat", "POST"), (f"{TARGETS}/import", "POST"), ("/api/v1/metrics", "GET"),
    ("/api/v1/query", "GET POST"),
])
def test_what_may_be_called(shared_weir, path, methods):
    for method in methods.split():
        assert allows(preflight(shared_weir, path, method), method), method
    for method in {"PUT", "PATCH"} - set(methods.split()):
        assert not allows(preflight(shared_weir, path, method), method), method


@pytest.mark.parametrize("path, method", [
    ("/metrics/job/j", "PUT"), ("/metrics/job/j", "POST"), ("/-/quit", "PUT"), ("/api/v1/admin/wipe", "PUT"),
    ("/metrics", "POST"), ("/hostsx", "POST"),
])
def test_what_may_not(start_weir, path, method):
    weir = start_weir("--web.enable-admin-api", "--web.enable-lifecycle")
    assert not allows(preflight(weir, path, method), method)


def test_a_page_changes_hosts_and_targets(weir):
    """What follows the preflight may be read by the page, too."""
    target = create(weir, {"job": "j"})
    for method, path, body in (("POST", "/hosts", {"ip": "10.0.0.1"}), ("PATCH", f"{TARGETS}/{target['id']}", {}),
                               ("DELETE", f"{TARGETS}/{target['id']}", {})):
        assert allows(preflight(weir, path, method), method)
        answer = send(weir, method, path, body)
        assert answer.status in (200, 204) and answer.headers["access-control-allow-origin"] == "*"
    assert len(ok(weir.get("/hosts"))) == 1


def test_below_a_prefix(start_weir):
    weir = start_weir("--web.route-prefix=/w")
    assert allows(preflight(weir, f"/w{TARGETS}/{NOBODY}", "PATCH"), "PATCH")
    assert allows(preflight(weir, "/w/hosts", "PUT"), "PUT")
    assert not allows(preflight(weir, "/hosts", "PUT"), "PUT")
