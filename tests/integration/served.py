"""Servers that tests play themselves."""

import threading


class Served:
    """A server of socketserver's at work on a thread of its own, as long as the block lasts."""

    def __init__(self, server):
        self.server = server
        self.server.daemon_threads = True
        self.port = server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=server.serve_forever, args=(0.02,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()
