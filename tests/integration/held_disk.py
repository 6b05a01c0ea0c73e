"""A disk on which nothing is for good until the test says so, by tests/preload/disk_hold.c."""

from harness import preload, wait_for


class HeldDisk:
    def __init__(self, directory):
        directory.mkdir()
        self.directory = directory

    def variables(self):
        return preload("disk_hold", DISK_HOLD=self.directory)

    def synced(self):
        """The files that were, or are to be."""
        log = self.directory / "log"
        return log.read_text().splitlines() if log.exists() else []

    def hold(self):
        (self.directory / "hold").touch()
        return len(self.synced())

    def wait_until_held(self, before):
        wait_for(lambda: len(self.synced()) > before, "something is to be on disk")

    def fail(self, fault):
        new = self.directory / "new"
        new.write_text(str(fault))
        new.rename(self.directory / "fail")

    def heal(self):
        for name in ("hold", "fail"):
            (self.directory / name).unlink(missing_ok=True)
