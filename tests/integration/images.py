"""Images, built by buildah without a daemon, and containers without a runtime.

No registry is needed: what stands in for Debian's image is made of the packages of this machine.
"""

import functools
import json
import os
import re
import shutil
import signal
import subprocess
import tarfile
from pathlib import Path

from harness import DEADLINE, REPOSITORY, wait_for
from redis_servers import free_port

# Of a Debian image, what those of docker/ make use of.
BASE = ["base-files", "base-passwd", "bash", "coreutils", "dash", "diffutils", "dpkg", "findutils", "grep", "gzip", "libc-bin",
        "mawk", "sed", "util-linux"]


def run(*command, **options):
    """What a command printed; it must end well."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@functools.cache
def why_not():
    """Why no image can be built on this machine; empty: one can."""
    if os.getuid() != 0:
        return "images are built as root here"
    if not shutil.which("buildah"):
        return "there is no buildah"
    done = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True, check=False)
    return f"nothing may be mounted here: {done.stderr.strip()}" if done.returncode else ""


def packages_of(name):
    """A list of scripts/lib/packages.sh."""
    return run("sh", "-c", f'. scripts/lib/packages.sh; printf %s "$packages_{name}"', cwd=REPOSITORY).split()


def with_what_they_need(packages):
    """Installed packages, and those that they depend on."""
    fields = run("dpkg-query", "-W", "-f", "${Package}\t${Pre-Depends}, ${Depends}\t${Provides}\n").splitlines()
    rows = [line.split("\t") for line in fields]
    needs = {package: re.findall(r"(?:^|[,|] *)([a-z0-9][a-z0-9.+-]*)", depends) for package, depends, _ in rows}
    wanted, found = list(packages), set()
    while wanted:
        package = wanted.pop()
        if package in needs and package not in found:
            found.add(package)
            wanted += needs[package]
    return sorted(found)


def make_base(path):
    """A tar archive of a small Debian."""
    wanted = {*packages_of("run"), *packages_of("site")}
    packages = with_what_they_need([*BASE, *wanted])
    assert wanted <= set(packages)
    skipped = re.compile(r"/usr/share/(doc|man|locale|info|lintian|bash-completion)/")
    with tarfile.open(path, "w") as archive:
        for link in ("bin", "lib", "lib64", "sbin"):  # as in every Debian since 12
            archive.add(f"/{link}", recursive=False)
        seen = set()
        for name in sorted(set(run("dpkg-query", "-L", *packages).splitlines())):
            real = os.path.join(os.path.realpath(os.path.dirname(name)), os.path.basename(name))
            if real not in seen and os.path.lexists(real) and not skipped.match(f"{real}/") and real != "/":
                seen.add(real)
                archive.add(real, recursive=False)
        archive.add(shutil.which("mawk"), "/usr/bin/awk")  # what the system of alternatives makes of it
        for name in ("/etc/passwd", "/etc/group"):  # made when base-passwd is configured
            archive.add(f"/usr/share/base-passwd{name.replace('/etc', '')}.master", name)
        status = path.with_suffix(".status")
        status.write_text("".join(
            run("dpkg-query", "-s", package).rstrip() + "\n\n" for package in packages))
        archive.add(status, "/var/lib/dpkg/status")
    return path


class Buildah:
    """With a storage of its own."""

    def __init__(self, directory):
        self.options = ["--root", directory / "storage", "--runroot", directory / "run", "--storage-driver", "vfs"]
        self.directory, self.roots = directory, {}

    def __call__(self, *arguments, **options):
        return run("buildah", *self.options, *arguments, **options)

    def import_base(self, archive, name="localhost/base"):
        folder = self.directory / "base"
        folder.mkdir(parents=True)
        archive.rename(folder / "base.tar")
        (folder / "Dockerfile").write_text("FROM scratch\nADD base.tar /\n")
        self("build", "--isolation", "chroot", "--format", "docker", "-t", name, folder)
        shutil.rmtree(folder)
        return name

    def build(self, name, file="Dockerfile", **arguments):
        """An image of docker/."""
        self("build", "--isolation", "chroot", "--format", "docker", "--pull-never", "-t", name,
             *(f"--build-arg={key}={value}" for key, value in arguments.items()),
             "-f", REPOSITORY / "docker" / file, REPOSITORY)

    def settings_of(self, name):
        return json.loads(self("inspect", "--type", "image", name))["Docker"]

    def mounted(self, name):
        """The root of a container of an image, one for all that only read it: each is a whole copy."""
        if name not in self.roots:
            container = self("from", "--pull-never", name).strip()
            self.roots[name] = Path(self("mount", container).strip())
        return self.roots[name]


def bytes_of(root):
    return sum(path.lstat().st_size for path in root.rglob("*") if not path.is_symlink())


# $1: the root, $2: UID:GID, $3: a directory, to be $4 and writable; none: it is a tmpfs. Then env's words.
IN_CONTAINER = """
    mount --bind "$1" "$1"
    if [ -n "$3" ]; then mount --bind "$3" "$1$4"; else mount -t tmpfs -o mode=1777 tmpfs "$1$4"; fi
    mount --bind /dev "$1/dev"
    mount -t proc proc "$1/proc"
    mount -o remount,bind,ro "$1"
    root=$1 user=$2
    shift 4
    exec chroot --userspec="$user" "$root" /usr/bin/env -i "$@"
"""


def in_container(root, settings, command, writable, place, variables):
    """What runs a command as an image's settings say, in a view of the file system that ends with it."""
    words = [*settings["Env"], *(f"{key}={value}" for key, value in variables.items()), *command]
    return ["unshare", "--mount", "--propagation", "private", "sh", "-euc", IN_CONTAINER, "sh", root, settings["User"],
            writable, place, *words]


class Container:
    """Of an image, as its settings say, with a root that cannot be written and a volume that can.

    It has the network of this machine, and listens on a free port of the loopback.
    """

    def __init__(self, buildah, image, volume, *flags, **variables):
        self.settings, self.root = buildah.settings_of(image)["config"], buildah.mounted(image)
        self.port, self.volume, self.exit_code = free_port(), volume, None
        if not volume.exists():
            volume.mkdir()
            os.chown(volume, *(int(number) for number in self.settings["User"].split(":")))
        self.variables = {"WEIR_WEB_LISTEN_ADDRESS": f"127.0.0.1:{self.port}", **variables}
        self.log = open(volume.with_suffix(".log"), "ab")
        self.process = self.start([*self.settings["Entrypoint"], *flags])

    def start(self, command):
        (place,) = self.settings["Volumes"]
        return subprocess.Popen(
            in_container(self.root, self.settings, command, self.volume, place, self.variables),
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def is_healthy(self):
        assert self.process.poll() is None, self.said()
        kind, *command = self.settings["Healthcheck"]["Test"]
        assert kind == "CMD"
        return self.start(command).wait(DEADLINE) == 0

    def wait_until_healthy(self):
        wait_for(self.is_healthy, "the container is healthy")

    def said(self):
        return self.volume.with_suffix(".log").read_text()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(getattr(signal, self.settings["StopSignal"]))
        try:
            self.exit_code = self.process.wait(DEADLINE)
        finally:
            self.process.kill()
            self.log.close()
