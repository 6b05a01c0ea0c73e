"""Passwords and keys of an installation: made once, kept in DIRECTORY/secrets, and never shown."""

import hashlib
import re
import secrets
import subprocess

from setup_read import suggestion
from setup_shipped import COMPOSE, variables
from stack_check import SECRET, faults_of_secrets, is_worn
from stack_places import Fault

VARIABLES, USERS = "secrets/variables", "secrets/users"


class Kept:
    """A file of secrets, with the lines that were added to it."""

    def __init__(self, directory, name, separator):
        self.path, self.name, self.separator = directory / name, name, separator
        self.lines = []
        try:
            self.lines = self.path.read_text().splitlines()
        except FileNotFoundError:
            pass
        except (OSError, UnicodeDecodeError) as fault:
            raise Fault(f"{self.path}: cannot be read: {fault}") from None
        self.before = list(self.lines)
        self.values, self.numbers = {}, {}
        for number, line in enumerate(self.lines, 1):
            if line.strip() and not line.startswith("#"):
                self._take(number, line)

    def _take(self, number, line):
        key, is_set, value = line.partition(self.separator)
        if not is_set or not key or key in self.values:
            what = "is there already" if key in self.values else f"no NAME{self.separator}SECRET"
            raise Fault(f"{self.path}:{number}: {what}")
        self.values[key], self.numbers[key] = value, number

    def get(self, key):
        """Made if there is none."""
        if key not in self.values:
            self.values[key] = secrets.token_hex(24)
            self.lines.append(f"{key}{self.separator}{self.values[key]}")
        return self.values[key]

    def has_changed(self):
        return self.lines != self.before

    def content(self):
        return "".join(f"{line}\n" for line in self.lines).encode()

    def fault(self, key, text):
        return f"{self.path}:{self.numbers.get(key, 1)}: {text}"


def of_variables(directory, required, adopted):
    """(file, what is wrong). required: names that the compose file wants; adopted: values of an .env from before."""
    kept = Kept(directory, VARIABLES, "=")
    names, known = [name for name in required if SECRET.search(name)], variables(COMPOSE.read_text())
    for name in names:
        if name not in kept.values and adopted.get(name):
            kept.values[name] = adopted[name]
            kept.lines.append(f"{name}={adopted[name]}")
        kept.get(name)
    faults = [kept.fault(said.partition(" ")[0], said) for said in faults_of_secrets(names, kept.values)]
    for name, value in kept.values.items():
        if name not in known:
            faults.append(kept.fault(name, f"{name}: {suggestion(name, known, 'variable')}"))
        elif name not in names and (re.search(r"['\\]|\$\{", value) or not value.isprintable()):
            faults.append(kept.fault(name, f"{name} may have no control characters, ', \\ or ${{"))
    return kept, faults


def of_users(directory, names):
    kept, faults = Kept(directory, USERS, ":"), []
    for name in names:
        password = kept.get(name)
        if is_worn(password):
            faults.append(kept.fault(name, f"the password of {name} is one that others would guess; "
                                           "openssl rand -hex 24 makes a better one"))
        elif not re.fullmatch(r"[!-~]+", password) or re.search(r'["\\]', password):
            faults.append(kept.fault(name, f'the password of {name} may have no blanks, " or \\, and ASCII alone'))
    return kept, faults


def hashed(name, password):
    """For nginx; the same for the same password, so that nothing changes by itself."""
    salt = hashlib.sha256(f"{name}\0{password}".encode()).hexdigest()[:16]
    try:
        done = subprocess.run(["openssl", "passwd", "-6", "-salt", salt, "-stdin"], input=password + "\n", text=True,
                              capture_output=True, check=False)
    except OSError as fault:
        raise Fault(f"cannot run openssl, which hashes passwords: {fault.strerror}") from None
    if done.returncode != 0:
        raise Fault(f"openssl passwd: {done.stderr.strip()}")
    return f"{name}:{done.stdout.strip()}\n"


def users_file(kept, names):
    return "".join(hashed(name, kept.values[name]) for name in names)
