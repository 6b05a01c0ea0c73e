"""Disks that fail and disks that lose what was not synced, by tests/preload/."""

import errno
import os
import shutil

from harness import preload

FOREVER = 10**9
KILL = "kill"


class Disk:
    """Below a directory: fails as it is told, and keeps what it would have after a power cut."""

    def __init__(self, directory, beside):
        self.directory = directory
        self.tree, self.files = beside / "platter" / "tree", beside / "platter" / "files"
        self.faults = beside / "faults"
        for each in (directory, self.files, self.faults):
            each.mkdir(parents=True)
        shutil.copytree(directory, self.tree)

    def variables(self, loses=True, seed=0):
        """For a process. If it loses nothing, only the process can be killed, not the power cut."""
        names = ["disk_faults"] + ["power_loss"] * loses
        return preload(*names, DISK_FAULTS_OF=self.directory, DISK_FAULTS=self.faults,
                       POWER_LOSS_OF=self.directory, POWER_LOSS_PLATTER=self.files.parent,
                       POWER_LOSS_SEED=seed)

    def order(self, *rules):
        """From now on: "KIND FROM TO FAULT [ENDING]"; counts and failed() begin anew."""
        (self.faults / "log").unlink(missing_ok=True)
        temporary = self.faults / "rules.new"
        temporary.write_text("".join(rule + "\n" for rule in rules))
        os.replace(temporary, self.faults / "rules")

    def fail(self, kind, first=1, last=FOREVER, fault=errno.EIO, ending=""):
        self.order(f"{kind} {first} {last} {fault} {ending}")

    def heal(self):
        (self.faults / "rules").unlink(missing_ok=True)

    def failed(self):
        """Of each call that failed, or at which the process was killed: kind, number and path."""
        log = self.faults / "log"
        return [line.split(" ", 2) for line in log.read_text().splitlines()] if log.exists() else []

    def cut_power(self):
        """Once nobody has anything open there: what was not synced is gone."""
        for path in self.directory.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(self.tree, self.directory, dirs_exist_ok=True)
        self.begin_anew()

    def fill(self, copy):
        """It has what is in that directory, and nothing else."""
        shutil.rmtree(self.tree)
        shutil.copytree(copy, self.tree)
        self.cut_power()

    def begin_anew(self):
        """Before the next process."""
        shutil.rmtree(self.files)
        self.files.mkdir()
