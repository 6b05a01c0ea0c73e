"""Who may do what: users and tokens with roles. The ways to flush everything, and that no secret is told."""

import hashlib
import json
import re

import pytest

from harness import curl, run_weir, wait_for
from test_auth import basic, hash_of

PASSWORD = "pass-word-of-users"
TOKENS = {name: f"token-of-{name}-0123456789abcdef" for name in ("reader", "pusher", "admin", "both", "free")}
ROLES = {"reader": "read", "pusher": "push", "admin": "admin", "both": ["read", "push"], "none": []}
READS = [
    ("GET", "/metrics"), ("GET", "/"), ("GET", "/status"), ("GET", "/static/style.css"),
    ("GET", "/openapi.json"), ("HEAD", "/openapi.json"), ("GET", "/api/v1/status"), ("GET", "/api/v1/metrics"), ("GET", "/api/v1/export"),
    ("GET", "/api/v1/query?query=up"), ("POST", "/api/v1/query?query=up"), ("GET", "/api/v1/sd"),
    ("GET", "/api/v1/rules.yml"), ("GET", "/api/v1/targets"), ("GET", "/api/v1/targets/export"), ("GET", "/api/v1/services"), ("GET", "/api/v1/services/none"),
    ("GET", "/hosts"), ("GET", "/images"), ("GET", "/collectors"), ("GET", "/service_discovery/hosts"),
]
PUSHES = [
    ("PUT", "/metrics/job/j"), ("POST", "/metrics/job/j"), ("DELETE", "/metrics/job/none"),
    ("PUT", "/metrics/job@base64/ag"), ("POST", "/api/v1/targets/none/heartbeat"),
    ("POST", "/hosts/1/heartbeat"), ("POST", "/hosts/1/heartbeat/"),
]
ADMINISTERS = [
    ("PUT", "/api/v1/admin/wipe"), ("POST", "/api/v1/import"), ("POST", "/-/quit"), ("PUT", "/-/quit"),
    ("POST", "/api/v1/targets"), ("PUT", "/api/v1/targets/none"), ("PATCH", "/api/v1/targets/none"),
    ("DELETE", "/api/v1/targets/none"), ("POST", "/api/v1/targets/import"), ("POST", "/api/v1/targets/none/disable"),
    ("POST", "/hosts"), ("PUT", "/hosts/1"), ("DELETE", "/hosts/1"), ("POST", "/images"), ("DELETE", "/collectors/1"),
    ("POST", "/hosts/image"), ("PUT", "/hosts/heartbeat"), ("DELETE", "/hosts/heartbeat"), ("POST", "/images/collector"),
    ("POST", "/api/v1/services"), ("PUT", "/api/v1/services/none"), ("PATCH", "/api/v1/services/none"),
    ("DELETE", "/api/v1/services/heartbeat"),
]
ANYTHING = [("GET", "/-/healthy"), ("GET", "/-/ready"), ("OPTIONS", "/metrics"), ("GET", "/nowhere"), ("GET", "//metrics")]
MAY = {"reader": {"read"}, "pusher": {"push"}, "admin": {"read", "push", "admin"}, "both": {"read", "push"},
       "free": {"read", "push", "admin"}, "none": set()}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def web_config(roles=None, users=("reader", "pusher", "admin", "both", "free", "none"), tokens=TOKENS):
    return json.dumps({
        "basic_auth_users": {user: hash_of(PASSWORD) for user in users},
        "bearer_tokens": {name: hashlib.sha256(token.encode()).hexdigest() for name, token in tokens.items()},
        "roles": ROLES if roles is None else roles})


@pytest.fixture
def guarded(start_weir, tmp_path):
    (tmp_path / "web.yml").write_text(web_config())
    return start_weir(f"--web.config.file={tmp_path}/web.yml", "--web.enable-admin-api", "--log.level=debug")


def answer(weir, method, target, headers):
    return weir.request(method, target, "m 1\n" if target.startswith("/metrics/") and method != "DELETE" else None, headers)


def check_matrix(weir, name, headers):
    """403 for what the roles have not; else what would be answered without roles, which is neither 401 nor this 403."""
    for role, requests in (("read", READS), ("push", PUSHES), ("admin", ADMINISTERS), (None, ANYTHING)):
        for method, target in requests:
            got = answer(weir, method, target, headers)
            if role is None or role in MAY[name]:
                assert got.status != 401 and "this takes the role" not in got.text, (name, method, target)
            else:
                assert got.status == 403, (name, method, target, got.status)
                assert method == "HEAD" or got.text == f"Forbidden: this takes the role {role}\n"


def test_who_may_not_push_is_no_target(guarded):
    """Whoever is let in becomes one by the first push; who is not leaves no row, nor who may only read."""
    admin = bearer(TOKENS["admin"])
    wait_for(lambda: guarded.request("GET", "/api/v1/targets", None, admin).status == 200, "targets were read")
    for headers, status in (({}, 401), (bearer("token-of-nobody"), 401), (basic("pusher", "wrong"), 401),
                            (bearer(TOKENS["reader"]), 403), (bearer(TOKENS["pusher"]), 200)):
        job = f"{status}-{len(headers)}"
        assert guarded.request("PUT", f"/metrics/job/{job}", "m 1\n", headers).status == status
    listed = json.loads(guarded.request("GET", "/api/v1/targets", None, admin).text)["data"]["targets"]
    assert [target["labels"] for target in listed] == [{"job": "200-1"}]


@pytest.mark.smoke
def test_matrix_of_tokens(guarded):
    for name, token in TOKENS.items():
        check_matrix(guarded, name, bearer(token))


def test_matrix_of_users(guarded):
    for name in MAY:
        check_matrix(guarded, name, basic(name, PASSWORD))


def test_without_a_token(guarded):
    """401 everywhere, and nothing changes."""
    assert guarded.put("/metrics/job/kept", "kept 1\n", bearer(TOKENS["pusher"])).status == 200
    wrong = ["", "Bearer", "Bearer ", "Bearer x", f"Bearer {TOKENS['admin']}x", f"Bearer {TOKENS['admin'][:-1]}",
             f"Bearer  {TOKENS['admin']}", TOKENS["admin"], f"Basic {TOKENS['admin']}", "Bearer " + "a" * 4000,
             "Bearer " + hashlib.sha256(TOKENS["admin"].encode()).hexdigest()]
    for method, target in READS + PUSHES + ADMINISTERS + ANYTHING:
        assert answer(guarded, method, target, {}).status == 401, (method, target)
    for value in wrong:
        got = guarded.request("PUT", "/api/v1/admin/wipe", None, {"Authorization": value})
        assert got.status == 401 and got.headers["www-authenticate"] == "Basic"
    assert guarded.get("/metrics", {"Authorization": f"bEARER {TOKENS['reader']}"}).status == 200
    assert "kept" in guarded.get("/metrics", bearer(TOKENS["reader"])).text


def test_a_body_is_not_read_of_who_may_not(guarded):
    """It is decided by the head; what is stored stays, and the next one on the connection is answered."""
    assert guarded.put("/metrics/job/kept", "kept 1\n", bearer(TOKENS["pusher"])).status == 200
    with guarded.connect() as connection:
        connection.send("POST /api/v1/import HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n"
                        f"Authorization: Bearer {TOKENS['pusher']}\r\n\r\n")
        assert connection.response().status == 403
    with guarded.connect() as connection:
        for token, status in ((TOKENS["reader"], 403), (TOKENS["admin"], 200), (TOKENS["reader"], 403)):
            assert connection.exchange("PUT", "/metrics/job/next", "n 1\n", bearer(token)).status == status
    page = guarded.get("/metrics", bearer(TOKENS["reader"])).text
    assert 'kept{instance="",job="kept"} 1' in page and 'n{instance="",job="next"} 1' in page


def test_tokens_alone(start_weir, tmp_path):
    (tmp_path / "web.yml").write_text(web_config({"pusher": "push"}, users=(), tokens={"pusher": TOKENS["pusher"]}))
    weir = start_weir(f"--web.config.file={tmp_path}/web.yml")
    got = weir.get("/metrics", basic("pusher", TOKENS["pusher"]))
    assert got.status == 401 and got.headers["www-authenticate"] == "Bearer"
    assert weir.put("/metrics/job/j", "m 1\n", bearer(TOKENS["pusher"])).status == 200
    config = tmp_path / "curl"
    config.write_text(f'oauth2-bearer = "{TOKENS["pusher"]}"\n')
    assert curl("-o", "/dev/null", "-w", "%{http_code}", "-K", str(config), weir.url + "/metrics") == b"403"


def test_roles_are_read_again(guarded, tmp_path):
    """What is known about passwords stays; who loses a role loses it for the next request."""
    assert guarded.put("/metrics/job/j", "m 1\n", basic("pusher", PASSWORD)).status == 200
    before = guarded.get("/metrics", bearer(TOKENS["reader"])).text
    (tmp_path / "web.yml").write_text(web_config({"pusher": "read", "reader": "read"}))
    wait_for(lambda: guarded.put("/metrics/job/j", "m 1\n", bearer(TOKENS["pusher"])).status == 403, "it is read")
    assert guarded.put("/metrics/job/j", "m 1\n", basic("pusher", PASSWORD)).status == 403
    assert re.search(r"^m\{.* 1$", before, re.M)


@pytest.mark.parametrize("text,error", [
    ("roles: {nobody: read}", "web.yml:1: roles: 'nobody' is neither in basic_auth_users nor in bearer_tokens"),
    ("bearer_tokens: {a: secret-token}", "web.yml:1: the token of 'a' is no SHA-256 of one, 64 hexadecimal digits"),
    (f"bearer_tokens: {{a: {'0' * 63}g}}", "is no SHA-256"), (f"bearer_tokens: {{a: {'0' * 65}}}", "is no SHA-256"),
    (f"bearer_tokens:\n  a: {'0' * 63}f\nroles:\n  a: [read, write]", "web.yml:4: unknown role 'write' of 'a', must be read, push or admin"),
    (f"bearer_tokens:\n  a: {'0' * 63}f\nroles:\n  a:\n", "web.yml:4: unknown role '' of 'a'"),
    (f"bearer_tokens:\n  a: {'0' * 63}f\n  b: {'0' * 63}F", "web.yml:3: the token of 'b' is that of 'a'"),
    ("roles: [read]", "roles"), ("bearer_tokens: a", "bearer_tokens"),
])
def test_broken_files(tmp_path, text, error):
    (tmp_path / "web.yml").write_text(text)
    code, said = run_weir(tmp_path, f"--web.config.file={tmp_path}/web.yml")
    assert code == 1 and error in said and "secret-token" not in said


# ---- Flushing -------------------------------------------------------------------------------


@pytest.mark.parametrize("flags,statuses", [((), {404}), (("--web.enable-admin-api",), {404, 405})])
def test_nothing_is_flushed_by_asking(start_weir, flags, statuses):
    """By no way that others had or a link could have: what is stored, and who is known, stays."""
    weir = start_weir(*flags)
    assert weir.put("/metrics/job/j/instance/i", "m 1\n").status == 200
    assert weir.post("/hosts", json.dumps({"ip": "192.0.2.1"}), {"Content-Type": "application/json"}).status < 300
    targets = wait_for(lambda: json.loads(weir.get("/api/v1/targets").text)["data"]["targets"], "it is known")
    paths = ["/api/v1/admin/wipe", "/admin/wipe", "/db/flush", "/db/flush/", "/db/insert", "/wipe", "/flush",
             "/api/v1/admin/flush", "/api/v1/import"]
    for path in paths:
        for method in ("GET", "HEAD", "POST", "DELETE", "PATCH", "OPTIONS"):
            if (method, path) == ("POST", "/api/v1/import"):
                continue  # which adds; without a body, nothing
            got = weir.request(method, path)
            assert got.status in statuses or (method, got.status) == ("OPTIONS", 200), (method, path, got.status)
            assert got.status != 405 or got.headers["allow"] in ("OPTIONS, PUT", "OPTIONS, POST")
    for path in paths[2:4]:
        assert weir.put(path).status == 404
    assert weir.scrape().value("m", job="j", instance="i") == 1
    after = json.loads(weir.get("/api/v1/targets").text)["data"]["targets"]
    assert {target["id"] for target in targets} <= {target["id"] for target in after}


# ---- Secrets --------------------------------------------------------------------------------


def test_no_secret_is_told(guarded, tmp_path):
    """Neither in the log, at its most talkative, nor in what weir shows of itself, nor in its errors."""
    secrets = [PASSWORD, *TOKENS.values(), "wrong-pass-word", "wrong-token-0123", *(
        basic(name, PASSWORD)["Authorization"].partition(" ")[2] for name in MAY), hash_of(PASSWORD)[:7]]
    said = []
    asked = READS + PUSHES[:2] + [("PUT", "/api/v1/admin/wipe"), ("GET", "/nowhere")]
    for headers, requests in ((basic("admin", PASSWORD), asked), (bearer(TOKENS["admin"]), asked),
                              (basic("admin", "wrong-pass-word"), asked[:1]), (bearer("wrong-token-0123"), asked)):
        for method, target in requests:
            got = answer(guarded, method, target, headers)
            said.append(got.text + str(got.headers))
    (tmp_path / "web.yml").write_text(web_config({"nobody": "read"}))
    wait_for(lambda: "not reloaded" in guarded.stderr(), "the broken file is reported")
    everything = "".join(said) + guarded.stderr()
    assert [secret for secret in secrets if secret in everything] == []
