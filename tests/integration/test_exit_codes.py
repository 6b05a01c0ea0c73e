"""Exit codes: 0 after a clean end, 1 with one line that says why, and nothing else."""

import re
import signal
import subprocess

import pytest

from harness import BINARY, DEADLINE, chunked, environment, format_request, wait_for


def run(directory, *arguments):
    """Exit code and stderr of a weir that should end by itself."""
    done = subprocess.run([BINARY, *arguments], cwd=directory, env=environment(),
                          capture_output=True, text=True, timeout=DEADLINE, check=False)
    return done.returncode, done.stderr


LISTEN = "--web.listen-address=127.0.0.1:0"

FAILURES = {
    "unknown flag": (["--no-such-flag"], "--no-such-flag"),
    "bad value": ([LISTEN, "--timeout.idle=soon"], "timeout.idle"),
    "stray argument": (["stray"], "stray"),
    "bad address": (["--web.listen-address=nowhere"], "nowhere"),
    "address that is not ours": (["--web.listen-address=192.0.2.1:0"], "192.0.2.1:0"),
    "name that does not exist": (["--web.listen-address=no.such.host.invalid:0"], "invalid"),
    "folder that does not exist": (["--web.listen-address=unix:/no/such/w.sock"], "/no/such/w.sock"),
    "no config file": ([LISTEN, "--config.file=none.yml"], "none.yml"),
    "bad config file": ([LISTEN, "--config.file=bad.yml"], "bad.yml"),
    "data directory that cannot be made": ([LISTEN, "--data.dir=/proc/no"], "/proc/no"),
    "data directory that is a file": ([LISTEN, "--data.dir=bad.yml"], "bad.yml"),
    "no sockets from systemd": (["--web.systemd-socket"], "systemd"),
    "nobody to take over from": ([LISTEN, "--takeover"], "--takeover"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_failure_to_start_is_1(tmp_path, failure):
    (tmp_path / "bad.yml").write_text("no.such.key: 1\n")
    arguments, named = FAILURES[failure]
    code, stderr = run(tmp_path, *arguments)
    assert code == 1
    [line] = stderr.splitlines()
    assert named in line


def test_what_is_in_use_is_1(start_weir, tmp_path):
    weir = start_weir()
    data = weir.stderr_path.parent / "data"
    address = f"--web.listen-address=127.0.0.1:{weir.address[1]}"
    for arguments, named in (([LISTEN, f"--data.dir={data}"], str(data)),
                             ([address], f"127.0.0.1:{weir.address[1]}")):
        code, stderr = run(tmp_path, *arguments)
        assert code == 1
        [line] = stderr.splitlines()
        assert named in line and "in use" in line


def test_failure_leaves_the_data_directory_free(tmp_path, start_weir):
    code, _ = run(tmp_path, "--web.listen-address=nowhere:x", f"--data.dir={tmp_path}/weir0/data")
    assert code == 1
    start_weir()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["--print-config"],
                                       ["--check-config"]])
def test_what_only_prints_is_0(tmp_path, arguments):
    assert run(tmp_path, *arguments) == (0, "")


def test_killed_is_no_clean_end(start_weir):
    weir = start_weir()
    weir.signal(signal.SIGKILL)
    assert weir.wait() == -signal.SIGKILL
    weir.stop = lambda: weir.process.stdout.close()


# A clean end finishes what was begun.

def stops_listening(weir):
    return not re.search(rf":{weir.address[1]:04X} 0+:0000 0A ", open("/proc/net/tcp").read())


HALF = format_request("PUT", "/metrics/job/j", headers={"Transfer-Encoding": "chunked"})


@pytest.mark.parametrize("before,after", [
    (b"PUT /metrics/job/j HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nm ", b"1\n"),
    (b"PUT /metrics/job/j HTTP/1.1\r\nHost: h\r\nConte", b"nt-Length: 4\r\n\r\nm 1\n"),
    (HALF + b"2\r\nm \r\n", chunked(b"1\n")),
])
def test_push_that_is_half_sent_is_answered(start_weir, before, after):
    weir = start_weir()
    with weir.connect() as connection:
        assert connection.exchange("PUT", "/metrics/job/other", "m 1\n").status == 200
        connection.send(before)
        assert weir.get("/-/healthy").status == 200
        weir.signal()
        wait_for(lambda: stops_listening(weir), "weir stops listening")
        connection.send(after)
        answer = connection.response()
        assert answer.status == 200 and answer.headers["connection"] == "close"
        assert connection.is_closed_by_server()
    assert weir.wait() == 0


def test_push_that_is_worked_on_is_answered(start_weir):
    weir = start_weir("--timeout.shutdown=1m")
    body = "".join(f'big{{n="{n:0180}"}} 1\n' for n in range(100_000))
    with weir.connect() as connection:
        connection.request("PUT", "/metrics/job/big", body)
        weir.signal()
        assert connection.response().status == 200
    assert weir.wait() == 0


def test_push_that_came_just_before_is_answered(start_weir):
    """Sent while weir stood still: it wakes up to the signal and the request at once."""
    weir = start_weir()
    with weir.connect() as connection, weir.connect() as new:
        for each in (connection, new):
            assert each.exchange("PUT", "/metrics/job/j", "m 1\n").status == 200
        weir.signal(signal.SIGSTOP)
        wait_for(lambda: "State:\tT" in open(f"/proc/{weir.process.pid}/status").read(), "it stands")
        for each in (connection, new):
            each.request("PUT", "/metrics/job/j", "m 2\n")
        weir.signal()
        weir.signal(signal.SIGCONT)
        for each in (connection, new):
            assert each.response().status == 200
            assert each.is_closed_by_server()
    assert weir.wait() == 0
