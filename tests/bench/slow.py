"""Clients that cost a server connections and hardly anything else."""

import selectors
import socket
import threading
import time

HEAD = b"POST /metrics/job/drip HTTP/1.1\r\nHost: x\r\nX-Drip: "


class SlowClients:
    """Idle connections, and some that send a byte a second and begin anew when they are cut."""

    def __init__(self, port, idle, dripping):
        self.address = ("127.0.0.1", port)
        self.idle_count, self.dripping_count = idle, dripping
        self.timed_out = 0  # drippers that were answered 408
        self.selector = selectors.DefaultSelector()
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        for number in range(self.idle_count + self.dripping_count):
            self._connect(dripping=number >= self.idle_count)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()

    def _connect(self, dripping):
        connection = socket.create_connection(self.address)
        self.selector.register(connection, selectors.EVENT_READ, dripping)
        if dripping:
            connection.sendall(HEAD)
        return connection

    def _run(self):
        next_drip = time.monotonic()
        while not self.done.is_set():
            for key, _ in self.selector.select(0.1):
                self._answered(key.fileobj, key.data)
            if time.monotonic() >= next_drip:
                next_drip += 1
                self._drip()

    def _answered(self, connection, dripping):
        try:
            answer = connection.recv(4096)
        except OSError:
            answer = b""
        if dripping and answer.startswith(b"HTTP/1.1 408"):
            self.timed_out += 1
        self.selector.unregister(connection)
        connection.close()
        self._connect(dripping)

    def _drip(self):
        for key in list(self.selector.get_map().values()):
            if key.data:
                try:
                    key.fileobj.send(b"y")
                except OSError:
                    pass  # it was cut; its end is read next
