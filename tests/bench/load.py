"""Drives a server with wrk and curl, and reads what they measured."""

import contextlib
import json
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from servers import GROUP_PATH

LUA = Path(__file__).with_name("push.lua")
OK, ACCEPTED = b"HTTP/1.1 200", b"HTTP/1.1 202"


class BodyFiles:
    """Bodies as files, for wrk and curl."""

    def __init__(self, bodies):
        self.bodies = bodies

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.paths = []
        for number, body in enumerate(self.bodies):
            path = Path(self.directory.name) / str(number)
            path.write_bytes(body)
            self.paths.append(str(path))
        return self.paths

    def __exit__(self, *_):
        self.directory.cleanup()


def wrk(server, files, groups, seconds, connections=32, delay_ms=0, path=GROUP_PATH, headers=None):
    """One run of wrk with one thread; gives what push.lua prints, and the rate."""
    further = [word for name, value in (headers or {}).items()
               for word in ("--header", f"{name}: {value}")]
    command = ["wrk", "--threads", "1", "--connections", str(connections),
               "--duration", f"{seconds}s", "--timeout", "60s", "--latency", *further,
               "--script", str(LUA), server.url, "--", path, str(groups), str(delay_ms), *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 120,
                          check=True)
    result = json.loads(done.stdout.splitlines()[-1])
    if result["refused"]:
        raise RuntimeError(f"{server.name} refused {result['refused']} pushes")
    result["rate"] = result["requests"] / result["seconds"]
    return result


def pipelined(server, groups, bodies, connections=16, window=256):
    """Pushes to every group the body of its turn, as fast as one thread can."""
    heads = [b" HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
             for body in bodies]
    path = b"POST " + GROUP_PATH.encode()
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
                   for _ in range(connections)]
        for first in range(0, groups, connections * window):
            sent = []
            for number, one in enumerate(sockets):
                begin = min(first + number * window, groups)
                end = min(begin + window, groups)
                one.sendall(b"".join(b"%s%d%s" % (path, group, heads[group % len(heads)])
                                     for group in range(begin, end)))
                sent.append(end - begin)
            for one, count in zip(sockets, sent):
                await_answers(one, count)


def await_answers(one, count):
    """Reads so many answers, all of which are good."""
    rest, answers = b"", 0
    while answers < count:
        data = one.recv(1 << 20)
        if not data:
            raise RuntimeError("the connection was closed")
        rest += data
        answers += rest.count(OK) + rest.count(ACCEPTED)
        if rest.count(b"HTTP/1.1 ") != rest.count(OK) + rest.count(ACCEPTED):
            raise RuntimeError(f"refused: {rest[-300:]}")
        rest = rest[max(rest.rfind(b"\n"), 0):]


def curl_scrape(server, compressed=False, accept=None):
    """Seconds that curl takes for /metrics, thrown away; and its bytes on the wire."""
    coding = ["-H", "Accept-Encoding: gzip"] if compressed else []
    if accept:
        coding += ["-H", f"Accept: {accept}"]
    done = subprocess.run(
        ["curl", "-sS", "--fail", "--max-time", "120", *coding, "-o", "/dev/null",
         "-w", "%{time_total} %{size_download}", f"{server.url}/metrics"],
        capture_output=True, text=True, check=True)
    seconds, size = done.stdout.split()
    return float(seconds), int(size)


def curl_push(server, group, file):
    """Seconds that curl takes to push a file; and the status."""
    done = subprocess.run(
        ["curl", "-sS", "--max-time", "120", "--data-binary", f"@{file}", "-o", "/dev/null",
         "-w", "%{time_total} %{http_code}", f"{server.url}{group}"],
        capture_output=True, text=True, check=True)
    seconds, code = done.stdout.split()
    return float(seconds), int(code)


@contextlib.contextmanager
def scraping(server):
    """Has one curl scrape /metrics again and again until the block ends.

    It keeps its connection, as Prometheus does: starting a curl for every scrape takes more of
    the cores than the scrape.
    """
    curl = subprocess.Popen(["curl", "-s", "-o", "/dev/null", f"{server.url}/metrics?[1-100000000]"],
                            stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        curl.terminate()
        curl.wait()


@contextlib.contextmanager
def repeated(work):
    """Repeats work() in the background, without a pause, until the block ends.

    Gives a list that collects what it returned. The block waits until it has begun.
    """
    results, faults = [], []
    begun, done = threading.Event(), threading.Event()

    def run():
        turn = 0
        while not done.is_set():
            begun.set()
            try:
                results.append(work(turn))
            except Exception as fault:  # raised in the block's thread, below
                faults.append(fault)
                return
            turn += 1

    thread = threading.Thread(target=run)
    thread.start()
    begun.wait()
    try:
        yield results
    finally:
        done.set()
        thread.join()
    if faults:
        raise faults[0]


def clock(work):
    began = time.monotonic()
    work()
    return time.monotonic() - began
