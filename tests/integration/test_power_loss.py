"""What is acknowledged is there after a power cut, in whatever moment, and no push is there by halves.

The disk has what was synced, and of everything else any sectors: see tests/preload/power_loss.c.

How often: WEIR_POWER_CUTS, 6 unless told otherwise. WEIR_SEED repeats a run, as far as threads allow.
"""

import os

import pytest

from crashes import Clients, Crashing, crash_often, make_weir
from disks import Disk
from harness import wait_for

POWER_CUTS = int(os.environ.get("WEIR_POWER_CUTS", "6"))


@pytest.fixture
def weir(tmp_path):
    crashing = make_weir(tmp_path, loses=True)
    yield crashing
    crashing.finish()


@pytest.mark.smoke
def test_acknowledged_is_kept(weir):
    crash_often(weir, POWER_CUTS, "power-loss-test")


def test_without_sync_it_is_not(weir):
    """Or the test above could not fail."""
    weir.flags += ("--state.sync=normal",)
    clients = Clients(4, 1)
    weir.start()
    weir.page()
    clients.start(weir)
    while clients.sum("acknowledged") < 100:
        pass
    weir.kill()
    clients.join()
    weir.start()
    clients.settle(weir.page())
    assert clients.lost > 0 and clients.torn == 0


def test_first_start(tmp_path):
    """The directory that weir makes is on the disk, too, when something in it is acknowledged."""
    disk = Disk(tmp_path / "weir", tmp_path)
    weir = Crashing(tmp_path / "weir", disk, loses=True)
    weir.start()
    assert weir.weir.put("/metrics/job/j", "m 1\n").status == 200
    weir.kill()
    weir.start()
    assert 'm{instance="",job="j"} 1' in weir.page()
    weir.finish()


def test_after_a_checkpoint_that_failed(weir):
    """What it wrote and could not sync is gone: it has to be written again before the log begins anew."""
    clients = Clients(8, 1)
    weir.start()
    weir.page()
    weir.disk.fail("fsync", 2, last=3, ending="weir.db")
    clients.start(weir)
    wait_for(lambda: weir.disk.failed(), "a checkpoint to fail", seconds=60)
    weir.disk.heal()
    wait_for(lambda: "is moved into the database again" in weir.weir.stderr(), "the log to begin anew",
             seconds=60)
    weir.kill()
    clients.join()
    weir.start()
    clients.settle(weir.page())
    clients.check()
