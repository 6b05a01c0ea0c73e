"""What the disk itself can do, beside which commits are judged."""

import os
import time


class Disk:
    """Appends to a file, or writes to its beginning again, and times the fdatasync of each."""

    def __init__(self, directory):
        self.path = directory / "probe"

    def append(self, size, count):
        """As a log that grows."""
        return self._write(size, count, lambda turn: turn * size)

    def overwrite(self, size, count):
        """As a log that is begun anew: no space has to be found."""
        return self._write(size, count, lambda turn: turn * size % (64 * size), prepared=64 * size)

    def _write(self, size, count, place, prepared=0):
        """Microseconds each."""
        data = os.urandom(size)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        times = []
        try:
            os.write(descriptor, bytes(prepared))
            os.fsync(descriptor)
            for turn in range(count):
                began = time.monotonic()
                os.pwrite(descriptor, data, place(turn))
                os.fdatasync(descriptor)
                times.append((time.monotonic() - began) * 1e6)
        finally:
            os.close(descriptor)
            self.path.unlink()
        return times
