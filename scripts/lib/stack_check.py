"""What stands in the way of a start, all of it at once, before anything has been started."""

import contextlib
import os
import re
import shlex
import socket
import sys
from pathlib import Path

from stack_places import Containers, Fault, run

REQUIRED = re.compile(r"\$\{(\w+):\?([^}]*)\}")
PORT = re.compile(r'^\s+- "?\$\{(\w+):-([^}]*)\}:\d+"?$', re.M)
SECRET = re.compile(r"(PASSWORD|SECRET_KEY)$")
WORN = {"admin", "changeme", "grafana", "password", "postgres", "prom-operator", "redis", "root", "secret", "weir"}
SECRET_MIN = 12
FILES = {"TLS_DIR": ["fullchain.pem", "privkey.pem"], "USERS_FILE": [""]}


def variables_of(path):
    """Of an .env, as compose reads it."""
    found = {}
    try:
        lines = path.read_text().splitlines()
    except OSError as fault:
        raise Fault(f"{path}: {fault.strerror}; env.example is what to begin with") from None
    for number, line in enumerate(lines, 1):
        name, is_set, value = line.strip().partition("=")
        if not name or name.startswith("#"):
            continue
        if not is_set or not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise Fault(f"{path}:{number}: no NAME=VALUE")
        found[name] = value.strip("'\"") if value[:1] in "'\"" else value
    return found


def read_env(path):
    """What the environment has wins."""
    return {**(variables_of(path) if path else {}), **os.environ}


def faults_of_variables(required, values):
    for name, sentence in required.items():
        if not values.get(name):
            yield f"{name} is missing: {sentence}"


def is_worn(value):
    return value.lower() in WORN or len(value) < SECRET_MIN


def faults_of_secrets(required, values):
    """Their values are never told."""
    for name in required:
        value = values.get(name, "")
        if not value or not SECRET.search(name):
            continue
        if is_worn(value):
            yield f"{name} is one that others would guess; openssl rand -hex 24 makes a better one"
        elif not re.fullmatch(r"[A-Za-z0-9_-]+", value):
            yield f"{name} may have letters, digits, - and _, since it stands in URLs"


def faults_of_files(required, values, folder):
    for name, members in FILES.items():
        if name not in required or not values.get(name):
            continue
        for member in members:
            path = (folder / values[name] / member) if member else folder / values[name]
            if not path.is_file():
                yield f"{name}: there is no file {path}"
            elif path.stat().st_size == 0:
                yield f"{name}: {path} is empty"


# ---- Ports ----------------------------------------------------------------------------------


def can_be_had(host, port):
    is_ipv6 = ":" in host
    with socket.socket(socket.AF_INET6 if is_ipv6 else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except PermissionError:
            return True  # a low port, for others than root; compose's daemon is root
        except OSError:
            return False
    return True


def sockets_on(port):
    """Inodes of those that listen there."""
    found = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                fields = row.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                    found.add(f"socket:[{fields[9]}]")
    return found


def who_listens(port):
    """As "nginx (pid 4711)"; of others' processes only root is told."""
    wanted, found = sockets_on(port), []
    for process in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        with contextlib.suppress(OSError):
            if any(os.readlink(fd) in wanted for fd in (process / "fd").iterdir()):
                found.append(f"{(process / 'comm').read_text().strip()} (pid {process.name})")
    return ", ".join(found) or "a process of another user"


def faults_of_ports(text, values):
    for name, default in PORT.findall(text):
        address = values.get(name) or default
        host, _, port = address.rpartition(":")
        if not port.isdigit() or not 0 < int(port) < 65536:
            yield f"{name}: {address} is no port, nor an address and a port"
        elif not can_be_had(host.strip("[]") or "0.0.0.0", int(port)):
            yield f"{name}: port {port} is taken by {who_listens(int(port))}"


def runs_already(compose_file, env_file, project):
    """Then its ports are taken by itself."""
    with contextlib.suppress(Fault):
        containers = Containers(compose_file, env_file, project)
        return bool(run([*containers.compose, "ps", "-q"]))
    return False


def faults_of_compose():
    program = shlex.split(os.environ.get("COMPOSE", "docker compose"))
    try:
        run([*program, "version"])
    except Fault as fault:
        yield f"COMPOSE: {' '.join(program)} cannot be used: {fault}"


def check(compose_file, env_file, project):
    text, values = compose_file.read_text(), read_env(env_file)
    required = dict(REQUIRED.findall(text))
    faults = [*faults_of_variables(required, values), *faults_of_secrets(required, values),
              *faults_of_files(required, values, compose_file.parent)]
    if faults or not runs_already(compose_file, env_file, project):
        faults += faults_of_ports(text, values)
    faults += faults_of_compose()
    for fault in faults:
        print(f"stack: {fault}", file=sys.stderr)
    if not faults:
        print("nothing is missing")
    return 1 if faults else 0
