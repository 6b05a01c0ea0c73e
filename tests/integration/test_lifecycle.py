"""Start and stop: listeners, faults at start, what a signal does to requests in flight."""

import json
import re
import signal
import socket
import time

import pytest

from harness import run_weir, wait_for


@pytest.mark.smoke
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_well(start_weir, number):
    weir = start_weir()
    weir.put("/metrics/job/j", "m 1\n")
    weir.signal(number)
    assert weir.wait() == 0


def refuses(weir):
    try:
        socket.create_connection(weir.address, 1).close()
        return False
    except OSError:
        return True


@pytest.mark.smoke
def test_request_in_flight_is_finished(start_weir):
    weir = start_weir()
    with weir.connect() as idle, weir.connect() as connection:
        assert idle.exchange("GET", "/-/healthy").status == 200
        connection.request("PUT", "/metrics/job/j", headers={"Content-Length": "4"})
        connection.send("m ")
        # Answered behind what was sent above, so weir has seen that.
        assert weir.get("/-/healthy").status == 200
        weir.signal()
        wait_for(lambda: refuses(weir), "weir stops listening")
        connection.send("1\n")
        answer = connection.response()
        assert answer.status == 200
        assert connection.is_closed_by_server()
        assert idle.is_closed_by_server()
    assert weir.wait() == 0


def test_scrape_in_flight_is_finished(start_weir):
    weir = start_weir()
    body = "".join(f'big{{n="{n:0180}"}} 1\n' for n in range(40_000))
    weir.put("/metrics/job/big", body)
    with weir.connect(receive_buffer=65536) as connection:
        connection.request("GET", "/metrics")
        connection.pending = connection.socket.recv(1)
        weir.signal()
        wait_for(lambda: refuses(weir), "weir stops listening")
        answer = connection.response()
        assert answer.status == 200
        assert answer.body.count(b"\nbig{") == 40_000
    assert weir.wait() == 0


def test_request_that_does_not_end_is_cut(start_weir):
    weir = start_weir("--timeout.shutdown=1s", "--timeout.body=1h")
    with weir.connect() as connection:
        connection.request("PUT", "/metrics/job/j", headers={"Content-Length": "4"})
        assert weir.get("/-/healthy").status == 200
        began = time.monotonic()
        weir.signal()
        assert weir.wait() == 0
        assert time.monotonic() - began > 0.9


def test_address_in_use(start_weir, tmp_path):
    weir = start_weir()
    code, stderr = run_weir(tmp_path, listen=[f"127.0.0.1:{weir.address[1]}"])
    assert code == 1
    [line] = stderr.splitlines()
    assert str(weir.address[1]) in line and "in use" in line


@pytest.mark.parametrize("flag", [
    "--no-such-flag", "--limit.groups=many", "--limit.groups=-1", "--timeout.idle=soon",
    "--group.ttl=10", "--group.ttl=", "--log.level=loud", "--log.format=xml", "stray",
])
def test_bad_flag(tmp_path, flag):
    code, stderr = run_weir(tmp_path, flag)
    assert code == 1
    [line] = stderr.splitlines()
    assert re.split("[=.]", flag.lstrip("-"))[0] in line


@pytest.mark.parametrize("address", ["127.0.0.1:99999", "nowhere", "127.0.0.1:http:", "[::1:0"])
def test_bad_address(tmp_path, address):
    code, stderr = run_weir(tmp_path, listen=[address])
    assert code == 1
    [line] = stderr.splitlines()
    assert address in line


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_flag_that_prints_and_ends(tmp_path, flag):
    code, stderr = run_weir(tmp_path, flag)
    assert (code, stderr) == (0, "")


def test_ipv6(start_weir):
    weir = start_weir(listen=["[::1]:0"])
    assert weir.address[0] == "::1"
    assert weir.put("/metrics/job/j", "m 1\n").status == 200
    assert weir.scrape().value("m", job="j") == 1


def test_two_listeners_are_one_weir(start_weir):
    weir = start_weir(listen=["127.0.0.1:0", "[::1]:0"])
    weir.put("/metrics/job/j", "m 1\n")
    first, weir.address = weir.addresses
    assert first != weir.address
    assert weir.scrape().value("m", job="j") == 1


def test_good_pushes_log_nothing(start_weir):
    weir = start_weir()
    weir.get("/-/healthy")
    before = weir.stderr()
    for value in range(20):
        weir.put("/metrics/job/j", f"m {value}\n")
    weir.scrape()
    assert weir.stderr() == before


def test_log_as_json(start_weir):
    weir = start_weir("--log.format=json", "--log.level=debug")
    weir.signal()
    assert weir.wait() == 0
    for line in weir.stderr().splitlines():
        assert isinstance(json.loads(line), dict)


# ---- /-/quit ----

@pytest.mark.smoke
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_quit_ends_it_well(start_weir, method):
    weir = start_weir("--web.enable-lifecycle")
    with weir.connect() as idle, weir.connect() as connection:
        assert idle.exchange("GET", "/-/healthy").status == 200
        answer = connection.exchange(method, "/-/quit", b"")
        assert (answer.status, answer.text) == (200, "Requesting termination... Goodbye!")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert connection.is_closed_by_server()
        assert idle.is_closed_by_server()
    assert weir.wait() == 0


def test_quit_needs_the_flag(start_weir):
    weir = start_weir()
    for method in ("PUT", "POST"):
        answer = weir.request(method, "/-/quit", b"")
        assert (answer.status, answer.text) == (403, "Lifecycle API is not enabled.")
    assert weir.get("/-/healthy").status == 200


def test_quit_by_another_method_ends_nothing(start_weir):
    weir = start_weir("--web.enable-lifecycle")
    answer = weir.get("/-/quit")
    assert (answer.status, answer.text) == (405, "Only POST or PUT requests allowed.")
    assert weir.delete("/-/quit").status == 405
    assert weir.request("OPTIONS", "/-/quit").status == 200
    assert weir.get("/-/healthy").status == 200


def test_quit_lets_running_requests_finish(start_weir):
    weir = start_weir("--web.enable-lifecycle")
    wait_for(lambda: weir.get("/-/ready").status == 200, "what is stored is loaded")
    with weir.connect() as connection:
        connection.request("PUT", "/metrics/job/j", headers={"Content-Length": "4"})
        connection.send("m ")
        assert weir.get("/-/healthy").status == 200
        assert weir.put("/-/quit").status == 200
        wait_for(lambda: refuses(weir), "weir stops listening")
        connection.send("1\n")
        assert connection.response().status == 200
    assert weir.wait() == 0


def test_quit_by_many_at_once(start_weir):
    """Each that is heard is answered; with a signal on top."""
    weir = start_weir("--web.enable-lifecycle")
    connections = [weir.connect() for _ in range(8)]
    for connection in connections:
        assert connection.exchange("GET", "/-/healthy").status == 200
    for connection in connections:
        connection.request("PUT", "/-/quit", b"")
    assert connections[0].response().status == 200
    weir.signal()
    for connection in connections:
        connection.close()
    assert weir.wait() == 0


def test_second_signal_cuts_what_runs(start_weir):
    weir = start_weir("--timeout.shutdown=1h", "--timeout.body=1h")
    with weir.connect() as connection:
        connection.request("PUT", "/metrics/job/j", headers={"Content-Length": "4"})
        assert weir.get("/-/healthy").status == 200
        weir.signal()
        wait_for(lambda: refuses(weir), "weir stops listening")
        assert weir.process.poll() is None
        weir.signal()
        assert weir.wait() == 0
        assert connection.is_closed_by_server()


@pytest.mark.smoke
def test_hangup_ends_nothing(start_weir):
    weir = start_weir()
    with weir.connect() as connection:
        weir.signal(signal.SIGHUP)
        wait_for(lambda: "the settings are reloaded" in weir.stderr(), "the signal is taken")
        assert connection.exchange("PUT", "/metrics/job/j", "m 1\n").status == 200
