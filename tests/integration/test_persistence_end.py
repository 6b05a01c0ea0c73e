"""The end of weir while the disk takes its time, or fails."""

import errno
import signal

import pytest

from harness import format_request, wait_for
from held_disk import HeldDisk
from persistence import everything, jobs, kill


@pytest.fixture
def disk(tmp_path):
    return HeldDisk(tmp_path / "disk")


def test_nobody_waits_for_the_disk_but_those_who_push(kept, disk):
    weir = kept.start(variables=disk.variables())
    with weir.connect() as first, weir.connect() as second:
        before = disk.hold()
        first.request("PUT", "/metrics/job/j", "m 1\n")
        disk.wait_until_held(before)
        second.request("PUT", "/metrics/job/k", "m 1\n")
        wait_for(lambda: jobs(weir) == {"j", "k"}, "it is in memory")
        assert weir.get("/-/healthy").status == 200
        disk.heal()
        assert first.response().status == 200
        assert second.response().status == 200
    assert jobs(kept.again()) == {"j", "k"}


def test_end_while_it_is_stored(kept, disk):
    weir = kept.start(variables=disk.variables())
    with weir.connect() as connection:
        before = disk.hold()
        connection.request("PUT", "/metrics/job/j", "m 1\n")
        disk.wait_until_held(before)
        connection.send(format_request("PUT", "/metrics/job/j", "m 2\n"))
        wait_for(lambda: 'm{instance="",job="j"} 2' in weir.get("/metrics").text, "it is in memory")
        weir.signal()
        wait_for(lambda: "stopping" in weir.stderr(), "it stops")
        disk.heal()
        assert connection.response().status == 200
        assert connection.response().status == 200
    assert weir.wait() == 0
    assert 'm{instance="",job="j"} 2' in kept.start().get("/metrics").text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_second_signal_at_the_end(kept, disk, number):
    """Connections are closed at once; what was pushed is stored all the same."""
    weir = kept.start(variables=disk.variables())
    with weir.connect() as connection:
        before = disk.hold()
        connection.request("PUT", "/metrics/job/j", "m 1\n")
        disk.wait_until_held(before)
        weir.signal()
        wait_for(lambda: "stopping" in weir.stderr(), "it stops")
        weir.signal(number)
        assert connection.is_closed_by_server()
        disk.heal()
    assert weir.wait() == 0
    assert jobs(kept.start()) == {"j"}


def test_what_is_answered_from_memory_is_stored_at_the_end(kept, disk):
    weir = kept.start("--state.ack=memory", variables=disk.variables())
    disk.hold()
    for number in range(20):
        assert weir.put(f"/metrics/job/{number}", "m 1\n").status == 200
    before = everything(weir)
    weir.signal()
    wait_for(lambda: "stopping" in weir.stderr(), "it stops")
    disk.heal()
    assert weir.wait() == 0
    assert everything(kept.start()) == before


@pytest.mark.smoke
@pytest.mark.parametrize("fault", [errno.EIO, errno.ENOSPC], ids=["EIO", "ENOSPC"])
def test_exit_code_when_the_last_cannot_be_stored(kept, disk, fault):
    weir = kept.start(variables=disk.variables())
    assert weir.put("/metrics/job/stored", "m 1\n").status == 200
    disk.fail(fault)
    answer = weir.put("/metrics/job/last", "m 1\n")
    assert answer.status == 503
    assert "the change is in memory, but not stored durably yet" in answer.text
    assert jobs(weir) == {"stored", "last"}
    weir.signal()
    assert weir.wait() == 1
    assert "what was pushed last could not be stored" in weir.stderr()
    assert weir.stderr().count("cannot store what was pushed") == 1
    weir.process.stdout.close()
    weir.stop = lambda: None
    disk.heal()
    assert jobs(kept.start()) >= {"stored"}


def test_stored_again_when_the_disk_is_well(kept, disk):
    weir = kept.start(variables=disk.variables())
    disk.fail(errno.EIO)
    assert weir.put("/metrics/job/j", "m 1\n").status == 503
    assert weir.delete("/metrics/job/k").status in (202, 503)  # which was never there
    disk.heal()
    wait_for(lambda: "the state is stored again" in weir.stderr(), "it is stored")
    assert jobs(kept.again()) == {"j"}


def test_killed_while_it_is_stored(kept, disk):
    weir = kept.start(variables=disk.variables())
    weir.put("/metrics/job/j", "m 1\n")
    with weir.connect() as connection:
        before = disk.hold()
        connection.request("PUT", "/metrics/job/j", "m 2\n")
        disk.wait_until_held(before)
        kill(weir)
    disk.heal()
    page = kept.start().get("/metrics").text
    assert 'm{instance="",job="j"} 1' in page or 'm{instance="",job="j"} 2' in page


def test_nobody_waits_when_much_cannot_be_stored(kept, disk):
    """More than what is stored in one go of that: what is to come later has failed, too."""
    weir = kept.start("--state.timeout=1h", variables=disk.variables())
    disk.fail(errno.EIO)
    body = "".join(f'large{{line="{line:06}",filler="{"x" * 100}"}} 1\n' for line in range(40000))
    for number in range(4):
        assert weir.put(f"/metrics/job/{number}", body).status == 503
    disk.heal()
    wait_for(lambda: "the state is stored again" in weir.stderr(), "it is stored")
    assert weir.put("/metrics/job/last", "m 1\n").status == 200
    assert jobs(kept.again()) == {"0", "1", "2", "3", "last"}
