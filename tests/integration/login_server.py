#!/usr/bin/python3
"""usage: login_server.py PORT DATABASE

In place of one Grafana of several: sessions, dashboards and what was carried out are in a database that all share.

  POST /login           a session, as a cookie
  POST /api/dashboards  saves the body
  GET  /api/dashboards  all bodies, one a line
  any  /slow            says in the database that it began, and answers only to whoever waits for long
  GET  /live            a WebSocket that sends back what it gets

Each answer names the server: Served-By. All but /login wants a session.
"""

import base64
import hashlib
import http.cookies
import http.server
import secrets
import sqlite3
import sys
import time

TABLES = "CREATE TABLE IF NOT EXISTS {} (text)"
ACCEPT = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def rows(self, statement, *values):
        with sqlite3.connect(sys.argv[2], timeout=30) as database:
            return [row[0] for row in database.execute(statement, values)]

    def reply(self, status, text="", **headers):
        self.send_response(status)
        for name, value in {"Served-By": sys.argv[1], "Content-Length": str(len(text)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(text.encode())

    def is_known(self):
        cookie = http.cookies.SimpleCookie(self.headers.get("Cookie", ""))
        return "session" in cookie and self.rows("SELECT text FROM session WHERE text = ?", cookie["session"].value)

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if self.path == "/login":
            token = secrets.token_hex(8)
            self.rows("INSERT INTO session VALUES (?)", token)
            self.reply(200, Set_Cookie=f"session={token}; HttpOnly; Secure")
        elif not self.is_known():
            self.reply(401)
        elif self.path == "/live":
            self.talk()
        elif self.path == "/slow":
            self.rows("INSERT INTO slow VALUES (?)", f"{self.command} {sys.argv[1]}")
            time.sleep(3600 if len(self.rows("SELECT text FROM slow")) == 1 else 0)
            self.reply(200, "done")
        elif self.command == "POST":
            self.rows("INSERT INTO dashboard VALUES (?)", body)
            self.reply(200)
        else:
            self.reply(200, "\n".join(self.rows("SELECT text FROM dashboard")))

    do_GET = do_POST = handle_any

    def talk(self):
        """Frames of up to 125 bytes, which clients mask."""
        key = self.headers["Sec-WebSocket-Key"] + ACCEPT
        self.send_response(101)
        for name, value in {"Served-By": sys.argv[1], "Upgrade": "websocket", "Connection": "Upgrade",
                            "Sec-WebSocket-Accept": base64.b64encode(hashlib.sha1(key.encode()).digest()).decode(),
                            }.items():
            self.send_header(name, value)
        self.end_headers()
        while len(head := self.rfile.read(2)) == 2:
            mask = self.rfile.read(4)
            text = bytes(byte ^ mask[place % 4] for place, byte in enumerate(self.rfile.read(head[1] & 127)))
            self.wfile.write(bytes([head[0], len(text)]) + text)
        self.close_connection = True

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    with sqlite3.connect(sys.argv[2], timeout=30) as tables:
        for name in ("session", "dashboard", "slow"):
            tables.execute(TABLES.format(name))
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
