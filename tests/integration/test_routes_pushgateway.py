"""Routes beside those of a real Pushgateway: paths and what they are nearly, with every method."""

import pytest

from harness import Connection
from peers import Pushgateway

METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "HEAD", "get", "TRACE"]

PATHS = [
    "/", "/metrics", "/metrics/job", "/metrics/job/x", "/metrics/job/x/a", "/metrics/job/x/a/b",
    "/metrics/job@base64", "/metrics/job@base64/eA", "/metrics/job@base64/eA/l@base64/eA",
    "/status", "/static", "/static/nope", "/static/a/b", "/-", "/-/quit", "/-/healthy", "/-/ready",
    "/api", "/api/v1", "/api/v1/status", "/api/v1/metrics", "/api/v1/admin", "/api/v1/admin/wipe",
    "/api/v1/x", "/nope", "/scrape"]


def nearly(path):
    """The path in other words, and paths close to it."""
    return {path, path + "/", path.upper(), path.upper() + "/", path.title(), path + "x",
            path.replace("/", "//", 1), path + "//", "/." + path, path + "/.", path + "/..",
            path.replace("s", "%73"), path.replace("t", "%54"),
            "/" + path[1:].replace("/", "%2F"), path + "%2F", path + "%20",
            path + "?a=b", path + "/?a=b&c=%20"}


def stops_a_pushgateway(target):
    """Whether a Pushgateway 1.5.1 may hang for ever: when base64 is not right."""
    path = target.partition("?")[0]
    return "64/e" in path.lower() and (path.endswith(("x", "..")) or "%20" in path or "%73" in path)


def targets(prefix):
    found = {other for path in PATHS for start in {prefix, prefix.upper(), ""}
             for other in nearly(start + path)}
    return sorted(target for target in found if not stops_a_pushgateway(target))


def answer(address, method, target):
    """Status, Location, Allow, and what an error says it is."""
    with Connection(address) as connection:
        body = b"" if method in ("POST", "PUT", "PATCH") else None
        connection.request(method, target, body, {"Connection": "close"})
        head = connection._until(b"\r\n\r\n").decode("latin-1").lower()
    status = int(head.split()[1])
    fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
    what = fields.get("content-type") if status >= 300 and method != "HEAD" else None
    return status, fields.get("location"), fields.get("allow"), what


def differences(weir, pushgateway, prefix):
    for target in targets(prefix):
        for method in METHODS:
            mine = answer(weir.address, method, target)
            other = answer(("127.0.0.1", pushgateway.port), method, target)
            if mine != other:
                yield method, target, mine, other


def lists_files(target):
    return target.partition("?")[0].lower().replace("%2f", "/").endswith("/static/")


@pytest.mark.parametrize("flags", [[], ["--web.enable-admin-api"],
                                   ["--web.telemetry-path=/scrape"]])
def test_routes_are_those_of_a_pushgateway(start_weir, tmp_path, flags):
    weir = start_weir(*flags)
    with Pushgateway(tmp_path / "pushgateway", *flags) as pushgateway:
        found = [difference for difference in differences(weir, pushgateway, "")
                 if not lists_files(difference[1])]
    assert not found, found[:20]


def is_wanted(method, target, mine, other):
    """What weir does better below a prefix."""
    status, location = mine[0], mine[1]
    if "/-/quit" in target.lower().replace("%2f", "/").replace("%54", "t"):
        return True  # has tests of its own
    keeps_method = (other[0], status) == (301, 307) and method != "GET" and location == other[1]
    is_whole = status == other[0] and "/api/v1/" in target and location is not None \
        and location.endswith("/api/v1" + other[1])
    return keeps_method or is_whole


@pytest.mark.parametrize("prefix,flags", [
    ("/foo", ["--web.route-prefix=/foo/"]),
    ("/a/b", ["--web.external-url=http://ex.com/a/b/", "--web.telemetry-path=/scrape"]),
])
def test_routes_below_a_prefix(start_weir, tmp_path, prefix, flags):
    weir = start_weir(*flags)
    with Pushgateway(tmp_path / "pushgateway", *flags) as pushgateway:
        found = [difference for difference in differences(weir, pushgateway, prefix)
                 if not lists_files(difference[1]) and not is_wanted(*difference)]
    assert not found, found[:20]
