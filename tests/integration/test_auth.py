"""Basic auth, extra headers and the rate limit of --web.config.file."""

import base64
import json
import select
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry, Gauge, push_to_gateway
from prometheus_client.exposition import basic_auth_handler

import harness
import peers
from harness import DEADLINE, Closed, curl, format_request, wait_for
from page import Page

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import crypt  # pylint: disable=deprecated-module

ROUTES = [
    ("GET", "/"), ("GET", "/metrics"), ("HEAD", "/metrics"), ("GET", "/metrics/"),
    ("GET", "/-/healthy"), ("GET", "/-/ready"), ("GET", "/nowhere"), ("PATCH", "/metrics"),
    ("GET", "//metrics"), ("OPTIONS", "/metrics"), ("OPTIONS", "*"), ("PUT", "/metrics/job/j"),
    ("POST", "/metrics/job/j/bad"), ("DELETE", "/metrics/job/j"), ("GET", "/api/v1/metrics"),
    ("GET", "/api/v1/status"), ("OPTIONS", "/api/v1/metrics"), ("PUT", "/api/v1/admin/wipe"),
    ("PUT", "/-/quit"), ("GET", "/metrics/job/j?x=1"),
]
PASSWORDS = {"alice": "secret", "": "nameless", "ünï": "pässwörd☃", "colons": "a:b::c:",
             "long": "x" * 100, "empty": ""}


def hash_of(password, cost=4):
    return crypt.crypt(password, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=1 << cost))


def basic(user, password, scheme="Basic"):
    pair = f"{user}:{password}".encode()
    return {"Authorization": f"{scheme} {base64.b64encode(pair).decode()}"}


def config(users=None, cost=4, **more):
    """A file's text; JSON is YAML, too."""
    users = PASSWORDS if users is None else users
    return json.dumps({"basic_auth_users": {user: hash_of(password, cost)
                                            for user, password in users.items()}, **more})


@pytest.fixture
def start_with(start_weir, tmp_path):
    def start(text, *flags):
        path = tmp_path / "web.yml"
        path.write_text(text)
        return start_weir(f"--web.config.file={path}", "--web.enable-admin-api", *flags)
    return start


@pytest.fixture
def guarded(start_with):
    return start_with(config())


class Guarded:
    """Asks as a user who knows a password."""

    def __init__(self, weir, user="alice"):
        self.weir = weir
        self.headers = basic(user, PASSWORDS[user])

    def request(self, method, target, body=None):
        return self.weir.request(method, target, body, self.headers)

    def page(self):
        response = self.request("GET", "/metrics")
        assert response.status == 200
        return Page(response.text)

    def value(self, name):
        return self.page().value(name)


def is_refusal(response):
    assert response.status == 401
    assert response.headers["www-authenticate"] == "Basic"
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-length"] == "13"
    return response.body == b"Unauthorized\n"


def raw_head(weir, request):
    with weir.connect() as connection:
        connection.send(request)
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.socket.recv(4096)
        return head


@pytest.mark.smoke
def test_right_and_wrong(guarded):
    for user, password in PASSWORDS.items():
        assert guarded.get("/-/healthy", basic(user, password)).status == 200
        assert guarded.get("/-/healthy", basic(user, password, "bAsIc")).status == 200
        assert is_refusal(guarded.get("/-/healthy", basic(user, "?" + password[1:])))
    assert is_refusal(guarded.get("/-/healthy", basic("nobody", "secret")))
    assert is_refusal(guarded.get("/-/healthy", basic("Alice", "secret")))
    assert is_refusal(guarded.get("/-/healthy"))
    assert b"\r\nWww-Authenticate: Basic\r\n" in raw_head(
        guarded, format_request("GET", "/-/healthy"))


@pytest.mark.parametrize("value", [
    "", "Basic", "Basic ", "Basic !!!", "Basic YWxpY2U6c2VjcmV0=", "Basic YWxpY2U6c2Vjcm",
    "Basic  YWxpY2U6c2VjcmV0", "Bearer YWxpY2U6c2VjcmV0", "Basic YWxpY2U=", "YWxpY2U6c2VjcmV0",
    "Basic YWxpY2U6c2VjcmV0, Basic YWxpY2U6c2VjcmV0", "Basic YWxpY2U6c2VjcmV0AA==",
    'Digest username="alice"',
])
def test_malformed(guarded, value):
    assert is_refusal(guarded.get("/-/healthy", {"Authorization": value}))


def test_the_first_of_two_headers_counts(guarded):
    right, wrong = (basic("alice", word)["Authorization"] for word in ("secret", "wrong"))
    for first, second, status in ((right, wrong, 200), (wrong, right, 401), ("", right, 401)):
        with guarded.connect() as connection:
            connection.send("GET /-/healthy HTTP/1.1\r\nHost: h\r\n"
                            f"Authorization: {first}\r\nauthorization: {second}\r\n\r\n")
            assert connection.response().status == status


def test_every_route(guarded):
    def ask(route, headers):
        return read_all(guarded, format_request(*route, headers={"Connection": "close", **headers}))

    plan = [(route, headers) for route in ROUTES for headers in ({}, basic("alice", "wrong"))]
    with ThreadPoolExecutor(len(plan)) as pool:  # the wrong ones are held back side by side
        answers = list(pool.map(ask, *zip(*plan)))
    for ((method, target), _), answer in zip(plan, answers):
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 401 Unauthorized\r\n"), (method, target)
        assert body == (b"" if method == "HEAD" else b"Unauthorized\n"), (method, target)
    page = Guarded(guarded).page()
    # Refused requests never reached a handler.
    assert page.total("pushgateway_http_requests_total") == 0
    assert page.value("weir_auth_failures_total") == 2 * len(ROUTES)
    assert page.value("weir_groups") == 0


def read_all(weir, request):
    with weir.connect() as connection:
        connection.send(request)
        received = b""
        while True:
            data = connection.socket.recv(65536)
            if not data:
                return received
            received += data


def test_a_refused_push_changes_nothing(guarded):
    user = Guarded(guarded)
    assert user.request("PUT", "/metrics/job/j", "m 1\n").status == 200
    for method in ("PUT", "POST", "DELETE"):
        assert is_refusal(guarded.request(method, "/metrics/job/j", "m 2\n"))
    assert is_refusal(guarded.request("PUT", "/api/v1/admin/wipe", ""))
    assert user.page().value("m", job="j") == 1
    assert user.request("PUT", "/metrics/job/j", "m 3\n").status == 200
    assert user.page().value("m", job="j") == 3


def test_curl(guarded, tmp_path):
    def status(*arguments):
        return curl("-o", "/dev/null", "-w", "%{http_code}", *arguments).decode()

    metric = tmp_path / "metric"
    metric.write_text("m 1\n")
    url = f"{guarded.url}/metrics/job/j"
    assert status("-u", "alice:secret", "-T", metric, url) == "200"
    assert status("-u", "alice:wrong", "-T", metric, url) == "401"
    assert status("-u", "colons:a:b::c:", "-T", metric, url) == "200"
    assert status("-u", ":nameless", "-T", metric, url) == "200"
    assert status("-u", "ünï:pässwörd☃", "-T", metric, url) == "200"
    assert status("--anyauth", "-u", "alice:secret", "-T", metric, url) == "200"
    assert status("-H", "Expect: 100-continue", "-u", "alice:secret", "-T", metric, url) == "200"
    assert status("-H", "Expect: 100-continue", "-T", metric, url) == "401"
    assert status("-H", "Transfer-Encoding: chunked", "-u", "alice:secret", "-T", metric,
                  url) == "200"
    assert status("-H", "Transfer-Encoding: chunked", "-T", metric, url) == "401"


def test_keep_alive_and_pipelining(guarded):
    right, wrong = basic("alice", "secret"), basic("alice", "wrong")
    plan = [({}, 401), (right, 200), (wrong, 401), (right, 200), ({}, 401), (basic("", "x"), 401),
            (basic("", "nameless"), 200), (right, 200)]
    body = "m 1\n"
    with guarded.connect() as connection:
        for headers, status in plan:
            assert connection.exchange("PUT", "/metrics/job/j", body, headers).status == status
        connection.send(b"".join(format_request("PUT", f"/metrics/job/j{number}", body, headers)
                                 for number, (headers, _) in enumerate(plan)))
        assert [connection.response().status for _ in plan] == [status for _, status in plan]
        connection.send(b"".join(
            format_request("POST", "/metrics/job/k", None, {**right, "Transfer-Encoding": "chunked"})
            + harness.chunked(b"m 1\n") for _ in range(2)))
        assert [connection.response().status for _ in range(2)] == [200, 200]
    jobs = {dict(labels)["job"] for _, labels in samples_of(guarded, "m")}
    assert jobs == {"j", "k", *(f"j{number}" for number, (_, status) in enumerate(plan)
                                if status == 200)}


def samples_of(weir, name):
    page = Guarded(weir).page()
    return [sample for sample in page.samples if sample[0] == name]


def upload(weir, headers, size):
    """Sends until the server has answered and the rest would be for nobody."""
    with weir.connect() as connection:
        connection.socket.settimeout(0.05)
        connection.send(format_request("PUT", "/metrics/job/j", None,
                                       {**headers, "Content-Length": str(size)}))
        sent, piece = 0, b"#" * 65536
        try:
            while sent < size and not connection.pending:
                try:
                    connection.pending += connection.socket.recv(4096)
                except TimeoutError:
                    sent += connection.socket.send(piece)
        except ConnectionError:
            pass
        connection.socket.settimeout(harness.DEADLINE)
        return connection.response()


def test_a_large_upload_of_a_stranger_is_not_read(start_with):
    weir = start_with(config(cost=8))
    user = Guarded(weir)
    before = user.value("weir_received_bytes_total")
    for headers in ({}, basic("alice", "wrong"), basic("nobody", "at all")):
        for _ in range(3):
            assert is_refusal(upload(weir, headers, 60 * 1024 * 1024))
    assert user.value("weir_received_bytes_total") - before < 9 * 512 * 1024
    assert is_refusal(upload(weir, {}, 10 ** 12))  # not 413: who asks is asked first
    assert user.value("weir_groups") == 0


def test_a_large_upload_of_a_user_is_read(guarded):
    body = "".join(f'm{{n="{number}"}} 1\n' for number in range(20000))
    for _ in range(2):  # the first has to wait until the password is checked
        assert Guarded(guarded).request("PUT", "/metrics/job/j", body).status == 200
    assert len(samples_of(guarded, "m")) == 20000


def timed(weir, headers, patience=DEADLINE):
    began = time.monotonic()
    with weir.connect() as connection:
        connection.socket.settimeout(patience)
        status = connection.exchange("GET", "/-/healthy", headers=headers).status
    return status, time.monotonic() - began


@pytest.mark.parametrize("is_known", [True, False])
def test_a_storm_of_wrong_passwords_slows_nobody_else(start_with, is_known):
    weir = start_with(config({"alice": "secret", "bob": "other"}, cost=8))
    if is_known:
        assert weir.get("/-/healthy", basic("alice", "secret")).status == 200
    wrong = []

    def guess(number):
        # Behind one another, each after its hash: the last one waits as long as all of them take.
        wrong.append(timed(weir, basic("alice", f"wrong {number}"), patience=10 * DEADLINE))

    guesses = [threading.Thread(target=guess, args=(number,)) for number in range(200)]
    for thread in guesses:
        thread.start()
    wait_for(lambda: len(wrong) > 0, "a wrong password is refused")
    right = [timed(weir, basic("alice", "secret")) for _ in range(20)]
    still_waiting = 200 - len(wrong)
    for thread in guesses:
        thread.join()
    assert still_waiting > 0 and len(wrong) == 200
    assert {status for status, _ in right} == {200}
    assert {status for status, _ in wrong} == {401}
    slowest = max(seconds for _, seconds in right)
    assert slowest < sorted(seconds for _, seconds in wrong)[100]
    assert weir.get("/-/healthy", basic("bob", "other")).status == 200


def test_repeated_failures_take_longer(start_with):
    weir = start_with(config())
    assert weir.get("/-/healthy", basic("alice", "secret")).status == 200
    for least in (0.25, 0.5, 1):
        status, took = timed(weir, basic("alice", "wrong"))
        assert status == 401 and took >= least
    wait_for(lambda: right_is_first(weir), "a right one does not wait behind a wrong one that does")


def right_is_first(weir):
    with weir.connect() as waiting, weir.connect() as other:
        waiting.request("GET", "/-/healthy", headers=basic("alice", "wrong"))
        assert other.exchange("GET", "/-/healthy", headers=basic("alice", "secret")).status == 200
        is_first = not select.select([waiting.socket], [], [], 0)[0]
        assert waiting.response().status == 401
    return is_first


def test_one_hash_for_many_that_ask_the_same(start_with):
    weir = start_with(config(cost=9))
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(timed(
        weir, basic("alice", "secret"))[0])) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 50
    page = Guarded(weir).page()
    assert page.value("weir_auth_verifications_total") == 1
    assert page.value("weir_auth_verification_seconds_total") > 0


def test_clients_that_leave(start_with):
    weir = start_with(config(cost=8))
    for number in range(20):
        with weir.connect() as connection:
            connection.request("PUT", "/metrics/job/j", "m 1\n" * 1000, basic("alice", str(number)))
    with weir.connect() as connection:
        connection.send(format_request("GET", "/-/healthy", None, basic("alice", "secret")))
        connection.socket.shutdown(1)
        assert connection.response().status == 200
    assert Guarded(weir).value("weir_groups") == 0


def test_stops_while_passwords_wait(start_with):
    weir = start_with(config(cost=12), "--timeout.shutdown=100ms")
    connections = [weir.connect() for _ in range(100)]
    for number, connection in enumerate(connections):
        connection.request("GET", "/metrics", None, basic("alice", str(number)))
    with weir.connect() as connection:  # all of them have been read
        assert is_refusal(connection.exchange("GET", "/metrics"))
    began = time.monotonic()
    weir.stop()
    stopped = time.monotonic() - began
    for connection in connections:
        try:
            connection.response()
        except Closed:
            pass
        connection.close()
    began = time.monotonic()
    hash_of("x", 12)
    assert stopped < 50 * (time.monotonic() - began)  # half of them at most were computed


def test_python_client(guarded):
    registry = CollectorRegistry()
    Gauge("answer", "Of all.", registry=registry).set(42)

    def handler_of(user, password):
        def handler(url, method, timeout, headers, data):
            return basic_auth_handler(url, method, timeout, headers, data, user, password)
        return handler

    push_to_gateway(guarded.url, "j", registry, handler=handler_of("alice", "secret"))
    assert Guarded(guarded).page().value("answer", job="j") == 42
    for user, password in (("alice", "wrong"), ("", "")):
        with pytest.raises(Exception, match="401"):
            push_to_gateway(guarded.url, "j", registry, handler=handler_of(user, password))
    with pytest.raises(Exception, match="401"):
        prometheus_client.delete_from_gateway(guarded.url, "j")
    assert Guarded(guarded).page().value("answer", job="j") == 42


def test_prometheus_scrapes_as_a_user(guarded, tmp_path):
    assert Guarded(guarded).request("PUT", "/metrics/job/j", "m 1\n").status == 200
    with peers.Prometheus(tmp_path / "prometheus",
                          {"right": guarded.url, "wrong": guarded.url},
                          users={"right": {"username": "alice", "password": "secret"},
                                 "wrong": {"username": "alice", "password": "wrong"}}
                          ) as prometheus:
        prometheus.wait_for('m{job="j"} == 1')
        prometheus.wait_for('up{job="right"} == 1')
        prometheus.wait_for('up{job="wrong"} == 0')
        target = wait_for(lambda: prometheus.target("wrong"), "it scrapes")
        assert "401" in target["lastError"] or "deadline" in target["lastError"]


HEADERS = {"Content-Security-Policy": "default-src 'self'; x-y", "X-Frame-Options": "deny",
           "X-Content-Type-Options": "nosniff", "X-XSS-Protection": "1; mode=block",
           "Strict-Transport-Security": "max-age=31536000"}


def test_headers_are_on_every_answer(start_with):
    weir = start_with(config(http_server_config={"headers": HEADERS}))
    for headers in ({}, basic("alice", "secret")):
        for method, target in ROUTES[:-2]:
            request = format_request(method, target, headers={"Connection": "close", **headers})
            head = read_all(weir, request).partition(b"\r\n\r\n")[0].decode()
            lines = head.split("\r\n")[1:]
            for name, value in HEADERS.items():
                assert lines.count(f"{name}: {value}") == 1, (method, target, name)


def test_no_headers_where_no_handler_was_asked(start_with):
    weir = start_with(config({}, http_server_config={"headers": HEADERS}))
    for request in (b"x\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/2.0\r\nHost: h\r\n\r\n"):
        head = read_all(weir, request)
        assert b"X-Frame-Options" not in head
        assert not head.startswith(b"HTTP/1.1 2")
    assert weir.get("/-/healthy").headers["x-frame-options"] == "deny"


def test_rate_limit(start_with):
    weir = start_with(json.dumps({"rate_limit": {"interval": "1h", "burst": 5},
                                  "http_server_config": {"headers": {"X-Frame-Options": "deny"}}}))
    with weir.connect() as connection:
        answers = [connection.exchange("GET", "/-/healthy") for _ in range(5)]
        assert [answer.status for answer in answers] == [200] * 5
        limited = connection.exchange("PUT", "/metrics/job/j", "m 1\n")
    for answer in (limited, weir.get("/metrics"), weir.get("/nowhere")):
        assert answer.status == 429
        assert answer.body == b"Too Many Requests\n"
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "x-frame-options" not in answer.headers


def test_rate_limit_refills(start_with):
    weir = start_with(json.dumps({"rate_limit": {"interval": "100ms", "burst": 2}}))
    began = time.monotonic()
    page = wait_for(lambda: limited_page(weir), "some are limited, and some are not")
    assert page.value("weir_rate_limited_total") >= 1
    assert time.monotonic() > began


def limited_page(weir):
    response = weir.get("/metrics")
    page = Page(response.text) if response.status == 200 else None
    return page if page and page.value("weir_rate_limited_total") > 0 else None


@pytest.mark.parametrize("text, error", [
    ("basic_auth_users:\n  alice: secret\n", "web.yml:2: the password of 'alice' is no bcrypt"),
    ("basic_auth_user: {}\n", "web.yml:1: "),
    ("http_server_config:\n  headers:\n    X-Foo: x\n", "web.yml:3: HTTP header 'X-Foo'"),
    ("tls_server_config: {cert_file: a, key_file: b}\n", "a: No such file or directory"),
    ("rate_limit:\n  interval: 1s\n", "web.yml:2: rate_limit with a burst of 0"),
])
def test_a_broken_file_at_start(tmp_path, text, error):
    (tmp_path / "web.yml").write_text(text)
    code, stderr = harness.run_weir(tmp_path, "--web.config.file=web.yml")
    assert code == 1
    assert error in stderr


def test_no_such_file(tmp_path):
    code, stderr = harness.run_weir(tmp_path, "--web.config.file=nowhere.yml")
    assert code == 1
    assert "nowhere.yml" in stderr


SHOWN = ("www-authenticate", "content-type", "x-content-type-options", "content-length",
         "x-frame-options", "content-security-policy", "strict-transport-security",
         "x-xss-protection", "allow", "location")


def test_answers_like_a_pushgateway(start_with, tmp_path):
    """Statuses, bodies of errors and the headers that matter, request by request."""
    weir = start_with(config(http_server_config={"headers": HEADERS}))
    flag = f"--web.config.file={tmp_path / 'web.yml'}"
    values = [None, "", "Basic", "Basic x", "basic YWxpY2U6c2VjcmV0", "BASIC YWxpY2U6c2VjcmV0",
              "Basic YWxpY2U6c2VjcmV0", "Basic YWxpY2U6d3Jvbmc=", "Bearer YWxpY2U6c2VjcmV0",
              "Basic YWxpY2U=", "Basic  YWxpY2U6c2VjcmV0", "Basic YWxpY2U6c2Vjcm",
              "Basic YWxpY2U6c2VjcmV1", basic("", "nameless")["Authorization"],
              basic("", "")["Authorization"], basic("ünï", "pässwörd☃")["Authorization"],
              basic("colons", "a:b::c:")["Authorization"], basic("long", "x" * 72)["Authorization"],
              basic("long", "x" * 71)["Authorization"], basic("long", "x" * 200)["Authorization"],
              basic("empty", "")["Authorization"], basic("nobody", "x")["Authorization"]]
    requests = [("GET", "/-/healthy", value) for value in values]
    requests += [(method, target, value) for method, target in ROUTES
                 for value in (None, "Basic YWxpY2U6c2VjcmV0")
                 if method != "HEAD" and target != "*"  # that, Go answers before it asks who it is
                 and (target not in ("/", "/api/v1/status", "/-/quit") or value is None)]
    with peers.Pushgateway(tmp_path / "pushgateway", flag, "--web.enable-admin-api") as pushgateway:
        for method, target, value in requests:
            headers = {} if value is None else {"Authorization": value}
            ours, theirs = (observed(method, server.request(method, target, None, {
                **headers, "Connection": "close"})) for server in (weir, pushgateway))
            assert ours == theirs, (method, target, value)


def observed(method, response):
    headers = {name: response.headers[name] for name in SHOWN if name in response.headers}
    if response.status == 200:
        headers.pop("content-length", None)  # pages differ
        headers.pop("content-type", None)
    return response.status, headers, response.body if response.status >= 400 else b""
