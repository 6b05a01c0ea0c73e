"""weir and its peers, set up so that they find each other, each on a free port of the loopback.

Passwords are made anew each time, and are in files that only their programs can read.
"""

import contextlib
import http.client
import json
import os
import pwd
import random
import secrets
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from demo_processes import Fault

PROMETHEUS = """\
global:
  scrape_interval: 250ms
  scrape_timeout: 250ms
  evaluation_interval: 250ms
rule_files: [rules.yml]
alerting:
  alertmanagers:
    - static_configs: [{{targets: ['{alertmanager}']}}]
scrape_configs:
  - job_name: weir
    honor_labels: true
    static_configs: [{{targets: ['{weir}']}}]
"""
RULES = """\
groups:
  - name: demo
    rules:
      - alert: DemoRampIsHigh
        expr: max(demo_ramp) >= {top}
        labels: {{severity: warning}}
        annotations: {{summary: The ramp of the demo is at its top.}}
"""
ALERTMANAGER = """\
route:
  receiver: sink
  group_by: [alertname]
  group_wait: 100ms
  group_interval: 1s
receivers:
  - name: sink
    webhook_configs:
      - url: {sink}
        send_resolved: true
"""
REDIS = """\
bind 127.0.0.1
port {port}
dir {directory}
requirepass {password}
maxmemory-policy noeviction
appendonly yes
save ""
"""


def free_port():
    """Below those that the kernel gives out, so that nobody is given it before it is used."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.SystemRandom().randrange(first // 2, first)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def get(url):
    """The body of an answer, or None while there is none that is good."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read().decode()
    except (urllib.error.URLError, http.client.HTTPException, OSError):
        return None


def found(program):
    path = shutil.which(program)
    if path is None:
        raise Fault(f"there is no {program} on this machine, try: apt-get install postgresql redis-server "
                    "prometheus prometheus-alertmanager prometheus-node-exporter")
    return path


def postgres_programs():
    """The newest PostgreSQL's; Debian keeps them out of the way."""
    there = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    if not there:
        found("postgres")
    return there[-1].parent if there else Path(found("postgres")).parent


class Servers:
    """Started one by one, each when those that it needs are ready."""

    ORDER = ("Redis", "node_exporter", "sink", "Alertmanager", "PostgreSQL", "weir", "Prometheus")

    def __init__(self, processes, weir, top):
        self.processes, self.weir, self.top = processes, weir, top
        self.directory = processes.directory
        self.ports = {name: free_port() for name in self.ORDER}
        self.password = secrets.token_urlsafe(24)
        (self.directory / "password").touch(0o600)
        (self.directory / "password").write_text(self.password + "\n")

    def url(self, name):
        return f"http://127.0.0.1:{self.ports[name]}"

    def start(self, name):
        getattr(self, f"start_{name.lower()}")()

    def get(self, name, path):
        return get(self.url(name) + path)

    def write(self, name, text):
        path = self.directory / name
        path.touch(0o600)
        path.write_text(text)
        return path

    def started(self, name, ready, *command):
        process = self.processes.start(name, *command)
        self.processes.wait_until(lambda: self.get(name, ready) is not None, process)

    def start_postgresql(self):
        """It refuses to be root; then it runs as the user that Debian made for it."""
        programs, port, home = postgres_programs(), self.ports["PostgreSQL"], self.directory / "postgres"
        user = pwd.getpwnam("postgres") if os.getuid() == 0 else None
        home.mkdir(0o700)
        password = self.write("postgres/password", self.password)
        if user:
            self.directory.chmod(0o711)
            for path in (home, password):
                os.chown(path, user.pw_uid, user.pw_gid)
        self.processes.run("initdb", programs / "initdb", "-D", home / "data", "-U", "weir", "-A", "scram-sha-256",
                           f"--pwfile={password}", "-E", "UTF8", "--locale=C", "--no-sync", user=user)
        process = self.processes.start(
            "PostgreSQL", programs / "postgres", "-D", home / "data", "-p", port, "-c", "listen_addresses=127.0.0.1",
            "-c", f"unix_socket_directories={home}", "-c", "fsync=off", user=user)
        self.processes.wait_until(lambda: self.ask_postgres("SELECT 1") == "1", process)

    def ask_postgres(self, text):
        """What psql answers, or None."""
        done = subprocess.run(
            ["psql", "-XqAt", "-c", text, f"postgres://weir@127.0.0.1:{self.ports['PostgreSQL']}/postgres"],
            env={**os.environ, "PGPASSWORD": self.password}, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    def start_redis(self):
        (self.directory / "redis").mkdir(0o700)
        settings = self.write("redis.conf", REDIS.format(
            port=self.ports["Redis"], directory=self.directory / "redis", password=self.password))
        process = self.processes.start("Redis", found("redis-server"), settings)
        self.processes.wait_until(lambda: self.ask_redis("PING") == "PONG", process)

    def ask_redis(self, *words):
        done = subprocess.run(
            ["redis-cli", "-p", str(self.ports["Redis"]), *words], capture_output=True, text=True, check=False,
            env={**os.environ, "REDISCLI_AUTH": self.password})
        return done.stdout.strip() if done.returncode == 0 else None

    def start_weir(self):
        password = self.directory / "password"
        self.started(
            "weir", "/-/ready", self.weir, f"--web.listen-address=127.0.0.1:{self.ports['weir']}",
            f"--data.dir={self.directory / 'weir'}", f"--state.url=redis://127.0.0.1:{self.ports['Redis']}/0",
            f"--state.password-file={password}", f"--targets.password-file={password}",
            f"--targets.url=postgres://weir@127.0.0.1:{self.ports['PostgreSQL']}/postgres")

    def start_node_exporter(self):
        self.started("node_exporter", "/", found("prometheus-node-exporter"),
                     f"--web.listen-address=127.0.0.1:{self.ports['node_exporter']}")

    def start_sink(self):
        self.started("sink", "/", sys.executable, Path(__file__).with_name("demo_sink.py"), self.ports["sink"])

    def start_alertmanager(self):
        settings = self.write("alertmanager.yml", ALERTMANAGER.format(sink=self.url("sink")))
        self.started("Alertmanager", "/-/ready", found("prometheus-alertmanager"), f"--config.file={settings}",
                     f"--storage.path={self.directory / 'alertmanager'}", "--cluster.listen-address=",
                     f"--web.listen-address=127.0.0.1:{self.ports['Alertmanager']}")

    def start_prometheus(self):
        settings = self.write("prometheus.yml", PROMETHEUS.format(
            weir=f"127.0.0.1:{self.ports['weir']}", alertmanager=f"127.0.0.1:{self.ports['Alertmanager']}"))
        self.write("rules.yml", RULES.format(top=self.top))
        self.started("Prometheus", "/-/ready", found("prometheus"), f"--config.file={settings}",
                     f"--storage.tsdb.path={self.directory / 'prometheus'}",
                     f"--web.listen-address=127.0.0.1:{self.ports['Prometheus']}")

    def query(self, expression, at=None):
        """The one value of an instant query, or None while there is none."""
        asked = {"query": expression, **({"time": f"{at:.3f}"} if at else {})}
        answer = self.get("Prometheus", "/api/v1/query?" + urllib.parse.urlencode(asked))
        rows = json.loads(answer)["data"]["result"] if answer else []
        return float(rows[0]["value"][1]) if rows else None
