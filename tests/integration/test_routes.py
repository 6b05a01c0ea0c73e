"""Routes, methods and redirects, as clients of a Pushgateway know them."""

import gzip

import pytest

from harness import run_weir


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
    ("HEAD", "/", "GET, OPTIONS"),
    ("POST", "/status", "GET, OPTIONS"),
    ("PUT", "/static/style.css", "GET, OPTIONS"),
    ("DELETE", "/-/quit", "GET, OPTIONS, POST, PUT"),
    ("HEAD", "/api/v1/status", "GET, OPTIONS"),
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
    ("GET", "/favicon.ico"), ("GET", "/static/nope"), ("GET", "/static/"),
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
    ("GET", "/STATUS/", 301, "/status"),
    ("GET", "/static", 301, "/static/"),
    ("POST", "/-/QUIT", 307, "/-/quit"),
    ("GET", "/api/v1", 301, "/api/v1/"),
    ("GET", "/api/v1/status/", 301, "/status"),
    ("PUT", "/api/v1/admin/wipe/", 307, "/admin/wipe"),
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
    for answer in (shared_weir.get("/api/v1/metrics"), shared_weir.get("/api/v1/status"),
                   shared_weir.request("OPTIONS", "/api/v1/anything")):
        assert answer.status == 200
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cache-control"] == "no-cache, no-store, must-revalidate"


def test_bad_escape_in_the_path(shared_weir):
    answer = shared_weir.get("/metrics/job/%zz")
    assert answer.status == 400
    assert answer.text.startswith("400 Bad Request")


def test_wipe_and_pages_have_no_cors_headers(shared_weir):
    for answer in (shared_weir.put("/api/v1/admin/wipe"), shared_weir.get("/"),
                   shared_weir.get("/metrics"), shared_weir.put("/metrics/job/x", "m 1\n"),
                   shared_weir.get("/static/style.css")):
        assert answer.status in (200, 202)
        assert "access-control-allow-origin" not in answer.headers


# ---- Defects of a Pushgateway ----

@pytest.fixture(scope="module")
def prefixed_weir(start_shared_weir):
    return start_shared_weir("--web.route-prefix=/in/side", "--web.enable-admin-api",
                             "--web.enable-lifecycle")


@pytest.mark.parametrize("method,target,status", [
    ("PUT", "/nowhere", 400), ("POST", "/metrics", 400), ("PATCH", "/metrics/job/x", 400),
    ("GET", "/metrics/", 400), ("POST", "/METRICS/job/x", 400), ("DELETE", "/-/quit", 400),
    ("PUT", "/metrics/job/x/odd", 400),
    ("PUT", "//metrics/job/x", 301), ("PUT", "/api/v1/nowhere", 404), ("GET", "/api/v1/status", 200),
    ("GET", "/api/v1/status/", 301),
])
def test_a_body_that_is_not_coded_as_it_says_comes_before_the_route(
        shared_weir, method, target, status):
    """But behind what leads to another path, and not in the API."""
    answer = shared_weir.request(method, target, b"m 1\n", {"Content-Encoding": "gzip"})
    assert answer.status == status
    if status == 400:
        assert answer.text == "unexpected EOF\n"


@pytest.mark.parametrize("method,target,status", [
    ("PUT", "/nowhere", 404), ("POST", "/metrics", 405), ("GET", "/metrics/", 301),
    ("POST", "/METRICS/job/x", 307),
])
def test_a_coded_body_finds_its_route(shared_weir, method, target, status):
    body = gzip.compress(b"m 1\n")
    with shared_weir.connect() as connection:
        answer = connection.exchange(method, target, body, {"Content-Encoding": "gzip"})
        assert answer.status == status
        assert connection.exchange("GET", "/-/healthy").status == 200


@pytest.mark.parametrize("method,target,status,location", [
    ("GET", "/in/side/api/v1", 301, "/in/side/api/v1/"),
    ("GET", "/in/side/api/v1/status/", 301, "/in/side/api/v1/status"),
    ("GET", "/in/side/api/v1/METRICS?x=y", 301, "/in/side/api/v1/metrics?x=y"),
    ("PUT", "/in/side/api/v1/admin/wipe/", 307, "/in/side/api/v1/admin/wipe"),
])
def test_api_redirects_keep_the_prefix(prefixed_weir, method, target, status, location):
    answer = prefixed_weir.request(method, target)
    assert (answer.status, answer.headers["location"]) == (status, location)
    led_to = prefixed_weir.request(method, location)
    assert led_to.status in (200, 202, 404)
    assert (led_to.status == 404) == location.endswith("/api/v1/")


@pytest.mark.parametrize("method,target,location", [
    ("POST", "/in/side/metrics/job/x//zone/z", "/in/side/metrics/job/x/zone/z"),
    ("PUT", "/in/side//metrics/job/x", "/in/side/metrics/job/x"),
    ("DELETE", "/in/side/./metrics/job/x", "/in/side/metrics/job/x"),
])
def test_redirected_push_below_a_prefix_stays_a_push(prefixed_weir, method, target, location):
    answer = prefixed_weir.request(method, target, b"m 1\n")
    assert (answer.status, answer.headers["location"]) == (307, location)
    assert prefixed_weir.request(method, location, b"m 1\n").status in (200, 202)


def test_quit_is_below_the_prefix_for_every_method(prefixed_weir):
    answer = prefixed_weir.get("/in/side/-/quit")
    assert (answer.status, answer.text) == (405, "Only POST or PUT requests allowed.")
    assert "allow" not in answer.headers
    for method in ("GET", "PUT", "POST", "OPTIONS"):
        assert prefixed_weir.request(method, "/-/quit").status == 404


@pytest.mark.parametrize("target", [
    "/debug/pprof", "/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/heap"])
def test_the_process_is_not_profiled(shared_weir, target):
    assert shared_weir.get(target).status == 404
    assert shared_weir.post(target).status == 404


@pytest.mark.smoke
def test_below_a_prefix(prefixed_weir):
    assert prefixed_weir.put("/in/side/metrics/job/p/zone/z", "m 1\n").status == 200
    assert 'm{instance="",job="p",zone="z"} 1\n' in prefixed_weir.get("/in/side/metrics").text
    assert prefixed_weir.delete("/in/side/metrics/job/p/zone/z").status == 202
    for target in ("/in/side/", "/in/side/status", "/in/side/-/healthy", "/in/side/-/ready",
                   "/in/side/api/v1/metrics", "/in/side/api/v1/status",
                   "/in/side/static/style.css"):
        assert prefixed_weir.get(target).status == 200
    for target in ("/", "/metrics", "/status", "/api/v1/status", "/in", "/in/sidex"):
        assert prefixed_weir.get(target).status == 404
    assert prefixed_weir.put("/metrics/job/p", "m 1\n").status == 404
    assert prefixed_weir.get("/in/side").headers["location"] == "/in/side/"


def test_scrape_path_moves_alone(start_weir):
    weir = start_weir("--web.telemetry-path=/the/page")
    assert weir.put("/metrics/job/j", "m 1\n").status == 200
    assert 'm{instance="",job="j"} 1\n' in weir.get("/the/page").text
    assert weir.get("/metrics").status == 404
    assert weir.get("/the/page/").headers["location"] == "/the/page"
    assert weir.post("/the/page").headers["allow"] == "GET, OPTIONS"


@pytest.mark.parametrize("flag", [
    "--web.telemetry-path=/metrics/job/x", "--web.telemetry-path=/-/healthy",
    "--web.telemetry-path=/api/v1/metrics", "--web.telemetry-path=/", "--web.telemetry-path=/a*",
    "--web.external-url=ex.com/weir", "--web.external-url=http://", "--web.route-prefix=/a//b",
    "--web.route-prefix=/a b", "--web.route-prefix=/a%20b", "--web.route-prefix=/.."])
def test_paths_that_cannot_be(tmp_path, flag):
    code, stderr = run_weir(tmp_path, flag)
    name, _, value = flag.partition("=")
    assert code == 1
    assert stderr.startswith(f"weir: error: bad value '{value}' for {name}: ")
    assert stderr.count("\n") == 1
