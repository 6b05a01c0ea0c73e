"""Where weir keeps what it keeps: the directory asked for, or the first that can be written."""

import os
import subprocess

import pytest

from harness import BINARY, DEADLINE, Weir, environment, run_weir


@pytest.fixture
def home(tmp_path):
    path = tmp_path / "home"
    path.mkdir()
    return path


class Started:
    """A weir without --data.dir, in a directory and with variables of the test's choice."""

    def __init__(self, cwd, variables):
        inherited = {name: value for name, value in environment().items()
                     if name not in ("HOME", "STATE_DIRECTORY")}
        self.process = subprocess.Popen(
            [BINARY, "--web.listen-address=127.0.0.1:0"], cwd=cwd, text=True,
            env={**inherited, **variables}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.listens = self.process.stdout.readline().startswith("listening ")
        self.process.terminate()
        _, self.stderr = self.process.communicate(timeout=DEADLINE)
        assert self.process.returncode == (0 if self.listens else 1), self.stderr


def test_default_is_data(tmp_path, home):
    started = Started(tmp_path, {"HOME": str(home)})
    assert started.listens
    assert (tmp_path / "data" / "lock").exists()
    assert list(home.iterdir()) == []
    assert "path=data from=default" in started.stderr


def test_state_directory_comes_first(tmp_path, home):
    state = tmp_path / "state"
    started = Started(tmp_path, {"HOME": str(home), "STATE_DIRECTORY": f"{state}:{tmp_path}/other"})
    assert started.listens
    assert (state / "lock").exists()
    assert not (tmp_path / "data").exists() and not (tmp_path / "other").exists()
    assert f"path={state} from=$STATE_DIRECTORY" in started.stderr


def test_state_directory_that_cannot_be_made_is_an_error(tmp_path, home):
    started = Started(tmp_path, {"HOME": str(home), "STATE_DIRECTORY": "/no/such/directory"})
    assert not started.listens
    assert "/no/such/directory" in started.stderr and "$STATE_DIRECTORY" in started.stderr
    assert not (tmp_path / "data").exists() and list(home.iterdir()) == []


def unwritable_data(tmp_path, kind):
    """A folder in which data cannot be made, or is there and cannot be written; root may do all else."""
    if kind == "made":
        return "/proc"
    folder = tmp_path / "folder"
    (folder / "data" / "lock").mkdir(parents=True)
    return folder


@pytest.mark.smoke
@pytest.mark.parametrize("kind", ["made", "written"])
def test_home_when_data_cannot_be_had(tmp_path, home, kind):
    started = Started(unwritable_data(tmp_path, kind), {"HOME": str(home)})
    assert started.listens
    assert (home / "weir" / "lock").exists()
    assert f"path={home}/weir from=$HOME" in started.stderr


@pytest.mark.parametrize("variables", [{}, {"HOME": ""}, {"HOME": "relative"}])
def test_no_home_is_an_error(variables):
    started = Started("/proc", variables)
    assert not started.listens
    assert "set --data.dir" in started.stderr and "path=data" in started.stderr


def test_home_that_cannot_be_written_is_an_error():
    started = Started("/proc", {"HOME": "/proc"})
    assert not started.listens
    assert "path=/proc/weir" in started.stderr


def test_asked_for_is_that_or_an_error(tmp_path, home, monkeypatch):
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("STATE_DIRECTORY", str(home))
    for variables in ({}, {"WEIR_DATA_DIR": "/proc/no"}):
        flags = () if variables else ("--data.dir=/proc/no",)
        process = subprocess.run([BINARY, "--web.listen-address=127.0.0.1:0", *flags], text=True,
                                 env={**environment(), **variables}, capture_output=True,
                                 timeout=DEADLINE, cwd=tmp_path, check=False)
        assert process.returncode == 1
        assert "path=/proc/no" in process.stderr
    assert list(home.iterdir()) == []


def test_in_use_is_an_error_even_for_the_default(tmp_path, start_weir):
    weir = start_weir()
    directory = weir.stderr_path.parent
    code, stderr = run_weir(directory)
    assert code == 1
    assert "in use by another weir" in stderr and str(directory / "data") in stderr
    started = Started(directory, {"HOME": str(tmp_path / "home")})
    assert not started.listens
    assert "in use by another weir" in started.stderr and not (tmp_path / "home").exists()


def test_free_again_after_the_end(tmp_path):
    for _ in range(2):
        Weir(tmp_path / "w").stop()
    assert os.listdir(tmp_path / "w" / "data")
