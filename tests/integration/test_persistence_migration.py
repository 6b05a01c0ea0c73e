"""The file of an earlier weir, which wrote all it had now and then, is moved into the database."""

import json
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from harness import DEADLINE, command, environment, run_weir, wait_for
from held_disk import HeldDisk
from persistence import everything, jobs, kill, own_metric
from takeovers import Pretender

DATA = Path(__file__).parent / "data"
OLD_FLAGS = ["--push.disable-consistency-check", "--push.enable-utf8-names"]


@pytest.fixture
def disk(tmp_path):
    return HeldDisk(tmp_path / "disk")


def aside(kept):
    return kept.database.with_name(kept.database.name + ".snapshot")


def moved(kept):
    """What has been moved, by name."""
    return sorted(kept.database.parent.glob(kept.database.name + ".snapshot.moved-*"))


def image_of(weir):
    """What an earlier weir would have written."""
    with Pretender(weir.stderr_path.parent / "data") as pretender:
        return pretender.image()


def hidden(weir):
    return [own_metric(weir, "weir_shadowed_blocks"), own_metric(weir, "weir_shadowed_groups")]


@pytest.mark.smoke
@pytest.mark.parametrize("way", ["kill", "stop"])
def test_file_of_an_earlier_weir(kept, way):
    """data/snapshot.weir was written by one that still did; snapshot.json has what it showed."""
    shutil.copy(DATA / "snapshot.weir", kept.database)
    before = json.loads((DATA / "snapshot.json").read_text())
    kept.flags = OLD_FLAGS
    weir = kept.start()
    for _ in range(3):
        found = {**everything(weir), "shadowed": hidden(weir)}
        assert {key: found[key] for key in before} == before
        weir = kept.again(way)
    assert "state of an earlier weir" not in weir.stderr()
    [file] = moved(kept)
    assert re.fullmatch(r".*\.moved-\d{8}T\d{6}Z", str(file))
    assert file.read_bytes() == (DATA / "snapshot.weir").read_bytes()
    assert not aside(kept).exists()
    assert kept.database.read_bytes().startswith(b"SQLite format 3\0")


def test_expiries(kept, start_weir):
    weir = start_weir("--push.enable-utf8-names")
    weir.put("/metrics/job/short?ttl=2s", "m 1\n")
    weir.put("/metrics/job/long?ttl=1h", "m 1\n")
    weir.put("/metrics/job/ever", "m 1\n")
    kept.database.write_bytes(image_of(weir))
    weir.stop()
    weir = kept.start()
    expires = {json.loads(line)["labels"]["job"]: json.loads(line).get("expires")
               for line in weir.get("/api/v1/export").text.splitlines() if '"labels"' in line}
    assert expires["ever"] is None and expires["long"] is not None
    wait_for(lambda: jobs(weir) == {"long", "ever"}, "the short one expires")
    assert jobs(kept.again()) == {"long", "ever"}


def test_what_is_pushed_meanwhile_comes_behind(kept, start_weir, disk):
    """Nobody is answered from half of it, and nothing is lost when it is killed in between."""
    weir = start_weir()
    for number in range(300):
        weir.put(f"/metrics/job/{number}", "m 1\n")
    image = image_of(weir)
    before = everything(weir)
    weir.stop()
    kept.database.write_bytes(image)
    disk.hold(ending="-wal")
    weir = start_weir(f"--persistence.file={kept.path}", variables=disk.variables())
    answer = weir.get("/metrics")
    assert answer.status == 503 and "is being loaded" in answer.text
    with weir.connect() as connection:
        connection.request("PUT", "/metrics/job/7", "m 2\n")
        disk.heal()
        assert connection.response().status == 200
    assert 'm{instance="",job="7"} 2' in weir.get("/metrics").text
    kill(weir)
    weir = kept.start()
    assert jobs(weir) == {str(number) for number in range(300)}
    weir.put("/metrics/job/7", "m 1\n")
    assert [line for line in everything(weir)["text"] if line.startswith("m{")] == [
        line for line in before["text"] if line.startswith("m{")]


class Starting:
    """A weir that may be killed before it listens."""

    def __init__(self, directory, kept, disk):
        directory.mkdir(exist_ok=True)
        self.log = directory / "stderr"
        with open(self.log, "wb") as stderr:
            self.process = subprocess.Popen(
                command(directory, f"--persistence.file={kept.path}"), cwd=directory,
                env={**environment(), **disk.variables()}, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=stderr)

    def has_all(self):
        return any(words in self.log.read_text() for words in (
            "the state of an earlier weir is in the database", "state loaded"))

    def kill(self):
        self.process.kill()
        assert self.process.wait(DEADLINE) == -signal.SIGKILL, self.log.read_text()


def test_killed_in_the_middle(kept, start_weir, disk, tmp_path):
    """At the first thing that is to be on disk for good, at the second, and so on."""
    weir = start_weir()
    for number in range(50):
        weir.put(f"/metrics/job/{number}", "m 1\n")
    before, image = everything(weir), image_of(weir)
    weir.stop()
    kept.database.write_bytes(image)
    has_all, step = False, 0
    while not has_all:
        synced = disk.hold(after=step)
        weir = Starting(tmp_path / "killed", kept, disk)
        wait_for(lambda: len(disk.synced()) > synced + step or weir.has_all(), "it gets there")
        has_all = weir.has_all()
        weir.kill()
        step += 1
    assert step > 3
    disk.heal()
    assert everything(kept.start()) == before
    [file] = moved(kept)
    assert file.read_bytes() == image
    assert not aside(kept).exists()


def test_damaged_file(kept):
    """What can be read is moved; the file stays, and the log names what is missing."""
    data = bytearray((DATA / "snapshot.weir").read_bytes())
    data[320:330] = bytes(10)
    kept.database.write_bytes(data)
    kept.flags = OLD_FLAGS
    weir = kept.start()
    assert 0 < len(jobs(weir)) < 9
    assert re.search("cannot read a record.* path=.*|unreadable=[1-9]", weir.stderr())
    [file] = moved(kept)
    assert file.read_bytes() == data
    before = everything(weir)
    assert everything(kept.again()) == before


def test_file_of_which_nothing_can_be_read(kept):
    data = bytearray((DATA / "snapshot.weir").read_bytes())
    data[8:128] = data[136:256] = bytes(120)
    kept.database.write_bytes(data)
    weir = kept.start()
    assert "the headers cannot be read" in weir.stderr()
    assert jobs(weir) == set()
    [file] = moved(kept)
    assert file.read_bytes() == data


def test_file_of_a_newer_weir_is_left_alone(kept, tmp_path):
    data = bytearray((DATA / "snapshot.weir").read_bytes())
    data[:128] = data[128:256] = (data[:8] + b"\x02\0\0\0" + data[12:16]
                                  + b"weir 99.1".ljust(48, b"\0") + data[64:128])
    kept.database.write_bytes(data)
    code, log = run_weir(tmp_path, f"--persistence.file={kept.path}")
    assert code == 1
    assert str(kept.database) in log, log
    assert re.search('of a newer weir.* written_by="?weir 99.1', log), log
    left = [path for path in kept.path.parent.iterdir() if path.read_bytes() == data]
    assert len(left) == 1
    # Put away, it is in nobody's way.
    left[0].rename(tmp_path / "away")
    assert jobs(kept.start()) == set()


def test_takeover_does_not_read_it(kept, start_weir):
    """What is stored then comes from the running weir, and the file would be lost."""
    shutil.copy(DATA / "snapshot.weir", kept.database)
    weir = start_weir()
    weir.put("/metrics/job/j", "m 1\n")
    directory = weir.stderr_path.parent
    code, log = run_weir(directory, "--takeover", f"--persistence.file={kept.path}")
    assert code == 1
    assert str(kept.database) in log, log
    assert kept.database.read_bytes() == (DATA / "snapshot.weir").read_bytes()
    assert weir.put("/metrics/job/k", "m 1\n").status == 200
