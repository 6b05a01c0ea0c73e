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

    def order(self, name, text):
        new = self.directory / "new"
        new.write_text(str(text))
        new.rename(self.directory / name)

    def hold(self, after=0, ending=""):
        """From now on, or behind so many of a process; files of some names. Gives how many there were."""
        self.order("hold", f"{after} {ending}")
        return len(self.synced())

    def wait_until_held(self, before):
        wait_for(lambda: len(self.synced()) > before, "something is to be on disk")

    def fail(self, fault):
        self.order("fail", fault)

    def heal(self):
        for name in ("hold", "fail"):
            (self.directory / name).unlink(missing_ok=True)
