"""Routes, methods and redirects, as clients of a Pushgateway know them."""

import pytest


@pytest.mark.parametrize("method,target,allow", [
    ("HEAD", "/metrics", "GET, OPTIONS"),
    ("POST", "/metrics", "GET, OPTIONS"),
    ("DELETE", "/metrics", "GET, OPTIONS"),
    ("PATCH", "/metrics", "GET, OPTIONS"),
    ("GET", "/metrics/job/x", "DELETE, OPTIONS, POST, PUT"),
    ("HEAD", "/metrics/job/x", "DELETE, OPTIONS, POST, PUT"),
    ("PATCH", "/metrics/job/x/a/b", "DELETE, OPTIONS, POST, PUT"),
    ("get", "/metrics", "GET, OPTIONS"),
    ("BREW", "/metrics", "GET, OPTIONS"),
    ("POST", "/-/healthy", "GET, OPTIONS"),
    ("DELETE", "/-/ready", "GET, OPTIONS"),
    ("GET", "/api/v1/admin/wipe", None),
    ("POST", "/api/v1/metrics", "GET, OPTIONS"),
])
def test_wrong_method(shared_weir, method, target, allow):
    with shared_weir.connect() as connection:
        connection.request(method, target, headers={"Connection": "close"})
        if method == "HEAD":
            head = connection._until(b"\r\n\r\n").decode()
            assert head.split()[1] == "405"
            return
        answer = connection.response()
    assert (answer.status, answer.text) == (405, "Method Not Allowed\n")
    assert answer.headers["x-content-type-options"] == "nosniff"
    if allow:
        assert answer.headers["allow"] == allow


@pytest.mark.parametrize("method,target", [
    ("GET", "/nowhere"), ("POST", "/metrics/jobs/x"), ("OPTIONS", "/nowhere"),
    ("POST", "/metrics/job@base64/"), ("GET", "/api/v1/"), ("GET", "/api"),
    ("GET", "/favicon.ico"),
])
def test_unknown_path(shared_weir, method, target):
    answer = shared_weir.request(method, target)
    assert (answer.status, answer.text) == (404, "404 page not found\n")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("method,target,status,location", [
    ("GET", "/metrics/", 301, "/metrics"),
    ("POST", "/metrics/job/", 307, "/metrics/job"),
    ("DELETE", "/metrics/job/", 307, "/metrics/job"),
    ("POST", "/METRICS/job/x", 307, "/metrics/job/x"),
    ("GET", "/Metrics", 301, "/metrics"),
    ("POST", "/metrics/job/x//a/b", 301, "/metrics/job/x/a/b"),
    ("PUT", "/metrics/job/./x", 301, "/metrics/job/x"),
    ("POST", "/metrics/job/x/../y", 301, "/metrics/job/y"),
    ("POST", "/metrics/job/x%2F%2Fy", 301, "/metrics/job/x/y"),
    ("GET", "//metrics", 301, "/metrics"),
])
def test_redirect(shared_weir, method, target, status, location):
    answer = shared_weir.request(method, target, b"" if method != "GET" else None)
    assert (answer.status, answer.headers["location"]) == (status, location)
    if method == "GET":
        reason = "Moved Permanently"
        assert answer.text == f'<a href="{location}">{reason}</a>.\n\n'


@pytest.mark.parametrize("target", ["/metrics/job/slash/", "/metrics/job/slash"])
def test_slash_behind_the_job_is_the_same_group(weir, target):
    assert weir.post(target, "m 1\n").status == 200
    assert weir.scrape().value("m", job="slash") == 1


@pytest.mark.parametrize("target,allow", [
    ("/metrics", "GET, OPTIONS"),
    ("/metrics/job/x", "DELETE, OPTIONS, POST, PUT"),
])
def test_options(shared_weir, target, allow):
    answer = shared_weir.request("OPTIONS", target)
    assert (answer.status, answer.body, answer.headers["allow"]) == (200, b"", allow)


def test_options_of_the_server(shared_weir):
    answer = shared_weir.request("OPTIONS", "*")
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.smoke
@pytest.mark.parametrize("target", ["/-/healthy", "/-/ready"])
def test_health(shared_weir, target):
    answer = shared_weir.get(target)
    assert (answer.status, answer.text) == (200, "OK")


def test_api_has_cors_headers(shared_weir):
    for answer in (shared_weir.get("/api/v1/metrics"),
                   shared_weir.request("OPTIONS", "/api/v1/anything")):
        assert answer.status == 200
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cache-control"] == "no-cache, no-store, must-revalidate"


def test_bad_escape_in_the_path(shared_weir):
    answer = shared_weir.get("/metrics/job/%zz")
    assert answer.status == 400
    assert answer.text.startswith("400 Bad Request")
