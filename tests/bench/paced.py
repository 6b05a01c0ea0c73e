"""Pushes at a fixed rate, whether they are answered or not, in a process of its own.

usage: paced.py PORT TARGETS RATE FILE

Push number n goes to target n % TARGETS, n / RATE seconds after the first one, on one of some
connections: it does not wait for those before it. Ends when its input does, after the last
answer. FILE then has two numbers for each push, in their order: when it was due, by the monotonic
clock, and the seconds from then to its answer; -1 if that was not 200.
"""

import array
import collections
import gc
import select
import socket
import sys
import time

import bodies

CONNECTIONS = 32
PATH = "/metrics/job/bench/instance/"


class Line:
    """A connection, and when the pushes were due that it has sent and not got answered."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.waiting = collections.deque()
        self.rest = b""

    def fileno(self):
        return self.socket.fileno()

    def push(self, number, request):
        self.waiting.append(number)
        self.socket.sendall(request)

    def take(self):
        """What came of which pushes: pairs of their number, and whether it was a 200."""
        data = self.socket.recv(1 << 16)
        if not data:
            raise RuntimeError("weir has closed a connection")
        *heads, self.rest = (self.rest + data).split(b"\r\n\r\n")
        return [(self.waiting.popleft(), b"HTTP/1.1 200" in head) for head in heads]


def requests_of(targets):
    pushed = bodies.small()
    return [b"POST %s%d HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (
        PATH.encode(), number, len(body), body)
        for number, body in ((number, pushed[number % len(pushed)]) for number in range(targets))]


class Pace:
    def __init__(self, port, targets, rate):
        self.requests = requests_of(targets)
        self.rate = rate
        self.lines = [Line(port) for _ in range(CONNECTIONS)]
        self.due, self.took = array.array("d"), array.array("d")

    def run(self):
        began = time.monotonic()
        print(began, flush=True)
        is_ending = False
        while not is_ending or any(line.waiting for line in self.lines):
            if not is_ending:
                self.send_due(began)
            pause = 1 if is_ending else began + len(self.due) / self.rate - time.monotonic()
            ready, _, _ = select.select([*self.lines, *([] if is_ending else [sys.stdin])], [], [],
                                        max(pause, 0))
            for line in ready:
                if line is sys.stdin:
                    is_ending = True
                else:
                    self.take(line)

    def send_due(self, began):
        last = int((time.monotonic() - began) * self.rate)
        for number in range(len(self.due), last + 1):
            self.due.append(began + number / self.rate)
            self.took.append(-1)
            self.lines[number % CONNECTIONS].push(number, self.requests[number % len(self.requests)])

    def take(self, line):
        answers = line.take()
        now = time.monotonic()
        for number, is_good in answers:
            if is_good:
                self.took[number] = now - self.due[number]


def main():
    port, targets, rate, path = sys.argv[1:]
    pace = Pace(int(port), int(targets), float(rate))
    gc.disable()
    pace.run()
    with open(path, "wb") as file:
        for both in zip(pace.due, pace.took):
            array.array("d", both).tofile(file)


if __name__ == "__main__":
    main()
