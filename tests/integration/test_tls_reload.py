"""Certificates and the web config change while weir runs, for better or worse."""

import os
import shutil
import ssl

import pytest

from certificates import Authority, tls_config, web_config
from harness import Closed, run_weir, wait_for

GOOD = "weir_web_config_last_reload_successful"
SINCE = "weir_web_config_last_reload_success_timestamp_seconds"
RELOADS = "weir_web_config_reloads_total"
KEPT = "web config not reloaded, the old one stays in force"


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "authority")


@pytest.fixture
def served(authority):
    """The identity whose files the web config names."""
    return authority.issue("served", days=5)


@pytest.fixture
def weir(start_weir, authority, served, tmp_path):
    path = web_config(tmp_path / "config", tls_config(served))
    server = start_weir(f"--web.config.file={path}", tls=authority.client())
    server.config = path
    return server


def served_serial(weir):
    with weir.connect() as connection:
        return connection.socket.getpeercert()["serialNumber"]


def reloads(weir, result):
    return weir.scrape().value(RELOADS, result=result)


def wait_for_reload(weir, result, before=0):
    wait_for(lambda: reloads(weir, result) > before, f"one more {result}")


def exchange(path, text):
    """Puts a new file in its place at once, as those do who know how."""
    new = path.with_suffix(".new")
    new.write_text(text)
    os.replace(new, path)


def install(served, identity):
    """A new pair, the key last: in between, the files do not belong together."""
    exchange(served.cert, identity.cert.read_text())
    exchange(served.key, identity.key.read_text())


@pytest.mark.smoke
def test_renewed_certificate_is_served_to_new_connections(weir, authority, served):
    with weir.connect() as old:
        first = old.socket.getpeercert()["serialNumber"]
        assert old.exchange("PUT", "/metrics/job/j", "m 1\n").status == 200
        expiry = weir.scrape().value("weir_tls_certificate_not_after_timestamp_seconds")
        install(served, authority.issue("renewed", kind="rsa", days=9))
        wait_for(lambda: served_serial(weir) != first, "the new certificate is served")
        assert old.exchange("PUT", "/metrics/job/j", "m 2\n").status == 200
        page = weir.scrape()
    assert page.value("m", job="j") == 2
    assert page.value(GOOD) == 1
    assert page.value("weir_tls_certificate_not_after_timestamp_seconds") > expiry
    assert page.value(RELOADS, result="success") >= 1


def test_certificate_without_its_key_keeps_the_old(weir, authority, served):
    first = served_serial(weir)
    renewed = authority.issue("renewed")
    since = weir.scrape().value(SINCE)
    exchange(served.cert, renewed.cert.read_text())
    wait_for_reload(weir, "failure")
    page = weir.scrape()
    assert (page.value(GOOD), page.value(SINCE)) == (0, since)
    assert served_serial(weir) == first
    assert f'msg="{KEPT}"' in weir.stderr()
    assert "served.key: the key does not belong to the certificate of " in weir.stderr()
    exchange(served.key, renewed.key.read_text())
    wait_for_reload(weir, "success")
    page = weir.scrape()
    assert page.value(GOOD) == 1 and page.value(SINCE) > since
    assert served_serial(weir) != first


@pytest.mark.parametrize("text,says", [
    ("", "there is no certificate in it"),
    ("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n", "broken certificate"),
    (None, "No such file or directory"),
], ids=["empty", "broken", "gone"])
def test_broken_certificate_is_told_once_and_mended(weir, served, text, says):
    first, good = served_serial(weir), served.cert.read_text()
    if text is None:
        served.cert.unlink()
    else:
        served.cert.write_text(text)
    wait_for_reload(weir, "failure")
    assert f"served.pem: {says}" in weir.stderr()
    weir.put("/metrics/job/j", "m 1\n")
    served.cert.write_text(good)
    wait_for_reload(weir, "success")
    assert served_serial(weir) == first
    assert weir.scrape().value(GOOD) == 1
    assert reloads(weir, "failure") == 1
    assert weir.stderr().count(KEPT) == 1


def test_broken_yaml_keeps_the_old_and_says_all(weir, served):
    first = served_serial(weir)
    good = weir.config.read_text()
    weir.config.write_text(good + "  min_version: TLS9\nbasic_auth_user: {}\n")
    wait_for_reload(weir, "failure")
    log = weir.stderr()
    assert log.count(KEPT) == 2
    assert "web.yml:4: unknown min_version 'TLS9'" in log
    assert "web.yml:5: unknown key 'basic_auth_user'" in log
    assert served_serial(weir) == first
    assert weir.scrape().value(GOOD) == 0
    weir.config.write_text(good)
    wait_for_reload(weir, "success")
    assert weir.scrape().value(GOOD) == 1


def test_other_files_and_settings(weir, authority, tmp_path):
    other = authority.issue("other")
    weir.config.write_text(tls_config(other, "min_version: TLS13"))
    wait_for_reload(weir, "success")
    with pytest.raises((ssl.SSLError, ConnectionError, Closed)):
        weir.connect(tls=authority.client(version=ssl.TLSVersion.TLSv1_2))
    first = served_serial(weir)
    install(other, authority.issue("third"))
    wait_for(lambda: served_serial(weir) != first, "the files named now are watched")


def test_client_ca_comes_into_force(weir, authority, served, tmp_path):
    first_ca, second_ca = Authority(tmp_path / "first"), Authority(tmp_path / "second")
    clients = [ca.issue("client") for ca in (first_ca, second_ca)]
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(first_ca.cert.read_text())
    weir.tls = authority.client(clients[0])
    weir.config.write_text(tls_config(served, "client_auth_type: RequireAndVerifyClientCert",
                                      f"client_ca_file: {trusted}"))
    wait_for_reload(weir, "success")
    with pytest.raises((ssl.SSLError, ConnectionError, Closed)):
        with weir.connect(tls=authority.client(clients[1])) as connection:
            connection.exchange("GET", "/-/healthy")
    with weir.connect() as old:
        assert old.exchange("GET", "/-/healthy").status == 200
        exchange(trusted, second_ca.cert.read_text())

        def second_is_let_in():
            try:
                with weir.connect(tls=authority.client(clients[1])) as connection:
                    return connection.exchange("GET", "/-/healthy").status == 200
            except (ssl.SSLError, ConnectionError, Closed):
                return False

        wait_for(second_is_let_in, "the new CA is trusted")
        assert old.exchange("GET", "/-/healthy").status == 200
    with pytest.raises((ssl.SSLError, ConnectionError, Closed)):
        weir.get("/-/healthy")  # with the first CA's certificate


def test_files_behind_exchanged_symlinks(start_weir, authority, tmp_path):
    """As Kubernetes updates a secret: files -> ..data/file, ..data -> a directory a version."""
    mounted = tmp_path / "secret"
    for version in ("v1", "v2"):
        identity = authority.issue(version)
        (mounted / version).mkdir(parents=True)
        shutil.copy(identity.cert, mounted / version / "tls.crt")
        shutil.copy(identity.key, mounted / version / "tls.key")
    (mounted / "..data").symlink_to("v1")
    for name in ("tls.crt", "tls.key"):
        (mounted / name).symlink_to(f"..data/{name}")
    path = web_config(mounted, "tls_server_config: {cert_file: tls.crt, key_file: tls.key}\n")
    weir = start_weir(f"--web.config.file={path}", tls=authority.client())
    first = served_serial(weir)
    (mounted / "..data_tmp").symlink_to("v2")
    os.replace(mounted / "..data_tmp", mounted / "..data")
    wait_for(lambda: served_serial(weir) != first, "the new certificate is served")
    assert weir.scrape().value(GOOD) == 1


def test_tls_is_not_turned_off_by_a_reload(weir):
    weir.config.write_text("")
    wait_for_reload(weir, "failure")
    assert "TLS is turned off by a restart only" in weir.stderr()
    assert weir.scrape().value(GOOD) == 0


def test_tls_is_not_turned_on_by_a_reload(start_weir, served, tmp_path):
    path = web_config(tmp_path / "config", "")
    weir = start_weir(f"--web.config.file={path}")
    assert weir.scrape().value(GOOD) == 1
    path.write_text(tls_config(served))
    wait_for_reload(weir, "failure")
    assert "TLS is turned on by a restart only" in weir.stderr()
    path.write_text("http_server_config: {http2: true}\n")
    wait_for_reload(weir, "success")
    assert weir.scrape().value(GOOD) == 1


def test_renewed_all_the_time_under_load(weir, authority, served):
    identities = [authority.issue(f"number{n}") for n in range(3)]
    with weir.connect() as connection:
        for number in range(3):
            before = served_serial(weir)
            install(served, identities[number])
            value = 0

            def pushed_until_served():
                nonlocal value
                value += 1
                assert connection.exchange("PUT", "/metrics/job/j", f"m {value}\n").status == 200
                return served_serial(weir) != before

            wait_for(pushed_until_served, "the next certificate is served")
            assert weir.scrape().value("m", job="j") == value


def test_no_metrics_without_a_web_config(start_weir):
    page = start_weir().scrape()
    assert not [name for name in page.families if "web_config" in name or "tls" in name]


@pytest.mark.parametrize("text,says", [
    (None, "No such file or directory"),
    ("tls_server_confg: {}\n", "web.yml:1: unknown key 'tls_server_confg'"),
    ("tls_server_config: {cert_file: a}\n", "web.yml:1: tls_server_config needs key_file or key"),
], ids=["gone", "unknown key", "no key"])
def test_broken_at_start(tmp_path, text, says):
    path = tmp_path / "web.yml"
    if text is not None:
        path.write_text(text)
    code, stderr = run_weir(tmp_path, f"--web.config.file={path}")
    assert code == 1
    assert "cannot use the web config" in stderr and says in stderr
