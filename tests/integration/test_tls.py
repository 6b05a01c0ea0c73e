"""TLS as clients see it: versions, ciphers, certificates, and HTTP over all of it."""

import gzip
import select
import socket
import ssl
import subprocess
import time

import pytest
from prometheus_client import CollectorRegistry, Gauge, push_to_gateway
from prometheus_client.exposition import tls_auth_handler

import peers
from certificates import Authority, tls_config, web_config
from harness import DEADLINE, Closed, curl, format_request, run_weir, wait_for

PLAIN_ANSWER = (b"HTTP/1.0 400 Bad Request\r\n\r\n"
                b"Client sent an HTTP request to an HTTPS server.\n")
HANDSHAKES = "weir_tls_handshakes_total"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def identity(authority):
    return authority.issue("server")


@pytest.fixture
def start_tls(start_weir, authority, identity, tmp_path):
    """Starts weir with further lines in its tls_server_config."""
    def start(*lines, flags=(), client=None, server=None):
        path = web_config(tmp_path / "config", tls_config(server or identity, *lines))
        return start_weir(f"--web.config.file={path}", *flags,
                          tls=client or authority.client())

    return start


def results(weir):
    """How often handshakes ended how, without those that never did."""
    return {dict(labels)["result"]: float(value)
            for (name, labels), value in weir.scrape().samples.items()
            if name == HANDSHAKES and value != "0"}


def count(page, name):
    """How many series of that name there are."""
    return sum(sample == name for sample, _ in page.samples)


def shake(weir, context):
    """None when the client got an answer, else what it was told."""
    try:
        with weir.connect(tls=context) as connection:
            assert connection.exchange("GET", "/-/healthy").status == 200
            return None
    except (ssl.SSLError, ConnectionError, Closed) as fault:
        return str(fault)


# ---- Ordinary clients


@pytest.mark.smoke
@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_curl(start_tls, authority, kind, version):
    weir = start_tls(server=authority.issue(f"curl-{kind}-{version}", kind=kind))
    url = weir.url.replace("127.0.0.1", "localhost")
    options = ["--cacert", str(authority.cert), f"--tlsv{version}", "--tls-max", version]
    for protocol in ("--http1.0", "--http1.1", "--http2"):
        curl(*options, protocol, "-f", "--data-binary", "@-", f"{url}/metrics/job/j", data=b"m 1\n")
        assert b'm{instance="",job="j"} 1' in curl(*options, protocol, "-f", f"{url}/metrics")
    done = curl(*options, "-w", "%{http_version}", "-o", "/dev/null", f"{url}/-/healthy")
    assert done == b"1.1"


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_s_client(start_tls, authority, version):
    weir = start_tls()
    host, port = weir.address
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"{host}:{port}", f"-{version}", "-quiet",
         "-alpn", "h2,http/1.1", "-CAfile", authority.cert, "-verify_return_error", "-ign_eof"],
        input=b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        capture_output=True, timeout=DEADLINE, check=False)
    assert done.stdout.startswith(b"HTTP/1.1 200 OK\r\n"), done.stderr
    assert done.returncode == 0


def test_python_client_pushes(start_tls, authority):
    client = authority.issue("python", sans="DNS:python")
    weir = start_tls("client_auth_type: RequireAndVerifyClientCert",
                     f"client_ca_file: {authority.cert}", client=authority.client(client))

    def handler(url, method, timeout, headers, data):
        return tls_auth_handler(url, method, timeout, headers, data, str(client.cert),
                                str(client.key), str(authority.cert))

    registry = CollectorRegistry()
    Gauge("temperature", "Help.", registry=registry).set(21.5)
    push_to_gateway(weir.url, job="python", registry=registry, handler=handler)
    assert weir.scrape().value("temperature", job="python") == 21.5


def test_prometheus_scrapes(start_tls, authority, tmp_path):
    client = authority.issue("prometheus", sans="DNS:prometheus")
    weir = start_tls("client_auth_type: RequireAndVerifyClientCert",
                     f"client_ca_file: {authority.cert}", client=authority.client(client))
    weir.put("/metrics/job/backup", "runs 3\n")
    settings = {"scheme": "https", "tls_config": {
        "ca_file": str(authority.cert), "cert_file": str(client.cert),
        "key_file": str(client.key), "server_name": "localhost"}}
    with peers.Prometheus(tmp_path / "prometheus", {"weir": weir.url}, job=settings) as server:
        [(labels, value)] = server.wait_for("runs")
        assert (labels["job"], value) == ("backup", "3")


# ---- What both agree on


def test_versions(start_tls, authority):
    only_1_2 = authority.client(version=ssl.TLSVersion.TLSv1_2)
    only_1_3 = authority.client(version=ssl.TLSVersion.TLSv1_3)
    weir = start_tls("min_version: TLS13")
    assert "protocol" in shake(weir, only_1_2).lower()
    assert shake(weir, only_1_3) is None
    assert results(weir)["version"] == 1
    weir = start_tls("max_version: TLS12")
    assert "protocol" in shake(weir, only_1_3).lower()
    assert shake(weir, only_1_2) is None
    assert results(weir)["version"] == 1


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_versions_when_allowed(start_tls, authority, identity):
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.load_verify_locations(authority.cert)
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    assert shake(start_tls("min_version: TLS10"), old) is None
    assert shake(start_tls(), old) is not None


def test_ciphers(start_tls, authority):
    weir = start_tls("cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]",
                     "curve_preferences: [CurveP384]")
    old = authority.client(version=ssl.TLSVersion.TLSv1_2)
    with weir.connect(tls=old) as connection:
        assert connection.socket.cipher()[0] == "ECDHE-ECDSA-AES256-GCM-SHA384"
    old.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    assert shake(weir, old) is not None
    assert results(weir)["cipher"] == 1


def test_sessions_are_resumed_only_without_client_certificates(start_tls, authority):
    client = authority.client(authority.issue("resumer", sans="DNS:resumer"))
    lines = ["client_auth_type: VerifyClientCertIfGiven", f"client_ca_file: {authority.cert}"]
    for weir, may_resume in ((start_tls(), True), (start_tls(*lines), False)):
        with weir.connect(tls=client) as connection:
            assert connection.exchange("GET", "/-/healthy").status == 200
            session = connection.socket.session
        with socket.create_connection(weir.address, timeout=DEADLINE) as raw:
            again = client.wrap_socket(raw, server_hostname="localhost", session=session)
            again.sendall(format_request("GET", "/-/healthy"))
            assert again.recv(100).startswith(b"HTTP/1.1 200")
            assert again.session_reused == may_resume
            again.close()


def test_alpn(start_tls, authority):
    weir = start_tls()
    client = authority.client()
    for offered, agreed in ((["h2", "http/1.1"], "http/1.1"), (["http/1.1"], "http/1.1")):
        client.set_alpn_protocols(offered)
        with weir.connect(tls=client) as connection:
            assert connection.socket.selected_alpn_protocol() == agreed
    client.set_alpn_protocols(["h2"])
    assert shake(weir, client) is not None
    assert results(weir)["alpn"] == 1


# ---- Certificates of clients


MODES = ["NoClientCert", "RequestClientCert", "RequireAnyClientCert", "VerifyClientCertIfGiven",
         "RequireAndVerifyClientCert"]
LET_IN = {  # by what the client shows
    "none": {"NoClientCert", "RequestClientCert", "VerifyClientCertIfGiven"},
    "right": set(MODES),
    "foreign": {"NoClientCert", "RequestClientCert", "RequireAnyClientCert"},
    "expired": {"NoClientCert", "RequestClientCert", "RequireAnyClientCert"},
}


@pytest.fixture(scope="module")
def clients(authority, tmp_path_factory):
    foreign = Authority(tmp_path_factory.mktemp("foreign"))
    names = "DNS:client.example,email:ops@client.example,IP:192.0.2.7,URI:spiffe://a/b"
    return {
        "none": None,
        "right": authority.issue("right", sans=names),
        "foreign": foreign.issue("foreign", sans=names),
        "expired": authority.issue("expired", sans=names, days=-1),
    }


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("mode", MODES)
def test_client_certificates(start_tls, authority, clients, mode, version):
    lines = [f"client_auth_type: {mode}"]
    if mode != "NoClientCert":
        lines.append(f"client_ca_file: {authority.cert}")
    weir = start_tls(*lines, client=authority.client(clients["right"]))
    for kind, client in clients.items():
        fault = shake(weir, authority.client(client, version))
        assert (fault is None) == (mode in LET_IN[kind]), (kind, fault)
    counts = results(weir)
    assert counts.get("client_cert_missing", 0) == (mode not in LET_IN["none"])
    assert counts.get("client_cert_invalid", 0) == 2 * (mode not in LET_IN["foreign"])


@pytest.mark.parametrize("mode", ["RequireAnyClientCert", "RequireAndVerifyClientCert"])
@pytest.mark.parametrize("name", ["client.example", "ops@client.example", "192.0.2.7",
                                  "spiffe://a/b"])
def test_allowed_names(start_tls, authority, clients, mode, name):
    other = authority.issue(f"other-{mode}-{len(name)}", sans="DNS:other.example")
    weir = start_tls(f"client_auth_type: {mode}", f"client_ca_file: {authority.cert}",
                     f"client_allowed_sans: ['nobody', '{name}']",
                     client=authority.client(clients["right"]))
    assert shake(weir, authority.client(clients["right"])) is None
    assert shake(weir, authority.client(other)) is not None
    assert results(weir)["client_name"] == 1


# ---- Those that do not speak TLS, or not to the end


@pytest.mark.smoke
@pytest.mark.parametrize("request_bytes", [
    format_request("GET", "/metrics"), format_request("DELETE", "/metrics/job/j"),
    format_request("PUT", "/metrics/job/j", "m 1\n" * 500_000),
], ids=["get", "delete", "large put"])
def test_plain_http(start_tls, request_bytes):
    weir = start_tls()
    with weir.connect(tls=None) as connection:
        connection.send(request_bytes)
        received = b""
        while data := connection.socket.recv(65536):
            received += data
    assert received == PLAIN_ANSWER
    assert results(weir)["plain_http"] == 1


def test_strangers(start_tls):
    weir = start_tls(flags=["--log.level=debug"])
    with weir.connect(tls=None) as connection:
        connection.send(b"\x01\x02\x03\x04\x05\x06\x07\x08 no TLS\r\n")
        while connection.socket.recv(4096):
            pass
    weir.connect(tls=None).close()
    wait_for(lambda: results(weir).get("closed"), "the end is noticed")
    assert results(weir)["protocol"] == 1
    assert 'msg="TLS handshake failed" client=127.0.0.1:' in weir.stderr()
    assert "result=protocol" in weir.stderr()


@pytest.mark.parametrize("begun", [b"", b"\x16", b"\x16\x03\x01\x02\x00\x01"],
                         ids=["silent", "byte", "record"])
def test_handshake_that_does_not_go_on(start_tls, begun):
    weir = start_tls(flags=["--timeout.header=500ms"])
    began = time.monotonic()
    with weir.connect(tls=None) as connection:
        connection.send(begun)
        assert connection.is_closed_by_server()
        assert time.monotonic() - began > 0.4
    page = weir.scrape()
    assert page.value(HANDSHAKES, result="timeout") == 1
    assert page.value("weir_timeouts_total", phase="header") == 1


def test_silent_after_the_handshake(start_tls):
    weir = start_tls(flags=["--timeout.header=500ms"])
    with weir.connect() as connection:
        assert connection.response().status == 408
        assert connection.is_closed_by_server()


def test_many_half_open_handshakes_keep_nobody_out(start_tls):
    weir = start_tls()
    half_open = [socket.create_connection(weir.address) for _ in range(200)]
    for one in half_open:
        one.send(b"\x16\x03\x01")
    assert weir.put("/metrics/job/j", "m 1\n").status == 200
    for one in half_open:
        one.close()
    wait_for(lambda: results(weir).get("closed") == 200, "all are noticed")


def test_above_the_limit_of_connections(start_tls):
    weir = start_tls(flags=["--limit.connections=1"])
    with weir.connect() as first:
        assert first.exchange("GET", "/-/healthy").status == 200
        with weir.connect() as second:
            assert second.response().status == 503


def test_half_open_above_the_limit_of_connections(start_tls):
    weir = start_tls(flags=["--limit.connections=1", "--timeout.header=500ms"])
    with weir.connect() as first:
        assert first.exchange("GET", "/-/healthy").status == 200
        with weir.connect(tls=None) as second:
            second.send(b"\x16\x03")
            assert second.is_closed_by_server()
        assert b'result="timeout"} 1' in first.exchange("GET", "/metrics").body


# ---- HTTP over it


def big_body(lines):
    return "".join(f'big{{n="{n:0180}"}} {n}\n' for n in range(lines))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_large_push_and_scrape(start_tls, authority, version):
    weir = start_tls(client=authority.client(version=version))
    body = big_body(40_000)
    assert weir.put("/metrics/job/big", body).status == 200
    assert weir.put("/metrics/job/coded", gzip.compress(body.replace("big", "zip").encode()),
                    {"Content-Encoding": "gzip"}).status == 200
    page = weir.scrape()
    assert count(page, "big") == count(page, "zip") == 40_000
    assert page.value("big", n=f"{39_999:0180}", job="big") == 39_999
    answer = weir.get("/metrics", {"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(answer.body).count(b"\nbig{") == 40_000


def test_chunked_push(start_tls):
    weir = start_tls()
    with weir.connect() as connection:
        connection.send("PUT /metrics/job/j HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
                        "\r\nExpect: 100-continue\r\n\r\n")
        assert connection.response().status == 100
        for part in (b"4\r\nm 1\n\r\n", b"4\r\n", b"n 2\n", b"\r\n0\r\n\r\n"):
            connection.send(part)
        assert connection.response().status == 200
    assert weir.scrape().value("n", job="j") == 2


def test_keep_alive_and_pipelining(start_tls):
    weir = start_tls()
    with weir.connect() as connection:
        for value in range(50):
            assert connection.exchange("PUT", "/metrics/job/j", f"m {value}\n").status == 200
        connection.send(b"".join(format_request("PUT", f"/metrics/job/j{n}", f"m {n}\n")
                                 for n in range(200)))
        assert [connection.response().status for _ in range(200)] == [200] * 200
    assert results(weir)["ok"] == 2
    assert count(weir.scrape(), "m") == 201


def test_request_byte_by_byte(start_tls):
    weir = start_tls()
    with weir.connect() as connection:
        for byte in format_request("PUT", "/metrics/job/j", "m 1\n"):
            connection.send(bytes([byte]))
        assert connection.response().status == 200


def test_requests_before_close_notify_are_answered(start_tls):
    """A client that says it is done still gets its answers, and is told that there are no more."""
    weir = start_tls()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = weir.tls.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with socket.create_connection(weir.address, timeout=DEADLINE) as raw:
        def step(action):
            while True:
                try:
                    return action()
                except ssl.SSLWantReadError:
                    raw.sendall(outgoing.read())
                    incoming.write(raw.recv(65536))

        step(client.do_handshake)
        client.write(b"".join(format_request("PUT", f"/metrics/job/j{n}", "m 1\n")
                              for n in range(100)))
        with pytest.raises(ssl.SSLWantReadError):
            client.unwrap()  # writes its close_notify, then wants weir's
        raw.sendall(outgoing.read())
        while data := raw.recv(65536):
            incoming.write(data)
    received = b""
    with pytest.raises(ssl.SSLZeroReturnError):  # weir's close_notify
        while True:
            received += client.read(65536)
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 100
    assert weir.scrape().value("weir_groups") == 100


def test_http_1_0_answer_ends_with_close_notify(start_tls):
    """Its body has no length: without close_notify the client could not tell it from a cut one."""
    weir = start_tls()
    weir.put("/metrics/job/big", big_body(20_000))
    with weir.connect() as connection:
        connection.send("GET /metrics HTTP/1.0\r\n\r\n")
        received = b""
        while data := connection.socket.recv(1 << 20):  # raises when it is cut
            received += data
    assert received.count(b"\nbig{") == 20_000


def test_reader_that_does_not_read_is_cut(start_tls):
    weir = start_tls(flags=["--timeout.write=1s"])
    assert weir.put("/metrics/job/big", big_body(40_000)).status == 200
    with weir.connect(receive_buffer=4096) as connection:
        connection.request("GET", "/metrics")
        assert connection.socket.recv(1) == b"H"
        wait_for(lambda: weir.scrape().total("weir_timeouts_total", phase="write") == 1,
                 "the reader is cut")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            while connection.socket.recv(1 << 20):
                pass
    assert weir.get("/-/healthy").status == 200


def test_slow_reader_gets_all(start_tls):
    weir = start_tls(flags=["--timeout.write=1s"])
    assert weir.put("/metrics/job/big", big_body(30_000)).status == 200
    with weir.connect(receive_buffer=65536) as connection:
        connection.request("GET", "/metrics")
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            connection.pending += connection.socket.recv(16384)
            select.select([], [], [], 0.02)
        assert connection.response().body.count(b"\nbig{") == 30_000


def test_body_above_the_limit_is_refused(start_tls):
    weir = start_tls(flags=["--limit.body-bytes=1000"])
    with weir.connect() as connection:
        connection.request("PUT", "/metrics/job/j", b"m 1\n" * 500_000)
        assert connection.response().status == 413


def test_shutdown_drains(start_tls):
    weir = start_tls()
    assert weir.put("/metrics/job/big", big_body(40_000)).status == 200
    with weir.connect() as idle, weir.connect(receive_buffer=4096) as reading:
        assert idle.exchange("GET", "/-/healthy").status == 200
        reading.request("GET", "/metrics")
        assert reading.socket.recv(1) == b"H"
        weir.signal()
        assert idle.socket.recv(1) == b""  # close_notify, not a cut
        reading.pending = b"H"
        assert reading.response().body.count(b"\nbig{") == 40_000
    assert weir.wait() == 0


# ---- Files that cannot be used


@pytest.mark.parametrize("change,says", [
    (lambda cert, key: cert.unlink(), "server.pem: No such file or directory"),
    (lambda cert, key: key.unlink(), "server.key: No such file or directory"),
    (lambda cert, key: cert.write_text("nothing"), "server.pem: there is no certificate in it"),
    (lambda cert, key: key.write_text(""), "server.key: there is no private key in it"),
    (lambda cert, key: key.write_text(key.read_text()[:100]), "server.key: broken private key"),
    (lambda cert, key: key.write_text((key.parent / "other.key").read_text()),
     "server.key: the key does not belong to the certificate of "),
], ids=["no cert", "no key", "cert no PEM", "key empty", "key broken", "key of another"])
def test_broken_files_at_start(tmp_path, change, says):
    authority = Authority(tmp_path / "files")
    identity = authority.issue("server")
    authority.issue("other")
    change(identity.cert, identity.key)
    path = web_config(tmp_path / "config", tls_config(identity))
    code, stderr = run_weir(tmp_path, f"--web.config.file={path}")
    assert code == 1
    assert f"file={path}" in stderr and says in stderr
    assert "listening" not in stderr


def test_expired_certificate_is_only_warned_of(start_tls, authority):
    client = authority.client()
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    weir = start_tls(server=authority.issue("old", days=-1), client=client)
    assert weir.get("/-/healthy").status == 200
    assert 'level=warn msg="the TLS certificate has expired"' in weir.stderr()
    assert weir.scrape().value("weir_tls_certificate_not_after_timestamp_seconds") < time.time()


def test_inline_certificate(start_weir, authority, identity, tmp_path):
    cert, key = identity.pem()
    indented = [text.strip().replace("\n", "\n    ") for text in (cert, key)]
    path = web_config(tmp_path / "config",
                      f"tls_server_config:\n  cert: |\n    {indented[0]}\n  key: |\n    {indented[1]}\n")
    weir = start_weir(f"--web.config.file={path}", tls=authority.client())
    assert weir.get("/-/healthy").status == 200
