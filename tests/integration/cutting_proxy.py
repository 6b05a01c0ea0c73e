"""A way to a server that can be cut, blocked, slowed down and made to tell rubbish."""

import contextlib
import os
import socket
import struct
import threading
import time

from harness import DEADLINE
from redis_servers import free_port


class CuttingProxy:
    """Passes on what comes, until it is told otherwise; restore() ends all that it is told."""

    def __init__(self, target_port):
        self.target_port = target_port
        self.port = free_port()
        self.pairs = set()  # (socket of the client, socket of the server)
        self.lock = threading.Lock()
        self.flowing = threading.Event()
        self.listener = None
        self.accepted = 0
        self.restore()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.refuse()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    # What it is told.

    def restore(self):
        self.delay(0)
        self.replies_left = None  # bytes, until the connection that brings them is cut
        self.garbage = None
        self.flowing.set()
        if self.listener is None:
            self._listen()

    def cut(self):
        """All connections, as a reset; new ones are welcome."""
        with self.lock:
            pairs, self.pairs = self.pairs, set()
        for pair in pairs:
            close(pair)

    def refuse(self):
        """Cut them, and let nobody connect."""
        listener, self.listener = self.listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            self.thread.join(DEADLINE)
        self.flowing.set()
        self.cut()

    def stall(self):
        """Connections stay, and nothing goes through; new ones are accepted."""
        self.flowing.clear()

    def delay(self, seconds):
        """What comes, from either side."""
        self.request_delay = self.reply_delay = seconds

    def delay_replies(self, seconds):
        self.reply_delay = seconds

    def cut_in_replies(self, after):
        """Once so many bytes of replies more have gone through."""
        self.replies_left = after

    def garble(self, garbage=None):
        """Replies are replaced by rubbish."""
        self.garbage = garbage or os.urandom(64)

    # How it works.

    def _listen(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(128)
        self.listener = listener
        self.thread = threading.Thread(target=self._accept, args=(listener,), daemon=True)
        self.thread.start()

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            server = socket.create_connection(("127.0.0.1", self.target_port), timeout=DEADLINE)
        except OSError:
            close([client])
            return
        server.settimeout(None)
        pair = client, server
        for one in pair:
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.lock:
            self.pairs.add(pair)
        back = threading.Thread(target=self._pump, args=(server, client, pair, True), daemon=True)
        back.start()
        self._pump(client, server, pair, False)

    def _pump(self, source, sink, pair, is_reply):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if delay := self.reply_delay if is_reply else self.request_delay:
                    time.sleep(delay)
                self.flowing.wait()
                is_last = False
                if is_reply:
                    data, is_last = self._mangle(data)
                if data:
                    sink.sendall(data)
                if is_last:
                    break
        with self.lock:
            self.pairs.discard(pair)
        close(pair)

    def _mangle(self, data):
        """What goes through instead, and whether it is the last that does."""
        if self.garbage is not None:
            return self.garbage, False
        with self.lock:
            if self.replies_left is None:
                return data, False
            data = data[:self.replies_left]
            self.replies_left -= len(data)
            is_last = self.replies_left == 0
            if is_last:
                self.replies_left = None
            return data, is_last


def close(sockets):
    """With a reset; who waits for one of them wakes."""
    for one in sockets:
        with contextlib.suppress(OSError):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.shutdown(socket.SHUT_RDWR)
        one.close()
