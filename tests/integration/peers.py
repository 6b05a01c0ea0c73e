"""The programs around weir, as Debian packages them. One that is missing is a failure."""

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from harness import DEADLINE, Connection, wait_for


def listening_port(process):
    """The port a child chose for itself, read from the kernel's tables."""
    fds = Path(f"/proc/{process.pid}/fd")
    sockets = set()
    for fd in fds.iterdir():
        try:
            sockets.add(str(fd.readlink()))
        except OSError:
            continue
    for table in ("tcp", "tcp6"):
        for row in Path(f"/proc/{process.pid}/net/{table}").read_text().splitlines()[1:]:
            field = row.split()
            if field[3] == "0A" and f"socket:[{field[9]}]" in sockets:
                return int(field[1].rpartition(":")[2], 16)
    return None


class Peer:
    """A program that listens on a port of its own choice."""

    def __init__(self, directory, *command):
        directory.mkdir(parents=True, exist_ok=True)
        self.log = directory / "log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, cwd=directory)
        try:
            self.port = wait_for(self._port, f"{command[0]} listens")
        except BaseException:
            self.stop()
            raise
        self.url = f"http://127.0.0.1:{self.port}"

    def _port(self):
        assert self.process.poll() is None, f"it ended:\n{self.log.read_text()}"
        return listening_port(self.process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def get(self, target):
        try:
            with urllib.request.urlopen(self.url + target, timeout=DEADLINE) as answer:
                return answer.read()
        except urllib.error.HTTPError as answer:
            raise AssertionError(f"{target}: {answer.code} {answer.read()!r}") from None

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class NodeExporter(Peer):
    def __init__(self, directory):
        super().__init__(directory, "prometheus-node-exporter", "--web.listen-address=127.0.0.1:0",
                         "--log.level=error")

    def page(self):
        return self.get("/metrics")


class Pushgateway(Peer):
    """What weir stands in for, to show a defect of it beside weir."""

    program = "prometheus-pushgateway"

    def __init__(self, directory, *flags):
        super().__init__(directory, self.program, "--web.listen-address=127.0.0.1:0",
                         "--persistence.file=", "--log.level=error", *flags)

    def request(self, method, target, body=None, headers=None):
        with Connection(("127.0.0.1", self.port)) as connection:
            return connection.exchange(method, target, body, headers)


class Prometheus(Peer):
    """Scrapes each target twice a second, with the labels that weir serves."""

    program = "prometheus"

    def __init__(self, directory, targets, *flags, further=(), job=(), users=(),
                 discovered=(), rules=(), jobs=()):
        """Job: what else all of them have. Users: of a job, whom to scrape as:
        {"username": ..., "password": ...}. Discovered: of further jobs, from where to have their
        targets, anew twice a second. Rules: the text of their file, in parts. Jobs: further ones."""
        directory.mkdir(parents=True, exist_ok=True)
        jobs = list(jobs)
        jobs += [{"job_name": name, "honor_labels": True, **dict(job),
                  **({"basic_auth": users[name]} if name in users else {}),
                  "static_configs": [{"targets": [url.partition("://")[2]]}]}
                 for name, url in targets.items()]
        jobs += [{"job_name": name, "honor_labels": True,
                  "http_sd_configs": [{"url": url, "refresh_interval": "500ms"}]}
                 for name, url in dict(discovered).items()]
        (directory / "rules.yml").write_text("".join(rules))
        settings = {"rule_files": ["rules.yml"] if rules else [], "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms",
                               **dict(further)},
                    "scrape_configs": jobs}
        (directory / "prometheus.yml").write_text(json.dumps(settings))  # JSON is YAML, too
        super().__init__(directory, self.program, "--config.file=prometheus.yml",
                         "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0", *flags)
        wait_for(self._ready, "Prometheus is ready")

    def _ready(self):
        try:
            return self.get("/-/ready")
        except (AssertionError, OSError):
            return None

    def query(self, expression):
        """The result of an instant query: (labels, value) of each series, None for a histogram."""
        answer = json.loads(self.get("/api/v1/query?" + urllib.parse.urlencode(
            {"query": expression})))
        assert answer["status"] == "success"
        return [(row["metric"], row["value"][1] if "value" in row else None)
                for row in answer["data"]["result"]]

    def wait_for(self, expression):
        """The result of a query, as soon as it has one."""
        return wait_for(lambda: self.query(expression), f"Prometheus answers {expression}")

    def alerts(self):
        """Those that are pending or firing: {(name, instance): state}."""
        alerts = json.loads(self.get("/api/v1/alerts"))["data"]["alerts"]
        return {(alert["labels"]["alertname"], alert["labels"].get("instance")): alert["state"]
                for alert in alerts}

    def exemplars(self, expression):
        """The exemplars of the series of an expression: [(labels of the series, exemplars)]."""
        now = time.time()
        answer = json.loads(self.get("/api/v1/query_exemplars?" + urllib.parse.urlencode(
            {"query": expression, "start": now - 3e9, "end": now + 3600})))
        assert answer["status"] == "success"
        return [(row["seriesLabels"], row["exemplars"]) for row in answer["data"]]

    def target(self, job):
        """What Prometheus knows about its scrapes of a job; None: nothing yet."""
        targets = json.loads(self.get("/api/v1/targets"))["data"]["activeTargets"]
        return next((target for target in targets if target["labels"]["job"] == job), None)


def promtool(page):
    """What promtool objects to in a page: (fatal, remarks on style)."""
    done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True,
                          text=True, timeout=DEADLINE, check=False)
    remarks = (done.stdout + done.stderr).splitlines()
    return done.returncode not in (0, 3), remarks
