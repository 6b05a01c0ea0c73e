"""A proxy on loopback that remembers what a scraper asked for and what it was answered."""

import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import DEADLINE
from served import Served

PASSED_ON = ("Accept", "Accept-Encoding", "User-Agent", "X-Prometheus-Scrape-Timeout-Seconds")


class Recorder(Served):
    """Passes GET on to a server. exchanges: (Accept, status, Content-Type, coding) of each."""

    def __init__(self, url):
        recorder = self
        self.exchanges = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                recorder._pass_on(self, url)

            def log_message(self, *_):
                pass

        super().__init__(ThreadingHTTPServer(("127.0.0.1", 0), Handler))

    def _pass_on(self, handler, url):
        headers = {name: handler.headers[name] for name in PASSED_ON if name in handler.headers}
        request = urllib.request.Request(url + handler.path, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
                status, fields, page = answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as answer:
            status, fields, page = answer.code, answer.headers, answer.read()
        coding = fields.get("Content-Encoding")
        self.exchanges.append((headers.get("Accept"), status, fields["Content-Type"], coding))
        handler.send_response(status)
        for name in ("Content-Type", "Content-Encoding"):
            if name in fields:
                handler.send_header(name, fields[name])
        handler.send_header("Content-Length", str(len(page)))
        handler.end_headers()
        handler.wfile.write(page)
