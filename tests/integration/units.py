"""Runs what a systemd unit file says, without systemd: its user, arguments and commands."""

import os
import pwd
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness import BINARY, environment


class Unit:
    """The [Service] section of a unit file."""

    def __init__(self, path):
        self.settings = {}
        section = None
        for line in Path(path).read_text().splitlines():
            line = line.strip()
            if line.startswith("["):
                section = line
            elif section == "[Service]" and "=" in line and line[0] not in "#;":
                name, _, value = line.partition("=")
                self.settings[name] = value

    def environment(self):
        """EnvironmentFile's assignments, quotes undone."""
        path = self.settings.get("EnvironmentFile")
        if path is None:
            return {}
        optional = path.startswith("-")
        path = Path(path.lstrip("-"))
        if optional and not path.exists():
            return {}
        words = [shlex.split(line, comments=True) for line in path.read_text().splitlines()]
        return dict(word.split("=", 1) for line in words for word in line if "=" in word)

    def command(self, name, **variables):
        """The words of ExecStart and the like: $NAME alone becomes any number of them."""
        values = {**self.environment(), **variables}
        words = []
        for word in shlex.split(self.settings[name]):
            alone = re.fullmatch(r"\$(\w+)", word)
            if alone:
                words += shlex.split(values.get(alone[1], ""))
            else:
                words.append(re.sub(r"\$\{(\w+)\}", lambda m: values.get(m[1], ""), word))
        return words

    def seconds(self, name):
        return int(re.fullmatch(r"(\d+)s?", self.settings[name])[1])


class Service:
    """A unit's ExecStart as its user, in / and with that user's HOME, the binary exchanged."""

    def __init__(self, unit, variables):
        self.unit = unit
        user = pwd.getpwnam(unit.settings["User"])
        self.directory = Path(tempfile.mkdtemp(prefix="weir-unit-"))
        self.directory.chmod(0o755)
        self.home = self.directory / "home"
        self.home.mkdir()
        os.chown(self.home, user.pw_uid, user.pw_gid)
        self.binary = self.directory / "weir"
        shutil.copy(BINARY, self.binary)
        self.binary.chmod(0o755)
        inherited = {name: value for name, value in environment().items()
                     if name.endswith("_OPTIONS")}
        self.stderr_path = self.directory / "stderr"
        with open(self.stderr_path, "wb") as stderr:
            self.process = subprocess.Popen(
                ["setpriv", f"--reuid={user.pw_name}", f"--regid={user.pw_gid}", "--init-groups",
                 str(self.binary), *unit.command("ExecStart")[1:]],
                cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True,
                env={**inherited, "PATH": "/usr/bin:/bin", "HOME": str(self.home),
                     "USER": user.pw_name, "LOGNAME": user.pw_name, **unit.environment(),
                     **variables})

    def reload(self):
        subprocess.run(self.unit.command("ExecReload", MAINPID=str(self.process.pid)), check=True)

    def stderr(self):
        return self.stderr_path.read_text(errors="replace")

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.directory)
