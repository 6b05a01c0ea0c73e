"""Files of an installation, written so that nobody's work is lost.

What was written is noted in .setup.sums, as sha256sum has it. A file that is not as noted was changed by somebody else.
While files are being written the sums of both are noted, so that a run that was killed is gone on with by the next.
"""

import contextlib
import fcntl
import hashlib
import os
import tempfile
from pathlib import Path

from stack_places import Fault

SUMS = ".setup.sums"


def digest_of(content):
    return hashlib.sha256(content).hexdigest()


def content_of(path):
    """None: there is no such file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def noted(directory):
    """{name: digests of what may be there}"""
    found = {}
    try:
        lines = (content_of(directory / SUMS) or b"").decode().splitlines()
    except UnicodeDecodeError:
        raise Fault(f"{directory / SUMS}: it is damaged; without it all files are taken for somebody else's") from None
    for line in lines:
        digest, _, name = line.partition("  ")
        found.setdefault(name, set()).add(digest)
    return found


def sums(files):
    """Of {name: digests}, as a file."""
    return "".join(f"{digest}  {name}\n" for name in sorted(files) for digest in sorted(files[name])).encode()


def make_folder(path, mode=0o755):
    """Readable for those in the containers, whatever the umask is."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(mode=mode)
        path.chmod(mode)


def put(path, content, mode=0o644):
    """In one step, whole or not at all."""
    make_folder(path.parent)
    handle, draft = tempfile.mkstemp(prefix=".draft-", dir=path.parent)
    try:
        with open(handle, "wb") as file:
            os.fchmod(handle, mode)
            file.write(content)
            file.flush()
            os.fsync(handle)
        os.replace(draft, path)
    except BaseException as fault:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        if isinstance(fault, OSError):
            raise Fault(f"{path}: cannot be written: {fault.strerror}") from None
        raise


class Plan:
    """What is to be done so that directory has the files: {name: (content, mode)}."""

    def __init__(self, directory, files):
        self.directory, self.files, self.before = directory, files, noted(directory)
        self.new, self.changed, self.edited, self.modes = [], [], [], []
        for name, (content, mode) in files.items():
            self._compare(name, content, mode)
        self.removed, self.left = [], []
        for name in sorted(self.before.keys() - files.keys()):
            found = content_of(directory / name)
            if found is not None:
                (self.removed if digest_of(found) in self.before[name] else self.left).append(name)

    def _compare(self, name, content, mode):
        path = self.directory / name
        if path.is_dir():
            raise Fault(f"{path} is a directory, where a file has to be")
        for above in path.parents:
            if above != self.directory and above.is_relative_to(self.directory) and above.is_file():
                raise Fault(f"{above} is a file, where a directory has to be")
        found = content_of(path)
        if found is None:
            self.new.append(name)
        elif found != content:
            (self.changed if digest_of(found) in self.before.get(name, ()) else self.edited).append(name)
        elif path.stat().st_mode & 0o777 != mode:
            self.modes.append(name)

    def note(self, files):
        wanted = sums(files)
        if content_of(self.directory / SUMS) != wanted:
            put(self.directory / SUMS, wanted)

    def carry_out(self):
        """Edited files are kept beside what takes their place."""
        after = {name: {digest_of(content)} for name, (content, _) in self.files.items()}
        names = after.keys() | self.before.keys()
        if self.new or self.changed or self.edited or self.removed:
            self.note({name: after.get(name, set()) | self.before.get(name, set()) for name in names})
        for name in self.edited:
            os.link(self.directory / name, free_name(self.directory / f"{name}.edited"))
        for name in [*self.new, *self.changed, *self.edited, *self.modes]:
            put(self.directory / name, *self.files[name])
        for name in self.removed:
            (self.directory / name).unlink()
            remove_empty((self.directory / name).parent, self.directory)
        self.note(after)


def free_name(path):
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.name}-{number}")
    return found


def remove_empty(path, top):
    while path != top:
        try:
            path.rmdir()
        except OSError:
            return
        path = path.parent


@contextlib.contextmanager
def held(directory):
    """The directory, made if need be for its owner alone, and by nobody else written to meanwhile."""
    is_new = not directory.exists()
    if is_new:
        make_folder(directory, 0o700)
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Fault(f"{directory}: another setup is writing to it") from None
        yield
    finally:
        os.close(handle)
        if is_new:
            with contextlib.suppress(OSError):
                directory.rmdir()  # where nothing came of it


def seen_from_here(path):
    return Path(os.path.abspath(path))
