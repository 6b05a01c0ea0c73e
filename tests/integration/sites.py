"""What the scripts for sites are tested with: ways to run them, and servers that misbehave."""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from harness import DEADLINE, REPOSITORY
from served import Served

SCRIPTS = REPOSITORY / "scripts" / "site"
OWN_VARIABLES = ("WEIR_", "PUSHGATEWAY_", "XDG_RUNTIME", "MYIP", "NODE_", "SNMP_", "SWITCH_",
                 "HOST2IP", "COMMUNITY_", "OIDS_", "PRIVATE_MIB", "MIB_", "RETRY", "TIMEOUT", "http_proxy")


class Site:
    """Where scripts run: a directory of their own, and the environment of a site."""

    def __init__(self, directory, server, shell=(), path=None):
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.shell = list(shell)
        self.variables = {
            **{name: value for name, value in os.environ.items()
               if not name.startswith(OWN_VARIABLES)},
            "PUSHGATEWAY_SERVER": server, "MYIP": "10.0.0.1",
            "WEIR_SITE_DIR": str(directory / "state"), **({"PATH": str(path)} if path else {})}

    def command(self, script, *arguments):
        return [*self.shell, str(SCRIPTS / script), *map(str, arguments)]

    def run(self, script, *arguments, stdin="", **variables):
        """What subprocess.run gives, of a script that ends."""
        return subprocess.run(self.command(script, *arguments), input=stdin, cwd=self.directory,
                              env={**self.variables, **variables}, capture_output=True, text=True,
                              timeout=DEADLINE, check=False, errors="surrogateescape")

    def succeed(self, script, *arguments, **options):
        done = self.run(script, *arguments, **options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def fail(self, script, *arguments, code=1, **options):
        """Its stderr, which says who failed."""
        done = self.run(script, *arguments, **options)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        assert done.stderr.startswith(f"{script}: "), done.stderr
        return done.stderr

    @contextlib.contextmanager
    def running(self, script, *arguments, **variables):
        """A script that goes on until it is told to stop. It must then end at once, and well."""
        with open(self.directory / "running", "ab") as log:
            process = subprocess.Popen(self.command(script, *arguments), cwd=self.directory,
                                       env={**self.variables, **variables},
                                       stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log, start_new_session=True)
        try:
            yield process
            if process.poll() is None:
                process.terminate()
            code = process.wait(DEADLINE)
            assert code == 0, (code, self.log())
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def log(self):
        return (self.directory / "running").read_text()


def small_tools(directory):
    """A directory for PATH that has curl and, of all else, what busybox has: no flock, no cksum."""
    directory.mkdir()
    applets = subprocess.run(["busybox", "--list"], capture_output=True, text=True, check=True)
    for name in set(applets.stdout.split()) - {"flock", "cksum"}:
        (directory / name).symlink_to(shutil.which("busybox"))
    (directory / "curl").symlink_to(shutil.which("curl"))
    return directory


def left_of(site):
    """Processes of a site's scripts."""
    mark = f"WEIR_SITE_DIR={site.variables['WEIR_SITE_DIR']}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (path / "environ").read_bytes().split(b"\0"):
                found.append((path / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


@dataclass
class Request:
    at: float
    method: str
    path: str
    headers: dict
    body: bytes


class FakeServer(Served):
    """An HTTP server that answers by a function of (handler, request)."""

    def __init__(self, answer):
        fake = self
        self.requests = []
        self.most_at_once = 0
        self.closing = threading.Event()
        self._running, self._lock = 0, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = Request(time.monotonic(), self.command, self.path, dict(self.headers),
                                  body)
                with fake._lock:
                    fake.requests.append(request)
                    fake._running += 1
                    fake.most_at_once = max(fake.most_at_once, fake._running)
                try:
                    answer(self, request)
                except (BrokenPipeError, ConnectionResetError):
                    pass
                finally:
                    with fake._lock:
                        fake._running -= 1

            do_GET = do_PUT = do_POST = do_DELETE = handle_any

            def log_message(self, *_):
                pass

        super().__init__(ThreadingHTTPServer(("127.0.0.1", 0), Handler))

    def __exit__(self, *exception):
        self.closing.set()
        super().__exit__(*exception)

    def hang(self):
        self.closing.wait(DEADLINE)


def reply(handler, status=200, body=b"", length=None, headers=()):
    """An answer; its length may be a lie."""
    body = body.encode() if isinstance(body, str) else body
    handler.send_response(status)
    for name, value in dict(headers).items():
        handler.send_header(name, value)
    if length != "none":
        handler.send_header("Content-Length", str(len(body) if length is None else length))
    handler.end_headers()
    handler.wfile.write(body)
