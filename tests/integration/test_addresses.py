"""Addresses that are not TCP: Unix sockets and vsock."""

import os
import re
import signal
import socket
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness import BINARY, DEADLINE, Connection, command, curl, environment, run_weir, wait_for


@pytest.fixture
def folder():
    """A folder with a short name: the path of a Unix socket has 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="weir-") as path:
        yield Path(path)


def exchange(address, method, target, body=None):
    with Connection(address) as connection:
        return connection.exchange(method, target, body)


@pytest.mark.smoke
def test_unix_socket(start_weir, folder):
    path = folder / "weir.sock"
    weir = start_weir(listen=[f"unix:{path}"])
    assert weir.address == f"unix:{path}"
    assert f'address=unix:{path}' in weir.stderr()
    assert exchange(weir.address, "PUT", "/metrics/job/j", "m 1\n").status == 200
    assert b'\nm{instance="",job="j"} 1\n' in curl(
        "--unix-socket", str(path), "http://localhost/metrics")
    status = path.stat()
    assert stat.S_ISSOCK(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o660
    weir.stop()
    assert not path.exists()


def test_unix_and_tcp_are_one_weir(start_weir, folder):
    weir = start_weir(listen=["127.0.0.1:0", f"unix:{folder}/w.sock"])
    assert exchange(weir.addresses[1], "PUT", "/metrics/job/j", "m 1\n").status == 200
    assert weir.scrape().value("m", job="j") == 1


def test_large_bodies_both_ways(start_weir, folder):
    weir = start_weir(listen=[f"unix:{folder}/w.sock"])
    body = "".join(f'big{{n="{n:0180}"}} 1\n' for n in range(40_000))
    with Connection(weir.address) as connection:
        assert connection.exchange("PUT", "/metrics/job/j", body).status == 200
        for _ in range(2):
            page = connection.exchange("GET", "/metrics")
            assert page.body.count(b"\nbig{") == 40_000


def test_abstract_socket(start_weir):
    name = f"weir-{os.getpid()}"
    weir = start_weir(listen=[f"unix:@{name}"])
    assert weir.address == f"unix:@{name}"
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(f"\0{name}")
        client.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.smoke
def test_stale_socket_is_replaced(start_weir, folder):
    address = f"unix:{folder}/w.sock"
    killed = start_weir(listen=[address])
    killed.process.kill()
    assert killed.wait() == -signal.SIGKILL
    assert (folder / "w.sock").exists()
    killed.stop = lambda: None
    weir = start_weir(listen=[address])
    assert exchange(weir.address, "GET", "/-/healthy").status == 200


def test_live_socket_is_an_error(start_weir, folder, tmp_path):
    weir = start_weir(listen=[f"unix:{folder}/w.sock"])
    code, stderr = run_weir(tmp_path, listen=[f"unix:{folder}/w.sock"])
    assert code == 1
    [line] = stderr.splitlines()
    assert f"{folder}/w.sock" in line and "another process listens there" in line
    assert exchange(weir.address, "GET", "/-/healthy").status == 200


@pytest.mark.parametrize("kind", ["file", "folder", "link", "datagram"])
def test_what_is_no_such_socket_is_left_alone(folder, tmp_path, kind):
    path = folder / "w.sock"
    target = folder / "target"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagram:
        if kind == "file":
            path.write_text("precious")
        elif kind == "folder":
            path.mkdir()
        elif kind == "link":
            target.write_text("precious")
            path.symlink_to(target)
        else:
            datagram.bind(str(path))
        before = path.lstat()
        code, stderr = run_weir(tmp_path, listen=[f"unix:{path}"])
    assert code == 1
    [line] = stderr.splitlines()
    assert str(path) in line and "choose another path" in line
    assert path.lstat() == before


def test_socket_of_another_process_is_not_removed(start_weir, folder):
    path = folder / "w.sock"
    weir = start_weir(listen=[f"unix:{path}"])
    path.unlink()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        weir.stop()
        assert path.exists()


@pytest.mark.parametrize("address,hint", [
    ("unix:/" + "a" * 107, "at most 107 bytes"),
    ("unix:relative.sock", "unix:/run/weir.sock"),
    ("unix:/no/such/folder/w.sock", "no such file or directory"),
    ("vsock://host:9100", "vsock://:9091"),
    ("vsock://1", "vsock://:PORT"),
])
def test_bad_addresses(tmp_path, address, hint):
    code, stderr = run_weir(tmp_path, listen=[address])
    assert code == 1
    [line] = stderr.splitlines()
    assert address in line and hint in line


def test_client_that_reads_nothing_is_cut(start_weir, folder):
    weir = start_weir("--timeout.write=1s", listen=[f"unix:{folder}/w.sock", "127.0.0.1:0"])
    body = "".join(f'big{{n="{n:0180}"}} 1\n' for n in range(40_000))
    assert exchange(weir.address, "PUT", "/metrics/job/j", body).status == 200
    with Connection(weir.address) as slow:
        slow.request("GET", "/metrics")
        weir.address = weir.addresses[1]
        wait_for(lambda: weir.scrape().value("weir_timeouts_total", phase="write") == 1,
                 "the slow reader is cut")


def has_vsock():
    try:
        with socket.socket(socket.AF_VSOCK) as server:
            server.bind((socket.VMADDR_CID_ANY, socket.VMADDR_PORT_ANY))
            return True
    except OSError:
        return False


def test_vsock(start_weir):
    if not has_vsock():
        pytest.skip("this kernel has no vsock")
    weir = start_weir(listen=["vsock://:0"])
    assert re.fullmatch(r"vsock://:[1-9]\d*", weir.address)
    with socket.socket(socket.AF_VSOCK) as client:
        try:
            client.connect((1, int(weir.address.rpartition(":")[2])))
        except OSError:
            return  # no way back into the machine itself
        client.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")


def test_vsock_that_the_kernel_has_not(tmp_path):
    try:
        socket.socket(socket.AF_VSOCK).close()
        pytest.skip("this kernel has vsock")
    except OSError:
        code, stderr = run_weir(tmp_path, listen=["vsock://:9100"])
    assert code == 1
    assert "this kernel has no vsock" in stderr


def test_file_is_removed_when_a_later_address_fails(folder, tmp_path):
    path = folder / "w.sock"
    done = subprocess.run(command(tmp_path, listen=[f"unix:{path}", "nowhere"]), timeout=DEADLINE,
                          env=environment(), capture_output=True, check=False)
    assert done.returncode == 1 and done.args[0] == BINARY
    assert not path.exists()
