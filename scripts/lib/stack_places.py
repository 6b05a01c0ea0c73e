"""Where the parts of a stack are: servers of a machine, or services of a compose file.

Both run the same commands, so what is tested with servers holds for containers.
"""

import contextlib
import os
import re
import shlex
import subprocess
import urllib.error
import urllib.request
from pathlib import Path


class Fault(Exception):
    """What went wrong, for people."""


def kind_of(name):
    """Of a service: weir-1, weir-2 and so on are weirs."""
    return re.sub(r"-\d+$", "", name)


def of_kinds(services, kinds):
    """Those, any number of each kind, in the order of the kinds and of their numbers."""
    def place(name):
        number = name.removeprefix(kind_of(name))
        return kinds.index(kind_of(name)), int(number[1:] or 0)
    return sorted((name for name in services if kind_of(name) in kinds), key=place)


def run(command, stdin=None, stdout=subprocess.PIPE, what=None, timeout=None):
    """What it printed, or its standard output in a file."""
    try:
        done = subprocess.run([str(word) for word in command], stdin=stdin or subprocess.DEVNULL, stdout=stdout,
                              stderr=subprocess.PIPE, check=False, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise Fault(f"{what or command[0]}: it does not answer within {timeout:g} s") from None
    except OSError as fault:
        raise Fault(f"cannot run {command[0]}: {fault.strerror}") from None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}"
        raise Fault(f"{what or command[0]}: {said}")
    return done.stdout.decode(errors="replace").strip() if done.stdout is not None else ""


class Servers:
    """Told of by variables of the environment."""

    def __init__(self, needs_data=True):
        self.postgres_url = os.environ.get("POSTGRES_URL", "").rstrip("/")
        self.databases = os.environ.get("POSTGRES_DATABASES", "weir grafana").split()
        self.redis = [os.environ.get("REDIS_HOST"), os.environ.get("REDIS_PORT")]
        self.weir_data = os.environ.get("WEIR_DATA_DIR")
        self.prometheus_url = os.environ.get("PROMETHEUS_URL", "").rstrip("/")
        self.prometheus_data = os.environ.get("PROMETHEUS_DATA")
        if needs_data and bool(self.prometheus_url) != bool(self.prometheus_data):
            raise Fault("PROMETHEUS_URL and PROMETHEUS_DATA go together")

    def parts(self):
        there = {"postgres": self.postgres_url, "redis": any(self.redis), "weir": self.weir_data,
                 "prometheus": self.prometheus_url}
        return [name for name, is_there in there.items() if is_there]

    def unsaved(self):
        return ()

    def run(self, part, command, **options):
        return run(command, what=part, **options)

    run_stopped = run

    def postgres(self, program, database, *arguments):
        return [program, "-d", f"{self.postgres_url}/{database}", *arguments]

    def redis_cli(self, *words):
        host, port = self.redis
        return ["redis-cli", "-h", host or "127.0.0.1", "-p", port or "6379", *words]

    def is_redis_here(self):
        return self.redis[0] in (None, "", "127.0.0.1", "localhost", "::1")

    def data_of_weir(self):
        return Path(self.weir_data)

    def data_of_prometheus(self):
        return self.prometheus_data

    def ask_prometheus(self, path):
        """Posts; what it answers."""
        try:
            with urllib.request.urlopen(self.prometheus_url + path, data=b"", timeout=600) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as fault:
            raise Fault(f"prometheus: {fault.read().decode(errors='replace').strip()}") from None
        except (urllib.error.URLError, OSError) as fault:
            raise Fault(f"prometheus: {self.prometheus_url}: {fault}") from None

    @contextlib.contextmanager
    def quiet(self):
        """Nobody uses what is being restored. Here that is for whom it belongs to to see to."""
        if self.prometheus_url:
            try:
                urllib.request.urlopen(f"{self.prometheus_url}/-/healthy", timeout=10).close()
            except (urllib.error.URLError, OSError):
                pass
            else:
                raise Fault(f"prometheus runs at {self.prometheus_url}; stop it first")
        yield


class Containers:
    """Services of a compose file."""

    USERS = ("nginx", "grafana", "prometheus", "weir")

    def __init__(self, compose_file, env_file, project):
        program = shlex.split(os.environ.get("COMPOSE", "docker compose"))
        environment = ["--env-file", env_file] if env_file else []
        self.project = project
        self.compose = [*program, "-p", project, *environment, "-f", compose_file]
        self.services = run([*self.compose, "config", "--services"]).split()
        self.databases = ["weir", "grafana"] if of_kinds(self.services, ["grafana"]) else ["weir"]

    def parts(self):
        """weirs on a Redis have nothing of their own."""
        return [name for name in ("postgres", "redis", "weir", "prometheus") if name in self.services]

    def unsaved(self):
        """What there is that no part has."""
        if of_kinds(self.services, ["alertmanager"]):
            yield "silences, in Alertmanager's volume"
        if of_kinds(self.services, ["grafana"]) and "postgres" not in self.services:
            yield "what people made in Grafana, in its volume"

    def run(self, part, command, **options):
        return run([*self.compose, "exec", "-T", part, *command], what=part, **options)

    def run_stopped(self, part, command, **options):
        return run([*self.compose, "run", "--rm", "--no-deps", "-T", "--entrypoint", command[0], part, *command[1:]],
                   what=part, **options)

    def postgres(self, program, database, *arguments):
        return [program, "-U", "weir", "-d", database, *arguments]

    def redis_cli(self, *words):
        return ["redis-cli", *words]

    def is_redis_here(self):
        return True

    def data_of_weir(self):
        """The volume, on this machine."""
        return Path(run(["docker", "volume", "inspect", "-f", "{{.Mountpoint}}", f"{self.project}_weir"]))

    def data_of_prometheus(self):
        return "/prometheus"

    def ask_prometheus(self, path):
        return self.run("prometheus", ["wget", "-q", "-O", "-", "--post-data=", f"http://127.0.0.1:9090{path}"])

    @contextlib.contextmanager
    def quiet(self):
        stopped = of_kinds(self.services, self.USERS)
        run([*self.compose, "stop", *stopped])
        try:
            yield
        finally:
            run([*self.compose, "start", *stopped])
