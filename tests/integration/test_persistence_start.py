"""Where the database is, and what is in its way: files of others, folders, other weirs."""

import os
import re
import stat
import subprocess

import pytest

from harness import BINARY, DEADLINE, command, environment, run_weir
from persistence import everything, jobs


def names(kept):
    """What is beside the database, without what SQLite and the lock have there."""
    return sorted(name for name in os.listdir(kept.path.parent)
                  if not name.endswith((".lock", "-wal", "-shm")))


# ---- Beside a Pushgateway's file ------------------------------------------------------------


@pytest.mark.smoke
def test_pushgateway_file_is_left_alone(kept):
    kept.path.write_bytes(b"gob" * 1000)
    kept.path.chmod(0o640)
    before = kept.path.stat()
    for _ in range(2):
        weir = kept.start()
        [line] = [line for line in weir.stderr().splitlines() if "Pushgateway's state" in line]
        assert "level=warn" in line and f"path={kept.path}" in line
        assert "weir import --from-pushgateway" in line
        weir.put("/metrics/job/j", "m 1\n")
        kept.end()
    assert kept.path.read_bytes() == b"gob" * 1000
    after = kept.path.stat()
    assert (after.st_mtime_ns, after.st_ino, after.st_mode) == (
        before.st_mtime_ns, before.st_ino, before.st_mode)
    assert names(kept) == ["pushgateway.data", "pushgateway.data.weir"]
    assert jobs(kept.start()) == {"j"}


def test_nothing_is_said_without_one(kept):
    assert "Pushgateway" not in kept.start().stderr()


def test_only_its_owner_may_read_it(kept):
    kept.start().put("/metrics/job/j", "m 1\n")
    for name in os.listdir(kept.path.parent):
        assert stat.S_IMODE((kept.path.parent / name).stat().st_mode) == 0o600, name


def test_nothing_else_is_left_behind(kept):
    kept.start().put("/metrics/job/j", "m 1\n")
    kept.end("stop")
    assert sorted(os.listdir(kept.path.parent)) == ["pushgateway.data.weir", "pushgateway.data.weir.lock"]


# ---- Paths ----------------------------------------------------------------------------------


@pytest.mark.parametrize("flag", ["--persistence.file=state", "--state.url=sqlite:state.weir",
                                  "--state.url=sqlite:./state.weir"])
def test_relative_to_where_weir_runs(start_weir, flag):
    weir = start_weir(flag)
    weir.put("/metrics/job/j", "m 1\n")
    weir.stop()
    directory = weir.stderr_path.parent
    assert (directory / "state.weir").exists()
    assert not (directory / "data" / "weir.db").exists()


def test_without_a_flag_it_is_in_the_data_directory(start_weir):
    weir = start_weir()
    weir.put("/metrics/job/j", "m 1\n")
    weir.stop()
    assert (weir.stderr_path.parent / "data" / "weir.db").exists()


def test_none(start_weir, kept):
    """In memory only; nothing is read or written, whatever --persistence.file says."""
    kept.start().put("/metrics/job/kept", "m 1\n")
    kept.end("stop")
    rows = kept.rows()
    weir = kept.start("--state.url=none", "--targets.url=none")
    assert weir.put("/metrics/job/j", "m 1\n").status == 200
    assert jobs(weir) == {"j"}
    assert "weir_state_" not in weir.get("/metrics").text
    kept.end("stop")
    assert kept.rows() == rows
    assert os.listdir(weir.stderr_path.parent / "data") == ["lock"]
    assert jobs(kept.start()) == {"kept"}


def test_url_comes_before_the_file(start_weir, kept, tmp_path):
    weir = start_weir(f"--persistence.file={kept.path}", f"--state.url=sqlite:{tmp_path}/other.db")
    weir.put("/metrics/job/j", "m 1\n")
    before = everything(weir)
    weir.stop()
    assert os.listdir(kept.path.parent) == []
    kept.path = tmp_path / "other"
    (tmp_path / "other.db").rename(kept.database)
    assert everything(kept.start()) == before


def test_odd_names(start_weir, tmp_path):
    """They are paths, not URIs."""
    for name in ("with space", "100%25", "a?mode=memory", "file:x", "ü#1"):
        weir = start_weir(f"--state.url=sqlite:{tmp_path}/{name}")
        weir.put("/metrics/job/j", "m 1\n")
        weir.stop()
        assert (tmp_path / name).exists(), name


@pytest.mark.parametrize("url, words", [
    ("postgres://x", "state.url"), ("", "state.url"), ("sqlite", "state.url"), ("nowhere", "state.url"),
])
def test_errors_of_the_flag(tmp_path, url, words):
    code, log = run_weir(tmp_path, f"--state.url={url}")
    assert code == 1
    assert words in log and len(log.splitlines()) == 1


# ---- What is in the way ---------------------------------------------------------------------


@pytest.mark.parametrize("given, words", [
    ("missing/state", "No such file or directory"),
    ("file/state", "Not a directory"),
])
def test_folder_that_is_not_there(tmp_path, given, words):
    (tmp_path / "file").touch()
    for flag in (f"--persistence.file={tmp_path}/{given}", f"--state.url=sqlite:{tmp_path}/{given}"):
        code, log = run_weir(tmp_path, flag)
        assert code == 1
        assert words in log and f"{tmp_path}/{given}" in log, log
    assert sorted(os.listdir(tmp_path)) == ["data", "file"]


def test_database_that_is_a_folder(tmp_path, kept):
    kept.database.mkdir()
    code, log = run_weir(tmp_path, f"--persistence.file={kept.path}")
    assert code == 1
    assert str(kept.database) in log, log
    code, log = run_weir(tmp_path, f"--state.url=sqlite:{kept.database}")
    assert code == 1
    assert str(kept.database) in log, log


def run_as_nobody(directory, *flags):
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                           *command(directory, *flags)], env=environment(), capture_output=True,
                          text=True, timeout=DEADLINE, check=False, cwd="/")
    return done.returncode, done.stderr


@pytest.fixture
def open_to_all(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("only root can start a program as another user")
    probe = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                            BINARY, "--version"], env=environment(), capture_output=True, check=False)
    if probe.returncode != 0:
        pytest.skip("the program is where only root can read it")


@pytest.mark.parametrize("what", ["folder", "file"])
def test_not_allowed_to_write(kept, tmp_path, open_to_all, what):
    kept.start().put("/metrics/job/j", "m 1\n")
    kept.end("stop")
    rows = kept.rows()
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_mode & 0o011 != 0o011 and path != path.parent:
            path.chmod(path.stat().st_mode | 0o011)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs").chmod(0o777)
    if what == "file":
        kept.path.parent.chmod(0o777)
    code, log = run_as_nobody(tmp_path / "theirs", f"--persistence.file={kept.path}")
    assert code == 1
    assert "ermission denied" in log or "cannot be written" in log or "unable to open" in log, log
    assert str(kept.database) in log
    assert kept.rows() == rows


def test_two_weirs_on_one_database(kept, tmp_path):
    weir = kept.start()
    weir.put("/metrics/job/j", "m 1\n")
    for flag in (f"--persistence.file={kept.path}", f"--state.url=sqlite:{kept.database}"):
        code, log = run_weir(tmp_path, flag)
        assert code == 1
        assert re.search(f"in use by another weir.* path={kept.database}", log), log
    assert weir.put("/metrics/job/k", "m 1\n").status == 200
    assert jobs(kept.again()) == {"j", "k"}


def test_two_weirs_by_different_names(kept, tmp_path):
    weir = kept.start()
    link = tmp_path / "link.db"
    link.symlink_to(kept.database)
    code, log = run_weir(tmp_path, f"--state.url=sqlite:{link}")
    assert code == 1
    assert re.search(f"in use by another weir.* path={kept.database}", log), log
    assert weir.put("/metrics/job/k", "m 1\n").status == 200
    kept.end()
    kept.path = tmp_path / "link"
    kept.database.symlink_to(link.readlink())
    assert jobs(kept.start()) == {"k"}


def test_file_named_like_a_snapshot(kept):
    """A copy that somebody made, say: no reason to begin the database anew."""
    kept.start().put("/metrics/job/j", "m 1\n")
    kept.end("stop")
    copy = kept.database.with_name(kept.database.name + ".snapshot")
    copy.write_bytes(kept.database.read_bytes())
    assert jobs(kept.start()) == {"j"}
    assert copy.exists()


def test_exit_code_when_it_turns_out_to_be_unusable(kept, tmp_path):
    """Damaged where it is seen only when all is read, and what is left of it cannot be saved."""
    weir = kept.start()
    for number in range(200):
        weir.put(f"/metrics/job/{number}", "m 1\n")
    kept.end("stop")
    with open(kept.database, "r+b") as file:
        file.seek(-2 * 4096, os.SEEK_END)
        file.write(b"\xa5" * 4096)
    in_the_way = kept.database.with_name(kept.database.name + ".new")
    in_the_way.mkdir()
    code, log = run_weir(tmp_path, f"--persistence.file={kept.path}")
    assert code == 1, log
    assert "cannot use the database" in log
    in_the_way.rmdir()
    assert len(jobs(kept.start())) > 100
