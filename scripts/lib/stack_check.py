"""What stands in the way of a start, all of it at once, before anything has been started."""

import contextlib
import errno
import os
import re
import shlex
import socket
import sys
from pathlib import Path

from stack_places import Containers, Fault, run

REQUIRED = re.compile(r"(?<!\$)(?:\$\$)*\$\{(\w+):\?([^}]*)\}")
PORT = re.compile(r'^\s+- "?\$\{(\w+):-([^}]*)\}:\d+"?$', re.M)
LISTEN = re.compile(r"--web\.listen-address=(127\.0\.0\.1):\$\{(\w+):-(\d+)\}")
MOUNTED = re.compile(r"^\s+- \$\{(\w+):-(/dev/null|\w+)\}:", re.M)  # a file or none, a directory or a volume
SECRET = re.compile(r"(PASSWORD|SECRET_KEY)$")
WORN = {"admin", "changeme", "grafana", "password", "postgres", "prom-operator", "redis", "root", "secret", "weir"}
SECRET_MIN = 12
FILES = {"TLS_DIR": ["fullchain.pem", "privkey.pem"], "USERS_FILE": [""]}


def variables_of(path):
    """Of an .env, as compose reads it."""
    found = {}
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as fault:
        raise Fault(f"{path}: {fault.strerror}; env.example is what to begin with") from None
    except UnicodeDecodeError:
        raise Fault(f"{path}: there are bytes that are no text of UTF-8") from None
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


def in_use(text, values):
    """What is started of a file: services that have no profile, or one that is wanted."""
    wanted = set(values.get("COMPOSE_PROFILES", "").split(","))
    for block in re.split(r"^(?=  [a-z][a-z0-9-]*:$)", text, flags=re.M):
        profiles = re.search(r"^    profiles: \[(.*)\]$", block, re.M)
        if not profiles or wanted & {"*", *profiles[1].split(", ")}:
            yield block


def faults_of_mounts(blocks, values, folder):
    """Of files that need not be, but are named; docker would make directories of them."""
    for name, default in dict.fromkeys(found for block in blocks for found in MOUNTED.findall(block)):
        value = values.get(name, "")
        path = folder / value
        if value in ("", "/dev/null") or (default != "/dev/null" and "/" not in value):
            continue
        if default != "/dev/null" and not path.is_dir():
            yield f"{name}: there is no directory {path}"
        elif default == "/dev/null" and not path.is_file():
            yield f"{name}: there is no file {path}"
        elif path.is_file() and path.stat().st_size == 0:
            yield f"{name}: {path} is empty"


def faults_of_community(blocks, values):
    wanted = any("COMMUNITY_FILE:-" in block for block in blocks)
    if wanted and not values.get("COMMUNITY_FILE") and not values.get("SNMP_FILE"):
        yield ("COMMUNITY_FILE is missing: a file with the community of the switches in its one line, "
               "unless SNMP_FILE has an snmp.yml")


# ---- Ports ----------------------------------------------------------------------------------


def fault_of_listening(host, port):
    """What keeps others from it, or None."""
    is_ipv6 = ":" in host
    with socket.socket(socket.AF_INET6 if is_ipv6 else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except PermissionError:
            return None  # a low port, for others than root; compose's daemon is root
        except (OSError, UnicodeError) as fault:
            if getattr(fault, "errno", None) == errno.EADDRINUSE:
                return f"port {port} is taken by {who_listens(port)}"
            return f"{host} is no address of this machine"
    return None


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


def listeners(blocks, values):
    """(variable, address) of what is published, and of what listens on the host's network itself."""
    for block in blocks:
        yield from ((name, values.get(name) or default) for name, default in PORT.findall(block))
        yield from ((name, f"{host}:{values.get(name) or default}") for host, name, default in LISTEN.findall(block))


def faults_of_ports(blocks, values):
    for name, address in listeners(blocks, values):
        host, _, port = address.rpartition(":")
        if not port.isdigit() or not 0 < int(port) < 65536:
            yield f"{name}: {address} is no port, nor an address and a port"
        elif fault := fault_of_listening(host.strip("[]") or "0.0.0.0", int(port)):
            yield f"{name}: {fault}"


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
    required, blocks = dict(REQUIRED.findall(text)), list(in_use(text, values))
    faults = [*faults_of_variables(required, values), *faults_of_secrets(required, values),
              *faults_of_files(required, values, compose_file.parent),
              *faults_of_mounts(blocks, values, compose_file.parent), *faults_of_community(blocks, values)]
    if faults or not runs_already(compose_file, env_file, project):
        faults += faults_of_ports(blocks, values)
    faults += faults_of_compose()
    for fault in faults:
        print(f"stack: {fault}", file=sys.stderr)
    if not faults:
        print("nothing is missing")
    return 1 if faults else 0
