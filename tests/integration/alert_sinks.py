"""Where Alertmanager sends to, played: an HTTP server that keeps what is posted, and one for e-mail."""

import http.server
import json
import socketserver

from served import Served


class _Posted(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.append((self.path, json.loads(body)))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


class _Mail(socketserver.StreamRequestHandler):
    """So much of SMTP that a mail arrives."""

    def _say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        self._say("220 sink")
        for line in self.rfile:
            word = line.split(b" ")[0].strip().upper()
            if word == b"DATA":
                self._say("354 go on")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.posted.append(b"".join(lines).decode())
                self._say("250 taken")
            elif word == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")


class _Sink(Served):
    """Posted: what has come so far."""

    def __init__(self, server):
        super().__init__(server)
        self.server.posted = []

    @property
    def posted(self):
        return list(self.server.posted)


def web_sink():
    return _Sink(http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Posted))


def mail_sink():
    return _Sink(socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mail))
