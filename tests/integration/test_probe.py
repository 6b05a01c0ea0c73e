"""weir probe: whether a weir is ready, for health checks."""

import hashlib
import socket
import subprocess

import pytest

from certificates import Authority, tls_config, web_config
from harness import BINARY, DEADLINE, environment
from redis_servers import free_port
from test_auth import hash_of


def probe(*arguments, **variables):
    """Exit code and what was said; what goes to standard output is an error."""
    done = subprocess.run([BINARY, "probe", *map(str, arguments)], capture_output=True, text=True,
                          env={**environment(), "http_proxy": "http://127.0.0.1:1", **variables},
                          timeout=DEADLINE, check=False)
    assert done.stdout == ""
    return done.returncode, done.stderr


@pytest.mark.smoke
def test_of_a_url(weir):
    assert probe(weir.url) == (0, "")
    assert probe(f"{weir.url}/", "--healthy") == (0, "")


def test_nobody_listens():
    url = f"http://127.0.0.1:{free_port()}"
    code, said = probe(url)
    assert code == 1 and said.startswith(f"weir probe: error: not ready: {url}: ") and "connect" in said
    code, said = probe(url, "--healthy")
    assert code == 1 and said.startswith(f"weir probe: error: not healthy: {url}: ")


def test_it_still_loads(start_weir):
    """It waits for a Redis that is not there."""
    weir = start_weir(f"--state.url=redis://127.0.0.1:{free_port()}", "--log.level=error")
    assert probe(weir.url, "--healthy") == (0, "")
    code, said = probe(weir.url)
    assert code == 1 and said.startswith(f"weir probe: error: not ready: {weir.url}: status 503")


def test_of_the_settings_that_weir_has(start_weir, tmp_path):
    port = free_port()
    (tmp_path / "weir.yml").write_text(f"web.listen-address: ['127.0.0.1:{port}']\nweb.route-prefix: /push\n")
    start_weir(f"--config.file={tmp_path}/weir.yml", listen=(f"127.0.0.1:{port}",))
    ready = (0, "")
    assert probe(f"--config.file={tmp_path}/weir.yml") == ready
    assert probe(WEIR_CONFIG_FILE=f"{tmp_path}/weir.yml") == ready
    assert probe(WEIR_WEB_LISTEN_ADDRESS=f"127.0.0.1:{port},unix:@x", WEIR_WEB_ROUTE_PREFIX="push/") == ready
    assert probe("--web.listen-address", f":{port}", "--web.route-prefix", "/push") == ready
    assert probe(f"--web.listen-address=0.0.0.0:{port}", "--web.external-url=http://ex.com/push") == ready
    code, said = probe(f"--web.listen-address=127.0.0.1:{port}", "--web.route-prefix=/other")
    assert code == 1 and f"http://127.0.0.1:{port}/other: status 404" in said


def test_of_every_interface(start_weir):
    port = free_port()
    start_weir(listen=(f"[::]:{port}",))
    assert probe(f"--web.listen-address=[::]:{port}") == (0, "")
    assert probe(WEIR_WEB_LISTEN_ADDRESS=f":{port}") == (0, "")


@pytest.mark.parametrize("name", ["@weir-probe-{port}", "{directory}/weir.sock"])
def test_by_a_unix_socket(start_weir, tmp_path, name):
    address = "unix:" + name.format(port=free_port(), directory=tmp_path)
    start_weir(listen=(address,))
    assert probe(f"--web.listen-address={address}") == (0, "")


def test_by_tls_and_with_a_password(start_weir, tmp_path):
    """By its settings whatever the certificate says; by a URL only when it is trusted."""
    port, authority = free_port(), Authority(tmp_path / "ca")
    identity = authority.issue("server", sans="DNS:push.example.com,DNS:localhost")
    settings = web_config(tmp_path, tls_config(identity) + f"basic_auth_users:\n  ada: {hash_of('secret')}\n")
    (tmp_path / "password").write_text("secret\n")
    start_weir(f"--web.config.file={settings}", "--log.level=error", listen=(f"127.0.0.1:{port}",))
    self = [f"--web.listen-address=127.0.0.1:{port}", f"--web.config.file={settings}"]
    user = ["--user=ada", f"--password-file={tmp_path}/password"]
    assert probe(*self, *user) == (0, "")
    code, said = probe(*self)
    assert code == 1 and "status 401: user, password or token are missing or wrong" in said
    url = f"https://localhost:{port}"
    assert probe(url, *user, f"--cacert={authority.cert}") == (0, "")
    code, said = probe(url, *user)
    assert code == 1 and "certificate" in said
    assert "secret" not in said


def test_by_a_token(start_weir, tmp_path):
    token = "token-of-health-checks"
    settings = web_config(tmp_path, f"bearer_tokens:\n  probe: {hashlib.sha256(token.encode()).hexdigest()}\n"
                                    "roles:\n  probe: []\n")
    weir = start_weir(f"--web.config.file={settings}")
    path = tmp_path / "token"
    path.write_text(token + "\n")
    assert probe(weir.url, f"--token-file={path}") == (0, "")
    for first_line, fault in (("token-of-nobody", "status 401: user, password or token"), ("", "is empty")):
        path.write_text(first_line + "\n")
        code, said = probe(weir.url, f"--token-file={path}")
        assert code == (1 if first_line else 2) and fault in said and token not in said
    assert probe(weir.url, f"--token-file={path}.not")[0] == 2
    code, said = probe(weir.url, f"--token-file={path}", "--user=ada")
    assert code == 2 and "a user or a token?" in said


def test_one_that_does_not_answer():
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        code, said = probe(f"http://127.0.0.1:{deaf.getsockname()[1]}", "--timeout=50ms")
    assert code == 1 and "timed out" in said


@pytest.mark.parametrize("arguments,said", [
    (["http://a", "http://b"], "unexpected 'http://b', try --help"),
    (["--ready"], "unknown flag '--ready', try --help"),
    (["--timeout=5", "http://a"], "bad value '5' for --timeout: a duration needs a unit"),
    (["--timeout=0s", "http://a"], "bad value '0s' for --timeout: it may be 1ms to 1h"),
    (["ftp://a"], "'ftp://a' is no URL of a weir"),
    (["http://a", "--web.listen-address=:1"], "either a URL or settings of the weir, not both"),
    (["--web.listen-address=nowhere"], "bad value 'nowhere' for 'web.listen-address': "),
    (["--web.listen-address=:0"], "which port it got for port 0 only that weir knows; give its URL"),
    (["--web.listen-address=vsock://:9091"], "a vsock cannot be asked; give the URL of another address"),
    (["--config.file=/nowhere.yml"], "/nowhere.yml: No such file or directory"),
    (["--web.config.file=/nowhere.yml"], "/nowhere.yml: No such file or directory"),
])
def test_it_cannot_be_asked(arguments, said):
    code, text = probe(*arguments)
    assert code == 2 and text.startswith("weir probe: error: ") and said in text, text


def test_settings_that_weir_would_refuse():
    code, said = probe(WEIR_GROUP_TTL="5")
    assert code == 2 and said.startswith("weir probe: error: bad value")
    code, said = probe(WEIR_WEB_SYSTEMD_SOCKET="true")
    assert code == 2 and "where systemd has it listen" in said


def test_help():
    done = subprocess.run([BINARY, "probe", "-h"], capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: weir probe [<flag> ...] [URL]\n")
    done = subprocess.run([BINARY, "--help"], capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert "\n       weir probe [<flag> ...] [URL]\n" in done.stdout
