#!/usr/bin/env python3
"""usage: demo_sink.py PORT

Takes what Alertmanager sends to a webhook. POST / with its JSON; GET / answers
all that came, as a list of [name of the alert, firing or resolved].
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODY_MAX = 1 << 20
received = []


class Sink(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200, json.dumps(received))

    def do_POST(self):
        size = int(self.headers.get("Content-Length", 0))
        if size > BODY_MAX:
            self.answer(413, f"a body of more than {BODY_MAX} bytes")
            return
        try:
            alerts = [[alert["labels"]["alertname"], alert["status"]]
                      for alert in json.loads(self.rfile.read(size))["alerts"]]
        except (ValueError, KeyError, TypeError) as fault:
            self.answer(400, f"not what Alertmanager sends: {fault!r}")
            return
        received.extend(alerts)
        self.answer(200, "")

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Sink).serve_forever()
