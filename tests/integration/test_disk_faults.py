"""A disk that fails: nobody is told that something is stored which is not, and weir goes on.

What could not be stored is answered with 503, stays in memory and on the pages, and is stored when
the disk is well again. Power is cut in the end, to see what is on disk.
"""

import contextlib
import errno
import random
import re
import shutil
import signal
import subprocess

import pytest

from crashes import Clients, make_weir
from harness import Weir, wait_for
from page import Page

IN_MEMORY = re.compile(r"the change is in memory, but not stored durably yet: .+; weir goes on trying\n")
FAULTS = [("write", errno.EIO), ("write", errno.ENOSPC), ("fsync", errno.EIO), ("allocate", errno.ENOSPC)]
NAMES = [f"{kind} {errno.errorcode[fault]}" for kind, fault in FAULTS]


@pytest.fixture
def weir(tmp_path):
    crashing = make_weir(tmp_path, loses=True)
    crashing.start()
    crashing.page()
    yield crashing
    crashing.finish()


@pytest.fixture
def clients(weir):
    clients = Clients(4, 1)
    yield clients
    with contextlib.suppress(Exception):  # of which the test knows
        clients.stop()


def own(weir, name):
    return Page(weir.page()).value(name)


def get_on(clients, what="acknowledged", count=20):
    before = clients.sum(what)
    wait_for(lambda: clients.sum(what) >= before + count or not clients.is_working(),
             f"{count} more changes are {what}")
    assert clients.is_working()


def check_stored(weir, clients):
    """When the disk is well: all that is in memory gets to it, and was never lost."""
    clients.stop()
    clients.settle(weir.page())
    wait_for(lambda: own(weir, "weir_state_waiting_changes") == 0, "everything is stored")
    before = without_mortals(weir)
    weir.kill()
    weir.start()
    assert without_mortals(weir) == before
    clients.settle(weir.page())
    clients.check()


def without_mortals(weir):
    return [line for line in Page(weir.page()).pushed() if 'group="lives"' not in line]


def check_reasons(clients):
    assert all(IN_MEMORY.fullmatch(reason) for reason in clients.reasons()), clients.reasons()


@pytest.mark.parametrize("kind, fault", FAULTS[::2], ids=NAMES[::2])
def test_once(weir, clients, kind, fault):
    """Each of the first calls, and a late one."""
    clients.start(weir)
    for number in [*range(1, 13), 40]:
        weir.disk.fail(kind, number, number, fault)
        wait_for(weir.disk.failed, "it fails")
        weir.disk.heal()
        get_on(clients)
    check_reasons(clients)
    assert own(weir, "weir_state_commit_failures_total") >= (clients.sum("refused") > 0)
    check_stored(weir, clients)


@pytest.mark.parametrize("kind, fault", FAULTS, ids=NAMES)
def test_for_a_while(weir, clients, kind, fault):
    clients.start(weir)
    for number in [1, 5, 30]:
        failures = own(weir, "weir_state_commit_failures_total")
        weir.disk.fail(kind, number, fault=fault)
        get_on(clients, "refused", 3)
        acknowledged = clients.sum("acknowledged")
        assert weir.weir.get("/-/healthy").status == 200
        assert own(weir, "weir_state_commit_failures_total") > failures
        assert own(weir, "weir_state_waiting_changes") > 0
        get_on(clients, "refused", 3)
        assert clients.sum("acknowledged") <= acknowledged + 4 * 8  # those that were answered meanwhile
        weir.disk.heal()
        get_on(clients)
    check_reasons(clients)
    check_stored(weir, clients)


@pytest.mark.parametrize("kind, fault", FAULTS[2:3], ids=NAMES[2:3])
def test_in_a_checkpoint(weir, clients, kind, fault):
    """The database cannot be written to; the log can, so nobody is refused. It grows, which is told once."""
    weir.disk.fail(kind, 2, fault=fault, ending="weir.db")
    clients.start(weir)
    wait_for(lambda: len(weir.disk.failed()) > 1 or not clients.is_working(), "checkpoints fail")
    get_on(clients, count=500)
    assert clients.sum("refused") == 0, clients.reasons()
    assert weir.weir.stderr().count("the log grows") == 1
    check_stored_broken(weir, clients)


def check_stored_broken(weir, clients):
    """The same without healing: the log has everything."""
    clients.stop()
    weir.kill()
    weir.start()
    clients.settle(weir.page())
    clients.check()


def test_killed_while_it_fails(weir, clients):
    """What was refused may be lost then, or not; what was acknowledged may not."""
    for kind, fault in FAULTS * 2:
        clients.start(weir)
        get_on(clients)
        weir.disk.fail(kind, 1, fault=fault)
        get_on(clients, "refused", 3)
        weir.kill()
        clients.join()
        weir.start()
        clients.settle(weir.page())
    clients.check()


@pytest.mark.smoke
def test_wipe(weir):
    """What cannot be stored of it is in memory, and is stored before what comes behind it."""
    assert weir.weir.put("/metrics/job/old", "m 1\n").status == 200
    weir.disk.fail("fsync")
    assert weir.weir.put("/api/v1/admin/wipe").status == 503
    assert weir.weir.put("/metrics/job/new", "m 2\n").status == 503
    assert Page(weir.page()).stored() == ["# TYPE m untyped", 'm{instance="",job="new"} 2']
    weir.disk.heal()
    assert weir.weir.put("/metrics/job/last", "m 3\n").status == 200
    weir.kill()
    weir.start()
    assert Page(weir.page()).stored() == ["# TYPE m untyped", 'm{instance="",job="new"} 2',
                                          'm{instance="",job="last"} 3']


def test_ends_while_it_fails(weir):
    """By SIGTERM it ends within a reasonable time, and says by its exit code that something is lost."""
    weir.disk.fail("fsync")
    assert weir.weir.put("/metrics/job/j", "m 1\n").status == 503
    weir.weir.signal(signal.SIGTERM)
    assert weir.weir.wait() == 1
    weir.weir.process.stdout.close()


# ---- At start -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind, fault", [("open", errno.EIO), ("open", errno.ENOSPC), *FAULTS,
                                         ("read", errno.EIO), ("unlink", errno.EIO)])
def test_start(weir, tmp_path, kind, fault):
    """It starts with all that there is, or it ends and says why; nothing is lost by it."""
    assert weir.weir.put("/metrics/job/j", "m 1\n").status == 200
    weir.kill()
    for number in range(1, 5):
        weir.disk.fail(kind, number, fault=fault)
        weir.start()
        page = weir.page_or_end()
        assert 'm{instance="",job="j"} 1' in page if page else weir.complaints()
        weir.kill()
    weir.start()
    assert 'm{instance="",job="j"} 1' in weir.page()


def test_places_that_can_be_read_only_sometimes(weir, tmp_path):
    """What is taken for damage at first is not given up when something else cannot be read then."""
    for number in range(20):
        assert weir.weir.put(f"/metrics/job/j/number/{number}", "m 1\n").status == 200
    weir.kill()
    shutil.copytree(weir.disk.directory, tmp_path / "copy")
    for number in range(11, 91, 4):
        weir.disk.order(f"read 10 10 {errno.EIO}", f"read {number} {number} {errno.EIO}")
        weir.start()
        page = weir.page_or_end()
        assert page is None or page.count("\nm{") == 20
        weir.kill()
        weir.disk.fill(tmp_path / "copy")


# ---- A disk that is full ----------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """4 MB, of which ballast can be thrown off."""
    disk = tmp_path / "small"
    disk.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "weir-test", disk],
                          capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("no right to mount a small disk")
    (disk / "ballast").write_bytes(bytes(3 << 20))
    yield disk
    subprocess.run(["umount", disk], check=True)


@contextlib.contextmanager
def running(directory):
    weir = Weir(directory)
    try:
        yield weir
    finally:
        if weir.process.poll() is None:
            weir.stop()


def values(weir):
    return {line for line in weir.scrape().stored() if line.startswith("m{")}


def test_full_disk(small_disk):
    rng = random.Random(1)
    texts = [rng.randbytes(25_000).hex() for _ in range(30)]
    with running(small_disk / "weir") as weir:
        statuses = [weir.put(f"/metrics/job/j/number/{number}", f'm{{text="{text}"}} 1\n').status
                    for number, text in enumerate(texts)]
        assert statuses[0] == 200 and statuses[-1] == 503
        assert len(values(weir)) == len(texts)
        assert weir.put("/metrics/job/j/number/0", "m 2\n").status == 503
        assert weir.delete("/metrics/job/j/number/1").status == 503
        (small_disk / "ballast").unlink()
        wait_for(lambda: weir.put("/metrics/job/j/number/0", "m 3\n").status == 200, "it is stored again")
        before = values(weir)
        assert len(before) == len(texts) - 1
        weir.signal(signal.SIGKILL)
        weir.wait()
        weir.process.stdout.close()
    with running(small_disk / "weir") as weir:
        wait_for(lambda: weir.get("/-/ready").status == 200, "it has loaded what it has")
        assert values(weir) == before
